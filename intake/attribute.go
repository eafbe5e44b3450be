package intake

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// AddAttributes adds drafts to an event, in one transaction.
func (d *Desk) AddAttributes(ctx context.Context, v access.Viewer, event int64, drafts []Draft) (Result, error) {
	return d.addAttributes(ctx, v, event, drafts, false)
}

// AddOrRenew adds drafts to an event, in one transaction. What the event claims already
// becomes what its draft says, as of now.
func (d *Desk) AddOrRenew(ctx context.Context, v access.Viewer, event int64, drafts []Draft) (Result, error) {
	r := d.reader(v)
	reading := r.read(drafts)
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		w.renewing = &r
		if err := w.mine(event); err != nil {
			return err
		}
		if err := w.attributes(event, 0, reading); err != nil {
			return err
		}
		return w.done(event)
	})
	if err != nil {
		return Result{}, err
	}
	res.Seq = seq
	return res, nil
}

// renewed makes an attribute that is there what a draft says of it.
func (w *writing) renewed(event int64, from *Draft) error {
	a, no := w.renewing.draft(from)
	if no != nil {
		return no
	}
	old, err := w.tx.SameClaim(event, &a)
	if err != nil {
		return err
	}
	ed := AttributeEdit{Line: from.Line, ToIDS: from.ToIDS, Distribution: from.Distribution, Tags: from.Tags}
	if from.Comment != "" {
		ed.Comment = &from.Comment
	}
	if from.Distribution != nil {
		ed.Group = &from.Group
	}
	for to, at := range map[**time.Time]time.Time{&ed.FirstSeen: from.FirstSeen, &ed.LastSeen: from.LastSeen} {
		if !at.IsZero() {
			*to = &at
		}
	}
	err = w.edit(*w.renewing, old.ID, &ed)
	if no, ok := errors.AsType[*Refusal](err); ok {
		w.res.Refused = append(w.res.Refused, *no)
		return nil
	}
	return err
}

// AddAndPublish adds drafts to an event and publishes it in the same
// transaction, so that nothing of a published event is taken back in between.
func (d *Desk) AddAndPublish(ctx context.Context, v access.Viewer, event int64, drafts []Draft) (Result, error) {
	return d.addAttributes(ctx, v, event, drafts, true)
}

func (d *Desk) addAttributes(ctx context.Context, v access.Viewer, event int64, drafts []Draft, publish bool) (Result, error) {
	reading := d.reader(v).read(drafts)
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		w.keep = store.KeepPublished(publish)
		if err := w.mine(event); err != nil {
			return err
		}
		if err := w.attributes(event, 0, reading); err != nil {
			return err
		}
		if publish {
			if _, err := tx.Publish(event, true); err != nil {
				return err
			}
		}
		return w.done(event)
	})
	if err != nil {
		return Result{}, err
	}
	res.Seq = seq
	return res, nil
}

// mine refuses an event that the viewer may not add to, even if of the drafts
// for it none is left.
func (w *writing) mine(event int64) error {
	_, err := w.tx.AddAttributes(event, nil, w.keep)
	return err
}

// An AttributeEdit changes what it names of an attribute; nil leaves a field as
// it is. It names the attribute by ID or by UUID.
type AttributeEdit struct {
	Line         int
	ID           int64
	UUID         tocsin.UUID
	Object       int64 // into which it goes if it is new
	Type         *string
	Text         *string
	Category     *string
	Comment      *string
	Relation     *string
	ToIDS        *bool
	Deleted      *bool
	NoCorrelate  *bool
	Distribution *access.Distribution
	Group        *int64
	Timestamp    int64 // of the edit at its origin, if it says so: an older one is refused
	FirstSeen    *time.Time
	LastSeen     *time.Time
	Tags         []TagDraft         // attached beside those that it has, or taken off
	Attachment   *tocsin.Attachment // content in place of what it has, if any
}

// draft is the edit as a draft of a new attribute.
func (ed *AttributeEdit) draft() Draft {
	return Draft{
		Line: ed.Line, UUID: ed.UUID, Type: or(ed.Type), Text: or(ed.Text), Category: or(ed.Category), Comment: or(ed.Comment),
		Relation: or(ed.Relation), ToIDS: ed.ToIDS, Deleted: or(ed.Deleted), NoCorrelate: or(ed.NoCorrelate),
		Distribution: ed.Distribution, Group: or(ed.Group), Timestamp: ed.Timestamp,
		FirstSeen: or(ed.FirstSeen), LastSeen: or(ed.LastSeen), Tags: ed.Tags, Attachment: ed.Attachment,
	}
}

