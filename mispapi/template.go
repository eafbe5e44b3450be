package mispapi

import (
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

// A template is an object template as it stands in answers.
type template struct {
	ID           int64       `json:"id"`
	User         int64       `json:"user_id"`
	Org          int64       `json:"org_id"`
	UUID         tocsin.UUID `json:"uuid"`
	Name         string      `json:"name"`
	MetaCategory string      `json:"meta-category"`
	Description  string      `json:"description"`
	Version      int64       `json:"version"`
	Requirements any         `json:"requirements"`
	Fixed        bool        `json:"fixed"` // it was published, and nobody here changes it
	Active       bool        `json:"active"`
}

// requirements are an empty list where there are none, as PHP writes an empty object.
func requirements(t *vocab.ObjectTemplate) any {
	if len(t.Required)+len(t.RequiredOneOf) == 0 {
		return []string{}
	}
	return struct {
		Required []string `json:"required,omitempty"`
		OneOf    []string `json:"requiredOneOf,omitempty"`
	}{t.Required, t.RequiredOneOf}
}

func templateOf(v *tocsin.Vocabulary, t *vocab.ObjectTemplate) template {
	return template{v.Number, v.User, v.Org, v.UUID, v.Name, v.Group, v.Description, v.Version, requirements(t), v.Org == 0, v.Enabled}
}

// A maker is the organisation that wrote a template; of a published one all is null.
type maker struct {
	ID   *int64       `json:"id"`
	Name *string      `json:"name"`
	UUID *tocsin.UUID `json:"uuid"`
}

func (c *call) makerOf(v *tocsin.Vocabulary) maker {
	o, err := store.One[*tocsin.Organisation](c.view, v.Org)
	if v.Org == 0 || err != nil {
		return maker{}
	}
	return maker{&o.ID, &o.Name, &o.UUID}
}

// indexTemplates lists the templates that are offered; a site administrator can ask for
// all of them: /objectTemplates/index/1.
func indexTemplates(c *call) error {
	type row struct {
		Template template `json:"ObjectTemplate"`
		Org      maker    `json:"Organisation"`
	}
	all := truthy(c.arg(0)) && c.v.Administers()
	text := strings.ToLower(c.named["searchall"])
	rows := []row{}
	for v := range c.view.Library().All(tocsin.ObjectTemplates) {
		if !all && !v.Enabled || !hasText(v, text) {
			continue
		}
		t, err := c.view.Library().Template(c.r.Context(), v)
		if err != nil {
			return err
		}
		rows = append(rows, row{templateOf(v, t), c.makerOf(v)})
	}
	return c.reply(rows)
}

func hasText(v *tocsin.Vocabulary, text string) bool {
	return text == "" || slices.ContainsFunc([]string{v.UUID.String(), v.Name, v.Group, v.Description}, func(s string) bool {
		return strings.Contains(strings.ToLower(s), text)
	})
}

// template returns the template that a text names, by number, by uuid, and if it may
// be by name.
func (c *call) template(text string, named bool) (*tocsin.Vocabulary, error) {
	switch f := refOf(text); {
	case f.id != 0:
		return c.view.Library().Numbered(tocsin.ObjectTemplates, f.id)
	case !f.uuid.IsZero():
		return c.view.Library().ByUUID(tocsin.ObjectTemplates, f.uuid)
	case named:
		return c.view.Library().Named(tocsin.ObjectTemplates, strings.TrimSpace(text))
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no template %q", text)
}

// A templateElement is an attribute that an object of a template may have.
type templateElement struct {
	ID                 int64    `json:"id"`
	Template           int64    `json:"object_template_id"`
	Relation           string   `json:"object_relation"`
	Type               string   `json:"type"`
	Priority           int64    `json:"ui-priority"`
	Categories         []string `json:"categories"`
	Defaults           []string `json:"sane_default"`
	Values             []string `json:"values_list"`
	Description        string   `json:"description"`
	DisableCorrelation *bool    `json:"disable_correlation"`
	Multiple           bool     `json:"multiple"`
}

// maxElements keeps the ids of the elements of two templates apart.
const maxElements = 1000

func elementsOf(v *tocsin.Vocabulary, t *vocab.ObjectTemplate) []templateElement {
	listed := func(s []string) []string { return append([]string{}, s...) }
	es := make([]templateElement, len(t.Elements))
	for i, e := range t.Elements {
		es[i] = templateElement{v.Number*maxElements + int64(i), v.Number, e.Relation, e.Type, int64(e.Priority),
			listed(e.Categories), listed(e.Defaults), listed(e.Values), e.Description, e.DisableCorrelation, e.Multiple}
	}
	return es
}

// viewTemplate answers with a template and its elements. Who entered it is shown to
// site administrators.
func viewTemplate(c *call) error {
	v, err := c.template(c.arg(0), false)
	if err != nil {
		return err
	}
	t, err := c.view.Library().Template(c.r.Context(), v)
	if err != nil {
		return err
	}
	type user struct {
		ID    *int64  `json:"id"`
		Email *string `json:"email"`
	}
	out := struct {
		Template template          `json:"ObjectTemplate"`
		User     *user             `json:"User,omitempty"`
		Org      maker             `json:"Organisation"`
		Elements []templateElement `json:"ObjectTemplateElement"`
	}{templateOf(v, t), nil, c.makerOf(v), elementsOf(v, t)}
	if c.v.Administers() {
		out.User = &user{}
		if u, err := store.One[*tocsin.User](c.view, v.User); err == nil && v.User != 0 {
			out.User = &user{&u.ID, &u.Email}
		}
	}
	return c.reply(out)
}

// rawTemplate answers with a template as it was published, by uuid or by name. PyMISP
// makes objects of it.
func rawTemplate(c *call) error {
	v, err := c.template(c.arg(0), true)
	if err != nil {
		return err
	}
	t, err := c.view.Library().Template(c.r.Context(), v)
	if err != nil {
		return err
	}
	return c.reply(t)
}

var (
	noTemplate    = answer{http.StatusNotFound, "Invalid object template"}
	noRawTemplate = answer{http.StatusNotFound, "Template not found"}
)
