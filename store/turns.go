package store

import (
	"sync"

	"tocsin"
	"tocsin/access"
)

// A collection's line touches every claim, and all zones wait while it is taken
// in. So an organisation changes one after the other, and keeps no more than
// maxCollections: otherwise one member could hold up everybody's withdrawals.

const (
	maxCollections = 100
	heavyFollower  = "collection"
)

// turns is the last collection's line of each organisation.
type turns struct {
	mu   sync.Mutex
	last map[int64]tocsin.Seq
}

// inTurn refuses a collection's change while the last one of its organisation is
// being taken in. The exchange's own administrators know what they do.
func (tx *Tx) inTurn(c *tocsin.Collection) error {
	if tx.v.May(access.SiteAdmin) {
		return nil
	}
	mine := 0
	for r := range tx.docs.all(tocsin.KindCollection) {
		if r.(*tocsin.Collection).Org == c.Org {
			mine++
		}
	}
	if c.ID == 0 && mine >= maxCollections {
		return tocsin.Errorf(tocsin.Invalid, "your organisation has %d collections, and may have no more; subscribers may share one", mine)
	}
	t := &tx.db.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	// A line that is later than this transaction's last one was never written.
	last := t.last[c.Org]
	if place, ok := tx.db.Places()[heavyFollower]; ok && place < last && last <= tx.seq {
		return tocsin.Errorf(tocsin.Busy, "your organisation's last change of a collection is still being taken in; try again in a moment")
	}
	if t.last == nil {
		t.last = map[int64]tocsin.Seq{}
	}
	t.last[c.Org] = tx.next()
	return nil
}
