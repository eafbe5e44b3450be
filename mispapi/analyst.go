package mispapi

import (
	"cmp"
	"context"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

// What analysts say about records: notes, opinions and relationships. A remark may
// be about what is not here, and then stands by itself.

// analystKinds are the sorts, in the order in which answers have them.
var analystKinds = []tocsin.Kind{tocsin.KindNote, tocsin.KindOpinion, tocsin.KindRelationship}

// analystKindsNamed returns the kinds that a path means: one, or all of them.
func analystKindsNamed(name string) []tocsin.Kind {
	if strings.EqualFold(name, "all") {
		return analystKinds
	}
	for _, k := range analystKinds {
		if strings.EqualFold(name, misp.ObjectType(k)) {
			return []tocsin.Kind{k}
		}
	}
	return nil
}

// analystKind returns the one kind that the first argument means.
func (c *call) analystKind() (tocsin.Kind, error) {
	if ks := analystKindsNamed(c.arg(0)); len(ks) == 1 {
		return ks[0], nil
	}
	return 0, c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Invalid type.")
}

// remarksOf iterates over the analysts' remarks of one kind.
func (c *call) remarksOf(ctx context.Context, k tocsin.Kind, q store.RemarkQuery, each func(tocsin.Remark) error) error {
	switch k {
	case tocsin.KindNote:
		return eachRemark(c.view.Notes(ctx, q), each)
	case tocsin.KindOpinion:
		return eachRemark(c.view.Opinions(ctx, q), each)
	}
	return eachRemark(c.view.Relationships(ctx, q), each)
}

func eachRemark[R tocsin.Remark](rows func(func(R, error) bool), each func(tocsin.Remark) error) error {
	for r, err := range rows {
		if err == nil {
			err = each(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// analystRemark returns the remark that the first two arguments name.
func (c *call) analystRemark() (found tocsin.Remark, err error) {
	q := remarked(c.arg(1))
	q.Deleted = store.Live // what is deleted is gone, though an empty row may hold what others wrote on it
	for _, k := range analystKindsNamed(c.arg(0)) {
		err := c.remarksOf(c.r.Context(), k, q, func(r tocsin.Remark) error {
			if found == nil {
				found = r
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, tocsin.Errorf(tocsin.NotFound, "no such remark")
	}
	return found, nil
}

// addAnalyst adds a note, an opinion or a relationship about a record:
// /analyst_data/add/Note/UUID/Event.
func addAnalyst(c *call) error {
	k, err := c.analystKind()
	if err != nil {
		return err
	}
	in, err := misp.DecodeRemark(c.r.Body, k)
	if err != nil {
		return c.undecoded(err, "No valid analyst data received.")
	}
	what := "add " + misp.ObjectType(k)
	about := tocsin.Link{Kind: misp.KindOf(cmp.Or(c.arg(2), in.OfType.Or(""))), UUID: refOf(c.arg(1)).uuid}
	if about.UUID.IsZero() {
		about.UUID = in.Of.Or(tocsin.UUID{})
	}
	if about.Kind == 0 || about.UUID.IsZero() {
		return c.unsaved(what, c.act.path, map[string][]string{"object_uuid": {"an analyst's remark needs the uuid and the type of what it is about"}}, nil)
	}
	var added tocsin.Remark
	err = c.change(func(tx *store.Tx) (err error) {
		added, err = c.addWithThoseOn(tx, in, about)
		return err
	})
	if err != nil {
		return c.notSaid(what, c.act.path, strings.ToLower(misp.ObjectType(k)), err)
	}
	return c.replyAnalyst(added, true)
}

// addWithThoseOn adds a remark and those that stand on it.
func (c *call) addWithThoseOn(tx *store.Tx, in *misp.Remark, about tocsin.Link) (tocsin.Remark, error) {
	r := in.Words(about)
	h := r.Remarked()
	if !in.Distribution.Present() && about.Kind == tocsin.KindEvent {
		h.Distribution = access.Inherit
	}
	h.Group = groupMeant(c.view, in.Group, in.SharingGroup)
	h.Orgc = c.orgByUUID(orgOr(in.Orgc, in.OrgcUUID))
	if !c.v.May(access.Sync) {
		lock(r, false)
	}
	if err := addAnalystRemark(tx, r); err != nil {
		return nil, err
	}
	return r, c.addThoseOn(tx, in, tocsin.Link{Kind: r.Kind(), ID: r.RecordID()})
}

func (c *call) addThoseOn(tx *store.Tx, in *misp.Remark, about tocsin.Link) error {
	for i := range in.Remarks {
		switch _, err := c.addWithThoseOn(tx, &in.Remarks[i], about); tocsin.CodeOf(err) {
		case tocsin.Conflict: // it is here already
		default:
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func addAnalystRemark(tx *store.Tx, r tocsin.Remark) error {
	switch r := r.(type) {
	case *tocsin.Note:
		return store.AddRemark(tx, r)
	case *tocsin.Opinion:
		return store.AddRemark(tx, r)
	}
	return store.AddRemark(tx, r.(*tocsin.Relationship))
}

// lock says of a remark whether it came from another instance.
func lock(r tocsin.Remark, locked bool) {
	switch r := r.(type) {
	case *tocsin.Note:
		r.Locked = locked
	case *tocsin.Opinion:
		r.Locked = locked
	case *tocsin.Relationship:
		r.Locked = locked
	}
}

// orgByUUID returns the organisation that a record names, 0 for none that is known.
func (c *call) orgByUUID(o *misp.Org) int64 {
	if o == nil || o.UUID.Or(tocsin.UUID{}).IsZero() {
		return 0
	}
	known, err := store.ByUUID[*tocsin.Organisation](c.view, o.UUID.Or(tocsin.UUID{}))
	if err != nil {
		return 0
	}
	return known.ID
}

// editAnalyst changes of a remark what the body names.
func editAnalyst(c *call) error {
	old, err := c.analystRemark()
	if err != nil {
		return err
	}
	in, err := misp.DecodeRemark(c.r.Body, old.Kind())
	if err != nil {
		return c.undecoded(err, "No valid analyst data received.")
	}
	var edited tocsin.Remark
	err = c.change(func(tx *store.Tx) (err error) {
		if edited, err = c.editRemark(tx, old, in); err != nil {
			return err
		}
		return c.addThoseOn(tx, in, tocsin.Link{Kind: old.Kind(), ID: old.RecordID()})
	})
	if err != nil {
		return c.notSaid("edit "+misp.ObjectType(old.Kind()), c.act.path, strings.ToLower(misp.ObjectType(old.Kind())), err)
	}
	return c.replyAnalyst(edited, true)
}

// editRemark writes what a text says over a remark.
func (c *call) editRemark(tx *store.Tx, old tocsin.Remark, in *misp.Remark) (tocsin.Remark, error) {
	head := func(h *tocsin.Head) {
		if in.Distribution.Present() {
			h.Distribution = in.Words(h.About).Remarked().Distribution
		}
		if in.Group.Present() || in.SharingGroup != nil {
			h.Group = groupMeant(c.view, in.Group, in.SharingGroup)
		}
	}
	switch old.(type) {
	case *tocsin.Note:
		return store.EditRemark(tx, old.RecordID(), func(n *tocsin.Note) error {
			head(&n.Head)
			n.Note, n.Language, n.Authors = in.Note.Or(n.Note), in.Language.Or(n.Language), in.Authors.Or(n.Authors)
			return nil
		})
	case *tocsin.Opinion:
		return store.EditRemark(tx, old.RecordID(), func(o *tocsin.Opinion) error {
			head(&o.Head)
			o.Opinion = uint8(min(max(in.Opinion.Or(int64(o.Opinion)), 0), 255))
			o.Comment, o.Authors = in.Comment.Or(o.Comment), in.Authors.Or(o.Authors)
			return nil
		})
	}
	return store.EditRemark(tx, old.RecordID(), func(r *tocsin.Relationship) error {
		head(&r.Head)
		r.Relation, r.Authors = in.Relation.Or(r.Relation), in.Authors.Or(r.Authors)
		if in.Other.Present() {
			r.Other = tocsin.Link{Kind: misp.KindOf(in.OtherType.Or(misp.ObjectType(r.Other.Kind))), UUID: in.Other.Or(tocsin.UUID{})}
		}
		return nil
	})
}

// deleteAnalyst deletes a remark. What others wrote on it stays.
func deleteAnalyst(c *call) error {
	r, err := c.analystRemark()
	if err != nil {
		return err
	}
	if err := c.change(func(tx *store.Tx) error { return tx.DeleteRemark(r.Kind(), r.RecordID()) }); err != nil {
		return err
	}
	name := misp.ObjectType(r.Kind())
	return c.done(name+" deleted.", "/"+strings.ToLower(name)+"s/delete/"+itoa(r.RecordID()), r.RecordID())
}

var noAnalyst = answer{http.StatusNotFound, "Invalid Analyst Data."}
