package store

import (
	"tocsin"
	"tocsin/access"
)

// mayDelegate lets whoever may delegate an event of their organisation wish that another
// one had it, and who may publish in both of them drop the wish.
func (tx *Tx) mayDelegate(before tocsin.Record, d *tocsin.Handover) error {
	takes := access.Publish
	if before == nil {
		takes = access.Delegate
	}
	if !tx.v.May(takes) || d.Org != tx.v.Org() && d.Requester != tx.v.Org() {
		return errMayNot("delegate that event")
	}
	return nil
}

// soundDelegation refuses to delegate what is not one's own to give, and to nobody.
func (tx *Tx) soundDelegation(before tocsin.Record, d *tocsin.Handover) error {
	if before != nil {
		return tocsin.Errorf(tocsin.Invalid, "a delegation is not edited; drop it, and make another one")
	}
	e, err := tx.mine(d.Event)
	switch {
	case err != nil:
		return err
	case e.Org != d.Requester:
		return tocsin.Errorf(tocsin.Forbidden, "event %d is another organisation's", d.Event)
	case d.Org == d.Requester:
		return tocsin.Errorf(tocsin.Invalid, "event %d is that organisation's already", d.Event)
	}
	if o, ok := tx.docs.get(tocsin.KindOrganisation, d.Org).(*tocsin.Organisation); !ok || !o.Local {
		return tocsin.Errorf(tocsin.Invalid, "no organisation %d has users here who could accept", d.Org)
	}
	if d.Distribution == nil {
		return nil
	}
	if *d.Distribution > access.Group {
		return tocsin.Errorf(tocsin.Invalid, "an event's distribution is 0 to 4, not %d", *d.Distribution)
	}
	return tx.mayShareWith(*d.Distribution, &d.Group)
}

// AcceptDelegation makes an event that was delegated to the viewer's organisation that
// organisation's, with all that is in it. It is unpublished, for its new owner to look
// at. The former owner has asked for it, so the viewer need not see the event before.
func (tx *Tx) AcceptDelegation(id int64) (*tocsin.Event, error) {
	d, err := Get[*tocsin.Handover](tx, id)
	if err != nil {
		return nil, err
	}
	if !tx.v.May(access.Add|access.Publish) || d.Org != tx.v.Org() {
		return nil, errMayNot("accept that delegation")
	}
	old, err := tx.event(d.Event)
	if err != nil {
		return nil, err
	}
	if old == nil || old.Org != d.Requester {
		return nil, tocsin.Errorf(tocsin.NotFound, "the event of delegation %d is not there any more", id)
	}
	e, err := tx.handOver(old, d)
	if err != nil {
		return nil, err
	}
	return e, Remove[*tocsin.Handover](tx, id)
}

// handOver makes an event d.Org's.
func (tx *Tx) handOver(old *tocsin.Event, d *tocsin.Handover) (*tocsin.Event, error) {
	e := *old
	e.Org, e.Orgc, e.User, e.Published, e.Timestamp = d.Org, d.Org, tx.v.User(), false, max(old.Timestamp, tx.now.Unix())
	if d.Distribution != nil {
		e.Distribution, e.Group = *d.Distribution, d.Group
	}
	if err := tx.settleEvent(&e, &e); err != nil {
		return nil, err
	}
	e.Seq = tx.next()
	before, after := *old, e
	l := tocsin.Line{Seq: e.Seq, Kind: tocsin.KindEvent, ID: e.ID, Before: &before, After: &after}
	l.Scope = tx.db.scope(l)
	tx.line(l)
	tx.touch(&e)
	if err := tx.putEvents(); err != nil {
		return nil, err
	}
	if err := tx.handOverParts(&e); err != nil {
		return nil, err
	}
	return tx.Event(e.ID)
}

// handOverParts settles anew what is in an event, and takes references and reports
// along, which are its owner's.
func (tx *Tx) handOverParts(e *tocsin.Event) error {
	var objects []tocsin.Object
	for o, err := range tx.w.Objects(tx.ctx, Scoped[ObjectQuery]{all: true, Query: ObjectQuery{Events: []int64{e.ID}, Deleted: Any}}) {
		if err != nil {
			return err
		}
		objects = append(objects, o)
	}
	for i := range objects {
		o := objects[i]
		if err := tx.settleObject(&o, &objects[i], e); err != nil {
			return err
		}
		if err := tx.putObject(&objects[i], &o); err != nil {
			return err
		}
	}
	var as []tocsin.Attribute
	for a, err := range tx.w.Attributes(tx.ctx, Scoped[Query]{all: true, Query: Query{Events: []int64{e.ID}, Deleted: Any}}) {
		if err != nil {
			return err
		}
		as = append(as, a)
	}
	settle := tx.settler(tx.db.coder.Labels.Label(e.Label))
	for i := range as {
		a := as[i]
		if err := settle(&a, &as[i]); err != nil {
			return err
		}
		if a.Label == as[i].Label {
			continue
		}
		if err := tx.put(&as[i], &a); err != nil {
			return err
		}
	}
	for _, k := range []tocsin.Kind{tocsin.KindReference, tocsin.KindReport} {
		if err := tx.handOverRemarks(k, e); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) handOverRemarks(k tocsin.Kind, e *tocsin.Event) error {
	var all []tocsin.Remark
	for r, err := range tx.remarks(k, Scoped[RemarkQuery]{all: true, Query: RemarkQuery{Events: []int64{e.ID}, Deleted: Any}}) {
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	for _, old := range all {
		r, err := clone(old)
		if err != nil {
			return err
		}
		is := r.(tocsin.Remark)
		is.Remarked().Org, is.Remarked().Orgc = e.Org, e.Orgc
		if err := tx.settleRemark(is, old); err != nil {
			return err
		}
		if err := tx.putRemark(old, is); err != nil {
			return err
		}
	}
	return nil
}

// undelegated drops the wish to hand an event over that is deleted.
func (tx *Tx) undelegated(event int64) error {
	var gone []*tocsin.Handover
	for r := range tx.docs.all(tocsin.KindDelegation) {
		if d := r.(*tocsin.Handover); d.Event == event {
			gone = append(gone, d)
		}
	}
	for _, d := range gone {
		if err := tx.w.RemoveDoc(tx.ctx, d.Kind(), d.ID); err != nil {
			return err
		}
		tx.docs.set(docID{d.Kind(), d.ID}, nil)
		tx.line(tocsin.Line{Kind: d.Kind(), ID: d.ID, Before: d})
	}
	return nil
}
