package mispapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"tocsin"
	"tocsin/access"
)

// The recorded MISP had reference data of another day than what stands beside the
// repository: lists have grown, and some are new. So in what lists it, each record is
// compared with ours of the same name, and in all of it what its keeper may change is
// not.

// references are the calls that list reference data, with what is listed.
var references = map[int]string{136: "ObjectTemplate", 392: "Warninglist", 402: "Taxonomy", 409: "Galaxy"}

// aged are members of reference data that change with it.
var aged = map[string]bool{"version": true, "description": true, "total_count": true, "requirements": true, "warninglist_entry_count": true,
	"valid_attributes": true, "name": true, "exclusive": true, "kill_chain_order": true, "meta-category": true, "highlighted": true}

// found gives a world that replays recordings the reference data, and knows by their
// names what the calls mean by number.
func (p *replay) found() {
	if _, err := os.Stat(filepath.Join(sharedRoot(), "data", "reference")); err != nil {
		return
	}
	p.asMISP()
	p.meant("tlp", "domain-ip", "threat-actor", "gdpr", "akamai")
}

// meant says what the calls mean that name reference data by MISP's numbers.
func (p *replay) meant(taxonomy, template, galaxy, noticelist, warninglist string) {
	p.t.Helper()
	view := p.db.As(access.System("test"))
	lib := view.Library()
	for _, is := range []struct {
		sort               tocsin.VocabularySort
		kind, theirs, name string
	}{{tocsin.Taxonomies, "Taxonomy", "141", taxonomy}, {tocsin.ObjectTemplates, "ObjectTemplate", "70", template},
		{tocsin.Galaxies, "Galaxy", "87", galaxy}, {tocsin.Noticelists, "Noticelist", "1", noticelist}} {
		v, err := lib.Named(is.sort, is.name)
		if err != nil {
			p.t.Fatal(err)
		}
		p.know(is.kind, is.theirs, fmt.Sprint(v.Number))
	}
	for l := range view.GuardLists() {
		if l.Name == warninglist {
			p.know("Warninglist", "1", fmt.Sprint(l.ID))
		}
	}
}

func (p *replay) know(kind, theirs, ours string) {
	if p.ids[kind] == nil {
		p.ids[kind] = map[string]string{}
	}
	p.ids[kind][theirs] = ours
}

// records returns the records of a kind in a list, by what tells them apart. Of a text
// that was cut off it returns those that are whole.
func records(kind, text string) map[string]map[string]any {
	out := map[string]map[string]any{}
	at := strings.IndexByte(text, '[')
	if at < 0 {
		return out
	}
	d := json.NewDecoder(strings.NewReader(text[at:]))
	d.UseNumber()
	d.Token()
	for d.More() {
		var row map[string]any
		if d.Decode(&row) != nil {
			return out
		}
		r, ok := row[kind].(map[string]any)
		if !ok {
			return out
		}
		for k, v := range row { // what stands beside it
			if k != kind {
				r[kind+" "+k] = v
			}
		}
		for _, name := range []string{"uuid", "namespace", "name"} {
			if s, ok := r[name].(string); ok {
				out[s] = r
				break
			}
		}
	}
	return out
}

// reference compares lists of reference data and learns by which number a record is
// known here.
func (p *replay) reference(kind, want, have string) (diffs []string) {
	theirs, ours := records(kind, want), records(kind, have)
	known := 0
	for name, w := range theirs {
		h := ours[name]
		if h == nil {
			continue // it is no longer published, or is called something else
		}
		known++
		p.know(kind, fmt.Sprint(w["id"]), fmt.Sprint(h["id"]))
		for k := range w {
			short := strings.TrimPrefix(k, kind+" ")
			switch v, ok := h[k]; {
			case !ok:
				diffs = append(diffs, fmt.Sprintf("%s %s: %s is missing", kind, name, k))
			case aged[short]:
				if goType(w[k]) != goType(v) && short != "requirements" && short != "kill_chain_order" {
					diffs = append(diffs, fmt.Sprintf("%s %s: %s is %T, not %T", kind, name, k, v, w[k]))
				}
			default:
				diffs = append(diffs, p.compare(kind, k, w[k], v)...)
			}
		}
		for k := range h {
			if _, ok := w[k]; !ok {
				diffs = append(diffs, fmt.Sprintf("%s %s: %s is too much", kind, name, k))
			}
		}
	}
	if known*10 < len(theirs)*8 || known == 0 {
		diffs = append(diffs, fmt.Sprintf("of %d records of kind %s %d are here", len(theirs), kind, known))
	}
	return diffs
}

func goType(v any) string { return fmt.Sprintf("%T", v) }

// newerTypes are the types that PyMISP 2.5.34 asks for and MISP 2.5.1 has not.
var newerTypes = map[string]bool{"edge-extension-id": true, "suricata": true, "uuid": true}

// without takes names out of lists and objects, at any depth.
func (p *replay) without(names map[string]bool, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, inner := range v {
			if !names[k] {
				out[k] = p.without(names, inner)
			}
		}
		return out
	case []any:
		out := []any{}
		for _, inner := range v {
			if name, ok := inner.(string); !ok || !names[name] {
				out = append(out, p.without(names, inner))
			}
		}
		return out
	}
	return v
}

// grown returns a cluster or a galaxy, theirs and ours, but for what has been added to
// it since theirs was published, and for the relations of published ones, of which MISP
// repeats the tags. The version of an own cluster is a time.
func grown(kind string, w, h map[string]any) (theirs, ours map[string]any) {
	aged := []string{"version"}
	switch {
	case kind != "GalaxyCluster" && kind != "Galaxy":
		return w, h
	case kind == "Galaxy" || w["default"] == true:
		aged = []string{"version", "description", "GalaxyElement", "meta", "authors", "GalaxyClusterRelation", "TargetingClusterRelation", "kill_chain_order"}
	}
	w, h = maps.Clone(w), maps.Clone(h)
	for _, k := range aged {
		_, there := w[k]
		_, here := h[k]
		if _, cut := w[k].(cutList); there && here && (cut || goType(w[k]) == goType(h[k])) {
			delete(w, k)
			delete(h, k)
		}
	}
	return w, h
}
