package indicator

import (
	"net/netip"
	"strconv"
	"strings"
)

// URLs
//
// Scheme and host are lower case, the host in A-labels; userinfo, path, query
// and fragment stay as published, since a server may tell them apart, and so
// do things that RFC 3986 would have escaped. The host is found as a browser
// finds it (WHATWG URL: a backslash ends it, the last "@" begins it), so that
// http://evil.example\@good.example is filed under the host it would load.

var (
	link = bystander(form{parse: parseLink, facets: urlFacets, keys: urlKeys}) // to a report, not to something bad
	url  = form{parse: parseURL, facets: urlFacets, keys: urlKeys}
)

const (
	errScheme   = why("it is no URL: it wants a scheme, such as http://")
	errNoHost   = why("it has no host after the \"//\"")
	errHost     = why("its host is no name and no address")
	errHostPort = why("the port after its host is no number up to 65535")
	errIPv6Host = why("the brackets in it hold no IPv6 address")
)

// A location is a URL in pieces, as they stand in its text.
type location struct {
	scheme string // "" where there is none: evil.example/path
	slash  bool   // "//" follows the scheme
	user   string // with its "@"
	host   string // an IPv6 address with its brackets
	port   string // with its ":"
	rest   string // path, query and fragment
}

func (l location) String() string {
	switch {
	case l.scheme == "":
		return l.user + l.host + l.port + l.rest
	case !l.slash:
		return l.scheme + ":" + l.rest
	}
	return l.scheme + "://" + l.user + l.host + l.port + l.rest
}

// parseURL also takes what has a host and no scheme, as many lists do.
func parseURL(s string) (string, error) {
	s = bare(s)
	if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		if strings.ContainsAny(s, "\r\n") {
			return "", errNewline
		}
		return "", errControl
	}
	l := locate(armed(s))
	if l.scheme != "" && !l.slash {
		return l.String(), nil
	}
	err := l.normalize()
	return l.String(), err
}

// parseLink wants a scheme.
func parseLink(s string) (string, error) {
	s, err := parseURL(s)
	if err == nil && locate(s).scheme == "" {
		return "", errScheme
	}
	return s, err
}

// armed undoes the disguise of scheme and host. A path is touched only where
// those were disguised: brackets in it may well be meant.
func armed(s string) string {
	scheme, after := armedScheme(s)
	host, rest := cutHost(after)
	head := scheme + refang(host)
	if !strings.EqualFold(head, s[:len(s)-len(rest)]) {
		rest = strings.ReplaceAll(rest, "[.]", ".")
	}
	return head + rest
}

// armedScheme cuts s after the "//" and returns the scheme in clear, or "".
func armedScheme(s string) (scheme, after string) {
	before, after, ok := strings.Cut(s, "//")
	if !ok {
		return "", s
	}
	for _, b := range [...][2]string{{"[:", "]"}, {"(:", ")"}, {"{:", "}"}} {
		if strings.HasSuffix(before, b[0]) && strings.HasPrefix(after, b[1]) {
			before, after = before[:len(before)-1]+":", after[1:] // hxxp[://]
		}
	}
	name, ok := strings.CutSuffix(strings.ToLower(refang(before)), ":")
	name = strings.Trim(name, "[](){}")
	if clear, ok := schemes[name]; ok {
		name = clear
	}
	if !ok || !isScheme(name) {
		return "", s
	}
	return name + "://", after
}

