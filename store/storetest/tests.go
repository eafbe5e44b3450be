package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

func count[R any](t *testing.T, rows func(func(R, error) bool)) (n int) {
	for _, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func length[R any](rows func(func(R) bool)) (n int) {
	for range rows {
		n++
	}
	return n
}

// reads lists how to call each method of store.View that reads records. One
// that is missing here fails the test: nobody can add a read and forget who is
// asking.
var reads = map[string]func(*testing.T, store.View) int{
	"Events": func(t *testing.T, w store.View) int { return count(t, w.Events(t.Context(), store.EventQuery{})) },
	"Attributes": func(t *testing.T, w store.View) int {
		return count(t, w.Attributes(t.Context(), store.Query{}))
	},
	"Objects": func(t *testing.T, w store.View) int { return count(t, w.Objects(t.Context(), store.ObjectQuery{})) },
	"CountEvents": func(t *testing.T, w store.View) int {
		n, err := w.CountEvents(t.Context(), store.EventQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	},
	"CountAttributes": func(t *testing.T, w store.View) int {
		n, err := w.CountAttributes(t.Context(), store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	},
	"Crowds":     func(t *testing.T, w store.View) int { return count(t, w.Crowds(t.Context(), store.Query{}, 1)) },
	"Exclusions": func(t *testing.T, w store.View) int { return length(w.Exclusions()) },
	"Tally": func(t *testing.T, w store.View) int {
		n, err := w.Tally(t.Context(), store.TraitType, store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		return len(n)
	},
	"TallyEvents": func(t *testing.T, w store.View) int {
		n, err := w.TallyEvents(t.Context(), store.EventQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return len(n)
	},
	"Event":          func(t *testing.T, w store.View) int { return found(w.Event(t.Context(), 1)) },
	"EventByUUID":    func(t *testing.T, w store.View) int { return found(w.EventByUUID(t.Context(), secretUUID)) },
	"Users":          func(t *testing.T, w store.View) int { return length(w.Users()) },
	"Keys":           func(t *testing.T, w store.View) int { return length(w.Keys()) },
	"Groups":         func(t *testing.T, w store.View) int { return length(w.Groups()) },
	"Tags":           func(t *testing.T, w store.View) int { return length(w.Tags()) },
	"Collections":    func(t *testing.T, w store.View) int { return length(w.Collections()) },
	"Subscribers":    func(t *testing.T, w store.View) int { return length(w.Subscribers()) },
	"Imports":        func(t *testing.T, w store.View) int { return length(w.Imports()) },
	"TagCollections": func(t *testing.T, w store.View) int { return length(w.TagCollections()) },
	"Feeds":          func(t *testing.T, w store.View) int { return length(w.Feeds()) },
	"Peers":          func(t *testing.T, w store.View) int { return length(w.Peers()) },
	"Blocks":         func(t *testing.T, w store.View) int { return length(w.Blocks()) },
	"Delegations":    func(t *testing.T, w store.View) int { return length(w.Delegations()) },
	"Settings":       func(t *testing.T, w store.View) int { return length(w.Settings()) },
	"Lines":          func(t *testing.T, w store.View) int { return min(1, count(t, w.Lines(t.Context(), 0))) },
	"UserSettings":   func(t *testing.T, w store.View) int { return length(w.UserSettings()) },
	"Registrations":  func(t *testing.T, w store.View) int { return length(w.Registrations()) },
	"References": func(t *testing.T, w store.View) int {
		return count(t, w.References(t.Context(), store.RemarkQuery{}))
	},
	"Sightings": func(t *testing.T, w store.View) int { return count(t, w.Sightings(t.Context(), store.RemarkQuery{})) },
	"Proposals": func(t *testing.T, w store.View) int { return count(t, w.Proposals(t.Context(), store.RemarkQuery{})) },
	"Reports":   func(t *testing.T, w store.View) int { return count(t, w.Reports(t.Context(), store.RemarkQuery{})) },
	"Notes":     func(t *testing.T, w store.View) int { return count(t, w.Notes(t.Context(), store.RemarkQuery{})) },
	"Opinions":  func(t *testing.T, w store.View) int { return count(t, w.Opinions(t.Context(), store.RemarkQuery{})) },
	"Relationships": func(t *testing.T, w store.View) int {
		return count(t, w.Relationships(t.Context(), store.RemarkQuery{}))
	},
	"Attachments": func(t *testing.T, w store.View) int {
		return count(t, w.Attachments(t.Context(), store.RemarkQuery{}))
	},
	"Clusters": func(t *testing.T, w store.View) int { return count(t, w.Clusters(t.Context(), store.RemarkQuery{})) },
	"Sighted": func(t *testing.T, w store.View) int {
		at, err := w.Sighted(t.Context(), []int64{1, 2, 3, 4, 5, 6, 7, 8, 9})
		if err != nil {
			t.Error(err)
		}
		return len(at)
	},
	"CountRemarks": func(t *testing.T, w store.View) int {
		n, err := w.CountRemarks(t.Context(), tocsin.KindSighting, store.RemarkQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return int(n)
	},
}

// known to everyone on the exchange, or no records at all: ids of tags narrow
// what a viewer may see, and never widen it.
var open = []string{"Correlates", "Organisations", "Library", "Allowed", "Viewer", "TagIDs", "Roles", "Lifetimes", "Retentions", "GuardLists", "GuardEntries", "GuardSweep"}

// read by site administrators alone.
var adminsOnly = []string{"Lines", "Exclusions", "Registrations", "Feeds", "Peers", "Blocks", "Settings"}

var secretUUID = tocsin.UUID{1}

func found[R any](_ *R, err error) int {
	if err != nil {
		return 0
	}
	return 1
}

func everyReadAsksWho(t *testing.T, w *world) {
	w.write(t, w.admin, func(tx *store.Tx) error {
		if err := tx.AddEvent(&tocsin.Event{Info: "secret", UUID: secretUUID, Org: 1}); err != nil {
			return err
		}
		if _, err := tx.AddAttributes(1, Domains(t, "secret.example"), false); err != nil {
			return err
		}
		if _, err := tx.AddObject(1, &tocsin.Object{Name: "file"}, nil); err != nil {
			return err
		}
		if err := someOfEachRemark(tx); err != nil {
			return err
		}
		tag := &tocsin.Tag{Name: "ours only", Org: 1}
		if err := store.Put(tx, tag); err != nil {
			return err
		}
		if _, err := tx.TagEvent(1, []tocsin.Attached{{Tag: tag.ID}}, nil); err != nil {
			return err
		}
		if err := store.Put(tx, &tocsin.User{Email: "a@ours.example", Org: 1, Role: 2}); err != nil {
			return err
		}
		if err := store.Put(tx, &tocsin.Key{Hash: "x", User: 1}); err != nil {
			return err
		}
		if err := store.Put(tx, &tocsin.Collection{Name: "c", Org: 1}); err != nil {
			return err
		}
		if err := store.Put(tx, &tocsin.Import{Org: 1}); err != nil {
			return err
		}
		if err := errors.Join(
			store.Put(tx, &tocsin.Organisation{Name: "others", UUID: tocsin.UUID{4}, Local: true}),
			store.Put(tx, &tocsin.TagCollection{Name: "ours", Org: 1}),
			store.Put(tx, &tocsin.Exclusion{Value: "secret.example"}),
			store.Put(tx, &tocsin.Feed{Name: "a feed", Headers: tocsin.NewSecret([]byte("Authorization: x"))}),
			store.Put(tx, &tocsin.Peer{Name: "a peer", Key: tocsin.NewSecret([]byte("a key"))}),
			store.Put(tx, &tocsin.Block{Of: tocsin.KindEvent, UUID: tocsin.UUID{3}}),
			store.Put(tx, &tocsin.Setting{Name: "a setting", Value: "x"}),
			store.Put(tx, &tocsin.Handover{Event: 1, Org: 3, Requester: 1}),
			store.Put(tx, &tocsin.UserSetting{User: 1, Name: "homepage", Value: []byte(`1`)}),
			store.Put(tx, &tocsin.Registration{Email: "new@example.org"}),
		); err != nil {
			return err
		}
		if err := store.Remove[*tocsin.Group](tx, w.group); err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Subscriber{Name: "s", Org: 1, Collection: 1})
	})
	proposedAndHidden(t, w)
	admin, _ := access.RoleByID(2)
	owner := access.NewViewer("owner", 1, 1, admin.Role)
	siteAdmin, _ := access.RoleByID(1)
	for m := range reflect.TypeFor[store.View]().Methods() {
		if slices.Contains(open, m.Name) {
			continue
		}
		read, ok := reads[m.Name]
		if !ok {
			t.Errorf("View.%s has no line in storetest's table of reads", m.Name)
			continue
		}
		own := 1
		if slices.Contains(adminsOnly, m.Name) {
			own = 0
		}
		for _, who := range []struct {
			v    access.Viewer
			want int
		}{{access.Viewer{}, 0}, {access.NewViewer("stranger", 9, 2, admin.Role), 0}, {owner, own}, {access.NewViewer("an administrator", 8, 2, siteAdmin.Role), 1}} {
			if got := read(t, w.As(who.v)); got != who.want {
				t.Errorf("View.%s as %q: %d records, want %d", m.Name, who.v.Name(), got, who.want)
			}
		}
	}
}

func addAndReadBack(t *testing.T, w *world) {
	id, added := w.event(t, tocsin.Event{Distribution: access.Community, Published: true}, "one.example", "two.example")
	var got []tocsin.Attribute
	for a, err := range w.As(w.theirs).Attributes(t.Context(), store.Query{Events: []int64{id}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, a)
	}
	if d := cmp.Diff(added, got, cmp.Comparer(func(a, b indicator.Value) bool { return a == b })); d != "" {
		t.Errorf("what is read differs from what Apply returned:\n%s", d)
	}
	e, err := w.As(w.theirs).Event(t.Context(), id)
	if err != nil || e.Attributes != 2 || !e.Published {
		t.Errorf("event: %+v, %v", e, err)
	}
	v, _ := indicator.Parse("domain", "two.example")
	if got := w.values(t, w.theirs, store.Query{Keys: v.Keys()}); !slices.Equal(got, []string{"two.example"}) {
		t.Errorf("by key: %v", got)
	}
	if got := w.values(t, w.theirs, store.Query{Limit: 1, Offset: 1}); !slices.Equal(got, []string{"two.example"}) {
		t.Errorf("second page: %v", got)
	}
}

func aClaimIsKeptOnce(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{}, "one.example", "one.example")
	var r store.Addition
	w.write(t, w.ours, func(tx *store.Tx) (err error) {
		r, err = tx.AddAttributes(id, Domains(t, "one.example", "two.example", "two.example"), false)
		return err
	})
	if !slices.Equal(r.Duplicates, []int{0, 2}) || len(r.Added) != 1 {
		t.Errorf("added %d, duplicates %v", len(r.Added), r.Duplicates)
	}
	if got := w.values(t, w.ours, store.Query{}); !slices.Equal(got, []string{"one.example", "two.example"}) {
		t.Errorf("held: %v", got)
	}
	w.event(t, tocsin.Event{}, "one.example")
	if got := w.values(t, w.ours, store.Query{}); len(got) != 3 {
		t.Errorf("in another event it is a claim of its own: %v", got)
	}
}

func nothingOfAFailedWrite(t *testing.T, w *world) {
	head := w.Head()
	fail := errors.New("no")
	_, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error {
		e := &tocsin.Event{Info: "x"}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		if _, err := tx.AddAttributes(e.ID, Domains(t, "a.example"), false); err != nil {
			return err
		}
		if _, err := tx.TagNamed("a new tag", ""); err != nil {
			return err
		}
		return fail
	})
	if !errors.Is(err, fail) {
		t.Fatalf("Apply: %v", err)
	}
	if got := w.values(t, w.admin, store.Query{}); len(got) != 0 || w.Head() != head || length(w.As(w.admin).Tags()) != 0 {
		t.Errorf("left behind: %v, head %d→%d, %d tags", got, head, w.Head(), length(w.As(w.admin).Tags()))
	}
	_, err = w.Apply(t.Context(), w.ours, func(*store.Tx) error { panic("boom") })
	if err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("a panic: %v", err)
	}
	w.event(t, tocsin.Event{}, "next.example") // the writer goes on
}

func strangersChangeNothing(t *testing.T, w *world) {
	seen, as := w.event(t, tocsin.Event{Distribution: access.Community}, "seen.example")
	hidden, hid := w.event(t, tocsin.Event{Distribution: access.OrgOnly}, "hidden.example")
	tries := map[string]func(tx *store.Tx, event, attribute int64) error{
		"edit event": func(tx *store.Tx, e, _ int64) error {
			_, err := tx.EditEvent(e, func(e *tocsin.Event) error { e.Info = "mine"; return nil })
			return err
		},
		"publish":      func(tx *store.Tx, e, _ int64) error { _, err := tx.Publish(e, true); return err },
		"delete event": func(tx *store.Tx, e, _ int64) error { return tx.DeleteEvent(e) },
		"add attribute": func(tx *store.Tx, e, _ int64) error {
			_, err := tx.AddAttributes(e, Domains(t, "new.example"), false)
			return err
		},
		"add object": func(tx *store.Tx, e, _ int64) error {
			_, err := tx.AddObject(e, &tocsin.Object{Name: "file"}, nil)
			return err
		},
		"edit attribute": func(tx *store.Tx, _, a int64) error {
			_, err := tx.EditAttribute(a, func(a *tocsin.Attribute) error { a.ToIDS = false; return nil })
			return err
		},
		"delete attribute": func(tx *store.Tx, _, a int64) error { return tx.DeleteAttribute(a) },
		"tag": func(tx *store.Tx, e, _ int64) error {
			g, err := tx.TagNamed("tlp:red", "")
			if err != nil {
				return err
			}
			_, err = tx.TagEvent(e, []tocsin.Attached{{Tag: g.ID}}, nil)
			return err
		},
	}
	head := w.Head()
	reader, _ := access.RoleByID(6)
	looker := access.NewViewer("looker", 3, 1, reader.Role, w.GroupsOf(1)...)
	for name, try := range tries {
		_, err := w.Apply(t.Context(), w.theirs, func(tx *store.Tx) error { return try(tx, seen, as[0].ID) })
		if c := tocsin.CodeOf(err); c != tocsin.Forbidden {
			t.Errorf("%s of another's record: %v", name, err)
		}
		_, err = w.Apply(t.Context(), w.theirs, func(tx *store.Tx) error { return try(tx, hidden, hid[0].ID) })
		if c := tocsin.CodeOf(err); c != tocsin.NotFound {
			t.Errorf("%s of a hidden record: %v", name, err)
		}
		_, err = w.Apply(t.Context(), looker, func(tx *store.Tx) error { return try(tx, seen, as[0].ID) })
		if c := tocsin.CodeOf(err); c != tocsin.Forbidden {
			t.Errorf("%s with a read-only role: %v", name, err)
		}
	}
	for who, v := range map[string]access.Viewer{"a reader of the owner's": w.ours.ReadOnly(), "a reading administrator": w.admin.ReadOnly(), "nobody": {}} {
		_, err := w.Apply(t.Context(), v, func(tx *store.Tx) error { return tx.AddEvent(&tocsin.Event{Info: "x", Org: 1}) })
		if tocsin.CodeOf(err) != tocsin.Forbidden {
			t.Errorf("a write by %s: %v", who, err)
		}
	}
	if w.Head() != head {
		t.Errorf("the log moved from %d to %d", head, w.Head())
	}
	_, err := w.Apply(t.Context(), w.theirs, func(tx *store.Tx) error {
		return tx.AddEvent(&tocsin.Event{Info: "x", Distribution: access.Group, Group: w.own})
	})
	if tocsin.CodeOf(err) != tocsin.Invalid {
		t.Errorf("sharing with a group that one is not in: %v", err)
	}
}

func relabelIsOneLine(t *testing.T, w *world) {
	names := make([]string, 500)
	for i := range names {
		names[i] = fmt.Sprintf("n%d.example", i)
	}
	id, _ := w.event(t, tocsin.Event{Distribution: access.Community, Published: true}, names...)
	if n := len(w.values(t, w.theirs, store.Query{})); n != 500 {
		t.Fatalf("they see %d", n)
	}
	for _, step := range []struct {
		what   string
		change func(*tocsin.Event)
		want   int
	}{
		{"own organisation", func(e *tocsin.Event) { e.Distribution = access.OrgOnly }, 0},
		{"a group with them", func(e *tocsin.Event) { e.Distribution, e.Group = access.Group, w.group }, 500},
		{"a group without them", func(e *tocsin.Event) { e.Distribution, e.Group = access.Group, w.own }, 0},
		{"everyone", func(e *tocsin.Event) { e.Distribution = access.Everyone }, 500},
	} {
		head := w.Head()
		w.write(t, w.ours, func(tx *store.Tx) error {
			_, err := tx.EditEvent(id, func(e *tocsin.Event) error { step.change(e); return nil })
			return err
		})
		if n := len(w.values(t, w.theirs, store.Query{})); n != step.want || w.Head() != head+1 {
			t.Errorf("%s: they see %d, want %d; %d lines", step.what, n, step.want, w.Head()-head)
		}
	}
}

func deletedForGood(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "b.example")
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteAttribute(as[0].ID) })
	again := Domains(t, "c.example")
	again[0].UUID = as[0].UUID
	_, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error {
		_, err := tx.AddAttributes(id, again, false)
		return err
	})
	if tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("the uuid of a deleted attribute: %v", err)
	}
	e, err := w.As(w.ours).Event(t.Context(), id)
	if err != nil || e.Attributes != 1 {
		t.Fatalf("event: %+v, %v", e, err)
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	if got := w.values(t, w.admin, store.Query{Deleted: store.Any}); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
	_, err = w.Apply(t.Context(), w.ours, func(tx *store.Tx) error { return tx.AddEvent(&tocsin.Event{Info: "x", UUID: e.UUID}) })
	if tocsin.CodeOf(err) != tocsin.Gone {
		t.Errorf("the uuid of a deleted event: %v", err)
	}
}

