package misp

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
)

// Names says what the ids in a record stand for. It answers nil, or "", for
// what it does not know.
type Names interface {
	Organisation(id int64) *tocsin.Organisation
	Tag(id int64) *tocsin.Tag
	Group(id int64) *tocsin.Group
	Email(user int64) string
}

// An Encoder appends records as MISP 2.5 answers them: which members there are
// and of what type, as recorded; their order is ours. It is for one reader, and
// writes what it is given: whoever calls it has asked the store as that reader.
//
// The zero Viewer, Own and All leave out more than they should rather than less.
type Encoder struct {
	Names  Names
	Viewer access.Viewer // who reads
	Own    bool          // also local tags, which do not leave this instance
	All    bool          // also tags that are not exportable (includeAllTags)
	// MailLocked is of events whether their owner is written no further mail about
	// proposals; nil is of none.
	MailLocked map[int64]bool
	// MayEdit tells whether the reader may change an analyst's remark; nil does not say.
	MayEdit func(*tocsin.Head) bool
}

// More is what a client may ask for beside an attribute. The lists are JSON
// already; one that is nil was not asked for, and is [] where MISP always has it.
type More struct {
	Data      []byte        // an attachment, written as base64
	EventUUID tocsin.UUID   // includeEventUuid
	Inherited tocsin.TagSet // includeEventTags
	Galaxies  []byte
	Proposals []byte // ShadowAttribute
	Sightings []byte
	Related   []byte // RelatedAttribute
	Decay     []byte // decay_score
	Warnings  []byte
	Remarks   []Above // of analysts: includeAnalystData
}

// A Form is which members an attribute has beside its own words.
type Form uint8

const (
	Bare     Form = iota // attributes/edit, attributes/view
	Split                // attributes/add and attributes/index: value1 and value2
	Several              // attributes/add of a list: as Split, with tags
	InEvent              // in an event: Galaxy, ShadowAttribute, tags in full
	InObject             // in an object by itself: value1, value2, AttributeTag
	// FoundInObject is as InObject, with the tags where PyMISP looks for them.
	FoundInObject
)

// AppendAttribute appends an attribute in one of its forms, unwrapped.
func (c *Encoder) AppendAttribute(b []byte, a *tocsin.Attribute, f Form, m More) []byte {
	b = appendAttribute(b, a)
	switch f {
	case Split, Several, InObject, FoundInObject:
		v1, v2 := a.Value.Parts()
		b = appendText(append(b, `,"value1":`...), v1)
		b = appendText(append(b, `,"value2":`...), v2)
	case InEvent:
		m.Galaxies, m.Proposals = list(m.Galaxies), list(m.Proposals)
		b = c.appendOwnGroup(b, a.Distribution, a.Group)
	}
	b = c.AppendRemarks(appendMore(b, &m), m.Remarks)
	switch f {
	case Bare, Several:
		b = c.appendTags(b, "Tag", a.Tags, "", c.appendShortTag)
	case InEvent:
		b = c.appendTags(b, "Tag", a.Tags, "", c.appendFullTag)
	case InObject, FoundInObject:
		b = append(b, `,"AttributeTag":[`...)
		b = c.appendJoined(b, "attribute_id", a.ID, a.Tags, `null`)
		b = append(b, ']')
		if f == FoundInObject {
			b = c.appendTags(b, "Tag", a.Tags, "", c.appendShortTag)
		}
	}
	return append(b, '}')
}

