package rpz

// Tests against the programs that zones are for: dig, named and unbound.

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// dig returns what dig prints for a question to addr.
func dig(t *testing.T, addr netip.AddrPort, key *Key, args ...string) string {
	t.Helper()
	path := program(t, "dig")
	args = append([]string{"@" + addr.Addr().String(), "-p", fmt.Sprint(addr.Port()), "+time=5", "+tries=1"}, args...)
	if key != nil {
		args = append([]string{"-y", key.Algorithm + ":" + key.Name + ":" + key.secret64()}, args...)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, _ := cmd.CombinedOutput() // its status says no more than its words
	return string(out)
}

var tsigLine = regexp.MustCompile(`(?m)^.*\sTSIG\s.*$`)

// parseZone reads what dig or Text wrote.
func parseZone(t *testing.T, text string) []dns.RR {
	t.Helper()
	text = tsigLine.ReplaceAllString(text, "") // dig prints them, nobody reads them
	var rrs []dns.RR
	zp := dns.NewZoneParser(strings.NewReader(text), ".", "")
	for rr, ok := zp.Next(); ok; rr, ok = zp.Next() {
		rrs = append(rrs, rr)
	}
	if err := zp.Err(); err != nil {
		t.Fatalf("%v in:\n%.2000s", err, text)
	}
	return rrs
}

func TestDig(t *testing.T) {
	b := newBook("rpz.example.", 41, many("old", 3000)...)
	b.write(42, append(many("old", 2990), "new.example", "*.wild.example")...)
	shelf := newShelf(b)
	good := shelf.admit("hmac-sha512")
	addr := start(t, &Server{Zones: shelf, Keys: shelf})
	z := b.latest()

	t.Run("AXFR", func(t *testing.T) {
		out := dig(t, addr, &good, "rpz.example", "AXFR", "+onesoa")
		if strings.Contains(out, "verify") || strings.Contains(out, "WARNING") || strings.Count(out, "NOERROR") != 3 { // TSIG of three messages
			t.Errorf("dig is not content with the signatures: %s", out[max(0, len(out)-1000):])
		}
		got := cnames(parseZone(t, out))
		if want := records(z); !slices.Equal(got, want) {
			t.Errorf("%d records, want %d", len(got), len(want))
		}
	})
	t.Run("IXFR", func(t *testing.T) {
		rrs := parseZone(t, dig(t, addr, &good, "rpz.example", "IXFR=41"))
		removed, added := difference(t, rrs)
		if len(removed) != 20 || !slices.Equal(added, []string{"*.wild.example.rpz.example. CNAME .", "new.example.rpz.example. CNAME ."}) {
			t.Errorf("removed %v, added %v", removed, added)
		}
	})
	t.Run("IXFR when current", func(t *testing.T) {
		if rrs := parseZone(t, dig(t, addr, &good, "rpz.example", "IXFR=42")); len(rrs) != 1 {
			t.Errorf("%d records, want the SOA alone", len(rrs))
		}
	})
	t.Run("a name", func(t *testing.T) {
		for _, name := range []string{"new.example", "x.y.wild.example", "old7.example"} {
			out := dig(t, addr, &good, name+".rpz.example")
			if !strings.Contains(out, "status: NOERROR") || !strings.Contains(out, "CNAME\t.") || !strings.Contains(out, "flags: qr aa") {
				t.Errorf("%s: %s", name, out)
			}
		}
	})

	bad := good
	bad.Secret = []byte("guessed")
	unknown := good
	unknown.Name = "stranger"
	other := good
	other.Algorithm = "hmac-sha256"
	for _, refused := range []struct {
		why  string
		key  *Key
		want string
	}{
		{"wrong secret", &bad, "BADSIG"},
		{"unknown key", &unknown, "BADKEY"},
		{"wrong algorithm", &other, "BADKEY"},
		{"no key", nil, "Transfer failed"},
	} {
		t.Run(refused.why, func(t *testing.T) {
			out := dig(t, addr, refused.key, "rpz.example", "AXFR")
			if strings.Contains(out, "CNAME") || !strings.Contains(out, refused.want) {
				t.Errorf("want %s: %s", refused.want, out)
			}
		})
	}
}

// difference reads an incremental answer of one step.
func difference(t *testing.T, rrs []dns.RR) (removed, added []string) {
	t.Helper()
	var parts [][]dns.RR // what follows each SOA
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeSOA {
			parts = append(parts, nil)
		} else {
			parts[len(parts)-1] = append(parts[len(parts)-1], rr)
		}
	}
	if len(parts) != 4 || parts[0] != nil || parts[3] != nil {
		t.Fatalf("not one step: %v", rrs)
	}
	return cnames(parts[1]), cnames(parts[2])
}

