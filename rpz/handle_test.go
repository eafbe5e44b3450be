package rpz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// ask gives a message to a server without a network, and returns the answer.
func ask(t testing.TB, s *Server, m *dns.Msg, stream bool) *dns.Msg {
	t.Helper()
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	msgs, err := raw(s, wire, stream)
	if err != nil || len(msgs) != 1 {
		t.Fatalf("%d messages, %v", len(msgs), err)
	}
	a := new(dns.Msg)
	if err := a.Unpack(msgs[0]); err != nil {
		t.Fatal(err)
	}
	return a
}

func raw(s *Server, msg []byte, stream bool) (msgs [][]byte, err error) {
	err = s.handle(msg, Peer{Addr: netip.MustParseAddrPort("127.0.0.1:5353")}, stream, func(m []byte) error {
		if int(binary.BigEndian.Uint16(m)) != len(m)-lengthLen {
			return errors.New("wrong length")
		}
		msgs = append(msgs, bytes.Clone(m[lengthLen:]))
		return nil
	})
	return msgs, err
}

func localServer(books ...*book) *Server {
	shelf := newShelf(books...)
	shelf.admitLocal()
	return &Server{Zones: shelf, Keys: shelf}
}

func TestLookup(t *testing.T) {
	b := newBook("rpz.example.", 7, "exact.example", "*.beneath.example", ".both.example", "a.both.example", "*.deep.a.b.example")
	garden := newBook("garden.example.", 1, "evil.example")
	garden.terms = Terms{Action: "*.landing.example", TTL: 5, Primary: "ns.example", Contact: "noc.ns.example.", Refresh: 1, Retry: 2, Expire: 3, Minimum: 4}
	nested := newBook("sub.rpz.example.", 1, "evil.example")
	s := localServer(b, garden, nested)
	const soa = "rpz.example. 30 IN SOA localhost. hostmaster.localhost. 7 60 30 432000 30"
	for _, test := range []struct {
		name  string
		kind  uint16
		rcode int
		want  string // answer, or the authority where there is none
	}{
		{"rpz.example.", dns.TypeSOA, 0, soa},
		{"RPZ.Example.", dns.TypeSOA, 0, "RPZ.Example." + soa[12:]},
		{"rpz.example.", dns.TypeNS, 0, "rpz.example. 30 IN NS localhost."},
		{"rpz.example.", dns.TypeANY, 0, soa},
		{"rpz.example.", dns.TypeA, 0, soa},
		{"exact.example.rpz.example.", dns.TypeA, 0, "exact.example.rpz.example. 30 IN CNAME ."},
		{"EXACT.example.rpz.example.", dns.TypeCNAME, 0, "EXACT.example.rpz.example. 30 IN CNAME ."},
		{"www.exact.example.rpz.example.", dns.TypeA, 3, soa},
		{"beneath.example.rpz.example.", dns.TypeA, 3, soa},
		{"x.y.beneath.example.rpz.example.", dns.TypeTXT, 0, "x.y.beneath.example.rpz.example. 30 IN CNAME ."},
		{"both.example.rpz.example.", dns.TypeA, 0, "both.example.rpz.example. 30 IN CNAME ."},
		{"b.both.example.rpz.example.", dns.TypeA, 0, "b.both.example.rpz.example. 30 IN CNAME ."},
		{"x.a.both.example.rpz.example.", dns.TypeA, 3, soa}, // a.both.example is nearer, and has no wildcard
		{"nobody.example.rpz.example.", dns.TypeA, 3, soa},
		{"evil.example.garden.example.", dns.TypeA, 0, "evil.example.garden.example. 5 IN CNAME *.landing.example."},
		{"other.example.garden.example.", dns.TypeA, 3, "garden.example. 5 IN SOA ns.example. noc.ns.example. 1 1 2 3 4"},
		{"evil.example.sub.rpz.example.", dns.TypeA, 0, "evil.example.sub.rpz.example. 30 IN CNAME ."},
		{"example.", dns.TypeSOA, 5, ""},
		{".", dns.TypeNS, 5, ""},
		{"exact.example.", dns.TypeA, 5, ""},
	} {
		a := ask(t, s, new(dns.Msg).SetQuestion(test.name, test.kind), false)
		rrs := append(a.Answer, a.Ns...)
		got := ""
		if len(rrs) > 0 {
			got = strings.ReplaceAll(rrs[0].String(), "\t", " ")
		}
		if a.Rcode != test.rcode || got != test.want || len(rrs) > 1 || a.Authoritative != (test.rcode != 5) || a.RecursionAvailable || !a.RecursionDesired {
			t.Errorf("%s %s: %v", test.name, dns.TypeToString[test.kind], a)
		}
		if (test.rcode == 0 && test.kind != dns.TypeA || strings.Contains(test.want, "CNAME")) && len(a.Answer) != 1 {
			t.Errorf("%s %s: no answer section: %v", test.name, dns.TypeToString[test.kind], a)
		}
		if a.Question[0].Name != test.name {
			t.Errorf("%s came back as %s", test.name, a.Question[0].Name)
		}
	}
}

