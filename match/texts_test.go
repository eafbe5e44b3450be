package match

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// kept is a store of one event.
func kept(t testing.TB, texts ...string) *store.DB {
	e, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), e, store.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	write(t, db, func(tx *store.Tx) error {
		if err := store.Put(tx, &tocsin.Organisation{Name: "Ours", UUID: tocsin.UUID{1}, Local: true}); err != nil {
			return err
		}
		return tx.AddEvent(&tocsin.Event{Info: "an event", Org: 1})
	})
	claim(t, db, texts...)
	return db
}

func write(t testing.TB, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if _, err := db.Apply(t.Context(), access.System("test"), fn); err != nil {
		t.Fatal(err)
	}
}

func textOf(t testing.TB, s string) indicator.Value {
	v, err := indicator.Parse("text", s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func claim(t testing.TB, db *store.DB, texts ...string) {
	t.Helper()
	as := make([]tocsin.Attribute, len(texts))
	for i, s := range texts {
		as[i] = tocsin.Attribute{Value: textOf(t, s), Distribution: access.Inherit}
	}
	write(t, db, func(tx *store.Tx) error { _, err := tx.AddAttributes(1, as, false); return err })
}

// TestTexts finds what was there, what came, what was changed, and what is long.
func TestTexts(t *testing.T) {
	long := strings.Repeat("long ", maxHeldText)
	db := kept(t, "Alpha beta", "gamma", "beta|Delta", long)
	texts := NewTexts(db)
	ask := func(limit int, want string, patterns ...string) {
		t.Helper()
		ids, ok, err := texts.Containing(t.Context(), patterns, limit)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(ids)
		if !ok {
			got = "no"
		}
		if got != want {
			t.Errorf("%q: %s, not %s", patterns, got, want)
		}
	}
	ask(10, "[1 3 4]", "%BETA%")
	ask(10, "[1 3 4]", "al%beta", "%delt%")
	ask(10, "[4]", "%absent%")
	ask(10, "[2 4]", "gamma%mm")
	ask(2, "no", "%a%")
	ask(10, "no", "%")
	ask(10, "no", "%a%", "")
	ask(10, "no", "%beta\x00gamma%")
	claim(t, db, "another beta", "more")
	ask(10, "[1 3 4 5]", "%beta%")
	write(t, db, func(tx *store.Tx) error {
		_, err := tx.EditAttribute(6, func(a *tocsin.Attribute) error { a.Value = textOf(t, "less beta"); return nil })
		return err
	})
	ask(10, "[1 3 4 5 6]", "%beta%")
	for i := range 1100 {
		write(t, db, func(tx *store.Tx) error {
			_, err := tx.EditAttribute(6, func(a *tocsin.Attribute) error { a.Value = textOf(t, fmt.Sprint("edited ", i)); return nil })
			return err
		})
		if i%100 == 0 {
			ask(10, "[4 6]", fmt.Sprintf("%%edited %d%%", i))
		}
	}
	ask(10, "[4 6]", "%edited 1099%")
	if n := len(texts.ids); n > 1000 {
		t.Errorf("what was edited over and over is held %d times", n)
	}
}

// BenchmarkTexts is a search for a part of a value among a million.
func BenchmarkTexts(b *testing.B) {
	t := NewTexts(kept(b))
	t.read, t.seq = true, t.db.Head()
	for i := range 1_000_000 {
		t.add(&tocsin.Attribute{ID: int64(i + 1), Value: textOf(b, fmt.Sprintf("host-%d.some-domain.example.org", i))})
	}
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		begin := time.Now()
		ids, ok, err := t.Containing(b.Context(), []string{fmt.Sprintf("%%-%d.some%%", 7919*i%1_000_000)}, 1000)
		if err != nil || !ok || len(ids) != 1 {
			b.Fatal(ids, ok, err)
		}
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms-p95")
	b.ReportMetric(float64(cap(t.buf)+8*cap(t.ids)+8*cap(t.ends))/(1<<20), "MB")
}
