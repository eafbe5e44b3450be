package storetest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// What an engine must do with remarks.
var remarkTests = map[string]func(*testing.T, *world){
	"WhoMayRemark":              whoMayRemark,
	"RemarksHideWithTheirs":     remarksHideWithTheirs,
	"RemarksOnRemarks":          remarksOnRemarks,
	"SightingsByPolicy":         sightingsByPolicy,
	"WhenSighted":               whenSighted,
	"SightedToTheDay":           sightedToTheDay,
	"RemarksOnWhatIsElsewhere":  remarksOnWhatIsElsewhere,
	"SightingsByValue":          sightingsByValue,
	"ProposalsAreForOthers":     proposalsAreForOthers,
	"RemarksAreFound":           remarksAreFound,
	"RemarksInTheLog":           remarksInTheLog,
	"DeletedForGoodLeavesTrace": deletedForGoodLeavesTrace,
	"RelationsAreNarrower":      relationsAreNarrower,
}

func about(k tocsin.Kind, id int64) tocsin.Head {
	return tocsin.Head{About: tocsin.Link{Kind: k, ID: id}, Distribution: access.Inherit}
}

// someOfEachRemark adds a remark of each kind to event 1, attribute 1 and object 1,
// in the name of organisation 1; but see [proposedAndHidden].
func someOfEachRemark(tx *store.Tx) error {
	head := func(k tocsin.Kind) tocsin.Head {
		h := about(k, 1)
		h.Org = 1
		return h
	}
	ref := head(tocsin.KindObject)
	ref.To = tocsin.Link{Kind: tocsin.KindAttribute, ID: 1}
	alone := tocsin.Head{Org: 1}
	brought := head(tocsin.KindAttribute)
	brought.To = tocsin.Link{Kind: tocsin.KindEvent, ID: 1}
	return errors.Join(
		store.AddRemark(tx, &tocsin.Reference{Head: ref, Relation: "related-to"}),
		store.AddRemark(tx, &tocsin.Sighting{Head: brought}),
		store.AddRemark(tx, &tocsin.Report{Head: head(tocsin.KindEvent), Name: "a report"}),
		store.AddRemark(tx, &tocsin.Note{Head: head(tocsin.KindEvent), Note: "a note"}),
		store.AddRemark(tx, &tocsin.Opinion{Head: head(tocsin.KindAttribute), Opinion: 50}),
		store.AddRemark(tx, &tocsin.Relationship{Head: head(tocsin.KindObject), Relation: "x", Other: tocsin.Link{Kind: tocsin.KindEvent, UUID: tocsin.UUID{9}}}),
		store.AddRemark(tx, &tocsin.Cluster{Head: alone, Type: "threat-actor", Value: "an actor"}),
		store.AddRemark(tx, &tocsin.Attachment{Head: head(tocsin.KindAttribute), SHA256: strings.Repeat("0a", 32), Size: 1}),
	)
}

// proposedAndHidden has organisation 2 propose something for event 1, which only
// others than its owner may, and hides the event from it.
func proposedAndHidden(t *testing.T, w *world) {
	far := func(d access.Distribution) {
		w.write(t, w.admin, func(tx *store.Tx) error {
			_, err := tx.EditEvent(1, func(e *tocsin.Event) error { e.Distribution = d; return nil })
			return err
		})
	}
	far(access.Community)
	w.write(t, w.theirs, func(tx *store.Tx) error {
		return store.AddRemark(tx, &tocsin.Proposal{Head: about(tocsin.KindEvent, 1), Type: "domain", Value: "new.example"})
	})
	far(access.OrgOnly)
}

// many counts the live remarks that v sees of each kind.
func (w *world) many(t *testing.T, v access.Viewer) map[tocsin.Kind]int64 {
	t.Helper()
	got := map[tocsin.Kind]int64{}
	for k := tocsin.KindReference; k <= tocsin.KindCluster; k++ {
		n, err := w.As(v).CountRemarks(t.Context(), k, store.RemarkQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			got[k] = n
		}
	}
	return got
}

// try writes as v and returns what came of it.
func (w *world) try(t *testing.T, v access.Viewer, fn func(*store.Tx) error) tocsin.Code {
	t.Helper()
	_, err := w.Apply(t.Context(), v, fn)
	if err == nil {
		return ""
	}
	return tocsin.CodeOf(err)
}

func all[R any](t *testing.T, rows iter.Seq2[R, error]) (got []R) {
	t.Helper()
	for r, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	return got
}

// object adds an object with these domains to an event of organisation 1.
func (w *world) object(t *testing.T, event int64, o tocsin.Object, domains ...string) (tocsin.Object, []tocsin.Attribute) {
	t.Helper()
	var added []tocsin.Attribute
	w.write(t, w.ours, func(tx *store.Tx) error {
		r, err := tx.AddObject(event, &o, Domains(t, domains...))
		added = r.Added
		return err
	})
	return o, added
}

