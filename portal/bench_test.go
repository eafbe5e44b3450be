package portal_test

import (
	"fmt"
	"net/http"
	"testing"

	"tocsin/access"
	"tocsin/portal"
)

// BenchmarkPages measures pages over an event of 100,000 names, a thousand
// other events, and a value that all of them claim.
func BenchmarkPages(b *testing.B) {
	w := newWorld(b)
	names := make([]string, 100_000)
	for i := range names {
		names[i] = fmt.Sprintf("host%d.large.example", i)
	}
	w.share(b, "ada@cert.example", portal.Draft{Info: "Large", Distribution: access.Community, Publish: true, Tags: []string{tag}}, names...)
	for i := range 1000 {
		w.share(b, "ada@cert.example", portal.Draft{Info: fmt.Sprintf("Event %d", i), Distribution: access.Community}, "common.example", fmt.Sprintf("x%d.example", i))
	}
	p := w.signedIn(b, "ada@cert.example")
	for _, path := range []string{
		"/portal/", "/portal/?q=host77777.large.example", "/portal/?q=common.example", "/portal/events", "/portal/events?from=900",
		"/portal/events?text=nothing+like+it", "/portal/events/1", "/portal/events/1?after=90000", "/portal/events/1?text=nothing+like+it", "/portal/events/500",
	} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				if a := p.get(path); a.status != http.StatusOK {
					b.Fatal(a.status)
				}
			}
		})
	}
}
