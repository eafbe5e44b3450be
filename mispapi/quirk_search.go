package mispapi

import (
	"net/http"
	"strings"

	"tocsin"
)

// What MISP's clients expect of searches though one would not guess it, a function each.

// unheeded are filters of which MISP 2.5 takes no notice in restSearch, so that its
// clients who send them have always been answered as if they had not. The answer
// names them in X-Ignored-Filters.
func unheeded(name string) bool { return name == "analysis" }

// unheededInIndex is the same of the index of events: MISP 2.5 knows "eventinfo"
// there, and scripts are about that ask for "info" and go through all they get.
func unheededInIndex(name string) bool { return name == "info" }

// loneNegation tells a single "!value", of which MISP 2.5 takes no notice where
// something else narrows the search: its negations stand in lists. Alone it would
// answer with everything, so there it holds.
func (s *search) loneNegation(name string, v any) bool {
	text, single := v.(string)
	if !single || name != "value" || !strings.HasPrefix(text, "!") || strings.Contains(text, "&&") {
		return false
	}
	for other, v := range s.said {
		if _, known := searchFilters[other]; known && other != name && !nothing(v) && !unheeded(other) {
			return true
		}
	}
	return false
}

// neverIfUnreadable is how MISP 2.5 takes a publish_timestamp that it can't read
// ("5x"): nothing is of such a time. PyMISP 2.5's own tests ask for that.
func (s *search) neverIfUnreadable(name string, at span, err error) (span, error) {
	if text, ok := s.said[name].(string); ok && tocsin.CodeOf(err) == tocsin.Invalid && len(text) < 16 {
		s.wantEvent(func(*tocsin.Event) bool { return false })
		return at, nil
	}
	return at, err
}

// wantsGrounds reports whether a client knows bundles in which what an indicator is based
// on stands beside it, as PyMISP 2.5.34 has them of the MISP of its time. MISP 2.5.1
// writes the indicator alone, and so is everybody else answered.
func wantsGrounds(r *http.Request) bool { return strings.HasPrefix(r.UserAgent(), "PyMISP") }

// valueIsForAll is how PyMISP 2.5 says that its value is to be looked for everywhere:
// searchall is true, and no text of its own.
func valueIsForAll(said map[string]any) {
	if all := textOf(said["searchall"]); (all == "1" || strings.EqualFold(all, "true")) && said["value"] != nil {
		said["searchall"] = said["value"]
		delete(said, "value")
	}
}