func whoMayRemark(t *testing.T, w *world) {
	seen, as := w.event(t, tocsin.Event{Distribution: access.Community}, "seen.example")
	hidden, hid := w.event(t, tocsin.Event{Distribution: access.OrgOnly}, "hidden.example")
	shown, _ := w.object(t, seen, tocsin.Object{Name: "file", Distribution: access.Inherit}, "in.example")
	secret, _ := w.object(t, hidden, tocsin.Object{Name: "file", Distribution: access.Inherit})
	reader, _ := access.RoleByID(6)
	looker := access.NewViewer("looker", 3, 1, reader.Role, w.GroupsOf(1)...)
	const ok = tocsin.Code("")
	ids := func(visible bool) (event, attribute, object int64) {
		if visible {
			return seen, as[0].ID, shown.ID
		}
		return hidden, hid[0].ID, secret.ID
	}
	for what, c := range map[string]struct {
		add                            func(tx *store.Tx, event, attribute, object int64) error
		ours, theirs, looker, ofHidden tocsin.Code
	}{
		"a reference": {func(tx *store.Tx, e, a, o int64) error {
			h := about(tocsin.KindObject, o)
			h.To = tocsin.Link{Kind: tocsin.KindAttribute, ID: a}
			return store.AddRemark(tx, &tocsin.Reference{Head: h, Relation: "drops"})
		}, ok, tocsin.Forbidden, tocsin.Forbidden, tocsin.NotFound},
		"a sighting": {func(tx *store.Tx, e, a, o int64) error {
			return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, a)})
		}, ok, ok, tocsin.Forbidden, tocsin.NotFound},
		"a proposal": {func(tx *store.Tx, e, a, o int64) error {
			return store.AddRemark(tx, &tocsin.Proposal{Head: about(tocsin.KindEvent, e), Type: "domain", Value: "new.example"})
		}, ok, ok, tocsin.Forbidden, tocsin.NotFound},
		"a report": {func(tx *store.Tx, e, a, o int64) error {
			return store.AddRemark(tx, &tocsin.Report{Head: about(tocsin.KindEvent, e), Name: "r"})
		}, ok, tocsin.Forbidden, tocsin.Forbidden, tocsin.NotFound},
		"a note": {func(tx *store.Tx, e, a, o int64) error {
			return store.AddRemark(tx, &tocsin.Note{Head: about(tocsin.KindObject, o), Note: "n"})
		}, ok, ok, tocsin.Forbidden, tocsin.NotFound},
		"an opinion": {func(tx *store.Tx, e, a, o int64) error {
			return store.AddRemark(tx, &tocsin.Opinion{Head: about(tocsin.KindAttribute, a), Opinion: 100})
		}, ok, ok, tocsin.Forbidden, tocsin.NotFound},
		"a relationship": {func(tx *store.Tx, e, a, o int64) error {
			return store.AddRemark(tx, &tocsin.Relationship{Head: about(tocsin.KindEvent, e), Relation: "x", Other: tocsin.Link{Kind: tocsin.KindEvent, UUID: tocsin.UUID{7}}})
		}, ok, ok, tocsin.Forbidden, tocsin.NotFound},
	} {
		add := func(visible bool) func(*store.Tx) error {
			e, a, o := ids(visible)
			return func(tx *store.Tx) error { return c.add(tx, e, a, o) }
		}
		for who, is := range map[string]struct {
			v       access.Viewer
			visible bool
			want    tocsin.Code
		}{
			"the owner":            {w.ours, true, c.ours},
			"another":              {w.theirs, true, c.theirs},
			"a reader":             {looker, true, c.looker},
			"one who can't see it": {w.theirs, false, c.ofHidden},
		} {
			if got := w.try(t, is.v, add(is.visible)); got != is.want {
				t.Errorf("%s by %s: %q, want %q", what, who, got, is.want)
			}
		}
	}
	// Nonsense is refused by whoever might say it.
	for what, r := range map[string]func(*store.Tx) error{
		"a sighting of an event": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindEvent, seen)})
		},
		"a sighting of type 9": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, as[0].ID), Type: 9})
		},
		"an opinion of 101": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Opinion{Head: about(tocsin.KindEvent, seen), Opinion: 101})
		},
		"an empty note": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Note{Head: about(tocsin.KindEvent, seen)})
		},
		"a note on a user": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Note{Head: about(tocsin.KindUser, 1), Note: "n"})
		},
		"a reference to nothing": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Reference{Head: about(tocsin.KindObject, shown.ID), Relation: "x"})
		},
		"a cluster that inherits": func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Cluster{Head: tocsin.Head{Distribution: access.Inherit}, Type: "t", Value: "v"})
		},
		"a report for a group that one is not in": func(tx *store.Tx) error {
			h := about(tocsin.KindEvent, seen)
			h.Distribution, h.Group = access.Group, 99
			return store.AddRemark(tx, &tocsin.Report{Head: h, Name: "r"})
		},
	} {
		if got := w.try(t, w.ours, r); got != tocsin.Invalid {
			t.Errorf("%s: %q", what, got)
		}
	}
	w.write(t, w.ours, func(tx *store.Tx) error {
		h := about(tocsin.KindObject, shown.ID)
		h.To = tocsin.Link{UUID: shown.UUID} // in a circle, and of a kind that nobody said
		r := &tocsin.Reference{Head: h, Relation: "contains"}
		err := store.AddRemark(tx, r)
		if r.To.Kind != tocsin.KindObject || r.To.ID != shown.ID {
			t.Errorf("it leads to %+v", r.To)
		}
		return err
	})
	other := tocsin.Link{Kind: tocsin.KindAttribute, ID: hid[0].ID}
	if got := w.try(t, w.ours, func(tx *store.Tx) error {
		h := about(tocsin.KindObject, shown.ID)
		h.To = other
		return store.AddRemark(tx, &tocsin.Reference{Head: h, Relation: "x"})
	}); got != tocsin.NotFound {
		t.Errorf("a reference into another event: %q", got)
	}
	// Nobody changes what another said.
	head := w.Head()
	for what, change := range map[string]func(*store.Tx) error{
		"edit a note": func(tx *store.Tx) error {
			_, err := store.EditRemark(tx, 1, func(n *tocsin.Note) error { n.Note = "mine"; return nil })
			return err
		},
		"delete an opinion":   func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindOpinion, 1) },
		"delete a sighting":   func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindSighting, 1) },
		"delete a report":     func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindReport, 1) },
		"delete a reference":  func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindReference, 1) },
		"accept a proposal":   func(tx *store.Tx) error { _, err := tx.Accept(1); return err },
		"discard a proposal":  func(tx *store.Tx) error { return tx.Discard(1) },
		"edit a relationship": func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindRelationship, 1) },
	} {
		third := access.NewViewer("third", 9, 3, w.ours.Role())
		if got := w.try(t, third, change); got != tocsin.Forbidden && got != tocsin.NotFound {
			t.Errorf("%s by a third: %q", what, got)
		}
		if got := w.try(t, looker, change); got == ok {
			t.Errorf("%s by a reader", what)
		}
	}
	if w.Head() != head {
		t.Error("the log moved")
	}
}