func TestNotForYou(t *testing.T) {
	shelf := newShelf(newBook("rpz.example.", 7, "evil.example"))
	key := shelf.admit("hmac-sha256")
	s := &Server{Zones: shelf, Keys: shelf}
	there := ask(t, s, new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA), false)
	absent := ask(t, s, new(dns.Msg).SetQuestion("absent.example.", dns.TypeSOA), false)
	there.Id, there.Question = absent.Id, absent.Question
	if there.String() != absent.String() || there.Rcode != dns.RcodeRefused {
		t.Errorf("they differ:\n%v\n%v", there, absent)
	}
	for _, sub := range []struct {
		Subscriber
		want bool
	}{
		{Subscriber{}, false},
		{Subscriber{Key: key.Name}, true},
		{Subscriber{Key: "other"}, false},
		{Subscriber{Key: key.Name, From: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, true},
		{Subscriber{Key: key.Name, From: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}}, false},
		{Subscriber{From: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("192.0.2.0/24")}}, true},
	} {
		if got := sub.Admits(Peer{Addr: netip.MustParseAddrPort("[::ffff:192.0.2.1]:53"), Key: key.Name}); got != sub.want {
			t.Errorf("%+v: %v", sub.Subscriber, got)
		}
	}
}

func TestProtocolErrors(t *testing.T) {
	s := localServer(newBook("rpz.example.", 7, "evil.example"))
	soa := func() *dns.Msg { return new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA) }
	ixfr := func() *dns.Msg { return new(dns.Msg).SetIxfr("rpz.example.", 1, ".", ".") }
	for _, test := range []struct {
		name string
		m    *dns.Msg
		tcp  bool
		want int
		edit func(*dns.Msg)
	}{
		{"good", soa(), false, dns.RcodeSuccess, nil},
		{"update", soa(), false, dns.RcodeNotImplemented, func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }},
		{"notify", soa(), false, dns.RcodeNotImplemented, func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }},
		{"chaos", soa(), false, dns.RcodeRefused, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }},
		{"no question", soa(), false, dns.RcodeFormatError, func(m *dns.Msg) { m.Question = nil }},
		{"two questions", soa(), false, dns.RcodeFormatError, func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }},
		{"EDNS 1", soa(), false, dns.RcodeBadVers, func(m *dns.Msg) { m.SetEdns0(4096, false); m.IsEdns0().SetVersion(1) }},
		{"two OPT", soa(), false, dns.RcodeFormatError, func(m *dns.Msg) { m.SetEdns0(4096, false).SetEdns0(4096, false) }},
		{"AXFR by UDP", new(dns.Msg).SetAxfr("rpz.example."), false, dns.RcodeFormatError, nil},
		{"AXFR of a name", new(dns.Msg).SetAxfr("evil.example.rpz.example."), true, dns.RcodeNotAuth, nil},
		{"AXFR of another zone", new(dns.Msg).SetAxfr("example."), true, dns.RcodeRefused, nil},
		{"IXFR without serial", ixfr(), true, dns.RcodeFormatError, func(m *dns.Msg) { m.Ns = nil }},
		{"IXFR with two serials", ixfr(), true, dns.RcodeFormatError, func(m *dns.Msg) { m.Ns = append(m.Ns, m.Ns[0]) }},
		{"IXFR with another's serial", ixfr(), true, dns.RcodeFormatError, func(m *dns.Msg) { m.Ns[0].Header().Name = "example." }},
	} {
		if test.edit != nil {
			test.edit(test.m)
		}
		if a := ask(t, s, test.m, test.tcp); a.Rcode != test.want || a.Id != test.m.Id {
			t.Errorf("%s: %v", test.name, a)
		}
	}
	for _, garbage := range [][]byte{nil, {0}, make([]byte, 11), append(make([]byte, 2), 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0)} {
		if msgs, err := raw(s, garbage, false); len(msgs) > 0 || err == nil {
			t.Errorf("% x was answered: % x", garbage, msgs)
		}
	}
}

