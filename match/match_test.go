package match

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// A world is a log of random history, and what an index of it must answer,
// worked out the slow way.
type world struct {
	t          testing.TB
	rnd        *rand.Rand
	labels     *access.Labels
	ids        []access.LabelID
	viewers    []access.Viewer
	values     []indicator.Value
	keys       []indicator.Key
	log        []tocsin.Line
	attributes map[int64]*tocsin.Attribute
	events     map[int64]*tocsin.Event
	nextA      int64
	nextE      int64
}

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), labels: access.NewLabels(nil),
		attributes: map[int64]*tocsin.Attribute{}, events: map[int64]*tocsin.Event{}}
	for org := range int64(3) {
		for _, l := range []access.Label{
			access.NewLabel(org+1, access.OrgOnly, 0, 0, 0),
			access.NewLabel(org+1, access.Everyone, 0, access.Green, 0),
			access.NewLabel(org+1, access.Community, 0, access.Red, 0),
			access.NewLabel(org+1, access.Group, 7, 0, 0),
			access.NewLabel(org+1, access.Group, 0, 0, 0),
		} {
			w.ids = append(w.ids, w.labels.ID(l))
		}
	}
	w.viewers = []access.Viewer{
		{},
		access.System("test"),
		access.Organisation("one", 1),
		access.Organisation("two", 2, 7),
		access.Organisation("three", 3, 7, 8),
		access.Organisation("stranger", 99),
	}
	for i := range 12 {
		w.value("domain", fmt.Sprintf("d%d.example.org", i))
		w.value("url", fmt.Sprintf("http://d%d.example.org/x", i))
		w.value("ip-dst", fmt.Sprintf("192.0.2.%d", i))
		w.value("domain|ip", fmt.Sprintf("d%d.example.org|192.0.2.%d", i, 11-i))
		w.value("sha256", fmt.Sprintf("%064x", i))
	}
	w.keys = slices.Compact(slices.Sorted(slices.Values(w.keys)))
	return w
}

func (w *world) value(typ, text string) {
	v, err := indicator.Parse(typ, text)
	if err != nil {
		w.t.Fatal(err)
	}
	w.values = append(w.values, v)
	w.keys = append(w.keys, v.Keys()...)
}

func (w *world) line(l tocsin.Line) {
	l.Seq = tocsin.Seq(len(w.log) + 1)
	w.log = append(w.log, l)
}

// after returns the log after a line.
func (w *world) after(seq tocsin.Seq) []tocsin.Change {
	var cs []tocsin.Change
	for _, l := range w.log[seq:] {
		cs = append(cs, tocsin.NewChange(l, w.labels))
	}
	return cs
}

func pick[T any](w *world, from []T) T { return from[w.rnd.IntN(len(from))] }

func (w *world) anyAttribute() *tocsin.Attribute {
	ids := make([]int64, 0, len(w.attributes))
	for id := range w.attributes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return w.attributes[pick(w, ids)]
}

// liveEvent returns an event that claims can be added to.
func (w *world) liveEvent() *tocsin.Event {
	var ids []int64
	for id := range w.events {
		ids = append(ids, id)
	}
	if len(ids) == 0 || w.rnd.IntN(12) == 0 {
		return w.addEvent()
	}
	slices.Sort(ids)
	return w.events[pick(w, ids)]
}

func (w *world) addEvent() *tocsin.Event {
	w.nextE += 1 + int64(w.rnd.IntN(1000)) // so that chunks of the table stay empty
	e := &tocsin.Event{ID: w.nextE, UUID: tocsin.NewUUID(time.Unix(w.nextE, 0)), Orgc: int64(w.rnd.IntN(5)), Label: pick(w, w.ids), Published: w.rnd.IntN(2) == 0}
	w.events[e.ID] = e
	w.line(tocsin.Line{Kind: tocsin.KindEvent, ID: e.ID, After: e})
	return e
}

func (w *world) newAttribute(event int64) *tocsin.Attribute {
	w.nextA++
	a := &tocsin.Attribute{ID: w.nextA, Event: event}
	w.change(a)
	w.attributes[a.ID] = a
	return a
}

