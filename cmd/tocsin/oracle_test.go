package main

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/collection"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/store"
)

// The oracle knows the rules in as many words as they take, keeps every level
// and tag apart, and works everything out anew for each question. It shares no
// code with what it judges.
type oracle struct {
	groups      map[int64]map[int64]bool // members
	events      map[int64]*oEvent
	objects     map[int64]*oObject
	attributes  map[int64]*oAttribute
	collections map[int64]*oCollection
	remarks     map[remarkID]*oRemark
	policy      int                                 // of sightings
	exclude     map[int64]map[int64]map[string]bool // collection, organisation → what its subscriber does not act on
	lists       map[string]map[string]bool          // names that are guarded, by class
}

type oEvent struct {
	owner     int64
	dist      int
	group     int64
	tags      map[string]bool
	published bool
}

type oObject struct {
	event int64
	dist  int
	group int64
}

type oAttribute struct {
	event, object int64
	dist          int
	group         int64
	tags          map[string]bool
	toIDS         bool
	deleted       bool
	typ, value    string
	overridden    bool
}

type oCollection struct {
	owner   int64 // who can't hand on what it may not have itself
	tag     string
	filter  string // "", "type:hostname,ip-dst" or "tlp:amber"
	sources map[int64]bool
}

// seesEvent: may org read event e.
func (o *oracle) seesEvent(org int64, e *oEvent) bool {
	return org == e.owner || org != 0 && o.level(org, e.dist, e.group)
}

// level: does a distribution level admit an organisation that is not the owner.
func (o *oracle) level(org int64, dist int, group int64) bool {
	switch dist {
	case 0:
		return false
	case 4:
		return o.groups[group][org]
	}
	return true
}

func (o *oracle) sees(org int64, a *oAttribute) bool {
	e := o.events[a.event]
	if e == nil || org == 0 {
		return false
	}
	if org == e.owner {
		return true
	}
	if !o.seesEvent(org, e) || !o.level(org, a.dist, a.group) {
		return false
	}
	if obj := o.objects[a.object]; obj != nil {
		return o.level(org, obj.dist, obj.group)
	}
	return true
}

var tlpRank = map[string]int{"tlp:clear": 1, "tlp:green": 2, "tlp:amber": 3, "tlp:amber+strict": 4, "tlp:red": 5}
var papRank = map[string]int{"PAP:CLEAR": 1, "PAP:GREEN": 2, "PAP:AMBER": 3, "PAP:RED": 4}

func rank(ranks map[string]int, sets ...map[string]bool) (top int) {
	for _, s := range sets {
		for t := range s {
			top = max(top, ranks[t])
		}
	}
	return top
}

// leaves: may a claim leave by a zone or list to org.
func (o *oracle) leaves(org int64, a *oAttribute) bool {
	e := o.events[a.event]
	if !o.sees(org, a) || !e.published {
		return false
	}
	return rank(tlpRank, a.tags, e.tags) <= 3 && rank(papRank, a.tags, e.tags) <= 2
}

// in: is a claim in a collection, whoever may have it.
func (o *oracle) in(c *oCollection, a *oAttribute) bool {
	e := o.events[a.event]
	if e == nil || a.deleted || !a.toIDS || !e.published || !c.sources[e.owner] {
		return false
	}
	if o.guard(a) > 1 && !a.overridden {
		return false
	}
	if a.tags[c.tag] || e.tags[c.tag] {
		return true
	}
	switch c.filter {
	case "type:hostname,ip-dst":
		return a.typ == "hostname" || a.typ == "ip-dst"
	case "tlp:amber":
		return rank(tlpRank, a.tags, e.tags) == 3
	}
	return false
}

// guard: what it means that a list holds a claim's name: 0 nothing, 1 it is shown,
// 2 warned of, 3 denied.
func (o *oracle) guard(a *oAttribute) int {
	if a.typ != "domain" && a.typ != "hostname" {
		return 0
	}
	for rank, class := range map[int]string{3: "deny", 2: "warn", 1: "inform"} {
		higher := rank < 3 && o.lists["deny"][a.value] || rank < 2 && o.lists["warn"][a.value]
		if o.lists[class][a.value] && !higher {
			return rank
		}
	}
	return 0
}

// zone: what a collection holds for org, values by what is acted on: names, and
// addresses, which begin with a digit.
func (o *oracle) zone(c *oCollection, org int64) map[string]collection.Trigger {
	on := map[string]collection.Trigger{}
	for _, a := range o.attributes {
		if !o.in(c, a) || !o.leaves(org, a) || !o.sees(c.owner, a) {
			continue
		}
		switch a.typ {
		case "domain":
			on[a.value] |= collection.Exact | collection.Beneath
		case "hostname", "ip-dst":
			on[a.value] |= collection.Exact
		}
	}
	return on
}

