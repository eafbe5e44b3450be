package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"tocsin/internal/lab"
)

// onPostgres measures what is written to PostgreSQL.
func onPostgres(t *testing.T, f *figures) {
	const n = 1_000_000
	server := lab.StartPostgres(t)
	list := names(t, n)
	c := serving(t, "TOCSIN_STORE="+server.Database(t))
	stored := timed(func() { c.imports("collection=drop&name=list", asList(list)) })
	f.add(figure{what: "PostgreSQL: 1M names imported live until in the store", unit: seconds, got: stored, most: 25,
		reference: bareCopy(t, server.Database(t), list), of: "bare COPY, one indexed table"})
	f.add(figure{what: "… and from then until in lookup and zone", unit: seconds, got: timed(func() { c.arrives(list[n-1]) })})
	now, peak := c.memory()
	f.add(figure{what: "… memory after it", unit: megabytes, got: now})
	f.add(figure{what: "… memory during it, at most", unit: megabytes, got: peak})

	const attributes = 200_000
	c = serving(t, "TOCSIN_STORE="+server.Database(t))
	body := event("large", attributes, func(i int) string { return list[i] })
	took := timed(func() {
		if err := c.do("POST", "/events/add", strings.NewReader(body), whole); err != nil {
			t.Fatal(err)
		}
	})
	f.add(figure{what: "PostgreSQL: 200,000 attributes as one event, answer read", unit: seconds, got: took, most: 6,
		reference: bareCopy(t, server.Database(t), list[:attributes]), of: "bare COPY"})
}

// bareCopy is how long PostgreSQL itself takes for the same values, in
// transactions of as many as ours.
func bareCopy(t *testing.T, db string, values []string) float64 {
	t.Helper()
	const batch = 10_000
	c, err := pgx.Connect(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), `CREATE TABLE bare (id bigint PRIMARY KEY, value text); CREATE INDEX bare_value ON bare (value)`); err != nil {
		t.Fatal(err)
	}
	return timed(func() {
		for from := 0; from < len(values); from += batch {
			some := values[from:min(from+batch, len(values))]
			_, err := c.CopyFrom(t.Context(), pgx.Identifier{"bare"}, []string{"id", "value"},
				pgx.CopyFromSlice(len(some), func(i int) ([]any, error) { return []any{int64(from + i), some[i]}, nil }))
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

// twoNodes measures from a share on one node to when a resolver blocks that asks
// the other.
func twoNodes(t *testing.T, f *figures) {
	const times = 200
	lab.Need(t, "unbound")
	db := lab.StartPostgres(t).Database(t)
	one := serving(t, "TOCSIN_STORE="+db)
	two := &child{t: t, dir: t.TempDir(), key: one.key, client: &http.Client{},
		env: []string{"TOCSIN_STORE=" + db, "TOCSIN_SEAL_KEY=" + filepath.Join(one.dir, "seal.key")}}
	two.start()
	one.must("PATCH", "/api/collections/drop", `{"hot_zone":"hot.rpz.example"}`)
	name := func(i int) string { return fmt.Sprintf("b%d.block.example", i) }
	share := func(name string) (id string) {
		var made struct{ Event struct{ ID json.Number } }
		err := one.do("POST", "/events/add", strings.NewReader(event(name, 1, func(int) string { return name })), func(b io.Reader) error {
			return json.NewDecoder(b).Decode(&made)
		})
		if err != nil {
			t.Fatal(err)
		}
		return made.Event.ID.String()
	}
	share("first.block.example")
	two.arrives("first.block.example")
	r := lab.StartUnbound(t, lab.StartRoot(t), string(two.must("GET", "/api/subscribers/resolver/config?for=unbound", "")))
	one.must("PATCH", "/api/subscribers/resolver", fmt.Sprintf(`{"notify":[%q]}`, r.Addr()))
	r.WaitBlocked(t, "first.block.example")
	var blocked, answers []float64
	for i := range times {
		var id string
		blocked = append(blocked, timed(func() { id = share(name(i)); r.WaitBlocked(t, name(i)) }))
		answers = append(answers, timed(func() {
			if err := one.do("DELETE", "/events/delete/"+id, nil, whole); err != nil {
				t.Fatal(err)
			}
			r.WaitAnswers(t, name(i))
		}))
	}
	for _, w := range []struct {
		what string
		all  []float64
	}{{"two nodes: share on one → Unbound of the other blocks", blocked}, {"two nodes: withdraw on one → Unbound of the other answers", answers}} {
		f.add(figure{what: w.what + ", p50 of 200", unit: seconds, got: quantile(w.all, 0.5)})
		f.add(figure{what: w.what + ", p95", unit: seconds, got: quantile(w.all, 0.95), most: 1})
	}
}
