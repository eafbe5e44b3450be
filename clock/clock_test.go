package clock

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// A bench is a store with one collection and a clock that tests turn.
type bench struct {
	t   *testing.T
	db  *store.DB
	c   *Clock
	now time.Time
	hot Hot
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	engine, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b.db, err = store.New(t.Context(), engine, store.Options{Now: func() time.Time { return b.now }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.db.Close() })
	b.write(func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Collection{Name: "c", Org: 1, HotZone: "hot.example"})
	})
	b.hot.Collection = 1
	b.c = &Clock{DB: b.db, Hot: func() []Hot { return []Hot{b.hot} }, Log: slog.New(slog.DiscardHandler)}
	return b
}

func (b *bench) write(fn func(*store.Tx) error) {
	b.t.Helper()
	if _, err := b.db.Apply(b.t.Context(), access.System("a test"), fn); err != nil {
		b.t.Fatal(err)
	}
}

// due turns the clock on and returns what the collection says then.
func (b *bench) due(later time.Duration) (merged, dropped tocsin.Seq) {
	b.t.Helper()
	b.now = b.now.Add(later)
	if err := b.c.Due(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	c, err := store.One[*tocsin.Collection](b.db.As(access.System("a test")), 1)
	if err != nil {
		b.t.Fatal(err)
	}
	b.hot.MergedUpTo = c.MergedUpTo
	return c.MergedUpTo, c.HotDropUpTo
}

func TestWhatIsNewIsMergedInTime(t *testing.T) {
	b := newBench(t)
	b.hot.Names, b.hot.Unmerged, b.hot.Oldest = 3, 1, 1
	if m, _ := b.due(time.Second); m != 0 {
		t.Errorf("merged at once, up to %d", m)
	}
	if m, _ := b.due(defaultWait - time.Second); m != 0 {
		t.Errorf("merged a second early, up to %d", m)
	}
	head := b.db.Head()
	if m, d := b.due(time.Second); m != head || d != 0 {
		t.Errorf("after %v: merged up to %d, dropped up to %d; want %d, 0", defaultWait, m, d, head)
	}
}

func TestManyAreMergedSooner(t *testing.T) {
	b := newBench(t)
	b.hot.Names, b.hot.Unmerged, b.hot.Oldest = mergeNames, 1, 1
	if m, _ := b.due(0); m == 0 {
		t.Error("not merged")
	}
}

// A name must never be in neither zone: it leaves the hot one when everyone has
// the base one, or has had the time to fetch it.
func TestHotNamesStayUntilTheBaseHasArrived(t *testing.T) {
	for _, confirmed := range []bool{true, false} {
		b := newBench(t)
		b.hot.Names, b.hot.Unmerged, b.hot.Oldest = mergeNames, 1, 1
		merged, _ := b.due(0)
		b.hot.Unmerged = 0
		if _, d := b.due(time.Second); d != 0 {
			t.Errorf("dropped up to %d while a subscriber lacks the base zone", d)
		}
		wait := defaultWait
		if b.hot.Confirmed = confirmed; confirmed {
			wait = 0
		}
		if _, d := b.due(wait); d != merged {
			t.Errorf("confirmed %v, after %v: dropped up to %d, want %d", confirmed, wait, d, merged)
		}
	}
}

// A clock that jumps back makes us wait anew, and never act early.
func TestClockJumpsBack(t *testing.T) {
	b := newBench(t)
	b.hot.Names, b.hot.Unmerged, b.hot.Oldest = 1, 1, 1
	b.due(0)
	if m, _ := b.due(-time.Hour); m != 0 {
		t.Errorf("merged up to %d", m)
	}
	if m, _ := b.due(defaultWait - time.Second); m != 0 {
		t.Errorf("merged early, up to %d", m)
	}
	if m, _ := b.due(time.Second); m == 0 {
		t.Error("not merged in time")
	}
}

func TestRemovedCollectionIsNoError(t *testing.T) {
	b := newBench(t)
	b.write(func(tx *store.Tx) error { return store.Remove[*tocsin.Collection](tx, 1) })
	b.hot.Names, b.hot.Unmerged, b.hot.Oldest = mergeNames, 1, 1
	if err := b.c.Due(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	b.c.Tick, b.c.Hot = time.Millisecond, func() []Hot {
		select {
		case asked <- struct{}{}:
		case <-ctx.Done():
		}
		return nil
	}
	done := make(chan struct{})
	go func() { b.c.Run(ctx); close(done) }()
	<-asked
	cancel()
	<-done
}
