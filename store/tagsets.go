package store

import (
	"slices"
	"sync"

	"tocsin"
)

// TagSets interns sets of tags, as access.Labels does labels. A million
// attributes carry a few hundred different sets between them, so a set is kept
// as a number and a filter by tag is a filter by numbers. Sets are held, kept and
// dropped as labels are.
type TagSets struct {
	mu      sync.RWMutex
	list    []tocsin.TagSet // list[id]; list[0] is empty
	ids     map[tocsin.TagSet]uint32
	kept    uint32 // while holding: the last one that stays
	holding bool
}

func newTagSets(list []tocsin.TagSet) *TagSets {
	ts := &TagSets{list: make([]tocsin.TagSet, 1, len(list)+1), ids: map[tocsin.TagSet]uint32{"": 0}}
	for _, s := range list {
		ts.ID(s)
	}
	return ts
}

// ID returns the number of s, which it hands out if s is new. That is for writers;
// whoever reads asks [TagSets.Find].
func (ts *TagSets) ID(s tocsin.TagSet) uint32 {
	ts.mu.RLock()
	id, ok := ts.ids[s]
	ts.mu.RUnlock()
	if ok {
		return id
	}
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if id, ok := ts.ids[s]; ok {
		return id
	}
	id = uint32(len(ts.list))
	ts.list = append(ts.list, s)
	ts.ids[s] = id
	return id
}

// Set returns the set with that number.
func (ts *TagSets) Set(id uint32) tocsin.TagSet {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	if int(id) >= len(ts.list) {
		return ""
	}
	return ts.list[id]
}

// Find returns the number of s if records that were written may have it.
func (ts *TagSets) Find(s tocsin.TagSet) (uint32, bool) {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	id, ok := ts.ids[s]
	return id, ok && id <= ts.top()
}

// top is the highest number that will not be dropped; the caller holds the lock.
func (ts *TagSets) top() uint32 {
	if ts.holding {
		return ts.kept
	}
	return uint32(len(ts.list) - 1)
}

// After returns the sets whose numbers are greater than id.
func (ts *TagSets) After(id uint32) []tocsin.TagSet {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return slices.Clone(ts.list[id+1:])
}

// Kept returns the highest number that will not be dropped.
func (ts *TagSets) Kept() uint32 {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.top()
}

// Hold has sets that are handed out from now on wait for Keep or Drop.
func (ts *TagSets) Hold() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.kept, ts.holding = uint32(len(ts.list)-1), true
}

// Keep makes what was handed out since Hold stay.
func (ts *TagSets) Keep() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.holding = false
}

// Drop takes back what was handed out since Hold.
func (ts *TagSets) Drop() {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.drop()
	ts.holding = false
}

func (ts *TagSets) drop() {
	if !ts.holding {
		return
	}
	for _, s := range ts.list[ts.kept+1:] {
		delete(ts.ids, s)
	}
	ts.list = ts.list[:ts.kept+1]
}

// Adopt takes over the sets after id that another node has handed out.
func (ts *TagSets) Adopt(after uint32, list []tocsin.TagSet) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	known := ts.top()
	if after > known || after+uint32(len(list)) <= known {
		return
	}
	ts.drop()
	for _, s := range list[known-after:] {
		ts.ids[s] = uint32(len(ts.list))
		ts.list = append(ts.list, s)
	}
	ts.kept = uint32(len(ts.list) - 1)
}

// Matching returns the sets for which keep reports true, never nil.
func (ts *TagSets) Matching(keep func(tocsin.TagSet) bool) []tocsin.TagSet {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	out := []tocsin.TagSet{}
	for _, s := range ts.list[:ts.top()+1] {
		if keep(s) {
			out = append(out, s)
		}
	}
	return out
}
