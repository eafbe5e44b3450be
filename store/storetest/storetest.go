// Package storetest is what every engine must do. A new engine calls [Run] from
// its own test and is done when it passes.
package storetest

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/seal"
	"tocsin/store"
)

// Run tests the engine that open opens, or opens again, in a folder.
func Run(t *testing.T, open func(t *testing.T, dir string) store.Engine) {
	for name, test := range map[string]func(*testing.T, *world){
		"EveryReadAsksWho":        everyReadAsksWho,
		"AddAndReadBack":          addAndReadBack,
		"AClaimIsKeptOnce":        aClaimIsKeptOnce,
		"NothingOfAFailedWrite":   nothingOfAFailedWrite,
		"StrangersChangeNothing":  strangersChangeNothing,
		"RelabelIsOneLine":        relabelIsOneLine,
		"DeletedForGood":          deletedForGood,
		"DeletedComesAgain":       deletedComesAgain,
		"TagsSetLabels":           tagsSetLabels,
		"ObjectsRestrictTheirs":   objectsRestrictTheirs,
		"TheLogReadLaterIsTheLog": theLogReadLaterIsTheLog,
		"WritersShareACommit":     writersShareACommit,
		"IDsAreNeverReused":       idsAreNeverReused,
		"ReopenKeepsEverything":   reopenKeepsEverything,
		"ReadersSeeOneState":      readersSeeOneState,
		"NobodySpeaksForOthers":   nobodySpeaksForOthers,
		"PurgeWaitsForFollowers":  purgeWaitsForFollowers,
		"WhoLeftAGroupTakesBack":  whoLeftAGroupTakesBack,
		"KeysHaveNamesOfTheirOwn": keysHaveNamesOfTheirOwn,
		"RestoredGoesOn":          restoredGoesOn,
		"InTheOrderAskedFor":      inTheOrderAskedFor,
		"PartsThatAreAskedFor":    partsThatAreAskedFor,
		"TalliesAreTheViewers":    talliesAreTheViewers,

		"WhatIsWrittenIsJudged":        whatIsWrittenIsJudged,
		"AnOwnerMayOverride":           anOwnerMayOverride,
		"ListsThatChangeAreAskedAgain": listsThatChangeAreAskedAgain,
		"GuardListsAreKept":            guardListsAreKept,

		"TheClockTellsWhatFellDue": theClockTellsWhatFellDue,
		"EndsWhenItsOwnerSays":     endsWhenItsOwnerSays,
		"SeenAgainHoldsLonger":     seenAgainHoldsLonger,
		"ALifetimeTouchesItsTypes": aLifetimeTouchesItsTypes,
		"SightingsReviveAndEnd":    sightingsReviveAndEnd,
		"CollectionsChangeInTurn":  collectionsChangeInTurn,
		"DoubtsAskTheOwner":        doubtsAskTheOwner,
		"WhatIsTakenBackStaysSo":   whatIsTakenBackStaysSo,
		"AListBringsNothingBack":   aListBringsNothingBackIntoAnEmptyEvent,
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, open)) })
	}
	for _, more := range []map[string]func(*testing.T, *world){remarkTests, secretTests, instanceTests} {
		for name, test := range more {
			t.Run(name, func(t *testing.T) { test(t, newWorld(t, open)) })
		}
	}
}

// A world is a store with two organisations and a sharing group of the first.
type world struct {
	*store.DB
	engine store.Engine
	dir    string
	open   func(*testing.T, string) store.Engine
	admin  access.Viewer
	ours   access.Viewer // publisher of organisation 1
	theirs access.Viewer // publisher of organisation 2
	group  int64         // of both
	own    int64         // sharing group of organisation 1 alone
}

