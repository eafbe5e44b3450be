package intake

import (
	"context"
	"slices"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// An ObjectEdit changes what it names of an object; nil leaves a field as it is.
type ObjectEdit struct {
	Line            int
	ID              int64
	Name            *string
	MetaCategory    *string
	Description     *string
	TemplateUUID    *tocsin.UUID
	TemplateVersion *int
	Comment         *string
	Distribution    *access.Distribution
	Group           *int64
	FirstSeen       *time.Time
	LastSeen        *time.Time
	Deleted         *bool
	Timestamp       int64 // of the edit at its origin, if it says so: of an older one the object's own fields are passed over
	// Attributes are edited if the object has them, by uuid or as the same claim, and
	// added else.
	Attributes []AttributeEdit
	Whole      bool // those of the object that Attributes does not name are withdrawn
}

// apply changes o, or says what it can't be.
func (ed *ObjectEdit) apply(r reader, o *tocsin.Object) *Refusal {
	was := *o
	set(&o.Name, ed.Name)
	set(&o.MetaCategory, ed.MetaCategory)
	set(&o.Description, ed.Description)
	set(&o.TemplateUUID, ed.TemplateUUID)
	set(&o.TemplateVersion, ed.TemplateVersion)
	set(&o.Comment, ed.Comment)
	set(&o.Distribution, ed.Distribution)
	set(&o.Group, ed.Group)
	set(&o.FirstSeen, ed.FirstSeen)
	set(&o.LastSeen, ed.LastSeen)
	set(&o.Deleted, ed.Deleted)
	if o.Distribution != access.Group {
		o.Group = 0
	}
	if o.Distribution != was.Distribution || o.Group != was.Group {
		if why := r.badDistribution(o.Distribution, o.Group, access.Inherit); why != "" {
			return refuse(ed.Line, "distribution", "", why)
		}
	}
	if o.Name == "" {
		return refuse(ed.Line, "name", "", "an object needs a name")
	}
	for _, text := range []string{o.Name, o.MetaCategory, o.Description, o.Comment} {
		if why := badText(text); why != "" {
			return refuse(ed.Line, "Object", text, why)
		}
	}
	if why := badPeriod(o.FirstSeen, o.LastSeen); why != "" {
		return refuse(ed.Line, "last_seen", "", why)
	}
	return nil
}

// EditObject changes what the edit names of an object and of its attributes, in one
// transaction. If one of them can't be taken nothing is: others were to stand in place
// of what the object has.
func (d *Desk) EditObject(ctx context.Context, v access.Viewer, edit ObjectEdit) (Result, error) {
	r := d.reader(v)
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		_, e, err := tx.Object(edit.ID)
		if err != nil {
			return err
		}
		if err := w.mine(e.ID); err != nil {
			return err
		}
		if err := w.editObject(r, e.ID, &edit); err != nil {
			return err
		}
		if len(res.Refused) > 0 {
			return &res.Refused[0]
		}
		return w.done(e.ID)
	})
	if err != nil {
		return Result{}, err
	}
	res.Seq = seq
	return res, nil
}

// editObjects changes objects that an event has. One that can't be is refused by itself.
func (w *writing) editObjects(r reader, event int64, eds []ObjectEdit) error {
	for i := range eds {
		err := w.editObject(r, event, &eds[i])
		if no, ok := err.(*Refusal); ok {
			w.res.Refused = append(w.res.Refused, *no)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// editObject changes one object. An edit that changes nothing writes nothing.
func (w *writing) editObject(r reader, event int64, ed *ObjectEdit) error {
	o, e, err := w.tx.Object(ed.ID)
	switch {
	case err != nil:
		return err
	case e.ID != event:
		return tocsin.Errorf(tocsin.NotFound, "no object %d in event %d", ed.ID, event)
	}
	want := *o
	if ed.Timestamp == 0 || ed.Timestamp >= o.Timestamp {
		if no := ed.apply(r, &want); no != nil {
			return no
		}
	}
	if want != *o {
		o, err = w.tx.EditObject(o.ID, func(o *tocsin.Object) error {
			want.Timestamp = w.time(o.Timestamp, ed.Timestamp)
			*o = want
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := w.parts(r, o, ed); err != nil {
		return err
	}
	w.res.Objects = append(w.res.Objects, *o)
	return nil
}

// parts edits and adds attributes of an object, and withdraws the others if the edit
// names all that are to be there.
func (w *writing) parts(r reader, o *tocsin.Object, ed *ObjectEdit) error {
	if len(ed.Attributes) == 0 {
		return nil
	}
	has, err := w.tx.AttributesOf(o.ID)
	if err != nil {
		return err
	}
	named := map[int64]bool{}
	var known []AttributeEdit
	var fresh []Draft
	for _, part := range ed.Attributes {
		if i := part.among(has, named); i >= 0 {
			named[has[i].ID] = true
			part.ID = has[i].ID
			known = append(known, part)
		} else {
			fresh = append(fresh, part.draft())
		}
	}
	for i := range has {
		if a := &has[i]; ed.Whole && !named[a.ID] && !a.Deleted {
			if _, err := w.tx.Withdraw(a.ID); err != nil {
				return err
			}
		}
	}
	if err := w.edits(r, o.Event, known); err != nil {
		return err
	}
	return w.attributes(o.Event, o.ID, r.read(fresh))
}

// among returns which of an object's attributes an edit is about, -1 for none: the one
// with its uuid; without a uuid the one that claims the same and was not named before.
func (ed *AttributeEdit) among(as []tocsin.Attribute, named map[int64]bool) int {
	if !ed.UUID.IsZero() {
		return slices.IndexFunc(as, func(a tocsin.Attribute) bool { return a.UUID == ed.UUID })
	}
	v, no := value(ed.Line, or(ed.Type), or(ed.Text))
	if no != nil {
		return -1
	}
	return slices.IndexFunc(as, func(a tocsin.Attribute) bool {
		return a.Value == v && a.Relation == or(ed.Relation) && !a.Deleted && !named[a.ID] &&
			(ed.Category == nil || a.Category.String() == *ed.Category)
	})
}
