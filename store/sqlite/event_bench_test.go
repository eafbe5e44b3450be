package sqlite

import (
	"fmt"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// BenchmarkEvents adds events of ten attributes, each in a commit of its own; the
// reference is the bare driver, which commits one row.
func BenchmarkEvents(b *testing.B) {
	e, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.New(b.Context(), e, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	b.Run("bare", func(b *testing.B) {
		if _, err := e.writer.ExecContext(b.Context(), `CREATE TABLE bare (id INTEGER PRIMARY KEY, x TEXT)`); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for _, s := range []string{"BEGIN IMMEDIATE", "INSERT INTO bare (x) VALUES ('x')", "COMMIT"} {
				if _, err := e.writer.exec(b.Context(), s); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	v := access.System("benchmark")
	n := 0
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			as := make([]tocsin.Attribute, 10)
			for i := range as {
				n++
				v, err := indicator.Parse("domain", fmt.Sprintf("name-%d.threat.example", n))
				if err != nil {
					b.Fatal(err)
				}
				as[i] = tocsin.Attribute{Value: v, ToIDS: true, Distribution: access.Inherit}
			}
			ev := &tocsin.Event{Info: "x", Org: 1}
			if _, err := db.Apply(b.Context(), v, func(tx *store.Tx) error {
				if err := tx.AddEvent(ev); err != nil {
					return err
				}
				_, err := tx.AddAttributes(ev.ID, as, false)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
