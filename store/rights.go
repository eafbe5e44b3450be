package store

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
)

func errMayNot(what string) error {
	return tocsin.Errorf(tocsin.Forbidden, "your role does not let you %s", what)
}

// seesGroup reports whether the viewer may know of a sharing group: its members
// and whoever made it.
func (tx *Tx) seesGroup(g *tocsin.Group) bool { return seesGroup(tx.v, g) }

func seesGroup(v access.Viewer, g *tocsin.Group) bool {
	return v.Administers() || v.Org() != 0 && (g.Org == v.Org() || g.Has(v.Org()))
}

// mayReadDoc reports whether v may read a small record. Organisations and tags
// are known to everyone on the exchange; the rest to whom it concerns.
func (db *DB) mayReadDoc(v access.Viewer, r tocsin.Record, docs shelfView) bool {
	if v.Administers() {
		return true
	}
	if v.Org() == 0 {
		return false
	}
	switch r := r.(type) {
	case *tocsin.Organisation, *tocsin.Role, *tocsin.GuardList, *tocsin.Lifetime, *tocsin.Retention, *tocsin.Clock, *tocsin.Vocabulary,
		*tocsin.Allowed:
		return true // the rules of the house
	case *tocsin.TagCollection:
		return r.AllOrgs || r.Org == v.Org()
	case *tocsin.Feed:
		return r.Visible
	case *tocsin.Tag:
		return r.Org == 0 || r.Org == v.Org()
	case *tocsin.User:
		return r.ID == v.User() || r.Org == v.Org() && v.May(access.OrgAdmin)
	case *tocsin.Key:
		u, _ := docs.get(tocsin.KindUser, r.User).(*tocsin.User)
		return r.User == v.User() || u != nil && u.Org == v.Org() && v.May(access.OrgAdmin)
	case *tocsin.UserSetting:
		u, _ := docs.get(tocsin.KindUser, r.User).(*tocsin.User)
		return r.User == v.User() || u != nil && u.Org == v.Org() && v.May(access.OrgAdmin)
	case *tocsin.Group:
		return seesGroup(v, r)
	case *tocsin.Collection:
		if r.Org == v.Org() {
			return true
		}
		for o := range docs.all(tocsin.KindSubscriber) {
			if s := o.(*tocsin.Subscriber); s.Org == v.Org() && s.Receives(r.ID) {
				return true
			}
		}
		return false
	case *tocsin.Subscriber:
		return r.Org == v.Org() || slices.ContainsFunc(r.Collections(), owns(v, docs))
	case *tocsin.Import:
		return r.Org == v.Org()
	case *tocsin.Handover:
		return r.Org == v.Org() || r.Requester == v.Org()
	}
	return false
}

// ownModel reports whether a model that is to be replaced, if any, is the viewer's
// organisation's.
func (tx *Tx) ownModel(before tocsin.Record) bool {
	v, _ := before.(*tocsin.Vocabulary)
	return v == nil || v.Sort == tocsin.DecayingModels && v.Org != 0 && v.Org == tx.v.Org()
}

// owns tells the collections of v's organisation.
func owns(v access.Viewer, docs shelfView) func(collection int64) bool {
	return func(id int64) bool {
		c, _ := docs.get(tocsin.KindCollection, id).(*tocsin.Collection)
		return c != nil && c.Org == v.Org()
	}
}