// A remark is seen by those who see what it is about, whatever becomes of that.
func remarksHideWithTheirs(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "b.example")
	o, _ := w.object(t, id, tocsin.Object{Name: "file", Distribution: access.Inherit}, "c.example")
	w.write(t, w.admin, func(tx *store.Tx) error {
		tx.AddEvent(&tocsin.Event{Info: "beside", Org: 1})
		return nil
	})
	w.write(t, w.ours, func(tx *store.Tx) error {
		ref := about(tocsin.KindObject, o.ID)
		ref.To = tocsin.Link{Kind: tocsin.KindAttribute, UUID: as[1].UUID}
		narrow := about(tocsin.KindEvent, id)
		narrow.Distribution = access.OrgOnly
		grouped := about(tocsin.KindEvent, id)
		grouped.Distribution, grouped.Group = access.Group, w.group
		return errors.Join(
			store.AddRemark(tx, &tocsin.Reference{Head: ref, Relation: "drops"}),
			store.AddRemark(tx, &tocsin.Note{Head: about(tocsin.KindAttribute, as[0].ID), Note: "on a"}),
			store.AddRemark(tx, &tocsin.Opinion{Head: about(tocsin.KindObject, o.ID), Opinion: 10}),
			store.AddRemark(tx, &tocsin.Report{Head: about(tocsin.KindEvent, id), Name: "for all"}),
			store.AddRemark(tx, &tocsin.Report{Head: narrow, Name: "for us"}),
			store.AddRemark(tx, &tocsin.Report{Head: grouped, Name: "for both"}),
		)
	})
	type counts = map[tocsin.Kind]int64
	steps := []struct {
		what string
		do   func(*store.Tx) error
		want counts
	}{
		{"shared", func(*store.Tx) error { return nil },
			counts{tocsin.KindReference: 1, tocsin.KindNote: 1, tocsin.KindOpinion: 1, tocsin.KindReport: 2}},
		{"the attribute of the note narrowed", func(tx *store.Tx) error {
			_, err := tx.EditAttribute(as[0].ID, func(a *tocsin.Attribute) error { a.Distribution = access.OrgOnly; return nil })
			return err
		}, counts{tocsin.KindReference: 1, tocsin.KindOpinion: 1, tocsin.KindReport: 2}},
		{"the far end of the reference narrowed", func(tx *store.Tx) error {
			_, err := tx.EditAttribute(as[1].ID, func(a *tocsin.Attribute) error { a.Distribution = access.OrgOnly; return nil })
			return err
		}, counts{tocsin.KindOpinion: 1, tocsin.KindReport: 2}},
		{"the object narrowed", func(tx *store.Tx) error {
			_, err := tx.EditObject(o.ID, func(o *tocsin.Object) error { o.Distribution = access.OrgOnly; return nil })
			return err
		}, counts{tocsin.KindReport: 2}},
		{"a report withdrawn", func(tx *store.Tx) error {
			_, err := store.EditRemark(tx, 1, func(r *tocsin.Report) error { r.Deleted = true; return nil })
			return err
		}, counts{tocsin.KindReport: 1}},
		{"the event narrowed", func(tx *store.Tx) error {
			_, err := tx.EditEvent(id, func(e *tocsin.Event) error { e.Distribution = access.OrgOnly; return nil })
			return err
		}, counts{}},
		{"the event widened", func(tx *store.Tx) error {
			_, err := tx.EditEvent(id, func(e *tocsin.Event) error { e.Distribution = access.Community; return nil })
			return err
		}, counts{tocsin.KindReport: 1}},
		{"the group left", func(tx *store.Tx) error {
			_, err := store.EditRemark(tx, 3, func(r *tocsin.Report) error { r.Group = w.own; return nil })
			return err
		}, counts{}},
	}
	for _, s := range steps {
		w.write(t, w.ours, s.do)
		if got := w.many(t, w.theirs); fmt.Sprint(got) != fmt.Sprint(s.want) {
			t.Errorf("%s: they see %v, want %v", s.what, got, s.want)
		}
	}
	if got := w.many(t, w.ours); fmt.Sprint(got) != fmt.Sprint(counts{tocsin.KindReference: 1, tocsin.KindNote: 1, tocsin.KindOpinion: 1, tocsin.KindReport: 2}) {
		t.Errorf("the owner sees %v", got)
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteAttribute(as[0].ID) })
	if got := w.many(t, w.admin); got[tocsin.KindNote] != 0 {
		t.Errorf("an administrator still sees the note on a deleted attribute")
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteObject(o.ID) })
	if got := w.many(t, w.admin); got[tocsin.KindOpinion] != 0 || got[tocsin.KindReference] != 0 {
		t.Errorf("an administrator still sees %v of a deleted object", got)
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	if got := w.many(t, w.admin); len(got) != 0 {
		t.Errorf("an administrator still sees %v of a deleted event", got)
	}
}

