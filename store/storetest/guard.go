package storetest

import (
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// guarding has values that hold a word guarded by a class.
func guarding(words map[string]tocsin.GuardClass) store.Judge {
	return func(v indicator.Value) tocsin.Verdict {
		for word, class := range words {
			if strings.Contains(v.String(), word) {
				return tocsin.NewVerdict(class, "words", word)
			}
		}
		return ""
	}
}

// Every value that is written is judged, whoever writes it and whatever they say.
func whatIsWrittenIsJudged(t *testing.T, w *world) {
	w.JudgeBy(guarding(map[string]tocsin.GuardClass{"bank": tocsin.Deny, "shop": tocsin.Warn, "cloud": tocsin.Inform}))
	id, as := w.event(t, tocsin.Event{Published: true}, "bank.example", "shop.example", "cloud.example", "evil.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		lies := Domains(t, "other-bank.example", "liar.example")
		lies[0].Override, lies[0].OverriddenBy, lies[1].Guard = "trust me", 1, "deny words liar"
		r, err := tx.AddAttributes(id, lies, true)
		as = append(as, r.Added...)
		return err
	})
	w.DB.Close()
	w.start(t)
	for i, want := range []struct {
		verdict tocsin.Verdict
		guarded bool
	}{{"deny words bank", true}, {"warn words shop", true}, {"inform words cloud", false}, {"", false}, {"deny words bank", true}, {"", false}} {
		a := w.attribute(t, as[i].ID)
		if a.Guard != want.verdict || a.Guarded() != want.guarded || a.Override != "" || a.OverriddenBy != 0 {
			t.Errorf("%s: %q, guarded %v, overridden %q by %d", a.Value, a.Guard, a.Guarded(), a.Override, a.OverriddenBy)
		}
	}
	for guarded, want := range map[bool]string{true: "bank.example shop.example other-bank.example", false: "cloud.example evil.example liar.example"} {
		if got := strings.Join(w.values(t, w.admin, store.Query{Guarded: &guarded}), " "); got != want {
			t.Errorf("guarded %v: %s", guarded, got)
		}
	}
	// Another value gets another verdict, the same one keeps it.
	w.JudgeBy(guarding(map[string]tocsin.GuardClass{"evil": tocsin.Deny}))
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.EditAttribute(as[0].ID, func(a *tocsin.Attribute) error { a.Comment, a.Guard = "why", ""; return nil })
		return err
	})
	if a := w.attribute(t, as[0].ID); a.Guard != "deny words bank" {
		t.Errorf("after an edit of the comment: %q", a.Guard)
	}
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.EditAttribute(as[0].ID, func(a *tocsin.Attribute) error { a.Value = Domains(t, "evil2.example")[0].Value; return nil })
		return err
	})
	if a := w.attribute(t, as[0].ID); a.Guard != "deny words evil" {
		t.Errorf("after an edit of the value: %q", a.Guard)
	}
}

