package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// names returns n malicious names: real ones where the list is at hand, since
// what the public-suffix list and indexes make of made-up ones may be kinder.
func names(t *testing.T, n int) []string {
	t.Helper()
	file := "domains-malicious-1m.txt.gz"
	if n <= 200_000 {
		file = "domains-malicious-200k.txt.gz"
	}
	all := make([]string, 0, n)
	if f, err := os.Open(filepath.Join(shared(), "data/lists", file)); err == nil {
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		for lines := bufio.NewScanner(z); len(all) < n && lines.Scan(); {
			all = append(all, lines.Text())
		}
	}
	for i := len(all); i < n; i++ {
		all = append(all, invented(i))
	}
	return all
}

// shared is the folder of real data beside the repository, or "".
func shared() string {
	dir := os.Getenv("TOCSIN_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// invented is the i-th made-up domain: in no order, as in a real list.
func invented(i int) string { return fmt.Sprintf("x%08x.example", uint32(i)*2654435761) }

// asList is names one a line.
func asList(names []string) io.Reader { return strings.NewReader(strings.Join(names, "\n") + "\n") }

func importOf200k(t *testing.T, f *figures) {
	const n = 200_000
	list := names(t, n)
	c := serving(t)
	var written int
	took := timed(func() {
		written = c.imports("collection=drop&name=list", asList(list))
		c.arrives(list[n-1])
	})
	f.add(figure{what: fmt.Sprintf("a list of %d names, imported live until in lookup and zone", written), unit: seconds, got: took, most: 4,
		reference: bareInserts(t, c.dir, list), of: "bare driver, one indexed table"})
}

// pragmas are those of package sqlite: the reference syncs as we do and has as
// much memory.
const barePragmas = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=cache_size(-163840)&_pragma=wal_autocheckpoint(16384)"

func bare(t *testing.T, dir string) *sql.Conn {
	t.Helper()
	path := filepath.Join(dir, "bare.db")
	db, err := sql.Open("sqlite", "file:"+path+barePragmas)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		db.Close()
	})
	for _, q := range []string{`CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, value TEXT)`, `CREATE INDEX IF NOT EXISTS bare_value ON bare (value)`} {
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// bareInserts is how long SQLite itself takes for the same values, in
// transactions of as many as ours.
func bareInserts(t *testing.T, dir string, values []string) float64 {
	t.Helper()
	const batch = 10_000
	conn := bare(t, dir)
	insert, err := conn.PrepareContext(t.Context(), `INSERT INTO bare (value) VALUES (?)`)
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	return timed(func() {
		for i, v := range values {
			if i%batch == 0 {
				mustExec(t, conn, "BEGIN")
			}
			if _, err := insert.ExecContext(t.Context(), v); err != nil {
				t.Fatal(err)
			}
			if (i+1)%batch == 0 || i+1 == len(values) {
				mustExec(t, conn, "COMMIT")
			}
		}
	})
}

func mustExec(t *testing.T, conn *sql.Conn, query string) {
	if _, err := conn.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

// bareCommits is how many rows a second SQLite itself takes one by one, each
// synced before the next.
func bareCommits(t *testing.T, conn *sql.Conn) float64 {
	insert, err := conn.PrepareContext(t.Context(), `INSERT INTO bare (value) VALUES (?)`)
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	return perSecond(1, func(_, i int) error {
		_, err := insert.ExecContext(context.Background(), invented(i))
		return err
	}, t)
}

// while is how long something is repeated to learn how often it can be done.
const while = 2 * time.Second

// perSecond has so many at once do something again and again, and returns how
// often it was done.
func perSecond(clients int, fn func(client, i int) error, t *testing.T) float64 {
	t.Helper()
	var done atomic.Int64
	var wg sync.WaitGroup
	begun := time.Now()
	for client := range clients {
		wg.Go(func() {
			for i := 0; time.Since(begun) < while; i++ {
				if err := fn(client, i); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	return float64(done.Load()) / time.Since(begun).Seconds()
}

// event is an event as a client posts it.
func event(info string, n int, name func(i int) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"Event":{"info":%q,"distribution":1,"published":true,"Tag":[{"name":"tocsin:collection=\"drop\"","local":true}],"Attribute":[`, info)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"type":"domain","category":"Network activity","to_ids":true,"value":%q}`, name(i))
	}
	b.WriteString("]}}")
	return b.String()
}

// whole reads an answer whole and keeps nothing of it.
func whole(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}

// events posts events of ten attributes, by one client and by four.
func events(t *testing.T, f *figures) {
	c := serving(t)
	conn := bare(t, c.dir)
	var serial atomic.Int64
	post := func(_, _ int) error {
		k := int(serial.Add(1))
		body := event(fmt.Sprint("event ", k), 10, func(i int) string { return invented(10*k + i) })
		return c.do("POST", "/events/add", strings.NewReader(body), whole)
	}
	if err := post(0, 0); err != nil {
		t.Fatal(err)
	}
	// In turns, so that whoever else uses the disk hinders all of them.
	var reference, one, four []float64
	for range 3 {
		reference = append(reference, bareCommits(t, conn))
		one = append(one, perSecond(1, post, t))
		four = append(four, perSecond(4, post, t))
	}
	f.add(figure{what: "events of 10 attributes, one client (MISP: 11.6/s)", unit: rate, got: quantile(one, 0.5),
		times: 0.4, reference: quantile(reference, 0.5), of: "bare driver, a row and a sync"})
	f.add(figure{what: "events of 10 attributes, four clients", unit: rate, got: quantile(four, 0.5),
		least: 1500, reference: quantile(reference, 0.5), of: "bare driver, a row and a sync"})
	c.arrives(invented(int(10 * serial.Load())))
}

// oneLargeEvent posts an event as large as any.
func oneLargeEvent(t *testing.T, f *figures) {
	const n = 200_000
	list := names(t, n)
	c := serving(t)
	body := event("large", n, func(i int) string { return list[i] })
	took := timed(func() {
		if err := c.do("POST", "/events/add", strings.NewReader(body), whole); err != nil {
			t.Fatal(err)
		}
	})
	f.add(figure{what: "200,000 attributes as one event, answer read (MISP: 329 s)", unit: seconds, got: took, most: 5})
	c.arrives(list[n-1])
	_, peak := c.memory()
	f.add(figure{what: "… memory, at most", unit: megabytes, got: peak})
}

// importIntoFolder imports ten million into a folder that no server holds.
func importIntoFolder(t *testing.T, f *figures) {
	c := found(t)
	list := filepath.Join(t.TempDir(), "list.txt")
	out, err := os.Create(list)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, inventedList(tenMillion)); err != nil {
		t.Fatal(err)
	}
	out.Close()
	took := timed(func() {
		if out, err := ourselves("import", "--data", c.dir, "--publish", list).CombinedOutput(); err != nil {
			t.Fatalf("import: %v: %.1000s", err, out)
		}
	})
	f.add(figure{what: "10,000,000 names into an empty folder", unit: seconds, got: took, most: 6 * 60})
	f.add(figure{what: "… first start to serving", unit: seconds, got: c.start()})
}

// inventedList is so many made-up names, one a line, as a stream.
func inventedList(n int) io.Reader {
	r, w := io.Pipe()
	go func() {
		b := bufio.NewWriterSize(w, 1<<16)
		for i := range n {
			b.WriteString(invented(i))
			b.WriteByte('\n')
		}
		w.CloseWithError(b.Flush())
	}()
	return r
}
