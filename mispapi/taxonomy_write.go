package mispapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/intake"
	"tocsin/store"
	"tocsin/vocab"
)

// setVocabulary writes what the administrators decided of a vocabulary.
func (c *call) setVocabulary(v *tocsin.Vocabulary, fn func(*tocsin.Vocabulary)) error {
	_, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		now, err := store.Get[*tocsin.Vocabulary](tx, v.ID)
		if err != nil {
			return err
		}
		now = new(*now)
		fn(now)
		return tx.PutVocabulary(now, nil)
	})
	return err
}

// taxonomyNamed returns the taxonomy to be changed; where there is none, action is
// refused as MISP does.
func (c *call) taxonomyNamed(name, action string) (*tocsin.Vocabulary, error) {
	v, err := c.taxonomy(name)
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return nil, c.unsaved(action+" Taxonomy", "/taxonomies/"+action+"/"+name, "Invalid taxonomy.", name)
	}
	return v, err
}

// enableTaxonomy has a taxonomy's tags offered to those who attach tags.
func enableTaxonomy(c *call) error {
	v, err := c.taxonomyNamed(c.arg(0), "enable")
	if err != nil {
		return err
	}
	if err := c.setVocabulary(v, func(v *tocsin.Vocabulary) { v.Enabled = true }); err != nil {
		return err
	}
	return c.done("Taxonomy enabled", "/taxonomies/enable/"+c.arg(0), c.arg(0))
}

// disableTaxonomy does the opposite, and hides its tags.
func disableTaxonomy(c *call) error {
	v, err := c.taxonomyNamed(c.arg(0), "disable")
	if err != nil {
		return err
	}
	if err := c.offer(v, nil, true); err != nil {
		return err
	}
	if err := c.setVocabulary(v, func(v *tocsin.Vocabulary) { v.Enabled = false }); err != nil {
		return err
	}
	return c.done("Taxonomy disabled", "/taxonomies/disable/"+c.arg(0), c.arg(0))
}

// offer makes tags of a taxonomy, or hides them: those named, or all.
func (c *call) offer(v *tocsin.Vocabulary, names []string, hidden bool) error {
	t, err := c.view.Library().Taxonomy(c.r.Context(), v)
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		for tag := range t.Tags() {
			if names != nil && !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, tag.Name) }) {
				continue
			}
			if err := tx.OfferTag(tag.Name, hidden); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

func addTaxonomyTags(c *call) error {
	return c.offerNamed("addTag", "The tag(s) has been saved.", false)
}
func unhideTaxonomyTags(c *call) error {
	return c.offerNamed("unhideTag", "The tag(s) has been saved.", false)
}
func hideTaxonomyTags(c *call) error {
	return c.offerNamed("hideTag", "The tag(s) has been saved.", true)
}
func disableTaxonomyTags(c *call) error {
	return c.offerNamed("disableTag", "The tag(s) has been hidden.", true)
}

// offerNamed makes or hides all tags of the taxonomy in the path, or those that the
// body names: {"taxonomy_id": 7, "name": "tlp:red"}, or "nameList" with several.
func (c *call) offerNamed(action, sentence string, hidden bool) error {
	name := c.arg(0)
	var names []string
	if name == "" {
		said, err := c.told("Taxonomy")
		if err != nil {
			return err
		}
		if inner, ok := said["Tag"].(map[string]any); ok {
			said = inner
		}
		name, names = textOf(said["taxonomy_id"]), namesIn(said)
		if name == "" || len(names) == 0 {
			return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Taxonomy ID or tag name must be provided.")
		}
	}
	v, err := c.taxonomyNamed(name, action)
	if err != nil {
		return err
	}
	if err := c.offer(v, names, hidden); err != nil {
		return err
	}
	if c.arg(0) == "" {
		return c.done(sentence, "/taxonomies/"+action, nil)
	}
	return c.done(sentence, "/taxonomies/"+action+"/"+name, name)
}

// namesIn reads names of tags: one, a list, or a list written as a text.
func namesIn(said map[string]any) (names []string) {
	v := said["nameList"]
	if v == nil {
		v = said["name"]
	}
	switch v := v.(type) {
	case []any:
		for _, n := range v {
			names = append(names, textOf(n))
		}
	case string:
		if json.Unmarshal([]byte(v), &names) != nil {
			names = []string{v}
		}
	}
	return names
}

// requireTaxonomy says whether an event needs a tag of a taxonomy to be published:
// {"Taxonomy": {"required": true}}.
func requireTaxonomy(c *call) error {
	return c.toggle("toggleRequired", "required", func(v *tocsin.Vocabulary) *bool { return &v.Required })
}

// highlightTaxonomy says whether a taxonomy's tags are shown apart from others.
func highlightTaxonomy(c *call) error {
	return c.toggle("toggleHighlighted", "highlighted", func(v *tocsin.Vocabulary) *bool { return &v.Highlighted })
}

// toggle sets what is said in the body, or turns it round where nothing is.
func (c *call) toggle(action, member string, of func(*tocsin.Vocabulary) *bool) error {
	said, err := c.told("Taxonomy")
	if err != nil {
		return err
	}
	v, err := c.taxonomy(c.arg(0))
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return c.unsaved(action+" Taxonomy", "/taxonomies/"+action+"/"+c.arg(0), "Invalid Taxonomy", c.arg(0))
	}
	if err != nil {
		return err
	}
	err = c.setVocabulary(v, func(v *tocsin.Vocabulary) {
		if is, ok := said[member]; ok {
			*of(v) = truthy(is)
		} else {
			*of(v) = !*of(v)
		}
	})
	if err != nil {
		return err
	}
	return c.done("Taxonomy "+inThePast(action), "/taxonomies/"+action+"/"+c.arg(0), c.arg(0))
}

// inThePast is how MISP 2.5 makes a sentence of an action's name: PyMISP's own tests
// want "Taxonomy toggleRequireded".
func inThePast(action string) string {
	if strings.HasSuffix(action, "e") {
		return action + "d"
	}
	return action + "ed"
}

// deleteTaxonomy removes a taxonomy. Its tags stay on what they are on.
func deleteTaxonomy(c *call) error {
	v, err := c.taxonomy(c.arg(0))
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.RemoveVocabulary(v.ID) }); err != nil {
		return err
	}
	return c.done("Taxonomy successfully deleted.", "/taxonomies/delete/"+c.arg(0), c.arg(0))
}

// importTaxonomy takes a taxonomy as it is published.
func importTaxonomy(c *call) error {
	b, err := c.body()
	if err != nil {
		return err
	}
	no := func(err error) error {
		return c.unsaved("import Taxonomy", "/taxonomies/import", err.Error(), nil)
	}
	if c.Library == nil {
		return no(intake.ErrNoPlace)
	}
	p, err := vocab.ReadFile(c.r.Context(), "what was sent", b, tocsin.Taxonomies)
	if err != nil {
		return no(err)
	}
	if _, err := c.Library.Take(c.r.Context(), c.v, p); err != nil {
		return err
	}
	c.args = []string{p.Items[0].Record.Name}
	return viewTaxonomy(c)
}