// A remark on a remark needs all of them, whoever made which.
func remarksOnRemarks(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{Distribution: access.Community})
	note := func(v access.Viewer, on tocsin.Link, d access.Distribution) (n tocsin.Note, err error) {
		n = tocsin.Note{Head: tocsin.Head{About: on, Distribution: d}, Note: "n"}
		_, err = w.Apply(t.Context(), v, func(tx *store.Tx) error { return store.AddRemark(tx, &n) })
		return n, err
	}
	a, err := note(w.ours, tocsin.Link{Kind: tocsin.KindEvent, ID: id}, access.Community)
	if err != nil {
		t.Fatal(err)
	}
	b, err := note(w.theirs, tocsin.Link{Kind: tocsin.KindNote, UUID: a.UUID}, access.Community)
	if err != nil || b.Event != id {
		t.Fatalf("%+v, %v", b, err)
	}
	c, err := note(w.ours, tocsin.Link{Kind: tocsin.KindNote, ID: b.ID}, access.OrgOnly)
	if err != nil {
		t.Fatal(err)
	}
	d, err := note(w.ours, tocsin.Link{Kind: tocsin.KindNote, ID: c.ID}, access.OrgOnly)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note(w.ours, tocsin.Link{Kind: tocsin.KindNote, ID: d.ID}, access.OrgOnly); tocsin.CodeOf(err) != tocsin.Invalid {
		t.Errorf("a note that deep: %v", err)
	}
	notes := func(v access.Viewer) int64 { return w.many(t, v)[tocsin.KindNote] }
	if o, th := notes(w.ours), notes(w.theirs); o != 4 || th != 2 {
		t.Errorf("they see %d and %d", o, th)
	}
	w.write(t, w.theirs, func(tx *store.Tx) error {
		_, err := store.EditRemark(tx, b.ID, func(n *tocsin.Note) error { n.Distribution = access.OrgOnly; return nil })
		return err
	})
	if o, th := notes(w.ours), notes(w.theirs); o != 1 || th != 2 {
		t.Errorf("with theirs narrowed they see %d and %d, want 1 and 2", o, th)
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindNote, a.ID) })
	if n := notes(w.admin); n != 3 {
		t.Errorf("with the first deleted %d are left, want those on it", n)
	}
	for n := range w.As(w.admin).Notes(t.Context(), store.RemarkQuery{IDs: []int64{a.ID}, Deleted: store.Any}) {
		if !n.Deleted || n.Note != "" || n.Authors != "" {
			t.Errorf("of the deleted note %+v is left", n)
		}
	}
	w.write(t, w.admin, func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindNote, d.ID) })
	if n := notes(w.admin); n != 2 {
		t.Errorf("with the last deleted, too, %d are left, want 2", n)
	}
	a = d
	w.purge(t)
	again := tocsin.Note{Head: tocsin.Head{UUID: a.UUID, About: tocsin.Link{Kind: tocsin.KindEvent, ID: id}}, Note: "again"}
	if got := w.try(t, w.ours, func(tx *store.Tx) error { return store.AddRemark(tx, &again) }); got != tocsin.Gone {
		t.Errorf("the uuid of a deleted note: %q", got)
	}
}

