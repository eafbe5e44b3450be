package lab

import (
	"hash/fnv"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// A Root plays the DNS root and everything beneath it: it is authoritative for
// all names and never refers to another server. Every name of two labels or
// more exists and has the addresses that [Address] and [Address6] tell; every
// zone (the last two labels) has one name server beneath it. There are no
// other records, and no DNSSEC.
//
// There is no root hints file, for hints can't name a port: resolvers are
// given Root as a stub or a forwarder for ".".
type Root struct {
	addr string

	mu    sync.Mutex
	asked map[string]int
	local map[string]bool
}

// rootTTL is long, so that a resolver that answers a blocked name from its
// cache is caught doing so.
const rootTTL = 3600

// StartRoot starts a root that lives as long as the test.
func StartRoot(tb testing.TB) *Root {
	tb.Helper()
	udp, tcp := listen(tb)
	r := &Root{addr: tcp.Addr().String(), asked: make(map[string]int), local: make(map[string]bool)}
	serve(tb, udp, tcp, r)
	return r
}

// Addr returns the host and port of the root.
func (r *Root) Addr() string { return r.addr }

// Local makes a name that of this machine: 127.0.0.1, for programs that look for a
// server of the test by its name.
func (r *Root) Local(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.local[dns.CanonicalName(name)] = true
}

// Queries returns how often a name was asked for, whatever the type.
func (r *Root) Queries(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[dns.CanonicalName(name)]
}

// Address returns the IPv4 address of a name: always the same one of 192.0.2.0/24.
func Address(name string) netip.Addr {
	return netip.AddrFrom4([4]byte{192, 0, 2, byte(1 + sum(name)%254)})
}

// Address6 returns the IPv6 address of a name: always the same one of 2001:db8::/32.
func Address6(name string) netip.Addr {
	n := sum(name)
	return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 12: byte(n >> 24), 13: byte(n >> 16), 14: byte(n >> 8), 15: byte(n)})
}

func sum(name string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(dns.CanonicalName(name)))
	return h.Sum32()
}

// ServeDNS answers one query.
func (r *Root) ServeDNS(w dns.ResponseWriter, query *dns.Msg) {
	m := new(dns.Msg).SetReply(query)
	m.Authoritative = true
	if len(query.Question) != 1 {
		m.Rcode = dns.RcodeFormatError
		w.WriteMsg(m)
		return
	}
	q := query.Question[0]
	r.mu.Lock()
	r.asked[dns.CanonicalName(q.Name)]++
	local := r.local[dns.CanonicalName(q.Name)]
	r.mu.Unlock()
	if rr := record(q); rr != nil && !(local && q.Qtype == dns.TypeAAAA) {
		if a, ok := rr.(*dns.A); ok && local {
			a.A = net.IPv4(127, 0, 0, 1)
		}
		m.Answer = append(m.Answer, rr)
	} else {
		m.Ns = append(m.Ns, soa(zone(q.Name)))
	}
	w.WriteMsg(m)
}

// record returns the one record that answers a question, or nil.
func record(q dns.Question) dns.RR {
	h := dns.RR_Header{Name: q.Name, Rrtype: q.Qtype, Class: dns.ClassINET, Ttl: rootTTL}
	apex := dns.CanonicalName(q.Name) == zone(q.Name)
	host := dns.CountLabel(q.Name) >= 2
	switch {
	case q.Qclass != dns.ClassINET:
	case q.Qtype == dns.TypeA && host:
		return &dns.A{Hdr: h, A: Address(q.Name).AsSlice()}
	case q.Qtype == dns.TypeAAAA && host:
		return &dns.AAAA{Hdr: h, AAAA: Address6(q.Name).AsSlice()}
	case q.Qtype == dns.TypeNS && apex:
		return &dns.NS{Hdr: h, Ns: server(q.Name)}
	case q.Qtype == dns.TypeSOA && apex:
		return soa(q.Name)
	}
	return nil
}

// zone returns the last two labels of a name.
func zone(name string) string {
	labels := dns.SplitDomainName(dns.CanonicalName(name))
	return dns.Fqdn(strings.Join(labels[max(0, len(labels)-2):], "."))
}

// server names the name server of a zone. The root's and a top-level domain's
// own need two labels to have an address.
func server(zone string) string {
	if zone = dns.CanonicalName(zone); zone == "." {
		return "ns.root."
	}
	return "ns." + zone
}

func soa(zone string) *dns.SOA {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: rootTTL},
		Ns:  server(zone), Mbox: "hostmaster." + strings.TrimPrefix(server(zone), "ns."),
		Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: 1,
	}
}

// serve answers DNS on both sockets until the test ends.
func serve(tb testing.TB, udp net.PacketConn, tcp net.Listener, h dns.Handler) {
	tb.Helper()
	for _, s := range []*dns.Server{{PacketConn: udp, Handler: h}, {Listener: tcp, Handler: h}} {
		started, ended := make(chan struct{}), make(chan error, 1)
		s.NotifyStartedFunc = func() { close(started) }
		go func() { ended <- s.ActivateAndServe() }()
		select {
		case <-started:
		case err := <-ended:
			tb.Fatalf("serve DNS on %v: %v", tcp.Addr(), err)
		}
		tb.Cleanup(func() {
			s.Shutdown()
			<-ended
		})
	}
}
