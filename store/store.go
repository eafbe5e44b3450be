// Package store keeps the records of the exchange and the log of their changes.
//
// There is one way in, [DB.Apply], and one way to read, [DB.As]. Every write is
// one transaction: rows, and lines in the append-only log that say what changed.
// Everything else in the exchange is a [Follower] of that log.
//
// An engine (sqlite, postgres) never sees a query without a viewer: it is handed
// a [Scoped], which only this package can make.
package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/seal"
)

// A DB is a store over an engine.
type DB struct {
	engine   Engine
	shared   Shared // the engine, if other nodes may have the store open too
	holder   string // of leases: this process
	seal     *seal.Ring
	log      *slog.Logger
	now      func() time.Time
	coder    Coder
	dir      *directory
	shelf    library
	excluded excluded
	others   others

	committed   func(Commit)
	incarnation []byte
	unnamed     bool // the store had no incarnation until now

	judge  atomic.Pointer[Judge]
	queue  chan *request // writes that wait for their turn
	done   chan struct{}
	writer sync.WaitGroup
	stop   context.CancelFunc

	tail  tail
	turns turns
}

// Options are what a DB can be told. The zero Options are good.
type Options struct {
	Log *slog.Logger
	// Now is this machine's clock; time.Now if nil. Where nodes share a store, the
	// store's clock is what counts, and this one is only compared with it.
	Now  func() time.Time
	Seal *seal.Ring // the keys of secrets; without it none can be kept or read
	// Committed, if set, is told of each transaction of the writer, which waits
	// for it.
	Committed func(Commit)
}

// A Commit is what became of one transaction of the writer, and of the writes
// that shared it.
type Commit struct {
	Took    time.Duration
	Kept    int
	Refused int // by what they found: not allowed, not valid; or whoever asked has gone
	Failed  int // with the transaction
}

// ErrClosed is what a write gets when the store is being closed.
var ErrClosed = tocsin.Errorf(tocsin.Busy, "the exchange is shutting down; try again in a moment")

// ErrCrowded is what a write gets when too many wait for their turn already.
var ErrCrowded = tocsin.Errorf(tocsin.Busy, "too many writes are waiting; try again in a moment")

// maxQueue is how many writes may wait. Beyond it we say that we are busy.
const maxQueue = 1024

