package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

const day = 24 * 60 * 60

// seen returns attributes of domains last seen so many days ago.
func seen(t *testing.T, days int64, names ...string) []tocsin.Attribute {
	as := Domains(t, names...)
	for i := range as {
		as[i].Seen = time.Now().Unix() - days*day
	}
	return as
}

// fallen lists what the line of the clock at n touches, as w tells it.
func fallen(t *testing.T, w *world, n tocsin.Seq) []string {
	t.Helper()
	var names []string
	for _, f := range strings.Fields(w.follow(t, "fallen")[n-1]) {
		if _, value, ok := strings.Cut(f, "="); ok {
			name, _, _ := strings.Cut(value, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// A line of the clock touches what fell due with it and nothing else, whatever
// has become of that since.
func theClockTellsWhatFellDue(t *testing.T, w *world) {
	now := time.Now().Unix()
	w.write(t, w.admin, func(tx *store.Tx) error {
		if err := tx.Advance(now - 100*day); err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Lifetime{Name: "domains", Types: []string{"domain"}, Days: 30})
	})
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "fresh.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		r, err := tx.AddAttributes(id, seen(t, 40, "old.example", "edited.example", "gone.example", "kept.example"), false)
		as = append(as, r.Added...)
		return err
	})
	if due, err := w.Due(t.Context(), now-80*day); err != nil || due {
		t.Errorf("due before its time: %v, %v", due, err)
	}
	if due, err := w.Due(t.Context(), now); err != nil || !due {
		t.Errorf("nothing is due: %v, %v", due, err)
	}
	edit := func(id int64, change func(*tocsin.Attribute)) {
		w.write(t, w.ours, func(tx *store.Tx) error {
			_, err := tx.EditAttribute(id, func(a *tocsin.Attribute) error { change(a); return nil })
			return err
		})
	}
	edit(as[4].ID, func(a *tocsin.Attribute) { a.Seen = now })
	n := w.write(t, w.admin, func(tx *store.Tx) error { return tx.Advance(now) })
	want := []string{"edited.example", "gone.example", "old.example"}
	if got := fallen(t, w, n); !slices.Equal(got, want) {
		t.Errorf("fell due: %q; want %q", got, want)
	}
	if due, err := w.Due(t.Context(), now); err != nil || due {
		t.Errorf("due again: %v, %v", due, err)
	}
	edit(as[2].ID, func(a *tocsin.Attribute) { a.Seen = now })
	edit(as[4].ID, func(a *tocsin.Attribute) { a.Seen = now - 40*day })
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteAttribute(as[3].ID) })
	w.DB.Close()
	w.start(t)
	// A read from disk may say more than fell due, never less, and of each as it was.
	got := fallen(t, w, n)
	for _, name := range want {
		if !slices.Contains(got, name) && name != "gone.example" {
			t.Errorf("read later, %s did not fall due: %q", name, got)
		}
	}
	if slices.Contains(got, "kept.example") || slices.Contains(got, "fresh.example") {
		t.Errorf("read later, more fell due: %q", got)
	}
	w.write(t, w.admin, func(tx *store.Tx) error { return tx.Advance(now - 1) })
	if w.Head() != w.write(t, w.ours, func(*store.Tx) error { return nil }) {
		t.Error("time went back")
	}
	if _, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error { return tx.Advance(now + day) }); tocsin.CodeOf(err) != tocsin.Forbidden {
		t.Errorf("a publisher turned the clock: %v", err)
	}
}

// What its owner says has ended is over at that time, without any lifetime.
func endsWhenItsOwnerSays(t *testing.T, w *world) {
	now := time.Now().Unix()
	w.write(t, w.admin, func(tx *store.Tx) error { return tx.Advance(now - day) })
	_, as := w.event(t, tocsin.Event{}, "ends.example", "stays.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.EditAttribute(as[0].ID, func(a *tocsin.Attribute) error { a.Ends = now - 10; return nil })
		return err
	})
	n := w.write(t, w.admin, func(tx *store.Tx) error { return tx.Advance(now) })
	if got := fallen(t, w, n); !slices.Equal(got, []string{"ends.example"}) {
		t.Errorf("fell due: %q", got)
	}
}

