package collection

import (
	"hash/maphash"
	"maps"
	"math/bits"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// shown is what readers find: immutable, and replaced after each batch.
type shown struct {
	collections map[int64]*shelf
	origins     map[string][]*shelf // those that have a zone of that name
	at          tocsin.Seq
	hour        *hour
	waiting     int // collections that are behind what was served before
}

// A shelf is a collection as readers find it.
type shelf struct {
	rec     tocsin.Collection
	origins [both]string
	owner   access.Viewer
	matcher *matcher
	at      tocsin.Seq
	born    [zones]tocsin.Seq
	labels  *access.Labels
	names   *table
	fresh   *table
	skipped *table
	pairs   []pair
	steps   []step
	floor   tocsin.Seq
	images  []*image // of each class
	seating *seating
}

// A seating is who sits where. It stays the same from batch to batch until
// somebody moves, since there may be thousands of them.
type seating struct {
	ids   []int64 // ascending
	seats map[int64]*shownSeat
}

type shownSeat struct {
	class   int
	viewer  access.Viewer
	wish    *wish
	entered tocsin.Seq
}

// An image is a shelf as one class sees it.
type image struct {
	*shelf
	sees bitset
	last [zones]tocsin.Seq
	len  [zones]int
}

// show replaces what readers find by what is now.
func (s *Set) show() {
	is := shown{collections: map[int64]*shelf{}, origins: map[string][]*shelf{}, at: s.world.At, hour: s.world.hour()}
	for id, sel := range s.selections {
		if sel.at < sel.until {
			is.waiting++
			continue
		}
		sh, m := s.shown.collections[id], s.matcher(sel)
		if sh == nil || sel.dirty || sh.matcher != m {
			sh = sel.shelf()
			sh.owner = sel.owner()
			sel.dirty = false
		}
		is.collections[id] = sh
		for _, o := range sh.origins {
			if o != "" {
				is.origins[o] = append(is.origins[o], sh)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = is
}

func (s *selection) shelf() *shelf {
	sh := &shelf{rec: s.rec, origins: origins(&s.rec), matcher: s.matcher, at: s.at, born: s.born, labels: s.labels,
		names: s.names.snapshot(), fresh: s.fresh.snapshot(), skipped: s.skipped.snapshot(),
		pairs: s.pairs[:len(s.pairs):len(s.pairs)], steps: s.journal.steps, floor: s.journal.floor}
	class := map[*class]int{}
	for i, c := range s.classes {
		sh.images = append(sh.images, &image{sh, slices.Clone(c.sees), c.last, c.len})
		class[c] = i
	}
	if s.seating == nil {
		s.seating = &seating{slices.Sorted(maps.Keys(s.seats)), make(map[int64]*shownSeat, len(s.seats))}
		for id, st := range s.seats {
			s.seating.seats[id] = &shownSeat{class[st.class], st.viewer, st.wish, st.entered}
		}
	}
	sh.seating = s.seating
	return sh
}

// A View is a zone as one subscriber sees it at one instant. It never changes,
// and keeps what it holds in memory for as long as it is used.
type View struct {
	*image
	zone    zone
	wish    *wish
	entered tocsin.Seq
}

// Zone returns a zone as a subscriber sees it. There is none for a subscriber of
// another collection, and none while the zone is behind what was served before
// a crash.
func (s *Set) Zone(name string, subscriber int64) (View, bool) {
	name = origin(name)
	s.mu.RLock()
	all := s.shown.origins[name]
	s.mu.RUnlock()
	for _, sh := range all {
		for z, o := range sh.origins {
			if v, ok := sh.view(subscriber, zone(z)); ok && o == name {
				return v, true
			}
		}
	}
	return View{}, false
}

func (sh *shelf) view(subscriber int64, z zone) (View, bool) {
	st, ok := sh.seating.seats[subscriber]
	if !ok {
		return View{}, false
	}
	return st.view(sh, z), true
}

func (st *shownSeat) view(sh *shelf, z zone) View {
	return View{sh.images[st.class], z, st.wish, st.entered}
}

// Origin is the zone's name, in lower case, with the final dot.
func (v View) Origin() string {
	if v.zone == both {
		return v.origins[base]
	}
	return v.origins[v.zone]
}

// Hot reports whether it is the small zone of what is new.
func (v View) Hot() bool { return v.zone == hot }

// line is the last line that changed the zone for its subscriber.
func (v View) line() tocsin.Seq { return max(v.last[v.zone], v.born[v.zone], v.entered) }

// Serial is the number of the last line of the log that changed the zone.
func (v View) Serial() uint32 { return serial(v.line()) }

// Action is what the zone's records do.
func (v View) Action() tocsin.Action { return v.rec.ActionFor(v.wish.action) }

// Len is the number of names, those that the subscriber excludes among them.
func (v View) Len() int { return v.len[v.zone] }

// Has returns the triggers of exactly this name, in lower case.
func (v View) Has(name []byte) (Trigger, bool) {
	key, ok := v.zone.key(name)
	if !ok || !v.zone.holds(key) || v.wish.covers(key) {
		return 0, false
	}
	holders, ok := v.names.get(key)
	if !ok {
		return 0, false
	}
	t := v.sees.triggers(comboBytes(holders))
	if f, ok := v.fresh.get(key); ok {
		t &= readFreshness(f).in(v.zone)
	} else if v.zone == hot {
		t = 0
	}
	return t, t != 0
}

// triggers returns the triggers of a name with these combos, as who sees those
// pairs has it.
func (b bitset) triggers(combos []byte) (t Trigger) {
	for c := range eachCombo(combos) {
		if b.has(c.pair()) {
			t |= c.trigger()
		}
	}
	return t
}

// in returns the triggers that a zone has of a name that they all are claimed of.
func (f freshness) in(z zone) (t Trigger) {
	for i, bit := range triggers {
		if f.inZone(i, z) {
			t |= bit
		}
	}
	return t
}

// Names calls yield for each name once, in no particular order, until it
// returns false. The name belongs to the view: yield neither keeps nor changes
// it.
func (v View) Names(yield func(name []byte, t Trigger) bool) {
	if v.zone != ip && v.zone != ns {
		v.keys(yield)
		return
	}
	var owner []byte
	v.keys(func(key []byte, t Trigger) bool {
		owner = v.zone.owner(owner[:0], key)
		return yield(owner, t)
	})
}

// keys is Names, with what is in the table.
func (v View) keys(yield func(key []byte, t Trigger) bool) {
	if v.wish.excludes() {
		all := yield
		yield = func(key []byte, t Trigger) bool { return v.wish.covers(key) || all(key, t) }
	}
	if v.zone == hot {
		v.fresh.all(func(name, f []byte) bool {
			holders, _ := v.names.get(name)
			t := v.sees.triggers(comboBytes(holders)) & readFreshness(f).in(hot)
			return t == 0 || yield(name, t)
		})
		return
	}
	mayBeFresh := v.sieve()
	v.names.all(func(name, holders []byte) bool {
		if !v.zone.holds(name) {
			return true
		}
		t := v.sees.all(holders)
		if t != 0 && mayBeFresh != nil && mayBeFresh(name) {
			if f, ok := v.fresh.get(name); ok {
				t &= readFreshness(f).in(v.zone)
			}
		}
		return t == 0 || yield(name, t)
	})
}

// all is triggers for a name's whole value, quick for a name with one holder.
func (b bitset) all(holders []byte) Trigger {
	if holders[0] == 1<<1 && holders[1] < 0x80 {
		c := combo(holders[1])
		if b.has(c.pair()) {
			return c.trigger()
		}
		return 0
	}
	return b.triggers(comboBytes(holders))
}

// sieve returns a test that is true for all names in the hot zone and for few
// others, nil if there are none or they make no difference. It spares the other
// names a look into a second table.
func (v View) sieve() func(name []byte) bool {
	if v.zone > hot || v.fresh.count == 0 {
		return nil
	}
	mask := uint64(1)<<bits.Len(uint(v.fresh.count*16)) - 1
	seed := maphash.MakeSeed() // quicker than the table's hash
	sieve := make([]uint64, mask/64+1)
	v.fresh.all(func(name, _ []byte) bool {
		h := maphash.Bytes(seed, name) & mask
		sieve[h/64] |= 1 << (h % 64)
		return true
	})
	return func(name []byte) bool {
		h := maphash.Bytes(seed, name) & mask
		return sieve[h/64]>>(h%64)&1 == 1
	}
}

// Since returns the steps from serial to Serial, oldest first, each beginning
// where the one before ended. It reports false if it does not know the way or
// if that is longer than the zone: then everything is to be sent. If nothing has
// changed but what the subscriber excludes, the last step is empty.
func (v View) Since(from uint32) ([]Step, bool) {
	now := v.line()
	at, ok := seqOf(from, now)
	if !ok || at < max(v.born[v.zone], v.entered, v.floor) {
		return nil, false
	}
	i, found := slices.BinarySearchFunc(v.steps, at, func(st step, n tocsin.Seq) int { return int(st.seq - n) })
	if found {
		i++
	}
	end := from
	var steps []Step
	room := max(v.Len(), minWay)
	for _, st := range v.steps[i:] {
		if st.zones>>v.zone&1 == 0 {
			continue
		}
		step := Step{From: from, To: serial(st.seq)}
		err := st.frame(func(m movedName) bool {
			was := v.sees.triggers(m.before) & placedIn(m.places, v.zone)
			is := v.sees.triggers(m.after) & placedIn(m.places>>4, v.zone)
			gone, new := was&^is, is&^was
			if gone|new == 0 || !v.zone.holds(m.name) {
				return true
			}
			end = step.To
			if v.wish.covers(m.name) {
				return true
			}
			name := m.name
			if v.zone == ip || v.zone == ns {
				name = v.zone.owner(nil, name)
			}
			if gone != 0 {
				step.Removed = append(step.Removed, Entry{name, gone})
			}
			if new != 0 {
				step.Added = append(step.Added, Entry{name, new})
			}
			return len(step.Removed)+len(step.Added) <= room
		})
		n := len(step.Removed) + len(step.Added)
		if room -= n; err != nil || room < 0 {
			return nil, false
		}
		if n > 0 {
			steps = append(steps, step)
			from = step.To
		}
	}
	if from != end {
		steps = append(steps, Step{From: from, To: end})
	}
	return steps, end == serial(now)
}

// minWay is how many changes a way may have however small the zone is.
const minWay = 1000

// placedIn returns the triggers that a zone has, by a frame's four bits.
func placedIn(places byte, z zone) (t Trigger) {
	for i, bit := range triggers {
		if placed(places, i, z) {
			t |= bit
		}
	}
	return t
}

// Wire returns the wire form of a name as people write it, for [View.Has].
func Wire(name string) ([]byte, bool) {
	return indicator.Name{Kind: indicator.Host, Text: origin(name)[:max(0, len(origin(name))-1)]}.WireName()
}
