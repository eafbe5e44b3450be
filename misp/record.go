package misp

import (
	"slices"

	"tocsin"
)

// The records, member by member. Names that are not here are passed over:
// RelatedEvent and RelatedAttribute (everyone computes their own),
// CryptographicKey, warnings.

func (r *reader) event(e *Event, each func(*Attribute) error) {
	defer r.record(&e.Problems)()
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&e.ID)
		case "uuid":
			r.uuid(&e.UUID)
		case "info":
			r.text(&e.Info)
		case "date":
			r.text(&e.Date)
		case "threat_level_id":
			r.number(&e.Threat)
		case "analysis":
			r.number(&e.Analysis)
		case "distribution":
			r.number(&e.Distribution)
		case "sharing_group_id":
			r.number(&e.Group)
		case "published":
			r.bool(&e.Published)
		case "publish_timestamp":
			r.number(&e.PublishedAt)
		case "timestamp":
			r.number(&e.Timestamp)
		case "locked":
			r.bool(&e.Locked)
		case "disable_correlation":
			r.bool(&e.NoCorrelate)
		case "extends_uuid":
			r.uuid(&e.Extends)
		case "event_creator_email":
			r.text(&e.Creator)
		case "org_id":
			r.number(&e.OrgID)
		case "orgc_id":
			r.number(&e.OrgcID)
		case "Org":
			e.Org = new(Org)
			r.org(e.Org)
		case "Orgc":
			e.Orgc = new(Org)
			r.org(e.Orgc)
		case "SharingGroup":
			e.SharingGroup = r.ownGroup()
		case "Tag", "EventTag":
			many(r, &e.Tags, (*reader).tag)
		case "Attribute":
			if each == nil {
				r.attributes(&e.Attributes)
				continue
			}
			r.stream(each)
		case "Object":
			many(r, &e.Objects, (*reader).object)
		case "ShadowAttribute":
			many(r, &e.Proposals, (*reader).proposal)
		case "EventReport":
			many(r, &e.Reports, (*reader).report)
		case "ObjectReference":
			many(r, &e.References, (*reader).reference)
		case "Galaxy":
			many(r, &e.Galaxies, (*reader).galaxy)
		default:
			r.remark(&e.Remarks)
		}
	}
}

// many reads a list of records. It is there afterwards, though it may be empty.
func many[T any](r *reader, list *[]T, read func(*reader, *T)) {
	if *list == nil {
		*list = []T{}
	}
	r.list(func() {
		if r.keep() {
			if len(*list) == cap(*list) { // records are large: copy them seldom
				*list = slices.Grow(*list, max(1, len(*list)))
			}
			*list = append(*list, *new(T))
			read(r, &(*list)[len(*list)-1])
		}
	})
}

func (r *reader) attributes(as *[]Attribute) {
	many(r, as, (*reader).attribute)
	for i := range *as {
		(*as)[i].eachFurther(func(a *Attribute) {
			if r.keep() {
				*as = append(*as, *a)
			}
		})
	}
}

// stream reads attributes of which none is kept.
func (r *reader) stream(each func(*Attribute) error) {
	var a Attribute
	r.list(func() {
		kept := r.kept
		a = Attribute{}
		r.attribute(&a)
		r.kept = kept
		r.handOn(&a, each)
	})
}

// handOn hands a on, once for each of its values.
func (r *reader) handOn(a *Attribute, each func(*Attribute) error) {
	if r.err == nil {
		r.stop(each(a))
	}
	a.eachFurther(func(a *Attribute) {
		if r.err == nil {
			r.stop(each(a))
		}
	})
}

// eachFurther calls f with a as it is for each value after the first. None of
// them has a UUID: it is the first one's.
func (a *Attribute) eachFurther(f func(*Attribute)) {
	values := a.more
	a.more = nil
	for _, v := range values {
		next := *a
		next.ID, next.UUID, next.Value = Field[int64]{}, Field[tocsin.UUID]{}, Said(v)
		f(&next)
	}
}

