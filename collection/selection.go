package collection

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"log/slog"
	"math/bits"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A selection is what one collection holds after line at.
type selection struct {
	rec    tocsin.Collection
	owners []int64 // sharing groups of its owner
	at     tocsin.Seq
	until  tocsin.Seq // before this it is not served: resolvers have seen later serials
	born   [zones]tocsin.Seq
	seed   [16]byte // its tables' own, if they were loaded
	labels *access.Labels
	log    *slog.Logger

	holders
	fresh   *table // the names in the hot zone
	skipped *table // attribute and name → why the name can't be in a zone

	pairs   []pair
	pairIDs map[pair]uint32
	classes []*class
	seats   map[int64]*seat
	seating *seating // of the seats as they are, nil: to be made
	words   int      // that a set of classes takes
	masks   []uint64 // for each pair, the classes that see it

	matcher *matcher // nil: to be made
	room    int      // octets that a name may have, its wildcard included
	journal journal
	dirty   bool // subscribers see something else than they were given

	// For the line at hand.
	ops           []op
	arena         []byte
	flood         map[*class]bool // not nil: too many to keep; which classes they change
	before, after [2][]uint64     // scratch: classes by trigger
	old           []byte          // scratch
}

// An op is a change of who holds a name: its name, combos before and after lie
// in the arena one after the other.
type op struct{ at, name, before, after int }

func (s *selection) op(o op) (name, before, after []byte) {
	b := s.arena[o.at:]
	return b[:o.name], b[o.name:][:o.before], b[o.name+o.before:][:o.after]
}

// maxOps is how many changes of one line the journal takes. What changes more is
// sent anew.
var maxOps = 1 << 20

const (
	// maxWire is the longest name in DNS, with its root (RFC 1035, 2.3.4).
	maxWire = 255
	// wildcard is what "*" adds to a name.
	wildcard = 2
)

// bulk is how many names a line may bring to the hot zone. More go straight to
// the base zone: the hot one must stay small.
var bulk = 10_000

func newSelection(rec *tocsin.Collection, n tocsin.Seq, dir string, labels *access.Labels, h indicator.Hasher, log *slog.Logger) *selection {
	s := &selection{
		labels: labels, log: log.With("collection", rec.ID), born: every(n),
		holders: holders{names: newTable(h), crowd: newTable(h)}, fresh: newTable(h), skipped: newTable(h),
		pairIDs: map[pair]uint32{}, seats: map[int64]*seat{},
	}
	s.setRecord(rec)
	s.journal = journal{dir: dir, prefix: journalPrefix(rec.ID), floor: n}
	s.remask()
	return s
}

func (s *selection) setRecord(rec *tocsin.Collection) {
	s.rec = *rec
	s.matcher = nil
	s.room = room(rec)
}

// room is how many octets a name may have in the zones of a collection, which
// all hold the same names or none.
func room(rec *tocsin.Collection) int {
	longest := max(len(origin(rec.Zone)), len(origin(rec.HotZone)))
	if o := origin(rec.NSZone); o != "" {
		longest = max(longest, len(rpzNSName)+len(o))
	}
	// An origin's text with its dots is one octet shorter than its wire form.
	return maxWire - 1 - longest
}

// origin is a zone's name as it is compared: lower case, with the final dot; ""
// is no zone.
func origin(name string) string {
	if name = strings.TrimSuffix(strings.ToLower(name), "."); name == "" {
		return ""
	}
	return name + "."
}

// A contribution is a name or network that a claim contributes.
type contribution struct {
	wire    []byte // its key
	trigger Trigger
	problem Reason // not 0: it can't be in the zone
}

// contributions returns what a value contributes to zones in which a name may
// have that many octets.
func contributions(v indicator.Value, room int) (ns []contribution) {
	for _, n := range v.Facets().Names {
		var t Trigger
		switch n.Kind {
		case indicator.Domain:
			t = Exact | Beneath
		case indicator.Host:
			t = Exact
		case indicator.Prefix:
			c := contribution{trigger: Exact}
			if key, ok := pack(n.Prefix); ok {
				c.wire = key
			} else {
				c.wire, c.problem = []byte(n.Text), TooWide
			}
			ns = add(ns, c)
			continue
		default:
			continue
		}
		wire, ok := n.WireName()
		size := len(wire)
		if t&Beneath != 0 {
			size += wildcard
		}
		switch {
		case !ok || len(wire) == 0:
			ns = append(ns, contribution{[]byte(n.Text[:min(len(n.Text), maxWire)]), t, NotDNS})
		case instructs(n.Text):
			ns = append(ns, contribution{wire, t, Instruction})
		case size > room:
			ns = append(ns, contribution{wire, t, TooLong})
		default:
			ns = add(ns, contribution{wire, t, 0})
		}
	}
	return ns
}