// An owner's publisher may have blocked what is warned of, the owner's
// administrator what is denied; nobody else, and not without a reason. The log
// says who and why, and it can be taken back.
func anOwnerMayOverride(t *testing.T, w *world) {
	w.JudgeBy(guarding(map[string]tocsin.GuardClass{"bank": tocsin.Deny, "shop": tocsin.Warn}))
	id, as := w.event(t, tocsin.Event{Published: true, Distribution: access.Community}, "bank.example", "shop.example", "evil.example")
	bank, shop, evil := as[0].ID, as[1].ID, as[2].ID
	as1 := func(role int64) access.Viewer {
		r, _ := access.RoleByID(role)
		return access.NewViewer(r.Name, 7, 1, r.Role, w.GroupsOf(1)...)
	}
	admin, publisher, user := as1(2), as1(4), as1(3)
	override := func(v access.Viewer, id int64, reason string) error {
		_, err := w.Apply(t.Context(), v, func(tx *store.Tx) error { _, err := tx.Override(id, reason); return err })
		return err
	}
	for _, no := range []struct {
		v      access.Viewer
		id     int64
		reason string
		code   tocsin.Code
	}{
		{w.theirs, shop, "we say so", tocsin.Forbidden}, // not the owner
		{user, shop, "because", tocsin.Forbidden},       // may not publish
		{publisher, bank, "because", tocsin.Forbidden},  // may not do what is denied
		{admin, bank, " \n", tocsin.Invalid},            // no reason
		{admin, bank, strings.Repeat("x", 2000), tocsin.Invalid},
		{admin, evil, "because", tocsin.Conflict}, // nothing guards it
		{admin, 999, "because", tocsin.NotFound},
	} {
		if err := override(no.v, no.id, no.reason); tocsin.CodeOf(err) != no.code {
			t.Errorf("%s overrides %d with %.10q: %v, want %s", no.v.Name(), no.id, no.reason, err, no.code)
		}
	}
	before, _ := w.As(w.admin).Event(t.Context(), id)
	if err := override(publisher, shop, "the shop is a front"); err != nil {
		t.Fatal(err)
	}
	if err := override(admin, bank, "taken over"); err != nil {
		t.Fatal(err)
	}
	for id, reason := range map[int64]string{shop: "the shop is a front", bank: "taken over"} {
		if a := w.attribute(t, id); a.Guarded() || a.Override != reason || a.OverriddenBy != 7 || a.Guard == "" {
			t.Errorf("overridden: %+v", a)
		}
	}
	if got := w.values(t, w.admin, store.Query{Guarded: new(true)}); len(got) != 0 {
		t.Errorf("still guarded: %q", got)
	}
	after, _ := w.As(w.admin).Event(t.Context(), id)
	if !after.Published || after.Timestamp != before.Timestamp {
		t.Errorf("the event changed from %+v to %+v", before, after)
	}
	// What was overridden stays so when it is edited, and not with another value.
	edit := func(id int64, change func(*tocsin.Attribute)) {
		w.write(t, w.ours, func(tx *store.Tx) error {
			_, err := tx.EditAttribute(id, func(a *tocsin.Attribute) error { change(a); return nil })
			return err
		})
	}
	edit(shop, func(a *tocsin.Attribute) { a.Comment = "x" })
	if a := w.attribute(t, shop); a.Override == "" {
		t.Error("an edit of the comment ended the override")
	}
	edit(shop, func(a *tocsin.Attribute) { a.Value = Domains(t, "shop2.example")[0].Value })
	if a := w.attribute(t, shop); !a.Guarded() || a.Override != "" {
		t.Error("an override was handed on to another value")
	}
	w.write(t, user, func(tx *store.Tx) error { _, err := tx.Uphold(bank); return err })
	if a := w.attribute(t, bank); !a.Guarded() {
		t.Error("the guards do not hold again")
	}
	if _, err := w.Apply(t.Context(), admin, func(tx *store.Tx) error { _, err := tx.Uphold(bank); return err }); tocsin.CodeOf(err) != tocsin.Conflict {
		t.Error(err)
	}
	w.DB.Close()
	w.start(t) // so that the log is read from disk
	var told []string
	for _, c := range w.changes(t, 0) {
		b, a := tocsin.Records[*tocsin.Attribute](&c, w.admin)
		if b != nil && a != nil && b.Override != a.Override && c.By != 0 {
			told = append(told, a.Value.String()+" "+b.Override+" → "+a.Override)
		}
	}
	want := []string{"shop.example  → the shop is a front", "bank.example  → taken over", "shop2.example the shop is a front → ", "bank.example taken over → "}
	if !slices.Equal(told, want) {
		t.Errorf("the log tells %q", told)
	}
}

// When the lists change, what they say of what is there does, too.
func listsThatChangeAreAskedAgain(t *testing.T, w *world) {
	w.JudgeBy(guarding(map[string]tocsin.GuardClass{"shop": tocsin.Warn}))
	id, as := w.event(t, tocsin.Event{Published: true, Distribution: access.Community}, "bank.example", "shop.example", "evil.example")
	admin, _ := access.RoleByID(2)
	w.write(t, access.NewViewer("admin", 7, 1, admin.Role), func(tx *store.Tx) error { _, err := tx.Override(as[1].ID, "a front"); return err })
	ids := []int64{as[0].ID, as[1].ID, as[2].ID, 999}
	rejudge := func() (n int) {
		t.Helper()
		w.write(t, w.admin, func(tx *store.Tx) (err error) { n, err = tx.Rejudge(ids); return err })
		return n
	}
	if n := rejudge(); n != 0 {
		t.Errorf("%d changed, and no list did", n)
	}
	before, _ := w.As(w.admin).Event(t.Context(), id)
	w.JudgeBy(func(v indicator.Value) tocsin.Verdict {
		if strings.Contains(v.String(), "shop") {
			return "warn others shop"
		}
		return guarding(map[string]tocsin.GuardClass{"bank": tocsin.Deny})(v)
	})
	if n := rejudge(); n != 2 {
		t.Errorf("%d changed", n)
	}
	if a := w.attribute(t, as[1].ID); a.Guarded() || a.Guard != "warn others shop" {
		t.Errorf("an override against one list that warns ended with another: %+v", a)
	}
	w.JudgeBy(guarding(map[string]tocsin.GuardClass{"shop": tocsin.Deny}))
	rejudge()
	if a := w.attribute(t, as[1].ID); !a.Guarded() || a.Override != "" {
		t.Errorf("an override of a warning holds against what denies: %+v", a)
	}
	if a := w.attribute(t, as[0].ID); a.Guard != "" {
		t.Errorf("nothing guards it any more: %+v", a)
	}
	after, _ := w.As(w.admin).Event(t.Context(), id)
	if *before != *after {
		t.Errorf("the event changed from %+v to %+v", before, after)
	}
	if _, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error { _, err := tx.Rejudge(ids); return err }); tocsin.CodeOf(err) != tocsin.Forbidden {
		t.Errorf("a publisher judges: %v", err)
	}
}