// AppendFound appends an attribute as attributes/restSearch answers it, with
// the event that it is in and, if any, the object.
func (c *Encoder) AppendFound(b []byte, a *tocsin.Attribute, e *tocsin.Event, o *tocsin.Object, m More) []byte {
	b = appendMore(appendAttribute(b, a), &m)
	b = appendInt(append(b, `,"Event":{"id":`...), e.ID)
	b = appendUUID(append(b, `,"uuid":`...), e.UUID)
	b = appendText(append(b, `,"info":`...), e.Info)
	b = appendInt(append(b, `,"distribution":`...), int64(e.Distribution))
	b = appendInt(append(b, `,"publish_timestamp":`...), e.PublishedAt)
	b = appendInt(append(b, `,"org_id":`...), e.Org)
	b = appendInt(append(b, `,"orgc_id":`...), e.Orgc)
	b = append(b, '}')
	if o != nil {
		b = appendInt(append(b, `,"Object":{"id":`...), o.ID)
		b = appendInt(append(b, `,"distribution":`...), int64(o.Distribution))
		b = appendInt(append(b, `,"sharing_group_id":`...), o.Group)
		b = append(b, '}')
	}
	b = c.appendTags(b, "Tag", a.Tags, m.Inherited, c.appendShortTag)
	return append(b, '}')
}

// AppendRelated appends an attribute as it stands in the RelatedAttribute of
// another, with the event that it is in.
func (c *Encoder) AppendRelated(b []byte, a *tocsin.Attribute, e *tocsin.Event) []byte {
	b = appendClaim(b, a)
	return append(c.AppendRelatedEvent(append(b, `,"Event":`...), e), '}')
}

// AppendRelatedEvent appends an event as it stands in an attribute that correlates.
func (c *Encoder) AppendRelatedEvent(b []byte, e *tocsin.Event) []byte {
	b = appendInt(append(b, `{"id":`...), e.ID)
	b = appendUUID(append(b, `,"uuid":`...), e.UUID)
	b = appendInt(append(b, `,"threat_level_id":`...), int64(e.Threat))
	b = appendInt(append(b, `,"analysis":`...), int64(e.Analysis))
	b = appendText(append(b, `,"info":`...), e.Info)
	b = appendUUID(append(b, `,"extends_uuid":`...), e.Extends)
	b = appendInt(append(b, `,"distribution":`...), int64(e.Distribution))
	b = appendInt(append(b, `,"sharing_group_id":`...), e.Group)
	b = appendBool(append(b, `,"published":`...), e.Published)
	b = appendText(append(b, `,"date":`...), e.Date)
	b = appendInt(append(b, `,"orgc_id":`...), e.Orgc)
	b = appendInt(append(b, `,"org_id":`...), e.Org)
	return append(b, '}')
}

// appendAttribute appends the words of a that every form has, without the end.
func appendAttribute(b []byte, a *tocsin.Attribute) []byte {
	b = appendClaim(b, a)
	b = appendBool(append(b, `,"deleted":`...), a.Deleted)
	b = appendBool(append(b, `,"disable_correlation":`...), a.NoCorrelate)
	b = appendSeen(append(b, `,"first_seen":`...), a.FirstSeen)
	return appendSeen(append(b, `,"last_seen":`...), a.LastSeen)
}

func appendClaim(b []byte, a *tocsin.Attribute) []byte {
	b = appendInt(append(b, `{"id":`...), a.ID)
	b = appendInt(append(b, `,"event_id":`...), a.Event)
	b = appendInt(append(b, `,"object_id":`...), a.Object)
	b = append(b, `,"object_relation":`...)
	if a.Relation == "" {
		b = append(b, `null`...)
	} else {
		b = appendText(b, a.Relation)
	}
	b = appendText(append(b, `,"category":`...), a.Category.String())
	b = appendText(append(b, `,"type":`...), a.Value.TypeName())
	b = appendBool(append(b, `,"to_ids":`...), a.ToIDS)
	b = appendUUID(append(b, `,"uuid":`...), a.UUID)
	b = appendInt(append(b, `,"timestamp":`...), a.Timestamp)
	b = appendInt(append(b, `,"distribution":`...), int64(a.Distribution))
	b = appendInt(append(b, `,"sharing_group_id":`...), a.Group)
	b = appendText(append(b, `,"comment":`...), a.Comment)
	return appendText(append(b, `,"value":`...), a.Value.String())
}