func TestIXFR(t *testing.T) {
	b := newBook("rpz.example.", 4294967290, many("a", 50)...)
	b.write(4294967295, append(many("a", 48), ".came.example")...) // and a48 is away for a while
	b.write(3, append(many("a", 49), "went.example")...)           // the serial has wrapped round
	b.write(5, append(many("a", 49), "went.example", "*.new.example")...)
	s := localServer(b)
	const soa = 1
	for _, test := range []struct {
		name    string
		serial  uint32
		kind    Kind
		records int
		removed []string
		added   []string
	}{
		{"all steps", 4294967290, Incremental, 4 + 4,
			[]string{"*.a49.example.rpz.example. CNAME .", "a49.example.rpz.example. CNAME ."},
			[]string{"*.new.example.rpz.example. CNAME .", "went.example.rpz.example. CNAME ."}},
		{"one step", 3, Incremental, 4 + 1, nil, []string{"*.new.example.rpz.example. CNAME ."}},
		{"current", 5, Current, soa, nil, nil},
		{"from the future", 6, Current, soa, nil, nil},
		{"far in the future", 5 + 1<<31 - 1, Current, soa, nil, nil},
		{"unknown", 1, Full, 3 + 100, nil, nil},
		{"neither before nor after", 5 + 1<<31, Full, 3 + 100, nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var served Handover
			s.Served = func(h Handover) { served = h }
			a := ask(t, s, new(dns.Msg).SetIxfr("rpz.example.", test.serial, ".", "."), true)
			if served.Kind != test.kind || served.Serial != 5 || served.Held != test.serial || !served.Told || len(a.Answer) != test.records {
				t.Errorf("%d records, %+v", len(a.Answer), served)
			}
			if test.kind == Incremental {
				removed, added := difference(t, a.Answer)
				if !slices.Equal(removed, test.removed) || !slices.Equal(added, test.added) {
					t.Errorf("removed %v, added %v", removed, added)
				}
			}
		})
	}
}

// TestIXFRLongWay sees that a client who is very far behind gets the zone.
func TestIXFRLongWay(t *testing.T) {
	b := newBook("rpz.example.", 1, many("a", 600)...)
	b.write(2, many("b", 600)...)
	b.write(3, many("c", 10)...)
	var served Handover
	s := localServer(b)
	s.Served = func(h Handover) { served = h }
	a := ask(t, s, new(dns.Msg).SetIxfr("rpz.example.", 1, ".", "."), true)
	if served.Kind != Full || len(a.Answer) != 3+20 {
		t.Errorf("%+v: %v", served, a)
	}
}

// TestIXFRGap sees that a history with a hole is not handed out.
func TestIXFRGap(t *testing.T) {
	for _, ds := range [][]Delta{
		{},
		{{From: 1, To: 2}, {From: 3, To: 4}},
		{{From: 2, To: 4}},
		{{From: 1, To: 3}},
	} {
		if d, ok := steps(&historian{newBook("rpz.example.", 4, "a.example").latest(), ds}, 1, 1000); ok {
			t.Errorf("%v became %v", ds, d)
		}
	}
}

type historian struct {
	Zone
	ds []Delta
}

func (h *historian) Since(uint32) ([]Delta, bool) { return h.ds, true }

func TestIXFRByUDP(t *testing.T) {
	b := newBook("rpz.example.", 1, many("a", 1000)...)
	b.write(2, many("a", 990)...)
	b.write(3, many("a", 900)...)
	s := localServer(b)
	served := 0
	s.Served = func(Handover) { served++ }
	for _, test := range []struct {
		serial  uint32
		edns    uint16
		records int
		served  int
	}{
		{2, 1232, 1, 0}, // too long: come by TCP
		{1, 1232, 1, 0},
		{7, 0, 1, 1},
		{0, 4096, 1, 0}, // unknown: the zone is too long
	} {
		served = 0
		m := new(dns.Msg).SetIxfr("rpz.example.", test.serial, ".", ".")
		if test.edns > 0 {
			m.SetEdns0(test.edns, false)
		}
		a := ask(t, s, m, false)
		if len(a.Answer) != test.records || a.Truncated || served != test.served || a.Answer[0].(*dns.SOA).Serial != 3 {
			t.Errorf("%+v: served %d, %v", test, served, a)
		}
	}
	b.write(4, many("a", 899)...)
	if a := ask(t, s, new(dns.Msg).SetIxfr("rpz.example.", 3, ".", "."), false); len(a.Answer) != 4+2 {
		t.Errorf("a small change did not go by UDP: %v", a)
	}
}

