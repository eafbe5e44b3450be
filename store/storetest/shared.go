package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// RunShared tests what an engine must do that several nodes have open at once.
func RunShared(t *testing.T, open func(t *testing.T, dir string) store.Engine) {
	for name, test := range map[string]func(t *testing.T, one, two *world){
		"OthersAreSeen":             othersAreSeen,
		"NodesWriteOneLog":          nodesWriteOneLog,
		"ALostWriteLeavesNoNumbers": aLostWriteLeavesNoNumbers,
		"TheStoresClockCounts":      theStoresClockCounts,
		"ALeaseIsHeldByOne":         aLeaseIsHeldByOne,
		"PurgeWaitsForOtherNodes":   purgeWaitsForOtherNodes,
		"WhoWasAwayBeginsAnew":      whoWasAwayBeginsAnew,
		"ManyLinesAtOnce":           manyLinesAtOnce,
		"AnotherLifeIsNotThisOne":   anotherLifeIsNotThisOne,
	} {
		t.Run(name, func(t *testing.T) {
			one := newWorld(t, open)
			test(t, one, one.node(t, store.Options{}))
		})
	}
}

// node opens the store once more, as another node does.
func (w *world) node(t *testing.T, o store.Options) *world {
	t.Helper()
	other := *w
	db, err := store.New(t.Context(), w.open(t, w.dir), o)
	if err != nil {
		t.Fatal(err)
	}
	other.DB = db
	t.Cleanup(func() { db.Close() })
	return &other
}

// reaches waits until a node knows of the log up to seq.
func (w *world) reaches(t *testing.T, seq tocsin.Seq) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := w.Follow(ctx, &until{seq: seq, end: cancel}); err != nil {
		t.Fatal(err)
	}
	if w.Head() < seq {
		t.Fatalf("the node knows of line %d, want %d", w.Head(), seq)
	}
}

// until is a follower that ends when it has come to a line.
type until struct {
	seq, at tocsin.Seq
	end     func()
}

func (u *until) Name() string      { return "until" }
func (u *until) Place() tocsin.Seq { return u.at }
func (u *until) Follow(_ context.Context, cs []tocsin.Change) error {
	if u.at = cs[len(cs)-1].Seq; u.at >= u.seq {
		u.end()
	}
	return nil
}
func (u *until) Restart(context.Context) error { u.at = 0; return nil }

// What one node writes, another knows: records, labels that are new, small
// records; and a write on it begins where the other's ended.
func othersAreSeen(t *testing.T, one, two *world) {
	_, as := one.event(t, tocsin.Event{Distribution: access.Group, Group: one.group}, "a.example")
	// Labels are known at once, without waiting for the node to look.
	if got := two.values(t, two.theirs, store.Query{}); !slices.Equal(got, []string{"a.example"}) {
		t.Errorf("on the other node they see %v", got)
	}
	one.write(t, one.admin, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Organisation{Name: "Third", UUID: tocsin.NewUUID(tx.Now())})
	})
	head := one.Head()
	seq := two.write(t, two.ours, func(tx *store.Tx) error {
		if _, err := store.Named[*tocsin.Organisation](tx, "third"); err != nil {
			return err
		}
		_, err := tx.Withdraw(as[0].ID)
		return err
	})
	if seq != head+1 {
		t.Errorf("line %d after line %d", seq, head)
	}
	one.reaches(t, seq)
	if got := one.values(t, one.theirs, store.Query{}); len(got) != 0 {
		t.Errorf("withdrawn on the other node, still seen: %v", got)
	}
}

