package intake_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/store"
)

func TestDraftsAreSettled(t *testing.T) {
	w := newWorld(t)
	no := false
	for _, c := range []struct {
		draft intake.Draft
		want  string
	}{
		{intake.Draft{Type: "domain", Text: " EVIL[.]Example. "}, "Network activity/domain evil.example true 5"},
		{intake.Draft{Text: "hxxp://evil.example/x"}, "Network activity/url http://evil.example/x true 5"},
		{intake.Draft{Text: "www.evil.example"}, "Network activity/hostname www.evil.example true 5"},
		{intake.Draft{Type: "md5", Text: "D41D8CD98F00B204E9800998ECF8427E"}, "Payload delivery/md5 d41d8cd98f00b204e9800998ecf8427e true 5"},
		{intake.Draft{Type: "comment", Text: "seen twice"}, "Other/comment seen twice false 5"},
		{intake.Draft{Type: "ip-dst", Text: "192.0.2.1", ToIDS: &no, Category: "Payload delivery"}, "Payload delivery/ip-dst 192.0.2.1 false 5"},
		{intake.Draft{Type: "ip-dst", Text: "192.0.2.2", Distribution: new(access.Community)}, "Network activity/ip-dst 192.0.2.2 true 1"},
		{intake.Draft{Type: "ip-dst", Text: "192.0.2.3", Distribution: new(access.Group), Group: 1}, "Network activity/ip-dst 192.0.2.3 true 4"},
	} {
		r, err := w.AddAttributes(t.Context(), w.ours, w.event(t), []intake.Draft{c.draft})
		if err != nil || len(r.Attributes) != 1 {
			t.Fatalf("%+v: %v, %+v", c.draft, err, r.Refused)
		}
		a := r.Attributes[0]
		equal(t, c.draft.Text, fmt.Sprintf("%s/%s %s %v %d", a.Category, a.Value.TypeName(), a.Value, a.ToIDS, a.Distribution), c.want)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t)
	taken := tocsin.NewUUID(time.Now())
	w.event(t, intake.Draft{Text: "taken.example", UUID: taken})
	for _, c := range []struct {
		draft      intake.Draft
		field, why string
	}{
		{intake.Draft{Type: "nonsense", Text: "x"}, "type", "there is no such type"},
		{intake.Draft{Type: "domain", Text: "x.example", Category: "Payload type"}, "type", `it does not go with category "Payload type"`},
		{intake.Draft{Type: "domain", Text: "x.example", Category: "Nonsense"}, "category", "there is no such category"},
		{intake.Draft{Type: "domain", Text: ""}, "value", "it is empty"},
		{intake.Draft{Text: "what is this"}, "value", "it is neither"},
		{intake.Draft{Type: "sha256", Text: "zz"}, "value", ""},
		{intake.Draft{Text: "x.example", Comment: "a\x00b"}, "comment", "it holds a NUL character"},
		{intake.Draft{Text: "x.example", Comment: "\xff"}, "comment", "it is not valid UTF-8"},
		{intake.Draft{Text: "x.example", Comment: strings.Repeat("x", 70_000)}, "comment", "it is longer than 65,535 octets"},
		{intake.Draft{Text: "x.example", Relation: "\xff"}, "object_relation", "it is not valid UTF-8"},
		{intake.Draft{Text: "x.example", Distribution: new(access.Distribution(6))}, "distribution", "distribution is 0 to 5, not 6"},
		{intake.Draft{Text: "x.example", Distribution: new(access.Group), Group: 9}, "distribution", "no sharing group 9"},
		{intake.Draft{Text: "x.example", FirstSeen: time.Unix(2, 0), LastSeen: time.Unix(1, 0)}, "last_seen", "it is before first_seen"},
		{intake.Draft{Text: "x.example", Tags: []intake.TagDraft{{Name: " "}}}, "Tag", "a tag needs a name"},
		{intake.Draft{Text: "x.example", Tags: []intake.TagDraft{{Name: "a\nb"}}}, "Tag", "one line of plain text"},
		{intake.Draft{Text: "x.example", UUID: taken}, "uuid", "is taken"},
	} {
		drafts := []intake.Draft{{Text: "one.example"}, c.draft, {Text: "two.example"}}
		r, err := w.AddAttributes(t.Context(), w.ours, w.event(t), drafts)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, c.why+": the others are taken", len(r.Attributes), 2)
		if len(r.Refused) != 1 || r.Refused[0].Line != 2 || r.Refused[0].Field != c.field || !strings.Contains(r.Refused[0].Why, c.why) {
			t.Errorf("got %+v, want line 2, %s: %s", r.Refused, c.field, c.why)
		}
	}
}

func TestAClaimIsTakenOnce(t *testing.T) {
	w := newWorld(t)
	id := w.event(t, intake.Draft{Text: "evil.example"})
	r, err := w.AddAttributes(t.Context(), w.ours, id, []intake.Draft{{Text: "evil[.]example"}, {Text: "new.example"}, {Text: "NEW.example"}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "duplicates", r.Duplicates, []int{1, 3})
	equal(t, "claims", w.claims(t, w.ours, id), []string{"Network activity/domain evil.example", "Network activity/domain new.example"})
}

func TestManyTakenUUIDs(t *testing.T) {
	w := newWorld(t)
	first := domains(300)
	for i := range first {
		first[i].UUID = tocsin.NewUUID(time.Now())
	}
	w.event(t, first...)
	second := domains(900)
	for i := 0; i < len(second); i += 3 {
		second[i].UUID = first[i/3].UUID
	}
	r, err := w.AddAttributes(t.Context(), w.ours, w.event(t), second)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "added and refused", fmt.Sprint(len(r.Attributes), len(r.Refused)), "600 300")
}

