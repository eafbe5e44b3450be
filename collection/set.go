package collection

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// A Set is all collections of an exchange, as a follower of its log.
type Set struct {
	dir    string
	labels *access.Labels
	log    *slog.Logger
	system access.Viewer

	// These belong to whoever calls Follow.
	hasher     indicator.Hasher
	seed       [16]byte
	world      *world
	selections map[int64]*selection
	gone       []string         // files that the next snapshot does without
	listed     []int64          // the collections that the world on disk knew
	served     tocsin.Seq       // the last line that may have been served before Open
	told       map[int64]*shelf // what watchers were told last

	place    atomic.Int64
	unsaved  int // records since the last snapshot
	saving   atomic.Bool
	saved    time.Time // when the last snapshot ended
	took     time.Duration
	wg       sync.WaitGroup
	watchers []func(Moved)

	mu    sync.RWMutex
	shown shown
}

var _ store.Follower = (*Set)(nil)

// Open reads the set that is kept in dir, an empty one if there is none. What is
// damaged starts from nothing, which means that the log is read from its first
// line; the other collections are served meanwhile.
func Open(dir string, labels *access.Labels, log *slog.Logger) (*Set, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open collections: %w", err)
	}
	s := &Set{dir: dir, labels: labels, log: log,
		// It keeps labels beside names; every subscriber's own viewer is asked
		// before a name is shown to it.
		system: access.System("collections keep what every audience may see")}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("open collections: %w", err)
	}
	s.show()
	return s, nil
}

// Close writes what is not on disk yet.
func (s *Set) Close() error {
	s.wg.Wait()
	if err := s.flush(); err != nil {
		return err
	}
	if tocsin.Seq(s.place.Load()) == s.world.At && s.unsaved == 0 {
		return nil
	}
	return s.snapshot().write()
}

// Name implements [store.Follower].
func (s *Set) Name() string { return "collection" }

// Place implements [store.Follower]: it is the last line that a snapshot on disk
// holds.
func (s *Set) Place() tocsin.Seq { return tocsin.Seq(s.place.Load()) }

// Restart implements [store.Follower].
func (s *Set) Restart(context.Context) error {
	s.wg.Wait()
	if err := s.empty(); err != nil {
		return fmt.Errorf("restart collections: %w", err)
	}
	s.show()
	return nil
}

// Watch has fn called after each batch of changes that moved a zone, when the
// zone can be asked for. After the first batch it is told of all zones, because
// nobody knows whom the last word before a stop has reached. The log waits for
// fn, so it only takes note. Watch must be called before Follow.
func (s *Set) Watch(fn func(Moved)) { s.watchers = append(s.watchers, fn) }

// Follow implements [store.Follower]. When it fails it stands between two lines:
// those before are kept, and skipped when they come again.
func (s *Set) Follow(ctx context.Context, changes []tocsin.Change) error {
	var err error
	for i := range changes {
		c := &changes[i]
		if c.Seq <= s.world.At {
			continue
		}
		if c.Seq > s.world.At+1 && c.Kind != tocsin.KindExchange {
			err = fmt.Errorf("line %d comes after %d", c.Seq, s.world.At)
			break
		}
		if err = s.apply(ctx, c); err != nil {
			err = fmt.Errorf("line %d: %w", c.Seq, err)
			break
		}
		s.world.At = c.Seq
		for _, sel := range s.selections {
			sel.at = max(sel.at, c.Seq)
		}
	}
	if ferr := s.flush(); ferr != nil {
		return errors.Join(err, ferr)
	}
	s.show()
	s.tell()
	s.checkpoint()
	return err
}

// flush writes the journals, before anyone is told what is in them.
func (s *Set) flush() error {
	for _, sel := range s.selections {
		sel.journal.trim(max(segmentSize, int64(sel.names.bytes)))
		if err := sel.journal.flush(); err != nil {
			return err
		}
	}
	return nil
}

// apply takes in one line.
func (s *Set) apply(ctx context.Context, c *tocsin.Change) error {
	s.unsaved += c.Weight()
	s.world.Now = max(s.world.Now, c.At.Unix())
	switch {
	case c.IsRange():
		return s.applyRun(ctx, c)
	case c.Kind == tocsin.KindAttribute:
		s.applyAttribute(c)
		return nil
	}
	switch c.Kind {
	case tocsin.KindEvent:
		return s.applyEvent(ctx, c)
	case tocsin.KindCollection:
		return s.applyCollection(ctx, c)
	case tocsin.KindLifetime:
		return s.applyLifetime(ctx, c)
	case tocsin.KindClock:
		return s.expand(ctx, c, s.alike(c.Seq), s.world.event, s.world.event)
	case tocsin.KindTag:
		b, a := tocsin.Records[*tocsin.Tag](c, s.system)
		name := ""
		if a != nil {
			name = a.Name
		}
		return s.rename(ctx, c, s.world.Tags, name, b == nil)
	case tocsin.KindOrganisation:
		b, a := tocsin.Records[*tocsin.Organisation](c, s.system)
		name := ""
		if a != nil {
			name = a.Name
		}
		return s.rename(ctx, c, s.world.Orgs, name, b == nil)
	case tocsin.KindGroup:
		_, a := tocsin.Records[*tocsin.Group](c, s.system)
		delete(s.world.Groups, c.ID)
		if a != nil {
			var members []int64
			for _, m := range a.Members {
				members = append(members, m.Org)
			}
			s.world.Groups[c.ID] = members
		}
		s.reseat(c.Seq)
	case tocsin.KindExchange:
		s.renew(c.Seq)
	case tocsin.KindSubscriber:
		_, a := tocsin.Records[*tocsin.Subscriber](c, s.system)
		delete(s.world.Subs, c.ID)
		if a != nil {
			s.world.Subs[c.ID] = subscriber{a.Name, a.Collections(), a.Org, a.Action, a.Exclude}
		}
		s.reseat(c.Seq, c.ID)
	}
	return nil
}