// New opens the store that e keeps, and starts its writer.
func New(ctx context.Context, e Engine, o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	db := &DB{engine: e, seal: o.Seal, log: o.Log, now: o.Now, committed: o.Committed, queue: make(chan *request, maxQueue), done: make(chan struct{})}
	db.shared, _ = e.(Shared)
	db.holder = newHolder()
	if db.shared != nil {
		db.shared.OnAway(func(err error) { db.others.failed(db, err) })
	}
	if err := db.load(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	var run context.Context
	run, db.stop = context.WithCancel(context.WithoutCancel(ctx))
	db.writer.Go(func() { db.write(run) })
	return db, nil
}

const seedSetting = "key-seed"

// load reads what the store keeps in memory. A new store draws its key seed
// and its incarnation.
func (db *DB) load(ctx context.Context) error {
	unsealed, err := db.unlock(ctx)
	if err != nil {
		return err
	}
	if unsealed {
		if err := db.Reseal(ctx); err != nil {
			return fmt.Errorf("seal what is secret: %w", err)
		}
	}
	var seed []byte
	err = db.engine.Read(ctx, func(r Reader) (err error) {
		if seed, err = r.Setting(ctx, seedSetting); err != nil {
			return err
		}
		if db.incarnation, err = r.Setting(ctx, incarnationSetting); err != nil {
			return err
		}
		labels, err := r.Labels(ctx, 0)
		if err != nil {
			return err
		}
		sets, err := r.TagSets(ctx, 0)
		if err != nil {
			return err
		}
		db.coder = Coder{Labels: access.NewLabels(labels), Tags: newTagSets(sets)}
		turn, err := r.Turn(ctx)
		if err != nil {
			return err
		}
		db.tail.start(turn.Head)
		db.others.tell(db, turn)
		db.dir, err = db.loadDirectory(ctx, r)
		return err
	})
	if err != nil {
		return err
	}
	if seed == nil {
		if seed, err = db.drawSeed(ctx); err != nil {
			return err
		}
	}
	if db.incarnation == nil {
		if err = db.drawIncarnation(ctx); err != nil {
			return err
		}
	}
	db.coder.Hasher = indicator.NewHasher([16]byte(seed))
	db.engine.Use(db.coder)
	return nil
}

// drawSeed draws the key seed of a new store, unless another node has done so.
func (db *DB) drawSeed(ctx context.Context) (seed []byte, err error) {
	err = db.engine.Write(ctx, func(w Writer) error {
		if seed, err = w.Setting(ctx, seedSetting); seed != nil || err != nil {
			return err
		}
		seed = make([]byte, 16)
		rand.Read(seed)
		return w.PutSetting(ctx, seedSetting, seed)
	})
	return seed, err
}

// Close ends the writer and the engine. Followers are ended by their context.
func (db *DB) Close() error {
	db.stop()
	db.writer.Wait()
	return db.engine.Close()
}

// Labels is the registry of labels, for projections that keep label ids.
func (db *DB) Labels() *access.Labels { return db.coder.Labels }

// TagSets is the registry of sets of tags.
func (db *DB) TagSets() *TagSets { return db.coder.Tags }

// Hasher turns keys into the numbers by which this store knows them.
func (db *DB) Hasher() indicator.Hasher { return db.coder.Hasher }

// Now is the store's clock.
func (db *DB) Now() time.Time { return db.now().Add(-db.ClockOff()) }

// A request is one write that waits for the writer.
type request struct {
	ctx   context.Context
	v     access.Viewer
	fn    func(*Tx) error
	seq   tocsin.Seq
	err   error
	ready chan struct{}
}

// Apply runs fn as v in a transaction and commits what it wrote together with
// its log lines: all of it or none. When Apply returns without error it is on
// disk. The returned Seq is the last line written, or the head of the log when
// fn changed nothing; a page that must show its own write awaits it.
//
// Writes that wait at the same time share a commit, so that many small writers
// pay for few syncs; each still succeeds or fails alone. Since all writers wait
// for fn, it should parse and fetch nothing that could be ready beforehand.
func (db *DB) Apply(ctx context.Context, v access.Viewer, fn func(*Tx) error) (tocsin.Seq, error) {
	if v.OnlyLooks() {
		return 0, tocsin.Errorf(tocsin.Forbidden, "this key only reads; writing takes another one")
	}
	if err := db.others.away(); err != nil {
		return 0, err
	}
	r := &request{ctx: ctx, v: v, fn: fn, ready: make(chan struct{})}
	select {
	case <-db.done:
		return 0, ErrClosed
	case db.queue <- r:
	default:
		return 0, ErrCrowded
	}
	select {
	case <-r.ready:
		return r.seq, r.err
	case <-db.done:
		select {
		case <-r.ready:
			return r.seq, r.err
		default:
			return 0, ErrClosed
		}
	}
}

// write is the one writer: it commits requests in groups until the end.
func (db *DB) write(ctx context.Context) {
	defer close(db.done)
	look, stop := db.looking()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-db.queue:
			db.commit(ctx, r)
		case <-look:
			db.look(ctx)
		}
	}
}

// A commit takes what is waiting, up to these limits, so that a small writer
// behind a large one waits for one large transaction at most.
const (
	maxGroup  = 64
	maxWeight = 10_000
)

func (db *DB) commit(ctx context.Context, first *request) {
	group := &group{docs: db.dir.overlay()}
	defer db.report(time.Now(), group)
	db.hold()
	err := db.engine.Write(ctx, func(w Writer) error {
		if err := db.begin(ctx, w, group); err != nil {
			return err
		}
		for r := first; r != nil; r = db.next(group) {
			db.try(ctx, w, r, group)
			if first.err != nil {
				return first.err
			}
		}
		return db.intern(ctx, w)
	})
	if first.err != nil { // it was alone, and nothing of it is left
		db.drop()
		if err != nil {
			first.err = err // the same, in words for whoever asked
			db.others.failed(db, err)
		}
		close(first.ready)
		return
	}
	if err == nil {
		db.keep()
		group.docs.publish()
		db.tail.append(group.seq, group.lines, db.coder.Labels)
	} else {
		db.drop()
		db.others.failed(db, err)
		err = fmt.Errorf("commit: %w", err)
		if len(group.requests) == 0 { // the transaction did not even begin
			group.requests = append(group.requests, first)
		}
	}
	for _, r := range group.requests {
		if r.err == nil {
			r.err = err
		}
		close(r.ready)
	}
}