func TestWhoMayAdd(t *testing.T) {
	w := newWorld(t)
	id := w.event(t, intake.Draft{Text: "evil.example"})
	for _, drafts := range [][]intake.Draft{nil, {{Text: "x.example"}}, {{Text: "nothing at all"}}} {
		_, err := w.AddAttributes(t.Context(), w.theirs, id, drafts)
		wantError(t, err, tocsin.NotFound, "no event 1")
		_, err = w.AddAttributes(t.Context(), w.reader, id, drafts)
		wantError(t, err, tocsin.Forbidden, "owner's organisation only")
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t)
	apply(t, w.DB, access.System("test"), func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Tag{Name: "theirs:own", Org: 2})
	})
	id := w.event(t)
	r, err := w.AddAttributes(t.Context(), w.ours, id, []intake.Draft{
		{Text: "a.example", Tags: []intake.TagDraft{{Name: "TLP:RED"}, {Name: "note", Local: true, Colour: "#AABBCC"}}},
		{Text: "b.example", Tags: []intake.TagDraft{{Name: `tocsin:collection="block"`}, {Name: "loud", Colour: "red;x:y"}}},
		{Text: "c.example", Tags: []intake.TagDraft{{Name: "theirs:own"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "added", len(r.Attributes), 2)
	equal(t, "refused", r.Refused, []intake.Refusal{{Line: 3, Field: "Tag", Text: "c.example", Why: `the tag "theirs:own" is for others to attach`}})
	equal(t, "TLP", w.DB.Labels().Label(r.Attributes[0].Label).TLP, access.Red)
	var got []string
	for _, a := range r.Attributes {
		for at := range a.Tags.All() {
			tag, err := store.One[*tocsin.Tag](w.DB.As(w.ours), at.Tag)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprint(tag.Name, " ", at.Local))
			if tag.Name == "note" {
				equal(t, "colour", tag.Colour, "#aabbcc")
			} else if len(tag.Colour) != 7 {
				t.Errorf("tag %s has colour %q", tag.Name, tag.Colour)
			}
		}
	}
	equal(t, "tags", got, []string{"TLP:RED false", "note true", `tocsin:collection="block" true`, "loud false"})
}

func TestEditAttribute(t *testing.T) {
	w := newWorld(t)
	id := w.event(t, intake.Draft{Text: "evil.example", Comment: "one", Timestamp: 1000}, intake.Draft{Text: "other.example"})
	edit := func(e intake.AttributeEdit) (*tocsin.Attribute, error) {
		e.ID = 1
		r, err := w.EditAttribute(t.Context(), w.ours, e)
		if err != nil {
			return nil, err
		}
		return &r.Attributes[0], nil
	}
	a, err := edit(intake.AttributeEdit{Comment: new("two")})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "only the comment changes", fmt.Sprint(a.Value, " ", a.Comment, " ", a.ToIDS, " ", a.Category), "evil.example two true Network activity")
	a, err = edit(intake.AttributeEdit{Text: new("HXXP://evil[.]example/"), Type: new("url")})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "value", a.Value.String(), "http://evil.example/")
	a, err = edit(intake.AttributeEdit{Type: new("comment"), Text: new("was a domain")})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "category that no longer goes", a.Category.String(), "Network activity")
	if a.Timestamp <= 1000 {
		t.Errorf("timestamp %d stays", a.Timestamp)
	}
	_, err = edit(intake.AttributeEdit{Type: new("ip-dst")})
	wantError(t, err, tocsin.Invalid, "value")
	_, err = edit(intake.AttributeEdit{Type: new("domain"), Text: new("other.example")})
	wantError(t, err, tocsin.Conflict, "the same claim already")
	_, err = edit(intake.AttributeEdit{Timestamp: 900, Comment: new("three")})
	wantError(t, err, tocsin.Conflict, "newer than the edit")
	if a, err = edit(intake.AttributeEdit{Deleted: new(true)}); err != nil || !a.Deleted {
		t.Errorf("withdrawn: %v", err)
	}
	equal(t, "what is left", w.claims(t, w.ours, id), []string{"Network activity/domain other.example"})
	_, err = w.EditAttribute(t.Context(), w.theirs, intake.AttributeEdit{ID: 2, Comment: new("x")})
	wantError(t, err, tocsin.NotFound, "no attribute 2")
}

// A record keeps its sharing group through edits by those who have left it: else
// they could not take it back. New ones are refused.
func TestWhoLeftAGroupEdits(t *testing.T) {
	w := newWorld(t)
	group := access.Group
	r, err := w.AddEvent(t.Context(), w.ours, intake.EventDraft{Info: "an event", Distribution: &group, Group: 1,
		Attributes: []intake.Draft{{Text: "evil.example", Distribution: &group, Group: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, w.DB, access.System("test"), func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Group{ID: 1, Name: "own", Org: 2, Members: []tocsin.Member{}})
	})
	left := access.NewViewer("left", 1, 1, w.ours.Role())
	if _, err := w.EditAttribute(t.Context(), left, intake.AttributeEdit{ID: 1, Deleted: new(true), Distribution: &group, Group: new(int64(1))}); err != nil {
		t.Errorf("withdraw: %v", err)
	}
	if _, err := w.EditEvent(t.Context(), left, r.Event.ID, intake.EventEdit{Info: new("another info"), Distribution: &group, Group: new(int64(1))}); err != nil {
		t.Errorf("edit the event: %v", err)
	}
	_, err = w.AddEvent(t.Context(), left, intake.EventDraft{Info: "new", Distribution: &group, Group: 1})
	wantError(t, err, tocsin.Invalid, "no sharing group 1")
}
