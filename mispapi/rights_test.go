package mispapi

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

const (
	visible   = "11111111-1111-4111-8111-111111111111"
	hidden    = "22222222-2222-4222-8222-222222222222"
	absent    = "99999999-9999-4999-8999-999999999999"
	inVisible = "11111111-1111-4111-8111-aaaaaaaaaaaa"
	inHidden  = "22222222-2222-4222-8222-aaaaaaaaaaaa"
	obVisible = "11111111-1111-4111-8111-bbbbbbbbbbbb"
	obHidden  = "22222222-2222-4222-8222-bbbbbbbbbbbb"
	groupOurs = "33333333-3333-4333-8333-333333333333"
	groupTwo  = "44444444-4444-4444-8444-444444444444"
)

// twoParties is a world in which ann's organisation has an event that bob's may
// see and one that it may not.
func twoParties(t testing.TB) *world {
	w := newWorld(t, noon)
	ours := put(w, &tocsin.Organisation{Name: "Ours", UUID: mustUUID("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), Local: true})
	theirs := put(w, &tocsin.Organisation{Name: "Theirs", UUID: mustUUID("bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"), Local: true})
	ann := w.user("ann", "ann@ours.example", ours.ID, 2)
	w.user("bob", "bob@theirs.example", theirs.ID, 2)
	w.user("reader", "reader@ours.example", ours.ID, 6)
	w.key("ann's read-only key", &tocsin.Key{User: ann.ID, ReadOnly: true})
	put(w, &tocsin.Group{UUID: mustUUID(groupOurs), Name: "ours alone", Org: ours.ID, Members: []tocsin.Member{{Org: ours.ID}}})
	put(w, &tocsin.Group{UUID: mustUUID(groupTwo), Name: "both", Org: ours.ID, Members: []tocsin.Member{{Org: ours.ID}, {Org: theirs.ID}}})
	for _, e := range []struct{ event, attribute, object, reach string }{{visible, inVisible, obVisible, "1"}, {hidden, inHidden, obHidden, "0"}} {
		w.must(200, "ann", "POST", "/events/add", fmt.Sprintf(`{"Event":{"uuid":%q,"info":"story","distribution":%s,"Tag":[{"name":"tlp:green"}],
			"Attribute":[{"uuid":%q,"type":"domain","value":"bad.example.org","Tag":[{"name":"tlp:green"}]}],
			"Object":[{"uuid":%q,"name":"file","distribution":5,"Attribute":[{"type":"filename","object_relation":"filename","value":"bad.exe"}]}]}}`,
			e.event, e.reach, e.attribute, e.object))
	}
	w.castPeople(ann)
	return w
}

// must asks and wants a status.
func (w *world) must(status int, as, method, path, body string) reply {
	w.t.Helper()
	got := w.ask(as, method, path, body)
	if got.status != status {
		w.t.Fatalf("%s: %s %s: status %d, not %d: %s", as, method, path, got.status, status, got.body)
	}
	return got
}

// head is the last line of the log.
func (w *world) head() (n tocsin.Seq) {
	w.t.Helper()
	n, err := w.db.Apply(context.Background(), access.System("test: the head of the log"), func(*store.Tx) error { return nil })
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// writes are all calls that change something that is there. In path and body a word in
// capitals stands for a record: see cast, in trespass_test.go.
var writes = []struct{ path, body string }{
	{"POST /events/edit/EVENT", `{"info":"hijacked"}`},
	{"PUT /events/EVENT", `{"info":"hijacked"}`},
	{"POST /events/edit/EVENT", `{"Attribute":[{"uuid":"ATTRIBUTE","value":"other.example.org"}]}`},
	{"POST /events/edit/EVENT", `{"Object":[{"uuid":"OBJECT","deleted":true}]}`},
	{"POST /events/upload_sample/EVENT", `{"files":[{"filename":"a.exe","data":"aGkK"}]}`},
	{"POST /events/publish/EVENT", ``},
	{"POST /events/alert/EVENT", ``},
	{"POST /events/freeTextImport/EVENT", `{"value":"evil.example.org"}`},
	{"POST /events/freeTextImport/EVENT", `{"value":"nothing"}`},
	{"POST /events/unpublish/EVENT", ``},
	{"POST /events/pushEventToZMQ/EVENT", ``},
	{"POST /events/delete/EVENT", ``},
	{"DELETE /events/EVENT", ``},
	{"POST /events/addTag/EVENT/tlp:green", ``},
	{"POST /events/removeTag/EVENT/tlp:green", ``},
	{"POST /attributes/add/EVENT", `{"type":"domain","value":"more.example.org"}`},
	{"POST /attributes/add/EVENT", `{"type":"ip-dst","value":"nonsense"}`},
	{"POST /attributes/add/EVENT", `{"type":"attachment","value":"a.txt","data":"aGkK"}`},
	{"POST /attributes/add_attachment/EVENT", `{"filename":"a.txt","data":"aGkK"}`},
	{"POST /attributes/edit/ATTRIBUTE", `{"type":"attachment","value":"a.txt","data":"aGkK"}`},
	{"POST /attributes/edit/ATTRIBUTE", `{"comment":"hijacked"}`},
	{"PUT /attributes/ATTRIBUTE", `{"to_ids":false}`},
	{"POST /attributes/delete/ATTRIBUTE", ``},
	{"POST /attributes/restore/ATTRIBUTE", ``},
	{"POST /attributes/delete/ATTRIBUTE/1", ``},
	{"DELETE /attributes/ATTRIBUTE", ``},
	{"POST /attributes/addTag/ATTRIBUTE", `{"tag":"tlp:green"}`},
	{"POST /attributes/removeTag/ATTRIBUTE", `{"tag":"tlp:green"}`},
	{"POST /tags/attachTagToObject", `{"uuid":["ATTRIBUTE","EVENT"],"tag":["tlp:green","tlp:red"]}`},
	{"POST /tags/attachTagToObject/ATTRIBUTE", `{"tag":"tlp:red||tlp:green","local":true}`},
	{"POST /objects/add/EVENT", `{"name":"file","Attribute":[{"type":"filename","value":"worse.exe"}]}`},
	{"POST /objects/edit/OBJECT", `{"comment":"hijacked"}`},
	{"POST /objects/edit/OBJECT", `{"Attribute":[{"type":"filename","value":"worse.exe"}]}`},
	{"PUT /objects/edit/OBJECT/1", `{"Attribute":[{"type":"filename","value":"worse.exe"}]}`},
	{"POST /event_delegations/delegateEvent/EVENT", `{"org_id":"ORG","distribution":-1,"message":"yours"}`},
	{"POST /event_delegations/acceptDelegation/HANDOVER", ``},
	{"POST /event_delegations/deleteDelegation/HANDOVER", ``},
	{"POST /event_blocklists/edit/KEPTOUT", `{"comment":"x"}`},
	{"POST /event_blocklists/delete/KEPTOUT", ``},
	{"POST /org_blocklists/edit/NOBODY", `{"comment":"x"}`},
	{"POST /org_blocklists/delete/NOBODY", ``},
	{"POST /object_references/add", `{"object_uuid":"OBJECT","referenced_uuid":"ATTRIBUTE","relationship_type":"drops"}`},
	{"POST /object_references/add/OBJECT", `{"referenced_uuid":"OBJECT","relationship_type":"drops"}`},
	{"POST /object_references/delete/REFERENCE", ``},
	{"POST /object_references/delete/REFERENCE/1", ``},
	{"POST /shadow_attributes/accept/PROPOSAL", ``},
	{"POST /shadow_attributes/discard/PROPOSAL", ``},
	{"POST /objects/delete/OBJECT", ``},
	{"POST /objects/delete/OBJECT/1", ``},
	{"POST /galaxy_clusters/edit/CLUSTER", `{"value":"hijacked"}`},
	{"POST /galaxy_clusters/delete/CLUSTER", ``},
	{"POST /galaxy_clusters/delete/CLUSTER", `{"hard":1}`},
	{"POST /galaxy_clusters/restore/CLUSTER", ``},
	{"POST /galaxy_clusters/publish/CLUSTER", ``},
	{"POST /galaxy_clusters/unpublish/CLUSTER", ``},
	{"POST /galaxy_cluster_relations/add", `{"galaxy_cluster_uuid":"CLUSTER","referenced_galaxy_cluster_uuid":"99999999-9999-4999-8999-999999999998","referenced_galaxy_cluster_type":"x"}`},
	{"POST /galaxy_cluster_relations/edit/RELATION", `{"referenced_galaxy_cluster_type":"hijacked"}`},
	{"POST /galaxy_cluster_relations/delete/RELATION", ``},
	{"POST /galaxies/attachCluster/EVENT/event", `{"Galaxy":{"target_id":"CLUSTER"}}`},
	{"POST /galaxies/attachCluster/ATTRIBUTE/attribute/local:1", `{"Galaxy":{"target_id":"CLUSTER"}}`},
	{"POST /galaxy_clusters/detach/EVENT/event/1", ``},
	{"POST /event_reports/add/EVENT", `{"name":"hijacked","content":"x"}`},
	{"POST /tags/attachTagToObject", `{"uuid":"EVENT","tag":"tlp:red"}`},
	{"POST /tags/attachTagToObject", `{"uuid":"ATTRIBUTE","tag":"tlp:green"}`},
	{"POST /tags/attachTagToObject", `{"uuid":"ATTRIBUTE","tag":"new:tag","local":1}`},
	{"POST /tags/removeTagFromObject", `{"uuid":"EVENT","tag":"tlp:green"}`},
	{"POST /tags/removeTagFromObject", `{"uuid":"ATTRIBUTE","tag":"tlp:green"}`},
	{"POST /admin/organisations/edit/ORG", `{"description":"hijacked"}`},
	{"POST /admin/organisations/delete/ORG", ``},
	{"POST /admin/roles/edit/ROLE", `{"perm_site_admin":1}`},
	{"POST /admin/roles/delete/ROLE", ``},
	{"POST /admin/roles/set_default/ROLE", ``},
	{"POST /feeds/edit/FEED", `{"url":"https://hijacked.example.org"}`},
	{"POST /feeds/enable/FEED", ``},
	{"POST /feeds/disable/FEED", ``},
	{"POST /feeds/delete/FEED", ``},
	{"POST /feeds/fetchFromFeed/FEED", ``},
	{"POST /feeds/cacheFeeds/FEED", ``},
	{"POST /servers/edit/PEER", `{"url":"https://hijacked.example.org"}`},
	{"POST /servers/delete/PEER", ``},
	{"POST /users/acceptRegistrations/ASKED", `{"User":{"org_id":1}}`},
	{"POST /users/discardRegistrations/ASKED", ``},
	{"POST /admin/allowedlists/edit/ALLOWED", `{"name":"/x/"}`},
	{"POST /admin/allowedlists/delete/ALLOWED", ``},
	{"POST /users/edit/USER", `{"autoalert":1}`},
	{"POST /users/resetauthkey/USER", ``},
	{"POST /admin/users/edit/USER", `{"email":"hijacked@example.org"}`},
	{"POST /admin/users/edit/USER", `{"role_id":1}`},
	{"POST /admin/users/delete/USER", ``},
	{"POST /auth_keys/add/USER", `{"comment":"x"}`},
	{"POST /auth_keys/add", `{"user_id":"USER"}`},
	{"POST /auth_keys/edit/KEY", `{"read_only":0}`},
	{"POST /auth_keys/delete/KEY", ``},
	{"POST /user_settings/setSetting", `{"user_id":"USER","setting":"homepage","value":"/x"}`},
	{"POST /user_settings/delete", `{"user_id":"USER","setting":"homepage"}`},
	{"POST /user_settings/delete/SETTING", ``},
}

func fill(s, event, attribute, object string) string {
	return strings.NewReplacer("EVENT", event, "ATTRIBUTE", attribute, "OBJECT", object).Replace(s)
}

// TestGroupsOfOthers keeps sharing groups to their makers, and from those who are
// not in them.
func TestGroupsOfOthers(t *testing.T) {
	w := twoParties(t)
	before := w.head()
	for _, path := range []string{"/sharing_groups/edit/ID", "/sharing_groups/addOrg/ID/2/0", "/sharing_groups/removeOrg/ID/1"} {
		ask := func(id string) reply {
			r := w.ask("bob", "POST", strings.Replace(path, "ID", id, 1), map[bool]string{true: `{"name":"x"}`}[strings.Contains(path, "edit")])
			r.body = strings.ReplaceAll(r.body, id, "ID")
			return r
		}
		if got := ask(groupTwo); got.status != 403 {
			t.Errorf("%s: a member who did not make it: %d %s", path, got.status, got.body)
		}
		if a, b := ask(groupOurs), ask(absent); a.status != b.status || a.body != b.body || a.status < 400 {
			t.Errorf("%s: a hidden group %d %s\n\tan absent one %d %s", path, a.status, a.body, b.status, b.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
}