// mayWriteDoc refuses what the viewer may not make of a small record: before is
// nil for a new one, after is nil for one that is to go.
func (tx *Tx) mayWriteDoc(before, after tocsin.Record) error {
	for _, r := range []tocsin.Record{before, after} {
		if err := tx.beneath(r); err != nil {
			return err
		}
	}
	if tx.v.May(access.SiteAdmin) {
		return nil
	}
	r := after
	if r == nil {
		r = before
	}
	switch r := r.(type) {
	case *tocsin.Organisation:
		return errMayNot("administer organisations")
	case *tocsin.User:
		return tx.mayWriteUser(before, r)
	case *tocsin.Key:
		u, _ := tx.docs.get(tocsin.KindUser, r.User).(*tocsin.User)
		if r.User == tx.v.User() && tx.v.May(access.Auth) {
			return nil
		}
		if u == nil {
			return errMayNot("administer that key")
		}
		return tx.mayWriteUser(u, u)
	case *tocsin.Allowed:
		if !tx.v.May(access.Regexp) {
			return errMayNot("change what is left out of exports")
		}
	case *tocsin.UserSetting:
		if r.User == tx.v.User() {
			return nil
		}
		u, _ := tx.docs.get(tocsin.KindUser, r.User).(*tocsin.User)
		if u == nil {
			return errMayNot("administer that user's settings")
		}
		return tx.mayWriteUser(u, u)
	case *tocsin.Group:
		return tx.mayWriteGroup(before, after)
	case *tocsin.TagCollection:
		if !tx.v.May(access.TagEditor) || r.Org != tx.v.Org() {
			return errMayNot("edit that tag collection")
		}
	case *tocsin.Tag:
		if before == nil && strings.HasPrefix(r.Name, "tocsin:") && tx.v.May(access.Tag) {
			return nil // the name of a collection; what it does is asked when it is attached
		}
		if before == nil && tx.v.May(access.Tag) {
			return nil
		}
		if !tx.v.May(access.TagEditor) {
			return errMayNot("edit tags")
		}
	case *tocsin.Collection:
		if !tx.v.May(access.OrgAdmin) || r.Org != tx.v.Org() {
			return errMayNot("administer that collection")
		}
	case *tocsin.Subscriber:
		owns := owns(tx.v, tx.docs)
		if !tx.v.May(access.OrgAdmin) || slices.ContainsFunc(r.Collections(), func(c int64) bool { return !owns(c) }) {
			return errMayNot("administer subscribers of that collection")
		}
	case *tocsin.GuardList:
		return tx.mayWriteGuardList(before, after)
	case *tocsin.Vocabulary:
		if r.Sort == tocsin.DecayingModels && r.Org != 0 && r.Org == tx.v.Org() && tx.v.May(access.Decaying) && tx.ownModel(before) {
			return nil
		}
		return errMayNot("change the reference data that everyone shares")
	case *tocsin.Import:
		if !tx.v.May(access.Add) || r.Org != tx.v.Org() {
			return errMayNot("import")
		}
	case *tocsin.Handover:
		return tx.mayDelegate(before, r)
	default:
		return errMayNot(fmt.Sprintf("change a %s", r.Kind()))
	}
	return nil
}

// mayWriteUser keeps an organisation's administrator among its own users.
func (tx *Tx) mayWriteUser(before tocsin.Record, u *tocsin.User) error {
	was, _ := before.(*tocsin.User)
	if was != nil && was.ID == tx.v.User() && was.Org == u.Org && was.Role == u.Role &&
		was.Disabled == u.Disabled && was.Expires.Equal(u.Expires) {
		return nil // one's own address, password and wishes
	}
	if !tx.v.May(access.OrgAdmin) || u.Org != tx.v.Org() {
		return errMayNot("administer that user")
	}
	return nil
}

// mayTag refuses tags that the viewer may not attach to, or remove from, a
// record of an event labelled l: its own organisation's, or with a collection's
// tag what is for the collection's owner to block.
func (tx *Tx) mayTag(l access.LabelID, as []tocsin.Attached) error {
	return tx.mayAttach(tx.v.Owns(tx.db.coder.Labels.Label(l)), as)
}

// maxTags is how many tags a record may carry. Each is looked at whenever somebody
// asks for records by tag.
const maxTags = 1000

func (tx *Tx) mayAttach(own bool, as []tocsin.Attached) error {
	if len(as) > 0 && !tx.v.May(access.Tag) {
		return errMayNot("attach tags")
	}
	if len(as) > maxTags {
		return tocsin.Errorf(tocsin.Invalid, "%d tags are too many for one record; it may carry %d", len(as), maxTags)
	}
	for _, a := range as {
		t, _ := tx.docs.get(tocsin.KindTag, a.Tag).(*tocsin.Tag)
		switch {
		case t == nil:
			return tocsin.Errorf(tocsin.NotFound, "no tag %d", a.Tag)
		case t.LocalOnly && !a.Local:
			return tocsin.Errorf(tocsin.Invalid, "the tag %q can be attached as a local tag only", t.Name)
		case !own && !(a.Local && tx.ownsCollection(t.Name)):
			return tocsin.Errorf(tocsin.Forbidden, "only the owner's organisation may attach %q here", t.Name)
		}
	}
	return nil
}

// ownsCollection reports whether tag is that of a collection of the viewer's.
func (tx *Tx) ownsCollection(tag string) bool {
	for r := range tx.docs.all(tocsin.KindCollection) {
		if c := r.(*tocsin.Collection); strings.EqualFold(c.Tag(), tag) {
			return c.Org == tx.v.Org() && tx.v.May(access.OrgAdmin)
		}
	}
	return false
}

// ColourOf gives a tag without a colour one that stays the same.
func ColourOf(name string) string {
	h := fnv.New32a()
	h.Write([]byte(name))
	return fmt.Sprintf("#%06x", h.Sum32()&0xffffff)
}
