package mispapi

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tocsin/stix"
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
var drawn = regexp.MustCompile(`# Generated: [-0-9: +]+|<ioc [^>]*>|<authored_date>[^<]*|operator="OR" id="[^"]*"|background-color: #[0-9A-Fa-f]{6}; color: [a-z]+`)

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

// bundled are the recordings of STIX 2. Their objects are compared one by one, by id,
// after what is said otherwise here on purpose.
var bundled = map[int]bool{239: true, 240: true, 268: true}

// betterSTIX is what MISP 2.5.1 says in words that are not STIX's: names of digests
// (STIX 2.1, section 10.7), numbers as texts, TLP 1 for TLP 2.0.
var betterSTIX = strings.NewReplacer("hashes.SHA256", "hashes.'SHA-256'", "_port = '8080'", "_port = 8080", "size = '1234'", "size = 1234",
	"34098fce-860f-48ae-8e50-ebd3cc5e41da", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb")

// bundle says how a bundle differs beyond that. Sightings, which MISP leaves out, may
// be there.
func (p *replay) bundle(want, have any) (diffs []string) {
	ours := map[string]map[string]any{}
	for _, o := range objectsOf(have) {
		ours[fmt.Sprint(o["id"])] = o
	}
	for _, w := range objectsOf(want) {
		id := p.better(fmt.Sprint(w["id"]))
		h, ok := ours[id]
		if !ok {
			diffs = append(diffs, id+" is missing")
			continue
		}
		delete(ours, id)
		if w["type"] == "marking-definition" {
			continue
		}
		for name, value := range w {
			if strings.Contains("created modified valid_from first_observed last_observed published object_refs", name) && h[name] != nil {
				continue
			}
			if a, b := p.better(fmt.Sprint(value)), fmt.Sprint(h[name]); a != b {
				diffs = append(diffs, fmt.Sprintf("%s: %s is %s, not %s", id, name, b, a))
			}
		}
		for name := range h {
			if _, ok := w[name]; !ok && name != "x_misp_uuid" {
				diffs = append(diffs, fmt.Sprintf("%s: %s is too much (%v)", id, name, h[name]))
			}
		}
	}
	for id, o := range ours {
		if !slices.Contains([]any{"sighting", "opinion", "identity"}, o["type"]) {
			diffs = append(diffs, id+" is too much")
		}
	}
	return diffs
}

// better says in our words what MISP says.
func (p *replay) better(s string) string {
	return uuidText.ReplaceAllStringFunc(betterSTIX.Replace(p.ours(s)), func(u string) string { return stix.ID(mustUUID(u)).String() })
}

func objectsOf(bundle any) (objects []map[string]any) {
	b, _ := bundle.(map[string]any)
	list, _ := b["objects"].([]any)
	for _, o := range list {
		if o, ok := o.(map[string]any); ok {
			objects = append(objects, o)
		}
	}
	return objects
}
