package collection

import (
	"fmt"
	"slices"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

const (
	ipZone = "ip.rpz.example."
	nsZone = "ns.rpz.example."
)

// newStageOfKinds is a stage whose collection has every kind of zone.
func newStageOfKinds(t *testing.T) *stage {
	st := newStage(t, true)
	st.editCollection(func(c *tocsin.Collection) {
		c.IPZone, c.NSZone, c.Filter = ipZone, nsZone, "type:domain,hostname,ip-dst,url"
	})
	return st
}

func (st *stage) editCollection(change func(*tocsin.Collection)) {
	st.t.Helper()
	c := *st.colls[1]
	change(&c)
	st.putCollection(c)
	st.follow()
}

func TestKindsOfZones(t *testing.T) {
	st := newStageOfKinds(t)
	here := st.label(access.Inherit, 0)
	name := st.claim("domain", "evil.example", here)
	address := st.claim("ip-dst", "192.0.2.7", here)
	st.claim("ip-dst", "198.51.100.0/24", st.label(access.OrgOnly, 0))
	st.claim("url", "http://203.0.113.9/x", here) // only mentions its address
	st.is(hotZone, 3, "*evil.example")
	st.is(baseZone, 3)
	st.is(ipZone, 3, "32.7.2.0.192.rpz-ip")
	st.is(ipZone, 1, "24.0.100.51.198.rpz-ip", "32.7.2.0.192.rpz-ip")
	st.is(nsZone, 3, "*evil.example.rpz-nsdname", "32.7.2.0.192.rpz-nsip")
	for o, want := range map[string]tocsin.Seq{hotZone: name, ipZone: address, nsZone: address} {
		if got := st.zone(o, 3).Serial(); got != uint32(want) {
			t.Errorf("zone %s is at %d; want the line of its last change, %d", o, got, want)
		}
	}
	steps, ok := st.zone(nsZone, 3).Since(uint32(name))
	if !ok || len(steps) != 1 || labelsText(steps[0].Added[0].Name) != "32.7.2.0.192.rpz-nsip" {
		t.Errorf("name servers since %d: %v, %v", name, steps, ok)
	}
	st.edit(2, func(a *tocsin.Attribute) { a.Deleted = true })
	st.is(ipZone, 3)
	st.is(nsZone, 3, "*evil.example.rpz-nsdname")

	// A merge is no change for anyone but base and hot.
	serial := st.zone(nsZone, 3).Serial()
	st.editCollection(func(c *tocsin.Collection) { c.MergedUpTo, c.HotDropUpTo = st.head(), st.head() })
	if got := st.zone(nsZone, 3).Serial(); got != serial {
		t.Errorf("a merge moved the zone of name servers from %d to %d", serial, got)
	}
	st.editCollection(func(c *tocsin.Collection) { c.IPZone = "" })
	if _, ok := st.s.Zone(ipZone, 3); ok {
		t.Error("a zone that the collection has no longer is still served")
	}
	st.is(nsZone, 3, "*evil.example.rpz-nsdname")
}

func TestValuesOfAList(t *testing.T) {
	st := newStageOfKinds(t)
	here := st.label(access.Inherit, 0)
	st.claim("domain", "evil.example", here)
	st.claim("hostname", "www.bad.example", here)
	st.claim("ip-dst", "192.0.2.7", here)
	last := st.claim("ip-dst", "2001:db8:0::/48", here)
	l, _ := st.s.List(1, access.Organisation("x", 3))
	var got []string
	l.Values(func(text []byte, kind indicator.Kind) bool {
		got = append(got, fmt.Sprint(kind, " ", string(text)))
		return true
	})
	slices.Sort(got)
	if want := []string{"domain evil.example", "host www.bad.example", "prefix 192.0.2.7", "prefix 2001:db8::/48"}; !slices.Equal(got, want) {
		t.Errorf("the list holds %q; want %q", got, want)
	}
	if l.Serial() != last || l.Len() != 2 {
		t.Errorf("the list is at %d with %d names; want %d and 2", l.Serial(), l.Len(), last)
	}
	tag := l.ETag()
	st.edit(3, func(a *tocsin.Attribute) { a.Deleted = true })
	if l, _ := st.s.List(1, access.Organisation("x", 3)); l.ETag() == tag {
		t.Error("an address left the list, whose tag stayed")
	}
}

func TestNetworksThatAreSkipped(t *testing.T) {
	st := newStageOfKinds(t)
	st.claim("ip-dst", "2001:d00::/18", st.label(access.Inherit, 0))
	st.is(ipZone, 3)
	if d := st.s.Takes(1, st.attrs[st.ids], st.events[1]); d.Allowed || d.Reason != TooWide.String() {
		t.Errorf("it is said to be taken: %v, %s", d.Allowed, d.Reason)
	}
	for sk := range st.s.Skipped(1, access.Organisation("x", 3)) {
		if sk.Reason != TooWide || string(sk.Name) != "2001::/18" {
			t.Errorf("skipped %q because %s", sk.Name, sk.Reason)
		}
	}
}