func tagsSetLabels(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{Distribution: access.Community, Published: true}, "a.example")
	tag := func(name string, local bool, add bool, attribute int64) {
		w.write(t, w.ours, func(tx *store.Tx) error {
			g, err := tx.TagNamed(name, "")
			if err != nil {
				return err
			}
			at := []tocsin.Attached{{Tag: g.ID, Local: local}}
			if !add {
				at = nil
			}
			var off []tocsin.Attached
			if !add {
				off = []tocsin.Attached{{Tag: g.ID}}
			}
			if attribute != 0 {
				_, err = tx.TagAttribute(attribute, at, off)
			} else {
				_, err = tx.TagEvent(id, at, off)
			}
			return err
		})
	}
	labels := func() (event, attribute access.Label) {
		e, err := w.As(w.ours).Event(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for a, err := range w.As(w.ours).Attributes(t.Context(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			attribute = w.Labels().Label(a.Label)
		}
		return w.Labels().Label(e.Label), attribute
	}
	tag("tlp:amber", false, true, 0)
	tag("TLP:RED", false, true, as[0].ID)
	if e, a := labels(); e.TLP != access.Amber || a.TLP != access.Red {
		t.Errorf("labels %+v, %+v", e, a)
	}
	tag("PAP:RED", true, true, as[0].ID)
	tag("tlp:red", false, false, as[0].ID)
	if _, a := labels(); a.TLP != access.Unmarked || a.PAP != access.PAPRed {
		t.Errorf("label %+v", a)
	}
	w.write(t, w.ours, func(tx *store.Tx) error {
		g, err := tx.TagNamed(`police:operation="night-owl"`, "")
		if err != nil {
			return err
		}
		_, err = tx.TagEvent(id, []tocsin.Attached{{Tag: g.ID}}, nil)
		return err
	})
	for g := range w.As(w.theirs).Tags() {
		if strings.HasPrefix(g.Name, "police:") {
			t.Errorf("they are told of our tag %q", g.Name)
		}
	}
	if n := length(w.As(w.ours).Tags()); n != 4 {
		t.Errorf("we know of %d tags, want 4", n)
	}
	if n := length(w.As(w.admin).Tags()); n != 4 {
		t.Errorf("%d tags: names differ in case only", n)
	}
}

func objectsRestrictTheirs(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{Distribution: access.Community})
	o := &tocsin.Object{Name: "domain-ip", Distribution: access.Inherit}
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.AddObject(id, o, Domains(t, "a.example", "b.example"))
		return err
	})
	if n := len(w.values(t, w.theirs, store.Query{})); n != 2 {
		t.Fatalf("they see %d", n)
	}
	w.write(t, w.ours, func(tx *store.Tx) error {
		_, err := tx.EditObject(o.ID, func(o *tocsin.Object) error { o.Distribution = access.OrgOnly; return nil })
		return err
	})
	if got := w.values(t, w.theirs, store.Query{}); len(got) != 0 {
		t.Errorf("they still see %v", got)
	}
	if n := count(t, w.As(w.theirs).Objects(t.Context(), store.ObjectQuery{})); n != 0 {
		t.Errorf("they still see the object")
	}
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteObject(o.ID) })
	if got := w.values(t, w.ours, store.Query{Deleted: store.Any}); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// recorder is a follower that writes down what it is told.