// without: what is left for a subscriber that excludes some of it.
func without(on map[string]collection.Trigger, exclude map[string]bool) map[string]collection.Trigger {
	left := maps.Clone(on)
	maps.DeleteFunc(left, func(value string, _ collection.Trigger) bool { return exclude[value] })
	return left
}

// names, addresses and servers: the parts of it that each kind of zone has.
func onlyNames(on map[string]collection.Trigger) map[string]collection.Trigger {
	return owners(on, "%s", "")
}

func onlyAddresses(on map[string]collection.Trigger) map[string]collection.Trigger {
	return owners(on, "", "%s.rpz-ip")
}

func nameServersOf(on map[string]collection.Trigger) map[string]collection.Trigger {
	return owners(on, "%s.rpz-nsdname", "%s.rpz-nsip")
}

func owners(on map[string]collection.Trigger, name, address string) map[string]collection.Trigger {
	out := map[string]collection.Trigger{}
	for value, t := range on {
		form, text := name, value
		if value[0] <= '9' {
			b := strings.Split(value, ".")
			form, text = address, strings.Join([]string{"32", b[3], b[2], b[1], b[0]}, ".")
		}
		if form != "" {
			out[fmt.Sprintf(form, text)] = t
		}
	}
	return out
}

func zoneLines(names func(func(string, collection.Trigger) bool)) []string {
	out := []string{}
	for n, t := range names {
		out = append(out, fmt.Sprint(n, " ", t))
	}
	slices.Sort(out)
	return out
}

// A trial is a world, its oracle, and what tells them apart.
type trial struct {
	*world
	*oracle
	rnd      *rand.Rand
	groupIDs []int64
	subs     map[int64]map[int64]int64 // collection, organisation → subscriber
	copies   map[string]secondaryCopy  // what each subscriber's secondary holds
	pairs    int
	steps    int
}

const trialOrgs = 4

func newTrial(t *testing.T, seed uint64, db string) *trial {
	tr := &trial{world: newWorldOn(t, db, "one", "two", "three", "four"), rnd: rand.New(rand.NewPCG(seed, 7)),
		oracle: &oracle{map[int64]map[int64]bool{}, map[int64]*oEvent{}, map[int64]*oObject{}, map[int64]*oAttribute{}, map[int64]*oCollection{},
			map[remarkID]*oRemark{}, 0, map[int64]map[int64]map[string]bool{}, map[string]map[string]bool{}},
		subs: map[int64]map[int64]int64{}, copies: map[string]secondaryCopy{}}
	for _, m := range [][]string{{"one", "two"}, {"two", "three"}, {"one", "four"}, {"one", "two", "three", "four"}} {
		id := tr.group("g"+strings.Join(m, "-"), m...)
		tr.groupIDs = append(tr.groupIDs, id)
		tr.oracle.groups[id] = map[int64]bool{}
		for _, n := range m {
			tr.oracle.groups[id][tr.orgs[n]] = true
		}
	}
	for i, name := range []string{"first", "second"} {
		c := tocsin.Collection{Name: name, Org: int64(i + 1), Zone: name + ".rpz.example", IPZone: name + ".ip.example", Sources: []int64{1, 2}}
		if i == 1 {
			c.HotZone, c.NSZone, c.Filter = "hot.rpz.example", "ns.rpz.example", "type:hostname,ip-dst"
		}
		id := tr.collection(c)
		tr.collections[id] = &oCollection{owner: c.Org, tag: c.Tag(), filter: c.Filter, sources: map[int64]bool{1: true, 2: true}}
		tr.subs[id], tr.exclude[id] = map[int64]int64{}, map[int64]map[string]bool{}
		for n, org := range tr.orgs {
			tr.subs[id][org] = tr.subscriber(fmt.Sprintf("%s-of-%s", n, name), n, id)
		}
	}
	return tr
}

// viewer is who acts for an organisation.
func (tr *trial) viewer(org int64) access.Viewer {
	role, _ := access.RoleByID(2)
	return access.NewViewer(fmt.Sprint("org ", org), org, org, role.Role, tr.DB.GroupsOf(org)...)
}

func (tr *trial) apply(org int64, fn func(*store.Tx) error) {
	tr.t.Helper()
	if _, err := tr.DB.Apply(tr.t.Context(), tr.viewer(org), fn); err != nil {
		tr.t.Fatal(err)
	}
}

