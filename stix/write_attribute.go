package stix

import (
	"strings"
	"time"

	"tocsin"
)

// attribute writes a claim: an indicator if it is to be acted on, else an observation;
// what STIX has no word for as what it is in MISP.
func (w *Bundle) attribute(a *tocsin.Attribute) {
	typ := a.Value.TypeName()
	tags := w.names.Tags(a.Tags)
	labels := append([]string{`misp:type="` + typ + `"`, `misp:category="` + a.Category.String() + `"`}, toIDS(a.ToIDS)...)
	f := frame{uuid: a.UUID, at: a.Timestamp, since: a.FirstSeen, until: a.LastSeen, comment: a.Comment,
		labels: append(labels, unmarked(tags)...), marks: w.markings(tags), phase: a.Category.String()}
	ref := ""
	switch facts := factsOf(a); {
	case typ == "vulnerability":
		ref = w.vulnerability(&f, a.Value.String())
	case typ == "campaign-name" && !a.ToIDS:
		ref = w.named(&f, "campaign", a.Value.String())
	case languages[typ] && w.v == V21 && a.ToIDS:
		ref = w.indicator(&f, a.Value.String(), typ)
	case typ == "stix2-pattern" && a.ToIDS:
		ref = w.indicator(&f, a.Value.String(), "stix")
	case facts == nil || !a.ToIDS && !stands(facts):
		ref = w.custom(&f, a)
	case a.ToIDS:
		w.grounds(&f, facts)
		ref = w.indicator(&f, pattern(facts), "stix")
	default:
		ref = w.observed(&f, observables(a.UUID, facts))
	}
	w.clusters(a.UUID, ref, a.Timestamp, tags)
}

// languages are types that are rules by themselves, and what 2.1 calls their language.
var languages = map[string]bool{"yara": true, "sigma": true, "snort": true, "suricata": true}

func toIDS(yes bool) []string {
	if yes {
		return []string{`misp:to_ids="True"`}
	}
	return nil
}

// A frame is what every object that stands for a record says.
type frame struct {
	uuid         tocsin.UUID
	at           int64
	since, until time.Time
	comment      string
	labels       []string
	marks        []string
	phase        string
}

func (w *Bundle) indicator(f *frame, pattern, language string) string {
	ref := w.object("indicator", f.uuid)
	w.made(f.at, f.at)
	w.said("description", f.comment)
	w.text("pattern", pattern)
	if w.v == V21 {
		w.text("pattern_type", language)
		if language == "stix" {
			w.text("pattern_version", "2.1")
		}
	}
	from := time.Unix(f.at, 0)
	if !f.since.IsZero() {
		from = f.since
	}
	w.instant("valid_from", from)
	if f.until.After(from) {
		w.instant("valid_until", f.until)
	}
	w.name("kill_chain_phases")
	w.b = append(w.b, '[', '{')
	w.text("kill_chain_name", "misp-category")
	w.text("phase_name", f.phase)
	w.b = append(w.b, '}', ']')
	return w.finish(f, ref)
}

// grounds writes what an indicator is based on, before it. The order has no meaning in
// STIX; the converter of MISP's has the indicator right behind.
func (w *Bundle) grounds(f *frame, facts []fact) {
	if !w.Grounds || w.v != V21 || !stands(facts) {
		return
	}
	w.relate(derived(f.uuid.String(), "based-on"), f.at, "based-on", refTo("indicator", f.uuid), refTo("observed-data", f.uuid))
	w.observed(f, observables(f.uuid, facts))
}

// finish writes what stands at the end of each object, and notes it.
func (w *Bundle) finish(f *frame, ref string) string {
	w.list("labels", f.labels)
	w.list("object_marking_refs", f.marks)
	w.end()
	w.refs = append(w.refs, ref)
	if _, wanted := w.became[f.uuid]; wanted {
		w.became[f.uuid] = ref
	}
	return ref
}

// observed writes what was seen: in 2.1 objects of their own, in 2.0 within.
func (w *Bundle) observed(f *frame, objs []observable) string {
	ref := w.object("observed-data", f.uuid)
	w.made(f.at, f.at)
	from, to := time.Unix(f.at, 0), time.Unix(f.at, 0)
	if !f.since.IsZero() {
		from = f.since
	}
	if !f.until.IsZero() {
		to = f.until
	}
	if to.Before(from) {
		to = from
	}
	w.instant("first_observed", from)
	w.instant("last_observed", to)
	w.number("number_observed", 1)
	if w.v == V20 {
		w.within(objs)
		return w.finish(f, ref)
	}
	var refs []string
	for _, o := range objs {
		refs = append(refs, o.ref())
	}
	w.list("object_refs", refs)
	w.finish(f, ref)
	for _, o := range objs {
		if !w.first {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, `{"type":"`+o.typ+`","spec_version":"2.1"`...)
		w.text("id", o.ref())
		o.write(w, func(ref string) string { return ref })
		w.end()
		w.refs = append(w.refs, o.ref())
	}
	return ref
}

// within writes observables as 2.0 has them: by number.
func (w *Bundle) within(objs []observable) {
	numbers := map[string]string{}
	for i, o := range objs {
		numbers[o.ref()] = digits(i)
	}
	w.name("objects")
	w.b = append(w.b, '{')
	for i, o := range objs {
		w.name(digits(i))
		w.b = append(w.b, `{"type":"`+o.typ+`"`...)
		o.write(w, func(ref string) string { return numbers[ref] })
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, '}')
}

func (w *Bundle) vulnerability(f *frame, id string) string {
	ref := w.object("vulnerability", f.uuid)
	w.made(f.at, f.at)
	w.text("name", id)
	w.said("description", f.comment)
	w.name("external_references")
	w.b = append(w.b, '[', '{')
	w.text("source_name", "cve")
	w.text("external_id", id)
	w.b = append(w.b, '}', ']')
	return w.finish(f, ref)
}

// named writes an object of which no more than a name is known.
func (w *Bundle) named(f *frame, typ, name string) string {
	ref := w.object(typ, f.uuid)
	w.made(f.at, f.at)
	w.text("name", name)
	w.said("description", f.comment)
	return w.finish(f, ref)
}

func (w *Bundle) custom(f *frame, a *tocsin.Attribute) string {
	ref := w.object("x-misp-attribute", f.uuid)
	w.made(f.at, f.at)
	w.list("labels", f.labels)
	w.text("x_misp_category", a.Category.String())
	w.said("x_misp_comment", a.Comment)
	w.text("x_misp_type", a.Value.TypeName())
	w.text("x_misp_value", a.Value.String())
	f.labels = nil
	return w.finish(f, ref)
}

// quote is a text in a pattern (STIX 2.1, section 9.2).
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
