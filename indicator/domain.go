package indicator

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
)

// Domain and host names
//
// The normal form is lower case, without the root's dot, in A-labels: what a
// resolver sees. A name in Unicode is never stored as such, so a homograph
// ("аpple.example" with a Cyrillic а) is a name of its own, "xn--…", and can be
// confused with nothing. A name given in A-labels stays as it is even where the
// label decodes to nothing sensible: resolvers compare octets.
//
// Underscores are accepted, and hyphens anywhere, as in the lists of real ones.
// Whatever could mean something to a zone file, a rule or a shell is not.

const (
	maxLabel = 63  // RFC 1035, section 2.3.4
	maxName  = 253 // 255 on the wire: one length octet before the first label, one for the root
)

var (
	domain   = form{plain: plainDomain, parse: parseDomain, facets: domainFacets, keys: domainKeys}
	hostname = form{plain: plainDomain, parse: parseHostname, facets: hostFacets, keys: domainKeys}
)

func domainFacets(s string) Facets { return Facets{Names: []Name{{Kind: Domain, Text: s}}} }
func hostFacets(s string) Facets   { return Facets{Names: []Name{{Kind: Host, Text: s}}} }

func domainKeys(dst []Key, s string) []Key { return append(dst, Key("d:"+s)) }

func plainDomain(s string) bool {
	labels, err := checkName(s)
	return err == nil && !isPublicSuffix(s, labels)
}

func parseDomain(s string) (string, error) {
	return parseName(s, "blocking it would block everything beneath it")
}

func parseHostname(s string) (string, error) {
	return parseName(s, "name a host beneath it")
}

func parseName(s, suffixAdvice string) (string, error) {
	s, err := asciiName(strings.Trim(refang(bare(s)), "."))
	if err != nil {
		return "", err
	}
	labels, err := checkName(s)
	switch {
	case s == "":
		return "", errRoot
	case err != nil:
		return "", err
	case isPublicSuffix(s, labels):
		return "", why(s + " is a public suffix: " + suffixAdvice)
	}
	return s, nil
}

const (
	errSingleLabel = why("it is a single label: blocking it would block everything beneath it")
	errRoot        = why("it is dots alone: blocking the root would block everything")
	errEmptyLabel  = why("it has an empty label (two dots in a row)")
	errLongLabel   = why("it has a label longer than 63 octets")
	errLongName    = why("it is longer than 253 characters")
	errIsAddress   = why("it is an IP address, not a domain: use ip-dst or ip-src")
	errNumericTLD  = why("its last label is a number, so it is neither a domain nor an IP address")
	errIsURL       = why("it is a URL, not a domain: use url")
	errIsEmail     = why("it is an e-mail address, not a domain: use email")
	errHasPath     = why("a domain has no path: use url")
	errHasPort     = why("a domain has no port: use hostname|port")
	errWildcard    = why("a domain stands for everything beneath it already: leave the \"*\" out")
	errPipe        = why("it holds a \"|\": a composite type such as domain|ip may be meant")
)

// Classes of octets in a name. Zero is what may not appear.
const (
	letter = iota + 1
	digit
	upper
	dot
)

var classOf = func() (t [256]uint8) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-0x20] = letter, upper
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = digit
	}
	t['-'], t['_'], t['.'] = letter, letter, dot
	return t
}()

// checkName looks at each octet once. It returns the number of labels, and an
// error if s is no name of at least two labels in normal form.
func checkName(s string) (labels int, err error) {
	if len(s) > maxName {
		return 0, errLongName
	}
	start, digits := 0, true
	for i := range len(s) {
		switch classOf[s[i]] {
		case letter:
			digits = false
		case digit:
		case dot:
			if err := checkLabel(i - start); err != nil {
				return 0, err
			}
			start, digits = i+1, true
			labels++
		default:
			return 0, badInName(s, s[i])
		}
	}
	if err := checkLabel(len(s) - start); err != nil {
		return 0, err
	}
	switch {
	case digits:
		return 0, numericName(s)
	case labels == 0:
		return 0, errSingleLabel
	}
	return labels + 1, nil
}

func checkLabel(n int) error {
	switch {
	case n == 0:
		return errEmptyLabel
	case n > maxLabel:
		return errLongLabel
	}
	return nil
}

// numericName tells two mistakes apart, for a name whose last label is a number.
func numericName(s string) error {
	if _, err := netip.ParseAddr(s); err == nil {
		return errIsAddress
	}
	return errNumericTLD
}

// badInName says what the analyst probably meant by c.
func badInName(s string, c byte) error {
	switch {
	case strings.Contains(s, "://"):
		return errIsURL
	case strings.Contains(s, "@"):
		return errIsEmail
	case c == '/':
		if _, err := netip.ParsePrefix(s); err == nil {
			return errIsAddress
		}
		return errHasPath
	case c == ':':
		host, _, _ := strings.Cut(s, "/")
		if _, err := netip.ParseAddr(host); err == nil {
			return errIsAddress
		}
		return errHasPort
	case c == '*':
		return errWildcard
	case c == '|':
		return errPipe
	case c == '\n' || c == '\r':
		return errNewline
	case c == ' ':
		return errSpace
	case c < ' ' || c == 0x7f:
		return errControl
	}
	return why("a domain may not hold " + quoteByte(c))
}

func quoteByte(c byte) string {
	if c == '"' {
		return `a quotation mark`
	}
	return `"` + string(rune(c)) + `"`
}

// lookup is IDNA2008 with the mapping that browsers use (UTS #46, not
// transitional), for names that exist rather than names one may register.
var lookup = idna.New(
	idna.MapForLookup(),
	idna.BidiRule(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
	idna.VerifyDNSLength(false),
)

// asciiName returns s in lower-case A-labels. It does not check them.
func asciiName(s string) (string, error) {
	if isASCII(s) {
		return strings.ToLower(s), nil
	}
	if len(s) > 4*maxName {
		return "", errLongName // before the work, which grows with the square
	}
	if i := strings.IndexAny(s, " \t\r\n"); i >= 0 {
		return "", badInName(s, s[i])
	}
	a, err := lookup.ToASCII(s)
	if err != nil {
		return "", why("no resolver could look it up: " + strings.TrimPrefix(err.Error(), "idna: "))
	}
	return strings.ToLower(strings.Trim(a, ".")), nil
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// maxSuffix is the most labels that a public suffix of the ICANN section has
// (pvt.k12.ma.us); the test of the lists holds it.
const maxSuffix = 4

// isPublicSuffix asks the ICANN section alone: duckdns.org, in the private
// section, is a name that someone registered and that may be blocked.
func isPublicSuffix(s string, labels int) bool {
	if labels > maxSuffix {
		return false
	}
	suffix, icann := publicsuffix.PublicSuffix(s)
	return icann && len(suffix) == len(s)
}

// icannSuffix returns the public suffix of s by the ICANN section.
func icannSuffix(s string) string {
	for {
		suffix, icann := publicsuffix.PublicSuffix(s)
		_, above, more := strings.Cut(suffix, ".")
		if icann || !more {
			return suffix
		}
		s = above
	}
}