func anyOf[K cmp.Ordered, V any](tr *trial, m map[K]V) (k K, v V, ok bool) {
	if len(m) == 0 {
		return k, v, false
	}
	keys := slices.Sorted(maps.Keys(m))
	k = keys[tr.rnd.IntN(len(keys))]
	return k, m[k], true
}

// level draws a distribution that org may give; inherit only where it makes sense.
func (tr *trial) level(org int64, inherit bool) (access.Distribution, int64) {
	if inherit && tr.rnd.IntN(2) == 0 {
		return access.Inherit, 0
	}
	d := access.Distribution(tr.rnd.IntN(8))
	if d < access.Group {
		return d, 0
	}
	for _, i := range tr.rnd.Perm(len(tr.groupIDs)) {
		if g := tr.groupIDs[i]; tr.oracle.groups[g][org] {
			return access.Group, g
		}
	}
	return access.Community, 0
}

func (tr *trial) value() (typ, text string) {
	typ = []string{"domain", "hostname", "domain", "hostname", "url", "ip-dst"}[tr.rnd.IntN(6)]
	n := tr.rnd.IntN(30)
	switch typ {
	case "url":
		return typ, fmt.Sprintf("http://host%d.threat-lab.net/x", n)
	case "ip-dst":
		return typ, fmt.Sprintf("192.0.2.%d", n)
	}
	return typ, fmt.Sprintf("host%d.threat-lab.net", n)
}

func (tr *trial) drawAttributes(org int64, n int) (as []tocsin.Attribute, models []*oAttribute) {
	seen := map[string]bool{}
	for range n {
		typ, text := tr.value()
		if seen[typ+text] {
			continue
		}
		seen[typ+text] = true
		v, err := indicator.Parse(typ, text)
		if err != nil {
			tr.t.Fatal(err)
		}
		d, g := tr.level(org, true)
		ids := tr.rnd.IntN(4) > 0
		as = append(as, tocsin.Attribute{Value: v, ToIDS: ids, Distribution: d, Group: g})
		models = append(models, &oAttribute{dist: int(d), group: g, tags: map[string]bool{}, toIDS: ids, typ: typ, value: text})
	}
	return as, models
}

var trialTags = []string{"tlp:clear", "tlp:green", "tlp:amber", "tlp:amber+strict", "tlp:red", "PAP:GREEN", "PAP:AMBER", "a plain tag",
	`tocsin:collection="first"`, `tocsin:collection="second"`}

func (tr *trial) tag(tx *store.Tx, name string) (tocsin.Attached, error) {
	t, err := tx.TagNamed(name, "")
	if err != nil {
		return tocsin.Attached{}, err
	}
	return tocsin.Attached{Tag: t.ID, Local: strings.HasPrefix(name, "tocsin:")}, nil
}

// step changes one thing, in the exchange and in the oracle.
func (tr *trial) step() {
	switch n := tr.rnd.IntN(108); {
	case n >= 106:
		tr.changeGuards()
	case n >= 100:
		tr.override()
	case n < 14 || len(tr.oracle.events) < 4:
		tr.addEvent()
	case n < 24:
		tr.relabelEvent()
	case n < 38:
		tr.publish()
	case n < 50:
		tr.tagEvent()
	case n < 60:
		tr.addAttributes()
	case n < 68:
		tr.addObject()
	case n < 72:
		tr.editObject()
	case n < 84:
		tr.editAttribute()
	case n < 92:
		tr.tagAttribute()
	case n < 96:
		tr.deleteAttribute()
	case n < 97:
		tr.deleteEvent()
	case n < 98:
		tr.changeMembers()
	case n < 99:
		tr.changeExclusions()
	default:
		tr.changeCollection()
	}
	for tr.rnd.IntN(2) == 0 {
		tr.remark()
	}
	tr.republish()
}

// republish publishes most of what edits have unpublished, since only what is
// published can be blocked.
func (tr *trial) republish() {
	for _, id := range slices.Sorted(maps.Keys(tr.oracle.events)) {
		e := tr.oracle.events[id]
		if e.published || tr.rnd.IntN(3) == 0 {
			continue
		}
		tr.usable(e)
		e.published = true
		tr.apply(e.owner, func(tx *store.Tx) error { _, err := tx.Publish(id, true); return err })
	}
}

func (tr *trial) addEvent() {
	org := int64(1 + tr.rnd.IntN(trialOrgs))
	d, g := tr.level(org, false)
	e := &tocsin.Event{Info: "event", Distribution: d, Group: g, Published: tr.rnd.IntN(2) == 0}
	as, models := tr.drawAttributes(org, tr.rnd.IntN(6))
	tr.apply(org, func(tx *store.Tx) error {
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		return tr.add(tx, e.ID, as, models)
	})
	tr.oracle.events[e.ID] = &oEvent{owner: org, dist: int(d), group: g, tags: map[string]bool{}, published: e.Published}
}

