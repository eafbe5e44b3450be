package stix

import (
	"cmp"
	"crypto/sha1"
	"encoding/json"
	"io"
	"strings"
	"time"

	"tocsin"
	"tocsin/misp"
)

// maxObjects is how many objects a bundle may have.
const maxObjects = 500_000

// Read makes an event of a bundle of STIX 2.0 or 2.1. Indicators become attributes
// to act on, observations become others; what the bundle says beside, as actors
// and techniques, becomes tags. Where a bundle was made of a MISP event, its
// labels say which types the values were, and these are taken.
//
// An indicator whose pattern is of parts that no attribute can hold is kept as its
// pattern, so nothing is lost. Other sorts of objects are named in Problems.
func Read(from io.Reader) (*misp.Event, error) {
	var b struct {
		Type    string            `json:"type"`
		Objects []json.RawMessage `json:"objects"`
	}
	d := json.NewDecoder(from)
	if err := d.Decode(&b); err != nil {
		return nil, unread(err)
	}
	if b.Type != "bundle" {
		return nil, tocsin.Errorf(tocsin.Invalid, "a bundle of STIX 2 is expected; its type is %q", first(b.Type, 40))
	}
	if len(b.Objects) > maxObjects {
		return nil, tocsin.Errorf(tocsin.Invalid, "the bundle has %d objects; more than %d are not taken at once", len(b.Objects), maxObjects)
	}
	r := &bundleReader{objects: map[string]object{}, tags: map[string]bool{}, placed: map[string]int{}, event: new(misp.Event)}
	for i, raw := range b.Objects {
		var o object
		if err := json.Unmarshal(raw, &o); err != nil || o.text("type") == "" {
			return nil, tocsin.Errorf(tocsin.Invalid, "object %d of the bundle is none of STIX's: it has no type", i+1)
		}
		if id := o.text("id"); id != "" {
			r.objects[id] = o
		}
		r.order = append(r.order, o)
	}
	r.read()
	return r.event, nil
}

// unread says why a text is no JSON; what a connection says stays as it is.
func unread(err error) error {
	switch err := err.(type) {
	case *json.SyntaxError, *json.UnmarshalTypeError:
		return tocsin.Errorf(tocsin.Invalid, "this is no JSON of a bundle: %s", err)
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return tocsin.Errorf(tocsin.Invalid, "the bundle ends in its middle")
	}
	return err
}

// An object is one of a bundle, as it is written.
type object map[string]any

func (o object) text(name string) string { s, _ := o[name].(string); return s }

