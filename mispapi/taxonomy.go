package mispapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

// A taxonomy as it stands in answers.
type taxonomy struct {
	ID          int64  `json:"id"`
	Namespace   string `json:"namespace"`
	Description string `json:"description"`
	Version     int64  `json:"version"`
	Enabled     bool   `json:"enabled"`
	Exclusive   bool   `json:"exclusive"`
	Required    bool   `json:"required"`
	Highlighted bool   `json:"highlighted"`
}

func taxonomyOf(v *tocsin.Vocabulary) taxonomy {
	return taxonomy{v.Number, v.Name, v.Description, v.Version, v.Enabled, v.Exclusive, v.Required, v.Highlighted}
}

// indexTaxonomies lists the taxonomies, with how many tags each has and how many of
// them are offered. Those with a text in them can be asked for: value:text, enabled:1.
func indexTaxonomies(c *call) error {
	type row struct {
		Taxonomy taxonomy `json:"Taxonomy"`
		Total    int      `json:"total_count"`
		Current  int      `json:"current_count"`
	}
	offered := c.offered()
	rows := []row{}
	for v := range c.view.Library().All(tocsin.Taxonomies) {
		if want, ok := c.named["enabled"]; ok && truthy(want) != v.Enabled {
			continue
		}
		named, err := c.names(v, c.named["value"])
		if err != nil {
			return err
		}
		if !named {
			continue
		}
		n, err := c.current(v, offered[strings.ToLower(v.Name)])
		if err != nil {
			return err
		}
		rows = append(rows, row{taxonomyOf(v), v.Parts, n})
	}
	return c.reply(rows)
}

// names reports whether a taxonomy or one of its tags has a text in it.
func (c *call) names(v *tocsin.Vocabulary, text string) (bool, error) {
	is := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(text)) }
	if text == "" || is(v.Name) || is(v.Description) {
		return true, nil
	}
	t, err := c.view.Library().Taxonomy(c.r.Context(), v)
	if err != nil {
		return false, err
	}
	for tag := range t.Tags() {
		if is(tag.Name) || is(tag.Expanded()) {
			return true, nil
		}
	}
	return false, nil
}

// offered are the names of tags that can be attached, by namespace, in lower case.
func (c *call) offered() map[string][]string {
	names := map[string][]string{}
	for t := range c.view.Tags() {
		if !t.Hidden {
			name := strings.ToLower(t.Name)
			ns := vocab.Namespace(name)
			names[ns] = append(names[ns], name)
		}
	}
	return names
}

// current counts which of the names are a taxonomy's tags.
func (c *call) current(v *tocsin.Vocabulary, names []string) (n int, err error) {
	if len(names) == 0 {
		return 0, nil
	}
	t, err := c.view.Library().Taxonomy(c.r.Context(), v)
	if err != nil {
		return 0, err
	}
	for tag := range t.Tags() {
		if slices.Contains(names, strings.ToLower(tag.Name)) {
			n++
		}
	}
	return n, nil
}

// taxonomy returns the taxonomy that the path names, by number or by namespace.
func (c *call) taxonomy(name string) (*tocsin.Vocabulary, error) {
	if id := refOf(name).id; id != 0 {
		return c.view.Library().Numbered(tocsin.Taxonomies, id)
	}
	return c.view.Library().Named(tocsin.Taxonomies, strings.TrimSpace(name))
}

// A taxonomyEntry is one tag of a taxonomy.
type taxonomyEntry struct {
	Tag         string          `json:"tag"`
	Expanded    string          `json:"expanded"`
	Exclusive   *bool           `json:"exclusive_predicate,omitempty"` // of a tag with a value
	Description string          `json:"description,omitempty"`
	Colour      string          `json:"colour,omitempty"`
	Numerical   *int64          `json:"numerical_value,omitempty"`
	Existing    json.RawMessage `json:"existing_tag"` // false, or the tag
	Events      *int64          `json:"events,omitempty"`
	Attributes  *int64          `json:"attributes,omitempty"`

	tag int64
}

