package mispapi

import (
	"encoding/json"

	"tocsin"
	"tocsin/indicator"
	"tocsin/misp"
	"tocsin/vocab"
)

// MISP's warninglists are guard lists here. MISP warns, and leaves it to whoever
// exports to ask that what is warned of be left out ("enforceWarninglist"). Here
// what is guarded is left out of what devices act on unless somebody asks for it.

// Guards answer which lists guard a value (package intake).
type Guards interface {
	Hits(indicator.Value) []vocab.Hit
}

// A warning is a hit as it stands beside an attribute.
type warning struct {
	Match    string `json:"match"`
	Value    string `json:"value"`
	ID       int64  `json:"warninglist_id"`
	Name     string `json:"warninglist_name"`
	Category string `json:"warninglist_category"`
}

// category is how MISP sorts lists: those that speak against an indicator, and
// those that only say what it is.
func category(l *tocsin.GuardList) string {
	if l.Known {
		return "known"
	}
	return "false_positive"
}

// title is what a list is called in MISP.
func title(l *tocsin.GuardList) string {
	if l.Title != "" {
		return l.Title
	}
	return l.Name
}

// warnings are what stands in the "warnings" of an attribute, nil where nothing
// guards it: MISP has the member only then.
func (c *call) warnings(a *tocsin.Attribute) []byte {
	if c.Guards == nil {
		return nil
	}
	var ws []warning
	for _, h := range c.Guards.Hits(a.Value) {
		ws = append(ws, warning{asRange(h), a.Value.String(), h.List.ID, title(h.List), category(h.List)})
	}
	if ws == nil {
		return nil
	}
	b, _ := json.Marshal(ws) // strings and numbers always can be
	return b
}

// guarded refuses an attribute that is not to be taken if it is guarded.
const guarded = "Attribute could not be saved as it trips over a warninglist and enforceWarninglist is enforced."

// trips reports whether a list warns of an attribute that is not to be taken then, as it
// or the path says ("enforceWarninglist"). What is no value is refused for that.
func (d *drafter) trips(a *misp.Attribute, typ string) bool {
	if d.c == nil || d.c.Guards == nil || !a.Enforce.Or(false) && !truthy(d.c.named["enforceWarninglist"]) {
		return false
	}
	v, err := indicator.Parse(typ, a.Value.Or(""))
	return err == nil && len(d.c.Guards.Hits(v)) > 0
}

// enforce leaves out what is guarded, if the client asks for that.
func (s *search) enforce() {
	if truthy(s.said["enforceWarninglist"]) {
		s.q.Guarded = new(false)
	}
}

// skipped is how many attributes were left out because they are guarded.
func (s *search) skipped(n int64) (int64, error) {
	if s.q.Guarded == nil || !truthy(s.said["enforceWarninglist"]) {
		return 0, nil
	}
	left := *s
	left.q.Guarded = nil
	all, err := left.count(s.c.r.Context())
	return all - n, err
}
