package mispapi

import (
	"strings"
	"testing"
)

// bad are bodies that no client should send.
var bad = map[string]string{
	"nothing":          ``,
	"no JSON":          `{bad`,
	"half":             `{"Event": {"info": "x"`,
	"a number":         `7`,
	"a text":           `"x"`,
	"null":             `null`,
	"a list":           `[]`,
	"lists in lists":   `[[[[[[]]]]]]`,
	"an empty object":  `{}`,
	"two objects":      `{"info":"x"}{"info":"y"}`,
	"a million deep":   strings.Repeat(`[`, 1_000_000),
	"deep objects":     strings.Repeat(`{"Event":`, 200_000),
	"deep in a filter": `{"value":` + strings.Repeat(`{"OR":`, 200_000) + `1` + strings.Repeat(`}`, 200_000) + `}`,
	"huge numbers":     `{"info":"x","distribution":1e400,"timestamp":99999999999999999999999,"threat_level_id":-1e30,"limit":1e99,"page":9223372036854775807,"value":1e400}`,
	"negative":         `{"info":"x","distribution":-1,"limit":-5,"page":-1,"type":"domain","value":"x.example.org","timestamp":-1}`,
	"page times limit": `{"limit":1099511627776,"page":1099511627776,"type":"domain"}`,
	"wrong types":      `{"info":{},"distribution":[1],"Attribute":"x","Object":7,"Tag":{"a":1},"type":{"x":{}},"value":{"OR":{"a":1}},"uuid":[{}],"tag":[1],"sg_id":{},"org_id":[],"name":[]}`,
	"a long list":      `{"value":[` + strings.Repeat(`1,`, 150_000) + `1]}`,
	"no UTF-8":         "{\"info\":\"\xff\xfe\",\"value\":\"\xff\",\"type\":\"domain\"}",
	"NUL":              `{"info":"a\u0000b","type":"text","value":"a\u0000b","name":"a\u0000"}`,
	"a pattern":        `{"value":"` + strings.Repeat("%a", 10_000) + `"}`,
	"times":            `{"timestamp":"99999999999999999d","last":"-1d","from":"2024-99-99","first_seen":"x"}`,
	"a bad time":       `{"timestamp":"m"}`,
	"no time":          `{"from":[1],"to":{"OR":[2]},"last":[""],"timestamp":[null],"created":[[]]}`,
	"unknown words":    `{"value":{"XOR":["a"]},"to_ids":"perhaps","deleted":"maybe"}`,
}

// TestBadInput sends them to every route that takes a body. None may be our
// fault, and none of what is refused may have changed anything.
func TestBadInput(t *testing.T) {
	w := twoParties(t)
	for _, act := range (&API{}).actions() {
		if !strings.Contains(act.verbs, "POST") {
			continue
		}
		if act.path == "/users/resetauthkey" { // ann would have no key any more
			continue
		}
		for name, body := range bad {
			for _, path := range []string{act.path, act.path + "/" + visible, act.path + "/" + inVisible, act.path + "/1/2/3/4"} {
				if strings.Contains(path, "/delete/") {
					continue
				}
				before := w.head()
				got := w.ask("ann", "POST", path, body)
				if got.status >= 500 {
					t.Errorf("%s, %s: %d %.300s", path, name, got.status, got.body)
				}
				if got.status >= 400 && w.head() != before {
					t.Errorf("%s, %s: it was refused (%d %.200s), but something was written", path, name, got.status, got.body)
				}
			}
		}
	}
}

// TestTooMany refuses a call with more attributes than one call may hold, before
// memory is short: two octets of a list of values are an attribute.
func TestTooMany(t *testing.T) {
	w := twoParties(t)
	before := w.head()
	body := `{"type":"text","value":[` + strings.Repeat(`1,`, maxAttributes) + `1]}`
	for _, path := range []string{"/attributes/add/" + visible, "/events/add"} {
		if path == "/events/add" {
			body = `{"info":"x","Attribute":[` + body + `]}`
		}
		if got := w.ask("ann", "POST", path, body); got.status != 400 || !strings.Contains(got.body, "/api/import") {
			t.Errorf("%s: %d %.300s", path, got.status, got.body)
		}
	}
	if w.head() != before {
		t.Error("something was written")
	}
}
