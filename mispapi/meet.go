package mispapi

import (
	"cmp"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
)

// Who speaks for another instance sends organisations and sharing groups along with
// an event. What is not known here is noted while the event is read, and its number
// is put where it is wanted before the event is taken in.

// org has the number of an organisation put at to: at once if it is known, and when
// all have been met if not. Of one that says nothing nothing is put. Whoever speaks
// for themselves alone names nobody.
func (d *drafter) org(o *misp.Org, to *int64) {
	if o == nil || !d.view.Viewer().May(access.Sync) || o.UUID.Or(tocsin.UUID{}).IsZero() && o.Name.Or("") == "" {
		return
	}
	if known, ok := d.knownOrg(o); ok {
		*to = known
		return
	}
	i := d.newcomer(o)
	d.later = append(d.later, func(m intake.Met) { *to = m.Orgs[i] })
}

func (d *drafter) knownOrg(o *misp.Org) (int64, bool) {
	var known *tocsin.Organisation
	var err error
	if u := o.UUID.Or(tocsin.UUID{}); !u.IsZero() {
		known, err = store.ByUUID[*tocsin.Organisation](d.view, u)
	} else {
		known, err = store.ByName[*tocsin.Organisation](d.view, o.Name.Or(""))
	}
	if err != nil {
		return 0, false
	}
	return known.ID, true
}

// newcomer is the place of an organisation among those that are to be met.
func (d *drafter) newcomer(o *misp.Org) int {
	u, name := o.UUID.Or(tocsin.UUID{}), o.Name.Or("")
	for i, n := range d.newcomers.Orgs {
		if n.UUID == u && (n.Name == name || !u.IsZero()) {
			return i
		}
	}
	d.newcomers.Orgs = append(d.newcomers.Orgs, tocsin.Organisation{UUID: u, Name: cmp.Or(name, u.String()), Description: o.Description.Or(""),
		Nationality: o.Nationality.Or(""), Sector: o.Sector.Or(""), Type: o.Type.Or(""), Contacts: o.Contacts.Or("")})
	return len(d.newcomers.Orgs) - 1
}

// group returns the sharing group that a record names, as [groupMeant] does. One that
// has yet to be met has a number below 0, which meet replaces.
func (d *drafter) group(number misp.Field[int64], along *misp.SharingGroup) int64 {
	id := groupMeant(d.view, number, along)
	if id != 0 || along == nil || along.UUID.Or(tocsin.UUID{}).IsZero() || !d.view.Viewer().May(access.Sync) {
		return id
	}
	u := along.UUID.Or(tocsin.UUID{})
	for i, n := range d.newcomers.Groups {
		if n.Group.UUID == u {
			return -int64(i + 1)
		}
	}
	g := intake.GroupDraft{Maker: along.OrgUUID.Or(tocsin.UUID{}), Group: tocsin.Group{UUID: u, Name: along.Name.Or(""), Releasability: along.Releasability.Or(""),
		Description: along.Description.Or(""), Roaming: along.Roaming.Or(false), Created: misp.ParseTime(along.Created.Or("")), Modified: misp.ParseTime(along.Modified.Or(""))}}
	if along.Org != nil {
		d.newcomer(along.Org)
		g.Maker = along.Org.UUID.Or(g.Maker)
	}
	for _, m := range along.Members {
		if m.Org == nil || m.Org.UUID.Or(tocsin.UUID{}).IsZero() {
			continue
		}
		d.newcomer(m.Org)
		g.Members = append(g.Members, intake.MemberDraft{Org: m.Org.UUID.Or(tocsin.UUID{}), Extend: m.Extend.Or(false)})
	}
	d.newcomers.Groups = append(d.newcomers.Groups, g)
	return -int64(len(d.newcomers.Groups))
}

// groupTo is group for a remark, whose place stays.
func (d *drafter) groupTo(number misp.Field[int64], along *misp.SharingGroup, to *int64) {
	*to = d.group(number, along)
	if i := -*to - 1; i >= 0 {
		d.later = append(d.later, func(m intake.Met) { *to = m.Groups[i] })
	}
}

// meet has the newcomers met, and puts their numbers where they are wanted: in what
// was drafted, and at groups besides.
func (c *call) meet(d *drafter, groups ...*int64) error {
	if d.failed != nil {
		return d.failed
	}
	m, err := c.desk.Meet(c.r.Context(), c.v, d.newcomers)
	if err != nil {
		return err
	}
	for _, put := range d.later {
		put(m)
	}
	if len(m.Groups) == 0 {
		return nil
	}
	settle := func(id *int64) {
		if id != nil && *id < 0 {
			*id = m.Groups[-*id-1]
		}
	}
	for _, id := range groups {
		settle(id)
	}
	for i := range d.attributes {
		settle(&d.attributes[i].Group)
	}
	for i := range d.objects {
		settle(&d.objects[i].Group)
		for j := range d.objects[i].Attributes {
			settle(&d.objects[i].Attributes[j].Group)
		}
	}
	for i := range d.edits {
		settle(d.edits[i].Group)
	}
	for i := range d.known {
		settle(d.known[i].Group)
		for j := range d.known[i].Attributes {
			settle(d.known[i].Attributes[j].Group)
		}
	}
	return nil
}
