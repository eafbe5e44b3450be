package match

import (
	"context"
	"runtime"
	"sync"
	"testing"

	"tocsin"
	"tocsin/access"
)

// Readers look while lines are followed, files written and merged. Each look is
// the index after some line, which here says whether the attribute is found
// under its one value or its other, and never under both or neither.
func TestReadersSeeWholeLines(t *testing.T) {
	w := newWorld(t, 1)
	x := w.open(t.TempDir(), 64)
	all := w.labels.Sight(access.System("test"), access.Read)
	e := w.addEvent()
	a := &tocsin.Attribute{ID: 1, Event: e.ID, Value: w.values[0], Label: w.ids[0]}
	b := *a
	b.Value = w.values[1] // a URL on the same name
	w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, After: a})
	w.follow(x, w.after(0))

	ctx, stop := context.WithCancel(context.Background())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			var last tocsin.Seq
			for ctx.Err() == nil {
				l := x.Look(all)
				inA, inB := l.Count(a.Value.Keys()[0]), l.Count(b.Value.Keys()[0])
				if wantA := int(l.Seq()) % 2; inA != 1-wantA || inB != wantA {
					t.Errorf("after line %d: %d and %d", l.Seq(), inA, inB)
					return
				}
				if l.Seq() < last {
					t.Errorf("line %d after %d", l.Seq(), last)
					return
				}
				last = l.Seq()
			}
		})
	}
	for range 500 {
		at := tocsin.Seq(len(w.log))
		w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, Before: a, After: &b})
		must(t, x.Follow(ctx, w.after(at)))
		at++
		w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, Before: &b, After: a})
		must(t, x.Follow(ctx, w.after(at)))
		if at%50 == 0 {
			must(t, x.Flush(ctx))
		}
	}
	stop()
	readers.Wait()
	must(t, x.Close())
}

// What a look holds stays readable though the files are gone and the index is
// closed.
func TestALookOutlivesItsFiles(t *testing.T) {
	w := newWorld(t, 2)
	x := w.open(t.TempDir(), 64)
	for range 100 {
		w.step()
	}
	w.follow(x, w.after(0))
	must(t, x.Flush(context.Background()))
	l := x.Look(w.labels.Sight(access.System("test"), access.Read))
	total := func(l Look) (n int) {
		for _, k := range w.keys {
			n += l.Count(k)
		}
		return n
	}
	want := total(l)
	must(t, x.Restart(context.Background()))
	if y := w.open(copyDir(t, x.dir, false), 64); y.Place() != 0 {
		t.Errorf("place %d after a crash after restart", y.Place())
	} else {
		must(t, y.Close())
	}
	must(t, x.Close())
	runtime.GC()
	if got := total(l); got != want || want == 0 {
		t.Errorf("%d claims, were %d", got, want)
	}
	if now := total(x.Look(w.labels.Sight(access.System("test"), access.Read))); now != 0 {
		t.Errorf("%d claims after restart", now)
	}
}
