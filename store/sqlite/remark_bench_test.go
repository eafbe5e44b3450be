package sqlite

import (
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// Sightings of one attribute, a thousand in a write, as a resolver's log brings them;
// and the first page of them, as the event's owner and as a stranger.
func BenchmarkSightings(b *testing.B) {
	e, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.New(b.Context(), e, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	system := access.System("a benchmark")
	var as []tocsin.Attribute
	write := func(fn func(*store.Tx) error) {
		b.Helper()
		if _, err := db.Apply(b.Context(), system, fn); err != nil {
			b.Fatal(err)
		}
	}
	write(func(tx *store.Tx) error {
		e := &tocsin.Event{Info: "an event", Org: 1, Distribution: access.Community}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		v, _ := indicator.Parse("domain", "a.example")
		r, err := tx.AddAttributes(e.ID, []tocsin.Attribute{{Value: v, Distribution: access.Inherit}}, false)
		as = r.Added
		return err
	})
	b.Run("add", func(b *testing.B) {
		for n := 0; n < b.N; n += 1000 {
			write(func(tx *store.Tx) error {
				for range min(1000, b.N-n) {
					s := &tocsin.Sighting{Head: tocsin.Head{Org: 2, About: tocsin.Link{Kind: tocsin.KindAttribute, ID: as[0].ID}}, Source: "resolver-1"}
					if err := store.AddRemark(tx, s); err != nil {
						return err
					}
				}
				return nil
			})
		}
	})
	for _, who := range []access.Viewer{access.Organisation("owner", 1), access.Organisation("reporter", 2), access.Organisation("stranger", 3)} {
		b.Run("of 20000/"+who.Name(), func(b *testing.B) {
			for b.Loop() {
				for _, err := range db.As(who).Sightings(b.Context(), store.RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{as[0].ID}, Newest: true, Limit: 50}) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