// Writers of two nodes race. Their lines are one log without gaps, which both
// nodes tell their followers alike, and no claim or id is there twice.
func nodesWriteOneLog(t *testing.T, one, two *world) {
	const each = 25
	var wg sync.WaitGroup
	for n, w := range []*world{one, two} {
		for i := range each {
			wg.Go(func() {
				_, err := w.Apply(t.Context(), w.ours, func(tx *store.Tx) error {
					g, err := tx.TagNamed(fmt.Sprintf("tag %d", i), "")
					if err != nil {
						return err
					}
					e := &tocsin.Event{Info: fmt.Sprint("event ", n, i), Tags: tocsin.NewTagSet(tocsin.Attached{Tag: g.ID})}
					if err := tx.AddEvent(e); err != nil {
						return err
					}
					_, err = tx.AddAttributes(e.ID, Domains(t, fmt.Sprintf("n%d-%d.example", n, i)), false)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	head := max(one.Head(), two.Head())
	one.reaches(t, head)
	two.reaches(t, head)
	told := one.follow(t, "one")
	if d := cmp.Diff(told, two.follow(t, "two")); d != "" {
		t.Errorf("the nodes tell different logs:\n%s", d)
	}
	if len(told) != int(head) {
		t.Errorf("%d lines told, head %d", len(told), head)
	}
	if n := length(one.As(one.admin).Tags()); n != each {
		t.Errorf("%d tags, want %d: the nodes made some twice", n, each)
	}
	for _, w := range []*world{one, two} {
		seen := map[int64]bool{}
		for e, err := range w.As(w.ours).Events(t.Context(), store.EventQuery{}) {
			if err != nil || seen[e.ID] || e.Tags == "" {
				t.Errorf("event %+v, %v", e, err)
			}
			seen[e.ID] = true
		}
		if len(seen) != 2*each || len(w.values(t, w.ours, store.Query{})) != 2*each {
			t.Errorf("%d events, want %d", len(seen), 2*each)
		}
	}
}

// A node hands out the number of a new label, and its write fails. Another node
// hands the same number out for another label. Nobody may take the one for the other.
func aLostWriteLeavesNoNumbers(t *testing.T, one, two *world) {
	fail := errors.New("no")
	_, err := one.Apply(t.Context(), one.ours, func(tx *store.Tx) error { // everyone may see this
		g, err := tx.TagNamed("a tag", "")
		if err != nil {
			return err
		}
		e := &tocsin.Event{Info: "lost", Distribution: access.Everyone, Tags: tocsin.NewTagSet(tocsin.Attached{Tag: g.ID})}
		return errors.Join(tx.AddEvent(e), fail)
	})
	if !errors.Is(err, fail) {
		t.Fatal(err)
	}
	two.event(t, tocsin.Event{Info: "secret", Distribution: access.OrgOnly}, "secret.example") // and this nobody else
	if got := one.values(t, one.theirs, store.Query{}); len(got) != 0 {
		t.Errorf("they see %v", got)
	}
	if got := one.values(t, one.ours, store.Query{}); !slices.Equal(got, []string{"secret.example"}) {
		t.Errorf("we see %v", got)
	}
	one.event(t, tocsin.Event{Info: "public", Distribution: access.Everyone}, "public.example")
	for _, w := range []*world{one, two} {
		if got := w.values(t, w.theirs, store.Query{}); !slices.Equal(got, []string{"public.example"}) {
			t.Errorf("they see %v", got)
		}
	}
}

// A node whose clock is an hour off writes the store's time, and says that it is off.
func theStoresClockCounts(t *testing.T, one, _ *world) {
	late := one.node(t, store.Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if off := late.ClockOff(); off < 59*time.Minute || off > 61*time.Minute {
		t.Errorf("the clock is off by %v", off)
	}
	var at time.Time
	late.write(t, late.ours, func(tx *store.Tx) error {
		at = tx.Now()
		return tx.AddEvent(&tocsin.Event{Info: "x"})
	})
	for what, at := range map[string]time.Time{"a write": at, "the store": late.Now()} {
		if off := time.Since(at).Abs(); off > time.Minute {
			t.Errorf("%s is off by %v", what, off)
		}
	}
}

func aLeaseIsHeldByOne(t *testing.T, one, two *world) {
	ctx := t.Context()
	lease := func(w *world, ttl time.Duration) bool {
		t.Helper()
		until, err := w.Lease(ctx, "l", ttl)
		if err != nil {
			t.Fatal(err)
		}
		return !until.IsZero()
	}
	if !lease(one, time.Hour) || lease(two, time.Hour) {
		t.Error("the first does not have it, or both do")
	}
	if !lease(one, time.Hour) {
		t.Error("it can't be taken anew")
	}
	if err := two.Yield(ctx, "l"); err != nil || lease(two, time.Hour) {
		t.Errorf("a lease was given back by somebody else, %v", err)
	}
	if err := one.Yield(ctx, "l"); err != nil || !lease(two, time.Hour) || lease(one, time.Hour) {
		t.Errorf("given back, the other does not get it, %v", err)
	}
	// The holder dies: when the time is over somebody else takes it, and of many
	// that ask one.
	if !lease(two, time.Millisecond) {
		t.Fatal("it can't be taken anew")
	}
	three := one.node(t, store.Options{})
	for had := 0; had == 0; {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for _, w := range []*world{one, three} {
			wg.Go(func() {
				if until, err := w.Lease(ctx, "l", time.Hour); err != nil {
					t.Error(err)
				} else if !until.IsZero() {
					mu.Lock()
					had++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if had > 1 || t.Failed() {
			t.Fatalf("%d have it", had)
		}
	}
}

// Rows of a deleted event stay while another node's projections need them.
func purgeWaitsForOtherNodes(t *testing.T, one, two *world) {
	id, _ := one.event(t, tocsin.Event{}, "a.example")
	seq := one.write(t, one.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	two.follow(t, "laggard") // its Place stays 0
	if err := errors.Join(one.SignIn(t.Context(), "one", "test"), two.SignIn(t.Context(), "two", "test")); err != nil {
		t.Fatal(err)
	}
	if n, err := one.Purge(t.Context()); n != 0 || err != nil {
		t.Errorf("purged %d rows that another node needs, %v", n, err)
	}
	nodes, err := one.Nodes(t.Context())
	if err != nil || len(nodes) != 2 || nodes[0].Place+nodes[1].Place != seq {
		t.Errorf("nodes %+v, %v", nodes, err)
	}
	three := two.node(t, store.Options{}) // it starts anew with a projection that has come to the end
	if err := three.SignIn(t.Context(), "two", "test"); err != nil {
		t.Fatal(err)
	}
	if n, err := one.Purge(t.Context()); n == 0 || err != nil {
		t.Errorf("purged %d rows, %v", n, err)
	}
}

// A follower that was away for so long that rows it needs are gone starts from
// nothing, and not with half of the truth.
func whoWasAwayBeginsAnew(t *testing.T, one, _ *world) {
	id, _ := one.event(t, tocsin.Event{}, "a.example")
	away := one.Head()
	one.write(t, one.ours, func(tx *store.Tx) error { return tx.DeleteEvent(id) })
	for {
		if n, err := one.Purge(t.Context()); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			break
		}
	}
	back := one.node(t, store.Options{}) // it starts when they are gone
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	f := &absent{until: until{seq: one.Head(), at: away, end: cancel}}
	if err := back.Follow(ctx, f); err != nil {
		t.Fatal(err)
	}
	if f.restarts != 1 || f.first != 1 {
		t.Errorf("began anew %d times, first line %d", f.restarts, f.first)
	}
}

// absent counts how often it had to begin anew.
type absent struct {
	until
	restarts int
	first    tocsin.Seq
}

func (a *absent) Restart(context.Context) error { a.restarts++; a.at = 0; return nil }
func (a *absent) Follow(ctx context.Context, cs []tocsin.Change) error {
	if a.at == 0 {
		a.first = cs[0].Seq
	}
	return a.until.Follow(ctx, cs)
}

// More than a node takes over from memory: followers read the log themselves.
func manyLinesAtOnce(t *testing.T, one, two *world) {
	one.event(t, tocsin.Event{}, "early.example")
	two.reaches(t, one.Head()) // what two has in memory ends here
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprintf("n%d.example", i)
	}
	one.event(t, tocsin.Event{}, names...)
	one.write(t, one.admin, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Organisation{Name: "Third", UUID: tocsin.NewUUID(tx.Now())})
	})
	two.reaches(t, one.Head())
	if d := cmp.Diff(one.follow(t, "one"), two.follow(t, "two")); d != "" {
		t.Errorf("the nodes tell different logs:\n%s", d)
	}
	if _, err := store.ByName[*tocsin.Organisation](two.As(two.admin), "third"); err != nil {
		t.Error(err)
	}
}

// A store that is put back from a backup while a node runs holds other things under
// the same numbers: the node stops reading and writing it, and says why.
func anotherLifeIsNotThisOne(t *testing.T, one, two *world) {
	one.event(t, tocsin.Event{}, "early.example")
	two.reaches(t, one.Head())
	e := one.open(t, one.dir)
	defer e.Close()
	if _, err := store.Reincarnate(t.Context(), e, time.Now()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); two.Ready(t.Context()) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the node did not notice")
		}
	}
	_, err := two.Apply(t.Context(), two.admin, func(*store.Tx) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "restart it") {
		t.Errorf("a write: %v", err)
	}
	for _, err := range two.As(two.admin).Events(t.Context(), store.EventQuery{}) {
		if err == nil || !strings.Contains(err.Error(), "restart it") {
			t.Errorf("a read: %v", err)
		}
	}
}
