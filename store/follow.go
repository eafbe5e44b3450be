package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"tocsin"
	"tocsin/indicator"
)

// A Follower keeps a projection of the log: an index, a zone, a queue.
//
// Follow is given changes in order and returns when it has kept them. After a
// crash it may see some again, so it keys what it keeps by record and never
// counts. A follower is called from one goroutine at a time; an error makes the
// store hand it the same changes again, later.
type Follower interface {
	// Name is a short word for logs, metrics and [DB.Await].
	Name() string
	// Place is the last line that the follower would still hold if the machine
	// stopped now. It is asked where to start, and how far rows that only
	// laggards need may be cleaned up.
	Place() tocsin.Seq
	// Follow keeps changes, the first of which comes right after the last one it
	// was given, or after Place.
	Follow(context.Context, []tocsin.Change) error
	// Restart forgets everything, because the store was put back to an earlier
	// state than Place. The next change handed over is the first line.
	Restart(context.Context) error
}

// Head is the last line of the log.
func (db *DB) Head() tocsin.Seq {
	db.tail.mu.Lock()
	defer db.tail.mu.Unlock()
	return db.tail.head
}

// Places returns how far each follower has come.
func (db *DB) Places() map[string]tocsin.Seq {
	db.tail.mu.Lock()
	defer db.tail.mu.Unlock()
	return maps.Clone(db.tail.places)
}

// Await returns when the follower of that name has kept line seq.
func (db *DB) Await(ctx context.Context, name string, seq tocsin.Seq) error {
	return db.tail.until(ctx, func() bool { return db.tail.places[name] >= seq })
}

// batchWeight is about how many records a follower is handed at once.
const batchWeight = 50_000

// Follow hands the log to f, from where f stands, until ctx ends. When f fails
// it is handed the same changes again after a pause that grows to a minute.
func (db *DB) Follow(ctx context.Context, f Follower) error {
	seq := f.Place()
	var begun tocsin.Seq // what was purged when f began from nothing
	if head := db.Head(); seq > head {
		db.log.Warn("follower is ahead of the log and starts anew", "follower", f.Name(), "place", seq, "head", head)
		if err := f.Restart(ctx); err != nil {
			return fmt.Errorf("restart %s: %w", f.Name(), err)
		}
		seq = 0
	}
	if seq == 0 {
		begun = db.purged()
	}
	db.tail.place(f.Name(), seq)
	db.follows(f)
	for pause := time.Duration(0); ; {
		if err := db.tail.wait(ctx, seq); err != nil {
			return nil // the end
		}
		if p := db.purged(); p > seq && p > begun {
			db.log.Warn("follower was away while rows that it needs were removed, and starts anew", "follower", f.Name(), "place", seq, "purged", p)
			if err := f.Restart(ctx); err != nil {
				return fmt.Errorf("restart %s: %w", f.Name(), err)
			}
			seq, begun = 0, p
		}
		next, err := db.step(ctx, f, seq)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			seq, pause = next, 0
			db.tail.place(f.Name(), seq)
		default:
			pause = min(max(2*pause, 100*time.Millisecond), time.Minute)
			db.log.Error("follow", "follower", f.Name(), "after", seq, "again in", pause, "err", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
		}
	}
}

// follows remembers f for [DB.Purge].
func (db *DB) follows(f Follower) {
	db.tail.mu.Lock()
	defer db.tail.mu.Unlock()
	db.tail.followers = append(db.tail.followers, f)
}

// purgeRows is how many rows one purge removes at most: a tenth of a second's
// work, so that writers hardly notice.
const purgeRows = 5_000

// Purge removes what was deleted for good and no follower needs any more, rows and
// images in the log, a few thousand at most, and returns how many. Nobody could see
// them since the deletion; a follower reads them to let go of what was in them.
func (db *DB) Purge(ctx context.Context) (n int64, err error) {
	kept, err := db.needed(ctx)
	if err != nil {
		return 0, err
	}
	err = db.engine.Write(ctx, func(w Writer) (err error) {
		n, err = w.Purge(ctx, kept, purgeRows)
		return err
	})
	return n, err
}

// step hands f one batch after seq and returns the last line of it.
func (db *DB) step(ctx context.Context, f Follower, seq tocsin.Seq) (tocsin.Seq, error) {
	batch, ok := db.tail.after(seq, batchWeight)
	if !ok {
		var err error
		if batch, err = db.changes(ctx, seq, batchWeight); err != nil {
			return seq, fmt.Errorf("read the log: %w", err)
		}
	}
	if len(batch) == 0 {
		return seq, nil
	}
	if err := f.Follow(ctx, batch); err != nil {
		return seq, err
	}
	return batch[len(batch)-1].Seq, nil
}

// Since returns what was written after line seq, some of it at least, for who keeps up
// when it is asked and does not follow. It is not whole where rows that it would need
// are gone: then whoever asks starts anew.
func (db *DB) Since(ctx context.Context, seq tocsin.Seq) (cs []tocsin.Change, whole bool, err error) {
	if seq > db.Head() || db.purged() > seq {
		return nil, false, nil
	}
	cs, ok := db.tail.after(seq, batchWeight)
	if !ok {
		cs, err = db.changes(ctx, seq, batchWeight)
	}
	return cs, err == nil, err
}

