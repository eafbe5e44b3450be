package mispapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

// A toggled answer says what became of turning something on or off.
type toggled struct {
	Saved   bool   `json:"saved"`
	Success string `json:"success,omitempty"`
	Errors  string `json:"errors,omitempty"`
}

// toggleWarninglists turns lists on or off: {"id": [5, 8], "enabled": 1}, or by their
// names, {"name": ["%alexa%"]}; without "enabled" each is turned round.
func toggleWarninglists(c *call) error {
	said, err := c.told("")
	if err != nil {
		return err
	}
	if inner, ok := said["Warninglist"].(map[string]any); ok && said["id"] == nil {
		said["id"] = inner["data"]
	}
	lists := c.listsMeant(said)
	if len(lists) == 0 {
		return c.reply(toggled{Errors: "Warninglist(s) not found."})
	}
	enabled, forced := said["enabled"]
	word := ""
	seq, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		for _, l := range lists {
			on := l.Class == tocsin.Unguarded
			if forced {
				on = truthy(enabled)
			}
			if word = "disabled"; on {
				word = "enabled"
			}
			if err := turn(tx, l.ID, on); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !forced && len(lists) > 1 {
		word = "toggled"
	}
	if err := c.listsSettled(seq); err != nil {
		return err
	}
	return c.reply(toggled{Saved: true, Success: fmt.Sprintf("%d warninglist(s) %s", len(lists), word)})
}

// turn turns a list on or off. What it is when it is on is remembered.
func turn(tx *store.Tx, id int64, on bool) error {
	l, err := store.Get[*tocsin.GuardList](tx, id)
	if err != nil {
		return err
	}
	l = new(*l)
	if l.Class != tocsin.Unguarded {
		l.Usual = l.Class
	}
	l.Class = l.Turn(on)
	return tx.PutGuardList(l, nil)
}

// listsMeant are the lists of the ids or the names in a body; "%" in a name stands for
// any text.
func (c *call) listsMeant(said map[string]any) (lists []*tocsin.GuardList) {
	ids, names := anyOf(said["id"]), anyOf(said["name"])
	for i, n := range names {
		names[i] = strings.ToLower(n)
	}
	for l := range c.view.GuardLists() {
		if len(ids) > 0 && slices.Contains(ids, itoa(l.ID)) || len(ids) == 0 && listNamed(names, l) {
			lists = append(lists, l)
		}
	}
	return lists
}

// anyOf returns a scalar or a list of them as texts.
func anyOf(v any) (out []string) {
	if all, ok := v.([]any); ok {
		for _, v := range all {
			out = append(out, textOf(v))
		}
		return out
	}
	if s := textOf(v); s != "" {
		out = append(out, s)
	}
	return out
}

// listsSettled waits until what is asked next is judged by the lists as they are.
func (c *call) listsSettled(seq tocsin.Seq) error {
	f, ok := c.Guards.(store.Follower)
	if !ok {
		return nil
	}
	return c.db.Await(c.r.Context(), f.Name(), seq)
}

// enableWarninglist turns one list on or off, /warninglists/enableWarninglist/7/1, and
// sends whoever asked to it.
func enableWarninglist(c *call) error {
	l, err := small[*tocsin.GuardList](c.view, c.arg(0))
	if err != nil {
		return err
	}
	seq, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return turn(tx, l.ID, truthy(c.arg(1))) })
	if err != nil {
		return err
	}
	if err := c.listsSettled(seq); err != nil {
		return err
	}
	return c.sendTo("/warninglists/view/" + itoa(l.ID))
}

// readWarninglist reads a list out of the body, over what it was: "entries" as lines
// with remarks after "#", or as a list.
func (c *call) readWarninglist(l *vocab.List, known *bool) (said map[string]any, err error) {
	if said, err = c.told("Warninglist"); err != nil {
		return nil, err
	}
	no := func(field, why string) (map[string]any, error) {
		return nil, c.unsaved("add Warninglist", "/warninglists/add", map[string][]string{field: {why}}, nil)
	}
	for member, to := range map[string]*string{"name": &l.Title, "description": &l.Description} {
		if v, ok := said[member]; ok {
			*to = strings.TrimSpace(textOf(v))
		}
	}
	if v, ok := said["type"]; ok {
		match := ""
		for m, word := range spelt {
			if word == textOf(v) && m != vocab.Suffix {
				match = m
			}
		}
		if match == "" {
			return no("type", "Options: cidr, hostname, string, substring, regex")
		}
		l.Match = match
	}
	switch textOf(said["category"]) {
	case "":
	case "known":
		*known = true
	case "false_positive":
		*known = false
	default:
		return no("category", "Options: false_positive, known")
	}
	for _, member := range []string{"matching_attributes", "valid_attributes"} {
		if ts := anyOf(said[member]); len(ts) > 0 {
			if l.Types = ts; slices.Contains(ts, "ALL") {
				l.Types = nil
			}
		}
	}
	if es, ok := said["entries"]; ok {
		said["WarninglistEntry"] = es
	}
	if es, ok := said["WarninglistEntry"]; ok {
		if err := l.SetEntries(entriesSaid(es)); err != nil {
			return no("entries", err.Error())
		}
	}
	switch {
	case l.Title == "":
		return no("name", "Name cannot be empty.")
	case l.Description == "":
		return no("description", "Description cannot be empty.")
	case len(l.Entries) == 0:
		return no("entries", "There has to be at least one entry.")
	}
	return said, nil
}

