package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"tocsin/internal/lab"
)

// lookups asks for many values over HTTP, from this machine, which costs it part
// of its time: with one hit in a hundred, as of a resolver's log, and with hits
// alone.
func (c *child) lookups(f *figures, scale string, held []string) {
	c.t.Helper()
	const asked = 1_000_000
	if n := bytes.Count(c.must("POST", "/api/lookup", strings.Join(held[:1000], "\n")), []byte(`"found":true`)); n != 1000 {
		c.t.Errorf("lookup finds %d of 1,000 names that are there", n)
	}
	var mixed strings.Builder
	for i := range asked {
		if i%100 == 0 {
			fmt.Fprintln(&mixed, held[i*31%len(held)])
		} else {
			fmt.Fprintf(&mixed, "cdn%d.good-%x.example\n", i%97, uint32(i)*2654435761)
		}
	}
	f.add(figure{what: "bulk lookup at " + scale + ", 1 % hits", unit: rate, least: 1e6,
		got: median(3, func() float64 { return c.asks(mixed.String(), asked) })})
	hits := make([]string, 200_000)
	for i := range hits {
		hits[i] = held[i*31%len(held)]
	}
	f.add(figure{what: "bulk lookup at " + scale + ", all hits", unit: rate, least: 1e5,
		got: median(3, func() float64 { return c.asks(strings.Join(hits, "\n")+"\n", len(hits)) })})
}

// asks returns how many values a second are answered.
func (c *child) asks(values string, n int) float64 {
	c.t.Helper()
	answers := &lineCounter{}
	took := timed(func() {
		err := c.do("POST", "/api/lookup", strings.NewReader(values), func(r io.Reader) error {
			_, err := io.CopyBuffer(answers, struct{ io.Reader }{r}, make([]byte, 256<<10))
			return err
		})
		if err != nil {
			c.t.Fatal(err)
		}
	})
	if answers.n != n {
		c.t.Fatalf("%d values, %d answers", n, answers.n)
	}
	return float64(n) / took
}

type lineCounter struct{ n int }

func (l *lineCounter) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' {
			l.n++
		}
	}
	return len(b), nil
}

// A reader is a DNS client over TCP that counts records and looks no closer, so
// that it measures the server and not itself.
type reader struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

func dial(t *testing.T, addr string) *reader {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &reader{t, conn, bufio.NewReaderSize(conn, 1<<20)}
}

// ask asks, and reads until so many records have come.
func (r *reader) ask(q []byte, records int) error {
	r.conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := r.conn.Write(q); err != nil {
		return err
	}
	for got := 0; got < records; {
		var head [14]byte // the length, and the message's header
		if _, err := io.ReadFull(r.in, head[:]); err != nil {
			return fmt.Errorf("after %d records of %d: %w", got, records, err)
		}
		n := int(binary.BigEndian.Uint16(head[8:]))
		if head[5]&0xf != 0 || n == 0 {
			return fmt.Errorf("after %d records of %d: answered with %x", got, records, head)
		}
		got += n
		if _, err := r.in.Discard(int(binary.BigEndian.Uint16(head[:])) - 12); err != nil {
			return err
		}
	}
	return nil
}

