package misp

import (
	"time"

	"tocsin"
	"tocsin/access"
)

// AppendReference appends a reference as it stands in its object.
func (c *Encoder) AppendReference(b []byte, r *tocsin.Reference) []byte {
	b = appendInt(append(b, `{"id":`...), r.ID)
	b = appendUUID(append(b, `,"uuid":`...), r.UUID)
	b = appendInt(append(b, `,"timestamp":`...), r.Timestamp)
	b = appendInt(append(b, `,"object_id":`...), r.About.ID)
	b = appendInt(append(b, `,"event_id":`...), r.Event)
	b = appendUUID(append(b, `,"source_uuid":`...), r.About.UUID)
	b = appendUUID(append(b, `,"referenced_uuid":`...), r.To.UUID)
	b = appendInt(append(b, `,"referenced_id":`...), r.To.ID)
	kind := int64(0) // an attribute
	if r.To.Kind == tocsin.KindObject {
		kind = 1
	}
	b = appendInt(append(b, `,"referenced_type":`...), kind)
	b = appendText(append(b, `,"relationship_type":`...), r.Relation)
	b = appendText(append(b, `,"comment":`...), r.Comment)
	return append(appendBool(append(b, `,"deleted":`...), r.Deleted), '}')
}

// AppendSighting appends a sighting as it stands in its attribute, with whose it is
// unless that is not told.
func (c *Encoder) AppendSighting(b []byte, s *tocsin.Sighting) []byte {
	b = appendInt(append(b, `{"id":`...), s.ID)
	b = appendInt(append(b, `,"attribute_id":`...), s.About.ID)
	b = appendInt(append(b, `,"event_id":`...), s.Event)
	b = appendInt(append(b, `,"org_id":`...), s.Orgc)
	b = appendInt(append(b, `,"date_sighting":`...), s.At)
	b = appendUUID(append(b, `,"uuid":`...), s.UUID)
	b = appendText(append(b, `,"source":`...), s.Source)
	b = appendInt(append(b, `,"type":`...), int64(s.Type))
	b = appendUUID(append(b, `,"attribute_uuid":`...), s.About.UUID)
	if s.Orgc != 0 {
		b = c.AppendOrg(append(b, `,"Organisation":`...), s.Orgc)
	}
	return append(b, '}')
}

// AppendProposal appends a proposal as it stands in its event, or in its attribute.
func (c *Encoder) AppendProposal(b []byte, p *tocsin.Proposal, event tocsin.UUID) []byte {
	b = appendInt(append(b, `{"id":`...), p.ID)
	b = appendText(append(b, `,"type":`...), p.Type)
	b = appendText(append(b, `,"category":`...), p.Category)
	b = appendBool(append(b, `,"to_ids":`...), p.ToIDS)
	b = appendUUID(append(b, `,"uuid":`...), p.Attribute)
	b = appendUUID(append(b, `,"event_uuid":`...), event)
	b = appendInt(append(b, `,"event_id":`...), p.Event)
	old := int64(0)
	if p.About.Kind == tocsin.KindAttribute {
		old = p.About.ID
	}
	b = appendInt(append(b, `,"old_id":`...), old)
	b = appendText(append(b, `,"comment":`...), p.Comment)
	b = appendInt(append(b, `,"org_id":`...), p.Orgc)
	b = appendBool(append(b, `,"proposal_to_delete":`...), p.Delete)
	b = appendInt(append(b, `,"timestamp":`...), p.Timestamp)
	b = appendSeen(append(b, `,"first_seen":`...), p.FirstSeen)
	b = appendSeen(append(b, `,"last_seen":`...), p.LastSeen)
	b = appendText(append(b, `,"value":`...), p.Value)
	return append(c.appendLocalOrg(append(b, `,"Org":`...), p.Orgc), '}')
}

// AppendReport appends a report as it stands in its event, with what analysts say of it.
func (c *Encoder) AppendReport(b []byte, r *tocsin.Report, on ...Above) []byte {
	b = appendInt(append(b, `{"id":`...), r.ID)
	b = appendUUID(append(b, `,"uuid":`...), r.UUID)
	b = appendInt(append(b, `,"event_id":`...), r.Event)
	b = appendText(append(b, `,"name":`...), r.Name)
	b = appendText(append(b, `,"content":`...), r.Content)
	b = appendInt(append(b, `,"distribution":`...), int64(r.Distribution))
	b = appendInt(append(b, `,"sharing_group_id":`...), r.Group)
	b = appendInt(append(b, `,"timestamp":`...), r.Timestamp)
	b = appendBool(append(b, `,"deleted":`...), r.Deleted)
	return append(c.AppendRemarks(b, on), '}')
}

