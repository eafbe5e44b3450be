package httpd

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// A world is a server over a real store with one organisation, one user and the
// user's key.
type world struct {
	*Server
	db   *store.DB
	url  string
	user *tocsin.User
	key  string
	log  *buffer

	mu  sync.Mutex
	now time.Time
}

const password = "correct horse battery"

var passwordHash = sync.OnceValue(func() string { return HashPassword(password) })

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	e, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), e, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{db: db, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), log: &buffer{}}
	o.Now = func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }
	o.Log = slog.New(slog.NewJSONHandler(w.log, nil))
	w.Server = New(db, o)
	org := put(t, db, &tocsin.Organisation{Name: "Ours"})
	w.user = put(t, db, &tocsin.User{Org: org.ID, Email: "ann@example.org", Role: 2, Password: passwordHash()})
	w.key = w.addKey(t, tocsin.Key{})
	return w
}

func put[R tocsin.Record](t testing.TB, db *store.DB, r R) R {
	t.Helper()
	_, err := db.Apply(t.Context(), access.System("test"), func(tx *store.Tx) error { return store.Put(tx, r) })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) addKey(t testing.TB, k tocsin.Key) string {
	t.Helper()
	clear, hash, ends := NewKey()
	k.Hash, k.Ends, k.UUID = hash, ends, tocsin.NewUUID(w.now)
	if k.User == 0 {
		k.User = w.user.ID
	}
	put(t, w.db, &k)
	return clear
}

func (w *world) sleep(d time.Duration) { w.mu.Lock(); w.now = w.now.Add(d); w.mu.Unlock() }

// start serves; routes are registered before.
func (w *world) start(t testing.TB) {
	t.Helper()
	s := httptest.NewServer(w.Server)
	t.Cleanup(s.Close)
	w.url = s.URL
}

// get asks path with a key.
func (w *world) get(t testing.TB, path, key string) (int, string) {
	t.Helper()
	r, _ := http.NewRequest("GET", w.url+path, nil)
	if key != "" {
		r.Header.Set("Authorization", key)
	}
	return do(t, r)
}

func do(t testing.TB, r *http.Request) (int, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func request(t testing.TB, method, url string, body string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// whoami answers with the viewer's name.
func whoami(w http.ResponseWriter, _ *http.Request, v access.Viewer) error {
	_, err := io.WriteString(w, v.Name())
	return err
}

// A buffer is safe for the server's goroutines and the test's.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) { b.mu.Lock(); defer b.mu.Unlock(); return b.b.Write(p) }
func (b *buffer) String() string              { b.mu.Lock(); defer b.mu.Unlock(); return b.b.String() }
