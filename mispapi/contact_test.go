package mispapi

import (
	"strings"
	"testing"
)

// TestContact sends a message to whoever reported an event. No mail leaves, which the
// answer says, and whoever runs the exchange can read it.
func TestContact(t *testing.T) {
	w := twoParties(t)
	w.user("site", "site@ours.example", 1, 1)
	got := w.must(200, "bob", "POST", "/events/contact/"+visible, `{"message":"Is this still so?"}`)
	for _, says := range []string{`"message":"Email sent to the reporter."`, `"delivered":false`, "sends no mail"} {
		if !strings.Contains(got.body, says) {
			t.Errorf("%s: %s", says, got.body)
		}
	}
	if jobs := w.must(200, "site", "GET", "/jobs/index", ``).body; !strings.Contains(jobs, "Is this still so?") || !strings.Contains(jobs, `"failed":true`) {
		t.Errorf("%s", jobs)
	}
	w.must(405, "bob", "POST", "/events/contact/"+visible, ``)
	w.must(405, "bob", "POST", "/events/contact/"+visible, `{"Event":{"message":""}}`)
	w.must(403, "bob", "POST", "/events/contact/"+visible, `{"message":"`+strings.Repeat("x", 4001)+`"}`)
	w.must(404, "bob", "POST", "/events/contact/"+hidden, `{"message":"hello"}`)
}

// TestInfoWithSlashes finds a path in the info of an event, as it stands and as MISP's
// database wants it.
func TestInfoWithSlashes(t *testing.T) {
	w := twoParties(t)
	w.must(200, "ann", "POST", "/events/add", `{"info":"C:\\Windows\\notepad.exe","distribution":0}`)
	for _, info := range []string{`C:\\Windows\\notepad.exe`, `C:\\\\Windows\\\\notepad.exe`} {
		if got := w.must(200, "ann", "POST", "/events/index", `{"eventinfo":"`+info+`"}`).body; !strings.Contains(got, `C:\\Windows`) {
			t.Errorf("%s: %s", info, got)
		}
	}
	if got := w.must(200, "ann", "POST", "/events/index", `{"eventinfo":"C:\\Window\\notepad.exe"}`).body; got != "[]" {
		t.Errorf("%s", got)
	}
}