type recorder struct {
	name  string
	told  []string
	until tocsin.Seq
	full  context.CancelFunc
}

func (r *recorder) Name() string                  { return r.name }
func (r *recorder) Place() tocsin.Seq             { return 0 }
func (r *recorder) Restart(context.Context) error { r.told = nil; return nil }
func (r *recorder) Follow(ctx context.Context, cs []tocsin.Change) error {
	v := access.System("a test")
	for _, c := range cs {
		line := fmt.Sprintf("%d %s %d", c.Seq, c.Kind, c.ID)
		if c.IsRange() {
			run, err := c.Run(ctx, v, 0)
			if err != nil {
				return err
			}
			line += fmt.Sprint(" label ", c.Label(v), " run")
			for _, a := range run {
				line += fmt.Sprintf(" %d=%s/%v/%v/%d", a.ID, a.Value, a.Deleted, a.ToIDS, a.Label)
			}
		}
		if b, a := tocsin.Records[*tocsin.Attribute](&c, v); b != nil || a != nil {
			line += fmt.Sprintf(" %s → %s", show(b), show(a))
		}
		if b, a := tocsin.Records[*tocsin.Event](&c, v); b != nil || a != nil {
			line += fmt.Sprintf(" published %v → %v", b != nil && b.Published, a != nil && a.Published)
		}
		if c.IsScope() {
			var touched []string
			for a, err := range c.Scope(ctx, v, 0) {
				if err != nil {
					return err
				}
				touched = append(touched, show(&a))
			}
			slices.Sort(touched)
			line += " touches " + strings.Join(touched, " ")
		}
		r.told = append(r.told, line)
		if c.Seq >= r.until {
			r.full()
		}
	}
	return nil
}