// AppendNote appends an analyst's note.
func (c *Encoder) AppendNote(b []byte, n *tocsin.Note) []byte {
	b = c.appendAnalyst(b, &n.Head, n.Authors, n.Created, n.Locked)
	b = appendText(append(b, `,"note":`...), n.Note)
	b = appendText(append(b, `,"language":`...), n.Language)
	return c.appendAuthors(append(b, `,"note_type":0,"note_type_name":"Note"`...), &n.Head)
}

// AppendOpinion appends an analyst's opinion.
func (c *Encoder) AppendOpinion(b []byte, o *tocsin.Opinion) []byte {
	b = c.appendAnalyst(b, &o.Head, o.Authors, o.Created, o.Locked)
	b = appendInt(append(b, `,"opinion":`...), int64(o.Opinion))
	b = appendText(append(b, `,"comment":`...), o.Comment)
	return c.appendAuthors(append(b, `,"note_type":1,"note_type_name":"Opinion"`...), &o.Head)
}

// AppendRelationship appends an analyst's relationship.
func (c *Encoder) AppendRelationship(b []byte, r *tocsin.Relationship) []byte {
	b = c.appendAnalyst(b, &r.Head, r.Authors, r.Created, r.Locked)
	b = appendText(append(b, `,"relationship_type":`...), r.Relation)
	b = appendUUID(append(b, `,"related_object_uuid":`...), r.Other.UUID)
	b = appendText(append(b, `,"related_object_type":`...), ObjectType(r.Other.Kind))
	return c.appendAuthors(append(b, `,"note_type":2,"note_type_name":"Relationship"`...), &r.Head)
}

func (c *Encoder) appendAnalyst(b []byte, h *tocsin.Head, authors string, created int64, locked bool) []byte {
	b = appendInt(append(b, `{"id":`...), h.ID)
	b = appendUUID(append(b, `,"uuid":`...), h.UUID)
	b = appendUUID(append(b, `,"object_uuid":`...), h.About.UUID)
	b = appendText(append(b, `,"object_type":`...), ObjectType(h.About.Kind))
	b = appendText(append(b, `,"authors":`...), authors)
	b = c.appendOrgUUID(append(b, `,"org_uuid":`...), h.Org)
	b = c.appendOrgUUID(append(b, `,"orgc_uuid":`...), h.Orgc)
	b = appendTime(append(b, `,"created":`...), created)
	b = appendTime(append(b, `,"modified":`...), h.Timestamp)
	b = appendInt(append(b, `,"distribution":`...), int64(h.Distribution))
	b = append(b, `,"sharing_group_id":`...)
	if h.Distribution == access.Group {
		b = appendInt(b, h.Group)
	} else {
		b = append(b, `null`...)
	}
	return appendBool(append(b, `,"locked":`...), locked)
}

// appendAuthors appends whose a remark is, and whether the reader may change it.
func (c *Encoder) appendAuthors(b []byte, h *tocsin.Head) []byte {
	b = c.AppendWholeOrg(append(b, `,"Orgc":`...), h.Orgc)
	b = c.AppendWholeOrg(append(b, `,"Org":`...), h.Org)
	if c.MayEdit != nil {
		b = appendBool(append(b, `,"_canEdit":`...), c.MayEdit(h))
	}
	return append(b, '}')
}

