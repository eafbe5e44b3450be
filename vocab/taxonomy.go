package vocab

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"tocsin"
)

// A Taxonomy is a set of tags under one namespace (MISP taxonomy format): machine
// tags such as tlp:green or admiralty-scale:source-reliability="a".
type Taxonomy struct {
	Namespace   string            `json:"namespace"`
	UUID        tocsin.UUID       `json:"uuid,omitzero"`
	Title       string            `json:"expanded,omitempty"`
	Description string            `json:"description"`
	Version     integer           `json:"version"`
	Exclusive   yes               `json:"exclusive,omitempty"` // of all its tags a record carries one at most
	Highlighted yes               `json:"highlighted,omitempty"`
	Types       texts             `json:"type,omitempty"` // of records that its tags are for; empty: all
	Refs        texts             `json:"refs,omitempty"`
	Predicates  []Predicate       `json:"predicates"`
	Values      []PredicateValues `json:"values,omitempty"`

	entries map[string][]Term // by predicate
}

// A Term is a predicate of a taxonomy, which is a tag by itself if it has no
// entries, or one of its entries.
type Term struct {
	Value       string      `json:"value"`
	UUID        tocsin.UUID `json:"uuid,omitzero"`
	Expanded    string      `json:"expanded,omitempty"`
	Description string      `json:"description,omitempty"`
	Colour      string      `json:"colour,omitempty"`
	Numerical   *integer    `json:"numerical_value,omitempty"`
}

// A Predicate is what follows the namespace.
type Predicate struct {
	Term
	Exclusive yes `json:"exclusive,omitempty"` // of its entries a record carries one at most
}

// PredicateValues are the entries of a predicate.
type PredicateValues struct {
	Predicate string `json:"predicate"`
	Entries   []Term `json:"entry"`
}

// maxTags is how many tags a taxonomy may have.
const maxTags = 10_000

// settle refuses a taxonomy that makes no sense.
func (t *Taxonomy) settle() error {
	t.Namespace, t.Version = strings.TrimSpace(t.Namespace), max(t.Version, 1)
	switch {
	case t.Namespace == "":
		return errors.New("it has no namespace")
	case strings.ContainsAny(t.Namespace, `:="`) || len(t.Namespace) > maxWord:
		return fmt.Errorf("%q is no namespace", clip(t.Namespace))
	case len(t.Predicates) == 0:
		return errors.New("it has no predicates")
	}
	t.entries = map[string][]Term{}
	for _, p := range t.Predicates {
		if err := p.sound("predicate"); err != nil {
			return err
		}
		if _, twice := t.entries[p.Value]; twice {
			return fmt.Errorf("it has the predicate %q twice", clip(p.Value))
		}
		t.entries[p.Value] = nil
	}
	for _, vs := range t.Values {
		known, ok := t.entries[vs.Predicate]
		if !ok {
			return fmt.Errorf("it has values of %q, which is none of its predicates", clip(vs.Predicate))
		}
		t.entries[vs.Predicate] = append(known, vs.Entries...)
	}
	for p, es := range t.entries {
		seen := map[string]bool{}
		for _, e := range es {
			if err := e.sound("value"); err != nil {
				return err
			}
			if seen[e.Value] {
				return fmt.Errorf("it has the value %q of %q twice", clip(e.Value), clip(p))
			}
			seen[e.Value] = true
		}
	}
	if n := t.Len(); n > maxTags {
		return fmt.Errorf("it has %d tags; %d are taken", n, maxTags)
	}
	return nil
}

func (v *Term) sound(what string) error {
	if v.Value == "" || len(v.Value) > maxWord || strings.ContainsAny(v.Value, "\x00\n\r\"") {
		return fmt.Errorf("%q is no %s", clip(v.Value), what)
	}
	return nil
}

// Entries are those of a predicate.
func (t *Taxonomy) Entries(predicate string) []Term { return t.entries[predicate] }

// Len is how many tags t has.
func (t *Taxonomy) Len() (n int) {
	for range t.Tags() {
		n++
	}
	return n
}

// A TaxonomyTag is one tag of a taxonomy.
type TaxonomyTag struct {
	Name      string
	Predicate *Predicate
	Entry     *Term // nil: the predicate is the tag
	Index     int   // among the tags, from 0
	At        int   // of its predicate, from 0
	Number    int   // of its entry among all entries, from 0
}

// Term is what the taxonomy says of the tag.
func (t *TaxonomyTag) Term() *Term {
	if t.Entry != nil {
		return t.Entry
	}
	return &t.Predicate.Term
}

// Numerical is what the tag counts as, nil if its taxonomy does not say.
func (t *TaxonomyTag) Numerical() *int64 { return (*int64)(t.Term().Numerical) }

// Expanded is the tag in words.
func (t *TaxonomyTag) Expanded() string {
	word := func(v *Term) string {
		if v.Expanded != "" {
			return v.Expanded
		}
		return v.Value
	}
	if t.Entry == nil {
		return word(&t.Predicate.Term)
	}
	return word(&t.Predicate.Term) + ": " + word(t.Entry)
}

// Tags iterates over the tags of t in their order.
func (t *Taxonomy) Tags() iter.Seq[TaxonomyTag] {
	return func(yield func(TaxonomyTag) bool) {
		index, number := 0, 0
		for at := range t.Predicates {
			p := &t.Predicates[at]
			name := t.Namespace + ":" + p.Value
			es := t.entries[p.Value]
			if len(es) == 0 {
				if !yield(TaxonomyTag{name, p, nil, index, at, 0}) {
					return
				}
				index++
			}
			for i := range es {
				if !yield(TaxonomyTag{name + `="` + es[i].Value + `"`, p, &es[i], index, at, number}) {
					return
				}
				index, number = index+1, number+1
			}
		}
	}
}

// Tag returns the tag of that name, without regard to case.
func (t *Taxonomy) Tag(name string) (TaxonomyTag, bool) {
	for tag := range t.Tags() {
		if strings.EqualFold(tag.Name, name) {
			return tag, true
		}
	}
	return TaxonomyTag{}, false
}

// Namespace returns what stands before the first colon of a tag's name, "" if it is
// no machine tag.
func Namespace(tag string) string {
	ns, rest, ok := strings.Cut(tag, ":")
	if !ok || ns == "" || rest == "" {
		return ""
	}
	return ns
}
