package mispapi

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"tocsin"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
)

// viewObject answers with one object, its attributes and its event.
func viewObject(c *call) error {
	o, err := c.object(c.arg(0))
	if err != nil {
		return err
	}
	e, err := c.view.Event(c.r.Context(), o.Event)
	if err != nil {
		return err
	}
	as := []tocsin.Attribute{}
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Objects: []int64{o.ID}}) {
		if err != nil {
			return err
		}
		as = append(as, a)
	}
	b := c.encoder().AppendObject([]byte(`{"Object":`), o, e, as, misp.InObject)
	return c.send(append(b, '}'))
}

// addObject adds an object to an event. One whose template is not known here says
// itself what it is.
func addObject(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	o, err := misp.DecodeObject(c.r.Body)
	if err != nil {
		return c.undecoded(err, "No valid object data received.")
	}
	if len(o.Attributes) == 0 {
		const none = "Could not save the object as no attributes were set."
		return c.unsaved("add object", "/objects/add/"+c.arg(0)+"/", none, c.arg(0)+"/")
	}
	no := func(why any) error { return c.unsaved("add Object", "/objects/add", why, nil) }
	why, err := c.templated(o)
	if err != nil {
		return err
	}
	if why != "" {
		return no(why)
	}
	d := c.drafter()
	draft, ok := d.object(o, 0)
	if !ok {
		return no(errorsOf(d, &intake.Result{}))
	}
	marksAll(&draft)
	if truthy(c.named["breakOnDuplicate"]) || o.BreakOnDuplicate.Or(false) {
		if twin, err := c.twin(e, o); err != nil {
			return err
		} else if twin != 0 {
			return no("Duplicate object found (id: " + itoa(twin) + "). Since breakOnDuplicate is set the object was not added.")
		}
	}
	d.objects = []intake.ObjectDraft{draft}
	d.newcomers.Event = e.ID
	if err := c.meet(d); err != nil {
		return err
	}
	res, err := c.desk.AddObject(c.r.Context(), c.v, e.ID, d.objects[0])
	if err != nil {
		return err
	}
	errs := errorsOf(d, &res)
	if len(res.Objects) == 0 {
		return no(errs)
	}
	if res.Attributes == nil {
		res.Attributes = []tocsin.Attribute{}
	}
	b := c.encoder().AppendObject([]byte(`{"Object":`), &res.Objects[0], nil, res.Attributes, misp.Split)
	return c.send(withErrors(append(b, '}'), errs))
}

// twin returns the object of an event that has the template and the attributes of o,
// 0 for none.
func (c *call) twin(e *tocsin.Event, o *misp.Object) (int64, error) {
	type part struct{ relation, typ, value string }
	parts := map[int64][]part{}
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Events: []int64{e.ID}}) {
		if err != nil {
			return 0, err
		}
		if a.Object != 0 {
			parts[a.Object] = append(parts[a.Object], part{a.Relation, a.Value.TypeName(), a.Value.String()})
		}
	}
	var want []part
	for i := range o.Attributes {
		a := &o.Attributes[i]
		p := part{a.Relation.Or(""), a.Type.Or(""), a.Value.Or("")}
		if v, err := indicator.Parse(p.typ, p.value); err == nil {
			p.value = v.String()
		}
		want = append(want, p)
	}
	inOrder := func(ps []part) []part {
		return slices.SortedFunc(slices.Values(ps), func(a, b part) int {
			return cmp.Or(strings.Compare(a.relation, b.relation), strings.Compare(a.typ, b.typ), strings.Compare(a.value, b.value))
		})
	}
	want = inOrder(want)
	for there, err := range c.view.Objects(c.r.Context(), store.ObjectQuery{Events: []int64{e.ID}}) {
		if err != nil {
			return 0, err
		}
		if there.TemplateUUID == o.TemplateUUID.Or(tocsin.UUID{}) && slices.Equal(inOrder(parts[there.ID]), want) {
			return there.ID, nil
		}
	}
	return 0, nil
}

// editObject changes what the body names of an object. If it names attributes, they
// are all that the object has afterwards, unless the path asks to add the first only:
// /objects/edit/7/1.
func editObject(c *call) error {
	old, err := c.object(c.arg(0))
	if err != nil {
		return err
	}
	o, err := misp.DecodeObject(c.r.Body)
	if err != nil {
		return c.undecoded(err, "No valid object data received.")
	}
	no := func(why any) error { return c.unsaved("edit Object", "/objects/edit/"+itoa(old.ID), why, nil) }
	d := c.drafter()
	edit, ok := d.objectEdit(o, old.ID, 0)
	if !ok {
		return no(errorsOf(d, &intake.Result{}))
	}
	if len(d.refused) > 0 {
		return no(errorsOf(d, &intake.Result{}))
	}
	edit.Timestamp, edit.Whole = 0, true
	if truthy(c.arg(1)) {
		edit = intake.ObjectEdit{Line: edit.Line, ID: old.ID, Attributes: edit.Attributes[:min(1, len(edit.Attributes))]}
	}
	if edit.Deleted != nil && *edit.Deleted {
		edit.Attributes = nil // they go with it
	}
	res, err := c.desk.EditObject(c.r.Context(), c.v, edit)
	if refused, ok := errors.AsType[*intake.Refusal](err); ok {
		return no(errorsOf(d, &intake.Result{Refused: []intake.Refusal{*refused}}))
	}
	if err != nil {
		return err
	}
	res.Duplicates = nil // the object has them, which is what was asked for
	as := []tocsin.Attribute{}
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Objects: []int64{old.ID}}) {
		if err != nil {
			return err
		}
		as = append(as, a)
	}
	b := c.encoder().AppendObject([]byte(`{"Object":`), &res.Objects[0], nil, as, misp.InObject)
	b = c.encoder().AppendEventBrief(append(b, `,"Event":`...), res.Event)
	return c.send(withErrors(append(b, '}'), errorsOf(d, &res)))
}

// deleteObject withdraws an object with its attributes, or deletes it for good:
// /objects/delete/7/1, or {"hard": 1}. As in MISP the answer names its event.
func deleteObject(c *call) error {
	o, err := c.object(c.arg(0))
	if err != nil {
		return err
	}
	hard, err := c.forGood()
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		if hard {
			return tx.DeleteObject(o.ID)
		}
		_, err := tx.EditObject(o.ID, func(o *tocsin.Object) error {
			o.Deleted, o.Timestamp = true, max(o.Timestamp, tx.Now().Unix())
			return nil
		})
		return err
	})
	if err != nil {
		return err
	}
	return c.done("Object deleted", "/objects/delete/"+itoa(o.Event), o.Event)
}
