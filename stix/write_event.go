package stix

import (
	"iter"
	"strings"
	"time"

	"tocsin"
)

// An Event is an event with all of it that the reader may have. What is nil is not there.
type Event struct {
	*tocsin.Event
	Attributes iter.Seq2[tocsin.Attribute, error] // those that stand by themselves
	Objects    iter.Seq2[Object, error]
	References iter.Seq2[*tocsin.Reference, error]
	Sightings  iter.Seq2[*tocsin.Sighting, error]
	Reports    iter.Seq2[*tocsin.Report, error]
	Notes      iter.Seq2[*tocsin.Note, error]
	Opinions   iter.Seq2[*tocsin.Opinion, error]
}

// An Object is an object with its parts.
type Object struct {
	*tocsin.Object
	Parts []tocsin.Attribute
}

// Event writes an event: its author, all that is in it, and, last, the report that
// holds it together; as long as it is not published, a grouping.
func (w *Bundle) Event(e *Event) error {
	w.refs = w.refs[:0]
	w.by = w.identity(w.names.Organisation(e.Orgc), e.Timestamp)
	tags := w.names.Tags(e.Tags)
	if err := w.expect(e); err != nil {
		return err
	}
	if err := w.contents(e); err != nil {
		return err
	}
	w.clusters(e.UUID, "", e.Timestamp, tags)
	if err := w.remarks(e); err != nil {
		return err
	}
	w.report(e.Event, tags)
	w.by = ""
	return w.spill()
}

func (w *Bundle) contents(e *Event) error {
	if e.Attributes != nil {
		for a, err := range e.Attributes {
			if err != nil {
				return err
			}
			w.attribute(&a)
			if err := w.spill(); err != nil {
				return err
			}
		}
	}
	if e.Objects == nil {
		return nil
	}
	for o, err := range e.Objects {
		if err != nil {
			return err
		}
		w.assembled(&o)
		if err := w.spill(); err != nil {
			return err
		}
	}
	return nil
}

// stranger is the author of attributes that come without their event: MISP's own
// identity, as its converter has it.
var stranger = mustUUID("55f6ea65-aa10-4c5a-bf01-4f84950d210f")

func mustUUID(s string) tocsin.UUID {
	u, err := tocsin.ParseUUID(s)
	if err != nil {
		panic(err)
	}
	return u
}

// Attribute writes an attribute without its event.
func (w *Bundle) Attribute(a *tocsin.Attribute) error {
	if w.by == "" {
		const since = 1442245221 // when MISP's converter says that it came into being
		w.by = w.identity(&tocsin.Organisation{UUID: stranger, Name: "MISP"}, since)
	}
	w.attribute(a)
	w.refs = w.refs[:0]
	return w.spill()
}

// identity writes an organisation unless the bundle has it, and returns its id.
func (w *Bundle) identity(o *tocsin.Organisation, at int64) string {
	if o == nil || o.UUID.IsZero() {
		return ""
	}
	ref := refTo("identity", o.UUID)
	if !w.once(ref) {
		return ref
	}
	w.by = ""
	w.object("identity", o.UUID)
	w.made(at, at)
	w.text("name", o.Name)
	w.text("identity_class", "organization")
	w.end()
	return ref
}

// report writes what holds an event together. Its references come last, when all is known.
func (w *Bundle) report(e *tocsin.Event, tags []string) {
	marks := w.markings(tags)
	refs := w.refs
	if len(refs) == 0 { // STIX has no empty report: the event itself is what there is to say
		refs = []string{w.empty(e)}
	}
	typ, _, _ := strings.Cut(root(w.v, e), "--")
	w.object(typ, e.UUID)
	w.made(e.Timestamp, e.Timestamp)
	w.text("name", e.Info)
	if typ == "report" {
		at := e.PublishedAt
		if at == 0 {
			at = e.Timestamp
		}
		w.time("published", time.Unix(at, 0), seconds)
	} else {
		w.text("context", "suspicious-activity")
	}
	w.list("object_refs", refs)
	w.list("labels", append([]string{"Threat-Report", `misp:tool="MISP-STIX-Converter"`}, unmarked(tags)...))
	w.list("object_marking_refs", marks)
	w.end()
}

// empty writes a note that says that an event holds nothing, and returns its id.
func (w *Bundle) empty(e *tocsin.Event) string {
	const words = "This MISP Event is empty and contains no attribute, object, galaxy or tag."
	if w.v == V20 {
		ref := w.object("x-misp-event-note", e.UUID)
		w.made(e.Timestamp, e.Timestamp)
		w.text("x_misp_event_note", words)
		w.text("object_ref", root(w.v, e))
		w.end()
		return ref
	}
	ref := w.object("note", derived(e.UUID.String(), "empty"))
	w.made(e.Timestamp, e.Timestamp)
	w.text("content", words)
	w.list("object_refs", []string{root(w.v, e)})
	w.end()
	return ref
}

// A marking is a marking definition of the Traffic Light Protocol.
type marking struct{ uuid, name string }

// tlp20 are the markings of TLP 2.0 (OASIS, extension-definition--60a3c5c5…).
var tlp20 = map[string]marking{
	"tlp:clear": {"94868c89-83c2-464b-929b-a1a8aa3c8487", "CLEAR"}, "tlp:white": {"94868c89-83c2-464b-929b-a1a8aa3c8487", "CLEAR"},
	"tlp:green": {"bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "GREEN"},
	"tlp:amber": {"55d920b0-5e8b-4f79-9ee9-91f868d9b421", "AMBER"}, "tlp:amber+strict": {"939a9414-2ddd-4d32-a0cd-375ea402b003", "AMBER+STRICT"},
	"tlp:red": {"e828b379-4e03-4974-9ac4-e53a884c97c1", "RED"}, "tlp:ex:chr": {"e828b379-4e03-4974-9ac4-e53a884c97c1", "RED"},
}

// tlpExtension is where TLP 2.0 is said, in 2.1.
const tlpExtension = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

// markings writes the marking definitions that tags stand for, and returns their ids.
func (w *Bundle) markings(tags []string) (refs []string) {
	for _, tag := range tags {
		m, ok := tlp20[strings.ToLower(tag)]
		if !ok {
			continue
		}
		ref := "marking-definition--" + m.uuid
		refs = append(refs, ref)
		if !w.once(ref) {
			continue
		}
		w.object("marking-definition", mustUUID(m.uuid))
		w.time("created", time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC), millis)
		if w.v == V20 {
			w.b = append(w.b, `,"definition_type":"statement","definition":{"statement":"TLP:`+m.name+`"}`...)
		} else {
			w.text("name", "TLP:"+m.name)
			w.b = append(w.b, `,"extensions":{"`+tlpExtension+`":{"extension_type":"property-extension","tlp_2_0":"`+strings.ToLower(m.name)+`"}}`...)
		}
		w.end()
	}
	return refs
}

// unmarked are the tags that are no markings and no clusters: they stay labels.
func unmarked(tags []string) (labels []string) {
	for _, t := range tags {
		if _, is := tlp20[strings.ToLower(t)]; !is && !strings.HasPrefix(t, "misp-galaxy:") {
			labels = append(labels, t)
		}
	}
	return labels
}
