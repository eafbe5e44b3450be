package lab_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"tocsin/internal/lab"
)

// A policy is a response policy zone and its primary, as small as they go: it
// answers SOA, AXFR and IXFR, and sends NOTIFY. It stands in for the product,
// so that the lab can be tested alone.
type policy struct {
	zone, addr string

	mu     sync.Mutex
	serial uint32
	names  []string
	steps  []step // steps[i] leads from serial i+1 to i+2
	served []string
}

// A step is one change of the zone.
type step struct{ added, removed []string }

// startPolicy serves a zone of names at serial 1.
func startPolicy(tb testing.TB, names ...string) *policy {
	p := &policy{zone: "block.rpz.", addr: fmt.Sprintf("127.0.0.1:%d", lab.Port(tb)), serial: 1, names: names}
	for _, network := range []string{"udp", "tcp"} {
		s := &dns.Server{Addr: p.addr, Net: network, Handler: p}
		started, ended := make(chan struct{}), make(chan error, 1)
		s.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- s.ListenAndServe() }()
		select {
		case <-started:
		case err := <-ended:
			tb.Fatal(err)
		}
		tb.Cleanup(func() { s.Shutdown(); <-ended })
	}
	return p
}

// change adds and removes names and tells the servers.
func (p *policy) change(tb testing.TB, s step, servers ...string) {
	tb.Helper()
	p.mu.Lock()
	p.names = slices.DeleteFunc(p.names, func(name string) bool { return slices.Contains(s.removed, name) })
	p.names = append(p.names, s.added...)
	p.steps = append(p.steps, s)
	p.serial++
	p.mu.Unlock()
	for _, server := range servers {
		p.notify(tb, server)
	}
}

func (p *policy) notify(tb testing.TB, server string) {
	tb.Helper()
	m := new(dns.Msg).SetNotify(p.zone)
	p.mu.Lock()
	m.Answer = []dns.RR{p.soa(p.serial)}
	p.mu.Unlock()
	r, err := dns.ExchangeContext(context.Background(), m, server)
	if err != nil || r.Rcode != dns.RcodeSuccess {
		tb.Fatalf("notify %s: %v %v", server, r, err)
	}
}

// log returns what was served, in order: "SOA", "AXFR", "IXFR 1-2", "IXFR none".
func (p *policy) log() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.served)
}

func (p *policy) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, udp := w.RemoteAddr().(*net.UDPAddr)
	m := new(dns.Msg).SetReply(q)
	m.Authoritative = true
	qtype, kind := q.Question[0].Qtype, dns.TypeToString[q.Question[0].Qtype]
	switch {
	case qtype == dns.TypeAXFR && !udp:
		m.Answer = p.whole()
	case qtype == dns.TypeIXFR && !udp:
		if m.Answer, kind = p.since(q); len(m.Answer) > 1 {
			break
		}
		fallthrough
	case qtype == dns.TypeSOA || qtype == dns.TypeIXFR:
		m.Answer = []dns.RR{p.soa(p.serial)}
	case qtype == dns.TypeNS:
		m.Answer = []dns.RR{p.ns()}
	}
	p.served = append(p.served, kind)
	w.WriteMsg(m)
}

func (p *policy) whole() []dns.RR {
	rrs := []dns.RR{p.soa(p.serial), p.ns()}
	for _, name := range p.names {
		rrs = append(rrs, p.rule(name))
	}
	return append(rrs, p.soa(p.serial))
}

// since answers an IXFR from the journal (RFC 1995).
func (p *policy) since(q *dns.Msg) (rrs []dns.RR, kind string) {
	have := q.Ns[0].(*dns.SOA).Serial
	switch {
	case have == p.serial:
		return nil, "IXFR none"
	case have < 1 || have > p.serial:
		return p.whole(), "IXFR full"
	}
	rrs = []dns.RR{p.soa(p.serial)}
	for serial := have; serial < p.serial; serial++ {
		s := p.steps[serial-1]
		rrs = append(rrs, p.soa(serial))
		for _, name := range s.removed {
			rrs = append(rrs, p.rule(name))
		}
		rrs = append(rrs, p.soa(serial+1))
		for _, name := range s.added {
			rrs = append(rrs, p.rule(name))
		}
	}
	return append(rrs, p.soa(p.serial)), fmt.Sprintf("IXFR %d-%d", have, p.serial)
}

func (p *policy) soa(serial uint32) dns.RR {
	return &dns.SOA{Hdr: p.header(p.zone, dns.TypeSOA), Ns: "localhost.", Mbox: "root.localhost.",
		Serial: serial, Refresh: 3600, Retry: 60, Expire: 86400, Minttl: 60}
}

func (p *policy) ns() dns.RR {
	return &dns.NS{Hdr: p.header(p.zone, dns.TypeNS), Ns: "localhost."}
}

func (p *policy) rule(name string) dns.RR {
	return &dns.CNAME{Hdr: p.header(name+"."+p.zone, dns.TypeCNAME), Target: "."}
}

func (p *policy) header(name string, rrtype uint16) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rrtype, Class: dns.ClassINET, Ttl: 60}
}

// unbound, bind and knot are what a subscriber configures.
func (p *policy) unbound() string {
	return fmt.Sprintf(`server:
	module-config: "respip validator iterator"
rpz:
	name: %q
	primary: %s
	rpz-log: yes
`, p.zone, strings.Replace(p.addr, ":", "@", 1))
}

// BIND paces its SOA queries: at the default serial-query-rate of 20, a change
// that comes soon after another waits for up to half a second. And it gathers
// changes of a policy zone for a minute, unless told not to.
func (p *policy) bind() lab.Config {
	host, port, _ := net.SplitHostPort(p.addr)
	return lab.Config{
		Options: fmt.Sprintf(`serial-query-rate 1000; response-policy { zone %q; } min-update-interval 0;`, p.zone),
		Zones: fmt.Sprintf(`zone %q { type secondary; primaries { %s port %s; }; file "block.rpz.db"; };`,
			p.zone, host, port),
	}
}

func (p *policy) knot() string {
	return fmt.Sprintf(`remote:
  - id: primary
    address: %s
acl:
  - id: notify
    address: 127.0.0.1
    action: notify
zone:
  - domain: %s
    master: primary
    acl: notify
`, strings.Replace(p.addr, ":", "@", 1), p.zone)
}

func (p *policy) nsd() string {
	return fmt.Sprintf(`zone:
	name: %q
	request-xfr: %s NOKEY
	allow-notify: 127.0.0.1 NOKEY
`, p.zone, strings.Replace(p.addr, ":", "@", 1))
}
