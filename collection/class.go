package collection

import (
	"maps"
	"math/bits"
	"slices"

	"tocsin"
	"tocsin/access"
)

// A class is the subscribers of one collection who see the same claims in it. It
// is told by the pairs of labels that they see among those that ever occurred in
// the collection. Who can see a label that nobody used is no difference: when a
// claim brings such a pair, a class that disagrees about it splits, and both
// halves go on with the history that they share. So nobody has to start anew
// because a sharing group was founded, but only when they join or leave one that
// matters here.
type class struct {
	sees bitset            // pairs
	last [zones]tocsin.Seq // the last line that changed the zone
	len  [zones]int        // names in it
}

// every is the same line for all zones.
func every(n tocsin.Seq) (lines [zones]tocsin.Seq) {
	for z := range lines {
		lines[z] = n
	}
	return lines
}

// A seat is one subscriber's place in a class.
type seat struct {
	name    string
	org     int64
	groups  []int64
	viewer  access.Viewer
	wish    *wish
	entered tocsin.Seq // earlier serials it got in another class, with another wish, or nowhere
	class   *class
}

// A bitset is a set of small numbers. What lies beyond its end is not in it.
type bitset []uint64

func (b bitset) has(i uint32) bool { return int(i/64) < len(b) && b[i/64]>>(i%64)&1 == 1 }

func (b bitset) with(i uint32) bitset {
	for int(i/64) >= len(b) {
		b = append(b, 0)
	}
	b[i/64] |= 1 << (i % 64)
	return b
}

// receives reports whether v gets claims labelled p in a zone.
func receives(labels *access.Labels, v access.Viewer, x access.Exit, p pair) bool {
	return x.Allows(v, labels.Label(p.Claim)) && x.Allows(v, labels.Label(p.Event))
}

// sight returns the pairs of the collection that v receives.
func (s *selection) sight(v access.Viewer, x access.Exit) bitset {
	return sight(s.labels, s.pairs, v, x)
}

func sight(labels *access.Labels, pairs []pair, v access.Viewer, x access.Exit) bitset {
	sees := make(bitset, (len(pairs)+63)/64)
	for i, p := range pairs {
		if receives(labels, v, x, p) {
			sees = sees.with(uint32(i))
		}
	}
	return sees
}

// pair returns the number of a pair of labels. A new one may split classes.
func (s *selection) pair(p pair) uint32 {
	if n, ok := s.pairIDs[p]; ok {
		return n
	}
	n := uint32(len(s.pairs))
	s.pairs = append(s.pairs, p)
	s.pairIDs[p] = n
	for _, c := range slices.Clone(s.classes) {
		s.split(c, n)
	}
	s.remask()
	return n
}

// split lets class c see pair n, or not, or be two classes.
func (s *selection) split(c *class, n uint32) {
	sees := bitset(slices.Clone(c.sees))
	for range int(n)/64 + 1 - len(sees) {
		sees = append(sees, 0)
	}
	c.sees = sees
	var with *class
	blind := false
	for _, st := range s.seats {
		if st.class != c {
			continue
		}
		if !receives(s.labels, st.viewer, access.Zone, s.pairs[n]) {
			blind = true
			continue
		}
		if with == nil {
			twin := *c
			with = &twin
			with.sees = bitset(slices.Clone(sees)).with(n)
		}
		st.class = with
	}
	switch {
	case with != nil && blind:
		s.classes, s.seating = append(s.classes, with), nil
		if s.flood != nil {
			s.flood[with] = s.flood[c]
		}
	case with != nil:
		*c = *with
		for _, st := range s.seats {
			if st.class == with {
				st.class = c
			}
		}
	}
}

// remask computes, for each pair, the classes that see it.
func (s *selection) remask() {
	s.words = (len(s.classes) + 63) / 64
	s.masks = make([]uint64, len(s.pairs)*s.words)
	for i, c := range s.classes {
		for p := range s.pairs {
			if c.sees.has(uint32(p)) {
				s.masks[p*s.words+i/64] |= 1 << (i % 64)
			}
		}
	}
	for i := range s.before {
		s.before[i], s.after[i] = make([]uint64, s.words), make([]uint64, s.words)
	}
}

