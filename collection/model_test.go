package collection

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A fakeStore keeps the records of a small exchange and its log. It hands out
// lines as a store does: scope lines expand as of their own line.
type fakeStore struct {
	labels *access.Labels
	lines  []tocsin.Change
	fail   int // scopes fail after so many attributes; -1: they don't

	events map[int64]*tocsin.Event
	attrs  map[int64]*tocsin.Attribute
	tags   map[int64]*tocsin.Tag
	orgs   map[int64]*tocsin.Organisation
	groups map[int64]*tocsin.Group
	colls  map[int64]*tocsin.Collection
	subs   map[int64]*tocsin.Subscriber

	lifetimes map[int64]*tocsin.Lifetime
	now       int64 // seconds since 1970
}

func newFakeStore() *fakeStore {
	return &fakeStore{labels: access.NewLabels(nil), fail: -1, events: map[int64]*tocsin.Event{}, attrs: map[int64]*tocsin.Attribute{},
		tags: map[int64]*tocsin.Tag{}, orgs: map[int64]*tocsin.Organisation{}, groups: map[int64]*tocsin.Group{},
		colls: map[int64]*tocsin.Collection{}, subs: map[int64]*tocsin.Subscriber{}, lifetimes: map[int64]*tocsin.Lifetime{}, now: 1_800_000_000}
}

func (f *fakeStore) head() tocsin.Seq { return tocsin.Seq(len(f.lines)) }

func (f *fakeStore) write(l tocsin.Line) {
	l.Seq, l.At = f.head()+1, time.Unix(f.now, 0)
	f.lines = append(f.lines, tocsin.NewChange(l, f.labels))
}

// scope is what the attributes of an event are now, or all of them.
func (f *fakeStore) scope(event int64) tocsin.Expand {
	var as []tocsin.Attribute
	for _, id := range slices.Sorted(maps.Keys(f.attrs)) {
		if a := f.attrs[id]; event == 0 || a.Event == event {
			as = append(as, *a)
		}
	}
	return f.expand(as)
}

func (f *fakeStore) expand(as []tocsin.Attribute) tocsin.Expand {
	return func(context.Context, tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
		return func(yield func(tocsin.Attribute, error) bool) {
			for i, a := range as {
				if i == f.fail {
					yield(tocsin.Attribute{}, errors.New("the store failed"))
					return
				}
				if !yield(a, nil) {
					return
				}
			}
		}
	}
}

// put replaces a record of m, or removes it if r is nil, and writes its line.
func put[R tocsin.Record](f *fakeStore, k tocsin.Kind, id int64, m map[int64]R, r R, remove bool, scope tocsin.Expand) {
	l := tocsin.Line{Kind: k, ID: id, Scope: scope}
	if old, ok := m[id]; ok {
		l.Before = old
	}
	if remove {
		delete(m, id)
	} else {
		m[id] = r
		l.After = r
	}
	f.write(l)
}

func (f *fakeStore) putEvent(e tocsin.Event) {
	put(f, tocsin.KindEvent, e.ID, f.events, &e, false, f.scope(e.ID))
}

func (f *fakeStore) putCollection(c tocsin.Collection) {
	put(f, tocsin.KindCollection, c.ID, f.colls, &c, false, f.scope(0))
}

func (f *fakeStore) putAttribute(a tocsin.Attribute) {
	put(f, tocsin.KindAttribute, a.ID, f.attrs, &a, false, nil)
}

func (f *fakeStore) putRun(event int64, as []tocsin.Attribute) {
	for i := range as {
		f.attrs[as[i].ID] = &as[i]
	}
	f.write(tocsin.Line{Kind: tocsin.KindAttribute, ID: event, Run: slices.Clone(as), Event: f.events[event].Label})
}

func (f *fakeStore) putTag(t tocsin.Tag) { put(f, tocsin.KindTag, t.ID, f.tags, &t, false, f.scope(0)) }
func (f *fakeStore) putOrg(o tocsin.Organisation) {
	put(f, tocsin.KindOrganisation, o.ID, f.orgs, &o, false, f.scope(0))
}
func (f *fakeStore) putGroup(g tocsin.Group) {
	put(f, tocsin.KindGroup, g.ID, f.groups, &g, false, nil)
}
func (f *fakeStore) putLifetime(l tocsin.Lifetime) {
	put(f, tocsin.KindLifetime, l.ID, f.lifetimes, &l, false, f.scope(0))
}

func (f *fakeStore) inForce() (ls tocsin.Lifetimes) {
	for _, l := range f.lifetimes {
		ls = append(ls, l)
	}
	return ls
}

