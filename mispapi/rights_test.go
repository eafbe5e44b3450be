package mispapi

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	visible   = "11111111-1111-4111-8111-111111111111"
	hidden    = "22222222-2222-4222-8222-222222222222"
	absent    = "99999999-9999-4999-8999-999999999999"
	inVisible = "11111111-1111-4111-8111-aaaaaaaaaaaa"
	inHidden  = "22222222-2222-4222-8222-aaaaaaaaaaaa"
	obVisible = "11111111-1111-4111-8111-bbbbbbbbbbbb"
	obHidden  = "22222222-2222-4222-8222-bbbbbbbbbbbb"
	groupOurs = "33333333-3333-4333-8333-333333333333"
	groupTwo  = "44444444-4444-4444-8444-444444444444"
)

// twoParties is a world in which ann's organisation has an event that bob's may
// see and one that it may not.
func twoParties(t testing.TB) *world {
	w := newWorld(t, noon)
	ours := put(w, &tocsin.Organisation{Name: "Ours", UUID: mustUUID("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), Local: true})
	theirs := put(w, &tocsin.Organisation{Name: "Theirs", UUID: mustUUID("bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"), Local: true})
	ann := w.user("ann", "ann@ours.example", ours.ID, 2)
	w.user("bob", "bob@theirs.example", theirs.ID, 2)
	w.user("reader", "reader@ours.example", ours.ID, 6)
	w.key("ann's read-only key", &tocsin.Key{User: ann.ID, ReadOnly: true})
	put(w, &tocsin.Group{UUID: mustUUID(groupOurs), Name: "ours alone", Org: ours.ID, Members: []tocsin.Member{{Org: ours.ID}}})
	put(w, &tocsin.Group{UUID: mustUUID(groupTwo), Name: "both", Org: ours.ID, Members: []tocsin.Member{{Org: ours.ID}, {Org: theirs.ID}}})
	for _, e := range []struct{ event, attribute, object, reach string }{{visible, inVisible, obVisible, "1"}, {hidden, inHidden, obHidden, "0"}} {
		w.must(200, "ann", "POST", "/events/add", fmt.Sprintf(`{"Event":{"uuid":%q,"info":"story","distribution":%s,"Tag":[{"name":"tlp:green"}],
			"Attribute":[{"uuid":%q,"type":"domain","value":"bad.example.org","Tag":[{"name":"tlp:green"}]}],
			"Object":[{"uuid":%q,"name":"file","distribution":5,"Attribute":[{"type":"filename","object_relation":"filename","value":"bad.exe"}]}]}}`,
			e.event, e.reach, e.attribute, e.object))
	}
	return w
}

// must asks and wants a status.
func (w *world) must(status int, as, method, path, body string) reply {
	w.t.Helper()
	got := w.ask(as, method, path, body)
	if got.status != status {
		w.t.Fatalf("%s: %s %s: status %d, not %d: %s", as, method, path, got.status, status, got.body)
	}
	return got
}

// head is the last line of the log.
func (w *world) head() (n tocsin.Seq) {
	w.t.Helper()
	n, err := w.db.Apply(context.Background(), access.System("test: the head of the log"), func(*store.Tx) error { return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// writes are all calls that change something. In path and body EVENT, ATTRIBUTE
// and OBJECT stand for a record's uuid.
var writes = []struct{ path, body string }{
	{"POST /events/edit/EVENT", `{"info":"hijacked"}`},
	{"PUT /events/EVENT", `{"info":"hijacked"}`},
	{"POST /events/edit/EVENT", `{"Attribute":[{"uuid":"ATTRIBUTE","value":"other.example.org"}]}`},
	{"POST /events/edit/EVENT", `{"Object":[{"uuid":"OBJECT","deleted":true}]}`},
	{"POST /events/publish/EVENT", ``},
	{"POST /events/unpublish/EVENT", ``},
	{"POST /events/delete/EVENT", ``},
	{"DELETE /events/EVENT", ``},
	{"POST /events/addTag/EVENT/tlp:green", ``},
	{"POST /events/removeTag/EVENT/tlp:green", ``},
	{"POST /attributes/add/EVENT", `{"type":"domain","value":"more.example.org"}`},
	{"POST /attributes/add/EVENT", `{"type":"ip-dst","value":"nonsense"}`},
	{"POST /attributes/edit/ATTRIBUTE", `{"comment":"hijacked"}`},
	{"PUT /attributes/ATTRIBUTE", `{"to_ids":false}`},
	{"POST /attributes/delete/ATTRIBUTE", ``},
	{"POST /attributes/restore/ATTRIBUTE", ``},
	{"POST /attributes/delete/ATTRIBUTE/1", ``},
	{"DELETE /attributes/ATTRIBUTE", ``},
	{"POST /objects/add/EVENT", `{"name":"file","Attribute":[{"type":"filename","value":"worse.exe"}]}`},
	{"POST /objects/edit/OBJECT", `{"comment":"hijacked"}`},
	{"POST /objects/edit/OBJECT", `{"Attribute":[{"type":"filename","value":"worse.exe"}]}`},
	{"PUT /objects/edit/OBJECT/1", `{"Attribute":[{"type":"filename","value":"worse.exe"}]}`},
	{"POST /objects/delete/OBJECT", ``},
	{"POST /objects/delete/OBJECT/1", ``},
	{"POST /event_reports/add/EVENT", `{"name":"hijacked","content":"x"}`},
	{"POST /tags/attachTagToObject", `{"uuid":"EVENT","tag":"tlp:red"}`},
	{"POST /tags/attachTagToObject", `{"uuid":"ATTRIBUTE","tag":"tlp:green"}`},
	{"POST /tags/attachTagToObject", `{"uuid":"ATTRIBUTE","tag":"new:tag","local":1}`},
	{"POST /tags/removeTagFromObject", `{"uuid":"EVENT","tag":"tlp:green"}`},
	{"POST /tags/removeTagFromObject", `{"uuid":"ATTRIBUTE","tag":"tlp:green"}`},
}

func fill(s, event, attribute, object string) string {
	return strings.NewReplacer("EVENT", event, "ATTRIBUTE", attribute, "OBJECT", object).Replace(s)
}

// TestWritesAreTheOwners asks every call that changes something for records that
// are not the caller's, and looks whether anything changed.
func TestWritesAreTheOwners(t *testing.T) {
	w := twoParties(t)
	before := w.head()
	for _, c := range writes {
		method, path, _ := strings.Cut(c.path, " ")
		ask := func(as, event, attribute, object string) reply {
			r := w.ask(as, method, fill(path, event, attribute, object), fill(c.body, event, attribute, object))
			r.body = strings.NewReplacer(event, "UUID", attribute, "UUID", object, "UUID").Replace(r.body)
			return r
		}
		if got := ask("bob", visible, inVisible, obVisible); got.status != 403 {
			t.Errorf("%s: another organisation's record: %d %s", c.path, got.status, got.body)
		}
		if got := ask("reader", visible, inVisible, obVisible); got.status != 403 || !strings.Contains(got.body, notPermitted) {
			t.Errorf("%s: a role that only reads: %d %s", c.path, got.status, got.body)
		}
		if got := ask("ann's read-only key", visible, inVisible, obVisible); got.status != 403 || !strings.Contains(got.body, notPermitted) {
			t.Errorf("%s: a read-only key: %d %s", c.path, got.status, got.body)
		}
		if got := ask("", visible, inVisible, obVisible); got.status != 403 || !strings.Contains(got.body, notAuthenticated) {
			t.Errorf("%s: nobody: %d %s", c.path, got.status, got.body)
		}
		a, b := ask("bob", hidden, inHidden, obHidden), ask("bob", absent, absent, absent)
		if a.status != b.status || a.body != b.body || a.status < 400 {
			t.Errorf("%s: a hidden record is answered %d %s\n\tan absent one %d %s", c.path, a.status, a.body, b.status, b.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
	for _, c := range []struct{ path, body string }{
		{"/events/add", `{"info":"x"}`},
		{"/events/upload_stix/2", `{"type":"bundle","objects":[]}`},
		{"/sharing_groups/add", `{"name":"x"}`},
		{"/sharing_groups/edit/" + groupTwo, `{"name":"x"}`},
		{"/sharing_groups/addOrg/" + groupTwo + "/1", ``},
		{"/sharing_groups/removeOrg/" + groupTwo + "/1", ``},
	} {
		for _, as := range []string{"reader", "ann's read-only key"} {
			if got := w.ask(as, "POST", c.path, c.body); got.status != 403 {
				t.Errorf("%s as %s: %d %s", c.path, as, got.status, got.body)
			}
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
}

// TestEveryWriteIsAsked holds the table above to the table of routes.
func TestEveryWriteIsAsked(t *testing.T) {
	asked := map[string]bool{"/events/add": true, "/events/upload_stix": true, "/sharing_groups/add": true, "/sharing_groups/edit": true, "/sharing_groups/addOrg": true, "/sharing_groups/removeOrg": true}
	ask := func(path string) {
		for _, act := range (&API{}).actions() {
			if path == act.path || strings.HasPrefix(path, act.path+"/") {
				asked[act.path] = true
			}
		}
	}
	for _, c := range writes {
		_, path, _ := strings.Cut(c.path, " ")
		ask(path)
	}
	for _, c := range speech {
		ask(c.path)
	}
	for _, r := range saying {
		for _, c := range r.writes {
			ask(c.path)
		}
	}
	for _, act := range (&API{}).actions() {
		if act.needs != 0 && !asked[act.path] {
			t.Errorf("no test asks %s for records of others", act.path)
		}
	}
}

// TestGroupsOfOthers keeps sharing groups to their makers, and from those who are
// not in them.
func TestGroupsOfOthers(t *testing.T) {
	w := twoParties(t)
	before := w.head()
	for _, path := range []string{"/sharing_groups/edit/ID", "/sharing_groups/addOrg/ID/2/0", "/sharing_groups/removeOrg/ID/1"} {
		ask := func(id string) reply {
			r := w.ask("bob", "POST", strings.Replace(path, "ID", id, 1), map[bool]string{true: `{"name":"x"}`}[strings.Contains(path, "edit")])
			r.body = strings.ReplaceAll(r.body, id, "ID")
			return r
		}
		if got := ask(groupTwo); got.status != 403 {
			t.Errorf("%s: a member who did not make it: %d %s", path, got.status, got.body)
		}
		if a, b := ask(groupOurs), ask(absent); a.status != b.status || a.body != b.body || a.status < 400 {
			t.Errorf("%s: a hidden group %d %s\n\tan absent one %d %s", path, a.status, a.body, b.status, b.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
}

// TestReadsAreTheViewers asks every call that reads for a hidden record.
func TestReadsAreTheViewers(t *testing.T) {
	w := twoParties(t)
	for _, c := range []struct{ path, body string }{
		{"GET /events/view/EVENT", ``}, {"GET /events/EVENT", ``}, {"HEAD /events/view/EVENT", ``},
		{"GET /attributes/view/ATTRIBUTE", ``}, {"GET /objects/view/OBJECT", ``},
		{"POST /events/restSearch", `{"eventid":"EVENT"}`}, {"POST /events/restSearch", `{"uuid":"EVENT"}`},
		{"POST /attributes/restSearch", `{"eventid":"EVENT"}`}, {"POST /attributes/restSearch", `{"uuid":"ATTRIBUTE"}`},
		{"POST /attributes/restSearch", `{"uuid":"EVENT"}`}, {"POST /events/index", `{"searcheventid":"EVENT"}`},
		{"POST /attributes/restSearch", `{"eventid":"EVENT","returnFormat":"csv"}`}, {"POST /attributes/restSearch", `{"eventid":"EVENT","returnFormat":"count"}`},
	} {
		method, path, _ := strings.Cut(c.path, " ")
		ask := func(as, event, attribute, object string) reply {
			r := w.ask(as, method, fill(path, event, attribute, object), fill(c.body, event, attribute, object))
			r.body = strings.NewReplacer(event, "UUID", attribute, "UUID", object, "UUID").Replace(r.body)
			return r
		}
		a, b := ask("bob", hidden, inHidden, obHidden), ask("bob", absent, absent, absent)
		if a.status != b.status || a.body != b.body {
			t.Errorf("%s %s: a hidden record is answered %d %s\n\tan absent one %d %s", c.path, c.body, a.status, a.body, b.status, b.body)
		}
		if a, b := ask("bob", visible, inVisible, obVisible), ask("ann", hidden, inHidden, obHidden); a.status != 200 || b.status != 200 || len(a.body) < len(b.body)/2 {
			t.Errorf("%s %s: those who may: %d %s, %d %s", c.path, c.body, a.status, a.body, b.status, b.body)
		}
	}
	for _, c := range []struct{ path, body string }{
		{"/attributes/restSearch", `{"value":"bad.example.org","includeCorrelations":1}`}, {"/attributes/restSearch", `{}`},
		{"/attributes/restSearch", `{"value":"%bad%"}`}, {"/events/restSearch", `{}`}, {"/events/index", `{}`}, {"/events/restSearch", `{"value":"bad.example.org"}`},
	} {
		if got := w.must(200, "bob", "POST", c.path, c.body); strings.Contains(got.body, "22222222-") {
			t.Errorf("%s %s shows what is hidden: %s", c.path, c.body, got.body)
		}
	}
}