func newWorld(t *testing.T, open func(*testing.T, string) store.Engine) *world {
	w := &world{dir: t.TempDir(), open: open}
	w.start(t)
	w.admin = access.System("storetest")
	w.write(t, w.admin, func(tx *store.Tx) error {
		for _, n := range []string{"Ours", "Theirs"} {
			if err := store.Put(tx, &tocsin.Organisation{Name: n, UUID: tocsin.NewUUID(tx.Now()), Local: true}); err != nil {
				return err
			}
		}
		both := &tocsin.Group{Name: "both", Org: 1, Members: []tocsin.Member{{Org: 1}, {Org: 2}}}
		own := &tocsin.Group{Name: "own", Org: 1, Members: []tocsin.Member{{Org: 1}}}
		if err := store.Put(tx, both); err != nil {
			return err
		}
		w.group = both.ID
		err := store.Put(tx, own)
		w.own = own.ID
		return err
	})
	publisher, _ := access.RoleByID(4)
	w.ours = access.NewViewer("ours", 1, 1, publisher.Role, w.GroupsOf(1)...)
	w.theirs = access.NewViewer("theirs", 2, 2, publisher.Role, w.GroupsOf(2)...)
	return w
}

func (w *world) keyFile() string { return filepath.Join(w.dir, "seal.key") }

func (w *world) start(t *testing.T) {
	t.Helper()
	w.engine = w.open(t, w.dir)
	keys, err := seal.Open(w.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), w.engine, store.Options{Seal: keys})
	if err != nil {
		t.Fatal(err)
	}
	w.DB = db
	t.Cleanup(func() { db.Close() })
}

func (w *world) write(t *testing.T, v access.Viewer, fn func(*store.Tx) error) tocsin.Seq {
	t.Helper()
	seq, err := w.Apply(t.Context(), v, fn)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// event adds an event of organisation 1 with attributes of these domains.
func (w *world) event(t *testing.T, e tocsin.Event, domains ...string) (int64, []tocsin.Attribute) {
	t.Helper()
	if e.Info == "" {
		e.Info = "an event"
	}
	var added []tocsin.Attribute
	w.write(t, w.ours, func(tx *store.Tx) error {
		if err := tx.AddEvent(&e); err != nil {
			return err
		}
		r, err := tx.AddAttributes(e.ID, Domains(t, domains...), false)
		added = r.Added
		return err
	})
	return e.ID, added
}

// Domains returns attributes to add, which inherit the event's distribution.
func Domains(t testing.TB, names ...string) []tocsin.Attribute {
	t.Helper()
	as := make([]tocsin.Attribute, len(names))
	for i, n := range names {
		v, err := indicator.Parse("domain", n)
		if err != nil {
			t.Fatal(err)
		}
		as[i] = tocsin.Attribute{Value: v, ToIDS: true, Distribution: access.Inherit}
	}
	return as
}

// values lists what v sees of q.
func (w *world) values(t *testing.T, v access.Viewer, q store.Query) []string {
	t.Helper()
	out := []string{}
	for a, err := range w.As(v).Attributes(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a.Value.String())
	}
	return out
}

// purge purges until nothing is left to.
func (w *world) purge(t *testing.T) {
	t.Helper()
	for {
		n, err := w.Purge(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
	}
}

// lines returns the log as the engine keeps it.
func (w *world) lines(t *testing.T) (ls []store.LogLine) {
	t.Helper()
	err := w.engine.Read(t.Context(), func(r store.Reader) error {
		for l, err := range r.Lines(t.Context(), 0) {
			if err != nil {
				return err
			}
			l.Before, l.After = slices.Clone(l.Before), slices.Clone(l.After)
			ls = append(ls, l)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ls
}

// changes returns what a follower is told after a line.
func (w *world) changes(t *testing.T, after tocsin.Seq) []tocsin.Change {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	k := &keeper{until: w.Head(), full: cancel}
	if err := w.Follow(ctx, k); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(k.told, func(c tocsin.Change) bool { return c.Seq <= after })
}

// keeper is a follower that keeps all it is told.
type keeper struct {
	told  []tocsin.Change
	until tocsin.Seq
	full  context.CancelFunc
}

func (k *keeper) Name() string                  { return "keeper" }
func (k *keeper) Place() tocsin.Seq             { return 0 }
func (k *keeper) Restart(context.Context) error { k.told = nil; return nil }
func (k *keeper) Follow(_ context.Context, cs []tocsin.Change) error {
	k.told = append(k.told, cs...)
	if len(cs) > 0 && cs[len(cs)-1].Seq >= k.until {
		k.full()
	}
	return nil
}
