package rpz

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
}

func dial(t *testing.T, from string, at netip.AddrPort) net.Conn {
	t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	c, err := d.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// closed waits until the other side has closed c.
func closed(t *testing.T, c net.Conn) {
	t.Helper()
	if _, err := io.Copy(io.Discard, c); errors.Is(err, context.DeadlineExceeded) {
		t.Error("not closed")
	} else if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		t.Error("not closed")
	}
}

func readRecords(t *testing.T, c net.Conn, n int) (rrs []dns.RR) {
	t.Helper()
	for len(rrs) < n {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			t.Fatal(err)
		}
		wire := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, wire); err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg)
		if err := m.Unpack(wire); err != nil || len(m.Answer) == 0 {
			t.Fatal(m, err)
		}
		rrs = append(rrs, m.Answer...)
	}
	return rrs
}

// TestOneConnection asks several questions at once over one connection, as
// RFC 7766 (6.2.1) allows.
func TestOneConnection(t *testing.T) {
	b := newBook("rpz.example.", 7, many("evil", 5000)...)
	c := dial(t, "127.0.0.1", start(t, localServer(b)))
	c.Write(slices.Concat(pack(t, new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA)), pack(t, new(dns.Msg).SetAxfr("rpz.example."))))
	c.Write(pack(t, new(dns.Msg).SetQuestion("rpz.example.", dns.TypeNS)))
	rrs := readRecords(t, c, 1+10_003+1)
	if !slices.Equal(cnames(rrs), records(b.latest())) || len(rrs) != 1+10_003+1 {
		t.Errorf("%d records", len(rrs))
	}
}

// TestIdleConnections sees that those who connect and don't ask keep nobody
// else out.
func TestIdleConnections(t *testing.T) {
	s := localServer(newBook("rpz.example.", 7, "evil.example"))
	shelf := s.Zones.(*shelf)
	shelf.subs[0].From = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s.ConnsEach, s.Conns, s.Patience = 8, 16, time.Hour
	at := start(t, s)
	idle := func(from string) (cs []net.Conn) {
		for range 8 {
			c := dial(t, from, at)
			c.Write([]byte{0, 40, 1}) // begins to ask, and leaves it at that
			cs = append(cs, c)
		}
		return cs
	}
	first, second := idle("127.0.0.1"), idle("127.0.0.2")
	for range 1000 {
		c := dial(t, "127.0.0.1", at) // has its share
		closed(t, c)
		c.Close()
	}
	waiting := append(first, second...)
	for i := range 32 { // makes room for itself, and then for others that ask
		c := dial(t, fmt.Sprintf("127.0.0.%d", 3+i/8), at)
		c.Write(pack(t, new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA)))
		readRecords(t, c, 1)
		if i < len(waiting) {
			closed(t, waiting[i]) // has not asked for longest
		}
	}
}

func TestConns(t *testing.T) {
	var cs conns
	at := netip.MustParseAddrPort("192.0.2.1:1")
	pipe := func() net.Conn { c, _ := net.Pipe(); return c }
	a, b, c, d := pipe(), pipe(), pipe(), pipe()
	if !cs.enter(a, at, 2, 9) || !cs.enter(b, at, 2, 9) {
		t.Fatal("no room")
	}
	cs.asks(a)
	cs.asks(b)
	if cs.enter(c, at, 2, 9) {
		t.Error("room though all are busy")
	}
	cs.leave(a, at)
	if !cs.enter(c, at, 2, 9) {
		t.Error("no room though one has left")
	}
	cs.waits(b) // behind c
	if !cs.enter(d, at, 2, 9) {
		t.Error("no room though one waits")
	}
	if _, err := c.Write(nil); err == nil {
		t.Error("the one that waited longest is still there")
	}
	for _, c := range []net.Conn{b, c, d} {
		cs.leave(c, at)
	}
	if cs.open != 0 || len(cs.each) != 0 || len(cs.waiting) != 0 || cs.queue.Len() != 0 {
		t.Errorf("something is left of %+v", &cs)
	}
	for _, same := range [][2]string{{"192.0.2.1:1", "[::ffff:192.0.2.1]:2"}, {"[2001:db8::1]:1", "[2001:db8::2]:1"}} {
		if neighbourhood(netip.MustParseAddrPort(same[0])) != neighbourhood(netip.MustParseAddrPort(same[1])) {
			t.Errorf("%v are counted apart", same)
		}
	}
	if neighbourhood(at) == neighbourhood(netip.MustParseAddrPort("192.0.2.2:1")) {
		t.Error("neighbours are counted as one")
	}
}

