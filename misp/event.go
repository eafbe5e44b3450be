package misp

import (
	"time"

	"tocsin"
	"tocsin/access"
)

// Beside is what an event has beside its attributes and objects. The lists are
// JSON already; nil is an empty one.
type Beside struct {
	Related   []*tocsin.Event // RelatedEvent: those that the reader may see
	NoRelated bool            // includeEventCorrelations:0
	Inbound   bool            // RelationshipInbound in each related event, as events/view has it
	Metadata  bool            // head and tags only, no lists of parts
	Extending []*tocsin.Event // extensionEvents: what extends it and stands in it
	Galaxies  []byte
	Proposals []byte // ShadowAttribute
	Reports   []byte // EventReport
	Remarks   []Above
}

// AppendEvent appends {"Event": {…}} with its attributes and objects. An
// attribute of an object that is not in objects is left out with it.
func (c *Encoder) AppendEvent(b []byte, e *tocsin.Event, attributes []tocsin.Attribute, objects []tocsin.Object, x Beside) []byte {
	s := c.Event(e, x)
	b = s.Head(b)
	parts := map[int64][]*tocsin.Attribute{}
	for i := range attributes {
		if a := &attributes[i]; a.Object != 0 {
			parts[a.Object] = append(parts[a.Object], a)
		} else {
			b = s.Attribute(b, a, More{})
		}
	}
	for i := range objects {
		b = s.Object(b, &objects[i], nil)
		for _, a := range parts[objects[i].ID] {
			b = s.Attribute(b, a, More{})
		}
	}
	return s.Tail(b)
}

// A Stream appends one event piece by piece, so that an event of any size is
// written in constant memory: b may be sent and emptied between any two calls.
//
//	s := encoder.Event(event, Beside{})
//	b = s.Head(b)
//	b = s.Attribute(b, a, More{}) // for each outside objects
//	b = s.Object(b, o, nil)       // for each object,
//	b = s.Attribute(b, a, More{}) // and for each attribute in it
//	b = s.Tail(b)
type Stream struct {
	c      *Encoder
	e      *tocsin.Event
	x      Beside
	object bool // one is open
	inList bool // something is in the innermost list
}

// Event begins an event.
func (c *Encoder) Event(e *tocsin.Event, x Beside) *Stream { return &Stream{c: c, e: e, x: x} }

// Head appends what comes before the attributes.
func (s *Stream) Head(b []byte) []byte {
	c, e := s.c, s.e
	b = c.appendEvent(append(b, `{"Event":`...), e)
	// As MISP, the address of whoever entered the event is for the creator's colleagues.
	if c.Viewer.SeesAll() || c.Viewer.Org() != 0 && c.Viewer.Org() == e.Orgc {
		if email := c.Names.Email(e.User); email != "" {
			b = appendText(append(b, `,"event_creator_email":`...), email)
		}
	}
	b = c.appendExtending(b, s.x.Extending)
	b = c.appendLocalOrg(append(b, `,"Org":`...), e.Org)
	b = c.appendLocalOrg(append(b, `,"Orgc":`...), e.Orgc)
	b = c.appendOwnGroup(b, e.Distribution, e.Group)
	if !s.x.Metadata {
		b = append(b, `,"Attribute":[`...)
	}
	return b
}

// appendExtending appends which events extend one, by their numbers.
func (c *Encoder) appendExtending(b []byte, events []*tocsin.Event) []byte {
	if len(events) == 0 {
		return b
	}
	b = append(b, `,"extensionEvents":{`...)
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendInt(append(b, '"'), e.ID), `":{"id":`...)
		b = appendInt(b, e.ID)
		b = appendText(append(b, `,"info":`...), e.Info)
		b = appendInt(append(b, `,"orgc_id":`...), e.Orgc)
		b = appendInt(append(b, `,"user_id":`...), e.User)
		b = append(c.AppendOrg(append(b, `,"Orgc":`...), e.Orgc), '}')
	}
	return append(b, '}')
}

func (s *Stream) comma(b []byte) []byte {
	if s.inList {
		b = append(b, ',')
	}
	s.inList = true
	return b
}

// Attribute appends an attribute: of the object that was appended last, or of the event.
func (s *Stream) Attribute(b []byte, a *tocsin.Attribute, m More) []byte {
	return s.c.AppendAttribute(s.comma(b), a, InEvent, m)
}

// Object appends an object, without its attributes, which follow. Its
// references are a JSON list; nil is an empty one.
func (s *Stream) Object(b []byte, o *tocsin.Object, references []byte, on ...Above) []byte {
	if s.object {
		b = append(b, `]},`...)
	} else {
		b = append(b, `],"Object":[`...)
	}
	s.object, s.inList = true, false
	b = s.c.appendOwnGroup(appendObject(b, o), o.Distribution, o.Group)
	b = s.c.AppendRemarks(appendList(b, `,"ObjectReference":`, list(references)), on)
	return append(b, `,"Attribute":[`...)
}

