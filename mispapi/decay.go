package mispapi

import (
	"strings"
	"time"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
	"tocsin/vocab"
)

// What an attribute is still worth. Nothing is read for it but the attribute, which
// knows when it was last met: the models and the tags say until when that is worth
// enough, and tags come in few combinations.

// decays are the models that a search asks, ready.
type decays struct {
	c      *call
	models []decaying
	full   bool // includeFullModel
	now    time.Time
	bases  map[[2]tocsin.TagSet]map[string]float64 // what the tags of an attribute and of its event say
}

type decaying struct {
	v *tocsin.Vocabulary
	m *vocab.DecayingModel
	*vocab.Decay
}

// decays returns the models that are enabled, of those that "decayingModel" names if
// it names any, each changed by what "modelOverrides" says.
func (c *call) decays(said map[string]any) (*decays, error) {
	d := &decays{c: c, full: truthy(said["includeFullModel"]), now: c.db.Now(), bases: map[[2]tocsin.TagSet]map[string]float64{}}
	wanted, err := scalars("decayingModel", said["decayingModel"])
	if err != nil {
		return nil, err
	}
	l := c.view.Library()
	for v := range l.All(tocsin.DecayingModels) {
		if !v.Enabled || len(wanted) > 0 && !isNamed(v, wanted) {
			continue
		}
		m, err := l.DecayingModel(c.r.Context(), v)
		if err != nil {
			return nil, err
		}
		is, err := m.Decay()
		if err != nil {
			continue // of a formula that is not known here
		}
		if err := overridden(is, said); err != nil {
			return nil, err
		}
		d.models = append(d.models, decaying{v, m, is})
	}
	return d, nil
}

func isNamed(v *tocsin.Vocabulary, names []string) bool {
	for _, n := range names {
		if n == itoa(v.Number) || strings.EqualFold(n, v.Name) || n == v.UUID.String() {
			return true
		}
	}
	return false
}

// overridden changes a model's parameters for one search.
func overridden(d *vocab.Decay, said map[string]any) error {
	over, _ := said["modelOverrides"].(map[string]any)
	for name, to := range map[string]*float64{"lifetime": &d.Lifetime, "decay_speed": &d.Speed, "threshold": &d.Threshold, "default_base_score": &d.Default} {
		if text := textOf(over[name]); text != "" {
			f, err := positive(name, text)
			if err != nil {
				return err
			}
			*to = f
		}
	}
	if text := textOf(said["score"]); text != "" { // what counts as decayed
		f, err := positive("score", text)
		if err != nil {
			return err
		}
		d.Threshold = f
	}
	if d.Lifetime == 0 || d.Speed == 0 {
		return tocsin.Errorf(tocsin.Invalid, "modelOverrides: a lifetime and a decay speed are above 0")
	}
	return nil
}

// says is what the tags of an attribute and of its event say on their taxonomies'
// scales, by predicate; the attribute's word holds.
func (d *decays) says(a *tocsin.Attribute, e *tocsin.Event) map[string]float64 {
	key := [2]tocsin.TagSet{a.Tags, e.Tags}
	if m, ok := d.bases[key]; ok {
		return m
	}
	m := map[string]float64{}
	for _, tags := range []tocsin.TagSet{e.Tags, a.Tags} {
		for at := range tags.All() {
			if t, err := store.One[*tocsin.Tag](d.c.view, at.Tag); err == nil {
				if n, ok := d.c.numerical(t); ok {
					predicate, _, _ := strings.Cut(t.Name, "=")
					m[strings.ToLower(predicate)] = n
				}
			}
		}
	}
	d.bases[key] = m
	return m
}

// numerical is the number of a tag on its taxonomy's scale.
func (c *call) numerical(t *tocsin.Tag) (float64, bool) {
	if t.Numeric != nil {
		return float64(*t.Numeric), true
	}
	if _, says, err := c.view.Library().TaxonomyTag(c.r.Context(), t.Name); err == nil {
		if n := says.Term().Numerical; n != nil {
			return float64(*n), true
		}
	}
	return 0, false
}

