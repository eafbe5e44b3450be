package intake

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/codec"
	"tocsin/store"
)

// An importing is one run of [Desk.Import].
type importing struct {
	d    *Desk
	v    access.Viewer
	o    ImportOptions
	name string // by which it is reserved
	info string

	event    *tocsin.Event // nil: to be made
	record   tocsin.Import
	marked   TagDraft // the collection's tag, if there is one
	onClaims bool     // it goes on the claims, not on the event
	begun    bool     // something was written
	p        Progress
}

// prepare asks what can be asked before anything is read.
func (i *importing) prepare(ctx context.Context) error {
	now := i.d.DB.Now()
	i.info = strings.TrimSpace(i.o.Event)
	if i.info == "" {
		i.info = strings.TrimSpace(i.o.Name + " " + now.UTC().Format("2006-01-02"))
	}
	for _, t := range i.o.Tags {
		if why := badTag(t); why != "" {
			return refuse(0, "Tag", t.Name, why)
		}
	}
	if i.o.Publish && !i.v.May(access.Publish) {
		return tocsin.Errorf(tocsin.Forbidden, "your role does not let you publish events; import without publishing and ask a publisher")
	}
	if i.o.Collection != "" {
		c, err := store.ByName[*tocsin.Collection](i.d.DB.As(i.v), i.o.Collection)
		if err != nil {
			return err
		}
		i.marked = TagDraft{Name: c.Tag(), Local: true}
	}
	i.name = importName(i.v.Org(), i.info)
	if ok, err := i.d.reserve(ctx, i.name); err != nil {
		return err
	} else if !ok {
		return tocsin.Errorf(tocsin.Conflict, "an import into the event %q is running; wait for its end", i.info)
	}
	err := i.find(ctx)
	if err != nil {
		i.d.release(ctx, i.name)
	}
	i.record.State, i.record.Started = Running, now
	i.record.Org, i.record.User, i.record.Name = i.v.Org(), i.v.User(), i.o.Name
	return err
}

// find looks for the event to go on with: of those with the same text one that
// an import made, else the first.
func (i *importing) find(ctx context.Context) error {
	imports := map[int64]*tocsin.Import{}
	for r := range i.d.DB.As(i.v).Imports() {
		imports[r.Event] = r
	}
	for e, err := range i.d.DB.As(i.v).Events(ctx, store.EventQuery{Info: i.info}) {
		if err != nil {
			return err
		}
		if e.Org != i.v.Org() || e.Info != i.info {
			continue
		}
		if i.event == nil || imports[i.event.ID] == nil && imports[e.ID] != nil {
			i.event = &e
		}
	}
	if i.event == nil {
		return nil
	}
	if r := imports[i.event.ID]; r != nil && r.State == Interrupted && r.Name == i.o.Name {
		i.record.ID = r.ID // it goes on
	}
	i.record.Event = i.event.ID
	if d := i.o.Distribution; d != nil && (*d != i.event.Distribution || i.o.Group != i.event.Group && *d == access.Group) {
		return tocsin.Errorf(tocsin.Conflict, "event %d %q has distribution %d, not %d; edit the event first, or import into another",
			i.event.ID, i.info, i.event.Distribution, *d)
	}
	return nil
}

// A lot is what is written in one transaction.
type lot struct {
	reading
	read int64
	err  error // what ended the source
}

