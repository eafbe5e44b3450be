package lab_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"tocsin/internal/lab"
)

// resolvers are the real ones that the lab knows, each with a subscription.
var resolvers = []struct {
	name  string
	start func(testing.TB, *lab.Root, *policy) *lab.Resolver
}{
	{"unbound", func(tb testing.TB, root *lab.Root, p *policy) *lab.Resolver {
		return lab.StartUnbound(tb, root, p.unbound())
	}},
	{"bind", func(tb testing.TB, root *lab.Root, p *policy) *lab.Resolver {
		return lab.StartBIND(tb, root, p.bind())
	}},
}

// The story that everything here exists for: a name is shared and resolvers
// block it; it is withdrawn and they answer again. The resolver has the name's
// address in its cache all the while: policy goes before the cache.
func TestShareBlocksAndUnshareAnswers(t *testing.T) {
	const canary = "canary.threat-lab.net"
	for _, rr := range resolvers {
		t.Run(rr.name, func(t *testing.T) {
			root := lab.StartRoot(t)
			p := startPolicy(t, canary)
			r := rr.start(t, root, p)
			t.Log("zone loaded after", r.WaitBlocked(t, canary))

			for i := range 4 {
				name := fmt.Sprintf("evil-%d.threat-lab.net", i%2)
				r.WaitAnswers(t, name)
				p.change(t, step{added: []string{name}}, r.Addr())
				blocked := r.WaitBlocked(t, name)
				p.change(t, step{removed: []string{name}}, r.Addr())
				answers := r.WaitAnswers(t, name)
				t.Logf("%s blocked after %v, answers again after %v", name, blocked, answers)
			}

			a, err := r.Lookup(t.Context(), canary)
			if err != nil || a.Rcode != dns.RcodeNameError {
				t.Errorf("%v, %v; want NXDOMAIN: the canary was listed all the time", a, err)
			}
			for i := range 2 {
				name := fmt.Sprintf("evil-%d.threat-lab.net", i)
				if n := root.Queries(name); n != 1 {
					t.Errorf("root was asked %d times for %s; want once, and the cache after that", n, name)
				}
			}
			t.Log("the primary served", p.log())
		})
	}
}

// What a resolver misses while its NOTIFY is lost, it fetches with the next.
func TestResolverCatchesUp(t *testing.T) {
	for _, rr := range resolvers {
		t.Run(rr.name, func(t *testing.T) {
			p := startPolicy(t, "first.threat-lab.net")
			r := rr.start(t, lab.StartRoot(t), p)
			r.WaitBlocked(t, "first.threat-lab.net")
			p.change(t, step{added: []string{"second.threat-lab.net"}})
			p.change(t, step{removed: []string{"first.threat-lab.net"}})
			p.change(t, step{added: []string{"third.threat-lab.net"}}, r.Addr())
			r.WaitBlocked(t, "third.threat-lab.net")
			r.WaitBlocked(t, "second.threat-lab.net")
			r.WaitAnswers(t, "first.threat-lab.net")
			if served := p.log(); !slices.Contains(served, "IXFR 1-4") {
				t.Errorf("the primary served %q; want one IXFR from 1 to 4", served)
			}
		})
	}
}