func (w *world) change(a *tocsin.Attribute) {
	a.Value, a.Label = pick(w, w.values), pick(w, w.ids)
	a.Category = indicator.Category(w.rnd.IntN(17))
	a.ToIDS, a.NoCorrelate, a.Deleted = w.rnd.IntN(2) == 0, w.rnd.IntN(5) == 0, w.rnd.IntN(4) == 0
}

// step writes one random line, or two.
func (w *world) step() {
	switch n := w.rnd.IntN(100); {
	case n < 15: // a run
		e := w.liveEvent()
		var run []tocsin.Attribute
		for range 1 + w.rnd.IntN(30) {
			run = append(run, *w.newAttribute(e.ID))
		}
		w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: e.ID, Run: run, Event: e.Label})
	case n < 30 || len(w.attributes) == 0: // one new
		e := w.liveEvent()
		w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: w.nextA + 1, After: w.newAttribute(e.ID), Event: e.Label})
	case n < 60: // an edit, a withdrawal or its opposite
		before := w.anyAttribute()
		after := *before
		w.change(&after)
		w.attributes[after.ID] = &after
		w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: after.ID, Before: before, After: &after})
	case n < 75: // deleted for good
		before := w.anyAttribute()
		delete(w.attributes, before.ID)
		w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: before.ID, Before: before})
	case n < 90: // an event changes
		before := w.liveEvent()
		after := *before
		after.Label, after.Published, after.NoCorrelate = pick(w, w.ids), w.rnd.IntN(2) == 0, w.rnd.IntN(4) == 0
		if w.rnd.IntN(6) == 0 {
			after.Label = 0
		}
		w.events[after.ID] = &after
		w.line(tocsin.Line{Kind: tocsin.KindEvent, ID: after.ID, Before: before, After: &after})
	case n < 94: // an event goes, with all that is in it
		before := w.liveEvent()
		delete(w.events, before.ID)
		w.line(tocsin.Line{Kind: tocsin.KindEvent, ID: before.ID, Before: before})
	default: // nothing that matters here
		w.line(tocsin.Line{Kind: tocsin.KindOrganisation, ID: 1, After: &tocsin.Organisation{ID: 1}})
	}
}

// claims is what the index holds, by key, for a reader who sees all labels.
func (w *world) claims() map[indicator.Key][]Claim {
	all := map[indicator.Key][]Claim{}
	for _, a := range w.attributes {
		e := w.events[a.Event]
		if a.Deleted || e == nil || e.Label == 0 {
			continue
		}
		for _, k := range slices.Compact(a.Value.Keys()) {
			all[k] = append(all[k], Claim{
				Attribute: a.ID, Event: e.ID, Type: a.Value.Type().ID, Category: a.Category, Label: a.Label, EventLabel: e.Label,
				ToIDS: a.ToIDS, Mention: isMention(k), NoCorrelate: a.NoCorrelate || e.NoCorrelate,
				Published: e.Published, Orgc: e.Orgc, EventUUID: e.UUID,
			})
		}
	}
	for _, claims := range all {
		slices.SortFunc(claims, func(a, b Claim) int { return int(a.Attribute - b.Attribute) })
	}
	return all
}

func (w *world) check(x *Index) {
	w.t.Helper()
	all := w.claims()
	for _, v := range w.viewers {
		for _, exit := range []access.Exit{access.Read, access.Public} {
			look := x.Look(w.labels.Sight(v, exit))
			hidden := func(c Claim) bool {
				return !exit.Allows(v, w.labels.Label(c.Label)) || !exit.Allows(v, w.labels.Label(w.events[c.Event].Label))
			}
			bulk := map[int][]Claim{}
			for i, claims := range look.FindAll(w.keys, 1<<20) {
				bulk[i] = slices.Clone(claims)
			}
			for i, k := range w.keys {
				want := slices.DeleteFunc(slices.Clone(all[k]), hidden)
				if got := look.Find(k, nil); !slices.Equal(got, want) {
					w.t.Fatalf("after line %d, place %d: %q by %s for %q is\n%+v, want\n%+v", len(w.log), x.Place(), k, exit, v.Name(), got, want)
				}
				if !slices.Equal(bulk[i], want) {
					w.t.Fatalf("in bulk, %q is\n%+v, want\n%+v", k, bulk[i], want)
				}
				if look.Count(k) != len(want) || look.Has(k) != (len(want) > 0) {
					w.t.Fatalf("count and has of %q don't agree with find", k)
				}
				max := w.rnd.IntN(4)
				if got, more := look.FindMax(k, nil, max); !slices.Equal(got, want[:min(max, len(want))]) || more != (len(want) > max) {
					w.t.Fatalf("at most %d of %d for %q: %d, more %v", max, len(want), k, len(got), more)
				}
			}
		}
	}
}

