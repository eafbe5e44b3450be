package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/internal/lab"
	"tocsin/rpz"
	"tocsin/store"
)

// claims shares values of any types in one event of the collection drop.
func (w *world) claims(values ...string) {
	w.t.Helper()
	var as []any
	for i := 0; i < len(values); i += 2 {
		as = append(as, map[string]any{"type": values[i], "category": "Network activity", "value": values[i+1], "to_ids": true})
	}
	w.must("telco", "POST", "/events/add", map[string]any{"Event": map[string]any{"info": "claims", "distribution": 1, "published": true,
		"Attribute": as, "Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}})
	w.settle()
}

// everyKind is a collection with a zone of every kind.
func everyKind() tocsin.Collection {
	return tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example", IPZone: "ip.rpz.example", NSZone: "ns.rpz.example"}
}

// TestEveryTrigger has real resolvers block by name and by an address in the
// answer, and BIND also by a name server's name and address: Unbound asks one
// server for everything here and has no name for it. BIND drops a record of an
// address that is not written as it would write it, and must have dropped none.
func TestEveryTrigger(t *testing.T) {
	const honest = "honest.threat-lab.net"
	address, server := lab.Address("by-address.threat-lab.net"), lab.Address("ns.by-server-address.net")
	for _, other := range []string{honest, "ns.threat-lab.net", "ns.net", "ns.root"} {
		if a := lab.Address(other); a == address || a == server {
			t.Fatalf("%s has an address that is to be blocked", other)
		}
	}
	for name, resolver := range map[string]func(*testing.T, *world, *lab.Root, int64) *lab.Resolver{"Unbound": unbound, "BIND": bind} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "telco", "provider")
			c := w.collection(everyKind())
			w.settle()
			w.claims("domain", "canary.threat-lab.net", "ip-dst", address.String(), "hostname", "ns.by-server.net", "ip-dst", server.String())
			w.claims(awkward()...)
			r := resolver(t, w, lab.StartRoot(t), c)
			r.WaitBlocked(t, "canary.threat-lab.net")
			r.WaitBlocked(t, "by-address.threat-lab.net")
			if a, err := r.Lookup(t.Context(), honest); err != nil || !a.Honest() {
				t.Errorf("what nobody claims: %+v, %v", a, err)
			}
			if name == "BIND" {
				nameServers(t, r)
				for line := range strings.Lines(r.Log()) {
					if strings.Contains(line, "rpz IP address") {
						t.Errorf("BIND drops a record: %s", line)
					}
				}
			}
			for _, o := range []string{"ip.rpz.example", "ns.rpz.example"} {
				w.checkZone(o, w.sub(strings.ToLower(name)))
			}
			w.must("telco", "POST", "/attributes/delete/"+w.attribute("telco", address.String()), nil)
			r.WaitAnswers(t, "by-address.threat-lab.net")
		})
	}
}

// nameServers has BIND block what a name server serves. One that only forwards,
// as in the lab, acts on those name servers that it happens to know.
func nameServers(t *testing.T, r *lab.Resolver) {
	t.Helper()
	for _, zone := range []string{"by-server.net", "by-server-address.net"} {
		if _, err := r.Ask(t.Context(), zone, dns.TypeNS); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Lookup(t.Context(), "ns."+zone); err != nil {
			t.Fatal(err)
		}
		r.WaitBlocked(t, "www."+zone)
	}
	r.WaitLog(t, "rpz NSDNAME NXDOMAIN rewrite www.by-server.net/A/IN via ns.by-server.net.rpz-nsdname.ns.rpz.example")
	r.WaitLog(t, "rpz NSIP NXDOMAIN rewrite www.by-server-address.net/A/IN via 32.")
	for _, o := range []string{"ip.rpz.example", "ns.rpz.example"} {
		r.WaitLog(t, fmt.Sprintf("rpz: %s: reload done", o))
	}
}

