package api

import (
	"fmt"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

func TestGuardsOverHTTP(t *testing.T) {
	w := newWorld(t)
	ask := func(status int, who, method, path, body string, says ...string) string {
		t.Helper()
		got, text := w.ask(t, who, method, path, body)
		if got != status {
			t.Fatalf("%s %s as %s: %d %s", method, path, who, got, text)
		}
		for _, s := range says {
			if !strings.Contains(text, s) {
				t.Errorf("%s %s as %s does not say %s: %s", method, path, who, s, text)
			}
		}
		return text
	}
	ask(200, "admin", "POST", "/api/guards?from=top.txt&class=deny", "popular.example\nwhat is this\n",
		`"name":"top"`, `"class":"deny"`, `"entries":1`, `"left_out":1`, `"why":"it is no single name, address or hash"`)
	ask(400, "admin", "POST", "/api/guards?from=top.json", "<html>", "the list top.json can't be taken: it is a web page")
	ask(400, "admin", "POST", "/api/guards?from=x&class=fierce", "a.example", "try one of [deny warn inform off]")
	ask(403, "ours", "POST", "/api/guards?from=x.txt", "a.example", "list of assets")
	ask(200, "theirs", "GET", "/api/guards", "", `"name":"search-and-portals"`, `"name":"top"`, `"sweep":{`)
	ask(200, "theirs", "GET", "/api/guards/top", "", `"source":"top.txt"`)
	if got := ask(200, "theirs", "GET", "/api/guards/top/entries", ""); got != "popular.example\n" {
		t.Errorf("entries: %q", got)
	}
	ask(200, "theirs", "GET", "/api/check?value=popular[.]example", "", `"list":"top"`, `"class":"deny"`, `"how":"is on the list"`)
	ask(200, "theirs", "GET", "/api/check?value=evil.popular.example", "", `"hits":[]`)
	ask(200, "theirs", "GET", "/api/check?value=10.0.0.1", "", `"list":"special-addresses"`, `"entry":"10.0.0.0/8"`)

	e := w.event(t, "ours", tocsin.Event{Distribution: access.Community}, "popular.example")
	var id int64
	for a, err := range w.db.As(access.System("test")).Attributes(t.Context(), store.Query{Events: []int64{e.ID}}) {
		if err != nil {
			t.Fatal(err)
		}
		id = a.ID
	}
	over := func(reason string) string { return fmt.Sprintf(`{"attribute":%d,"reason":%q}`, id, reason) }
	// What something acts on as it stands leaves it out, unless it is asked for.
	w.event(t, "ours", tocsin.Event{Distribution: access.Community}, "evil.example")
	w.api.Writer = func(string) (Writer, error) { return textWriter{}, nil }
	for path, names := range map[string]string{"text": "evil popular", "hosts": "evil", "rpz": "evil", "hosts&guarded=1": "popular", "text&guarded=0": "evil"} {
		got := ask(200, "ours", "GET", "/api/export?type=domain&format="+path, "")
		if strings.Contains(got, "evil") != strings.Contains(names, "evil") || strings.Contains(got, "popular") != strings.Contains(names, "popular") {
			t.Errorf("export as %s: %s", path, got)
		}
	}
	ask(403, "theirs", "POST", "/api/override", over("we want to"), "may be changed by its owner's organisation only")
	ask(400, "ours", "POST", "/api/override", over(""), "say why popular.example should be blocked although the list top guards it")
	ask(200, "ours", "POST", "/api/override", over("taken over"), `"override":"taken over"`, `"guard":"deny top popular.example"`)
	ask(200, "ours", "POST", "/api/uphold", fmt.Sprintf(`{"attribute":%d}`, id), `"override":""`)
	ask(400, "ours", "POST", "/api/override", `{}`, "say which claim")

	ask(200, "admin", "PATCH", "/api/guards/top", `{"class":"inform"}`, `"class":"inform"`)
	ask(400, "admin", "PATCH", "/api/guards/top", `{}`, "say which class")
	ask(409, "admin", "DELETE", "/api/guards/clouds", "", "turn it off")
	ask(204, "admin", "DELETE", "/api/guards/top", "")

	ask(200, "ours", "GET", "/api/assets/Ours", "", `"assets":[]`)
	ask(200, "ours", "PATCH", "/api/assets/Ours", `{"add":["ours.example","203.0.113.0/24"]}`, `".ours.example"`, `"class":"inform"`)
	ask(403, "theirs", "PATCH", "/api/assets/Ours", `{"add":["evil.example"]}`)
	ask(200, "theirs", "GET", "/api/check?value=mail.ours.example", "", `"list":"assets-1-ours"`)
}