func show(a *tocsin.Attribute) string {
	if a == nil {
		return "nothing"
	}
	return fmt.Sprintf("%d=%s/%v/%v/%d", a.ID, a.Value, a.Deleted, a.ToIDS, a.Label)
}

// follow returns what a follower is told from the first line to the head.
func (w *world) follow(t *testing.T, name string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &recorder{name: name, until: w.Head(), full: cancel}
	if err := w.Follow(ctx, r); err != nil {
		t.Fatal(err)
	}
	return r.told
}

// What a line meant when it was written is what it means whenever it is read,
// whatever became of its records since.
func theLogReadLaterIsTheLog(t *testing.T, w *world) {
	live := map[tocsin.Seq]string{}
	note := func() {
		for i, l := range w.follow(t, "live") {
			if s := tocsin.Seq(i + 1); live[s] == "" {
				live[s] = l
			}
		}
	}
	id, as := w.event(t, tocsin.Event{Distribution: access.Community}, "a.example", "b.example", "c.example", "d.example")
	note()
	for i, step := range []func(tx *store.Tx) error{
		func(tx *store.Tx) error { _, err := tx.Publish(id, true); return err },
		func(tx *store.Tx) error {
			_, err := tx.EditAttribute(as[1].ID, func(a *tocsin.Attribute) error {
				v, err := indicator.Parse("domain", "edited.example")
				a.Value = v
				return err
			})
			return err
		},
		func(tx *store.Tx) error { _, err := tx.Publish(id, true); return err },
		func(tx *store.Tx) error { return tx.DeleteAttribute(as[2].ID) },
		func(tx *store.Tx) error {
			_, err := tx.AddAttributes(id, Domains(t, "e.example"), false)
			return err
		},
		func(tx *store.Tx) error {
			_, err := tx.EditEvent(id, func(e *tocsin.Event) error { e.Distribution = access.OrgOnly; return nil })
			return err
		},
		func(tx *store.Tx) error {
			_, err := tx.EditAttribute(as[0].ID, func(a *tocsin.Attribute) error { a.Deleted = true; return nil })
			return err
		},
		func(tx *store.Tx) error { return tx.DeleteEvent(id) },
	} {
		_ = i
		w.write(t, w.ours, step)
		note()
	}
	w.DB.Close()
	w.start(t) // nothing is in memory any more
	var want []string
	for _, s := range slices.Sorted(maps.Keys(live)) {
		want = append(want, live[s])
	}
	if d := cmp.Diff(want, w.follow(t, "later")); d != "" {
		t.Errorf("read later, the log differs:\n%s", d)
	}
}

