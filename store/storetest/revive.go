package storetest

import (
	"slices"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// What its owner took back stays away when a list that still has it is imported again,
// until whoever imports says otherwise.
func whatIsTakenBackStaysSo(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{}, "gone.example", "over.example", "kept.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		if _, err := tx.EditAttribute(as[1].ID, func(a *tocsin.Attribute) error { a.Ends = time.Now().Unix() - 1; return nil }); err != nil {
			return err
		}
		if _, err := tx.Publish(id, true); err != nil {
			return err
		}
		_, err := tx.Withdraw(as[0].ID)
		return err
	})
	take := func(revive bool) (r store.Addition) {
		w.write(t, w.ours, func(tx *store.Tx) (err error) {
			r, err = tx.ImportAttributes(id, Domains(t, "kept.example", "gone.example", "new.example", "over.example", "gone.example"), true, revive)
			return err
		})
		return r
	}
	r := take(false)
	if !slices.Equal(r.Duplicates, []int{0, 4}) || !slices.Equal(r.Withdrawn, []int{1, 3}) || !slices.Equal(r.From, []int{2}) || r.Revived != 0 {
		t.Errorf("imported again: %+v", r)
	}
	if got, want := w.values(t, w.ours, store.Query{}), []string{"over.example", "kept.example", "new.example"}; !slices.Equal(got, want) {
		t.Errorf("held: %v; want %v", got, want)
	}

	head := w.Head()
	r = take(true)
	if !slices.Equal(r.Duplicates, []int{0, 2, 4}) || r.Withdrawn != nil || !slices.Equal(r.From, []int{1, 3}) || r.Revived != 2 {
		t.Errorf("revived: %+v", r)
	}
	var there []tocsin.Attribute
	for a, err := range w.As(w.ours).Attributes(t.Context(), store.Query{Events: []int64{id}}) {
		if err != nil {
			t.Fatal(err)
		}
		there = append(there, a)
	}
	if len(there) != 4 || there[0].UUID != as[0].UUID || there[1].UUID != as[1].UUID || there[1].Ends != 0 || there[0].Deleted {
		t.Errorf("there again: %+v", there)
	}
	var told []tocsin.UUID
	for _, c := range w.changes(t, head) {
		if c.Kind != tocsin.KindAttribute {
			continue
		}
		if before, after := tocsin.Records[*tocsin.Attribute](&c, access.System("what followers were told")); before != nil && after != nil {
			told = append(told, after.UUID)
		}
	}
	if !slices.Equal(told, []tocsin.UUID{as[0].UUID, as[1].UUID}) {
		t.Errorf("followers were told of %v", told)
	}
	if e, err := w.As(w.ours).Event(t.Context(), id); err != nil || !e.Published || e.Attributes != 4 {
		t.Errorf("the event: %+v, %v", e, err)
	}
}

// An event of which all is withdrawn has nothing back either; adding by hand adds.
func aListBringsNothingBackIntoAnEmptyEvent(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{}, "gone.example")
	w.write(t, w.ours, func(tx *store.Tx) error { _, err := tx.Withdraw(as[0].ID); return err })
	var r store.Addition
	w.write(t, w.ours, func(tx *store.Tx) (err error) {
		r, err = tx.ImportAttributes(id, Domains(t, "gone.example"), false, false)
		return err
	})
	if len(r.Added) != 0 || !slices.Equal(r.Withdrawn, []int{0}) {
		t.Errorf("imported: %+v", r)
	}
	w.write(t, w.ours, func(tx *store.Tx) (err error) {
		r, err = tx.AddAttributes(id, Domains(t, "gone.example"), false)
		return err
	})
	if len(r.Added) != 1 || r.Added[0].UUID == as[0].UUID {
		t.Errorf("added by hand: %+v", r)
	}
	w.write(t, w.ours, func(tx *store.Tx) (err error) {
		r, err = tx.ImportAttributes(id, Domains(t, "gone.example"), false, false)
		return err
	})
	if !slices.Equal(r.Duplicates, []int{0}) || r.Withdrawn != nil {
		t.Errorf("imported where it is there again: %+v", r)
	}
}