// Tail appends what comes after the attributes and objects.
func (s *Stream) Tail(b []byte) []byte {
	switch {
	case s.x.Metadata:
	case s.object:
		b = append(b, `]}]`...)
	default:
		b = append(b, `],"Object":[]`...)
	}
	if !s.x.Metadata {
		b = appendList(b, `,"ShadowAttribute":`, list(s.x.Proposals))
		b = appendList(b, `,"EventReport":`, list(s.x.Reports))
	}
	if !s.x.NoRelated {
		b = s.appendRelated(append(b, `,"RelatedEvent":`...))
	}
	b = appendList(b, `,"Galaxy":`, list(s.x.Galaxies))
	b = s.c.AppendRemarks(append(b, `,"CryptographicKey":[]`...), s.x.Remarks)
	b = s.c.appendTags(b, "Tag", s.e.Tags, "", s.c.appendFullTag)
	return append(b, `}}`...)
}

func (s *Stream) appendRelated(b []byte) []byte {
	b = append(b, '[')
	for i, e := range s.x.Related {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInt(append(b, `{"Event":{"id":`...), e.ID)
		b = appendText(append(b, `,"date":`...), e.Date)
		b = appendInt(append(b, `,"threat_level_id":`...), int64(e.Threat))
		b = appendText(append(b, `,"info":`...), e.Info)
		b = appendBool(append(b, `,"published":`...), e.Published)
		b = appendUUID(append(b, `,"uuid":`...), e.UUID)
		b = appendInt(append(b, `,"analysis":`...), int64(e.Analysis))
		b = appendInt(append(b, `,"timestamp":`...), e.Timestamp)
		b = appendInt(append(b, `,"distribution":`...), int64(e.Distribution))
		b = s.c.appendOrgs(b, e, (*Encoder).AppendOrg)
		b = append(b, '}')
		if s.x.Inbound {
			b = append(b, `,"RelationshipInbound":[]`...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendOrgs appends owner and creator, by number and in full.
func (c *Encoder) appendOrgs(b []byte, e *tocsin.Event, org func(*Encoder, []byte, int64) []byte) []byte {
	b = appendInt(append(b, `,"org_id":`...), e.Org)
	b = appendInt(append(b, `,"orgc_id":`...), e.Orgc)
	b = org(c, append(b, `,"Org":`...), e.Org)
	return org(c, append(b, `,"Orgc":`...), e.Orgc)
}

// AppendIndexRow appends an event as the index of events answers it. sighted is
// when one of its attributes was last seen, 0 if never.
func (c *Encoder) AppendIndexRow(b []byte, e *tocsin.Event, sighted int64) []byte {
	b = appendInt(append(c.appendEvent(b, e), `,"sighting_timestamp":`...), sighted)
	b = c.AppendOrg(append(b, `,"Org":`...), e.Org)
	b = c.AppendOrg(append(b, `,"Orgc":`...), e.Orgc)
	if g := c.group(e.Distribution, e.Group); g != nil {
		b = appendInt(append(b, `,"SharingGroup":{"id":`...), g.ID)
		b = appendText(append(b, `,"name":`...), g.Name)
		b = appendUUID(append(b, `,"uuid":`...), g.UUID)
		b = append(b, '}')
	}
	b = append(b, `,"EventTag":[`...)
	b = c.appendJoined(b, "event_id", e.ID, e.Tags, `""`)
	return append(b, `]}`...)
}

// AppendMinimalRow appends an event as the index answers it to a peer that asks
// for "minimal": what it needs to find out what it lacks.
func (c *Encoder) AppendMinimalRow(b []byte, e *tocsin.Event, sighted int64) []byte {
	b = appendInt(append(b, `{"id":`...), e.ID)
	b = appendInt(append(b, `,"timestamp":`...), e.Timestamp)
	b = appendInt(append(b, `,"sighting_timestamp":`...), sighted)
	b = appendBool(append(b, `,"published":`...), e.Published)
	b = appendUUID(append(b, `,"uuid":`...), e.UUID)
	var orgc tocsin.UUID
	if o := c.Names.Organisation(e.Orgc); o != nil {
		orgc = o.UUID
	}
	b = appendUUID(append(b, `,"orgc_uuid":`...), orgc)
	return append(b, '}')
}

// appendEvent appends the words of e that view and index have, without the end.
// What MISP has and we have not is as it is on a fresh MISP.
func (c *Encoder) appendEvent(b []byte, e *tocsin.Event) []byte {
	b = appendInt(append(b, `{"id":`...), e.ID)
	b = appendInt(append(b, `,"orgc_id":`...), e.Orgc)
	b = appendInt(append(b, `,"org_id":`...), e.Org)
	b = appendText(append(b, `,"date":`...), e.Date)
	b = appendInt(append(b, `,"threat_level_id":`...), int64(e.Threat))
	b = appendText(append(b, `,"info":`...), e.Info)
	b = appendBool(append(b, `,"published":`...), e.Published)
	b = appendUUID(append(b, `,"uuid":`...), e.UUID)
	b = appendInt(append(b, `,"attribute_count":`...), int64(e.Attributes))
	b = appendInt(append(b, `,"analysis":`...), int64(e.Analysis))
	b = appendInt(append(b, `,"timestamp":`...), e.Timestamp)
	b = appendInt(append(b, `,"distribution":`...), int64(e.Distribution))
	b = appendBool(append(b, `,"locked":`...), e.Locked)
	b = appendInt(append(b, `,"publish_timestamp":`...), e.PublishedAt)
	b = appendInt(append(b, `,"sharing_group_id":`...), e.Group)
	b = appendBool(append(b, `,"disable_correlation":`...), e.NoCorrelate)
	b = appendUUID(append(b, `,"extends_uuid":`...), e.Extends)
	b = appendBool(append(b, `,"proposal_email_lock":`...), c.MailLocked[e.ID])
	return append(b, `,"protected":null`...)
}

// group is the sharing group of a record, if there is one and the reader is in
// it: as MISP, its members are nobody else's business, not even its maker's.
func (c *Encoder) group(d access.Distribution, id int64) *tocsin.Group {
	if d != access.Group || !c.Viewer.SeesAll() && !c.Viewer.MemberOf(id) {
		return nil
	}
	return c.Names.Group(id)
}

func (c *Encoder) appendOwnGroup(b []byte, d access.Distribution, id int64) []byte {
	if g := c.group(d, id); g != nil {
		b = c.AppendGroup(append(b, `,"SharingGroup":`...), g)
	}
	return b
}

// AppendGroup appends a sharing group as it stands in a record, its members in it.
func (c *Encoder) AppendGroup(b []byte, g *tocsin.Group) []byte {
	b = c.appendMembers(c.appendGroup(b, g), g)
	return append(b, '}')
}

// AppendGroupAnswer appends a sharing group as sharing_groups/edit answers it,
// its members beside it.
func (c *Encoder) AppendGroupAnswer(b []byte, g *tocsin.Group) []byte {
	b = c.appendGroup(append(b, `{"SharingGroup":`...), g)
	b = c.appendMembers(append(b, '}'), g)
	return append(b, '}')
}

func (c *Encoder) appendGroup(b []byte, g *tocsin.Group) []byte {
	b = appendInt(append(b, `{"id":`...), g.ID)
	b = appendUUID(append(b, `,"uuid":`...), g.UUID)
	b = appendText(append(b, `,"name":`...), g.Name)
	b = appendText(append(b, `,"releasability":`...), g.Releasability)
	b = appendText(append(b, `,"description":`...), g.Description)
	b = appendInt(append(b, `,"org_id":`...), g.Org)
	var maker tocsin.UUID
	if o := c.Names.Organisation(g.Org); o != nil {
		maker = o.UUID
	}
	b = appendUUID(append(b, `,"organisation_uuid":`...), maker)
	b = appendTime(append(b, `,"created":`...), g.Created)
	b = appendTime(append(b, `,"modified":`...), g.Modified)
	b = appendInt(append(b, `,"sync_user_id":`...), g.User)
	b = appendBool(append(b, `,"active":`...), !g.Inactive)
	return appendBool(append(b, `,"local":false,"roaming":`...), g.Roaming)
}

// appendMembers appends a group's maker and members. Ours have no numbers of
// their own: their place will do.
func (c *Encoder) appendMembers(b []byte, g *tocsin.Group) []byte {
	b = c.AppendOrg(append(b, `,"Organisation":`...), g.Org)
	b = append(b, `,"SharingGroupOrg":[`...)
	for i, m := range g.Named() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendInt(append(b, `{"id":`...), int64(i+1))
		b = appendInt(append(b, `,"sharing_group_id":`...), g.ID)
		b = appendInt(append(b, `,"org_id":`...), m.Org)
		b = appendBool(append(b, `,"extend":`...), m.Extend)
		b = c.AppendOrg(append(b, `,"Organisation":`...), m.Org)
		b = append(b, '}')
	}
	return append(b, `],"SharingGroupServer":[]`...)
}

// appendTime appends seconds since 1970 as MISP's database writes a time.
func appendTime(b []byte, seconds int64) []byte {
	b = time.Unix(seconds, 0).UTC().AppendFormat(append(b, '"'), time.DateTime)
	return append(b, '"')
}
