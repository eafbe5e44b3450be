package store

import (
	"fmt"
	"maps"
	"slices"

	"tocsin"
	"tocsin/access"
)

// maxRun is how many records one range line stands for at most, so that reading
// the log back takes little memory.
const maxRun = 50_000

// An Addition is what became of attributes that were to be added.
type Addition struct {
	Added      []tocsin.Attribute // in the order given, with ids; those revived last
	From       []int              // for each of Added, its index
	Revived    int                // how many of Added are there again
	Duplicates []int              // indexes of those that the event holds already
	Withdrawn  []int              // indexes of those that were taken back, and stay so
}

// KeepPublished is for imports: what they add to a published event leaves at
// once, instead of unpublishing the event.
type KeepPublished bool

// AddAttributes adds as to an event, each settled within its object, and leaves
// out those whose claim (object, category, type, value) the event holds already.
// What was sound in itself but can't be kept fails the whole call.
func (tx *Tx) AddAttributes(event int64, as []tocsin.Attribute, keep KeepPublished) (Addition, error) {
	return tx.addAttributes(event, as, keep, again)
}

// ImportAttributes is [Tx.AddAttributes] for lists, which come again and again: what the
// event's owner has taken back, by withdrawing it or by saying that it is over, is not
// there again because a list still has it. With revive it is, under the uuid that it had.
func (tx *Tx) ImportAttributes(event int64, as []tocsin.Attribute, keep KeepPublished, revive bool) (Addition, error) {
	if revive {
		return tx.addAttributes(event, as, keep, revives)
	}
	return tx.addAttributes(event, as, keep, stays)
}

// A comeback says what becomes of a claim that was taken back and is made again.
type comeback uint8

const (
	again   comeback = iota // it is a new one beside what was withdrawn
	stays                   // it stays withdrawn
	revives                 // what was withdrawn is there again
)

func (tx *Tx) addAttributes(event int64, as []tocsin.Attribute, keep KeepPublished, how comeback) (Addition, error) {
	e, err := tx.mine(event)
	if err != nil {
		return Addition{}, err
	}
	m, err := tx.newClaims(e, as, how)
	if err == nil {
		err = tx.seenAgain(e, m.again)
	}
	out := Addition{Duplicates: m.dups, Withdrawn: m.withdrawn}
	if err != nil || len(m.fresh)+len(m.back) == 0 {
		return out, err
	}
	if err := tx.identify(m.fresh); err != nil {
		return Addition{}, err
	}
	settle := tx.settler(tx.db.coder.Labels.Label(e.Label))
	for _, as := range [][]tocsin.Attribute{m.fresh, m.back} {
		for i := range as {
			if i == 0 || as[i].Tags != as[i-1].Tags {
				if err := tx.mayAttach(true, slices.Collect(as[i].Tags.All())); err != nil {
					return Addition{}, err
				}
			}
			if err := settle(&as[i], nil); err != nil {
				return Addition{}, err
			}
		}
		tx.guard(as)
	}
	if err := tx.edited(e, bool(keep) && tx.v.May(access.Publish)); err != nil {
		return Addition{}, err
	}
	if len(m.fresh) > 0 {
		if err := tx.insert(event, m.fresh); err != nil {
			return Addition{}, err
		}
	}
	for i := range m.back {
		if err := tx.put(&m.were[i], &m.back[i]); err != nil {
			return Addition{}, err
		}
	}
	out.Added, out.From, out.Revived = append(m.fresh, m.back...), append(m.from, m.backFrom...), len(m.back)
	return out, nil
}

// insert writes new attributes of one event, with a range line for each run.
func (tx *Tx) insert(event int64, as []tocsin.Attribute) error {
	e, err := tx.event(event)
	if err != nil {
		return err
	}
	e = new(*e)
	for run := as; len(run) > 0; {
		n := min(maxRun, len(run))
		seq := tx.next()
		for i := range run[:n] {
			run[i].Seq = seq
		}
		if err := tx.w.AddAttributes(tx.ctx, run[:n]); err != nil {
			return err
		}
		tx.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: event, Run: run[:n:n], Event: e.Label})
		run = run[n:]
	}
	e.Attributes += live(as)
	e.Restricted += tx.restricted(as)
	if !tx.added[event] { // it arrives as it was where it comes from
		e.Timestamp = max(e.Timestamp, tx.now.Unix())
	}
	tx.touch(e)
	return nil
}

func live(as []tocsin.Attribute) (n int) {
	for i := range as {
		if !as[i].Deleted {
			n++
		}
	}
	return n
}

