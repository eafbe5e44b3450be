package match

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// kin adds to a world values that contain each other and hashes that are alike.
func kin(w *world) {
	w.values, w.keys = nil, nil
	for i := range 12 {
		w.value("ip-dst", fmt.Sprintf("192.0.2.%d", i*17))
		w.value("ip-src|port", fmt.Sprintf("192.0.2.%d|80", i*5))
		w.value("ip-src", fmt.Sprintf("192.0.%d.0/%d", i%3, 13+i))
		w.value("ip-src", fmt.Sprintf("2001:db8:%x::/%d", i, 29+2*i))
		w.value("ip-dst", fmt.Sprintf("2001:db8:%x::%x", i%4, i))
		w.value("domain|ip", fmt.Sprintf("d%d.example.org|192.0.1.%d", i, i))
		half := []byte("Cf+JaqvlWFWYFQrbwiGYKdvB6TN/vuzUvk+/LZ84i5DHvF6bPuKNHyg8MUwE42gj")
		for range i * 3 {
			half[w.rnd.IntN(len(half))] = "abcdefgh0123"[w.rnd.IntN(12)]
		}
		w.value("ssdeep", fmt.Sprintf("%d:%s:%s", 192<<(i%3), half, half[i:32+i]))
		// A bucket's step to the next costs 1, one of lengths around 255 to 0
		// nothing, 1 or 24: so distances are of all sizes near the bound.
		digest := []byte("A342E8C8C29522BA054F62CA0E6165CE772D4251F933A54C67BCF1AE03C7BBE6635AC1")
		for j := range 3 * i {
			digest[6+j] = flipped(digest[6+j])
		}
		copy(digest[2:], []string{"EF", "FF", "00", "10"}[w.rnd.IntN(4)])
		w.value("tlsh", string(digest))
		w.value("filename|tlsh", "f|T1"+string(digest))
		w.value("filename|ssdeep", fmt.Sprintf("f|%d:%s:%s", 96<<(i%4), half[5:], half[:30]))
	}
	w.value("ip-dst", "::/16") // not around IPv4 addresses, though they are kept between these
	w.value("ip-dst", "::2")
	w.value("ip-dst", "0:1::1")
	w.value("ip-dst", "192.0.0.0/8")
	w.value("sha256", fmt.Sprintf("%064x", 1))
	w.keys = slices.Compact(slices.Sorted(slices.Values(w.keys)))
}

// flipped changes the lowest bit of a hexadecimal digit.
func flipped(digit byte) byte {
	const digits = "0123456789ABCDEF"
	return digits[strings.IndexByte(digits, digit)^1]
}

// relatives works out the slow way, pair by pair, what is related to k.
func (w *world) relatives(all map[indicator.Key][]Claim, known pairs, k indicator.Key, v access.Viewer) (out []Relative) {
	for other, claims := range all {
		pair, ok := known[[2]indicator.Key{k, other}]
		if !ok {
			pair.relation, pair.score = relate(k, other)
			known[[2]indicator.Key{k, other}] = pair
		}
		relation, score := pair.relation, pair.score
		if relation == 0 {
			continue
		}
		for _, c := range claims {
			if access.Read.Allows(v, w.labels.Label(c.Label)) && access.Read.Allows(v, w.labels.Label(w.events[c.Event].Label)) {
				out = append(out, Relative{Claim: c, Key: other, Relation: relation, Score: score})
			}
		}
	}
	return out
}

// pairs are those that were compared already: it takes long.
type pairs map[[2]indicator.Key]struct {
	relation Relation
	score    int
}

func relate(k, other indicator.Key) (Relation, int) {
	if k == other || len(k) == 0 || k[0] != other[0] {
		return 0, 0
	}
	if k[0] == 'i' {
		p, q := netip.MustParsePrefix(string(k[2:])), netip.MustParsePrefix(string(other[2:]))
		switch {
		case q.Bits() < p.Bits() && q.Contains(p.Addr()):
			return Contains, 0
		case p.Bits() < q.Bits() && p.Contains(q.Addr()):
			return Within, 0
		}
		return 0, 0
	}
	if d, ok := k.TLSH(); ok {
		if e, ok := other.TLSH(); ok && d.Distance(e) <= 30 {
			return Similar, 100 - d.Distance(e)
		}
		return 0, 0
	}
	d, ok1 := k.Ssdeep()
	e, ok2 := other.Ssdeep()
	if score := d.Similarity(e); ok1 && ok2 && score >= 40 {
		return Similar, score
	}
	return 0, 0
}

func (w *world) checkRelated(x *Index, known pairs) (found int) {
	w.t.Helper()
	all := w.claims()
	order := func(a, b Relative) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Attribute, b.Attribute))
	}
	for _, v := range w.viewers {
		look := x.Look(w.labels.Sight(v, access.Read))
		for _, k := range w.keys {
			want := w.relatives(all, known, k, v)
			got, more := look.Related(k, nil, 1<<20)
			if !slices.IsSortedFunc(got, nearest) || more {
				w.t.Fatalf("%q for %q: in no order, or more: %v", k, v.Name(), more)
			}
			if max := w.rnd.IntN(8); true {
				some, more := look.Related(k, nil, max)
				if !slices.Equal(some, got[:min(max, len(got))]) || more != (len(got) > max) {
					w.t.Fatalf("%q for %q: at most %d of %d: %d, more %v", k, v.Name(), max, len(got), len(some), more)
				}
			}
			slices.SortFunc(want, order)
			slices.SortFunc(got, order)
			if !slices.Equal(got, want) {
				w.t.Fatalf("%q for %q after line %d:\n%+v, want\n%+v", k, v.Name(), len(w.log), got, want)
			}
			found += len(got)
		}
	}
	return found
}

