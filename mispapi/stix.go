package mispapi

import (
	"iter"
	"maps"
	"slices"

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
	for a, err := range s.ahead(s.c.r.Context()) {
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
	w := stix.NewBundle(out, v, stixNames{names{s.c.view, s.c.db}, s.c}, s.c.db.Now())
	w.Grounds = wantsGrounds(s.c.r)
	return w, nil
}

// stixNames says what ids stand for, as package stix asks it.
type stixNames struct {
	names
	c *call
}

func (n stixNames) Tags(s tocsin.TagSet) []string { return n.c.tagNames(s) }

func (n stixNames) Cluster(tag string) *stix.Cluster {
	cl, ok := n.c.tagged(tag)
	if !ok {
		return nil
	}
	is := &stix.Cluster{UUID: cl.UUID, Galaxy: cl.Type, Type: cl.Type, Value: cl.Value, Description: cl.Description}
	if cl.galaxy != nil {
		is.Galaxy = cl.galaxy.Title
	}
	for _, e := range cl.Elements {
		switch e.Key {
		case "synonyms":
			is.Synonyms = append(is.Synonyms, e.Value)
		case "external_id":
			is.External = e.Value
		}
	}
	return is
}

// package1 begins a package of STIX 1.
func (s *search) package1(out *stream, asJSON bool) (*stix.Package, error) {
	v := "1.1.1"
	switch said := textOf(s.said["stix-version"]); said {
	case "", "1.1", "1.1.1":
	case "1.2":
		v = said
	default:
		return nil, tocsin.Errorf(tocsin.Invalid, "stix-version: there is no %q; try one of 1.1.1, 1.2", said)
	}
	c := s.c
	return stix.NewPackage(out, asJSON, v, c.briefOrg(hostOrg).Name, c.base(), stixNames{names{c.view, c.db}, c}, c.db.Now()), nil
}

// writeEventPackage writes events as STIX 1.
func writeEventPackage(asJSON bool) func(*search, *stream, []int64) error {
	return func(s *search, out *stream, ids []int64) error {
		w, err := s.package1(out, asJSON)
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
}

// writePackage writes found attributes as STIX 1: those of an event together, since
// there they have to be in an incident.
func writePackage(asJSON bool) func(*search, *stream) error {
	return func(s *search, out *stream) error {
		w, err := s.package1(out, asJSON)
		if err != nil {
			return err
		}
		ids := map[int64]bool{}
		for a, err := range s.rows(s.c.r.Context()) {
			if err != nil {
				return err
			}
			ids[a.Event] = true
		}
		for _, id := range slices.Sorted(maps.Keys(ids)) {
			e, err := s.c.view.Event(s.c.r.Context(), id)
			if err != nil {
				continue // it was deleted since the search began
			}
			found := func(yield func(tocsin.Attribute, error) bool) {
				for a, err := range s.rows(s.c.r.Context()) {
					if (err != nil || a.Event == id) && !yield(a, err) {
						return
					}
				}
			}
			if err := w.Event(&stix.Event{Event: e, Attributes: found}); err != nil {
				return err
			}
		}
		return w.Close()
	}
}

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
		for a, err := range c.attributes(c.r.Context(), q) {
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
		for a, err := range c.attributes(c.r.Context(), q) {
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
