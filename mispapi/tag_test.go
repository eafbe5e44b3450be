package mispapi

import (
	"fmt"
	"strings"
	"testing"

	"tocsin"
)

// tagWrites are the calls that change tags themselves and collections of them, which
// TestTagsOfOthers asks.
var tagWrites = []string{"/tags/add", "/tags/edit", "/tags/delete", "/tag_collections/add", "/tag_collections/edit", "/tag_collections/delete",
	"/tag_collections/addTag", "/tag_collections/removeTag"}

// TestTagsOfOthers keeps tags to those who may edit them, and collections to their
// organisation.
func TestTagsOfOthers(t *testing.T) {
	w := twoParties(t)
	alone := put(w, &tocsin.Tag{Name: "ann's alone", Org: 1}).ID
	coined := put(w, &tocsin.Tag{Name: "coined on what bob can't see", Coined: 1}).ID
	everyones := put(w, &tocsin.Tag{Name: "for all"}).ID
	own := put(w, &tocsin.TagCollection{Name: "ann's own", Org: 1, Tags: []int64{everyones}}).ID
	shared := put(w, &tocsin.TagCollection{Name: "shared", Org: 1, AllOrgs: true, Tags: []int64{alone, everyones}}).ID
	before := w.head()
	body := map[string]string{"/tags/add": `{"name":"new"}`, "/tags/edit": `{"colour":"#000000"}`, "/tag_collections/add": `{"name":"new"}`,
		"/tag_collections/edit": `{"name":"hijacked"}`, "/tag_collections/addTag": `{"tag":"for all"}`, "/tag_collections/removeTag": `{"tag":"for all"}`}
	for _, path := range tagWrites {
		for _, as := range []string{"reader", "ann's read-only key"} {
			if got := w.ask(as, "POST", path+"/2", body[path]); got.status != 403 || !strings.Contains(got.body, notPermitted) {
				t.Errorf("%s as %s: %d %s", path, as, got.status, got.body)
			}
		}
		if got := w.ask("", "POST", path+"/2", body[path]); got.status != 403 || !strings.Contains(got.body, notAuthenticated) {
			t.Errorf("%s as nobody: %d %s", path, got.status, got.body)
		}
		if strings.HasSuffix(path, "add") {
			continue
		}
		kept := alone
		if strings.HasPrefix(path, "/tag_c") {
			kept = own
			if got := w.ask("bob", "POST", path+"/"+itoa(shared), body[path]); got.status != 403 {
				t.Errorf("%s of another organisation's collection: %d %s", path, got.status, got.body)
			}
		}
		absent, hidden := w.ask("bob", "POST", path+"/9999", body[path]), w.ask("bob", "POST", path+"/"+itoa(kept), body[path])
		if absent.status != 404 || hidden.status != absent.status || strings.ReplaceAll(hidden.body, "/"+itoa(kept), "/9999") != absent.body {
			t.Errorf("%s: hidden %d %s, absent %d %s", path, hidden.status, hidden.body, absent.status, absent.body)
		}
	}
	if got := w.ask("bob", "POST", "/tags/edit/"+itoa(coined), `{"colour":"#000000"}`); got.status != 404 {
		t.Errorf("a tag that somebody coined out of sight: %d %s", got.status, got.body)
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
	for path, want := range map[string]string{"/tags/index": "ann's alone", "/tags/search/%25": "coined", "/tag_collections/view/" + itoa(shared): "ann's alone", "/tag_collections": "ann's own"} {
		if got := w.must(200, "bob", "GET", path, ""); strings.Contains(got.body, want) {
			t.Errorf("%s shows what is not bob's: %s", path, got.body)
		}
		if got := w.must(200, "ann", "GET", path, ""); !strings.Contains(got.body, want) {
			t.Errorf("%s keeps from ann what is hers: %s", path, got.body)
		}
	}
}

// TestMarksStay keeps what says how far records may go from being renamed or deleted
// beneath them.
func TestMarksStay(t *testing.T) {
	w := twoParties(t)
	for path, body := range map[string]string{"/tags/edit/1": `{"name":"harmless"}`, "/tags/delete/1": ``} {
		if got := w.ask("ann", "POST", path, body); got.status != 403 || !strings.Contains(got.body, "how far") {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	w.must(200, "ann", "POST", "/tags/add", `{"name":"harmless"}`)
	if got := w.ask("ann", "POST", "/tags/edit/harmless", `{"name":"tlp:red"}`); got.status != 403 {
		t.Errorf("a tag becomes a mark: %d %s", got.status, got.body)
	}
	w.must(200, "ann", "POST", "/tags/delete/harmless", ``)
}

// TestTaggingSeveral attaches and removes lists of tags, and collections of them.
func TestTaggingSeveral(t *testing.T) {
	w := twoParties(t)
	w.must(200, "ann", "POST", "/tags/add", `{"Tag":{"name":"one","colour":"#112233","numerical_value":7}}`)
	w.must(200, "ann", "POST", "/tags/add", `{"name":"two","exportable":false}`)
	w.must(200, "ann", "POST", "/tag_collections/add", `{"TagCollection":{"name":"both"}}`)
	w.must(200, "ann", "POST", "/tag_collections/addTag/2", `{"tag":["one","two"]}`)
	tags := func(path string) string {
		var out []string
		for _, name := range []string{"one", "two", "three"} {
			if strings.Contains(w.must(200, "ann", "GET", path, "").body, fmt.Sprintf("%q", name)) {
				out = append(out, name)
			}
		}
		return strings.Join(out, " ")
	}
	event, attribute := "/events/view/"+visible+"/metadata:1", "/attributes/restSearch/json/null/null/null/null/one"
	for _, step := range []struct{ path, body, event string }{
		{"/tags/attachTagToObject", `{"uuid":"` + visible + `","tag":"one||three"}`, "one three"},
		{"/tags/removeTagFromObject", `{"uuid":"` + visible + `","tag":["one","three"]}`, ""},
		{"/tags/attachTagToObject", `{"uuid":["` + visible + `","` + inVisible + `"],"tag":"collection_2"}`, "one"}, // two is not exportable
		{"/events/removeTag/" + visible, `{"tag":"one"}`, ""},
		{"/events/addTag/" + visible + "/three/local:1", ``, "three"},
		{"/events/addTag/" + visible + "/one", ``, "one three"},
		{"/attributes/removeTag/" + inVisible, `{"tag":"one"}`, "one three"},
		{"/attributes/addTag/" + inVisible + "/one/local:1", ``, "one three"},
	} {
		w.must(200, "ann", "POST", step.path, step.body)
		if got := tags(event); got != step.event {
			t.Errorf("after %s %s the event has %q, not %q", step.path, step.body, got, step.event)
		}
	}
	if got := tags(attribute); got != "one" {
		t.Errorf("the attribute has %q", got)
	}
	if got := w.must(200, "ann", "GET", "/tags/tagStatistics/true/true", ""); !strings.HasPrefix(got.body, `{"tags":{"one":"20%","three":"20%","tlp:green":"40%","two":"20%"}`) {
		t.Errorf("%s", got.body)
	}
	if got := w.must(200, "ann", "GET", "/attributes/attributeStatistics/category", ""); got.body != `{"External analysis":"2","Network activity":"2","Payload delivery":"2"}` {
		t.Errorf("%s", got.body)
	}
	for _, body := range []string{`{"uuid":"` + visible + `","tag":"none of ` + strings.Repeat("x", 300) + `"}`, `{"uuid":"` + visible + `","tag":[]}`, `{"uuid":[],"tag":"one"}`,
		`{"uuid":"` + visible + `","tag":{"name":"one"}}`, `{"uuid":"` + visible + `","tag":["` + strings.Repeat(`a","`, 2000) + `b"]}`} {
		if got := w.ask("ann", "POST", "/tags/attachTagToObject", body); got.status < 400 || got.status >= 500 {
			t.Errorf("%.80s: %d %s", body, got.status, got.body)
		}
	}
}
