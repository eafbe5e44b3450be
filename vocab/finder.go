package vocab

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"tocsin"
	"tocsin/indicator"
)

// A finder asks the lists about one value: for the strictest answer, or for all.
type finder struct {
	g         *Guards
	typ       *indicator.Type
	mentioned bool // what is asked about now is only mentioned
	best      Hit
	all       bool
	hits      []Hit
}

func (f *finder) value(v indicator.Value) {
	if f.typ = v.Type(); f.typ == nil || len(f.g.lists) == 0 {
		return
	}
	facets := v.Facets()
	for i := range facets.Names {
		f.name(&facets.Names[i])
	}
	if len(facets.Names) == 0 {
		f.text(v.String(), true)
	}
	f.written(v)
	// What is only mentioned is not blocked, so a list can only inform of it.
	f.mentioned = true
	if f.done(tocsin.Inform) {
		return
	}
	for i := range facets.Mentions {
		f.name(&facets.Mentions[i])
	}
}

func (f *finder) name(n *indicator.Name) {
	switch n.Kind {
	case indicator.Prefix:
		f.prefix(n.Prefix)
	case indicator.Domain, indicator.Host:
		f.domain(n.Text, n.Kind == indicator.Domain)
	case indicator.File: // "command.com" is a file here, and a domain on a list that says nothing
		f.text(n.Text, true)
	default:
		f.text(n.Text, false)
	}
}

// done reports whether a list of class c could add nothing.
func (f *finder) done(c tocsin.GuardClass) bool { return !f.all && f.best.Class >= c }

func (f *finder) domain(text string, beneath bool) {
	g := f.g
	h := g.hash(text)
	f.set(g.exact.get(h), text, Itself, false)
	if f.done(tocsin.Deny) {
		return
	}
	if beneath && !f.mentioned {
		if c := &g.covers[g.above.get(h)]; c.entry != "" {
			f.found(int(c.list), Over, false, func() string { return c.entry })
		}
	}
	if g.beneath.count > 0 {
		for up := text; ; {
			var ok bool
			if _, up, ok = strings.Cut(up, "."); !ok {
				break
			}
			f.set(g.beneath.get(g.hash(up)), up, Under, false)
		}
	}
	if g.suffix >= 0 && !f.mentioned && !f.done(g.lists[g.suffix].Class) {
		if isPlatform(text) {
			f.found(g.suffix, Itself, false, func() string { return text })
		}
	}
}

// isPlatform reports whether a name is itself in the private section of the
// Public Suffix List. Where a rule of the list has a wildcard, each customer's
// name is a suffix as well; that is one customer, and not a platform.
func isPlatform(text string) bool {
	_, above, more := strings.Cut(text, ".")
	return more && isSuffix(text) && !isSuffix("x--any--x."+above)
}

func isSuffix(text string) bool {
	suffix, icann := publicsuffix.PublicSuffix(text)
	return !icann && len(suffix) == len(text) && strings.IndexByte(text, '.') >= 0
}

func (f *finder) prefix(p netip.Prefix) {
	if f.g.ranges.Size() == 0 {
		return
	}
	for q, set := range f.g.ranges.Supernets(p) {
		how := Under
		if q == p {
			how = Itself
		}
		f.set(set, "", how, false, q)
	}
	if f.mentioned || p.IsSingleIP() {
		return
	}
	for q, set := range f.g.ranges.Subnets(p) {
		if f.done(tocsin.Deny) {
			return
		}
		if q != p {
			f.set(set, "", Over, false, q)
		}
	}
}

// text looks for a text as it is, in lists that say that they are about its type
// if they must.
func (f *finder) text(s string, said bool) {
	if len(s) <= maxEntry {
		s = strings.ToLower(s)
		f.set(f.g.exact.get(f.g.hash(s)), s, Itself, said)
	}
}

// written asks the lists that look at how a value is written.
func (f *finder) written(v indicator.Value) {
	for i := range f.g.parts {
		p := f.g.parts[i]
		if !f.about(p.list, false) || f.done(f.g.lists[p.list].Class) {
			continue
		}
		if e := p.find(v.String()); e != "" {
			f.found(p.list, Contains, false, func() string { return e })
		}
	}
	for _, rs := range f.g.regexes {
		if !f.about(rs.list, false) || f.done(f.g.lists[rs.list].Class) || len(v.String()) > maxEntry {
			continue
		}
		a, b := v.Parts()
		for _, re := range rs.res {
			if re.MatchString(a) || b != "" && re.MatchString(b) {
				f.found(rs.list, Contains, false, re.String)
				break
			}
		}
	}
}

// set takes note of the lists of a set, which hold entry.
func (f *finder) set(set uint32, entry string, how How, said bool, prefix ...netip.Prefix) {
	if set == 0 {
		return
	}
	for _, i := range f.g.sets[set] {
		f.found(int(i), how, said, func() string {
			if len(prefix) > 0 {
				return short(prefix[0])
			}
			return entry
		})
	}
}

// short writes a range of one as the address that it is.
func short(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// about reports whether a list is about values like the one in question. A list
// that says nothing of types is about names, addresses and hashes, but for texts
// that it has to say so (said).
func (f *finder) about(list int, said bool) bool {
	m := f.g.masks[list]
	if m == nil {
		return !said
	}
	return m.has(f.typ.ID)
}

func (f *finder) found(list int, how How, said bool, entry func() string) {
	l := f.g.lists[list]
	class := l.Class
	if f.mentioned {
		class, how = min(class, tocsin.Inform), Mentioned
	}
	if f.done(class) || !f.about(list, said) {
		return
	}
	h := Hit{l, class, entry(), how}
	if !f.all {
		f.best = h
		return
	}
	if !slices.ContainsFunc(f.hits, func(h Hit) bool { return h.List == l }) {
		f.hits = append(f.hits, h)
	}
}

// A mask is a set of types.
type mask [8]uint64

func (m *mask) add(id uint16)      { m[id/64%8] |= 1 << (id % 64) }
func (m *mask) has(id uint16) bool { return m[id/64%8]&(1<<(id%64)) != 0 }

var domainType = typeID("domain")

func typeID(name string) uint16 {
	t, ok := indicator.TypeByName(name)
	if !ok {
		return 0
	}
	return t.ID
}

// kin are types that name the same sort of thing. A list about one of the first
// two is about all of them: it is the name or the address that is guarded,
// whatever it was written down as.
var kin = [][]string{
	{"domain", "hostname", "domain|ip", "hostname|port"},
	{"ip-dst", "ip-src", "ip-dst|port", "ip-src|port", "domain|ip"},
}

// maskOf returns the types that a list with these is about, nil if it does not say.
func maskOf(types []string) *mask {
	if len(types) == 0 {
		return nil
	}
	m := &mask{}
	for _, t := range types {
		m.add(typeID(t))
		for _, k := range kin {
			if t == k[0] || t == k[1] {
				for _, t := range k {
					m.add(typeID(t))
				}
			}
		}
	}
	return m
}
