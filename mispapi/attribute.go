package mispapi

import (
	"cmp"
	"errors"
	"io"
	"net/http"

	"tocsin"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
)

// attributes answers /attributes and /attributes/{id}, where the method says what
// is meant.
func attributes(c *call) error {
	alone := len(c.args) == 0
	switch {
	case len(c.args) > 1 || !alone && refOf(c.arg(0)) == ref{} || alone && !c.writes():
		return c.no(http.StatusNotFound, tocsin.NotFound, "Not Found")
	case alone:
		return c.as("/attributes/add")
	case c.r.Method == http.MethodDelete:
		return c.as("/attributes/delete")
	case c.writes():
		return c.as("/attributes/edit")
	}
	return c.as("/attributes/view")
}

// viewAttribute answers with one attribute that is not withdrawn.
func viewAttribute(c *call) error {
	a, err := c.attribute(c.arg(0))
	if err != nil {
		return err
	}
	if a.Deleted {
		return tocsin.Errorf(tocsin.NotFound, "attribute %d is withdrawn", a.ID)
	}
	e, err := c.view.Event(c.r.Context(), a.Event)
	if err != nil {
		return err
	}
	m := misp.More{EventUUID: e.UUID}
	if m.Data, err = c.heldBy(a); err != nil {
		return err
	}
	b := c.encoder().AppendAttribute([]byte(`{"Attribute":`), a, misp.Bare, m)
	return c.send(append(b, '}'))
}

// addAttributes adds one attribute to an event, or a list of them.
func addAttributes(c *call) error {
	if c.arg(0) == "" {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "No event ID set.")
	}
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	return c.addDraftsOf(e, c.r.Body)
}

// addDraftsOf adds the attributes that a text holds to an event.
func (c *call) addDraftsOf(e *tocsin.Event, text io.Reader) error {
	d := c.drafter()
	if err := misp.DecodeAttributes(text, d.each); err != nil {
		return c.undecoded(err, "No valid attribute data received.")
	}
	d.newcomers.Event = e.ID
	if err := c.meet(d); err != nil {
		return err
	}
	add := c.desk.AddAttributes
	if refuses, said := c.named["breakOnDuplicate"]; said && !truthy(refuses) {
		add = c.desk.AddOrRenew
	}
	res, err := add(c.r.Context(), c.v, e.ID, d.attributes)
	if err != nil {
		return err
	}
	errs := errorsOf(d, &res)
	if len(res.Attributes) == 0 {
		return c.noneAdded(d.n, errs)
	}
	return c.answerAttributes(&res, errs)
}

// noneAdded says why nothing was added: of a single attribute, its fields.
func (c *call) noneAdded(n int, errs map[string]any) error {
	if one, ok := errs["attribute_0"]; ok && n == 1 {
		return c.unsaved("add Attribute", "/attributes/add", one, nil)
	}
	return c.unsaved("add Attribute", "/attributes/add", errs, nil)
}

