package mispapi

import (
	"strconv"

	"tocsin"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
)

// edit makes an edit of an attribute, or refuses it. It is named by its uuid: an
// id in a body may be another instance's.
func (d *drafter) edit(a *misp.Attribute, line int) (intake.AttributeEdit, bool) {
	typ := a.Type.Or("")
	no := func(field, text, why string) (intake.AttributeEdit, bool) {
		d.refuse(line, typ, field, text, why)
		return intake.AttributeEdit{}, false
	}
	switch {
	case len(a.Problems) > 0:
		p := a.Problems[0]
		return no(p.Field, p.Found, "it should be "+p.Want)
	case a.Data.Or("") != "":
		return no("data", "", "attachments are not kept here yet; send the attribute without its data")
	case !a.UUID.Present() && typ == "":
		return no("type", "", "there is no such type")
	}
	out := intake.AttributeEdit{
		Line: line, UUID: a.UUID.Or(tocsin.UUID{}), Type: said(a.Type), Text: said(a.Value), Category: said(a.Category),
		Comment: said(a.Comment), Relation: said(a.Relation), ToIDS: said(a.ToIDS), Deleted: said(a.Deleted), NoCorrelate: said(a.NoCorrelate),
		Timestamp: a.Timestamp.Or(0), FirstSeen: said(a.FirstSeen), LastSeen: said(a.LastSeen),
	}
	var ok bool
	if out.Distribution, ok = distribution(a.Distribution); !ok {
		return no("distribution", strconv.FormatInt(a.Distribution.Or(0), 10), "it is 0 to 5")
	}
	if a.Group.Present() || a.SharingGroup != nil {
		out.Group = new(groupMeant(d.view, a.Group, a.SharingGroup))
	}
	if out.Tags, ok = d.tags(a.Tags); !ok {
		return no("Tag", "", "a tag needs a name")
	}
	d.typed(line, typ)
	return out, true
}

// known is what an edit says of objects that the event has already.
type known struct {
	attributes []intake.AttributeEdit
	objects    []objectEdit
}

type objectEdit struct {
	id   int64
	said *misp.Object
}

// sortObjects tells objects that the event has from those that are new. Whoever
// sends a whole event back sends those that they did not touch, too.
func (c *call) sortObjects(d *drafter, e *misp.Event, old *tocsin.Event) (k known, err error) {
	here := map[tocsin.UUID]int64{}
	if len(e.Objects) > 0 {
		for o, err := range c.view.Objects(c.r.Context(), store.ObjectQuery{Events: []int64{old.ID}, Deleted: store.Any}) {
			if err != nil {
				return k, err
			}
			here[o.UUID] = o.ID
		}
	}
	for i := range e.Objects {
		o := &e.Objects[i]
		id, ok := here[o.UUID.Or(tocsin.UUID{})]
		if !ok {
			if draft, ok := d.object(o, i); ok {
				d.objects = append(d.objects, draft)
			}
			continue
		}
		if len(o.Problems) > 0 {
			p := o.Problems[0]
			d.refuse(objectLine(i, 0), "", p.Field, p.Found, "it should be "+p.Want)
			continue
		}
		if err := c.partsOfKnown(d, &k, o, id, i); err != nil {
			return k, err
		}
	}
	return k, nil
}

// partsOfKnown takes the edits of an object that the event has. An attribute that
// is new to it is refused: it would stand outside the object.
func (c *call) partsOfKnown(d *drafter, k *known, o *misp.Object, id int64, i int) error {
	parts := map[tocsin.UUID]bool{}
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Objects: []int64{id}, Deleted: store.Any}) {
		if err != nil {
			return err
		}
		parts[a.UUID] = true
	}
	for j := range o.Attributes {
		a, line := &o.Attributes[j], objectLine(i, j+1)
		if !parts[a.UUID.Or(tocsin.UUID{})] {
			d.refuse(line, a.Type.Or(""), "object_id", "", "attributes can't be added to an object that is there; delete it and add another")
		} else if ed, ok := d.edit(a, line); ok {
			k.attributes = append(k.attributes, ed)
		}
	}
	k.objects = append(k.objects, objectEdit{id, o})
	return nil
}

// editObjects changes objects that the event has, before the event itself: what
// they say of themselves, and whether they are withdrawn. An older edit says
// nothing, and one that changes nothing writes nothing.
func (c *call) editObjects(old *tocsin.Event, edit *intake.EventEdit, eds []objectEdit) error {
	var changed []objectEdit
	for _, ed := range eds {
		o, err := c.object(itoa(ed.id))
		if err != nil {
			return err
		}
		was := *o
		if err := ed.apply(c.view, o); err != nil {
			return err
		}
		if *o != was {
			changed = append(changed, ed)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	_, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		e, err := tx.Event(old.ID)
		if err != nil {
			return err
		}
		if edit.Timestamp != 0 && edit.Timestamp <= e.Timestamp {
			return intake.ErrOlder
		}
		for _, ed := range changed {
			_, err := tx.EditObject(ed.id, func(o *tocsin.Object) error {
				o.Timestamp = max(o.Timestamp, tx.Now().Unix())
				return ed.apply(c.view, o)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	edit.Timestamp = 0 // it was asked for here, and the event is newer than it now
	return err
}

// apply changes an object to what an edit says of it.
func (ed objectEdit) apply(view store.View, o *tocsin.Object) error {
	s := ed.said
	if at, ok := s.Timestamp.Get(); ok && at < o.Timestamp {
		return nil
	}
	o.Comment = s.Comment.Or(o.Comment)
	o.Deleted = s.Deleted.Or(o.Deleted)
	o.FirstSeen, o.LastSeen = s.FirstSeen.Or(o.FirstSeen), s.LastSeen.Or(o.LastSeen)
	switch d, ok := distribution(s.Distribution); {
	case !ok:
		return tocsin.Errorf(tocsin.Invalid, "an object's distribution is 0 to 5, not %d", s.Distribution.Or(0))
	case d != nil:
		o.Distribution = *d
	}
	if s.Group.Present() || s.SharingGroup != nil {
		o.Group = groupMeant(view, s.Group, s.SharingGroup)
	}
	return nil
}
