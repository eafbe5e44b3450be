package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

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

// bulk imports a list into the running exchange and publishes it, and returns
// when it is in lookup and in the zone.
func (w *world) bulk(org, query string, list io.Reader) (last string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "POST", "http://"+w.HTTPAddr+"/api/import?"+query, list)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", w.keys[org])
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	last = string(lines[len(lines)-1])
	if resp.StatusCode != 200 || !bytes.Contains(lines[len(lines)-1], []byte(`"result"`)) {
		w.t.Fatalf("import: %d %.500s", resp.StatusCode, last)
	}
	return last
}

// holds fails unless a domain is in lookup and in the subscriber's zone.
func (w *world) holds(domain string, subscriber int64) {
	w.t.Helper()
	v := access.Organisation("provider", w.orgs["provider"], w.DB.GroupsOf(w.orgs["provider"])...)
	ind, err := indicator.Detect(domain)
	if err != nil {
		w.t.Fatal(err)
	}
	if n := w.Index.Count(w.DB.Labels().Sight(v, access.Read), ind.Keys()[0]); n == 0 {
		w.t.Errorf("%s is not in lookup", domain)
	}
	z, ok := w.Collections.Zone("rpz.example", subscriber)
	if !ok {
		w.t.Fatal("no zone")
	}
	wire, _ := ind.Facets().Names[0].WireName()
	if t, ok := z.Has(wire); !ok || t == 0 {
		w.t.Errorf("%s is not in the zone", domain)
	}
}

func TestFigureImport200k(t *testing.T) {
	if os.Getenv("TOCSIN_BENCH") == "" {
		t.Skip("a measurement; run it with make bench")
	}
	f, err := os.Open(filepath.Join(shared(), "data/lists/domains-malicious-200k.txt.gz"))
	if err != nil {
		t.Skip("no shared data")
	}
	defer f.Close()
	w := newWorld(t, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("s", "provider", c)
	start := time.Now()
	last := w.bulk("telco", "collection=drop&publish=1&distribution=1&name=list", f)
	took := time.Since(start)
	fmt.Println(took, last)
	z, _ := w.Collections.Zone("rpz.example", sub)
	fmt.Println("zone", z.Len())
	_ = context.Background
}
