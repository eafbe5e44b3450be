package main

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tocsin"
	"tocsin/store"
)

// A ledger is a log that a test reads while it is written.
type ledger struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *ledger) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *ledger) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// TestFeed is the life of a secret address: it is made, serves the zones of its
// subscriber to whoever knows it, serves nobody else, and ends.
func TestFeed(t *testing.T) {
	log := &ledger{}
	w := newWorldWith(t, config{Log: slog.New(slog.NewTextHandler(log, nil))}, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
	id := w.subscriber("resolver", "provider", c)
	w.settle()
	w.share("telco", "evil.example", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	w.settle()
	renew := func(feed string) string {
		t.Helper()
		out := w.must("telco", "PATCH", "/api/subscribers/resolver", map[string]any{"feed": feed})
		secret, _ := out["feed_secret"].(string)
		return secret
	}
	secret := renew("new")
	if len(secret) < 26 {
		t.Fatalf("secret %q", secret)
	}
	get := func(method, secret, file, tag string) (int, http.Header, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, w.web()+"/feeds/"+secret+"/"+file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(b)
	}
	for file, want := range map[string]string{
		"hot.rpz.example.rpz": "\n*.evil.example CNAME .\n",
		"HOT.rpz.example.rpz": "\n*.evil.example CNAME .\n",
		"blocked.dnsmasq":     "\nserver=/evil.example/\n",
		"rpz.example.rpz":     "; end of zone, 0 records\n",
	} {
		status, h, text := get("GET", secret, file, "")
		if status != 200 || !strings.Contains(text, want) {
			t.Errorf("%s: %d %s", file, status, text)
		}
		if status, _, text := get("GET", secret, file, h.Get("ETag")); status != 304 || text != "" {
			t.Errorf("%s again: %d %s", file, status, text)
		}
		if status, _, text := get("HEAD", secret, file, ""); status != 200 || text != "" {
			t.Errorf("HEAD %s: %d %s", file, status, text)
		}
	}
	w.confirms("resolver")

	_, h, _ := get("GET", secret, "hot.rpz.example.rpz", "")
	w.share("telco", "worse.example", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	w.settle()
	if status, _, text := get("GET", secret, "hot.rpz.example.rpz", h.Get("ETag")); status != 200 || !strings.Contains(text, "worse.example") {
		t.Errorf("after a change: %d %s", status, text)
	}

	none := func(what, method, secret, file string) {
		t.Helper()
		if status, _, text := get(method, secret, file, ""); status < 400 || strings.Contains(text, "evil") || len(secret) > 3 && strings.Contains(text, secret) {
			t.Errorf("%s: %d %s", what, status, text)
		}
	}
	none("a wrong secret", "GET", strings.ToLower(secret), "rpz.example.rpz")
	none("no secret", "GET", "", "rpz.example.rpz")
	none("the hash", "GET", w.stored("resolver").Feed, "rpz.example.rpz")
	none("another zone", "GET", secret, "theirs.rpz.example.rpz")
	none("another file", "GET", secret, "rpz.example.txt")
	none("no file", "GET", secret, "")
	none("a path", "GET", secret, "../"+secret+"/rpz.example")
	none("a deep path", "GET", secret, "rpz.example.rpz/rpz.example.rpz")
	none("POST", "POST", secret, "rpz.example.rpz")

	second := renew("new")
	none("after it was made anew", "GET", secret, "rpz.example.rpz")
	if status, _, _ := get("GET", second, "rpz.example.rpz", ""); status != 200 {
		t.Errorf("the new one: %d", status)
	}
	renew("kept")
	w.write(func(tx *store.Tx) error {
		s, err := store.Get[*tocsin.Subscriber](tx, id)
		if err != nil {
			return err
		}
		s = new(*s)
		s.Allow = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		return store.Put(tx, s)
	})
	none("from elsewhere", "GET", second, "rpz.example.rpz")
	w.must("telco", "PATCH", "/api/subscribers/resolver", map[string]any{"allow": []string{"::ffff:127.0.0.0/104"}})
	if status, _, _ := get("GET", second, "rpz.example.rpz", ""); status != 200 {
		t.Errorf("from a network of IPv4 that is written in IPv6: %d", status)
	}
	renew("")
	none("after it was revoked", "GET", second, "rpz.example.rpz")

	said := log.String()
	if strings.Contains(said, secret) || strings.Contains(said, second) {
		t.Errorf("the log has the secret:\n%s", said)
	}
	if !strings.Contains(said, `who="subscriber resolver"`) {
		t.Errorf("the log does not say who asked:\n%s", said)
	}
}

// stored is a subscriber as it is kept.
func (w *world) stored(name string) *tocsin.Subscriber {
	w.t.Helper()
	s, err := store.ByName[*tocsin.Subscriber](w.DB.As(registrar), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// TestFetch sees that a file is replaced by a whole one only, whatever the other
// side does.
func TestFetch(t *testing.T) {
	const whole = "; zone\n$ORIGIN rpz.example.\n; end of zone, 0 records\n"
	say := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) }
	}
	for _, test := range []struct {
		name   string
		serve  http.HandlerFunc
		path   string
		args   []string
		status int
		why    string // on standard error
	}{
		{"whole", say(whole), "/rpz.example.rpz", nil, exitOK, ""},
		{"a file without an end of its own", say("a\nb"), "/list.txt", nil, exitOK, ""},
		{"a long last line", say(strings.Repeat("x", 10_000) + "\n" + whole), "/rpz.example.rpz", nil, exitOK, ""},
		{"cut short, as a whole answer", say(whole[:30]), "/rpz.example.rpz", nil, exitFailed, "cut short"},
		{"cut within its last line", say(whole[:len(whole)-9]), "/rpz.example.rpz", nil, exitFailed, "cut short"},
		{"nothing", say(""), "/rpz.example.rpz", nil, exitFailed, "cut short"},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, whole)
		}, "/list.txt", nil, exitFailed, "in part only"},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, whole)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}, "/rpz.example.rpz", nil, exitFailed, "in part only"},
		{"a page", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			io.WriteString(w, "<html>sign in\n; end of zone, 0 records\n")
		}, "/rpz.example.rpz", nil, exitFailed, "page for people"},
		{"gone", http.NotFound, "/rpz.example.rpz", nil, exitFailed, "404"},
		{"too large", say(strings.Repeat("x\n", 1<<20) + whole), "/rpz.example.rpz", []string{"--limit", "1"}, exitFailed, "larger than 1 MiB"},
		{"too slow", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, whole)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, "/rpz.example.rpz", []string{"--timeout", "100ms"}, exitFailed, "in part only"},
		{"sent elsewhere", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/rpz.example.rpz" {
				http.Redirect(w, r, "/login.html", http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, whole)
		}, "/rpz.example.rpz", nil, exitFailed, "page for people"},
	} {
		t.Run(test.name, func(t *testing.T) {
			srv := httptest.NewServer(test.serve)
			defer srv.Close()
			file := filepath.Join(t.TempDir(), "zone")
			if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			args := append([]string{"fetch", srv.URL + "/s3cret" + test.path, file}, test.args...)
			if status := run(args, nil, io.Discard, &stderr); status != test.status || !strings.Contains(stderr.String(), test.why) {
				t.Errorf("status %d, %s", status, &stderr)
			}
			if strings.Contains(stderr.String(), "s3cret") {
				t.Errorf("it says the secret: %s", &stderr)
			}
			b, err := os.ReadFile(file)
			if err != nil || (string(b) == "old") != (test.status != exitOK) {
				t.Errorf("the file is %.100q, %v", b, err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestFetchAgain sees that what is there is not fetched again.
func TestFetchAgain(t *testing.T) {
	const text = "; end of zone, 0 records\n"
	tag, asked, sent := `"1"`, 0, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		io.WriteString(w, text)
	}))
	defer srv.Close()
	t.Setenv("TOCSIN_FEED", srv.URL+"/feeds/s3cret")
	file := filepath.Join(t.TempDir(), "zone")
	fetch := func(want, wantSent int) {
		t.Helper()
		var stderr bytes.Buffer
		if status := run([]string{"fetch", "rpz.example.rpz", file}, nil, io.Discard, &stderr); status != want || sent != wantSent || stderr.Len() > 0 && want != exitFailed {
			t.Errorf("status %d, sent %d times: %s", status, sent, &stderr)
		}
	}
	fetch(exitOK, 1)
	fetch(exitNothingNew, 1)
	tag = `"2"`
	fetch(exitOK, 2)
	fetch(exitNothingNew, 2)
	os.Remove(file) // somebody did; the tag beside it names nothing then
	fetch(exitOK, 3)
	srv.Close()
	fetch(exitFailed, 3)
	if b, err := os.ReadFile(file); string(b) != text {
		t.Errorf("%q, %v", b, err)
	}
	for _, args := range [][]string{{"fetch", "ftp://exchange.example/x", file}, {"fetch", "", file}, {"fetch", "http://"}} {
		t.Setenv("TOCSIN_FEED", "")
		if status := run(args, nil, io.Discard, io.Discard); status != exitUsage {
			t.Errorf("%v: status %d", args, status)
		}
	}
}