func sightingsByPolicy(t *testing.T, w *world) {
	third := access.NewViewer("third", 4, 3, w.ours.Role())
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example")
	_, bs := w.event(t, tocsin.Event{Distribution: access.Community}, "b.example")
	see := func(v access.Viewer, a int64) {
		w.write(t, v, func(tx *store.Tx) error {
			return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, a), Source: "sensor"})
		})
	}
	see(w.ours, as[0].ID)
	see(w.theirs, as[0].ID)
	see(w.theirs, as[0].ID)
	see(third, bs[0].ID)
	for _, c := range []struct {
		policy, host        string
		ours, theirs, third int64
	}{
		{"", "", 4, 2, 1}, // the owner of the events, and one's own
		{"1", "", 4, 3, 1},
		{"2", "", 4, 4, 4},
		{"3", "", 4, 2, 1},
		{"3", "1", 4, 3, 2},
		{"0", "", 4, 2, 1},
	} {
		w.set(t, tocsin.SightingPolicy, c.policy)
		w.set(t, tocsin.HostOrganisation, c.host)
		for _, who := range []struct {
			v    access.Viewer
			want int64
		}{{w.ours, c.ours}, {w.theirs, c.theirs}, {third, c.third}, {w.admin, 4}, {access.Viewer{}, 0}} {
			if got := w.many(t, who.v)[tocsin.KindSighting]; got != who.want {
				t.Errorf("policy %q, host %q: %s sees %d, want %d", c.policy, c.host, who.v.Name(), got, who.want)
			}
			if got := len(all(t, w.As(who.v).Sightings(t.Context(), store.RemarkQuery{}))); int64(got) != who.want {
				t.Errorf("policy %q, host %q: %s lists %d, want %d", c.policy, c.host, who.v.Name(), got, who.want)
			}
		}
	}
	// Who saw what is deleted since is no reporter any more, purged or not.
	w.set(t, tocsin.SightingPolicy, "1")
	gone, cs := w.event(t, tocsin.Event{Distribution: access.Community}, "c.example", "d.example")
	see(w.theirs, cs[0].ID)
	see(third, cs[1].ID)
	for _, want := range []int{2, 0} {
		if got := len(all(t, w.As(w.theirs).Sightings(t.Context(), store.RemarkQuery{Events: []int64{gone}}))); got != want {
			t.Errorf("a reporter sees %d, want %d", got, want)
		}
		if want == 2 {
			w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteAttribute(cs[0].ID) })
		}
	}
	w.set(t, tocsin.SightingPolicy, "2")
	w.set(t, tocsin.SightingAnonymous, "true")
	for _, s := range all(t, w.As(w.theirs).Sightings(t.Context(), store.RemarkQuery{Events: []int64{id}})) {
		if own := s.ID == 2 || s.ID == 3; own != (s.Orgc == 2 && s.Source != "") || !own && (s.Org != 0 || s.User != 0) {
			t.Errorf("they are told of %+v", s)
		}
	}
	// Nor are they by asking for those of one organisation after the other.
	for _, org := range []int64{1, 2, 3} {
		q := store.RemarkQuery{Events: []int64{id}, Orgs: []int64{org}}
		n, err := w.As(w.theirs).CountRemarks(t.Context(), tocsin.KindSighting, q)
		if found := len(all(t, w.As(w.theirs).Sightings(t.Context(), q))); err != nil || int64(found) != n || (n > 0) != (org == 2) {
			t.Errorf("they find %d sightings of organisation %d and count %d: %v", found, org, n, err)
		}
	}
}

// remarksOnWhatIsElsewhere stand by themselves, and what is here and hidden is
// no different.
func remarksOnWhatIsElsewhere(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{Distribution: access.OrgOnly, UUID: tocsin.UUID{15: 7}})
	for i, about := range []tocsin.UUID{{15: 7}, {15: 8}} {
		for _, d := range []access.Distribution{access.Community, access.Inherit} {
			n := tocsin.Note{Head: tocsin.Head{About: tocsin.Link{Kind: tocsin.KindEvent, UUID: about}, Distribution: d}, Note: "n"}
			w.write(t, w.theirs, func(tx *store.Tx) error { return store.AddRemark(tx, &n) })
			if n.Event != 0 || n.About.ID != 0 {
				t.Errorf("%d: the note knows of an event: %+v", i, n)
			}
		}
		found := len(all(t, w.As(w.theirs).Notes(t.Context(), store.RemarkQuery{Keys: []uint64{store.KeyOfUUID(about)}})))
		if found != 2 {
			t.Errorf("%d notes are found by what they are about, want 2", found)
		}
	}
	if n := w.many(t, w.ours)[tocsin.KindNote]; n != 2 {
		t.Errorf("others see %d of them, want those that go further than their organisation", n)
	}
	r := tocsin.Report{Head: tocsin.Head{About: tocsin.Link{Kind: tocsin.KindEvent, UUID: tocsin.UUID{15: 7}}}, Name: "r"}
	if got := w.try(t, w.theirs, func(tx *store.Tx) error { return store.AddRemark(tx, &r) }); got != tocsin.NotFound {
		t.Errorf("a report on event %d, which is hidden: %q", id, got)
	}
}

// whenSighted tells of the last sighting that a peer brought, to those who may know
// of it. A sighting is never older than when it was met.
func whenSighted(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example")
	see := func(at int64, brought bool) (s *tocsin.Sighting) {
		w.write(t, w.theirs, func(tx *store.Tx) error {
			s = &tocsin.Sighting{Head: about(tocsin.KindAttribute, as[0].ID), At: at}
			if brought {
				s.To = tocsin.Link{Kind: tocsin.KindEvent, ID: id}
			}
			return store.AddRemark(tx, s)
		})
		return s
	}
	see(1<<40, false)
	if at, err := w.As(w.ours).Sighted(t.Context(), []int64{id}); err != nil || len(at) != 0 {
		t.Errorf("nobody brought a sighting, and the last is %v: %v", at, err)
	}
	see(5, true)
	last := see(1<<41, true)
	for _, v := range []access.Viewer{w.ours, w.theirs, w.admin} {
		if at, err := w.As(v).Sighted(t.Context(), []int64{id, 99}); err != nil || len(at) != 1 || at[id] != 1<<41 || last.Timestamp != 1<<41 {
			t.Errorf("%s: the last sighting is %v: %v", v.Name(), at, err)
		}
	}
	third := access.NewViewer("third", 7, 3, access.Roles[2].Role)
	if at, err := w.As(third).Sighted(t.Context(), []int64{id}); err != nil || len(at) != 0 {
		t.Errorf("a third party is told of sightings that are not its own: %v, %v", at, err)
	}
}

