package main

import (
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin"
	"tocsin/collection"
	"tocsin/rpz"
	"tocsin/store"
)

// receivers know of each subscriber and zone whether it has what is meant for
// it, and since when it has not. They start anew with the process: who is behind
// is behind since then.
type receivers struct {
	db  *store.DB
	now func() time.Time

	mu sync.Mutex
	at map[heldKey]*receiver
}

// A receiver is one subscriber of one zone.
type receiver struct {
	Subscriber string
	Origin     string
	Meant      uint32    // the zone's serial
	Held       uint32    // what it was last known to hold
	HeldAt     time.Time // zero: it has not asked
	Behind     time.Time // since when there is something that it does not hold; zero: there is nothing
	Broken     int       // transfers that broke off since the last that did not
	Fault      string    // of the last of them
}

func newReceivers(db *store.DB) *receivers {
	return &receivers{db: db, now: time.Now, at: map[heldKey]*receiver{}}
}

func (rs *receivers) of(subscriber, origin string) *receiver {
	k := heldKey{subscriber, canonical(origin)}
	r := rs.at[k]
	if r == nil {
		r = &receiver{Subscriber: subscriber, Origin: k.origin}
		rs.at[k] = r
	}
	return r
}

// moved is told when a zone has another serial for some.
func (rs *receivers) moved(m collection.Moved) {
	view := rs.db.As(registrar)
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, id := range m.Subscribers {
		s, err := store.One[*tocsin.Subscriber](view, id)
		if err != nil {
			continue
		}
		r := rs.of(s.Name, m.Origin)
		r.Meant = m.Serial
		r.settle(rs.now())
	}
}

// served is told of each transfer.
func (rs *receivers) served(h rpz.Handover) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.of(h.Subscriber.Name, h.Origin)
	switch {
	case h.Err != nil:
		r.Broken, r.Fault = r.Broken+1, h.Err.Error()
		if h.Told {
			r.Held, r.HeldAt = h.Held, rs.now()
		}
	default:
		r.Broken, r.Fault = 0, ""
		r.Held, r.HeldAt = h.Serial, rs.now()
		if int32(h.Serial-r.Meant) > 0 {
			r.Meant = h.Serial
		}
	}
	r.settle(rs.now())
}

// settle keeps since when the receiver is behind (RFC 1982, 3.2).
func (r *receiver) settle(now time.Time) {
	switch {
	case !r.HeldAt.IsZero() && int32(r.Meant-r.Held) <= 0:
		r.Behind = time.Time{}
	case r.Behind.IsZero():
		r.Behind = now
	}
}

// all returns how all stand whom the exchange still has, in order.
func (rs *receivers) all() (all []receiver) {
	view := rs.db.As(registrar)
	zones := map[heldKey]bool{}
	for s := range view.Subscribers() {
		c, err := store.One[*tocsin.Collection](view, s.Collection)
		if err != nil {
			continue
		}
		for _, origin := range []string{c.Zone, c.HotZone} {
			if origin != "" {
				zones[heldKey{s.Name, canonical(origin)}] = true
			}
		}
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for k, r := range rs.at {
		if zones[k] {
			all = append(all, *r)
		} else {
			delete(rs.at, k)
		}
	}
	slices.SortFunc(all, func(a, b receiver) int {
		return strings.Compare(a.Subscriber+"\x00"+a.Origin, b.Subscriber+"\x00"+b.Origin)
	})
	return all
}
