package mispapi

import (
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
)

// guard has the guards of a world follow its log, with one list more.
func (w *world) guard(list string) {
	w.t.Helper()
	if _, err := w.follows().Load(w.t.Context(), access.System("test"), "popular/list.json", strings.NewReader(list), intake.LoadOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// A MISP client sees what guards an attribute as a warning, can leave it out, and
// never gets it where devices act on what they get.
func TestWarnings(t *testing.T) {
	w := newWorld(t, time.Now())
	o := put(w, &tocsin.Organisation{Name: "Us", UUID: tocsin.NewUUID(time.Now()), Local: true})
	w.user("us", "us@example.org", o.ID, 2)
	w.guard(`{"name":"List of popular names","type":"string","description":"d","version":3,"list":["popular.example"],"matching_attributes":["domain","hostname"]}`)
	w.must(200, "us", "POST", "/events/add", `{"Event":{"info":"x","distribution":1,"published":true,"Attribute":[
		{"type":"domain","value":"popular.example","to_ids":true},{"type":"domain","value":"evil.example","to_ids":true},{"type":"ip-dst","value":"8.8.8.8","to_ids":true}]}}`)
	for _, c := range []struct {
		path, body string
		says       []string
		not        []string
	}{
		{"/attributes/restSearch", `{"eventid":1}`, []string{"popular.example", "evil.example", "8.8.8.8"}, []string{"warnings"}},
		{"/attributes/restSearch", `{"eventid":1,"enforceWarninglist":1}`, []string{"evil.example"}, []string{"popular.example", "8.8.8.8"}},
		{"/attributes/restSearch", `{"value":"popular.example","includeWarninglistHits":1}`, []string{
			`"warnings":[{"match":"popular.example","value":"popular.example","warninglist_id":`, `"warninglist_name":"List of popular names","warninglist_category":"false_positive"}]`}, nil},
		{"/attributes/restSearch", `{"value":"evil.example","includeWarninglistHits":1}`, []string{"evil.example"}, []string{"warnings"}},
		{"/events/restSearch", `{"eventid":1,"includeWarninglistHits":1}`, []string{`"match":"8.8.8.8"`}, nil},
		{"/events/restSearch", `{"eventid":1,"enforceWarninglist":true}`, []string{"evil.example"}, []string{"popular.example"}},
		{"/events/view/1", `{"includeWarninglistHits":1}`, []string{`"match":"popular.example"`}, nil},
		// What is made for devices leaves out what is guarded, unless it is asked for.
		{"/attributes/restSearch", `{"eventid":1,"returnFormat":"text"}`, []string{"evil.example"}, []string{"popular.example", "8.8.8.8"}},
		{"/attributes/restSearch", `{"eventid":1,"returnFormat":"text","enforceWarninglist":0}`, []string{"evil.example", "popular.example"}, nil},
		{"/warninglists/checkValue", `["8.8.8.8","evil.example"]`, []string{`"8.8.8.8":[{"id":`, `"matched":"8.8.8.8"`}, []string{"evil.example"}},
		{"/warninglists/checkValue", `{"value":"popular.example"}`, []string{`"name":"List of popular names"`}, nil},
		{"/warninglists/checkValue", `["evil.example"]`, []string{`[]`}, nil},
		{"/warninglists/index", ``, []string{`"name":"List of popular names","type":"string","description":"d","version":3,"enabled":true`,
			`"warninglist_entry_count":1`, `"valid_attributes":"domain, hostname"`}, nil},
	} {
		r := w.ask("us", "POST", c.path, c.body)
		if r.status != 200 {
			t.Errorf("%s %s: %d %s", c.path, c.body, r.status, r.body)
		}
		for _, s := range c.says {
			if !strings.Contains(r.body, s) {
				t.Errorf("%s %s does not say %s: %s", c.path, c.body, s, r.body)
			}
		}
		for _, s := range c.not {
			if strings.Contains(r.body, s) {
				t.Errorf("%s %s says %s: %s", c.path, c.body, s, r.body)
			}
		}
	}
	if r := w.ask("us", "POST", "/attributes/restSearch", `{"eventid":1,"enforceWarninglist":1}`); r.header.Get("X-Result-Count") != "3" || r.header.Get("X-Skipped-Elements-Count") != "2" {
		t.Errorf("%s found, %s left out", r.header.Get("X-Result-Count"), r.header.Get("X-Skipped-Elements-Count"))
	}
	if r := w.ask("us", "GET", "/warninglists/view/1", ""); r.status != 200 || !strings.Contains(r.body, `"WarninglistEntry":[{"id":1,"value":`) {
		t.Errorf("%d %.300s", r.status, r.body)
	}
	if r := w.ask("us", "GET", "/warninglists/view/9999", ""); r.status != 404 || !strings.Contains(r.body, "Warninglist not found.") {
		t.Errorf("%d %.300s", r.status, r.body)
	}
}

// Whoever adds an attribute may ask that it be refused if something guards it.
func TestEnforcedWarnings(t *testing.T) {
	w := twoParties(t)
	w.guard(`{"name":"List of popular names","type":"string","description":"d","version":3,"list":["popular.example"],"matching_attributes":["domain","hostname"]}`)
	const trips = `"errors":"Attribute could not be saved as it trips over a warninglist and enforceWarninglist is enforced."`
	for _, c := range []struct {
		status     int
		path, body string
		says       string
	}{
		{403, "/attributes/add/" + visible, `{"type":"domain","value":"popular.example","enforceWarninglist":true}`, trips},
		{403, "/attributes/add/" + visible + "/enforceWarninglist:1", `{"type":"domain","value":"popular.example"}`, trips},
		{200, "/attributes/add/" + visible, `{"type":"domain","value":"fresh.example","enforceWarninglist":true}`, "fresh.example"},
		{200, "/attributes/add/" + visible, `[{"type":"domain","value":"popular.example","enforceWarninglist":1},{"type":"domain","value":"other.example"}]`, `"attribute_0":"Attribute could not be saved`},
		{200, "/attributes/add/" + visible, `{"type":"domain","value":"popular.example"}`, "popular.example"},
	} {
		if got := w.ask("ann", "POST", c.path, c.body); got.status != c.status || !strings.Contains(got.body, c.says) {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
		}
	}
}
