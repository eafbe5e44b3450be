package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"runtime/debug"

	"tocsin"
	"tocsin/access"
	"tocsin/api"
	"tocsin/codec"
	"tocsin/collection"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/match"
	"tocsin/rpz"
	"tocsin/store"
)

// The faces say in small interfaces what they need of others; here the others
// are put into those words.

// index is package match for package api.
type index struct{ *match.Index }

func (x index) Look(s *access.Sight) api.Look { return &look{Look: x.Index.Look(s)} }

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
	buf []match.Claim
}

func (l *look) FindMax(k indicator.Key, dst []api.Claim, max int) ([]api.Claim, bool) {
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
}

func (d desk) Import(ctx context.Context, v access.Viewer, in api.Import, list io.Reader, progress func(api.Progress)) (api.Result, error) {
	source, err := drafts(in.Name, in.Format, in.Type, list)
	if err != nil {
		return api.Result{}, err
	}
	o := intake.ImportOptions{Name: in.Name, Event: in.Event, Distribution: in.Distribution, Group: in.Group,
		Collection: in.Collection, Publish: in.Publish}
	for _, t := range in.Tags {
		o.Tags = append(o.Tags, intake.TagDraft{Name: t})
	}
	p, err := d.Desk.Import(ctx, v, o, source, func(p intake.Progress) {
		progress(progressOf(p))
	})
	r := api.Result{Progress: progressOf(p), Event: p.Event, Seq: p.Seq}
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
	return api.Progress{Read: p.Read, Written: p.Written, Duplicates: p.Duplicates, Refused: p.Refused, Guarded: p.Guarded}
}

// largeImport is how many claims make an import a large one.
const largeImport = 100_000

// headSize is how much of a list is looked at to guess its format.
const headSize = 64 << 10

// drafts reads a list, packed or not, whose format may have to be guessed.
func drafts(name, format, typ string, list io.Reader) (iter.Seq2[codec.Draft, error], error) {
	plain, err := codec.Open(list)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(plain, headSize)
	f, err := codec.Reader(format)
	if format == "" {
		head, e := r.Peek(headSize)
		if e != nil && e != io.EOF && len(head) == 0 {
			return nil, e
		}
		f, err = codec.Guess(name, head)
	}
	if err != nil {
		return nil, err
	}
	return f.Read(r, codec.Options{Type: typ}), nil
}

// writer is package codec for package api.
func writer(name string) (api.Writer, error) {
	f, err := codec.Writer(name)
	return format{f}, err
}

type format struct{ codec.Format }

func (f format) Media() string { return f.Format.Media }

func (f format) Write(w io.Writer, rows iter.Seq2[api.Row, error]) error {
	return f.Format.Write(w, func(yield func(codec.Row, error) bool) {
		for r, err := range rows {
			if !yield(codec.Row(r), err) {
				return
			}
		}
	})
}

// lists is package collection for package api.
type lists struct{ *collection.Set }

func (l lists) List(c *tocsin.Collection, v access.Viewer) (api.List, error) {
	got, ok := l.Set.List(c.ID, v)
	if !ok {
		return nil, tocsin.Errorf(tocsin.Busy, "the collection %q is still being put together; try again in a moment", c.Name)
	}
	return list{got, c.Name}, nil
}

type list struct {
	collection.List
	name string
}

// Audience tells lists of different audiences apart. Where nothing follows a
// list, its tag is empty, and what is served has no tag that could be reused.
func (l list) Audience() string { return l.ETag() }

var listMedia = map[string]string{"txt": "text/plain; charset=utf-8", "rpz": "text/dns", "json": "application/json"}

func (l list) Media(format string) (string, bool) {
	m, ok := listMedia[format]
	return m, ok
}

func (l list) Write(w io.Writer, format string) error {
	switch format {
	case "rpz":
		return rpz.Text(w, zone{l.View()})
	case "json":
		return l.json(w)
	}
	out := bufio.NewWriterSize(w, 1<<16)
	var err error
	l.Names(func(name []byte, _ collection.Trigger) bool {
		_, err = out.Write(append(dotted(nil, name), '\n'))
		return err == nil
	})
	if err != nil {
		return err
	}
	return out.Flush()
}

// json writes the list as one object. The names are last, so that an answer that
// was cut short is no valid JSON.
func (l list) json(w io.Writer) error {
	out := bufio.NewWriterSize(w, 1<<16)
	name, err := json.Marshal(l.name)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, `{"collection":%s,"serial":%d,"names":[`, name, l.Serial())
	first := true
	var buf []byte
	l.Names(func(name []byte, t collection.Trigger) bool {
		buf = buf[:0]
		if !first {
			buf = append(buf, ',')
		}
		first = false
		buf = dotted(append(buf, "\n{\"name\":\""...), name)
		buf = fmt.Appendf(buf, `","beneath":%v}`, t&collection.Beneath != 0)
		_, err = out.Write(buf)
		return err == nil
	})
	if err != nil {
		return err
	}
	out.WriteString("\n]}\n")
	return out.Flush()
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
