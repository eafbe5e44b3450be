package api

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
)

func TestLookup(t *testing.T) {
	w := newWorld(t)
	shared := w.event(t, "theirs", tocsin.Event{Distribution: access.Community, Published: true},
		"evil.example", "192.0.2.0/24", "http://bad.example/x", "malware.evil.example")
	w.event(t, "theirs", tocsin.Event{Distribution: access.OrgOnly}, "secret.example", "evil.example")
	in := "evil.example\n" +
		"  \"evil.example\"\r\n" +
		`{"value":"hxxp://bad[.]example/x"}` + "\n\n" +
		`{ "id": 5, "value": "EVIL\u002eexample" }` + "\n" +
		"secret.example\n" +
		"not an indicator\n" +
		`{"valeu":"x"}` + "\n" +
		"192.0.2.7\n" +
		"www.evil.example"
	status, out := w.ask(t, "ours", "POST", "/api/lookup", in)
	if status != 200 {
		t.Fatalf("%d %s", status, out)
	}
	claim := func(id int64, typ, via string) string {
		if via != "" {
			via = `,"via":"` + via + `"`
		}
		return fmt.Sprintf(`{"attribute":%d,"event":%d,"event_uuid":"%s","type":"%s","category":"Network activity","org":"Theirs","to_ids":true,"published":true,"tlp":"TLP:GREEN"%s}`,
			id, shared.ID, shared.UUID, typ, via)
	}
	hit := `"key":"d:evil.example","found":true,"claims":[` + claim(1, "domain", "") + `]}`
	want := `{"value":"evil.example",` + hit + "\n" +
		`{"value":"evil.example",` + hit + "\n" +
		`{"value":"hxxp://bad[.]example/x","key":"u:http://bad.example/x","found":true,"claims":[` + claim(3, "url", "") + "]}\n" +
		`{"value":"EVIL.example",` + hit + "\n" +
		`{"value":"secret.example","key":"d:secret.example","found":false}` + "\n" +
		`{"value":"not an indicator","found":false,"error":"\"not an indicator\": it is neither an address nor a domain, URL, e-mail address or hash"}` + "\n" +
		`{"value":"{\"valeu\":\"x\"}","found":false,"error":"a line is a value, a JSON string, or an object with a \"value\" that is one"}` + "\n" +
		`{"value":"192.0.2.7","key":"i:192.0.2.7/32","found":false}` + "\n" +
		`{"value":"www.evil.example","key":"d:www.evil.example","found":false}` + "\n"
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	_, out = w.ask(t, "ours", "POST", "/api/lookup?parents=1", "192.0.2.7\nwww.evil.example\n")
	want = `{"value":"192.0.2.7","key":"i:192.0.2.7/32","found":true,"claims":[` + claim(2, "ip-dst", "i:192.0.2.0/24") + "]}\n" +
		`{"value":"www.evil.example","key":"d:www.evil.example","found":true,"claims":[` + claim(1, "domain", "d:evil.example") + "]}\n"
	if out != want {
		t.Errorf("parents: got\n%s\nwant\n%s", out, want)
	}
	_, out = w.ask(t, "ours", "POST", "/api/lookup?mentions", "bad.example\n")
	want = `{"value":"bad.example","key":"d:bad.example","found":true,"claims":[` + claim(3, "url", "m:bad.example") + "]}\n"
	if out != want {
		t.Errorf("mentions: got\n%s\nwant\n%s", out, want)
	}
	if _, out = w.ask(t, "theirs", "POST", "/api/lookup", "secret.example"); !strings.Contains(out, `"found":true`) {
		t.Errorf("the owner: %s", out)
	}
}