// Names for tests must be ones that resolvers send out to their root. Unbound
// keeps test, invalid, onion, localhost and home.arpa to itself (RFC 6761, RFC
// 7686, RFC 8375) unless told otherwise; PowerDNS only localhost; the others resolve them all.
func TestResolverAnswersWithoutPolicy(t *testing.T) {
	special := []string{"evil.test", "evil.invalid", "evil.onion", "evil.localhost", "evil.home.arpa"}
	names := []string{"www.threat-lab.net", "evil.example", "evil.example.org", "www.bad.co.uk"}
	for _, rr := range []struct {
		name  string
		start func(testing.TB, *lab.Root) *lab.Resolver
		keeps []string
	}{
		{"powerdns", func(tb testing.TB, root *lab.Root) *lab.Resolver { return lab.StartPowerDNS(tb, root, lab.Config{}) }, special[3:4]},
		{"kresd", func(tb testing.TB, root *lab.Root) *lab.Resolver { return lab.StartKresd(tb, root, "") }, nil},
		{"dnsmasq", func(tb testing.TB, root *lab.Root) *lab.Resolver { return lab.StartDnsmasq(tb, root, "") }, nil},
		{"unbound", func(tb testing.TB, root *lab.Root) *lab.Resolver { return lab.StartUnbound(tb, root, "") }, special},
		{"bind", func(tb testing.TB, root *lab.Root) *lab.Resolver { return lab.StartBIND(tb, root, lab.Config{}) }, nil},
	} {
		t.Run(rr.name, func(t *testing.T) {
			root := lab.StartRoot(t)
			r := rr.start(t, root)
			for _, name := range names {
				a, err := r.Lookup(t.Context(), name)
				if err != nil || !a.Honest() || !slices.Equal(a.Addrs, []netip.Addr{lab.Address(name)}) {
					t.Errorf("%v, %v; want %v", a, err, lab.Address(name))
				}
				a, err = r.Ask(t.Context(), name, dns.TypeAAAA)
				if err != nil || !a.Honest() || !slices.Equal(a.Addrs, []netip.Addr{lab.Address6(name)}) {
					t.Errorf("%v, %v; want %v", a, err, lab.Address6(name))
				}
			}
			for _, name := range special {
				a, err := r.Lookup(t.Context(), name)
				if kept := err == nil && !a.Honest(); kept != slices.Contains(rr.keeps, name) {
					t.Errorf("%v, %v; kept to itself: %v, want %v", a, err, kept, rr.keeps)
				}
			}
		})
	}
}

// BIND keeps less to itself than a subscriber would think, unless its
// configuration says so. A resolver's clients can read and transfer the policy
// zone, and a listed name's own servers are asked about it before it is
// blocked, which tells their owner that somebody looked.
func TestBINDTellsUnlessForbidden(t *testing.T) {
	for _, c := range []struct {
		name    string
		forbid  bool
		rcode   int
		queries int
	}{
		{"by default", false, dns.RcodeSuccess, 1},
		{"forbidden", true, dns.RcodeRefused, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := lab.StartRoot(t)
			p := startPolicy(t, "evil.example")
			config := p.bind()
			if c.forbid {
				config.Options = strings.Replace(config.Options, "}", "} qname-wait-recurse no", 1)
				config.Zones = strings.Replace(config.Zones, "{", "{ allow-query { none; }; allow-transfer { none; };", 1)
			}
			r := lab.StartBIND(t, root, config)
			r.WaitBlocked(t, "evil.example")
			p.change(t, step{added: []string{"worse.example", "evil.example.org"}}, r.Addr())
			r.WaitBlocked(t, "evil.example.org")

			if a, err := r.Lookup(t.Context(), "worse.example"); err != nil || !a.Blocked() {
				t.Errorf("%v, %v; want it blocked", a, err)
			}
			if n := root.Queries("worse.example"); n != c.queries {
				t.Errorf("root was asked %d times about a listed name, want %d", n, c.queries)
			}
			if a, err := r.Ask(t.Context(), "worse.example.block.rpz", dns.TypeCNAME); err != nil || a.Rcode != c.rcode {
				t.Errorf("a client's question for the rule: %v, %v; want %s", a, err, dns.RcodeToString[c.rcode])
			}
			transfer := &dns.Client{Net: "tcp"}
			m, _, err := transfer.ExchangeContext(t.Context(), new(dns.Msg).SetAxfr(p.zone), r.Addr())
			if err != nil || m.Rcode != c.rcode {
				t.Errorf("a client's transfer of the zone: %v, %v; want %s", m, err, dns.RcodeToString[c.rcode])
			}
		})
	}
}