// behind iterates over the collections that do not hold line n yet. After
// damage to one of them the others are ahead.
func (s *Set) behind(n tocsin.Seq) (sels []*selection) {
	for _, id := range slices.Sorted(maps.Keys(s.selections)) {
		if sel := s.selections[id]; sel.at < n {
			sels = append(sels, sel)
		}
	}
	return sels
}

// renew makes zones of an exchange that was put back from a backup new ones, to
// be transferred whole: their subscribers may hold what was never written in
// this life, and ask with serials that lie between the backup and line n.
func (s *Set) renew(n tocsin.Seq) {
	for _, sel := range s.behind(n) {
		sel.born, sel.dirty = [zones]tocsin.Seq{n, n, n}, true
	}
}

func (s *Set) reseat(n tocsin.Seq, who ...int64) {
	for _, sel := range s.behind(n) {
		sel.reseat(n, s.world, who...)
	}
}

// matcher returns what a collection takes in as the world is now, nil if that is
// earlier than the collection is: after damage the world may be catching up.
func (s *Set) matcher(sel *selection) *matcher {
	if s.world.At < sel.at {
		return nil
	}
	if sel.matcher == nil {
		m, err := s.world.matcher(&sel.rec)
		if err != nil {
			// Whoever saves a collection asks ParseFilter first. A filter that it
			// refuses matches nothing.
			sel.log.Error("collection has a bad filter", "err", err)
		}
		sel.matcher = m
	}
	return sel.matcher
}

// looked is what collections look at of an attribute.
const looked = tocsin.PartValue | tocsin.PartCategory | tocsin.PartMarks | tocsin.PartHolds

func (s *Set) applyRun(ctx context.Context, c *tocsin.Change) error {
	e, now := s.world.event(c.ID), s.world.hour()
	behind := s.behind(c.Seq)
	var run []tocsin.Attribute
	if e.published && len(behind) > 0 { // else no collection takes any of it in
		var err error
		if run, err = c.Run(ctx, s.system, looked); err != nil {
			return err
		}
	}
	for _, sel := range behind {
		m := s.matcher(sel)
		for i := range run {
			sel.change(claim{}, claim{&run[i], e, m, now})
		}
		sel.settle(c.Seq, merge{})
	}
	return nil
}

func (s *Set) applyAttribute(c *tocsin.Change) {
	before, after := tocsin.Records[*tocsin.Attribute](c, s.system)
	now := s.world.hour()
	for _, sel := range s.behind(c.Seq) {
		m := s.matcher(sel)
		var b, a claim
		if before != nil {
			b = claim{before, s.world.event(before.Event), m, nil}
		}
		if after != nil {
			a = claim{after, s.world.event(after.Event), m, now}
		}
		sel.change(b, a)
		sel.settle(c.Seq, merge{})
	}
}

func (s *Set) applyEvent(ctx context.Context, c *tocsin.Change) error {
	_, after := tocsin.Records[*tocsin.Event](c, s.system)
	was, is := s.world.event(c.ID), eventOf(after)
	var all []scoped
	if c.IsScope() && (was.published || is.published) {
		all = s.alike(c.Seq)
	}
	at := func(e event) func(int64) event { return func(int64) event { return e } }
	if err := s.expand(ctx, c, all, at(was), at(is)); err != nil {
		return err
	}
	s.world.setEvent(c.ID, after)
	return nil
}

// applyLifetime keeps for how long claims hold, and takes in or out those for
// which that makes a difference.
func (s *Set) applyLifetime(ctx context.Context, c *tocsin.Change) error {
	_, after := tocsin.Records[*tocsin.Lifetime](c, s.system)
	old := s.world.Lifetimes[c.ID]
	set := func(l *tocsin.Lifetime) {
		delete(s.world.Lifetimes, c.ID)
		if l != nil {
			s.world.Lifetimes[c.ID] = l
		}
	}
	set(after)
	err := s.expand(ctx, c, s.alike(c.Seq), s.world.event, s.world.event)
	if err != nil {
		set(old)
	}
	return err
}