// report tells whoever wants to know what became of a commit.
func (db *DB) report(begun time.Time, g *group) {
	if db.committed == nil {
		return
	}
	c := Commit{Took: time.Since(begun)}
	for _, r := range g.requests {
		switch {
		case r.err == nil:
			c.Kept++
		case tocsin.CodeOf(r.err) != tocsin.Internal || r.ctx.Err() != nil:
			c.Refused++
		default:
			c.Failed++
		}
	}
	db.committed(c)
}

// begin finds out where the store stands, now that it is this node's turn.
func (db *DB) begin(ctx context.Context, w Writer, g *group) error {
	turn, err := w.Turn(ctx)
	if err != nil {
		return err
	}
	if err := db.takeOver(ctx, w, turn); err != nil {
		return fmt.Errorf("take over what other nodes wrote: %w", err)
	}
	g.seq, g.now = turn.Head, turn.At
	return nil
}

// hold, keep and drop go for both registries.
func (db *DB) hold() { db.coder.Labels.Hold(); db.coder.Tags.Hold() }
func (db *DB) keep() { db.coder.Labels.Keep(); db.coder.Tags.Keep() }
func (db *DB) drop() { db.coder.Labels.Drop(); db.coder.Tags.Drop() }

// A group is the requests that share one commit.
type group struct {
	requests []*request
	docs     *overlay
	seq      tocsin.Seq
	lines    []tocsin.Line
	weight   int
	now      time.Time // by the store's clock; zero if it has none
}

// next returns a request that waits already and may join g, or nil.
func (db *DB) next(g *group) *request {
	if g.weight >= maxWeight || len(g.requests) >= maxGroup {
		return nil
	}
	select {
	case r := <-db.queue:
		return r
	default:
		return nil
	}
}

// try runs one request. The first of a group has the transaction to itself, and
// if it fails the transaction goes with it: large writes are cheaper so. Those
// that join it run at savepoints of their own.
func (db *DB) try(ctx context.Context, w Writer, r *request, g *group) {
	g.requests = append(g.requests, r)
	within := w.Savepoint
	if len(g.requests) == 1 {
		within = func(_ context.Context, fn func() error) error { return fn() }
	}
	if r.err = r.ctx.Err(); r.err != nil {
		return // whoever asked has gone
	}
	now := g.now
	if now.IsZero() {
		now = db.now()
	}
	tx := &Tx{ctx: ctx, db: db, w: w, v: r.v, now: now, seq: g.seq, docs: g.docs.overlay()}
	r.err = within(ctx, func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
			}
		}()
		if err := r.fn(tx); err != nil {
			return err
		}
		return tx.flush()
	})
	if r.err != nil {
		return
	}
	tx.docs.publish() // to the requests that follow in this group
	g.seq, r.seq = tx.seq, tx.seq
	g.lines = append(g.lines, tx.lines...)
	for i := range tx.lines {
		g.weight += 1 + len(tx.lines[i].Run)
	}
}

// intern writes the labels and sets of tags that were handed out in this commit.
func (db *DB) intern(ctx context.Context, w Writer) error {
	labels, sets := db.coder.Labels.Kept(), db.coder.Tags.Kept()
	if ls := db.coder.Labels.After(labels); len(ls) > 0 {
		if err := w.AppendLabels(ctx, labels+1, ls); err != nil {
			return err
		}
	}
	if ts := db.coder.Tags.After(sets); len(ts) > 0 {
		return w.AppendTagSets(ctx, sets+1, ts)
	}
	return nil
}
