package mispapi

import (
	"net/http"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// reference returns the reference that text names, withdrawn or not.
func (c *call) reference(text string) (*tocsin.Reference, error) {
	f := refOf(text)
	q := store.RemarkQuery{IDs: []int64{f.id}, Deleted: store.Any}
	if !f.uuid.IsZero() {
		q.IDs, q.UUIDs = nil, []tocsin.UUID{f.uuid}
	}
	return store.OneRemark(c.view.References(c.r.Context(), q))
}

// viewReference answers with one reference.
func viewReference(c *call) error {
	r, err := c.reference(c.arg(0))
	if err != nil {
		return err
	}
	b := c.encoder().AppendReference([]byte(`{"ObjectReference":`), r)
	return c.send(append(b, '}'))
}

// addReference adds a reference from an object to an object or an attribute of the
// same event. The object may stand in the path.
func addReference(c *call) error {
	in, err := misp.DecodeReference(c.r.Body)
	if err != nil {
		return c.undecoded(err, "Invalid input.")
	}
	from := c.arg(0)
	if u, ok := in.Object.Get(); ok && from == "" {
		from = u.String()
	}
	o, err := c.object(from)
	if err != nil {
		return c.missed(err, answer{http.StatusNotFound, "Invalid object."})
	}
	r := in.Words(o.UUID)
	r.About = tocsin.Link{Kind: tocsin.KindObject, ID: o.ID}
	if r.To.UUID.IsZero() {
		return c.no(http.StatusNotFound, tocsin.NotFound, "Invalid target.")
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.AddRemark(tx, r) })
	switch tocsin.CodeOf(err) {
	case tocsin.Invalid, tocsin.Conflict, tocsin.Gone:
		return c.unsaved("add ObjectReference", "/object_references/add", err.Error(), nil)
	}
	if err != nil {
		return err
	}
	b := c.encoder().AppendReference([]byte(`{"ObjectReference":`), r)
	b = append(b[:len(b)-1], `,"object_uuid":"`...)
	return c.send(append(r.About.UUID.Append(b), `"}}`...))
}

// missed says that what an earlier step needed is not there, in that step's words.
func (c *call) missed(err error, missing answer) error {
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return c.no(missing.status, tocsin.NotFound, missing.sentence)
	}
	return err
}

// deleteReference withdraws a reference, so that peers learn of it, or deletes it for
// good: /objectReferences/delete/7/1.
func deleteReference(c *call) error {
	r, err := c.reference(c.arg(0))
	if err != nil {
		return err
	}
	hard, err := c.forGood()
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		if hard {
			return tx.DeleteRemark(tocsin.KindReference, r.ID)
		}
		_, err := store.EditRemark(tx, r.ID, func(r *tocsin.Reference) error { r.Deleted = true; return nil })
		return err
	})
	if err != nil {
		return err
	}
	return c.done("ObjectReference deleted", "/object_references/delete/"+itoa(r.ID), r.ID)
}
