package mispapi

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestGroupMeant asks which sharing group a record is for that names one by
// number, one by what came along, or both.
func TestGroupMeant(t *testing.T) {
	w := twoParties(t) // group 1 is "ours alone", group 2 is "both"
	for i, c := range []struct {
		said string
		want string // the group, or "" if the event is refused
	}{
		{`"sharing_group_id":2`, "2"},
		{`"sharing_group_id":7`, ""},
		{`"sharing_group_id":7,"SharingGroup":{"id":7,"uuid":"` + groupTwo + `"}`, "2"}, // another instance's number
		{`"sharing_group_id":1,"SharingGroup":{"id":1,"uuid":"` + groupTwo + `"}`, "2"},
		{`"SharingGroup":{"uuid":"` + groupTwo + `"}`, "2"},
		{`"sharing_group_id":1,"SharingGroup":{"id":2,"uuid":"` + groupTwo + `"}`, "1"}, // a script moved it
		{`"sharing_group_id":2,"SharingGroup":{"id":2,"uuid":"` + absent + `"}`, ""},    // theirs, unknown here
		{`"sharing_group_id":2,"SharingGroup":[]`, "2"},
	} {
		got := w.ask("ann", "POST", "/events/add", fmt.Sprintf(`{"Event":{"info":"%d","distribution":4,%s}}`, i, c.said))
		if c.want == "" {
			if got.status != 403 || !strings.Contains(got.body, "no sharing group") {
				t.Errorf("%s: %d %s", c.said, got.status, got.body)
			}
		} else if !strings.Contains(got.body, `"sharing_group_id":`+c.want+`,"disable`) {
			t.Errorf("%s: %d %s", c.said, got.status, got.body)
		}
	}
	if got := w.ask("bob", "POST", "/events/add", `{"info":"x","distribution":4,"sharing_group_id":1}`); got.status != 403 {
		t.Errorf("a group that bob is not in: %d %s", got.status, got.body)
	}
}

// TestLike is MISP's pattern.
func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "A", true}, {"a", "ab", false}, {"a%", "ab", true}, {"%b", "ab", true}, {"%", "", true}, {"%a%", "bab", true},
		{"a%a", "a", false}, {"a%b%c", "a1b2c", true}, {"a%b%c", "acb", false}, {"%%", "x", true}, {"", "", true}, {"", "x", false},
	} {
		if got := like(c.pattern)(c.text); got != c.want {
			t.Errorf("%q like %q: %v", c.text, c.pattern, got)
		}
	}
}

// TestSpellings is how the paths of two-worded controllers are written.
func TestSpellings(t *testing.T) {
	for path, want := range map[string]string{
		"/events/add": "/events/add", "/tags": "/tags", "/sharing_groups/addOrg": "/sharing_groups/addOrg /sharingGroups/addOrg",
		"/eventReports": "/event_reports /eventReports", "/object_references/add": "/object_references/add /objectReferences/add",
	} {
		if got := strings.Join(spellings(path), " "); got != want {
			t.Errorf("%s is written %s, not %s", path, got, want)
		}
	}
}

// TestGroupInUse keeps a sharing group with which something is shared.
func TestGroupInUse(t *testing.T) {
	w := twoParties(t)
	w.must(200, "ann", "POST", "/events/add", `{"info":"x","distribution":0,"Attribute":[{"type":"domain","value":"x.example.net","distribution":4,"sharing_group_id":1}]}`)
	if got := w.must(403, "ann", "POST", "/sharingGroups/delete/1", ``); !strings.Contains(got.body, "could not be deleted") {
		t.Errorf("%s", got.body)
	}
	w.must(200, "ann", "POST", "/sharing_groups/delete/"+groupTwo, ``)
	w.must(405, "ann", "GET", "/sharing_groups/view/"+groupTwo, ``)
}

// TestRenewed adds what an event claims already, as PyMISP's break_on_duplicate=False
// asks for it.
func TestRenewed(t *testing.T) {
	w := twoParties(t)
	const again = `{"type":"domain","value":"BAD.example.org","comment":"seen again"}`
	w.sleep(time.Minute)
	if got := w.must(403, "ann", "POST", "/attributes/add/"+visible, again); !strings.Contains(got.body, similarExists) {
		t.Errorf("%s", got.body)
	}
	got := w.must(200, "ann", "POST", "/attributes/add/"+visible+"/breakOnDuplicate:0", again)
	if !strings.Contains(got.body, inVisible) || !strings.Contains(got.body, "seen again") || !strings.Contains(got.body, itoa(w.db.Now().Unix())) {
		t.Errorf("%s", got.body)
	}
	w.must(403, "bob", "POST", "/attributes/add/"+visible+"/breakOnDuplicate:0", again)
}

// TestSearchAllOfValue looks everywhere for a value, as PyMISP says it.
func TestSearchAllOfValue(t *testing.T) {
	w := twoParties(t)
	for body, want := range map[string]string{`{"value":"%stor%","searchall":true}`: "1", `{"value":"%stor%"}`: "0", `{"value":"%absent%","searchall":1}`: "0"} {
		if got := w.must(200, "bob", "POST", "/events/restSearch", strings.TrimSuffix(body, "}")+`,"returnFormat":"count","eventid":1}`); got.header.Get("X-Result-Count") != want {
			t.Errorf("%s: %s, not %s", body, got.header.Get("X-Result-Count"), want)
		}
	}
}
