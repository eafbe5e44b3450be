package mispapi

import (
	"strings"
	"testing"

	"tocsin"
)

// TestDelegation hands one of ann's events over to bob's organisation.
func TestDelegation(t *testing.T) {
	w := twoParties(t)
	w.must(403, "ann", "POST", "/eventDelegations/delegateEvent/"+hidden, `{"org_id":2,"distribution":7}`)
	w.must(403, "ann", "POST", "/eventDelegations/delegateEvent/"+hidden, `{"org_id":1}`)
	w.must(404, "ann", "POST", "/eventDelegations/delegateEvent/"+hidden, `{"org_id":99}`)
	id := idOf(w.must(200, "ann", "POST", "/eventDelegations/delegateEvent/"+hidden, `{"org_id":"bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb","distribution":"-1","message":"<script>"}`))
	got := w.must(200, "bob", "GET", "/eventDelegations", ``).body
	if !strings.Contains(got, `"id":`+id) || strings.Contains(got, hidden) { // bob may not see the event yet
		t.Errorf("bob is told %s", got)
	}
	w.must(404, "bob", "GET", "/events/view/"+hidden, ``)
	w.must(403, "ann", "POST", "/event_delegations/acceptDelegation/"+id, ``)
	w.must(200, "bob", "POST", "/event_delegations/acceptDelegation/"+id, ``)
	if got := w.must(200, "bob", "GET", "/events/view/"+hidden, ``); !strings.Contains(got.body, `"orgc_id":2,"org_id":2`) || !strings.Contains(got.body, inHidden) {
		t.Errorf("bob has %s", got.body)
	}
	w.must(404, "ann", "GET", "/events/view/"+hidden, ``)

	id = idOf(w.must(200, "bob", "POST", "/event_delegations/delegateEvent/"+hidden, `{"org_id":1}`))
	w.must(200, "ann", "POST", "/event_delegations/deleteDelegation/"+id, ``)
}

// TestDelegationIsOff asks an instance whose administrators did not turn it on.
func TestDelegationIsOff(t *testing.T) {
	w := newWorld(t, noon)
	put(w, &tocsin.Organisation{Name: "Ours", UUID: mustUUID("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), Local: true})
	w.user("ann", "ann@ours.example", 1, 2)
	w.must(200, "ann", "POST", "/events/add", `{"info":"x"}`)
	if got := w.must(403, "ann", "POST", "/event_delegations/delegateEvent/1", `{"org_id":1}`); !strings.Contains(got.body, "not enabled") {
		t.Errorf("%s", got.body)
	}
}
