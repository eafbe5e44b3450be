package match

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

const (
	// keepRatio is how many times the sum of all newer segments a segment must
	// hold to be left alone. It bounds what superseded entries cost (half of
	// the files) and how often an entry is copied.
	keepRatio = 2
	// maxSegments bounds the cost of a lookup. Follow waits when twice as many
	// are there, which means that merging can't keep up.
	maxSegments = 8
)

// A merger joins segments in the background. Readers never wait for it.
type merger struct {
	wake chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup

	mu     sync.Mutex
	merged *sync.Cond // something was merged, or failed
	failed error      // the last attempt
}

func (x *Index) startMerger() {
	ctx, stop := context.WithCancel(context.Background())
	x.wake, x.stop, x.merged = make(chan struct{}, 1), stop, sync.NewCond(&x.mu)
	x.done.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-x.wake:
				x.mergeAll(ctx)
			}
		}
	})
	x.wakeMerger()
}

func (x *Index) stopMerger() {
	x.stop()
	x.done.Wait()
}

func (x *Index) wakeMerger() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// mergeAll merges until nothing is left to merge.
func (x *Index) mergeAll(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := x.mergeOne(ctx)
		if !more && err == nil {
			return
		}
		if err != nil && ctx.Err() == nil {
			x.log.Error("match can't merge its files, lookups get slower", "dir", x.dir, "err", err)
		}
		x.mu.Lock()
		x.failed = err
		x.merged.Broadcast()
		x.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// mergeOne merges segments, or else runs of one shelf, if there is something to
// merge.
func (x *Index) mergeOne(ctx context.Context) (more bool, err error) {
	segments := x.now.Load().segments
	if from := choose(segments); from < len(segments) {
		return true, x.merge(ctx, segments[from:], from == 0)
	}
	for i := range numShelves {
		if more, err := x.mergeShelf(i); more || err != nil {
			return more, err
		}
	}
	return false, nil
}

// awaitMerge waits while there are too many segments.
func (x *Index) awaitMerge(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.merged.Broadcast()
	})()
	x.mu.Lock()
	defer x.mu.Unlock()
	for x.failed = nil; len(x.now.Load().segments) >= 2*maxSegments; x.merged.Wait() {
		if err := errors.Join(ctx.Err(), x.failed); err != nil {
			return fmt.Errorf("match: merge: %w", err)
		}
		x.wakeMerger()
	}
	return nil
}

// choose returns from which file on all newer ones are to be merged into one:
// the oldest that isn't much larger than what came after it.
func choose[F interface{ len() int }](files []F) (from int) {
	for ratio := keepRatio; ; ratio *= 2 {
		newer, oldest := 0, len(files)
		for i := len(files) - 1; i >= 0; i-- {
			if newer > 0 && files[i].len() <= ratio*newer {
				oldest = i
			}
			newer += files[i].len()
		}
		if oldest < len(files) || len(files) <= maxSegments {
			return oldest
		}
	}
}

// merge replaces inputs, which are next to each other and the newest, by one
// segment. At the bottom nothing older is left that a mark of what was dropped
// would have to hide.
func (x *Index) merge(ctx context.Context, inputs []*segment, bottom bool) error {
	n := 0
	for _, s := range inputs {
		n += s.n
	}
	w, err := newSegmentWriter(x.dir, n)
	if err != nil {
		return err
	}
	// What the events were at the manifest's place, so that what is left out
	// here would be hidden after a crash too.
	x.files.Lock()
	events := x.held
	x.files.Unlock()
	var lists walk
	for _, s := range slices.Backward(inputs) {
		lists = lists.with(s.entries)
	}
	for i := 0; len(lists) > 0; i++ {
		e := lists.head()
		lists = lists.past(e)
		if i%(1<<16) == 0 && ctx.Err() != nil {
			w.abandon()
			return ctx.Err()
		}
		if !(bottom && e.is(dropped)) && !events.gone(e.event()) {
			w.add(e)
		}
	}
	runtime.KeepAlive(inputs) // and so their mappings
	if w.h.n == 0 {
		w.abandon()
		return x.replace(inputs, nil)
	}
	out, err := w.finish(x.newName(segmentSuffix))
	if err != nil {
		return err
	}
	return x.replace(inputs, out)
}

// replace puts out in the place of inputs, if they are still there.
func (x *Index) replace(inputs []*segment, out *segment) error {
	x.files.Lock()
	defer x.files.Unlock()
	segments := slices.Clone(x.now.Load().segments)
	at := slices.Index(segments, inputs[0])
	if at < 0 { // Restart was faster
		if out != nil {
			os.Remove(filepath.Join(x.dir, out.name))
		}
		return nil
	}
	segments = slices.Delete(segments, at, at+len(inputs))
	if out != nil {
		segments = slices.Insert(segments, at, out)
	}
	if err := x.commit(segments, x.now.Load().shelves, x.held, x.disk.Place); err != nil {
		return err
	}
	x.show(func(s *snapshot) { s.segments = segments })
	return nil
}

// replaceRuns puts out in the place of inputs on a shelf, if they are still
// there.
func (x *Index) replaceRuns(i int, inputs, out shelf) error {
	x.files.Lock()
	defer x.files.Unlock()
	swap := func(s shelf) (shelf, bool) {
		at := slices.Index(s, inputs[0])
		if at < 0 { // Restart was faster
			return s, false
		}
		return slices.Concat(s[:at], out, s[at+len(inputs):]), true
	}
	now := x.now.Load()
	next := now.shelves
	var there bool
	if next[i], there = swap(next[i]); !there {
		for _, r := range out {
			os.Remove(filepath.Join(x.dir, r.name))
		}
		return nil
	}
	if err := x.commit(now.segments, next, x.held, x.disk.Place); err != nil {
		return err
	}
	x.show(func(s *snapshot) { s.shelves[i], _ = swap(s.shelves[i]) })
	return nil
}

// writeDelta writes a full delta to a file.
func (x *Index) writeDelta(d *delta) (*segment, error) {
	if d.n == 0 {
		return nil, nil
	}
	entries := d.sorted()
	w, err := newSegmentWriter(x.dir, len(entries))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		w.add(e)
	}
	return w.finish(x.newName(segmentSuffix))
}
