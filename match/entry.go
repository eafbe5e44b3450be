package match

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// An entry files one attribute under one key. It holds no pointer, so millions
// of them cost the garbage collector nothing.
//
//	who:   attribute 40 bits, type 12, category 8, flags 4
//	where: event 32 bits, label 32
type entry struct {
	key        uint64 // hash of the key
	who, where uint64
}

// entrySize is what an entry takes in a file.
const entrySize = 24

// Flags of an entry.
const (
	dropped     = 1 << iota // the attribute is no longer found under the key
	toIDS                   // act on it
	mention                 // the value only mentions what the key says
	noCorrelate             // its owner wants it left out of correlations
)

const (
	typeBits, categoryBits, flagBits = 12, 8, 4
	attributeShift                   = typeBits + categoryBits + flagBits
	typeShift                        = categoryBits + flagBits

	maxAttribute = 1<<40 - 1
	maxEvent     = 1<<32 - 1
	maxType      = 1<<typeBits - 1
)

func (e entry) attribute() uint64     { return e.who >> attributeShift }
func (e entry) event() uint32         { return uint32(e.where >> 32) }
func (e entry) label() access.LabelID { return access.LabelID(uint32(e.where)) }
func (e entry) is(flag uint64) bool   { return e.who&flag != 0 }

// order is by key, then by attribute: the order of a file and of an answer.
func order(a, b entry) int {
	if c := cmp.Compare(a.key, b.key); c != 0 {
		return c
	}
	return cmp.Compare(a.attribute(), b.attribute())
}

func (e entry) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, e.key)
	b = binary.LittleEndian.AppendUint64(b, e.who)
	return binary.LittleEndian.AppendUint64(b, e.where)
}

func entryAt(b []byte) entry {
	_ = b[entrySize-1]
	return entry{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])}
}

// appendEntries appends what attribute a is to be found under: nothing if it is
// nil or deleted.
func (x *Index) appendEntries(dst []entry, a *tocsin.Attribute) ([]entry, error) {
	if a == nil || a.Deleted {
		return dst, nil
	}
	x.keys = a.Value.AppendKeys(x.keys[:0])
	if len(x.keys) == 0 {
		return dst, nil
	}
	e, err := pack(a)
	if err != nil {
		return dst, err
	}
	from := len(dst)
	for _, k := range x.keys {
		e := e
		e.key = x.hasher.Sum(k)
		if isMention(k) {
			e.who |= mention
		}
		if shelved(k) {
			x.filed = append(x.filed, filedKey{e.key, k})
		}
		if !holdsKey(dst[from:], e.key) {
			dst = append(dst, e)
		}
	}
	return dst, nil
}

// pack returns the entry of a without a key.
func pack(a *tocsin.Attribute) (entry, error) {
	typ := a.Value.Type().ID
	if a.ID < 1 || a.ID > maxAttribute || a.Event < 1 || a.Event > maxEvent || typ > maxType {
		return entry{}, fmt.Errorf("attribute %d of event %d, type %d: number out of range", a.ID, a.Event, typ)
	}
	e := entry{
		who:   uint64(a.ID)<<attributeShift | uint64(typ)<<typeShift | uint64(a.Category)<<flagBits,
		where: uint64(a.Event)<<32 | uint64(a.Label),
	}
	if a.ToIDS {
		e.who |= toIDS
	}
	if a.NoCorrelate {
		e.who |= noCorrelate
	}
	return e, nil
}

// isMention reports whether k is a key of something that a value mentions
// rather than names.
func isMention(k indicator.Key) bool { return strings.HasPrefix(string(k), "m:") }

func holdsKey(es []entry, key uint64) bool {
	for _, e := range es {
		if e.key == key {
			return true
		}
	}
	return false
}
