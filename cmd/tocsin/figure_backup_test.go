package main

import (
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tocsin"
	"tocsin/backup"
)

// backups measures a backup of a million while two clients write, what it costs
// them, and whether what is restored is what was there.
func backups(t *testing.T, f *figures) {
	const n = 1_000_000
	list := names(t, n)
	c := serving(t)
	c.imports("collection=drop&name=list", asList(list))
	c.arrives(list[n-1])
	var serial, written atomic.Int64
	post := func(_, _ int) error {
		k := int(serial.Add(1))
		body := event(fmt.Sprint("event ", k), 10, func(i int) string { return invented(10*k + i) })
		return c.do("POST", "/events/add", strings.NewReader(body), whole)
	}
	alone := perSecond(2, post, t)

	stop, done := make(chan struct{}), make(chan struct{}, 2)
	for range 2 {
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := post(0, 0); err != nil {
					t.Error(err)
					return
				}
				written.Add(1)
			}
		}()
	}
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	cmd := ourselves("backup", "--json", "--with-seal-key", file)
	cmd.Env = append(cmd.Env, "TOCSIN_URL=http://"+c.http, "TOCSIN_KEY="+c.key)
	begun := time.Now()
	out, err := cmd.Output()
	took := time.Since(begun).Seconds()
	during := float64(written.Load()) / took
	close(stop)
	<-done
	<-done
	if err != nil {
		t.Fatalf("backup: %v: %s", err, out)
	}
	var m backup.Manifest
	if err := json.Unmarshal(out, &m); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	f.add(figure{what: fmt.Sprintf("backup of %d claims while two clients write, read back", m.Rows["attributes"]), unit: seconds, got: took, most: 10})
	f.add(figure{what: "… events of 10 attributes by the two meanwhile", unit: rate, got: during, reference: alone, of: "without a backup"})
	f.add(figure{what: "… the archive; the database is " + megabytes.text(float64(m.Files[0].Size)/1e6), unit: megabytes, got: float64(info.Size()) / 1e6})
	_, peak := c.memory()
	f.add(figure{what: "… memory of the exchange, at most", unit: megabytes, got: peak})
	c.stop()

	r := *c
	r.dir = filepath.Join(t.TempDir(), "restored")
	f.add(figure{what: "… restored", unit: seconds, got: timed(func() {
		if out, err := ourselves("restore", file, "--data", r.dir).CombinedOutput(); err != nil {
			t.Fatalf("restore: %v: %s", err, out)
		}
	})})
	was, is := claimsUpTo(t, c.dir, m.Head), claimsUpTo(t, r.dir, m.Head)
	if was != is {
		t.Errorf("restored is %s, backed up was %s", is, was)
	}
	f.add(figure{what: "… first start to serving", unit: seconds, got: r.start()})
	r.arrives(list[n-1])
	r.stop()
}

// claimsUpTo sums up all claims that were last written up to a line. Nobody
// changed any since: what writers did was adding.
func claimsUpTo(t *testing.T, dir string, line tocsin.Seq) string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, databaseFile)+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT id, hex(uuid), event, type, value, flags, timestamp, label, key1, seq FROM attributes WHERE seq <= ? ORDER BY id`, line)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	sum, n := sha256.New(), 0
	cells := make([]sql.RawBytes, 10)
	to := make([]any, len(cells))
	for i := range cells {
		to[i] = &cells[i]
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(to...); err != nil {
			t.Fatal(err)
		}
		for _, cell := range cells {
			fmt.Fprintf(sum, "%d:%s", len(cell), cell)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d claims, %x", n, sum.Sum(nil))
}
