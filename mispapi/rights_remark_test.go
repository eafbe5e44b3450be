package mispapi

import (
	"strings"
	"testing"
)

// speech are calls by which anyone who may see a record adds something about it:
// what is hidden is answered as what is absent, and who only reads adds nothing.
var speech = []struct {
	path, body string
	open       int // what it answers to those who may see the record
}{
	{"/analyst_data/add/Note", `{"note":"n","object_uuid":"11111111-1111-4111-8111-1","object_type":"Event"}`, 403},
	{"/sightings/add/ATTRIBUTE", `{}`, 200},
	{"/shadow_attributes/add/EVENT", `{"type":"domain","value":"proposed.example.org"}`, 200},
	{"/shadow_attributes/edit/ATTRIBUTE", `{"value":"proposed.example.org"}`, 200},
	{"/shadow_attributes/delete/ATTRIBUTE", ``, 200},
	{"/sightings/add", `{"id":"ATTRIBUTE","type":3}`, 200},
	{"/sightings/add", `{"uuid":"ATTRIBUTE","type":1}`, 200},
	{"/event_reports/importReportFromUrl/EVENT", `{"url":"http://192.0.2.1/"}`, 405},
	{"/sightings/bulkSaveSightings/EVENT", `[{"attribute_uuid":"ATTRIBUTE","type":"0","date_sighting":"1700000000"}]`, 200},
}

// TestSpeakingOfOthers asks those calls for records that may be seen, that are
// hidden and that are absent.
func TestSpeakingOfOthers(t *testing.T) {
	w := twoParties(t)
	before := w.head()
	for _, c := range speech {
		ask := func(as, event, attribute, object string) reply {
			r := w.ask(as, "POST", fill(c.path, event, attribute, object), fill(c.body, event, attribute, object))
			r.body = strings.NewReplacer(event, "UUID", attribute, "UUID", object, "UUID").Replace(r.body)
			return r
		}
		for _, as := range []string{"reader", "ann's read-only key"} {
			if got := ask(as, visible, inVisible, obVisible); got.status != 403 || !strings.Contains(got.body, notPermitted) {
				t.Errorf("%s as %s: %d %s", c.path, as, got.status, got.body)
			}
		}
		if got := ask("", visible, inVisible, obVisible); got.status != 403 || !strings.Contains(got.body, notAuthenticated) {
			t.Errorf("%s: nobody: %d %s", c.path, got.status, got.body)
		}
		if a, b := ask("bob", hidden, inHidden, obHidden), ask("bob", absent, absent, absent); a.status != b.status || a.body != b.body {
			t.Errorf("%s: a hidden record is answered %d %s\n\tan absent one %d %s", c.path, a.status, a.body, b.status, b.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
	for _, c := range speech {
		if got := w.ask("bob", "POST", fill(c.path, visible, inVisible, obVisible), fill(c.body, visible, inVisible, obVisible)); got.status != c.open {
			t.Errorf("%s: one who may see it: %d %s", c.path, got.status, got.body)
		}
	}
}

// saying are remarks that ann's organisation makes, and calls that change or delete
// them: ID is the remark's uuid.
var saying = []struct {
	add, body, kind string
	writes          []struct{ path, body string }
}{
	{"/sightings/add/ATTRIBUTE", `{}`, "Sighting", []struct{ path, body string }{{"/sightings/delete/ID", ``}}},
	{"/analyst_data/add/Note/EVENT/Event", `{"note":"n","distribution":5}`, "Note", []struct{ path, body string }{
		{"/analyst_data/edit/Note/ID", `{"note":"hijacked"}`}, {"/analyst_data/edit/all/ID", `{"note":"hijacked"}`}, {"/analyst_data/delete/Note/ID", ``}}},
	{"/analyst_data/add/Opinion/ATTRIBUTE/Attribute", `{"opinion":50,"comment":"c","distribution":5}`, "Opinion", []struct{ path, body string }{
		{"/analyst_data/edit/Opinion/ID", `{"opinion":0}`}, {"/analyst_data/delete/all/ID", ``}}},
	{"/analyst_data/add/Relationship/OBJECT/Object", `{"relationship_type":"r","related_object_uuid":"EVENT","related_object_type":"Event","distribution":5}`,
		"Relationship", []struct{ path, body string }{{"/analyst_data/edit/Relationship/ID", `{"relationship_type":"x"}`}, {"/analyst_data/delete/Relationship/ID", ``}}},
	{"/event_reports/add/EVENT", `{"name":"a report"}`, "EventReport", []struct{ path, body string }{{"/event_reports/edit/ID", `{"content":"hijacked"}`},
		{"/event_reports/delete/ID", ``}, {"/event_reports/restore/ID", ``}, {"/event_reports/delete/ID/1", ``}}},
}

// TestRemarksOfOthers asks calls that change a remark for one of another
// organisation that may be seen, and for one that is hidden.
func TestRemarksOfOthers(t *testing.T) {
	w := twoParties(t)
	for _, r := range saying {
		uuidOf := func(event, attribute, object string) string {
			got := w.must(200, "ann", "POST", fill(r.add, event, attribute, object), fill(r.body, event, attribute, object))
			return member(t, got.body, r.kind, "uuid")
		}
		seen, unseen := uuidOf(visible, inVisible, obVisible), uuidOf(hidden, inHidden, obHidden)
		before := w.head()
		for _, c := range r.writes {
			ask := func(as, id string) reply {
				got := w.ask(as, "POST", strings.ReplaceAll(c.path, "ID", id), strings.ReplaceAll(c.body, "ID", id))
				got.body = strings.ReplaceAll(got.body, id, "UUID")
				return got
			}
			if got := ask("bob", seen); got.status < 400 {
				t.Errorf("%s: another organisation's: %d %s", c.path, got.status, got.body)
			}
			for _, as := range []string{"reader", "ann's read-only key", ""} {
				if got := ask(as, seen); got.status != 403 {
					t.Errorf("%s as %q: %d %s", c.path, as, got.status, got.body)
				}
			}
			if a, b := ask("bob", unseen), ask("bob", absent); a.status != b.status || a.body != b.body || a.status < 400 {
				t.Errorf("%s: a hidden one is answered %d %s\n\tan absent one %d %s", c.path, a.status, a.body, b.status, b.body)
			}
		}
		if after := w.head(); after != before {
			t.Errorf("%s: %d lines were written", r.kind, after-before)
		}
		for _, c := range r.writes { // in the end whoever made it may
			if got := w.ask("ann", "POST", strings.ReplaceAll(c.path, "ID", seen), strings.ReplaceAll(c.body, "ID", seen)); got.status != 200 {
				t.Errorf("%s: its own organisation: %d %s", c.path, got.status, got.body)
			}
		}
	}
}

// member returns a text of a record in an answer.
func member(t testing.TB, body, record, name string) string {
	t.Helper()
	m, err := decodeObject([]byte(body))
	if err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	inner, _ := m[record].(map[string]any)
	if textOf(inner[name]) == "" {
		t.Fatalf("no %s.%s in %s", record, name, body)
	}
	return textOf(inner[name])
}
