package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/access"
	"tocsin/collection"
	"tocsin/internal/lab"
	"tocsin/store"
)

// another starts one more node on the world's database.
func (w *world) another() *world {
	w.t.Helper()
	n := *w
	n.conf.Data, n.conf.SealKey = w.t.TempDir(), n.conf.sealKey() // every node has the key file
	n.start()
	return &n
}

// reaches waits until the projections of a node hold the log up to a line.
func (w *world) reaches(head tocsin.Seq) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	for _, f := range []string{w.Index.Name(), w.Collections.Name()} {
		if err := w.DB.Await(ctx, f, head); err != nil {
			w.t.Fatalf("%s does not come to line %d: %v", f, head, err)
		}
	}
}

// served is a zone with its serial, as a subscriber gets it.
func (w *world) served(origin string, subscriber int64) (serial uint32, names []string) {
	w.t.Helper()
	z, ok := w.Collections.Zone(origin, subscriber)
	if !ok {
		w.t.Fatalf("no zone %s", origin)
	}
	z.Names(func(n []byte, _ collection.Trigger) bool {
		names = append(names, string(dotted(nil, n)))
		return true
	})
	slices.Sort(names)
	return z.Serial(), names
}

// TestNodesLeakNothing is [TestNothingLeaks] with two nodes: each step is taken on
// either, and either is asked what everyone gets. Secondaries go on by steps from
// one node where another one left them.
func TestNodesLeakNothing(t *testing.T) {
	tr := newTrial(t, 1, lab.Database(t))
	nodes := []*exchange{tr.exchange, tr.another().exchange}
	turn := func() {
		head := tr.DB.Head()
		tr.exchange = nodes[tr.rnd.IntN(len(nodes))]
		tr.reaches(head)
	}
	for range 10 {
		for range 1 + tr.rnd.IntN(6) {
			turn()
			tr.step()
		}
		turn()
		tr.check()
	}
	t.Logf("%d pairs of viewer and claim, %d steps of zones, no difference", tr.pairs, tr.steps)
	if tr.steps == 0 {
		t.Error("no secondary went on by a step")
	}
}

