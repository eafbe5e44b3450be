package vocab

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"tocsin"
)

//go:embed taxonomies.txt
var builtInTaxonomies string

//go:embed templates.txt
var builtInTemplates string

// BuiltInVocabulary returns the taxonomies and object templates that come with the
// program. What their keepers publish takes their place when it is read.
var BuiltInVocabulary = sync.OnceValue(func() (items []*Item) {
	ts, err := readTaxonomies(builtInTaxonomies)
	if err != nil {
		panic("vocab: taxonomies.txt: " + err.Error()) // a test reads it before anybody else does
	}
	for _, t := range ts {
		items = append(items, mustItem(t.Item()))
	}
	os, err := readTemplates(builtInTemplates)
	if err != nil {
		panic("vocab: templates.txt: " + err.Error())
	}
	for _, o := range os {
		items = append(items, mustItem(o.Item()))
	}
	return items
})

func mustItem(i *Item, err error) *Item {
	if err != nil {
		panic("vocab: what comes with the program: " + err.Error())
	}
	i.Record.Own = true
	return i
}

// inLines calls take for each line of a text but comments, with its first word and the
// rest of them.
func inLines(text string, take func(first string, words []string) error) error {
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if err := take(words[0], words[1:]); err != nil {
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}

var errForm = fmt.Errorf("it is not in the form that the top of the file explains")

// readTaxonomies reads the form that taxonomies.txt explains.
func readTaxonomies(text string) (ts []*Taxonomy, err error) {
	var t *Taxonomy
	err = inLines(text, func(first string, words []string) (err error) {
		switch {
		case first == "=" && len(words) >= 3:
			t = &Taxonomy{Namespace: words[0], Exclusive: yes(len(words) > 3)}
			ts = append(ts, t)
			if t.UUID, err = tocsin.ParseUUID(words[1]); err != nil {
				return err
			}
			n, err := strconv.ParseInt(words[2], 10, 64)
			t.Version = integer(n)
			return err
		case t == nil:
			return errForm
		case first == ":":
			t.Description = strings.Join(words, " ")
			return nil
		}
		term, exclusive, err := readTerm(words)
		if err != nil {
			return err
		}
		switch {
		case first == "-":
			t.Predicates = append(t.Predicates, Predicate{Term: term, Exclusive: exclusive})
		case first == "+" && len(t.Predicates) > 0:
			p := t.Predicates[len(t.Predicates)-1].Value
			if n := len(t.Values); n == 0 || t.Values[n-1].Predicate != p {
				t.Values = append(t.Values, PredicateValues{Predicate: p})
			}
			vs := &t.Values[len(t.Values)-1]
			vs.Entries = append(vs.Entries, term)
		default:
			return errForm
		}
		return nil
	})
	return ts, err
}

// readTerm reads a value, its uuid, and what else is said of it.
func readTerm(words []string) (t Term, exclusive yes, err error) {
	if len(words) < 2 {
		return t, false, errForm
	}
	t.Value = words[0]
	if t.UUID, err = tocsin.ParseUUID(words[1]); err != nil {
		return t, false, err
	}
	for i, w := range words[2:] {
		number, isNumber := strings.CutPrefix(w, "#=")
		switch {
		case w == "|":
			t.Expanded = strings.Join(words[i+3:], " ")
			return t, exclusive, nil
		case w == "exclusive":
			exclusive = true
		case isNumber:
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				return t, false, err
			}
			t.Numerical = new(integer(n))
		case isColour(w):
			t.Colour = w
		default:
			return t, false, errForm
		}
	}
	return t, exclusive, nil
}

// readTemplates reads the form that templates.txt explains.
func readTemplates(text string) (ts []*ObjectTemplate, err error) {
	var t *ObjectTemplate
	err = inLines(text, func(first string, words []string) (err error) {
		switch {
		case first == "=" && len(words) == 4:
			t = &ObjectTemplate{Name: words[0], MetaCategory: words[2]}
			ts = append(ts, t)
			if t.UUID, err = tocsin.ParseUUID(words[1]); err != nil {
				return err
			}
			n, err := strconv.ParseInt(words[3], 10, 64)
			t.Version = integer(n)
			return err
		case t == nil || len(words) == 0:
			return errForm
		case first == ":":
			t.Description = strings.Join(words, " ")
		case first == "!":
			t.Required = words
		case first == "?":
			t.RequiredOneOf = words
		default:
			e, err := readElement(first, words)
			t.Elements = append(t.Elements, e)
			return err
		}
		return nil
	})
	return ts, err
}

// blanks turns "_" into a blank, but where a stroke stands before it.
var blanks = strings.NewReplacer(`\_`, "_", "_", " ")

func readElement(relation string, words []string) (Element, error) {
	e := Element{Relation: relation, Type: words[0], Description: humanWords(relation)}
	for _, w := range words[1:] {
		switch rest := blanks.Replace(w[1:]); w[0] {
		case '*':
			e.Multiple = true
		case '-':
			e.DisableCorrelation = new(true)
		case '+':
			e.DisableCorrelation = new(false)
		case '@':
			e.Categories = append(e.Categories, rest)
		case '|':
			e.Defaults = append(e.Defaults, rest)
		case '%':
			e.Values = append(e.Values, rest)
		default:
			n, err := strconv.ParseInt(w, 10, 64)
			if err != nil {
				return e, errForm
			}
			e.Priority = integer(n)
		}
	}
	return e, nil
}

// humanWords makes words of a relation: "size-in-bytes" is "Size in bytes".
func humanWords(relation string) string {
	text := strings.NewReplacer("-", " ", "_", " ").Replace(relation)
	return strings.ToUpper(text[:1]) + text[1:]
}