// awkward are networks in every form that BIND is particular about, and some
// hundred more by chance.
func awkward() (claims []string) {
	for _, text := range []string{"203.0.113.0/25", "198.51.100.77/28", "2001:db8:ffff::/48", "2001:db8:0:1:1:1:1:1", "2001:db8:0:0:1:0:0:1", "2001:db8:1:0:0:1:0:0",
		"2001:db8:1:1:1:1:1:0", "2001:db8:1:2:3:4:5:6", "2001:db8:8000::/33", "2001:0:0:1:0:0:1:1", "2001:2::/48", "64:ff9b::/96", "2001:db8:f00::1:0:0:1"} {
		claims = append(claims, "ip-dst", text)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for range 400 {
		a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
		for i := 4; i < 16; i += 2 {
			if rnd.IntN(2) == 0 {
				a[i], a[i+1] = byte(rnd.IntN(2)), byte(rnd.IntN(256))
			}
		}
		p, _ := netip.AddrFrom16(a).Prefix(33 + rnd.IntN(96))
		claims = append(claims, "ip-dst", p.String())
	}
	return claims
}

// sub is the id of a subscriber.
func (w *world) sub(name string) int64 {
	w.t.Helper()
	s, err := store.ByName[*tocsin.Subscriber](w.DB.As(registrar), name)
	if err != nil {
		w.t.Fatal(err)
	}
	return s.ID
}

// checkZone has named-checkzone read a zone's text.
func (w *world) checkZone(origin string, sub int64) {
	w.t.Helper()
	checker := lab.Need(w.t, "named-checkzone")
	v, ok := w.Collections.Zone(origin, sub)
	if !ok {
		w.t.Fatalf("no zone %s", origin)
	}
	f, err := os.Create(filepath.Join(w.t.TempDir(), "zone"))
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	if err := rpz.Text(f, zone{View: v}); err != nil {
		w.t.Fatal(err)
	}
	if out, err := exec.Command(checker, "-k", "ignore", origin, f.Name()).CombinedOutput(); err != nil || !strings.Contains(string(out), "OK") {
		w.t.Errorf("named-checkzone of %s: %v\n%s", origin, err, out)
	}
}

// TestActions has BIND and Unbound do each thing that a zone can ask for, and a
// subscriber have its own way.
func TestActions(t *testing.T) {
	const blocked, plain = "blocked.threat-lab.net", "plain.threat-lab.net"
	ask := func(r *lab.Resolver, network string) (*dns.Msg, error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		m, _, err := (&dns.Client{Net: network}).ExchangeContext(ctx, new(dns.Msg).SetQuestion(blocked+".", dns.TypeA), r.Addr())
		return m, err
	}
	silent := func(_ *dns.Msg, err error) bool {
		late, ok := err.(net.Error)
		return ok && late.Timeout()
	}
	cname := func(m *dns.Msg) string {
		if m != nil {
			for _, rr := range m.Answer {
				if c, ok := rr.(*dns.CNAME); ok {
					return c.Target
				}
			}
		}
		return ""
	}
	acts := map[tocsin.Action]func(r *lab.Resolver) bool{
		tocsin.NXDomain: func(r *lab.Resolver) bool {
			m, err := ask(r, "udp")
			return err == nil && m.Rcode == dns.RcodeNameError
		},
		tocsin.NoData: func(r *lab.Resolver) bool {
			m, err := ask(r, "udp")
			return err == nil && m.Rcode == dns.RcodeSuccess && len(m.Answer) == 0 && !m.Truncated
		},
		tocsin.Drop: func(r *lab.Resolver) bool { return silent(ask(r, "udp")) },
		tocsin.TCPOnly: func(r *lab.Resolver) bool {
			m, err := ask(r, "udp")
			full, tcpErr := ask(r, "tcp")
			return err == nil && m.Truncated && tcpErr == nil && len(full.Answer) == 1 && !full.Truncated
		},
		"landing.example": func(r *lab.Resolver) bool {
			m, _ := ask(r, "udp")
			return cname(m) == "landing.example." && len(m.Answer) == 2
		},
		"*.garden.example": func(r *lab.Resolver) bool {
			m, _ := ask(r, "udp")
			return cname(m) == blocked+".garden.example."
		},
	}
	for name, resolver := range map[string]func(*testing.T, *world, *lab.Root, int64) *lab.Resolver{"Unbound": unbound, "BIND": bind} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "telco", "provider")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
			w.settle()
			w.claims("domain", blocked)
			r := resolver(t, w, lab.StartRoot(t), c)
			r.WaitBlocked(t, blocked)
			for _, a := range []tocsin.Action{tocsin.NoData, tocsin.Drop, tocsin.TCPOnly, "landing.example", "*.garden.example", tocsin.NXDomain} {
				w.edit(c, func(c *tocsin.Collection) { c.Action = a })
				eventually(t, fmt.Sprintf("%s does %s", name, a), func() bool { return acts[a](r) })
				if got, err := r.Lookup(t.Context(), plain); err != nil || !got.Honest() {
					t.Errorf("while it does %s, what nobody claims: %+v, %v", a, got, err)
				}
			}
			w.editSubscriber(strings.ToLower(name), func(s *tocsin.Subscriber) { s.Action = tocsin.NoData })
			eventually(t, "its own action", func() bool { return acts[tocsin.NoData](r) })
			w.edit(c, func(c *tocsin.Collection) { c.Pass, c.Action = true, "" })
			r.WaitAnswers(t, blocked)
		})
	}
}

// eventually waits for a thing to happen.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(30 * time.Second); !is(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("in vain: %s", what)
		}
	}
}

