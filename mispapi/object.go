package mispapi

import (
	"strconv"

	"tocsin"
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

// addObject adds an object to an event. Unlike MISP it needs no template: an
// object that names itself is taken.
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
	d := &drafter{view: c.view}
	draft, ok := d.object(o, 0)
	if !ok {
		return c.unsaved("add Object", "/objects/add", errorsOf(d, &intake.Result{}), nil)
	}
	d.objects = []intake.ObjectDraft{draft}
	if err := c.meet(d); err != nil {
		return err
	}
	res, err := c.desk.AddObject(c.r.Context(), c.v, e.ID, d.objects[0])
	if err != nil {
		return err
	}
	errs := errorsOf(d, &res)
	if len(res.Objects) == 0 {
		return c.unsaved("add Object", "/objects/add", errs, nil)
	}
	if res.Attributes == nil {
		res.Attributes = []tocsin.Attribute{}
	}
	b := c.encoder().AppendObject([]byte(`{"Object":`), &res.Objects[0], nil, res.Attributes, misp.Split)
	return c.send(withErrors(append(b, '}'), errs))
}

// deleteObject withdraws an object with its attributes, or deletes it for good:
// /objects/delete/7/1, or {"hard": 1}. As in MISP the answer names its event.
func deleteObject(c *call) error {
	o, err := c.object(c.arg(0))
	if err != nil {
		return err
	}
	said, err := c.filters()
	if err != nil {
		return err
	}
	hard, _ := strconv.ParseBool(c.arg(1))
	hard = hard || truthy(said["hard"])
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
