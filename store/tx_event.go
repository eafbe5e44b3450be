package store

import (
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
)

// Event returns the event with that id as the viewer sees it. The caller may
// read it but not change it; see [Tx.EditEvent].
func (tx *Tx) Event(id int64) (*tocsin.Event, error) {
	e, err := tx.event(id)
	if err != nil {
		return nil, err
	}
	if e == nil || !tx.sees(e.Label) {
		return nil, tocsin.Errorf(tocsin.NotFound, "no event %d", id)
	}
	return e, nil
}

// EventByUUID is [Tx.Event] by uuid.
func (tx *Tx) EventByUUID(u tocsin.UUID) (*tocsin.Event, error) {
	for _, e := range tx.events {
		if e != nil && e.UUID == u && tx.sees(e.Label) {
			return e, nil
		}
	}
	e, err := tx.w.EventByUUID(tx.ctx, u)
	if err != nil {
		return nil, err
	}
	if e == nil || !tx.sees(e.Label) {
		return nil, tocsin.Errorf(tocsin.NotFound, "no event %s", u)
	}
	return tx.Event(e.ID)
}

func (tx *Tx) sees(l access.LabelID) bool { return tx.v.Sees(tx.db.coder.Labels.Label(l)) }

// event returns an event, touched or not; nil if there is none.
func (tx *Tx) event(id int64) (*tocsin.Event, error) {
	if e, ok := tx.events[id]; ok {
		return e, nil
	}
	if tx.last != nil && tx.last.ID == id {
		return tx.last, nil
	}
	e, err := tx.w.Event(tx.ctx, id)
	tx.last = e
	return e, err
}

// touch remembers that e has to be written.
func (tx *Tx) touch(e *tocsin.Event) {
	if tx.events == nil {
		tx.events = map[int64]*tocsin.Event{}
	}
	tx.events[e.ID], tx.unput = e, true
}

// AddEvent adds e for the viewer's organisation, or as it says where the viewer
// speaks for another instance. It fills in what e leaves open: id, uuid, owner,
// date, times, label.
func (tx *Tx) AddEvent(e *tocsin.Event) error {
	if !tx.v.May(access.Add) {
		return errMayNot("add events")
	}
	if e.UUID.IsZero() {
		e.UUID = tocsin.NewUUID(tx.now)
	} else if err := tx.freeEvent(e.UUID); err != nil {
		return err
	}
	var err error
	if e.ID, err = tx.newID(tocsin.KindEvent, 1); err != nil {
		return err
	}
	if e.Org == 0 || !tx.v.May(access.Sync) {
		e.Org = tx.v.Org()
	}
	if e.Orgc == 0 || !tx.v.May(access.Sync) {
		e.Orgc = e.Org
	}
	if err := tx.maySpeakFor(e.Org); err != nil {
		return err
	}
	if err := tx.maySpeakFor(e.Orgc); err != nil {
		return err
	}
	if err := tx.unblocked(e); err != nil {
		return err
	}
	e.User = tx.v.User()
	if e.Date == "" {
		e.Date = tx.now.UTC().Format("2006-01-02")
	}
	if e.Timestamp == 0 {
		e.Timestamp = tx.now.Unix()
	}
	if err := tx.publishing(e, false); err != nil {
		return err
	}
	if err := tx.mayAttach(true, slices.Collect(e.Tags.All())); err != nil {
		return err
	}
	if err := tx.settleEvent(e, nil); err != nil {
		return err
	}
	e.Attributes, e.Restricted = 0, 0
	e.Seq = tx.next()
	kept := *e
	tx.line(tocsin.Line{Kind: tocsin.KindEvent, ID: e.ID, After: &kept})
	tx.touch(e)
	if tx.added == nil {
		tx.added = map[int64]bool{}
	}
	tx.added[e.ID] = true
	return nil
}

