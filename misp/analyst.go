package misp

import (
	"time"

	"tocsin"
	"tocsin/access"
)

// A Remark is what an analyst says about the record that it stands in, MISP's
// analyst data: a note, an opinion or a relationship, as Kind says. Others may
// stand on it.
type Remark struct {
	Kind         tocsin.Kind
	UUID         Field[tocsin.UUID]
	Of           Field[tocsin.UUID] // object_uuid: what it is about, where it stands by itself
	OfType       Field[string]      // object_type
	Authors      Field[string]
	Created      Field[string] // as MISP's database writes a time
	Modified     Field[string]
	Distribution Field[int64]
	Group        Field[int64]
	Locked       Field[bool]
	OrgUUID      Field[tocsin.UUID]
	OrgcUUID     Field[tocsin.UUID]
	Org          *Org
	Orgc         *Org
	SharingGroup *SharingGroup

	Note      Field[string] // of a note, and its language
	Language  Field[string]
	Opinion   Field[int64] // of an opinion: 0 to 100, and why
	Comment   Field[string]
	Relation  Field[string] // of a relationship: relationship_type, and where to
	Other     Field[tocsin.UUID]
	OtherType Field[string]

	Remarks []Remark
}

// remarkKinds are the members in which analysts' remarks stand.
var remarkKinds = map[string]tocsin.Kind{"Note": tocsin.KindNote, "Opinion": tocsin.KindOpinion, "Relationship": tocsin.KindRelationship}

// remark reads the member at hand if analysts' remarks stand in it, and passes
// over any other. Depth is bounded by the decoder, and by what is kept.
func (r *reader) remark(list *[]Remark) {
	k, ok := remarkKinds[string(r.name)]
	if !ok {
		r.skip()
		return
	}
	many(r, list, func(r *reader, m *Remark) {
		m.Kind = k
		r.remarked(m)
	})
}

func (r *reader) remarked(m *Remark) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "uuid":
			r.uuid(&m.UUID)
		case "object_uuid":
			r.uuid(&m.Of)
		case "object_type":
			r.word(&m.OfType)
		case "authors":
			r.word(&m.Authors)
		case "created":
			r.text(&m.Created)
		case "modified":
			r.text(&m.Modified)
		case "distribution":
			r.number(&m.Distribution)
		case "sharing_group_id":
			r.number(&m.Group)
		case "SharingGroup":
			m.SharingGroup = r.ownGroup()
		case "locked":
			r.bool(&m.Locked)
		case "org_uuid":
			r.uuid(&m.OrgUUID)
		case "orgc_uuid":
			r.uuid(&m.OrgcUUID)
		case "Org":
			m.Org = new(Org)
			r.org(m.Org)
		case "Orgc":
			m.Orgc = new(Org)
			r.org(m.Orgc)
		case "note":
			r.text(&m.Note)
		case "language":
			r.word(&m.Language)
		case "opinion":
			r.number(&m.Opinion)
		case "comment":
			r.text(&m.Comment)
		case "relationship_type":
			r.word(&m.Relation)
		case "related_object_uuid":
			r.uuid(&m.Other)
		case "related_object_type":
			r.word(&m.OtherType)
		default:
			r.remark(&m.Remarks)
		}
	}
}

// Words returns the remark that a text has, about a record.
func (m *Remark) Words(about tocsin.Link) tocsin.Remark {
	h := tocsin.Head{UUID: m.UUID.Or(tocsin.UUID{}), About: about, Timestamp: ParseTime(m.Modified.Or("")),
		Distribution: level(m.Distribution, access.OrgOnly), Group: m.Group.Or(0)}
	created, authors, locked := ParseTime(m.Created.Or("")), m.Authors.Or(""), m.Locked.Or(false)
	switch m.Kind {
	case tocsin.KindNote:
		return &tocsin.Note{Head: h, Authors: authors, Language: m.Language.Or(""), Note: m.Note.Or(""), Created: created, Locked: locked}
	case tocsin.KindOpinion:
		return &tocsin.Opinion{Head: h, Authors: authors, Opinion: uint8(min(max(m.Opinion.Or(0), 0), 255)), Comment: m.Comment.Or(""), Created: created, Locked: locked}
	}
	return &tocsin.Relationship{Head: h, Authors: authors, Relation: m.Relation.Or(""), Created: created, Locked: locked,
		Other: tocsin.Link{Kind: KindOf(m.OtherType.Or("")), UUID: m.Other.Or(tocsin.UUID{})}}
}

// level returns a distribution that a text says, or what it is if it says none. One
// that there is not stays one that there is not, for the store to refuse.
func level(f Field[int64], or access.Distribution) access.Distribution {
	return access.Distribution(min(max(f.Or(int64(or)), 0), 255))
}

// ParseTime reads a time as MISP's database writes it, in UTC, in seconds since
// 1970; 0 is none.
func ParseTime(s string) int64 {
	at, err := time.Parse(time.DateTime, s)
	if err != nil || at.Year() < 1970 {
		return 0
	}
	return at.Unix()
}

// An Above is one remark with those that stand on it.
type Above struct {
	Remark tocsin.Remark
	On     []Above
}

// AppendRemarks appends the members Note, Opinion and Relationship of a record, each
// if there are any, with a comma before it.
func (c *Encoder) AppendRemarks(b []byte, on []Above) []byte {
	for _, name := range []string{"Note", "Opinion", "Relationship"} {
		first := true
		for i := range on {
			if on[i].Remark.Kind() != remarkKinds[name] {
				continue
			}
			if first {
				b = append(append(append(b, `,"`...), name...), `":[`...)
			} else {
				b = append(b, ',')
			}
			first = false
			b = c.AppendRemark(b, &on[i])
		}
		if !first {
			b = append(b, ']')
		}
	}
	return b
}

// AppendRemark appends one remark with those that stand on it.
func (c *Encoder) AppendRemark(b []byte, a *Above) []byte {
	switch r := a.Remark.(type) {
	case *tocsin.Note:
		b = c.AppendNote(b, r)
	case *tocsin.Opinion:
		b = c.AppendOpinion(b, r)
	case *tocsin.Relationship:
		b = c.AppendRelationship(b, r)
	}
	return append(c.AppendRemarks(b[:len(b)-1], a.On), '}')
}
