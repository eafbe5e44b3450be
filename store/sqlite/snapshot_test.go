package sqlite

import (
	"bytes"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tocsin/store"
)

// A snapshot is the store after one line, though writers go on between its pages.
func TestSnapshotIsOneState(t *testing.T) {
	dir := t.TempDir()
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), e, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for range 20 {
		writeSome(t, db, "early "+rand8())
	}
	s, err := e.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	writeSome(t, db, "between")
	copied := filepath.Join(t.TempDir(), databaseFile)
	out, err := os.Create(copied)
	if err != nil {
		t.Fatal(err)
	}
	busy := &disturbed{out, func() { writeSome(t, db, "late "+rand8()) }}
	if err := s.Write(t.Context(), busy); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if db.Head() <= s.Head {
		t.Fatal("nothing was written meanwhile")
	}
	if info, err := os.Stat(copied); err != nil || info.Size() != s.Size {
		t.Errorf("%d octets, want %d", info.Size(), s.Size)
	}
	got, err := Inspect(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	if got.Head != s.Head || got.Schema != Newest() || !got.HeadAt.Equal(s.HeadAt) || !maps.Equal(got.Rows, s.Rows) ||
		got.Incarnation != db.Incarnation() || got.Size != s.Size {
		t.Errorf("the copy has %+v\nwant %+v", got, s.Facts)
	}
}

// disturbed has others do something before each write.
type disturbed struct {
	w      io.Writer
	before func()
}

func (d *disturbed) Write(b []byte) (int, error) {
	d.before()
	return d.w.Write(b)
}

func rand8() string { return time.Now().Format("150405.000000000") }

func TestInspectFindsDamage(t *testing.T) {
	dir := t.TempDir()
	writeAndClose(t, dir)
	path := filepath.Join(dir, databaseFile)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b); i++ {
		b[i] ^= 0x55
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Inspect(t.Context(), path); err == nil {
		t.Error("half of the file is noise, and nothing was found")
	}
}

func writeAndClose(t *testing.T, dir string) {
	t.Helper()
	db := openStore(t, dir)
	writeSome(t, db, "kept")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// later is one schema after today's.
func later(t *testing.T) fs.FS {
	t.Helper()
	steps := fstest.MapFS{}
	names, err := fs.Glob(builtIn, "*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := fs.ReadFile(builtIn, n)
		if err != nil {
			t.Fatal(err)
		}
		steps[n] = &fstest.MapFile{Data: b}
	}
	steps["99999_later.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE later (id INTEGER PRIMARY KEY) STRICT;\n")}
	return steps
}

// A store of an earlier schema is copied before its tables are changed, and the
// copy is what it was.
func TestUpgradeKeepsACopy(t *testing.T) {
	dir := t.TempDir()
	unpack(t, schemaFile(1), filepath.Join(dir, databaseFile))
	before, err := Inspect(t.Context(), filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	e, err := OpenWith(t.Context(), dir, Options{Log: slog.New(slog.NewTextHandler(&log, nil)), steps: later(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	kept := copies(t, dir)
	if len(kept) != 1 || !strings.HasPrefix(filepath.Base(kept[0]), "before-upgrade-1-") {
		t.Fatalf("kept: %q", kept)
	}
	got, err := Inspect(t.Context(), kept[0])
	if err != nil || got.Schema != 1 || got.Head != before.Head || !maps.Equal(got.Rows, before.Rows) {
		t.Errorf("the copy has %+v, %v\nwant %+v", got, err, before)
	}
	if now, err := Inspect(t.Context(), filepath.Join(dir, databaseFile)); err != nil || now.Schema != 99999 {
		t.Errorf("after the upgrade: %+v, %v", now, err)
	}
	if !strings.Contains(log.String(), "tocsin restore "+kept[0]) {
		t.Errorf("the log does not say how to go back: %s", log.String())
	}
	// An upgrade that fails and is tried again keeps no second copy: it would push
	// out the one that matters.
	unpack(t, schemaFile(1), filepath.Join(dir, databaseFile))
	if e, err = OpenWith(t.Context(), dir, Options{steps: later(t)}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	if again := copies(t, dir); !slices.Equal(again, kept) {
		t.Errorf("kept: %q", again)
	}
	// Opened again, there is nothing to keep.
	if e, err = OpenWith(t.Context(), dir, Options{steps: later(t)}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	if again := copies(t, dir); !slices.Equal(again, kept) {
		t.Errorf("kept: %q", again)
	}
}

func TestUpgradeKeepsTwoCopies(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"before-upgrade-9-20260101T000000Z.db", "before-upgrade-10-20260201T000000Z.db", "before-upgrade-11-20260301T000000Z.db"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(1_800_000_000+i), 0)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := prune(dir); err != nil {
		t.Fatal(err)
	}
	if got := copies(t, dir); len(got) != 2 || !strings.Contains(got[0], "-10-") || !strings.Contains(got[1], "-11-") {
		t.Errorf("kept: %q", got)
	}
}

func copies(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "before-upgrade-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Looking at a folder of an earlier schema does not change it.
func TestSnapshotOfChangesNothing(t *testing.T) {
	dir := t.TempDir()
	unpack(t, schemaFile(1), filepath.Join(dir, databaseFile))
	was, _ := os.ReadFile(filepath.Join(dir, databaseFile))
	s, err := SnapshotOf(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	is, _ := os.ReadFile(filepath.Join(dir, databaseFile))
	if s.Schema != 1 || !bytes.Equal(was, is) || !bytes.Equal(was, b.Bytes()) {
		t.Errorf("schema %d; file changed: %v; copied truly: %v", s.Schema, !bytes.Equal(was, is), bytes.Equal(was, b.Bytes()))
	}
}

// Nobody else on the machine can read what is kept, whatever the folder lets them.
func TestFilesAreTheirOwners(t *testing.T) {
	dir := t.TempDir()
	db := openStore(t, dir)
	defer db.Close()
	writeSome(t, db, "kept")
	for _, name := range []string{databaseFile, databaseFile + "-wal", databaseFile + "-shm"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}
