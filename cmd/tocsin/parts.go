package main

import (
	"context"
	"io"
	"iter"
	"runtime/debug"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin"
	"tocsin/access"
	"tocsin/api"
	"tocsin/codec"
	"tocsin/collection"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/match"
	"tocsin/store"
)

// The faces say in small interfaces what they need of others; here the others
// are put into those words.

// index is package match for package api.
type index struct {
	*match.Index
	meters *meters
}

func (x index) Look(s *access.Sight) api.Look {
	return &look{Look: x.Index.Look(s), asked: x.meters.lookups}
}

// correlations is package match for package mispapi.
type correlations struct {
	*match.Index
	db *store.DB
}

func (x correlations) Sharing(ctx context.Context, v access.Viewer, keys []indicator.Key, limit int) (map[int64]bool, bool, error) {
	if err := x.db.Await(ctx, x.Name(), x.db.Head()); err != nil {
		return nil, false, err
	}
	events, more := map[int64]bool{}, false
	now := x.Index.Look(x.db.Labels().Sight(v, access.Read))
	note := func(c *match.Claim) {
		if t, ok := indicator.TypeByID(c.Type); ok && t.Correlates && !c.NoCorrelate && !c.Mention {
			events[c.Event] = true
		}
	}
	var found []match.Claim
	var near []match.Relative
	partly := false
	for _, k := range keys {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		found, more = now.FindMax(k, found[:0], limit)
		for i := range found {
			note(&found[i])
		}
		if limit -= len(found); more || limit <= 0 {
			return events, true, nil
		}
		near, more = now.Related(k, near[:0], limit)
		for i := range near {
			note(&near[i].Claim)
		}
		if limit -= len(near); limit <= 0 {
			return events, true, nil
		}
		partly = partly || more // one wide range doesn't hide what the others find
	}
	return events, partly, nil
}

type look struct {
	match.Look
	buf   []match.Claim
	asked prometheus.Counter
}

func (l *look) FindMax(k indicator.Key, dst []api.Claim, max int) ([]api.Claim, bool) {
	l.asked.Inc()
	found, more := l.Look.FindMax(k, l.buf[:0], max)
	l.buf = found
	for _, c := range found {
		dst = append(dst, api.Claim{Attribute: c.Attribute, Event: c.Event, Type: c.Type, Category: c.Category,
			Label: c.Label, EventLabel: c.EventLabel, ToIDS: c.ToIDS, Published: c.Published, Orgc: c.Orgc, EventUUID: c.EventUUID})
	}
	return dst, more
}

// desk is package intake for package api.
type desk struct {
	*intake.Desk
	meters *meters
}

func (d desk) Import(ctx context.Context, v access.Viewer, in api.Import, text io.Reader, progress func(api.Progress)) (api.Result, error) {
	list, err := codec.Begin(in.Name, in.Format, text, codec.Options{Type: in.Type, Columns: in.Columns})
	if err != nil {
		return api.Result{}, err
	}
	o := intake.ImportOptions{Name: in.Name, Event: in.Event, Distribution: in.Distribution, Group: in.Group,
		Collection: in.Collection, Publish: in.Publish, Revive: in.Revive}
	for _, t := range in.Tags {
		o.Tags = append(o.Tags, intake.TagDraft{Name: t})
	}
	counts, done := d.meters.imports()
	defer done()
	p, err := d.Desk.Import(ctx, v, o, list.Drafts, func(p intake.Progress) {
		counts(p)
		progress(progressOf(p))
	})
	r := api.Result{Progress: progressOf(p), Event: p.Event, Seq: p.Seq}
	counts(p)
	for _, no := range p.Refusals {
		r.Refused = append(r.Refused, api.Refusal{Line: no.Line, Text: no.Text, Why: no.Why})
	}
	if err == nil && p.Event != 0 {
		e, err := d.DB.As(v).Event(ctx, p.Event)
		if err != nil {
			return r, err
		}
		r.EventUUID = e.UUID
	}
	if p.Written >= largeImport {
		// The garbage of a large import is given back at once: nothing that comes
		// next needs so much.
		go debug.FreeOSMemory()
	}
	return r, err
}

func progressOf(p intake.Progress) api.Progress {
	return api.Progress{Read: p.Read, Written: p.Written, Duplicates: p.Duplicates, Refused: p.Refused,
		Withdrawn: p.Withdrawn, Revived: p.Revived, Guarded: p.Guarded}
}

// Preview says what Import would make of a list, by the beginning of it.
func (d desk) Preview(in api.Import, text io.Reader) (any, error) {
	list, err := codec.Begin(in.Name, in.Format, text, codec.Options{Type: in.Type, Columns: in.Columns})
	if err != nil {
		return nil, err
	}
	return list.Preview()
}

// largeImport is how many claims make an import a large one.
const largeImport = 100_000

// writer is package codec for package api.
func writer(name string) (api.Writer, error) {
	f, err := codec.Writer(name)
	return format{f}, err
}

type format struct{ codec.Format }

func (f format) Media() string       { return f.Format.Media }
func (f format) Parts() tocsin.Parts { return f.Format.Parts | tocsin.PartValue }

func (f format) Write(w io.Writer, rows iter.Seq2[api.Row, error]) error {
	return f.Format.Write(w, func(yield func(codec.Row, error) bool) {
		for r, err := range rows {
			if !yield(codec.Row(r), err) {
				return
			}
		}
	})
}

// dotted appends a name in wire form as text. Names in collections are letters,
// digits, hyphens and underscores only, so nothing needs escaping.
func dotted(b, wire []byte) []byte {
	for len(wire) > 0 {
		n := int(wire[0])
		b = append(b, wire[1:1+n]...)
		if wire = wire[1+n:]; len(wire) > 0 {
			b = append(b, '.')
		}
	}
	return b
}

// maxOrigin leaves an address of any length its place in front of a zone's name.
const maxOrigin = 180

// checkCollection refuses a collection whose filter can't be read, or whose
// zones are no names.
func checkCollection(c *tocsin.Collection) error {
	if _, err := collection.ParseFilter(c.Filter); err != nil {
		return err
	}
	for _, o := range c.Zones() {
		if _, ok := collection.Wire(o); !ok || len(o) > maxOrigin {
			return tocsin.Errorf(tocsin.Invalid, "%q is no name for a zone; take a short one that nobody asks for, such as rpz.example", o)
		}
	}
	return nil
}

// takes says why a collection takes a claim in.
func takes(set *collection.Set) func(context.Context, *tocsin.Collection, *tocsin.Attribute, *tocsin.Event) access.Decision {
	return func(_ context.Context, c *tocsin.Collection, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
		return set.Takes(c.ID, a, e)
	}
}

// confirmed is what a subscriber holds of its collection.
func confirmed(db *store.DB, h *held) func(*tocsin.Subscriber) tocsin.Seq {
	return func(s *tocsin.Subscriber) tocsin.Seq {
		c, err := store.One[*tocsin.Collection](db.As(registrar), s.Collection)
		if err != nil {
			return 0
		}
		serial, _ := h.serial(s.Name, c.Zone)
		return tocsin.Seq(serial)
	}
}
