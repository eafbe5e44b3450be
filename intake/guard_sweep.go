package intake

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
	"tocsin/vocab"
)

const (
	// sweepRows is how many claims are read and, if need be, written at once: a
	// fraction of a second's work, so that writers hardly notice.
	sweepRows = 2_000
	// sweepNote is after how many of them that need no change the place is noted.
	sweepNote = 50 * sweepRows
	// sweepKeys is how many keys are looked up at once, and mostKeys up to how many
	// that is quicker than to look through all claims of a large exchange.
	sweepKeys = 1_000
	mostKeys  = 2_000_000
)

// sweepLease is for how long a node is taken to be at the sweep if nothing more is
// heard of it. Of several nodes on a store one sweeps.
const (
	sweepLease = time.Minute
	leaseName  = "guard sweep"
)

// errElsewhere says that another node is at the sweep.
var errElsewhere = errors.New("another node is at it")

// sweep brings every claim to what the lists say, and returns by which lists that was.
// A sweep that has begun is finished first, even if the lists have changed since:
// else somebody who changes a list again and again would keep it from ever coming to
// its end.
func (g *Guards) sweep(ctx context.Context) (state string, err error) {
	for {
		state, lists := g.stand()
		s, err := g.DB.As(guardian).GuardSweep(ctx)
		if err != nil || s.Done && s.Lists == state {
			return state, err
		}
		if err := g.lease(ctx, true); err != nil {
			return "", err
		}
		if s.Done || s.Aim == nil {
			s = store.GuardSweep{Lists: state, Aim: lists, Seen: s.Seen}
		}
		if err := g.pass(ctx, s); err != nil {
			return "", err
		}
	}
}

// lease takes the lease of the sweep, or takes it anew in time.
func (g *Guards) lease(ctx context.Context, now bool) error {
	if !now && time.Until(g.leased) > sweepLease/2 {
		return nil
	}
	until, err := g.DB.Lease(ctx, leaseName, sweepLease)
	if err == nil && until.IsZero() {
		err = errElsewhere
	}
	g.leased = until
	return err
}

// pass is one sweep. Where new entries can be looked up it looks at the claims that
// they may guard, and at those that any list guarded before; else at all of them.
func (g *Guards) pass(ctx context.Context, s store.GuardSweep) error {
	// What was being written when the lists changed may be judged by the old ones.
	// Writes come one after the other: after this one all are judged by the new.
	if err := g.note(ctx, &s, nil); err != nil {
		return err
	}
	keys, ok, err := g.keysOfNew(ctx, s.Seen, s.Aim)
	switch {
	case err != nil:
	case ok:
		err = g.sweepLookedUp(ctx, &s, keys)
	default:
		err = g.sweepAll(ctx, &s)
	}
	if err != nil {
		return err
	}
	s.Done, s.Seen, s.Aim = true, s.Aim, nil
	return g.note(ctx, &s, nil)
}

// print stands for all that decides which values a list guards.
func print(l *tocsin.GuardList) string {
	return fmt.Sprintf("%.16s %s %v", l.Digest, l.Match, l.Types)
}

// stand returns what stands for the lists that are asked now, and those by number.
// Both are read in one breath: a sweep must not claim to have seen a list that came
// after it began.
func (g *Guards) stand() (state string, lists map[int64]string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	lists = map[int64]string{}
	for l := range g.now.Lists() {
		lists[l.ID] = print(l)
	}
	return g.state, lists
}

// keysOfNew returns the keys of what lists guard that have come or changed since
// seen was. It reports false where not all of it can be looked up.
func (g *Guards) keysOfNew(ctx context.Context, seen, lists map[int64]string) (keys []indicator.Key, ok bool, err error) {
	if seen == nil {
		return nil, false, nil
	}
	view := g.DB.As(guardian)
	for l := range view.GuardLists() {
		if lists[l.ID] == "" || lists[l.ID] == seen[l.ID] {
			continue
		}
		if l.Match != vocab.Exact || len(keys)+l.Entries > mostKeys {
			return nil, false, nil
		}
		packed, err := view.GuardEntries(ctx, l.ID)
		if err != nil {
			return nil, false, err
		}
		for e, err := range vocab.Unpack(packed) {
			if err != nil {
				return nil, false, err
			}
			ks, ok := vocab.Keys(e)
			if !ok || len(keys) > mostKeys {
				return nil, false, nil
			}
			keys = append(keys, ks...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), true, nil
}

// sweepLookedUp judges what any list guarded, and what is found under keys. It is
// done again from the beginning after a kill.
func (g *Guards) sweepLookedUp(ctx context.Context, s *store.GuardSweep, keys []indicator.Key) error {
	for after := int64(0); ; {
		ids, last, n, err := g.differ(ctx, store.Query{Judged: true, After: after, Limit: sweepRows})
		if err == nil && len(ids) > 0 {
			err = g.note(ctx, s, ids)
		}
		if err != nil {
			return err
		}
		if after = last; n < sweepRows {
			break
		}
	}
	for some := range slices.Chunk(keys, sweepKeys) {
		ids, _, _, err := g.differ(ctx, store.Query{Keys: some})
		if err != nil {
			return err
		}
		for few := range slices.Chunk(ids, sweepRows) {
			if err := g.note(ctx, s, few); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweepAll judges all claims, from where it was.
func (g *Guards) sweepAll(ctx context.Context, s *store.GuardSweep) error {
	for noted := s.After; ; {
		ids, last, n, err := g.differ(ctx, store.Query{After: s.After, Limit: sweepRows})
		if err != nil {
			return err
		}
		if n > 0 {
			s.After = last
		}
		if len(ids) > 0 || s.After-noted >= sweepNote {
			if err := g.note(ctx, s, ids); err != nil {
				return err
			}
			noted = s.After
		}
		if n < sweepRows {
			return nil
		}
	}
}

// differ reads the claims that q asks for and returns those of which the lists
// say something else than is written.
func (g *Guards) differ(ctx context.Context, q store.Query) (ids []int64, last int64, n int, err error) {
	if err := g.lease(ctx, false); err != nil {
		return nil, 0, 0, err
	}
	g.mu.Lock()
	now := g.now
	g.mu.Unlock()
	q.Deleted, q.Parts = store.Any, tocsin.PartValue|tocsin.PartHolds
	for a, err := range g.DB.As(guardian).Attributes(ctx, q) {
		if err != nil {
			return nil, 0, 0, err
		}
		last = a.ID
		n++
		if now.Judge(a.Value) != a.Guard {
			ids = append(ids, a.ID)
		}
	}
	return ids, last, n, nil
}

// note writes what the lists say of these claims now, and how far the sweep is.
func (g *Guards) note(ctx context.Context, s *store.GuardSweep, ids []int64) error {
	next := *s
	_, err := g.DB.Apply(ctx, guardian, func(tx *store.Tx) error {
		changed, err := tx.Rejudge(ids)
		if err != nil {
			return err
		}
		next.Changed = s.Changed + int64(changed)
		return tx.PutGuardSweep(next)
	})
	if err == nil {
		*s = next
	}
	return err
}
