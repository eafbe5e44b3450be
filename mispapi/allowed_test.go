package mispapi

import (
	"strings"
	"testing"
	"time"

	"tocsin"
)

// What the administrators allow goes out in no search and no export, by itself or in
// an object, and stays where it was said.
func TestAllowedIsLeftOut(t *testing.T) {
	w := newWorld(t, time.Now())
	o := put(w, &tocsin.Organisation{Name: "Us", UUID: tocsin.NewUUID(time.Now()), Local: true})
	w.user("us", "us@example.org", o.ID, 1)
	w.must(200, "us", "POST", "/events/add", `{"Event":{"info":"x","distribution":1,"Attribute":[
		{"type":"domain","value":"ours.example.net","to_ids":true},{"type":"domain","value":"evil.example.net","to_ids":true}],
		"Object":[{"name":"domain-ip","meta-category":"network","template_uuid":"43b3b146-77eb-4931-b4cc-b66c60f28734","template_version":9,"Attribute":[
			{"object_relation":"domain","type":"domain","value":"www.OURS.example.net","to_ids":true},{"object_relation":"ip","type":"ip-dst","value":"192.0.2.9","to_ids":true}]}]}}`)
	w.must(200, "us", "POST", "/events/publish/1", "")
	asked := []struct{ path, body string }{
		{"/attributes/restSearch", `{"eventid":1}`}, {"/attributes/restSearch", `{"eventid":1,"returnFormat":"csv"}`},
		{"/attributes/restSearch", `{"value":["ours.example.net","evil.example.net","www.ours.example.net"]}`},
		{"/attributes/restSearch", `{"eventid":1,"returnFormat":"text"}`}, {"/attributes/restSearch", `{"eventid":1,"returnFormat":"rpz"}`},
		{"/events/restSearch", `{"eventid":1}`}, {"/events/restSearch", `{"eventid":1,"returnFormat":"xml"}`},
		{"/events/restSearch", `{"eventid":1,"returnFormat":"csv"}`}, {"/events/restSearch", `{"eventid":1,"returnFormat":"stix2"}`},
		{"/events/restSearch", `{"eventid":1,"returnFormat":"stix"}`}, {"/events/restSearch", `{"eventid":1,"returnFormat":"suricata"}`},
		{"/objects/restSearch", `{"eventid":1}`}, {"/attributes/text/download/domain", ``},
	}
	seen := func(path, body string) (ours bool) {
		t.Helper()
		got := w.must(200, "us", "POST", path, body).body
		if !strings.Contains(got, "evil.example.net") && path != "/objects/restSearch" {
			t.Errorf("%s %s: what is not allowed is gone: %.300s", path, body, got)
		}
		return strings.Contains(strings.ToLower(got), "ours.example.net")
	}
	for _, c := range asked {
		if !seen(c.path, c.body) {
			t.Errorf("%s %s: nothing is allowed yet, and it is gone", c.path, c.body)
		}
	}
	w.must(200, "us", "POST", "/admin/allowedlists/add", `{"name":"/\\bours\\.example\\.net$/i"}`)
	for _, c := range asked {
		if seen(c.path, c.body) {
			t.Errorf("%s %s: goes out", c.path, c.body)
		}
	}
	if got := w.must(200, "us", "POST", "/attributes/restSearch", `{"eventid":1,"returnFormat":"count"}`); got.body != "2" {
		t.Errorf("%s are counted, not 2", got.body)
	}
	if !seen("/events/view/1", "") {
		t.Error("who looks at the event is not shown all of it")
	}
	w.must(200, "us", "POST", "/admin/allowedlists/delete/1", "")
	if !seen("/attributes/restSearch", `{"eventid":1}`) {
		t.Error("it stays away when it is no longer allowed")
	}
}
