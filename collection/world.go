package collection

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A world is what collections depend on besides claims, as of one line of the
// log. It is small but for the events, which lie in a table.
type world struct {
	At     tocsin.Seq
	Tags   map[int64]string // names in lower case
	Orgs   map[int64]string // likewise
	Groups map[int64][]int64
	Subs   map[int64]subscriber

	// Now is the latest time that a line carries, in seconds since 1970: what is
	// over by then is not taken in any more. What was taken in before leaves with
	// the line of the clock that says so.
	Now       int64
	Lifetimes map[int64]*tocsin.Lifetime

	events *table // id → event
}

// A subscriber is the part of a tocsin.Subscriber that decides what it gets.
type subscriber struct {
	Name        string
	Collections []int64
	Org         int64
	Action      tocsin.Action `json:",omitempty"`
	Exclude     []string      `json:",omitempty"`
}

// An event is the part of a tocsin.Event that decides where its claims go. The
// zero event is not published, so it has no claims anywhere.
type event struct {
	orgc      int64
	label     access.LabelID
	published bool
	tags      tocsin.TagSet
}

func newWorld(h indicator.Hasher) *world {
	return &world{Tags: map[int64]string{}, Orgs: map[int64]string{}, Groups: map[int64][]int64{}, Subs: map[int64]subscriber{}, Lifetimes: map[int64]*tocsin.Lifetime{}, events: newTable(h)}
}

func eventOf(e *tocsin.Event) event {
	if e == nil {
		return event{}
	}
	return event{e.Orgc, e.Label, e.Published, e.Tags}
}

func eventKey(id int64) []byte { return binary.AppendUvarint(nil, uint64(id)) }

// event returns an event. What was never there or is deleted is the zero event.
func (w *world) event(id int64) event {
	v, ok := w.events.get(eventKey(id))
	if !ok {
		return event{}
	}
	orgc, n := binary.Uvarint(v)
	label, m := binary.Uvarint(v[n:])
	v = v[n+m:]
	return event{int64(orgc), access.LabelID(label >> 1), label&1 == 1, tocsin.TagSet(v)}
}

// setEvent keeps an event; nil is deleted for good.
func (w *world) setEvent(id int64, e *tocsin.Event) {
	if e == nil {
		w.events.delete(eventKey(id))
		return
	}
	v := binary.AppendUvarint(nil, uint64(e.Orgc))
	published := uint64(0)
	if e.Published {
		published = 1
	}
	v = binary.AppendUvarint(v, uint64(e.Label)<<1|published)
	w.events.set(eventKey(id), append(v, e.Tags...))
}

func (w *world) tagIDs(name string) []int64 { return named(w.Tags, name) }
func (w *world) orgIDs(name string) []int64 { return named(w.Orgs, name) }

func named(m map[int64]string, name string) (ids []int64) {
	for id, n := range m {
		if n == name {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// setName keeps the name of a record; an empty one is no record.
func setName(m map[int64]string, id int64, name string) {
	if name == "" {
		delete(m, id)
		return
	}
	m[id] = strings.ToLower(name)
}

// subscriber returns the viewer for whom a subscriber is served. It receives
// through the collection's owner: who makes a subscriber for somebody else gets
// no more out of it than it has.
func (s *selection) subscriber(name string, org int64, groups []int64) access.Viewer {
	return access.Organisation("subscriber "+name, org, groups...).Through(s.owner())
}

func (s *selection) owner() access.Viewer {
	return access.Organisation("collection's owner", s.rec.Org, s.owners...)
}

// groups returns the sharing groups that an organisation is a member of.
func (w *world) groups(org int64) (ids []int64) {
	for id, members := range w.Groups {
		if slices.Contains(members, org) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// A hour is what decides whether a claim is over: the time, and how long claims
// hold. The nil hour lets nothing end.
type hour struct {
	now       int64
	lifetimes tocsin.Lifetimes
}

func (w *world) hour() *hour {
	h := &hour{now: w.Now}
	for _, id := range slices.Sorted(maps.Keys(w.Lifetimes)) {
		h.lifetimes = append(h.lifetimes, w.Lifetimes[id])
	}
	return h
}

func (h *hour) over(a *tocsin.Attribute, orgc int64) bool {
	return h != nil && h.lifetimes.Over(a, orgc, h.now)
}
