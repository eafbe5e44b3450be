package collection

import (
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// Takes answers whether a collection takes in attribute a of event e, and why,
// in words for the person who asks. Whether it may leave to a subscriber is
// another question, for [access.Decide]; the caller has asked both of whoever
// wants to know.
func (s *Set) Takes(collection int64, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
	s.mu.RLock()
	sh, now := s.shown.collections[collection], s.shown.hour
	s.mu.RUnlock()
	no := func(why string) access.Decision { return access.Decision{Reason: why} }
	switch {
	case sh == nil || sh.matcher == nil:
		return no("the collection is still being put together")
	case a.Deleted:
		return no("it is withdrawn")
	case !a.ToIDS:
		return no("it is not marked to_ids: its owner does not ask to act on it")
	case !e.Published:
		return no("its event is not published")
	case !slices.Contains(sh.matcher.sources, e.Orgc):
		return no("its organisation is not among the collection's sources")
	}
	ev := event{label: e.Label, published: e.Published, orgc: e.Orgc, tags: e.Tags}
	if now.over(a, e.Orgc) {
		_, why := now.lifetimes.Until(a, e.Orgc)
		return no("it is over: " + why)
	}
	put, filtered := carries(a, &ev, sh.matcher.tags), sh.matcher.filtered(a, &ev, sh.labels)
	switch {
	case !put && !filtered:
		return no("it was not put into the collection, and the filter does not match it")
	case !namesHost(a):
		return no("its value names no domain or host, and what it only mentions is never blocked")
	case !fits(a, room(&sh.rec)):
		return no(TooLong.String())
	case put:
		return access.Decision{Allowed: true, Reason: "it was put into the collection by its tag"}
	}
	return access.Decision{Allowed: true, Reason: "the collection's filter matches it"}
}

func namesHost(a *tocsin.Attribute) bool {
	for _, n := range a.Value.Facets().Names {
		if _, ok := n.WireName(); ok && !instructs(n.Text) {
			return true
		}
	}
	return false
}

// fits reports whether one of the names that a claim contributes is no longer
// than room.
func fits(a *tocsin.Attribute, room int) bool {
	for _, n := range a.Value.Facets().Names {
		wire, ok := n.WireName()
		size := len(wire)
		if n.Kind == indicator.Domain {
			size += wildcard
		}
		if ok && size <= room {
			return true
		}
	}
	return false
}

// Serial is the number of the last line of the log that changed the list.
func (l List) Serial() tocsin.Seq { return l.view.line() }

// Len is the number of names.
func (l List) Len() int {
	n := 0
	l.Names(func([]byte, Trigger) bool { n++; return true })
	return n
}

// View returns the list as a zone, whose origin is that of the base zone.
func (l List) View() View { return l.view }
