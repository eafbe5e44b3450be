package stix

import (
	"iter"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/misp"
)

// An incident is an event in STIX 1.
type incident struct {
	*Package
	e    *Event
	by   string // the organisation that reports it
	tags []string
	seen bool // something was written in the list at hand
}

func appendQuoted(b []byte, s string) []byte { return misp.AppendText(b, s) }

// claims walks through what the event holds that is of one sort, by itself or in objects.
func (i *incident) claims(sort func(*tocsin.Attribute) string, want string, write func(a *tocsin.Attribute) *node) error {
	err := each(i.e.Attributes, func(a tocsin.Attribute) error {
		if sort(&a) == want {
			i.put(write(&a))
		}
		return i.spill()
	})
	return err
}

// put writes an element of the list at hand.
func (i *incident) put(n *node) {
	if !i.json {
		i.b = n.appendXML(i.b)
		return
	}
	if i.seen {
		i.b = append(i.b, ',')
	}
	i.b = n.appendJSON(i.b)
	i.seen = true
}

// What an attribute becomes.
const (
	asIndicator = "indicator"
	asObserved  = "observable"
	asTTP       = "ttp"
	asJournal   = "journal"
)

func sortOf(a *tocsin.Attribute) string {
	switch typ := a.Value.TypeName(); {
	case typ == "vulnerability":
		return asTTP
	case a.ToIDS:
		return asIndicator
	case typ == "text" || typ == "comment" || typ == "other":
		return asJournal
	}
	return asObserved
}

// related writes what is to be acted on, or what was seen.
func (i *incident) related(want string) error {
	i.seen = false
	if err := i.claims(sortOf, want, func(a *tocsin.Attribute) *node {
		if want == asIndicator {
			return i.indicator(a)
		}
		return i.relation("incident:Related_Observable", "", a.Category.String(), i.observable(a, "stixCommon:Observable"))
	}); err != nil {
		return err
	}
	return each(i.e.Objects, func(o Object) error {
		acts := false
		for k := range o.Parts {
			acts = acts || o.Parts[k].ToIDS
		}
		if acts == (want == asIndicator) && len(o.Parts) > 0 {
			i.put(i.object(&o, acts))
		}
		return i.spill()
	})
}

func (i *incident) relation(tag, name, how string, n *node) *node {
	return el(tag, name, words("stixCommon:Relationship", "relationship", how), n)
}

// observable is a claim as what was seen.
func (i *incident) observable(a *tocsin.Attribute, tag string) *node {
	of := things(a)
	if len(of) == 1 {
		return i.thing(tag, "observable", i.id("Observable", a.UUID), of[0], a.UUID)
	}
	all := el("cybox:Observable_Composition", "observable_composition").with("operator", "AND")
	list := &node{name: "observables", list: true}
	for _, t := range of {
		list.kids = append(list.kids, i.thing("cybox:Observable", "", i.id("Observable", derived(a.UUID.String(), t.word)), t, a.UUID))
	}
	all.kids = []*node{list}
	return el(tag, "observable", all).with("id", i.id("ObservableComposition", a.UUID))
}

func (i *incident) thing(tag, name, id string, t cybox, u tocsin.UUID) *node {
	return el(tag, name, el("cybox:Object", "object", t.properties).with("id", i.id(t.word, u))).with("id", id)
}

// indicator is a claim to be acted on.
func (i *incident) indicator(a *tocsin.Attribute) *node {
	title := a.Category.String() + ": " + a.Value.String() + " (MISP Attribute)"
	about := a.Comment
	if about == "" {
		about = title
	}
	typ := a.Value.TypeName()
	n := i.indicates(a.UUID, a.Timestamp, title, about, watchlist(typ), a.FirstSeen, a.LastSeen, i.observable(a, "indicator:Observable"), i.names.Tags(a.Tags))
	return i.relation("incident:Related_Indicator", "", a.Category.String(), n)
}

func (i *incident) indicates(u tocsin.UUID, at int64, title, about, list string, from, to time.Time, seen *node, tags []string) *node {
	types := &node{name: "indicator_types", list: true, kids: []*node{words("indicator:Type", "", list).typed("stixVocabs:IndicatorTypeVocab-1.1")}}
	position := el("indicator:Valid_Time_Position", "")
	if !from.IsZero() {
		position.kids = append(position.kids, el("indicator:Start_Time", "start_time", words("", "value", from.UTC().Format(time.RFC3339))))
	}
	if !to.IsZero() {
		position.kids = append(position.kids, el("indicator:End_Time", "end_time", words("", "value", to.UTC().Format(time.RFC3339))))
	}
	for _, k := range position.kids { // in XML the time is the element's text
		k.text, k.kids = k.kids[0].text, nil
	}
	kids := []*node{words("indicator:Title", "title", title), types, words("indicator:Description", "description", about),
		{name: "valid_time_positions", list: true, kids: []*node{position}}, seen}
	if h := handling("indicator:Handling", tags); h != nil {
		kids = append(kids, h)
	}
	kids = append(kids, el("indicator:Confidence", "confidence", words("stixCommon:Value", "value", "High"),
		words("stixCommon:Description", "description", "Derived from MISP's IDS flag. If an attribute is marked for IDS exports, the confidence will be high, otherwise none")).
		with("timestamp", stamp(at)),
		el("indicator:Producer", "producer", identity1(i.by)))
	return el("stixCommon:Indicator", "indicator", kids...).typed("indicator:IndicatorType").with("id", i.id("Indicator", u)).with("timestamp", stamp(at))
}

func identity1(name string) *node {
	return el("stixCommon:Identity", "identity", words("stixCommon:Name", "name", name))
}

