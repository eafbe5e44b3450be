package mispapi

import (
	"slices"
	"strings"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
)

// A filter narrows a search by what a client said of one thing.
type filter func(*search, string, any) error

// searchFilters is all that can be asked for by name.
var searchFilters = map[string]filter{
	"value":               (*search).byValue,
	"type":                (*search).byType,
	"category":            (*search).byCategory,
	"org":                 (*search).byOrg,
	"tags":                (*search).byTags,
	"tag":                 (*search).byTags,
	"eventid":             (*search).byEventID,
	"event_id":            (*search).byEventID,
	"uuid":                (*search).byUUID,
	"to_ids":              func(s *search, n string, v any) (err error) { s.claims(); s.q.ToIDS, err = either(n, v); return err },
	"published":           (*search).byPublished,
	"timestamp":           (*search).byTimestamp,
	"attribute_timestamp": (*search).byTimestamp,
	"event_timestamp":     (*search).byEventTimestamp,
	"publish_timestamp":   (*search).byPublishing,
	"last":                (*search).byPublishing,
	"from": func(s *search, n string, v any) (err error) {
		s.byEvent = true
		s.events.DateFrom, err = date(n, v)
		return err
	},
	"to": func(s *search, n string, v any) (err error) {
		s.byEvent = true
		s.events.DateTo, err = date(n, v)
		return err
	},
	"date":            (*search).byDate,
	"eventinfo":       (*search).byInfo,
	"threat_level_id": (*search).byThreat,
	"analysis":        (*search).byAnalysis,
	"object_relation": (*search).byRelation,
	"comment":         (*search).byComment,
	"first_seen":      (*search).byFirstSeen,
	"searchall":       (*search).byAnything,
}

// byValue narrows to a value: whatever type it may be of, in its normal form, so
// that it is found as quickly among millions. "%" stands for any text, and is
// asked of each attribute.
func (s *search) byValue(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	s.claims()
	if len(t.not) > 0 {
		not := anyLike(t.not)
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return !matches(not, a) })
	}
	// No attribute has two values, so all of a list means any of it, as in MISP.
	wanted := t.positive()
	if len(wanted) == 0 {
		return nil
	}
	if slices.ContainsFunc(wanted, func(s string) bool { return strings.Contains(s, "%") }) {
		is := anyLike(wanted)
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return matches(is, a) })
		return nil
	}
	s.q.Keys = []indicator.Key{}
	forms := anyLike(nil)
	var composite []string
	for _, text := range wanted {
		keys, whole := keysOf(text)
		s.q.Keys = append(s.q.Keys, keys...)
		composite = append(composite, whole...)
	}
	if len(composite) > 0 { // a composite's keys are those of its sides, which others have too
		forms = anyLike(append(composite, wanted...))
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return matches(forms, a) })
	}
	return nil
}

// matches asks of an attribute's value and of both sides of a composite.
func matches(is func(string) bool, a *tocsin.Attribute) bool {
	if is(a.Value.String()) {
		return true
	}
	v1, v2 := a.Value.Parts()
	return v2 != "" && (is(v1) || is(v2))
}

// keysOf returns the keys under which text may be found, as a value of each type
// that it can be of, and its normal forms where it is a composite. What only
// mentions it is under other keys.
func keysOf(text string) (keys []indicator.Key, composite []string) {
	seen := map[indicator.Key]bool{}
	for _, t := range indicator.Types() {
		v, err := t.Parse(text)
		if err != nil {
			continue
		}
		if _, second := v.Parts(); second != "" {
			composite = append(composite, v.String())
		}
		for _, k := range v.Keys() {
			if !seen[k] && !strings.HasPrefix(string(k), "m:") {
				seen[k] = true
				keys = append(keys, k)
			}
		}
	}
	return keys, composite
}

func (s *search) byType(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	s.claims()
	is, not := anyLike(t.positive()), anyLike(t.not)
	s.q.Types = []uint16{}
	for _, typ := range indicator.Types() {
		if (len(t.positive()) == 0 || is(typ.Name)) && !not(typ.Name) {
			s.q.Types = append(s.q.Types, typ.ID)
		}
	}
	return nil
}

