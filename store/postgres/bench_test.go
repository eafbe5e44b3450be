package postgres

import (
	"fmt"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/internal/lab"
	"tocsin/store"
)

// BenchmarkAdd adds runs of 10,000 attributes to one event.
func BenchmarkAdd(b *testing.B) {
	db, err := store.New(b.Context(), openEngine(b, lab.Database(b)), store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	ev := &tocsin.Event{Info: "x", Org: 1}
	if _, err := db.Apply(b.Context(), system, func(tx *store.Tx) error { return tx.AddEvent(ev) }); err != nil {
		b.Fatal(err)
	}
	const run = 10_000
	n := 0
	start := time.Now()
	for b.Loop() {
		as := make([]tocsin.Attribute, run)
		for i := range as {
			v, err := indicator.Parse("domain", fmt.Sprintf("name-%d.threat.example", n))
			if err != nil {
				b.Fatal(err)
			}
			n++
			as[i] = tocsin.Attribute{Value: v, ToIDS: true, Distribution: access.Inherit}
		}
		if _, err := db.Apply(b.Context(), system, func(tx *store.Tx) error {
			_, err := tx.AddAttributes(ev.ID, as, false)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "rows/s")
}
