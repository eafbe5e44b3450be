package collection

import (
	"slices"

	"tocsin"
	"tocsin/access"
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
	if a.Guarded() {
		return no(guarded(a.Guard))
	}
	ev := event{label: e.Label, published: e.Published, orgc: e.Orgc, tags: e.Tags}
	if now.over(a, e.Orgc) {
		_, why := now.lifetimes.Until(a, e.Orgc)
		return no("it is over: " + why)
	}
	why := unfit(a, room(&sh.rec))
	put, filtered := carries(a, &ev, sh.matcher.tags), sh.matcher.filtered(a, &ev, sh.labels)
	switch {
	case !put && !filtered:
		return no("it was not put into the collection, and the filter does not match it")
	case why != "":
		return no(why)
	case put:
		return access.Decision{Allowed: true, Reason: "it was put into the collection by its tag" + overridden(a)}
	}
	return access.Decision{Allowed: true, Reason: "the collection's filter matches it" + overridden(a)}
}

// overridden says why a claim is taken although it is guarded, if it is.
func overridden(a *tocsin.Attribute) string {
	if a.Guard.Class() < tocsin.Warn {
		return ""
	}
	return "; the list " + a.Guard.List() + " guards it, but its owner says: " + a.Override
}

// guarded says what keeps a claim from being blocked, and who could change that.
func guarded(v tocsin.Verdict) string {
	who := "a publisher"
	if v.Class() == tocsin.Deny {
		who = "an administrator"
	}
	return "the list " + v.List() + " guards " + v.Entry() + "; " + who + " of its owner's organisation may override that with a reason"
}

// unfit says why nothing that a claim contributes can be in a zone, "" if
// something can.
func unfit(a *tocsin.Attribute, room int) string {
	why := "its value names no domain, host or address, and what it only mentions is never blocked"
	for _, n := range contributions(a.Value, room) {
		if n.problem == 0 {
			return ""
		}
		why = n.problem.String()
	}
	return why
}

// Serial is the number of the last line of the log that changed the list.
func (l List) Serial() tocsin.Seq {
	all := l.view
	all.zone = ns
	return all.line()
}

// Len is the number of domains and hosts.
func (l List) Len() int {
	n := 0
	l.Names(func([]byte, Trigger) bool { n++; return true })
	return n
}

// View returns the list as a zone, whose origin is that of the base zone.
func (l List) View() View { return l.view }