func TestPatience(t *testing.T) {
	s := localServer(newBook("rpz.example.", 7, "evil.example"))
	s.Patience = 50 * time.Millisecond
	at := start(t, s)
	c := dial(t, "127.0.0.1", at)
	c.Write([]byte{0, 40, 1})
	closed(t, c)
	c = dial(t, "127.0.0.1", at)
	c.Write(pack(t, new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA)))
	readRecords(t, c, 1)
	closed(t, c)
}

// TestCutTransfers sees that a transfer ends when its reader goes or stalls,
// and is not taken for done.
func TestCutTransfers(t *testing.T) {
	for _, test := range []struct {
		name string
		then func(net.Conn)
	}{
		{"closed", func(c net.Conn) { c.Close() }},
		{"stalled", func(c net.Conn) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := localServer()
			zone := newFlat(500_000, 0) // more than the sockets' buffers take
			s.Zones.(*shelf).zones[zone.Origin()] = func() Zone { return zone }
			served := make(chan Handover, 1)
			s.Served = func(h Handover) { served <- h }
			s.Stall = 100 * time.Millisecond
			c := dial(t, "127.0.0.1", start(t, s))
			c.Write(pack(t, new(dns.Msg).SetAxfr("rpz.example.")))
			io.ReadFull(c, make([]byte, 100_000))
			test.then(c)
			if h := within(t, served); h.Err == nil || h.Bytes < 60_000 || h.Bytes > 12_000_000 {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestLongQuestion(t *testing.T) {
	s := localServer()
	s.Patience = time.Hour
	c := dial(t, "127.0.0.1", start(t, s))
	c.Write(append([]byte{0xff, 0xff}, make([]byte, 100)...))
	closed(t, c)
}

// TestShutdown sees that the end of the context ends everything, also a
// transfer whose reader does not read.
func TestShutdown(t *testing.T) {
	s := localServer()
	zone := newFlat(500_000, 0)
	s.Zones.(*shelf).zones[zone.Origin()] = func() Zone { return zone }
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	at := freePort(t)
	go func() { done <- s.ListenAndServe(ctx, at.String()) }()
	eventually(t, "not listening", at, "rpz.example.", dns.TypeSOA, serialIs(2))
	c := dial(t, "127.0.0.1", at)
	c.Write(pack(t, new(dns.Msg).SetAxfr("rpz.example.")))
	io.ReadFull(c, make([]byte, 100_000))
	cancel()
	if err := within(t, done); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestPortTaken(t *testing.T) {
	udp, tcp := listen(t)
	defer udp.Close()
	defer tcp.Close()
	if err := localServer().ListenAndServe(t.Context(), tcp.Addr().String()); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// FuzzHandle sees that whatever comes, what goes out is a DNS message that
// answers it, and no longer than was asked for.
func FuzzHandle(f *testing.F) {
	b := newBook("rpz.example.", 1, many("a", 100)...)
	b.write(2, append(many("a", 99), ".b.example")...)
	shelf := newShelf(b)
	key := shelf.admit("hmac-sha256")
	shelf.admitLocal()
	now := time.Unix(1_800_000_000, 0)
	s := &Server{Zones: shelf, Keys: shelf, Now: func() time.Time { return now }}
	for _, m := range []*dns.Msg{
		new(dns.Msg).SetAxfr("rpz.example."),
		new(dns.Msg).SetIxfr("rpz.example.", 1, "a.", "b."),
		new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA),
		new(dns.Msg).SetQuestion("x.b.example.rpz.example.", dns.TypeA).SetEdns0(1232, true),
		new(dns.Msg).SetNotify("rpz.example."),
	} {
		m.Compress = true
		f.Add(pack(f, m)[2:], true)
		f.Add(pack(f, m)[2:], false)
		m.SetTsig(key.Name+".", key.Algorithm+".", 300, now.Unix())
		wire, _, err := dns.TsigGenerate(m, key.secret64(), "", false)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire, true)
	}
	f.Fuzz(func(t *testing.T, msg []byte, stream bool) {
		before := bytes.Clone(msg)
		msgs, _ := raw(s, msg, stream)
		if !bytes.Equal(before, msg) {
			t.Error("the question was changed")
		}
		for _, wire := range msgs {
			a := new(dns.Msg)
			if err := a.Unpack(wire); err != nil {
				t.Fatalf("%v: % x", err, wire)
			}
			if !a.Response || a.Id != binary.BigEndian.Uint16(msg) {
				t.Errorf("does not answer: %v", a)
			}
			if !stream && len(wire) > max(maxUDP, len(msg)+headerLen+optLen) {
				t.Errorf("%d octets in answer to %d", len(wire), len(msg))
			}
		}
		if !stream && len(msgs) > 1 {
			t.Errorf("%d datagrams", len(msgs))
		}
	})
}