// restricted is how many of as, deleted ones left out, not everyone may see who
// sees their event.
func (tx *Tx) restricted(as []tocsin.Attribute) (n int) {
	for i := range as {
		if l := tx.db.coder.Labels.Label(as[i].Label); !as[i].Deleted && (l.Reach == access.OrgOnly || l.Groups[0] != 0) {
			n++
		}
	}
	return n
}

// recount takes old out of its event's counts and a in; either may be nil.
func (tx *Tx) recount(e *tocsin.Event, old, a *tocsin.Attribute) {
	count := func(a *tocsin.Attribute, sign int) {
		if a != nil {
			one := []tocsin.Attribute{*a}
			e.Attributes += sign * live(one)
			e.Restricted += sign * tx.restricted(one)
		}
	}
	count(old, -1)
	count(a, 1)
}

// identify hands out ids and uuids, and refuses uuids that are taken.
func (tx *Tx) identify(as []tocsin.Attribute) error {
	first, err := tx.newID(tocsin.KindAttribute, len(as))
	if err != nil {
		return err
	}
	var given []tocsin.UUID
	missing := 0
	for i := range as {
		as[i].ID = first + int64(i)
		if as[i].UUID.IsZero() {
			missing++
		} else {
			given = append(given, as[i].UUID)
		}
		if as[i].Timestamp == 0 {
			as[i].Timestamp = tx.now.Unix()
		}
		tx.firstSeen(&as[i])
	}
	taken, err := tx.w.TakenUUIDs(tx.ctx, given)
	if err != nil {
		return err
	}
	if len(taken) > 0 {
		if taken, err = tx.stillTaken(taken); err != nil {
			return err
		}
	}
	us := make([]tocsin.UUID, missing)
	tocsin.NewUUIDs(tx.now, us)
	seen := make(map[tocsin.UUID]bool, len(given))
	for i := range as {
		switch u := as[i].UUID; {
		case u.IsZero():
			as[i].UUID, us = us[0], us[1:]
		case taken[u] || seen[u]:
			return &TakenError{Index: i, UUID: u}
		default:
			seen[u] = true
		}
	}
	return nil
}

// stillTaken returns those of uuids that are taken, once those are given up that only
// events which were deleted for good hold.
func (tx *Tx) stillTaken(taken map[tocsin.UUID]bool) (map[tocsin.UUID]bool, error) {
	us := slices.Collect(maps.Keys(taken))
	if err := tx.w.ReleaseUUIDs(tx.ctx, us); err != nil {
		return nil, err
	}
	return tx.w.TakenUUIDs(tx.ctx, us)
}

// A TakenError refuses an attribute whose uuid another record has.
type TakenError struct {
	Index int
	UUID  tocsin.UUID
}

func (e *TakenError) Error() string { return fmt.Sprintf("the uuid %s is taken", e.UUID) }
func (e *TakenError) Unwrap() error { return tocsin.Errorf(tocsin.Conflict, "%s", e.Error()) }

// claim is what makes two attributes of an event the same claim.
type claim struct {
	object   int64
	category uint8
	kind     uint16
	value    string
}

func claimOf(a *tocsin.Attribute) claim {
	return claim{a.Object, uint8(a.Category), a.Value.Type().ID, a.Value.String()}
}

// A meeting is what attributes that are to be added meet in their event.
type meeting struct {
	fresh      []tocsin.Attribute // which it does not hold yet
	from       []int              // their indexes
	dups       []int              // indexes of those that it holds
	again      []tocsin.Attribute // what it holds of those, where claims have a lifetime
	withdrawn  []int              // indexes of those that stay withdrawn
	back, were []tocsin.Attribute // which are there again, and what they were
	backFrom   []int
}

// newClaims sorts as by what e holds of them.
func (tx *Tx) newClaims(e *tocsin.Event, as []tocsin.Attribute, how comeback) (m meeting, err error) {
	held, gone, err := tx.siblings(e, as, how)
	if err != nil {
		return m, err
	}
	aging := len(lifetimes(tx.docs)) > 0
	m.fresh = make([]tocsin.Attribute, 0, len(as))
	for i := range as {
		c := claimOf(&as[i])
		if a, ok := held[c]; ok {
			m.dups = append(m.dups, i)
			if aging && a != nil {
				m.again = append(m.again, *a)
				held[c] = nil
			}
			continue
		}
		old := gone[c]
		held[c] = nil
		if old != nil && how == stays {
			m.withdrawn = append(m.withdrawn, i)
			continue
		}
		as[i].Event = e.ID
		if old == nil {
			m.fresh, m.from = append(m.fresh, as[i]), append(m.from, i)
			continue
		}
		m.were, m.back, m.backFrom = append(m.were, *old), append(m.back, tx.revived(as[i], old)), append(m.backFrom, i)
	}
	return m, nil
}

