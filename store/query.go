package store

import (
	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// Scoped is a query together with the viewer who asks. The zero Scoped matches
// nothing. Only this package makes one.
type Scoped[Q any] struct {
	sight   *access.Sight
	all     bool
	witness Witness
	Query   Q
}

// All reports whether nothing is hidden from the viewer. If not, Labels holds
// the only labels that may be read, of an attribute and of its event.
func (s Scoped[Q]) All() bool { return s.all }

// Witness says which sightings the viewer may have. The zero Scoped has none.
func (s Scoped[Q]) Witness() Witness { return s.witness }

// Labels returns the labels that the viewer may read.
func (s Scoped[Q]) Labels() []access.LabelID {
	if s.sight == nil {
		return nil
	}
	return s.sight.IDs()
}

// Deletion says whether withdrawn records are wanted.
type Deletion uint8

const (
	Live Deletion = iota // not withdrawn
	Withdrawn
	Any
)

// A Query narrows a read of attributes. Its zero value asks for everything
// visible that is not withdrawn. A nil slice does not narrow; an empty one that
// is not nil matches nothing.
type Query struct {
	IDs        []int64
	UUIDs      []tocsin.UUID
	Events     []int64
	Objects    []int64
	Keys       []indicator.Key // any of its keys is any of these
	Values     []string        // the text is one of these, in whole or one side of a composite; goes with Keys
	Types      []uint16
	Categories []indicator.Category
	ToIDS      *bool
	Published  *bool
	Judged     bool            // some guard list says something of it
	Guarded    *bool           // kept out of whatever blocks: tocsin.Attribute.Guarded
	Orgs       []int64         // whose event
	Tags       []tocsin.TagSet // the attribute's or its event's set is one of these
	NotTags    []tocsin.TagSet // neither is one of these
	Since      int64           // timestamp, seconds
	Until      int64
	Fresh      []Fresh // of each: an attribute is of none of its types, or was met since
	Deleted    Deletion
	After      int64 // id: for paging
	Order      []Order
	Offset     int64
	Limit      int64        // 0: all
	Parts      tocsin.Parts // what is read of each; the rest of it is left zero
}

// A Fresh is since when attributes of some types have to have been met: what was met
// before has decayed.
type Fresh struct {
	Types []uint16
	Since int64 // seconds
}

// An Order puts attributes in order by a column, and those that are alike in it by
// the next one. Those that are alike in all are in order of id, so that pages of one
// state of the store neither overlap nor leave anything out.
type Order struct {
	By   Trait
	Desc bool
}

// A Trait is what attributes can be put in order or counted by.
type Trait uint8

const (
	TraitID Trait = iota
	TraitUUID
	TraitEvent
	TraitObject // what is in none comes first
	TraitRelation
	TraitCategory // in the order of names
	TraitType     // in the order of names
	TraitValue
	TraitComment
	TraitToIDS
	TraitDistribution
	TraitTimestamp
	TraitFirstSeen // what has none comes first
	TraitLastSeen
	TraitDeleted
	TraitTag // to count by
)

// An EventQuery narrows a read of events, as [Query] does.
type EventQuery struct {
	IDs       []int64
	UUIDs     []tocsin.UUID
	Orgs      []int64
	Extends   []tocsin.UUID // it extends one of these
	Info      string        // contains, without regard to case
	Tags      []tocsin.TagSet
	NotTags   []tocsin.TagSet
	Published *bool
	Since     int64
	Until     int64
	DateFrom  string
	DateTo    string
	Newest    bool // highest id first
	After     int64
	Offset    int64
	Limit     int64
}

// An ObjectQuery narrows a read of objects.
type ObjectQuery struct {
	IDs     []int64
	UUIDs   []tocsin.UUID
	Events  []int64
	Deleted Deletion
}

// A Crowd is attributes that claim the same: one of them, and how many there are.
type Crowd struct{ ID, Count int64 }
