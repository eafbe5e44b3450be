package intake_test

import (
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/codec"
	"tocsin/intake"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// A world is a desk over an empty store with two organisations and a sharing
// group that Ours alone is a member of.
type world struct {
	*intake.Desk
	ours, theirs, user, reader access.Viewer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), engine, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	apply(t, db, access.System("test"), func(tx *store.Tx) error {
		for _, n := range []string{"Ours", "Theirs"} {
			if err := store.Put(tx, &tocsin.Organisation{Name: n, UUID: tocsin.NewUUID(tx.Now()), Local: true}); err != nil {
				return err
			}
		}
		if err := store.Put(tx, &tocsin.Collection{Name: "block", Org: 1, Sources: []int64{1}}); err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Group{Name: "own", Org: 1, Members: []tocsin.Member{{Org: 1}}})
	})
	as := func(user, org, role int64) access.Viewer {
		r, _ := access.RoleByID(role)
		return access.NewViewer(r.Name, user, org, r.Role, db.GroupsOf(org)...)
	}
	return &world{&intake.Desk{DB: db}, as(1, 1, 4), as(2, 2, 4), as(3, 1, 3), as(4, 1, 6)}
}

func apply(t testing.TB, db *store.DB, v access.Viewer, fn func(*store.Tx) error) {
	t.Helper()
	if _, err := db.Apply(t.Context(), v, fn); err != nil {
		t.Fatal(err)
	}
}

// event adds an event with drafts and returns its id.
func (w *world) event(t testing.TB, drafts ...intake.Draft) int64 {
	t.Helper()
	r, err := w.AddEvent(t.Context(), w.ours, intake.EventDraft{Info: "an event", Attributes: drafts})
	if err != nil {
		t.Fatal(err)
	}
	return r.Event.ID
}

// claims lists what v sees of an event, as "category/type value".
func (w *world) claims(t testing.TB, v access.Viewer, event int64) []string {
	t.Helper()
	out := []string{}
	for a, err := range w.DB.As(v).Attributes(t.Context(), store.Query{Events: []int64{event}}) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s/%s %s", a.Category, a.Value.TypeName(), a.Value))
	}
	return out
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// wantError checks the code of an error and what it says.
func wantError(t testing.TB, err error, code tocsin.Code, says string) {
	t.Helper()
	if err == nil || tocsin.CodeOf(err) != code || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v (%s), want %s that says %q", err, tocsin.CodeOf(err), code, says)
	}
}

func domains(n int) []intake.Draft {
	ds := make([]intake.Draft, n)
	for i := range ds {
		ds[i] = intake.Draft{Text: fmt.Sprintf("evil%d.example", i), Type: "domain"}
	}
	return ds
}

// list is a source of text.
func list(t testing.TB, text string) iter.Seq2[intake.Draft, error] {
	t.Helper()
	f, err := codec.Reader("text")
	if err != nil {
		t.Fatal(err)
	}
	return f.Read(strings.NewReader(text), codec.Options{})
}

// shared opens a file of the shared data, or skips the test.
func shared(t testing.TB, name string) io.Reader {
	t.Helper()
	root := cmp.Or(os.Getenv("TOCSIN_SHARED"), "../../shared")
	f, err := os.Open(filepath.Join(root, "data", name))
	if err != nil {
		t.Skip("no shared data here: " + name)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}
