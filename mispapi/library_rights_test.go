package mispapi

import (
	"strings"
	"testing"

	"tocsin"
)

// shelfWrites are calls that change the reference data that everyone shares, which is
// for site administrators.
var shelfWrites = []struct{ path, body string }{
	{"/taxonomies/enable/weather", ``},
	{"/taxonomies/disable/weather", ``},
	{"/taxonomies/addTag/weather", ``},
	{"/taxonomies/addTag", `{"taxonomy_id":"weather","name":"weather:storm"}`},
	{"/taxonomies/hideTag/weather", ``},
	{"/taxonomies/unhideTag/weather", ``},
	{"/taxonomies/disableTag/weather", ``},
	{"/taxonomies/toggleRequired/weather", `{"Taxonomy":{"required":true}}`},
	{"/taxonomies/toggleHighlighted/weather", `{"Taxonomy":{"highlighted":true}}`},
	{"/taxonomies/import", `{"namespace":"mine","description":"d","version":1,"predicates":[{"value":"x"}]}`},
	{"/taxonomies/update", ``},
	{"/taxonomies/delete/weather", ``},
	{"/objectTemplates/add", `{"name":"mine","meta-category":"misc","description":"d","attributes":{"a":{"misp-attribute":"text"}}}`},
	{"/objectTemplates/edit/1", `{"description":"hijacked"}`},
	{"/objectTemplates/activate/1", ``},
	{"/objectTemplates/update", ``},
	{"/objectTemplates/delete/1", ``},
	{"/warninglists/toggleEnable", `{"name":"%example%"}`},
	{"/warninglists/enableWarninglist/1/1", ``},
	{"/warninglists/add", `{"name":"mine","description":"d","type":"string","entries":"a.example"}`},
	{"/warninglists/edit/1", `{"description":"hijacked"}`},
	{"/warninglists/import", `{"name":"mine","type":"string","version":1,"description":"d","matching_attributes":["domain"],"list":["a.example"]}`},
	{"/warninglists/update", ``},
	{"/warninglists/delete/1", ``},
	{"/noticelists/enableNoticelist/1/1", ``},
	{"/noticelists/toggleEnable/1", ``},
	{"/noticelists/update", ``},
	{"/noticelists/delete/1", ``},
	{"/galaxies/update", ``},
}

// shelfReads are calls that show it, which is for everyone on the exchange.
var shelfReads = []string{"/taxonomies/view/weather", "/taxonomies/taxonomy_tags/weather", "/taxonomies/export/weather", "/objectTemplates/view/1",
	"/objectTemplates/getRaw/parcel", "/warninglists/view/1", "/warninglists/export/1", "/noticelists/view/1", "/noticelists/preview_entries/1"}

// TestTheShelfIsTheAdministrators asks them as others: nothing changes. Who may look
// does, and nobody else.
func TestTheShelfIsTheAdministrators(t *testing.T) {
	w := twoParties(t)
	p, err := madeUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.library(p, madeUp)
	site := w.user("site", "site@ours.example", 1, 1)
	w.key("the administrator's read-only key", &tocsin.Key{User: site.ID, ReadOnly: true})
	before := w.head()
	for _, c := range shelfWrites {
		for _, as := range []string{"bob", "reader", "ann's read-only key", "the administrator's read-only key"} {
			if got := w.ask(as, "POST", c.path, c.body); got.status != 403 || !strings.Contains(got.body, notPermitted) {
				t.Errorf("%s as %s: %d %s", c.path, as, got.status, got.body)
			}
		}
		if got := w.ask("", "POST", c.path, c.body); got.status != 403 || !strings.Contains(got.body, notAuthenticated) {
			t.Errorf("%s: nobody: %d %s", c.path, got.status, got.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
	for _, path := range shelfReads {
		if got := w.ask("reader", "GET", path, ""); got.status != 200 {
			t.Errorf("%s: one who reads: %d %s", path, got.status, got.body)
		}
		if got := w.ask("", "GET", path, ""); got.status != 403 {
			t.Errorf("%s: nobody: %d %s", path, got.status, got.body)
		}
		i := strings.LastIndexByte(path, '/')
		if got := w.ask("reader", "GET", path[:i]+"/9999", ""); got.status != 404 {
			t.Errorf("%s of what is not there: %d %s", path, got.status, got.body)
		}
	}
	for _, c := range shelfWrites { // those who may get something done, or are told what is wrong
		if got := w.ask("site", "POST", c.path, c.body); got.status >= 500 {
			t.Errorf("%s: a site administrator: %d %s", c.path, got.status, got.body)
		}
	}
}