// sightedToTheDay moves when a claim was last met although it has no end, and finds
// claims by that.
func sightedToTheDay(t *testing.T, w *world) {
	id := int64(0)
	var as []tocsin.Attribute
	w.write(t, w.ours, func(tx *store.Tx) error {
		e := &tocsin.Event{Info: "e", Org: 1, Distribution: access.Community}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		r, err := tx.AddAttributes(e.ID, seen(t, 10, "a.example", "b.example"), false)
		id, as = e.ID, r.Added
		return err
	})
	types := []uint16{as[0].Value.Type().ID}
	fresh := func(days int64, types []uint16) int {
		q := store.Query{Events: []int64{id}, Fresh: []store.Fresh{{Types: types, Since: time.Now().Unix() - days*day}}}
		return len(all(t, w.As(w.theirs).Attributes(t.Context(), q)))
	}
	if fresh(11, types) != 2 || fresh(9, types) != 0 || fresh(9, []uint16{types[0] + 1}) != 2 {
		t.Errorf("of two claims last met ten days ago %d were met in 11 days, %d in 9", fresh(11, types), fresh(9, types))
	}
	w.write(t, w.theirs, func(tx *store.Tx) error {
		return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, as[0].ID)})
	})
	if fresh(1, types) != 1 {
		t.Errorf("%d claims were met today, want 1", fresh(1, types))
	}
}

// set decides a setting; "" undoes it.
func (w *world) set(t *testing.T, name, value string) {
	t.Helper()
	w.write(t, w.admin, func(tx *store.Tx) error {
		old, err := store.Named[*tocsin.Setting](tx, name)
		if err != nil {
			old = &tocsin.Setting{Name: name}
		}
		return store.Put(tx, &tocsin.Setting{ID: old.ID, Name: name, Value: value})
	})
}

func sightingsByValue(t *testing.T, w *world) {
	w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "b.example")
	w.event(t, tocsin.Event{Distribution: access.Community}, "a.example")
	w.event(t, tocsin.Event{Distribution: access.OrgOnly}, "a.example")
	v, _ := indicator.Parse("domain", "a.example")
	var seen []*tocsin.Sighting
	w.write(t, w.theirs, func(tx *store.Tx) (err error) {
		seen, err = tx.SeeValue(tocsin.Sighting{Type: tocsin.FalsePositive, At: 77}, store.Query{Keys: v.Keys()})
		return err
	})
	if len(seen) != 2 || seen[0].At != 77 || seen[0].UUID == seen[1].UUID {
		t.Fatalf("%d sightings", len(seen))
	}
	key := []uint64{w.Hasher().Sum(v.Keys()[0])}
	if got := all(t, w.As(w.ours).Sightings(t.Context(), store.RemarkQuery{Keys: key})); len(got) != 2 || got[0].Type != tocsin.FalsePositive {
		t.Errorf("by key: %d", len(got))
	}
}

