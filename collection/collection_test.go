package collection

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tocsin"
	"tocsin/access"
)

// A stage is a set over a small exchange: organisations 1 to 3, collection 1
// with sources 1 and 2, event 1 of organisation 1 for the community, published,
// and one subscriber for each organisation with its number.
type stage struct {
	t *testing.T
	*fakeStore
	s   *Set
	ids int64
}

const (
	baseZone = "rpz.example."
	hotZone  = "hot.rpz.example."
)

func newStage(t *testing.T, hot bool) *stage {
	f := newFakeStore()
	s, err := Open(t.TempDir(), f.labels, quiet())
	if err != nil {
		t.Fatal(err)
	}
	st := &stage{t, f, s, 0}
	for id := range int64(3) {
		f.putOrg(tocsin.Organisation{ID: id + 1, Name: fmt.Sprint("org", id+1)})
	}
	c := tocsin.Collection{ID: 1, Org: 1, Name: "first", Zone: baseZone, Filter: "type:domain,hostname", Sources: []int64{1, 2}}
	if hot {
		c.HotZone = hotZone
	}
	f.putCollection(c)
	for id := range int64(3) {
		f.putSubscriber(tocsin.Subscriber{ID: id + 1, Name: fmt.Sprint("sub", id+1), Collection: 1, Org: id + 1})
	}
	f.putEvent(tocsin.Event{ID: 1, Org: 1, Orgc: 1, Published: true, Label: st.label(access.Community, 0)})
	st.follow()
	return st
}

func (st *stage) label(d access.Distribution, group int64) access.LabelID {
	return st.labels.ID(access.NewLabel(1, d, group, access.Unmarked, access.PAPUnmarked))
}

func (st *stage) follow() {
	st.t.Helper()
	if err := st.s.Follow(st.t.Context(), st.lines[st.s.world.At:]); err != nil {
		st.t.Fatal(err)
	}
}

// claim writes a claim of event 1 and returns its line.
func (st *stage) claim(typ, text string, label access.LabelID) tocsin.Seq {
	st.ids++
	st.putAttribute(tocsin.Attribute{ID: st.ids, Event: 1, Value: parse(st.t, typ, text), ToIDS: true, Label: label})
	st.follow()
	return st.head()
}

func (st *stage) edit(id int64, change func(*tocsin.Attribute)) {
	a := *st.attrs[id]
	change(&a)
	st.putAttribute(a)
	st.follow()
}

func (st *stage) zone(o string, sub int64) View {
	st.t.Helper()
	v, ok := st.s.Zone(o, sub)
	if !ok {
		st.t.Fatalf("no zone %s for %d", o, sub)
	}
	return v
}

