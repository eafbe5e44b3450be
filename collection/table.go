package collection

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unsafe"

	"tocsin/indicator"
)

// A table maps short byte strings to short byte strings. It is made for ten
// million names: entries lie packed in buckets without pointers, so an entry
// costs a few octets over its own, and the garbage collector sees one object for
// some hundred of them.
//
// It is an extendible hash table. The directory is a row of pages of slots; a
// slot belongs to one prefix of the key's hash; a bucket serves all slots that
// begin with its own, shorter prefix, and is split when it is full. The hash has
// a secret seed, because the keys are chosen by strangers.
//
// [table.snapshot] is an immutable copy that costs one copy of the row of pages.
// Afterwards the table copies each page and bucket that it changes, once.
// One goroutine writes; any number may read snapshots.
type table struct {
	hasher indicator.Hasher
	epoch  uint64 // what carries this number is the table's own to change
	depth  uint8  // there are 1<<depth slots
	own    bool   // pages is not shared with a snapshot
	pages  []*page
	count  int // entries
	bytes  int // octets of all entries
}

type page struct {
	epoch uint64
	slots [pageSlots]*bucket
}

// A bucket holds entries, each a key's length and a value's length as varints,
// the key and the value.
type bucket struct {
	epoch uint64
	depth uint8 // how many bits of the hash all its keys share
	data  []byte
}

const (
	pageBits   = 8
	pageSlots  = 1 << pageBits
	bucketSize = 4096 // a bucket larger than this is split
	maxDepth   = 32
)

func newTable(h indicator.Hasher) *table {
	return &table{hasher: h, epoch: 1, depth: pageBits, own: true, pages: []*page{{epoch: 1}}}
}

// snapshot returns an immutable copy.
func (t *table) snapshot() *table {
	c := *t
	t.epoch++
	t.own = false
	return &c
}

// restore puts the table back to a snapshot of it.
func (t *table) restore(s *table) {
	epoch := t.epoch
	*t = *s
	t.epoch, t.own = epoch+1, false
}

// hash takes key as a string without copying it: Sum does not keep it.
func (t *table) hash(key []byte) uint64 {
	return t.hasher.Sum(indicator.Key(unsafe.String(unsafe.SliceData(key), len(key))))
}

// slot returns the bucket that key belongs in, or nil.
func (t *table) slot(h uint64) *bucket {
	i := h >> (64 - t.depth)
	return t.pages[i>>pageBits].slots[i%pageSlots]
}

// get returns the value of key. It belongs to the table and is good until the
// next change.
func (t *table) get(key []byte) ([]byte, bool) {
	if t.count == 0 {
		return nil, false
	}
	b := t.slot(t.hash(key))
	if b == nil {
		return nil, false
	}
	_, value, _, ok := find(b.data, key)
	return value, ok
}

// readEntry splits the entry at the front of data.
func readEntry(data []byte) (key, value []byte, size int) {
	k, v, n := uint64(data[0]), uint64(data[1]), 2
	if k|v >= 0x80 {
		var w int
		k, n = binary.Uvarint(data)
		v, w = binary.Uvarint(data[n:])
		n += w
	}
	end := n + int(k)
	return data[n:end], data[end : end+int(v)], end + int(v)
}

// find returns the offset of key's entry in data, its value and its size.
func find(data, key []byte) (at int, value []byte, size int, ok bool) {
	for at < len(data) {
		k, v, size := readEntry(data[at:])
		if len(k) == len(key) && bytes.Equal(k, key) {
			return at, v, size, true
		}
		at += size
	}
	return 0, nil, 0, false
}

// set gives key a value.
func (t *table) set(key, value []byte) {
	h := t.hash(key)
	b := t.bucket(h)
	if at, old, size, ok := find(b.data, key); ok {
		if len(old) == len(value) {
			copy(old, value)
			return
		}
		b.data = slices.Delete(b.data, at, at+size)
		t.count--
		t.bytes -= size
	}
	before := len(b.data)
	need := before + len(key) + len(value) + 2*binary.MaxVarintLen32
	if cap(b.data) < need {
		// A little room to grow in; append would double it.
		b.data = append(slices.Grow([]byte(nil), need+need/16), b.data...)
	}
	b.data = binary.AppendUvarint(b.data, uint64(len(key)))
	b.data = binary.AppendUvarint(b.data, uint64(len(value)))
	b.data = append(b.data, key...)
	b.data = append(b.data, value...)
	t.count++
	t.bytes += len(b.data) - before
	for len(b.data) > bucketSize && before > 0 && b.depth < maxDepth {
		t.split(h, b)
		b = t.bucket(h)
		before = 0 // once: keys that share more bits than this are not worth a directory
	}
}

