package store

import (
	"slices"

	"tocsin"
	"tocsin/access"
)

// mayWriteGroup lets the organisation that made a sharing group change it, and members
// who may extend it add others. These change nothing else, and take out nobody but
// themselves.
func (tx *Tx) mayWriteGroup(before, after tocsin.Record) error {
	was, _ := before.(*tocsin.Group)
	is, _ := after.(*tocsin.Group)
	owns := func(g *tocsin.Group) bool {
		return g == nil || tx.v.May(access.SharingGroup) && g.Org == tx.v.Org()
	}
	if owns(was) && owns(is) {
		return nil
	}
	if was != nil && is != nil && was.MayExtend(tx.v.Org()) && tx.v.May(access.SharingGroup) && tx.extends(was, is) {
		return nil
	}
	return errMayNot("change that sharing group")
}

// extends reports whether is differs from was in members that were added, or in the
// viewer's own that left.
func (tx *Tx) extends(was, is *tocsin.Group) bool {
	rest := *is
	rest.Members, rest.Modified = was.Members, was.Modified
	old, now := *was, rest
	if old.UUID != now.UUID || old.Name != now.Name || old.Releasability != now.Releasability || old.Description != now.Description ||
		old.Org != now.Org || old.User != now.User || !slices.Equal(old.Servers, now.Servers) || old.Roaming != now.Roaming || old.Inactive != now.Inactive || old.Created != now.Created {
		return false
	}
	for _, m := range was.Named() {
		if m.Org != tx.v.Org() && !slices.Contains(is.Members, m) {
			return false
		}
	}
	return true
}

// admit works out who is in a group without having been named: everyone with users
// here, if the group is open to all on this instance.
func (tx *Tx) admit(g *tocsin.Group) {
	g.Members = g.Named()
	if !g.AllHere() {
		return
	}
	for r := range tx.docs.all(tocsin.KindOrganisation) {
		if o := r.(*tocsin.Organisation); o.Local && !g.Has(o.ID) {
			g.Members = append(g.Members, tocsin.Member{Org: o.ID, Implied: true})
		}
	}
}

// regroup admits an organisation to the groups that are open to all who have users
// here, or takes it out of them.
func (tx *Tx) regroup(before tocsin.Record, o *tocsin.Organisation) error {
	if was, ok := before.(*tocsin.Organisation); ok && was.Local == o.Local || !ok && !o.Local {
		return nil
	}
	for r := range tx.docs.all(tocsin.KindGroup) {
		old := r.(*tocsin.Group)
		if !old.AllHere() {
			continue
		}
		g := *old
		tx.admit(&g)
		if err := tx.putDoc(old, &g); err != nil {
			return err
		}
	}
	return nil
}

// shared refuses to remove a sharing group while something is shared with it. It is
// asked seldom, so there is no index: whatever may carry such a label is looked at.
func (tx *Tx) shared(g *tocsin.Group) error {
	if err := tx.putEvents(); err != nil {
		return err
	}
	names := func(l access.LabelID) bool {
		is := tx.db.coder.Labels.Label(l)
		return slices.Contains(is.Groups[:], g.ID)
	}
	needed := tocsin.Errorf(tocsin.Conflict, "the sharing group %q is still in use; share what is shared with it otherwise, or set it inactive", g.Name)
	for e, err := range tx.w.Events(tx.ctx, Scoped[EventQuery]{all: true}) {
		if err != nil {
			return err
		}
		if names(e.Label) {
			return needed
		}
	}
	for o, err := range tx.w.Objects(tx.ctx, Scoped[ObjectQuery]{all: true, Query: ObjectQuery{Deleted: Any}}) {
		if err != nil {
			return err
		}
		if names(o.Label) {
			return needed
		}
	}
	for a, err := range tx.w.Attributes(tx.ctx, Scoped[Query]{all: true, Query: Query{Deleted: Any}}) {
		if err != nil {
			return err
		}
		if names(a.Label) {
			return needed
		}
	}
	return nil
}
