package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/internal/lab"
	"tocsin/store"
	"tocsin/store/storetest"
)

var system = access.System("a test")

// through returns the URL of a database by way of a proxy.
func through(t *testing.T, p *lab.Proxy, database, params string) string {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = p.Addr()
	u.RawQuery += "&" + params
	return u.String()
}

func proxied(t *testing.T) (p *lab.Proxy, direct string) {
	t.Helper()
	direct = lab.Database(t)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	return lab.StartProxy(t, u.Host), direct
}

func openStore(t *testing.T, url string) *store.DB {
	t.Helper()
	db, err := store.New(t.Context(), openEngine(t, url), store.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// isCommit recognises that a client sends a COMMIT: a Bind message ("B", length,
// no portal's name) of the statement to which pgx gives this name.
func isCommit(b []byte) bool {
	sum := sha256.Sum256([]byte("COMMIT"))
	at := bytes.Index(b, []byte("\x00stmtcache_"+hex.EncodeToString(sum[:24])+"\x00"))
	return at >= 5 && b[at-5] == 'B'
}

func add(t *testing.T, db *store.DB, domain string) (tocsin.Seq, error) {
	return db.Apply(t.Context(), system, func(tx *store.Tx) error {
		e := &tocsin.Event{Info: domain, Org: 1, Distribution: access.Community}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		_, err := tx.AddAttributes(e.ID, storetest.Domains(t, domain), false)
		return err
	})
}

// held returns how often each domain is in the store.
func held(t *testing.T, db *store.DB) map[string]int {
	t.Helper()
	all := map[string]int{}
	for a, err := range db.As(system).Attributes(t.Context(), store.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all[a.Value.String()]++
	}
	return all
}

// A connection that is lost in the middle of a commit: the answer is what became
// of it, whether the server had got the COMMIT or not.
func TestCommitWhoseAnswerNeverComes(t *testing.T) {
	for _, c := range []struct {
		name string
		cut  lab.Cut
		done bool
	}{{"the server got it", lab.Swallow, true}, {"the server did not get it", lab.Lose, false}, {"the server does not know", lab.HalfOpen, false}} {
		t.Run(c.name, func(t *testing.T) {
			p, direct := proxied(t)
			db := openStore(t, through(t, p, direct, "idle_in_transaction_session_timeout=1s"))
			if _, err := add(t, db, "first.example"); err != nil {
				t.Fatal(err)
			}
			var once atomic.Bool
			p.Cut(func(b []byte) lab.Cut {
				if isCommit(b) && once.CompareAndSwap(false, true) {
					return c.cut
				}
				return lab.Pass
			})
			_, err := add(t, db, "second.example")
			if !once.Load() {
				t.Fatal("no commit was seen")
			}
			if (err == nil) != c.done {
				t.Errorf("the writer was told %v", err)
			}
			if err != nil && tocsin.CodeOf(err) != tocsin.Busy {
				t.Errorf("not a busy error: %v", err)
			}
			want := 0
			if c.done {
				want = 1
			}
			if got := held(t, db)["second.example"]; got != want {
				t.Errorf("it is there %d times, want %d", got, want)
			}
			if _, err := add(t, db, "third.example"); err != nil {
				t.Errorf("the writer does not go on: %v", err)
			}
			if got := held(t, openStore(t, direct)); got["third.example"] != 1 || got["first.example"] != 1 {
				t.Errorf("another node sees %v", got)
			}
		})
	}
}

// The same under load, with another node writing in between: what was said to be
// done is there once, what was said not to be is not.
func TestCommitsAreLostUnderLoad(t *testing.T) {
	p, direct := proxied(t)
	shaky, steady := openStore(t, through(t, p, direct, "")), openStore(t, direct)
	var commits atomic.Int64
	p.Cut(func(b []byte) lab.Cut {
		if isCommit(b) {
			switch commits.Add(1) % 6 {
			case 2:
				return lab.Swallow
			case 5:
				return lab.Lose
			}
		}
		return lab.Pass
	})
	var mu sync.Mutex
	said := map[string]error{}
	var wg sync.WaitGroup
	for n, db := range []*store.DB{shaky, steady} {
		for w := range 4 {
			wg.Go(func() {
				for i := range 8 {
					name := fmt.Sprintf("n%d-%d-%d.example", n, w, i)
					_, err := add(t, db, name)
					mu.Lock()
					said[name] = err
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	p.Cut(nil)
	there, refused := held(t, steady), 0
	for name, err := range said {
		switch {
		case err == nil && there[name] != 1:
			t.Errorf("%s was acknowledged and is there %d times", name, there[name])
		case err != nil && there[name] != 0:
			t.Errorf("%s was refused (%v) and is there", name, err)
		case err != nil:
			refused++
		}
	}
	t.Logf("%d commits, %d of %d writes refused", commits.Load(), refused, len(said))
	if refused == 0 || refused == len(said) {
		t.Error("the test lost nothing, or everything")
	}
}

// While the database is away reads and writes are refused with a sentence, and
// the store says since when. When it is back all goes on.
func TestDatabaseAway(t *testing.T) {
	p, direct := proxied(t)
	db := openStore(t, through(t, p, direct, ""))
	if _, err := add(t, db, "first.example"); err != nil {
		t.Fatal(err)
	}
	p.Down(true)
	_, err := add(t, db, "second.example")
	if tocsin.CodeOf(err) != tocsin.Busy || !strings.Contains(err.Error(), "database") {
		t.Errorf("a write: %v", err)
	}
	for _, err := range db.As(system).Attributes(t.Context(), store.Query{}) {
		if tocsin.CodeOf(err) != tocsin.Busy || !strings.Contains(err.Error(), "database") {
			t.Errorf("a read: %v", err)
		}
	}
	eventually(t, "the store to say that it is away", func() bool {
		err := db.Ready(t.Context())
		return err != nil && strings.Contains(err.Error(), "since")
	})
	if _, err := add(t, openStore(t, direct), "others.example"); err != nil {
		t.Fatal(err)
	}
	p.Down(false)
	eventually(t, "the store to be ready", func() bool { return db.Ready(t.Context()) == nil })
	if _, err := add(t, db, "third.example"); err != nil {
		t.Error(err)
	}
	if got := held(t, db); got["first.example"] != 1 || got["second.example"] != 0 || got["third.example"] != 1 || got["others.example"] != 1 {
		t.Errorf("there is %v", got)
	}
}

// eventually waits until a thing is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

// A node of an earlier version notices that a later one has changed the tables:
// it writes no more, reads no more and says why.
func TestTablesOfALaterVersion(t *testing.T) {
	url := lab.Database(t)
	db := openStore(t, url)
	if _, err := add(t, db, "first.example"); err != nil {
		t.Fatal(err)
	}
	e := openEngine(t, url)
	defer e.Close()
	if _, err := e.writes.Exec(t.Context(), `UPDATE turn SET schema = 9999`); err != nil {
		t.Fatal(err)
	}
	_, err := add(t, db, "second.example")
	if tocsin.CodeOf(err) != tocsin.Busy || !strings.Contains(err.Error(), "later Tocsin") {
		t.Errorf("a write: %v", err)
	}
	eventually(t, "the store to say so", func() bool {
		err := db.Ready(t.Context())
		return err != nil && strings.Contains(err.Error(), "later Tocsin")
	})
	if _, err := e.writes.Exec(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`); err != nil {
		t.Fatal(err)
	}
	if e, err := Open(t.Context(), url); tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("open: %v", err)
		e.Close()
	}
}

// Nodes that start at once on an empty database make its tables once.
func TestNodesStartTogether(t *testing.T) {
	url := lab.Database(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			e, err := Open(t.Context(), url)
			if err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			db, err := store.New(t.Context(), e, store.Options{})
			if err != nil {
				t.Errorf("node %d: %v", i, err)
				return
			}
			defer db.Close()
			if _, err := add(t, db, fmt.Sprintf("n%d.example", i)); err != nil {
				t.Errorf("node %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := held(t, openStore(t, url)); len(got) != 6 {
		t.Errorf("there is %v", got)
	}
}

// Text that PostgreSQL does not keep is refused with a sentence, and costs those
// who share the commit nothing.
func TestTextThatIsNotKept(t *testing.T) {
	db := openStore(t, lab.Database(t))
	for _, bad := range []string{"nul\x00inside", "not \xff UTF-8"} {
		for what, fn := range map[string]func(*store.Tx) error{
			"an event": func(tx *store.Tx) error { return tx.AddEvent(&tocsin.Event{Info: bad, Org: 1}) },
			"a comment": func(tx *store.Tx) error {
				e := &tocsin.Event{Info: "x", Org: 1}
				if err := tx.AddEvent(e); err != nil {
					return err
				}
				as := storetest.Domains(t, "a.example")
				as[0].Comment = bad
				_, err := tx.AddAttributes(e.ID, as, false)
				return err
			},
			"an object": func(tx *store.Tx) error {
				e := &tocsin.Event{Info: "x", Org: 1}
				if err := tx.AddEvent(e); err != nil {
					return err
				}
				_, err := tx.AddObject(e.ID, &tocsin.Object{Name: bad}, nil)
				return err
			},
		} {
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := add(t, db, "good.example"); err != nil {
					t.Errorf("beside %s: %v", what, err)
				}
			})
			if _, err := db.Apply(t.Context(), system, fn); tocsin.CodeOf(err) != tocsin.Invalid {
				t.Errorf("%s with %q: %v", what, bad, err)
			}
			wg.Wait()
		}
		q := store.Query{Values: []string{bad}}
		if n, err := db.As(system).CountAttributes(t.Context(), q); n != 0 || err != nil {
			t.Errorf("asked for %q: %d, %v", bad, n, err)
		}
		if n, err := db.As(system).CountEvents(t.Context(), store.EventQuery{Info: bad, DateFrom: bad}); n != 0 || err != nil {
			t.Errorf("asked for %q: %d, %v", bad, n, err)
		}
	}
}