func (o object) list(name string) (out []string) {
	vs, _ := o[name].([]any)
	for _, v := range vs {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// time returns a time in seconds, 0 if there is none.
func (o object) time(name string) int64 {
	t, err := time.Parse(time.RFC3339Nano, o.text(name))
	if err != nil || t.Unix() < 0 {
		return 0
	}
	return t.Unix()
}

// uuid returns the uuid in the object's id, the zero one if there is none. One that
// STIX has no room for stands beside it (see [ID]).
func (o object) uuid() tocsin.UUID {
	if u, err := tocsin.ParseUUID(o.text("x_misp_uuid")); err == nil {
		return u
	}
	_, text, _ := strings.Cut(o.text("id"), "--")
	u, _ := tocsin.ParseUUID(text)
	return u
}

// misp returns what a label says of a word of MISP's: misp:type="domain".
func (o object) misp(word string) string {
	for _, l := range append(o.list("labels"), o.list("indicator_types")...) {
		if rest, ok := strings.CutPrefix(l, "misp:"+word+`="`); ok {
			return strings.TrimSuffix(rest, `"`)
		}
	}
	return ""
}

// A bundleReader makes an event of objects.
type bundleReader struct {
	objects map[string]object
	order   []object
	event   *misp.Event
	titled  bool
	tags    map[string]bool
	placed  map[string]int // by id of an object: the first attribute it became
	used    map[string]bool
}

func (r *bundleReader) read() {
	r.used = map[string]bool{}
	for _, o := range r.order {
		if t := o.text("type"); t == "report" || t == "grouping" {
			r.title(o)
		}
	}
	// Observations come first: an indicator that is based on one is the same
	// attribute, and says that it is to be acted on.
	for _, o := range r.order {
		if o.text("type") == "observed-data" {
			r.observed(o)
		}
	}
	for _, o := range r.order {
		switch o.text("type") {
		case "indicator":
			r.indicator(o)
		case "x-misp-attribute":
			r.custom(o)
		}
	}
	for _, o := range r.order {
		r.rest(o)
	}
	for _, o := range r.order {
		if o.text("type") == "sighting" {
			r.sighting(o)
		}
	}
	if !r.titled {
		r.event.Info = misp.Said("STIX bundle")
	}
}

// title takes from a report what it says of the event; further reports stay texts.
func (r *bundleReader) title(o object) {
	e := r.event
	for _, m := range o.list("object_marking_refs") {
		r.tag(markings[m])
	}
	for _, l := range o.list("labels") {
		if !strings.HasPrefix(l, "misp:") && strings.ContainsAny(l, ":=") {
			r.tag(l)
		}
	}
	name := cmp.Or(o.text("name"), o.text("title"))
	if !r.titled {
		r.titled = true
		e.Info = misp.Said(cmp.Or(name, "STIX report"))
		if u := o.uuid(); !u.IsZero() {
			e.UUID = misp.Said(u)
		}
		if at := cmp.Or(o.time("published"), o.time("created")); at > 0 {
			e.Date = misp.Said(time.Unix(at, 0).UTC().Format(time.DateOnly))
		}
		if at := o.time("modified"); at > 0 {
			e.Timestamp = misp.Said(at)
		}
	}
	if text := o.text("description"); text != "" {
		report := misp.Report{Name: misp.Said(cmp.Or(name, "Report")), Content: misp.Said(text)}
		report.UUID = misp.Said(derived(o.text("id"), "report"))
		e.Reports = append(e.Reports, report)
	}
}

func (r *bundleReader) tag(name string) {
	if name == "" || r.tags[name] {
		return
	}
	r.tags[name] = true
	r.event.Tags = append(r.event.Tags, misp.Tag{Name: misp.Said(name)})
}

// A finding is one value with the type that it has by itself.
type finding struct{ typ, value, path string }

// indicator makes attributes of an indicator, or keeps its pattern.
func (r *bundleReader) indicator(o object) {
	pattern, lang := o.text("pattern"), cmp.Or(o.text("pattern_type"), "stix")
	if typ := rules[lang]; typ != "" {
		r.add(o, []finding{{typ, pattern, ""}}, true)
		return
	}
	tests, err := Tests(pattern)
	if lang != "stix" || err != nil {
		r.add(o, []finding{{"stix2-pattern", pattern, ""}}, true)
		return
	}
	var found []finding
	whole := true
	for _, t := range tests {
		typ, known := typeOf(t.Path)
		plain := !t.Not && (t.Op == "=" || t.Op == "IN" || t.Op == "ISSUBSET")
		whole = whole && known && plain
		for _, v := range t.Values {
			found = append(found, finding{typ, v, t.Path})
		}
	}
	if !whole && o.misp("type") == "" || len(found) == 0 {
		found = []finding{{"stix2-pattern", pattern, ""}}
	}
	r.add(o, found, true)
}

// observed makes attributes of what somebody saw.
func (r *bundleReader) observed(o object) {
	var found []finding
	if inside, ok := o["objects"].(map[string]any); ok { // STIX 2.0
		here := map[string]object{}
		for id, v := range inside {
			if m, ok := v.(map[string]any); ok {
				here[id] = m
			}
		}
		pointed := pointedAt(here)
		for id, one := range here {
			if !pointed[id] {
				found = append(found, flat(one, here)...)
			}
		}
	}
	ids := o.list("object_refs")
	here := map[string]object{}
	for _, id := range ids {
		r.used[id] = true
		if one, ok := r.objects[id]; ok {
			here[id] = one
		}
	}
	pointed := pointedAt(here)
	for _, id := range ids {
		if one, ok := here[id]; ok && !pointed[id] {
			found = append(found, flat(one, r.objects)...)
		}
	}
	r.add(o, found, false)
}

// custom takes what misp-stix writes where STIX has no object for it.
func (r *bundleReader) custom(o object) {
	typ, value := o.text("x_misp_type"), o.text("x_misp_value")
	r.add(o, []finding{{typ, value, ""}}, o.misp("to_ids") == "True" || o.misp("to_ids") == "true")
}

// add puts what an object says into the event.
func (r *bundleReader) add(o object, found []finding, toIDS bool) {
	found = named(o.misp("type"), found)
	if len(found) == 0 {
		r.problem(o, "something that an attribute can hold")
		return
	}
	if r.based(o) {
		return
	}
	r.placed[o.text("id")] = len(r.event.Attributes)
	for i, f := range found {
		a := misp.Attribute{Type: misp.Said(f.typ), Value: misp.Said(f.value), ToIDS: misp.Said(toIDS)}
		switch u := o.uuid(); {
		case u.IsZero():
		case len(found) == 1:
			a.UUID = misp.Said(u)
		default:
			a.UUID = misp.Said(derived(o.text("id"), f.typ, f.value))
		}
		if data := dataOf(found[i:]); data != "" && (f.typ == "attachment" || f.typ == "malware-sample") {
			a.Data = misp.Said(data)
		}
		if c := o.misp("category"); c != "" {
			a.Category = misp.Said(c)
		}
		if text := cmp.Or(o.text("description"), o.text("x_misp_comment")); text != "" {
			a.Comment = misp.Said(text)
		}
		if at := o.time("modified"); at > 0 {
			a.Timestamp = misp.Said(at)
		}
		seen(&a, o)
		for _, m := range o.list("object_marking_refs") {
			if name := markings[m]; name != "" {
				a.Tags = append(a.Tags, misp.Tag{Name: misp.Said(name)})
			}
		}
		if f.typ != "data" {
			r.event.Attributes = append(r.event.Attributes, a)
		}
	}
}

// based reports whether an indicator's observation became an attribute already,
// which is then one to act on.
func (r *bundleReader) based(o object) bool {
	_, uuid, _ := strings.Cut(o.text("id"), "--")
	i, ok := r.placed["observed-data--"+uuid]
	if !ok || o.text("type") != "indicator" || i >= len(r.event.Attributes) {
		return false
	}
	a := &r.event.Attributes[i]
	a.ToIDS = misp.Said(true)
	if text := o.text("description"); text != "" && !a.Comment.Present() {
		a.Comment = misp.Said(text)
	}
	r.placed[o.text("id")] = i
	return true
}

// seen takes over the span in which something was seen. A span of one moment
// that is the moment of writing says nothing.
func seen(a *misp.Attribute, o object) {
	from, to := o.text("first_observed"), o.text("last_observed")
	if from == "" || from == to {
		return
	}
	if t, err := time.Parse(time.RFC3339Nano, from); err == nil {
		a.FirstSeen = misp.Said(t.UTC())
	}
	if t, err := time.Parse(time.RFC3339Nano, to); err == nil {
		a.LastSeen = misp.Said(t.UTC())
	}
}

func dataOf(found []finding) string {
	for _, f := range found {
		if f.typ == "data" {
			return f.value
		}
	}
	return ""
}

func (r *bundleReader) problem(o object, want string) {
	if len(r.event.Problems) < 1000 {
		r.event.Problems = append(r.event.Problems, misp.Problem{Where: "/" + o.text("id"), Field: o.text("type"), Found: first(o.text("name"), 60), Want: want})
	}
}

// rest takes what stands beside indicators and observations.
func (r *bundleReader) rest(o object) {
	typ, name := o.text("type"), o.text("name")
	switch typ {
	case "vulnerability":
		r.add(o, []finding{{"vulnerability", name, ""}}, o.misp("to_ids") == "True")
	case "campaign":
		r.add(o, []finding{{"campaign-name", name, ""}}, false)
	case "attack-pattern", "course-of-action", "intrusion-set", "malware", "tool", "threat-actor":
		if name != "" {
			r.tag(clusterTag(o))
		}
	case "indicator", "observed-data", "report", "grouping", "sighting", "relationship", "marking-definition", "identity", "x-misp-attribute", "language-content", "extension-definition":
	case "note":
		if text := o.text("content"); text != "" {
			r.event.Reports = append(r.event.Reports, misp.Report{UUID: misp.Said(o.uuid()), Name: misp.Said(cmp.Or(o.text("abstract"), "Note")), Content: misp.Said(text)})
		}
	default:
		if r.used[o.text("id")] {
			return
		}
		if found := flat(o, r.objects); len(known(found)) > 0 { // an observable by itself
			r.add(o, known(found), false)
			return
		}
		r.problem(o, "a sort of object that an event can hold")
	}
}

// clusterTag is the tag that puts an object of STIX on an event: ATT&CK's own
// galaxy where the object says its number there.
func clusterTag(o object) string {
	typ, name := o.text("type"), strings.ReplaceAll(o.text("name"), `"`, "'")
	links, _ := o["external_references"].([]any)
	for _, l := range links {
		link, _ := l.(map[string]any)
		number := object(link).text("external_id")
		if strings.HasPrefix(object(link).text("source_name"), "mitre-") && number != "" && galaxies[typ] != "" {
			return "misp-galaxy:" + galaxies[typ] + `="` + name + " - " + strings.ReplaceAll(number, `"`, "'") + `"`
		}
	}
	return "misp-galaxy:stix-2.1-" + typ + `="` + name + `"`
}

// sighting puts a sighting on the attribute that its object became.
func (r *bundleReader) sighting(o object) {
	i, ok := r.placed[o.text("sighting_of_ref")]
	if !ok || i >= len(r.event.Attributes) {
		r.problem(o, "a sighting of an indicator in the bundle")
		return
	}
	s := misp.Sighting{Type: misp.Said(int64(0))}
	if u := o.uuid(); !u.IsZero() {
		s.UUID = misp.Said(u)
	}
	if at := cmp.Or(o.time("last_seen"), o.time("first_seen"), o.time("created")); at > 0 {
		s.At = misp.Said(at)
	}
	a := &r.event.Attributes[i]
	a.Sightings = append(a.Sightings, s)
}

// derived is the same uuid for the same words, wherever it is asked for: version 5
// (RFC 9562, section 5.5) in the space of STIX's own ids (STIX 2.1, section 2.9).
func derived(words ...string) tocsin.UUID {
	space, _ := tocsin.ParseUUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
	sum := sha1.Sum(append(space[:], strings.Join(words, "\x00")...))
	var u tocsin.UUID
	copy(u[:], sum[:])
	u[6], u[8] = u[6]&0x0f|0x50, u[8]&0x3f|0x80
	return u
}
