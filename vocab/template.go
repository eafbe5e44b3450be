package vocab

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tocsin"
)

// An ObjectTemplate says what an object is made of (MISP object template format).
type ObjectTemplate struct {
	Name          string      `json:"name"`
	UUID          tocsin.UUID `json:"uuid"`
	MetaCategory  string      `json:"meta-category"`
	Description   string      `json:"description"`
	Version       integer     `json:"version"`
	Required      texts       `json:"required,omitempty"`
	RequiredOneOf texts       `json:"requiredOneOf,omitempty"`
	Elements      Elements    `json:"attributes"`
}

// An Element is an attribute that an object may have.
type Element struct {
	Relation           string `json:"-"`
	Type               string `json:"misp-attribute"`
	Description        string `json:"description,omitempty"`
	Priority           integer
	Multiple           bool
	DisableCorrelation *bool // nil: as its type has it
	ToIDS              *bool // likewise
	Recommended        *bool
	Categories         []string
	Defaults           []string // values that make sense
	Values             []string // values that are allowed, if any
}

// element is how one is written.
type element struct {
	Categories         texts   `json:"categories,omitempty"`
	Description        string  `json:"description"`
	DisableCorrelation *yes    `json:"disable_correlation,omitempty"`
	Type               string  `json:"misp-attribute"`
	Multiple           yes     `json:"multiple,omitempty"`
	Recommended        *yes    `json:"recommended,omitempty"`
	Defaults           texts   `json:"sane_default,omitempty"`
	ToIDS              *yes    `json:"to_ids,omitempty"`
	Priority           integer `json:"ui-priority"`
	Values             texts   `json:"values_list,omitempty"`
}

// Elements are written as an object of relations. Their order is kept.
type Elements []Element

func (es *Elements) UnmarshalJSON(b []byte) error {
	return members(b, func(relation string, raw json.RawMessage) error {
		var e element
		if err := json.Unmarshal(raw, &e); err != nil {
			return err
		}
		*es = append(*es, Element{relation, e.Type, e.Description, e.Priority, bool(e.Multiple), (*bool)(e.DisableCorrelation),
			(*bool)(e.ToIDS), (*bool)(e.Recommended), e.Categories, e.Defaults, e.Values})
		return nil
	})
}

func (es Elements) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range es {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(e.Relation)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(element{e.Categories, e.Description, (*yes)(e.DisableCorrelation), e.Type, yes(e.Multiple),
			(*yes)(e.Recommended), e.Defaults, (*yes)(e.ToIDS), e.Priority, e.Values})
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// members reads an object member by member, in order.
func members(b []byte, each func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		if err == nil && t == nil {
			return nil
		}
		if err == nil && t == json.Delim('[') && !d.More() {
			return nil // PHP's empty object
		}
		return fmt.Errorf("%s stands where an object belongs", clip(string(b)))
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := each(name.(string), value); err != nil {
			return err
		}
	}
	return nil
}

// maxElements is how many a template may have.
const maxElements = 1000

// settle refuses a template that makes no sense.
func (t *ObjectTemplate) settle() error {
	t.Name, t.Version = strings.TrimSpace(t.Name), max(t.Version, 1)
	switch {
	case t.Name == "" || len(t.Name) > maxWord:
		return errors.New("it has no name")
	case t.UUID.IsZero():
		return fmt.Errorf("the template %s has no uuid", t.Name)
	case len(t.Elements) == 0:
		return fmt.Errorf("the template %s has no attributes", t.Name)
	case len(t.Elements) > maxElements:
		return fmt.Errorf("the template %s has %d attributes; %d are taken", t.Name, len(t.Elements), maxElements)
	}
	seen := map[string]bool{}
	for _, e := range t.Elements {
		switch {
		case e.Relation == "" || len(e.Relation) > maxWord:
			return fmt.Errorf("the template %s has an attribute without a name", t.Name)
		case seen[e.Relation]:
			return fmt.Errorf("the template %s has the attribute %s twice", t.Name, e.Relation)
		case e.Type == "":
			return fmt.Errorf("the attribute %s of the template %s has no type", e.Relation, t.Name)
		}
		seen[e.Relation] = true
	}
	for _, r := range slices.Concat(t.Required, t.RequiredOneOf) {
		if !seen[r] {
			return fmt.Errorf("the template %s requires %q, which is none of its attributes", t.Name, clip(r))
		}
	}
	return nil
}

// Element returns the attribute of that relation, nil if there is none.
func (t *ObjectTemplate) Element(relation string) *Element {
	i := slices.IndexFunc(t.Elements, func(e Element) bool { return e.Relation == relation })
	if i < 0 {
		return nil
	}
	return &t.Elements[i]
}

// Missing says which required relation is not among those that an object has, or
// returns all of which it needs one.
func (t *ObjectTemplate) Missing(has func(relation string) bool) (required string, oneOf []string) {
	for _, r := range t.Required {
		if !has(r) {
			return r, nil
		}
	}
	if len(t.RequiredOneOf) > 0 && !slices.ContainsFunc(t.RequiredOneOf, has) {
		return "", t.RequiredOneOf
	}
	return "", nil
}
