package collection

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// Moved says that a zone has another serial than before for some subscribers.
type Moved struct {
	Collection  int64
	Origin      string
	Serial      uint32
	Subscribers []int64 // ascending
}

// tell tells the watchers what moved.
func (s *Set) tell() {
	if len(s.watchers) == 0 {
		return
	}
	for _, m := range s.moved() {
		for _, fn := range s.watchers {
			fn(m)
		}
	}
}

// moved returns what moved since it was last asked.
func (s *Set) moved() (all []Moved) {
	for id, sh := range s.shown.collections {
		if was := s.told[id]; was != sh {
			all = sh.moved(was, all)
		}
	}
	s.told = s.shown.collections
	slices.SortFunc(all, func(a, b Moved) int {
		return cmp.Or(cmp.Compare(a.Collection, b.Collection), cmp.Compare(a.Origin, b.Origin), slices.Compare(a.Subscribers, b.Subscribers))
	})
	return all
}

// moved appends which zones have other serials than they had.
func (sh *shelf) moved(was *shelf, all []Moved) []Moved {
	for z, o := range sh.origins {
		if o == "" || sh.still(was, zone(z)) {
			continue
		}
		known := was != nil && was.origins[z] == o
		first, moved := len(all), (*Moved)(nil)
		for _, id := range sh.seating.ids {
			st := sh.seating.seats[id]
			sn := st.view(sh, zone(z)).Serial()
			if known {
				if old, ok := was.view(id, zone(z)); ok && old.Serial() == sn {
					continue
				}
			}
			if moved == nil || moved.Serial != sn {
				i := slices.IndexFunc(all[first:], func(m Moved) bool { return m.Serial == sn })
				if i < 0 {
					i = len(all) - first
					all = append(all, Moved{Collection: sh.rec.ID, Origin: o, Serial: sn})
				}
				moved = &all[first+i]
			}
			moved.Subscribers = append(moved.Subscribers, id)
		}
	}
	return all
}

// still reports whether a zone is for everyone where it was, without asking
// thousands of subscribers one by one.
func (sh *shelf) still(was *shelf, z zone) bool {
	return was != nil && was.seating == sh.seating && was.born[z] == sh.born[z] && was.origins[z] == sh.origins[z] &&
		slices.EqualFunc(was.images, sh.images, func(a, b *image) bool { return a.last[z] == b.last[z] })
}

// Status is how one collection stands.
type Status struct {
	Collection tocsin.Collection
	At         tocsin.Seq // it holds the log up to here
	Names      int        // that anyone claims, whoever may see them
	Octets     int        // that the names and their holders take
	Skipped    int        // names that fit no zone
	Hot        int        // names in the hot zone
	OldestHot  tocsin.Seq // the earliest line that brought one of them, 0: none
	Unmerged   tocsin.Seq // the earliest that brought one which is not in the base zone, 0: none
	Steps      int        // of the journal
	Floor      tocsin.Seq // the journal knows no steps up to here
	Classes    []ClassStatus
}

// ClassStatus is how one audience of a collection stands.
type ClassStatus struct {
	Subscribers           []int64
	BaseSerial, HotSerial uint32
	BaseNames, HotNames   int
}

// Collections returns how the collections stand, in order of id. It is for the
// exchange's operators; it shows no names.
func (s *Set) Collections() []Status {
	s.mu.RLock()
	shown := s.shown
	s.mu.RUnlock()
	var all []Status
	for _, id := range slices.Sorted(maps.Keys(shown.collections)) {
		st := shown.collections[id].status()
		st.At = max(st.At, shown.at)
		all = append(all, st)
	}
	return all
}

// Ready says what is missing until every collection that is known is served.
// After a kill or damage some first catch up with what they served before.
func (s *Set) Ready() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if n := s.shown.waiting; n > 0 {
		return fmt.Errorf("%d collections are catching up with the log", n)
	}
	return nil
}

func (sh *shelf) status() Status {
	st := Status{Collection: sh.rec, At: sh.at, Names: sh.names.count, Octets: sh.names.bytes, Skipped: sh.skipped.count,
		Hot: sh.fresh.count, Steps: len(sh.steps), Floor: sh.floor}
	sh.fresh.all(func(_, v []byte) bool {
		for _, t := range readFreshness(v) {
			if t.began != 0 {
				st.OldestHot = earliest(st.OldestHot, t.began)
				if !t.base {
					st.Unmerged = earliest(st.Unmerged, t.began)
				}
			}
		}
		return true
	})
	for _, img := range sh.images {
		st.Classes = append(st.Classes, ClassStatus{BaseNames: img.len[base], HotNames: img.len[hot],
			BaseSerial: View{img, base, none, 0}.Serial(), HotSerial: View{img, hot, none, 0}.Serial()})
	}
	for _, id := range sh.seating.ids {
		c := &st.Classes[sh.seating.seats[id].class]
		c.Subscribers = append(c.Subscribers, id)
	}
	return st
}

