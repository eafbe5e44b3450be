package mispapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// TestAdministratorsStayInTheirOrganisation lets an organisation's administrator try
// what is a site administrator's, and users of others.
func TestAdministratorsStayInTheirOrganisation(t *testing.T) {
	w := twoParties(t)
	root := w.user("root", "root@ours.example", 1, 1)
	w.must(200, "ann", "POST", "/admin/users/add", `{"email":"new@ours.example","role_id":3}`)
	before := w.head()
	for _, c := range []struct{ path, body string }{
		{"/admin/users/add", `{"email":"x@theirs.example","org_id":2,"role_id":3}`},
		{"/admin/users/add", `{"email":"x@ours.example","role_id":1}`},
		{"/admin/users/add", `{"email":"x@ours.example","role_id":5}`},
		{fmt.Sprintf("/admin/users/edit/%d", root.ID), `{"password":"another password"}`},
		{fmt.Sprintf("/admin/users/edit/%d", root.ID), `{"disabled":1}`},
		{fmt.Sprintf("/admin/users/delete/%d", root.ID), ``},
		{fmt.Sprintf("/auth_keys/add/%d", root.ID), `{}`},
		{fmt.Sprintf("/users/resetauthkey/%d", root.ID), ``},
		{"/admin/users/edit/me", `{"role_id":1}`},
		{"/admin/users/edit/me", `{"org_id":2}`},
		{"/admin/users/delete/me", ``},
		{"/users/edit", `{"role_id":1,"org_id":2}`},
	} {
		if got := w.ask("ann", "POST", c.path, c.body); got.status != 403 && c.path != "/users/edit" {
			t.Errorf("%s %s: %d %s", c.path, c.body, got.status, got.body)
		}
		if c.path != "/users/edit" && w.head() != before {
			t.Fatalf("%s %s: something was written", c.path, c.body)
		}
	}
	// People change their profile by that call, and nothing of what they may.
	if got := w.must(200, "ann", "GET", "/users/view/me", "").body; !strings.Contains(got, `"role_id":2`) || !strings.Contains(got, `"org_id":1`) {
		t.Errorf("%s", got)
	}
}