func appendMore(b []byte, m *More) []byte {
	if !m.EventUUID.IsZero() {
		b = appendUUID(append(b, `,"event_uuid":`...), m.EventUUID)
	}
	if m.Data != nil {
		b = append(b, `,"data":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, m.Data), '"')
	}
	b = appendList(b, `,"Galaxy":`, m.Galaxies)
	b = appendList(b, `,"ShadowAttribute":`, m.Proposals)
	b = appendList(b, `,"Sighting":`, m.Sightings)
	b = appendList(b, `,"RelatedAttribute":`, m.Related)
	b = appendList(b, `,"decay_score":`, m.Decay)
	return appendList(b, `,"warnings":`, m.Warnings)
}

// appendList appends a member that is JSON already, if it was asked for.
func appendList(b []byte, name string, json []byte) []byte {
	if json == nil {
		return b
	}
	return append(append(b, name...), json...)
}

var noList = []byte(`[]`)

// list is the list, or an empty one.
func list(json []byte) []byte {
	if json == nil {
		return noList
	}
	return json
}

// AppendAttributeTags appends the rows that join an attribute's tags to it, as
// attributes/search answers them.
func (c *Encoder) AppendAttributeTags(b []byte, a *tocsin.Attribute) []byte {
	first := true
	for at := range a.Tags.All() {
		t, ok := c.leaves(at)
		if !ok {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendInt(append(b, `{"id":`...), t.ID)
		b = appendInt(append(b, `,"attribute_id":`...), a.ID)
		b = appendInt(append(b, `,"event_id":`...), a.Event)
		b = appendInt(append(b, `,"tag_id":`...), t.ID)
		b = appendBool(append(b, `,"local":`...), at.Local)
		b = appendBriefTag(append(b, `,"relationship_type":"","Tag":`...), t)
		b = append(appendNumeric(b, t), `,"is_galaxy":`...)
		b = appendBool(b, isGalaxy(t.Name))
		b = append(appendBool(append(b, `,"local":`...), at.Local), `}}`...)
	}
	return b
}

// AppendTag appends a tag as tags/add and tags/view answer it, unwrapped.
func (c *Encoder) AppendTag(b []byte, t *tocsin.Tag) []byte {
	b = appendTag(b, t)
	b = appendInt(append(b, `,"org_id":`...), t.Org)
	return append(b, '}')
}

// leaves reports whether a tag as it is attached may be shown to this reader.
func (c *Encoder) leaves(at tocsin.Attached) (*tocsin.Tag, bool) {
	t := c.Names.Tag(at.Tag)
	return t, t != nil && (c.Own || !at.Local) && (c.All || t.Exportable)
}

// appendTags appends the member called name with own and inherited tags, unless there are none.
func (c *Encoder) appendTags(b []byte, name string, own, inherited tocsin.TagSet, each func([]byte, *tocsin.Tag, bool) []byte) []byte {
	if own == "" && inherited == "" {
		return b
	}
	start := len(b)
	b = append(append(append(b, `,"`...), name...), `":[`...)
	first := len(b)
	for at := range own.All() {
		if t, ok := c.leaves(at); ok {
			b = append(each(b, t, at.Local), ',')
		}
	}
	for at := range inherited.All() {
		if t, ok := c.leaves(at); ok && !own.Has(at.Tag) {
			b = append(appendNumeric(appendBriefTag(b, t), t), `,"inherited":1},`...)
		}
	}
	if len(b) == first {
		return b[:start]
	}
	b[len(b)-1] = ']'
	return b
}

func (c *Encoder) appendFullTag(b []byte, t *tocsin.Tag, local bool) []byte {
	b = appendTag(b, t)
	b = appendBool(append(b, `,"local":`...), local)
	return append(b, `,"relationship_type":null}`...)
}

func (c *Encoder) appendShortTag(b []byte, t *tocsin.Tag, local bool) []byte {
	b = append(appendNumeric(appendBriefTag(b, t), t), `,"is_galaxy":`...)
	b = appendBool(b, isGalaxy(t.Name))
	b = appendBool(append(b, `,"local":`...), local)
	return append(b, '}')
}

// appendJoined appends the rows that join tags to a record, as MISP keeps them. Ours have
// no numbers of their own: a tag is on a record once, so its number will do.
func (c *Encoder) appendJoined(b []byte, key string, record int64, tags tocsin.TagSet, relationship string) []byte {
	first := true
	for at := range tags.All() {
		t, ok := c.leaves(at)
		if !ok {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendInt(append(b, `{"id":`...), t.ID)
		b = appendInt(append(append(append(b, `,"`...), key...), `":`...), record)
		b = appendInt(append(b, `,"tag_id":`...), t.ID)
		b = appendBool(append(b, `,"local":`...), at.Local)
		b = append(append(b, `,"relationship_type":`...), relationship...)
		b = appendBriefTag(append(b, `,"Tag":`...), t)
		b = appendBool(append(b, `,"is_galaxy":`...), isGalaxy(t.Name))
		b = append(b, `}}`...)
	}
	return b
}

func appendBriefTag(b []byte, t *tocsin.Tag) []byte {
	b = appendInt(append(b, `{"id":`...), t.ID)
	b = appendText(append(b, `,"name":`...), t.Name)
	return appendText(append(b, `,"colour":`...), t.Colour)
}

func appendTag(b []byte, t *tocsin.Tag) []byte {
	b = appendBriefTag(b, t)
	b = appendBool(append(b, `,"exportable":`...), t.Exportable)
	b = appendInt(append(b, `,"user_id":`...), t.User)
	b = appendBool(append(b, `,"hide_tag":`...), t.Hidden)
	b = append(appendNumeric(b, t), `,"is_galaxy":`...)
	b = appendBool(b, isGalaxy(t.Name))
	b = appendBool(append(b, `,"is_custom_galaxy":`...), isCustomGalaxy(t.Name))
	return appendBool(append(b, `,"local_only":`...), t.LocalOnly)
}

func appendNumeric(b []byte, t *tocsin.Tag) []byte {
	b = append(b, `,"numerical_value":`...)
	if t.Numeric == nil {
		return append(b, `null`...)
	}
	return appendInt(b, *t.Numeric)
}

// isGalaxy reports whether a tag stands for a cluster of a galaxy.
func isGalaxy(tag string) bool {
	rest, ok := strings.CutPrefix(tag, "misp-galaxy:")
	return ok && strings.Contains(rest, `="`)
}