func (w *world) open(dir string, limit int) *Index {
	w.t.Helper()
	x, err := open(dir, indicator.NewHasher([16]byte{1}), w.labels, quiet, limit)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func (w *world) follow(x *Index, changes []tocsin.Change) {
	w.t.Helper()
	for len(changes) > 0 {
		n := 1 + w.rnd.IntN(len(changes))
		if err := x.Follow(context.Background(), changes[:n]); err != nil {
			w.t.Fatal(err)
		}
		changes = changes[n:]
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// copyDir copies dir as a power cut would leave it: at one moment, or not at one
// moment at all, with unfinished files about.
func copyDir(t testing.TB, from string, litter bool) string {
	t.Helper()
	to := t.TempDir()
	files, err := os.ReadDir(from)
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if os.IsNotExist(err) {
			continue // removed meanwhile
		}
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, f.Name()), b, 0o600))
	}
	if litter {
		for _, name := range []string{"1.tmp", "000000999999.claims", "000000999998.events"} {
			must(t, os.WriteFile(filepath.Join(to, name), []byte("torn"), 0o600))
		}
	}
	return to
}

func TestAnswersAreThoseOfAPlainMap(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, seed)
			limit := 50 << w.rnd.IntN(5)
			x := w.open(t.TempDir(), limit)
			defer func() { x.Close() }()
			for range 40 {
				at := tocsin.Seq(len(w.log))
				for range 1 + w.rnd.IntN(25) {
					w.step()
				}
				w.follow(x, w.after(at))
				w.check(x)
				switch w.rnd.IntN(10) {
				case 0:
					must(t, x.Flush(context.Background()))
					if x.Place() != tocsin.Seq(len(w.log)) {
						t.Fatalf("place %d after flush of line %d", x.Place(), len(w.log))
					}
				case 1: // stopped and started
					must(t, x.Close())
					x = w.open(x.dir, limit)
					if x.Place() != tocsin.Seq(len(w.log)) {
						t.Fatalf("place %d after close at line %d", x.Place(), len(w.log))
					}
				case 2: // the machine stops between two writes
					x.files.Lock()
					dir := copyDir(t, x.dir, true)
					place := x.Place()
					x.files.Unlock()
					must(t, x.Close())
					x = w.open(dir, limit)
					if x.Place() != place {
						t.Fatalf("place %d after a crash, was %d", x.Place(), place)
					}
					w.follow(x, w.after(x.Place()))
				case 3: // or at any time; then it may have to start from the beginning
					dir := copyDir(t, x.dir, true)
					must(t, x.Close())
					x = w.open(dir, limit)
					w.follow(x, w.after(x.Place()))
				case 4: // the store hands over what it did before
					w.follow(x, w.after(tocsin.Seq(w.rnd.IntN(len(w.log)))))
				case 5:
					if w.rnd.IntN(3) == 0 {
						must(t, x.Restart(context.Background()))
						if x.Place() != 0 || x.Stats().Entries != 0 || x.Stats().Events != 0 {
							t.Fatalf("after restart: %+v", x.Stats())
						}
						w.follow(x, w.after(0))
					}
				}
				w.check(x)
			}
		})
	}
}

