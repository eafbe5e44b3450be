package match

import (
	"net/netip"
	"runtime"
	"strings"

	"tocsin/indicator"
)

// A Relation is what one value has to do with another that is not the same.
type Relation uint8

const (
	Contains Relation = iota + 1 // it is a range that contains what was asked for
	Within                       // what was asked for is a range that contains it
	Similar                      // it is the hash of a file that is alike
)

func (r Relation) String() string {
	return [...]string{"none", "contains", "within", "similar"}[min(r, Similar)]
}

// A Relative is a claim of a value that has to do with the one asked for.
type Relative struct {
	Claim
	Key      indicator.Key // what is claimed
	Relation Relation
	Score    int // how similar, up to 100; 0 for other relations
}

// maxEffort is how much one Look may spend on what is related, in records looked
// at: some tenths of a second. A range of sixteen million addresses may contain
// as many, and nobody waits for an event with a thousand of those.
const maxEffort = 1 << 20

// maxWithin is how many values within one range are looked at.
const maxWithin = 1 << 16

// Related appends claims of what is related to k and not k itself: of an
// address, the ranges around it; of a range, those and what it contains; of an
// ssdeep or TLSH hash, those of similar files. It appends no more than max, the nearest
// ranges and the most similar files first, and says whether there may be more:
// also when a question, or all questions to one Look, would cost too much.
//
// Nothing is kept about pairs: a range and what it contains are both filed once,
// and meet when somebody asks.
func (l Look) Related(k indicator.Key, dst []Relative, max int) (relatives []Relative, more bool) {
	if l.now == nil {
		return dst, false
	}
	q := relating{look: l, out: dst, left: max}
	if text, ok := strings.CutPrefix(string(k), "i:"); ok {
		q.ranges(text)
	} else if d, ok := k.Ssdeep(); ok {
		q.similar(l.now.shelves.similar(k, d, q.spend))
	} else if d, ok := k.TLSH(); ok {
		q.similar(l.now.shelves[tlshShelf].alike(d, q.spend))
	}
	runtime.KeepAlive(l.now) // and so the mappings
	return q.out, q.more
}

// A relating is an answer of [Look.Related] on its way.
type relating struct {
	look   Look
	out    []Relative
	claims []Claim
	left   int
	more   bool
}

func (q *relating) ranges(text string) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return
	}
	shelf := q.look.now.shelves[rangeShelf]
	shelf.around(p, func(k indicator.Key) bool { return q.add(k, q.look.hasher.Sum(k), Contains, 0) })
	if q.more {
		return
	}
	looked := 0
	shelf.within(p, func(k indicator.Key) bool {
		if looked++; looked > maxWithin || !q.spend(1) {
			q.more = true
			return false
		}
		return q.add(k, q.look.hasher.Sum(k), Within, 0)
	})
}

// spend reports whether the Look may look at so many records more.
func (q *relating) spend(records int64) bool { return q.look.effort.Add(-records) >= 0 }

func (q *relating) similar(found []likeness, more bool) {
	for _, f := range found {
		if !q.add(f.key, f.sum, Similar, f.score) {
			return
		}
	}
	q.more = more
}

// add appends the claims under k that the reader may see, and reports whether
// there is room for others.
func (q *relating) add(k indicator.Key, sum uint64, r Relation, score int) bool {
	q.claims, q.more = q.look.find(sum, q.claims[:0], q.left)
	for _, c := range q.claims {
		q.out = append(q.out, Relative{Claim: c, Key: k, Relation: r, Score: score})
	}
	q.left -= len(q.claims)
	return !q.more
}
