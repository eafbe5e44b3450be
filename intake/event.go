package intake

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// An EventDraft is an event as it arrived, with all that is in it.
type EventDraft struct {
	UUID         tocsin.UUID
	Org, Orgc    int64 // for who speaks for another instance; others are their own organisation's
	Info         string
	Date         string               // YYYY-MM-DD; today if empty
	Threat       *int                 // 1 to 4; 4 if nil
	Analysis     *int                 // 0 to 2; 0 if nil
	Distribution *access.Distribution // nil: the organisation's own, since what nobody said shares nothing
	Group        int64
	Timestamp    int64
	Locked       bool
	NoCorrelate  bool
	Extends      tocsin.UUID
	Publish      bool
	Tags         []TagDraft
	Attributes   []Draft
	Objects      []ObjectDraft
	PublishedAt  int64         // when it was published where it comes from
	Remarks      []RemarkDraft // what is said about it and what is in it
}

// undefined is MISP's threat level of an event that has none.
const undefined = 4

// AddEvent adds an event with all that is in it, in one transaction. What of its
// attributes and objects can't be taken is refused by itself; the event stands.
func (d *Desk) AddEvent(ctx context.Context, v access.Viewer, draft EventDraft) (Result, error) {
	r := d.reader(v)
	e, no := r.event(&draft)
	if no != nil {
		return Result{}, no
	}
	attributes, objects := r.read(draft.Attributes), r.objects(draft.Objects)
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		var err error
		if e.Tags, err = w.tags.set(draft.Tags); err != nil {
			return err
		}
		if err := tx.AddEvent(&e); err != nil {
			return err
		}
		if err := w.attributes(e.ID, 0, attributes); err != nil {
			return err
		}
		if err := w.objects(e.ID, objects); err != nil {
			return err
		}
		if err := w.remarks(e.ID, draft.Remarks); err != nil {
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

// done takes the event as it now is into the result.
func (w *writing) done(event int64) error {
	e, err := w.tx.Event(event)
	if err == nil {
		w.res.Event = new(*e)
	}
	return err
}

// event reads the fields of an event.
func (r reader) event(d *EventDraft) (tocsin.Event, *Refusal) {
	e := tocsin.Event{
		UUID: d.UUID, Org: d.Org, Orgc: d.Orgc, Info: strings.TrimSpace(d.Info), Date: d.Date, Threat: undefined,
		Timestamp: max(0, d.Timestamp), PublishedAt: max(0, d.PublishedAt), Locked: d.Locked, NoCorrelate: d.NoCorrelate, Extends: d.Extends, Published: d.Publish,
	}
	edit := EventEdit{Threat: d.Threat, Analysis: d.Analysis, Distribution: d.Distribution, Group: &d.Group, Info: &d.Info}
	if d.Date != "" {
		edit.Date = &d.Date
	}
	return e, edit.apply(r, &e)
}

// An EventEdit changes what it names of an event; nil leaves a field as it is.
type EventEdit struct {
	Info         *string
	Date         *string
	Threat       *int
	Analysis     *int
	Distribution *access.Distribution
	Group        *int64
	Timestamp    int64 // of the edit at its origin, if it says so: an older one is refused
	NoCorrelate  *bool
	Extends      *tocsin.UUID
	Publish      *bool           // nil: an edited event is unpublished, as in MISP
	Tags         []TagDraft      // attached beside those that it has, or taken off
	Attributes   []AttributeEdit // edited if the event has them, else added
	Objects      []ObjectDraft   // added
	Known        []ObjectEdit    // objects that the event has
	Remarks      []RemarkDraft   // changed if they are older here, added if they are not
	Exact        bool            // the edit is another instance's, whose times are kept
}

// apply changes e, or says what it can't be.
func (ed *EventEdit) apply(r reader, e *tocsin.Event) *Refusal {
	was := *e
	if ed.Info != nil {
		e.Info = strings.TrimSpace(*ed.Info)
		if e.Info == "" {
			return refuse(0, "info", "", "an event needs an info: a line on what it is about")
		}
		if why := badText(e.Info); why != "" {
			return refuse(0, "info", e.Info, why)
		}
	}
	if ed.Date != nil {
		if _, err := time.Parse(time.DateOnly, *ed.Date); err != nil {
			return refuse(0, "date", *ed.Date, "a date is YYYY-MM-DD")
		}
		e.Date = *ed.Date
	}
	if t := ed.Threat; t != nil {
		if *t < 1 || *t > undefined {
			return refuse(0, "threat_level_id", fmt.Sprint(*t), "it is 1 high, 2 medium, 3 low or 4 undefined")
		}
		e.Threat = uint8(*t)
	}
	if a := ed.Analysis; a != nil {
		if *a < 0 || *a > 2 {
			return refuse(0, "analysis", fmt.Sprint(*a), "it is 0 initial, 1 ongoing or 2 complete")
		}
		e.Analysis = uint8(*a)
	}
	if ed.Distribution != nil {
		e.Distribution = *ed.Distribution
	}
	if ed.Group != nil {
		e.Group = *ed.Group
	}
	if e.Distribution != was.Distribution || e.Group != was.Group {
		if why := r.badDistribution(e.Distribution, e.Group, access.Group); why != "" {
			return refuse(0, "distribution", "", why)
		}
	}
	if ed.NoCorrelate != nil {
		e.NoCorrelate = *ed.NoCorrelate
	}
	if ed.Extends != nil {
		e.Extends = *ed.Extends
	}
	return nil
}

// ErrOlder refuses an edit that was made before what is here.
var ErrOlder = tocsin.Errorf(tocsin.Conflict, "the record here is newer than the edit; fetch it and edit that")

// EditEvent changes what the edit names of an event and of what is in it, in one
// transaction. Attributes that can't be taken are refused by themselves.
func (d *Desk) EditEvent(ctx context.Context, v access.Viewer, id int64, edit EventEdit) (Result, error) {
	r := d.reader(v)
	known, fresh := sortOut(edit.Attributes)
	added := r.read(fresh)
	objects := r.objects(edit.Objects)
	var res Result
	seq, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		w := d.writing(ctx, tx, &res)
		retag, err := w.tags.edited(edit.Tags)
		if err != nil {
			return err
		}
		was, err := tx.Event(id)
		if err != nil {
			return err
		}
		if edit.Timestamp != 0 && edit.Timestamp <= was.Timestamp {
			return ErrOlder
		}
		w.exact = edit.Exact && v.May(access.Sync)
		if err := w.editObjects(r, id, edit.Known); err != nil {
			return err
		}
		if err := w.edits(r, id, known); err != nil {
			return err
		}
		if err := w.attributes(id, 0, added); err != nil {
			return err
		}
		if err := w.objects(id, objects); err != nil {
			return err
		}
		if err := w.remarks(id, edit.Remarks); err != nil {
			return err
		}
		_, err = tx.EditEvent(id, func(e *tocsin.Event) error {
			e.Tags = retag(e.Tags)
			e.Timestamp = w.time(e.Timestamp, edit.Timestamp)
			e.Published = or(edit.Publish)
			if no := edit.apply(r, e); no != nil {
				return no
			}
			return nil
		})
		if err != nil {
			return err
		}
		return w.done(id)
	})
	if err != nil {
		return Result{}, err
	}
	res.Seq = seq
	return res, nil
}