// The stricter marking of a claim and its event is the one that is told.
func TestLookupTellsTheStricterMarking(t *testing.T) {
	w := newWorld(t)
	e := w.event(t, "ours", tocsin.Event{}, "evil.example")
	u := access.NewViewer("ours", w.ids["ours"], w.ids["Ours"], access.Roles[0].Role)
	tag := put(t, w.db, &tocsin.Tag{Name: "tlp:amber", Colour: "#ffc000", Exportable: true})
	_, err := w.db.Apply(t.Context(), u, func(tx *storeTx) error {
		_, err := tx.TagEvent(e.ID, []tocsin.Attached{{Tag: tag.ID}}, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, out := w.ask(t, "ours", "POST", "/api/lookup", "evil.example"); !strings.Contains(out, `"tlp":"TLP:AMBER"`) {
		t.Error(out)
	}
}

// The answer to line one arrives before line two is sent.
func TestLookupStreams(t *testing.T) {
	w := newWorld(t)
	h2 := httptest.NewUnstartedServer(w.Server)
	h2.EnableHTTP2 = true
	h2.StartTLS()
	t.Cleanup(h2.Close)
	for _, c := range []struct {
		name, url string
		client    *http.Client
	}{
		{"HTTP/1.1", w.url, http.DefaultClient},
		{"HTTP/2", h2.URL, &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			pr, pw := io.Pipe()
			r, _ := http.NewRequestWithContext(t.Context(), "POST", c.url+"/api/lookup", pr)
			r.Header.Set("Authorization", w.keys["ours"])
			go io.WriteString(pw, "one.example\n")
			resp, err := c.client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			out := bufio.NewReader(resp.Body)
			for _, next := range []string{"two.example\n", "three.exam", ""} {
				line, err := out.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				if next == "three.exam" && !strings.Contains(line, "two.example") {
					t.Errorf("%s", line)
				}
				if next == "three.exam" {
					io.WriteString(pw, next)
					io.WriteString(pw, "ple\n")
				} else {
					io.WriteString(pw, next)
				}
			}
			pw.Close()
			if rest, err := io.ReadAll(out); err != nil || len(rest) > 0 {
				t.Errorf("%q %v", rest, err)
			}
		})
	}
}

// More than is read at once, in order, without waiting for the end.
func TestLookupOfMany(t *testing.T) {
	w := newWorld(t)
	const n = 200_000
	pr, pw := io.Pipe()
	go func() {
		b := bufio.NewWriter(pw)
		for i := range n {
			fmt.Fprintf(b, "host-%d.example\n", i)
		}
		b.Flush()
		pw.Close()
	}()
	w.api.Index = nothing{}
	r, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/lookup", pr)
	r.Header.Set("Authorization", w.keys["ours"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	i := 0
	for ; lines.Scan(); i++ {
		if want := fmt.Sprintf(`{"value":"host-%d.example","key":"d:host-%d.example","found":false}`, i, i); lines.Text() != want {
			t.Fatalf("line %d: %s", i, lines.Text())
		}
	}
	if lines.Err() != nil || i != n {
		t.Errorf("%d lines, %v", i, lines.Err())
	}
}

func TestImport(t *testing.T) {
	w := newWorld(t)
	list := "evil.example\nwhat is this\nbad.example\n"
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, list)
	z.Close()
	for _, body := range []string{list, zipped.String()} {
		status, out := w.ask(t, "ours", "POST", "/api/import?event=A+list&distribution=1", body)
		var last struct {
			Result struct {
				Read, Written int64
				Refused       []Refusal
				RefusedCount  int64 `json:"refused_count"`
				Event         int64
			}
		}
		if err := json.Unmarshal([]byte(out), &last); err != nil || status != 200 {
			t.Fatalf("%d %v: %s", status, err, out)
		}
		r := last.Result
		if r.Read != 3 || r.Written != 2 || r.RefusedCount != 1 || len(r.Refused) != 1 || r.Refused[0].Line != 2 || r.Refused[0].Text != "what is this" {
			t.Errorf("%s", out)
		}
		if _, text := w.ask(t, "theirs", "GET", fmt.Sprintf("/api/export?format=text&event=%d", r.Event), ""); text != "evil.example Ours unmarked\nbad.example Ours unmarked\n" {
			t.Errorf("export: %q", text)
		}
	}
	if status, out := w.ask(t, "ours-reader", "POST", "/api/import?event=x", list); status != 403 {
		t.Errorf("a reader imports: %d %s", status, out)
	}
}

// Progress arrives while the list is still being sent.
func TestImportTellsItsProgress(t *testing.T) {
	w := newWorld(t)
	pr, pw := io.Pipe()
	go fmt.Fprint(pw, strings.Repeat("evil.example\n", progressLines+1))
	r, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/import?event=x", pr)
	r.Header.Set("Authorization", w.keys["ours"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out := bufio.NewReader(resp.Body)
	line, err := out.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, `{"progress":{"read":`) {
		t.Fatalf("%q %v", line, err)
	}
	pw.Close()
	rest, err := io.ReadAll(out)
	if err != nil || !strings.Contains(string(rest), `{"result":{"read":20001,"written":1,`) {
		t.Errorf("%s %v", rest, err)
	}
}

// A list that breaks off midway ends with an error, and no result.
func TestImportThatBreaksOff(t *testing.T) {
	w := newWorld(t)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for i := range 3 * progressLines {
		fmt.Fprintf(z, "host-%d.example\n", i)
	}
	z.Close()
	r, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/api/import?event=x", bytes.NewReader(zipped.Bytes()[:zipped.Len()-100]))
	r.Header.Set("Authorization", w.keys["ours"])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err == nil || strings.Contains(string(out), `"result"`) || !strings.Contains(string(out), `{"error":{"code":`) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.event(t, "theirs", tocsin.Event{Distribution: access.Community, Published: true}, "evil.example", "192.0.2.1")
	w.event(t, "theirs", tocsin.Event{Distribution: access.OrgOnly}, "secret.example")
	mine := w.event(t, "ours", tocsin.Event{Distribution: access.OrgOnly}, "mine.example")
	put(t, w.db, &tocsin.Tag{Name: "unused", Colour: "#000000"})
	for _, c := range []struct{ who, query, want string }{
		{"ours", "&tag=unused", ""},
		{"ours", "", "evil.example,192.0.2.1,mine.example"},
		{"theirs", "", "evil.example,192.0.2.1,secret.example"},
		{"ours", "&type=domain", "evil.example,mine.example"},
		{"ours", "&type=domain,ip-dst&published=1", "evil.example,192.0.2.1"},
		{"ours", "&org=Theirs", "evil.example,192.0.2.1"},
		{"ours", "&to_ids=0", ""},
		{"ours", "&event=" + mine.UUID.String(), "mine.example"},
	} {
		status, text := w.ask(t, c.who, "GET", "/api/export?format=text"+c.query, "")
		var got []string
		for line := range strings.Lines(text) {
			got = append(got, strings.Fields(line)[0])
		}
		if status != 200 || strings.Join(got, ",") != c.want {
			t.Errorf("%s %s: %d %s", c.who, c.query, status, text)
		}
	}
	w.must(t, 404, "theirs", "GET", fmt.Sprintf("/api/export?format=text&event=%d", mine.ID), "")
	w.must(t, 404, "ours", "GET", "/api/export?format=text&tag=nope", "")
	w.must(t, 400, "ours", "GET", "/api/export?format=pdf", "")
	w.must(t, 400, "ours", "GET", "/api/export?format=text&type=domian", "")
}

func TestWhy(t *testing.T) {
	w := newWorld(t)
	w.event(t, "theirs", tocsin.Event{Distribution: access.Community, Published: true}, "evil.example")
	w.event(t, "theirs", tocsin.Event{Distribution: access.OrgOnly, Published: true}, "evil.example")
	w.event(t, "ours", tocsin.Event{Distribution: access.OrgOnly}, "evil.example")
	ask := func(who, to string) map[int64]map[string]map[string]any {
		t.Helper()
		a := w.must(t, 200, who, "GET", "/api/why?value=hxxp://evil.example&for="+to, "")
		_ = a
		a = w.must(t, 200, who, "GET", "/api/why?value=evil[.]example&for="+to, "")
		out := map[int64]map[string]map[string]any{}
		for _, c := range a["claims"].([]any) {
			c := c.(map[string]any)
			ways := map[string]map[string]any{}
			for _, x := range c["ways"].([]any) {
				ways[x.(map[string]any)["exit"].(string)] = x.(map[string]any)
			}
			out[int64(c["event"].(float64))] = ways
		}
		return out
	}
	got := ask("ours", "Theirs")
	if len(got) != 2 || got[2] != nil {
		t.Errorf("ours is told of a claim that it does not see: %v", got)
	}
	if x := got[1]["read"]; x["allowed"] != true {
		t.Errorf("%v", x)
	}
	if x := got[1]["public"]; x["allowed"] != false || x["reason"] != "TLP:GREEN does not leave by public; the limit there is TLP:CLEAR" {
		t.Errorf("%v", x)
	}
	if x := got[3]["read"]; x["allowed"] != false || x["reason"] != "it is for the owner's organisation only" {
		t.Errorf("%v", x)
	}
	got = ask("theirs", "their+resolver")
	if x := got[1]["zone"]; x["allowed"] != true || x["collection"] != "theirblock" || !strings.Contains(x["reason"].(string), "it is in theirblock") {
		t.Errorf("%v", x)
	}
	w.must(t, 404, "ours", "GET", "/api/why?value=evil.example&for=their+resolver", "")
	w.must(t, 404, "ours", "GET", "/api/why?value=evil.example&for=theirs@example.org", "")
	w.must(t, 400, "ours", "GET", "/api/why?value=what&for=Theirs", "")
}

// A dry run answers what would be read, and keeps nothing.
func TestDryRun(t *testing.T) {
	w := newWorld(t)
	before := w.db.Head()
	p := w.must(t, 200, "ours", "POST", "/api/import?dry_run=1&format=csv&columns=date,value", "2026-11-01,evil.example\n")
	if p["format"] != "csv" || p["columns"] != "date,value" || p["octets"] != 24.0 || w.db.Head() != before {
		t.Errorf("%v, from line %d to %d", p, before, w.db.Head())
	}
}

func TestCollectionLists(t *testing.T) {
	w := newWorld(t)
	get := func(who, method, file string, header ...string) *http.Response {
		t.Helper()
		r, _ := http.NewRequestWithContext(t.Context(), method, w.url+"/collections/"+file, nil)
		r.Header.Set("Authorization", w.keys[who])
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return resp
	}
	resp := get("theirs", "GET", "theirblock.txt", "Accept-Encoding", "identity")
	tag := resp.Header.Get("ETag")
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || !strings.HasPrefix(tag, `"`) || resp.Header.Get("X-Tocsin-Serial") != "17" || len(b) != 6500 {
		t.Fatalf("%d %v %d", resp.StatusCode, resp.Header, len(b))
	}
	for _, header := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if resp := get("theirs", "GET", "theirblock.txt", "If-None-Match", header); resp.StatusCode != 304 || resp.Header.Get("ETag") != tag {
			t.Errorf("If-None-Match %s: %d", header, resp.StatusCode)
		}
	}
	if resp := get("theirs", "GET", "theirblock.txt", "If-None-Match", `"other"`); resp.StatusCode != 200 {
		t.Errorf("%d", resp.StatusCode)
	}
	resp = get("theirs", "HEAD", "theirblock.txt")
	b, _ = io.ReadAll(resp.Body)
	if resp.StatusCode != 200 || len(b) != 0 || resp.Header.Get("ETag") != tag {
		t.Errorf("HEAD: %d %v", resp.StatusCode, resp.Header)
	}
	resp = get("theirs", "GET", "theirblock.pdf")
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 404 || !strings.Contains(string(b), "try one of [txt]") {
		t.Errorf("no such format: %d %s", resp.StatusCode, b)
	}
	// For readers that take so many lines and no more.
	resp = get("theirs", "GET", "theirblock.txt?part=2/5&most=100", "Accept-Encoding", "identity")
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || len(b) != 1300 || resp.Header.Get("ETag") == tag {
		t.Errorf("a part: %d, %d octets, tag %s", resp.StatusCode, len(b), resp.Header.Get("ETag"))
	}
	resp = get("theirs", "GET", "theirblock.txt?most=100", "If-None-Match", `"other"`)
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != 409 || resp.Header.Get("ETag") != "" || !strings.Contains(string(b), "500 lines and may have 100: fetch it in parts, part=1/7") {
		t.Errorf("too long: %d %s", resp.StatusCode, b)
	}
	for _, query := range []string{"part=0/2", "part=3/2", "part=2", "part=1/1000000", "most=0", "most=x", "parts=1/2"} {
		if resp := get("theirs", "GET", "theirblock.txt?"+query); resp.StatusCode != 400 {
			t.Errorf("%s: %d", query, resp.StatusCode)
		}
	}
	// A site administrator receives what the organisation does, not everything.
	put(t, w.db, &tocsin.Subscriber{Name: "our proxy", Collection: w.ids["collection"], Org: w.ids["Ours"]})
	ours, admin := get("ours", "HEAD", "theirblock.txt").Header.Get("ETag"), get("admin", "HEAD", "theirblock.txt").Header.Get("ETag")
	if ours != admin || ours == tag {
		t.Errorf("tags: ours %s, the administrator's %s, theirs %s", ours, admin, tag)
	}
	// One's own subscriber may have a list of its own, nobody else's.
	if own := get("ours", "HEAD", "theirblock.txt?subscriber=our+proxy").Header.Get("ETag"); own == "" || own == ours {
		t.Errorf("the subscriber's tag is %s, the organisation's %s", own, ours)
	}
	for who, name := range map[string]string{"theirs": "our+proxy", "ours": "their+resolver", "admin": "nobody"} {
		if resp := get(who, "GET", "theirblock.txt?subscriber="+name); resp.StatusCode != 404 {
			t.Errorf("%s asks as %s: %d", who, name, resp.StatusCode)
		}
	}
	// An audience without a name has no tag to come back with.
	w.api.Lists = nameless{}
	if resp := get("theirs", "GET", "theirblock.txt", "If-None-Match", "*"); resp.StatusCode != 200 || resp.Header.Get("ETag") != "" {
		t.Errorf("nameless: %d %v", resp.StatusCode, resp.Header)
	}
}

type nameless struct{}

func (nameless) List(*tocsin.Collection, access.Viewer) (List, error) { return fakeList{}, nil }
func (nameless) Received(*tocsin.Collection, *tocsin.Subscriber) (List, error) {
	return fakeList{}, nil
}

func TestStatus(t *testing.T) {
	w := newWorld(t)
	s := w.must(t, 200, "theirs", "GET", "/api/status", "")
	if s["version"] != "test" || s["head"].(float64) != float64(w.db.Head()) || len(s["collections"].([]any)) != 1 {
		t.Errorf("%v", s)
	}
	if s := w.must(t, 200, "ours", "GET", "/api/status", ""); len(s["collections"].([]any)) != 0 {
		t.Errorf("%v", s)
	}
}