// siblings returns what e holds of the claims in as, and of those that it does not what was
// taken back last, if how asks for it.
func (tx *Tx) siblings(e *tocsin.Event, as []tocsin.Attribute, how comeback) (held, gone map[claim]*tocsin.Attribute, err error) {
	held, gone = make(map[claim]*tocsin.Attribute, len(as)), map[claim]*tocsin.Attribute{}
	if e.Attributes == 0 && (how == again || tx.added[e.ID]) {
		return held, gone, nil
	}
	keys := make([]uint64, len(as))
	for i := range as {
		keys[i] = tx.db.coder.Key(&as[i])
	}
	for a, err := range tx.w.Siblings(tx.ctx, e.ID, keys) {
		if err != nil {
			return nil, nil, err
		}
		over := how != again && a.Ends != 0 && a.Ends <= tx.now.Unix()
		switch c := claimOf(&a); {
		case !a.Deleted && !over:
			held[c] = &a
		case how == again: // what is withdrawn is in nobody's way
		case gone[c] == nil || gone[c].ID < a.ID:
			gone[c] = &a
		}
	}
	return held, gone, nil
}

// revived is a claim that comes back: as it is made now, under what it was known by.
func (tx *Tx) revived(a tocsin.Attribute, old *tocsin.Attribute) tocsin.Attribute {
	a.ID, a.UUID = old.ID, old.UUID
	a.Timestamp = max(old.Timestamp, tx.now.Unix())
	a.Seen, a.Ends = tx.now.Unix(), 0
	return a
}

// settler returns a function that sets the label of attributes of one event,
// given what they were (nil: new), as [Tx.settleEvent] does. Most attributes of an
// event are alike, so it remembers what it worked out.
func (tx *Tx) settler(event access.Label) func(a, old *tocsin.Attribute) error {
	type kind struct {
		d     access.Distribution
		group int64
		tags  tocsin.TagSet
		obj   int64
	}
	known := map[kind]access.LabelID{}
	return func(a, old *tocsin.Attribute) error {
		k := kind{a.Distribution, a.Group, a.Tags, a.Object}
		if id, ok := known[k]; ok {
			a.Label = id
			return nil
		}
		if !a.Distribution.Valid() {
			return tocsin.Errorf(tocsin.Invalid, "an attribute's distribution is 0 to 5, not %d", a.Distribution)
		}
		if old == nil || a.Distribution != old.Distribution || a.Group != old.Group {
			if err := tx.mayShareWith(a.Distribution, &a.Group); err != nil {
				return err
			}
		}
		parent := access.NewLabel(event.Owner, access.Inherit, 0, 0, 0)
		if a.Object != 0 {
			o, err := tx.w.Object(tx.ctx, a.Object)
			if err != nil {
				return err
			}
			if o == nil || o.Event != a.Event {
				return tocsin.Errorf(tocsin.NotFound, "no object %d in event %d", a.Object, a.Event)
			}
			parent = tx.db.coder.Labels.Label(o.Label)
		}
		t, p := tx.marking(a.Tags)
		a.Label = tx.label(access.NewLabel(event.Owner, a.Distribution, a.Group, t, p).Within(parent))
		known[k] = a.Label
		return nil
	}
}