// TestNodes shares on one node what the other blocks and answers, with the same
// serial; and goes on when one of them is gone, and when it is back.
func TestNodes(t *testing.T) {
	w := newWorldOn(t, lab.Database(t), "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("resolver", "provider", c)
	other := w.another()
	tag := []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}
	equal := func() {
		t.Helper()
		head := max(w.DB.Head(), other.DB.Head())
		w.reaches(head)
		other.reaches(head)
		s1, n1 := w.served("rpz.example", sub)
		s2, n2 := other.served("rpz.example", sub)
		if s1 != s2 || !slices.Equal(n1, n2) {
			t.Errorf("serials %d and %d, names\n%v\n%v", s1, s2, n1, n2)
		}
	}
	id := w.share("telco", "first.example", map[string]any{"Tag": tag})
	other.reaches(w.DB.Head())
	other.holds("first.example", sub)
	equal()
	if status, out := other.call("provider", "POST", "/api/lookup", "first.example\n"); status != 200 || !strings.Contains(fmt.Sprint(out), "first.example") {
		t.Errorf("lookup on the other node: %d %v", status, out)
	}
	other.must("telco", "DELETE", "/events/delete/"+id, nil)
	w.reaches(other.DB.Head())
	if _, names := w.served("rpz.example", sub); len(names) != 0 {
		t.Errorf("deleted on the other node, still blocked: %v", names)
	}
	equal()

	if err := other.exchange.Close(); err != nil {
		t.Fatal(err)
	}
	w.share("telco", "meanwhile.example", map[string]any{"Tag": tag})
	w.settle()
	other.start()
	equal()
	other.holds("meanwhile.example", sub)
	if status, out := other.call("", "GET", "/readyz", nil); status != 200 {
		t.Errorf("ready: %d %v", status, out)
	}
	nodes, err := w.DB.Nodes(t.Context())
	if err != nil || len(nodes) != 2 {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
}

// TestClockOfANodeIsOff: what a node writes has the database's time, and what it
// signs in with says by how much it is off.
func TestClockOfANodeIsOff(t *testing.T) {
	w := newWorldOn(t, lab.Database(t), "telco", "provider")
	late := *w
	late.conf.Data, late.conf.SealKey = t.TempDir(), late.conf.sealKey()
	late.conf.now = func() time.Time { return time.Now().Add(time.Hour) }
	late.start()
	late.share("telco", "late.example", nil)
	w.reaches(late.DB.Head())
	e, err := w.DB.As(access.System("a test looks")).Event(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if off := time.Since(time.Unix(e.Timestamp, 0)).Abs(); off > time.Minute {
		t.Errorf("the event is of %v from now", off)
	}
	nodes, err := w.DB.Nodes(t.Context())
	if err != nil || !slices.ContainsFunc(nodes, func(n store.Node) bool { return n.Off > 59*time.Minute && n.Off < 61*time.Minute }) {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
}

// TestDatabaseCrashes crashes the server under load from two nodes, again and
// again. Nothing that was acknowledged is lost or there twice. While it is away
// writers are told so, readiness says since when, and zones and lookups go on.
func TestDatabaseCrashes(t *testing.T) {
	server := lab.StartPostgres(t)
	w := newWorldOn(t, server.Database(t), "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("resolver", "provider", c)
	w.share("telco", "first.example", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	other := w.another()
	nodes := []*world{w, other}
	other.reaches(w.DB.Head())

	var mu sync.Mutex
	acknowledged, refused := map[string]bool{}, map[string]bool{}
	ctx, stop := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for n, node := range nodes {
		for i := range 3 {
			writers.Go(func() {
				for k := 0; ctx.Err() == nil; k++ {
					name := fmt.Sprintf("n%d-%d-%d.example", n, i, k)
					status, out := node.call("telco", "POST", "/events/add", map[string]any{"Event": map[string]any{"info": name, "distribution": 1,
						"Attribute": []any{map[string]any{"type": "domain", "category": "Network activity", "value": name}}}})
					mu.Lock()
					switch status {
					case http.StatusOK:
						acknowledged[name] = true
					case http.StatusServiceUnavailable:
						refused[name] = true
					default:
						t.Errorf("%s: %d %v", name, status, out)
					}
					mu.Unlock()
				}
			})
		}
	}
	wrote := func(more int) {
		t.Helper()
		mu.Lock()
		want := len(acknowledged) + more
		mu.Unlock()
		eventually(t, "writes to be acknowledged", func() bool { mu.Lock(); defer mu.Unlock(); return len(acknowledged) >= want })
	}
	for range 3 {
		wrote(20)
		server.Kill()
		for _, node := range nodes {
			eventually(t, "a node to say that the database is away", func() bool {
				status, out := node.call("", "GET", "/readyz", nil)
				if strings.Contains(fmt.Sprint(out), "user=") {
					t.Errorf("everyone is told where the database is: %v", out)
				}
				return status == http.StatusServiceUnavailable && strings.Contains(fmt.Sprint(out), "since")
			})
			node.holds("first.example", sub)
			if status, out := node.call("provider", "POST", "/api/lookup", "first.example\n"); status != 200 || !strings.Contains(fmt.Sprint(out), "first.example") {
				t.Errorf("lookup while the database is away: %d %v", status, out)
			}
		}
		server.Start(t)
		for _, node := range nodes {
			eventually(t, "a node to be ready again", func() bool { status, _ := node.call("", "GET", "/readyz", nil); return status == 200 })
		}
	}
	wrote(20)
	stop()
	writers.Wait()
	for _, node := range nodes {
		node.reaches(max(w.DB.Head(), other.DB.Head()))
		held := map[string]int{}
		for a, err := range node.DB.As(access.System("a test counts")).Attributes(t.Context(), store.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			held[a.Value.String()]++
		}
		for name := range acknowledged {
			if held[name] != 1 {
				t.Errorf("%s was acknowledged and is there %d times", name, held[name])
			}
		}
		for name := range refused {
			if held[name] != 0 {
				t.Errorf("%s was refused and is there", name)
			}
		}
	}
	t.Logf("%d writes acknowledged, %d refused", len(acknowledged), len(refused))
	if len(refused) == 0 {
		t.Error("the crashes refused nothing")
	}
}

// TestVersionsOfNodes: a node of a later version has changed the tables. One of an
// earlier version stops writing and says why.
func TestVersionsOfNodes(t *testing.T) {
	db := lab.Database(t)
	w := newWorldOn(t, db, "telco", "provider")
	later(t, db)
	eventually(t, "the node to say so", func() bool {
		status, out := w.call("", "GET", "/readyz", nil)
		return status == http.StatusServiceUnavailable && strings.Contains(fmt.Sprint(out), "later Tocsin")
	})
	status, out := w.call("telco", "POST", "/events/add", map[string]any{"Event": map[string]any{"info": "x"}})
	if status != http.StatusServiceUnavailable || !strings.Contains(fmt.Sprint(out), "later Tocsin") {
		t.Errorf("a write: %d %v", status, out)
	}
}

// later makes the tables of a database those of a later version.
func later(t *testing.T, db string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), `UPDATE turn SET schema = 9999`); err != nil {
		t.Fatal(err)
	}
}
