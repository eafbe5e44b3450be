package store

import (
	"sync"

	"tocsin"
)

// TagSets interns sets of tags, as access.Labels does labels. A million
// attributes carry a few hundred different sets between them, so a set is kept
// as a number and a filter by tag is a filter by numbers.
type TagSets struct {
	mu   sync.RWMutex
	list []tocsin.TagSet // list[id]; list[0] is empty
	ids  map[tocsin.TagSet]uint32
}

func newTagSets(list []tocsin.TagSet) *TagSets {
	ts := &TagSets{list: make([]tocsin.TagSet, 1, len(list)+1), ids: map[tocsin.TagSet]uint32{"": 0}}
	for _, s := range list {
		ts.ID(s)
	}
	return ts
}

// ID returns the number of s, which it hands out if s is new.
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

// After returns the sets whose numbers are greater than id.
func (ts *TagSets) After(id uint32) []tocsin.TagSet {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.list[id+1:]
}

// Len returns the highest number handed out.
func (ts *TagSets) Len() uint32 {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return uint32(len(ts.list) - 1)
}

// Matching returns the sets for which keep reports true, never nil.
func (ts *TagSets) Matching(keep func(tocsin.TagSet) bool) []tocsin.TagSet {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	out := []tocsin.TagSet{}
	for _, s := range ts.list {
		if keep(s) {
			out = append(out, s)
		}
	}
	return out
}
