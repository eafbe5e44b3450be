package collection

import (
	"slices"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// editSubscriber changes subscriber 3 and returns the line.
func (st *stage) editSubscriber(change func(*tocsin.Subscriber)) tocsin.Seq {
	st.t.Helper()
	sub := *st.subs[3]
	change(&sub)
	st.putSubscriber(sub)
	st.follow()
	return st.head()
}

func TestExclusions(t *testing.T) {
	st := newStageOfKinds(t)
	here := st.label(access.Inherit, 0)
	for typ, texts := range map[string][]string{
		"domain":   {"evil.example", "deep.evil.example", "notevil.example"},
		"hostname": {"www.evil.example"},
		"ip-dst":   {"192.0.2.0/24", "192.0.2.0", "198.51.100.7", "2001:db8::7"},
	} {
		for _, text := range texts {
			st.claim(typ, text, here)
		}
	}
	before := st.zone(hotZone, 3).Serial()
	at := st.editSubscriber(func(s *tocsin.Subscriber) {
		s.Exclude = []string{"192.0.2.0", "198.51.100.0/24", "2001:db8::/32", "evil.example"}
	})
	st.is(hotZone, 3, "*notevil.example")
	st.is(ipZone, 3, "24.0.2.0.192.rpz-ip") // a zone can't say "all of it but"
	st.is(nsZone, 3, "*notevil.example.rpz-nsdname", "24.0.2.0.192.rpz-nsip")
	st.is(hotZone, 2, "*deep.evil.example", "*evil.example", "*notevil.example", "www.evil.example")
	for _, o := range []string{hotZone, baseZone, ipZone, nsZone} {
		v := st.zone(o, 3)
		if v.Serial() != uint32(at) {
			t.Errorf("zone %s is at %d; want the line of the exclusions, %d", o, v.Serial(), at)
		}
		if _, ok := v.Since(before); ok {
			t.Errorf("zone %s leads there from %d in steps", o, before)
		}
	}
	beneath, _ := Wire("deep.evil.example")
	if _, ok := st.zone(hotZone, 3).Has(beneath); ok {
		t.Error("a name beneath an excluded one is still answered for")
	}

	// The same again is no change.
	st.editSubscriber(func(*tocsin.Subscriber) {})
	if got := st.zone(hotZone, 3).Serial(); got != uint32(at) {
		t.Errorf("a line that changes nothing moved the zone to %d", got)
	}

	// A change of what it excludes takes it along and tells it nothing.
	last := st.claim("domain", "more.evil.example", here)
	v := st.zone(hotZone, 3)
	steps, ok := v.Since(uint32(at))
	if !ok || len(steps) != 1 || len(steps[0].Added)+len(steps[0].Removed) != 0 || steps[0].To != uint32(last) || v.Serial() != uint32(last) {
		t.Errorf("since %d: %v, %v; the zone is at %d", at, steps, ok, v.Serial())
	}
	if steps, _ := st.zone(hotZone, 2).Since(uint32(at)); len(steps) != 1 || len(steps[0].Added) != 1 {
		t.Errorf("others are told %v", steps)
	}
}

func TestListOfASubscriber(t *testing.T) {
	st := newStageOfKinds(t)
	here := st.label(access.Inherit, 0)
	st.claim("domain", "evil.example", here)
	st.claim("ip-dst", "192.0.2.7", here)
	st.claim("hostname", "bad.example", here)
	values := func() (texts []string, tag string) {
		l, ok := st.s.Received(1, 3)
		if !ok {
			t.Fatal("no list")
		}
		l.Values(func(text []byte, _ indicator.Kind) bool { texts = append(texts, string(text)); return true })
		slices.Sort(texts)
		return texts, l.ETag()
	}
	all, tag := values()
	if want := []string{"192.0.2.7", "bad.example", "evil.example"}; !slices.Equal(all, want) {
		t.Errorf("it holds %q; want %q", all, want)
	}
	st.editSubscriber(func(s *tocsin.Subscriber) { s.Exclude = []string{"192.0.2.7", "evil.example"} })
	some, other := values()
	if want := []string{"bad.example"}; !slices.Equal(some, want) || other == tag {
		t.Errorf("it holds %q with tag %s; want %q and another than %s", some, other, want, tag)
	}
	if _, ok := st.s.Received(1, 99); ok {
		t.Error("nobody has a list")
	}
}

func TestOwnAction(t *testing.T) {
	st := newStageOfKinds(t)
	st.claim("domain", "evil.example", st.label(access.Inherit, 0))
	is := func(sub int64, want tocsin.Action) {
		t.Helper()
		if got := st.zone(baseZone, sub).Action(); got != want {
			t.Errorf("subscriber %d does %s; want %s", sub, got, want)
		}
	}
	is(3, tocsin.NXDomain)
	serial := st.zone(hotZone, 3).Serial()
	at := st.editSubscriber(func(s *tocsin.Subscriber) { s.Action = "landing.example" })
	is(3, "landing.example")
	is(2, tocsin.NXDomain)
	if v := st.zone(hotZone, 3); v.Serial() != uint32(at) {
		t.Errorf("it is at %d; want %d", v.Serial(), at)
	} else if _, ok := v.Since(serial); ok {
		t.Error("a new action is told in steps")
	}
	st.editCollection(func(c *tocsin.Collection) { c.Action = tocsin.Drop })
	is(3, "landing.example")
	is(2, tocsin.Drop)
	if v := st.zone(baseZone, 2); v.Serial() != uint32(st.head()) {
		t.Errorf("the zone does something else and is still at %d", v.Serial())
	}
	// Nobody overrules an allow list.
	st.editCollection(func(c *tocsin.Collection) { c.Action, c.Pass = "", true })
	is(3, tocsin.Passthru)
	is(2, tocsin.Passthru)
}

// A subscriber of two collections has the zones of both, and is told of both.
func TestTwoCollections(t *testing.T) {
	st := newStageOfKinds(t)
	st.putCollection(tocsin.Collection{ID: 2, Org: 1, Name: "allow", Zone: "allow.rpz.example.", Pass: true, Filter: "type:hostname", Sources: []int64{1}})
	told := map[string]uint32{}
	st.s.Watch(func(m Moved) {
		if slices.Contains(m.Subscribers, 3) {
			told[m.Origin] = m.Serial
		}
	})
	st.editSubscriber(func(s *tocsin.Subscriber) { s.Also, s.Action = []int64{2}, tocsin.NoData })
	last := st.claim("hostname", "good.example", st.label(access.Inherit, 0))
	st.is("allow.rpz.example.", 3, "good.example")
	st.is(hotZone, 3, "good.example")
	if a := st.zone("allow.rpz.example.", 3).Action(); a != tocsin.Passthru {
		t.Errorf("the allow list does %s", a)
	}
	if told["allow.rpz.example."] != uint32(last) || told[hotZone] != uint32(last) {
		t.Errorf("told %v; want %d for both", told, last)
	}
	if _, ok := st.s.Zone("allow.rpz.example.", 2); ok {
		t.Error("a subscriber of one collection has the zone of another")
	}
	st.editSubscriber(func(s *tocsin.Subscriber) { s.Also = nil })
	if _, ok := st.s.Zone("allow.rpz.example.", 3); ok {
		t.Error("it still has the zone of a collection that it left")
	}
}
