package mispapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// searchObjects answers with objects and their attributes: those that match by
// themselves, by their event, and by an attribute that they hold.
func searchObjects(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	positional(said, c.args)
	c.allTags = truthy(said["includeAllTags"])
	s := &search{c: c, said: said, overObjects: true}
	if err := s.read(); err != nil {
		return c.invalid(err)
	}
	s.format = cmp.Or(textOf(said["returnFormat"]), "json")
	if s.format != "json" && s.format != "count" {
		return c.no(http.StatusNotFound, tocsin.Invalid, "Invalid output format.")
	}
	c.leaveOutAllowed()
	found, err := s.objects(c.r.Context())
	if err != nil {
		return c.invalid(err)
	}
	f := formats[s.format]
	s.announce(f, int64(len(found)))
	out := c.stream(f.Media)
	if s.format == "count" {
		out.b = append(out.b, itoa(int64(len(found)))...)
		return out.end()
	}
	found = found[min(s.offset(), int64(len(found))):]
	if s.limit > 0 {
		found = found[:min(s.limit, int64(len(found)))]
	}
	if err := s.writeObjects(out, found); err != nil {
		return err
	}
	return out.end()
}

// objects returns the objects that match, in the order that was asked for.
func (s *search) objects(ctx context.Context) (found []tocsin.Object, err error) {
	s.byEvent = s.byEvent || s.events.Orgs != nil || s.events.Published != nil
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	var holding map[int64]bool
	if s.byClaim || len(s.keep) > 0 || s.q.Tags != nil || s.q.NotTags != nil {
		holding = map[int64]bool{}
		for a, err := range s.matching(ctx, s.q) {
			if err != nil {
				return nil, err
			}
			holding[a.Object] = true
		}
	}
	for o, err := range s.c.view.Objects(ctx, store.ObjectQuery{IDs: s.q.Objects, Events: s.q.Events, Deleted: s.q.Deleted}) {
		if err != nil {
			return nil, err
		}
		if (holding == nil || holding[o.ID]) && !slices.ContainsFunc(s.keepObject, func(keep func(*tocsin.Object) bool) bool { return !keep(&o) }) {
			found = append(found, o)
		}
	}
	if s.byObjectOrder != nil {
		slices.SortStableFunc(found, func(a, b tocsin.Object) int { return s.byObjectOrder(&a, &b) })
	}
	return found, nil
}

// byObjectUUIDs narrows to the objects of these uuids, or those that hold their attributes.
func (s *search) byObjectUUIDs(us []tocsin.UUID) error {
	ids := []int64{}
	for o, err := range s.c.view.Objects(s.c.r.Context(), store.ObjectQuery{UUIDs: us, Deleted: store.Any}) {
		if err != nil {
			return err
		}
		ids = append(ids, o.ID)
	}
	for a, err := range s.c.view.Attributes(s.c.r.Context(), store.Query{UUIDs: us, Deleted: store.Any}) {
		if err != nil {
			return err
		}
		ids = append(ids, a.Object)
	}
	s.q.Objects = both(s.q.Objects, ids)
	return nil
}

// objectOrders are what objects can be put in order by.
var objectOrders = map[string]func(a, b *tocsin.Object) int{
	"id":            func(a, b *tocsin.Object) int { return cmp.Compare(a.ID, b.ID) },
	"event_id":      func(a, b *tocsin.Object) int { return cmp.Compare(a.Event, b.Event) },
	"name":          func(a, b *tocsin.Object) int { return cmp.Compare(a.Name, b.Name) },
	"meta-category": func(a, b *tocsin.Object) int { return cmp.Compare(a.MetaCategory, b.MetaCategory) },
	"timestamp":     func(a, b *tocsin.Object) int { return cmp.Compare(a.Timestamp, b.Timestamp) },
	"distribution":  func(a, b *tocsin.Object) int { return cmp.Compare(a.Distribution, b.Distribution) },
	"first_seen":    func(a, b *tocsin.Object) int { return a.FirstSeen.Compare(b.FirstSeen) },
	"last_seen":     func(a, b *tocsin.Object) int { return a.LastSeen.Compare(b.LastSeen) },
}

// readObjectOrder reads the order of objects.
func (s *search) readObjectOrder() error {
	ws, err := wishes(s.said["order"], "object")
	for _, w := range ws {
		of, ok := objectOrders[w.column]
		if !ok {
			return noColumn("order", w.column, objectOrders)
		}
		before := s.byObjectOrder
		s.byObjectOrder = func(a, b *tocsin.Object) int {
			if before != nil {
				if n := before(a, b); n != 0 {
					return n
				}
			}
			if w.desc {
				return of(b, a)
			}
			return of(a, b)
		}
	}
	return err
}

func (s *search) writeObjects(out *stream, found []tocsin.Object) error {
	out.b = append(out.b, `{"response":[`...)
	enc, first := s.c.encoder(), true
	for i := range found {
		o := &found[i]
		e := s.c.eventOf(&tocsin.Attribute{Event: o.Event})
		if e == nil {
			continue // it was deleted since the search began
		}
		var as []tocsin.Attribute
		if !truthy(s.said["metadata"]) {
			as = []tocsin.Attribute{}
			for a, err := range s.c.attributes(s.c.r.Context(), store.Query{Objects: []int64{o.ID}, Deleted: s.q.Deleted}) {
				if err != nil {
					return err
				}
				as = append(as, a)
			}
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = append(enc.AppendObject(append(out.b, `{"Object":`...), o, e, as, misp.FoundInObject), '}')
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}`...)
	return nil
}
