package mispapi

import (
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/misp"
)

// What is said about an event and what is in it, from MISP's records to drafts. A
// remark names what it is about by uuid, so what has remarks is given one.

// remark takes a remark that stood at a line.
func (d *drafter) remark(line int, what string, r tocsin.Remark) {
	d.remarks = append(d.remarks, intake.RemarkDraft{Line: line, What: what, Remark: r})
}

// named gives a record a uuid if something is said about it.
func (d *drafter) named(u *misp.Field[tocsin.UUID], remarks ...int) {
	n := 0
	for _, r := range remarks {
		n += r
	}
	if n > 0 && u.Or(tocsin.UUID{}).IsZero() {
		*u = misp.Said(tocsin.NewUUID(time.Now()))
	}
}

// besideAttribute takes what is said about an attribute.
func (d *drafter) besideAttribute(a *misp.Attribute, line int) {
	d.named(&a.UUID, len(a.Sightings), len(a.Proposals), len(a.Remarks))
	about := tocsin.Link{Kind: tocsin.KindAttribute, UUID: a.UUID.Or(tocsin.UUID{})}
	for i := range a.Sightings {
		d.sighting(&a.Sightings[i], about, line)
	}
	for i := range a.Proposals {
		d.proposal(&a.Proposals[i], about, line)
	}
	d.analysts(a.Remarks, about, line)
	d.clusters(a.Galaxies, line)
}

func (d *drafter) sighting(s *misp.Sighting, about tocsin.Link, line int) {
	w := s.Words()
	w.About = about
	d.org(s.Org, &w.Orgc)
	d.remark(line, "Sighting", w)
}

func (d *drafter) proposal(p *misp.Proposal, about tocsin.Link, line int) {
	w := p.Words(about)
	if w.Deleted { // it is done with there, and nobody has to decide here
		return
	}
	d.org(p.Org, &w.Orgc)
	d.remark(line, "ShadowAttribute", w)
}

// analysts takes notes, opinions and relationships, and those that stand on them.
func (d *drafter) analysts(rs []misp.Remark, about tocsin.Link, line int) {
	for i := range rs {
		r := &rs[i]
		d.named(&r.UUID, len(r.Remarks))
		w := r.Words(about)
		h := w.Remarked()
		d.org(orgOr(r.Orgc, r.OrgcUUID), &h.Orgc)
		d.groupTo(r.Group, r.SharingGroup, &h.Group)
		d.remark(line, misp.ObjectType(r.Kind), w)
		d.analysts(r.Remarks, tocsin.Link{Kind: r.Kind, UUID: r.UUID.Or(tocsin.UUID{})}, line)
	}
}

// orgOr is an organisation in full, or the one that a uuid beside it names.
func orgOr(o *misp.Org, u misp.Field[tocsin.UUID]) *misp.Org {
	if o == nil && u.Present() {
		return &misp.Org{UUID: u}
	}
	return o
}

// besideObject takes what is said about an object, and how it relates to others.
func (d *drafter) besideObject(o *misp.Object, line int) {
	d.named(&o.UUID, len(o.References), len(o.Remarks))
	about := tocsin.Link{Kind: tocsin.KindObject, UUID: o.UUID.Or(tocsin.UUID{})}
	for i := range o.References {
		d.references = append(d.references, intake.RemarkDraft{Line: line, What: "ObjectReference", Remark: o.References[i].Words(about.UUID)})
	}
	d.analysts(o.Remarks, about, line)
}

// besideEvent takes what is said about an event.
func (d *drafter) besideEvent(e *misp.Event) {
	about := tocsin.Link{Kind: tocsin.KindEvent}
	for i := range e.Reports {
		r := &e.Reports[i]
		d.named(&r.UUID, len(r.Remarks))
		w := r.Words(0)
		d.groupTo(r.Group, r.SharingGroup, &w.Group)
		d.remark(0, "EventReport", w)
		d.analysts(r.Remarks, tocsin.Link{Kind: tocsin.KindReport, UUID: r.UUID.Or(tocsin.UUID{})}, 0)
	}
	for i := range e.Proposals {
		p := &e.Proposals[i]
		if p.Old.Or(0) != 0 && !p.UUID.Or(tocsin.UUID{}).IsZero() { // MISP lists those of attributes here, too, for some callers
			d.proposal(p, tocsin.Link{Kind: tocsin.KindAttribute, UUID: p.UUID.Or(tocsin.UUID{})}, 0)
			continue
		}
		d.proposal(p, about, 0)
	}
	for i := range e.References {
		d.references = append(d.references, intake.RemarkDraft{What: "ObjectReference", Remark: e.References[i].Words(tocsin.UUID{})})
	}
	d.analysts(e.Remarks, about, 0)
	d.clusters(e.Galaxies, 0)
}

// clusters takes clusters that people of some instance wrote: nobody else has them.
func (d *drafter) clusters(gs []misp.Galaxy, line int) {
	for i := range gs {
		for j := range gs[i].Clusters {
			cl := &gs[i].Clusters[j]
			if u := cl.UUID.Or(tocsin.UUID{}); cl.Own() && !u.IsZero() && !d.seen[u] {
				d.cluster(cl, &gs[i], line)
			}
		}
	}
}

// withClusters are the tags of a record that is new, with those of its clusters, which
// some senders leave out.
func withClusters(tags []misp.Tag, gs []misp.Galaxy) []misp.Tag {
	for i := range gs {
		for j := range gs[i].Clusters {
			if cl := &gs[i].Clusters[j]; isClusterTag(cl.Tag.Or("")) {
				tags = withTag(tags, misp.Tag{Name: cl.Tag, Local: cl.Local})
			}
		}
	}
	return tags
}

func isClusterTag(name string) bool {
	return strings.HasPrefix(name, "misp-galaxy:") && len(name) <= 255
}

func (d *drafter) cluster(cl *misp.Cluster, g *misp.Galaxy, line int) {
	if d.seen == nil {
		d.seen = map[tocsin.UUID]bool{}
	}
	w := cl.Words(g)
	d.seen[w.UUID] = true
	d.org(cl.Orgc, &w.Orgc)
	d.groupTo(cl.Group, cl.SharingGroup, &w.Group)
	for i := range w.Relations { // its groups are numbered elsewhere
		if w.Relations[i].Distribution == access.Group {
			w.Relations[i].Distribution, w.Relations[i].Group = access.OrgOnly, 0
		}
	}
	d.remark(line, "GalaxyCluster", w)
}

func withTag(tags []misp.Tag, t misp.Tag) []misp.Tag {
	for i := range tags {
		if tags[i].Name.Or("") == t.Name.Or("") {
			return tags
		}
	}
	return append(tags, t)
}

// said is all that was said, in an order in which what is spoken about comes before:
// references last of what is part of the event, since they point from one to another.
func (d *drafter) said() []intake.RemarkDraft { return append(d.references, d.remarks...) }
