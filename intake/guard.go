package intake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
	"tocsin/vocab"
)

// Guards hold the guard lists of an exchange in memory and have the store ask
// them about every value that is written. They follow the log: when a list
// changes, on whatever node, they read it and look through what is there already.
type Guards struct {
	DB  *store.DB
	Log *slog.Logger

	place atomic.Int64
	known tocsin.Seq // the lists were read as they were at this line, or later
	until tocsin.Seq // up to this line claims may have been judged by older lists
	mu    sync.Mutex
	now   *vocab.Guards
	state string        // stands for the lists that now was made of
	moved chan struct{} // closed when state moves
	swept string        // the state by which all claims were judged

	leased time.Time // until when this node is the one that sweeps
}

var _ store.Follower = (*Guards)(nil)

// The lists are known to everyone on the exchange, and what the sweep reads is
// judged and shown to nobody.
var guardian = access.System("guards judge every claim")

// Open takes the lists that come with the program into the store, if they are
// newer than what is there, reads all lists, and has the store ask them. It is
// called before anything is written.
func (g *Guards) Open(ctx context.Context) error {
	g.moved = make(chan struct{})
	if err := g.takeBuiltIn(ctx); err != nil {
		return fmt.Errorf("guard lists: %w", err)
	}
	g.place.Store(int64(g.DB.Head()))
	return g.read(ctx)
}

func (g *Guards) takeBuiltIn(ctx context.Context) error {
	_, err := g.DB.Apply(ctx, guardian, func(tx *store.Tx) error {
		for _, l := range vocab.BuiltIn() {
			r := l.Record()
			r.Own, r.Known = true, l.Class == tocsin.Inform
			old, err := store.Named[*tocsin.GuardList](tx, l.Name)
			switch {
			case err == nil && (!old.Own || old.Version >= l.Version):
				continue
			case err == nil:
				r.ID, r.Class, r.Usual = old.ID, old.Class, old.Usual // somebody may have changed it
			case tocsin.CodeOf(err) != tocsin.NotFound:
				return err
			}
			if err := tx.PutGuardList(r, vocab.Pack(l.Entries)); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// read makes guards of the lists as they are now.
func (g *Guards) read(ctx context.Context) error {
	known := g.DB.Head()
	view := g.DB.As(guardian)
	var lists []*tocsin.GuardList
	h := sha256.New()
	for l := range view.GuardLists() {
		lists = append(lists, l)
		fmt.Fprintf(h, "%d %s %s %s %s %v\n", l.ID, l.Name, l.Class, l.Match, l.Digest, l.Types)
	}
	state := hex.EncodeToString(h.Sum(nil))
	if state == g.stands() {
		g.known = known
		return nil
	}
	now, err := vocab.New(lists, func(l *tocsin.GuardList) (iter.Seq2[string, error], error) {
		packed, err := view.GuardEntries(ctx, l.ID)
		return vocab.Unpack(packed), err
	})
	if err != nil {
		return fmt.Errorf("read guard lists: %w", err)
	}
	g.DB.JudgeBy(now.Judge)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now, g.state, g.known = now, state, known
	g.move()
	return nil
}

// move tells those who wait; the caller holds the lock.
func (g *Guards) move() {
	close(g.moved)
	g.moved = make(chan struct{})
}

func (g *Guards) stands() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// Hits returns the lists that guard a value, the strictest first.
func (g *Guards) Hits(v indicator.Value) []vocab.Hit {
	g.mu.Lock()
	now := g.now
	g.mu.Unlock()
	return now.Hits(v)
}

// Name implements [store.Follower].
func (g *Guards) Name() string { return "guards" }

// Place implements [store.Follower].
func (g *Guards) Place() tocsin.Seq { return tocsin.Seq(g.place.Load()) }

// Restart implements [store.Follower].
func (g *Guards) Restart(ctx context.Context) error {
	g.place.Store(0)
	return g.read(ctx)
}

// Follow implements [store.Follower]: it reads the lists when one of them
// changed. Of many that change one after the other it reads several at once.
//
// What this node wrote between the change and its reading of the lists was judged
// by the old ones, and the node that sweeps may have been there before. So every
// node looks again at what was written until it had read them.
func (g *Guards) Follow(ctx context.Context, changes []tocsin.Change) error {
	var suspects []int64
	suspect := func(a *tocsin.Attribute) {
		if g.judge(a.Value) != a.Guard {
			suspects = append(suspects, a.ID)
		}
	}
	for i := range changes {
		c := &changes[i]
		if c.Kind == tocsin.KindGuardList && c.Seq > g.known {
			if err := g.read(ctx); err != nil {
				return err
			}
			var err error
			if g.until, err = g.DB.Apply(ctx, guardian, func(*store.Tx) error { return nil }); err != nil {
				return err
			}
		}
		if c.Seq > g.until {
			continue
		}
		if _, after := tocsin.Records[*tocsin.Attribute](c, guardian); after != nil {
			suspect(after)
		}
		run, err := c.Run(ctx, guardian, tocsin.PartValue|tocsin.PartHolds)
		if err != nil {
			return err
		}
		for i := range run {
			suspect(&run[i])
		}
	}
	for some := range slices.Chunk(suspects, sweepRows) {
		_, err := g.DB.Apply(ctx, guardian, func(tx *store.Tx) error { _, err := tx.Rejudge(some); return err })
		if err != nil {
			return err
		}
	}
	g.place.Store(int64(changes[len(changes)-1].Seq))
	return nil
}

func (g *Guards) judge(v indicator.Value) tocsin.Verdict {
	g.mu.Lock()
	now := g.now
	g.mu.Unlock()
	return now.Judge(v)
}

// Run judges what is in the store anew whenever the lists have changed, until ctx
// ends. After a kill it goes on where it was, on this node or another.
func (g *Guards) Run(ctx context.Context) error {
	for pause := time.Duration(0); ; {
		var again <-chan time.Time
		state, err := g.sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errElsewhere):
			again = time.After(time.Second)
		case err != nil:
			pause = min(max(2*pause, 100*time.Millisecond), time.Minute)
			g.Log.Error("judge claims anew", "again in", pause, "err", err)
			again = time.After(pause)
		default:
			pause = 0
			g.DB.Yield(ctx, leaseName) // or it runs out
		}
		select {
		case <-ctx.Done():
			return nil
		case <-g.done(state):
		case <-again:
		}
	}
}

// done takes note of the lists by which all claims were judged, "" for none, and
// returns what is closed when they change: at once, if they have already.
func (g *Guards) done(state string) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if state != "" && g.swept != state {
		g.swept = state
		g.move()
	}
	if state != "" && g.state != state {
		now := make(chan struct{})
		close(now)
		return now
	}
	return g.moved
}

// IsSwept reports whether all claims have been judged by the lists as they are.
func (g *Guards) IsSwept() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.swept == g.state
}

// Swept returns when all claims have been judged by the lists as they are.
func (g *Guards) Swept(ctx context.Context) error {
	for {
		g.mu.Lock()
		done, moved := g.swept == g.state, g.moved
		g.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