// entries are the tags of a taxonomy with filter in their names.
func (c *call) entries(v *tocsin.Vocabulary, filter string) ([]taxonomyEntry, error) {
	t, err := c.view.Library().Taxonomy(c.r.Context(), v)
	if err != nil {
		return nil, err
	}
	known := map[string]*tocsin.Tag{}
	for tag := range c.view.Tags() {
		known[strings.ToLower(tag.Name)] = tag
	}
	enc := c.encoder()
	es := []taxonomyEntry{}
	for tag := range t.Tags() {
		if !strings.Contains(strings.ToLower(tag.Name), strings.ToLower(filter)) {
			continue
		}
		is := tag.Term()
		e := taxonomyEntry{Tag: tag.Name, Expanded: tag.Expanded(), Description: is.Description, Colour: is.Colour, Numerical: tag.Numerical(), Existing: json.RawMessage("false")}
		if tag.Entry != nil {
			e.Exclusive = new(bool(tag.Predicate.Exclusive))
		}
		if there := known[strings.ToLower(tag.Name)]; there != nil {
			e.tag = there.ID
			e.Existing = append(enc.AppendTag([]byte(`{"Tag":`), there), '}')
		}
		es = append(es, e)
	}
	return es, nil
}

type taxonomyView struct {
	Taxonomy taxonomy        `json:"Taxonomy"`
	Entries  []taxonomyEntry `json:"entries"`
}

// viewTaxonomy answers with a taxonomy and its tags.
func viewTaxonomy(c *call) error {
	v, err := c.taxonomy(c.arg(0))
	if err != nil {
		return err
	}
	es, err := c.entries(v, "")
	if err != nil {
		return err
	}
	return c.reply(taxonomyView{taxonomyOf(v), es})
}

// taxonomyTags answers with a taxonomy's tags and on how many events and attributes
// that the viewer may see each is: /taxonomies/taxonomy_tags/7/filter:text.
func taxonomyTags(c *call) error {
	v, err := c.taxonomy(c.arg(0))
	if err != nil {
		return err
	}
	es, err := c.entries(v, c.named["filter"])
	if err != nil {
		return err
	}
	events, err := c.view.TallyEvents(c.r.Context(), store.EventQuery{})
	if err != nil {
		return err
	}
	attributes, err := c.view.Tally(c.r.Context(), store.TraitTag, store.Query{})
	if err != nil {
		return err
	}
	for i := range es {
		es[i].Events, es[i].Attributes = new(events[es[i].tag]), new(attributes[es[i].tag])
	}
	return c.reply(taxonomyView{taxonomyOf(v), es})
}

// exportTaxonomy answers with a taxonomy as it is published.
func exportTaxonomy(c *call) error {
	v, err := c.taxonomy(c.arg(0))
	if err != nil {
		return err
	}
	t, err := c.view.Library().Taxonomy(c.r.Context(), v)
	if err != nil {
		return err
	}
	type term struct {
		Value       string `json:"value"`
		Expanded    string `json:"expanded,omitempty"`
		Colour      string `json:"colour,omitempty"`
		Description string `json:"description,omitempty"`
		Exclusive   bool   `json:"exclusive,omitempty"`
		Numerical   int64  `json:"numerical_value,omitempty"`
	}
	termOf := func(t *vocab.Term, exclusive bool) term {
		out := term{t.Value, t.Expanded, t.Colour, t.Description, exclusive, 0}
		if t.Numerical != nil {
			out.Numerical = int64(*t.Numerical)
		}
		return out
	}
	type values struct {
		Predicate string `json:"predicate"`
		Entries   []term `json:"entry"`
	}
	out := struct {
		Namespace   string   `json:"namespace"`
		Description string   `json:"description"`
		Version     int64    `json:"version"`
		Exclusive   bool     `json:"exclusive"`
		Predicates  []term   `json:"predicates"`
		Values      []values `json:"values,omitempty"`
	}{Namespace: t.Namespace, Description: t.Description, Version: int64(t.Version), Exclusive: bool(t.Exclusive)}
	for i := range t.Predicates {
		p := &t.Predicates[i]
		out.Predicates = append(out.Predicates, termOf(&p.Term, bool(p.Exclusive)))
		if es := t.Entries(p.Value); len(es) > 0 {
			vs := values{Predicate: p.Value}
			for j := range es {
				vs.Entries = append(vs.Entries, termOf(&es[j], false))
			}
			out.Values = append(out.Values, vs)
		}
	}
	return c.reply(out)
}

var noTaxonomy = answer{http.StatusNotFound, "Taxonomy not found."}
