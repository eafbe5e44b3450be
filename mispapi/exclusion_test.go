package mispapi

import (
	"strings"
	"testing"
)

// What is left out of correlations is gone from them at once, and back as soon as it
// is no longer.
func TestExclusions(t *testing.T) {
	w := twoParties(t)
	w.user("root", "root@ours.example", 1, 1)
	const other = "88888888-8888-4888-8888-888888888888"
	w.must(200, "ann", "POST", "/events/add", `{"uuid":"`+other+`","info":"other","distribution":1,"Attribute":[{"type":"domain","value":"bad.example.org"},{"type":"ip-dst|port","value":"192.0.2.9|443"}]}`)
	w.must(200, "ann", "POST", "/attributes/add/"+visible, `{"type":"ip-dst","value":"192.0.2.9"}`)
	related := func() bool {
		return strings.Contains(w.must(200, "ann", "GET", "/events/view/"+visible, "").body, other)
	}
	if !related() {
		t.Fatal("the events are not related to begin with")
	}
	for _, pattern := range []string{"BAD.example.org", "%.example.org", "bad.%", "%example%"} {
		id := member(t, w.must(200, "root", "POST", "/correlation_exclusions/add", `{"value":"`+pattern+`"}`).body, "CorrelationExclusion", "id")
		ip := member(t, w.must(200, "root", "POST", "/correlation_exclusions/add", `{"value":"192.0.2.9"}`).body, "CorrelationExclusion", "id")
		if related() {
			t.Errorf("%s: they are related still", pattern)
		}
		w.must(200, "root", "POST", "/correlation_exclusions/delete/"+id, "")
		w.must(200, "root", "POST", "/correlation_exclusions/delete/"+ip, "")
		if !related() {
			t.Errorf("%s: they are not related again", pattern)
		}
	}
	for _, bad := range []string{`{"value":""}`, `{"value":"%%"}`, `{}`, `{"value":"` + strings.Repeat("x", 5000) + `"}`} {
		if got := w.ask("root", "POST", "/correlation_exclusions/add", bad); got.status != 403 {
			t.Errorf("%.40s: %d %s", bad, got.status, got.body)
		}
	}
	if got := w.ask("ann", "GET", "/correlation_exclusions", ""); got.status != 403 {
		t.Errorf("who is no site administrator: %d %s", got.status, got.body)
	}
	w.must(200, "root", "POST", "/correlations/generateTopCorrelations", "")
	if got := w.must(200, "root", "GET", "/correlations/top", ""); !strings.Contains(got.body, `"value":"bad.example.org","count":3`) {
		t.Errorf("what correlates most: %s", got.body)
	}
}
