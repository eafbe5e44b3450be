package mispapi

import (
	"maps"
	"slices"

	"tocsin"
	"tocsin/store"
)

// What can be asked of events.

// byOrg narrows to events that organisations have created: by name, id or uuid.
func (s *search) byOrg(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	is, not := anyLike(t.positive()), anyLike(t.not)
	named := func(o *tocsin.Organisation, is func(string) bool) bool {
		return is(o.Name) || is(o.UUID.String()) || is(itoa(o.ID))
	}
	orgs := []int64{}
	for o := range s.c.view.Organisations() {
		if (len(t.positive()) == 0 || named(o, is)) && !named(o, not) {
			orgs = append(orgs, o.ID)
		}
	}
	s.q.Orgs, s.events.Orgs = orgs, orgs
	return nil
}

func (s *search) byEventID(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	if len(t.not) > 0 {
		not := anyLike(t.not)
		s.wantEvent(func(e *tocsin.Event) bool { return !not(itoa(e.ID)) && !not(e.UUID.String()) })
	}
	if len(t.positive()) == 0 {
		return nil
	}
	s.byNumber = len(t.positive()) > 1
	ids := []int64{}
	for _, text := range t.positive() {
		switch e, err := s.c.event(text); {
		case err == nil:
			ids = append(ids, e.ID)
		case tocsin.CodeOf(err) != tocsin.NotFound:
			return err
		}
	}
	s.q.Events = both(s.q.Events, ids)
	s.events.IDs = both(s.events.IDs, ids)
	return nil
}

// byUUID narrows to the events and attributes of these uuids: MISP asks both.
func (s *search) byUUID(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	if len(t.not) > 0 {
		not := anyLike(t.not)
		s.wantEvent(func(e *tocsin.Event) bool { return !not(e.UUID.String()) })
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return !not(a.UUID.String()) })
	}
	if len(t.positive()) == 0 {
		return nil
	}
	us := map[tocsin.UUID]bool{}
	for _, text := range t.positive() {
		if u := refOf(text).uuid; !u.IsZero() {
			us[u] = true
		}
	}
	return s.byUUIDs(slices.AppendSeq([]tocsin.UUID{}, maps.Keys(us))) // none is not all
}

func (s *search) byUUIDs(us []tocsin.UUID) error {
	events := []int64{}
	for e, err := range s.c.view.Events(s.c.r.Context(), store.EventQuery{UUIDs: us}) {
		if err != nil {
			return err
		}
		events = append(events, e.ID)
	}
	switch len(events) {
	case 0:
		if s.overObjects {
			return s.byObjectUUIDs(us)
		}
		s.claims()
		s.q.UUIDs = us
		return nil
	case len(us):
		s.q.Events, s.events.IDs = both(s.q.Events, events), both(s.events.IDs, events)
		return nil
	}
	// Some are events' and some attributes': what is in either.
	wanted := map[int64]bool{}
	for _, id := range events {
		wanted[id] = true
	}
	within := slices.Clone(events)
	for a, err := range s.c.view.Attributes(s.c.r.Context(), store.Query{UUIDs: us, Deleted: store.Any}) {
		if err != nil {
			return err
		}
		within = append(within, a.Event)
	}
	s.q.Events = both(s.q.Events, within)
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return wanted[a.Event] || slices.Contains(us, a.UUID) })
	return nil
}

func (s *search) byPublished(name string, v any) (err error) {
	s.q.Published, err = either(name, v)
	s.events.Published = s.q.Published
	return err
}

func (s *search) byEventTimestamp(name string, v any) error {
	at, err := spanOf(name, v, s.c.db.Now())
	s.byEvent = true
	s.events.Since, s.events.Until = at.since, at.until
	return err
}

func (s *search) byPublishing(name string, v any) error {
	at, err := spanOf(name, v, s.c.db.Now())
	at, err = s.neverIfUnreadable(name, at, err)
	s.wantEvent(func(e *tocsin.Event) bool { return at.has(e.PublishedAt) })
	return err
}

func (s *search) byDateFrom(name string, v any) (err error) {
	s.byEvent = true
	s.events.DateFrom, err = date(name, v)
	return err
}

func (s *search) byDateTo(name string, v any) (err error) {
	s.byEvent = true
	s.events.DateTo, err = date(name, v)
	return err
}

func (s *search) byDate(name string, v any) error {
	ss, err := scalars(name, v)
	if err != nil || len(ss) == 0 {
		return err
	}
	s.byEvent = true
	if s.events.DateFrom, err = date(name, ss[0]); err == nil && len(ss) > 1 {
		s.events.DateTo, err = date(name, ss[1])
	}
	return err
}

func (s *search) byInfo(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	is, not := anyLike(eitherSlash(t.positive())), anyLike(eitherSlash(t.not))
	s.wantEvent(func(e *tocsin.Event) bool { return (len(t.positive()) == 0 || is(e.Info)) && !not(e.Info) })
	return nil
}

// wantEvent asks something of each event.
func (s *search) wantEvent(keep func(*tocsin.Event) bool) {
	s.byEvent = true
	s.keepEvent = append(s.keepEvent, keep)
}

func (s *search) byThreat(name string, v any) error {
	return s.byID(name, v, func(e *tocsin.Event) int64 { return int64(e.Threat) })
}

func (s *search) byAnalysis(name string, v any) error {
	return s.byID(name, v, func(e *tocsin.Event) int64 { return int64(e.Analysis) })
}

// byID narrows to events of which a number is one of several.
func (s *search) byID(name string, v any, of func(*tocsin.Event) int64) error {
	t, err := termsOf(name, v)
	s.wantEvent(func(e *tocsin.Event) bool {
		n := itoa(of(e))
		return (len(t.positive()) == 0 || slices.Contains(t.positive(), n)) && !slices.Contains(t.not, n)
	})
	return err
}

// byGroup narrows to what is shared with sharing groups: the attribute or its event.
func (s *search) byGroup(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	in := func(id int64) bool {
		return (len(t.positive()) == 0 || slices.Contains(t.positive(), itoa(id))) && !slices.Contains(t.not, itoa(id))
	}
	if s.overEvents {
		s.wantEvent(func(e *tocsin.Event) bool { return in(e.Group) })
		return nil
	}
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool {
		if a.Group != 0 {
			return in(a.Group)
		}
		e := s.c.eventOf(a)
		return e != nil && in(e.Group)
	})
	return nil
}

// byExtended narrows to the events that extend others, which are named by id or uuid.
func (s *search) byExtended(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	extended := map[tocsin.UUID]bool{}
	for _, text := range t.positive() {
		f := refOf(text)
		if e, err := s.c.event(text); err == nil {
			f.uuid = e.UUID
		}
		if !f.uuid.IsZero() {
			extended[f.uuid] = true
		}
	}
	s.wantEvent(func(e *tocsin.Event) bool { return extended[e.Extends] })
	return nil
}
