package sqlite

import (
	"compress/gzip"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

var keepSchema = flag.Bool("keep-schema", false, "keep a small store of today's schema in testdata, for the tests of tomorrow")

// A store of each schema there ever was is in testdata, so that every one can
// be opened: go test ./store/sqlite -run Schema -keep-schema adds today's.
func TestEverySchemaOpens(t *testing.T) {
	newest := newestSchema(t)
	if *keepSchema {
		keep(t, schemaFile(newest))
	}
	for n := int64(1); n <= newest; n++ {
		if _, err := os.Stat(schemaFile(n)); err != nil && n < newest {
			continue // never the newest of a version that somebody ran
		}
		t.Run(fmt.Sprint("schema", n), func(t *testing.T) {
			dir := t.TempDir()
			unpack(t, schemaFile(n), filepath.Join(dir, "tocsin.db"))
			db := openStore(t, dir)
			defer db.Close()
			view := db.As(access.NewViewer("a member of the group", 0, 2, 0, db.GroupsOf(2)...))
			e, err := view.Event(t.Context(), 1)
			if err != nil || e.Info != "kept" || e.Attributes != 2 {
				t.Fatalf("the event is %+v, %v", e, err)
			}
			v, _ := indicator.Parse("domain", "kept.example")
			found := 0
			for a, err := range view.Attributes(t.Context(), store.Query{Keys: v.Keys()}) {
				if err != nil || a.Value != v {
					t.Fatalf("%+v, %v", a, err)
				}
				found++
			}
			if found != 1 {
				t.Errorf("%d attributes by key, want 1", found)
			}
			writeSome(t, db, "written since")
		})
	}
}

func schemaFile(n int64) string {
	return filepath.Join("testdata", fmt.Sprintf("schema-%d.db.gz", n))
}

func newestSchema(t *testing.T) (n int64) {
	t.Helper()
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(filepath.Base(files[len(files)-1]), "%05d", &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func openStore(t *testing.T, dir string) *store.DB {
	t.Helper()
	e, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), e, store.Options{Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func writeSome(t *testing.T, db *store.DB, info string) {
	t.Helper()
	_, err := db.Apply(t.Context(), access.System("a test"), func(tx *store.Tx) error {
		g := &tocsin.Group{Name: "for " + info, Org: 1, Members: []tocsin.Member{{Org: 1}, {Org: 2}}}
		if err := store.Put(tx, g); err != nil {
			return err
		}
		e := &tocsin.Event{Info: info, Org: 1, Distribution: access.Group, Group: g.ID, Published: true}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		var as []tocsin.Attribute
		for _, name := range []string{info + ".example", "two.example"} {
			v, err := indicator.Parse("domain", name)
			if err != nil {
				v, _ = indicator.Parse("text", name)
			}
			as = append(as, tocsin.Attribute{Value: v, Distribution: access.Inherit, ToIDS: true})
		}
		tag, err := tx.TagNamed("tlp:amber", "")
		if err != nil {
			return err
		}
		as[0].Tags = tocsin.NewTagSet(tocsin.Attached{Tag: tag.ID})
		_, err = tx.AddAttributes(e.ID, as, false)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func keep(t *testing.T, file string) {
	t.Helper()
	dir := t.TempDir()
	db := openStore(t, dir)
	writeSome(t, db, "kept")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(filepath.Join(dir, "tocsin.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := os.MkdirAll("testdata", 0o777); err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	z, _ := gzip.NewWriterLevel(out, gzip.BestCompression)
	if _, err := io.Copy(z, in); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatalf("a store of this schema must be kept: %v", err)
	}
	defer in.Close()
	z, err := gzip.NewReader(in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// What the first version deleted for good left its images in the log. They go when
// the store is purged the next time.
func TestOldGravesAreCleared(t *testing.T) {
	dir := t.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "tocsin.db"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{
		`INSERT INTO tombstones (uuid, kind, at) VALUES (x'0100000000000000000000000000000a', 2, 1), (x'0100000000000000000000000000000b', 3, 1), (x'0100000000000000000000000000000c', 1, 1)`,
		`INSERT INTO events (id, uuid, org, orgc, user, info, date, threat, analysis, distribution, sgroup, published, published_at, timestamp, flags, tags, label, attributes, restricted, hidden, seq)
			VALUES (2, x'0100000000000000000000000000000c', 1, 1, 0, 'secret', '', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 6)`,
		`INSERT INTO log (seq, at, actor, kind, id, event, first, last, scope, label, before, after) VALUES
			(1, 0, 0, 2, 5, 1, 0, 0, 0, 0, NULL, '{"id":5,"uuid":"01000000-0000-0000-0000-00000000000a","event":1,"value":"secret"}'),
			(2, 0, 0, 3, 7, 0, 0, 0, 0, 0, NULL, '{"ID":7,"UUID":"01000000-0000-0000-0000-00000000000b","Event":1,"Name":"secret","Label":0}'),
			(3, 0, 0, 2, 5, 1, 0, 0, 0, 0, '{"id":5,"uuid":"01000000-0000-0000-0000-00000000000a","event":1,"value":"secret"}', NULL),
			(4, 0, 0, 3, 7, 0, 0, 0, 0, 0, '{"ID":7,"UUID":"01000000-0000-0000-0000-00000000000b","Event":1,"Name":"secret","Label":0}', NULL),
			(5, 0, 0, 1, 2, 0, 0, 0, 0, 0, NULL, '{"id":2,"uuid":"01000000-0000-0000-0000-00000000000c","info":"secret"}'),
			(6, 0, 0, 1, 2, 0, 0, 0, 1, 0, '{"id":2,"uuid":"01000000-0000-0000-0000-00000000000c","info":"secret"}', NULL)`,
	} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := openStore(t, dir)
	for n := int64(1); n != 0; {
		if n, err = s.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for _, last := range []byte{0x0a, 0x0b, 0x0c} {
		_, err := s.Apply(t.Context(), access.System("a test"), func(tx *store.Tx) error {
			return tx.AddEvent(&tocsin.Event{Info: "again", Org: 1, UUID: tocsin.UUID{1, 15: last}})
		})
		if tocsin.CodeOf(err) != tocsin.Gone {
			t.Errorf("the uuid of what was deleted: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if inFiles(t, dir, "secret") {
		t.Error("something is left in the files")
	}
}
