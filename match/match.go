// Package match answers "who claims this value?" for whoever asks. It is a
// projection of the log: from each lookup key of each claim to the claim, kept
// small and flat so that ten million claims answer millions of questions a
// second.
//
// A claim is filed with its label, beside a table of events with theirs. A
// reader is shown it if his sight holds both. So an event of 200,000 claims is
// relabelled, withdrawn or published by one row of the table, and no claim is
// touched.
//
// What is new goes into a small table in memory; full tables become immutable
// sorted files, which are memory-mapped and merged in the background. A
// manifest names the files and the place in the log they stand for. Whatever
// comes after that place is replayed by the store, so nothing here is written
// twice for safety. Files that are missing or damaged cost a replay of the
// whole log, never a wrong answer.
//
// Addresses, ranges and fuzzy hashes are also kept in order (shelf.go), so that
// what contains a value, or is like it, is found as well.
//
// The package knows keys, not values: it can't say what was claimed, only that
// it was, by which record.
package match

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

var _ store.Follower = (*Index)(nil)

// viewer sees everything, because the index holds everything with its label.
// Who asks later is in every [Look]: there is none without a sight.
var viewer = access.System("match: Find asks who")

// maxDelta is how many entries wait in memory before they become a file, and
// how many lines are replayed at most after a crash.
const maxDelta = 1 << 18

// maxAge is how long they wait at most while lines come in: the store keeps
// what was deleted for good until the index is past it.
const maxAge = 5 * time.Minute

// An Index files claims under their keys.
type Index struct {
	dir    string
	hasher indicator.Hasher
	labels *access.Labels
	log    *slog.Logger
	max    int // maxDelta, or less in tests
	age    time.Duration

	now    atomic.Pointer[snapshot] // what readers see
	place  atomic.Int64             // what the manifest says
	number atomic.Int64             // of the last file made

	writing sync.Mutex // one Follow, Flush or Restart at a time; covers all to the empty line
	delta   *delta
	events  *eventWriter
	seq     tocsin.Seq
	flushed time.Time
	fresh   [numShelves][]byte // what is not on a shelf yet
	keys    []indicator.Key    // scratch
	filed   []filedKey
	pieces  [128]uint64
	old     []entry
	new     []entry

	files sync.Mutex // the manifest and the files it names
	disk  manifest
	held  eventTable // the event table as the manifest's file has it

	merger
}

// A snapshot is the index after some line. It never changes.
type snapshot struct {
	segments []*segment // oldest first
	delta    *delta
	n        int // how many entries of delta belong to the snapshot
	events   eventTable
	shelves  shelves
	seq      tocsin.Seq
}

// Open returns the index kept in dir, which is made if need be. Hasher and
// labels are those of the store that it follows; an index that was built with
// others starts anew.
func Open(dir string, h indicator.Hasher, labels *access.Labels, log *slog.Logger) (*Index, error) {
	return open(dir, h, labels, log, maxDelta)
}

func open(dir string, h indicator.Hasher, labels *access.Labels, log *slog.Logger, limit int) (*Index, error) {
	if log == nil {
		log = slog.Default()
	}
	x := &Index{dir: dir, hasher: h, labels: labels, log: log, max: limit, age: maxAge, flushed: time.Now()}
	segments, ss, err := x.load()
	if err != nil {
		return nil, fmt.Errorf("open match index %s: %w", dir, err)
	}
	x.seq = x.disk.Place
	x.place.Store(int64(x.seq))
	x.delta, x.events = newDelta(0), newEventWriter(x.held)
	x.now.Store(&snapshot{segments: segments, shelves: ss, delta: x.delta, events: x.held, seq: x.seq})
	x.startMerger()
	return x, nil
}

// Name is how the store and its metrics call the index.
func (x *Index) Name() string { return "match" }

// Place is the last line that is safely on disk.
func (x *Index) Place() tocsin.Seq { return tocsin.Seq(x.place.Load()) }

// Follow keeps changes. Readers see all of them when it returns.
func (x *Index) Follow(ctx context.Context, changes []tocsin.Change) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	for i := range changes {
		// First make room, so that a full disk refuses lines rather than
		// filling memory with them.
		if err := x.makeRoom(ctx); err != nil {
			return err
		}
		if err := x.apply(ctx, &changes[i]); err != nil {
			return fmt.Errorf("match: line %d: %w", changes[i].Seq, err)
		}
		x.seq = changes[i].Seq
	}
	x.publish()
	return nil
}

func (x *Index) makeRoom(ctx context.Context) error {
	lines := x.seq - x.Place()
	if x.delta.n < x.max && lines < tocsin.Seq(x.max) && (lines == 0 || time.Since(x.flushed) < x.age) {
		return nil
	}
	if err := x.awaitMerge(ctx); err != nil {
		return err
	}
	return x.flush()
}

