package storetest

import (
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// Who asks for parts of attributes gets those, whole, and nothing in place of the
// rest.
func partsThatAreAskedFor(t *testing.T, w *world) {
	w.event(t, tocsin.Event{})
	e, _ := w.event(t, tocsin.Event{})
	v, err := indicator.Parse("domain", "parts.example")
	if err != nil {
		t.Fatal(err)
	}
	seen := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.AddAttributes(e, []tocsin.Attribute{{Value: v, ToIDS: true, NoCorrelate: true, Relation: "host", Category: 3, Comment: "why",
			Distribution: access.Community, Timestamp: 1000, FirstSeen: seen, LastSeen: seen.Add(time.Hour), Ends: 1 << 40}}, false)
		return err
	})
	read := func(ps tocsin.Parts) (a tocsin.Attribute) {
		t.Helper()
		for got, err := range w.DB.As(w.ours).Attributes(t.Context(), store.Query{Parts: ps}) {
			if err != nil {
				t.Fatal(err)
			}
			a = got
		}
		return a
	}
	whole := read(0)
	if whole.Comment != "why" || whole.Seq == 0 || whole.Label == 0 {
		t.Fatalf("whole: %+v", whole)
	}
	for n := range 256 {
		ps := tocsin.Parts(n)
		want := tocsin.Attribute{ID: whole.ID, Event: whole.Event, Value: whole.Value, ToIDS: true, NoCorrelate: true}
		if ps.Has(tocsin.PartUUID) {
			want.UUID = whole.UUID
		}
		if ps.Has(tocsin.PartCategory) {
			want.Category = whole.Category
		}
		if ps.Has(tocsin.PartPlace) {
			want.Object, want.Relation, want.Comment = whole.Object, whole.Relation, whole.Comment
		}
		if ps.Has(tocsin.PartMarks) {
			want.Tags, want.Label = whole.Tags, whole.Label
		}
		if ps.Has(tocsin.PartTimes) {
			want.Timestamp, want.FirstSeen, want.LastSeen = whole.Timestamp, whole.FirstSeen, whole.LastSeen
		}
		if ps.Has(tocsin.PartHolds) {
			want.Seen, want.Ends, want.Guard, want.Override = whole.Seen, whole.Ends, whole.Guard, whole.Override
		}
		if ps.Has(tocsin.PartRest) {
			want.Distribution, want.Group, want.Seq, want.OverriddenBy = whole.Distribution, whole.Group, whole.Seq, whole.OverriddenBy
		}
		if got := read(ps); got != want {
			t.Errorf("parts %b:\n%+v, not\n%+v", ps, got, want)
		}
	}
}