// instructs reports whether a policy zone would read a name as another kind of
// trigger: "32.1.2.0.192.rpz-ip" blocks an address wherever it is answered,
// "8.0.0.0.10.rpz-client-ip" all questions of a network, "example.rpz-nsdname"
// all that a name server serves (draft-vixie-dnsop-dns-rpz-00, section 4).
func instructs(name string) bool {
	last := name[strings.LastIndexByte(name, '.')+1:]
	return len(last) >= len(rpzLabel) && strings.EqualFold(last[:len(rpzLabel)], rpzLabel)
}

const rpzLabel = "rpz-"

// add adds n to ns, which hold each name once.
func add(ns []contribution, n contribution) []contribution {
	for i := range ns {
		if ns[i].problem == n.problem && bytes.Equal(ns[i].wire, n.wire) {
			ns[i].trigger |= n.trigger
			return ns
		}
	}
	return append(ns, n)
}

// A claim is an attribute in its event, as the collection judges it.
type claim struct {
	*tocsin.Attribute // nil: none
	event             event
	matcher           *matcher
	hour              *hour // nil for what was: what ended since, or would have, is taken out all the same
}

func (s *selection) has(c claim) bool {
	return c.Attribute != nil && c.matcher != nil && c.matcher.matches(c.Attribute, &c.event, s.labels) && !c.hour.over(c.Attribute, c.event.orgc)
}

// change puts in and takes out what an attribute contributes, given what it was
// and is. It is the same done once or twice.
func (s *selection) change(before, after claim) {
	was, is := s.has(before), s.has(after)
	if !was && !is {
		return
	}
	if was && (!is || before.Value != after.Value) {
		for _, n := range contributions(before.Value, s.room) {
			s.keep(n, before.ID, 0)
		}
	}
	if is {
		p := s.pair(pair{after.Label, after.event.label})
		for _, n := range contributions(after.Value, s.room) {
			s.keep(n, after.ID, comboOf(p, n.trigger))
		}
	}
}

// keep makes attribute id hold n, or with combo 0 no longer.
func (s *selection) keep(n contribution, id int64, c combo) {
	s.dirty = true
	key := append(binary.AppendUvarint(nil, uint64(id)), n.wire...)
	if n.problem != 0 {
		if c == 0 {
			s.skipped.delete(key)
		} else {
			s.skipped.set(key, binary.AppendUvarint([]byte{byte(n.problem)}, uint64(c)))
		}
		c = 0
	} else if s.skipped.count > 0 {
		s.skipped.delete(key)
	}
	before, after, changed := s.hold(n.wire, id, c, s.old)
	if !changed {
		return
	}
	s.old = before
	s.note(n.wire, before, after)
}

// note remembers that a name changed in this line. Without subscribers nobody
// asks, and later ones begin with the zone as it is then.
func (s *selection) note(name, before, after []byte) {
	switch {
	case len(s.seats) == 0 && s.fresh.count == 0:
		return
	case s.flood != nil:
		s.float(before, after)
		return
	case len(s.ops) >= maxOps:
		s.flood = map[*class]bool{}
		for _, o := range s.ops {
			_, before, after := s.op(o)
			s.float(before, after)
		}
		s.ops, s.arena = nil, nil
		s.float(before, after)
		return
	}
	s.ops = append(s.ops, op{len(s.arena), len(name), len(before), len(after)})
	s.arena = append(append(append(s.arena, name...), before...), after...)
}

// float tells which classes a change in a flood moves.
func (s *selection) float(before, after []byte) {
	s.visible(before, &s.before)
	s.visible(after, &s.after)
	for i, c := range s.classes {
		w, bit := i/64, uint64(1)<<(i%64)
		if ((s.before[0][w]^s.after[0][w])|(s.before[1][w]^s.after[1][w]))&bit != 0 {
			s.flood[c] = true
		}
	}
}

// abandon forgets what was noted of a line.
func (s *selection) abandon() { s.ops, s.arena, s.flood = s.ops[:0], s.arena[:0], nil }

// settle ends line n: what it changed goes to the hot and base zones and into
// the journal, as one step.
func (s *selection) settle(n tocsin.Seq, m merge) {
	defer s.abandon()
	if s.flood != nil {
		s.settleFlood(n)
		return
	}
	if m != (merge{}) && s.fresh.count > 0 {
		s.fresh.snapshot().all(func(name, v []byte) bool {
			f := readFreshness(v)
			if m.after(f) != f {
				holders, _ := s.names.get(name)
				list := comboBytes(holders)
				s.note(name, list, list)
			}
			return true
		})
	}
	if len(s.ops) == 0 {
		return
	}
	s.net()
	hotly := s.rec.HotZone != "" && !s.isBulk()
	frame := beginFrame(n)
	changed := byte(0)
	for _, o := range s.ops {
		name, before, after := s.op(o)
		wasHeld := s.visible(before, &s.before)
		held := s.visible(after, &s.after)
		f := s.freshness(name)
		next := m.after(f)
		toHot := hotly && !isPrefix(name)
		for i, t := range triggers {
			switch {
			case held&t == 0:
				next[i].began, next[i].base = 0, false
			case toHot && gains(s.before[i], s.after[i]):
				next[i].base = wasHeld&t != 0 && next.inZone(i, base)
				next[i].began = n
			}
		}
		if next != f {
			s.setFreshness(name, next)
		}
		if moved := s.move(n, name, &f, &next); moved != 0 {
			changed |= moved
			frame = (&movedName{name, f.places() | next.places()<<4, before, after}).append(frame)
		}
	}
	if changed != 0 {
		frame[zonesAt(n)] = changed
		s.journal.append(n, frame)
		s.dirty = true
	}
}

