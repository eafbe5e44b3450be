package mispapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/store"
)

// A form is the body of a call that makes or changes one small record. What the body
// does not name stays as it is. What can't be read is kept in errors, by member, and
// nothing is written then.
type form struct {
	members map[string]any
	errors  map[string][]string
}

// maxText is how long a text of a small record may be.
const maxText = 64 << 10

// form reads the body, with what stands in a member named as the record is ("User")
// taken out of it: clients send both. No body at all is a form that names nothing.
func (c *call) form(record string) (*form, error) {
	b, err := c.body()
	if err != nil {
		return nil, err
	}
	f := &form{map[string]any{}, map[string][]string{}}
	if strings.TrimSpace(string(b)) == "" {
		return f, nil
	}
	if f.members, err = decodeObject(b); err != nil {
		return nil, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	for _, name := range []string{"request", record} {
		if inner, ok := f.members[name].(map[string]any); ok {
			f.members = inner
		}
	}
	return f, nil
}

// has reports whether the body names a member, and not as null.
func (f *form) has(name string) bool { return f.members[name] != nil }

// refuse says what is wrong with a member.
func (f *form) refuse(name, sentence string) { f.errors[name] = append(f.errors[name], sentence) }

// sound reports whether nothing was refused.
func (f *form) sound() bool { return len(f.errors) == 0 }

// text reads a text, without the space around it.
func (f *form) text(name string, into *string) {
	v, ok := f.members[name]
	if !ok || v == nil {
		return
	}
	switch v.(type) {
	case map[string]any, []any:
		f.refuse(name, "This is a text.")
		return
	}
	switch s := textOf(v); {
	case len(s) > maxText:
		f.refuse(name, fmt.Sprintf("This is longer than %d characters.", maxText))
	case strings.ContainsRune(s, 0):
		f.refuse(name, "This holds an octet that no text holds.")
	default:
		*into = strings.TrimSpace(s)
	}
}

// flag reads a switch.
func (f *form) flag(name string, into *bool) {
	if f.has(name) {
		*into = truthy(f.members[name])
	}
}

// number reads a number that is not negative, or its digits in a text.
func (f *form) number(name string, into *int64) {
	if !f.has(name) {
		return
	}
	text := strings.TrimSpace(textOf(f.members[name]))
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case text == "":
		*into = 0
	case err != nil || n < 0:
		f.refuse(name, "This is a number that is not negative.")
	default:
		*into = n
	}
}

// among reads a text that is one of some.
func (f *form) among(name string, into *string, some ...string) {
	was := *into
	f.text(name, into)
	if !slices.Contains(some, *into) && *into != was {
		f.refuse(name, fmt.Sprintf("Invalid value. Options: %s.", strings.Join(some, ", ")))
		*into = was
	}
}

// texts reads a list of texts, or one text with a line for each.
func (f *form) texts(name string, into *[]string) {
	v, ok := f.members[name]
	if !ok {
		return
	}
	var out []string
	switch v := v.(type) {
	case nil:
	case []any:
		for _, e := range v {
			out = append(out, textOf(e))
		}
	default:
		out = strings.FieldsFunc(textOf(v), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' })
	}
	for i := range out {
		out[i] = strings.TrimSpace(out[i])
	}
	*into = slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// unsavedForm says what was refused of a form.
func (c *call) unsavedForm(what string, f *form, id any) error {
	return c.unsaved(what, c.r.URL.Path, f.errors, id)
}

// keep writes what a form asks for. Where another record has what no two may have, it
// says so of a member.
func (c *call) keep(what string, f *form, member, taken string, write func(*store.Tx) error) error {
	if !f.sound() {
		return c.unsavedForm(what, f, nil)
	}
	_, err := c.db.Apply(c.r.Context(), c.v, write)
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict:
		f.refuse(member, taken)
	case tocsin.Invalid:
		f.refuse(member, err.Error())
	default:
		return err
	}
	return c.unsavedForm(what, f, nil)
}

// option is what the path (name:value) or the query says of an option of a list.
func (c *call) option(name string) string {
	if v, ok := c.named[name]; ok {
		return v
	}
	return c.r.URL.Query().Get(name)
}

// page cuts a list of rows to the page that was asked for, all of them where none was.
func (c *call) page(rows []any) []any {
	limit, _ := strconv.Atoi(c.option("limit"))
	if limit <= 0 || limit > len(rows) && c.option("page") == "" {
		return rows
	}
	page, _ := strconv.Atoi(c.option("page"))
	if page = max(page, 1) - 1; page > len(rows)/limit {
		return []any{}
	}
	return rows[page*limit : min(len(rows), (page+1)*limit)]
}

// time reads a time: a date, a date and time of day, or seconds since 1970. Zero, an
// empty text and null say that there is none.
func (f *form) time(name string, into *time.Time) {
	v, ok := f.members[name]
	if !ok {
		return
	}
	text := strings.TrimSpace(textOf(v))
	if v == nil || text == "" || text == "0" {
		*into = time.Time{}
		return
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1<<40 {
		*into = time.Unix(n, 0).UTC()
		return
	}
	for _, layout := range []string{time.DateOnly, time.DateTime, time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			*into = t.UTC()
			return
		}
	}
	f.refuse(name, "This is a date as in 2030-12-31, or seconds since 1970.")
}
