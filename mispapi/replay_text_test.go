package mispapi

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"strings"
)

// text says how an answer that is no JSON differs from what was recorded.
func (p *replay) text(want, have string) []string {
	if strings.Contains(want, "<response>") {
		w, err := tree(want)
		if err != nil {
			p.t.Fatal(err)
		}
		h, err := tree(have)
		if err != nil {
			return []string{fmt.Sprintf("no XML: %v: %.200s", err, have)}
		}
		return p.compare("", "", w, h)
	}
	w, h := p.masked(p.ours(want)), p.masked(have)
	if strings.TrimRight(w, "\n") == strings.TrimRight(h, "\n") { // PHP ends with an empty line
		return nil
	}
	for i := range min(len(w), len(h)) {
		if w[i] != h[i] {
			from := max(0, i-100)
			return []string{fmt.Sprintf("body from %d on %.300q, not %.300q", from, h[from:], w[from:])}
		}
	}
	return []string{fmt.Sprintf("body %.1500q, not %.1500q", h, w)}
}

// What differs from one answer to the next, because it says when it was made or
// is drawn by chance.
var drawn = regexp.MustCompile(`# Generated: [-0-9: +]+|<ioc [^>]*>|<authored_date>[^<]*|operator="OR" id="[^"]*"`)

// masked takes out of a text what is made anew for each answer.
func (p *replay) masked(s string) string { return drawn.ReplaceAllString(blank(s), "DRAWN") }

// tree reads XML as if it were JSON: an element is a member, several of one name a
// list, digits a number.
func tree(s string) (any, error) {
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		if _, ok := t.(xml.StartElement); ok {
			return below(d)
		}
	}
}

func below(d *xml.Decoder) (any, error) {
	var text strings.Builder
	members := map[string]any{}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := below(d)
			if err != nil {
				return nil, err
			}
			add(members, t.Name.Local, v)
		case xml.EndElement:
			if s := text.String(); len(members) == 0 {
				return leaf(s), nil
			}
			return members, nil
		}
	}
}

func add(members map[string]any, name string, v any) {
	switch was := members[name].(type) {
	case nil:
		members[name] = v
	case []any:
		members[name] = append(was, v)
	default:
		members[name] = []any{was, v}
	}
}

func leaf(s string) any {
	switch {
	case s == "":
		return nil
	case strings.Trim(s, "0123456789") == "":
		return json.Number(s)
	}
	return s
}
