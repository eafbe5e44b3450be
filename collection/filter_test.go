package collection

import (
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

func TestFilter(t *testing.T) {
	f := newFakeStore()
	w := newWorld(indicator.Hasher{})
	setName(w.Tags, 1, "phishing")
	setName(w.Tags, 2, `misp-galaxy:tool="Two, Words"`)
	setName(w.Orgs, 7, "Example CERT")
	setName(w.Orgs, 8, "7")
	label := func(tlp access.TLP) access.LabelID {
		return f.labels.ID(access.NewLabel(1, access.Community, 0, tlp, access.PAPUnmarked))
	}
	a := tocsin.Attribute{ID: 1, Event: 1, ToIDS: true, Value: parse(t, "domain", "evil.example"), Label: label(access.Unmarked),
		Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 1})}
	e := event{orgc: 7, label: label(access.Clear), published: true, tags: tocsin.NewTagSet(tocsin.Attached{Tag: 2, Local: true})}
	for _, c := range []struct {
		filter string
		want   bool
	}{
		{"", false},
		{"   ", false},
		{"type:domain", true},
		{"type:hostname,domain", true},
		{"type:hostname", false},
		{"  type:domain   tag:phishing ", true},
		{"type:hostname tag:phishing", false},
		{"tag:Phishing", true},
		{"tag:fishing,phishing", true},
		{"tag:nothing", false},
		{`tag:"misp-galaxy:tool=\"two, words\""`, true},
		{"org:7", true},
		{"org:8", false},
		{`org:"7"`, false},
		{`org:"example cert"`, true},
		{"tlp:clear", true},
		{"tlp:white", true},
		{"tlp:green,amber", false},
	} {
		m, err := w.matcher(&tocsin.Collection{Name: "first", Filter: c.filter, Sources: []int64{7}})
		if err != nil {
			t.Errorf("%q: %v", c.filter, err)
		} else if got := m.matches(&a, &e, f.labels); got != c.want {
			t.Errorf("%q matches: %v; want %v", c.filter, got, c.want)
		}
	}
	// Without a marking the default holds.
	e.label = label(access.Unmarked)
	if m, _ := w.matcher(&tocsin.Collection{Filter: "tlp:green", Sources: []int64{7}}); !m.matches(&a, &e, f.labels) {
		t.Error("an unmarked claim is not taken as TLP:GREEN")
	}
}

var badFilters = []struct{ filter, says string }{
	{"phishing", `"phishing" is no term`},
	{"typ:domain", `"typ:domain" is no term; a term begins with one of [type: tag: org: tlp:]`},
	{"type:domain phishing", `"phishing" is no term`},
	{"type:", "type: needs a value, as in type:domain,hostname"},
	{"tag:a,", "tag: needs a value"},
	{"type:domian", `no such indicator type: "domian"`},
	{"tlp:yellow", `no such TLP: "yellow"`},
	{`tag:"open`, "a quote after tag: is not closed"},
	{`tag:"a"b`, "after a quoted value of tag: comes a space or a comma"},
}

func TestBadFilters(t *testing.T) {
	for _, c := range badFilters {
		_, err := ParseFilter(c.filter)
		if err == nil || tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: %v; want %q", c.filter, err, c.says)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	for _, c := range badFilters {
		f.Add(c.filter)
	}
	f.Add(`type:domain tag:"a b",c org:7 tlp:green`)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err != nil && tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q: %v is not for its author", text, err)
		}
		if err == nil && len(filter.terms) == 0 && strings.TrimSpace(text) != "" {
			t.Errorf("%q says nothing", text)
		}
	})
}
