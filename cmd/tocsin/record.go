package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// A noun is a sort of small record that can be listed, shown and removed.
type noun interface {
	word() string // as one types it
	api() string  // as the API calls many of them
	columns() []string
}

type (
	collections   struct{}
	subscribers   struct{}
	organisations struct{}
	users         struct{}
	apiKeys       struct{}
	sharingGroups struct{}
	lifetimes     struct{}
	retentions    struct{}
)

func (collections) word() string   { return "collection" }
func (subscribers) word() string   { return "subscriber" }
func (organisations) word() string { return "org" }
func (users) word() string         { return "user" }
func (apiKeys) word() string       { return "key" }
func (sharingGroups) word() string { return "group" }
func (lifetimes) word() string     { return "lifetime" }
func (retentions) word() string    { return "retention" }

func (collections) api() string   { return "collections" }
func (subscribers) api() string   { return "subscribers" }
func (organisations) api() string { return "organisations" }
func (users) api() string         { return "users" }
func (apiKeys) api() string       { return "keys" }
func (sharingGroups) api() string { return "groups" }
func (lifetimes) api() string     { return "lifetimes" }
func (retentions) api() string    { return "retentions" }

func (collections) columns() []string {
	return []string{"name", "org_name", "zone", "hot_zone", "filter"}
}
func (subscribers) columns() []string {
	return []string{"name", "collection_name", "org_name", "allow", "notify"}
}
func (organisations) columns() []string {
	return []string{"id", "name", "sector", "nationality", "uuid"}
}
func (users) columns() []string { return []string{"email", "org_name", "role", "disabled"} }
func (apiKeys) columns() []string {
	return []string{"id", "user_email", "ends", "comment", "read_only", "expires", "tlp"}
}
func (sharingGroups) columns() []string {
	return []string{"name", "org_name", "members", "releasability"}
}
func (lifetimes) columns() []string  { return []string{"name", "days", "types", "org_names"} }
func (retentions) columns() []string { return []string{"name", "days", "org_names"} }

// A fields is a record as the API shows it. Numbers stay as they are written.
type fields map[string]any

func (f *fields) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	return d.Decode((*map[string]any)(f))
}

// listOf lists the records of a sort.
type listOf[N noun] struct {
	server
	JSON bool `help:"Answer one JSON object a line."`
}

func (listOf[N]) Help() string {
	var n N
	return fmt.Sprintf("Those that you may know of.\n\nExample:\n  tocsin %s list", n.word())
}

func (l *listOf[N]) Run(ctx context.Context, c *console) error {
	api, err := l.client()
	if err != nil {
		return err
	}
	var n N
	var all []fields
	if err := api.call(ctx, http.MethodGet, "/api/"+n.api(), nil, nil, &all); err != nil {
		return err
	}
	var rows [][]string
	for _, f := range all {
		if l.JSON {
			if err := c.json(f); err != nil {
				return err
			}
			continue
		}
		var row []string
		for _, name := range n.columns() {
			row = append(row, cell(name, f[name]))
		}
		rows = append(rows, row)
	}
	if l.JSON {
		return nil
	}
	var head []string
	for _, name := range n.columns() {
		head = append(head, strings.ToUpper(heading(name)))
	}
	return c.table(head, rows)
}

// showOf shows one record of a sort.
type showOf[N noun] struct {
	server
	Name string `arg:"" help:"Its name, or number."`
	JSON bool   `help:"Answer as one JSON object."`
}

func (showOf[N]) Help() string {
	var n N
	return fmt.Sprintf("Example:\n  tocsin %s show %s", n.word(), example(n))
}

func (s *showOf[N]) Run(ctx context.Context, c *console) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	var n N
	var f fields
	if err := api.call(ctx, http.MethodGet, path("api", n.api(), s.Name), nil, nil, &f); err != nil {
		return err
	}
	return c.record(f, s.JSON)
}

// removeOf removes one record of a sort.
type removeOf[N noun] struct {
	server
	Name string `arg:"" help:"Its name, or number."`
}

func (removeOf[N]) Help() string {
	var n N
	return fmt.Sprintf("What others still need is not removed; the answer names it.\n\nExample:\n  tocsin %s remove %s", n.word(), example(n))
}

func (r *removeOf[N]) Run(ctx context.Context, c *console) error {
	api, err := r.client()
	if err != nil {
		return err
	}
	var n N
	if err := api.call(ctx, http.MethodDelete, path("api", n.api(), r.Name), nil, nil, nil); err != nil {
		return err
	}
	c.say("removed: %s %s", n.word(), r.Name)
	return nil
}

func example(n noun) string {
	switch n.(type) {
	case collections:
		return "protect"
	case subscribers:
		return "resolver-1"
	case organisations:
		return `"Example Telecom"`
	case users:
		return "ana@example.org"
	case sharingGroups:
		return `"Operation Lantern"`
	case lifetimes:
		return "addresses"
	case retentions:
		return `"two years"`
	}
	return "3"
}

// record shows the fields of one record.
func (c *console) record(f fields, asJSON bool) error {
	if asJSON {
		return c.json(f)
	}
	names := make([]string, 0, len(f))
	for name, v := range f {
		_, instead := f[name+"_name"] // a number that a name beside it explains
		if !instead && cell(name, v) != "" {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, byPlace)
	for _, name := range names {
		if err := c.print("%-16s %s", heading(name), cell(name, f[name])); err != nil {
			return err
		}
	}
	return nil
}

// places are where fields stand that everyone looks for; the others follow by name.
var places = []string{"id", "name", "email", "user_email", "org_name", "collection_name", "role"}

func byPlace(a, b string) int {
	place := func(s string) int {
		if i := slices.Index(places, s); i >= 0 {
			return i
		}
		return len(places)
	}
	if d := place(a) - place(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

func heading(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.ReplaceAll(name, "uuid", "UUID"), "_name"), "_", " ")
}

// cell is a field's value for people.
func cell(name string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		if v {
			return "yes"
		}
		return ""
	case []any:
		var parts []string
		for _, e := range v {
			parts = append(parts, cell(name, e))
		}
		return strings.Join(parts, ", ")
	case map[string]any:
		for _, k := range []string{"org_name", "name"} {
			if s, ok := v[k].(string); ok {
				return s
			}
		}
		b, _ := json.Marshal(v)
		return string(b)
	}
	s := fmt.Sprint(v)
	if name == "role" {
		return roleOf(s)
	}
	return s
}

// reference names a record to the API: by number, or by name.
func reference(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	return s
}

func references(names []string) []any {
	refs := []any{}
	for _, s := range names {
		refs = append(refs, reference(s))
	}
	return refs
}

// add adds a record and returns it with what is shown once.
func (s server) add(ctx context.Context, n noun, in map[string]any) (fields, error) {
	api, err := s.client()
	if err != nil {
		return nil, err
	}
	var f fields
	return f, api.call(ctx, http.MethodPost, "/api/"+n.api(), nil, in, &f)
}
