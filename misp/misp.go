// Package misp translates between MISP JSON (misp-core-format, draft 20, and
// what MISP 2.5 answers) and the words of the exchange.
//
// Reading, a stranger's text becomes an [Event], an [Attribute], an [Object] as
// that text has it: types and values are words still, nothing is normalised, and
// a field that was left out differs from one that is zero, since an edit changes
// only what is present. Writing, an [Encoder] appends what MISP would answer.
//
// The package knows no store and no HTTP.
package misp

import (
	"time"

	"tocsin"
)

// A Field is what a text says about one thing, if it says anything. The zero
// Field says nothing.
type Field[T comparable] struct {
	value   T
	present bool
}

// Said returns a Field that says v.
func Said[T comparable](v T) Field[T] { return Field[T]{v, true} }

// Present reports whether the text says anything.
func (f Field[T]) Present() bool { return f.present }

// Get returns what the text says, and whether it says anything.
func (f Field[T]) Get() (T, bool) { return f.value, f.present }

// Or returns what the text says, or v.
func (f Field[T]) Or(v T) T {
	if f.present {
		return f.value
	}
	return v
}

// An Event is an event as a text has it (misp-core-format, section 2.2). A list
// is nil if the text has none, and empty if it has an empty one.
type Event struct {
	ID           Field[int64] // as the sender numbers it
	UUID         Field[tocsin.UUID]
	Info         Field[string]
	Date         Field[string]
	Threat       Field[int64]
	Analysis     Field[int64]
	Distribution Field[int64]
	Group        Field[int64] // sharing_group_id, as the sender numbers it
	Published    Field[bool]
	PublishedAt  Field[int64] // publish_timestamp
	Timestamp    Field[int64]
	Locked       Field[bool]
	NoCorrelate  Field[bool] // disable_correlation
	Extends      Field[tocsin.UUID]
	Creator      Field[string] // event_creator_email
	OrgID        Field[int64]
	OrgcID       Field[int64]
	Org          *Org
	Orgc         *Org
	SharingGroup *SharingGroup
	Tags         []Tag
	Attributes   []Attribute // those outside objects, unless they were handed on one by one
	Objects      []Object
	Proposals    []Proposal
	Reports      []Report
	References   []Reference // of objects, where a text has them beside its objects
	Galaxies     []Galaxy
	Remarks      []Remark

	Problems []Problem
}

// An Attribute is an attribute as a text has it (section 2.4).
type Attribute struct {
	ID           Field[int64]
	UUID         Field[tocsin.UUID]
	Event        Field[int64] // event_id, as the sender numbers it
	EventUUID    Field[tocsin.UUID]
	Object       Field[int64]  // object_id, as the sender numbers it
	Relation     Field[string] // object_relation
	Type         Field[string]
	Category     Field[string]
	Value        Field[string]
	Comment      Field[string]
	ToIDS        Field[bool]
	Deleted      Field[bool]
	NoCorrelate  Field[bool]
	Enforce      Field[bool] // enforceWarninglist: not if it is guarded
	Distribution Field[int64]
	Group        Field[int64]
	Timestamp    Field[int64]
	FirstSeen    Field[time.Time] // the zero time where the text says null: to be cleared
	LastSeen     Field[time.Time]
	Data         Field[string] // an attachment, base64
	Encrypt      Field[bool]   // the attachment is a sample that is still to be locked away
	SharingGroup *SharingGroup
	Tags         []Tag
	Proposals    []Proposal
	Sightings    []Sighting
	Galaxies     []Galaxy
	Remarks      []Remark

	Problems []Problem
	more     []string // further values, where the text has a list of them
}

// An Object is an object as a text has it (section 2.5).
type Object struct {
	ID              Field[int64]
	UUID            Field[tocsin.UUID]
	Event           Field[int64]
	Name            Field[string]
	MetaCategory    Field[string]
	Description     Field[string]
	TemplateUUID    Field[tocsin.UUID]
	TemplateVersion Field[int64]
	Comment         Field[string]
	Distribution    Field[int64]
	Group           Field[int64]
	Timestamp       Field[int64]
	FirstSeen       Field[time.Time]
	LastSeen        Field[time.Time]
	Deleted         Field[bool]
	SharingGroup    *SharingGroup
	Attributes      []Attribute
	References      []Reference
	Remarks         []Remark

	BreakOnDuplicate Field[bool] // objects/add: refuse it if the event has one like it

	Problems []Problem
}

