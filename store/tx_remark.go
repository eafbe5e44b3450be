package store

import (
	"errors"
	"iter"

	"tocsin"
	"tocsin/access"
)

// AddRemark adds what the viewer has to say. Its head says what it is about (kind,
// and id or uuid), what it points to, and how far it may travel; the store fills in
// the rest. Only what the viewer can see can be spoken about.
func AddRemark[R tocsin.Remark](tx *Tx, r R) error {
	h := r.Remarked()
	e, err := tx.locate(r)
	if err != nil {
		return err
	}
	if err := tx.speaker(r, e); err != nil {
		return err
	}
	if err := tx.mayRemark(r, e); err != nil {
		return err
	}
	if h.Timestamp == 0 {
		h.Timestamp = tx.now.Unix()
	}
	if err := tx.identifyRemark(r); err != nil {
		return err
	}
	if err := tx.settleRemark(r, nil); err != nil {
		return err
	}
	if unpublishes(r) {
		if err := tx.edited(e, false); err != nil {
			return err
		}
	}
	if err := tx.putRemark(nil, r); err != nil {
		return err
	}
	if s, ok := tocsin.Remark(r).(*tocsin.Sighting); ok {
		return tx.sighted(s)
	}
	return nil
}

// locate looks up what r is about and points to, in the viewer's sight, and returns
// the event that it belongs to, nil for none.
func (tx *Tx) locate(r tocsin.Remark) (e *tocsin.Event, err error) {
	if err := tx.putEvents(); err != nil {
		return nil, err
	}
	h := r.Remarked()
	e, err = tx.follow(&h.About, r.Kind())
	if tx.elsewhere(h.About, r, err) {
		e, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	h.Event = 0
	if e != nil {
		h.Event = e.ID
	}
	if h.To.IsZero() {
		return e, nil
	}
	other, err := tx.follow(&h.To, r.Kind())
	if h.To.Kind == 0 { // whoever brings it has a uuid and no more
		for _, k := range []tocsin.Kind{tocsin.KindAttribute, tocsin.KindObject} {
			to := tocsin.Link{Kind: k, UUID: h.To.UUID}
			if other, err = tx.follow(&to, r.Kind()); err == nil {
				h.To = to
				break
			}
		}
	}
	if err == nil && (other == nil || other.ID != h.Event) {
		err = tocsin.Errorf(tocsin.NotFound, "event %d has no %s %s", h.Event, h.To.Kind, h.To.UUID)
	}
	return e, err
}

// elsewhere reports whether a remark may stand by itself although what it is about
// was not found: an analyst may write about what is on another instance, by its
// uuid. What is here and hidden from the analyst is no different.
func (tx *Tx) elsewhere(about tocsin.Link, r tocsin.Remark, err error) bool {
	if tocsin.CodeOf(err) != tocsin.NotFound || about.ID != 0 || about.UUID.IsZero() {
		return false
	}
	switch r.(type) {
	case *tocsin.Note, *tocsin.Opinion, *tocsin.Relationship:
		return true
	}
	return false
}

// follow fills in a link's id and uuid and returns the event to which what it points
// at belongs. Of what may be elsewhere it leaves the id out.
func (tx *Tx) follow(l *tocsin.Link, by tocsin.Kind) (e *tocsin.Event, err error) {
	switch l.Kind {
	case 0:
		return nil, nil
	case tocsin.KindEvent:
		if l.ID != 0 {
			e, err = tx.Event(l.ID)
		} else {
			e, err = tx.EventByUUID(l.UUID)
		}
		if err == nil {
			l.ID, l.UUID = e.ID, e.UUID
		}
		return e, err
	case tocsin.KindAttribute:
		var a *tocsin.Attribute
		if l.ID != 0 {
			a, e, err = tx.Attribute(l.ID)
		} else {
			a, e, err = tx.AttributeByUUID(l.UUID)
		}
		if err == nil {
			l.ID, l.UUID = a.ID, a.UUID
		}
		return e, err
	case tocsin.KindObject:
		var o *tocsin.Object
		if l.ID != 0 {
			o, e, err = tx.Object(l.ID)
		} else {
			o, e, err = tx.ObjectByUUID(l.UUID)
		}
		if err == nil {
			l.ID, l.UUID = o.ID, o.UUID
		}
		return e, err
	}
	return tx.followRemark(l)
}

// followRemark is [Tx.follow] for a remark on a remark. A cluster may be one of those
// that everybody has, which are no records.
func (tx *Tx) followRemark(l *tocsin.Link) (*tocsin.Event, error) {
	if _, ok := tocsin.NewRecord(l.Kind).(tocsin.Remark); !ok {
		return nil, tocsin.Errorf(tocsin.Invalid, "nothing can be said about a %s", l.Kind)
	}
	q := RemarkQuery{UUIDs: []tocsin.UUID{l.UUID}, Deleted: Any}
	if l.ID != 0 {
		q = RemarkQuery{IDs: []int64{l.ID}, Deleted: Any}
	}
	on, err := tx.remark(l.Kind, q)
	switch {
	case tocsin.CodeOf(err) == tocsin.NotFound && l.Kind == tocsin.KindCluster && l.ID == 0:
		return nil, nil
	case err != nil:
		return nil, err
	}
	h := on.Remarked()
	l.ID, l.UUID = h.ID, h.UUID
	for depth, up := 1, h; up.About.Kind >= tocsin.KindReference && up.About.ID != 0; depth++ {
		if depth == MaxDepth {
			return nil, tocsin.Errorf(tocsin.Invalid, "that is a remark on a remark on a remark: go no deeper, and speak about what they are about")
		}
		next, err := tx.remark(up.About.Kind, RemarkQuery{IDs: []int64{up.About.ID}, Deleted: Any})
		if err != nil {
			return nil, err
		}
		up = next.Remarked()
	}
	if h.Event == 0 {
		return nil, nil
	}
	return tx.Event(h.Event)
}

// remark returns the first remark of a kind that q asks for, as the viewer sees it.
func (tx *Tx) remark(k tocsin.Kind, q RemarkQuery) (tocsin.Remark, error) {
	for r, err := range tx.remarks(k, remarks(k, tx.db, tx.v, tx.docs, q)) {
		return r, err
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no such %s", k)
}

// RemarkByUUID returns the remark with that uuid, of whichever kind, as the viewer
// sees it.
func (tx *Tx) RemarkByUUID(u tocsin.UUID) (tocsin.Remark, error) {
	l, err := tx.w.RemarkUUID(tx.ctx, u)
	if err != nil {
		return nil, err
	}
	if l.IsZero() {
		return nil, tocsin.Errorf(tocsin.NotFound, "no remark %s", u)
	}
	return tx.remark(l.Kind, RemarkQuery{IDs: []int64{l.ID}, Deleted: Any})
}

// AttachmentOf returns what content an attribute holds, nil if none.
func (tx *Tx) AttachmentOf(attribute int64) (*tocsin.Attachment, error) {
	r, err := tx.remark(tocsin.KindAttachment, RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{attribute}})
	if err != nil {
		if tocsin.CodeOf(err) == tocsin.NotFound {
			err = nil
		}
		return nil, err
	}
	return r.(*tocsin.Attachment), nil
}

// remarks iterates over remarks, what this write wrote among them.
func (tx *Tx) remarks(k tocsin.Kind, q Scoped[RemarkQuery]) iter.Seq2[tocsin.Remark, error] {
	return func(yield func(tocsin.Remark, error) bool) {
		if err := tx.putEvents(); err != nil {
			yield(nil, err)
			return
		}
		for b, err := range tx.w.Remarks(tx.ctx, k, q) {
			var r tocsin.Remark
			if err == nil {
				r, err = remark(k, b)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// speaker sets whose word r is: the viewer's organisation's, the one's it says where
// the viewer speaks for another instance. A report is the event's owner's.
func (tx *Tx) speaker(r tocsin.Remark, e *tocsin.Event) error {
	h := r.Remarked()
	if h.Org == 0 || !tx.v.May(access.Sync) {
		h.Org = tx.v.Org()
	}
	if h.Orgc == 0 || !tx.v.May(access.Sync) {
		h.Orgc = h.Org
	}
	h.User = tx.v.User()
	if err := tx.maySpeakFor(h.Org); err != nil {
		return err
	}
	if err := tx.maySpeakFor(h.Orgc); err != nil {
		return err
	}
	if unpublishes(r) && e != nil {
		h.Org, h.Orgc = e.Org, e.Orgc // it is part of the event
	}
	return nil
}

// identifyRemark hands out an id, and a uuid that nothing else has. A proposal is
// known by the uuid of the attribute that it would change or add.
func (tx *Tx) identifyRemark(r tocsin.Remark) (err error) {
	h := r.Remarked()
	if _, ok := r.(*tocsin.Proposal); ok {
		h.UUID = tocsin.UUID{}
	} else if h.UUID.IsZero() {
		h.UUID = tocsin.NewUUID(tx.now)
	} else {
		if err := tx.free(h.UUID); err != nil {
			return err
		}
		taken, err := tx.w.RemarkUUID(tx.ctx, h.UUID)
		if err == nil && !taken.IsZero() { // an event that was deleted for good may hold it
			if err = tx.w.ReleaseUUIDs(tx.ctx, []tocsin.UUID{h.UUID}); err == nil {
				taken, err = tx.w.RemarkUUID(tx.ctx, h.UUID)
			}
		}
		if err != nil {
			return err
		}
		if !taken.IsZero() {
			return tocsin.Errorf(tocsin.Conflict, "the uuid %s is taken", h.UUID)
		}
	}
	h.ID, err = tx.newID(r.Kind(), 1)
	return err
}

// settleRemark checks what decides who may have r, and sets its label.
func (tx *Tx) settleRemark(r, old tocsin.Remark) error {
	h := r.Remarked()
	if !h.Distribution.Valid() || h.Distribution == access.Inherit && h.About.IsZero() {
		return tocsin.Errorf(tocsin.Invalid, "the distribution of a %s can't be %d", r.Kind(), h.Distribution)
	}
	if old == nil || h.Distribution != old.Remarked().Distribution || h.Group != old.Remarked().Group {
		if err := tx.mayShareWith(h.Distribution, &h.Group); err != nil {
			return err
		}
	}
	d := h.Distribution
	if d == access.Inherit && h.About.ID == 0 {
		d = access.OrgOnly // what it would inherit is not known here
	}
	h.Label = tx.label(access.NewLabel(h.Org, d, h.Group, 0, 0))
	return nil
}

// putRemark writes a remark in place of old and its line.
func (tx *Tx) putRemark(old, r tocsin.Remark) error {
	h := r.Remarked()
	h.Seq = tx.next()
	keys, err := tx.remarkKeys(r)
	if err != nil {
		return err
	}
	kept, err := row(r, keys)
	if err != nil {
		return err
	}
	if err := tx.w.PutRemarks(tx.ctx, []RemarkRow{kept}); err != nil {
		return err
	}
	after, err := remark(r.Kind(), kept.JSON)
	l := tocsin.Line{Kind: r.Kind(), ID: h.ID, After: after}
	if old != nil {
		l.Before = old
	}
	tx.line(l)
	return err
}

// EditRemark lets change alter a copy of a remark. What somebody saw, and what they
// propose, is their word: it is taken back, accepted or discarded, and not edited.
func EditRemark[R tocsin.Remark](tx *Tx, id int64, change func(R) error) (R, error) {
	var zero R
	if k := zero.Kind(); k == tocsin.KindSighting || k == tocsin.KindProposal {
		return zero, tocsin.Errorf(tocsin.Invalid, "a %s is not edited; take it back, and make another one", k)
	}
	old, e, err := tx.myRemark(zero.Kind(), id)
	if err != nil {
		return zero, err
	}
	copied, err := clone(old)
	if err != nil {
		return zero, err
	}
	r := copied.(R)
	if err := change(r); err != nil {
		return zero, err
	}
	is, was := r.Remarked(), old.Remarked()
	is.ID, is.UUID, is.About, is.To, is.Event, is.Org, is.Orgc, is.User = was.ID, was.UUID, was.About, was.To, was.Event, was.Org, was.Orgc, was.User
	if is.Timestamp == was.Timestamp {
		is.Timestamp = max(was.Timestamp, tx.now.Unix())
	}
	if err := tx.soundRemark(r); err != nil {
		return zero, err
	}
	if err := tx.settleRemark(r, old); err != nil {
		return zero, err
	}
	if unpublishes(r) {
		if err := tx.edited(e, false); err != nil {
			return zero, err
		}
	}
	return r, tx.putRemark(old, r)
}

// myRemark returns a remark that the viewer may change, and its event.
func (tx *Tx) myRemark(k tocsin.Kind, id int64) (tocsin.Remark, *tocsin.Event, error) {
	r, err := tx.remark(k, RemarkQuery{IDs: []int64{id}, Deleted: Any})
	if err != nil {
		return nil, nil, err
	}
	var e *tocsin.Event
	if r.Remarked().Event != 0 {
		if e, err = tx.Event(r.Remarked().Event); err != nil {
			return nil, nil, err
		}
	}
	return r, e, tx.mayChange(r, e)
}

// DeleteRemark deletes a remark for good, with what was said about it. Its uuid is
// refused afterwards. An analyst's remark on which those of others stand is emptied
// instead, and stays withdrawn: what others wrote is theirs to delete, and is
// seen by nobody who might not see what it stands on.
func (tx *Tx) DeleteRemark(k tocsin.Kind, id int64) error {
	r, _, err := tx.myRemark(k, id)
	if err != nil {
		return err
	}
	if blank := blanked(r); blank != nil {
		if some, err := tx.hasRemarks(k, id); err != nil || some {
			return errors.Join(err, tx.blank(r, blank))
		}
	}
	if err := tx.w.RemoveRemark(tx.ctx, k, id); err != nil {
		return err
	}
	tx.line(tocsin.Line{Kind: k, ID: id, Before: r})
	if err := tx.bury(r, r.Remarked().Label); err != nil {
		return err
	}
	if s, ok := r.(*tocsin.Sighting); ok {
		return tx.takenBack(s)
	}
	return nil
}

// hasRemarks reports whether something was said about a remark.
func (tx *Tx) hasRemarks(k tocsin.Kind, id int64) (bool, error) {
	q := Scoped[RemarkQuery]{all: true, witness: Witness{All: true}, Query: RemarkQuery{About: k, AboutIDs: []int64{id}, Deleted: Any, Limit: 1}}
	for _, about := range []tocsin.Kind{tocsin.KindNote, tocsin.KindOpinion, tocsin.KindRelationship} {
		for _, err := range tx.remarks(about, q) {
			return true, err
		}
	}
	return false, nil
}

// blanked is what stays of an analyst's remark that is deleted, nil for others.
func blanked(r tocsin.Remark) tocsin.Remark {
	h := *r.Remarked()
	h.Deleted = true
	switch r := r.(type) {
	case *tocsin.Note:
		return &tocsin.Note{Head: h, Created: r.Created, Locked: r.Locked}
	case *tocsin.Opinion:
		return &tocsin.Opinion{Head: h, Created: r.Created, Locked: r.Locked}
	case *tocsin.Relationship:
		return &tocsin.Relationship{Head: h, Created: r.Created, Locked: r.Locked}
	}
	return nil
}

// blank writes what stays of a remark.
func (tx *Tx) blank(old, r tocsin.Remark) error {
	r.Remarked().Timestamp = max(old.Remarked().Timestamp, tx.now.Unix())
	return tx.putRemark(old, r)
}

// SeeValue adds a sighting like s of each attribute with that value which the viewer
// may see and has not withdrawn, and returns them.
func (tx *Tx) SeeValue(s tocsin.Sighting, q Query) (seen []*tocsin.Sighting, err error) {
	if err := tx.putEvents(); err != nil {
		return nil, err
	}
	var ids []int64
	for a, err := range tx.w.Attributes(tx.ctx, scope(View{tx.db, tx.v}, q)) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, a.ID)
	}
	for _, id := range ids {
		one := s
		one.About = tocsin.Link{Kind: tocsin.KindAttribute, ID: id}
		if err := AddRemark(tx, &one); err != nil {
			return nil, err
		}
		seen = append(seen, &one)
	}
	return seen, nil
}