// answerAttributes answers with what was added: MISP's shape depends on how many.
func (c *call) answerAttributes(res *intake.Result, errs map[string]any) error {
	enc, out := c.encoder(), c.stream(mediaJSON)
	out.b = append(out.b, `{"Attribute":`...)
	if len(res.Attributes) == 1 {
		a := &res.Attributes[0]
		out.b = enc.AppendAttribute(out.b, a, misp.Split, misp.More{})
		out.b = append(c.appendJoined(append(out.b, `,"AttributeTag":`...), a), '}')
		out.b = withErrors(out.b, errs)
		return out.end()
	}
	out.b = append(out.b, '[')
	for i := range res.Attributes {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = enc.AppendAttribute(out.b, &res.Attributes[i], misp.Several, misp.More{})
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = withErrors(append(out.b, `]}`...), errs)
	return out.end()
}

// appendJoined appends the rows that join an attribute's tags to it.
func (c *call) appendJoined(b []byte, a *tocsin.Attribute) []byte {
	type row struct {
		ID        int64 `json:"id"`
		Attribute int64 `json:"attribute_id"`
		Event     int64 `json:"event_id"`
		Tag       int64 `json:"tag_id"`
		Local     bool  `json:"local"`
	}
	rows := []row{}
	for t := range a.Tags.All() {
		rows = append(rows, row{t.Tag, a.ID, a.Event, t.Tag, t.Local})
	}
	return appendJSON(b, rows)
}

// editAttribute changes of an attribute what the body names.
func editAttribute(c *call) error {
	old, err := c.attribute(c.arg(0))
	if err != nil {
		return err
	}
	d := c.drafter()
	err = misp.DecodeAttributes(c.r.Body, func(a *misp.Attribute) error {
		if err := d.more(); err != nil {
			return err
		}
		a.UUID = misp.Said(old.UUID)
		if ed, ok := d.edit(a, d.n); ok {
			d.edits = append(d.edits, ed)
		}
		return nil
	})
	if err != nil {
		return c.undecoded(err, "No valid attribute data received.")
	}
	switch {
	case d.n > 1:
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "One attribute can be edited at a time.")
	case len(d.edits) == 0:
		return c.notEditedAttribute(&d.refused[0], old.Value.TypeName())
	}
	d.newcomers.Event = old.Event
	if err := c.meet(d); err != nil {
		return err
	}
	res, err := c.desk.EditAttribute(c.r.Context(), c.v, d.edits[0])
	if err != nil {
		return c.notEditedAttribute(err, cmp.Or(d.types[1], old.Value.TypeName()))
	}
	b := c.encoder().AppendAttribute([]byte(`{"Attribute":`), &res.Attributes[0], misp.Bare, misp.More{})
	return c.send(append(b, '}'))
}

// notEditedAttribute says why an attribute is as it was. typ is what its value was
// to be of.
func (c *call) notEditedAttribute(err error, typ string) error {
	const what, url = "edit Attribute", "/attributes/edit"
	if errors.Is(err, intake.ErrOlder) {
		return c.unsaved(what, url, "Attribute could not be saved: Attribute in the request not newer than the local copy.", nil)
	}
	if no, ok := errors.AsType[*intake.Refusal](err); ok {
		field, sentence := sentenceOf(no, typ)
		return c.unsaved(what, url, map[string][]string{field: {sentence}}, nil)
	}
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict:
		return c.unsaved(what, url, map[string][]string{"value": {similarExists}}, nil)
	case tocsin.Invalid:
		return c.unsaved(what, url, err.Error(), nil)
	}
	return err
}

// deleteAttribute withdraws an attribute, so that peers learn of it, or deletes
// it for good: /attributes/delete/7/1, or {"hard": 1}.
func deleteAttribute(c *call) error {
	a, err := c.attribute(c.arg(0))
	if err != nil {
		return err
	}
	hard, err := c.forGood()
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		if hard {
			return tx.DeleteAttribute(a.ID)
		}
		_, err := tx.Withdraw(a.ID)
		return err
	})
	if err != nil {
		return err
	}
	return c.reply(struct {
		Message string `json:"message"`
	}{"Attribute deleted."})
}

// restoreAttribute takes a withdrawal back. As MISP it sends its client on to the
// attribute, and PyMISP 2.5 goes there.
func restoreAttribute(c *call) error {
	a, err := c.attribute(c.arg(0))
	if err != nil {
		return err
	}
	if _, err := c.desk.EditAttribute(c.r.Context(), c.v, intake.AttributeEdit{ID: a.ID, Deleted: new(false)}); err != nil {
		return c.notEditedAttribute(err, a.Value.TypeName())
	}
	c.w.Header().Set("Location", c.origin()+"/attributes/view/"+itoa(a.ID))
	c.w.Header().Set("Content-Type", mediaJSON)
	c.w.WriteHeader(http.StatusFound)
	return nil
}
