package collection

import (
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A Filter says which claims a collection takes in besides those that were put
// into it by name. It is a row of terms separated by spaces, all of which must
// hold; a term is a key, a colon, and one or more values separated by commas,
// one of which must hold:
//
//	type:domain,hostname   the indicator is of one of these MISP types
//	tag:NAME               the claim or its event carries this tag
//	org:NAME or org:ID     the organisation that created the event
//	tlp:green              claim and event together are marked so; unmarked counts as the default
//
// A value with spaces or commas in it stands in double quotes, with \ before a
// quote that belongs to it. Names of tags and organisations are compared
// without regard to case. The zero Filter, and the empty one, match nothing.
type Filter struct{ terms []term }

type term struct {
	key    string
	values []value
}

type value struct {
	text   string // in lower case, but for types
	id     int64  // of an organisation, where the value is a bare number
	tlp    access.TLP
	quoted bool
}

// filterKeys are the terms there are, as they are shown to whoever mistypes one.
var filterKeys = []string{"type", "tag", "org", "tlp"}

// ParseFilter reads a filter. Its errors are for the person who wrote it.
func ParseFilter(text string) (Filter, error) {
	var f Filter
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		key, after, ok := strings.Cut(rest, ":")
		if !ok || strings.ContainsAny(key, " \t\r\n\"") || !slices.Contains(filterKeys, key) {
			word, _, _ := strings.Cut(rest, " ")
			return Filter{}, tocsin.Errorf(tocsin.Invalid, "filter: %q is no term; a term begins with one of [%s:]", word, strings.Join(filterKeys, ": "))
		}
		t := term{key: key}
		var err error
		if rest, err = t.read(after); err != nil {
			return Filter{}, err
		}
		f.terms = append(f.terms, t)
	}
	return f, nil
}

// read reads the values at the front of rest and returns what follows them.
func (t *term) read(rest string) (string, error) {
	for {
		var v value
		if strings.HasPrefix(rest, `"`) {
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return "", tocsin.Errorf(tocsin.Invalid, "filter: a quote after %s: is not closed", t.key)
			}
			v.text, _ = strconv.Unquote(q)
			v.quoted = true
			rest = rest[len(q):]
		} else {
			n := strings.IndexAny(rest, ", \t\r\n")
			if n < 0 {
				n = len(rest)
			}
			v.text, rest = rest[:n], rest[n:]
		}
		if err := v.check(t.key); err != nil {
			return "", err
		}
		t.values = append(t.values, v)
		switch {
		case strings.HasPrefix(rest, ","):
			rest = rest[1:]
		case rest == "" || strings.ContainsAny(rest[:1], " \t\r\n"):
			return rest, nil
		default:
			return "", tocsin.Errorf(tocsin.Invalid, "filter: after a quoted value of %s: comes a space or a comma", t.key)
		}
	}
}

func (v *value) check(key string) error {
	if v.text == "" {
		return tocsin.Errorf(tocsin.Invalid, "filter: %s: needs a value, as in %s", key, map[string]string{
			"type": "type:domain,hostname", "tag": "tag:phishing", "org": "org:7", "tlp": "tlp:green"}[key])
	}
	if key != "type" {
		v.text = strings.ToLower(v.text)
	}
	switch key {
	case "type":
		if _, ok := indicator.TypeByName(v.text); !ok {
			return tocsin.Errorf(tocsin.Invalid, "filter: no such indicator type: %q", v.text)
		}
	case "org":
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil && !v.quoted {
			v.id = n
		}
	case "tlp":
		// An unknown label reads as RED, so only RED itself may.
		if v.tlp, _ = access.Marking("tlp:" + v.text); v.tlp == access.Red && v.text != "red" {
			return tocsin.Errorf(tocsin.Invalid, "filter: no such TLP: %q; there are clear, green, amber, amber+strict and red", v.text)
		}
	}
	return nil
}

// A matcher is what one collection takes in, with names turned into ids as they
// were at one line of the log.
type matcher struct {
	sources []int64
	tags    []int64 // of the collection's own tag
	terms   []idTerm
	names   []string // that ids were looked up for, of tags and organisations
}

// speaksOf reports whether a tag or organisation of that name makes a difference.
func (m *matcher) speaksOf(name string) bool { return slices.Contains(m.names, strings.ToLower(name)) }

// An idTerm is a term whose names are ids.
type idTerm struct {
	key   string
	types []string
	ids   []int64
	tlps  []access.TLP
}

func (w *world) matcher(c *tocsin.Collection) (*matcher, error) {
	f, err := ParseFilter(c.Filter)
	own := strings.ToLower(c.Tag())
	m := &matcher{sources: c.Sources, tags: w.tagIDs(own), names: []string{own}}
	for _, t := range f.terms {
		it := idTerm{key: t.key}
		for _, v := range t.values {
			switch {
			case t.key == "type":
				it.types = append(it.types, v.text)
			case t.key == "tag":
				it.ids, m.names = append(it.ids, w.tagIDs(v.text)...), append(m.names, v.text)
			case t.key == "tlp":
				it.tlps = append(it.tlps, v.tlp)
			case v.id != 0:
				it.ids = append(it.ids, v.id)
			default:
				it.ids, m.names = append(it.ids, w.orgIDs(v.text)...), append(m.names, v.text)
			}
		}
		m.terms = append(m.terms, it)
	}
	return m, err
}

// matches reports whether a claim in event e belongs to the collection.
func (m *matcher) matches(a *tocsin.Attribute, e *event, labels *access.Labels) bool {
	return a.ToIDS && !a.Deleted && !a.Guarded() && e.published && slices.Contains(m.sources, e.orgc) &&
		(carries(a, e, m.tags) || m.filtered(a, e, labels))
}

func carries(a *tocsin.Attribute, e *event, tags []int64) bool {
	return slices.ContainsFunc(tags, func(id int64) bool { return a.Tags.Has(id) || e.tags.Has(id) })
}

func (m *matcher) filtered(a *tocsin.Attribute, e *event, labels *access.Labels) bool {
	for _, t := range m.terms {
		ok := false
		switch t.key {
		case "type":
			ok = slices.Contains(t.types, a.Value.TypeName())
		case "tag":
			ok = carries(a, e, t.ids)
		case "org":
			ok = slices.Contains(t.ids, e.orgc)
		case "tlp":
			tlp := max(labels.Label(a.Label).TLP, labels.Label(e.label).TLP)
			if tlp == access.Unmarked {
				tlp = access.DefaultTLP
			}
			ok = slices.Contains(t.tlps, tlp)
		}
		if !ok {
			return false
		}
	}
	return len(m.terms) > 0
}