// entriesSaid reads entries with their remarks: lines, a list of texts, or a list of
// {"value": …, "comment": …}.
func entriesSaid(v any) (entries [][2]string) {
	add := func(line string) {
		e, note, _ := strings.Cut(line, "#")
		if e = strings.TrimSpace(e); e != "" {
			entries = append(entries, [2]string{e, strings.TrimSpace(note)})
		}
	}
	switch v := v.(type) {
	case string:
		for line := range strings.Lines(v) {
			add(line)
		}
	case []any:
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				entries = append(entries, [2]string{textOf(m["value"]), textOf(m["comment"])})
			} else {
				add(textOf(e))
			}
		}
	}
	return entries
}

// keepWarninglist writes a list of the instance's own.
func (c *call) keepWarninglist(l *vocab.List, known bool, settle func(*tocsin.GuardList)) (*tocsin.GuardList, error) {
	rec := l.Record()
	rec.Known, rec.Custom = known, true
	if rec.Class = tocsin.Warn; known {
		rec.Class = tocsin.Inform
	}
	settle(rec)
	seq, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.PutGuardList(rec, l.Packed()) })
	if tocsin.CodeOf(err) == tocsin.Conflict {
		return nil, c.unsaved("add Warninglist", "/warninglists/add", map[string][]string{"name": {"Warninglist with same name already exists."}}, nil)
	}
	if err != nil {
		return nil, err
	}
	return rec, c.listsSettled(seq)
}

// addWarninglist adds a list of the instance's own. It is off unless it is said to be
// enabled.
func addWarninglist(c *call) error {
	l, known := &vocab.List{Version: 1, Match: vocab.Exact}, false
	said, err := c.readWarninglist(l, &known)
	if err != nil {
		return err
	}
	l.Name = vocab.Word(l.Title)
	rec, err := c.keepWarninglist(l, known, func(r *tocsin.GuardList) {
		if !truthy(said["enabled"]) {
			r.Class, r.Usual = tocsin.Unguarded, r.Class
		}
	})
	if err != nil {
		return err
	}
	return c.reply(map[string]warninglist{"Warninglist": warninglistOf(rec)})
}

// editWarninglist changes a list of the instance's own. Its version grows.
func editWarninglist(c *call) error {
	old, err := small[*tocsin.GuardList](c.view, c.arg(0))
	if err != nil {
		return err
	}
	if !old.Custom { // as if it were not there, as in MISP
		return tocsin.Errorf(tocsin.NotFound, "the list %s was published by others", old.Name)
	}
	l := &vocab.List{Name: old.Name, Title: old.Title, Description: old.Description, Match: old.Match, Types: old.Types, Version: old.Version + 1}
	packed, err := c.view.GuardEntries(c.r.Context(), old.ID)
	if err != nil {
		return err
	}
	var es [][2]string
	for e, err := range vocab.UnpackNoted(packed) {
		if err != nil {
			return err
		}
		es = append(es, e)
	}
	if err := l.SetEntries(es); err != nil {
		return err
	}
	known := old.Known
	said, err := c.readWarninglist(l, &known)
	if err != nil {
		return err
	}
	rec, err := c.keepWarninglist(l, known, func(r *tocsin.GuardList) {
		r.ID, r.Source = old.ID, old.Source
		if on, ok := said["enabled"]; ok && !truthy(on) || !ok && old.Class == tocsin.Unguarded {
			r.Class, r.Usual = tocsin.Unguarded, r.Class
		}
	})
	if err != nil {
		return err
	}
	return c.reply(map[string]warninglist{"Warninglist": warninglistOf(rec)})
}

// deleteWarninglist removes a list.
func deleteWarninglist(c *call) error {
	l, err := small[*tocsin.GuardList](c.view, c.arg(0))
	if err != nil {
		return err
	}
	seq, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.RemoveGuardList(l.ID) })
	if err != nil {
		return err
	}
	if err := c.listsSettled(seq); err != nil {
		return err
	}
	return c.done("Warninglist successfully deleted.", "/warninglists/delete/"+c.arg(0), c.arg(0))
}

// importWarninglist adds a list as it is published, or replaces one of the instance's
// own that is called so.
func importWarninglist(c *call) error {
	b, err := c.body()
	if err != nil {
		return err
	}
	said, err := decodeObject(b)
	if err != nil {
		return c.because(http.StatusBadRequest, tocsin.Invalid, "No valid data received.", err.Error())
	}
	for _, field := range []string{"name", "type", "version", "description", "matching_attributes", "list"} {
		if said[field] == nil {
			return c.no(http.StatusBadRequest, tocsin.Invalid, fmt.Sprintf("No valid data received: field `%s` is missing.", field))
		}
	}
	l, _, err := vocab.Read(vocab.Word(textOf(said["name"])), strings.NewReader(string(b)))
	if err != nil {
		return c.unsaved("import Warninglist", "/warninglists/import", err.Error(), nil)
	}
	old, err := store.ByName[*tocsin.GuardList](c.view, l.Name)
	if err == nil && !old.Custom {
		return c.unsaved("import Warninglist", "/warninglists/import", "It is not possible to modify default warninglist.", nil)
	}
	rec, err := c.keepWarninglist(l, false, func(r *tocsin.GuardList) {
		if old == nil {
			r.Class, r.Usual = tocsin.Unguarded, r.Class
			return
		}
		r.ID, r.Class, r.Usual, r.Known = old.ID, old.Class, old.Usual, old.Known
	})
	if err != nil {
		return err
	}
	return c.done("Warninglist imported", "/warninglists/import/"+itoa(rec.ID), rec.ID)
}

var noListThere = answer{http.StatusNotFound, "Warninglist not found."}
