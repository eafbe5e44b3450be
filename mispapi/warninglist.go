package mispapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/indicator"
	"tocsin/vocab"
)

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

// spelling is how MISP would compare a list's entries.
func spelling(l *tocsin.GuardList) string {
	if l.Declared != "" {
		return spelt[l.Declared]
	}
	return spelt[l.Match]
}

func warninglistOf(l *tocsin.GuardList) warninglist {
	return warninglist{l.ID, title(l), spelling(l), l.Description, l.Version, l.Class != tocsin.Unguarded, !l.Custom && l.Org == 0, category(l)}
}

// indexWarninglists lists the lists, the newest first.
func indexWarninglists(c *call) error {
	type row struct {
		warninglist
		Count int    `json:"warninglist_entry_count"`
		Types string `json:"valid_attributes"`
	}
	wanted, err := c.wantedLists()
	if err != nil {
		return err
	}
	rows := []map[string]row{}
	for l := range c.view.GuardLists() {
		if !wanted(l) {
			continue
		}
		rows = append(rows, map[string]row{"Warninglist": {warninglistOf(l), l.Entries, strings.Join(typesOf(l), ", ")}})
	}
	slices.Reverse(rows)
	return c.reply(map[string]any{"Warninglists": rows})
}

// typesOf are the types that a list is about.
func typesOf(l *tocsin.GuardList) []string {
	if len(l.Types) == 0 {
		return []string{"ALL"}
	}
	return l.Types
}

// wantedLists tells which lists are asked for, by a text in them or by whether they are
// enabled, in the path or in the body.
func (c *call) wantedLists() (func(*tocsin.GuardList) bool, error) {
	said, err := c.told("Warninglist")
	if err != nil {
		return nil, err
	}
	for name, value := range c.named {
		said[name] = value
	}
	text := strings.ToLower(textOf(said["value"]))
	return func(l *tocsin.GuardList) bool {
		if want, ok := said["enabled"]; ok && truthy(want) != (l.Class != tocsin.Unguarded) {
			return false
		}
		return text == "" || strings.Contains(strings.ToLower(title(l)+"\n"+l.Description), text) || spelling(l) == text
	}, nil
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
	for e, err := range vocab.UnpackNoted(packed) {
		if err != nil {
			return err
		}
		if n++; n > 1 {
			out.b = append(out.b, ',')
		}
		out.b = fmt.Appendf(out.b, `{"id":%d,"value":%s,"warninglist_id":%d,"comment":%s}`, n, quoted(e[0]), l.ID, quotedOrNull(e[1]))
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `],"WarninglistType":[`...)
	for i, t := range typesOf(l) {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = fmt.Appendf(out.b, `{"id":%d,"type":%s,"warninglist_id":%d}`, i+1, quoted(t), l.ID)
	}
	out.b = append(out.b, `]}}`...)
	return out.end()
}

func quoted(s string) []byte {
	b, _ := json.Marshal(s) // texts always can be
	return b
}

func quotedOrNull(s string) []byte {
	if s == "" {
		return []byte("null")
	}
	return quoted(s)
}

// exportWarninglist answers with a list as it is published.
func exportWarninglist(c *call) error {
	l, err := small[*tocsin.GuardList](c.view, c.arg(0))
	if err != nil {
		return err
	}
	packed, err := c.view.GuardEntries(c.r.Context(), l.ID)
	if err != nil {
		return err
	}
	head, err := json.Marshal(struct {
		Name        string   `json:"name"`
		Type        string   `json:"type"`
		Version     int64    `json:"version"`
		Description string   `json:"description"`
		Types       []string `json:"matching_attributes"`
	}{title(l), spelling(l), l.Version, l.Description, typesOf(l)})
	if err != nil {
		return err
	}
	out := c.stream(mediaJSON)
	out.b = append(append(out.b, head[:len(head)-1]...), `,"list":[`...)
	comma := false
	for e, err := range vocab.Unpack(packed) {
		if err != nil {
			return err
		}
		if comma {
			out.b = append(out.b, ',')
		}
		comma = true
		out.b = append(out.b, quoted(e)...)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}`...)
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
		for _, h := range oursLast(c.Guards.Hits(v)) {
			found[text] = append(found[text], hit{h.List.ID, title(h.List), asRange(h)})
		}
	}
	if len(found) == 0 {
		return c.reply([]hit{}) // PHP's empty object
	}
	return c.reply(found)
}
