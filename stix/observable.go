package stix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// flat writes an observable out as the values at its paths, as a pattern would
// name them. What it refers to is among them.
func flat(o object, others map[string]object) (found []finding) {
	w := &flattener{others: others}
	w.object(o.text("type")+":", o, 0)
	return w.found
}

// A flattener walks down an observable.
type flattener struct {
	others map[string]object
	found  []finding
}

const maxFlat = 10_000

func (w *flattener) object(path string, o object, depth int) {
	if depth > 6 || len(w.found) > maxFlat { // objects may refer to each other in circles
		return
	}
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if depth == 0 && (name == "type" || name == "id" || name == "spec_version" || name == "defanged") {
			continue
		}
		w.value(path+name, name, o[name], depth)
	}
}

func (w *flattener) value(path, name string, v any, depth int) {
	switch v := v.(type) {
	case map[string]any:
		w.object(path+".", v, depth+1)
	case []any:
		for _, one := range v {
			w.value(path+"[*]", name, one, depth+1)
		}
	case string:
		if strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs") {
			if other, ok := w.others[v]; ok {
				w.object(path+".", other, depth+1)
			}
			return
		}
		w.put(path, v)
	case float64:
		w.put(path, strconv.FormatFloat(v, 'f', -1, 64))
	case json.Number, bool:
		w.put(path, fmt.Sprint(v))
	}
}

func (w *flattener) put(path, value string) {
	if value == "" {
		return
	}
	typ, _ := typeOf(path)
	w.found = append(w.found, finding{typ, value, path})
}

// pointedAt are the objects that another one of here refers to: they are part of it.
func pointedAt(here map[string]object) map[string]bool {
	out := map[string]bool{}
	for from, o := range here {
		if o.text("type") == "email-addr" { // it belongs to an account, which says no more
			continue
		}
		for name, v := range o {
			if !strings.HasSuffix(name, "_ref") && !strings.HasSuffix(name, "_refs") && name != "body_multipart" {
				continue
			}
			for _, id := range idsIn(v) {
				if id != from && here[id] != nil {
					out[id] = true
				}
			}
		}
	}
	return out
}

func idsIn(v any) (out []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			out = append(out, idsIn(one)...)
		}
	case map[string]any:
		for _, one := range v {
			out = append(out, idsIn(one)...)
		}
	}
	return out
}

// known are the findings that are of a type.
func known(found []finding) (out []finding) {
	for _, f := range found {
		if f.typ == "email-addr" || f.typ == "" {
			continue
		}
		out = append(out, f)
	}
	return out
}

// named makes of what was found the value of one type that a label names, a
// composite one of its parts. Without a label each finding is a value by itself.
func named(typ string, found []finding) []finding {
	if typ == "" {
		return settled(known(found))
	}
	data := dataOf(found)
	parts := strings.Split(typ, "|")
	if typ == "malware-sample" {
		parts = []string{"filename", "md5"}
	}
	left := slices.Clone(found)
	values := make([]string, 0, len(parts))
	for _, part := range parts {
		i := slices.IndexFunc(left, func(f finding) bool { return fits(part, f) })
		if i < 0 && len(parts) == 1 {
			i = slices.IndexFunc(left, func(f finding) bool { return f.typ != "" && f.typ != "data" })
		}
		if i < 0 && len(parts) == 1 && len(left) > 0 {
			i = 0
		}
		if i < 0 {
			return settled(known(found))
		}
		values = append(values, spelled(part, left[i].value))
		left = slices.Delete(left, i, i+1)
	}
	out := []finding{{typ, strings.Join(values, "|"), ""}}
	if data != "" {
		out = append(out, finding{"data", data, ""})
	}
	return out
}

// fits reports whether a finding can be what a part of a type is.
func fits(part string, f finding) bool {
	switch part {
	case "ip", "ip-dst", "ip-src":
		if part == "ip" || f.typ == part {
			return f.typ == "ip-dst" || f.typ == "ip-src"
		}
		return f.typ == "ip-dst" && !strings.Contains(f.path, "_ref")
	case "hostname":
		return f.typ == "domain" || strings.HasPrefix(f.path, "network-traffic:dst_ref.value")
	case "value":
		return f.typ == "regkey-data"
	case "link":
		return f.typ == "url"
	case "uri":
		return f.typ == "uri" || f.typ == "url"
	case "attachment":
		return f.typ == "filename"
	case "sha512/224", "sha512/256": // MISP's own export names them by their length alone
		return f.typ == part || f.typ == "sha"+part[len("sha512/"):]
	case "email-src", "email-dst":
		return f.typ == part || f.typ == "email" && f.path == "email-addr:value"
	}
	return f.typ == part
}

// spelled writes a value as its MISP type has it.
func spelled(typ, value string) string {
	if typ == "AS" && value != "" && !strings.HasPrefix(strings.ToUpper(value), "AS") {
		return "AS" + value
	}
	return value
}

// settled are findings with the types that attributes have.
func settled(found []finding) (out []finding) {
	for _, f := range found {
		switch f.typ {
		case "data":
			continue
		case "regkey-data", "process-name", "command-line":
			f.typ = "text"
		}
		f.value = spelled(f.typ, f.value)
		out = append(out, f)
	}
	return out
}