// isCustomGalaxy reports whether the cluster was made on some instance: it is named by its UUID.
func isCustomGalaxy(tag string) bool {
	_, value, _ := strings.Cut(strings.TrimSuffix(tag, `"`), `="`)
	_, err := tocsin.ParseUUID(value)
	return err == nil && isGalaxy(tag)
}

// AppendOrg appends an organisation as it stands in other records.
func (c *Encoder) AppendOrg(b []byte, id int64) []byte { return append(c.appendOrg(b, id), '}') }

func (c *Encoder) appendOrg(b []byte, id int64) []byte {
	o := c.Names.Organisation(id)
	if o == nil {
		o = &tocsin.Organisation{ID: id}
	}
	b = appendInt(append(b, `{"id":`...), id)
	b = appendText(append(b, `,"name":`...), o.Name)
	return appendUUID(append(b, `,"uuid":`...), o.UUID)
}

func (c *Encoder) appendLocalOrg(b []byte, id int64) []byte {
	o := c.Names.Organisation(id)
	b = appendBool(append(c.appendOrg(b, id), `,"local":`...), o != nil && o.Local)
	return append(b, '}')
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, `true`...)
	}
	return append(b, `false`...)
}

// appendUUID appends u, or "" for none.
func appendUUID(b []byte, u tocsin.UUID) []byte {
	b = append(b, '"')
	if !u.IsZero() {
		b = u.Append(b)
	}
	return append(b, '"')
}

func appendSeen(b []byte, at time.Time) []byte {
	if at.IsZero() {
		return append(b, `null`...)
	}
	b = at.UTC().AppendFormat(append(b, '"'), seenLayout)
	return append(b, '"')
}