// add adds attributes to an event and to the oracle.
func (tr *trial) add(tx *store.Tx, event int64, as []tocsin.Attribute, models []*oAttribute) error {
	r, err := tx.AddAttributes(event, as, false)
	if err != nil {
		return err
	}
	for _, a := range r.Added {
		for _, m := range models {
			if m.typ == a.Value.TypeName() && m.value == a.Value.String() {
				m.event = event
				tr.attributes[a.ID] = m
			}
		}
	}
	return nil
}

func (tr *trial) relabelEvent() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	d, g := tr.level(e.owner, false)
	tr.apply(e.owner, func(tx *store.Tx) error {
		_, err := tx.EditEvent(id, func(x *tocsin.Event) error { x.Distribution, x.Group = d, g; return nil })
		return err
	})
	e.dist, e.group = int(d), g
}

func (tr *trial) publish() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	e.published = tr.rnd.IntN(4) > 0
	tr.usable(e)
	tr.apply(e.owner, func(tx *store.Tx) error { _, err := tx.Publish(id, e.published); return err })
}

// usable gives an event a level that its owner may still use: it may have left
// the sharing group since.
func (tr *trial) usable(e *oEvent) {
	for id, x := range tr.oracle.events {
		if x == e && e.dist == 4 && !tr.oracle.groups[e.group][e.owner] {
			tr.apply(e.owner, func(tx *store.Tx) error {
				_, err := tx.EditEvent(id, func(x *tocsin.Event) error { x.Distribution, x.Group = 1, 0; return nil })
				return err
			})
			e.dist, e.group = 1, 0
		}
	}
}

func (tr *trial) retag(tags map[string]bool) (name string, on bool) {
	name = trialTags[tr.rnd.IntN(len(trialTags))]
	on = !tags[name]
	if on {
		tags[name] = true
	} else {
		delete(tags, name)
	}
	return name, on
}

func (tr *trial) tagEvent() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	tr.usable(e)
	name, on := tr.retag(e.tags)
	tr.apply(e.owner, func(tx *store.Tx) error {
		at, err := tr.tag(tx, name)
		if err != nil {
			return err
		}
		if on {
			_, err = tx.TagEvent(id, []tocsin.Attached{at}, nil)
		} else {
			_, err = tx.TagEvent(id, nil, []tocsin.Attached{at})
		}
		return err
	})
}

func (tr *trial) addAttributes() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	tr.usable(e)
	as, models := tr.drawAttributes(e.owner, 1+tr.rnd.IntN(3))
	before := len(tr.attributes)
	tr.apply(e.owner, func(tx *store.Tx) error { return tr.add(tx, id, as, models) })
	if len(tr.attributes) > before {
		e.published = false // as in MISP: an edited event waits for its next publication
	}
}

func (tr *trial) addObject() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	tr.usable(e)
	d, g := tr.level(e.owner, true)
	o := &tocsin.Object{Name: "domain-ip", Distribution: d, Group: g}
	as, models := tr.drawAttributes(e.owner, 2)
	tr.apply(e.owner, func(tx *store.Tx) error {
		r, err := tx.AddObject(id, o, as)
		if err != nil {
			return err
		}
		for i, a := range r.Added {
			m := models[i]
			m.event, m.object = id, o.ID
			tr.attributes[a.ID] = m
		}
		return nil
	})
	tr.oracle.objects[o.ID] = &oObject{event: id, dist: int(d), group: g}
	e.published = false
}

func (tr *trial) editObject() {
	id, o, ok := anyOf(tr, tr.oracle.objects)
	if !ok {
		return
	}
	e := tr.oracle.events[o.event]
	tr.usable(e)
	tr.usableAttributes(o.event)
	d, g := tr.level(e.owner, true)
	tr.apply(e.owner, func(tx *store.Tx) error {
		_, err := tx.EditObject(id, func(x *tocsin.Object) error { x.Distribution, x.Group = d, g; return nil })
		return err
	})
	o.dist, o.group = int(d), g
	e.published = false
}

// usableAttributes is usable for the attributes of an event.
func (tr *trial) usableAttributes(event int64) {
	e := tr.oracle.events[event]
	for id, a := range tr.attributes {
		if a.event == event && a.dist == 4 && !tr.oracle.groups[a.group][e.owner] {
			tr.apply(e.owner, func(tx *store.Tx) error {
				_, err := tx.EditAttribute(id, func(x *tocsin.Attribute) error { x.Distribution, x.Group = 0, 0; return nil })
				return err
			})
			a.dist, a.group = 0, 0
			e.published = false
		}
	}
}

