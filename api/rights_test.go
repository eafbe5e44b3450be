package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"tocsin/httpd"
)

// Every route, asked by those who may not: nobody, a wrong key, a read-only key
// where something would change, and for what belongs to someone else. None of
// them changes a thing.
func TestStrangersGetNowhere(t *testing.T) {
	w := newWorld(t)
	theirs := map[string]string{ // something of Theirs for each sort of record
		"organisations": fmt.Sprint(w.ids["Theirs"]), "users": fmt.Sprint(w.ids["theirs"]), "keys": fmt.Sprint(w.ids["key theirs"]),
		"groups": fmt.Sprint(w.ids["group"]), "collections": fmt.Sprint(w.ids["collection"]),
		"subscribers": fmt.Sprint(w.ids["subscriber"]), "imports": fmt.Sprint(w.ids["import"]),
		"lifetimes": fmt.Sprint(w.ids["lifetime"]), "retentions": fmt.Sprint(w.ids["retention"]),
		"guards": fmt.Sprint(w.ids["list"]), "assets": "Theirs",
	}
	bodies := map[string]string{
		"organisations": `{"name":"Mine now"}`, "users": `{"email":"mallory@example.org","org":"Theirs"}`,
		"keys": `{"user":` + theirs["users"] + `}`, "groups": `{"name":"mine now","org":"Theirs","members":[]}`,
		"collections": `{"name":"minenow","org":"Theirs"}`, "subscribers": `{"name":"mine now","collection":` + theirs["collections"] + `}`,
		"lifetimes": `{"name":"mine now","days":1}`, "retentions": `{"name":"mine now","days":1}`,
		"guards": `{"class":"off"}`, "assets": `{"add":["evil.example"]}`, "override": `{"attribute":1,"reason":"x"}`, "uphold": `{"attribute":1}`,
	}
	rules := []string{"organisations", "lifetimes", "retentions", "guards", "assets"} // known to everyone
	head := w.db.Head()
	for _, rt := range w.Routes() {
		method, path, ok := strings.Cut(rt.Pattern, " ")
		if !ok || rt.Public || !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/collections/") {
			continue
		}
		sort := strings.Split(path, "/")[2]
		path = strings.NewReplacer("{name}", theirs[sort], "{file}", "theirblock.txt").Replace(path)
		try := func(who string, want ...int) {
			t.Helper()
			status, text := w.ask(t, who, method, path, bodies[sort])
			for _, s := range want {
				if status == s {
					return
				}
			}
			t.Errorf("%s %s as %q: status %d, want %v: %s", method, path, who, status, want, text)
		}
		try("", 403)
		try(strings.Repeat("x", 40), 403, 503) // slowed down after a while
		if !rt.Asks {
			for _, who := range []string{"ro-admin", "ro-ours", "ro-theirs"} {
				try(who, 403)
			}
		}
		named := strings.Contains(rt.Pattern, "{")
		switch {
		case named && method == "GET" && slices.Contains(rules, sort):
			try("ours", 200)
		case named && method == "GET":
			try("ours", 404)
		case named || !rt.Asks && bodies[sort] != "":
			try("ours", 403, 404)
			try("ours-reader", 403, 404)
		}
	}
	if now := w.db.Head(); now != head {
		t.Errorf("the log grew by %d lines", now-head)
	}
}

// A read-only key must not make itself a key without that limit, nor set the
// password that one signs in with.
func TestReadOnlyKeyMakesNoOtherKey(t *testing.T) {
	w := newWorld(t)
	for _, who := range []string{"ro-ours", "ro-admin", "ro-ours-reader"} {
		w.must(t, 403, who, "POST", "/api/keys", `{}`)
		w.must(t, 403, who, "PATCH", "/api/users/ours@example.org", `{"password":"a new long password"}`)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	w := newWorld(t)
	w.must(t, 200, "ours", "PATCH", "/api/users/ours@example.org", `{"password":"a new long password"}`)
	for _, path := range []string{"/api/users", "/api/keys", "/api/subscribers", "/api/users/ours@example.org",
		fmt.Sprintf("/api/keys/%d", w.ids["key ours"]), "/api/subscribers/their%20resolver", "/api/status"} {
		status, text := w.ask(t, "admin", "GET", path, "")
		for _, secret := range []string{"argon2id", `"hash"`, "do not tell", "ZG8gbm90IHRlbGw", "a new long password", `"secret"`} {
			if status != 200 || strings.Contains(text, secret) {
				t.Errorf("%s: %d, holds %q: %s", path, status, secret, text)
			}
		}
	}
}

// A part that is not there has no half of a route.
func TestRoutesOfMissingPartsDoNotExist(t *testing.T) {
	w := newWorld(t)
	bare := httpd.New(w.db, httpd.Options{})
	New(w.db, Parts{}).Register(bare)
	srv := httptest.NewServer(bare)
	defer srv.Close()
	w.url = srv.URL
	for _, c := range []struct{ method, path string }{
		{"POST", "/api/lookup"}, {"POST", "/api/import"}, {"GET", "/api/export"}, {"GET", "/collections/theirblock.txt"},
		{"GET", "/api/subscribers/their%20resolver/config"}, {"GET", "/api/nothing"},
	} {
		if status, text := w.ask(t, "theirs", c.method, c.path, ""); status != 404 || !strings.Contains(text, "there is nothing for") {
			t.Errorf("%s: %d %s", c.path, status, text)
		}
	}
}

// A key with a ceiling gets no more by way of a zone or a list than by asking.
func TestCeilingHoldsForWhatResolversGet(t *testing.T) {
	w := newWorld(t)
	w.keys["clear"] = w.must(t, 201, "theirs", "POST", "/api/keys", `{"tlp":"clear"}`)["key"].(string)
	list := func(who string) string {
		r, err := http.NewRequestWithContext(t.Context(), "HEAD", w.url+"/collections/theirblock.txt", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", w.keys[who])
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 200 {
			t.Fatalf("%s: %s", who, resp.Status)
		}
		return resp.Header.Get("ETag")
	}
	if list("theirs") == list("clear") {
		t.Error("the list of a key with a ceiling is that of one without")
	}
	for _, path := range []string{"/api/subscribers/their%20resolver/config?for=unbound", "/collections/theirblock.txt?subscriber=their%20resolver"} {
		w.must(t, 200, "theirs", "GET", path, "")
		w.must(t, 403, "clear", "GET", path, "")
	}
}