// maySpeakFor refuses the word of an organisation that has users here and speaks
// for itself: its word may be enough to block. Others may be spoken for by whoever
// brings their events from elsewhere.
func (tx *Tx) maySpeakFor(org int64) error {
	o, _ := tx.docs.get(tocsin.KindOrganisation, org).(*tocsin.Organisation)
	if org == tx.v.Org() || tx.v.Administers() || o == nil || !o.Local {
		return nil
	}
	return tocsin.Errorf(tocsin.Forbidden, "%s takes part in this exchange and speaks for itself", o.Name)
}

// freeEvent refuses the uuid of an event that there is, or was.
func (tx *Tx) freeEvent(u tocsin.UUID) error {
	if err := tx.free(u); err != nil {
		return err
	}
	if err := tx.w.ReleaseUUIDs(tx.ctx, []tocsin.UUID{u}); err != nil {
		return err
	}
	switch old, err := tx.w.EventByUUID(tx.ctx, u); {
	case err != nil:
		return err
	case old != nil && tx.sees(old.Label):
		return &ExistsError{old.ID}
	case old != nil: // the answer must not tell that it exists
		return tocsin.Errorf(tocsin.Invalid, "the event's uuid can't be used; leave it out to get a new one")
	}
	return nil
}

// An ExistsError refuses to add an event that the viewer can already see.
type ExistsError struct{ ID int64 }

func (e *ExistsError) Error() string { return "the event exists already" }
func (e *ExistsError) Unwrap() error {
	return tocsin.Errorf(tocsin.Conflict, "the event exists already, as event %d", e.ID)
}

// settleEvent checks what decides who may have e, and sets its label. What e
// was, if it was there, may stay as it is: whoever has left a sharing group must
// still be able to take back what they shared with it.
func (tx *Tx) settleEvent(e, old *tocsin.Event) error {
	if strings.TrimSpace(e.Info) == "" {
		return tocsin.Errorf(tocsin.Invalid, "an event needs an info: a line on what it is about")
	}
	if e.Distribution == access.Inherit || !e.Distribution.Valid() {
		return tocsin.Errorf(tocsin.Invalid, "an event's distribution is 0 to 4, not %d", e.Distribution)
	}
	if old == nil || e.Distribution != old.Distribution || e.Group != old.Group {
		if err := tx.mayShareWith(e.Distribution, &e.Group); err != nil {
			return err
		}
	}
	t, p := tx.marking(e.Tags)
	e.Label = tx.label(access.NewLabel(e.Org, e.Distribution, e.Group, t, p))
	return nil
}

// mayShareWith checks that the viewer may use a sharing group, and clears the
// group where the level names none.
func (tx *Tx) mayShareWith(d access.Distribution, group *int64) error {
	if d != access.Group {
		*group = 0
		return nil
	}
	g, _ := tx.docs.get(tocsin.KindGroup, *group).(*tocsin.Group)
	if g == nil || !tx.seesGroup(g) {
		return tocsin.Errorf(tocsin.Invalid, "no sharing group %d; distribution 4 needs one that your organisation is a member of", *group)
	}
	if g.Inactive {
		return tocsin.Errorf(tocsin.Invalid, "the sharing group %q is not active any more; choose another one", g.Name)
	}
	return nil
}

// publishing checks that the viewer may make e's state what it is, and keeps
// the time.
func (tx *Tx) publishing(e *tocsin.Event, was bool) error {
	if !e.Published || was {
		return nil
	}
	if !tx.v.May(access.Publish) {
		return errMayNot("publish events")
	}
	e.PublishedAt = tx.now.Unix()
	return nil
}

// EditEvent lets change alter a copy of the event. Where that changes who may
// have the event, or whether it leaves, its one line stands for all that is in it.
func (tx *Tx) EditEvent(id int64, change func(*tocsin.Event) error) (*tocsin.Event, error) {
	old, err := tx.mine(id)
	if err != nil {
		return nil, err
	}
	return tx.replaceEvent(old, change)
}

