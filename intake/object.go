package intake

import (
	"context"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// An ObjectDraft is an object as it arrived.
type ObjectDraft struct {
	Line            int
	UUID            tocsin.UUID
	Name            string
	MetaCategory    string
	Description     string
	TemplateUUID    tocsin.UUID
	TemplateVersion int
	Comment         string
	Distribution    *access.Distribution // nil: access.Inherit
	Group           int64
	Timestamp       int64
	FirstSeen       time.Time
	LastSeen        time.Time
	Deleted         bool
	Attributes      []Draft
}

// An objectReading is what an object draft turned out to say.
type objectReading struct {
	line       int
	object     tocsin.Object
	attributes reading
	refused    *Refusal
}

// objects reads objects and what is in them.
func (r reader) objects(drafts []ObjectDraft) []objectReading {
	out := make([]objectReading, len(drafts))
	for i := range drafts {
		d := &drafts[i]
		if d.Line == 0 {
			d.Line = i + 1
		}
		out[i] = r.object(d)
	}
	return out
}

func (r reader) object(d *ObjectDraft) objectReading {
	o := tocsin.Object{
		UUID: d.UUID, Name: d.Name, MetaCategory: d.MetaCategory, Description: d.Description, TemplateUUID: d.TemplateUUID,
		TemplateVersion: d.TemplateVersion, Comment: d.Comment, Distribution: access.Inherit, Timestamp: max(0, d.Timestamp),
		FirstSeen: d.FirstSeen, LastSeen: d.LastSeen, Deleted: d.Deleted,
	}
	if d.Distribution != nil {
		o.Distribution, o.Group = *d.Distribution, d.Group
	}
	out := objectReading{line: d.Line, object: o, attributes: r.read(d.Attributes)}
	switch why := r.badDistribution(o.Distribution, o.Group, access.Inherit); {
	case d.Name == "":
		out.refused = refuse(d.Line, "name", "", "an object needs a name")
	case why != "":
		out.refused = refuse(d.Line, "distribution", "", why)
	case badPeriod(o.FirstSeen, o.LastSeen) != "":
		out.refused = refuse(d.Line, "last_seen", "", badPeriod(o.FirstSeen, o.LastSeen))
	case len(out.attributes.sound) == 0:
		out.refused = refuse(d.Line, "Attribute", d.Name, "an object needs an attribute, and none of its own could be taken")
	}
	for _, text := range []string{o.Name, o.MetaCategory, o.Description, o.Comment} {
		if why := badText(text); why != "" && out.refused == nil {
			out.refused = refuse(d.Line, "Object", text, why)
		}
	}
	return out
}

// AddObject adds an object to an event. It is taken as a whole or not at all but
// for those of its attributes that can't be.
func (d *Desk) AddObject(ctx context.Context, v access.Viewer, event int64, draft ObjectDraft) (Result, error) {
	r := d.reader(v)
	objects := r.objects([]ObjectDraft{draft})
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		if err := w.mine(event); err != nil {
			return err
		}
		if err := w.objects(event, objects); err != nil {
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

// objects adds objects to an event.
func (w *writing) objects(event int64, rs []objectReading) error {
	for i := range rs {
		r := &rs[i]
		if r.refused != nil {
			w.res.Refused = append(append(w.res.Refused, *r.refused), r.attributes.refused...)
			continue
		}
		if _, err := w.tx.AddObject(event, &r.object, nil); err != nil {
			if err := w.refused(r.line, "Object", r.object.Name, err); err != nil {
				return err
			}
			continue
		}
		if err := w.attributes(event, r.object.ID, r.attributes); err != nil {
			return err
		}
		w.res.Objects = append(w.res.Objects, r.object)
	}
	return nil
}