// changes reads changes from the log on disk, with the records as they were.
func (db *DB) changes(ctx context.Context, after tocsin.Seq, limit int) (cs []tocsin.Change, err error) {
	head := db.Head() // what comes after it may use labels that this node has yet to learn of
	err = db.engine.Read(ctx, func(r Reader) error {
		weight := 0
		for l, err := range r.Lines(ctx, after) {
			if err != nil {
				return err
			}
			if l.Seq > head {
				return nil
			}
			c, err := db.resolve(l, nil)
			if err != nil {
				return fmt.Errorf("line %d: %w", l.Seq, err)
			}
			cs = append(cs, c)
			if weight += c.Weight(); weight >= limit {
				return nil
			}
		}
		return nil
	})
	return cs, err
}

// resolve makes a line that was kept into a change. Of a range line the run is read
// when a follower asks for it, unless it is given.
func (db *DB) resolve(l LogLine, run []tocsin.Attribute) (tocsin.Change, error) {
	line := tocsin.Line{Seq: l.Seq, At: l.At, By: l.By, Kind: l.Kind, ID: l.ID, Event: l.Label}
	var err error
	if line.Before, err = db.decode(l.Kind, l.Before); err != nil {
		return tocsin.Change{}, err
	}
	if line.After, err = db.decode(l.Kind, l.After); err != nil {
		return tocsin.Change{}, err
	}
	switch {
	case run != nil:
		line.Run = run
	case l.Last != 0:
		line.Reread, line.Count = db.reread(l), l.weight()
	}
	if l.Scope {
		line.Scope = db.scope(line)
	}
	return tocsin.NewChange(line, db.coder.Labels), nil
}

// reread reads the run of a range line, when somebody asks. Nothing that a follower
// has yet to be told of is purged meanwhile.
func (db *DB) reread(l LogLine) tocsin.Reread {
	return func(ctx context.Context, ps tocsin.Parts) (run []tocsin.Attribute, err error) {
		err = db.engine.Read(ctx, func(r Reader) error {
			run, err = readRun(ctx, r, l, ps)
			return err
		})
		return run, err
	}
}

// readRun reads the run of a range line; nil if it is another line.
func readRun(ctx context.Context, r Reader, l LogLine, ps tocsin.Parts) ([]tocsin.Attribute, error) {
	if l.Last == 0 {
		return nil, nil
	}
	run := make([]tocsin.Attribute, 0, l.weight())
	for a, err := range r.AsOf(ctx, l.Seq, l.Event, l.First, l.Last, ps) {
		if err != nil {
			return nil, err
		}
		run = append(run, a)
	}
	slices.SortFunc(run, func(a, b tocsin.Attribute) int { return cmp.Compare(a.ID, b.ID) })
	return run, nil
}

// scope returns the expansion of a scope line, as of that line: the attributes
// of an event; of a collection, those of all events; of a lifetime, those of its
// types; of the clock, those that fell due.
func (db *DB) scope(l tocsin.Line) tocsin.Expand {
	touched := func(ctx context.Context, r Reader, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
		return r.AsOf(ctx, l.Seq, 0, 0, 0, ps)
	}
	switch l.Kind {
	case tocsin.KindEvent:
		touched = func(ctx context.Context, r Reader, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
			return r.AsOf(ctx, l.Seq, l.ID, 0, 0, ps)
		}
	case tocsin.KindLifetime, tocsin.KindClock:
		touched = func(ctx context.Context, r Reader, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
			return r.Spans(ctx, l.Seq, spans(l), ps)
		}
	}
	return func(ctx context.Context, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
		return func(yield func(tocsin.Attribute, error) bool) {
			err := db.engine.Read(ctx, func(r Reader) error {
				for a, err := range touched(ctx, r, ps) {
					if err != nil {
						return err
					}
					if !yield(a, nil) {
						return errStop
					}
				}
				return nil
			})
			if err != nil && !errors.Is(err, errStop) {
				yield(tocsin.Attribute{}, err)
			}
		}
	}
}

// spans are the claims that a line of a lifetime or of the clock touches.
func spans(l tocsin.Line) (all []tocsin.Span) {
	for _, r := range []tocsin.Record{l.Before, l.After} {
		if lt, ok := r.(*tocsin.Lifetime); ok && lt != nil {
			all = append(all, tocsin.Span{Types: typeIDs(lt.Types), After: math.MinInt64, UpTo: math.MaxInt64})
		}
	}
	if c, ok := l.After.(*tocsin.Clock); ok && c != nil {
		all = c.Due
	}
	return all
}

// typeIDs are the numbers of types, nil for all.
func typeIDs(names []string) (ids []uint16) {
	for _, n := range names {
		if t, ok := indicator.TypeByName(n); ok {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// errStop ends a read whose reader wants no more.
var errStop = errors.New("stop")
