package mispapi

import (
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// TestLogOfWhoMoved moves users to another organisation, and takes a site
// administrator's role away: what they wrote before is not their new colleagues'.
func TestLogOfWhoMoved(t *testing.T) {
	w := twoParties(t)
	w.user("root", "root@ours.example", 1, 1)
	clerk := w.user("clerk", "clerk@ours.example", 1, 2)
	boss := w.user("boss", "boss@theirs.example", 2, 1)
	w.must(200, "clerk", "POST", "/events/add", `{"info":"of ours alone","distribution":0}`)
	w.must(200, "boss", "POST", "/events/edit/"+hidden, `{"info":"written by the boss"}`)
	w.must(200, "root", "POST", "/admin/users/edit/"+itoa(clerk.ID), `{"org_id":2}`)
	w.must(200, "root", "POST", "/admin/users/edit/"+itoa(boss.ID), `{"role_id":2}`)
	w.must(200, "clerk", "POST", "/events/add", `{"info":"of theirs by the clerk"}`)
	for _, path := range []string{"/admin/logs/index", "/logs/index"} {
		got := w.must(200, "bob", "POST", path, `{}`).body
		for _, theirs := range []string{"of ours alone", "written by the boss"} {
			if strings.Contains(got, theirs) {
				t.Errorf("%s tells bob of %q", path, theirs)
			}
		}
		if !strings.Contains(got, "of theirs by the clerk") {
			t.Errorf("%s tells bob nothing of a new colleague", path)
		}
	}
	if got := w.must(200, "ann", "POST", "/admin/logs/index", `{}`).body; !strings.Contains(got, "of ours alone") || strings.Contains(got, "of theirs by the clerk") {
		t.Errorf("ann is told %s", got)
	}
}

// TestTextsHaveBounds sends texts of two megabytes wherever a text is kept.
func TestTextsHaveBounds(t *testing.T) {
	w := twoParties(t)
	w.user("root", "root@ours.example", 1, 1)
	before := w.head()
	for _, c := range []struct{ path, body string }{
		{"/analyst_data/add/Note/" + visible + "/Event", `{"note":"n","authors":"BIG"}`},
		{"/analyst_data/add/Opinion/" + visible + "/Event", `{"opinion":50,"comment":"BIG"}`},
		{"/analyst_data/add/Relationship/" + visible + "/Event", `{"related_object_uuid":"` + hidden + `","related_object_type":"Event","relationship_type":"BIG"}`},
		{"/event_reports/add/" + visible, `{"name":"BIG"}`},
		{"/sightings/add/" + inVisible, `{"source":"BIG"}`},
		{"/object_references/add/" + obVisible, `{"referenced_uuid":"` + inVisible + `","relationship_type":"BIG"}`},
		{"/object_references/add/" + obVisible, `{"referenced_uuid":"` + inVisible + `","relationship_type":"x","comment":"BIG"}`},
		{"/shadow_attributes/add/" + visible, `{"type":"text","value":"abc","comment":"BIG"}`},
		{"/user_settings/setSetting", `{"setting":"homepage","value":"\"BIG\""}`},
		{"/sharing_groups/add", `{"name":"a","description":"BIG"}`},
		{"/tag_collections/add", `{"name":"a","description":"BIG"}`},
		{"/correlation_exclusions/add", `{"value":"x","comment":"BIG"}`},
		{"/warninglists/add", `{"name":"x","description":"BIG","entries":"a.example","type":"string"}`},
	} {
		got := w.ask("root", "POST", c.path, strings.Replace(c.body, "BIG", strings.Repeat("x", 2<<20), 1))
		if got.status < 400 || got.status >= 500 || len(got.body) > 10_000 {
			t.Errorf("%s %s: %d %.200s", c.path, c.body, got.status, got.body)
		}
	}
	w.must(200, "root", "POST", "/galaxies/import", `{"GalaxyCluster":{"type":"tool","value":"`+strings.Repeat("x", 2<<20)+`"}}`) // it failed, which is told
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
}

// TestPushedRelationsKeepClose has a peer share a relation with a group that it numbers
// otherwise, with a new cluster and with a newer one.
func TestPushedRelationsKeepClose(t *testing.T) {
	w := twoParties(t)
	w.user("peer", "peer@theirs.example", 2, 5)
	both, err := store.ByUUID[*tocsin.Group](w.db.As(access.System("test")), mustUUID(groupTwo))
	if err != nil {
		t.Fatal(err)
	}
	role := put(w, &tocsin.Role{Name: "peers", Permissions: access.Role(access.Auth | access.Add | access.Sync | access.GalaxyEditor | access.Publish)})
	w.user("editor", "editor@theirs.example", 2, role.ID)
	for _, version := range []string{"1", "2"} {
		w.must(200, "editor", "POST", "/galaxies/pushCluster", `[{"GalaxyCluster":{"uuid":"`+absent+`","type":"tool","value":"x","version":`+version+`,"distribution":1,
			"Galaxy":{"type":"tool"},"GalaxyClusterRelation":[{"referenced_galaxy_cluster_uuid":"`+visible+`","referenced_galaxy_cluster_type":"uses","distribution":4,"sharing_group_id":`+itoa(both.ID)+`}]}}]`)
		got := w.must(200, "editor", "GET", "/galaxy_clusters/view/"+absent, "").body
		if !strings.Contains(got, `"version":`+version) || !strings.Contains(got, `"referenced_galaxy_cluster_type":"uses","galaxy_cluster_uuid":"`+absent+`","distribution":0`) {
			t.Errorf("version %s: %s", version, got)
		}
	}
}

// TestRelatedElementsKeepUsers to those whom they are colleagues of.
func TestRelatedElementsKeepUsers(t *testing.T) {
	w := twoParties(t)
	for as, want := range map[string]string{"ann": `"user_id":1`, "bob": `"user_id":0`} {
		if got := w.must(200, as, "GET", "/analyst_data/getRelatedElement/Event/"+visible, "").body; !strings.Contains(got, want) {
			t.Errorf("%s: %s", as, got)
		}
	}
}

// TestNoUUIDIsNotAll asks for what has a uuid that is none: that is nothing, and never
// everything.
func TestNoUUIDIsNotAll(t *testing.T) {
	w := twoParties(t)
	for _, path := range []string{"/attributes/restSearch", "/events/restSearch", "/objects/restSearch", "/attributes/search"} {
		for _, body := range []string{`{"uuid":"x"}`, `{"uuid":["x","00000000"]}`} {
			if got := w.must(200, "bob", "POST", path, body); strings.Contains(got.body, "11111111-") {
				t.Errorf("%s %s: %s", path, body, got.body)
			}
		}
	}
}

// TestDelegatingTakesThePower that MISP's roles have for it: who may publish and no more
// gives nothing away.
func TestDelegatingTakesThePower(t *testing.T) {
	w := twoParties(t)
	role := put(w, &tocsin.Role{Name: "publishers alone", Permissions: access.Role(access.Auth | access.Add | access.ModifyOrg | access.Publish)})
	w.user("publisher", "publisher@ours.example", 1, role.ID)
	path, body := "/event_delegations/delegateEvent/"+hidden, `{"org_id":"2","distribution":-1}`
	if got := w.must(403, "publisher", "POST", path, body); !strings.Contains(got.body, notPermitted) {
		t.Errorf("%s", got.body)
	}
	w.must(200, "ann", "POST", path, body)
}
