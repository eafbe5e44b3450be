package mispapi

import (
	"encoding/json"
	"slices"
	"strings"
)

// Of long answers the beginning was recorded. Where it breaks off, what follows is
// not compared.

// A cutObject and a cutList were not recorded to their end.
type (
	cutObject map[string]any
	cutList   []any
)

// beginning reads as much of a JSON text as there is.
func beginning(text string) any {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, _ := readCut(d)
	return v
}

// readCut reads a value, and whether it is whole. The last scalar may be cut short, so
// it is left out.
func readCut(d *json.Decoder) (v any, whole bool) {
	t, err := d.Token()
	if err != nil {
		return nil, false
	}
	switch t {
	case json.Delim('{'):
		m := map[string]any{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return cutObject(m), false
			}
			v, whole := readCut(d)
			if v != nil || whole {
				m[key.(string)] = v
			}
			if !whole {
				return cutObject(m), false
			}
		}
		_, err := d.Token()
		if err != nil {
			return cutObject(m), false
		}
		return m, true
	case json.Delim('['):
		l := []any{}
		for d.More() {
			v, whole := readCut(d)
			if v != nil || whole {
				l = append(l, v)
			}
			if !whole {
				return cutList(l), false
			}
		}
		_, err := d.Token()
		if err != nil {
			return cutList(l), false
		}
		return l, true
	}
	return t, true
}

// compareCut is compare for what was not recorded to its end.
func (p *replay) compareCut(kind, name string, want, have any) []string {
	switch w := want.(type) {
	case cutObject:
		h, ok := have.(map[string]any)
		if !ok {
			return []string{kind + "." + name + " is no object"}
		}
		so := map[string]any{}
		for k := range w {
			if v, ok := h[k]; ok {
				so[k] = v
			}
		}
		return p.compare(kind, name, map[string]any(w), so)
	case cutList:
		h, ok := have.([]any)
		if name == "GalaxyCluster" {
			w, h = bothHave(w, h)
		}
		if !ok || len(h) < len(w) {
			return []string{kind + "." + name + " is no list, or too short"}
		}
		return p.compare(kind, name, []any(w), h[:len(w)])
	}
	return nil
}

// bothHave are the clusters of two galaxies that are in both: what their keepers added
// or withdrew since is not compared.
func bothHave(theirs, ours []any) (cutList, []any) {
	uuids := func(of []any) map[any]bool {
		in := map[any]bool{}
		for _, c := range of {
			in[memberOf(c, "uuid")] = true
		}
		return in
	}
	here, there := uuids(ours), uuids(theirs)
	return slices.DeleteFunc(slices.Clone(theirs), func(c any) bool { return !here[memberOf(c, "uuid")] }),
		slices.DeleteFunc(slices.Clone(ours), func(c any) bool { return !there[memberOf(c, "uuid")] })
}

func memberOf(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[name]
	case cutObject:
		return v[name]
	}
	return nil
}