// alike are the collections that do not hold line n yet, which take in after it
// what they took in before.
func (s *Set) alike(n tocsin.Seq) (all []scoped) {
	for _, sel := range s.behind(n) {
		m := s.matcher(sel)
		all = append(all, scoped{sel: sel, before: m, after: m})
	}
	return all
}

// rename keeps the name of a tag or organisation. Filters and tags name them, so
// the line may touch any claim.
func (s *Set) rename(ctx context.Context, c *tocsin.Change, names map[int64]string, name string, created bool) error {
	old := names[c.ID]
	if strings.EqualFold(old, name) {
		return nil
	}
	var all []scoped
	sels := s.behind(c.Seq)
	for _, sel := range sels {
		before := s.matcher(sel)
		if before != nil && !before.speaksOf(old) && !before.speaksOf(name) {
			continue // most tags are no collection's business, and there may be very many
		}
		all = append(all, scoped{sel: sel, before: before})
	}
	setName(names, c.ID, name)
	for i := range all {
		all[i].sel.matcher = nil
		all[i].after = s.matcher(all[i].sel)
	}
	all = slices.DeleteFunc(all, func(sc scoped) bool { return reflect.DeepEqual(sc.before, sc.after) })
	if !c.IsScope() {
		if len(all) > 0 && !created {
			s.log.Error("a name that a collection's filter uses has changed, and the line does not say which claims that touches", "line", c.Seq, "kind", c.Kind.String(), "id", c.ID)
		}
		return nil
	}
	err := s.expand(ctx, c, all, s.world.event, s.world.event)
	if err != nil {
		setName(names, c.ID, old)
		for _, sel := range sels {
			sel.matcher = nil
		}
	}
	return err
}

func (s *Set) applyCollection(ctx context.Context, c *tocsin.Change) error {
	_, after := tocsin.Records[*tocsin.Collection](c, s.system)
	sel := s.selections[c.ID]
	if sel != nil && sel.at >= c.Seq {
		return nil
	}
	if after == nil {
		if sel != nil {
			s.drop(sel)
		}
		return nil
	}
	old := sel
	if sel == nil {
		sel = newSelection(after, c.Seq, s.dir, s.labels, s.hasher, s.log)
		sel.until = s.until()
	}
	rec, room := sel.rec, sel.room
	sc := scoped{sel: sel}
	if old != nil {
		sc.before = s.matcher(sel)
	}
	sel.setRecord(after)
	sc.after = s.matcher(sel)
	m := mergeOf(c.Seq, after)
	if !reflect.DeepEqual(sc.before, sc.after) || sel.room != room {
		if !c.IsScope() {
			sel.setRecord(&rec)
			return errors.New("a collection's line does not say which claims it touches")
		}
		sc.merge = m
		if err := s.expand(ctx, c, []scoped{sc}, s.world.event, s.world.event); err != nil {
			sel.setRecord(&rec)
			return err
		}
	} else {
		sel.settle(c.Seq, m)
	}
	was := origins(&rec)
	for z, o := range origins(after) {
		if o != was[z] {
			sel.born[z] = c.Seq // another zone, though it may hold the same
		}
	}
	if rec.ActionFor("") != after.ActionFor("") {
		sel.born = every(c.Seq) // each record is another, though its name is the same
	}
	sel.dirty = true
	if old == nil {
		s.selections[c.ID] = sel
	}
	sel.reseat(c.Seq, s.world)
	return nil
}

func (s *Set) drop(sel *selection) {
	delete(s.selections, sel.rec.ID)
	sel.journal.forget(0)
	s.gone = append(append(s.gone, sel.journal.gone...), s.path(sel.rec.ID))
}

// scoped is a collection that a scope line may touch, with what it takes in
// before and after.
type scoped struct {
	sel           *selection
	before, after *matcher
	merge         merge
}

// expand takes in a scope line: each claim that it touches, as the collections
// judged it before and judge it after. If it fails nothing has changed.
func (s *Set) expand(ctx context.Context, c *tocsin.Change, all []scoped, was, is func(event int64) event) error {
	if len(all) == 0 {
		return nil
	}
	type undo struct{ names, crowd, skipped *table }
	undos := make([]undo, len(all))
	for i, sc := range all {
		undos[i] = undo{sc.sel.names.snapshot(), sc.sel.crowd.snapshot(), sc.sel.skipped.snapshot()}
	}
	var id int64
	var before, after event
	now := s.world.hour()
	for a, err := range c.Scope(ctx, s.system, looked) {
		if err != nil {
			for i, sc := range all {
				sc.sel.names.restore(undos[i].names)
				sc.sel.crowd.restore(undos[i].crowd)
				sc.sel.skipped.restore(undos[i].skipped)
				sc.sel.abandon()
			}
			return fmt.Errorf("expand: %w", err)
		}
		if a.Event != id || id == 0 {
			id, before, after = a.Event, was(a.Event), is(a.Event)
		}
		for _, sc := range all {
			sc.sel.change(claim{&a, before, sc.before, nil}, claim{&a, after, sc.after, now})
		}
		s.unsaved++
	}
	for _, sc := range all {
		sc.sel.settle(c.Seq, sc.merge)
	}
	return nil
}