// edit changes a collection.
func (w *world) edit(id int64, change func(*tocsin.Collection)) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		c, err := store.Get[*tocsin.Collection](tx, id)
		if err != nil {
			return err
		}
		c = new(*c)
		change(c)
		return store.Put(tx, c)
	})
	w.settle()
}

// editSubscriber changes a subscriber.
func (w *world) editSubscriber(name string, change func(*tocsin.Subscriber)) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		s, err := store.Named[*tocsin.Subscriber](tx, name)
		if err != nil {
			return err
		}
		s = new(*s)
		change(s)
		return store.Put(tx, s)
	})
	w.settle()
}

// TestExclusionAtAResolver: what a subscriber excludes answers at its resolver, a
// change of it moves the zone along without a word about it, and an allow list
// beside the collection lets one name pass.
func TestExclusionAtAResolver(t *testing.T) {
	for name, resolver := range map[string]func(*testing.T, *world, *lab.Root, int64) *lab.Resolver{"Unbound": unbound, "BIND": bind} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "telco", "provider")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
			allow := w.collection(tocsin.Collection{Name: "allow", Zone: "allow.rpz.example", Pass: true, Filter: "type:hostname"})
			w.settle()
			w.subscriber(strings.ToLower(name), "provider", c)
			w.editSubscriber(strings.ToLower(name), func(s *tocsin.Subscriber) { s.Also = []int64{allow} })
			w.claims("domain", "canary.threat-lab.net", "domain", "ours.threat-lab.net")
			r := resolver(t, w, lab.StartRoot(t), c)
			r.WaitBlocked(t, "canary.threat-lab.net")
			r.WaitBlocked(t, "www.ours.threat-lab.net")

			w.editSubscriber(strings.ToLower(name), func(s *tocsin.Subscriber) { s.Exclude = []string{"ours.threat-lab.net"} })
			r.WaitAnswers(t, "www.ours.threat-lab.net")
			w.claims("domain", "more.ours.threat-lab.net")
			w.claims("domain", "later.threat-lab.net")
			r.WaitBlocked(t, "later.threat-lab.net")
			for _, n := range []string{"more.ours.threat-lab.net", "ours.threat-lab.net"} {
				if a, err := r.Lookup(t.Context(), n); err != nil || !a.Honest() {
					t.Errorf("%s is excluded: %+v, %v", n, a, err)
				}
			}
			w.claims("hostname", "www.canary.threat-lab.net")
			r.WaitAnswers(t, "www.canary.threat-lab.net")
			if a, err := r.Lookup(t.Context(), "canary.threat-lab.net"); err != nil || !a.Blocked() {
				t.Errorf("what is not let through: %+v, %v", a, err)
			}
			w.editSubscriber(strings.ToLower(name), func(s *tocsin.Subscriber) { s.Exclude = nil })
			r.WaitBlocked(t, "more.ours.threat-lab.net")
		})
	}
}

// TestListsHoldAddresses: a list holds what its format can carry, and a
// subscriber's own list what it does not exclude.
func TestListsHoldAddresses(t *testing.T) {
	w := newWorld(t, "telco", "provider")
	w.subscriber("firewall", "telco", w.collection(everyKind()))
	w.editSubscriber("firewall", func(s *tocsin.Subscriber) { s.Exclude = []string{"198.51.100.0/24", "ours.threat-lab.net"} })
	w.claims("domain", "evil.threat-lab.net", "hostname", "www.ours.threat-lab.net", "ip-dst", "198.51.100.7", "ip-dst", "2001:db8::/32")
	for file, want := range map[string]string{
		"drop.txt":                      "198.51.100.7 2001:db8::/32 evil.threat-lab.net www.ours.threat-lab.net",
		"drop.txt?subscriber=firewall":  "2001:db8::/32 evil.threat-lab.net",
		"drop.json?subscriber=firewall": `"2001:db8::/32" ],"addresses":[ {"name":"evil.threat-lab.net","beneath":true}`,
	} {
		status, body := w.raw("telco", "GET", "/collections/"+file, nil)
		lines := strings.Fields(string(body))
		if strings.HasPrefix(file, "drop.json") {
			lines = lines[1 : len(lines)-1]
			for i := range lines {
				lines[i] = strings.TrimSuffix(lines[i], ",")
			}
		}
		slices.Sort(lines)
		if got := strings.Join(lines, " "); status != 200 || got != want {
			t.Errorf("%s: %d %s; want %s", file, status, got, want)
		}
	}
	_, zone := w.raw("telco", "GET", "/collections/drop.rpz", nil)
	if text := string(zone); !strings.Contains(text, "\nevil.threat-lab.net CNAME .\n") || strings.Contains(text, "rpz-ip") || strings.Contains(text, "198.51") {
		t.Errorf("the zone of names:\n%s", text)
	}
}
