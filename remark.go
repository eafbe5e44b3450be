package tocsin

import (
	"time"

	"tocsin/access"
)

// A Remark is a record that somebody adds to what is there: a sighting of an
// attribute, a note on an event, a reference from an object. There may be
// millions where there are thousands of other small records. A galaxy cluster of
// an organisation's own is one, too; it stands by itself.
//
// A reader may have a remark if it may have what the remark is about, and the
// remark's own label. What is about a deleted record is gone with it.
type Remark interface {
	Record
	// Remarked returns what all remarks have in common.
	Remarked() *Head
}

// A Head is what all remarks have in common. The caller says who made it, what it
// is about and how far it may travel; the store fills in the rest.
type Head struct {
	ID   int64 `json:"id"`
	UUID UUID  `json:"uuid,omitzero"`

	About Link `json:"about,omitzero"` // zero: it stands by itself
	To    Link `json:"to,omitzero"`    // what else a reader has to see

	Event        int64               `json:"event,omitempty"` // in which it is; 0: in none
	Org          int64               `json:"org"`             // who holds it on this instance
	Orgc         int64               `json:"orgc"`            // who made it, anywhere
	User         int64               `json:"user,omitempty"`  // who entered it here
	Distribution access.Distribution `json:"distribution"`
	Group        int64               `json:"group,omitempty"`
	Timestamp    int64               `json:"timestamp"` // of the last change, seconds since 1970
	Deleted      bool                `json:"deleted,omitempty"`
	Label        access.LabelID      `json:"label"` // its own; a reader needs those of what it is about
	Seq          Seq                 `json:"seq"`
}

// A Link points at a record. One that is not on this instance has no id.
type Link struct {
	Kind Kind  `json:"kind"`
	ID   int64 `json:"id,omitempty"`
	UUID UUID  `json:"uuid,omitzero"`
}

// IsZero reports whether l points at nothing.
func (l Link) IsZero() bool { return l == Link{} }

func (h *Head) Remarked() *Head      { return h }
func (h *Head) RecordID() int64      { return h.ID }
func (h *Head) SetRecordID(id int64) { h.ID = id }
func (h *Head) RecordUUID() UUID     { return h.UUID }

// A Reference says how an object relates to another record of its event (MISP core
// format, section 2.6). Circles are allowed. It is About the object and points To
// the other one.
type Reference struct {
	Head
	Relation string `json:"relation"`
	Comment  string `json:"comment,omitempty"`
}

// A Sighting says that an organisation met what an attribute claims, or did not
// (MISP core format, section 2.11). One that a peer brought points To its event,
// whose sightings are then known to have changed for other peers, too.
type Sighting struct {
	Head
	Type   SightingType `json:"type"`
	At     int64        `json:"at"` // seconds since 1970
	Source string       `json:"source,omitempty"`
}

// A SightingType is what a sighting says.
type SightingType uint8

const (
	Seen          SightingType = iota
	FalsePositive              // it was met, and was harmless
	Expiration                 // it is over at that time
	Confirmed                  // it was met, and somebody looked and agrees
)

// Against reports whether a sighting speaks against what it is about.
func (t SightingType) Against() bool { return t == FalsePositive || t == Expiration }

// A Proposal is what somebody who may see an event and not change it would have
// changed: a shadow attribute (MISP core format, section 2.7). It is About the
// event, or the attribute that it would replace or delete. Of the attribute that
// is proposed, what says where and how far it goes is not part of it.
type Proposal struct {
	Head
	Delete    bool      `json:"delete,omitempty"`
	Attribute UUID      `json:"attribute,omitzero"` // of the attribute that it would change, or add
	Type      string    `json:"type,omitempty"`
	Category  string    `json:"category,omitempty"`
	Value     string    `json:"value,omitempty"`
	Comment   string    `json:"comment,omitempty"`
	ToIDS     bool      `json:"to_ids,omitempty"`
	FirstSeen time.Time `json:"first_seen,omitzero"`
	LastSeen  time.Time `json:"last_seen,omitzero"`
	Accepted  bool      `json:"accepted,omitempty"` // of one that is done with: it was not discarded
}

// A Report is a text about an event (MISP core format, section 2.8).
type Report struct {
	Head
	Name    string `json:"name"`
	Content string `json:"content,omitempty"` // Markdown
}

// A Note is an analyst's remark on any record (MISP's analyst data).
type Note struct {
	Head
	Authors  string `json:"authors,omitempty"`
	Language string `json:"language,omitempty"`
	Note     string `json:"note"`
	Created  int64  `json:"created"`
	Locked   bool   `json:"locked,omitempty"` // came from another instance
}

// An Opinion says how far an analyst agrees with a record: 0 not at all, 50 is
// neutral, 100 wholly.
type Opinion struct {
	Head
	Authors string `json:"authors,omitempty"`
	Opinion uint8  `json:"opinion"`
	Comment string `json:"comment,omitempty"`
	Created int64  `json:"created"`
	Locked  bool   `json:"locked,omitempty"`
}

// A Relationship says how two records relate, wherever they are. It is About the
// first; the other may be out of the reader's sight.
type Relationship struct {
	Head
	Authors  string `json:"authors,omitempty"`
	Relation string `json:"relation"`
	Other    Link   `json:"other"`
	Created  int64  `json:"created"`
	Locked   bool   `json:"locked,omitempty"`
}

// A Cluster is one entry of a galaxy that an organisation wrote itself: a threat
// actor, a tool (MISP galaxy format). Those that everyone has are no records.
type Cluster struct {
	Head
	Galaxy         UUID              `json:"galaxy,omitzero"`
	Type           string            `json:"type"` // of the galaxy, as threat-actor
	Value          string            `json:"value"`
	Description    string            `json:"description,omitempty"`
	Source         string            `json:"source,omitempty"`
	Authors        []string          `json:"authors,omitempty"`
	Elements       []Element         `json:"elements,omitempty"`
	Relations      []ClusterRelation `json:"relations,omitempty"`
	Version        int64             `json:"version"`
	Extends        UUID              `json:"extends,omitzero"`
	ExtendsVersion int64             `json:"extends_version,omitempty"`
	Published      bool              `json:"published,omitempty"`
	Locked         bool              `json:"locked,omitempty"`
}

// An Element is one of a cluster's meta values. A key may have several.
type Element struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// A ClusterRelation says how a cluster relates to another one, with how far it may
// travel: a reader who may not have the relation does not get it.
type ClusterRelation struct {
	ID           int64               `json:"id,omitempty"` // within its cluster, from 1
	Other        UUID                `json:"other"`
	Type         string              `json:"type"`
	Distribution access.Distribution `json:"distribution"`
	Group        int64               `json:"group,omitempty"`
	Tags         []string            `json:"tags,omitempty"`
}

// Tag is the name of the tag that puts the cluster on a record.
func (c *Cluster) Tag() string { return `misp-galaxy:` + c.Type + `="` + c.UUID.String() + `"` }

func (*Reference) Kind() Kind    { return KindReference }
func (*Sighting) Kind() Kind     { return KindSighting }
func (*Proposal) Kind() Kind     { return KindProposal }
func (*Report) Kind() Kind       { return KindReport }
func (*Note) Kind() Kind         { return KindNote }
func (*Opinion) Kind() Kind      { return KindOpinion }
func (*Relationship) Kind() Kind { return KindRelationship }
func (*Cluster) Kind() Kind      { return KindCluster }
