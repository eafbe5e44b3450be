package vocab

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"iter"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"tocsin"
	"tocsin/indicator"
)

// Guards are the guard lists of an exchange, put together. They never change, so
// anybody may ask them at any time; when a list does, there are new ones. The zero
// Guards guard nothing.
type Guards struct {
	lists []*tocsin.GuardList // the strictest first
	masks []*mask             // of lists[i]: the types that it is about; nil: names, addresses and hashes
	seed  maphash.Seed

	sets    [][]uint16         // lists that hold the same entry, ascending; 0 is none
	joined  map[join]uint32    // while they are put together
	exact   table              // text → set
	beneath table              // name → set of lists that guard what is beneath it
	above   table              // name → covers, of which one is beneath it
	covers  []cover            // 0 is none
	ranges  bart.Table[uint32] // → set
	parts   []*parts
	regexes []regexes
	suffix  int // the list that stands for public suffixes, -1: none
}

type join struct {
	set  uint32
	list uint16
}

// A cover is an entry that lies beneath a name: to block that name and all
// beneath it would block the entry.
type cover struct {
	list  uint16
	entry string
}

type regexes struct {
	list int
	res  []*regexp.Regexp
}

// New puts lists together; entries returns what is on one of them. Lists that are
// turned off are left out.
func New(lists []*tocsin.GuardList, entries func(*tocsin.GuardList) (iter.Seq2[string, error], error)) (*Guards, error) {
	g := &Guards{seed: maphash.MakeSeed(), sets: make([][]uint16, 1), covers: make([]cover, 1), joined: map[join]uint32{}, suffix: -1}
	for _, l := range lists {
		if l.Class != tocsin.Unguarded {
			g.lists = append(g.lists, l)
		}
	}
	// Of lists of one class our own come first: they say why.
	slices.SortFunc(g.lists, func(a, b *tocsin.GuardList) int {
		return cmp.Or(cmp.Compare(b.Class, a.Class), -cmp.Compare(btoi(a.Own), btoi(b.Own)), cmp.Compare(a.ID, b.ID))
	})
	for i, l := range g.lists {
		g.masks = append(g.masks, maskOf(l.Types))
		es, err := entries(l)
		if err == nil {
			err = g.add(i, l, es)
		}
		if err != nil {
			return nil, fmt.Errorf("guard list %s: %w", l.Name, err)
		}
	}
	g.joined = nil
	return g, nil
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (g *Guards) add(i int, l *tocsin.GuardList, entries iter.Seq2[string, error]) error {
	p, rs := newParts(i), regexes{list: i}
	for e, err := range entries {
		if err != nil {
			return err
		}
		switch l.Match {
		case Substring:
			p.add(e)
		case Regex:
			re, err := compile(e)
			if err != nil {
				return err
			}
			rs.res = append(rs.res, re)
		case Range:
			if p, err := netip.ParsePrefix(e); err == nil {
				g.addRange(i, p)
			}
		case Beneath:
			g.addName(i, e, true)
		default:
			g.addExact(i, e)
		}
	}
	switch l.Match {
	case Substring:
		p.settle()
		g.parts = append(g.parts, p)
	case Regex:
		g.regexes = append(g.regexes, rs)
	case Suffix:
		g.suffix = i
	}
	return nil
}

func (g *Guards) addExact(i int, e string) {
	if strings.IndexByte(e, '/') > 0 {
		if p, err := netip.ParsePrefix(e); err == nil {
			g.addRange(i, p)
			return
		}
	}
	rest, below := strings.CutPrefix(e, ".")
	g.addName(i, rest, below)
}

// addName adds an entry that may be a name. What is none is found as a text, and
// is above nothing.
func (g *Guards) addName(i int, e string, below bool) {
	h := g.hash(e)
	g.join(g.exact.slot(h), i)
	if below {
		g.join(g.beneath.slot(h), i)
	}
	if g.masks[i] != nil && !g.masks[i].has(domainType) {
		return
	}
	for name := e; ; {
		_, up, ok := strings.Cut(name, ".")
		if !ok || strings.IndexByte(up, '.') < 0 || strings.IndexByte(up, '/') >= 0 || strings.IndexByte(up, '@') >= 0 {
			return
		}
		if at := g.above.slot(g.hash(up)); *at == 0 {
			*at = uint32(len(g.covers))
			g.covers = append(g.covers, cover{uint16(i), strings.Clone(e)})
		}
		name = up
	}
}

func (g *Guards) addRange(i int, p netip.Prefix) {
	g.ranges.Modify(p, func(set uint32, _ bool) (uint32, bool) {
		g.join(&set, i)
		return set, false
	})
}

// join makes the set at at one that has list i as well.
func (g *Guards) join(at *uint32, i int) {
	was := g.sets[*at]
	if len(was) > 0 && was[len(was)-1] == uint16(i) {
		return
	}
	j := join{*at, uint16(i)}
	id, ok := g.joined[j]
	if !ok {
		id = uint32(len(g.sets))
		g.sets = append(g.sets, append(slices.Clone(was), uint16(i)))
		g.joined[j] = id
	}
	*at = id
}

func (g *Guards) hash(s string) uint64 { return maphash.String(g.seed, s) }

// Lists iterates over the lists, the strictest first.
func (g *Guards) Lists() iter.Seq[*tocsin.GuardList] { return slices.Values(g.lists) }

// A Hit is one list that guards a value.
type Hit struct {
	List  *tocsin.GuardList
	Class tocsin.GuardClass
	Entry string // what is on the list
	How   How
}

// Verdict is h as it is written down.
func (h Hit) Verdict() tocsin.Verdict { return tocsin.NewVerdict(h.Class, h.List.Name, h.Entry) }

// How a value has to do with an entry.
type How uint8

const (
	Itself    How = iota + 1
	Under         // it lies beneath the entry, or inside of it
	Over          // it covers the entry: blocking it would block that, too
	Contains      // the entry is part of it, or matches it
	Mentioned     // it does not name the entry, but mentions it
)

var hows = [...]string{"", "is on the list", "lies beneath or inside an entry", "covers an entry", "contains an entry", "mentions an entry"}

func (h How) String() string { return hows[h] }

// Judge returns the strictest that the lists say of a value.
func (g *Guards) Judge(v indicator.Value) tocsin.Verdict {
	f := finder{g: g}
	f.value(v)
	if f.best.List == nil {
		return ""
	}
	return f.best.Verdict()
}

// Hits returns all lists that guard a value, the strictest first, each once.
func (g *Guards) Hits(v indicator.Value) []Hit {
	f := finder{g: g, all: true}
	f.value(v)
	slices.SortStableFunc(f.hits, func(a, b Hit) int { return -cmp.Compare(a.Class, b.Class) })
	return f.hits
}