func (r *reader) attribute(a *Attribute) {
	defer r.record(&a.Problems)()
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&a.ID)
		case "uuid":
			r.uuid(&a.UUID)
		case "event_id":
			r.number(&a.Event)
		case "event_uuid":
			r.uuid(&a.EventUUID)
		case "object_id":
			r.number(&a.Object)
		case "object_relation":
			r.word(&a.Relation)
		case "type":
			r.word(&a.Type)
		case "category":
			r.word(&a.Category)
		case "value":
			r.value(a)
		case "comment":
			r.word(&a.Comment)
		case "to_ids":
			r.bool(&a.ToIDS)
		case "deleted":
			r.bool(&a.Deleted)
		case "disable_correlation":
			r.bool(&a.NoCorrelate)
		case "enforceWarninglist":
			r.bool(&a.Enforce)
		case "distribution":
			r.number(&a.Distribution)
		case "sharing_group_id":
			r.number(&a.Group)
		case "timestamp":
			r.number(&a.Timestamp)
		case "first_seen":
			r.seen(&a.FirstSeen)
		case "last_seen":
			r.seen(&a.LastSeen)
		case "data":
			r.text(&a.Data)
		case "encrypt":
			r.bool(&a.Encrypt)
		case "SharingGroup":
			a.SharingGroup = r.ownGroup()
		case "Tag", "AttributeTag":
			many(r, &a.Tags, (*reader).tag)
		case "ShadowAttribute":
			many(r, &a.Proposals, (*reader).proposal)
		case "Sighting":
			many(r, &a.Sightings, (*reader).sighting)
		case "Galaxy":
			many(r, &a.Galaxies, (*reader).galaxy)
		default:
			r.remark(&a.Remarks)
		}
	}
}

// value reads a value, or a list of them: attributes/add takes both.
func (r *reader) value(a *Attribute) {
	if r.kind() != '[' {
		r.text(&a.Value)
		return
	}
	for r.token(); r.kind() != ']' && r.err == nil; {
		var v Field[string]
		switch r.text(&v); {
		case !v.Present():
		case !a.Value.Present():
			a.Value = v
		default:
			a.more = append(a.more, v.value)
		}
	}
	r.token()
}

func (r *reader) object(o *Object) {
	defer r.record(&o.Problems)()
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&o.ID)
		case "uuid":
			r.uuid(&o.UUID)
		case "event_id":
			r.number(&o.Event)
		case "name":
			r.word(&o.Name)
		case "meta-category", "meta_category":
			r.word(&o.MetaCategory)
		case "description":
			r.word(&o.Description)
		case "template_uuid":
			r.uuid(&o.TemplateUUID)
		case "template_version":
			r.number(&o.TemplateVersion)
		case "comment":
			r.word(&o.Comment)
		case "distribution":
			r.number(&o.Distribution)
		case "sharing_group_id":
			r.number(&o.Group)
		case "timestamp":
			r.number(&o.Timestamp)
		case "first_seen":
			r.seen(&o.FirstSeen)
		case "last_seen":
			r.seen(&o.LastSeen)
		case "deleted":
			r.bool(&o.Deleted)
		case "SharingGroup":
			o.SharingGroup = r.ownGroup()
		case "Attribute":
			r.attributes(&o.Attributes)
		case "ObjectReference":
			many(r, &o.References, (*reader).reference)
		case "breakOnDuplicate":
			r.bool(&o.BreakOnDuplicate)
		default:
			r.remark(&o.Remarks)
		}
	}
}

// reference reads MISP's spelling, and the one of some feeds (target_uuid, relation).
func (r *reader) reference(f *Reference) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "uuid":
			r.uuid(&f.UUID)
		case "object_uuid", "source_uuid":
			r.uuid(&f.Object)
		case "referenced_uuid", "target_uuid":
			r.uuid(&f.Referenced)
		case "relationship_type", "relation":
			r.word(&f.Relation)
		case "comment":
			r.text(&f.Comment)
		case "timestamp":
			r.number(&f.Timestamp)
		case "deleted":
			r.bool(&f.Deleted)
		default:
			r.skip()
		}
	}
}

// tag reads a tag as it stands on a record: {"name": …}, "name", or the row that
// joins them, {"local": …, "Tag": {"name": …}}.
func (r *reader) tag(t *Tag) {
	if k := r.kind(); !r.again && !r.nameless && k == '"' {
		r.word(&t.Name)
		return
	}
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id", "tag_id":
			r.number(&t.ID)
		case "name":
			r.word(&t.Name)
		case "colour":
			r.word(&t.Colour)
		case "exportable":
			r.bool(&t.Exportable)
		case "hide_tag":
			r.bool(&t.Hidden)
		case "org_id":
			r.number(&t.OrgID)
		case "user_id":
			r.number(&t.UserID)
		case "local_only":
			r.bool(&t.LocalOnly)
		case "local":
			r.bool(&t.Local)
		case "deleted":
			r.bool(&t.Deleted)
		case "relationship_type":
			r.word(&t.Relationship)
		case "Tag":
			r.joined(t)
		default:
			r.skip()
		}
	}
}

// joined reads the tag of a row that joins it; the row's own id is nobody's concern.
func (r *reader) joined(t *Tag) {
	var inner Tag
	r.tag(&inner)
	inner.Local, inner.Relationship = t.Local, t.Relationship
	*t = inner
}