// pass lets time pass, with a line about what falls due.
func (f *fakeStore) pass(seconds int64) {
	before := f.now
	f.now += seconds
	var due []tocsin.Attribute
	for _, id := range slices.Sorted(maps.Keys(f.attrs)) {
		a, ls := f.attrs[id], f.inForce()
		if e := f.events[a.Event]; ls.Over(a, e.Orgc, f.now) && !ls.Over(a, e.Orgc, before) {
			due = append(due, *a)
		}
	}
	f.write(tocsin.Line{Kind: tocsin.KindClock, ID: 1, After: &tocsin.Clock{ID: 1, At: f.now}, Scope: f.expand(due)})
}

func (f *fakeStore) putSubscriber(s tocsin.Subscriber) {
	put(f, tocsin.KindSubscriber, s.ID, f.subs, &s, false, nil)
}

func parse(t testing.TB, typ, text string) indicator.Value {
	v, err := indicator.Parse(typ, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// An entrySet is a zone's content, name to triggers.
type entrySet map[string]Trigger

// A network is kept in an entrySet by its text, behind an octet that begins no name.
const network = "\x00"

// names returns the names of a set without its networks.
func (e entrySet) names() entrySet {
	out := maps.Clone(e)
	maps.DeleteFunc(out, func(name string, _ Trigger) bool { return strings.HasPrefix(name, network) })
	return out
}

// addresses returns the networks of a set as the zone of addresses has them.
func (e entrySet) addresses(suffix string) entrySet {
	out := entrySet{}
	for name, t := range e {
		if text, ok := strings.CutPrefix(name, network); ok {
			out[dotWire(longhand(netip.MustParsePrefix(text))+"."+suffix)] = t
		}
	}
	return out
}

// servers returns a set as the zone of name servers has it.
func (e entrySet) servers() entrySet {
	out := e.addresses("rpz-nsip")
	for name, t := range e.names() {
		out[name+dotWire("rpz-nsdname")] = t
	}
	return out
}

func dotWire(text string) (wire string) {
	for l := range strings.SplitSeq(text, ".") {
		wire += string(rune(len(l))) + l
	}
	return wire
}

// brute computes what subscriber sub receives of a collection, from scratch.
func (f *fakeStore) brute(sub *tocsin.Subscriber, c *tocsin.Collection) entrySet {
	want := f.bruteFor(c, f.member(sub.Org))
	maps.DeleteFunc(want, func(name string, _ Trigger) bool { return excluded(sub, name) })
	return want
}

// excluded reports whether a subscriber does not want a name or network of an entrySet.
func excluded(sub *tocsin.Subscriber, name string) bool {
	text, isNet := strings.CutPrefix(name, network)
	for _, x := range sub.Exclude {
		switch {
		case isNet:
			all, err := netip.ParsePrefix(x)
			if err != nil {
				all, err = netip.ParsePrefix(x + "/32")
			}
			if p := netip.MustParsePrefix(text); err == nil && all.Contains(p.Addr()) && all.Bits() <= p.Bits() {
				return true
			}
		case strings.HasSuffix("."+labelsText([]byte(name)), "."+x):
			return true
		}
	}
	return false
}

// member is whoever belongs to an organisation.
func (f *fakeStore) member(org int64) access.Viewer {
	var groups []int64
	for id, g := range f.groups {
		if g.Has(org) {
			groups = append(groups, id)
		}
	}
	return access.Organisation("test", org, groups...)
}

// bruteFor computes what v receives of c. The zero viewer stands for everything
// that anyone claims, whoever may have it.
func (f *fakeStore) bruteFor(c *tocsin.Collection, v access.Viewer) entrySet {
	want := entrySet{}
	filter, err := ParseFilter(c.Filter)
	if err != nil {
		panic(err)
	}
	anyone := v.Name() == ""
	carries := func(a *tocsin.Attribute, e *tocsin.Event, name string) bool {
		for id, t := range f.tags {
			if t.Name == name && (a.Tags.Has(id) || e.Tags.Has(id)) {
				return true
			}
		}
		return false
	}
	for _, a := range f.attrs {
		e := f.events[a.Event]
		if e == nil || !e.Published || a.Deleted || !a.ToIDS || (strings.HasPrefix(string(a.Guard), "deny") || strings.HasPrefix(string(a.Guard), "warn")) && a.Override == "" || !slices.Contains(c.Sources, e.Orgc) || f.inForce().Over(a, e.Orgc, f.now) {
			continue
		}
		for _, l := range []access.LabelID{a.Label, e.Label} {
			allowed := access.Decide(v, access.Zone, access.Record{Label: f.labels.Label(l), Published: e.Published}).Allowed
			// The owner hands on nothing that it may not have itself.
			if !anyone && !(allowed && f.member(c.Org).Sees(f.labels.Label(l))) {
				e = nil
				break
			}
		}
		if e == nil {
			continue
		}
		matches := len(filter.terms) > 0
		for _, t := range filter.terms {
			matches = matches && slices.ContainsFunc(t.values, func(v value) bool {
				switch t.key {
				case "type":
					return a.Value.TypeName() == v.text
				case "tag":
					return carries(a, e, v.text)
				case "org":
					return e.Orgc == v.id || f.orgs[e.Orgc] != nil && f.orgs[e.Orgc].Name == v.text
				case "tlp":
					tlp := max(f.labels.Label(a.Label).TLP, f.labels.Label(e.Label).TLP)
					return tlp == v.tlp || tlp == access.Unmarked && v.tlp == access.Green
				}
				return false
			})
		}
		if !matches && !carries(a, e, c.Tag()) {
			continue
		}
		for _, n := range a.Value.Facets().Names {
			if n.Kind == indicator.Prefix {
				want[network+n.Prefix.String()] = Exact
				continue
			}
			wire, ok := n.WireName()
			size, t := len(wire), Exact
			if n.Kind == indicator.Domain {
				size, t = size+2, Exact|Beneath
			}
			origin := max(len(c.Zone), len(c.HotZone))
			if c.NSZone != "" {
				origin = max(origin, len(c.NSZone+".rpz-nsdname"))
			}
			if ok && size+origin+1 <= 255 {
				want[string(wire)] |= t
			}
		}
	}
	return want
}

// A hotModel follows the rule of hot and base zones for one collection, the slow
// way: from what everyone receives before and after each line.
type hotModel struct {
	all   entrySet           // what anyone claims
	seen  map[int64]entrySet // what each subscriber receives
	began map[record]tocsin.Seq
	base  map[record]bool // of what is hot
}

// A record is a name with one trigger.
type record struct {
	name string
	Trigger
}

func (e entrySet) records() map[record]bool {
	rs := map[record]bool{}
	for name, t := range e {
		for _, bit := range triggers {
			if t&bit != 0 {
				rs[record{name, bit}] = true
			}
		}
	}
	return rs
}

// line takes in the last line of the log.
func (h *hotModel) line(f *fakeStore, c *tocsin.Collection) {
	n := f.head()
	last := &f.lines[n-1]
	all, seen := f.bruteFor(c, access.Viewer{}).names(), map[int64]entrySet{}
	gained, names := map[record]bool{}, map[string]bool{}
	for id, sub := range f.subs {
		if !sub.Receives(c.ID) {
			continue
		}
		seen[id] = f.bruteFor(c, f.member(sub.Org)).names() // what it excludes is new to it all the same
		if was, ok := h.seen[id]; ok && last.Kind != tocsin.KindGroup && last.Kind != tocsin.KindSubscriber {
			for r := range seen[id].records() {
				if was[r.name]&r.Trigger == 0 {
					gained[r], names[r.name] = true, true
				}
			}
		}
	}
	merges := last.Kind == tocsin.KindCollection && last.ID == c.ID
	for r, began := range h.began {
		if merges && began <= min(c.MergedUpTo, n-1) {
			h.base[r] = true
		}
		if c.HotZone == "" || merges && began <= min(c.HotDropUpTo, c.MergedUpTo, n-1) || all[r.name]&r.Trigger == 0 {
			delete(h.began, r)
			delete(h.base, r)
		}
	}
	for r := range gained {
		if c.HotZone == "" || len(names) > bulk {
			continue
		}
		_, hot := h.began[r]
		h.base[r] = h.all[r.name]&r.Trigger != 0 && (!hot || h.base[r])
		h.began[r] = n
	}
	h.all, h.seen = all, seen
}

// split divides what a subscriber receives.
func (h *hotModel) split(all entrySet) (base, hot entrySet) {
	base, hot = entrySet{}, entrySet{}
	for r := range all.records() {
		_, isHot := h.began[r]
		if isHot {
			hot[r.name] |= r.Trigger
		}
		if !isHot || h.base[r] {
			base[r.name] |= r.Trigger
		}
	}
	return base, hot
}

// A served zone is one that a subscriber may have transferred once.
type served struct {
	serial uint32
	names  entrySet
	action tocsin.Action
}

func contents(v View) entrySet {
	got := entrySet{}
	v.Names(func(name []byte, t Trigger) bool {
		if _, twice := got[string(name)]; twice || t == 0 {
			panic(fmt.Sprintf("%q twice, or with no trigger", name))
		}
		got[string(name)] = t
		return true
	})
	return got
}

// replay applies steps to a copy of a zone, as a secondary does.
func replay(from served, steps []Step) (entrySet, uint32, error) {
	z, serial := maps.Clone(from.names), from.serial
	for _, st := range steps {
		if st.From != serial {
			return nil, 0, fmt.Errorf("a step begins at %d, not at %d", st.From, serial)
		}
		for _, e := range st.Removed {
			if z[string(e.Name)]&e.Trigger != e.Trigger {
				return nil, 0, fmt.Errorf("step to %d removes %q %d, which is not there", st.To, e.Name, e.Trigger)
			}
			if z[string(e.Name)] &^= e.Trigger; z[string(e.Name)] == 0 {
				delete(z, string(e.Name))
			}
		}
		for _, e := range st.Added {
			if z[string(e.Name)]&e.Trigger != 0 {
				return nil, 0, fmt.Errorf("step to %d adds %q %d, which is there", st.To, e.Name, e.Trigger)
			}
			z[string(e.Name)] |= e.Trigger
		}
		serial = st.To
	}
	return z, serial, nil
}

type zoneKey struct {
	sub    int64
	origin string
}

// A checker holds what was served and checks what is.
type checker struct {
	t      *testing.T
	f      *fakeStore
	served map[zoneKey][]served
	hot    map[int64]*hotModel // nil: not checked
	known  int                 // serials from which there was a way
	asked  int

	hotNames int
	networks int
}

// check compares every subscriber's zones with the model and walks to them from
// every serial served before.
func (ck *checker) check(s *Set, when string) {
	t := ck.t
	t.Helper()
	for at := range ck.f.seats() {
		id, sub, c := at.sub.ID, at.sub, at.c
		all := ck.f.brute(sub, c)
		want := all.names()
		wantZone := map[string]entrySet{c.Zone: want}
		if h := ck.hot[c.ID]; h != nil && c.HotZone != "" {
			wantZone[c.Zone], wantZone[c.HotZone] = h.split(want)
		}
		wantZone[c.IPZone], wantZone[c.NSZone] = all.addresses("rpz-ip"), all.servers()
		whole := ck.f.bruteFor(c, ck.f.member(sub.Org))
		candidates := map[string]entrySet{c.Zone: whole.names(), c.HotZone: whole.names(), c.IPZone: whole.addresses("rpz-ip"), c.NSZone: whole.servers()}
		ck.networks += len(wantZone[c.IPZone])
		union := entrySet{}
		for _, o := range []string{c.Zone, c.HotZone, c.IPZone, c.NSZone} {
			if o == "" {
				continue
			}
			v, ok := s.Zone(o, id)
			if !ok {
				t.Fatalf("%s: no zone %s for subscriber %d", when, o, id)
			}
			got := contents(v)
			if o == c.HotZone {
				ck.hotNames += len(got)
			}
			if v.Len() != len(got) && (len(sub.Exclude) == 0 || v.Len() < len(got)) {
				t.Fatalf("%s: zone %s for %d holds %d names and says %d", when, o, id, len(got), v.Len())
			}
			for name, tr := range got {
				if has, ok := v.Has([]byte(name)); !ok || has != tr {
					t.Fatalf("%s: zone %s for %d: %q is %d iterated and %d asked for", when, o, id, name, tr, has)
				}
				if o == c.Zone || o == c.HotZone {
					union[name] |= tr
				}
			}
			for name := range candidates[o] { // and what others have of it
				if has, _ := v.Has([]byte(name)); has != got[name] {
					t.Fatalf("%s: zone %s for %d has %q as %d; want %d", when, o, id, name, has, got[name])
				}
			}
			if (ck.hot != nil || o == c.IPZone || o == c.NSZone) && !maps.Equal(got, wantZone[o]) {
				t.Fatalf("%s: zone %s for %d holds %q; want %q", when, o, id, got, wantZone[o])
			}
			if v.Serial() == 0 || v.Serial() > serial(ck.f.head()) {
				t.Fatalf("%s: zone %s for %d has serial %d at line %d", when, o, id, v.Serial(), ck.f.head())
			}
			if want := actionOf(c, sub); v.Action() != want {
				t.Fatalf("%s: zone %s for %d does %s; want %s", when, o, id, v.Action(), want)
			}
			k := zoneKey{id, o}
			for _, old := range ck.served[k] {
				steps, ok := v.Since(old.serial)
				ck.asked++
				if !ok {
					continue
				}
				ck.known++
				if old.action != v.Action() {
					t.Fatalf("%s: zone %s for %d did %s at %d, does %s, and is told in steps", when, o, id, old.action, old.serial, v.Action())
				}
				z, at, err := replay(old, steps)
				if err != nil || at != v.Serial() || !maps.Equal(z, got) {
					t.Fatalf("%s: zone %s for %d from %d to %d: got %q at %d, err %v; want %q", when, o, id, old.serial, v.Serial(), z, at, err, got)
				}
			}
			if n := len(ck.served[k]); n > 0 && ck.served[k][n-1].serial == v.Serial() {
				if last := ck.served[k][n-1]; !maps.Equal(last.names, got) || last.action != v.Action() {
					t.Fatalf("%s: zone %s for %d changed and kept serial %d", when, o, id, v.Serial())
				}
			} else if n > 0 && int32(v.Serial()-ck.served[k][n-1].serial) <= 0 {
				t.Fatalf("%s: zone %s for %d went back from %d to %d", when, o, id, ck.served[k][n-1].serial, v.Serial())
			} else {
				if n > 20 { // of those long ago keep a few
					ck.served[k] = slices.Delete(ck.served[k], 3+n%10, 4+n%10)
				}
				ck.served[k] = append(ck.served[k], served{v.Serial(), got, v.Action()})
			}
		}
		if c.Zone != "" && !maps.Equal(union, want) {
			t.Fatalf("%s: subscriber %d of %q (hot %q, filter %q) receives %q; want %q", when, id, c.Zone, c.HotZone, c.Filter, union, want)
		}
	}
}

// actionOf is what a collection does for a subscriber.
func actionOf(c *tocsin.Collection, sub *tocsin.Subscriber) tocsin.Action {
	for _, a := range []tocsin.Action{map[bool]tocsin.Action{true: "passthru"}[c.Pass], sub.Action, c.Action} {
		if a != "" {
			return a
		}
	}
	return "nxdomain"
}

type seatKey struct {
	sub *tocsin.Subscriber
	c   *tocsin.Collection
}

// seats returns who receives what. Two collections may have a zone of one name
// here, as they may not in a store; whoever receives both is left alone.
func (f *fakeStore) seats() map[seatKey]bool {
	seats := map[seatKey]bool{}
	for _, sub := range f.subs {
		taken := map[string]bool{}
		clash := false
		for _, id := range sub.Collections() {
			if c := f.colls[id]; c != nil {
				for _, o := range c.Zones() {
					clash = clash || taken[o]
					taken[o] = true
				}
			}
		}
		for _, id := range sub.Collections() {
			if c := f.colls[id]; c != nil && !clash {
				seats[seatKey{sub, c}] = true
			}
		}
	}
	return seats
}

// begin writes the lines of an exchange at work.
func (f *fakeStore) begin(t *testing.T, r *rand.Rand) {
	for id := range int64(5) {
		f.putOrg(tocsin.Organisation{ID: id + 1, Name: fmt.Sprint("org", id+1)})
	}
	for id, name := range []string{"one", "two", "three", tocsin.CollectionTag("first"), tocsin.CollectionTag("second")} {
		f.putTag(tocsin.Tag{ID: int64(id + 1), Name: name})
	}
	f.putGroup(tocsin.Group{ID: 1, Members: []tocsin.Member{{Org: 1}, {Org: 2}, {Org: 3}}})
	f.putGroup(tocsin.Group{ID: 2, Members: []tocsin.Member{{Org: 2}, {Org: 4}}})
	f.putCollection(tocsin.Collection{ID: 1, Org: 1, Name: "first", Zone: "rpz.example.", HotZone: "hot.rpz.example.", IPZone: "ip.rpz.example.", NSZone: "ns.rpz.example.", Filter: "type:domain,hostname,domain|ip,ip-dst", Sources: []int64{1, 2, 3, 4}})
	f.putCollection(tocsin.Collection{ID: 2, Org: 2, Name: "second", Zone: "second.rpz.example.", Filter: "tag:one", Sources: []int64{2, 3, 4, 5}})
	for id := range int64(5) {
		f.putSubscriber(tocsin.Subscriber{ID: id + 1, Name: fmt.Sprint("s", id+1), Collection: 1 + id/3, Org: 1 + r.Int64N(5)})
	}
}

// history writes a random line.
func (f *fakeStore) history(t *testing.T, r *rand.Rand) {
	org := func() int64 { return 1 + r.Int64N(5) }
	label := func(owner int64) access.LabelID {
		d := []access.Distribution{access.OrgOnly, access.Community, access.Everyone, access.Group, access.Inherit, access.Inherit}[r.IntN(6)]
		tlp, pap := access.TLP(r.IntN(4)), access.PAPUnmarked
		if r.IntN(8) == 0 {
			tlp, pap = access.TLP(r.IntN(6)), access.PAP(r.IntN(5))
		}
		return f.labels.ID(access.NewLabel(owner, d, 1+r.Int64N(3), tlp, pap))
	}
	tags := func() (ts tocsin.TagSet) {
		for range r.IntN(3) {
			ts = ts.With(tocsin.Attached{Tag: 1 + r.Int64N(4)})
		}
		return ts
	}
	values := []struct{ typ, text string }{
		{"domain", "evil.example"}, {"hostname", "evil.example"}, {"domain", "bad.example"}, {"hostname", "www.bad.example"},
		{"domain", "worse.example"}, {"ip-dst", "192.0.2.1"}, {"ip-src", "192.0.2.0/24"}, {"ip-dst", "2001:db8::1"}, {"ip-dst|port", "192.0.2.1|443"}, {"url", "http://good.example/evil"}, {"domain|ip", "evil.example|192.0.2.1"},
		{"domain", "a." + long + ".example"}, {"hostname", long + ".example"},
	}
	attribute := func(id, event int64) tocsin.Attribute {
		v := values[r.IntN(len(values))]
		return tocsin.Attribute{ID: id, Event: event, Value: parse(t, v.typ, v.text), Seen: f.now - r.Int64N(3*day), ToIDS: r.IntN(5) > 0, Guard: verdicts[r.IntN(len(verdicts))], Tags: tags(), Label: label(f.events[event].Org)}
	}
	pick := func(ids []int64) int64 { slices.Sort(ids); return ids[r.IntN(len(ids))] }
	someEvent := func() int64 { return pick(slices.Collect(maps.Keys(f.events))) }
	someAttr := func() int64 { return pick(slices.Collect(maps.Keys(f.attrs))) }
	zones := []string{"rpz.example.", "second.rpz.example.", "third." + long[:40] + ".example."}
	hots := []string{"", "hot.rpz.example.", "hot2.rpz.example."}
	ips := []string{"", "ip.rpz.example.", "ip2.rpz.example."}
	actions := []tocsin.Action{"", tocsin.NoData, tocsin.Drop, "landing.example", "*.garden.example"}
	excludes := []string{"evil.example", "bad.example", "www.bad.example", "example", "192.0.2.0", "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"}
	nss := []string{"", "ns.rpz.example.", "ns." + long[:20] + ".example."}
	filters := []string{"", "type:domain,hostname,domain|ip", "type:domain,hostname", "type:domain", "type:hostname,domain|ip tag:two", `tag:"three"`, "org:1,three", "tlp:green,clear", "type:domain tlp:amber org:2", "type:ip-dst,ip-src,hostname"}
	names := []string{"one", "two", "three", tocsin.CollectionTag("first"), tocsin.CollectionTag("second")}
	switch n := r.IntN(108); {
	case n < 12 || len(f.events) == 0:
		o := org()
		id := int64(len(f.lines) + 1)
		f.putEvent(tocsin.Event{ID: id, Org: o, Orgc: org(), Published: r.IntN(4) > 0, Tags: tags(), Label: label(o)})
	case n < 30 || len(f.attrs) == 0:
		f.putAttribute(attribute(int64(len(f.lines)+1)*100, someEvent()))
	case n < 38:
		e := someEvent()
		var as []tocsin.Attribute
		for i := range int64(1 + r.IntN(12)) {
			as = append(as, attribute(int64(len(f.lines)+1)*100+i, e))
		}
		f.putRun(e, as)
	case n < 52:
		a := *f.attrs[someAttr()]
		switch r.IntN(9) {
		case 7:
			a.Guard = verdicts[r.IntN(len(verdicts))]
		case 8:
			a.Override = []string{"", "because"}[r.IntN(2)]
		case 5:
			a.Seen = f.now - r.Int64N(2*day)
		case 6:
			if a.Ends = 0; r.IntN(3) > 0 {
				a.Ends = f.now + r.Int64N(2*day) - day
			}
		case 0:
			a.Deleted = !a.Deleted
		case 1:
			a.ToIDS = !a.ToIDS
		case 2:
			a.Tags = tags()
		case 3:
			a.Label = attribute(1, a.Event).Label
		case 4:
			a.Value = attribute(1, a.Event).Value
		}
		f.putAttribute(a)
	case n < 55:
		id := someAttr()
		put(f, tocsin.KindAttribute, id, f.attrs, nil, true, nil)
	case n < 75:
		e := *f.events[someEvent()]
		switch r.IntN(4) {
		case 0, 1:
			e.Published = !e.Published
		case 2:
			e.Tags = tags()
		case 3:
			e.Label = label(e.Org)
		}
		f.putEvent(e)
	case n < 77:
		id := someEvent()
		put(f, tocsin.KindEvent, id, f.events, nil, true, f.scope(id))
		maps.DeleteFunc(f.attrs, func(_ int64, a *tocsin.Attribute) bool { return a.Event == id })
	case n < 80:
		id := 1 + r.Int64N(5)
		f.putTag(tocsin.Tag{ID: id, Name: names[(int(id)+r.IntN(2))%len(names)]})
	case n < 81:
		id := org()
		f.putOrg(tocsin.Organisation{ID: id, Name: names[r.IntN(3)]})
	case n < 82:
		g := tocsin.Group{ID: 1 + r.Int64N(3)}
		for o := range int64(5) {
			if r.IntN(2) == 0 {
				g.Members = append(g.Members, tocsin.Member{Org: o + 1})
			}
		}
		f.putGroup(g)
	case n < 87 || len(f.colls) == 0:
		id := 1 + r.Int64N(2)
		c := tocsin.Collection{ID: id, Org: 1 + r.Int64N(4), Name: []string{"first", "second"}[id-1]}
		if old := f.colls[id]; old != nil {
			c = *old
		}
		switch r.IntN(8) {
		case 5:
			c.Action = actions[r.IntN(len(actions))]
		case 6:
			c.Pass = r.IntN(4) == 0
		case 3:
			c.IPZone = ips[r.IntN(len(ips))]
		case 4:
			c.NSZone = nss[r.IntN(len(nss))]
		case 0:
			c.Filter = filters[r.IntN(len(filters))]
		case 1:
			c.Zone = zones[r.IntN(len(zones))]
		case 2:
			c.HotZone = hots[r.IntN(len(hots))]
		}
		if f.colls[id] == nil || r.IntN(3) == 0 {
			c.Sources = nil
			for o := range int64(5) {
				if r.IntN(5) > 0 {
					c.Sources = append(c.Sources, o+1)
				}
			}
			c.Zone = zones[r.IntN(2)]
		}
		f.putCollection(c)
	case n < 95:
		c := *f.colls[pick(slices.Collect(maps.Keys(f.colls)))]
		if r.IntN(2) == 0 {
			c.MergedUpTo = f.head() + 5 - tocsin.Seq(r.IntN(20))
		} else {
			c.HotDropUpTo = c.MergedUpTo
		}
		f.putCollection(c)
	case n < 99:
		id := 1 + r.Int64N(6)
		if f.subs[id] != nil && r.IntN(4) == 0 {
			put(f, tocsin.KindSubscriber, id, f.subs, nil, true, nil)
			return
		}
		sub := tocsin.Subscriber{ID: id, Name: fmt.Sprint("s", id), Collection: pick(slices.Collect(maps.Keys(f.colls))), Org: r.Int64N(6)}
		if old := f.subs[id]; old != nil && r.IntN(3) > 0 {
			sub = *old
		}
		switch r.IntN(5) {
		case 4:
			if sub.Also = nil; r.IntN(2) == 0 {
				sub.Also = []int64{3 - sub.Collection}
			}
		case 0:
			sub.Action = actions[r.IntN(len(actions))]
		case 1, 2:
			sub.Exclude = nil
			for range r.IntN(3) {
				sub.Exclude = append(sub.Exclude, excludes[r.IntN(len(excludes))])
			}
		}
		f.putSubscriber(sub)
	case n >= 104:
		f.pass(1 + r.Int64N(day/2))
	case n >= 100:
		l := tocsin.Lifetime{ID: 1 + r.Int64N(3), Days: r.Int64N(3)}
		if r.IntN(2) == 0 {
			l.Types = []string{"domain", "hostname"}[r.IntN(2):]
		}
		if r.IntN(2) == 0 {
			l.Orgs = []int64{org()}
		}
		if f.lifetimes[l.ID] != nil && r.IntN(3) == 0 {
			put(f, tocsin.KindLifetime, l.ID, f.lifetimes, nil, true, f.scope(0))
			return
		}
		f.putLifetime(l)
	default:
		f.write(tocsin.Line{Kind: tocsin.KindUser, ID: 1, After: &tocsin.User{ID: 1}})
	}
}

const day = 24 * 60 * 60

var verdicts = []tocsin.Verdict{"", "", "inform list x", "warn list x", "deny list x"}

// long is a name of three labels that only just leaves room for an origin.
var long = func() string {
	b := make([]byte, 0, 200)
	for i := range 3 {
		if i > 0 {
			b = append(b, '.')
		}
		for range 62 {
			b = append(b, 'a'+byte(i))
		}
	}
	return string(b)
}()

// TestRandomHistories is the definition of the package: whatever happens, every
// subscriber's zones hold what a recomputation from scratch says, every way from
// an earlier serial leads there, and a set that was stopped or killed at any
// line comes to the same.
func TestRandomHistories(t *testing.T) {
	runs := 12
	if testing.Short() {
		runs = 4
	}
	randomHistories(t, runs, true)
}

// TestRandomFloods lets lines change more than the journal takes.
func TestRandomFloods(t *testing.T) {
	defer func(n int) { maxOps = n }(maxOps)
	maxOps = 3
	randomHistories(t, 5, false)
}

func randomHistories(t *testing.T, runs int, checkHot bool) {
	defer func(n int) { bulk = n }(bulk)
	bulk = 3
	const lines = 150
	known, asked, hotNames, networks := 0, 0, 0, 0
	for seed := range runs {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		f := newFakeStore()
		dir := t.TempDir()
		s, err := Open(dir, f.labels, quiet())
		if err != nil {
			t.Fatal(err)
		}
		ck := &checker{t: t, f: f, served: map[zoneKey][]served{}}
		if checkHot {
			ck.hot = map[int64]*hotModel{}
		}
		f.begin(t, r)
		var fed int
		for range lines {
			f.history(t, r)
			for id, c := range f.colls {
				if checkHot && ck.hot[id] == nil {
					ck.hot[id] = &hotModel{began: map[record]tocsin.Seq{}, base: map[record]bool{}}
				}
				if checkHot {
					ck.hot[id].line(f, c)
				}
			}
			// A scope line that fails is handed over again and changes nothing, and
			// so is a line that was taken in.
			if f.fail = r.IntN(20); r.IntN(2) == 0 {
				s.Follow(t.Context(), f.lines[fed:])
			}
			f.fail = -1
			if err := s.Follow(t.Context(), f.lines[max(0, fed-r.IntN(3)):]); err != nil {
				t.Fatal(err)
			}
			fed = len(f.lines)
			when := fmt.Sprintf("seed %d, line %d", seed, fed)
			ck.check(s, when)
			switch r.IntN(16) {
			case 0: // stopped and started
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if s, err = Open(dir, f.labels, quiet()); err != nil {
					t.Fatal(err)
				}
				if s.Place() != f.head() {
					t.Fatalf("%s: reopened at %d", when, s.Place())
				}
				ck.check(s, when+", reopened")
			case 1: // killed
				dir = copyDir(t, dir)
				old := s
				if s, err = Open(dir, f.labels, quiet()); err != nil {
					t.Fatal(err)
				}
				if err := s.Follow(t.Context(), f.lines[s.Place():]); err != nil {
					t.Fatal(err)
				}
				same(t, old, s, when+", killed")
				ck.check(s, when+", killed")
			case 2: // a snapshot in passing
				if err := s.snapshot().write(); err != nil {
					t.Fatal(err)
				}
			}
		}
		known, asked, hotNames, networks = known+ck.known, asked+ck.asked, hotNames+ck.hotNames, networks+ck.networks
	}
	t.Logf("%d of %d earlier serials led to the present one; %d names were served hot, %d networks in all", known, asked, hotNames, networks)
	if checkHot && known < asked/2 {
		t.Errorf("only %d of %d earlier serials lead to the present one", known, asked)
	}
}

// same compares the journals and zones of two sets.
func same(t *testing.T, a, b *Set, when string) {
	t.Helper()
	for id, sa := range a.selections {
		sb := b.selections[id]
		if sb == nil {
			t.Fatalf("%s: collection %d is gone", when, id)
		}
		if !slices.EqualFunc(sa.journal.steps, sb.journal.steps, func(x, y step) bool { return x.seq == y.seq && x.size == y.size }) {
			t.Fatalf("%s: collection %d has another journal: %v, was %v", when, id, sb.journal.steps, sa.journal.steps)
		}
		for i := range sa.journal.steps {
			var fa, fb []movedName
			ea := sa.journal.steps[i].frame(func(m movedName) bool { fa = append(fa, m); return true })
			eb := sb.journal.steps[i].frame(func(m movedName) bool { fb = append(fb, m); return true })
			if err := errors.Join(ea, eb); err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			if fmt.Sprint(fa) != fmt.Sprint(fb) {
				t.Fatalf("%s: collection %d, step %d differs: %v, was %v", when, id, i, fb, fa)
			}
		}
		for sub, st := range sa.seats {
			o := sb.seats[sub]
			if o == nil || o.entered != st.entered || !o.wish.is(st.wish.action, st.wish.texts, &sa.rec) || o.class.last != st.class.last || o.class.len != st.class.len {
				t.Fatalf("%s: subscriber %d is seated otherwise: %+v, was %+v", when, sub, o, st)
			}
		}
	}
}

func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}