// framed is a message as it travels over TCP.
func framed(t *testing.T, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// transfers has the exchange and Knot DNS send the same zone of a million
// records.
func transfers(t *testing.T, f *figures) {
	lab.Need(t, "knotd")
	const n = 573_000 // of which the real ones, hosts among them, make a million records
	c := serving(t)
	list := names(t, n)
	c.imports("collection=drop&name=list", asList(list))
	c.arrives(list[n-1])

	// A new process has no garbage of the import: what it holds is what it needs.
	c.stop()
	c.start()
	c.arrives(list[n-1])
	file := filepath.Join(t.TempDir(), "zone")
	records := c.zoneFile(file)
	knot := lab.Knot(t, "rpz.example.", file)
	q := framed(t, new(dns.Msg).SetAxfr("rpz.example."))
	axfr := func(addr string) float64 {
		r := dial(t, addr)
		defer r.conn.Close()
		return timed(func() {
			if err := r.ask(q, records); err != nil {
				t.Fatal(err)
			}
		})
	}
	c.rest()
	idle, _ := c.memory()
	axfr(c.dns)
	reference := median(5, func() float64 { return axfr(knot.Addr()) })
	got := median(5, func() float64 { return axfr(c.dns) })
	f.add(figure{what: fmt.Sprintf("AXFR of %d records", records), unit: seconds, got: got, times: 3, reference: reference, of: "Knot DNS"})
	_, peak := c.memory()
	f.add(figure{what: fmt.Sprintf("… memory above %.0f MB idle, at most", idle), unit: megabytes, got: peak - idle, most: 120})
}

// zoneFile writes the base zone as a master file, and returns how many records
// its transfer has.
func (c *child) zoneFile(path string) (records int) {
	c.t.Helper()
	out, err := os.Create(path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer out.Close()
	err = c.do("GET", "/collections/drop.rpz", nil, func(r io.Reader) error {
		lines := bufio.NewScanner(io.TeeReader(r, out))
		for lines.Scan() {
			if strings.Contains(lines.Text(), " CNAME ") {
				records++
			}
		}
		return lines.Err()
	})
	if err != nil {
		c.t.Fatal(err)
	}
	const soasAndNS = 3
	return records + soasAndNS
}

// increments asks for a thousand changes, again and again: of one list, and of a
// thousand events one after another.
func (c *child) increments(f *figures, scale string) {
	c.t.Helper()
	const changes = 1000
	from := c.serial("rpz.example.")
	added := make([]string, changes)
	for i := range added {
		added[i] = fmt.Sprintf("n%d.increment.example", i)
	}
	c.imports("collection=drop&name=increment", asList(added))
	c.arrives(added[changes-1])
	c.ixfr(f, "IXFR of a list of 1,000 names at "+scale, 500, from)

	from = c.serial("rpz.example.")
	for i := range changes {
		name := func(int) string { return fmt.Sprintf("e%d.increment.example", i) }
		if err := c.do("POST", "/events/add", strings.NewReader(event(name(0), 1, name)), whole); err != nil {
			c.t.Fatal(err)
		}
	}
	c.arrives(fmt.Sprintf("e%d.increment.example", changes-1))
	c.ixfr(f, "IXFR of 1,000 steps of one name at "+scale, 500, from)
}

// ixfr has two clients ask for what has changed since a serial.
func (c *child) ixfr(f *figures, what string, least float64, from uint32) {
	c.t.Helper()
	q := new(dns.Msg).SetIxfr("rpz.example.", from, "localhost.", "hostmaster.localhost.")
	in, err := new(dns.Transfer).In(q.Copy(), c.dns)
	if err != nil {
		c.t.Fatal(err)
	}
	var records []dns.RR
	for e := range in {
		if e.Error != nil {
			c.t.Fatal(e.Error)
		}
		records = append(records, e.RR...)
	}
	if second, ok := records[1].(*dns.SOA); !ok || second.Serial != from {
		c.t.Errorf("the answer to IXFR is the whole zone: %d records", len(records))
	}
	clients := [2]*reader{dial(c.t, c.dns), dial(c.t, c.dns)}
	got := perSecond(len(clients), func(client, _ int) error { return clients[client].ask(framed(c.t, q), len(records)) }, c.t)
	f.add(figure{what: fmt.Sprintf("%s, %d records", what, len(records)), unit: rate, got: got, least: least})
}

// serial is what a zone's SOA says.
func (c *child) serial(origin string) uint32 {
	c.t.Helper()
	m, err := dns.Exchange(new(dns.Msg).SetQuestion(origin, dns.TypeSOA), c.dns)
	if err != nil {
		c.t.Fatal(err)
	}
	soa, ok := m.Answer[0].(*dns.SOA)
	if !ok {
		c.t.Fatalf("the SOA of %s is %v", origin, m.Answer)
	}
	return soa.Serial
}
