package main

import (
	"fmt"
	"io"
	"testing"
)

// listsOut has the exchange write a million names as lists and as an export, each in
// a second and in little memory.
func listsOut(t *testing.T, f *figures) {
	const n = 1_000_000
	c := serving(t)
	list := names(t, n)
	c.imports("collection=drop&name=list", asList(list))
	c.arrives(list[n-1])
	for _, path := range []string{"/collections/drop.txt", "/collections/drop.hosts", "/collections/drop.dnsmasq", "/collections/drop.unbound",
		"/collections/drop.adblock", "/collections/drop.zeek", "/collections/drop.rpz", "/collections/drop.json", "/collections/drop.edl-domain",
		"/api/export?format=text", "/api/export?format=csv", "/api/export?format=json", "/api/export?format=unbound"} {
		// A new process has no garbage of others, and its peak is that of this alone.
		c.stop()
		c.start()
		c.arrives(list[n-1])
		c.rest()
		idle, _ := c.memory()
		lines := &lineCounter{}
		took := timed(func() {
			err := c.do("GET", path, nil, func(r io.Reader) error {
				_, err := io.CopyBuffer(lines, struct{ io.Reader }{r}, make([]byte, 256<<10))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		if lines.n < n*9/10 {
			t.Errorf("%s has %d lines", path, lines.n)
		}
		_, peak := c.memory()
		f.add(figure{what: fmt.Sprintf("1M names as %s, %d lines", path, lines.n), unit: seconds, got: took, most: 1})
		f.add(figure{what: fmt.Sprintf("… memory above %.0f MB idle, at most", idle), unit: megabytes, got: peak - idle, most: 30})
	}
}