// delete takes key out and reports whether it was in.
func (t *table) delete(key []byte) bool {
	if _, ok := t.get(key); !ok {
		return false
	}
	b := t.bucket(t.hash(key))
	at, _, size, _ := find(b.data, key)
	b.data = slices.Delete(b.data, at, at+size)
	t.count--
	t.bytes -= size
	return true
}

// bucket returns the bucket for hash h, there and ready to be changed.
func (t *table) bucket(h uint64) *bucket {
	i := h >> (64 - t.depth)
	b := t.pages[i>>pageBits].slots[i%pageSlots]
	switch {
	case b == nil:
		b = &bucket{epoch: t.epoch, depth: t.depth}
	case b.epoch != t.epoch:
		b = &bucket{epoch: t.epoch, depth: b.depth, data: append(slices.Grow([]byte(nil), len(b.data)+64), b.data...)}
	default:
		return b
	}
	t.place(h, b)
	return b
}

// place puts b into all slots of its prefix of h.
func (t *table) place(h uint64, b *bucket) {
	from, n := t.span(h, b.depth)
	for i := from; i < from+n; i++ {
		t.page(i >> pageBits).slots[i%pageSlots] = b
	}
}

// span returns the slots that share depth bits with h.
func (t *table) span(h uint64, depth uint8) (from, n uint64) {
	n = 1 << (t.depth - depth)
	return h >> (64 - t.depth) &^ (n - 1), n
}

// page returns page i, ready to be changed.
func (t *table) page(i uint64) *page {
	if !t.own {
		t.pages, t.own = slices.Clone(t.pages), true
	}
	p := t.pages[i]
	if p.epoch != t.epoch {
		c := *p
		c.epoch = t.epoch
		p = &c
		t.pages[i] = p
	}
	return p
}

// split divides bucket b, where hash h lies, by one more bit.
func (t *table) split(h uint64, b *bucket) {
	if b.depth == t.depth {
		t.double()
	}
	bit := uint64(1) << (63 - b.depth)
	var halves [2][]byte
	for data := b.data; len(data) > 0; {
		key, _, size := readEntry(data)
		i := 0
		if t.hash(key)&bit != 0 {
			i = 1
		}
		if halves[i] == nil {
			halves[i] = slices.Grow([]byte(nil), len(b.data)*5/8)
		}
		halves[i] = append(halves[i], data[:size]...)
		data = data[size:]
	}
	for i, data := range halves {
		half := &bucket{epoch: t.epoch, depth: b.depth + 1, data: data}
		if i == 0 {
			t.place(h&^bit, half)
		} else {
			t.place(h|bit, half)
		}
	}
}

// double gives each slot a twin.
func (t *table) double() {
	pages := make([]*page, 0, 2*len(t.pages))
	for _, p := range t.pages {
		for half := range 2 {
			c := &page{epoch: t.epoch}
			for i := range c.slots {
				c.slots[i] = p.slots[half*pageSlots/2+i/2]
			}
			pages = append(pages, c)
		}
	}
	t.pages, t.own = pages, true
	t.depth++
}

// all calls yield for each entry, in no particular order, until it returns
// false. The table must not change meanwhile: iterate over a snapshot.
func (t *table) all(yield func(key, value []byte) bool) {
	t.buckets(func(b *bucket) bool {
		for data := b.data; len(data) > 0; {
			key, value, size := readEntry(data)
			if !yield(key, value) {
				return false
			}
			data = data[size:]
		}
		return true
	})
}

// buckets calls yield for each bucket in order of hash.
func (t *table) buckets(yield func(*bucket) bool) {
	var last *bucket
	for _, p := range t.pages {
		for _, b := range p.slots {
			if b == nil || b == last {
				continue
			}
			if last = b; !yield(b) {
				return
			}
		}
	}
}
