package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
	"tocsin/store/storetest"
)

func TestEngine(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) store.Engine {
		e, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

// What Apply acknowledges must survive a power cut, which a test can't make. It
// can read what SQLite was told.
func TestCommitsAreSynced(t *testing.T) {
	e, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
		var got string
		if err := e.writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
}

func TestFolderIsUsedOnce(t *testing.T) {
	dir := t.TempDir()
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir); tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("second open: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = Open(t.Context(), dir); err != nil {
		t.Fatalf("open after close: %v", err)
	}
	e.Close()
}

func TestAnyNameOfAFolder(t *testing.T) {
	for _, name := range []string{"100%", "what?", "a#b", "%41", "with space", "é"} {
		dir := filepath.Join(t.TempDir(), name)
		e, err := Open(t.Context(), dir)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		e.Close()
		if _, err := os.Stat(filepath.Join(dir, "tocsin.db")); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestStoreOfALaterVersion(t *testing.T) {
	dir := t.TempDir()
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.writer.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`); err != nil {
		t.Fatal(err)
	}
	e.Close()
	if _, err := Open(t.Context(), dir); tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("open: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "tocsin.db")); err != nil {
		t.Error(err)
	}
}

// BenchmarkAdd adds runs of 20,000 attributes to one event.
func BenchmarkAdd(b *testing.B) {
	e, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.New(b.Context(), e, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	v := access.System("benchmark")
	ev := &tocsin.Event{Info: "x", Org: 1}
	if _, err := db.Apply(b.Context(), v, func(tx *store.Tx) error { return tx.AddEvent(ev) }); err != nil {
		b.Fatal(err)
	}
	const run = 20_000
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
		if _, err := db.Apply(b.Context(), v, func(tx *store.Tx) error {
			_, err := tx.AddAttributes(ev.ID, as, false)
			return err
		}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "rows/s")
}

// On a full disk SQLite may undo a whole transaction by itself. What shares a
// commit with the write that met it must not be written behind its back.
func TestNothingIsWrittenOutsideTheTransaction(t *testing.T) {
	e, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	put := func(w store.Writer, name string) error { return w.PutSetting(t.Context(), name, []byte("x")) }
	err = e.Write(t.Context(), func(w store.Writer) error {
		if err := put(w, "first"); err != nil {
			return err
		}
		w.Savepoint(t.Context(), func() error {
			e.writer.exec(t.Context(), "ROLLBACK") // what SQLite does
			return fmt.Errorf("the disk is full")
		})
		w.Savepoint(t.Context(), func() error { return put(w, "second") })
		put(w, "third")
		return nil
	})
	if err == nil {
		t.Error("the write is said to be done")
	}
	err = e.Read(t.Context(), func(r store.Reader) error {
		for _, name := range []string{"first", "second", "third"} {
			if b, err := r.Setting(t.Context(), name); b != nil || err != nil {
				t.Errorf("%s was written: %s, %v", name, b, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
