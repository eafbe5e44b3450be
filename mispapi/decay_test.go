package mispapi

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// What has decayed is left out, what was met again is not, and tags say how much
// something was worth.
func TestExcludeDecayed(t *testing.T) {
	w := twoParties(t)
	w.user("root", "root@ours.example", 1, 1)
	found := func() string {
		return w.must(200, "ann", "POST", "/attributes/restSearch", `{"eventid":"`+visible+`","excludeDecayed":1,"includeDecayScore":1}`).body
	}
	id := member(t, w.must(200, "ann", "POST", "/decayingModel/add", `{"name":"ours","attribute_types":["domain"],
		"parameters":{"lifetime":100,"decay_speed":1,"threshold":50,"default_base_score":80,"base_score_config":{"worth":1}}}`).body, "DecayingModel", "id")
	if got := w.ask("ann", "POST", "/decayingModel/enable/"+id, ""); got.status != 403 {
		t.Errorf("who is no site administrator enables it: %d", got.status)
	}
	if got := found(); strings.Contains(got, "decay_score") {
		t.Errorf("a model that is not enabled is asked: %s", got)
	}
	w.must(200, "root", "POST", "/decayingModel/enable/"+id, "")
	if got := found(); !strings.Contains(got, `"decay_score":[{"score":80,"base_score":80,"decayed":false,"DecayingModel":{"id":`+id) {
		t.Errorf("a new attribute: %s", got)
	}
	w.sleep(40 * 24 * time.Hour)
	if got := found(); strings.Contains(got, "bad.example.org") || !strings.Contains(got, "bad.exe") {
		t.Errorf("after forty days: %s", got)
	}
	w.must(200, "root", "POST", "/tags/add", `{"name":"worth:much","numerical_value":90}`)
	w.must(200, "ann", "POST", "/tags/attachTagToObject", `{"uuid":"`+inVisible+`","tag":"worth:much"}`)
	if got := found(); !strings.Contains(got, `"base_score":90`) {
		t.Errorf("what a tag says is worth more: %s", got)
	}
	w.sleep(30 * 24 * time.Hour)
	if got := found(); strings.Contains(got, "bad.example.org") {
		t.Errorf("after seventy days: %s", got)
	}
	w.must(200, "bob", "POST", "/sightings/add/"+inVisible, `{}`)
	if got := found(); !strings.Contains(got, "bad.example.org") {
		t.Errorf("it was met again: %s", got)
	}
	for _, bad := range []string{`{"lifetime":0,"decay_speed":1}`, `{"lifetime":"x"}`, `7`} {
		if got := w.ask("ann", "POST", "/decayingModel/add", fmt.Sprintf(`{"name":"bad","parameters":%s}`, bad)); got.status != 403 {
			t.Errorf("%s: %d %s", bad, got.status, got.body)
		}
	}
	if got := w.ask("bob", "POST", "/decayingModel/edit/"+id, `{"name":"hijacked"}`); got.status != 403 {
		t.Errorf("another organisation edits it: %d %s", got.status, got.body)
	}
}
