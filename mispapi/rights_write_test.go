package mispapi

import (
	"regexp"
	"strings"
	"testing"
)

// askedHere are the calls that change something whose rights are asked in this file:
// what they change is not an event, an attribute or an object.
var askedHere = []string{
	"/object_references/add", "/object_references/delete",
	"/shadow_attributes/add", "/shadow_attributes/edit", "/shadow_attributes/delete", "/shadow_attributes/accept", "/shadow_attributes/discard",
}

// may asks everyone but the owner for a record: those who may see it and not change
// it, readers, nobody, and those to whom it looks like one that is not there.
type may struct{ *world }

func (m may) refuses(call, body, theirs, out string, others int) {
	m.t.Helper()
	method, path, _ := strings.Cut(call, " ")
	ask := func(as, id string) reply {
		r := m.ask(as, method, strings.Replace(path, "ID", id, 1), strings.Replace(body, "ID", id, 1))
		r.body = strings.ReplaceAll(r.body, id, "ID")
		return r
	}
	before := m.head()
	for as, want := range map[string]int{"bob": others, "reader": 403, "ann's read-only key": 403, "": 403} {
		if want == 0 { // who may see it may
			continue
		}
		if got := ask(as, theirs); got.status != want {
			m.t.Errorf("%s as %q: %d %s", call, as, got.status, got.body)
		}
	}
	a, b := ask("bob", out), ask("bob", strings.Map(nines, out))
	if a.status != b.status || a.body != b.body || a.status < 400 {
		m.t.Errorf("%s: a hidden record is answered %d %s\n\tan absent one %d %s", call, a.status, a.body, b.status, b.body)
	}
	if after := m.head(); after != before {
		m.t.Errorf("%s: %d lines were written", call, after-before)
	}
}

// nines makes of an id or a uuid one that nothing has.
func nines(r rune) rune {
	if r >= '0' && r <= '9' {
		return '9'
	}
	return r
}

var idIn = regexp.MustCompile(`"id":(\d+)`)

// idOf is the first id in an answer.
func idOf(r reply) string { return idIn.FindStringSubmatch(r.body)[1] }

// TestProposalRights asks who may propose, and who may accept what was proposed.
func TestProposalRights(t *testing.T) {
	m := may{twoParties(t)}
	const new = `{"type":"domain","value":"proposed.example.org"}`
	m.refuses("POST /shadow_attributes/add/ID", new, visible, hidden, 0)
	m.refuses("POST /shadow_attributes/edit/ID", new, inVisible, inHidden, 0)
	m.refuses("POST /shadow_attributes/delete/ID", ``, inVisible, inHidden, 0)
}

// TestProposalsAreAccepted has bob propose, and asks who may accept it.
func TestProposalsAreAccepted(t *testing.T) {
	m := may{twoParties(t)}
	const new = `{"type":"domain","value":"proposed.example.org"}`
	theirs := idOf(m.must(200, "bob", "POST", "/shadow_attributes/add/"+visible, new))
	m.must(200, "bob", "POST", "/shadow_attributes/delete/"+inVisible, ``)
	out := idOf(m.must(200, "ann", "POST", "/shadow_attributes/add/"+hidden, new))
	m.refuses("POST /shadow_attributes/accept/ID", ``, theirs, out, 403)
	m.refuses("POST /shadow_attributes/discard/ID", ``, theirs, out, 0)
	for path, want := range map[string]int{"index": 0, "index/" + visible: 2, "index/all:1": 2, "index/all:1/page:2/limit:1": 1} {
		if got := m.must(200, "bob", "GET", "/shadow_attributes/"+path, ``); strings.Count(got.body, `"ShadowAttribute"`) != want {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := m.ask("bob", "GET", "/shadow_attributes/view/"+out, ``); got.status != 404 {
		t.Errorf("a hidden proposal: %d %s", got.status, got.body)
	}
	if got := m.ask("bob", "GET", "/shadow_attributes/index/"+hidden, ``); got.status != 404 {
		t.Errorf("proposals about a hidden event: %d %s", got.status, got.body)
	}
	m.must(200, "ann", "POST", "/shadow_attributes/accept/"+theirs, ``)
	if got := m.must(200, "bob", "GET", "/events/view/"+visible, ``); !strings.Contains(got.body, `"value":"proposed.example.org"`) {
		t.Errorf("accepted: %s", got.body)
	}
	m.must(200, "bob", "POST", "/shadow_attributes/discard/2", ``) // one's own is taken back
}

// TestReferenceRights asks who may say how two records relate.
func TestReferenceRights(t *testing.T) {
	m := may{twoParties(t)}
	ref := func(object, to string) string {
		return `{"object_uuid":"` + object + `","referenced_uuid":"` + to + `","relationship_type":"drops"}`
	}
	m.refuses("POST /object_references/add", ref("ID", inVisible), obVisible, obHidden, 403)
	m.refuses("POST /object_references/add/ID", ref("ID", inVisible), obVisible, obHidden, 403)
	if got := m.ask("ann", "POST", "/object_references/add", ref(obVisible, inHidden)); got.status != 404 {
		t.Errorf("to another event's: %d %s", got.status, got.body)
	}
	theirs := idOf(m.must(200, "ann", "POST", "/objectReferences/add", ref(obVisible, inVisible)))
	out := idOf(m.must(200, "ann", "POST", "/objectReferences/add", ref(obHidden, inHidden)))
	m.refuses("POST /object_references/delete/ID", ``, theirs, out, 403)
	m.refuses("POST /object_references/delete/ID/1", ``, theirs, out, 403)
	m.must(200, "bob", "GET", "/object_references/view/"+theirs, ``)
	m.must(404, "bob", "GET", "/object_references/view/"+out, ``)
	m.must(200, "ann", "POST", "/objectReferences/add", ref(obVisible, obVisible)) // in a circle
	m.must(200, "ann", "POST", "/object_references/delete/"+theirs+"/1", ``)
	m.must(404, "ann", "GET", "/object_references/view/"+theirs, ``)
}