func cutHost(s string) (host, rest string) {
	if end := strings.IndexAny(s, `/?#\`); end >= 0 {
		return s[:end], s[end:]
	}
	return s, ""
}

// locate takes s apart. Of a normal form the pieces are in normal form.
func locate(s string) (l location) {
	if scheme, after, ok := strings.Cut(s, ":"); ok && isScheme(scheme) {
		scheme = strings.ToLower(scheme)
		if host, ok := strings.CutPrefix(after, "//"); ok {
			l.scheme, l.slash, s = scheme, true, host
		} else if opaque[scheme] {
			return location{scheme: scheme, rest: after}
		}
	}
	s, l.rest = cutHost(s)
	if at := strings.LastIndexByte(s, '@'); at >= 0 {
		l.user, s = s[:at+1], s[at+1:]
	}
	if i := strings.LastIndexByte(s, ':'); i > strings.LastIndexByte(s, ']') {
		s, l.port = s[:i], s[i:]
	}
	l.host = s
	return l
}

// opaque are schemes that lead to no host. Others without "//" are mistakes, or
// no scheme at all: localhost:8080, C:\Windows.
var opaque = map[string]bool{
	"bitcoin": true, "cid": true, "data": true, "ethereum": true, "javascript": true, "magnet": true, "mailto": true,
	"monero": true, "news": true, "sip": true, "sips": true, "sms": true, "tel": true, "urn": true, "xmpp": true,
}

// isScheme is RFC 3986, section 3.1, without the dot: evil.example:8080 is a
// host and its port.
func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i]
		if alpha := c|0x20 >= 'a' && c|0x20 <= 'z'; !alpha && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-') {
			return false
		}
	}
	return s != ""
}

func (l *location) normalize() error {
	switch {
	case l.host == "" && l.scheme == "":
		return errScheme
	case l.host == "" && l.scheme == "file":
		return nil
	case l.host == "":
		return errNoHost
	}
	if !isPortSuffix(l.port) {
		return errHostPort
	}
	if l.host[0] == '[' {
		return l.normalizeIPv6()
	}
	host, err := asciiName(unescapeHost(l.host))
	if err != nil {
		return err
	}
	if l.host = host; isLooseAddress(host) {
		return nil
	}
	_, err = checkName(strings.TrimSuffix(host, "."))
	switch {
	case err == errSingleLabel && l.scheme == "":
		return errScheme
	case err == errSingleLabel:
		return nil // http://localhost/ is a URL, with no host for anyone else
	case err != nil && l.scheme == "":
		return errScheme
	case err != nil:
		return why("its host is no name: " + err.Error())
	}
	return nil
}

func (l *location) normalizeIPv6() error {
	a, err := netip.ParseAddr(strings.Trim(l.host, "[]"))
	if err != nil || a.Is4() || a.Zone() != "" || l.host[len(l.host)-1] != ']' {
		return errIPv6Host
	}
	l.host = "[" + a.String() + "]"
	return nil
}

func isPortSuffix(s string) bool {
	if len(s) < 2 {
		return true // none, or a lone ":"
	}
	_, err := strconv.ParseUint(s[1:], 10, 16)
	return err == nil
}

// unescapeHost undoes %65vil.example, which browsers resolve as evil.example.
func unescapeHost(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(c))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isLooseAddress(host string) bool {
	_, ok := looseAddress(host)
	return ok
}

// looseAddress reads an IPv4 address as browsers do: one to four numbers,
// decimal, octal or hexadecimal, the last one filling the octets that remain
// (WHATWG URL, "IPv4 parser"). http://3221225985/ loads from 192.0.2.1.
func looseAddress(host string) (netip.Addr, bool) {
	part := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(part) > 4 {
		return netip.Addr{}, false
	}
	var addr uint64
	for i, p := range part {
		n, err := strconv.ParseUint(octalAsInC(p), 0, 32)
		room := uint(8)
		if i == len(part)-1 {
			room = 8 * uint(5-len(part))
		}
		if err != nil || strings.Contains(p, "_") || n >= 1<<room {
			return netip.Addr{}, false
		}
		addr = addr<<room | n
	}
	return netip.AddrFrom4([4]byte{byte(addr >> 24), byte(addr >> 16), byte(addr >> 8), byte(addr)}), true
}

// octalAsInC keeps Go's own prefixes 0b and 0o out: they are no numbers to a browser.
func octalAsInC(s string) string {
	if len(s) > 1 && s[0] == '0' && (s[1]|0x20 == 'b' || s[1]|0x20 == 'o') {
		return ""
	}
	return s
}

// mentioned returns the host of a URL in normal form, if it is one that
// anybody else could meet.
func mentioned(s string) (Name, bool) {
	l := locate(s)
	host := strings.TrimSuffix(l.host, ".")
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return prefixName(a.Unmap().String()), true
	}
	if _, err := checkName(host); err == nil {
		return Name{Kind: Host, Text: host}, true
	}
	if host == "" {
		return Name{}, false
	}
	if a, ok := looseAddress(host); ok {
		return prefixName(a.String()), true
	}
	return Name{}, false
}

func urlFacets(s string) Facets {
	f := Facets{Names: []Name{{Kind: URL, Text: s}}}
	if host, ok := mentioned(s); ok {
		f.Mentions = []Name{host}
	}
	return f
}

func urlKeys(dst []Key, s string) []Key {
	dst = append(dst, urlKey(s))
	if host, ok := mentioned(s); ok {
		dst = append(dst, host.MentionKey())
	}
	return dst
}

// urlKey makes equal what RFC 3986, section 6.2.3, calls equivalent.
func urlKey(s string) Key {
	l := locate(s)
	if l.scheme != "" && !l.slash {
		return Key("u:" + s)
	}
	if l.port == ":" || l.port == ":80" && l.scheme == "http" || l.port == ":443" && l.scheme == "https" {
		l.port = ""
	}
	if l.rest == "" || l.rest[0] == '?' || l.rest[0] == '#' {
		l.rest = "/" + l.rest
	}
	return Key("u:" + l.String())
}