// collect reads the source in lots until it ends.
func (i *importing) collect(ctx context.Context, source iter.Seq2[Draft, error], out chan<- lot) {
	size := cmp.Or(i.d.Batch, defaultBatch)
	r := i.d.reader(i.v)
	var drafts []Draft
	var lost []Refusal
	octets := 0
	send := func(end error) bool {
		l := lot{r.read(drafts), int64(len(drafts) + len(lost)), end}
		l.refused = append(l.refused, lost...)
		slices.SortStableFunc(l.refused, func(a, b Refusal) int { return a.Line - b.Line })
		drafts, lost, octets = nil, nil, 0
		select {
		case out <- l:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for d, err := range source {
		if ctx.Err() != nil {
			return
		}
		if line, ok := errors.AsType[*codec.LineError](err); ok {
			lost = append(lost, *refuse(line.Number, "line", line.Text, line.Why))
		} else if err != nil {
			send(err)
			return
		} else {
			if drafts == nil {
				drafts = make([]Draft, 0, size)
			}
			drafts = append(drafts, d)
			octets += len(d.Text) + len(d.Comment)
		}
		if (len(drafts)+len(lost) >= size || octets >= maxOctets) && !send(nil) {
			return
		}
	}
	if len(drafts)+len(lost) > 0 {
		send(nil)
	}
}

// writeAll writes lots as they come.
func (i *importing) writeAll(ctx context.Context, lots <-chan lot, progress func(Progress)) error {
	for l := range lots {
		if err := i.write(ctx, l); err != nil {
			return err
		}
		// Nobody else takes up what is still running. If the lease can't be had, two
		// may fill one event, and what both bring is there once.
		i.d.DB.Lease(ctx, i.name, importLease)
		if progress != nil {
			progress(i.p)
		}
		if l.err != nil {
			return l.err
		}
	}
	return ctx.Err()
}

// write writes one lot. What is refused before there is an event is counted and
// makes none.
func (i *importing) write(ctx context.Context, l lot) error {
	if !i.begun && len(l.sound) == 0 {
		i.p = i.counted(l, Result{Refused: l.refused})
		return nil
	}
	var res Result
	var next Progress
	record, event := i.record, i.event
	seq, err := i.d.DB.Apply(ctx, i.v, func(tx *store.Tx) (err error) {
		w := i.d.writing(ctx, tx, &res)
		if !i.begun {
			if event, err = i.begin(w, event); err != nil {
				return err
			}
		}
		if event, err = tx.Event(event.ID); err != nil {
			return err
		}
		w.listed, w.revive = true, i.o.Revive
		w.keep = store.KeepPublished(event.Published && i.v.May(access.Publish))
		if i.onClaims {
			w.all = []TagDraft{i.marked}
		}
		if err := w.attributes(event.ID, 0, l.reading); err != nil {
			return err
		}
		next = i.counted(l, res)
		record.Event = event.ID
		record.Read, record.Written, record.Duplicates, record.Refused = next.Read, next.Written, next.Duplicates, next.Refused
		record.Withdrawn = next.Withdrawn
		return store.Put(tx, &record)
	})
	if err != nil {
		return err
	}
	i.begun, i.event, i.record, i.p = true, event, record, next
	i.p.Seq, i.p.Event, i.p.Import, i.p.State = seq, event.ID, record.ID, Running
	return nil
}

// begin makes the event, or tags the one that is there. The collection's tag
// goes on the event where all that is in it is for the collection.
func (i *importing) begin(w *writing, e *tocsin.Event) (*tocsin.Event, error) {
	tags, err := w.tags.attached(i.o.Tags)
	if err != nil {
		return nil, err
	}
	if i.marked.Name != "" {
		as, err := w.tags.attached([]TagDraft{i.marked})
		if err != nil {
			return nil, err
		}
		i.onClaims = e != nil && !e.Tags.Has(as[0].Tag)
		if !i.onClaims {
			tags = append(tags, as...)
		}
	}
	if e == nil {
		e = &tocsin.Event{Info: i.info, Threat: undefined, Group: i.o.Group, Tags: tocsin.NewTagSet(tags...)}
		if i.o.Distribution != nil {
			e.Distribution = *i.o.Distribution
		}
		return e, w.tx.AddEvent(e)
	}
	tags = slices.DeleteFunc(tags, func(a tocsin.Attached) bool { return e.Tags.Has(a.Tag) })
	if len(tags) == 0 {
		return e, nil
	}
	return w.tx.TagEvent(e.ID, tags, nil)
}

// counted is the progress after a lot.
func (i *importing) counted(l lot, res Result) Progress {
	p := i.p
	p.Read += l.read
	p.Written += int64(len(res.Attributes))
	p.Duplicates += int64(len(res.Duplicates))
	p.Refused += int64(len(res.Refused))
	p.Withdrawn += int64(res.Withdrawn)
	p.Revived += int64(res.Revived)
	for j := range res.Attributes {
		if res.Attributes[j].Guarded() {
			p.Guarded++
		}
	}
	room := min(len(res.Refused), maxRefusals-len(p.Refusals))
	p.Refusals = append(p.Refusals[:len(p.Refusals):len(p.Refusals)], res.Refused[:room]...)
	return p
}

// finish publishes the event if that was asked for, and ends the import.
func (i *importing) finish(ctx context.Context) error {
	switch {
	case i.p.Read == 0:
		return tocsin.Errorf(tocsin.Invalid, "the list holds no values")
	case !i.begun:
		return i.nothing()
	}
	return i.end(ctx, Done)
}

// nothing says why nothing was taken, by the first line.
func (i *importing) nothing() error {
	no := i.p.Refusals[0]
	if i.p.Read == 1 {
		return tocsin.Errorf(tocsin.Invalid, "line %d can't be taken: %q: %s", no.Line, no.Text, no.Why)
	}
	return tocsin.Errorf(tocsin.Invalid, "none of %d lines can be taken; the first is line %d: %q: %s", i.p.Read, no.Line, no.Text, no.Why)
}

// end writes down that the import ended, and how.
func (i *importing) end(ctx context.Context, state string) error {
	if !i.begun {
		return nil
	}
	record := i.record
	seq, err := i.d.DB.Apply(ctx, i.v, func(tx *store.Tx) error {
		e, err := tx.Event(record.Event)
		if err != nil {
			return err
		}
		if state == Done && i.o.Publish && !e.Published {
			if _, err := tx.Publish(e.ID, true); err != nil {
				return err
			}
		}
		record.State, record.Ended = state, tx.Now()
		return store.Put(tx, &record)
	})
	if err != nil {
		return err
	}
	i.p.Seq, i.p.State = seq, state
	return nil
}