func proposalsAreForOthers(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community, Published: true}, "a.example", "b.example", "c.example")
	add := tocsin.Proposal{Head: about(tocsin.KindEvent, id), Type: "domain", Value: "NEW.example", ToIDS: true}
	edit := tocsin.Proposal{Head: about(tocsin.KindAttribute, as[0].ID), Value: "edited.example"}
	del := tocsin.Proposal{Head: about(tocsin.KindAttribute, as[1].ID), Delete: true}
	other := tocsin.Proposal{Head: about(tocsin.KindAttribute, as[2].ID), Comment: "look again"}
	propose := func(p tocsin.Proposal) func(*store.Tx) error {
		return func(tx *store.Tx) error { return store.AddRemark(tx, &p) }
	}
	for _, p := range []tocsin.Proposal{add, edit, del, other} {
		w.write(t, w.theirs, propose(p))
		if got := w.try(t, w.theirs, propose(p)); got != tocsin.Conflict {
			t.Errorf("the same again: %q", got)
		}
	}
	if e, _ := w.As(w.theirs).Event(t.Context(), id); !e.Published {
		t.Error("proposing something unpublishes the event")
	}
	for what, p := range map[string]tocsin.Proposal{
		"of nothing that there is": {Head: about(tocsin.KindEvent, id), Type: "domain", Value: "not a domain"},
		"in a wrong category":      {Head: about(tocsin.KindEvent, id), Type: "domain", Value: "x.example", Category: "Person"},
		"to delete the event":      {Head: about(tocsin.KindEvent, id), Delete: true},
	} {
		if got := w.try(t, w.theirs, propose(p)); got != tocsin.Invalid {
			t.Errorf("a proposal %s: %q", what, got)
		}
	}
	for _, p := range all(t, w.As(w.ours).Proposals(t.Context(), store.RemarkQuery{Events: []int64{id}})) {
		if p.ID == 4 {
			continue
		}
		w.write(t, w.ours, func(tx *store.Tx) error { _, err := tx.Accept(p.ID); return err })
		if got := w.try(t, w.ours, func(tx *store.Tx) error { _, err := tx.Accept(p.ID); return err }); got != tocsin.NotFound {
			t.Errorf("accepted twice: %q", got)
		}
	}
	if got := w.values(t, w.theirs, store.Query{}); !slices.Equal(got, []string{"edited.example", "c.example", "new.example"}) {
		t.Errorf("accepted: %v", got)
	}
	if got := w.try(t, w.ours, func(tx *store.Tx) error {
		_, err := store.EditRemark(tx, 4, func(p *tocsin.Proposal) error { p.Comment = "we said so"; return nil })
		return err
	}); got != tocsin.Invalid {
		t.Errorf("the owner of the event edits a proposal: %q", got)
	}
	if got := w.try(t, w.theirs, func(tx *store.Tx) error { return tx.Discard(4) }); got != "" {
		t.Errorf("taking one's own back: %q", got)
	}
	if n := w.many(t, w.ours)[tocsin.KindProposal]; n != 0 {
		t.Errorf("%d are open", n)
	}
	done := all(t, w.As(w.theirs).Proposals(t.Context(), store.RemarkQuery{Deleted: store.Withdrawn}))
	if len(done) != 4 || !done[0].Accepted || done[3].Accepted {
		t.Errorf("done: %+v", done)
	}
}

func remarksAreFound(t *testing.T, w *world) {
	_, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "b.example")
	beside, bs := w.event(t, tocsin.Event{Distribution: access.Community}, "c.example")
	elsewhere := tocsin.UUID{5, 15: 5}
	w.write(t, w.theirs, func(tx *store.Tx) error {
		for i := range 5 {
			s := tocsin.Sighting{Head: about(tocsin.KindAttribute, as[i%2].ID), At: int64(i)}
			s.Timestamp = int64(1000 + i)
			if err := store.AddRemark(tx, &s); err != nil {
				return err
			}
		}
		away := tocsin.Head{About: tocsin.Link{Kind: tocsin.KindCluster, UUID: elsewhere}, Distribution: access.Community}
		return store.AddRemark(tx, &tocsin.Note{Head: away, Note: "on a cluster that everyone has"})
	})
	w.write(t, w.ours, func(tx *store.Tx) error {
		return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, bs[0].ID)})
	})
	everything := all(t, w.As(w.ours).Sightings(t.Context(), store.RemarkQuery{}))
	for what, c := range map[string]struct {
		q    store.RemarkQuery
		want []int64
	}{
		"all":       {store.RemarkQuery{}, []int64{1, 2, 3, 4, 5, 6}},
		"event":     {store.RemarkQuery{Events: []int64{beside}}, []int64{6}},
		"attribute": {store.RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{as[0].ID}}, []int64{1, 3, 5}},
		"objects":   {store.RemarkQuery{About: tocsin.KindObject, AboutIDs: []int64{as[0].ID}}, nil},
		"org":       {store.RemarkQuery{Orgs: []int64{1}}, []int64{6}},
		"ids":       {store.RemarkQuery{IDs: []int64{2, 4, 99}}, []int64{2, 4}},
		"none":      {store.RemarkQuery{IDs: []int64{}}, nil},
		"uuid":      {store.RemarkQuery{UUIDs: []tocsin.UUID{everything[2].UUID}}, []int64{3}},
		"time":      {store.RemarkQuery{Since: 1001, Until: 1003}, []int64{2, 3, 4}},
		"newest":    {store.RemarkQuery{Newest: true, Limit: 2}, []int64{6, 5}},
		"page":      {store.RemarkQuery{After: 2, Limit: 2, Offset: 1}, []int64{4, 5}},
	} {
		var got []int64
		for _, s := range all(t, w.As(w.ours).Sightings(t.Context(), c.q)) {
			got = append(got, s.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("by %s: %v, want %v", what, got, c.want)
		}
		if n, err := w.As(w.ours).CountRemarks(t.Context(), tocsin.KindSighting, c.q); err != nil || c.q.Limit == 0 && int(n) != len(c.want) {
			t.Errorf("by %s: counted %d, %v", what, n, err)
		}
	}
	notes := all(t, w.As(w.ours).Notes(t.Context(), store.RemarkQuery{Keys: []uint64{store.KeyOfUUID(elsewhere)}}))
	if len(notes) != 1 || notes[0].Event != 0 || notes[0].About.UUID != elsewhere {
		t.Errorf("by what is elsewhere: %+v", notes)
	}
	w.DB.Close()
	w.start(t)
	again := all(t, w.As(w.ours).Sightings(t.Context(), store.RemarkQuery{}))
	if fmt.Sprint(again[3].Head, again[3].At) != fmt.Sprint(everything[3].Head, everything[3].At) {
		t.Errorf("opened again it is %+v, was %+v", again[3], everything[3])
	}
}

