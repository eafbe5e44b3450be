package sqlite

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

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