// TestKeys makes keys that are narrow, and uses them.
func TestKeys(t *testing.T) {
	w := twoParties(t)
	key := func(body string) string {
		var made struct {
			AuthKey struct {
				Raw string `json:"authkey_raw"`
				ID  int64
			}
		}
		if err := json.Unmarshal([]byte(w.must(200, "ann", "POST", "/auth_keys/add", body).body), &made); err != nil || len(made.AuthKey.Raw) != 40 {
			t.Fatalf("%v %v", made, err)
		}
		return made.AuthKey.Raw
	}
	for body, want := range map[string]int{
		`{}`: 200, `{"expiration":"2026-11-24"}`: 200, `{"expiration":"2026-11-23 11:59:59"}`: 403, `{"expiration":1795435200}`: 403,
		`{"allowed_ips":["127.0.0.1"]}`: 200, `{"allowed_ips":"127.0.0.0/8\n::1"}`: 200, `{"allowed_ips":["192.0.2.0/24"]}`: 403, `{"read_only":true}`: 200,
	} {
		if got := w.ask(key(body), "GET", "/users/view/me", ""); got.status != want {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	for _, body := range []string{`{"allowed_ips":["x"]}`, `{"expiration":"tomorrow"}`, `{"uuid":"x"}`} {
		w.must(403, "ann", "POST", "/auth_keys/add", body)
	}
	if got := w.must(200, "ann", "GET", "/auth_keys/index", "").body; strings.Contains(got, "authkey_raw") || !strings.Contains(got, `"allowed_ips":["192.0.2.0/24"]`) {
		t.Errorf("%s", got)
	}
}

// TestEndedIsOut disables and deletes a user whose key works.
func TestEndedIsOut(t *testing.T) {
	w := twoParties(t)
	u := w.user("carl", "carl@ours.example", 1, 3)
	path := fmt.Sprintf("/admin/users/edit/%d", u.ID)
	for _, step := range []struct {
		body string
		want int
	}{{`{"disabled":1}`, 403}, {`{"disabled":0}`, 200}, {`{"expiration":"2026-11-22"}`, 403}, {`{"expiration":null}`, 200}} {
		w.must(200, "ann", "POST", path, step.body)
		w.must(step.want, "carl", "GET", "/users/view/me", "")
	}
	w.must(200, "ann", "POST", fmt.Sprintf("/admin/users/delete/%d", u.ID), "")
	w.must(403, "carl", "GET", "/users/view/me", "")
	if got := w.must(200, "ann", "GET", fmt.Sprintf("/auth_keys/index/%d", u.ID), "").body; got != "[]" {
		t.Errorf("keys are left: %s", got)
	}
}

// TestRegistration lets somebody ask, and an administrator take them.
func TestRegistration(t *testing.T) {
	w := twoParties(t)
	w.user("root", "root@ours.example", 1, 1)
	const body = `{"email":"dora@ours.example","org_name":"Ours","message":"<script>"}`
	w.must(405, "", "POST", "/users/register", body)
	w.must(200, "root", "POST", "/servers/serverSettingsEdit/Security.allow_self_registration", `{"value":true}`)
	w.must(200, "", "POST", "/users/register", body)
	w.must(403, "", "POST", "/users/register", body)
	w.must(403, "", "POST", "/users/register", `{"email":"nobody"}`)
	w.must(405, "", "POST", "/users/register", `{`)
	w.must(403, "ann", "GET", "/users/registrations/index", "")
	for n := 0; n < maxFromOneAddress-1; n++ {
		w.must(200, "", "POST", "/users/register", fmt.Sprintf(`{"email":"d%d@ours.example"}`, n))
	}
	w.must(503, "", "POST", "/users/register", `{"email":"more@ours.example"}`)
	if got := w.must(200, "root", "GET", "/users/registrations/index", "").body; !strings.Contains(got, `"email":"dora@ours.example"`) {
		t.Errorf("%s", got)
	}
	w.must(400, "root", "POST", "/users/acceptRegistrations/2", `{"User":{}}`) // 1 is of the cast
	w.must(200, "root", "POST", "/users/acceptRegistrations/2", `{"User":{"org_id":1,"role_id":3}}`)
	w.must(404, "root", "POST", "/users/acceptRegistrations/2", `{"User":{"org_id":1}}`)
	w.must(200, "root", "POST", "/users/discardRegistrations/3", ``)
	if got := w.must(200, "ann", "GET", "/admin/users/index", "").body; !strings.Contains(got, "dora@ours.example") {
		t.Errorf("%s", got)
	}
}

// TestLogTellsNoSecrets changes what proves who somebody is, and reads the log.
func TestLogTellsNoSecrets(t *testing.T) {
	w := twoParties(t)
	w.user("root", "root@ours.example", 1, 1)
	w.must(200, "ann", "POST", "/users/change_pw", `{"password":"a new password"}`)
	w.must(200, "ann", "POST", "/auth_keys/add", `{"comment":"seen in the log"}`)
	w.must(200, "root", "POST", "/servers/add", `{"name":"x","url":"https://misp.example.org","remote_org_id":1,"authkey":"`+strings.Repeat("k", 40)+`"}`)
	all := w.must(200, "root", "POST", "/admin/logs/index", `{}`).body
	if !strings.Contains(all, "seen in the log") {
		t.Errorf("%s", all)
	}
	for _, secret := range []string{"argon2id", "sealed:", strings.Repeat("k", 40), `hash (`} {
		if strings.Contains(all, secret) {
			t.Errorf("the log tells %q", secret)
		}
	}
	// Who audits an organisation is not told what others wrote, or its site administrators.
	if got := w.must(200, "bob", "POST", "/admin/logs/index", `{}`).body; strings.Contains(got, "story") || !strings.Contains(got, "bob's") {
		t.Errorf("bob: %s", got)
	}
	if got := w.must(200, "ann", "POST", "/admin/logs/index", `{"model":"Server"}`).body; got != "[]" {
		t.Errorf("ann: %s", got)
	}
	w.must(200, "root", "POST", "/admin/logs/index", `{"limit":1,"page":999999999999}`)
}

// TestPeersAreAskedThroughTheGuard tries to reach this very server by a peer.
func TestPeersAreAskedThroughTheGuard(t *testing.T) {
	w := twoParties(t)
	u := w.user("root", "root@ours.example", 1, 1)
	_ = u
	add := w.must(200, "root", "POST", "/servers/add", fmt.Sprintf(`{"name":"ourselves","url":%q,"remote_org_id":1,"authkey":%q}`, w.url, w.keys["root"])).body
	var made struct{ Server struct{ ID int64 } }
	if err := json.Unmarshal([]byte(add), &made); err != nil {
		t.Fatal(err)
	}
	test := fmt.Sprintf("/servers/testConnection/%d", made.Server.ID)
	if got := w.must(200, "root", "GET", test, "").body; !strings.Contains(got, `"status":2`) {
		t.Errorf("a private address was asked: %s", got)
	}
	w.must(200, "root", "POST", "/servers/serverSettingsEdit/Tocsin.allow_private_peers", `{"value":true}`)
	if got := w.must(200, "root", "GET", test, "").body; !strings.Contains(got, `"status":1`) {
		t.Errorf("with leave: %s", got)
	}
	w.must(403, "root", "POST", fmt.Sprintf("/servers/edit/%d", made.Server.ID), `{"url":"https://elsewhere.example.org"}`)
	if got := w.must(200, "root", "GET", "/servers/index", "").body; strings.Contains(got, w.keys["root"]) {
		t.Error("the list of peers tells a key")
	}
}
