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
	case !a.UUID.Present() && typ == "":
		return no("type", "", "there is no such type")
	}
	content, value, err := d.content(a)
	if err != nil {
		return no("data", "", d.because(err))
	}
	out := intake.AttributeEdit{
		Line: line, UUID: a.UUID.Or(tocsin.UUID{}), Type: said(a.Type), Text: said(value), Attachment: content, Category: said(a.Category),
		Comment: said(a.Comment), Relation: said(a.Relation), ToIDS: said(a.ToIDS), Deleted: said(a.Deleted), NoCorrelate: said(a.NoCorrelate),
		Timestamp: a.Timestamp.Or(0), FirstSeen: said(a.FirstSeen), LastSeen: said(a.LastSeen),
	}
	var ok bool
	if out.Distribution, ok = distribution(a.Distribution); !ok {
		return no("distribution", strconv.FormatInt(a.Distribution.Or(0), 10), "it is 0 to 5")
	}
	if a.Group.Present() || a.SharingGroup != nil {
		out.Group = new(d.group(a.Group, a.SharingGroup))
	}
	if out.Tags, ok = d.tags(a.Tags); !ok {
		return no("Tag", "", "a tag needs a name")
	}
	d.besideAttribute(a, line)
	out.UUID = a.UUID.Or(tocsin.UUID{})
	d.typed(line, typ)
	return out, true
}

// sortObjects tells objects that the event has from those that are new. Whoever
// sends a whole event back sends those that they did not touch, too.
func (c *call) sortObjects(d *drafter, e *misp.Event, old *tocsin.Event) error {
	here := map[tocsin.UUID]int64{}
	if len(e.Objects) > 0 {
		for o, err := range c.view.Objects(c.r.Context(), store.ObjectQuery{Events: []int64{old.ID}, Deleted: store.Any}) {
			if err != nil {
				return err
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
		} else if ed, ok := d.objectEdit(o, id, i); ok {
			d.known = append(d.known, ed)
		}
	}
	return nil
}

// objectEdit makes an edit of an object, or refuses it. Attributes that can't be
// drafted are refused by themselves.
func (d *drafter) objectEdit(o *misp.Object, id int64, i int) (intake.ObjectEdit, bool) {
	line := objectLine(i, 0)
	no := func(field, text, why string) (intake.ObjectEdit, bool) {
		d.refuse(line, "", field, text, why)
		return intake.ObjectEdit{}, false
	}
	if len(o.Problems) > 0 {
		p := o.Problems[0]
		return no(p.Field, p.Found, "it should be "+p.Want)
	}
	d.besideObject(o, line)
	out := intake.ObjectEdit{Line: line, ID: id, Name: said(o.Name), MetaCategory: said(o.MetaCategory), Description: said(o.Description),
		TemplateUUID: said(o.TemplateUUID), TemplateVersion: whole(o.TemplateVersion), Comment: said(o.Comment),
		FirstSeen: said(o.FirstSeen), LastSeen: said(o.LastSeen), Deleted: said(o.Deleted), Timestamp: o.Timestamp.Or(0)}
	var ok bool
	if out.Distribution, ok = distribution(o.Distribution); !ok {
		return no("distribution", strconv.FormatInt(o.Distribution.Or(0), 10), "it is 0 to 5")
	}
	if o.Group.Present() || o.SharingGroup != nil {
		out.Group = new(d.group(o.Group, o.SharingGroup))
	}
	for j := range o.Attributes {
		if ed, ok := d.edit(&o.Attributes[j], objectLine(i, j+1)); ok {
			out.Attributes = append(out.Attributes, ed)
		}
	}
	return out, true
}
