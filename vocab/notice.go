package vocab

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"tocsin"
)

// A Noticelist reminds of what the law says of some sorts of data (MISP noticelist
// format).
type Noticelist struct {
	Name    string            `json:"name"`
	Title   string            `json:"expanded_name"`
	Refs    texts             `json:"ref"`
	Areas   texts             `json:"geographical_area"`
	Version integer           `json:"version"`
	Notices []json.RawMessage `json:"notice"`
}

func (n *Noticelist) settle() error {
	if n.Name = strings.TrimSpace(n.Name); n.Name == "" || len(n.Name) > maxWord {
		return errors.New("the noticelist has no name")
	}
	n.Version = max(n.Version, 1)
	if len(n.Notices) == 0 {
		return fmt.Errorf("the noticelist %s has no notices", n.Name)
	}
	return nil
}

// A DecayingModel says how fast what an attribute is worth falls (MISP decaying
// models).
type DecayingModel struct {
	UUID        tocsin.UUID     `json:"uuid"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Formula     string          `json:"formula"`
	Parameters  json.RawMessage `json:"parameters"`
	Types       texts           `json:"attribute_types"`
	Refs        texts           `json:"ref"`
	Authors     texts           `json:"authors"`
	Version     integer         `json:"version"`
}

func (m *DecayingModel) settle() error {
	switch m.Name = strings.TrimSpace(m.Name); {
	case m.Name == "" || len(m.Name) > maxWord:
		return errors.New("the decaying model has no name")
	case m.UUID.IsZero():
		return fmt.Errorf("the decaying model %s has no uuid", m.Name)
	case len(m.Parameters) == 0 || m.Parameters[0] != '{':
		return fmt.Errorf("the decaying model %s has no parameters", m.Name)
	}
	return nil
}

// Relationships are the words for how an object relates to another record.
type Relationships struct {
	Name        string         `json:"name"`
	UUID        tocsin.UUID    `json:"uuid"`
	Description string         `json:"description"`
	Version     integer        `json:"version"`
	Values      []Relationship `json:"values"`
}

// A Relationship is one of them.
type Relationship struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Opposite    string `json:"opposite,omitempty"`
	Formats     texts  `json:"format"`
}

func (r *Relationships) settle() error {
	if r.Name == "" || len(r.Name) > maxWord || len(r.Values) == 0 {
		return errors.New("the list of relationships is empty")
	}
	return nil
}