func writersShareACommit(t *testing.T, w *world) {
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			_, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error {
				e := &tocsin.Event{Info: fmt.Sprint("event ", i)}
				if err := tx.AddEvent(e); err != nil {
					return err
				}
				if i%4 == 0 {
					return errors.New("this one fails")
				}
				_, err := tx.AddAttributes(e.ID, Domains(t, fmt.Sprintf("n%d.example", i)), false)
				return err
			})
			if (err != nil) != (i%4 == 0) {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := len(w.values(t, w.ours, store.Query{})); n != 30 {
		t.Errorf("%d attributes, want 30", n)
	}
	if n := count(t, w.As(w.ours).Events(t.Context(), store.EventQuery{})); n != 30 {
		t.Errorf("%d events, want 30", n)
	}
	if told := w.follow(t, "f"); len(told) != int(w.Head()) {
		t.Errorf("%d lines told, head %d", len(told), w.Head())
	}
}

func idsAreNeverReused(t *testing.T, w *world) {
	id, as := w.event(t, tocsin.Event{}, "a.example")
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	next, bs := w.event(t, tocsin.Event{}, "b.example")
	if next <= id || bs[0].ID <= as[0].ID {
		t.Errorf("event %d then %d, attribute %d then %d", id, next, as[0].ID, bs[0].ID)
	}
}

