package mispapi

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

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
	c.w.Header().Set("Content-Disposition", `attachment; filename="misp.event.`+name+"."+s.suffix(f)+`"`)
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

// eventIDs returns the events that match, in order of id: where something was
// asked of attributes, those that hold one that matches.
func (s *search) eventIDs(ctx context.Context) ([]int64, error) {
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
	o := eventOptions{deleted: s.q.Deleted, metadata: truthy(s.said["metadata"]), warned: truthy(s.said["includeWarninglistHits"]), guarded: s.q.Guarded}
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

// indexFilters are what the index of events can be narrowed by. Each name may
// have "search" before it, and its case does not matter.
var indexFilters = map[string]filter{
	"eventinfo":   func(s *search, n string, v any) error { return s.byInfo(n, contains(v)) },
	"tag":         (*search).byTags,
	"tags":        (*search).byTags,
	"attribute":   (*search).byValue,
	"org":         (*search).byOrg,
	"published":   (*search).byPublished,
	"datefrom":    searchFilters["from"],
	"dateuntil":   searchFilters["to"],
	"eventid":     func(s *search, n string, v any) error { return s.byEventID(n, piped(v)) },
	"analysis":    (*search).byAnalysis,
	"threatlevel": (*search).byThreat,
	"distribution": func(s *search, n string, v any) error {
		return s.byID(n, piped(v), func(e *tocsin.Event) int64 { return int64(e.Distribution) })
	},
	"sharinggroup": func(s *search, n string, v any) error {
		return s.byID(n, piped(v), func(e *tocsin.Event) int64 { return e.Group })
	},
	"timestamp":        (*search).byEventTimestamp,
	"publishtimestamp": (*search).byPublishing,
	"all":              (*search).byAnything,
}

// contains makes a text a pattern for whatever contains it.
func contains(v any) any {
	if s, ok := v.(string); ok {
		return "%" + strings.Trim(s, "%") + "%"
	}
	return v
}

// piped makes a list of "1|3", as the index has it.
func piped(v any) any {
	if s, ok := v.(string); ok {
		return anys(strings.Split(s, "|"))
	}
	return v
}

// byAnything narrows to events that hold a value, or whose info contains it; a
// search for attributes asks their values alone.
func (s *search) byAnything(name string, v any) error {
	if !s.overEvents {
		return s.byValue(name, v)
	}
	found := map[int64]bool{}
	inner := &search{c: s.c}
	if err := inner.byValue("all", v); err != nil {
		return err
	}
	ids, err := inner.eventsOfClaims(s.c.r.Context())
	if err != nil {
		return err
	}
	for _, id := range ids {
		found[id] = true
	}
	info := like(textOf(contains(textOf(v))))
	s.wantEvent(func(e *tocsin.Event) bool { return found[e.ID] || info(e.Info) })
	return nil
}

// indexEvents answers with the heads of events.
func indexEvents(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	s := &search{c: c, said: said, overEvents: true}
	order, err := s.readIndex()
	if err != nil {
		return c.invalid(err)
	}
	es, n, err := s.index(c.r.Context(), order)
	if err != nil {
		return c.invalid(err)
	}
	c.w.Header().Set("X-Result-Count", itoa(n))
	enc, out := c.encoder(), c.stream(mediaJSON)
	row := enc.AppendIndexRow
	if truthy(said["minimal"]) {
		row = enc.AppendMinimalRow
	}
	out.b = append(out.b, '[')
	for i := range es {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = row(out.b, &es[i], 0)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// readIndex settles what was said of the index, and refuses what nobody knows.
func (s *search) readIndex() (order func(a, b *tocsin.Event) int, err error) {
	sort, direction := "", ""
	for name, v := range s.said {
		if nothing(v) {
			continue
		}
		plain := strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(name), "search"), "_", "")
		f, known := indexFilters[plain]
		switch {
		case known:
			err = f(s, name, v)
		case plain == "limit":
			s.limit, err = count(name, v)
		case plain == "page":
			s.page, err = count(name, v)
		case plain == "sort":
			sort = textOf(v)
		case plain == "direction":
			direction = strings.ToLower(textOf(v))
		case plain == "minimal" || harmless[name] || name == "sgReferenceOnly" || !truthyOrList(v):
		default:
			err = tocsin.Errorf(tocsin.Invalid, "the index of events has no filter %q; try one of %v", name, slices.Sorted(maps.Keys(indexFilters)))
		}
		if err != nil {
			return nil, err
		}
	}
	return sortedBy(sort, direction == "desc")
}

// orders are what the index can be sorted by.
var orders = map[string]func(a, b *tocsin.Event) int{
	"id":                func(a, b *tocsin.Event) int { return cmp.Compare(a.ID, b.ID) },
	"timestamp":         func(a, b *tocsin.Event) int { return cmp.Compare(a.Timestamp, b.Timestamp) },
	"publish_timestamp": func(a, b *tocsin.Event) int { return cmp.Compare(a.PublishedAt, b.PublishedAt) },
	"date":              func(a, b *tocsin.Event) int { return cmp.Compare(a.Date, b.Date) },
	"info":              func(a, b *tocsin.Event) int { return cmp.Compare(a.Info, b.Info) },
	"attribute_count":   func(a, b *tocsin.Event) int { return cmp.Compare(a.Attributes, b.Attributes) },
	"threat_level_id":   func(a, b *tocsin.Event) int { return cmp.Compare(a.Threat, b.Threat) },
	"analysis":          func(a, b *tocsin.Event) int { return cmp.Compare(a.Analysis, b.Analysis) },
	"distribution":      func(a, b *tocsin.Event) int { return cmp.Compare(a.Distribution, b.Distribution) },
}

func sortedBy(name string, descending bool) (func(a, b *tocsin.Event) int, error) {
	name = cmp.Or(strings.TrimPrefix(strings.ToLower(name), "event."), "id")
	order, ok := orders[name]
	if !ok {
		return nil, tocsin.Errorf(tocsin.Invalid, "events can't be sorted by %q; try one of %v", name, slices.Sorted(maps.Keys(orders)))
	}
	return func(a, b *tocsin.Event) int {
		n := cmp.Or(order(a, b), cmp.Compare(a.ID, b.ID))
		if descending {
			return -n
		}
		return n
	}, nil
}

// index returns a page of the events that match, and how many there are.
func (s *search) index(ctx context.Context, order func(a, b *tocsin.Event) int) ([]tocsin.Event, int64, error) {
	ids, err := s.eventIDs(ctx)
	if err != nil || len(ids) == 0 {
		return nil, 0, err
	}
	var es []tocsin.Event
	for e, err := range s.c.view.Events(ctx, store.EventQuery{IDs: ids}) {
		if err != nil {
			return nil, 0, err
		}
		es = append(es, e)
	}
	slices.SortFunc(es, func(a, b tocsin.Event) int { return order(&a, &b) })
	n := len(es)
	es = es[min(s.offset(), int64(n)):]
	if s.limit > 0 {
		es = es[:min(s.limit, int64(len(es)))]
	}
	return es, int64(n), nil
}