// nearest is how an answer is sorted: ranges around from near to far, then what
// is within; hashes by likeness.
func nearest(a, b Relative) int {
	if a.Relation != b.Relation {
		return cmp.Compare(a.Relation, b.Relation)
	}
	if a.Relation == Contains {
		return cmp.Compare(netip.MustParsePrefix(string(b.Key[2:])).Bits(), netip.MustParsePrefix(string(a.Key[2:])).Bits())
	}
	return cmp.Compare(b.Score, a.Score)
}

func TestRelatedIsWhatComparingEachPairFinds(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w, known := newWorld(t, seed), pairs{}
			kin(w)
			limit, found := 50<<w.rnd.IntN(5), 0
			x := w.open(t.TempDir(), limit)
			defer func() { x.Close() }()
			for range 10 {
				at := tocsin.Seq(len(w.log))
				for range 1 + w.rnd.IntN(40) {
					w.step()
				}
				w.follow(x, w.after(at))
				found += w.checkRelated(x, known)
				switch w.rnd.IntN(6) {
				case 0:
					must(t, x.Flush(context.Background()))
				case 1: // stopped and started
					must(t, x.Close())
					x = w.open(x.dir, limit)
				case 2: // the machine stops
					x.files.Lock()
					dir := copyDir(t, x.dir, true)
					x.files.Unlock()
					must(t, x.Close())
					x = w.open(dir, limit)
					w.follow(x, w.after(x.Place()))
				case 3:
					must(t, x.Restart(context.Background()))
					w.follow(x, w.after(0))
				case 4: // the store hands over what it did before
					w.follow(x, w.after(tocsin.Seq(w.rnd.IntN(len(w.log)))))
				}
				found += w.checkRelated(x, known)
			}
			if found < 500 {
				t.Errorf("only %d relatives were compared", found)
			}
		})
	}
}

// On the shelves nothing is left of what nobody claims: addresses stand there as
// they are.
func TestShelvesForget(t *testing.T) {
	w := newWorld(t, 1)
	kin(w)
	x := w.open(t.TempDir(), 1<<20)
	defer x.Close()
	keep, drop := w.addEvent(), w.addEvent()
	for i, e := range []*tocsin.Event{keep, drop} {
		for _, v := range w.values[i*20 : 60] {
			w.nextA++
			a := &tocsin.Attribute{ID: w.nextA, Event: e.ID, Value: v, Label: w.ids[0]}
			w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, After: a})
			w.attributes[a.ID] = a
		}
	}
	w.follow(x, w.after(0))
	must(t, x.Flush(context.Background()))
	before := x.now.Load().shelves
	at := tocsin.Seq(len(w.log))
	for _, a := range w.attributes {
		if a.Event == keep.ID {
			w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, Before: a})
			delete(w.attributes, a.ID)
		}
	}
	w.line(tocsin.Line{Kind: tocsin.KindEvent, ID: drop.ID, Before: drop})
	delete(w.events, drop.ID)
	w.follow(x, w.after(at))
	w.checkRelated(x, pairs{})
	must(t, x.Flush(context.Background()))
	x.stopMerger()
	x.mergeAll(context.Background())
	for i, s := range x.now.Load().shelves {
		if len(before[i]) == 0 || len(s) != 0 {
			t.Errorf("shelf %d: %d runs before, %d left", i, len(before[i]), len(s))
		}
	}
}

// A Look spends no more than its share, however often it is asked, and says that
// there may be more.
func TestRelatedHasABound(t *testing.T) {
	w := newWorld(t, 1)
	kin(w)
	x := w.open(t.TempDir(), 1<<20)
	defer x.Close()
	for range 60 {
		w.step()
	}
	w.follow(x, w.after(0))
	sight := w.labels.Sight(access.System("test"), access.Read)
	for _, k := range w.keys {
		look := x.Look(sight)
		whole, _ := look.Related(k, nil, 1000)
		look.effort.Store(0)
		some, more := look.Related(k, nil, 1000)
		if !more && len(some) < len(whole) {
			t.Errorf("%s: %d of %d relatives, and no word of it", k, len(some), len(whole))
		}
		look.effort.Store(40)
		if _, more = look.Related(k, nil, 1000); look.effort.Load() < -compareCost || look.effort.Load() < 0 && !more {
			t.Errorf("%s: %d left, more %v", k, look.effort.Load(), more)
		}
	}
}

func TestRelationsHaveNames(t *testing.T) {
	names := []string{}
	for r := range Similar + 1 {
		names = append(names, r.String())
	}
	if got := strings.Join(names, " "); got != "none contains within similar" {
		t.Error(got)
	}
}