func reopenKeepsEverything(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{Distribution: access.Group, Group: w.group}, "a.example")
	head, hash := w.Head(), w.Hasher()
	w.DB.Close()
	w.start(t)
	if w.Head() != head || w.Hasher() != hash {
		t.Errorf("head %d → %d, same seed: %v", head, w.Head(), w.Hasher() == hash)
	}
	if got := w.values(t, w.theirs, store.Query{Events: []int64{id}}); !slices.Equal(got, []string{"a.example"}) {
		t.Errorf("they see %v", got)
	}
}

func readersSeeOneState(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{}, "a.example", "b.example")
	n := 0
	for _, err := range w.As(w.ours).Attributes(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 { // a write in the midst of the read neither waits nor shows
			w.write(t, w.ours, func(tx *store.Tx) error {
				_, err := tx.AddAttributes(id, Domains(t, "c.example"), false)
				return err
			})
		}
		n++
	}
	if n != 2 {
		t.Errorf("the reader saw %d attributes, want the 2 that there were", n)
	}
}

func purgeWaitsForFollowers(t *testing.T, w *world) {
	id, _ := w.event(t, tocsin.Event{}, "a.example", "b.example")
	w.write(t, w.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	w.follow(t, "laggard") // its Place stays 0: it would need the rows again
	if n, err := w.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("purged %d rows that a follower needs, %v", n, err)
	}
	told := w.follow(t, "laggard")
	if last := told[len(told)-1]; !strings.Contains(last, "a.example") || !strings.Contains(last, "b.example") {
		t.Errorf("told of the deletion: %s", last)
	}
	w.DB.Close()
	w.start(t)
	var rows int64
	for {
		n, err := w.Purge(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if rows += n; n == 0 {
			break
		}
	}
	if rows != 5 { // the event and its attributes, and the event's two images in the log
		t.Errorf("purged %d rows, want 5", rows)
	}
	w.follow(t, "newcomer") // reads the whole log without them
}

// An organisation that is taken out of a sharing group, or whose group is gone,
// can still take back what it shared with the group, in every way there is.
func whoLeftAGroupTakesBack(t *testing.T, w *world) {
	theirs := w.theirs
	var event, grouped tocsin.Event
	var inEvent, inGroup []tocsin.Attribute
	object := tocsin.Object{Name: "an object", Distribution: access.Group, Group: w.group}
	w.write(t, theirs, func(tx *store.Tx) error {
		event = tocsin.Event{Info: "shared with the group", Distribution: access.Group, Group: w.group, Published: true}
		grouped = tocsin.Event{Info: "parts shared with the group", Distribution: access.Community, Published: true}
		if err := errors.Join(tx.AddEvent(&event), tx.AddEvent(&grouped)); err != nil {
			return err
		}
		r, err := tx.AddAttributes(event.ID, Domains(t, "a.example", "b.example"), false)
		if err != nil {
			return err
		}
		inEvent = r.Added
		as := Domains(t, "c.example", "d.example")
		for i := range as {
			as[i].Distribution, as[i].Group = access.Group, w.group
		}
		if r, err = tx.AddAttributes(grouped.ID, as, false); err != nil {
			return err
		}
		inGroup = r.Added
		_, err = tx.AddObject(grouped.ID, &object, Domains(t, "e.example"))
		return err
	})
	w.write(t, w.admin, func(tx *store.Tx) error {
		g, err := store.Get[*tocsin.Group](tx, w.group)
		if err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Group{ID: g.ID, Name: g.Name, Org: g.Org, Members: []tocsin.Member{{Org: 1}}})
	})
	theirs = access.NewViewer("theirs", 2, 2, theirs.Role(), w.GroupsOf(2)...)
	if n := len(w.values(t, w.ours, store.Query{})); n != 5 {
		t.Fatalf("the group's members see %d attributes, want 5", n)
	}
	withdraw := func(a *tocsin.Attribute) error { a.Deleted = true; return nil }
	for what, take := range map[string]func(*store.Tx) error{
		"withdraw one of its event": func(tx *store.Tx) error { _, err := tx.EditAttribute(inEvent[0].ID, withdraw); return err },
		"delete one of its event":   func(tx *store.Tx) error { return tx.DeleteAttribute(inEvent[1].ID) },
		"withdraw one of its own":   func(tx *store.Tx) error { _, err := tx.EditAttribute(inGroup[0].ID, withdraw); return err },
		"delete one of its own":     func(tx *store.Tx) error { return tx.DeleteAttribute(inGroup[1].ID) },
		"unpublish":                 func(tx *store.Tx) error { _, err := tx.Publish(event.ID, false); return err },
		"withdraw an object": func(tx *store.Tx) error {
			_, err := tx.EditObject(object.ID, func(o *tocsin.Object) error { o.Deleted = true; return nil })
			return err
		},
	} {
		if _, err := w.Apply(t.Context(), theirs, take); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := w.values(t, w.ours, store.Query{}); len(got) != 0 {
		t.Errorf("still shared: %v", got)
	}
	_, err := w.Apply(t.Context(), theirs, func(tx *store.Tx) error {
		return tx.AddEvent(&tocsin.Event{Info: "new", Distribution: access.Group, Group: w.group})
	})
	if tocsin.CodeOf(err) != tocsin.Invalid {
		t.Errorf("sharing something new with the group: %v", err)
	}
}

// A TSIG key is found by its name, so no two subscribers' keys share one,
// whoever administers them.
func keysHaveNamesOfTheirOwn(t *testing.T, w *world) {
	key := func(name string) *tocsin.TSIG {
		return &tocsin.TSIG{Name: name, Algorithm: "hmac-sha256", Secret: tocsin.NewSecret([]byte(name))}
	}
	c := &tocsin.Collection{Name: "theirs", Org: 2}
	early := &tocsin.Subscriber{Name: "early", Org: 2, TSIG: key("early")}
	w.write(t, w.admin, func(tx *store.Tx) error {
		if err := store.Put(tx, c); err != nil {
			return err
		}
		early.Collection = c.ID
		late := &tocsin.Subscriber{Name: "late", Collection: c.ID, Org: 2, TSIG: key("resolver-k")}
		return errors.Join(store.Put(tx, early), store.Put(tx, late))
	})
	for _, name := range []string{"resolver-k", "Resolver-K", "resolver-k.", "resolver-\u212a"} {
		_, err := w.Apply(t.Context(), w.admin, func(tx *store.Tx) error {
			s := *early
			s.TSIG = key(name)
			return store.Put(tx, &s)
		})
		if tocsin.CodeOf(err) != tocsin.Conflict {
			t.Errorf("a second key %q: %v", name, err)
		}
	}
	w.write(t, w.admin, func(tx *store.Tx) error { return store.Put(tx, early) })
}

// Whatever an administrator of one organisation sets up, it gets nothing of
// another's, takes nothing of another's, and says nothing in another's name.
func nobodySpeaksForOthers(t *testing.T, w *world) {
	admin, _ := access.RoleByID(2)
	sync, _ := access.RoleByID(5)
	ours := access.NewViewer("our admin", 1, 1, admin.Role)
	theirs := access.NewViewer("their admin", 2, 2, admin.Role)
	peer := access.NewViewer("their peer", 3, 2, sync.Role)
	w.write(t, ours, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Collection{Name: "ours", Org: 1, Zone: "rpz.example", HotZone: "Hot.Example."})
	})
	w.write(t, theirs, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Collection{Name: "theirs", Org: 2, Zone: "their.example", Sources: []int64{1, 2}})
	})
	for what, c := range map[string]struct {
		v    access.Viewer
		do   func(*store.Tx) error
		want tocsin.Code
	}{
		"a subscriber of another's collection": {theirs, func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.Subscriber{Name: "s", Collection: 1, Org: 2})
		}, tocsin.Forbidden},
		"a zone of another's name": {theirs, func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.Collection{Name: "c", Org: 2, Zone: "RPZ.example."})
		}, tocsin.Conflict},
		"a zone of another's hot zone's name": {theirs, func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.Collection{Name: "c", Org: 2, HotZone: "hot.example"})
		}, tocsin.Conflict},
		"an event in the name of one who is here": {peer, func(tx *store.Tx) error {
			return tx.AddEvent(&tocsin.Event{Info: "x", Orgc: 1, Org: 2})
		}, tocsin.Forbidden},
		"an event held by one who is here": {peer, func(tx *store.Tx) error {
			return tx.AddEvent(&tocsin.Event{Info: "x", Orgc: 2, Org: 1})
		}, tocsin.Forbidden},
		"very many tags": {theirs, func(tx *store.Tx) error {
			var as []tocsin.Attached
			for i := range int64(1001) {
				as = append(as, tocsin.Attached{Tag: i + 1})
			}
			return tx.AddEvent(&tocsin.Event{Info: "x", Tags: tocsin.NewTagSet(as...)})
		}, tocsin.Invalid},
	} {
		if _, err := w.Apply(t.Context(), c.v, c.do); tocsin.CodeOf(err) != c.want {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.write(t, theirs, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Subscriber{Name: "own", Collection: 2, Org: 2})
	})
	w.write(t, w.admin, func(tx *store.Tx) error {
		elsewhere := &tocsin.Organisation{Name: "Elsewhere", UUID: tocsin.NewUUID(tx.Now())}
		return store.Put(tx, elsewhere)
	})
	w.write(t, peer, func(tx *store.Tx) error { return tx.AddEvent(&tocsin.Event{Info: "brought here", Orgc: 3, Org: 2}) })
}
