package match_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/match"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// The index that follows a real store finds, for everyone, what the store finds.
func TestTheIndexAgreesWithTheStore(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	engine, err := sqlite.Open(ctx, filepath.Join(dir, "store"))
	must(t, err)
	db, err := store.New(ctx, engine, store.Options{})
	must(t, err)
	defer db.Close()
	admin := access.System("test")
	apply := func(v access.Viewer, fn func(*store.Tx) error) tocsin.Seq {
		t.Helper()
		seq, err := db.Apply(ctx, v, fn)
		must(t, err)
		return seq
	}
	apply(admin, func(tx *store.Tx) error {
		for _, n := range []string{"One", "Two"} {
			must(t, store.Put(tx, &tocsin.Organisation{Name: n, UUID: tocsin.NewUUID(tx.Now()), Local: true}))
		}
		return store.Put(tx, &tocsin.Group{Name: "both", Org: 1, Members: []tocsin.Member{{Org: 1}, {Org: 2}}})
	})
	publisher, _ := access.RoleByID(4)
	one := access.NewViewer("one", 1, 1, publisher.Role, db.GroupsOf(1)...)
	two := access.NewViewer("two", 2, 2, publisher.Role, db.GroupsOf(2)...)
	viewers := []access.Viewer{{}, admin, one, two, access.Organisation("stranger", 99)}

	x, stop := followed(t, db, filepath.Join(dir, "match"))
	defer func() { stop() }()
	r := rand.New(rand.NewPCG(1, 1))
	value := func() indicator.Value {
		typ, text := "domain", "d%d.example.org"
		if r.IntN(2) == 0 {
			typ, text = "url", "http://d%d.example.org/"
		}
		v, err := indicator.Parse(typ, fmt.Sprintf(text, r.IntN(8)))
		must(t, err)
		return v
	}
	level := func() access.Distribution { return access.Distribution(r.IntN(int(access.Inherit))) }
	group := int64(1)
	var events, attributes []int64
	change := func(tx *store.Tx) error {
		switch n := r.IntN(10); {
		case n < 2 || len(attributes) == 0:
			e := tocsin.Event{Info: "an event", Distribution: level(), Group: group}
			must(t, tx.AddEvent(&e))
			events = append(events, e.ID)
			fallthrough
		case n < 4:
			var as []tocsin.Attribute
			for range 1 + r.IntN(9) {
				as = append(as, tocsin.Attribute{Value: value(), Distribution: level(), Group: group})
			}
			added, err := tx.AddAttributes(events[r.IntN(len(events))], as, r.IntN(2) == 0)
			for _, a := range added.Added {
				attributes = append(attributes, a.ID)
			}
			return err
		case n < 7:
			_, err := tx.EditAttribute(attributes[r.IntN(len(attributes))], func(a *tocsin.Attribute) error {
				a.Value, a.Distribution, a.Group = value(), level(), group
				a.ToIDS, a.Deleted = r.IntN(2) == 0, r.IntN(3) == 0
				return nil
			})
			return err
		case n < 8:
			return tx.DeleteAttribute(attributes[r.IntN(len(attributes))])
		case n < 9:
			_, err := tx.EditEvent(events[r.IntN(len(events))], func(e *tocsin.Event) error {
				e.Distribution, e.Group, e.Published = level(), group, r.IntN(2) == 0
				return nil
			})
			return err
		}
		return tx.DeleteEvent(events[r.IntN(len(events))])
	}
	for round := range 150 {
		// What was deleted before, or would be there twice, is refused.
		if _, err := db.Apply(ctx, one, change); err != nil && tocsin.CodeOf(err) == tocsin.Internal {
			t.Fatal(err)
		}
		if round%50 == 49 {
			stop()
			x, stop = followed(t, db, filepath.Join(dir, "match"))
		}
		must(t, db.Await(ctx, "match", db.Head()))
		for _, v := range viewers {
			sight := db.Labels().Sight(v, access.Read)
			for i := range 8 {
				for _, k := range []string{"d:d%d.example.org", "u:http://d%d.example.org/", "m:d%d.example.org"} {
					k := indicator.Key(fmt.Sprintf(k, i))
					var got, want []int64
					for _, c := range x.Find(sight, k, nil) {
						got = append(got, c.Attribute)
					}
					for a, err := range db.As(v).Attributes(ctx, store.Query{Keys: []indicator.Key{k}}) {
						must(t, err)
						want = append(want, a.ID)
					}
					slices.Sort(want)
					if !slices.Equal(got, want) {
						t.Fatalf("round %d, %q for %q: %v, want %v", round, k, v.Name(), got, want)
					}
				}
			}
		}
	}
	if st := x.Stats(); st.Entries == 0 || st.Events == 0 {
		t.Errorf("nothing was compared: %+v", st)
	}
}

// followed opens the index and lets it follow the store until stop is called.
func followed(t *testing.T, db *store.DB, dir string) (x *match.Index, stop func()) {
	t.Helper()
	x, err := match.Open(dir, db.Hasher(), db.Labels(), nil)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- db.Follow(ctx, x) }()
	return x, func() {
		cancel()
		must(t, <-done)
		must(t, x.Close())
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