// TestTruncated sees that an answer that fits into no datagram says so.
func TestTruncated(t *testing.T) {
	b := newBook("rpz.example.", 1, "a.example")
	long := strings.Repeat(strings.Repeat("x", 60)+".", 4) + "example."
	b.terms = Terms{Primary: long, Contact: long}
	s := localServer(b)
	m := new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA)
	if a := ask(t, s, m, false); !a.Truncated || len(a.Answer) != 0 {
		t.Errorf("%v", a)
	}
	if a := ask(t, s, m, true); a.Truncated || len(a.Answer) != 1 {
		t.Errorf("%v", a)
	}
	if a := ask(t, s, m.SetEdns0(1232, false), false); a.Truncated || len(a.Answer) != 1 || a.IsEdns0() == nil || a.IsEdns0().UDPSize() != 1232 {
		t.Errorf("%v", a)
	}
}

// TestFullMessages sees that messages are filled to the last octet and no
// further, whatever must follow the records.
func TestFullMessages(t *testing.T) {
	b := newBook("rpz.example.", 1)
	s := localServer(b)
	const record = 2 + 12 + 1 + 20 // of the names below: CNAME "." with the apex as a pointer
	for pad := range record {
		version := map[string]Trigger{"\x01a" + string(rune(1+pad)) + strings.Repeat("a", 1+pad): Exact}
		for i := range 3000 {
			version[fmt.Sprintf("\x13%019d", i)] = Exact
		}
		b.versions[0] = version
		for _, edns := range []bool{false, true} {
			m := new(dns.Msg).SetAxfr("rpz.example.")
			if edns {
				m.SetEdns0(1232, false)
			}
			wire, err := m.Pack()
			if err != nil {
				t.Fatal(err)
			}
			msgs, err := raw(s, wire, true)
			if err != nil || len(msgs) != 2 || len(msgs[0]) < maxMessage-record {
				t.Fatalf("%d messages, %v", len(msgs), err)
			}
		}
	}
}

// TestUnfit sees that names that can't be sent aren't.
func TestUnfit(t *testing.T) {
	origin := "rpz.example." // 13 octets
	row := func(sizes ...int) string {
		var b strings.Builder
		for _, n := range sizes {
			b.WriteByte(byte(n))
			b.WriteString(strings.Repeat("a", n))
		}
		return b.String()
	}
	names := map[string]Trigger{
		row(63, 63, 63, 49):        Exact | Beneath, // 242 octets: alone it fits, with its "*" not
		row(63, 63, 63, 48):        Exact,           // fits
		row(63, 63, 63, 47):        Beneath,         // fits with its "*"
		row(63, 63, 63, 50):        Exact,
		"":                         Exact | Beneath,
		"\x00":                     Exact,
		"\x03abc\x00":              Exact,
		"\x05abc":                  Exact,
		"\x03abcd":                 Exact,
		"\x40" + row(63)[1:] + "a": Exact,
		"\xc0\x0c":                 Exact,
	}
	b := newBook(origin, 1)
	b.versions[0] = names
	a := ask(t, localServer(b), new(dns.Msg).SetAxfr(origin), true)
	got := cnames(a.Answer)
	if len(got) != 3 {
		t.Errorf("%d: %v", len(got), got)
	}
	var text strings.Builder
	if err := Text(&text, b.latest()); err != nil {
		t.Fatal(err)
	}
	if fromText := cnames(parseZone(t, text.String())); !slices.Equal(got, fromText) {
		t.Errorf("the text differs:\n%v\n%v", got, fromText)
	}
}

