package mispapi

import (
	"strings"
	"testing"
)

// TestViewDeleted shows an event with what was withdrawn of it, as PyMISP asks for it.
func TestViewDeleted(t *testing.T) {
	w := twoParties(t)
	const event = "c0ffee00-0000-4000-8000-000000000001"
	w.must(200, "ann", "POST", "/events/add", `{"uuid":"`+event+`","info":"x","distribution":0,"Attribute":[{"type":"text","value":"left"},{"type":"text","value":"gone","deleted":true}]}`)
	for said, want := range map[string]string{``: "left", `{"deleted":true}`: "left gone", `{"deleted":1}`: "left gone", `{"deleted":[0,1]}`: "left gone",
		`{"deleted":"only"}`: "gone", `{"deleted":2}`: "gone", `{"deleted":false}`: "left"} {
		got := w.must(200, "ann", "POST", "/events/view/"+event, said).body
		var has []string
		for _, v := range []string{"left", "gone"} {
			if strings.Contains(got, `"value":"`+v+`"`) {
				has = append(has, v)
			}
		}
		if s := strings.Join(has, " "); s != want {
			t.Errorf("%s: %q, not %q", said, s, want)
		}
	}
}
