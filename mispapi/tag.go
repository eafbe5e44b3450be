package mispapi

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

// indexTags answers with the tags that the viewer may know of, in order of name, and
// how many events and attributes carry each. As in MISP it is not paged. What follows
// "searchall" or "filter" is looked for within names.
func indexTags(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	within := textOf(said["searchall"]) + textOf(said["filter"]) + textOf(said["name"]) + textOf(said["search"])
	is := like(textOf(contains(within)))
	counts, err := c.tagCounts(nil)
	if err != nil {
		return err
	}
	enc, out := c.encoder(), c.stream(mediaJSON)
	out.b = append(out.b, `{"Tag":[`...)
	first := true
	for _, t := range slices.SortedFunc(c.view.Tags(), func(a, b *tocsin.Tag) int { return strings.Compare(a.Name, b.Name) }) {
		if !is(t.Name) || c.arg(0) == "1" || truthy(said["favouritesOnly"]) { // nobody has favourites
			continue
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = counts.append(without(enc.AppendTag(out.b, t), `,"favourite":false`), t)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}`...)
	return out.end()
}

// without takes the end off an object that is to have more members.
func without(b []byte, more string) []byte { return append(b[:len(b)-1], more...) }

// tagCounts are how many events and attributes carry a tag, as far as the viewer may see.
type tagCounts struct{ events, attributes map[int64]int64 }

// tagCounts counts all tags, or what carries one.
func (c *call) tagCounts(one *tocsin.Tag) (n tagCounts, err error) {
	var q store.Query
	var eq store.EventQuery
	if one != nil {
		eq.Tags = c.db.TagSets().Matching(func(s tocsin.TagSet) bool { return s.Has(one.ID) })
		q.Tags = eq.Tags
	}
	if n.events, err = c.view.TallyEvents(c.r.Context(), eq); err != nil {
		return n, err
	}
	n.attributes, err = c.view.Tally(c.r.Context(), store.TraitTag, q)
	return n, err
}

func (n tagCounts) append(b []byte, t *tocsin.Tag) []byte {
	b = append(append(b, `,"count":`...), itoa(n.events[t.ID])...)
	b = append(append(b, `,"attribute_count":`...), itoa(n.attributes[t.ID])...)
	return append(b, '}')
}

// knownTag returns the tag that a path names, by id or name, if the viewer may know of it.
func (c *call) knownTag(text string) (*tocsin.Tag, error) {
	t, err := c.tagNamed(text)
	if err != nil {
		return nil, err
	}
	if t.Coined != 0 && t.Coined != c.v.Org() && !c.v.Administers() {
		return nil, tocsin.Errorf(tocsin.NotFound, "no tag %q", text)
	}
	return t, nil
}

// viewTag answers with one tag, and how many records carry it.
func viewTag(c *call) error {
	t, err := c.knownTag(c.arg(0))
	if err != nil {
		return err
	}
	n, err := c.tagCounts(t)
	if err != nil {
		return err
	}
	return c.send(n.append(without(c.encoder().AppendTag(nil, t), ""), t))
}

// A tagDraft is what tags/add and tags/edit are told: what is absent stays.
type tagDraft struct {
	Name       *string   `json:"name"`
	Colour     *string   `json:"colour"`
	Exportable *toggle   `json:"exportable"`
	Hidden     *toggle   `json:"hide_tag"`
	LocalOnly  *toggle   `json:"local_only"`
	Org        *text     `json:"org_id"`
	User       *text     `json:"user_id"`
	Numeric    *text     `json:"numerical_value"`
	Tag        *tagDraft `json:"Tag"`
	Request    *tagDraft `json:"request"`
}

// A toggle is a switch as clients send it: true, 1, "1".
type toggle bool

func (f *toggle) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	if n, ok := v.(float64); ok {
		*f = n != 0
		return nil
	}
	*f = toggle(truthy(v))
	return nil
}

func (c *call) tagDraft() (d tagDraft, err error) {
	b, err := c.body()
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil && len(b) > 0 {
		return d, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	for d.Request != nil || d.Tag != nil {
		if d.Request != nil {
			d = *d.Request
		} else {
			d = *d.Tag
		}
	}
	return d, nil
}

var colour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// on puts what a draft says on a tag, or says what is wrong with it.
func (d *tagDraft) on(t *tocsin.Tag) map[string][]string {
	wrong := map[string][]string{}
	if d.Name != nil {
		t.Name = strings.TrimSpace(*d.Name)
	}
	if t.Name == "" {
		wrong["name"] = []string{"Name cannot be empty."}
	}
	if d.Colour != nil {
		t.Colour = *d.Colour
	}
	if t.Colour != "" && !colour.MatchString(t.Colour) {
		wrong["colour"] = []string{"Colour has to be in the RGB format (#FFFFFF)"}
	}
	set(&t.Exportable, d.Exportable)
	set(&t.Hidden, d.Hidden)
	set(&t.LocalOnly, d.LocalOnly)
	number := func(field string, to *int64, from *text) {
		if from == nil || *from == "" || *from == "null" {
			return
		}
		n, err := count(field, string(*from))
		if err != nil {
			wrong[field] = []string{err.Error()}
		}
		*to = n
	}
	number("org_id", &t.Org, d.Org)
	number("user_id", &t.User, d.User)
	if d.Numeric != nil && *d.Numeric != "" && *d.Numeric != "null" {
		t.Numeric = new(int64)
		number("numerical_value", t.Numeric, d.Numeric)
	}
	if len(wrong) == 0 {
		return nil
	}
	return wrong
}

func set(to *bool, from *toggle) {
	if from != nil {
		*to = bool(*from)
	}
}

// addTag makes a tag, unless there is one of that name, which is then the answer.
func addTag(c *call) error {
	d, err := c.tagDraft()
	if err != nil {
		return err
	}
	t := &tocsin.Tag{Exportable: true}
	if wrong := d.on(t); wrong != nil {
		return c.unsaved("add Tag", "/tags/add", wrong, nil)
	}
	if known, err := store.ByName[*tocsin.Tag](c.view, t.Name); err == nil {
		t = known
	} else if err := c.putTag(t, "add Tag", "/tags/add"); err != nil {
		return err
	}
	return c.send(append(c.encoder().AppendTag([]byte(`{"Tag":`), t), '}'))
}

// putTag keeps a tag. What was wrong with it is said of its name: there is nothing else.
func (c *call) putTag(t *tocsin.Tag, what, url string) error {
	_, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		if t.Colour == "" {
			t.Colour = store.ColourOf(t.Name)
		}
		return store.Put(tx, t)
	})
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict:
		return c.unsaved(what, url, map[string][]string{"name": {"A similar name already exists."}}, nil)
	case tocsin.Invalid:
		return c.unsaved(what, url, map[string][]string{"name": {err.Error()}}, nil)
	}
	return err
}

// editTag changes of a tag what the body names.
func editTag(c *call) error {
	old, err := c.knownTag(c.arg(0))
	if err != nil {
		return err
	}
	d, err := c.tagDraft()
	if err != nil {
		return err
	}
	t := *old
	if wrong := d.on(&t); wrong != nil {
		return c.unsaved("edit Tag", "/tags/edit", wrong, nil)
	}
	if err := c.putTag(&t, "edit Tag", "/tags/edit"); err != nil {
		return err
	}
	return c.send(append(c.encoder().AppendTag([]byte(`{"Tag":`), &t), '}'))
}

// deleteTag deletes a tag, which is gone from what carries it.
func deleteTag(c *call) error {
	t, err := c.knownTag(c.arg(0))
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Tag](tx, t.ID) })
	if tocsin.CodeOf(err) == tocsin.Conflict {
		return c.unsaved("delete Tag", "/tags/delete", err.Error(), nil)
	}
	if err != nil {
		return err
	}
	return c.reply(message{"Tag deleted.", "Tag deleted.", c.origin() + c.r.URL.Path, nil})
}

// searchTags answers with the tags of a name, or like a pattern: /tags/search/tlp%25,
// {"name": "tlp:%"}, {"tagname": "tlp:%"}.
func searchTags(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	var names []string
	for _, name := range []string{"name", "tagname", "tag", "tags"} {
		ss, err := scalars(name, said[name])
		if err != nil {
			return c.invalid(err)
		}
		names = append(names, ss...)
	}
	if c.arg(0) != "" {
		names = append(names, c.arg(0))
	}
	is := anyLike(names)
	out := c.stream(mediaJSON)
	out.b = append(out.b, '[')
	enc, first := c.encoder(), true
	for _, t := range slices.SortedFunc(c.view.Tags(), func(a, b *tocsin.Tag) int { return int(a.ID - b.ID) }) {
		if !is(t.Name) {
			continue
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = enc.AppendTag(append(out.b, `{"Tag":`...), t)
		if out.b, err = c.appendTerm(out.b, t); err != nil {
			return err
		}
		out.b = append(out.b, '}')
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// A taxonomyTerm is a predicate of a taxonomy, or one of its entries, as it stands
// beside a tag that it explains.
type taxonomyTerm struct {
	ID          int64         `json:"id"`
	Taxonomy    int64         `json:"taxonomy_id,omitempty"` // of a predicate
	Predicate   int64         `json:"taxonomy_predicate_id,omitempty"`
	Value       string        `json:"value"`
	Expanded    string        `json:"expanded"`
	Colour      string        `json:"colour"`
	Description string        `json:"description"`
	Exclusive   *bool         `json:"exclusive,omitempty"`
	Numerical   *int64        `json:"numerical_value"`
	Entry       *taxonomyTerm `json:"TaxonomyEntry,omitempty"`
}

// termsEach is how many predicates or entries a taxonomy has numbers for: ours have
// none of their own.
const termsEach = 10_000

// appendTerm appends what the taxonomy of a tag says of it, if there is one.
func (c *call) appendTerm(b []byte, t *tocsin.Tag) ([]byte, error) {
	ns := vocab.Namespace(t.Name)
	if ns == "" {
		return b, nil
	}
	v, err := c.view.Library().Named(tocsin.Taxonomies, ns)
	if err != nil {
		return b, nil // no taxonomy is called so
	}
	tax, err := c.view.Library().Taxonomy(c.r.Context(), v)
	if err != nil {
		return nil, err
	}
	tag, ok := tax.Tag(t.Name)
	if !ok {
		return b, nil
	}
	is := termOf(&tag.Predicate.Term)
	is.ID, is.Taxonomy, is.Exclusive = v.Number*termsEach+int64(tag.At)+1, v.Number, new(bool(tag.Predicate.Exclusive))
	if tag.Entry != nil {
		is.Entry = new(termOf(tag.Entry))
		is.Entry.ID, is.Entry.Predicate = v.Number*termsEach+int64(tag.Number)+1, is.ID
	}
	b = appendJSON(append(b, `,"Taxonomy":`...), taxonomyOf(v))
	return appendJSON(append(b, `,"TaxonomyPredicate":`...), is), nil
}

func termOf(t *vocab.Term) taxonomyTerm {
	return taxonomyTerm{Value: t.Value, Expanded: t.Expanded, Colour: t.Colour, Description: t.Description, Numerical: (*int64)(t.Numerical)}
}
