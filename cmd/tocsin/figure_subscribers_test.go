package main

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// manySubscribers measures what 500 resolvers of one audience cost an exchange of
// a million names: they share one image, though each excludes something of its own.
func manySubscribers(t *testing.T, f *figures) {
	const subscribers, transfers = 500, 20
	records := 2*million.n + 3 // each name and what is beneath it; two SOAs, one NS
	c := serving(t)
	c.must("PATCH", "/api/subscribers/resolver", `{"allow":["127.0.0.1/32"]}`)
	c.imports("collection=drop&name=list", inventedList(million.n))
	c.arrives(invented(million.n - 1))
	c.stop()
	c.start() // without what the import left to be collected
	c.transfer(net.IPv4(127, 0, 0, 1), records)
	before, _ := c.memory()
	f.add(figure{what: "memory with 1M names and one subscriber, after a transfer", unit: megabytes, got: before})

	added := timed(func() {
		for i := range subscribers {
			c.must("POST", "/api/subscribers", fmt.Sprintf(`{"name":"s%d","collection":"drop","allow":[%q],"exclude":[%q,"ours%d.example","198.51.100.0/24"]}`,
				i, place(i).String()+"/32", invented(i), i))
		}
	})
	f.add(figure{what: "… adding 500 subscribers, one by one", unit: seconds, got: added})
	c.transfer(place(0), records-2)
	now, _ := c.memory()
	f.add(figure{what: "… memory that they take", unit: megabytes, got: now - before, most: 100})

	var all sync.WaitGroup
	took := timed(func() {
		for i := range transfers {
			all.Go(func() { c.transfer(place(i), records-2) })
		}
		all.Wait()
	})
	f.add(figure{what: fmt.Sprintf("… %d of them transfer it at once", transfers), unit: seconds, got: took})
	now, peak := c.memory()
	f.add(figure{what: "… memory after that, above one subscriber", unit: megabytes, got: now - before, most: 100})
	f.add(figure{what: "… and at most since the start", unit: megabytes, got: peak - before})
}

// place is where a subscriber asks from.
func place(i int) net.IP { return net.IPv4(127, 1, byte(i/250), byte(i%250+1)) }

// transfer takes the whole zone from an address.
func (c *child) transfer(from net.IP, records int) {
	c.t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}).DialContext(c.t.Context(), "tcp", c.dns)
	if err != nil {
		c.t.Error(err)
		return
	}
	defer conn.Close()
	r := &reader{c.t, conn, bufio.NewReaderSize(conn, 64<<10)}
	if err := r.ask(framed(c.t, new(dns.Msg).SetAxfr("rpz.example.")), records); err != nil {
		c.t.Error(err)
	}
}
