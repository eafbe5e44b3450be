package store

import (
	"fmt"

	"tocsin"
	"tocsin/access"
)

// AddObject adds an object with its attributes to an event.
func (tx *Tx) AddObject(event int64, o *tocsin.Object, as []tocsin.Attribute) (Addition, error) {
	e, err := tx.mine(event)
	if err != nil {
		return Addition{}, err
	}
	if o.Name == "" {
		return Addition{}, tocsin.Errorf(tocsin.Invalid, "an object needs a name")
	}
	if o.UUID.IsZero() {
		o.UUID = tocsin.NewUUID(tx.now)
	} else if err := tx.free(o.UUID); err != nil {
		return Addition{}, err
	}
	if old, err := tx.holder(o.UUID); err != nil {
		return Addition{}, err
	} else if old != nil {
		return Addition{}, tocsin.Errorf(tocsin.Conflict, "the uuid %s is taken", o.UUID)
	}
	if o.ID, err = tx.newID(tocsin.KindObject, 1); err != nil {
		return Addition{}, err
	}
	o.Event = event
	if o.Timestamp == 0 {
		o.Timestamp = tx.now.Unix()
	}
	if err := tx.settleObject(o, nil, e); err != nil {
		return Addition{}, err
	}
	if err := tx.edited(e, false); err != nil {
		return Addition{}, err
	}
	if err := tx.putObject(nil, o); err != nil {
		return Addition{}, err
	}
	for i := range as {
		as[i].Object = o.ID
	}
	return tx.AddAttributes(event, as, false)
}

// holder returns the object with a uuid, once an event that was deleted for good has
// given it up.
func (tx *Tx) holder(u tocsin.UUID) (*tocsin.Object, error) {
	old, err := tx.w.ObjectByUUID(tx.ctx, u)
	if err != nil || old == nil {
		return nil, err
	}
	if err := tx.w.ReleaseUUIDs(tx.ctx, []tocsin.UUID{u}); err != nil {
		return nil, err
	}
	return tx.w.ObjectByUUID(tx.ctx, u)
}

// settleObject sets the label by which an object restricts its attributes. Its
// event's label is a reader's second question.
func (tx *Tx) settleObject(o, old *tocsin.Object, e *tocsin.Event) error {
	if !o.Distribution.Valid() {
		return tocsin.Errorf(tocsin.Invalid, "an object's distribution is 0 to 5, not %d", o.Distribution)
	}
	if old == nil || o.Distribution != old.Distribution || o.Group != old.Group {
		if err := tx.mayShareWith(o.Distribution, &o.Group); err != nil {
			return err
		}
	}
	owner := tx.db.coder.Labels.Label(e.Label).Owner
	o.Label = tx.label(access.NewLabel(owner, o.Distribution, o.Group, 0, 0))
	return nil
}

func (tx *Tx) putObject(old, o *tocsin.Object) error {
	o.Seq = tx.next()
	if err := tx.w.PutObject(tx.ctx, o); err != nil {
		return err
	}
	after := *o
	l := tocsin.Line{Kind: tocsin.KindObject, ID: o.ID, After: &after}
	if old != nil {
		before := *old
		l.Before = &before
	}
	tx.line(l)
	return nil
}

// Object returns the object with that id as the viewer sees it.
func (tx *Tx) Object(id int64) (*tocsin.Object, *tocsin.Event, error) {
	o, err := tx.w.Object(tx.ctx, id)
	if err != nil {
		return nil, nil, err
	}
	return tx.seenObject(o, fmt.Sprint(id))
}

// ObjectByUUID is [Tx.Object] by uuid.
func (tx *Tx) ObjectByUUID(u tocsin.UUID) (*tocsin.Object, *tocsin.Event, error) {
	o, err := tx.w.ObjectByUUID(tx.ctx, u)
	if err != nil {
		return nil, nil, err
	}
	return tx.seenObject(o, u.String())
}

func (tx *Tx) seenObject(o *tocsin.Object, what string) (*tocsin.Object, *tocsin.Event, error) {
	if o != nil && tx.sees(o.Label) {
		if e, err := tx.Event(o.Event); err == nil {
			return o, e, nil
		}
	}
	return nil, nil, tocsin.Errorf(tocsin.NotFound, "no object %s", what)
}

// AttributesOf returns the attributes of an object that the viewer may see, withdrawn
// ones among them.
func (tx *Tx) AttributesOf(object int64) (as []tocsin.Attribute, err error) {
	if err := tx.putEvents(); err != nil {
		return nil, err
	}
	for a, err := range tx.w.Attributes(tx.ctx, scope(View{tx.db, tx.v}, Query{Objects: []int64{object}, Deleted: Any})) {
		if err != nil {
			return nil, err
		}
		as = append(as, a)
	}
	return as, nil
}

// EditObject lets change alter a copy of the object. Where that changes who may
// have it, its attributes are settled anew, each with its own line.
func (tx *Tx) EditObject(id int64, change func(*tocsin.Object) error) (*tocsin.Object, error) {
	old, e, err := tx.Object(id)
	if err != nil {
		return nil, err
	}
	if _, err := tx.mine(e.ID); err != nil {
		return nil, err
	}
	o := *old
	if err := change(&o); err != nil {
		return nil, err
	}
	o.ID, o.UUID, o.Event = old.ID, old.UUID, old.Event
	if err := tx.settleObject(&o, old, e); err != nil {
		return nil, err
	}
	if err := tx.edited(e, false); err != nil {
		return nil, err
	}
	if err := tx.putObject(old, &o); err != nil {
		return nil, err
	}
	if o.Label == old.Label && o.Deleted == old.Deleted {
		return &o, nil
	}
	return &o, tx.eachOf(&o, func(a *tocsin.Attribute) error {
		b := *a
		b.Deleted = b.Deleted || o.Deleted // a withdrawn object takes its attributes with it
		if err := tx.settler(tx.db.coder.Labels.Label(e.Label))(&b, a); err != nil {
			return err
		}
		if b.Label == a.Label && b.Deleted == a.Deleted {
			return nil
		}
		return tx.put(a, &b)
	})
}

// DeleteObject deletes an object and its attributes for good.
func (tx *Tx) DeleteObject(id int64) error {
	old, e, err := tx.Object(id)
	if err != nil {
		return err
	}
	if _, err := tx.mine(e.ID); err != nil {
		return err
	}
	if err := tx.eachOf(old, func(a *tocsin.Attribute) error { return tx.DeleteAttribute(a.ID) }); err != nil {
		return err
	}
	if err := tx.w.RemoveObject(tx.ctx, id); err != nil {
		return err
	}
	before := *old
	tx.line(tocsin.Line{Kind: tocsin.KindObject, ID: id, Before: &before})
	return tx.bury(old, old.Label)
}

// eachOf calls fn for each attribute of an object that the viewer owns.
func (tx *Tx) eachOf(o *tocsin.Object, fn func(*tocsin.Attribute) error) error {
	var as []tocsin.Attribute
	// All of them: who owns the object owns its attributes, hidden or not.
	q := Scoped[Query]{all: true, Query: Query{Objects: []int64{o.ID}, Deleted: Any}}
	for a, err := range tx.w.Attributes(tx.ctx, q) {
		if err != nil {
			return err
		}
		as = append(as, a)
	}
	for i := range as {
		if err := fn(&as[i]); err != nil {
			return err
		}
	}
	return nil
}