// resolver runs a program on a configuration until the test ends.
func resolver(t testing.TB, path string, args ...string) {
	t.Helper()
	var log bytes.Buffer
	// Not the test's context: that ends only after the cleanups have begun.
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s says:\n%s", filepath.Base(path), log.Bytes())
		}
	})
}

// freePort is one that nobody listens on.
func freePort(t testing.TB) netip.AddrPort {
	udp, tcp := listen(t)
	defer udp.Close()
	defer tcp.Close()
	return tcp.Addr().(*net.TCPAddr).AddrPort()
}

func file(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func config(t testing.TB, resolver string, s Setup) string {
	t.Helper()
	var b strings.Builder
	if err := Config(&b, resolver, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// eventually asks until the answer fits.
func eventually(t testing.TB, what string, addr netip.AddrPort, name string, kind uint16, fits func(*dns.Msg) bool) {
	t.Helper()
	var last any
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		m, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion(name, kind), addr.String())
		if err == nil && fits(m) {
			return
		}
		last = fmt.Sprint(m, err)
		<-time.After(20 * time.Millisecond) // before it listens, it refuses at once
	}
	t.Fatalf("%s: %v", what, last)
}

func serialIs(serial uint32) func(*dns.Msg) bool {
	return func(m *dns.Msg) bool {
		if len(m.Answer) != 1 {
			return false
		}
		soa, ok := m.Answer[0].(*dns.SOA)
		return ok && soa.Serial == serial
	}
}

func blocked(m *dns.Msg) bool { return m.Rcode == dns.RcodeNameError }

// exchange is a primary with a notifier, and what it hands over.
type exchange struct {
	*shelf
	addr     netip.AddrPort
	served   chan Handover
	heard    chan Notice
	notifier *Notifier
}

func newExchange(t testing.TB, shelf *shelf) *exchange {
	x := &exchange{shelf: shelf, served: make(chan Handover, 100), heard: make(chan Notice, 100)}
	x.addr = start(t, &Server{Zones: x, Keys: x, Served: func(h Handover) { x.served <- h }})
	x.notifier = &Notifier{Keys: x, Local: netip.MustParseAddr("127.0.0.1"), Heard: func(n Notice) { x.heard <- n }}
	done := make(chan bool)
	go func() { x.notifier.Run(t.Context()); close(done) }()
	t.Cleanup(func() { <-done })
	return x
}

// next returns the next handover of a zone.
func (x *exchange) next(t testing.TB, origin string, kind Kind) Handover {
	t.Helper()
	for {
		if h := within(t, x.served); h.Origin == origin && h.Kind == kind {
			return h
		}
	}
}

func TestNamed(t *testing.T) {
	named := program(t, "named")
	hot := newBook("hot.rpz.example.", 7, "early.example")
	base := newBook("base.rpz.example.", 7, many("evil", 2000)...)
	at := freePort(t)
	shelf := newShelf(hot, base)
	key := shelf.admit("hmac-sha256")
	shelf.subs[0].Notify = []netip.AddrPort{at}
	x := newExchange(t, shelf)

	dir := t.TempDir()
	setup := Setup{Primary: x.addr, Key: &key, Zones: []Offer{{Origin: "base.rpz.example."}, {Origin: "hot.rpz.example.", Hot: true}}}
	zones := config(t, "bind", setup)
	// For the test to look: what it has must be what we have.
	zones = strings.ReplaceAll(zones, "allow-transfer { none; }", "allow-transfer { localhost; }")
	// It must never ask the world: our server refuses what it forwards.
	conf := file(t, dir, "named.conf", fmt.Sprintf(`options {
		directory %q; pid-file none; session-keyfile none; recursion yes; dnssec-validation no;
		listen-on port %d { 127.0.0.1; }; listen-on-v6 { none; };
		forwarders { 127.0.0.1 port %d; }; forward only;
		include %q;
	};
	controls {};
	include %q;`, dir, at.Port(), x.addr.Port(),
		file(t, dir, "options.conf", config(t, "bind-options", setup)), file(t, dir, "zones.conf", zones)))
	if out, err := exec.Command(program(t, "named-checkconf"), conf).CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("named-checkconf: %v %s", err, out)
	}
	resolver(t, named, "-g", "-c", conf)

	x.next(t, "base.rpz.example.", Full)
	eventually(t, "zone not loaded", at, "base.rpz.example.", dns.TypeSOA, serialIs(7))
	eventually(t, "name not blocked", at, "evil7.example.", dns.TypeA, blocked)
	eventually(t, "name beneath not blocked", at, "www.evil7.example.", dns.TypeA, blocked)

	base.write(8, append(many("evil", 1990), "new.example")...)
	x.notifier.Tell(x.subs[0], "base.rpz.example.", 8)
	if n := within(t, x.heard); n.Answered != 8 || n.Err != nil {
		t.Errorf("notify: %+v", n)
	}
	h := x.next(t, "base.rpz.example.", Incremental)
	if h.Held != 7 || h.Serial != 8 || h.Subscriber.Name != key.Name || h.Peer.Key != key.Name {
		t.Errorf("handed over %+v", h)
	}
	eventually(t, "change not taken", at, "base.rpz.example.", dns.TypeSOA, serialIs(8))
	got := cnames(parseZone(t, dig(t, at, nil, "base.rpz.example", "AXFR", "+onesoa")))
	if want := records(base.latest()); !slices.Equal(got, want) {
		t.Errorf("named has %d records, want %d", len(got), len(want))
	}

	hot.write(8, "early.example", "fresh.example")
	x.notifier.Tell(x.subs[0], "hot.rpz.example.", 8)
	eventually(t, "hot name not blocked", at, "fresh.example.", dns.TypeA, blocked)
	hot.write(9, "early.example")
	x.notifier.Tell(x.subs[0], "hot.rpz.example.", 9)
	eventually(t, "withdrawn name still blocked", at, "fresh.example.", dns.TypeA, func(m *dns.Msg) bool { return !blocked(m) })
}

