package collection

import (
	"encoding/binary"
	"slices"

	"tocsin/access"
)

// The value of a name in the table of a collection says who holds it: each
// holder is an attribute, with its labels and its triggers.
//
//	varint  number of combos, twice; odd for a crowd
//	varint  combo …
//	varint  what belongs to that combo …: the holder's attribute, or in a crowd
//	        how many holders have that combo
//
// A name that many attributes hold would be copied at each change, so the
// holders of a crowd are entries of a table of their own, by name and attribute.

// A combo is a pair of labels and the triggers of a claim that carries them.
type combo uint32

func comboOf(pair uint32, t Trigger) combo { return combo(pair<<2) | combo(t) }
func (c combo) pair() uint32               { return uint32(c >> 2) }
func (c combo) trigger() Trigger           { return Trigger(c & 3) }

// A pair is the two labels that a claim needs to pass: its own and its event's.
type pair struct{ Claim, Event access.LabelID }

// A holder is an attribute that holds a name, or in a crowd the number of them.
type holder struct {
	combo combo
	id    int64
}

const maxInline = 8 // holders; beyond, it is a crowd

func readHolders(v []byte, hs []holder) (_ []holder, crowd bool) {
	n, w := binary.Uvarint(v)
	v = v[w:]
	crowd, n = n&1 == 1, n>>1
	for range n {
		c, w := binary.Uvarint(v)
		v = v[w:]
		hs = append(hs, holder{combo: combo(c)})
	}
	for i := range hs {
		id, w := binary.Uvarint(v)
		v = v[w:]
		hs[i].id = int64(id)
	}
	return hs, crowd
}

func appendHolders(v []byte, hs []holder, crowd bool) []byte {
	n := uint64(len(hs)) << 1
	if crowd {
		n |= 1
	}
	v = binary.AppendUvarint(v, n)
	for _, h := range hs {
		v = binary.AppendUvarint(v, uint64(h.combo))
	}
	for _, h := range hs {
		v = binary.AppendUvarint(v, uint64(h.id))
	}
	return v
}

// combos returns the part of a name's value that says who may see it.
func combos(v []byte) (n int, list []byte) {
	c, w := binary.Uvarint(v)
	return int(c >> 1), v[w:]
}

// holders is the table of a collection: which attributes hold which names.
type holders struct {
	names *table // name → holders
	crowd *table // name, attribute → combo

	hs  []holder // scratch
	buf []byte
}

// hold makes attribute id a holder of name with combo c, and no longer with
// another. Combo 0 takes it out. It is the same done once or twice. It reports
// whether anything changed and returns the name's combos before and after,
// which are good until the next call.
func (t *holders) hold(name []byte, id int64, c combo, old []byte) (before, after []byte, changed bool) {
	v, ok := t.names.get(name)
	if !ok && c == 0 {
		return nil, nil, false
	}
	before = old[:0]
	var crowd bool
	t.hs = t.hs[:0]
	if ok {
		before = append(before, comboBytes(v)...)
		t.hs, crowd = readHolders(v, t.hs)
	}
	if crowd {
		changed, crowd = t.join(name, id, c)
	} else {
		changed, crowd = t.inline(name, id, c)
	}
	if !changed {
		return nil, nil, false
	}
	if len(t.hs) == 0 {
		t.names.delete(name)
		return before, nil, true
	}
	t.buf = appendHolders(t.buf[:0], t.hs, crowd)
	t.names.set(name, t.buf)
	return before, comboBytes(t.buf), true
}

// comboBytes returns the combos of a name's value, as varints.
func comboBytes(v []byte) []byte {
	n, list := combos(v)
	end := 0
	for range n {
		_, w := binary.Uvarint(list[end:])
		end += w
	}
	return list[:end]
}

// inline changes t.hs, the holders of a name that few hold.
func (t *holders) inline(name []byte, id int64, c combo) (changed, crowd bool) {
	i := slices.IndexFunc(t.hs, func(h holder) bool { return h.id == id })
	switch {
	case i < 0 && c == 0, i >= 0 && t.hs[i].combo == c:
		return false, false
	case c == 0:
		t.hs = slices.Delete(t.hs, i, i+1)
	case i >= 0:
		t.hs[i].combo = c
	default:
		t.hs = append(t.hs, holder{c, id})
	}
	if len(t.hs) <= maxInline {
		return true, false
	}
	members := t.hs
	t.hs = nil
	for _, h := range members {
		t.join(name, h.id, h.combo)
	}
	return true, true
}

// join changes t.hs, the combos of a crowd, and the crowd. A crowd that shrinks
// remains one until nobody is left.
func (t *holders) join(name []byte, id int64, c combo) (changed, crowd bool) {
	key := binary.AppendUvarint(slices.Clone(name), uint64(id))
	var was combo
	if v, ok := t.crowd.get(key); ok {
		n, _ := binary.Uvarint(v)
		was = combo(n)
	}
	if was == c {
		return false, true
	}
	if was != 0 {
		i := slices.IndexFunc(t.hs, func(h holder) bool { return h.combo == was })
		if t.hs[i].id--; t.hs[i].id == 0 {
			t.hs = slices.Delete(t.hs, i, i+1)
		}
	}
	if c == 0 {
		t.crowd.delete(key)
		return true, true
	}
	t.crowd.set(key, binary.AppendUvarint(nil, uint64(c)))
	if i := slices.IndexFunc(t.hs, func(h holder) bool { return h.combo == c }); i >= 0 {
		t.hs[i].id++
	} else {
		t.hs = append(t.hs, holder{c, 1})
	}
	return true, true
}
