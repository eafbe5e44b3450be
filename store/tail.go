package store

import (
	"context"
	"sync"

	"tocsin"
	"tocsin/access"
)

// The tail is the end of the log, kept in memory: followers that stand at the
// head are handed what was just written, without reading it back.
type tail struct {
	mu      sync.Mutex
	head    tocsin.Seq
	changes []tocsin.Change // the last ones, without gaps
	weight  int
	moved   chan struct{} // closed and replaced when head or a place moves
	places  map[string]tocsin.Seq

	followers []Follower
}

// maxTail is how many records the tail may hold. A follower further behind
// pages through the log on disk.
const maxTail = 100_000

func (t *tail) start(head tocsin.Seq) {
	t.head, t.moved, t.places = head, make(chan struct{}), map[string]tocsin.Seq{}
}

// append adds what a commit wrote, whose last line is head, and wakes who waits.
func (t *tail) append(head tocsin.Seq, lines []tocsin.Line, labels *access.Labels) {
	if len(lines) == 0 {
		return
	}
	cs := make([]tocsin.Change, len(lines))
	for i, l := range lines {
		cs[i] = tocsin.NewChange(l, labels)
	}
	t.push(head, cs)
}

// push is append for changes that were read from the log.
func (t *tail) push(head tocsin.Seq, cs []tocsin.Change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range cs {
		t.changes = append(t.changes, c)
		t.weight += c.Weight()
	}
	for t.weight > maxTail && len(t.changes) > 1 {
		t.weight -= t.changes[0].Weight()
		t.changes[0] = tocsin.Change{} // let its records go
		t.changes = t.changes[1:]
	}
	t.head = head
	t.wake()
}

// skip moves the head without the changes up to it: there are too many, and
// followers read them from the log.
func (t *tail) skip(head tocsin.Seq) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changes, t.weight, t.head = nil, 0, head
	t.wake()
}

func (t *tail) wake() {
	close(t.moved)
	t.moved = make(chan struct{})
}

// after returns the changes after a line if the tail still has them, up to
// about limit records.
func (t *tail) after(seq tocsin.Seq, limit int) ([]tocsin.Change, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq >= t.head {
		return nil, true
	}
	if len(t.changes) == 0 || t.changes[0].Seq > seq+1 {
		return nil, false
	}
	cs := t.changes[seq+1-t.changes[0].Seq:]
	n, weight := 0, 0
	for n < len(cs) && weight < limit {
		weight += cs[n].Weight()
		n++
	}
	return append([]tocsin.Change(nil), cs[:n]...), true
}

// wait returns when the head has passed seq.
func (t *tail) wait(ctx context.Context, seq tocsin.Seq) error {
	return t.until(ctx, func() bool { return t.head > seq })
}

// until returns when done reports true; it is asked under the lock.
func (t *tail) until(ctx context.Context, done func() bool) error {
	for {
		t.mu.Lock()
		ok, moved := done(), t.moved
		t.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (t *tail) place(name string, seq tocsin.Seq) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.places[name] = seq
	t.wake()
}