// visible computes the classes that see a name with these combos, by trigger.
func (s *selection) visible(combos []byte, to *[2][]uint64) (held Trigger) {
	clear(to[0])
	clear(to[1])
	for c := range eachCombo(combos) {
		held |= c.trigger()
		mask := s.masks[int(c.pair())*s.words:][:s.words]
		for i, t := range triggers {
			if c.trigger()&t != 0 {
				for w, m := range mask {
					to[i][w] |= m
				}
			}
		}
	}
	return held
}

// reseat gives subscribers the class that they belong to after line n: those
// named, or everyone.
func (s *selection) reseat(n tocsin.Seq, w *world, who ...int64) {
	if owners := w.groups(s.rec.Org); !slices.Equal(owners, s.owners) {
		s.owners, s.dirty = owners, true // lists are read through the owner, too
	}
	if len(who) == 0 {
		who = slices.Collect(maps.Keys(w.Subs))
		for id := range s.seats {
			if _, ok := w.Subs[id]; !ok {
				who = append(who, id)
			}
		}
		slices.Sort(who)
	}
	var fresh []*class
	moved := false
	groups := map[int64][]int64{}
	for _, id := range who {
		sub := w.Subs[id]
		if !slices.Contains(sub.Collections, s.rec.ID) {
			moved = moved || s.seats[id] != nil
			delete(s.seats, id)
			continue
		}
		if _, ok := groups[sub.Org]; !ok {
			groups[sub.Org] = w.groups(sub.Org)
		}
		if c, now := s.seat(n, id, sub, groups[sub.Org]); now {
			moved = true
			if c != nil {
				fresh = append(fresh, c)
			}
		}
	}
	if !moved {
		return
	}
	s.dirty, s.seating = true, nil
	sat := map[*class]bool{}
	for _, st := range s.seats {
		sat[st.class] = true
	}
	s.classes = slices.DeleteFunc(s.classes, func(c *class) bool { return !sat[c] })
	s.remask()
	s.count(fresh)
}

// seat gives one subscriber its seat, and reports whether that is another than
// before and which class it founded, if any.
func (s *selection) seat(n tocsin.Seq, id int64, sub subscriber, groups []int64) (founded *class, moved bool) {
	v, st := s.subscriber(sub.Name, sub.Org, groups), s.seats[id]
	content := st != nil && st.wish.is(sub.Action, sub.Exclude, &s.rec)
	if content && st.viewer.Sight() == v.Sight() {
		return nil, false
	}
	sees := s.sight(v, access.Zone)
	if content && sees.equal(st.class.sees) {
		st.name, st.org, st.groups, st.viewer = sub.Name, sub.Org, groups, v
		return nil, true
	}
	st = &seat{sub.Name, sub.Org, groups, v, newWish(sub.Action, sub.Exclude), n, nil}
	s.seats[id] = st
	if i := slices.IndexFunc(s.classes, func(c *class) bool { return c.sees.equal(sees) }); i >= 0 {
		st.class = s.classes[i]
		return nil, true
	}
	st.class = &class{sees: sees, last: every(n)}
	s.classes = append(s.classes, st.class)
	return st.class, true
}

// count counts the names of classes that have no count yet.
func (s *selection) count(classes []*class) {
	if len(classes) == 0 {
		return
	}
	those := make([]uint64, s.words)
	for i, c := range s.classes {
		if slices.Contains(classes, c) {
			those[i/64] |= 1 << (i % 64)
			c.len = [zones]int{}
		}
	}
	add := func(z zone, n int, by func(w int) uint64) {
		for w := range those {
			for m := by(w) & those[w]; m != 0; m &= m - 1 {
				s.classes[w*64+bits.TrailingZeros64(m)].len[z] += n
			}
		}
	}
	vis := &s.after
	s.names.all(func(key, v []byte) bool {
		s.visible(comboBytes(v), vis)
		either := func(w int) uint64 { return vis[0][w] | vis[1][w] }
		add(ns, 1, either)
		if isPrefix(key) {
			add(ip, 1, either)
			return true
		}
		add(both, 1, either)
		add(base, 1, either)
		return true
	})
	s.fresh.all(func(name, v []byte) bool {
		f := readFreshness(v)
		holders, _ := s.names.get(name)
		s.visible(comboBytes(holders), vis)
		in := func(z zone) func(w int) uint64 {
			return func(w int) (m uint64) {
				for i := range triggers {
					if f.inZone(i, z) {
						m |= vis[i][w]
					}
				}
				return m
			}
		}
		add(hot, 1, in(hot))
		add(base, 1, in(base))
		add(base, -1, in(both))
		return true
	})
}
