package rpz

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// flat is a zone of a million names without history but for one step, as
// compact as the collection's own will be.
type flat struct {
	names []byte // length of the name, the name, again and again
	n     int
	step  Delta
}

func newFlat(n, changes int) *flat {
	f := &flat{n: n, step: Delta{From: 1, To: 2}}
	for i := range n {
		name, _ := entry(fmt.Sprintf("host%d.evil%d.example", i, i%1000))
		f.names = append(append(f.names, byte(len(name))), name...)
	}
	for i := range changes {
		name, t := entry(fmt.Sprintf("change%d.example", i))
		if e := (Entry{name, t}); i%2 == 0 {
			f.step.Added = append(f.step.Added, e)
		} else {
			f.step.Removed = append(f.step.Removed, e)
		}
	}
	return f
}

func (f *flat) Origin() string                 { return "rpz.example." }
func (f *flat) Serial() uint32                 { return 2 }
func (f *flat) Terms() Terms                   { return Terms{} }
func (f *flat) Len() int                       { return f.n }
func (f *flat) Has([]byte) Trigger             { return 0 }
func (f *flat) Since(s uint32) ([]Delta, bool) { return []Delta{f.step}, s == 1 }

func (f *flat) Names(yield func([]byte, Trigger) bool) {
	for b := f.names; len(b) > 0; {
		end := 1 + int(b[0])
		if !yield(b[1:end:end], Exact) {
			return
		}
		b = b[end:]
	}
}

func serveFlat(b *testing.B, f *flat, sign bool) (netip.AddrPort, *Key) {
	shelf := newShelf()
	shelf.zones[f.Origin()] = func() Zone { return f }
	shelf.admitLocal()
	var key *Key
	if sign {
		k := shelf.admit("hmac-sha256")
		key = &k
	}
	return start(b, &Server{Zones: shelf, Keys: shelf}), key
}

// pull asks over c and reads until as many records have come.
func pull(b *testing.B, c net.Conn, question, buf []byte, records int) {
	if _, err := c.Write(question); err != nil {
		b.Fatal(err)
	}
	for records > 0 {
		if _, err := io.ReadFull(c, buf[:2]); err != nil {
			b.Fatal(err)
		}
		msg := buf[:binary.BigEndian.Uint16(buf)]
		if _, err := io.ReadFull(c, msg); err != nil {
			b.Fatal(err)
		}
		n := int(binary.BigEndian.Uint16(msg[6:]))
		if n == 0 {
			b.Fatalf("refused: % x", msg[:min(len(msg), 64)])
		}
		records -= n
	}
}

func wire(b *testing.B, m *dns.Msg, key *Key) []byte {
	var w []byte
	var err error
	if key != nil {
		m.SetTsig(key.Name+".", key.Algorithm+".", 300, time.Now().Unix())
		w, _, err = dns.TsigGenerate(m, key.secret64(), "", false)
	} else {
		w, err = m.Pack()
	}
	if err != nil {
		b.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(w))), w...)
}

func connect(b *testing.B, at netip.AddrPort) net.Conn {
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

const million = 1_000_000

// BenchmarkAXFR sends a million records over loopback to a reader that only
// counts them. Beside it Knot DNS does the same with the same zone.
func BenchmarkAXFR(b *testing.B) {
	zone := newFlat(million, 0)
	ours := map[bool]float64{}
	for _, signed := range []bool{false, true} {
		b.Run(map[bool]string{false: "tocsin", true: "tocsin-tsig"}[signed], func(b *testing.B) {
			at, key := serveFlat(b, zone, signed)
			ours[signed] = axfr(b, at, key)
		})
	}
	b.Run("knot", func(b *testing.B) {
		knot := axfr(b, serveKnot(b, zone), nil)
		b.ReportMetric(ours[false]/knot, "tocsin/knot")
	})
}

func axfr(b *testing.B, at netip.AddrPort, key *Key) float64 {
	c := connect(b, at)
	buf := make([]byte, 1<<16)
	question := wire(b, new(dns.Msg).SetAxfr("rpz.example."), key)
	b.ReportAllocs()
	for b.Loop() {
		pull(b, c, question, buf, million+3)
	}
	rate := float64(b.N) * million / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e6, "Mrecords/s")
	return rate
}

