package indicator

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// Detect answers "what is this?" for a pasted value, defanged or not, as
// lookups and plain lists need it. What is one name below a public suffix is a
// domain and a longer name a hostname, so that a list of hosts does not block
// more than it says. The error has an empty Type.
func Detect(text string) (Value, error) {
	if v, ok := detectPlain(text); ok {
		return v, nil
	}
	s, err := clean(text)
	if s = bare(s); err == nil && s == "" {
		err = errEmpty
	}
	if err == nil && len(s) > maxDetect {
		err = why("it is longer than any single value")
	}
	if err == nil {
		for _, d := range detectors {
			for _, typ := range d(s) {
				if v, err := Parse(typ, s); err == nil {
					return v, nil
				}
			}
		}
		err = unknown(s)
	}
	return Value{}, &ParseError{Text: text, Why: err.Error()}
}

var domainType, hostnameType = byName["domain"], byName["hostname"]

// detectPlain is the quick way for names in normal form, most of what comes.
func detectPlain(s string) (Value, bool) {
	if _, err := checkName(s); err != nil || fileSuffixes[s[strings.LastIndexByte(s, '.')+1:]] {
		return Value{}, false
	}
	suffix, icann := publicsuffix.PublicSuffix(s)
	switch {
	case icann && len(suffix) == len(s):
		return Value{}, false
	case registrable(s, suffix):
		return Value{domainType, s}, true
	}
	return Value{hostnameType, s}, true
}

// registrable reports whether name is what someone registers: one label below
// its public suffix of either section, or a suffix of the private section.
func registrable(name, suffix string) bool {
	below, ok := strings.CutSuffix(name, "."+suffix)
	return !ok || !strings.Contains(below, ".")
}

// maxDetect leaves room for the longest URLs that are seen, four times over.
const maxDetect = 1 << 14

// detectors propose types for a text, the more telling ones first.
var detectors = [...]func(string) []string{
	detectHash, detectAddress, detectComposite, detectMarked, detectEmail, detectFile, detectName, detectURL,
}

var fileHash = map[int]string{32: "md5", 40: "sha1", 56: "sha224", 64: "sha256", 96: "sha384", 128: "sha512"}

func detectHash(s string) []string {
	if typ, ok := fileHash[len(s)]; ok {
		return []string{typ}
	}
	return nil
}

func detectAddress(s string) []string {
	if c := s[0]; (c|0x20 < 'a' || c|0x20 > 'f') && (c < '0' || c > '9') && c != ':' && c != '[' {
		return nil
	}
	return []string{"ip-dst"}
}

func detectComposite(s string) []string {
	if !strings.ContainsAny(s, ":|#") {
		return nil
	}
	name, sum := cutLast(s)
	if name == "" {
		return []string{"ip-dst|port", "hostname|port"}
	}
	if typ, ok := fileHash[len(sum)]; ok {
		return []string{"filename|" + typ}
	}
	return []string{"ip-dst|port", "hostname|port", "domain|ip"}
}

// detectMarked knows what says itself what it is.
func detectMarked(s string) []string {
	switch up := strings.ToUpper(s); {
	case strings.HasPrefix(up, "CVE-"), strings.HasPrefix(up, "GCVE-"):
		return []string{"vulnerability"}
	case strings.HasPrefix(up, "CWE-"):
		return []string{"weakness"}
	case strings.HasPrefix(up, "AS") && isDigits(strings.TrimSpace(up[2:])):
		return []string{"AS"}
	case strings.HasPrefix(up, "HKEY_"), strings.HasPrefix(up, "HKLM\\"), strings.HasPrefix(up, "HKCU\\"):
		return []string{"regkey"}
	case len(s) == 17 && (strings.Count(s, ":") == 5 || strings.Count(s, "-") == 5):
		return []string{"mac-address"}
	case strings.HasPrefix(s, "/"), strings.HasPrefix(s, `\\`), strings.HasPrefix(s, "%"), len(s) > 2 && s[1:3] == `:\`:
		return []string{"filename"}
	}
	return nil
}

func detectEmail(s string) []string {
	if strings.ContainsAny(s, `/\?`) || !strings.ContainsAny(s, "@[({") {
		return nil
	}
	return []string{"email"}
}

// fileSuffixes are endings of files that are no top-level domains; bad.exe
// would make a fine name otherwise.
var fileSuffixes = func() map[string]bool {
	m := map[string]bool{}
	for _, ext := range strings.Fields(`7z apk bat bin cmd cpl cab chm conf dat dll dmg doc docm docx dot elf eml exe gif
		gz hta htm html img ini iso jar jpeg jpg js jse jsp json lnk log msg msi odt pdb pdf php png pptx ppt ps1 pyc
		rar reg rtf scr sh1 so svg swf sys tar tmp txt vbe vbs vhd wsf xll xls xlsb xlsm xlsx xml yar`) {
		if _, icann := publicsuffix.PublicSuffix(ext); !icann {
			m[ext] = true
		}
	}
	return m
}()

func detectFile(s string) []string {
	if i := strings.LastIndexByte(s, '.'); i > 0 && fileSuffixes[strings.ToLower(s[i+1:])] && !strings.ContainsAny(s, "/?:") {
		return []string{"filename"}
	}
	return nil
}

func detectName(s string) []string {
	name, err := parseDomain(s)
	if err != nil {
		return nil
	}
	if v, ok := detectPlain(name); ok {
		return []string{v.typ.Name}
	}
	return nil
}

// detectURL comes last, since a URL needs no scheme: then it needs a path, and
// one that is no mistyped range (192.0.2.0/240).
func detectURL(s string) []string {
	l := locate(armed(s))
	switch {
	case l.scheme != "" && !l.slash, strings.Contains(s, " "):
		return nil
	case l.scheme == "" && (l.rest == "" || isDigits(l.rest[1:]) && isLooseAddress(l.host)):
		return nil
	}
	return []string{"url"}
}

// unknown says why s is nothing: as a name if it looks like one, since that is
// what most lines of most lists are.
func unknown(s string) error {
	if _, err := parseAddress(s); err != nil && err != errAddress {
		return err
	}
	_, err := parseDomain(s)
	if err == errNumericTLD || err != nil && (strings.Contains(s, ".") || isPublicSuffix(strings.ToLower(s), 1)) {
		return err
	}
	return why("it is neither an address nor a domain, URL, e-mail address or hash")
}
