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
	"value":           (*search).byValue,
	"type":            (*search).byType,
	"category":        (*search).byCategory,
	"uuid":            (*search).byUUID,
	"to_ids":          func(s *search, n string, v any) (err error) { s.claims(); s.q.ToIDS, err = either(n, v); return err },
	"object_relation": (*search).byRelation,
	"comment":         (*search).byComment,
	"first_seen":      (*search).byFirstSeen,
	"last_seen":       (*search).byLastSeen,
	"timestamp":       (*search).byTimestamp,
	"sighted":         (*search).bySighted,

	"attribute_timestamp": (*search).byTimestamp,

	"object_name": func(s *search, n string, v any) error {
		return s.byObject(n, v, func(o *tocsin.Object) string { return o.Name })
	},
	"object_template_uuid": func(s *search, n string, v any) error {
		return s.byObject(n, v, func(o *tocsin.Object) string { return o.TemplateUUID.String() })
	},
	"object_template_version": func(s *search, n string, v any) error {
		return s.byObject(n, v, func(o *tocsin.Object) string { return itoa(int64(o.TemplateVersion)) })
	},

	"tags":       (*search).byTags,
	"tag":        (*search).byTags,
	"event_tags": (*search).byEventTags,

	"org":                 (*search).byOrg,
	"orgc_id":             (*search).byOrg,
	"eventid":             (*search).byEventID,
	"event_id":            (*search).byEventID,
	"eventinfo":           (*search).byInfo,
	"published":           (*search).byPublished,
	"threat_level_id":     (*search).byThreat,
	"sharinggroup":        (*search).byGroup,
	"event_timestamp":     (*search).byEventTimestamp,
	"publish_timestamp":   (*search).byPublishing,
	"last":                (*search).byPublishing,
	"from":                (*search).byDateFrom,
	"to":                  (*search).byDateTo,
	"date":                (*search).byDate,
	"eventsExtendingUuid": (*search).byExtended,

	"searchall":    (*search).byAnything,
	"quickFilter":  (*search).byAnythingWithin,
	"quick_filter": (*search).byAnythingWithin,
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
		return s.amongTexts(wanted)
	}
	s.q.Keys = []indicator.Key{}
	forms := anyLike(nil)
	var composite []string
	for _, text := range wanted {
		keys, whole := indicator.KeysOf(text)
		s.q.Keys = append(s.q.Keys, keys...)
		composite = append(composite, whole...)
	}
	if len(composite) > 0 { // a composite's keys are those of its sides, which others have too
		forms = anyLike(append(composite, wanted...))
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return matches(forms, a) })
	}
	return nil
}

// maxCandidates is how many attributes are asked for by number.
const maxCandidates = 100_000

// amongTexts narrows to the attributes in whose values patterns may be found, if that
// can be told without looking at each of them.
func (s *search) amongTexts(patterns []string) error {
	if s.c.Texts == nil {
		return nil
	}
	ids, ok, err := s.c.Texts.Containing(s.c.r.Context(), patterns, maxCandidates)
	if ok {
		s.q.IDs = both(s.q.IDs, ids)
		if s.q.IDs == nil {
			s.q.IDs = []int64{}
		}
	}
	return err
}

// matches asks of an attribute's value and of both sides of a composite.
func matches(is func(string) bool, a *tocsin.Attribute) bool {
	if is(a.Value.String()) {
		return true
	}
	v1, v2 := a.Value.Parts()
	return v2 != "" && (is(v1) || is(v2))
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

// byEventTags is byTags of the tags that events carry themselves.
func (s *search) byEventTags(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	any, none := s.c.tagsLike(t.or), s.c.tagsLike(t.not)
	var all []map[int64]bool
	for _, one := range t.and {
		all = append(all, s.c.tagsLike([]string{one}))
	}
	s.wantEvent(func(e *tocsin.Event) bool {
		return (len(t.or) == 0 || hasAny(e.Tags, any)) && !hasAny(e.Tags, none) &&
			!slices.ContainsFunc(all, func(ids map[int64]bool) bool { return !hasAny(e.Tags, ids) })
	})
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

func (s *search) byTimestamp(name string, v any) error {
	if s.overEvents && name == "timestamp" {
		return s.byEventTimestamp(name, v)
	}
	at, err := spanOf(name, v, s.c.db.Now())
	s.claims()
	s.q.Since, s.q.Until = at.since, at.until
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

// byFirstSeen narrows to what was first seen since a moment, or between two.
func (s *search) byFirstSeen(name string, v any) error {
	at, err := spanOf(name, v, s.c.db.Now())
	if s.overObjects {
		s.keepObject = append(s.keepObject, func(o *tocsin.Object) bool { return !o.FirstSeen.IsZero() && at.has(o.FirstSeen.Unix()) })
		return err
	}
	s.claims()
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return !a.FirstSeen.IsZero() && at.has(a.FirstSeen.Unix()) })
	return err
}

// byLastSeen narrows to what was last seen until a moment, or between two.
func (s *search) byLastSeen(name string, v any) error {
	at, err := spanOf(name, v, s.c.db.Now())
	if at.until == 0 {
		at = span{until: at.since}
	}
	if s.overObjects {
		s.keepObject = append(s.keepObject, func(o *tocsin.Object) bool { return !o.LastSeen.IsZero() && at.has(o.LastSeen.Unix()) })
		return err
	}
	s.claims()
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool { return !a.LastSeen.IsZero() && at.has(a.LastSeen.Unix()) })
	return err
}

// bySighted narrows to what somebody has sighted, as far as the viewer may know, or
// to what nobody has.
func (s *search) bySighted(name string, v any) error {
	want, err := either(name, v)
	if err != nil || want == nil {
		return err
	}
	s.claims()
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool {
		n, err := s.c.view.CountRemarks(s.c.r.Context(), tocsin.KindSighting, store.RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{a.ID}})
		return err == nil && (n > 0) == *want
	})
	return nil
}

// byObject narrows to what is in objects of which a word is one of several.
func (s *search) byObject(name string, v any, of func(*tocsin.Object) string) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	is, not := anyLike(t.positive()), anyLike(t.not)
	wanted := func(o *tocsin.Object) bool { return (len(t.positive()) == 0 || is(of(o))) && !not(of(o)) }
	if s.overObjects {
		s.keepObject = append(s.keepObject, wanted)
		return nil
	}
	s.claims()
	ids := []int64{}
	for o, err := range s.c.view.Objects(s.c.r.Context(), store.ObjectQuery{Deleted: store.Any}) {
		if err != nil {
			return err
		}
		if wanted(&o) {
			ids = append(ids, o.ID)
		}
	}
	s.q.Objects = both(s.q.Objects, ids)
	return nil
}

// byCluster narrows to what carries the tag of a cluster of a galaxy that has such
// an element: {"galaxy.country": "RU"}.
func (s *search) byCluster(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	tags := s.c.clusterTags(strings.TrimPrefix(name, "galaxy."), anyLike(t.positive()))
	s.q.Tags = s.c.db.TagSets().Matching(func(ts tocsin.TagSet) bool { return hasAny(ts, tags) })
	s.events.Tags = s.q.Tags
	return nil
}

// clusterTags returns the tags of the clusters of which an element called key is
// such a value: of those that tags here stand for, and that the viewer may have.
func (c *call) clusterTags(key string, is func(string) bool) map[int64]bool {
	return c.view.TagIDs(func(tag string) bool {
		cl, ok := c.tagged(tag)
		return ok && slices.ContainsFunc(cl.Elements, func(e tocsin.Element) bool { return strings.EqualFold(e.Key, key) && is(e.Value) })
	})
}
