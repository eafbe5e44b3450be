package storetest

import (
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// What was in an event that was deleted for good may come again at once, before it is
// purged: its uuids are free. The event's own is refused until an administrator lets it
// in, as an entry is taken off a blocklist.
func deletedComesAgain(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "b.example")
	o := &tocsin.Object{Name: "file", UUID: tocsin.NewUUID(w.Now()), Distribution: access.Inherit}
	note := &tocsin.Note{Note: "seen"}
	note.About, note.UUID, note.Distribution = tocsin.Link{Kind: tocsin.KindAttribute, ID: as[0].ID}, tocsin.NewUUID(w.Now()), access.Community
	w.write(t, w.ours, func(tx *store.Tx) error {
		if _, err := tx.AddObject(id, o, nil); err != nil {
			return err
		}
		return store.AddRemark(tx, note)
	})
	e, err := w.As(w.ours).Event(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })

	again := func(uuid tocsin.UUID) error {
		_, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error {
			fresh := &tocsin.Event{Info: "again", UUID: uuid, Distribution: access.Community}
			if err := tx.AddEvent(fresh); err != nil {
				return err
			}
			parts := Domains(t, "a.example", "b.example")
			parts[0].UUID, parts[1].UUID = as[0].UUID, as[1].UUID
			added, err := tx.AddAttributes(fresh.ID, parts, false)
			if err != nil {
				return err
			}
			if _, err := tx.AddObject(fresh.ID, &tocsin.Object{Name: "file", UUID: o.UUID, Distribution: access.Inherit}, nil); err != nil {
				return err
			}
			n := &tocsin.Note{Note: "seen"}
			n.About, n.UUID, n.Distribution = tocsin.Link{Kind: tocsin.KindAttribute, ID: added.Added[0].ID}, note.UUID, access.Community
			return store.AddRemark(tx, n)
		})
		return err
	}
	if err := again(e.UUID); tocsin.CodeOf(err) != tocsin.Gone {
		t.Errorf("the event's own uuid: %v", err)
	}
	lift := func(v access.Viewer, u tocsin.UUID) tocsin.Code {
		return w.try(t, v, func(tx *store.Tx) error { return tx.Lift(u) })
	}
	if got := lift(w.ours, e.UUID); got != tocsin.Forbidden {
		t.Errorf("lifted by whoever deleted it: %v", got)
	}
	if got := lift(w.admin, as[0].UUID); got != tocsin.NotFound {
		t.Errorf("lifted what was no event: %v", got)
	}
	w.write(t, w.admin, func(tx *store.Tx) error { return tx.Lift(e.UUID) })
	if got := lift(w.admin, e.UUID); got != tocsin.NotFound {
		t.Errorf("lifted twice: %v", got)
	}
	if err := again(e.UUID); err != nil {
		t.Fatalf("once it was lifted: %v", err)
	}
	w.purge(t)
	if got := w.values(t, w.ours, store.Query{UUIDs: []tocsin.UUID{as[0].UUID, as[1].UUID}}); len(got) != 2 {
		t.Errorf("after the purge: %v", got)
	}
	if got, err := w.As(w.ours).EventByUUID(t.Context(), e.UUID); err != nil || got.Info != "again" {
		t.Errorf("after the purge: %+v, %v", got, err)
	}
	if err := again(tocsin.UUID{}); tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("uuids that a living event holds: %v", err)
	}
}
