package store

import (
	"fmt"
	"testing"

	"tocsin"
)

// Changes of one commit come in any order. A name that one record gives up and
// another takes is the other's, whichever is put first.
func TestNamesChangeHands(t *testing.T) {
	for range 20 { // a map has many orders
		d := &directory{kinds: map[tocsin.Kind]*shelf{}}
		d.put(&tocsin.User{ID: 1, Email: "a@example.org"})
		d.put(&tocsin.User{ID: 2, Email: "b@example.org"})
		o := d.overlay()
		for _, u := range []*tocsin.User{{ID: 2, Email: "c@example.org"}, {ID: 1, Email: "b@example.org"}, {ID: 2, Email: "a@example.org"}} {
			o.set(docID{tocsin.KindUser, u.ID}, u)
		}
		o.publish()
		for _, v := range []shelfView{o, d} {
			for name, want := range map[string]int64{"b@example.org": 1, "A@example.org": 2, "c@example.org": 0} {
				r := v.named(tocsin.KindUser, name)
				if want == 0 && r != nil || want != 0 && (r == nil || r.RecordID() != want) {
					t.Fatalf("%T: %s is %v, want user %d", v, name, r, want)
				}
			}
		}
	}
}

// BenchmarkNames shows that a write's thousandth new name costs what its first
// does: all other writers wait for it.
func BenchmarkNames(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			o := (&directory{kinds: map[tocsin.Kind]*shelf{}}).overlay()
			for i := range n {
				o.set(docID{tocsin.KindTag, int64(i + 1)}, &tocsin.Tag{ID: int64(i + 1), Name: fmt.Sprint("tag ", i)})
			}
			for b.Loop() {
				o.named(tocsin.KindTag, "a tag that there is not")
			}
		})
	}
}