// mine returns an event that the viewer may change.
func (tx *Tx) mine(id int64) (*tocsin.Event, error) {
	e, err := tx.Event(id)
	if err != nil {
		return nil, err
	}
	own := e.Org == tx.v.Org() && (tx.v.May(access.ModifyOrg) || e.User == tx.v.User())
	if !tx.v.May(access.Add) || !own && !tx.v.Administers() {
		return nil, tocsin.Errorf(tocsin.Forbidden, "event %d may be changed by its owner's organisation only", id)
	}
	return e, nil
}

func (tx *Tx) replaceEvent(old *tocsin.Event, change func(*tocsin.Event) error) (*tocsin.Event, error) {
	e := *old
	if err := change(&e); err != nil {
		return nil, err
	}
	e.ID, e.UUID, e.Org, e.Orgc, e.User = old.ID, old.UUID, old.Org, old.Orgc, old.User
	e.Attributes, e.Restricted = old.Attributes, old.Restricted
	if err := tx.publishing(&e, old.Published); err != nil {
		return nil, err
	}
	if err := tx.settleEvent(&e, old); err != nil {
		return nil, err
	}
	e.Seq = tx.next()
	before, after := *old, e
	l := tocsin.Line{Kind: tocsin.KindEvent, ID: e.ID, Before: &before, After: &after}
	if e.Label != old.Label || e.Published != old.Published || e.Tags != old.Tags {
		l.Seq = e.Seq
		l.Scope = tx.db.scope(l)
	}
	tx.line(l)
	tx.touch(&e)
	return &e, nil
}

// Publish makes an event leave, or not leave any more.
func (tx *Tx) Publish(id int64, published bool) (*tocsin.Event, error) {
	if !tx.v.May(access.Publish) {
		return nil, errMayNot("publish events")
	}
	return tx.EditEvent(id, func(e *tocsin.Event) error {
		e.Published = published
		if published {
			e.PublishedAt = tx.now.Unix()
		}
		return nil
	})
}

// edited marks an event as changed after an attribute or object of it was. As in
// MISP an edited event is unpublished until somebody publishes it again. An
// event may arrive published with all that is in it, and an import that keeps a
// published event published says so.
func (tx *Tx) edited(e *tocsin.Event, keepPublished bool) error {
	if !e.Published || keepPublished || tx.added[e.ID] {
		return nil
	}
	_, err := tx.replaceEvent(e, func(e *tocsin.Event) error {
		e.Published, e.Timestamp = false, max(e.Timestamp, tx.now.Unix())
		return nil
	})
	return err
}

// DeleteEvent deletes an event for good, with all that is in it. Its uuid is
// refused afterwards.
func (tx *Tx) DeleteEvent(id int64) error {
	old, err := tx.mine(id)
	if err != nil {
		return err
	}
	before := *old
	l := tocsin.Line{Seq: tx.next(), Kind: tocsin.KindEvent, ID: id, Before: &before}
	l.Scope = tx.db.scope(l)
	e := *old
	e.Seq = tx.line(l)
	if err := tx.w.PutEvent(tx.ctx, &e); err != nil {
		return err
	}
	if tx.events == nil {
		tx.events = map[int64]*tocsin.Event{}
	}
	tx.events[id] = nil
	if err := tx.w.HideEvent(tx.ctx, id); err != nil {
		return err
	}
	if err := tx.undelegated(id); err != nil {
		return err
	}
	return tx.bury(old, old.Label)
}

// TagEvent attaches or removes tags of an event. TLP and PAP tags set its label.
func (tx *Tx) TagEvent(id int64, add, remove []tocsin.Attached) (*tocsin.Event, error) {
	e, err := tx.Event(id)
	if err != nil {
		return nil, err
	}
	if err := tx.mayTag(e.Label, slices.Concat(add, remove)); err != nil {
		return nil, err
	}
	return tx.replaceEvent(e, func(e *tocsin.Event) error {
		e.Tags = retag(e.Tags, add, remove)
		return nil
	})
}

func retag(s tocsin.TagSet, add, remove []tocsin.Attached) tocsin.TagSet {
	for _, a := range remove {
		s = s.Without(a.Tag)
	}
	for _, a := range add {
		s = s.With(a)
	}
	return s
}
