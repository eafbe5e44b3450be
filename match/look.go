package match

import (
	"math"
	"runtime"
	"sync/atomic"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A Claim is one attribute found under a key.
type Claim struct {
	Attribute, Event int64
	Type             uint16 // see indicator.TypeByID
	Category         indicator.Category
	Label            access.LabelID // of the attribute within its object
	EventLabel       access.LabelID // both hold
	ToIDS            bool           // act on it
	Mention          bool           // the value mentions what was asked for and does not name it
	NoCorrelate      bool           // attribute or event is to be left out of correlations
	Published        bool           // the event is
	Orgc             int64          // who created the event
	EventUUID        tocsin.UUID
}

// A Look is the index as one reader may see it after one line of the log: any
// number of questions get answers that fit together. It costs little, takes no
// lock, and holds up nobody; but it holds on to old files, so take a new one
// for each request. The zero Look sees nothing.
//
// A sight for another exit than [access.Read] says which labels may leave. That
// the event is published, which leaving takes as well, is up to who asks: see
// Claim.Published.
type Look struct {
	now    *snapshot
	bits   access.Bits
	hasher indicator.Hasher
	effort *atomic.Int64 // what Related may still spend
}

// Look returns the index as it is now, for whoever has sight s.
func (x *Index) Look(s *access.Sight) Look {
	if s == nil {
		return Look{}
	}
	// The snapshot first: all its labels then have their bit.
	now := x.now.Load()
	effort := new(atomic.Int64)
	effort.Store(maxEffort)
	return Look{now, s.Bits(), x.hasher, effort}
}

// Find appends to dst the claims under k, by attribute.
func (x *Index) Find(s *access.Sight, k indicator.Key, dst []Claim) []Claim {
	return x.Look(s).Find(k, dst)
}

// FindMax is [Look.FindMax] on the index as it is now.
func (x *Index) FindMax(s *access.Sight, k indicator.Key, max int) (claims []Claim, more bool) {
	return x.Look(s).FindMax(k, nil, max)
}

// Count returns how many claims are under k.
func (x *Index) Count(s *access.Sight, k indicator.Key) int { return x.Look(s).Count(k) }

// Seq is the line of the log up to which the answers are complete.
func (l Look) Seq() tocsin.Seq {
	if l.now == nil {
		return 0
	}
	return l.now.seq
}

// Find appends to dst the claims under k, by attribute: the newest is last.
func (l Look) Find(k indicator.Key, dst []Claim) []Claim {
	dst, _ = l.find(l.hasher.Sum(k), dst, math.MaxInt)
	return dst
}

// FindMax appends no more than max claims, the oldest ones, and says whether
// there are more. Some values are claimed so often that nobody wants the list.
func (l Look) FindMax(k indicator.Key, dst []Claim, max int) (claims []Claim, more bool) {
	return l.find(l.hasher.Sum(k), dst, max)
}

// Has reports whether there is any claim under k.
func (l Look) Has(k indicator.Key) bool { return l.count(l.hasher.Sum(k), 1) > 0 }

// Count returns how many claims are under k.
func (l Look) Count(k indicator.Key) int { return l.count(l.hasher.Sum(k), math.MaxInt) }

func (l Look) find(key uint64, dst []Claim, max int) (claims []Claim, more bool) {
	l.each(key, func(e entry, row *eventRow) bool {
		if more = max == 0; more {
			return false
		}
		max--
		dst = append(dst, Claim{
			Attribute:   int64(e.attribute()),
			Event:       int64(e.event()),
			Type:        uint16(e.who >> typeShift & maxType),
			Category:    indicator.Category(e.who >> flagBits),
			Label:       e.label(),
			EventLabel:  row.label,
			ToIDS:       e.is(toIDS),
			Mention:     e.is(mention),
			NoCorrelate: e.is(noCorrelate) || row.flags&rowNoCorrelate != 0,
			Published:   row.flags&rowPublished != 0,
			Orgc:        row.orgc,
			EventUUID:   row.uuid,
		})
		return true
	})
	return dst, more
}

// count stops at max.
func (l Look) count(key uint64, max int) (n int) {
	l.each(key, func(entry, *eventRow) bool {
		n++
		return n < max
	})
	return n
}

// each yields what the reader may see under key. It is the only way in.
func (l Look) each(key uint64, yield func(entry, *eventRow) bool) {
	if l.now == nil {
		return
	}
	var room [8][]byte
	lists := l.now.find(room[:0], key)
	for len(lists) > 0 {
		e := lists.head()
		if e.key != key {
			break
		}
		lists = lists.past(e)
		if e.is(dropped) || !l.bits.Has(e.label()) {
			continue
		}
		row := l.now.events.row(e.event())
		if row.live() && l.bits.Has(row.label) && !yield(e, row) {
			break
		}
	}
	// Or the last segment's mapping might end while its entries are read.
	runtime.KeepAlive(l.now)
}

// find returns the lists that begin with what is filed under key, if anything
// is. Whoever reads them keeps the snapshot alive.
func (s *snapshot) find(lists walk, key uint64) walk {
	if s.delta.has(key) {
		lists = lists.with(s.delta.find(key, s.n))
	}
	for i := len(s.segments) - 1; i >= 0; i-- {
		lists = lists.with(s.segments[i].find(key))
	}
	return lists
}

// claimed reports whether anything is filed under key, whoever may see it.
func (s *snapshot) claimed(key uint64) bool {
	var room [8][]byte
	for lists := s.find(room[:0], key); len(lists) > 0; {
		e := lists.head()
		if e.key != key {
			break
		}
		if !e.is(dropped) && !s.events.gone(e.event()) {
			return true
		}
		lists = lists.past(e)
	}
	return false
}