// gains reports whether any class sees in after what it did not in before.
func gains(before, after []uint64) bool {
	for w := range after {
		if after[w]&^before[w] != 0 {
			return true
		}
	}
	return false
}

// net sorts the ops by name and joins those on the same name into one.
func (s *selection) net() {
	name := func(o op) []byte { return s.arena[o.at:][:o.name] }
	slices.SortStableFunc(s.ops, func(a, b op) int { return bytes.Compare(name(a), name(b)) })
	out := s.ops[:0]
	for i := 0; i < len(s.ops); {
		first, j := s.ops[i], i+1
		for j < len(s.ops) && bytes.Equal(name(s.ops[j]), name(first)) {
			j++
		}
		if j > i+1 {
			nm, before, _ := s.op(first)
			_, _, after := s.op(s.ops[j-1])
			at := len(s.arena)
			s.arena = append(append(append(s.arena, nm...), before...), after...)
			first = op{at, len(nm), len(before), len(after)}
		}
		out = append(out, first)
		i = j
	}
	s.ops = out
}

// isBulk reports whether the line brings more names than the hot zone takes.
func (s *selection) isBulk() bool {
	n := 0
	for _, o := range s.ops {
		name, before, after := s.op(o)
		s.visible(before, &s.before)
		s.visible(after, &s.after)
		if !isPrefix(name) && (gains(s.before[0], s.after[0]) || gains(s.before[1], s.after[1])) {
			n++
		}
	}
	return n > bulk
}

// The zones that a name or a network moves in; what does so there it also does
// among the name servers.
var (
	movesName   = []zone{base, hot, both}
	movesPrefix = []zone{ip}
)

// move counts the change of one name or network for all classes, whose view of
// it before and after is in s.before and s.after, and returns the zones in which
// any of them notices, as bits.
func (s *selection) move(n tocsin.Seq, key []byte, from, to *freshness) (changed byte) {
	moves := movesName
	if isPrefix(key) {
		moves = movesPrefix
	}
	for _, z := range moves {
		for w := range s.words {
			var was, is [2]uint64
			for i := range triggers {
				if from.inZone(i, z) {
					was[i] = s.before[i][w]
				}
				if to.inZone(i, z) {
					is[i] = s.after[i][w]
				}
			}
			held, holds := was[0]|was[1], is[0]|is[1]
			for m := (was[0] ^ is[0]) | (was[1] ^ is[1]); m != 0; m &= m - 1 {
				bit := bits.TrailingZeros64(m)
				c := s.classes[w*64+bit]
				more := int(holds>>bit&1) - int(held>>bit&1)
				c.last[z] = n
				c.len[z] += more
				changed |= 1 << z
				if z == ip || z == both {
					c.last[ns] = n
					c.len[ns] += more
					changed |= 1 << ns
				}
			}
		}
	}
	return changed
}

// settleFlood ends a line that changed too much to be told in steps.
func (s *selection) settleFlood(n tocsin.Seq) {
	hadHot := s.fresh.count > 0
	s.fresh = newTable(s.fresh.hasher)
	for _, c := range s.classes {
		if s.flood[c] || hadHot {
			c.last = every(n)
		}
	}
	s.count(s.classes)
	s.journal.forget(n)
	s.dirty = true
}

func eachCombo(list []byte) iter.Seq[combo] {
	return func(yield func(combo) bool) {
		for len(list) > 0 {
			c, w := binary.Uvarint(list)
			list = list[w:]
			if !yield(combo(c)) {
				return
			}
		}
	}
}

// A Reason says why a name that a claim contributes is in no zone.
type Reason uint8

const (
	NotDNS      Reason = iota + 1 // DNS can't carry it
	TooLong                       // it does not fit before the zone's origin
	Instruction                   // a policy zone would act on something else
	TooWide                       // a network so large that blocking it is a slip
)

func (r Reason) String() string {
	switch r {
	case NotDNS:
		return "it is no name that DNS can carry"
	case TooLong:
		return "together with the zone's origin it is longer than a name can be; a shorter origin would take it"
	case Instruction:
		return "in a policy zone such a name means addresses or name servers, not itself"
	case TooWide:
		return fmt.Sprintf("a network wider than /%d (IPv6: /%d) takes a country off the net; name the parts that are meant", widest4, widest6)
	}
	return "unknown"
}
