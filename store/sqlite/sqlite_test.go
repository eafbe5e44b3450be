package sqlite

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/seal"
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

// Nothing of a secret is in the files, whatever became of the record that it was in;
// and nothing of what was deleted for good, once it is purged.
func TestFilesHoldNoSecret(t *testing.T) {
	dir := t.TempDir()
	const secret, name = "an octet string that nobody may read", "deleted-for-good.example"
	sealed := func() *store.DB {
		e, err := Open(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := seal.Open(filepath.Join(dir, "seal.key"))
		if err != nil {
			t.Fatal(err)
		}
		db, err := store.New(t.Context(), e, store.Options{Seal: keys})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	// As the first version kept it: in clear, often replaced, and removed.
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	old := fmt.Appendf(nil, `{"id":1,"name":"old","tsig":{"name":"k","algorithm":"hmac-sha256","secret":%q}}`, base64.StdEncoding.EncodeToString([]byte(secret)))
	for n := range 100 {
		err := e.Write(t.Context(), func(w store.Writer) error {
			d := store.Doc{Kind: tocsin.KindSubscriber, ID: 1, Name: "old", JSON: append(bytes.Repeat([]byte(" "), 10*n), old...)}
			return errors.Join(w.PutDoc(t.Context(), d), w.AppendLines(t.Context(), []store.LogLine{{Seq: tocsin.Seq(n + 1), Kind: d.Kind, ID: 1, Before: old, After: d.JSON}}))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if !inFiles(t, dir, secret) {
		t.Fatal("the test looks in the wrong place")
	}
	db := sealed()
	if inFiles(t, dir, secret) {
		t.Error("the secret of the first version is still in the files of an open store")
	}
	_, err = db.Apply(t.Context(), access.System("a test"), func(tx *store.Tx) error {
		s, err := store.Get[*tocsin.Subscriber](tx, 1)
		if err != nil {
			return err
		}
		c := &tocsin.Collection{Name: "c", Org: 1}
		if err := store.Put(tx, c); err != nil {
			return err
		}
		again := *s
		again.Name, again.Collection = "new", c.ID
		if err := store.Put(tx, &again); err != nil {
			return err
		}
		ev := &tocsin.Event{Info: "an event", Org: 1}
		if err := tx.AddEvent(ev); err != nil {
			return err
		}
		v, _ := indicator.Parse("domain", name)
		_, err = tx.AddAttributes(ev.ID, []tocsin.Attribute{{Value: v, Distribution: access.Inherit}}, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Apply(t.Context(), access.System("a test"), func(tx *store.Tx) error {
		_, err := tx.EditAttribute(1, func(a *tocsin.Attribute) error { a.Comment = "edited"; return nil })
		return errors.Join(err, tx.DeleteAttribute(1))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{secret, name} {
		if inFiles(t, dir, what) {
			t.Errorf("%q is in the files", what)
		}
	}
}

func inFiles(t *testing.T, dir, secret string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "tocsin.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte(base64.StdEncoding.EncodeToString([]byte(secret)))) {
			return true
		}
	}
	return false
}
