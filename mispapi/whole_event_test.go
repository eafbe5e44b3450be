package mispapi

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin"
)

// wholeEvent is an event with everything in it that MISP puts into one, all made up.
func wholeEvent(t *testing.T) record {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "whole-event.json"))
	if err != nil {
		t.Fatal(err)
	}
	var v struct{ Event record }
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v.Event
}

// Nothing of an event is lost on the way to one instance and from there to another.
func TestWholeEventTravels(t *testing.T) {
	first, second := newWorld(t, noon), newWorld(t, noon)
	for _, w := range []*world{first, second} {
		twoOrgs(w)
	}
	lost, e := map[string]int{}, wholeEvent(t)
	if n := travel(t, first, second, "whole-event.json", e, lost); n != 6 || len(lost) > 0 {
		t.Errorf("%d attributes came, and what is lost is %v", n, lost)
	}
	there := view(t, second, e["uuid"].(string))
	text := settled(there)
	for _, want := range []string{
		`"name": "Finder"`, `"name": "Doubter"`, `"name": "the hosters"`, `"note": "why?"`, `"note": "packed"`, `"note": "to be translated"`,
		`"opinion": 80`, `"relationship_type": "follows"`, `"value": "192.0.2.9"`, `"comment": "it is a host"`, `"comment": "a circle"`,
		`"source": "a sensor"`, `"value": "Kit seller"`, `"description": "sells kits"`, `"name": "ours alone"`, `"colour": "#aabbcc"`, `"extends_uuid": "e0000000-0000-4000-8000-00000000ffff"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the second instance has no %s", want)
		}
	}
	for _, tag := range recordsIn(there["Tag"]) {
		if kept := tag["name"] == "finder:kept"; tag["hide_tag"] != kept {
			t.Errorf("the tag came as %v", tag)
		}
	}
	if got := there["publish_timestamp"]; got != 1727700000.0 {
		t.Errorf("it was published at %v where it comes from", got)
	}
}

// A newer version of an event that is here changes what it names and adds what is new,
// with the times of where it was made; what is said again is not said twice.
func TestNewerVersionIsTaken(t *testing.T) {
	w := newWorld(t, noon)
	twoOrgs(w)
	e := wholeEvent(t)
	uuid := e["uuid"].(string)
	body := func() string { b, _ := json.Marshal(record{"Event": e}); return string(b) }
	w.must(200, "root", "POST", "/events/add", body())
	before := settled(view(t, w, uuid))
	if r := w.ask("root", "POST", "/events/edit/"+uuid, body()); r.status != 403 || !strings.Contains(r.body, "not newer") {
		t.Errorf("the same version again: %d %s", r.status, r.body)
	}

	e["timestamp"] = "1727900000"
	again := w.must(200, "root", "POST", "/events/edit/"+uuid, body())
	if r := refusals(t, again.body); len(r) > 0 {
		t.Errorf("refused: %v", r)
	}
	after := view(t, w, uuid)
	if after["timestamp"] != 1727900000.0 {
		t.Errorf("the event is of %v", after["timestamp"])
	}
	after["timestamp"] = 1727800000.0
	if got := settled(after); got != before {
		t.Errorf("what was not changed differs: %s", firstDifference(before, got))
	}

	e["timestamp"] = "1727900001"
	object := recordsIn(e["Object"])[0]
	object["timestamp"], object["comment"] = "1727900001", "the kit, unpacked"
	object["Attribute"] = append(object["Attribute"].([]any), record{"uuid": "a0000000-0000-4000-8000-00000000000a", "type": "sha1", "object_relation": "sha1",
		"value": "da39a3ee5e6b4b0d3255bfef95601890afd80709", "timestamp": "1727900001", "distribution": "5", "to_ids": true})
	report := recordsIn(e["EventReport"])[0]
	report["timestamp"], report["content"] = "1727900001", "# It works no more"
	first := recordsIn(e["Attribute"])[0]
	first["timestamp"], first["comment"] = "1727900001", "where it is"
	first["Sighting"] = append(first["Sighting"].([]any), record{"uuid": "51000000-0000-4000-8000-000000000003", "type": "0", "date_sighting": "1727000200",
		"Organisation": record{"uuid": "0c000000-0000-4000-8000-00000000000d", "name": "Newcomer"}})
	if r := refusals(t, w.must(200, "root", "POST", "/events/edit/"+uuid, body()).body); len(r) > 0 {
		t.Errorf("refused: %v", r)
	}
	now := view(t, w, uuid)
	came(t, "the newer version", e, now, nil)
	if text := settled(now); !strings.Contains(text, `"content": "# It works no more"`) || !strings.Contains(text, `"name": "Newcomer"`) {
		t.Errorf("the newer version came as %s", text)
	}
}

// Whoever speaks for their own organisation alone puts no word in another's mouth, and
// brings no organisation and no group.
func TestNobodySpeaksForOthers(t *testing.T) {
	w := newWorld(t, noon)
	twoOrgs(w)
	w.user("user", "user@cert.example", 1, 3)
	e := wholeEvent(t)
	e["distribution"] = "1"
	delete(e, "SharingGroup")
	b, _ := json.Marshal(record{"Event": e})
	w.must(200, "user", "POST", "/events/add", string(b))
	text := settled(view(t, w, e["uuid"].(string)))
	for _, name := range []string{"Finder", "Doubter", "Sender"} {
		if strings.Contains(text, `"name": "`+name+`"`) {
			t.Errorf("%s has a say in it", name)
		}
	}
	if got := w.ask("root", "GET", "/organisations/index/scope:all", ""); strings.Contains(got.body, "Finder") {
		t.Errorf("an organisation was added: %s", got.body)
	}
}

// A sharing group that comes along is taken from whoever is in it, and from nobody else.
func TestGroupsOfOthersAreNotBrought(t *testing.T) {
	w := newWorld(t, noon)
	twoOrgs(w)
	w.user("sync", "sync@cert.example", 1, 5)
	e := wholeEvent(t)
	group := e["SharingGroup"].(record)
	group["SharingGroupOrg"] = group["SharingGroupOrg"].([]any)[:1]
	b, _ := json.Marshal(record{"Event": e})
	if r := w.ask("sync", "POST", "/events/add", string(b)); r.status != 403 || !strings.Contains(r.body, "no sharing group") {
		t.Errorf("a group that we are not in: %d %s", r.status, r.body)
	}
	e = wholeEvent(t)
	b, _ = json.Marshal(record{"Event": e})
	w.must(200, "sync", "POST", "/events/add", string(b))
	if r := w.must(200, "sync", "GET", "/sharing_groups/index", ""); !strings.Contains(r.body, "the hosters") {
		t.Errorf("the group is not here: %s", r.body)
	}
}

// A tag that is new is as it was where it comes from; one that is here stays as it is.
func TestTagsThatComeAlong(t *testing.T) {
	w := newWorld(t, noon)
	twoOrgs(w)
	for range 2 {
		w.must(200, "root", "POST", "/events/add", `{"info":"x","distribution":0,"Tag":[{"name":"kept here","colour":"#112233","exportable":false,"hide_tag":true},{"name":"plain"}]}`)
	}
	w.must(200, "root", "POST", "/events/add", `{"info":"x","distribution":0,"Tag":[{"name":"plain","colour":"#445566","exportable":false}]}`)
	got := w.must(200, "root", "GET", "/tags/index", "").body
	for name, want := range map[string]bool{"kept here": false, "plain": true} {
		var answer struct{ Tag []record }
		if err := json.Unmarshal([]byte(got), &answer); err != nil {
			t.Fatal(err)
		}
		for _, tag := range answer.Tag {
			if tag["name"] == name && (tag["exportable"] != want || tag["hide_tag"] == want || tag["colour"] == "#445566") {
				t.Errorf("%v", tag)
			}
		}
		if !strings.Contains(got, `"name":"`+name+`"`) {
			t.Errorf("no tag %q: %s", name, got)
		}
	}
}

// An event that is refused brings nobody along.
func TestRefusedEventBringsNobody(t *testing.T) {
	w := newWorld(t, noon)
	twoOrgs(w)
	other := put(w, &tocsin.Organisation{Name: "Another CERT", UUID: mustUUID("bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"), Local: true})
	w.user("sync", "sync@another.example", other.ID, 5)
	w.must(200, "root", "POST", "/events/add", `{"Event":{"uuid":"`+visible+`","info":"ours","distribution":1}}`)
	e := wholeEvent(t)
	e["uuid"], e["distribution"] = visible, "1"
	delete(e, "SharingGroup")
	b, _ := json.Marshal(record{"Event": e})
	before := w.head()
	for _, path := range []string{"/events/add", "/events/edit/" + visible} {
		if r := w.ask("sync", "POST", path, string(b)); r.status < 400 || r.status >= 500 {
			t.Errorf("%s: %d %s", path, r.status, r.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
}
