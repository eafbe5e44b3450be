package mispapi

import (
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/blob"
	"tocsin/httpd"
	"tocsin/intake"
	"tocsin/seal"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// A world is a server over a real store, its clock standing still.
type world struct {
	t     testing.TB
	db    *store.DB
	url   string
	keys  map[string]string // by name
	api   *API
	blobs *blob.Folder
	cast  map[string]part // see trespass_test.go

	mu  sync.Mutex
	now time.Time
}

func newWorld(t testing.TB, now time.Time) *world {
	t.Helper()
	w := &world{t: t, keys: map[string]string{}, now: now}
	clock := func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
	keys, err := seal.Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if w.db, err = store.New(t.Context(), e, store.Options{Now: clock, Seal: keys}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	front := httpd.New(w.db, httpd.Options{Now: clock, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))})
	w.api = New(w.db, &intake.Desk{DB: w.db})
	w.blobs = blob.NewFolder(t.TempDir())
	w.api.Blobs = w.blobs
	w.api.Register(front)
	s := httptest.NewServer(front)
	t.Cleanup(s.Close)
	w.url = s.URL
	return w
}

func (w *world) sleep(d time.Duration) { w.mu.Lock(); w.now = w.now.Add(d); w.mu.Unlock() }

func put[R tocsin.Record](w *world, r R) R {
	w.t.Helper()
	_, err := w.db.Apply(w.t.Context(), access.System("test"), func(tx *store.Tx) error { return store.Put(tx, r) })
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// user adds a user with a key, which is kept under name.
func (w *world) user(name, email string, org, role int64) *tocsin.User {
	w.t.Helper()
	u := put(w, &tocsin.User{Org: org, Email: email, Role: role, Created: w.now})
	w.key(name, &tocsin.Key{User: u.ID})
	return u
}

func (w *world) key(name string, k *tocsin.Key) {
	var clear string
	clear, k.Hash, k.Ends = httpd.NewKey()
	k.UUID = tocsin.NewUUID(w.now)
	put(w, k)
	w.keys[name] = clear
}

// A reply is what came back.
type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as a user.
func (w *world) ask(as, method, path, body string) reply {
	w.t.Helper()
	said := map[string]string{"Accept": "application/json"}
	if body != "" {
		said["Content-Type"] = "application/json"
	}
	return w.askSaying(as, method, path, body, said)
}

// askSaying is ask, with these headers and no others.
func (w *world) askSaying(as, method, path, body string, said map[string]string) reply {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for name, value := range said {
		r.Header.Set(name, value)
	}
	switch key, known := w.keys[as]; {
	case known:
		r.Header.Set("Authorization", key)
	case as != "":
		r.Header.Set("Authorization", as)
	}
	resp, err := http.DefaultTransport.RoundTrip(r) // redirects are answers
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	unpacked := io.Reader(resp.Body)
	if resp.Header.Get("Content-Encoding") == "gzip" { // which was asked for
		if unpacked, err = gzip.NewReader(resp.Body); err != nil {
			w.t.Fatal(err)
		}
	}
	b, err := io.ReadAll(unpacked)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}
