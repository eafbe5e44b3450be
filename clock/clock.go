// Package clock is time as a writer. What depends on time depends on a line of
// the log, which the clock writes when the time has come: so every projection
// of the log, on every node and after every restart, comes to the same result.
//
// The clock decides when; what a line means is for others to know.
package clock

import (
	"context"
	"log/slog"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A Hot is how the hot zone of one collection stands.
type Hot struct {
	Collection int64
	Names      int        // in the hot zone
	Unmerged   tocsin.Seq // the earliest line that brought a name which is not in the base zone yet, 0: none
	Oldest     tocsin.Seq // the earliest line that brought a name which is still in the hot zone, 0: none
	MergedUpTo tocsin.Seq
	Confirmed  bool // every subscriber holds the base zone as of the last merge
}

// A Clock does what falls due. Its fields are set before it runs.
type Clock struct {
	DB   *store.DB
	Hot  func() []Hot // nil: nobody has hot zones
	Log  *slog.Logger
	Tick time.Duration // how often it looks; one second if zero

	// Wait is how long a name is in the hot zone before it is merged into the base
	// zone, and how long it then stays in both at most; ten minutes if zero.
	Wait time.Duration

	waiting  map[int64]wait
	retained time.Time // when it last looked for what is to be deleted
}

// A wait is since when something of a collection has been waiting.
type wait struct {
	line  tocsin.Seq // for what
	since time.Time
}

// A hot zone is small because names leave it for the base zone: after a while, or
// when mergeNames are waiting.
const (
	defaultWait = 10 * time.Minute
	mergeNames  = 5_000
)

// Run does what falls due until ctx ends.
func (c *Clock) Run(ctx context.Context) {
	tick := c.Tick
	if tick == 0 {
		tick = time.Second
	}
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := c.Due(ctx); err != nil && ctx.Err() == nil {
				c.Log.Error("clock", "err", err)
			}
		}
	}
}

// lease is how long a node keeps the clock. Of several nodes one has it, and when
// that one has gone, another.
const lease = 10 * time.Second

// Due does what is due now, unless another node does.
func (c *Clock) Due(ctx context.Context) error {
	until, err := c.DB.Lease(ctx, "clock", lease)
	if err != nil || until.IsZero() {
		return err
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := c.advance(ctx); err != nil {
		return err
	}
	if err := c.retain(ctx); err != nil {
		return err
	}
	if c.Hot != nil {
		for _, h := range c.Hot() {
			if err := c.move(ctx, h); err != nil {
				return err
			}
		}
	}
	_, err = c.DB.Purge(ctx)
	return err
}

// advance writes a line when something has fallen due since the last one.
func (c *Clock) advance(ctx context.Context) error {
	now := c.DB.Now().Unix()
	due, err := c.DB.Due(ctx, now)
	if err != nil || !due {
		return err
	}
	// Time shows nothing to anyone: it only ends what is over.
	_, err = c.DB.Apply(ctx, access.System("clock"), func(tx *store.Tx) error { return tx.Advance(now) })
	return err
}

// How often the clock looks for events to be deleted, and how many it deletes in
// one write, so that others need not wait.
const (
	retainEvery = 10 * time.Minute
	retainBatch = 20
)

// retain deletes events that are older than a retention says.
func (c *Clock) retain(ctx context.Context) error {
	now := c.DB.Now()
	if age := now.Sub(c.retained); !c.retained.IsZero() && 0 <= age && age < retainEvery {
		return nil
	}
	// Retention is the rule of the house; who made an event is asked by none of it.
	system := access.System("clock: retention")
	view := c.DB.As(system)
	for r := range view.Retentions() {
		q := store.EventQuery{Until: now.Unix() - r.Days*24*60*60, Limit: retainBatch}
		if len(r.Orgs) > 0 {
			q.Orgs = r.Orgs
		}
		var old []int64
		for e, err := range view.Events(ctx, q) {
			if err != nil {
				return err
			}
			old = append(old, e.ID)
		}
		if len(old) == 0 {
			continue
		}
		c.Log.Info("deleting what is older than it is kept", "retention", r.Name, "events", len(old))
		_, err := c.DB.Apply(ctx, system, func(tx *store.Tx) error {
			for _, id := range old {
				if err := tx.DeleteEvent(id); err != nil && tocsin.CodeOf(err) != tocsin.NotFound {
					return err
				}
			}
			return nil
		})
		if err != nil || len(old) == retainBatch {
			return err // more of it with the next tick
		}
	}
	c.retained = now
	return nil
}

// move merges what is new in a collection into its base zone, and then takes it
// out of the hot zone. Never both in one line: subscribers need time in between
// to fetch the base zone, or a name would be in neither for a while.
func (c *Clock) move(ctx context.Context, h Hot) error {
	switch {
	case h.Oldest != 0 && h.Oldest <= h.MergedUpTo && (h.Confirmed || c.since(h.Collection, h.MergedUpTo) >= c.wait()):
		return c.edit(ctx, h.Collection, func(col *tocsin.Collection) { col.HotDropUpTo = col.MergedUpTo })
	case h.Unmerged != 0 && h.Oldest > h.MergedUpTo && (h.Names >= mergeNames || c.since(h.Collection, h.Unmerged) >= c.wait()):
		head := c.DB.Head()
		return c.edit(ctx, h.Collection, func(col *tocsin.Collection) { col.MergedUpTo = head })
	}
	return nil
}

func (c *Clock) wait() time.Duration {
	if c.Wait > 0 {
		return c.Wait
	}
	return defaultWait
}

// since returns how long the clock has seen a collection wait for the same
// thing. After a restart it counts from there: nothing happens too early.
func (c *Clock) since(collection int64, line tocsin.Seq) time.Duration {
	now := c.DB.Now()
	w, ok := c.waiting[collection]
	if !ok || w.line != line || w.since.After(now) { // or the clock was put back
		if c.waiting == nil {
			c.waiting = map[int64]wait{}
		}
		w = wait{line, now}
		c.waiting[collection] = w
	}
	return now.Sub(w.since)
}

func (c *Clock) edit(ctx context.Context, collection int64, change func(*tocsin.Collection)) error {
	// The exchange's own housekeeping: it moves names between two zones of the
	// same audience and shows nothing to anyone.
	_, err := c.DB.Apply(ctx, access.System("clock"), func(tx *store.Tx) error {
		col, err := store.Get[*tocsin.Collection](tx, collection)
		if err != nil {
			return err
		}
		col = new(*col)
		change(col)
		return store.Put(tx, col)
	})
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return nil // removed meanwhile
	}
	return err
}
