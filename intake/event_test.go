package intake_test

import (
	"fmt"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
)

func TestAddEvent(t *testing.T) {
	w := newWorld(t)
	r, err := w.AddEvent(t.Context(), w.ours, intake.EventDraft{
		Info: " Phishing ", Date: "2026-11-01", Threat: new(2), Analysis: new(1), Distribution: new(access.Community), Publish: true,
		Tags:       []intake.TagDraft{{Name: "tlp:amber"}},
		Attributes: []intake.Draft{{Text: "evil.example"}, {Text: "?"}},
		Objects: []intake.ObjectDraft{
			{Name: "file", Attributes: []intake.Draft{{Type: "filename", Text: "bad.exe", Relation: "filename"}, {Type: "md5", Text: "zz"}}},
			{Name: "empty"},
			{Attributes: []intake.Draft{{Text: "x.example"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	e := r.Event
	equal(t, "event", fmt.Sprint(e.Info, e.Date, e.Threat, e.Analysis, e.Distribution, e.Published, e.Attributes), "Phishing2026-11-012 1 1 true 2")
	equal(t, "marking", w.DB.Labels().Label(e.Label).TLP, access.Amber)
	equal(t, "claims", w.claims(t, w.theirs, e.ID), []string{"Network activity/domain evil.example", "Payload delivery/filename bad.exe"})
	equal(t, "objects", len(r.Objects), 1)
	equal(t, "its attribute", r.Attributes[1].Object, r.Objects[0].ID)
	var refused []string
	for _, no := range r.Refused {
		refused = append(refused, fmt.Sprint(no.Line, no.Field))
	}
	equal(t, "refused", refused, []string{"2value", "2value", "2Attribute", "3name"})
}

func TestAddEventRefused(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		draft intake.EventDraft
		says  string
	}{
		{intake.EventDraft{}, "needs an info"},
		{intake.EventDraft{Info: "x\x00"}, "NUL"},
		{intake.EventDraft{Info: "x", Date: "1.11.2026"}, "YYYY-MM-DD"},
		{intake.EventDraft{Info: "x", Threat: new(5)}, "threat_level_id"},
		{intake.EventDraft{Info: "x", Analysis: new(-1)}, "analysis"},
		{intake.EventDraft{Info: "x", Distribution: new(access.Inherit)}, "distribution is 0 to 4"},
		{intake.EventDraft{Info: "x", Distribution: new(access.Group), Group: 9}, "no sharing group 9"},
		{intake.EventDraft{Info: "x", Tags: []intake.TagDraft{{}}}, "a tag needs a name"},
	} {
		_, err := w.AddEvent(t.Context(), w.ours, c.draft)
		wantError(t, err, tocsin.Invalid, c.says)
	}
	_, err := w.AddEvent(t.Context(), w.user, intake.EventDraft{Info: "x", Publish: true})
	wantError(t, err, tocsin.Forbidden, "publish")
	equal(t, "nothing was written", w.DB.Head(), tocsin.Seq(4))
}

func TestWhatNobodySaidSharesNothing(t *testing.T) {
	w := newWorld(t)
	id := w.event(t, intake.Draft{Text: "evil.example"})
	equal(t, "ours", len(w.claims(t, w.ours, id)), 1)
	equal(t, "theirs", len(w.claims(t, w.theirs, id)), 0)
}

func TestEditEvent(t *testing.T) {
	w := newWorld(t)
	known := tocsin.NewUUID(time.Now())
	id := w.event(t, intake.Draft{Text: "evil.example", UUID: known, Comment: "one"}, intake.Draft{Text: "same.example"})
	edit := func(e intake.EventEdit) (intake.Result, error) { return w.EditEvent(t.Context(), w.ours, id, e) }
	r, err := edit(intake.EventEdit{
		Analysis: new(2), Tags: []intake.TagDraft{{Name: "tlp:green"}}, Publish: new(true),
		Attributes: []intake.AttributeEdit{
			{UUID: known, Comment: new("two")},
			{Text: new("new.example")},
			{UUID: tocsin.NewUUID(time.Now()), Text: new("named.example")},
			{ID: 2, Text: new("not an address"), Type: new("ip-dst")},
			{ID: 99, Comment: new("x")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "event", fmt.Sprint(r.Event.Info, r.Event.Analysis, r.Event.Published, r.Event.Attributes), "an event2 true 4")
	equal(t, "claims", w.claims(t, w.ours, id), []string{"Network activity/domain evil.example", "Network activity/domain same.example",
		"Network activity/domain named.example", "Network activity/domain new.example"})
	equal(t, "refused", len(r.Refused), 2)
	equal(t, "edited", r.Attributes[0].Comment, "two")

	r, err = edit(intake.EventEdit{Info: new("another"), Timestamp: time.Now().Unix() + 100,
		Attributes: []intake.AttributeEdit{{UUID: known, Comment: new("stale"), Timestamp: 5}}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "an edited event is unpublished", fmt.Sprint(r.Event.Info, r.Event.Published, len(r.Attributes)), "anotherfalse 0")
	_, err = edit(intake.EventEdit{Info: new("stale"), Timestamp: 5})
	wantError(t, err, tocsin.Conflict, "newer than the edit")
	_, err = edit(intake.EventEdit{Info: new("")})
	wantError(t, err, tocsin.Invalid, "needs an info")
	_, err = w.EditEvent(t.Context(), w.theirs, id, intake.EventEdit{Info: new("x")})
	wantError(t, err, tocsin.NotFound, "no event")
}

func TestAddObject(t *testing.T) {
	w := newWorld(t)
	id := w.event(t)
	draft := intake.ObjectDraft{Name: "file", UUID: tocsin.NewUUID(time.Now()), Attributes: []intake.Draft{{Type: "filename", Text: "bad.exe"}}}
	r, err := w.AddObject(t.Context(), w.ours, id, draft)
	if err != nil || len(r.Objects) != 1 || len(r.Attributes) != 1 {
		t.Fatalf("%v %+v", err, r)
	}
	r, err = w.AddObject(t.Context(), w.ours, id, draft)
	if err != nil || len(r.Refused) != 1 || r.Refused[0].Field != "Object" {
		t.Errorf("the same again: %v %+v", err, r.Refused)
	}
	_, err = w.AddObject(t.Context(), w.theirs, id, draft)
	wantError(t, err, tocsin.NotFound, "no event")
}
