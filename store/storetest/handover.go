package storetest

import (
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// An event is handed over with all that is in it, by wish of the one and consent of the
// other.
func eventsAreHandedOver(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{Distribution: access.OrgOnly, Published: true}, "a.example", "b.example")
	o, as := w.object(t, id, tocsin.Object{Name: "file", Distribution: access.OrgOnly}, "c.example")
	h := about(tocsin.KindObject, o.ID)
	h.To = tocsin.Link{Kind: tocsin.KindAttribute, ID: as[0].ID}
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.EditAttribute(as[0].ID, func(a *tocsin.Attribute) error { a.Distribution = access.OrgOnly; return nil })
		if err != nil {
			return err
		}
		if err := store.AddRemark(tx, &tocsin.Reference{Head: h, Relation: "drops"}); err != nil {
			return err
		}
		return store.AddRemark(tx, &tocsin.Report{Head: about(tocsin.KindEvent, id), Name: "what happened"})
	})
	wish := func(d tocsin.Handover) func(*store.Tx) error {
		return func(tx *store.Tx) error { return store.Put(tx, &d) }
	}
	plain := access.NewViewer("a user of ours", 3, 1, access.Roles[2].Role)
	for what, c := range map[string]struct {
		v    access.Viewer
		d    tocsin.Handover
		want tocsin.Code
	}{
		"another's event":         {w.theirs, tocsin.Handover{Event: id, Org: 2, Requester: 1}, tocsin.NotFound},
		"in another's name":       {w.theirs, tocsin.Handover{Event: id, Org: 1, Requester: 2}, tocsin.NotFound},
		"to oneself":              {w.ours, tocsin.Handover{Event: id, Org: 1, Requester: 1}, tocsin.Invalid},
		"to nobody":               {w.ours, tocsin.Handover{Event: id, Org: 77, Requester: 1}, tocsin.Invalid},
		"without publishing":      {plain, tocsin.Handover{Event: id, Org: 2, Requester: 1}, tocsin.Forbidden},
		"an event that isn't":     {w.ours, tocsin.Handover{Event: 99, Org: 2, Requester: 1}, tocsin.NotFound},
		"a group of one's own":    {w.theirs, tocsin.Handover{Event: id, Org: 1, Requester: 2, Distribution: new(access.Group), Group: w.own}, tocsin.NotFound},
		"with a wrong level":      {w.ours, tocsin.Handover{Event: id, Org: 2, Requester: 1, Distribution: new(access.Inherit)}, tocsin.Invalid},
		"with a group of nothing": {w.ours, tocsin.Handover{Event: id, Org: 2, Requester: 1, Distribution: new(access.Group), Group: 99}, tocsin.Invalid},
	} {
		if got := w.try(t, c.v, wish(c.d)); got != c.want {
			t.Errorf("delegating %s: %q, want %q", what, got, c.want)
		}
	}
	w.write(t, w.ours, wish(tocsin.Handover{Event: id, Org: 2, Requester: 1}))
	if got := w.try(t, w.ours, wish(tocsin.Handover{Event: id, Org: 2, Requester: 1})); got != tocsin.Conflict {
		t.Errorf("delegating it again: %q", got)
	}
	if n := length(w.As(w.theirs).Delegations()); n != 1 {
		t.Fatalf("they see %d delegations", n)
	}
	accept := func(tx *store.Tx) error { _, err := tx.AcceptDelegation(1); return err }
	if got := w.try(t, w.ours, accept); got != tocsin.Forbidden {
		t.Errorf("accepted by whoever asked: %q", got)
	}
	if got := w.try(t, access.NewViewer("a stranger", 9, 3, access.Roles[3].Role), accept); got != tocsin.NotFound {
		t.Errorf("accepted by a stranger: %q", got)
	}
	w.write(t, w.theirs, accept)
	for who, c := range map[string]struct {
		v    access.Viewer
		want int
	}{"whose it was": {w.ours, 0}, "whose it is": {w.theirs, 1}} {
		view := w.As(c.v)
		if n := len(w.values(t, c.v, store.Query{})); n != 3*c.want {
			t.Errorf("%s has %d attributes", who, n)
		}
		if n := count(t, view.Objects(t.Context(), store.ObjectQuery{})); n != c.want {
			t.Errorf("%s has %d objects", who, n)
		}
		if n := w.many(t, c.v); int(n[tocsin.KindReference]) != c.want || int(n[tocsin.KindReport]) != c.want {
			t.Errorf("%s has %v", who, n)
		}
	}
	e, err := w.As(w.theirs).Event(t.Context(), id)
	if err != nil || e.Org != 2 || e.Orgc != 2 || e.User != 2 || e.Published {
		t.Errorf("%+v %v", e, err)
	}
	if got := w.try(t, w.theirs, accept); got != tocsin.NotFound {
		t.Errorf("accepted twice: %q", got)
	}
	w.write(t, w.theirs, wish(tocsin.Handover{Event: id, Org: 1, Requester: 2}))
	w.write(t, w.theirs, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	if n := length(w.As(w.ours).Delegations()); n != 0 {
		t.Errorf("%d delegations of a deleted event", n)
	}
}
