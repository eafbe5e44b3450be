package mispapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"tocsin"
	"tocsin/indicator"
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
func category(c tocsin.GuardClass) string {
	if c == tocsin.Inform {
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
		ws = append(ws, warning{h.Entry, a.Value.String(), h.List.ID, title(h.List), category(h.Class)})
	}
	if ws == nil {
		return nil
	}
	b, _ := json.Marshal(ws) // strings and numbers always can be
	return b
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

// A warninglist is a list without what is on it.
type warninglist struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Version     int64  `json:"version"`
	Enabled     bool   `json:"enabled"`
	Default     bool   `json:"default"`
	Category    string `json:"category"`
}

// spelt are MISP's words for how entries are compared.
var spelt = map[string]string{vocab.Exact: "string", vocab.Beneath: "hostname", vocab.Range: "cidr", vocab.Substring: "substring", vocab.Regex: "regex", vocab.Suffix: "hostname"}

func warninglistOf(l *tocsin.GuardList) warninglist {
	return warninglist{l.ID, title(l), spelt[l.Match], l.Description, l.Version, l.Class != tocsin.Unguarded, l.Own, category(l.Class)}
}

// indexWarninglists lists the lists, the newest first.
func indexWarninglists(c *call) error {
	type row struct {
		warninglist
		Count int    `json:"warninglist_entry_count"`
		Types string `json:"valid_attributes"`
	}
	rows := []map[string]row{}
	for l := range c.view.GuardLists() {
		types := "ALL"
		for i, t := range l.Types {
			if i == 0 {
				types = t
			} else {
				types += ", " + t
			}
		}
		rows = append(rows, map[string]row{"Warninglist": {warninglistOf(l), l.Entries, types}})
	}
	slices.Reverse(rows)
	return c.reply(map[string]any{"Warninglists": rows})
}

// viewWarninglist answers with one list and what is on it.
func viewWarninglist(c *call) error {
	l, err := small[*tocsin.GuardList](c.view, c.arg(0))
	if err != nil {
		return err
	}
	packed, err := c.view.GuardEntries(c.r.Context(), l.ID)
	if err != nil {
		return err
	}
	head, err := json.Marshal(warninglistOf(l))
	if err != nil {
		return err
	}
	out := c.stream(mediaJSON)
	out.b = append(append(append(out.b, `{"Warninglist":`...), head[:len(head)-1]...), `,"WarninglistEntry":[`...)
	n := 0
	for e, err := range vocab.Unpack(packed) {
		if err != nil {
			return err
		}
		if n++; n > 1 {
			out.b = append(out.b, ',')
		}
		value, _ := json.Marshal(e)
		out.b = fmt.Appendf(out.b, `{"id":%d,"value":%s,"warninglist_id":%d,"comment":null}`, n, value, l.ID)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}}`...)
	return out.end()
}

// maxChecked is how many values one call may ask about.
const maxChecked = 10_000

// checkValues says of values which lists guard them: ["8.8.8.8"], or {"value": "8.8.8.8"}.
func checkValues(c *call) error {
	b, err := c.body()
	if err != nil {
		return err
	}
	var values []string
	var one struct{ Value json.RawMessage }
	if json.Unmarshal(b, &values) != nil && json.Unmarshal(b, &one) == nil && json.Unmarshal(one.Value, &values) != nil {
		values = make([]string, 1)
		if json.Unmarshal(one.Value, &values[0]) != nil {
			values = nil
		}
	}
	if len(values) == 0 || len(values) > maxChecked {
		return c.no(http.StatusBadRequest, tocsin.Invalid, "Invalid query, value is required.")
	}
	type hit struct {
		ID      int64  `json:"id"`
		Name    string `json:"name"`
		Matched string `json:"matched"`
	}
	found := map[string][]hit{}
	for _, text := range values {
		v, err := indicator.Detect(text)
		if err != nil || c.Guards == nil {
			continue
		}
		for _, h := range c.Guards.Hits(v) {
			found[text] = append(found[text], hit{h.List.ID, title(h.List), h.Entry})
		}
	}
	if len(found) == 0 {
		return c.reply([]hit{}) // PHP's empty object
	}
	return c.reply(found)
}