func (tr *trial) editAttribute() {
	id, a, ok := anyOf(tr, tr.attributes)
	if !ok {
		return
	}
	e := tr.oracle.events[a.event]
	tr.usable(e)
	d, g := tr.level(e.owner, true)
	next := *a
	next.dist, next.group = int(d), g
	switch tr.rnd.IntN(3) {
	case 0:
		next.toIDS = !next.toIDS
	case 1:
		next.deleted = !next.deleted
	case 2:
		next.typ, next.value = tr.value()
	}
	_, err := tr.DB.Apply(tr.t.Context(), tr.viewer(e.owner), func(tx *store.Tx) error {
		_, err := tx.EditAttribute(id, func(x *tocsin.Attribute) (err error) {
			x.Distribution, x.Group, x.ToIDS, x.Deleted = d, g, next.toIDS, next.deleted
			x.Value, err = indicator.Parse(next.typ, next.value)
			return err
		})
		return err
	})
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict:
		return // the event holds that claim already
	}
	if err != nil {
		tr.t.Fatal(err)
	}
	next.overridden = a.overridden && next.typ == a.typ && next.value == a.value
	*a = next
	e.published = false
}

// override has a claim blocked although it is guarded, or takes that back.
func (tr *trial) override() {
	id, a, ok := anyOf(tr, tr.attributes)
	if !ok || tr.guard(a) < 2 && !a.overridden {
		return
	}
	undo := a.overridden
	tr.apply(tr.oracle.events[a.event].owner, func(tx *store.Tx) (err error) {
		if undo {
			_, err = tx.Uphold(id)
		} else {
			_, err = tx.Override(id, "a trial")
		}
		return err
	})
	a.overridden = !undo
}

// changeGuards loads another list of some class, and waits until all claims have
// been judged by it.
func (tr *trial) changeGuards() {
	class := []string{"deny", "warn", "inform"}[tr.rnd.IntN(3)]
	names, text := map[string]bool{}, "unused.threat-lab.net\n"
	for n := range 30 {
		if name := fmt.Sprintf("host%d.threat-lab.net", n); tr.rnd.IntN(6) == 0 {
			names[name] = true
			text += name + "\n"
		}
	}
	was := map[*oAttribute]int{}
	for _, a := range tr.attributes {
		was[a] = tr.guard(a)
	}
	c, err := tocsin.ParseGuardClass(class)
	if err != nil {
		tr.t.Fatal(err)
	}
	if _, err := tr.Guards.Load(tr.t.Context(), access.System("the oracle"), class+".txt", strings.NewReader(text), intake.LoadOptions{Class: &c}); err != nil {
		tr.t.Fatal(err)
	}
	if err := tr.Guards.Swept(tr.t.Context()); err != nil {
		tr.t.Fatal(err)
	}
	tr.lists[class] = names
	for _, a := range tr.attributes {
		if tr.guard(a) > max(was[a], 1) { // what was overridden has become stricter
			a.overridden = false
		}
	}
}

func (tr *trial) tagAttribute() {
	id, a, ok := anyOf(tr, tr.attributes)
	if !ok {
		return
	}
	e := tr.oracle.events[a.event]
	tr.usable(e)
	tr.usableAttributes(a.event)
	name, on := tr.retag(a.tags)
	tr.apply(e.owner, func(tx *store.Tx) error {
		at, err := tr.tag(tx, name)
		if err != nil {
			return err
		}
		if on {
			_, err = tx.TagAttribute(id, []tocsin.Attached{at}, nil)
		} else {
			_, err = tx.TagAttribute(id, nil, []tocsin.Attached{at})
		}
		return err
	})
}

func (tr *trial) deleteAttribute() {
	id, a, ok := anyOf(tr, tr.attributes)
	if !ok {
		return
	}
	e := tr.oracle.events[a.event]
	tr.usable(e)
	if tr.rnd.IntN(2) == 0 {
		tr.apply(e.owner, func(tx *store.Tx) error { _, err := tx.Withdraw(id); return err })
		a.deleted = true
		return
	}
	tr.apply(e.owner, func(tx *store.Tx) error { return tx.DeleteAttribute(id) })
	delete(tr.attributes, id)
}

