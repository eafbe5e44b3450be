package mispapi

import (
	"strings"
	"testing"
)

// TestDeletedIsKeptOut deletes an event: its uuid is refused as a blocklist's entry
// would have it, until an administrator of the instance takes it off. What was in it may
// come again in another event meanwhile.
func TestDeletedIsKeptOut(t *testing.T) {
	w := twoParties(t)
	w.user("site", "site@ours.example", 1, 1)
	const event = `{"Event":{"uuid":"` + hidden + `","info":"again","distribution":0,"Attribute":[{"uuid":"` + inHidden + `","type":"domain","value":"bad.example.org"}]}}`
	w.must(200, "ann", "POST", "/events/delete/"+hidden, ``)
	if got := w.must(403, "ann", "POST", "/events/add", event); !strings.Contains(got.body, "Event blocked by event blocklist.") {
		t.Errorf("%s", got.body)
	}
	if got := w.must(200, "ann", "POST", "/events/add", strings.Replace(event, hidden, "c0ffee00-0000-4000-8000-000000000002", 1)); !strings.Contains(got.body, inHidden) {
		t.Errorf("its attribute in another event: %s", got.body)
	}
	w.must(200, "ann", "POST", "/events/delete/c0ffee00-0000-4000-8000-000000000002", ``)
	w.must(403, "ann", "POST", "/event_blocklists/delete/"+hidden, ``)
	if got := w.must(200, "site", "POST", "/eventBlocklists/delete/"+hidden, ``); !strings.Contains(got.body, `"success":true`) {
		t.Errorf("%s", got.body)
	}
	w.must(404, "site", "POST", "/eventBlocklists/delete/"+hidden, ``)
	w.must(404, "site", "POST", "/orgBlocklists/delete/"+hidden, ``)
	if got := w.must(200, "ann", "POST", "/events/add", event); !strings.Contains(got.body, inHidden) {
		t.Errorf("once it was taken off: %s", got.body)
	}
}