func TestTSIG(t *testing.T) {
	shelf := newShelf(newBook("rpz.example.", 7, many("evil", 5000)...))
	key := shelf.admit("hmac-sha256")
	now := time.Now()
	s := &Server{Zones: shelf, Keys: shelf, Now: func() time.Time { return now }}
	sign := func(m *dns.Msg, key Key, at time.Time) (wire []byte, mac string) {
		m.SetTsig(key.Name+".", key.Algorithm+".", 300, at.Unix())
		wire, mac, err := dns.TsigGenerate(m, key.secret64(), "", false)
		if err != nil {
			t.Fatal(err)
		}
		return wire, mac
	}
	ask := func(wire []byte) ([]byte, *dns.Msg) {
		t.Helper()
		msgs, err := raw(s, wire, false)
		if err != nil || len(msgs) != 1 {
			t.Fatalf("%d messages, %v", len(msgs), err)
		}
		a := new(dns.Msg)
		if err := a.Unpack(msgs[0]); err != nil {
			t.Fatal(err)
		}
		return msgs[0], a
	}
	soa := func() *dns.Msg { return new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA) }

	t.Run("good", func(t *testing.T) {
		wire, mac := sign(soa(), key, now)
		got, a := ask(wire)
		if a.Rcode != dns.RcodeSuccess || len(a.Answer) != 1 {
			t.Errorf("%v", a)
		}
		if err := dns.TsigVerify(got, key.secret64(), mac, false); err != nil {
			t.Error(err)
		}
	})
	t.Run("with EDNS", func(t *testing.T) {
		wire, mac := sign(soa().SetEdns0(1232, false), key, now)
		got, a := ask(wire)
		if a.IsEdns0() == nil {
			t.Errorf("%v", a)
		}
		if err := dns.TsigVerify(got, key.secret64(), mac, false); err != nil {
			t.Error(err)
		}
	})
	bad := key
	bad.Secret = []byte("guessed")
	stranger := key
	stranger.Name = "stranger"
	md5 := key
	md5.Algorithm = "hmac-sha1"
	for _, test := range []struct {
		name string
		key  Key
		at   time.Time
		edit func([]byte) []byte
		want uint16
	}{
		{"BADSIG", bad, now, nil, dns.RcodeBadSig},
		{"BADKEY by name", stranger, now, nil, dns.RcodeBadKey},
		{"BADKEY by algorithm", md5, now, nil, dns.RcodeBadKey},
		{"BADTIME", key, now.Add(-301 * time.Second), nil, dns.RcodeBadTime},
		{"BADTIME ahead", key, now.Add(301 * time.Second), nil, dns.RcodeBadTime},
		{"wrong secret and time", bad, now.Add(-time.Hour), nil, dns.RcodeBadSig},
		{"cut short", key, now, func(b []byte) []byte { // the MAC by one octet, and the lengths that count it
			end := len(b) - 6
			size := end - 32 - 2
			data := size - 8 - len("\x0bhmac-sha256\x00") - 2
			b[size+1]--
			b[data+1]--
			return append(b[:end-1], b[end:]...)
		}, badTrunc},
		{"altered", key, now, func(b []byte) []byte { b[2] ^= 1; return b }, dns.RcodeBadSig},
	} {
		t.Run(test.name, func(t *testing.T) {
			wire, mac := sign(soa(), test.key, test.at)
			if test.edit != nil {
				wire = test.edit(wire)
			}
			got, a := ask(wire)
			rr := a.IsTsig()
			if a.Rcode != dns.RcodeNotAuth || len(a.Answer) != 0 || rr == nil || rr.Error != test.want {
				t.Fatalf("%v", a)
			}
			if rr.TimeSigned != uint64(test.at.Unix()) {
				t.Errorf("the time asked for was not repeated: %v", rr)
			}
			if signed := test.want == dns.RcodeBadTime; signed != (rr.MACSize > 0) || signed != (rr.OtherLen == 6) {
				t.Errorf("signed %v: %v", !signed, rr)
			} else if signed {
				// The library refuses to verify NOTAUTH at all, so look with our own eyes.
				q, _ := parse(got)
				sl, _ := newSeal(key, func() time.Time { return test.at })
				sl.prior = unhex(t, mac)
				if !sl.covers(q) {
					t.Error("the answer's signature is wrong")
				}
			}
		})
	}
	t.Run("not last", func(t *testing.T) {
		m := soa()
		m.SetTsig(key.Name+".", key.Algorithm+".", 300, now.Unix())
		m.Extra = append(m.Extra, new(dns.Msg).SetEdns0(1232, false).Extra...)
		wire, err := m.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if _, a := ask(wire); a.Rcode != dns.RcodeFormatError {
			t.Errorf("%v", a)
		}
	})
}
