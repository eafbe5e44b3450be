package store

import (
	"context"
	"crypto/rand"
	"os"
	"time"

	"tocsin"
)

// Lease takes the lease of that name for ttl, or takes it anew, and returns until
// when this process holds it, by this machine's clock; the zero time says that
// another node does. What is done under a lease ends by then. A store that nobody
// shares gives every lease.
//
// The time is counted from before the store was asked, so a holder stops before
// the store gives the lease to another, however slow the answer was.
func (db *DB) Lease(ctx context.Context, name string, ttl time.Duration) (until time.Time, err error) {
	asked := time.Now()
	if db.shared == nil {
		return asked.Add(ttl), nil
	}
	held, err := db.shared.Lease(ctx, name, db.holder, ttl)
	if err != nil || !held {
		return time.Time{}, err
	}
	return asked.Add(ttl), nil
}

// Yield gives a lease back before its time.
func (db *DB) Yield(ctx context.Context, name string) error {
	if db.shared == nil {
		return nil
	}
	return db.shared.Yield(ctx, name, db.holder)
}

// signInEvery is how often a node says that it is there.
const signInEvery = 10 * time.Second

// goneAfter is after how long a node that was not seen holds nobody up any more.
// Its projections begin anew if it comes back and rows that it needs are gone.
const goneAfter = 24 * time.Hour

// SignIn says once that the node of that id is there. Rows that its projections
// need, as far as they are on its disk, are not purged then.
func (db *DB) SignIn(ctx context.Context, id, version string) error {
	if db.shared == nil {
		return nil
	}
	name, _ := os.Hostname()
	return db.shared.SignIn(ctx, Node{ID: id, Name: name, Version: version, Place: db.place(), Off: db.ClockOff()})
}

// StaySignedIn does it again and again until ctx ends.
func (db *DB) StaySignedIn(ctx context.Context, id, version string) error {
	if db.shared == nil {
		return nil
	}
	t := time.NewTicker(signInEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			if err := db.SignIn(ctx, id, version); err != nil && db.others.away() == nil && ctx.Err() == nil {
				db.log.Error("sign in", "err", err)
			}
		}
	}
}

// Nodes are the nodes that were there in the last day, none where nobody shares
// the store.
func (db *DB) Nodes(ctx context.Context) ([]Node, error) {
	if db.shared == nil {
		return nil, nil
	}
	return db.shared.Nodes(ctx, goneAfter)
}

// place is how far this node's projections are on its disk.
func (db *DB) place() tocsin.Seq {
	db.tail.mu.Lock()
	defer db.tail.mu.Unlock()
	kept := db.tail.head
	for _, f := range db.tail.followers {
		kept = min(kept, f.Place())
	}
	return kept
}

// needed is the last line that no node's projections need the rows of any more.
func (db *DB) needed(ctx context.Context) (tocsin.Seq, error) {
	kept := db.place()
	nodes, err := db.Nodes(ctx)
	for _, n := range nodes {
		kept = min(kept, n.Place)
	}
	return kept, err
}

func newHolder() string { return rand.Text() }
