package tocsin

// A Kind is a sort of record. Ids count from 1 within a kind and are never used
// again. The numbers are kept in stores.
type Kind uint8

const (
	KindEvent Kind = iota + 1
	KindAttribute
	KindObject
	KindOrganisation
	KindUser
	KindKey
	KindGroup
	KindTag
	KindCollection
	KindSubscriber
	KindImport
	KindReference
	KindSighting
	KindProposal
	KindReport
	KindNote
	KindOpinion
	KindRelationship
	KindCluster
	KindTagCollection
	KindRole
	KindFeed
	KindPeer
	KindBlock
	KindSetting

	KindGuardList Kind = 40
)

// What time does.
const (
	KindLifetime Kind = iota + 41
	KindClock
	KindRetention
)

// KindVocabulary is that of reference data.
const KindVocabulary Kind = 50

// KindDelegation is that of handovers: wishes to hand an event over.
const KindDelegation Kind = 70

// KindExchange is that of lines about the exchange itself: it was put back from
// a backup. There is no record, and the number before such a line is not the one
// just below.
const KindExchange Kind = 255

// A Record is anything that has a line in the log.
type Record interface {
	Kind() Kind
	RecordID() int64
}

// A Numbered record is handed its id by the store.
type Numbered interface{ SetRecordID(int64) }

// A Named record is found by its name, which no other of its kind has. Letters
// that differ in case only are the same.
type Named interface{ RecordName() string }

// An Identified record is known by its uuid wherever it goes.
type Identified interface{ RecordUUID() UUID }

// kinds says of each kind what it is called and how an empty one is made. A
// kind that is not here was written by a later version.
var kinds = map[Kind]struct {
	name string
	make func() Record
}{
	KindEvent:         {"event", func() Record { return new(Event) }},
	KindAttribute:     {"attribute", func() Record { return new(Attribute) }},
	KindObject:        {"object", func() Record { return new(Object) }},
	KindOrganisation:  {"organisation", func() Record { return new(Organisation) }},
	KindUser:          {"user", func() Record { return new(User) }},
	KindKey:           {"key", func() Record { return new(Key) }},
	KindGroup:         {"sharing group", func() Record { return new(Group) }},
	KindTag:           {"tag", func() Record { return new(Tag) }},
	KindCollection:    {"collection", func() Record { return new(Collection) }},
	KindSubscriber:    {"subscriber", func() Record { return new(Subscriber) }},
	KindImport:        {"import", func() Record { return new(Import) }},
	KindReference:     {"reference", func() Record { return new(Reference) }},
	KindSighting:      {"sighting", func() Record { return new(Sighting) }},
	KindProposal:      {"proposal", func() Record { return new(Proposal) }},
	KindReport:        {"report", func() Record { return new(Report) }},
	KindNote:          {"note", func() Record { return new(Note) }},
	KindOpinion:       {"opinion", func() Record { return new(Opinion) }},
	KindRelationship:  {"relationship", func() Record { return new(Relationship) }},
	KindCluster:       {"cluster", func() Record { return new(Cluster) }},
	KindAttachment:    {"attachment", func() Record { return new(Attachment) }},
	KindTagCollection: {"tag collection", func() Record { return new(TagCollection) }},
	KindRole:          {"role", func() Record { return new(Role) }},
	KindFeed:          {"feed", func() Record { return new(Feed) }},
	KindPeer:          {"peer", func() Record { return new(Peer) }},
	KindBlock:         {"blocklist entry", func() Record { return new(Block) }},
	KindSetting:       {"setting", func() Record { return new(Setting) }},
	KindGuardList:     {"guard list", func() Record { return new(GuardList) }},
	KindDelegation:    {"handover", func() Record { return new(Handover) }},
	KindLifetime:      {"lifetime", func() Record { return new(Lifetime) }},
	KindClock:         {"clock", func() Record { return new(Clock) }},
	KindRetention:     {"retention", func() Record { return new(Retention) }},
	KindUserSetting:   {"user setting", func() Record { return new(UserSetting) }},
	KindRegistration:  {"registration", func() Record { return new(Registration) }},
	KindAllowed:       {"allowed entry", func() Record { return new(Allowed) }},
	KindExclusion:     {"correlation exclusion", func() Record { return new(Exclusion) }},
	KindVocabulary:    {"vocabulary", func() Record { return new(Vocabulary) }},
}

func (k Kind) String() string {
	if is, ok := kinds[k]; ok {
		return is.name
	}
	if k == KindExchange {
		return "exchange"
	}
	return "record"
}

// NewRecord returns an empty record of a kind, or nil if there is no such kind.
func NewRecord(k Kind) Record {
	if is, ok := kinds[k]; ok {
		return is.make()
	}
	return nil
}

func (*Event) Kind() Kind        { return KindEvent }
func (*Attribute) Kind() Kind    { return KindAttribute }
func (*Object) Kind() Kind       { return KindObject }
func (*Organisation) Kind() Kind { return KindOrganisation }
func (*User) Kind() Kind         { return KindUser }
func (*Key) Kind() Kind          { return KindKey }
func (*Group) Kind() Kind        { return KindGroup }
func (*Tag) Kind() Kind          { return KindTag }
func (*Collection) Kind() Kind   { return KindCollection }
func (*Subscriber) Kind() Kind   { return KindSubscriber }
func (*Import) Kind() Kind       { return KindImport }
func (*Setting) Kind() Kind      { return KindSetting }

func (e *Event) RecordID() int64        { return e.ID }
func (a *Attribute) RecordID() int64    { return a.ID }
func (o *Object) RecordID() int64       { return o.ID }
func (o *Organisation) RecordID() int64 { return o.ID }
func (u *User) RecordID() int64         { return u.ID }
func (k *Key) RecordID() int64          { return k.ID }
func (g *Group) RecordID() int64        { return g.ID }
func (t *Tag) RecordID() int64          { return t.ID }
func (c *Collection) RecordID() int64   { return c.ID }
func (s *Subscriber) RecordID() int64   { return s.ID }
func (i *Import) RecordID() int64       { return i.ID }
func (s *Setting) RecordID() int64      { return s.ID }

func (o *Organisation) SetRecordID(id int64) { o.ID = id }
func (u *User) SetRecordID(id int64)         { u.ID = id }
func (k *Key) SetRecordID(id int64)          { k.ID = id }
func (g *Group) SetRecordID(id int64)        { g.ID = id }
func (t *Tag) SetRecordID(id int64)          { t.ID = id }
func (c *Collection) SetRecordID(id int64)   { c.ID = id }
func (s *Subscriber) SetRecordID(id int64)   { s.ID = id }
func (i *Import) SetRecordID(id int64)       { i.ID = id }
func (s *Setting) SetRecordID(id int64)      { s.ID = id }

func (o *Organisation) RecordName() string { return o.Name }
func (u *User) RecordName() string         { return u.Email }
func (k *Key) RecordName() string          { return k.Hash }
func (g *Group) RecordName() string        { return g.Name }
func (t *Tag) RecordName() string          { return t.Name }
func (c *Collection) RecordName() string   { return c.Name }
func (s *Subscriber) RecordName() string   { return s.Name }
func (s *Setting) RecordName() string      { return s.Name }

func (e *Event) RecordUUID() UUID        { return e.UUID }
func (a *Attribute) RecordUUID() UUID    { return a.UUID }
func (o *Object) RecordUUID() UUID       { return o.UUID }
func (o *Organisation) RecordUUID() UUID { return o.UUID }
func (k *Key) RecordUUID() UUID          { return k.UUID }
func (g *Group) RecordUUID() UUID        { return g.UUID }