// serveKnot has Knot DNS serve zone.
func serveKnot(b *testing.B, zone Zone) netip.AddrPort {
	knotd := program(b, "knotd")
	dir := b.TempDir()
	f, err := os.Create(filepath.Join(dir, "rpz.example.zone"))
	if err != nil {
		b.Fatal(err)
	}
	if err := Text(f, zone); err != nil {
		b.Fatal(err)
	}
	f.Close()
	at := freePort(b)
	conf := file(b, dir, "knot.conf", fmt.Sprintf(`server:
    rundir: %[1]q
    listen: 127.0.0.1@%[2]d
database:
    storage: %[1]q
log:
  - target: stderr
    any: error
acl:
  - id: all
    address: 127.0.0.1
    action: transfer
zone:
  - domain: rpz.example.
    storage: %[1]q
    file: rpz.example.zone
    acl: all
    semantic-checks: off
    journal-content: none
`, dir, at.Port()))
	resolver(b, knotd, "-c", conf)
	eventually(b, "knot has not loaded the zone", at, "rpz.example.", dns.TypeSOA, serialIs(2))
	return at
}

// BenchmarkIXFR1000 sends a thousand changes of a zone of a million names.
func BenchmarkIXFR1000(b *testing.B) {
	at, _ := serveFlat(b, newFlat(million, 1000), false)
	c := connect(b, at)
	buf := make([]byte, 1<<16)
	question := wire(b, new(dns.Msg).SetIxfr("rpz.example.", 1, ".", "."), nil)
	b.ReportAllocs()
	for b.Loop() {
		pull(b, c, question, buf, 1004)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "answers/s")
}

// BenchmarkCondense merges a hundred steps of a hundred changes.
func BenchmarkCondense(b *testing.B) {
	var steps []Delta
	for i := range 100 {
		d := Delta{From: uint32(i), To: uint32(i + 1)}
		for j := range 50 {
			came, t := entry(fmt.Sprintf("n%d-%d.example", i, j))
			went, _ := entry(fmt.Sprintf("n%d-%d.example", i-j, j))
			d.Added, d.Removed = append(d.Added, Entry{came, t}), append(d.Removed, Entry{went, t})
		}
		steps = append(steps, d)
	}
	b.ReportAllocs()
	for b.Loop() {
		condense(steps)
	}
}

// BenchmarkBlocked is the time from a change to the first answer of a real
// Unbound that it blocks: NOTIFY, SOA, IXFR, and its taking the change over.
func BenchmarkBlocked(b *testing.B) {
	at := freePort(b)
	hot := newBook("hot.rpz.example.", 1, many("evil", 1000)...)
	shelf := newShelf(hot, newBook("base.rpz.example.", 1))
	shelf.admitLocal()
	shelf.subs[0].Notify = []netip.AddrPort{at}
	x := newExchange(b, shelf)
	startUnbound(b, x, at)
	eventually(b, "name not blocked", at, "evil7.example.", dns.TypeA, blocked)
	var client dns.Client
	for serial := uint32(2); b.Loop(); serial++ {
		b.StopTimer()
		name := fmt.Sprintf("new%d.example", serial)
		hot.write(serial, append(many("evil", 1000), name)...)
		question := new(dns.Msg).SetQuestion(name+".", dns.TypeA)
		b.StartTimer()
		x.notifier.Tell(x.subs[0], "hot.rpz.example.", serial)
		for {
			if m, _, err := client.Exchange(question, at.String()); err == nil && blocked(m) {
				break
			}
		}
		b.StopTimer()
		for len(x.served) > 0 {
			<-x.served
		}
		within(b, x.heard)
		b.StartTimer()
	}
}
