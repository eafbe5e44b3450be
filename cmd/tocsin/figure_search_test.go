package main

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// searchesOut measures what restSearch writes of 200,000 attributes: how long it takes
// and how much memory it takes above that of an idle process.
func searchesOut(t *testing.T, f *figures) {
	const n = 200_000
	c := serving(t)
	list := names(t, n)
	c.imports("collection=drop&name=list", asList(list))
	c.arrives(list[n-1])
	for _, of := range []struct {
		format  string
		seconds float64
	}{{"csv", 0.5}, {"text", 0.3}, {"rpz", 0.5}, {"json", 1.5}, {"suricata", 0}, {"xml", 0}, {"stix2", 0}} {
		c.stop()
		c.start()
		c.arrives(list[n-1])
		c.rest()
		idle, _ := c.memory()
		octets := int64(0)
		took := timed(func() {
			body := fmt.Sprintf(`{"returnFormat":%q,"type":"domain","published":[0,1]}`, of.format)
			err := c.do("POST", "/attributes/restSearch", strings.NewReader(body), func(r io.Reader) (err error) {
				octets, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, make([]byte, 256<<10))
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		if octets < n*int64(len(list[0]))/2 {
			t.Errorf("%s has %d octets", of.format, octets)
		}
		_, peak := c.memory()
		f.add(figure{what: fmt.Sprintf("restSearch of 200,000 attributes as %s, %d MB", strings.ToUpper(of.format), octets>>20), unit: seconds, got: took, most: of.seconds})
		f.add(figure{what: fmt.Sprintf("… memory above %.0f MB idle, at most", idle), unit: megabytes, got: peak - idle, most: 50})
	}
}
