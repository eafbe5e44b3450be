package mispapi

import (
	"encoding/json"
	"net/http"
	"strconv"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

var noModel = answer{http.StatusNotFound, "No Decaying Model with the provided ID exists, or you are not authorised to view it."}

// A modelRow is a decaying model as MISP has it.
type modelRow struct {
	ID          int64           `json:"id"`
	UUID        tocsin.UUID     `json:"uuid"`
	Name        string          `json:"name"`
	Parameters  json.RawMessage `json:"parameters"`
	Types       []string        `json:"attribute_types"`
	Description string          `json:"description"`
	Org         int64           `json:"org_id"`
	Enabled     bool            `json:"enabled"`
	AllOrgs     bool            `json:"all_orgs"`
	Refs        []string        `json:"ref"`
	Formula     string          `json:"formula"`
	Version     string          `json:"version"`
	Default     bool            `json:"default"`
	Editable    bool            `json:"isEditable"`
}

func (c *call) modelWords(v *tocsin.Vocabulary, m *vocab.DecayingModel) modelRow {
	return modelRow{v.Number, v.UUID, v.Name, m.Parameters, append([]string{}, m.Types...), v.Description, v.Org, v.Enabled, true, append([]string{}, m.Refs...), m.Formula,
		itoa(v.Version), v.Org == 0, v.Org != 0 && (v.Org == c.v.Org() || c.v.SeesAll())}
}

// indexModels answers with the decaying models.
func indexModels(c *call) error {
	type row struct {
		Model modelRow `json:"DecayingModel"`
	}
	rows := []row{}
	for v := range c.view.Library().All(tocsin.DecayingModels) {
		m, err := c.view.Library().DecayingModel(c.r.Context(), v)
		if err != nil {
			return err
		}
		rows = append(rows, row{c.modelWords(v, m)})
	}
	return c.reply(rows)
}

func (c *call) model() (*tocsin.Vocabulary, *vocab.DecayingModel, error) {
	f, l := refOf(c.arg(0)), c.view.Library()
	v, err := l.Numbered(tocsin.DecayingModels, f.id)
	if !f.uuid.IsZero() {
		v, err = l.ByUUID(tocsin.DecayingModels, f.uuid)
	}
	if err != nil {
		return nil, nil, err
	}
	m, err := l.DecayingModel(c.r.Context(), v)
	return v, m, err
}

// viewModel answers with one model.
func viewModel(c *call) error {
	v, m, err := c.model()
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"DecayingModel": c.modelWords(v, m)})
}

// updateModels reads the models anew from where the reference data is.
func updateModels(c *call) error {
	t, err := c.update(tocsin.DecayingModels)
	if err != nil {
		return err
	}
	return c.updated(t, "Default decaying models updated.", "/decayingModel/update")
}

// enableModel has scores told by a model. As MISP it answers with an empty list.
func enableModel(c *call) error {
	if err := c.turnModel(true); err != nil {
		return err
	}
	return c.reply([]any{})
}

// disableModel has it not, and answers with the models.
func disableModel(c *call) error {
	if err := c.turnModel(false); err != nil {
		return err
	}
	c.view = c.db.As(c.v)
	return indexModels(c)
}

func (c *call) turnModel(on bool) error {
	v, _, err := c.model()
	if err != nil {
		return err
	}
	return c.setVocabulary(v, func(v *tocsin.Vocabulary) { v.Enabled = on })
}

// modelTypes answers for which types of attributes a model is.
func modelTypes(c *call) error {
	_, m, err := c.model()
	if err != nil {
		return err
	}
	return c.reply(append([]string{}, m.Types...))
}

// addModel adds a model of the viewer's organisation.
func addModel(c *call) error {
	m := &vocab.DecayingModel{UUID: tocsin.NewUUID(c.db.Now()), Formula: "Polynomial", Version: 1}
	return c.keepModel(m, nil, "add DecayingModel")
}

// editModel changes one of those; what was published for all is replaced when it is
// read anew, so changing it would not last.
func editModel(c *call) error {
	v, is, err := c.model()
	if err != nil {
		return err
	}
	if v.Org == 0 {
		return c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, "A default decaying model can't be edited; add one of your own.")
	}
	m := *is
	m.Version++
	return c.keepModel(&m, v, "edit DecayingModel")
}

// keepModel writes what a body says over a model.
func (c *call) keepModel(m *vocab.DecayingModel, old *tocsin.Vocabulary, what string) error {
	said, err := c.told("DecayingModel")
	if err != nil {
		return err
	}
	delete(said, "uuid")
	delete(said, "version")
	if text, ok := said["parameters"].(string); ok { // MISP's own pages send JSON in a text
		var inner map[string]any
		if json.Unmarshal([]byte(text), &inner) == nil {
			said["parameters"] = inner
		}
	}
	no := func(why string) error {
		return c.unsaved(what, c.act.path, map[string][]string{"parameters": {why}}, nil)
	}
	b, _ := json.Marshal(said) // it was JSON
	if err := json.Unmarshal(b, m); err != nil {
		return no(vocab.InJSON(err).Error())
	}
	if _, err := m.Decay(); err != nil {
		return no(err.Error())
	}
	i, err := m.Item()
	if err != nil {
		return no(err.Error())
	}
	v := i.Record
	v.Org, v.User = c.v.Org(), c.v.User()
	if old != nil {
		v.ID, v.Number, v.Key, v.UUID, v.Org, v.User, v.Enabled = old.ID, old.Number, old.Key, old.UUID, old.Org, old.User, old.Enabled
	}
	if err := c.change(func(tx *store.Tx) error { return tx.PutVocabulary(v, i.Body) }); err != nil {
		return c.notSaid(what, c.act.path, "name", err)
	}
	return c.reply(map[string]any{"DecayingModel": c.modelWords(v, m)})
}

// positive reads a number that is not negative.
func positive(name, text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f > 1e6 {
		return 0, tocsin.Errorf(tocsin.Invalid, "%s is a number of 0 or more, not %q", name, text)
	}
	return f, nil
}
