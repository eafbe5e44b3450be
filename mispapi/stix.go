package mispapi

import (
	"iter"

	"tocsin"
	"tocsin/stix"
	"tocsin/store"
)

// writeBundle writes found attributes as STIX 2.
func (s *search) writeBundle(out *stream) error {
	w, err := s.bundle(out)
	if err != nil {
		return err
	}
	for a, err := range store.Ahead(s.rows(s.c.r.Context())) {
		if err != nil {
			return err
		}
		if err := w.Attribute(a); err != nil {
			return err
		}
	}
	return w.Close()
}

// writeEventBundle writes events as STIX 2, with all of them that the reader may have.
func (s *search) writeEventBundle(out *stream, ids []int64) error {
	w, err := s.bundle(out)
	if err != nil {
		return err
	}
	for _, id := range ids {
		e, err := s.c.view.Event(s.c.r.Context(), id)
		if tocsin.CodeOf(err) == tocsin.NotFound && err != nil {
			continue // it was deleted since the search began
		}
		if err == nil {
			err = w.Event(s.c.whole(e, s.q.Guarded))
		}
		if err != nil {
			return err
		}
	}
	return w.Close()
}

func (s *search) bundle(out *stream) (*stix.Bundle, error) {
	v := stix.V21
	switch said := textOf(s.said["stix-version"]); said {
	case "", "2.1":
	case "2.0", "2":
		v = stix.V20
	default:
		return nil, tocsin.Errorf(tocsin.Invalid, "stix-version: there is no %q; try one of 2.0, 2.1", said)
	}
	return stix.NewBundle(out, v, stixNames{names{s.c.view, s.c.db}, s.c}, s.c.db.Now()), nil
}

// stixNames says what ids stand for, as package stix asks it.
type stixNames struct {
	names
	c *call
}

func (n stixNames) Tags(s tocsin.TagSet) []string { return n.c.tagNames(s) }

func (n stixNames) Cluster(string) *stix.Cluster { return nil }

// whole is an event with all of it that the reader may have.
func (c *call) whole(e *tocsin.Event, guarded *bool) *stix.Event {
	ctx, in := c.r.Context(), store.RemarkQuery{Events: []int64{e.ID}}
	q := store.Query{Events: []int64{e.ID}, Guarded: guarded}
	return &stix.Event{Event: e, Attributes: c.apart(q), Objects: c.assembled(q), References: c.view.References(ctx, in),
		Sightings: c.view.Sightings(ctx, in), Reports: c.view.Reports(ctx, in), Notes: c.view.Notes(ctx, in), Opinions: c.view.Opinions(ctx, in)}
}

// apart iterates over the attributes that stand by themselves.
func (c *call) apart(q store.Query) iter.Seq2[tocsin.Attribute, error] {
	return func(yield func(tocsin.Attribute, error) bool) {
		for a, err := range c.view.Attributes(c.r.Context(), q) {
			if (err != nil || a.Object == 0) && !yield(a, err) {
				return
			}
		}
	}
}

// assembled iterates over objects with their parts.
func (c *call) assembled(q store.Query) iter.Seq2[stix.Object, error] {
	q.Order = []store.Order{{By: store.TraitObject}}
	return func(yield func(stix.Object, error) bool) {
		var o stix.Object
		for a, err := range c.view.Attributes(c.r.Context(), q) {
			switch {
			case err != nil:
				yield(o, err)
				return
			case a.Object == 0:
				continue
			case o.Object != nil && o.ID == a.Object:
				o.Parts = append(o.Parts, a)
				continue
			case o.Object != nil && !yield(o, nil):
				return
			}
			o = stix.Object{}
			if whole, err := c.object(itoa(a.Object)); err == nil {
				o = stix.Object{Object: whole, Parts: []tocsin.Attribute{a}}
			}
		}
		if o.Object != nil {
			yield(o, nil)
		}
	}
}
