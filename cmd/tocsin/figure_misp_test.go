package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// mispSearches asks as MISP's clients do, of a million attributes: one value at a
// time, and a part of one.
func mispSearches(t *testing.T, f *figures) {
	const n, clients = 1_000_000, 4
	c := serving(t)
	list := names(t, n)
	c.imports("collection=drop&name=list", asList(list))
	c.arrives(list[n-1])
	search := func(value string) float64 {
		return timed(func() {
			answer := c.must("POST", "/attributes/restSearch", `{"returnFormat":"json","value":"`+value+`","limit":60}`)
			if !strings.Contains(string(answer), `"Attribute":[{`) {
				t.Errorf("restSearch of %s finds %.200s", value, answer)
			}
		})
	}
	search(list[0])
	var all sync.Mutex
	var took []float64
	var running sync.WaitGroup
	begun := time.Now()
	for k := range clients {
		running.Go(func() {
			var mine []float64
			for i := k; time.Since(begun) < 5*time.Second; i += clients {
				mine = append(mine, search(list[i*7919%n]))
			}
			all.Lock()
			took = append(took, mine...)
			all.Unlock()
		})
	}
	running.Wait()
	f.add(figure{what: "restSearch for one value of 1M, 4 clients", unit: rate, got: float64(len(took)) / time.Since(begun).Seconds(), least: 8000, reference: 35, of: "MISP, of 0.3M"})
	f.add(figure{what: "… p99", unit: seconds, got: quantile(took, 0.99), most: 0.004, reference: 0.162, of: "MISP"})
	took = took[:0]
	for i := range 40 {
		name := list[i*24_989%n]
		took = append(took, search("%"+name[1:len(name)-3]+"%"))
	}
	f.add(figure{what: "restSearch for a part of a value of 1M, p95", unit: seconds, got: quantile(took, 0.95), most: 0.1})
}

// mispView shows an event all of whose attributes are in another one, too.
func mispView(t *testing.T, f *figures) {
	const n = 10_000
	c := found(t)
	c.start()
	event := `{"Event":{"uuid":"11111111-1111-4111-8111-11111111111%d","info":"list","distribution":1,"Attribute":[%s]}}`
	var attributes strings.Builder
	for i, name := range names(t, n) {
		if i > 0 {
			attributes.WriteByte(',')
		}
		fmt.Fprintf(&attributes, `{"type":"domain","value":%q}`, name)
	}
	c.must("POST", "/events/add", fmt.Sprintf(event, 1, attributes.String()))
	second := timed(func() { c.must("POST", "/events/add", fmt.Sprintf(event, 2, attributes.String())) })
	f.add(figure{what: "event of 10,000 attributes that are all in another", unit: seconds, got: second, reference: 23.9, of: "MISP"})
	var size int
	took := median(9, func() float64 {
		return timed(func() {
			answer := c.must("GET", "/events/view/11111111-1111-4111-8111-111111111112", "")
			size = len(answer)
			if !strings.Contains(string(answer), `"RelatedEvent":[{`) {
				t.Error("the event is related to none")
			}
		})
	})
	f.add(figure{what: fmt.Sprintf("view of an event of 10,000 attributes that all correlate, %d MB", size>>20), unit: seconds, got: took, most: 0.15, reference: 0.21, of: "MISP, of none that correlate"})
}