// is checks what a zone holds: names, with * before those that are Exact and
// Beneath, in order.
func (st *stage) is(o string, sub int64, want ...string) {
	st.t.Helper()
	var got []string
	for name, t := range contents(st.zone(o, sub)) {
		text := ""
		for b := []byte(name); len(b) > 0; b = b[1+b[0]:] {
			text += "." + string(b[1:1+b[0]])
		}
		switch text = text[1:]; t {
		case Beneath:
			text = "*." + text
		case Exact | Beneath:
			text = "*" + text
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		st.t.Errorf("line %d: zone %s for %d holds %q; want %q", st.head(), o, sub, got, want)
	}
}

func TestANameLeavesWithItsLastClaim(t *testing.T) {
	st := newStage(t, false)
	here := st.label(access.Inherit, 0)
	first := st.claim("domain", "evil.example", here)
	if got := st.zone(baseZone, 3).Serial(); got != uint32(first) {
		t.Errorf("serial %d; want the line, %d", got, first)
	}
	for range maxInline + 3 { // more than lie beside the name
		st.claim("hostname", "evil.example", here)
	}
	st.is(baseZone, 3, "*evil.example")
	if got := st.zone(baseZone, 3).Serial(); got != uint32(first) {
		t.Errorf("more claims of a name moved the serial to %d", got)
	}
	st.edit(1, func(a *tocsin.Attribute) { a.Deleted = true })
	st.is(baseZone, 3, "evil.example")
	for id := int64(2); id < st.ids; id++ {
		st.edit(id, func(a *tocsin.Attribute) { a.ToIDS = false })
	}
	st.is(baseZone, 3, "evil.example")
	st.edit(st.ids, func(a *tocsin.Attribute) { a.Deleted = true })
	st.is(baseZone, 3)
	if n := st.s.selections[1].crowd.count; n != 0 {
		t.Errorf("%d holders are left of a crowd that is gone", n)
	}
}

func TestHotAndBase(t *testing.T) {
	st := newStage(t, true)
	here := st.label(access.Inherit, 0)
	merge := func(merged, dropped tocsin.Seq) {
		c := *st.colls[1]
		c.MergedUpTo, c.HotDropUpTo = merged, dropped
		st.putCollection(c)
		st.follow()
	}
	one := st.claim("domain", "one.example", here)
	two := st.claim("hostname", "two.example", here)
	st.is(hotZone, 3, "*one.example", "two.example")
	st.is(baseZone, 3)
	merge(one, 0)
	st.is(hotZone, 3, "*one.example", "two.example")
	st.is(baseZone, 3, "*one.example")
	merge(two, one)
	st.is(hotZone, 3, "two.example")
	st.is(baseZone, 3, "*one.example", "two.example")
	serial := st.zone(hotZone, 3).Serial()

	// More of a name that is in base is hot again, and base keeps what it has.
	three := st.claim("domain", "two.example", here)
	st.is(hotZone, 3, "*two.example")
	st.is(baseZone, 3, "*one.example", "two.example")
	if steps, ok := st.zone(hotZone, 3).Since(serial); !ok || len(steps) != 1 || steps[0].To != uint32(three) || fmt.Sprint(steps[0].Added) != fmt.Sprint([]Entry{{[]byte("\x03two\x07example"), Beneath}}) {
		t.Errorf("since %d: %v %v", serial, steps, ok)
	}

	// A withdrawal leaves both at once.
	st.edit(2, func(a *tocsin.Attribute) { a.Deleted = true })
	st.edit(3, func(a *tocsin.Attribute) { a.Deleted = true })
	st.is(hotZone, 3)
	st.is(baseZone, 3, "*one.example")

	// What is widened is hot for those who did not have it.
	st.claim("domain", "three.example", st.label(access.OrgOnly, 0))
	merge(st.head(), st.head())
	st.is(baseZone, 1, "*one.example", "*three.example")
	st.is(baseZone, 3, "*one.example")
	st.edit(st.ids, func(a *tocsin.Attribute) { a.Label = here })
	st.is(hotZone, 3, "*three.example")
	st.is(baseZone, 3, "*one.example", "*three.example")
}

func TestHotZoneEnds(t *testing.T) {
	st := newStage(t, true)
	st.claim("domain", "one.example", st.label(access.Inherit, 0))
	serial := st.zone(baseZone, 3).Serial()
	c := *st.colls[1]
	c.HotZone = ""
	st.putCollection(c)
	st.follow()
	st.is(baseZone, 3, "*one.example")
	if steps, ok := st.zone(baseZone, 3).Since(serial); !ok || len(steps) != 1 {
		t.Errorf("base is told %v", steps)
	}
	if _, ok := st.s.Zone(hotZone, 3); ok {
		t.Error("the hot zone is still there")
	}
}

// TestRoom: a name with its wildcard and the origin takes 255 octets at most
// (RFC 1035, 2.3.4).
func TestRoom(t *testing.T) {
	st := newStage(t, false)
	here := st.label(access.Inherit, 0)
	// The origin takes 13 octets with its root, "*" takes 2, the last label 8.
	name := func(octets int) string {
		b := []byte(strings.Repeat("a23456789012345678901234567890.", 8))
		return string(b[len(b)-(octets-len("\x07example")):]) + "example"
	}
	for _, c := range []struct {
		typ    string
		octets int
		fits   bool
	}{{"domain", 255 - 13 - 2, true}, {"domain", 255 - 13 - 1, false}, {"hostname", 255 - 13, true}, {"hostname", 255 - 13 + 1, false}} {
		before := st.zone(baseZone, 3).Len()
		st.claim(c.typ, name(c.octets), here)
		if wire, ok := st.attrs[st.ids].Value.Facets().Names[0].WireName(); !ok || len(wire) != c.octets {
			t.Fatalf("the name takes %d octets, not %d", len(wire), c.octets)
		}
		if fits := st.zone(baseZone, 3).Len() > before; fits != c.fits {
			t.Errorf("a %s of %d octets fits: %v", c.typ, c.octets, fits)
		}
	}
}

// TestAudiences: who starts to see nothing else keeps the way to the zone; who
// joins a group that matters gets it whole.
func TestAudiences(t *testing.T) {
	st := newStage(t, false)
	here, within := st.label(access.Inherit, 0), st.label(access.Group, 7)
	classes := func() int { return len(st.s.selections[1].classes) }
	st.claim("domain", "one.example", here)
	serial := st.zone(baseZone, 2).Serial()
	st.putGroup(tocsin.Group{ID: 7, Members: []tocsin.Member{{Org: 2}}})
	st.putEvent(tocsin.Event{ID: 2, Org: 2, Orgc: 2, Published: true, Label: st.labels.ID(access.NewLabel(2, access.OrgOnly, 0, 0, 0))})
	st.follow()
	if classes() != 1 || st.zone(baseZone, 2).Serial() != serial {
		t.Errorf("a group that no claim names makes %d classes, serial %d", classes(), st.zone(baseZone, 2).Serial())
	}
	st.claim("domain", "two.example", within)
	if classes() != 2 {
		t.Errorf("%d classes; want 2: org 3 is not in the group", classes())
	}
	st.is(baseZone, 2, "*one.example", "*two.example")
	st.is(baseZone, 3, "*one.example")
	if _, ok := st.zone(baseZone, 2).Since(serial); !ok {
		t.Error("a class that split forgot its way")
	}
	if got := st.zone(baseZone, 3).Serial(); got != serial {
		t.Errorf("what org 3 can't see moved its serial from %d to %d", serial, got)
	}
	st.putGroup(tocsin.Group{ID: 7, Members: []tocsin.Member{{Org: 3}}})
	st.follow()
	st.is(baseZone, 2, "*one.example")
	st.is(baseZone, 3, "*one.example", "*two.example")
	for sub := int64(2); sub <= 3; sub++ {
		if got := st.zone(baseZone, sub).Serial(); got != uint32(st.head()) {
			t.Errorf("subscriber %d has serial %d after it changed its class at %d", sub, got, st.head())
		}
		if _, ok := st.zone(baseZone, sub).Since(serial); ok {
			t.Errorf("subscriber %d was shown a way from another class", sub)
		}
	}
	// Nor later, when steps lead to the present from the present class.
	moved := st.zone(baseZone, 3).Serial()
	st.claim("domain", "three.example", here)
	for sub := int64(2); sub <= 3; sub++ {
		if _, ok := st.zone(baseZone, sub).Since(serial); ok {
			t.Errorf("subscriber %d was shown a way from another class", sub)
		}
		if steps, ok := st.zone(baseZone, sub).Since(moved); !ok || len(steps) != 1 {
			t.Errorf("subscriber %d is told %v since it changed its class", sub, steps)
		}
	}
}

// TestWaysThatEnd: no way leads across a zone's renaming, or to what the journal
// has lost.
func TestWaysThatEnd(t *testing.T) {
	st := newStage(t, false)
	here := st.label(access.Inherit, 0)
	rename := func(zone string) {
		c := *st.colls[1]
		c.Zone = zone
		st.putCollection(c)
		st.follow()
	}
	st.claim("domain", "one.example", here)
	serial := st.zone(baseZone, 3).Serial()
	rename("zpr.example.")
	rename(baseZone)
	st.claim("domain", "two.example", here)
	if _, ok := st.zone(baseZone, 3).Since(serial); ok {
		t.Error("there is a way from before the zone had another name")
	}
	serial = st.zone(baseZone, 3).Serial()
	st.claim("domain", "three.example", here)
	st.s.selections[1].journal.forget(st.head())
	st.claim("domain", "four.example", here)
	if _, ok := st.zone(baseZone, 3).Since(serial); ok {
		t.Error("there is a way that begins with a lost step")
	}
}

// TestALongWayIsNone: what outweighs the zone is not worth telling.
func TestALongWayIsNone(t *testing.T) {
	st := newStage(t, false)
	st.claim("domain", "one.example", st.label(access.Inherit, 0))
	serial := st.zone(baseZone, 3).Serial()
	for range minWay/2 + 1 {
		st.edit(1, func(a *tocsin.Attribute) { a.Deleted = !a.Deleted })
	}
	if _, ok := st.zone(baseZone, 3).Since(serial); !ok {
		t.Errorf("no way of %d changes", minWay/2)
	}
	for range minWay/2 + 1 {
		st.edit(1, func(a *tocsin.Attribute) { a.Deleted = !a.Deleted })
	}
	if steps, ok := st.zone(baseZone, 3).Since(serial); ok {
		t.Errorf("a way of %d steps for a zone of one name", len(steps))
	}
}

// TestRemovedCollection: its file goes with the next snapshot, or when a stop
// came between, when the set is opened.
func TestRemovedCollection(t *testing.T) {
	st := newStage(t, false)
	st.claim("domain", "one.example", st.label(access.Inherit, 0))
	if err := st.s.snapshot().write(); err != nil {
		t.Fatal(err)
	}
	before := copyDir(t, st.s.dir)
	put(st.fakeStore, tocsin.KindCollection, 1, st.colls, nil, true, st.scope(0))
	st.follow()
	if _, ok := st.s.Zone(baseZone, 3); ok {
		t.Error("a removed collection is served")
	}
	if err := st.s.Close(); err != nil {
		t.Fatal(err)
	}
	files := func() (names []string) {
		all, _ := os.ReadDir(st.s.dir)
		for _, f := range all {
			names = append(names, f.Name())
		}
		return names
	}
	if got := files(); !slices.Equal(got, []string{worldFile}) {
		t.Errorf("files %v", got)
	}
	b, _ := os.ReadFile(filepath.Join(before, "1"+suffix))
	os.WriteFile(st.s.path(1), b, 0o600)
	s, err := Open(st.s.dir, st.labels, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Zone(baseZone, 3); ok || s.Place() != st.head() || len(files()) != 1 {
		t.Errorf("a removed collection is back: place %d, files %v", s.Place(), files())
	}
}

func TestZoneIsForItsSubscribers(t *testing.T) {
	st := newStage(t, true)
	for _, c := range []struct {
		origin string
		sub    int64
		want   bool
	}{{"rpz.example.", 1, true}, {"RPZ.example", 1, true}, {hotZone, 1, true}, {"other.example.", 1, false}, {"", 1, false}, {".", 1, false}, {baseZone, 4, false}, {baseZone, 0, false}} {
		if v, ok := st.s.Zone(c.origin, c.sub); ok != c.want || ok && v.Serial() == 0 {
			t.Errorf("zone %q for %d: %v", c.origin, c.sub, ok)
		}
	}
}

func TestSkipped(t *testing.T) {
	st := newStage(t, false)
	st.claim("hostname", "evil.example", st.label(access.OrgOnly, 0))
	c := *st.colls[1]
	c.Zone = strings.Repeat("a.", 116) + baseZone
	st.putCollection(c)
	st.follow()
	st.is(c.Zone, 1)
	see := func(org int64) (n int) {
		for sk := range st.s.Skipped(1, access.Organisation("x", org)) {
			if n++; sk.Attribute != 1 || sk.Reason != TooLong || string(sk.Name) != "\x04evil\x07example" {
				t.Errorf("skipped %+v", sk)
			}
		}
		return n
	}
	if see(1) != 1 || see(3) != 0 {
		t.Errorf("org 1 sees %d skipped and org 3, who sees no such claim, %d", see(1), see(3))
	}
	if st := st.s.Collections()[0]; st.Skipped != 1 || st.Names != 0 {
		t.Errorf("status %+v", st)
	}
	c.Zone = baseZone
	st.putCollection(c)
	st.follow()
	st.is(baseZone, 1, "evil.example")
	if see(1) != 0 {
		t.Error("a name that fits again is still listed as skipped")
	}
}

func TestList(t *testing.T) {
	st := newStage(t, true)
	st.claim("domain", "one.example", st.label(access.Inherit, 0))
	names := func(v access.Viewer) (n int, etag string) {
		l, ok := st.s.List(1, v)
		if !ok {
			return -1, ""
		}
		l.Names(func([]byte, Trigger) bool { n++; return true })
		return n, l.ETag()
	}
	three := access.Organisation("three", 3)
	n, tag := names(three)
	if n != 1 || tag == "" {
		t.Fatalf("%d names, tag %q", n, tag)
	}
	st.claim("domain", "two.example", st.label(access.OrgOnly, 0))
	if n, again := names(three); n != 1 || again != tag {
		t.Errorf("what org 3 can't see: %d names, tag %q, was %q", n, again, tag)
	}
	st.claim("domain", "three.example", st.label(access.Inherit, 0))
	if n, again := names(three); n != 2 || again == tag {
		t.Errorf("what org 3 sees: %d names, tag %q", n, again)
	}
	if n, _ := names(access.Viewer{}); n != -1 {
		t.Errorf("nobody gets %d names", n)
	}
	if _, ok := st.s.List(2, three); ok {
		t.Error("there is a list of no collection")
	}
}

func TestWatch(t *testing.T) {
	st := newStage(t, false)
	var got []Moved
	st.s.Watch(func(m Moved) { got = append(got, m) })
	st.write(tocsin.Line{Kind: tocsin.KindUser, ID: 1})
	st.follow()
	if len(got) != 3 {
		t.Errorf("told %+v at first; want all subscribers, each since it came", got)
	}
	got = nil
	n := st.claim("domain", "two.example", st.label(access.OrgOnly, 0))
	if len(got) != 1 || got[0].Origin != baseZone || got[0].Serial != uint32(n) || !slices.Equal(got[0].Subscribers, []int64{1}) {
		t.Errorf("told %+v; want org 1's subscriber", got)
	}
	got = nil
	st.claim("ip-dst", "192.0.2.1", st.label(access.Inherit, 0))
	st.write(tocsin.Line{Kind: tocsin.KindUser, ID: 1})
	st.follow()
	if len(got) != 0 {
		t.Errorf("told %+v of nothing", got)
	}
}

// TestReaders reads zones while the log goes on. Each view must stay what it is.
func TestReaders(t *testing.T) {
	st := newStage(t, true)
	here := st.label(access.Inherit, 0)
	st.claim("domain", "first.example", here)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for _, o := range []string{baseZone, hotZone} {
		wg.Go(func() {
			var last served
			for ctx.Err() == nil {
				v, ok := st.s.Zone(o, 3)
				if !ok {
					t.Errorf("zone %s is gone", o)
					return
				}
				got := contents(v)
				if len(got) != v.Len() {
					t.Errorf("zone %s holds %d names and says %d", o, len(got), v.Len())
					return
				}
				if steps, ok := v.Since(last.serial); ok && last.serial != 0 {
					if z, _, err := replay(last, steps); err != nil || !maps.Equal(z, got) {
						t.Errorf("zone %s from %d to %d: %v", o, last.serial, v.Serial(), err)
						return
					}
				}
				last = served{v.Serial(), got, v.Action()}
				st.s.Collections()
			}
		})
	}
	for i := range 300 {
		if i%3 == 2 {
			st.edit(st.ids, func(a *tocsin.Attribute) { a.Deleted = true })
			continue
		}
		st.claim("domain", fmt.Sprintf("n%d.example", i), here)
		if i%50 == 0 {
			c := *st.colls[1]
			c.MergedUpTo, c.HotDropUpTo = st.head(), st.head()-20
			st.putCollection(c)
			st.s.unsaved = saveAfter
			st.follow()
		}
	}
	stop()
	wg.Wait()
	if err := st.s.Close(); err != nil {
		t.Fatal(err)
	}
	if st.s.Place() != st.head() {
		t.Errorf("place %d after Close; want %d", st.s.Place(), st.head())
	}
}

// TestSerialWraps begins shortly before the log's number outgrows 32 bits.
func TestSerialWraps(t *testing.T) {
	st := newStage(t, false)
	const before = 1<<32 - 5
	st.s.world.At = before
	for _, sel := range st.s.selections {
		sel.at = before
	}
	var all []served
	for i := range 12 {
		a := tocsin.Attribute{ID: int64(i + 1), Event: 1, Value: parse(t, "domain", fmt.Sprintf("n%d.example", i)), ToIDS: true, Label: st.label(access.Inherit, 0)}
		c := tocsin.NewChange(tocsin.Line{Seq: before + 1 + tocsin.Seq(i), Kind: tocsin.KindAttribute, ID: a.ID, After: &a}, st.labels)
		if err := st.s.Follow(t.Context(), []tocsin.Change{c}); err != nil {
			t.Fatal(err)
		}
		v := st.zone(baseZone, 3)
		all = append(all, served{v.Serial(), contents(v), v.Action()})
		for _, old := range all {
			steps, ok := v.Since(old.serial)
			z, at, err := replay(old, steps)
			if !ok || err != nil || at != v.Serial() || len(z) != v.Len() {
				t.Fatalf("from %d to %d: %v, %v", old.serial, v.Serial(), ok, err)
			}
		}
		if _, ok := v.Since(v.Serial() + 1); ok {
			t.Errorf("there is a way from a serial ahead of %d", v.Serial())
		}
	}
}

func TestRestartForgetsEverything(t *testing.T) {
	st := newStage(t, false)
	st.claim("domain", "one.example", st.label(access.Inherit, 0))
	if err := st.s.snapshot().write(); err != nil {
		t.Fatal(err)
	}
	if st.s.Place() != st.head() {
		t.Errorf("place %d; want %d", st.s.Place(), st.head())
	}
	if err := st.s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := st.s.Zone(baseZone, 3); ok || st.s.Place() != 0 {
		t.Errorf("a zone is left, or the place %d", st.s.Place())
	}
	if left, _ := os.ReadDir(st.s.dir); len(left) != 0 {
		t.Errorf("files are left: %v", left)
	}
	if err := st.s.Follow(t.Context(), st.lines); err != nil {
		t.Fatal(err)
	}
	st.is(baseZone, 3, "*one.example")
}

// TestDamage flips an octet here and there, or cuts a file off, and expects the
// same zones after the log was read from wherever the set says.
func TestDamage(t *testing.T) {
	st := newStage(t, true)
	here := st.label(access.Inherit, 0)
	st.putCollection(tocsin.Collection{ID: 2, Org: 1, Name: "second", Zone: "second.example.", Filter: "type:domain", Sources: []int64{1}})
	st.putSubscriber(tocsin.Subscriber{ID: 9, Name: "nine", Collection: 2, Org: 3})
	st.putTag(tocsin.Tag{ID: 1, Name: tocsin.CollectionTag("first")})
	past := map[string][]served{}
	for i := range 20 {
		st.claim("domain", fmt.Sprintf("n%d.example", i), here)
		st.edit(st.ids, func(a *tocsin.Attribute) { a.Deleted = i%2 == 0 })
		c := *st.colls[1]
		c.MergedUpTo, c.HotDropUpTo = st.head(), st.head()-5
		st.putCollection(c)
		st.follow()
		for _, o := range []string{baseZone, hotZone} {
			past[o] = append(past[o], served{st.zone(o, 3).Serial(), contents(st.zone(o, 3)), st.zone(o, 3).Action()})
		}
	}
	st.claim("domain", "last.example", here)
	if err := st.s.snapshot().write(); err != nil {
		t.Fatal(err)
	}
	placed := st.head()
	atPlace := map[string]uint32{baseZone: st.zone(baseZone, 3).Serial(), hotZone: st.zone(hotZone, 3).Serial(), "second.example.": st.zone("second.example.", 9).Serial()}
	t.Run("the other goes on", func(t *testing.T) {
		dir := copyDir(t, st.s.dir)
		if err := os.Remove(filepath.Join(dir, "2"+suffix)); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir, st.labels, quiet())
		if err != nil || s.Place() != 0 {
			t.Fatal(s.Place(), err)
		}
		for _, c := range st.lines {
			v, ok := s.Zone(baseZone, 3)
			if !ok {
				t.Fatalf("before line %d: zone %s is not served", c.Seq, baseZone)
			}
			if v.Serial() != atPlace[baseZone] || fmt.Sprint(contents(v)) != fmt.Sprint(contents(st.zone(baseZone, 3))) {
				t.Fatalf("before line %d: zone %s is served as of %d; want %d", c.Seq, baseZone, v.Serial(), atPlace[baseZone])
			}
			if _, ok := s.Zone("second.example.", 9); ok {
				t.Fatalf("before line %d: the zone that is built anew is served", c.Seq)
			}
			if err := s.Follow(t.Context(), []tocsin.Change{c}); err != nil {
				t.Fatal(err)
			}
		}
		if _, ok := s.Zone("second.example.", 9); !ok {
			t.Error("the zone that was built anew is not served")
		}
		// It knows the names that the log gave while it was ahead.
		a := tocsin.Attribute{ID: 999, Event: 1, Value: parse(t, "domain|ip", "tagged.example|192.0.2.1"), ToIDS: true, Label: here, Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 1})}
		c := tocsin.NewChange(tocsin.Line{Seq: st.head() + 1, Kind: tocsin.KindAttribute, ID: a.ID, After: &a}, st.labels)
		if err := s.Follow(t.Context(), []tocsin.Change{c}); err != nil {
			t.Fatal(err)
		}
		if v, _ := s.Zone(hotZone, 3); !contents(v).has("tagged.example") {
			t.Errorf("what is put in by tag is not taken in: %q", contents(v))
		}
	})
	st.claim("domain", "late.example", here)
	want := map[string]View{baseZone: st.zone(baseZone, 3), hotZone: st.zone(hotZone, 3), "second.example.": st.zone("second.example.", 9)}
	files, err := os.ReadDir(st.s.dir)
	if err != nil || len(files) != 5 {
		t.Fatalf("%v, %v", files, err)
	}
	damages := map[string]func([]byte) []byte{
		"nothing": func(b []byte) []byte { return b },
		"first":   func(b []byte) []byte { b[0] ^= 1; return b },
		"header":  func(b []byte) []byte { b[min(40, len(b)-1)] ^= 1; return b },
		"middle":  func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"last":    func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"torn":    func(b []byte) []byte { return b[:len(b)-3] },
		"short":   func(b []byte) []byte { return b[:len(b)/3] },
		"empty":   func(b []byte) []byte { return nil },
		"former":  func(b []byte) []byte { return bytes.Replace(b, []byte(magic), []byte("tocsin collection 1\n"), 1) },
		"gone":    nil,
	}
	for _, file := range files {
		for name, damage := range damages {
			t.Run(file.Name()+" "+name, func(t *testing.T) {
				dir := copyDir(t, st.s.dir)
				path := filepath.Join(dir, file.Name())
				if damage == nil {
					err = os.Remove(path)
				} else {
					b, _ := os.ReadFile(path)
					err = os.WriteFile(path, damage(b), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
				s, err := Open(dir, st.labels, quiet())
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				if snapshot := strings.HasSuffix(path, suffix); s.Place() != placed && (!snapshot || s.Place() != 0 || name == "nothing") {
					t.Errorf("place %d", s.Place())
				}
				if err := s.Ready(); (err == nil) != (s.served == placed) && s.Place() == placed {
					t.Errorf("served up to %d, placed at %d: ready: %v", s.served, placed, err)
				}
				// One line at a time: what is served meanwhile is never older than before.
				for _, c := range st.lines[s.Place():] {
					for origin, old := range want {
						served := atPlace[origin]
						if name == "nothing" {
							served = old.Serial()
						}
						if v, ok := s.Zone(origin, old.sub()); ok && v.Serial() < served {
							t.Fatalf("before line %d: zone %s is served as of %d, and was as of %d", c.Seq, origin, v.Serial(), served)
						}
					}
					if err := s.Follow(t.Context(), []tocsin.Change{c}); err != nil {
						t.Fatal(err)
					}
				}
				if err := s.Ready(); err != nil {
					t.Errorf("at the end: %v", err)
				}
				for o, all := range past {
					v, _ := s.Zone(o, 3)
					for _, old := range all {
						if steps, ok := v.Since(old.serial); ok {
							if z, _, err := replay(old, steps); err != nil || !maps.Equal(z, contents(v)) {
								t.Errorf("%s from %d: %v, %v; want %v", o, old.serial, z, err, contents(v))
							}
						} else if name == "nothing" {
							t.Errorf("%s: no way from %d", o, old.serial)
						}
					}
				}
				for origin, old := range want {
					v, ok := s.Zone(origin, old.sub())
					if !ok || v.Serial() != old.Serial() || fmt.Sprint(contents(v)) != fmt.Sprint(contents(old)) {
						t.Errorf("zone %s is %v at %d; want %v at %d", origin, contents(v), v.Serial(), contents(old), old.Serial())
					}
				}
			})
		}
	}
}

func (e entrySet) has(name string) bool {
	wire, _ := Wire(name)
	return e[string(wire)] != 0
}

// sub is a subscriber of the view's collection.
func (v View) sub() int64 {
	if v.rec.ID == 2 {
		return 9
	}
	return 3
}

// A policy zone reads some names as triggers of other kinds. A claim on such a
// name would block addresses, networks of clients, or all that a name server
// serves.
func TestNamesThatInstructPolicyZones(t *testing.T) {
	st := newStage(t, false)
	for _, name := range []string{"1.0.0.0.0.rpz-ip", "8.0.0.0.10.rpz-client-ip", "gtld-servers.net.rpz-nsdname", "32.1.2.0.192.rpz-nsip", "a.rpz-later"} {
		st.claim("domain", name, st.label(access.Community, 0))
		if d := st.s.Takes(1, st.attrs[st.ids], st.events[1]); d.Allowed {
			t.Errorf("%s is taken: %s", name, d.Reason)
		}
	}
	st.claim("hostname", "rpz-ip.example", st.label(access.Community, 0))
	st.is(baseZone, 1, "rpz-ip.example")
	for sk := range st.s.Skipped(1, access.Organisation("x", 1)) {
		if sk.Reason != Instruction {
			t.Errorf("skipped %q because %s", sk.Name, sk.Reason)
		}
	}
	if n := st.s.Collections()[0].Skipped; n != 5 {
		t.Errorf("%d names were skipped, want 5", n)
	}
}

// A tag that no collection speaks of is none's business: with fifty thousand of
// them, one write would have every zone stand still for minutes.
func TestTagsOfNoCollection(t *testing.T) {
	st := newStage(t, false)
	c := *st.colls[1]
	c.Filter = `tag:Phishing org:"org1"`
	st.putCollection(c)
	st.follow()
	sel := st.s.selections[1]
	st.s.matcher(sel)
	for id, name := range []string{"another", "phishing kit"} {
		was := sel.matcher
		st.putTag(tocsin.Tag{ID: int64(id + 10), Name: name})
		st.follow()
		if sel.matcher != was {
			t.Errorf("the tag %q had the collection look up all names again", name)
		}
	}
	for id, name := range []string{"PHISHING", c.Tag()} {
		was := sel.matcher
		st.putTag(tocsin.Tag{ID: int64(id + 20), Name: name})
		st.follow()
		if sel.matcher == was {
			t.Errorf("the tag %q made no difference", name)
		}
	}
}