// or returns what p points at, or the zero value.
func or[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// set sets a field to what an edit says of it, if anything.
func set[T any](field *T, p *T) {
	if p != nil {
		*field = *p
	}
}

// apply changes a, or says what it can't be.
func (ed *AttributeEdit) apply(r reader, a *tocsin.Attribute) *Refusal {
	was := *a
	if ed.Type != nil || ed.Text != nil {
		typ, text := a.Value.TypeName(), a.Value.String()
		set(&typ, ed.Type)
		set(&text, ed.Text)
		v, no := value(ed.Line, typ, text)
		if no != nil {
			return no
		}
		a.Value = v
	}
	name := or(ed.Category)
	if ed.Category == nil && a.Value.Type().Allows(a.Category) {
		name = a.Category.String()
	}
	var no *Refusal
	if a.Category, no = category(ed.Line, a.Value.Type(), name); no != nil {
		return no
	}
	set(&a.Comment, ed.Comment)
	set(&a.Relation, ed.Relation)
	set(&a.ToIDS, ed.ToIDS)
	set(&a.Deleted, ed.Deleted)
	set(&a.NoCorrelate, ed.NoCorrelate)
	set(&a.Distribution, ed.Distribution)
	set(&a.Group, ed.Group)
	set(&a.FirstSeen, ed.FirstSeen)
	set(&a.LastSeen, ed.LastSeen)
	return r.check(ed.Line, a, &was)
}

// EditAttribute changes what the edit names of an attribute.
func (d *Desk) EditAttribute(ctx context.Context, v access.Viewer, edit AttributeEdit) (Result, error) {
	r := d.reader(v)
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		old, e, err := edit.find(tx)
		if err != nil {
			return err
		}
		if edit.Timestamp != 0 && edit.Timestamp <= old.Timestamp {
			return ErrOlder
		}
		if err := w.edit(r, old.ID, &edit); err != nil {
			return err
		}
		return w.done(e.ID)
	})
	if err != nil {
		return Result{}, err
	}
	res.Seq = seq
	return res, nil
}

// find returns the attribute that the edit names, and its event.
func (ed *AttributeEdit) find(tx *store.Tx) (*tocsin.Attribute, *tocsin.Event, error) {
	if ed.ID != 0 {
		return tx.Attribute(ed.ID)
	}
	return tx.AttributeByUUID(ed.UUID)
}

// edit changes one attribute.
func (w *writing) edit(r reader, id int64, ed *AttributeEdit) error {
	retag, err := w.tags.edited(ed.Tags)
	if err != nil {
		return err
	}
	a, err := w.tx.EditAttribute(id, func(a *tocsin.Attribute) error {
		a.Tags = retag(a.Tags)
		a.Timestamp = w.time(a.Timestamp, ed.Timestamp)
		if no := ed.apply(r, a); no != nil {
			return no
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.res.Attributes = append(w.res.Attributes, *a)
	return w.attach(a.ID, ed.Attachment)
}

// sortOut tells edits that name an attribute from those that can only be new.
func sortOut(edits []AttributeEdit) (named []AttributeEdit, fresh []Draft) {
	for i, ed := range edits {
		if ed.Line == 0 {
			ed.Line = i + 1
		}
		if ed.ID == 0 && ed.UUID.IsZero() {
			fresh = append(fresh, ed.draft())
		} else {
			named = append(named, ed)
		}
	}
	return named, fresh
}

// edits changes those of an event's attributes that it has and adds the others.
// One that is older than what is here says nothing new: whoever sends a whole
// event sends what they did not touch, too.
func (w *writing) edits(r reader, event int64, eds []AttributeEdit) error {
	fresh := map[int64][]Draft{}
	for i := range eds {
		ed := &eds[i]
		old, e, err := ed.find(w.tx)
		here := err == nil && e.ID == event
		switch {
		case !here && ed.ID == 0 && (err == nil || tocsin.CodeOf(err) == tocsin.NotFound):
			fresh[ed.Object] = append(fresh[ed.Object], ed.draft())
			continue
		case !here && err == nil:
			err = tocsin.Errorf(tocsin.NotFound, "no attribute %d in event %d", ed.ID, event)
		case here && ed.Timestamp != 0 && ed.Timestamp <= old.Timestamp:
			continue
		case here:
			err = w.edit(r, old.ID, ed)
		}
		if no, ok := errors.AsType[*Refusal](err); ok {
			w.res.Refused = append(w.res.Refused, *no)
		} else if err != nil {
			if err := w.refused(ed.Line, "value", or(ed.Text), err); err != nil {
				return err
			}
		}
	}
	for _, object := range slices.Sorted(maps.Keys(fresh)) {
		if err := w.attributes(event, object, r.read(fresh[object])); err != nil {
			return err
		}
	}
	return nil
}