// A claim that is made again holds for longer, but is not written each time.
func seenAgainHoldsLonger(t *testing.T, w *world) {
	w.write(t, w.admin, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Lifetime{Name: "all", Days: 30})
	})
	id, _ := w.event(t, tocsin.Event{}, "other.example")
	add := func(days int64) {
		w.write(t, w.ours, func(tx *store.Tx) error {
			_, err := tx.AddAttributes(id, seen(t, days, "again.example"), false)
			return err
		})
	}
	last := func() (a tocsin.Attribute) {
		for a, err := range w.As(w.ours).Attributes(t.Context(), store.Query{Events: []int64{id}}) {
			if err != nil {
				t.Fatal(err)
			}
			if a.Value.String() == "again.example" {
				return a
			}
		}
		t.Fatal("no such attribute")
		return a
	}
	add(20)
	first := last()
	add(0)
	if got := last(); got.Seen < time.Now().Unix()-60 || got.ID != first.ID {
		t.Errorf("seen %d days ago", (time.Now().Unix()-got.Seen)/day)
	}
	head := w.Head()
	add(0)
	if w.Head() != head {
		t.Error("seen again at once was written down again")
	}
}

// A lifetime that changes touches the claims of its types.
func aLifetimeTouchesItsTypes(t *testing.T, w *world) {
	w.event(t, tocsin.Event{}, "one.example", "two.example")
	var l tocsin.Lifetime
	n := w.write(t, w.admin, func(tx *store.Tx) error {
		l = tocsin.Lifetime{Name: "domains", Types: []string{"domain"}, Days: 30}
		return store.Put(tx, &l)
	})
	if got := fallen(t, w, n); !slices.Equal(got, []string{"one.example", "two.example"}) {
		t.Errorf("touched: %q", got)
	}
	n = w.write(t, w.admin, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Lifetime{Name: "hashes", Types: []string{"md5"}, Days: 30})
	})
	if got := fallen(t, w, n); len(got) != 0 {
		t.Errorf("touched: %q", got)
	}
	for _, bad := range []tocsin.Lifetime{{Name: "x", Types: []string{"domian"}, Days: 1}, {Name: "y", Days: -1}, {Name: "z", Orgs: []int64{99}, Days: 1}} {
		if _, err := w.Apply(t.Context(), w.admin, func(tx *store.Tx) error { return store.Put(tx, &bad) }); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if _, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error { return store.Put(tx, &l) }); tocsin.CodeOf(err) != tocsin.Forbidden {
		t.Errorf("a publisher changed a lifetime: %v", err)
	}
}

// sight adds a sighting by v of an attribute.
func (w *world) sight(t *testing.T, v access.Viewer, attribute int64, typ tocsin.SightingType, at int64) tocsin.Seq {
	t.Helper()
	return w.write(t, v, func(tx *store.Tx) error {
		return store.AddRemark(tx, &tocsin.Sighting{Head: tocsin.Head{About: tocsin.Link{Kind: tocsin.KindAttribute, ID: attribute}}, Type: typ, At: at})
	})
}

