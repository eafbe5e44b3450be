package mispapi

import (
	"tocsin"
	"tocsin/store"
)

// maxExtending is how many events are shown in one that they extend.
const maxExtending = 100

// extending returns the events that extend one, as far as the viewer may see them.
func (c *call) extending(e *tocsin.Event) (out []*tocsin.Event, err error) {
	for x, err := range c.view.Events(c.r.Context(), store.EventQuery{Extends: []tocsin.UUID{e.UUID}, Limit: maxExtending}) {
		if err != nil {
			return nil, err
		}
		if x.ID != e.ID { // an event may say that it extends itself
			out = append(out, &x)
		}
	}
	return out, nil
}

// saidIn gathers what is said of events and what is in them, as one.
func (c *call) saidIn(events []*tocsin.Event, o eventOptions) (*saidOf, error) {
	all, err := c.said(events[0], o)
	if err != nil {
		return nil, err
	}
	for _, e := range events[1:] {
		more, err := c.said(e, o)
		if err != nil {
			return nil, err
		}
		all.take(more)
	}
	return all, nil
}

// take adds what is said of another event to what is said.
func (s *saidOf) take(more *saidOf) {
	for _, p := range []struct{ to, from *map[int64][]byte }{{&s.references, &more.references}, {&s.sightings, &more.sightings}, {&s.proposals, &more.proposals}} {
		if *p.to == nil {
			*p.to = map[int64][]byte{}
		}
		for at, list := range *p.from {
			(*p.to)[at] = joined((*p.to)[at], list)
		}
	}
	s.reports = joined(s.reports, more.reports)
	for l, list := range more.analysts {
		s.analysts[l] = append(s.analysts[l], list...)
	}
}

// joined makes one JSON list of two; nil is none.
func joined(a, b []byte) []byte {
	if len(a) <= len("[]") {
		return b
	}
	if len(b) <= len("[]") {
		return a
	}
	return append(append(a[:len(a)-1:len(a)-1], ','), b[1:]...)
}
