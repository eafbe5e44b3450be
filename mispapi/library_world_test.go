package mispapi

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/store"
	"tocsin/vocab"
)

// sharedReference is the reference data that stands beside the repository, read once.
var sharedReference = sync.OnceValues(func() (*vocab.Published, error) {
	return vocab.At(filepath.Join(sharedRoot(), "data", "reference"))(context.Background())
})

// madeUp is a small library of ours, for tests that run everywhere.
var madeUp = vocab.At("../vocab/testdata/published")

// follows has the guards of a world follow its log.
func (w *world) follows() *intake.Guards {
	w.t.Helper()
	g := &intake.Guards{DB: w.db, Log: slog.New(slog.DiscardHandler)}
	if err := g.Open(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.db.Follow(ctx, g) })
	w.t.Cleanup(func() { stop(); running.Wait() })
	w.api.Guards = g
	return g
}

// library gives a world reference data, and the place that it came from.
func (w *world) library(p *vocab.Published, place vocab.Place) {
	w.t.Helper()
	l := &intake.Library{DB: w.db, Guards: w.follows(), Place: place}
	w.api.Library = l
	if p == nil {
		return
	}
	if t, err := l.Take(w.t.Context(), access.System("test"), p); err != nil || len(t.Refused) > 0 {
		w.t.Fatal(t.Refused, err)
	}
}

// asMISP gives a world the reference data that the recorded MISP had: all but decaying
// models, all lists off. Lists of
// ours, which it has not, are off too.
func (w *world) asMISP() {
	w.t.Helper()
	p, err := sharedReference()
	if err != nil {
		w.t.Fatal(err)
	}
	had := *p
	had.Items = slices.DeleteFunc(slices.Clone(p.Items), func(i *vocab.Item) bool { return i.Record.Sort == tocsin.DecayingModels })
	w.library(&had, func(context.Context, ...tocsin.VocabularySort) (*vocab.Published, error) { return p, nil })
	_, err = w.db.Apply(w.t.Context(), access.System("test"), func(tx *store.Tx) error {
		for l := range w.db.As(access.System("test")).GuardLists() {
			if l.Own {
				if err := turn(tx, l.ID, false); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}
