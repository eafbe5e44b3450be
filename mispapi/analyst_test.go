package mispapi

import (
	"strings"
	"testing"
)

// What is said about an event before it is here stands on it when it comes, and
// what others wrote on a note outlives it.
func TestNotesAheadOfTheirEvent(t *testing.T) {
	w := twoParties(t)
	const ahead = "77777777-7777-4777-8777-777777777777"
	note := member(t, w.must(200, "bob", "POST", "/analyst_data/add/Note/"+ahead+"/Event", `{"note":"early","distribution":1}`).body, "Note", "uuid")
	opinion := member(t, w.must(200, "ann", "POST", "/analyst_data/add/Opinion/"+note+"/Note", `{"opinion":"42","comment":"so so","distribution":1}`).body, "Opinion", "uuid")
	w.must(200, "ann", "POST", "/events/add", `{"uuid":"`+ahead+`","info":"late","distribution":"1"}`)
	got := w.must(200, "ann", "GET", "/events/view/"+ahead+"/includeAnalystData:1", "")
	if !strings.Contains(got.body, "early") || !strings.Contains(got.body, "so so") {
		t.Errorf("the note and the opinion on it are missing: %s", got.body)
	}
	w.must(200, "bob", "POST", "/analyst_data/delete/Note/"+note, "")
	if got := w.ask("ann", "GET", "/analyst_data/view/Note/"+note, ""); got.status != 404 {
		t.Errorf("the deleted note: %d %s", got.status, got.body)
	}
	w.must(200, "ann", "GET", "/analyst_data/view/all/"+opinion, "")
	if got := w.must(200, "ann", "GET", "/events/view/"+ahead+"/includeAnalystData:1", ""); strings.Contains(got.body, "early") {
		t.Errorf("the deleted note is in its event: %s", got.body)
	}
}
