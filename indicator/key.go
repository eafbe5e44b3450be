package indicator

import (
	"net/netip"
	"strconv"
	"strings"
)

// A Key is what a value is found and correlated under. A letter and a colon
// say what follows:
//
//	d:evil.example       a name, domain and host name alike
//	i:192.0.2.1/32       an address or range, always with its length
//	h:d41d8cd9…          a hash or other fingerprint, however it is spelled
//	u:http://…           a URL: empty path as "/", its scheme's own port left out
//	e:x@evil.example     an e-mail address
//	f:bad.exe            a file's name
//	a:64500              an autonomous system
//	t:…                  any other text
//	m:evil.example       a name or address that a value mentions only
//
// After e:, f: and t: the case is folded, since MISP's search does not tell
// case apart; in the path of a URL it does matter.
type Key string

// Keys returns the keys of v, at most two. The first is v's own; the second
// that of another part, or of what v mentions.
func (v Value) Keys() []Key {
	if v.typ == nil {
		return nil
	}
	return v.AppendKeys(make([]Key, 0, 2))
}

// AppendKeys appends the keys of v to dst.
func (v Value) AppendKeys(dst []Key) []Key {
	if v.typ == nil {
		return dst
	}
	return v.typ.keys(dst, v.text)
}

// Key returns the key of a value that is n, "" for none. A value found under
// Key names n; those that mention n are under [Name.MentionKey].
func (n Name) Key() Key {
	switch n.Kind {
	case Domain, Host:
		return Key("d:" + n.Text)
	case Prefix:
		return Key("i:" + n.Prefix.String())
	case Hash:
		return Key("h:" + n.Text)
	case Fingerprint, Certificate, Handshake, Fuzzy:
		return Key("h:" + sameDigest(n.Text))
	case Network:
		return Key("a:" + n.Text)
	case URL:
		return urlKey(n.Text)
	case Email:
		return Key("e:" + n.Text)
	case File:
		return fileKeys(nil, n.Text)[0]
	}
	return ""
}

// MentionKey returns the key of values that mention n.
func (n Name) MentionKey() Key { return Key("m:" + n.Text) }

// Parents returns the keys of what contains k, nearest first: the domains above
// a name down to the one below its public suffix, the wider ranges around an
// address up to the widest that [Parse] accepts. Other keys have none.
func (k Key) Parents() []Key {
	if len(k) < 2 {
		return nil
	}
	switch text := string(k[2:]); k[:2] {
	case "d:":
		return domainParents(text)
	case "i:":
		return prefixParents(text)
	}
	return nil
}

func domainParents(name string) (ks []Key) {
	suffix := icannSuffix(name)
	for {
		_, above, ok := strings.Cut(name, ".")
		if !ok || len(above) <= len(suffix) {
			return ks
		}
		ks = append(ks, Key("d:"+above))
		name = above
	}
}

func prefixParents(text string) []Key {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return nil
	}
	widest := widest4
	if p.Addr().Is6() {
		widest = widest6
	}
	var ks []Key
	for bits := p.Bits() - 1; bits >= widest; bits-- {
		wider, err := p.Addr().Prefix(bits)
		if err != nil {
			return ks
		}
		ks = append(ks, Key("i:"+wider.String()))
	}
	return ks
}

func itoa(n int) string { return strconv.Itoa(n) }