// A decayScore is what one model says of an attribute.
type decayScore struct {
	Score   float64 `json:"score"`
	Base    float64 `json:"base_score"`
	Decayed bool    `json:"decayed"`
	Model   any     `json:"DecayingModel"`
}

// scores are what the models for an attribute's type say.
func (d *decays) scores(a *tocsin.Attribute, e *tocsin.Event) []decayScore {
	var out []decayScore
	for _, m := range d.models {
		if !m.Types[a.Value.TypeName()] {
			continue
		}
		base := m.Base(d.says(a, e))
		score := m.Score(base, d.now.Sub(time.Unix(lastMet(a), 0)))
		out = append(out, decayScore{score, base, score < m.Threshold, d.words(&m)})
	}
	return out
}

// decayed reports whether every model that is for an attribute's type says that it
// has decayed. Of a type that none is for nothing decays.
func (d *decays) decayed(a *tocsin.Attribute, e *tocsin.Event) bool {
	asked := false
	for _, m := range d.models {
		if !m.Types[a.Value.TypeName()] {
			continue
		}
		asked = true
		if d.now.Unix()-lastMet(a) < int64(m.Fresh(m.Base(d.says(a, e))).Seconds()) {
			return false
		}
	}
	return asked
}

// lastMet is when an attribute was last met or, if it never was, written. The store
// moves it by sightings, to the day.
func lastMet(a *tocsin.Attribute) int64 {
	if a.Seen == 0 {
		return a.Timestamp
	}
	return a.Seen
}

// decaysAsked returns the models if scores are asked for, else nil.
func (c *call) decaysAsked(said map[string]any) (*decays, error) {
	if !truthy(said["includeDecayScore"]) {
		return nil, nil
	}
	return c.decays(said)
}

func (d *decays) words(m *decaying) any {
	if d.full {
		return d.c.modelWords(m.v, m.m)
	}
	return struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}{m.v.Number, m.v.Name}
}

// byDecay leaves out what has decayed.
func (s *search) byDecay() error {
	if !truthy(s.said["excludeDecayed"]) {
		return nil
	}
	d, err := s.c.decays(s.said)
	if err != nil || len(d.models) == 0 {
		return err
	}
	var exact bool
	if s.q.Fresh, exact = d.bounds(); exact {
		return nil
	}
	s.keep = append(s.keep, func(a *tocsin.Attribute) bool {
		e := s.c.eventOf(a)
		return e == nil || !d.decayed(a, e)
	})
	return nil
}

// bounds are since when attributes have to have been met to be worth enough by any
// model, whatever their tags say: the store leaves the others out by its index, and
// tags are asked of what is left. They are exact where there is no tag that says anything
// on a scale of these models: then nothing is left to be asked of millions one by one.
func (d *decays) bounds() (_ []store.Fresh, exact bool) {
	longest := map[string]time.Duration{}
	exact = true
	for _, m := range d.models {
		most, tagged := d.most(&m)
		exact = exact && !tagged
		fresh := m.Fresh(most)
		for t := range m.Types {
			longest[t] = max(longest[t], fresh)
		}
	}
	by := map[time.Duration][]uint16{}
	for _, t := range indicator.Types() {
		if fresh, ok := longest[t.Name]; ok {
			by[fresh] = append(by[fresh], t.ID)
		}
	}
	var out []store.Fresh
	for fresh, types := range by {
		since := d.now.Unix() - int64(fresh.Seconds()) + 1
		if !exact {
			since -= 2
		}
		out = append(out, store.Fresh{Types: types, Since: since})
	}
	return out, exact
}

// most is the greatest base score that tags can make, and whether there are any that
// change it.
func (d *decays) most(m *decaying) (most float64, tagged bool) {
	most = m.Default
	for id := range d.c.view.TagIDs(func(string) bool { return true }) {
		t, err := store.One[*tocsin.Tag](d.c.view, id)
		if err != nil {
			continue
		}
		predicate, _, _ := strings.Cut(strings.ToLower(t.Name), "=")
		namespace, _, _ := strings.Cut(predicate, ":")
		if m.Weights[predicate] > 0 || m.Weights[namespace] > 0 {
			if n, ok := d.c.numerical(t); ok {
				most, tagged = max(most, n), true
			}
		}
	}
	return most, tagged
}
