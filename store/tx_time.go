package store

import (
	"context"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// lifetimes are those in force.
func lifetimes(docs shelfView) (ls tocsin.Lifetimes) {
	for r := range docs.all(tocsin.KindLifetime) {
		ls = append(ls, r.(*tocsin.Lifetime))
	}
	return ls
}

// clock is how far time has come.
func clock(docs shelfView) tocsin.Clock {
	if c, ok := docs.named(tocsin.KindClock, "clock").(*tocsin.Clock); ok {
		return *c
	}
	return tocsin.Clock{}
}

// Lifetimes are those in force now.
func (db *DB) Lifetimes() tocsin.Lifetimes { return lifetimes(db.dir) }

// Due reports whether anything falls due by now, in seconds since 1970.
func (db *DB) Due(ctx context.Context, now int64) (due bool, err error) {
	spans := falling(clock(db.dir).At, now, lifetimes(db.dir))
	if len(spans) == 0 {
		return false, nil
	}
	err = db.engine.Read(ctx, func(r Reader) error {
		turn, err := r.Turn(ctx)
		if err != nil {
			return err
		}
		for _, err := range r.Spans(ctx, turn.Head, spans, tocsin.PartValue) {
			due = err == nil
			return err
		}
		return nil
	})
	return due, err
}

// Advance brings the clock of the log to now, in seconds since 1970: one line,
// however much falls due with it. Time does not go back.
func (tx *Tx) Advance(now int64) error {
	if !tx.v.May(access.SiteAdmin) {
		return errMayNot("turn the clock")
	}
	c := clock(tx.docs)
	if now <= c.At {
		return nil
	}
	c.Due = falling(c.At, now, lifetimes(tx.docs))
	c.At = now
	return Put(tx, &c)
}

// soundLifetime refuses a lifetime that says nothing, or what nobody meant.
func (tx *Tx) soundLifetime(l *tocsin.Lifetime) error {
	for _, n := range l.Types {
		if _, ok := indicator.TypeByName(n); !ok {
			return tocsin.Errorf(tocsin.Invalid, "no such indicator type: %q", n)
		}
	}
	if l.Days < 0 || l.Days > maxDays {
		return tocsin.Errorf(tocsin.Invalid, "a lifetime is 0 (for ever) to %d days, not %d", maxDays, l.Days)
	}
	return tx.known(l.Orgs)
}

// soundRetention refuses one that would delete what is still being written.
func (tx *Tx) soundRetention(r *tocsin.Retention) error {
	if r.Days < 1 || r.Days > maxDays {
		return tocsin.Errorf(tocsin.Invalid, "events are kept for 1 to %d days, not %d; without a rule they are kept for ever", maxDays, r.Days)
	}
	return tx.known(r.Orgs)
}

// maxDays is a hundred years.
const maxDays = 36_525

func (tx *Tx) known(orgs []int64) error {
	for _, id := range orgs {
		if tx.docs.get(tocsin.KindOrganisation, id) == nil {
			return tocsin.Errorf(tocsin.Invalid, "no organisation %d", id)
		}
	}
	return nil
}

// falling is what falls due after one time and up to another.
func falling(after, upTo int64, ls tocsin.Lifetimes) []tocsin.Span {
	if upTo <= after {
		return nil
	}
	spans := []tocsin.Span{{Ends: true, After: after, UpTo: upTo}}
	for _, l := range ls {
		if l.Days == 0 {
			continue
		}
		types := typeIDs(l.Types)
		if types == nil {
			types = allTypes
		}
		lasts := l.Days * 24 * 60 * 60
		spans = append(spans, tocsin.Span{Types: types, After: after - lasts, UpTo: upTo - lasts})
	}
	return spans
}

// allTypes spells "all" out where rows are looked for by type and time.
var allTypes = func() (ids []uint16) {
	for _, t := range indicator.Types() {
		ids = append(ids, t.ID)
	}
	return ids
}()

// refreshAfter is which part of a lifetime a claim has to be old before being
// seen again is written down: a list that comes every day would otherwise
// rewrite each of its claims every day.
const refreshAfter = 10

// seenAgain writes down that claims hold which an event holds already, where
// that makes them hold longer.
func (tx *Tx) seenAgain(e *tocsin.Event, held []tocsin.Attribute) error {
	ls := lifetimes(tx.docs)
	for i := range held {
		old := &held[i]
		lasts := ls.Of(old.Value.TypeName(), e.Orgc)
		if lasts == 0 || tx.now.Unix()-old.Seen < lasts/refreshAfter {
			continue
		}
		a := *old
		a.Seen = tx.now.Unix()
		if err := tx.annotate(old, &a); err != nil {
			return err
		}
	}
	return nil
}

// firstSeen fills in when a new attribute was last seen.
func (tx *Tx) firstSeen(a *tocsin.Attribute) {
	switch {
	case a.Seen != 0:
	case !a.LastSeen.IsZero():
		a.Seen = min(a.LastSeen.Unix(), tx.now.Unix())
	default:
		a.Seen = min(a.Timestamp, tx.now.Unix())
	}
}

// reviewed says when a changed attribute was last seen, given what it was.
func (tx *Tx) reviewed(a, old *tocsin.Attribute) {
	switch {
	case a.Value != old.Value:
		a.Seen, a.Ends = tx.now.Unix(), 0
	case a.LastSeen.After(old.LastSeen):
		a.Seen = max(a.Seen, min(a.LastSeen.Unix(), tx.now.Unix()))
	}
}