func (x *Index) apply(ctx context.Context, c *tocsin.Change) error {
	switch {
	case c.IsRange():
		run, err := c.Run(ctx, viewer, tocsin.PartValue|tocsin.PartCategory|tocsin.PartMarks)
		if err != nil {
			return err
		}
		for i := range run {
			if err := x.file(nil, &run[i]); err != nil {
				return err
			}
		}
	case c.Kind == tocsin.KindAttribute:
		return x.file(tocsin.Records[*tocsin.Attribute](c, viewer))
	case c.Kind == tocsin.KindEvent:
		_, after := tocsin.Records[*tocsin.Event](c, viewer)
		return x.events.put(c.ID, after)
	}
	return nil
}

// file drops what before was found under and holds after under its keys.
// Either may be nil.
func (x *Index) file(before, after *tocsin.Attribute) (err error) {
	x.filed = x.filed[:0]
	if x.old, err = x.appendEntries(x.old[:0], before); err != nil {
		return err
	}
	if x.new, err = x.appendEntries(x.new[:0], after); err != nil {
		return err
	}
	for _, e := range x.old {
		if !holdsKey(x.new, e.key) {
			e.who |= dropped
			x.delta = x.delta.add(e)
		}
	}
	for _, e := range x.new {
		x.delta = x.delta.add(e)
	}
	for _, f := range x.filed {
		if holdsKey(x.old, f.sum) != holdsKey(x.new, f.sum) {
			x.shelve(f)
		}
	}
	return nil
}

// publish shows readers what was written so far.
func (x *Index) publish() {
	fresh := x.fresh
	x.show(func(s *snapshot) {
		s.delta, s.n, s.events, s.seq = x.delta, x.delta.n, x.events.table(), x.seq
		x.fresh = fresh // putAway again, if a merge was faster
		x.putAway(&s.shelves)
	})
}

// show replaces the snapshot by a changed copy. A merge may do so at the same
// time as Follow; each changes its own fields.
func (x *Index) show(change func(*snapshot)) {
	for {
		now := x.now.Load()
		next := *now
		change(&next)
		if x.now.CompareAndSwap(now, &next) {
			return
		}
	}
}

// Flush makes everything that was followed durable.
func (x *Index) Flush(ctx context.Context) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return x.flush()
}

// flush turns the delta into a segment and moves the manifest's place.
func (x *Index) flush() error {
	if int64(x.seq) == x.place.Load() && x.delta.n == 0 {
		return nil
	}
	fresh, err := x.writeDelta(x.delta)
	if err != nil {
		return fmt.Errorf("match: write segment: %w", err)
	}
	events := x.events.table()
	x.files.Lock()
	defer x.files.Unlock()
	now := x.now.Load() // which only we change now
	segments, ss := now.segments, now.shelves
	if fresh != nil {
		segments = append(segments[:len(segments):len(segments)], fresh)
	}
	unput := x.fresh
	x.putAway(&ss)
	if ss, err = x.writeShelves(ss); err == nil {
		err = x.commit(segments, ss, events, x.seq)
	}
	if err != nil {
		x.fresh = unput
		return fmt.Errorf("match: write manifest: %w", err)
	}
	x.delta, x.flushed = newDelta(0), time.Now()
	x.show(func(s *snapshot) {
		s.segments, s.shelves, s.delta, s.n, s.events, s.seq = segments, ss, x.delta, 0, events, x.seq
	})
	x.wakeMerger()
	return nil
}

// Restart forgets everything.
func (x *Index) Restart(ctx context.Context) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.files.Lock()
	defer x.files.Unlock()
	if err := x.forget(); err != nil {
		return fmt.Errorf("match: restart: %w", err)
	}
	x.seq, x.delta, x.events, x.fresh = 0, newDelta(0), newEventWriter(nil), [numShelves][]byte{}
	x.place.Store(0)
	x.show(func(s *snapshot) { *s = snapshot{delta: x.delta} })
	return nil
}

// Close makes everything durable and ends the background merge. Looks taken
// before keep working.
func (x *Index) Close() error {
	x.stopMerger()
	return x.Flush(context.Background())
}

// Stats says how large the index is.
type Stats struct {
	Entries  int // claims by key; withdrawn ones count until they are merged away
	Dropped  int // marks of withdrawn claims among them
	Delta    int // entries in memory
	Segments int
	Bytes    int64 // of the files
	Events   int
	Seq      tocsin.Seq // the last line that readers see
	Place    tocsin.Seq // the last line on disk
}

// Stats returns numbers for metrics.
func (x *Index) Stats() Stats {
	s := x.now.Load()
	st := Stats{Entries: s.n, Delta: s.n, Segments: len(s.segments), Events: s.events.len(), Seq: s.seq, Place: x.Place()}
	for _, seg := range s.segments {
		st.Entries += seg.n
		st.Dropped += seg.drops
		st.Bytes += int64(len(seg.data))
	}
	for _, shelf := range s.shelves {
		for _, r := range shelf.files() {
			st.Bytes += int64(len(r.data))
		}
	}
	return st
}
