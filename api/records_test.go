package api

import (
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

func TestRecordsByTheirNames(t *testing.T) {
	w := newWorld(t)
	o := w.must(t, 201, "admin", "POST", "/api/organisations", `{"name":"CERT Example","nationality":"Nowhere","local":true}`)
	if o["uuid"] == "" || o["id"] == nil {
		t.Errorf("%v", o)
	}
	w.must(t, 409, "admin", "POST", "/api/organisations", `{"name":"cert example"}`)
	o = w.must(t, 200, "admin", "PATCH", "/api/organisations/CERT%20Example", `{"sector":"telecoms"}`)
	if o["sector"] != "telecoms" || o["nationality"] != "Nowhere" {
		t.Errorf("patch: %v", o)
	}
	o = w.must(t, 200, "admin", "PUT", "/api/organisations/"+o["uuid"].(string), `{"name":"CERT Example"}`)
	if o["sector"] != "" || o["local"] != false {
		t.Errorf("put: %v", o)
	}

	u := w.must(t, 201, "admin", "POST", "/api/users", `{"email":"cara@example.org","org":"CERT Example","role":"Org Admin"}`)
	if u["org_name"] != "CERT Example" || len(u["password"].(string)) != 24 || len(u["key"].(string)) != 40 {
		t.Errorf("%v", u)
	}
	w.keys["cara"] = u["key"].(string)
	if s := w.must(t, 200, "cara", "GET", "/api/status", ""); s["who"] != "cara@example.org" {
		t.Errorf("%v", s)
	}
	u = w.must(t, 200, "cara", "GET", "/api/users/cara@example.org", "")
	if u["password"] != nil || u["key"] != nil {
		t.Errorf("shown again: %v", u)
	}
	w.must(t, 400, "cara", "PATCH", "/api/users/cara@example.org", `{"password":"short"}`)
	w.must(t, 403, "cara", "PATCH", "/api/users/cara@example.org", `{"role":"admin"}`)
	w.must(t, 403, "cara", "POST", "/api/users", `{"email":"x@example.org","org":"Ours"}`)

	w.must(t, 200, "admin", "PATCH", "/api/users/cara@example.org", `{"disabled":true}`)
	w.must(t, 403, "cara", "GET", "/api/status", "")
	w.must(t, 200, "admin", "PATCH", "/api/users/cara@example.org", `{"disabled":false}`)

	k := w.must(t, 201, "cara", "POST", "/api/keys", `{"comment":"resolver","read_only":true,"allow":["127.0.0.0/8"]}`)
	w.keys["ro-cara"] = k["key"].(string)
	w.must(t, 200, "ro-cara", "GET", "/api/keys", "")
	w.must(t, 403, "ro-cara", "POST", "/api/keys", "{}")

	g := w.must(t, 201, "cara", "POST", "/api/groups", `{"name":"partners","members":[{"org":"CERT Example","extend":true},{"org":"Ours"}]}`)
	if ms := g["members"].([]any); len(ms) != 2 || ms[1].(map[string]any)["org_name"] != "Ours" {
		t.Errorf("%v", g)
	}
	w.must(t, 200, "ours", "GET", "/api/groups/partners", "")
	w.must(t, 404, "theirs", "GET", "/api/groups/partners", "")
	w.must(t, 403, "ours", "PATCH", "/api/groups/partners", `{"members":[]}`)

	c := w.must(t, 201, "cara", "POST", "/api/collections", `{"name":"block","zone":"block.rpz.example","sources":["CERT Example","Ours"]}`)
	if c["tag"] != `tocsin:collection="block"` || len(c["sources"].([]any)) != 2 {
		t.Errorf("%v", c)
	}
	w.must(t, 400, "cara", "POST", "/api/collections", `{"name":"a.b"}`)
	s := w.must(t, 201, "cara", "POST", "/api/subscribers",
		`{"name":"resolver 1","collection":"block","org":"Ours","allow":["192.0.2.53/32"],"notify":["192.0.2.53:53"],"tsig":true}`)
	key := s["tsig"].(map[string]any)
	secret, err := base64.StdEncoding.DecodeString(key["secret"].(string))
	if err != nil || len(secret) != 32 || key["algorithm"] != "hmac-sha256" || key["name"] != "resolver-1" {
		t.Errorf("%v %v", key, err)
	}
	status, before := w.ask(t, "ours", "GET", "/api/subscribers/resolver%201/config?for=unbound", "")
	if status != 200 || !strings.Contains(before, "zone block.rpz.example secret ") {
		t.Errorf("%d %s", status, before)
	}
	w.must(t, 403, "ours-reader", "GET", "/api/subscribers/resolver%201/config?for=unbound", "")
	w.must(t, 404, "theirs", "GET", "/api/subscribers/resolver%201/config?for=unbound", "")
	w.must(t, 400, "ours", "GET", "/api/subscribers/resolver%201/config?for=windows", "")

	// What was read can be changed and sent back: the secret stays.
	_, text := w.ask(t, "cara", "GET", "/api/subscribers/resolver%201", "")
	w.must(t, 200, "cara", "PUT", "/api/subscribers/resolver%201", text)
	if _, after := w.ask(t, "ours", "GET", "/api/subscribers/resolver%201/config?for=unbound", ""); after != before {
		t.Errorf("the secret changed: %s", after)
	}
	w.must(t, 200, "cara", "PATCH", "/api/subscribers/resolver%201", `{"tsig":true}`)
	if _, after := w.ask(t, "ours", "GET", "/api/subscribers/resolver%201/config?for=unbound", ""); after == before {
		t.Error("the secret did not change")
	}
	w.must(t, 200, "cara", "PATCH", "/api/subscribers/resolver%201", `{"tsig":null}`)

	// A change that is refused changes nothing, also not in the record that others hold.
	w.must(t, 400, "cara", "PATCH", "/api/subscribers/resolver%201", `{"allow":["198.51.100.1/32"],"notify":["198.51.100.1:53"],"action":"nonsense"}`)
	if s := w.must(t, 200, "cara", "GET", "/api/subscribers/resolver%201", ""); s["allow"].([]any)[0] != "192.0.2.53/32" || s["notify"].([]any)[0] != "192.0.2.53:53" {
		t.Errorf("a refused change is there: %v", s)
	}
	w.must(t, 400, "cara", "PATCH", "/api/subscribers/resolver%201", `{"exclude":["http://example.org/"]}`)
	w.must(t, 400, "cara", "PATCH", "/api/subscribers/resolver%201", `{"also":[""]}`)
	w.must(t, 404, "cara", "PATCH", "/api/subscribers/resolver%201", `{"also":["nothing"]}`)
	s = w.must(t, 200, "cara", "PATCH", "/api/subscribers/resolver%201", `{"exclude":["Example.org","192.0.2.9/24","example.org"],"action":"Landing.Example."}`)
	if fmt.Sprintf("%v %v", s["exclude"], s["action"]) != "[192.0.2.0/24 example.org] landing.example" {
		t.Errorf("%v", s)
	}

	w.must(t, 409, "cara", "DELETE", "/api/collections/block", "")
	w.must(t, 204, "cara", "DELETE", "/api/subscribers/resolver%201", "")
	w.must(t, 204, "cara", "DELETE", "/api/collections/block", "")
	w.must(t, 404, "cara", "GET", "/api/collections/block", "")
}

func TestWhatIsNotUnderstoodIsNamed(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ path, body, want string }{
		{"/api/organisations", `{"name":"x","natoinality":"y"}`, `there is no field \"natoinality\"`},
		{"/api/organisations", `{"name":5}`, `\"name\" can't be a number`},
		{"/api/organisations", ``, `no JSON`},
		{"/api/organisations", `{"name":"x"} {}`, `something after`},
		{"/api/organisations", `[1]`, `can't be a`},
		{"/api/organisations", `{}`, `needs a name`},
		{"/api/users", `{"email":"x@example.org","role":"King"}`, `no role \"King\"; try one of [admin, Org Admin`},
		{"/api/users", `{"email":"nobody"}`, `is not an e-mail address`},
		{"/api/users", `{"email":"x@example.org","org":"Nowhere"}`, `no organisation \"Nowhere\"`},
		{"/api/users", `{"email":"x@example.org","org":true}`, `neither an id nor a name`},
		{"/api/groups", `{"name":"g","members":[{"organisation":1}]}`, `there is no field \"organisation\"`},
		{"/api/subscribers", `{"name":"s"}`, `needs a collection`},
		{"/api/subscribers", `{"name":"s","collection":"theirblock","tsig":{"algorithm":"md5"}}`, `no algorithm \"md5\"; try one of`},
		{"/api/subscribers", `{"name":"s","collection":"theirblock","tsig":{"algoritm":"x"}}`, `there is no field \"algoritm\"`},
		{"/api/subscribers", `{"name":"s","collection":"theirblock","allow":["192.0.2.300"]}`, `192.0.2.300`},
		{"/api/lookup?parent=1", `x`, `there is no parameter \"parent\"; try one of [parents mentions]`},
		{"/api/import?pubish=1", ``, `there is no parameter \"pubish\"; try one of`},
		{"/api/import?distribution=9", ``, `no distribution \"9\"`},
		{"/api/import?collection=nope", ``, `no collection \"nope\"`},
	} {
		status, text := w.ask(t, "admin", "POST", c.path, c.body)
		if status < 400 || status > 404 || !strings.Contains(text, c.want) {
			t.Errorf("%s %s: %d %s", c.path, c.body, status, text)
		}
	}
}

// Of two who change a record at the same time, the second is told.
func TestChangedMeanwhile(t *testing.T) {
	w := newWorld(t)
	k := w.api.organisations()
	show := k.show
	k.show = func(view store.View, o *tocsin.Organisation) organisation {
		o2 := *o
		o2.Sector += "energy"
		put(t, w.db, &o2)
		return show(view, o)
	}
	r := httptest.NewRequest("PATCH", "/", strings.NewReader(`{"type":"CERT"}`))
	r.SetPathValue("name", "Ours")
	err := k.patch(httptest.NewRecorder(), r, access.System("test"))
	if tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("%v", err)
	}
}

// A NOTIFY to twenty thousand places would take all sockets that there are.
func TestNotifyFewPlaces(t *testing.T) {
	w := newWorld(t)
	places := func(n int) string {
		return `{"notify":["192.0.2.1:53"` + strings.Repeat(`,"192.0.2.1:53"`, n-1) + `]}`
	}
	w.must(t, 200, "theirs", "PATCH", "/api/subscribers/their%20resolver", places(maxNotify))
	w.must(t, 400, "theirs", "PATCH", "/api/subscribers/their%20resolver", places(maxNotify+1))
}
