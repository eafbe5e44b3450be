package mispapi

import (
	"encoding/json"
	"net/http"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

// written reads a template out of the body, over what it was.
func (c *call) written(t *vocab.ObjectTemplate) error {
	said, err := c.told("")
	if err != nil {
		return err
	}
	no := func(why string) error {
		return c.unsaved("save ObjectTemplate", "/objectTemplates/add", map[string][]string{"template": {why}}, nil)
	}
	if inner, ok := said["ObjectTemplate"].(map[string]any); ok {
		if es, ok := said["ObjectTemplateElement"]; ok {
			inner["ObjectTemplateElement"] = es
		}
		said = inner
	}
	if es, ok := said["ObjectTemplateElement"].([]any); ok && said["attributes"] == nil {
		said["attributes"] = asPublished(es)
	}
	if r, ok := said["requirements"].(map[string]any); ok {
		for _, member := range []string{"required", "requiredOneOf"} {
			if said[member] == nil && r[member] != nil {
				said[member] = r[member]
			}
		}
	}
	if said["attributes"] != nil {
		t.Elements = nil
	}
	b, _ := json.Marshal(said) // it was JSON
	if err := json.Unmarshal(b, t); err != nil {
		return no(vocab.InJSON(err).Error())
	}
	return nil
}

// asPublished makes elements as MISP shows them into members as they are published.
func asPublished(es []any) map[string]any {
	out := map[string]any{}
	for _, e := range es {
		if e, ok := e.(map[string]any); ok {
			e["misp-attribute"] = e["type"]
			delete(e, "type")
			out[textOf(e["object_relation"])] = e
		}
	}
	return out
}

// keepTemplate writes a template of the viewer's organisation: a new one, or in the
// place of old.
func (c *call) keepTemplate(t *vocab.ObjectTemplate, old *tocsin.Vocabulary) (*tocsin.Vocabulary, error) {
	i, err := t.Item()
	if err != nil {
		return nil, c.unsaved("save ObjectTemplate", "/objectTemplates/add", map[string][]string{"template": {err.Error()}}, nil)
	}
	v := i.Record
	v.Org, v.User = c.v.Org(), c.v.User()
	if old != nil {
		v.ID, v.Number, v.Key, v.UUID = old.ID, old.Number, old.Key, old.UUID
		v.Org, v.User, v.Enabled = old.Org, old.User, old.Enabled
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.PutVocabulary(v, i.Body) })
	if tocsin.CodeOf(err) == tocsin.Conflict {
		return nil, c.unsaved("save ObjectTemplate", "/objectTemplates/add", map[string][]string{"uuid": {"There is another template with this uuid."}}, nil)
	}
	return v, err
}

// addTemplate adds a template of one's own. One without a uuid is given one.
func addTemplate(c *call) error {
	t := &vocab.ObjectTemplate{Version: 1}
	if err := c.written(t); err != nil {
		return err
	}
	if t.UUID.IsZero() {
		t.UUID = tocsin.NewUUID(c.db.Now())
	}
	v, err := c.keepTemplate(t, nil)
	if err != nil {
		return err
	}
	c.args = []string{itoa(v.Number)}
	return viewTemplate(c)
}

// editTemplate changes a template of one's own. Its version grows, so that objects made
// of the one before are told apart.
func editTemplate(c *call) error {
	old, err := c.ownTemplate()
	if err != nil {
		return err
	}
	is, err := c.view.Library().Template(c.r.Context(), old)
	if err != nil {
		return err
	}
	t := new(*is)
	if err := c.written(t); err != nil {
		return err
	}
	t.UUID = old.UUID
	t.Version = max(t.Version, is.Version+1)
	if _, err := c.keepTemplate(t, old); err != nil {
		return err
	}
	c.args = []string{itoa(old.Number)}
	return viewTemplate(c)
}

// ownTemplate returns the template in the path, if it was written here. What others
// published is replaced when it is read anew, so changing it would not last.
func (c *call) ownTemplate() (*tocsin.Vocabulary, error) {
	v, err := c.template(c.arg(0), false)
	if err == nil && v.Org == 0 {
		err = c.no(http.StatusForbidden, tocsin.Forbidden, "This template was published by others; it can be disabled, or a template of your own can be added.")
	}
	return v, err
}

// deleteTemplate removes a template. Objects that were made of it stay.
func deleteTemplate(c *call) error {
	v, err := c.template(c.arg(0), false)
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.RemoveVocabulary(v.ID) }); err != nil {
		return err
	}
	return c.done("ObjectTemplate deleted", "/object_templates/delete/"+c.arg(0), c.arg(0))
}

// activateTemplate has a template offered to those who make objects, or no longer:
// {"ObjectTemplate": {"data": 7}}, or the id in the path.
func activateTemplate(c *call) error {
	name := c.arg(0)
	if name == "" {
		said, err := c.told("ObjectTemplate")
		if err != nil {
			return err
		}
		if name = textOf(said["data"]); name == "" {
			name = textOf(said["id"])
		}
	}
	type result struct {
		Saved   bool   `json:"saved"`
		Success string `json:"success,omitempty"`
		Errors  string `json:"errors,omitempty"`
	}
	v, err := c.template(name, false)
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return c.reply(result{Errors: "Template not found."})
	}
	if err != nil {
		return err
	}
	if err := c.setVocabulary(v, func(v *tocsin.Vocabulary) { v.Enabled = !v.Enabled }); err != nil {
		return err
	}
	if v.Enabled {
		return c.reply(result{Saved: true, Success: "Template disabled."})
	}
	return c.reply(result{Saved: true, Success: "Template activated."})
}

// possibleTemplates answers with the templates of which an object of attributes of
// these types could be made: {"attributeTypes": ["ip-dst", "domain"]}.
func possibleTemplates(c *call) error {
	said, err := c.told("")
	if err != nil {
		return err
	}
	types, _ := said["attributeTypes"].([]any)
	type row struct {
		ID           int64  `json:"id"`
		Name         string `json:"name"`
		Description  string `json:"description"`
		MetaCategory string `json:"meta-category"`
	}
	rows := []row{}
	for v := range c.view.Library().All(tocsin.ObjectTemplates) {
		if !v.Enabled || len(types) == 0 || len(types) > maxElements {
			continue
		}
		t, err := c.view.Library().Template(c.r.Context(), v)
		if err != nil {
			return err
		}
		if takes(t, types) {
			rows = append(rows, row{v.Number, v.Name, v.Description, v.Group})
		}
	}
	return c.reply(rows)
}

// takes reports whether an object of a template could be made of attributes of types.
func takes(t *vocab.ObjectTemplate, types []any) bool {
	left := map[string]int{}
	for _, typ := range types {
		left[textOf(typ)]++
	}
	has := func(relation string) bool { e := t.Element(relation); return e != nil && left[e.Type] > 0 }
	if required, oneOf := t.Missing(has); required != "" || oneOf != nil {
		return false
	}
	for typ, n := range left {
		fits := 0
		for i := range t.Elements {
			if e := &t.Elements[i]; e.Type == typ {
				if fits++; e.Multiple {
					fits = n
					break
				}
			}
		}
		if fits < n {
			return false
		}
	}
	return true
}
