package stix

import "io"

// A part is a list of an incident.
type part struct {
	tag, member, list string
	write             func() error
}

func (i *incident) parts() []part {
	return []part{
		{"incident:Related_Indicators", "related_indicators", "indicators", func() error { return i.related(asIndicator) }},
		{"incident:Related_Observables", "related_observables", "observables", func() error { return i.related(asObserved) }},
		{"incident:Leveraged_TTPs", "leveraged_ttps", "ttps", func() error { i.seen = false; return i.claims(sortOf, asTTP, i.ttpRef) }},
		{"incident:History", "history", "history_items", i.journal},
	}
}

// writeXML writes the package of an event in the order of the schema (STIX 1.2,
// stix_core.xsd, incident.xsd).
func (i *incident) writeXML() error {
	i.first = false
	w := func(s string) { i.b = append(i.b, s...) }
	w("<stix:Related_Package><stix:Package")
	i.b = appendAttr(i.b, "id", i.id("STIXPackage", i.e.UUID))
	w(` version="` + i.version + `" timestamp="` + stamp(i.e.Timestamp) + `">`)
	i.header()
	if has, err := i.has(asTTP); err != nil {
		return err
	} else if has {
		w("<stix:TTPs>")
		if err := i.claims(sortOf, asTTP, i.ttp); err != nil {
			return err
		}
		w("</stix:TTPs>")
	}
	w(`<stix:Incidents><stix:Incident xsi:type="incident:IncidentType"`)
	i.b = appendAttr(i.b, "id", i.id("Incident", i.e.UUID))
	w(` timestamp="` + stamp(i.e.Timestamp) + `">`)
	for _, n := range []*node{words("incident:Title", "title", i.e.Info), i.number(), i.times(), i.status(), el("incident:Reporter", "reporter", identity1(i.by))} {
		i.b = n.appendXML(i.b)
	}
	for _, p := range i.parts() {
		if err := i.partXML(p); err != nil {
			return err
		}
	}
	i.b = el("incident:Information_Source", "information_source", identity1(i.by)).appendXML(i.b)
	if h := handling("incident:Handling", i.tags); h != nil {
		i.b = h.appendXML(i.b)
	}
	w("</stix:Incident></stix:Incidents></stix:Package></stix:Related_Package>")
	return i.spill()
}

// partXML writes a list, unless it is empty.
func (i *incident) partXML(p part) error {
	open := "<" + p.tag + ">"
	if err := i.flush(); err != nil {
		return err
	}
	i.b = append(i.b, open...)
	out := i.out
	counted := &counter{Writer: out}
	i.out = counted
	err := p.write()
	i.out = out
	switch {
	case err != nil:
		return err
	case counted.n == 0 && len(i.b) == len(open):
		i.b = i.b[:0]
	default:
		i.b = append(i.b, "</"+p.tag+">"...)
	}
	return i.spill()
}

func (i *incident) writeJSON() error {
	if !i.first {
		i.b = append(i.b, ',')
	}
	i.first = false
	w := func(s string) { i.b = append(i.b, s...) }
	w(`{"package":{"id":`)
	i.b = appendQuoted(i.b, i.id("STIXPackage", i.e.UUID))
	w(`,"version":"` + i.version + `",`)
	i.header()
	w(`,"timestamp":"` + stamp(i.e.Timestamp) + `","incidents":[{"id":`)
	i.b = appendQuoted(i.b, i.id("Incident", i.e.UUID))
	w(`,"title":`)
	i.b = appendQuoted(i.b, i.e.Info)
	w(`,"timestamp":"` + stamp(i.e.Timestamp) + `"`)
	for _, p := range i.parts() {
		w(`,"` + p.member + `":{"` + p.list + `":[`)
		if err := p.write(); err != nil {
			return err
		}
		w(`]}`)
	}
	for _, n := range []*node{i.times(), i.status(), el("incident:Information_Source", "information_source", identity1(i.by)),
		el("incident:Reporter", "reporter", identity1(i.by)), handling("incident:Handling", i.tags)} {
		if n != nil {
			w(`,"` + n.name + `":`)
			i.b = n.appendJSON(i.b)
		}
	}
	w(`,"external_ids":[`)
	i.b = i.number().appendJSON(i.b)
	w(`]}],"ttps":{"ttps":[`)
	i.seen = false
	if err := i.claims(sortOf, asTTP, i.ttp); err != nil {
		return err
	}
	w(`]}}}`)
	return i.spill()
}

// A counter counts what goes through it.
type counter struct {
	io.Writer
	n int
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += len(p)
	return c.Writer.Write(p)
}
