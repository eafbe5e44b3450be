package store

import (
	"tocsin"
	"tocsin/access"
)

// Who speaks for another instance brings events of organisations, and for sharing
// groups, that nobody here has heard of. They are added as strangers: such an
// organisation has no users here, and such a group is its bringer's to change.

// Meet returns the organisation of o's uuid, or of its name if it has none, and adds
// it if there is no such organisation.
func (tx *Tx) Meet(o tocsin.Organisation) (*tocsin.Organisation, error) {
	if old := tx.met(&o); old != nil {
		return old, nil
	}
	if !tx.v.May(access.Sync) {
		return nil, errMayNot("speak for organisations that are not known here")
	}
	if o.Name == "" {
		return nil, tocsin.Errorf(tocsin.Invalid, "an organisation that is not known here needs a name")
	}
	if o.UUID.IsZero() {
		o.UUID = tocsin.NewUUID(tx.now)
	}
	o.Name = tx.freeName(tocsin.KindOrganisation, o.Name, o.UUID)
	id, err := tx.newDocID(tocsin.KindOrganisation)
	if err != nil {
		return nil, err
	}
	o.ID, o.Local, o.Created = id, false, tx.now
	return &o, tx.putDoc(nil, &o)
}

func (tx *Tx) met(o *tocsin.Organisation) *tocsin.Organisation {
	if !o.UUID.IsZero() {
		old, _ := tx.docs.byUUID(tocsin.KindOrganisation, o.UUID).(*tocsin.Organisation)
		return old
	}
	old, _ := tx.docs.named(tocsin.KindOrganisation, o.Name).(*tocsin.Organisation)
	return old
}

// freeName is a name that nobody of that kind has: another uuid's word for itself
// takes nobody's name away.
func (tx *Tx) freeName(k tocsin.Kind, name string, u tocsin.UUID) string {
	if tx.docs.named(k, name) == nil {
		return name
	}
	text := u.String()
	if short := name + "_" + text[:8]; tx.docs.named(k, short) == nil {
		return short
	}
	return name + "_" + text
}

// MeetGroup is likewise for a sharing group. What is here already stays as it is. The
// viewer's organisation has to be among the members: nobody brings what is not for
// them.
func (tx *Tx) MeetGroup(g tocsin.Group) (*tocsin.Group, error) {
	if old, ok := tx.docs.byUUID(tocsin.KindGroup, g.UUID).(*tocsin.Group); ok {
		if !tx.seesGroup(old) {
			return nil, tocsin.Errorf(tocsin.NotFound, "no sharing group %s", g.UUID)
		}
		return old, nil
	}
	switch {
	case !tx.v.May(access.Sync):
		return nil, errMayNot("bring sharing groups along")
	case g.Name == "" || g.UUID.IsZero():
		return nil, tocsin.Errorf(tocsin.Invalid, "a sharing group that is not known here needs a name and a uuid")
	case !g.Has(tx.v.Org()) && !tx.v.Administers():
		return nil, tocsin.Errorf(tocsin.NotFound, "no sharing group %s", g.UUID)
	}
	if tx.maySpeakFor(g.Org) != nil {
		g.Org = tx.v.Org()
	}
	g.Name = tx.freeName(tocsin.KindGroup, g.Name, g.UUID)
	id, err := tx.newDocID(tocsin.KindGroup)
	if err != nil {
		return nil, err
	}
	g.ID, g.Servers = id, nil
	if g.Created == 0 {
		g.Created = tx.now.Unix()
	}
	return &g, tx.putDoc(nil, &g)
}
