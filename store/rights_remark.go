package store

import (
	"encoding/hex"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// Who may say what. A reference and a report are parts of their event, and so its
// owner's. Anyone who may see an attribute may have seen it in the wild, and anyone
// who may see a record may remark on it. Proposals are for those who may see an event;
// accepting them is for those who may change it.

// mayRemark refuses a new remark, about what belongs to event e, that the viewer may
// not make, or that makes no sense.
func (tx *Tx) mayRemark(r tocsin.Remark, e *tocsin.Event) error {
	h := r.Remarked()
	if about := remarkable[r.Kind()]; !slices.Contains(about, h.About.Kind) {
		return tocsin.Errorf(tocsin.Invalid, "a %s is about %s, not about a %s", r.Kind(), kindsOf(about), h.About.Kind)
	}
	may := true
	switch r.(type) {
	case *tocsin.Reference, *tocsin.Report, *tocsin.Attachment:
		if _, err := tx.mine(e.ID); err != nil {
			return err
		}
	case *tocsin.Proposal:
		may = tx.v.May(access.Add) // about one's own event, too: a colleague may be asked first
	case *tocsin.Sighting:
		may = tx.v.May(access.Sighting)
	case *tocsin.Cluster:
		may = tx.v.May(access.GalaxyEditor)
	default:
		may = tx.v.May(access.Analyst)
	}
	if !may {
		return errMayNot("add a " + r.Kind().String())
	}
	return tx.soundRemark(r)
}

// remarkable is what each kind of remark may be about.
var remarkable = map[tocsin.Kind][]tocsin.Kind{
	tocsin.KindReference:    {tocsin.KindObject},
	tocsin.KindSighting:     {tocsin.KindAttribute},
	tocsin.KindProposal:     {tocsin.KindEvent, tocsin.KindAttribute},
	tocsin.KindReport:       {tocsin.KindEvent},
	tocsin.KindNote:         anything,
	tocsin.KindOpinion:      anything,
	tocsin.KindRelationship: anything,
	tocsin.KindCluster:      {0},
	tocsin.KindAttachment:   {tocsin.KindAttribute},
}

var anything = []tocsin.Kind{tocsin.KindEvent, tocsin.KindAttribute, tocsin.KindObject, tocsin.KindReport, tocsin.KindNote,
	tocsin.KindOpinion, tocsin.KindRelationship, tocsin.KindCluster}

func kindsOf(ks []tocsin.Kind) string {
	names := make([]string, len(ks))
	for i, k := range ks {
		names[i] = "a " + k.String()
		if k == 0 {
			names[i] = "nothing but itself"
		}
	}
	return strings.Join(names, " or ")
}

// mayChange refuses changes of a remark that is not the viewer's to change.
func (tx *Tx) mayChange(r tocsin.Remark, e *tocsin.Event) error {
	h := r.Remarked()
	may := access.Analyst
	switch r.(type) {
	case *tocsin.Reference, *tocsin.Report, *tocsin.Attachment:
		_, err := tx.mine(e.ID)
		return err
	case *tocsin.Sighting:
		may = access.Sighting
	case *tocsin.Proposal:
		if _, err := tx.mine(e.ID); err == nil {
			return nil // accepted or discarded
		}
		may = access.Add
	case *tocsin.Cluster:
		may = access.GalaxyEditor
	}
	own := h.Org == tx.v.Org() && (tx.v.May(access.ModifyOrg) || h.User == tx.v.User())
	if !tx.v.May(may) || !own && !tx.v.May(access.SiteAdmin) {
		return tocsin.Errorf(tocsin.Forbidden, "that %s may be changed by the organisation that made it only", r.Kind())
	}
	return nil
}

// unpublishes reports whether r is part of its event, so that writing it is an edit
// of the event.
func unpublishes(r tocsin.Remark) bool {
	return r.Kind() == tocsin.KindReference || r.Kind() == tocsin.KindReport || r.Kind() == tocsin.KindAttachment
}

// soundRemark refuses what makes no sense, whoever says it, and brings the rest into
// its normal form.
func (tx *Tx) soundRemark(r tocsin.Remark) error {
	missing := func(what, text string) error {
		if strings.TrimSpace(text) == "" {
			return tocsin.Errorf(tocsin.Invalid, "a %s needs %s", r.Kind(), what)
		}
		return nil
	}
	if err := fits(r); err != nil {
		return err
	}
	h := r.Remarked()
	switch r := r.(type) {
	case *tocsin.Reference:
		h.Distribution, h.Group = access.Inherit, 0
		if h.To.Kind != tocsin.KindAttribute && h.To.Kind != tocsin.KindObject {
			return tocsin.Errorf(tocsin.Invalid, "a reference points to an attribute or an object of its event")
		}
		return missing("a relationship type", r.Relation)
	case *tocsin.Sighting:
		h.Distribution, h.Group = access.Inherit, 0
		if r.At == 0 {
			r.At = tx.now.Unix()
		}
		if h.Timestamp == 0 { // never before it was met: what is sought by that is found by this
			h.Timestamp = max(tx.now.Unix(), r.At)
		}
		if r.Type > tocsin.Confirmed {
			return tocsin.Errorf(tocsin.Invalid, "a sighting's type is 0 (seen), 1 (false positive), 2 (expiration) or 3 (confirmed), not %d", r.Type)
		}
	case *tocsin.Proposal:
		h.Distribution, h.Group = access.Inherit, 0
		return tx.soundProposal(r)
	case *tocsin.Report:
		return missing("a name", r.Name)
	case *tocsin.Attachment:
		h.Distribution, h.Group = access.Inherit, 0
		if b, err := hex.DecodeString(r.SHA256); err != nil || len(b) != 32 || r.Size < 0 || strings.ToLower(r.SHA256) != r.SHA256 {
			return tocsin.Errorf(tocsin.Invalid, "an attachment is known by the SHA-256 of its content, in lower-case hex")
		}
	case *tocsin.Note:
		r.Created, r.Authors = tx.first(r.Created), tx.author(r.Authors)
		return missing("a text", r.Note)
	case *tocsin.Opinion:
		r.Created, r.Authors = tx.first(r.Created), tx.author(r.Authors)
		if r.Opinion > 100 {
			return tocsin.Errorf(tocsin.Invalid, "an opinion is 0 (strongly disagree) to 100 (strongly agree), not %d", r.Opinion)
		}
	case *tocsin.Relationship:
		r.Created, r.Authors = tx.first(r.Created), tx.author(r.Authors)
		if r.Other.UUID.IsZero() || r.Other.Kind == 0 {
			return tocsin.Errorf(tocsin.Invalid, "a relationship needs the kind and the uuid of the other record")
		}
		return missing("a relationship type", r.Relation)
	case *tocsin.Cluster:
		if r.Version == 0 {
			r.Version = tx.now.Unix()
		}
		if r.Published && !tx.v.May(access.Publish) {
			return errMayNot("publish clusters")
		}
		if err := missing("the type of its galaxy", r.Type); err != nil {
			return err
		}
		if err := numberRelations(r); err != nil {
			return err
		}
		for i := range r.Relations {
			if err := tx.mayShareWith(r.Relations[i].Distribution, &r.Relations[i].Group); err != nil {
				return err
			}
		}
		return missing("a value", r.Value)
	}
	return nil
}

// maxRelations is how many relations a cluster may have.
const maxRelations = 10_000

// numberRelations hands out numbers to the relations of a cluster that have none.
func numberRelations(c *tocsin.Cluster) error {
	if len(c.Relations) > maxRelations {
		return tocsin.Errorf(tocsin.Invalid, "%d relations are too many for one cluster; it may have %d", len(c.Relations), maxRelations)
	}
	last := int64(0)
	for _, r := range c.Relations {
		last = max(last, r.ID)
	}
	for i := range c.Relations {
		if c.Relations[i].ID == 0 {
			last++
			c.Relations[i].ID = last
		}
	}
	return nil
}

// first is when a record was made: at, or now.
func (tx *Tx) first(at int64) int64 {
	if at == 0 {
		return tx.now.Unix()
	}
	return at
}

// author is who wrote an analyst's remark, where it does not say.
func (tx *Tx) author(said string) string {
	if said == "" {
		return tx.v.Name()
	}
	return said
}

// soundProposal refuses a proposal that could not be accepted, or that is made
// already. It takes what it leaves open from the attribute that it is about.
func (tx *Tx) soundProposal(p *tocsin.Proposal) error {
	if p.About.Kind == tocsin.KindAttribute {
		a, _, err := tx.Attribute(p.About.ID)
		if err != nil {
			return err
		}
		p.Attribute = a.UUID
		if p.Delete {
			p.Type, p.Category, p.Value = a.Value.Type().Name, a.Category.String(), a.Value.String()
		}
		if p.Type == "" {
			p.Type = a.Value.Type().Name
		}
		if p.Category == "" {
			p.Category = a.Category.String()
		}
		if p.Value == "" {
			p.Value = a.Value.String()
		}
	} else if p.Delete {
		return tocsin.Errorf(tocsin.Invalid, "a proposal to delete needs the attribute that is to go")
	} else if p.Attribute.IsZero() {
		p.Attribute = tocsin.NewUUID(tx.now)
	}
	a, err := proposed(p)
	if err != nil {
		return err
	}
	p.Value, p.Category = a.Value.String(), a.Category.String()
	if p.ID != 0 {
		return nil
	}
	old, err := tx.proposedAlready(p, Live)
	if err == nil && old != nil {
		err = tocsin.Errorf(tocsin.Conflict, "your organisation has proposed that already, as proposal %d", old.ID)
	}
	return err
}

// proposedAlready returns a proposal like p of the same organisation about the same
// record, nil if there is none.
func (tx *Tx) proposedAlready(p *tocsin.Proposal, d Deletion) (*tocsin.Proposal, error) {
	q := Scoped[RemarkQuery]{all: true, Query: RemarkQuery{About: p.About.Kind, AboutIDs: []int64{p.About.ID}, Deleted: d}}
	for r, err := range tx.remarks(p.Kind(), q) {
		if err != nil {
			return nil, err
		}
		if o := r.(*tocsin.Proposal); o.Orgc == p.Orgc && same(o, p) {
			return o, nil
		}
	}
	return nil, nil
}

// same reports whether two proposals about one record want the same.
func same(a, b *tocsin.Proposal) bool {
	return a.Delete == b.Delete && a.Type == b.Type && a.Category == b.Category && a.Value == b.Value && a.ToIDS == b.ToIDS && a.Comment == b.Comment
}

// proposed returns the attribute that p would have.
func proposed(p *tocsin.Proposal) (tocsin.Attribute, error) {
	v, err := indicator.Parse(p.Type, p.Value)
	if err != nil {
		return tocsin.Attribute{}, tocsin.Errorf(tocsin.Invalid, "%s", err)
	}
	name := p.Category
	if name == "" {
		name = v.Type().DefaultCategory
	}
	c, ok := indicator.CategoryByName(name)
	if !ok || !v.Type().Allows(c) {
		return tocsin.Attribute{}, tocsin.Errorf(tocsin.Invalid, "an attribute of type %s can't be in the category %q", p.Type, name)
	}
	return tocsin.Attribute{UUID: p.Attribute, Value: v, Category: c, Comment: p.Comment, ToIDS: p.ToIDS,
		FirstSeen: p.FirstSeen, LastSeen: p.LastSeen, Distribution: access.Inherit}, nil
}

// remarkKeys are the numbers by which a remark is found besides.
func (tx *Tx) remarkKeys(r tocsin.Remark) ([2]uint64, error) {
	about := away(r.Remarked().About)
	switch r := r.(type) {
	case *tocsin.Reference:
		return [2]uint64{KeyOfUUID(r.To.UUID)}, nil
	case *tocsin.Attachment:
		return [2]uint64{KeyOfSum(r.SHA256)}, nil
	case *tocsin.Relationship:
		return [2]uint64{KeyOfUUID(r.Other.UUID), about}, nil
	case *tocsin.Cluster:
		return [2]uint64{0, KeyOfUUID(r.Extends)}, nil
	case *tocsin.Sighting:
		a, err := tx.w.Attribute(tx.ctx, r.About.ID)
		if err != nil || a == nil {
			return [2]uint64{}, err
		}
		return tx.db.coder.valueKeys(a.Value), nil
	case *tocsin.Proposal:
		a, err := proposed(r)
		return tx.db.coder.valueKeys(a.Value), err
	}
	return [2]uint64{0, about}, nil
}