func (w *world) attribute(t *testing.T, id int64) tocsin.Attribute {
	t.Helper()
	for a, err := range w.As(w.admin).Attributes(t.Context(), store.Query{IDs: []int64{id}, Deleted: store.Any}) {
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	t.Fatalf("no attribute %d", id)
	return tocsin.Attribute{}
}

// What is seen again begins again; what its owner has ended begins again with the
// owner's word only.
func sightingsReviveAndEnd(t *testing.T, w *world) {
	now := time.Now().Unix()
	w.write(t, w.admin, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Lifetime{Name: "all", Days: 30})
	})
	id, _ := w.event(t, tocsin.Event{Distribution: access.Community, Published: true}, "other.example")
	var a tocsin.Attribute
	w.write(t, w.ours, func(tx *store.Tx) error {
		r, err := tx.AddAttributes(id, seen(t, 40, "back.example"), true)
		a = r.Added[0]
		return err
	})
	over := func() bool { a := w.attribute(t, a.ID); return w.Lifetimes().Over(&a, 1, now+5) }
	stamp := w.attribute(t, a.ID).Timestamp
	is := func(want bool, when string) {
		t.Helper()
		if over() != want {
			t.Errorf("%s: over %v, want %v", when, over(), want)
		}
		if got := w.attribute(t, a.ID); got.Timestamp != stamp {
			t.Errorf("%s: a sighting edited the attribute", when)
		}
	}
	is(true, "40 days old")
	w.sight(t, w.theirs, a.ID, tocsin.Seen, now-35*day)
	is(true, "met 35 days ago")
	w.sight(t, w.theirs, a.ID, tocsin.Seen, now)
	is(false, "met by another organisation")
	head := w.Head()
	if n := w.sight(t, w.theirs, a.ID, tocsin.Seen, now+100); n != head+1 {
		t.Errorf("met again at once wrote %d lines, want that of the sighting", n-head)
	}
	w.sight(t, w.ours, a.ID, tocsin.FalsePositive, 0)
	is(true, "its owner met it, and it was harmless")
	w.sight(t, w.theirs, a.ID, tocsin.Seen, now+1)
	is(true, "met by another organisation after its owner ended it")
	w.sight(t, w.ours, a.ID, tocsin.Seen, 0)
	is(false, "met by its owner again")
	w.sight(t, w.ours, a.ID, tocsin.Expiration, now+100)
	is(false, "its owner says when it ends")
	w.sight(t, w.ours, a.ID, tocsin.Expiration, now-1)
	is(true, "its owner says that it has ended")
	w.sight(t, w.ours, a.ID, tocsin.Seen, 0)
	watcher := access.NewViewer("only says what it met", 77, 1, access.Role(access.Auth|access.Sighting))
	for _, typ := range []tocsin.SightingType{tocsin.FalsePositive, tocsin.Expiration} {
		w.sight(t, watcher, a.ID, typ, now-1)
		is(false, "doubted by someone of the owner's who may not change the event")
	}
	if e, err := w.As(w.ours).Event(t.Context(), id); err != nil || !e.Published {
		t.Errorf("a sighting unpublished the event: %+v, %v", e, err)
	}
}

// What another organisation doubts holds half as long, once, and its owner is
// asked, once.
func doubtsAskTheOwner(t *testing.T, w *world) {
	now := time.Now().Unix()
	w.write(t, w.admin, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Lifetime{Name: "all", Days: 30})
	})
	_, as := w.event(t, tocsin.Event{Distribution: access.Community}, "doubted.example", "sure.example")
	left := func(i int) int64 { return (w.attribute(t, as[i].ID).Seen + 30*day - now + day/2) / day }
	for range 3 {
		w.sight(t, w.theirs, as[0].ID, tocsin.FalsePositive, 0)
	}
	if left(0) != 15 || left(1) != 30 {
		t.Errorf("%d and %d days are left, want 15 and 30", left(0), left(1))
	}
	for range 3 { // what is taken back gives back what it took
		for _, s := range all(t, w.As(w.theirs).Sightings(t.Context(), store.RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{as[1].ID}})) {
			w.write(t, w.theirs, func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindSighting, s.ID) })
		}
		if left(1) != 30 {
			t.Errorf("%d days are left of what nobody doubts any more, want 30", left(1))
		}
		w.sight(t, w.theirs, as[1].ID, tocsin.Expiration, now)
		if left(1) != 15 {
			t.Errorf("doubted again: %d days are left, want 15", left(1))
		}
	}
	var asked []*tocsin.Proposal
	for p, err := range w.As(w.ours).Proposals(t.Context(), store.RemarkQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, p)
	}
	asked = slices.DeleteFunc(asked, func(p *tocsin.Proposal) bool { return p.About.ID == as[1].ID })
	if len(asked) != 1 || asked[0].About.ID != as[0].ID || asked[0].ToIDS || asked[0].Delete || asked[0].Orgc != 2 {
		t.Fatalf("the owner was asked %+v", asked)
	}
	w.write(t, w.ours, func(tx *store.Tx) error { _, err := tx.Accept(asked[0].ID); return err })
	if w.attribute(t, as[0].ID).ToIDS {
		t.Error("accepted, and still to be acted on")
	}
}
