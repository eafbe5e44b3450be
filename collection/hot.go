package collection

import (
	"encoding/binary"

	"tocsin"
)

// A large zone is slow to change at many resolvers, a small one is not. A
// collection with a hot zone puts what is new there; a merge takes it to the
// base zone, and a second line takes it out of the hot zone when the base has
// arrived. Withdrawals leave both at once.
//
// The table fresh of a collection holds the names that are in the hot zone. A
// name that is not in it is in the base zone alone, so a merge costs as much as
// is new and not as much as there is.

// A freshness says, by trigger, where a name is.
type freshness [len(triggers)]struct {
	began tocsin.Seq // the line that brought it to the hot zone, 0: not in it
	base  bool       // it is in the base zone too
}

// inZone reports whether zone z has the trigger, provided that anyone claims it.
func (f *freshness) inZone(i int, z zone) bool {
	switch z {
	case base:
		return f[i].began == 0 || f[i].base
	case hot:
		return f[i].began != 0
	}
	return true
}

func readFreshness(v []byte) (f freshness) {
	for i := range f {
		n, w := binary.Uvarint(v)
		if w <= 0 {
			return f
		}
		v = v[w:]
		f[i].began, f[i].base = tocsin.Seq(n>>1), n&1 == 1
	}
	return f
}

func (f *freshness) append(v []byte) []byte {
	for _, t := range f {
		n := uint64(t.began) << 1
		if t.base {
			n |= 1
		}
		v = binary.AppendUvarint(v, n)
	}
	return v
}

// places packs where a name is into four bits.
func (f *freshness) places() (p byte) {
	for i := range f {
		for z := base; z <= hot; z++ {
			if f.inZone(i, z) {
				p |= 1 << (2*i + int(z))
			}
		}
	}
	return p
}

// placed reads those four bits.
func placed(p byte, i int, z zone) bool { return z > hot || p>>(2*i+int(z))&1 == 1 }

// freshness returns where name is.
func (s *selection) freshness(name []byte) freshness {
	v, ok := s.fresh.get(name)
	if !ok {
		return freshness{}
	}
	return readFreshness(v)
}

func (s *selection) setFreshness(name []byte, f freshness) {
	if f == (freshness{}) {
		s.fresh.delete(name)
		return
	}
	s.fresh.set(name, f.append(nil))
}

// A merge says which names move: those that began at or before merged are in
// base, those at or before dropped are no longer in hot. The zero merge moves
// nothing.
type merge struct{ merged, dropped tocsin.Seq }

// everything is the merge that ends a hot zone.
var everything = merge{1<<63 - 1, 1<<63 - 1}

// after returns where a name is after the merge.
func (m merge) after(f freshness) freshness {
	for i := range f {
		t := &f[i]
		t.base = t.began != 0 && (t.base || t.began <= m.merged)
		if t.began <= m.dropped {
			t.began, t.base = 0, false
		}
	}
	return f
}

// mergeOf returns what line n, which leaves the collection as rec, moves. The
// marks never go back, drop never passes merged, and what line n itself adds
// stays hot.
func mergeOf(n tocsin.Seq, rec *tocsin.Collection) merge {
	if rec.HotZone == "" {
		return everything
	}
	m := merge{merged: min(rec.MergedUpTo, n-1)}
	m.dropped = min(rec.HotDropUpTo, m.merged)
	return m
}
