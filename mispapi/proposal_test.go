package mispapi

import (
	"regexp"
	"strings"
	"testing"
)

var idIn = regexp.MustCompile(`"id":(\d+)`)

// idOf is the first id in an answer.
func idOf(r reply) string { return idIn.FindStringSubmatch(r.body)[1] }

// TestProposalsAreAccepted has bob propose, and ann accept.
func TestProposalsAreAccepted(t *testing.T) {
	w := twoParties(t) // ann has proposed something herself about each of her events
	first := idOf(w.must(200, "bob", "POST", "/shadow_attributes/add/"+visible, `{"type":"domain","value":"proposed.example.org"}`))
	w.must(200, "bob", "POST", "/shadow_attributes/delete/"+inVisible, ``)
	last := idOf(w.must(200, "bob", "POST", "/shadow_attributes/edit/"+inVisible, `{"value":"better.example.org"}`))
	for path, want := range map[string]int{"index": 0, "index/" + visible: 4, "index/all:1": 4, "index/all:1/page:2/limit:3": 1} {
		if got := w.must(200, "bob", "GET", "/shadow_attributes/"+path, ``); strings.Count(got.body, `"ShadowAttribute"`) != want {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := w.must(200, "ann", "GET", "/events/view/"+visible, ``); !strings.Contains(got.body, `"proposal_email_lock":true`) {
		t.Errorf("mail is not held back: %s", got.body)
	}
	w.must(403, "bob", "POST", "/shadow_attributes/accept/"+first, ``)
	w.must(200, "ann", "POST", "/shadow_attributes/accept/"+first, ``)
	w.must(405, "ann", "POST", "/shadow_attributes/accept/"+first, ``)
	if got := w.must(200, "bob", "GET", "/events/view/"+visible, ``); !strings.Contains(got.body, `"value":"proposed.example.org"`) ||
		!strings.Contains(got.body, `"proposal_email_lock":false`) {
		t.Errorf("accepted: %s", got.body)
	}
	w.must(200, "bob", "POST", "/shadow_attributes/discard/"+last, ``) // one's own is taken back
	for what, body := range map[string]string{"no value": `{"type":"domain"}`, "no type": `{"value":"x.example.org"}`, "a type that there isn't": `{"type":"x","value":"x"}`,
		"no text": `{"type":"domain","value":["x"]}`, "a wrong category": `{"type":"domain","value":"x.example.org","category":"Person"}`, "nothing": ``, "no object": `[`} {
		if got := w.ask("bob", "POST", "/shadow_attributes/add/"+visible, body); got.status != 403 && got.status != 405 {
			t.Errorf("%s: %d %s", what, got.status, got.body)
		}
	}
}