func (tr *trial) deleteEvent() {
	id, e, _ := anyOf(tr, tr.oracle.events)
	tr.apply(e.owner, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	delete(tr.oracle.events, id)
	maps.DeleteFunc(tr.attributes, func(_ int64, a *oAttribute) bool { return a.event == id })
	maps.DeleteFunc(tr.oracle.objects, func(_ int64, o *oObject) bool { return o.event == id })
}

func (tr *trial) changeMembers() {
	id := tr.groupIDs[tr.rnd.IntN(len(tr.groupIDs))]
	org := int64(1 + tr.rnd.IntN(trialOrgs))
	tr.oracle.groups[id][org] = tr.rnd.IntN(3) > 0
	tr.write(func(tx *store.Tx) error {
		g, err := store.Get[*tocsin.Group](tx, id)
		if err != nil {
			return err
		}
		g = new(*g)
		g.Members = nil
		for o, in := range tr.oracle.groups[id] {
			if in {
				g.Members = append(g.Members, tocsin.Member{Org: o})
			}
		}
		return store.Put(tx, g)
	})
}

// changeExclusions has a subscriber exclude some names and addresses: each value
// stands for itself alone here, since none is beneath another.
func (tr *trial) changeExclusions() {
	id, _, _ := anyOf(tr, tr.collections)
	org, sub, _ := anyOf(tr, tr.subs[id])
	exclude := map[string]bool{}
	for range tr.rnd.IntN(6) {
		_, text := tr.value()
		if !strings.Contains(text, "/") {
			exclude[text] = true
		}
	}
	tr.exclude[id][org] = exclude
	tr.write(func(tx *store.Tx) error {
		s, err := store.Get[*tocsin.Subscriber](tx, sub)
		if err != nil {
			return err
		}
		s = new(*s)
		s.Exclude = slices.Collect(maps.Keys(exclude))
		return store.Put(tx, s)
	})
}

func (tr *trial) changeCollection() {
	id, c, _ := anyOf(tr, tr.collections)
	if tr.rnd.IntN(2) == 0 {
		c.filter = []string{"", "type:hostname,ip-dst", "tlp:amber"}[tr.rnd.IntN(3)]
	} else {
		org := int64(1 + tr.rnd.IntN(trialOrgs))
		c.sources[org] = !c.sources[org]
	}
	tr.write(func(tx *store.Tx) error {
		col, err := store.Get[*tocsin.Collection](tx, id)
		if err != nil {
			return err
		}
		col = new(*col)
		col.Filter, col.Sources = c.filter, []int64{}
		for o, in := range c.sources {
			if in {
				col.Sources = append(col.Sources, o)
			}
		}
		return store.Put(tx, col)
	})
}

// check asks the exchange everything in every way, and the oracle once.
func (tr *trial) check() {
	tr.t.Helper()
	tr.settle()
	for org := int64(0); org <= trialOrgs; org++ {
		v := tr.viewer(org)
		want := map[int64]bool{}
		for id, a := range tr.attributes {
			tr.pairs++
			if tr.sees(org, a) {
				want[id] = true
			}
		}
		tr.checkSQL(v, want)
		tr.checkLookup(v, want)
		tr.checkRemarks(v)
		if org != 0 {
			tr.checkHTTP(org, want)
			tr.checkCorrelations(org, want)
			tr.checkZones(org)
		}
	}
}

func (tr *trial) checkSQL(v access.Viewer, want map[int64]bool) {
	tr.t.Helper()
	got := map[int64]bool{}
	for a, err := range tr.DB.As(v).Attributes(tr.t.Context(), store.Query{Deleted: store.Any}) {
		if err != nil {
			tr.t.Fatal(err)
		}
		got[a.ID] = true
		e, err := tr.DB.As(access.System("the oracle reads labels")).Event(tr.t.Context(), a.Event)
		if err != nil {
			tr.t.Fatal(err)
		}
		labels := tr.DB.Labels()
		settled := labels.Label(a.Label).Within(labels.Label(e.Label))
		if d := access.Decide(v, access.Read, access.Record{Label: settled}); !d.Allowed {
			tr.t.Fatalf("SQL shows attribute %d to %s, Decide says %s", a.ID, v.Name(), d.Reason)
		}
	}
	if !maps.Equal(got, want) {
		tr.t.Fatalf("%s reads attributes %v, the oracle says %v", v.Name(), slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
	if n, err := tr.DB.As(v).CountAttributes(tr.t.Context(), store.Query{Deleted: store.Any}); err != nil || n != int64(len(want)) {
		tr.t.Fatalf("%s counts %d attributes, the oracle %d; %v", v.Name(), n, len(want), err)
	}
	events := map[int64]bool{}
	for e, err := range tr.DB.As(v).Events(tr.t.Context(), store.EventQuery{}) {
		if err != nil {
			tr.t.Fatal(err)
		}
		events[e.ID] = true
		n := 0
		for id, a := range tr.attributes {
			if a.event == e.ID && !a.deleted && want[id] {
				n++
			}
		}
		if e.Attributes != n {
			tr.t.Fatalf("event %d says to %s that it has %d attributes, the oracle %d", e.ID, v.Name(), e.Attributes, n)
		}
	}
	for id, e := range tr.oracle.events {
		if events[id] != (v.Org() != 0 && tr.seesEvent(v.Org(), e)) {
			tr.t.Fatalf("event %d for %s: listed %v", id, v.Name(), events[id])
		}
		delete(events, id)
	}
	if len(events) > 0 {
		tr.t.Fatalf("%s lists deleted events %v", v.Name(), events)
	}
}

// checkLookup asks the index by key, which is what correlation is as well: the
// claims under one key that the viewer may see.
func (tr *trial) checkLookup(v access.Viewer, want map[int64]bool) {
	tr.t.Helper()
	got, expect := map[int64]bool{}, map[int64]bool{}
	look := tr.Index.Look(tr.DB.Labels().Sight(v, access.Read))
	asked := map[indicator.Key]bool{}
	for id, a := range tr.attributes {
		if want[id] && !a.deleted {
			expect[id] = true
		}
		ind, err := indicator.Parse(a.typ, a.value)
		if err != nil {
			tr.t.Fatal(err)
		}
		for _, k := range ind.Keys() {
			if !asked[k] {
				asked[k] = true
				for _, c := range look.Find(k, nil) {
					got[c.Attribute] = true
				}
			}
		}
	}
	if !maps.Equal(got, expect) {
		tr.t.Fatalf("%s looks up %v, the oracle says %v", v.Name(), slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(expect)))
	}
}

// checkHTTP asks as a program does, for one value.
func (tr *trial) checkHTTP(org int64, want map[int64]bool) {
	tr.t.Helper()
	_, a, ok := anyOf(tr, tr.attributes)
	if !ok {
		return
	}
	expect := map[int64]bool{}
	for id, b := range tr.attributes {
		if want[id] && !b.deleted && b.value == a.value {
			expect[id] = true
		}
	}
	name := []string{"", "one", "two", "three", "four"}[org]
	out := tr.must(name, "POST", "/attributes/restSearch", map[string]any{"value": a.value, "returnFormat": "json"})
	got := map[int64]bool{}
	for _, x := range out["response"].(map[string]any)["Attribute"].([]any) {
		id, err := strconv.ParseInt(fmt.Sprint(x.(map[string]any)["id"]), 10, 64)
		if err != nil {
			tr.t.Fatal(err)
		}
		got[id] = true
	}
	if !maps.Equal(got, expect) {
		tr.t.Fatalf("restSearch of %q as %s: %v, the oracle says %v", a.value, name, got, expect)
	}
}

// checkCorrelations asks for one event and compares the others that it is said to
// share a value with.
func (tr *trial) checkCorrelations(org int64, want map[int64]bool) {
	tr.t.Helper()
	id, _, ok := anyOf(tr, tr.oracle.events)
	if !ok || !tr.seesEvent(org, tr.oracle.events[id]) {
		return
	}
	names := map[string]string{} // what correlates: a value, whatever its type names it as
	key := func(a *oAttribute) string {
		k, err := indicator.Parse(a.typ, a.value)
		if err != nil {
			tr.t.Fatal(err)
		}
		return string(k.Keys()[0])
	}
	for n, a := range tr.attributes {
		if a.event == id && want[n] && !a.deleted {
			names[key(a)] = a.value
		}
	}
	expect, got := map[int64]bool{}, map[int64]bool{}
	for n, a := range tr.attributes {
		if _, shared := names[key(a)]; shared && a.event != id && want[n] && !a.deleted {
			expect[a.event] = true
		}
	}
	name := []string{"", "one", "two", "three", "four"}[org]
	out := tr.must(name, "GET", fmt.Sprint("/events/view/", id), nil)
	related, _ := out["Event"].(map[string]any)["RelatedEvent"].([]any)
	for _, r := range related {
		n, err := strconv.ParseInt(fmt.Sprint(r.(map[string]any)["Event"].(map[string]any)["id"]), 10, 64)
		if err != nil {
			tr.t.Fatal(err)
		}
		got[n] = true
	}
	if !maps.Equal(got, expect) {
		tr.t.Fatalf("event %d as %s is said to correlate with %v, the oracle says %v", id, name, got, expect)
	}
}

// checkZones compares each zone, each list, and what a secondary makes of the
// steps since it last asked.
func (tr *trial) checkZones(org int64) {
	tr.t.Helper()
	for id, c := range tr.collections {
		all := tr.zone(c, org)
		own := without(all, tr.exclude[id][org])
		col, err := store.One[*tocsin.Collection](tr.DB.As(access.System("the oracle")), id)
		if err != nil {
			tr.t.Fatal(err)
		}
		union := map[string]collection.Trigger{}
		wants := map[string]map[string]collection.Trigger{col.IPZone: onlyAddresses(own), col.NSZone: nameServersOf(own)}
		for _, origin := range col.Zones() {
			z, ok := tr.Collections.Zone(origin, tr.subs[id][org])
			if !ok {
				tr.t.Fatalf("no zone %s for organisation %d", origin, org)
			}
			now := map[string]collection.Trigger{}
			z.Names(func(n []byte, t collection.Trigger) bool {
				now[string(dotted(nil, n))] = t
				return true
			})
			tr.secondary(fmt.Sprint(origin, org), z, now)
			if want, kind := wants[origin]; !kind {
				for n, t := range now {
					union[n] |= t
				}
			} else if !maps.Equal(now, want) {
				tr.t.Fatalf("zone %s for organisation %d:\n%v\nthe oracle says\n%v", origin, org, zoneLines(maps.All(now)), zoneLines(maps.All(want)))
			}
		}
		if got, want := zoneLines(maps.All(union)), zoneLines(maps.All(onlyNames(own))); !slices.Equal(got, want) {
			tr.t.Fatalf("zone of collection %d for organisation %d:\n%v\nthe oracle says\n%v", id, org, got, want)
		}
		l, ok := tr.Collections.List(id, tr.viewer(org))
		if !ok {
			tr.t.Fatal("no list")
		}
		tr.checkList(l, all)
		if l, ok = tr.Collections.Received(id, tr.subs[id][org]); !ok {
			tr.t.Fatal("no list of a subscriber's")
		}
		tr.checkList(l, own)
	}
}

func (tr *trial) checkList(l collection.List, want map[string]collection.Trigger) {
	tr.t.Helper()
	listed := map[string]collection.Trigger{}
	l.Values(func(text []byte, kind indicator.Kind) bool {
		listed[string(text)] = collection.Exact
		if kind == indicator.Domain {
			listed[string(text)] |= collection.Beneath
		}
		return true
	})
	if !maps.Equal(listed, want) {
		tr.t.Fatalf("a list holds\n%v\nthe oracle says\n%v", zoneLines(maps.All(listed)), zoneLines(maps.All(want)))
	}
}

// A secondaryCopy only ever changes by steps, or starts anew where the primary
// says so.
type secondaryCopy struct {
	serial uint32
	names  map[string]collection.Trigger
}

func (tr *trial) secondary(name string, z collection.View, now map[string]collection.Trigger) {
	tr.t.Helper()
	held := tr.copies[name]
	steps, ok := z.Since(held.serial)
	if held.names == nil || !ok {
		tr.copies[name] = secondaryCopy{z.Serial(), now}
		return
	}
	for _, s := range steps {
		for _, e := range s.Removed {
			n := string(dotted(nil, e.Name))
			if held.names[n] &^= e.Trigger; held.names[n] == 0 {
				delete(held.names, n)
			}
		}
		for _, e := range s.Added {
			held.names[string(dotted(nil, e.Name))] |= e.Trigger
		}
	}
	tr.steps += len(steps)
	if !maps.Equal(held.names, now) {
		tr.t.Fatalf("a secondary of %s went by steps from %d to %d and holds\n%v\nwhere the zone has\n%v",
			name, held.serial, z.Serial(), zoneLines(maps.All(held.names)), zoneLines(maps.All(now)))
	}
	held.serial = z.Serial()
	tr.copies[name] = held
}

// TestNothingLeaks compares what everyone gets, in every way there is, with what
// the oracle says they may have. make soak runs a million pairs.
func TestNothingLeaks(t *testing.T) {
	want := 50_000
	if s := os.Getenv("TOCSIN_SOAK_PAIRS"); s != "" {
		var err error
		if want, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	pairs, steps := 0, 0
	for seed := uint64(1); pairs < want; seed++ {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			tr := newTrial(t, seed, testStore(t))
			for range 60 {
				for range 1 + tr.rnd.IntN(6) {
					tr.step()
				}
				tr.check()
			}
			pairs += tr.pairs
			steps += tr.steps
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d pairs of viewer and claim, %d steps of zones, no difference", pairs, steps)
}