// Attribute returns the attribute with that id as the viewer sees it.
func (tx *Tx) Attribute(id int64) (*tocsin.Attribute, *tocsin.Event, error) {
	a, err := tx.w.Attribute(tx.ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return tx.seen(a, fmt.Sprint(id))
}

// AttributeByUUID is [Tx.Attribute] by uuid.
func (tx *Tx) AttributeByUUID(u tocsin.UUID) (*tocsin.Attribute, *tocsin.Event, error) {
	a, err := tx.w.AttributeByUUID(tx.ctx, u)
	if err != nil {
		return nil, nil, err
	}
	return tx.seen(a, u.String())
}

func (tx *Tx) seen(a *tocsin.Attribute, what string) (*tocsin.Attribute, *tocsin.Event, error) {
	if a != nil && tx.sees(a.Label) {
		e, err := tx.event(a.Event)
		if err != nil {
			return nil, nil, err
		}
		if e != nil && tx.sees(e.Label) {
			return a, e, nil
		}
	}
	return nil, nil, tocsin.Errorf(tocsin.NotFound, "no attribute %s", what)
}

// SameClaim returns the attribute of an event that claims what a does, as the viewer
// sees it.
func (tx *Tx) SameClaim(event int64, a *tocsin.Attribute) (*tocsin.Attribute, error) {
	for s, err := range tx.w.Siblings(tx.ctx, event, []uint64{tx.db.coder.Key(a)}) {
		if err != nil {
			return nil, err
		}
		if !s.Deleted && claimOf(&s) == claimOf(a) {
			found, _, err := tx.Attribute(s.ID)
			return found, err
		}
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "event %d does not claim that", event)
}

// EditAttribute lets change alter a copy of the attribute.
func (tx *Tx) EditAttribute(id int64, change func(*tocsin.Attribute) error) (*tocsin.Attribute, error) {
	old, e, err := tx.Attribute(id)
	if err != nil {
		return nil, err
	}
	if _, err := tx.mine(e.ID); err != nil {
		return nil, err
	}
	return tx.replaceAttribute(old, e, change)
}

// Withdraw marks an attribute as deleted: it stays, so that peers learn of it, and
// leaves every zone and list. Other than an edit it does not unpublish the event.
// It only takes away; and if it did, taking back one name of an event would have
// every resolver drop all of them.
func (tx *Tx) Withdraw(id int64) (*tocsin.Attribute, error) {
	old, e, err := tx.Attribute(id)
	if err != nil {
		return nil, err
	}
	if _, err := tx.mine(e.ID); err != nil {
		return nil, err
	}
	a := *old
	a.Deleted, a.Timestamp = true, max(old.Timestamp, tx.now.Unix())
	return &a, tx.put(old, &a)
}

func (tx *Tx) replaceAttribute(old *tocsin.Attribute, e *tocsin.Event, change func(*tocsin.Attribute) error) (*tocsin.Attribute, error) {
	a := *old
	if err := change(&a); err != nil {
		return nil, err
	}
	a.ID, a.UUID, a.Event, a.Object = old.ID, old.UUID, old.Event, old.Object
	tx.reviewed(&a, old)
	tx.guardAgain(&a, old)
	if claimOf(&a) != claimOf(old) {
		for s, err := range tx.w.Siblings(tx.ctx, a.Event, []uint64{tx.db.coder.Key(&a)}) {
			if err != nil {
				return nil, err
			}
			if s.ID != a.ID && !s.Deleted && claimOf(&s) == claimOf(&a) {
				return nil, tocsin.Errorf(tocsin.Conflict, "event %d holds the same claim already, as attribute %d", a.Event, s.ID)
			}
		}
	}
	if err := tx.settler(tx.db.coder.Labels.Label(e.Label))(&a, old); err != nil {
		return nil, err
	}
	if err := tx.edited(e, false); err != nil {
		return nil, err
	}
	return &a, tx.put(old, &a)
}

// put writes an attribute in place of old and its line.
func (tx *Tx) put(old, a *tocsin.Attribute) error {
	e, err := tx.event(a.Event)
	if err != nil {
		return err
	}
	e = new(*e)
	a.Seq = tx.next()
	if err := tx.w.PutAttribute(tx.ctx, a); err != nil {
		return err
	}
	before, after := *old, *a
	tx.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: a.ID, Before: &before, After: &after, Event: e.Label})
	tx.recount(e, old, a)
	e.Timestamp = max(e.Timestamp, tx.now.Unix())
	tx.touch(e)
	return nil
}

// DeleteAttribute deletes an attribute for good. Its uuid is refused afterwards.
// As with [Tx.Withdraw] its event stays published.
func (tx *Tx) DeleteAttribute(id int64) error {
	old, e, err := tx.Attribute(id)
	if err != nil {
		return err
	}
	if e, err = tx.mine(e.ID); err != nil {
		return err
	}
	if err := tx.w.RemoveAttribute(tx.ctx, id); err != nil {
		return err
	}
	if e, err = tx.event(e.ID); err != nil {
		return err
	}
	e = new(*e)
	before := *old
	tx.line(tocsin.Line{Kind: tocsin.KindAttribute, ID: id, Before: &before, Event: e.Label})
	tx.recount(e, old, nil)
	e.Timestamp = max(e.Timestamp, tx.now.Unix())
	tx.touch(e)
	return tx.bury(old, old.Label)
}

// TagAttribute attaches or removes tags of an attribute. TLP and PAP tags set
// its label.
func (tx *Tx) TagAttribute(id int64, add, remove []tocsin.Attached) (*tocsin.Attribute, error) {
	a, e, err := tx.Attribute(id)
	if err != nil {
		return nil, err
	}
	if err := tx.mayTag(e.Label, append(append([]tocsin.Attached(nil), add...), remove...)); err != nil {
		return nil, err
	}
	b := *a
	b.Tags = retag(a.Tags, add, remove)
	if err := tx.settler(tx.db.coder.Labels.Label(e.Label))(&b, a); err != nil {
		return nil, err
	}
	return &b, tx.put(a, &b)
}
