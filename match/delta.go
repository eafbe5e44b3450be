package match

import (
	"cmp"
	"math/bits"
	"slices"
	"sync/atomic"
)

// A delta is what is not in a file yet: a list of entries that only grows, with
// a hash table over it. A later entry of the same key and attribute replaces an
// earlier one.
//
// One goroutine adds while others look up. A reader knows how many entries
// belong to his snapshot and steps over those that came later, so he needs no
// lock and sees no half of a batch. When the list is full, a larger copy takes
// its place and readers keep theirs.
type delta struct {
	entries []entry  // the first n are in use
	next    []uint32 // next[i]: the entry before i in its chain, plus 1
	heads   []uint32 // by the key's top bits: the newest entry, plus 1
	shift   uint     // what leaves those bits of a key
	n       int      // for the writer; a reader has the number from its snapshot
}

const minDelta = 1 << 10

// newDelta returns an empty delta with room for n entries.
func newDelta(n int) *delta {
	width := bits.Len(uint(max(n, minDelta) - 1))
	n = 1 << width
	return &delta{
		entries: make([]entry, n),
		next:    make([]uint32, n),
		heads:   make([]uint32, n),
		shift:   64 - uint(width),
	}
}

// add returns d with e added, as append does.
func (d *delta) add(e entry) *delta {
	if d.n == len(d.entries) {
		larger := newDelta(2 * d.n)
		for _, e := range d.entries {
			larger.add(e)
		}
		d = larger
	}
	head := &d.heads[e.key>>d.shift]
	d.entries[d.n] = e
	d.next[d.n] = *head
	d.n++
	// Last, so that who follows the chain finds the entry written.
	atomic.StoreUint32(head, uint32(d.n))
	return d
}

// has reports whether anything may be filed under key.
func (d *delta) has(key uint64) bool { return atomic.LoadUint32(&d.heads[key>>d.shift]) != 0 }

// find returns the latest version, among the first n entries, of what is filed
// under key, in order of attribute, as a segment would.
func (d *delta) find(key uint64, n int) []byte {
	var room [8]entry
	found := room[:0]
	for at := atomic.LoadUint32(&d.heads[key>>d.shift]); at != 0; at = d.next[at-1] {
		if int(at) <= n && d.entries[at-1].key == key {
			found = append(found, d.entries[at-1])
		}
	}
	if len(found) == 0 {
		return nil
	}
	// The chain leads from new to old, and the sort keeps that order within an
	// attribute, so the first one of each is the one that holds.
	slices.SortStableFunc(found, func(a, b entry) int { return cmp.Compare(a.attribute(), b.attribute()) })
	var list []byte
	for i, e := range found {
		if i == 0 || e.attribute() != found[i-1].attribute() {
			list = e.append(list)
		}
	}
	return list
}

// sorted returns the latest version of every entry, in order.
func (d *delta) sorted() []entry {
	type aged struct {
		entry
		at int
	}
	all := make([]aged, d.n)
	for i := range all {
		all[i] = aged{d.entries[i], i}
	}
	slices.SortFunc(all, func(a, b aged) int {
		if c := order(a.entry, b.entry); c != 0 {
			return c
		}
		return b.at - a.at
	})
	out := make([]entry, 0, d.n)
	for _, a := range all {
		if len(out) == 0 || order(out[len(out)-1], a.entry) != 0 {
			out = append(out, a.entry)
		}
	}
	return out
}
