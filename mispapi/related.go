package mispapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
)

// A correlation is a join: two attributes that share a key. It is made here when
// somebody asks, for whoever asks, and up to a bound, which X-Related-Events tells.
const (
	maxRelatedKeys = 2_000 // of one event
	maxRelatedHits = 10_000
)

// related returns the events that the viewer may see and that claim something
// that e claims.
func (c *call) related(e *tocsin.Event) ([]*tocsin.Event, error) {
	if e.NoCorrelate {
		return nil, nil
	}
	keys := map[indicator.Key]bool{}
	whole := true
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Events: []int64{e.ID}}) {
		if err != nil {
			return nil, err
		}
		if whole = c.collectKeys(keys, &a); !whole {
			break
		}
	}
	return c.relatedBy(e, keys, whole)
}

// collectKeys adds an attribute's keys, until there are enough.
func (c *call) collectKeys(keys map[indicator.Key]bool, a *tocsin.Attribute) bool {
	for _, k := range c.correlating(a) {
		keys[k] = true
	}
	return len(keys) < maxRelatedKeys
}

// correlating returns the keys under which an attribute correlates: what it is,
// never what it only mentions, and nothing if its value is left out of correlations.
func (c *call) correlating(a *tocsin.Attribute) []indicator.Key {
	if a.NoCorrelate || a.Deleted || !c.view.Correlates(a.Value) {
		return nil
	}
	return slices.DeleteFunc(a.Value.Keys(), func(k indicator.Key) bool { return strings.HasPrefix(string(k), "m:") })
}

// sharing returns the events in which one of keys is claimed.
func (c *call) sharing(keys map[indicator.Key]bool) (events map[int64]bool, more bool, err error) {
	asked := slices.Collect(maps.Keys(keys))
	if c.Index != nil {
		return c.Index.Sharing(c.r.Context(), c.v, asked, maxRelatedHits)
	}
	events, hits := map[int64]bool{}, 0
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Keys: asked, Limit: maxRelatedHits}) {
		if err != nil {
			return nil, false, err
		}
		hits++
		if !events[a.Event] && slices.ContainsFunc(c.correlating(&a), func(k indicator.Key) bool { return keys[k] }) {
			events[a.Event] = true
		}
	}
	return events, hits == maxRelatedHits, nil
}

func (c *call) relatedBy(e *tocsin.Event, keys map[indicator.Key]bool, whole bool) ([]*tocsin.Event, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	ids, more, err := c.sharing(keys)
	if err != nil {
		return nil, err
	}
	delete(ids, e.ID)
	if !whole || more {
		c.w.Header().Set("X-Related-Events", "partial")
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var out []*tocsin.Event
	for other, err := range c.view.Events(c.r.Context(), store.EventQuery{IDs: slices.Collect(maps.Keys(ids))}) {
		if err != nil {
			return nil, err
		}
		if !other.NoCorrelate {
			out = append(out, &other)
		}
	}
	slices.SortStableFunc(out, func(a, b *tocsin.Event) int { return cmp.Compare(b.Date, a.Date) }) // newest first, as MISP
	return out, nil
}