func TestUnbound(t *testing.T) {
	hot := newBook("hot.rpz.example.", 7, ".early.example")
	base := newBook("base.rpz.example.", 7, many("evil", 2000)...)
	at := freePort(t)
	shelf := newShelf(hot, base)
	shelf.admitLocal()
	shelf.subs[0].Notify = []netip.AddrPort{at}
	x := newExchange(t, shelf)

	startUnbound(t, x, at)

	eventually(t, "name not blocked", at, "www.evil7.example.", dns.TypeA, blocked)
	eventually(t, "name not blocked", at, "early.example.", dns.TypeA, blocked)
	hot.write(8, ".early.example", "fresh.example")
	x.notifier.Tell(x.subs[0], "hot.rpz.example.", 8)
	if h := x.next(t, "hot.rpz.example.", Incremental); h.Held != 7 || h.Serial != 8 || h.Subscriber.Name != "local" {
		t.Errorf("handed over %+v", h)
	}
	eventually(t, "change not taken", at, "fresh.example.", dns.TypeA, blocked)
	hot.write(9, ".early.example")
	x.notifier.Tell(x.subs[0], "hot.rpz.example.", 9)
	eventually(t, "withdrawn name still blocked", at, "fresh.example.", dns.TypeA, func(m *dns.Msg) bool { return !blocked(m) })
}

// startUnbound runs Unbound at an address with what we tell its owners to
// write. It must never ask the world: our server refuses what it forwards.
func startUnbound(t testing.TB, x *exchange, at netip.AddrPort) {
	unbound := program(t, "unbound")
	dir := t.TempDir()
	setup := Setup{Primary: x.addr, Zones: []Offer{{Origin: "base.rpz.example."}, {Origin: "hot.rpz.example.", Hot: true}}}
	conf := file(t, dir, "unbound.conf", fmt.Sprintf(`server:
	directory: %q
	chroot: ""
	username: ""
	pidfile: ""
	use-syslog: no
	do-daemonize: no
	interface: 127.0.0.1@%d
	do-not-query-localhost: no
forward-zone:
	name: "."
	forward-addr: 127.0.0.1@%d
include: %q
`, dir, at.Port(), x.addr.Port(), file(t, dir, "rpz.conf", config(t, "unbound", setup))))
	if out, err := exec.Command(program(t, "unbound-checkconf"), conf).CombinedOutput(); err != nil {
		t.Fatalf("unbound-checkconf: %v %s", err, out)
	}
	resolver(t, unbound, "-d", "-c", conf)
}