// AppendWholeOrg appends an organisation as MISP's database has it.
func (c *Encoder) AppendWholeOrg(b []byte, id int64) []byte {
	o := c.Names.Organisation(id)
	if o == nil {
		o = &tocsin.Organisation{ID: id}
	}
	b = appendInt(append(b, `{"id":`...), o.ID)
	b = appendText(append(b, `,"name":`...), o.Name)
	at := max(o.Created.Unix(), 0)
	b = appendTime(append(b, `,"date_created":`...), at)
	b = appendTime(append(b, `,"date_modified":`...), at)
	b = appendText(append(b, `,"description":`...), o.Description)
	b = appendText(append(b, `,"type":`...), o.Type)
	b = appendText(append(b, `,"nationality":`...), o.Nationality)
	b = appendText(append(b, `,"sector":`...), o.Sector)
	b = appendUUID(append(b, `,"created_by":0,"uuid":`...), o.UUID)
	b = append(b, `,"contacts":`...)
	if o.Contacts != "" {
		b = appendText(b, o.Contacts)
	} else {
		b = append(b, `null`...)
	}
	b = appendBool(append(b, `,"local":`...), o.Local)
	return append(b, `,"restricted_to_domain":null,"landingpage":null}`...)
}

func (c *Encoder) appendOrgUUID(b []byte, id int64) []byte {
	if o := c.Names.Organisation(id); o != nil {
		return appendUUID(b, o.UUID)
	}
	return append(b, `null`...)
}

// objectTypes are MISP's names of what analysts write about.
var objectTypes = map[tocsin.Kind]string{
	tocsin.KindEvent: "Event", tocsin.KindAttribute: "Attribute", tocsin.KindObject: "Object", tocsin.KindReport: "EventReport",
	tocsin.KindNote: "Note", tocsin.KindOpinion: "Opinion", tocsin.KindRelationship: "Relationship", tocsin.KindCluster: "GalaxyCluster",
}

// ObjectType is MISP's name of a kind that analysts write about, "" for others.
func ObjectType(k tocsin.Kind) string { return objectTypes[k] }

// KindOf is the kind that MISP calls that, 0 if analysts can't write about it.
func KindOf(objectType string) tocsin.Kind {
	for k, name := range objectTypes {
		if name == objectType {
			return k
		}
	}
	return 0
}

// Words returns a sighting that a text has, about the attribute that it names.
func (s *Sighting) Words() *tocsin.Sighting {
	return &tocsin.Sighting{
		Head: tocsin.Head{UUID: s.UUID.Or(tocsin.UUID{}), About: tocsin.Link{Kind: tocsin.KindAttribute, UUID: s.Attribute.Or(tocsin.UUID{})}},
		Type: tocsin.SightingType(min(max(s.Type.Or(0), 0), 255)), At: s.At.Or(0), Source: s.Source.Or(""),
	}
}

// Words returns a report that a text has, about an event.
func (r *Report) Words(event int64) *tocsin.Report {
	return &tocsin.Report{
		Head: tocsin.Head{UUID: r.UUID.Or(tocsin.UUID{}), About: tocsin.Link{Kind: tocsin.KindEvent, ID: event}, Timestamp: r.Timestamp.Or(0),
			Distribution: level(r.Distribution, access.Inherit), Group: r.Group.Or(0), Deleted: r.Deleted.Or(false)},
		Name: r.Name.Or(""), Content: r.Content.Or(""),
	}
}

// Words returns a reference that a text has, from an object. Whether it leads to an
// attribute or to an object the text does not say: the store looks.
func (f *Reference) Words(object tocsin.UUID) *tocsin.Reference {
	return &tocsin.Reference{
		Head: tocsin.Head{UUID: f.UUID.Or(tocsin.UUID{}), About: tocsin.Link{Kind: tocsin.KindObject, UUID: f.Object.Or(object)},
			To: tocsin.Link{UUID: f.Referenced.Or(tocsin.UUID{})}, Timestamp: f.Timestamp.Or(0), Deleted: f.Deleted.Or(false)},
		Relation: f.Relation.Or(""), Comment: f.Comment.Or(""),
	}
}

// Words returns a proposal that a text has: to add to an event, or about one of its
// attributes.
func (p *Proposal) Words(about tocsin.Link) *tocsin.Proposal {
	return &tocsin.Proposal{
		Head:   tocsin.Head{About: about, Timestamp: p.Timestamp.Or(0), Deleted: p.Deleted.Or(false)},
		Delete: p.Delete.Or(false), Attribute: p.UUID.Or(tocsin.UUID{}), Type: p.Type.Or(""), Category: p.Category.Or(""), Value: p.Value.Or(""),
		Comment: p.Comment.Or(""), ToIDS: p.ToIDS.Or(false), FirstSeen: p.FirstSeen.Or(time.Time{}), LastSeen: p.LastSeen.Or(time.Time{}),
	}
}
