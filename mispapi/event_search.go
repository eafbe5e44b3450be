package mispapi

import (
	"context"
	"maps"
	"slices"

	"tocsin"
	"tocsin/store"
)

// searchEvents answers with whole events, one after the other.
func searchEvents(c *call) error {
	s, err := c.newSearch(true)
	if err != nil {
		return err
	}
	return s.answerEvents()
}

func (s *search) answerEvents() error {
	c, f := s.c, formats[s.format]
	s.suit(f)
	c.leaveOutAllowed()
	ids, err := s.eventIDs(c.r.Context())
	if err != nil {
		return c.invalid(err)
	}
	s.announce(f, int64(len(ids)))
	s.found = int64(len(ids))
	name := "list"
	if e, err := c.event(textOf(s.said["eventid"])); err == nil {
		name = itoa(e.ID)
	}
	if !f.Page {
		c.w.Header().Set("Content-Disposition", `attachment; filename="misp.event.`+name+"."+s.suffix(f)+`"`)
	}
	page, out := s.pageOf(ids), c.stream(f.Media)
	if f.events != nil {
		err = f.events(s, out, page)
	} else {
		err = s.export(f, out, page)
	}
	if err != nil {
		return c.invalid(err)
	}
	return out.end()
}

// eventIDs returns the events that match, in the order that was asked for: where
// something was asked of attributes, those that hold one that matches.
func (s *search) eventIDs(ctx context.Context) ([]int64, error) {
	ids, err := s.matchingEvents(ctx)
	if err != nil || s.sorted == nil || len(ids) == 0 {
		return ids, err
	}
	es, err := s.inOrder(ctx, ids)
	for i := range es {
		ids[i] = es[i].ID
	}
	return ids[:len(es)], err
}

// inOrder returns events in the order that was asked for.
func (s *search) inOrder(ctx context.Context, ids []int64) (es []tocsin.Event, err error) {
	for e, err := range s.c.view.Events(ctx, store.EventQuery{IDs: ids}) {
		if err != nil {
			return nil, err
		}
		es = append(es, e)
	}
	if s.sorted != nil {
		slices.SortFunc(es, func(a, b tocsin.Event) int { return s.sorted(&a, &b) })
	}
	return es, nil
}

func (s *search) matchingEvents(ctx context.Context) ([]int64, error) {
	if s.byClaim || len(s.keep) > 0 || s.q.Tags != nil || s.q.NotTags != nil {
		return s.eventsOfClaims(ctx)
	}
	ids := []int64{}
	q := s.events
	if s.q.Events != nil {
		q.IDs = both(q.IDs, s.q.Events)
	}
	for e, err := range s.c.view.Events(ctx, q) {
		if err != nil {
			return nil, err
		}
		if s.wants(&e) {
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}

func (s *search) eventsOfClaims(ctx context.Context) ([]int64, error) {
	if err := s.settle(ctx); err != nil {
		return nil, err
	}
	found := map[int64]bool{}
	for a, err := range s.matching(ctx, s.q) {
		if err != nil {
			return nil, err
		}
		found[a.Event] = true
	}
	if !s.byClaim && len(s.keep) == 0 { // tags may be on an event that holds nothing
		q := s.events
		q.IDs = both(q.IDs, s.q.Events)
		for e, err := range s.c.view.Events(ctx, q) {
			if err != nil {
				return nil, err
			}
			if s.wants(&e) {
				found[e.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

func (s *search) pageOf(ids []int64) []int64 {
	from := min(s.offset(), int64(len(ids)))
	ids = ids[from:]
	if s.limit > 0 {
		ids = ids[:min(s.limit, int64(len(ids)))]
	}
	return ids
}

func (s *search) writeEvents(out *stream, ids []int64) error {
	o := eventOptions{deleted: s.q.Deleted, metadata: truthy(s.said["metadata"]), warned: truthy(s.said["includeWarninglistHits"]), guarded: s.q.Guarded,
		attached: truthy(s.said["withAttachments"]) || truthy(s.said["includeAttachments"]), analysts: truthy(s.said["includeAnalystData"]),
		toIDs: s.q.ToIDS, without: s.q.NotTags}
	if v, ok := s.said["includeEventCorrelations"]; ok {
		o.unrelated = !truthy(v)
	}
	out.b = append(out.b, `{"response":[`...)
	first := true
	for _, id := range ids {
		e, err := s.c.view.Event(s.c.r.Context(), id)
		if tocsin.CodeOf(err) == tocsin.NotFound && err != nil {
			continue // it was deleted since the search began
		}
		if err != nil {
			return err
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		if err := s.c.appendEvent(out, e, o); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}`...)
	return nil
}