func (s *search) byCategory(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	s.claims()
	is, not := anyLike(t.positive()), anyLike(t.not)
	s.q.Categories = []indicator.Category{}
	for i, n := range indicator.Categories() {
		if (len(t.positive()) == 0 || is(n)) && !not(n) {
			s.q.Categories = append(s.q.Categories, indicator.Category(i+1))
		}
	}
	return nil
}

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

// byTags narrows to what carries tags, itself or by its event: any of or, all of
// and, none of not. "%" stands for any text.
func (s *search) byTags(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	sets := s.c.db.TagSets()
	if len(t.or)+len(t.and) > 0 {
		any := s.c.tagsLike(t.positive())
		s.q.Tags = sets.Matching(func(ts tocsin.TagSet) bool { return hasAny(ts, any) })
	}
	if len(t.not) > 0 {
		none := s.c.tagsLike(t.not)
		s.q.NotTags = sets.Matching(func(ts tocsin.TagSet) bool { return hasAny(ts, none) })
	}
	for _, one := range t.and {
		ids := s.c.tagsLike([]string{one})
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool {
			e := s.c.eventOf(a)
			return hasAny(a.Tags, ids) || e != nil && hasAny(e.Tags, ids)
		})
	}
	s.events.Tags, s.events.NotTags = s.q.Tags, s.q.NotTags
	return nil
}

// tagsLike returns the ids of the tags with such names.
func (c *call) tagsLike(names []string) map[int64]bool {
	return c.view.TagIDs(anyLike(names))
}

func hasAny(ts tocsin.TagSet, ids map[int64]bool) bool {
	for at := range ts.All() {
		if ids[at.Tag] {
			return true
		}
	}
	return false
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

// byUUID narrows to attributes or events of these uuids: MISP asks both.
func (s *search) byUUID(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	if len(t.not) > 0 {
		return tocsin.Errorf(tocsin.Invalid, "uuid can't be excluded")
	}
	us := []tocsin.UUID{}
	for _, text := range t.positive() {
		if u := refOf(text).uuid; !u.IsZero() {
			us = append(us, u)
		}
	}
	ids := []int64{}
	for e, err := range s.c.view.Events(s.c.r.Context(), store.EventQuery{UUIDs: us}) {
		if err != nil {
			return err
		}
		ids = append(ids, e.ID)
	}
	switch {
	case len(ids) == 0:
		s.claims()
		s.q.UUIDs = us
	case len(ids) == len(us):
		s.q.Events, s.events.IDs = both(s.q.Events, ids), both(s.events.IDs, ids)
	default:
		return tocsin.Errorf(tocsin.Invalid, "some of the uuids are events' and some are not; ask for them in two calls")
	}
	return nil
}

// both returns what is in both lists; one that is nil does not narrow.
func both(a, b []int64) []int64 {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	in := make(map[int64]bool, len(b))
	for _, id := range b {
		in[id] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(id int64) bool { return !in[id] })
}

func (s *search) byPublished(name string, v any) (err error) {
	s.q.Published, err = either(name, v)
	s.events.Published = s.q.Published
	return err
}

func (s *search) byTimestamp(name string, v any) error {
	if s.overEvents && name == "timestamp" {
		return s.byEventTimestamp(name, v)
	}
	at, err := spanOf(name, v, s.c.db.Now())
	s.claims()
	s.q.Since, s.q.Until = at.since, at.until
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
	s.wantEvent(func(e *tocsin.Event) bool { return at.has(e.PublishedAt) })
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
	is, not := anyLike(t.positive()), anyLike(t.not)
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

func (s *search) byRelation(name string, v any) error {
	return s.byText(name, v, func(a *tocsin.Attribute) string { return a.Relation })
}

func (s *search) byComment(name string, v any) error {
	return s.byText(name, v, func(a *tocsin.Attribute) string { return a.Comment })
}

func (s *search) byText(name string, v any, of func(*tocsin.Attribute) string) error {
	t, err := termsOf(name, v)
	s.claims()
	is, not := anyLike(t.positive()), anyLike(t.not)
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return (len(t.positive()) == 0 || is(of(a))) && !not(of(a)) })
	return err
}

func (s *search) byFirstSeen(name string, v any) error {
	at, err := spanOf(name, v, s.c.db.Now())
	s.claims()
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return !a.FirstSeen.IsZero() && at.has(a.FirstSeen.Unix()) })
	return err
}