func (r *reader) org(o *Org) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&o.ID)
		case "uuid":
			r.uuid(&o.UUID)
		case "name":
			r.word(&o.Name)
		case "description":
			r.text(&o.Description)
		case "nationality":
			r.text(&o.Nationality)
		case "sector":
			r.text(&o.Sector)
		case "type":
			r.text(&o.Type)
		case "contacts":
			r.text(&o.Contacts)
		case "local":
			r.bool(&o.Local)
		default:
			r.skip()
		}
	}
}

// ownGroup reads the sharing group of a record; [] says that it has none.
func (r *reader) ownGroup() *SharingGroup {
	switch r.kind() {
	case '{':
		g := new(SharingGroup)
		r.sharingGroup(g)
		return g
	case 'n', '[':
		r.pass()
	default:
		r.pass()
		r.problem("SharingGroup", "a text", "an object")
	}
	return nil
}

func (r *reader) sharingGroup(g *SharingGroup) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&g.ID)
		case "uuid":
			r.uuid(&g.UUID)
		case "name":
			r.text(&g.Name)
		case "releasability":
			r.text(&g.Releasability)
		case "description":
			r.text(&g.Description)
		case "active":
			r.bool(&g.Active)
		case "org_id":
			r.number(&g.OrgID)
		case "organisation_uuid":
			r.uuid(&g.OrgUUID)
		case "Organisation":
			g.Org = new(Org)
			r.org(g.Org)
		case "SharingGroupOrg":
			many(r, &g.Members, (*reader).groupMember)
		case "SharingGroupServer":
			many(r, &g.Servers, (*reader).groupServer)
		case "roaming":
			r.bool(&g.Roaming)
		case "created":
			r.text(&g.Created)
		case "modified":
			r.text(&g.Modified)
		case "SharingGroup": // its members stand beside it
			r.sharingGroup(g)
		default:
			r.skip()
		}
	}
}

func (r *reader) groupMember(m *Member) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "org_id":
			r.number(&m.OrgID)
		case "extend":
			r.bool(&m.Extend)
		case "Organisation":
			m.Org = new(Org)
			r.org(m.Org)
		default:
			r.skip()
		}
	}
}

func (r *reader) groupServer(s *GroupServer) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "server_id":
			r.number(&s.ServerID)
		case "all_orgs":
			r.bool(&s.AllOrgs)
		default:
			r.skip()
		}
	}
}

func (r *reader) proposal(p *Proposal) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&p.ID)
		case "uuid":
			r.uuid(&p.UUID)
		case "event_uuid":
			r.uuid(&p.EventUUID)
		case "old_id":
			r.number(&p.Old)
		case "type":
			r.word(&p.Type)
		case "category":
			r.word(&p.Category)
		case "value":
			r.text(&p.Value)
		case "comment":
			r.text(&p.Comment)
		case "to_ids":
			r.bool(&p.ToIDS)
		case "proposal_to_delete":
			r.bool(&p.Delete)
		case "deleted":
			r.bool(&p.Deleted)
		case "timestamp":
			r.number(&p.Timestamp)
		case "first_seen":
			r.seen(&p.FirstSeen)
		case "last_seen":
			r.seen(&p.LastSeen)
		case "org_id":
			r.number(&p.OrgID)
		case "Org":
			p.Org = new(Org)
			r.org(p.Org)
		default:
			r.skip()
		}
	}
}

func (r *reader) sighting(s *Sighting) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&s.ID)
		case "uuid":
			r.uuid(&s.UUID)
		case "attribute_uuid":
			r.uuid(&s.Attribute)
		case "type":
			r.number(&s.Type)
		case "source":
			r.text(&s.Source)
		case "date_sighting":
			r.number(&s.At)
		case "org_id":
			r.number(&s.OrgID)
		case "Organisation":
			s.Org = new(Org)
			r.org(s.Org)
		default:
			r.skip()
		}
	}
}

func (r *reader) report(p *Report) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "id":
			r.number(&p.ID)
		case "uuid":
			r.uuid(&p.UUID)
		case "name":
			r.text(&p.Name)
		case "content":
			r.text(&p.Content)
		case "distribution":
			r.number(&p.Distribution)
		case "sharing_group_id":
			r.number(&p.Group)
		case "SharingGroup":
			p.SharingGroup = r.ownGroup()
		case "timestamp":
			r.number(&p.Timestamp)
		case "deleted":
			r.bool(&p.Deleted)
		default:
			r.remark(&p.Remarks)
		}
	}
}