func guardListsAreKept(t *testing.T, w *world) {
	l := &tocsin.GuardList{Name: "top", Class: tocsin.Deny, Match: "exact", Entries: 1, Digest: "x"}
	w.write(t, w.admin, func(tx *store.Tx) error { return tx.PutGuardList(l, []byte("packed")) })
	w.write(t, w.admin, func(tx *store.Tx) error { return tx.PutGuardSweep(store.GuardSweep{Lists: "x", After: 7}) })
	w.write(t, w.admin, func(tx *store.Tx) error {
		r, err := store.Named[*tocsin.GuardList](tx, "TOP")
		if err != nil {
			return err
		}
		r = new(*r)
		r.Class = tocsin.Inform
		return tx.PutGuardList(r, nil)
	})
	w.DB.Close()
	w.start(t)
	r, err := store.ByName[*tocsin.GuardList](w.As(w.theirs), "top")
	if err != nil || r.Class != tocsin.Inform || r.Changed.IsZero() {
		t.Fatalf("%+v, %v", r, err)
	}
	if b, err := w.As(w.theirs).GuardEntries(t.Context(), r.ID); err != nil || string(b) != "packed" {
		t.Errorf("%q, %v", b, err)
	}
	if _, err := w.As(access.Viewer{}).GuardEntries(t.Context(), r.ID); tocsin.CodeOf(err) != tocsin.NotFound {
		t.Errorf("nobody reads a list: %v", err)
	}
	if s, err := w.As(w.admin).GuardSweep(t.Context()); err != nil || s.After != 7 || s.Lists != "x" {
		t.Errorf("%+v, %v", s, err)
	}
	orgAdmin, _ := access.RoleByID(2)
	member := access.NewViewer("admin of 2", 9, 2, orgAdmin.Role)
	put := func(v access.Viewer, l *tocsin.GuardList) error {
		_, err := w.Apply(t.Context(), v, func(tx *store.Tx) error { return tx.PutGuardList(l, []byte{}) })
		return err
	}
	for _, no := range []*tocsin.GuardList{
		{Name: "all", Class: tocsin.Warn},                                // nobody's
		{Name: "theirs", Class: tocsin.Warn, Org: 1},                     // another's
		{Name: "mine", Class: tocsin.Warn, Org: 2},                       // too much
		{Name: "mine", Class: tocsin.Inform, Org: 2, Own: true},          // not the exchange's
		{ID: r.ID, Name: "top", Class: tocsin.Warn, Org: 2, Digest: "y"}, // made into theirs
	} {
		if err := put(member, no); tocsin.CodeOf(err) != tocsin.Forbidden {
			t.Errorf("%+v: %v", no, err)
		}
	}
	if err := put(w.theirs, &tocsin.GuardList{Name: "mine", Class: tocsin.Inform, Org: 2}); tocsin.CodeOf(err) != tocsin.Forbidden {
		t.Errorf("a publisher: %v", err)
	}
	mine := &tocsin.GuardList{Name: "mine", Class: tocsin.Inform, Org: 2}
	if err := put(member, mine); err != nil {
		t.Error(err)
	}
	own := &tocsin.GuardList{Name: "built-in", Class: tocsin.Deny, Own: true}
	if err := put(w.admin, own); err != nil {
		t.Error(err)
	}
	remove := func(v access.Viewer, id int64) error {
		_, err := w.Apply(t.Context(), v, func(tx *store.Tx) error { return tx.RemoveGuardList(id) })
		return err
	}
	if err := remove(w.admin, own.ID); tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("what comes with the program is removed: %v", err)
	}
	if err := remove(member, r.ID); tocsin.CodeOf(err) != tocsin.Forbidden {
		t.Errorf("a member removes a list: %v", err)
	}
	if err := remove(member, mine.ID); err != nil {
		t.Error(err)
	}
}
