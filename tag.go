package tocsin

import (
	"encoding/binary"
	"iter"
	"slices"
)

// A Tag is a word that can be attached to events and attributes. TLP and PAP
// come and go as tags (see access.Marking).
type Tag struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Colour     string `json:"colour"`
	Exportable bool   `json:"exportable"`
	Hidden     bool   `json:"hidden,omitempty"`
	Org        int64  `json:"org,omitempty"`  // may be attached by this organisation only
	User       int64  `json:"user,omitempty"` // may be attached by this user only
	LocalOnly  bool   `json:"local_only,omitempty"`
	Numeric    *int64 `json:"numeric,omitempty"` // how much it says on its taxonomy's scale (MISP's numerical_value)
	Coined     int64  `json:"coined,omitempty"`  // by this organisation, on a record of its own; 0: made for everyone
}

// An Attached tag is a tag on a record. A local one is this instance's own
// remark and is never handed on.
type Attached struct {
	Tag   int64
	Local bool
}

// A TagSet is the tags of one record, as a value: equal sets are equal strings,
// so a store can intern them as one small number. The zero TagSet is empty.
type TagSet string

// NewTagSet returns the set of as. A tag attached both ways counts as not local.
func NewTagSet(as ...Attached) TagSet {
	as = slices.Clone(as)
	slices.SortFunc(as, func(a, b Attached) int {
		if a.Tag != b.Tag {
			return int(a.Tag - b.Tag)
		}
		return btoi(a.Local) - btoi(b.Local)
	})
	as = slices.CompactFunc(as, func(a, b Attached) bool { return a.Tag == b.Tag })
	var b []byte
	for _, a := range as {
		b = binary.AppendUvarint(b, uint64(a.Tag)<<1|uint64(btoi(a.Local)))
	}
	return TagSet(b)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// All iterates over the set in order of tag id.
func (s TagSet) All() iter.Seq[Attached] {
	return func(yield func(Attached) bool) {
		for b := []byte(s); len(b) > 0; {
			n, w := binary.Uvarint(b)
			if w <= 0 {
				return
			}
			b = b[w:]
			if !yield(Attached{Tag: int64(n >> 1), Local: n&1 == 1}) {
				return
			}
		}
	}
}

// Has reports whether tag is in the set, local or not.
func (s TagSet) Has(tag int64) bool {
	for a := range s.All() {
		if a.Tag == tag {
			return true
		}
	}
	return false
}

// With returns the set with a added; an attachment of the same tag is replaced.
func (s TagSet) With(a Attached) TagSet {
	return NewTagSet(append(slices.Collect(s.Without(a.Tag).All()), a)...)
}

// Without returns the set with tag removed.
func (s TagSet) Without(tag int64) TagSet {
	return NewTagSet(slices.DeleteFunc(slices.Collect(s.All()), func(a Attached) bool { return a.Tag == tag })...)
}
