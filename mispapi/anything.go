package mispapi

import (
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

// byAnything looks for a text in the info and the tags of events and in the values,
// comments and tags of attributes: all of it, or as a pattern with "%".
func (s *search) byAnything(name string, v any) error {
	t, err := termsOf(name, v)
	if err != nil {
		return err
	}
	if len(t.positive()) == 0 {
		return tocsin.Errorf(tocsin.Invalid, "%s: there is nothing to look for", name)
	}
	return s.anything(t.positive())
}

// byAnythingWithin is byAnything for whatever contains the text.
func (s *search) byAnythingWithin(name string, v any) error {
	return s.byAnything(name, contains(textOf(v)))
}

func (s *search) anything(patterns []string) error {
	is, tags := anyLike(patterns), s.c.tagsLike(patterns)
	claim := func(a *tocsin.Attribute) bool { return matches(is, a) || is(a.Comment) || hasAny(a.Tags, tags) }
	event := func(e *tocsin.Event) bool {
		return is(e.Info) || hasAny(e.Tags, tags) || is(s.c.briefOrg(e.Orgc).Name)
	}
	if !s.overEvents {
		s.keep = append(s.keep, func(a *tocsin.Attribute) bool {
			if claim(a) {
				return true
			}
			e := s.c.eventOf(a)
			return e != nil && event(e)
		})
		return nil
	}
	found := map[int64]bool{}
	for a, err := range s.c.view.Attributes(s.c.r.Context(), store.Query{}) {
		if err != nil {
			return err
		}
		if !found[a.Event] && claim(&a) {
			found[a.Event] = true
		}
	}
	s.wantEvent(func(e *tocsin.Event) bool { return found[e.ID] || event(e) })
	return nil
}

// contains makes a text a pattern for whatever contains it, and each of a list.
func contains(v any) any {
	switch v := v.(type) {
	case string:
		if rest, not := strings.CutPrefix(v, "!"); not {
			return "!%" + strings.Trim(rest, "%") + "%"
		}
		return "%" + strings.Trim(v, "%") + "%"
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = contains(out[i])
		}
		return out
	}
	return v
}