func earliest(a, b tocsin.Seq) tocsin.Seq {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// A Skip is a name that a claim contributes and no zone can hold.
type Skip struct {
	Attribute int64
	Name      []byte // wire form, or for NotDNS its text
	Reason    Reason
}

// Skipped iterates over what v may see of the names that are left out of a
// collection.
func (s *Set) Skipped(collection int64, v access.Viewer) iter.Seq[Skip] {
	s.mu.RLock()
	sh := s.shown.collections[collection]
	s.mu.RUnlock()
	return func(yield func(Skip) bool) {
		if sh == nil {
			return
		}
		sees := sight(sh.labels, sh.pairs, v, access.Read)
		sh.skipped.all(func(key, val []byte) bool {
			c, _ := binary.Uvarint(val[1:])
			if !sees.has(combo(c).pair()) {
				return true
			}
			id, w := binary.Uvarint(key)
			return yield(Skip{int64(id), slices.Clone(key[w:]), Reason(val[0])})
		})
	}
}

// A List is a collection as an organisation receives it over HTTP: what its
// zones hold together.
type List struct {
	view View
	etag string
}

// List returns a collection as v receives it as a list. There is none for nobody.
func (s *Set) List(collection int64, v access.Viewer) (List, bool) {
	s.mu.RLock()
	sh := s.shown.collections[collection]
	s.mu.RUnlock()
	if sh == nil || v.Org() == 0 && !v.SeesAll() {
		return List{}, false
	}
	return sh.list(v.Through(sh.owner), none, 0), true
}

// Received returns a collection as a subscriber of it receives it as a list:
// without what it excludes.
func (s *Set) Received(collection, subscriber int64) (List, bool) {
	s.mu.RLock()
	sh := s.shown.collections[collection]
	s.mu.RUnlock()
	if sh == nil {
		return List{}, false
	}
	st, ok := sh.seating.seats[subscriber]
	if !ok {
		return List{}, false
	}
	return sh.list(st.viewer, st.wish, st.entered), true
}

func (sh *shelf) list(v access.Viewer, w *wish, entered tocsin.Seq) List {
	sees := sight(sh.labels, sh.pairs, v, access.List)
	if i := slices.IndexFunc(sh.images, func(img *image) bool { return img.sees.equal(sees) }); i >= 0 {
		img := sh.images[i]
		h := maphash.Comparable(etagSeed, string(sees.key())+strings.Join(w.texts, "\n"))
		// All that is listed is in the zone of name servers, under other names.
		return List{View{img, both, w, entered}, fmt.Sprintf(`"%d-%d-%016x"`, sh.rec.ID, max(img.last[ns], entered), h)}
	}
	return List{view: View{&image{shelf: sh, sees: sees}, both, w, entered}}
}

// etagSeed makes tags differ between runs, so that they tell nobody which
// labels a class sees. The price is one full answer after a restart.
var etagSeed = maphash.MakeSeed()

func (b bitset) trimmed() bitset {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

func (b bitset) equal(c bitset) bool { return slices.Equal(b.trimmed(), c.trimmed()) }

func (b bitset) key() (k []byte) {
	for _, w := range b.trimmed() {
		k = binary.LittleEndian.AppendUint64(k, w)
	}
	return k
}

// ETag changes when the list does. It is empty for a viewer whom no subscriber
// resembles: nothing follows that list, and a tag by anyone else's changes
// would tell of them.
func (l List) ETag() string { return l.etag }

// Names iterates over the domains and hosts of the list, as [View.Names] does.
func (l List) Names(yield func(name []byte, t Trigger) bool) { l.view.Names(yield) }

// Values calls yield for each value of the list once, in no particular order,
// until it returns false: a domain, which stands for all beneath it too, a host,
// which stands for itself, or a prefix, an address or network in the form of RFC
// 5952. The text is good until yield returns.
func (l List) Values(yield func(text []byte, kind indicator.Kind) bool) {
	all := l.view
	all.zone = ns
	var text []byte
	all.keys(func(key []byte, t Trigger) bool {
		text = appendText(text[:0], key)
		return yield(text, kindOf(key, t))
	})
}