// Each write is a line with what was and what is, and ids are never used again.
func remarksInTheLog(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{})
	var n tocsin.Note
	head := w.Head()
	w.write(t, w.ours, func(tx *store.Tx) error {
		n = tocsin.Note{Head: about(tocsin.KindEvent, id), Note: "first"}
		return store.AddRemark(tx, &n)
	})
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := store.EditRemark(tx, n.ID, func(n *tocsin.Note) error { n.Note = "second"; return nil })
		return err
	})
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindNote, n.ID) })
	want := []string{"nothing → first", "first → second", "second → nothing"}
	text := func(n *tocsin.Note) string {
		if n == nil {
			return "nothing"
		}
		return n.Note
	}
	check := func(when string) {
		t.Helper()
		var got []string
		for _, c := range w.changes(t, head) {
			b, a := tocsin.Records[*tocsin.Note](&c, w.admin)
			if c.Kind != tocsin.KindNote || c.ID != n.ID {
				t.Errorf("%s: line %d is about %s %d", when, c.Seq, c.Kind, c.ID)
			}
			got = append(got, text(b)+" → "+text(a))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", when, got)
		}
	}
	check("at once")
	w.DB.Close()
	w.start(t)
	check("later")
	w.write(t, w.ours, func(tx *store.Tx) error {
		n = tocsin.Note{Head: about(tocsin.KindEvent, id), Note: "third"}
		return store.AddRemark(tx, &n)
	})
	if n.ID != 2 {
		t.Errorf("the next id is %d, want 2", n.ID)
	}
}

func relationsAreNarrower(t *testing.T, w *world) {
	c := tocsin.Cluster{Head: tocsin.Head{Distribution: access.Community}, Type: "threat-actor", Value: "an actor", Relations: []tocsin.ClusterRelation{
		{Other: tocsin.UUID{1}, Type: "similar", Distribution: access.Everyone},
		{Other: tocsin.UUID{2}, Type: "is", Distribution: access.OrgOnly, Tags: []string{"likely"}},
	}}
	w.write(t, w.ours, func(tx *store.Tx) error { return store.AddRemark(tx, &c) })
	for _, who := range []struct {
		v    access.Viewer
		want int
	}{{w.ours, 2}, {w.theirs, 1}} {
		got, err := store.OneRemark(w.As(who.v).Clusters(t.Context(), store.RemarkQuery{UUIDs: []tocsin.UUID{c.UUID}}))
		if err != nil || len(got.Relations) != who.want {
			t.Errorf("%s: %+v, %v", who.v.Name(), got, err)
		}
	}
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := store.EditRemark(tx, c.ID, func(c *tocsin.Cluster) error { c.Distribution = access.OrgOnly; return nil })
		return err
	})
	if n := w.many(t, w.theirs)[tocsin.KindCluster]; n != 0 {
		t.Error("a narrowed cluster is still seen")
	}
}

// Nothing is left of what was deleted for good but that it was there.
func deletedForGoodLeavesTrace(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "secret-name.example")
	o, _ := w.object(t, id, tocsin.Object{Name: "secret-object", Distribution: access.Inherit}, "secret-in-object.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		for range 3 {
			if err := store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, as[1].ID), Source: "secret-source"}); err != nil {
				return err
			}
		}
		n := tocsin.Note{Head: about(tocsin.KindAttribute, as[1].ID), Note: "secret-note"}
		if err := store.AddRemark(tx, &n); err != nil {
			return err
		}
		return errors.Join(
			store.AddRemark(tx, &tocsin.Note{Head: about(tocsin.KindNote, n.ID), Note: "secret-answer"}),
			store.AddRemark(tx, &tocsin.Opinion{Head: about(tocsin.KindObject, o.ID), Comment: "secret-opinion"}),
			store.AddRemark(tx, &tocsin.Note{Head: about(tocsin.KindEvent, id), Note: "stays"}),
		)
	})
	edit := func(name string) {
		w.write(t, w.ours, func(tx *store.Tx) error {
			_, err := tx.EditAttribute(as[1].ID, func(a *tocsin.Attribute) (err error) {
				a.Value, err = indicator.Parse("domain", name)
				return err
			})
			return err
		})
	}
	edit("secret-edit.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		return errors.Join(tx.DeleteAttribute(as[1].ID), tx.DeleteObject(o.ID))
	})
	w.purge(t)
	for _, l := range w.lines(t) {
		for _, image := range [][]byte{l.Before, l.After} {
			if s := string(image); strings.Contains(s, "secret-") {
				t.Errorf("line %d still holds %s", l.Seq, s)
			}
		}
	}
	if got := w.many(t, w.admin); got[tocsin.KindNote] != 1 || len(got) != 1 {
		t.Errorf("left: %v", got)
	}
	if told := w.follow(t, "newcomer"); len(told) != int(w.Head()) {
		t.Errorf("%d lines of %d", len(told), w.Head())
	}
	w.DB.Close() // the newcomer would need what is to go
	w.start(t)
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	w.purge(t)
	for _, l := range w.lines(t) {
		if l.Event == id && (l.Before != nil || l.After != nil) {
			t.Errorf("line %d still holds an image: %s %s", l.Seq, l.Before, l.After)
		}
	}
	w.follow(t, "latecomer")
}