// object is an object's parts together.
func (i *incident) object(o *Object, acts bool) *node {
	list := &node{name: "observables", list: true}
	for k := range o.Parts {
		if p := &o.Parts[k]; !p.Deleted {
			n := i.observable(p, "cybox:Observable")
			n.name = ""
			list.kids = append(list.kids, n)
		}
	}
	tag := "stixCommon:Observable"
	if acts {
		tag = "indicator:Observable"
	}
	all := el("cybox:Observable_Composition", "observable_composition", list).with("operator", "AND")
	seen := el(tag, "observable", all).with("id", i.id(o.Name+"_ObservableComposition", o.UUID))
	if !acts {
		return i.relation("incident:Related_Observable", "", o.MetaCategory, seen)
	}
	title := o.MetaCategory + ": " + o.Name + " (MISP Object)"
	about := o.Description
	if about == "" {
		about = title
	}
	n := i.indicates(o.UUID, o.Timestamp, title, about, watchlist(o.Parts[0].Value.TypeName()), o.FirstSeen, o.LastSeen, seen, nil)
	return i.relation("incident:Related_Indicator", "", o.MetaCategory, n)
}

// handling is how far something may travel, as STIX 1 says it.
func handling(tag string, tags []string) *node {
	m := el("marking:Marking", "")
	list := &node{name: "marking_structures", list: true}
	for _, t := range tags {
		color, isTLP := strings.CutPrefix(strings.ToLower(t), "tlp:")
		if color == "clear" {
			color = "white"
		}
		switch {
		case isTLP && (color == "white" || color == "green" || color == "amber" || color == "red"):
			list.kids = append(list.kids, el("marking:Marking_Structure", "").with("color", strings.ToUpper(color)).typed("tlpMarking:TLPMarkingStructureType"))
		case !strings.HasPrefix(t, "misp-galaxy:"):
			list.kids = append(list.kids, el("marking:Marking_Structure", "", words("simpleMarking:Statement", "statement", t)).typed("simpleMarking:SimpleMarkingStructureType"))
		}
	}
	if len(list.kids) == 0 {
		return nil
	}
	m.kids = []*node{list}
	h := el(tag, "handling", m)
	h.list = true
	return h
}

// ttp is a vulnerability that was used.
func (i *incident) ttp(a *tocsin.Attribute) *node {
	title := words("et:Title", "title", "Vulnerability "+a.Value.String())
	v := el("et:Vulnerability", "", words("et:CVE_ID", "cve_id", a.Value.String()))
	target := el("stixCommon:Exploit_Target", "exploit_target", title, &node{name: "vulnerabilities", list: true, kids: []*node{v}}).
		typed("et:ExploitTargetType").with("id", i.id("ExploitTarget", a.UUID)).with("timestamp", stamp(a.Timestamp))
	targets := &node{tag: "ttp:Exploit_Targets", name: "exploit_targets", kids: []*node{
		{name: "exploit_targets", list: true, kids: []*node{el("ttp:Exploit_Target", "", target)}}}}
	return el("stix:TTP", "", words("ttp:Title", "title", a.Category.String()+": "+a.Value.String()+" (MISP Attribute)"), targets).
		typed("ttp:TTPType").with("id", i.id("TTP", a.UUID)).with("timestamp", stamp(a.Timestamp))
}

func (i *incident) ttpRef(a *tocsin.Attribute) *node {
	ref := el("stixCommon:TTP", "ttp").typed("ttp:TTPType").with("idref", i.id("TTP", a.UUID)).with("timestamp", stamp(a.Timestamp))
	return i.relation("incident:Leveraged_TTP", "", "vulnerability", ref)
}

// journal is what was only said.
func (i *incident) journal() error {
	i.seen = false
	threat := map[uint8]string{1: "High", 2: "Medium", 3: "Low"}[i.e.Threat]
	if threat == "" {
		threat = "None"
	}
	entries := []string{"Event Threat Level: " + threat, `MISP Tag: misp:tool="MISP-STIX-Converter"`}
	for _, t := range entries {
		i.put(entry(t))
	}
	return i.claims(sortOf, asJournal, func(a *tocsin.Attribute) *node {
		return entry("Attribute (" + a.Category.String() + " - " + a.Value.TypeName() + "): " + a.Value.String())
	})
}

func entry(text string) *node {
	return el("incident:History_Item", "", words("incident:Journal_Entry", "journal_entry", text).with("time_precision", "second"))
}

// day is the event's date as a time.
func (i *incident) day() string { return i.e.Date + "T00:00:00+00:00" }

func (i *incident) has(want string) (found bool, err error) {
	return any1(i.e.Attributes, func(a tocsin.Attribute) bool { return sortOf(&a) == want })
}

func any1[R any](rs iter.Seq2[R, error], is func(R) bool) (bool, error) {
	if rs == nil {
		return false, nil
	}
	for r, err := range rs {
		if err != nil {
			return false, err
		}
		if is(r) {
			return true, nil
		}
	}
	return false, nil
}

// status is how far the work on an event has come.
func (i *incident) status() *node {
	s := "New"
	switch i.e.Analysis {
	case 1:
		s = "Open"
	case 2:
		s = "Closed"
	}
	return words("incident:Status", "status", s).typed("stixVocabs:IncidentStatusVocab-1.0")
}

func (i *incident) number() *node {
	n := words("incident:External_ID", "", strconv.FormatInt(i.e.ID, 10)).with("source", "MISP Event")
	n.bare = true
	return n
}

func (i *incident) times() *node {
	n := el("incident:Time", "time", words("incident:Incident_Discovery", "incident_discovery", i.day()))
	if i.e.Published && i.e.PublishedAt != 0 {
		n.kids = append(n.kids, words("incident:Incident_Reported", "incident_reported", stamp(i.e.PublishedAt)))
	}
	return n
}