// At the bottom of the files nothing is left of what was withdrawn, nor of
// events that were deleted.
func TestMergeForgets(t *testing.T) {
	w := newWorld(t, 1)
	x := w.open(t.TempDir(), 1<<20)
	defer x.Close()
	keep, drop := w.addEvent(), w.addEvent()
	for _, e := range []*tocsin.Event{keep, drop} {
		for range 50 {
			a := &tocsin.Attribute{ID: int64(len(w.log)), Event: e.ID, Value: w.values[0], Label: w.ids[0]}
			w.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, After: a})
			w.attributes[a.ID] = a
		}
	}
	w.follow(x, w.after(0))
	must(t, x.Flush(context.Background()))
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
	w.check(x)
	must(t, x.Flush(context.Background()))
	x.stopMerger()
	x.mergeAll(context.Background())
	if st := x.Stats(); st.Entries != 0 || st.Segments != 0 || st.Bytes != 0 {
		t.Errorf("left after merging: %+v", st)
	}
	w.check(x)
	if files, _ := filepath.Glob(filepath.Join(x.dir, "*"+segmentSuffix)); len(files) > 0 {
		t.Errorf("left in the directory: %v", files)
	}
}

// Old lines go to disk though few came in: the store waits for that.
func TestPlaceFollowsBehind(t *testing.T) {
	w := newWorld(t, 1)
	x := w.open(t.TempDir(), 1<<20)
	defer x.Close()
	x.age = 0
	for range 20 {
		w.step()
	}
	for _, c := range w.after(0) {
		must(t, x.Follow(context.Background(), []tocsin.Change{c}))
		if x.Place() != c.Seq-1 {
			t.Fatalf("place %d before line %d", x.Place(), c.Seq)
		}
	}
	w.check(x)
}

// However files come to be, few are left, and entries are not copied over and
// over.
func TestChooseBoundsFilesAndCopies(t *testing.T) {
	for name, size := range map[string]func(i int) int{
		"full ones":    func(int) int { return maxDelta },
		"small ones":   func(int) int { return 1 },
		"all sizes":    func(i int) int { return 1 + i*7919%1000 },
		"ever smaller": func(i int) int { return 1 << max(0, 24-i) },
	} {
		var segments []*segment
		copied, total := 0, 0
		for i := range 2000 {
			segments = append(segments, &segment{n: size(i)})
			total += size(i)
			for from := choose(segments); from < len(segments); from = choose(segments) {
				sum := 0
				for _, s := range segments[from:] {
					sum += s.n
				}
				copied += sum
				segments = append(segments[:from:from], &segment{n: sum})
			}
			if len(segments) > maxSegments {
				t.Fatalf("%s: %d files", name, len(segments))
			}
		}
		t.Logf("%s: %d files, each entry copied %.1f times", name, len(segments), float64(copied)/float64(total))
		if copied > 20*total {
			t.Errorf("%s: %d entries, %d copies", name, total, copied)
		}
	}
}

func TestNumbersOutOfRangeAreRefused(t *testing.T) {
	w := newWorld(t, 1)
	x := w.open(t.TempDir(), 1<<20)
	defer x.Close()
	for _, l := range []tocsin.Line{
		{Seq: 1, Kind: tocsin.KindAttribute, After: &tocsin.Attribute{ID: 1 << 40, Event: 1, Value: w.values[0]}},
		{Seq: 1, Kind: tocsin.KindAttribute, After: &tocsin.Attribute{ID: 1, Event: 1 << 32, Value: w.values[0]}},
		{Seq: 1, Kind: tocsin.KindAttribute, After: &tocsin.Attribute{Event: 1, Value: w.values[0]}},
		{Seq: 1, Kind: tocsin.KindEvent, ID: 1 << 32, After: &tocsin.Event{ID: 1 << 32}},
	} {
		if err := x.Follow(context.Background(), []tocsin.Change{tocsin.NewChange(l, w.labels)}); err == nil {
			t.Errorf("%+v was taken", l.After)
		}
	}
}

func TestTheZeroLookSeesNothing(t *testing.T) {
	w := newWorld(t, 1)
	x := w.open(t.TempDir(), 1<<20)
	defer x.Close()
	for _, l := range []Look{{}, x.Look(nil)} {
		if l.Has(w.keys[0]) || l.Seq() != 0 {
			t.Error("it sees something")
		}
	}
}