// A Reference says how an object relates to another record (section 2.6).
type Reference struct {
	UUID       Field[tocsin.UUID]
	Object     Field[tocsin.UUID] // from where; absent where it stands in its object
	Referenced Field[tocsin.UUID] // to where
	Relation   Field[string]
	Comment    Field[string]
	Timestamp  Field[int64]
	Deleted    Field[bool]
}

// A Tag is a tag as it stands on a record, or by itself (section 2.10).
type Tag struct {
	ID           Field[int64]
	Name         Field[string]
	Colour       Field[string]
	Exportable   Field[bool]
	Hidden       Field[bool] // hide_tag
	OrgID        Field[int64]
	UserID       Field[int64]
	LocalOnly    Field[bool]
	Local        Field[bool]
	Relationship Field[string]
	Deleted      Field[bool] // it is to be taken off, in edits

	Problems []Problem // only where the tag is read by itself
}

// An Org is an organisation as a text has it (section 2.3).
type Org struct {
	ID          Field[int64]
	UUID        Field[tocsin.UUID]
	Name        Field[string]
	Description Field[string]
	Nationality Field[string]
	Sector      Field[string]
	Type        Field[string]
	Contacts    Field[string]
	Local       Field[bool]

	Problems []Problem // only where the organisation is read by itself
}

// A SharingGroup is a sharing group as a text has it (section 2.12).
type SharingGroup struct {
	ID            Field[int64]
	UUID          Field[tocsin.UUID]
	Name          Field[string]
	Releasability Field[string]
	Description   Field[string]
	Active        Field[bool]
	OrgID         Field[int64]
	OrgUUID       Field[tocsin.UUID] // organisation_uuid: who made it
	Org           *Org               // who made it
	Members       []Member           // SharingGroupOrg
	Servers       []GroupServer      // SharingGroupServer
	Roaming       Field[bool]
	Created       Field[string] // as MISP's database writes a time
	Modified      Field[string]

	Problems []Problem // only where the group is read by itself
}

// A Member is one organisation in a sharing group.
type Member struct {
	OrgID  Field[int64]
	Org    *Org
	Extend Field[bool]
}

// A GroupServer is one instance that a sharing group may travel to.
type GroupServer struct {
	ServerID Field[int64] // 0: the instance that sends it
	AllOrgs  Field[bool]
}

// A Proposal is a change that somebody else proposes, a shadow attribute
// (section 2.7). Where it stands in an attribute it is about that one.
type Proposal struct {
	ID        Field[int64]
	UUID      Field[tocsin.UUID] // of the attribute it is about
	EventUUID Field[tocsin.UUID]
	Old       Field[int64] // old_id: the attribute, 0 to add one
	Type      Field[string]
	Category  Field[string]
	Value     Field[string]
	Comment   Field[string]
	ToIDS     Field[bool]
	Delete    Field[bool] // proposal_to_delete
	Deleted   Field[bool]
	Timestamp Field[int64]
	FirstSeen Field[time.Time]
	LastSeen  Field[time.Time]
	OrgID     Field[int64]
	Org       *Org

	Problems []Problem // only where the proposal is read by itself
}

// A Sighting says that somebody saw an indicator (section 2.11).
type Sighting struct {
	ID        Field[int64]
	UUID      Field[tocsin.UUID]
	Attribute Field[tocsin.UUID]
	Type      Field[int64] // 0 seen, 1 false positive, 2 expires, 3 confirmed
	Source    Field[string]
	At        Field[int64] // date_sighting
	OrgID     Field[int64]
	Org       *Org // Organisation
}

// A Report is a text about the event (section 2.8).
type Report struct {
	ID           Field[int64]
	UUID         Field[tocsin.UUID]
	Name         Field[string]
	Content      Field[string] // Markdown
	Distribution Field[int64]
	Group        Field[int64]
	SharingGroup *SharingGroup
	Timestamp    Field[int64]
	Deleted      Field[bool]
	Remarks      []Remark
}
