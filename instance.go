package tocsin

import (
	"encoding/json"
	"time"

	"tocsin/access"
)

// What an instance's administrators decide: roles, and where things come from and go
// to. Running feeds and peers is not this package's business.

// FirstRole is the id of the first role of an instance's own. Those before it are
// MISP's, which come with every exchange: see access.Roles.
const FirstRole = 7

// A Role is a set of permissions that an instance's administrators put together.
type Role struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Permissions access.Role `json:"permissions"`
	Created     time.Time   `json:"created"`
	Modified    time.Time   `json:"modified,omitzero"` // zero: never since

	// What MISP's administrators say of a role beside. It is kept, and limits nothing here.
	MemoryLimit      string `json:"memory_limit,omitempty"`
	MaxExecutionTime string `json:"max_execution_time,omitempty"`
	RateLimit        int64  `json:"rate_limit,omitempty"`
	RateLimited      bool   `json:"rate_limited,omitempty"`
	SiteAdminsOnly   bool   `json:"site_admins_only,omitempty"` // nobody else gives it
}

// A TagCollection is tags that are attached together.
type TagCollection struct {
	ID          int64     `json:"id"`
	UUID        UUID      `json:"uuid"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Org         int64     `json:"org"`
	User        int64     `json:"user,omitempty"`
	AllOrgs     bool      `json:"all_orgs,omitempty"` // others may use it, too
	Tags        []int64   `json:"tags"`
	Created     time.Time `json:"created"`
}

// A Feed is a place from which lists or events are read.
type Feed struct {
	ID            int64               `json:"id"`
	Name          string              `json:"name"`
	Provider      string              `json:"provider"`
	URL           string              `json:"url"`
	Format        string              `json:"format"` // misp, csv, freetext
	Local         bool                `json:"local,omitempty"`
	Enabled       bool                `json:"enabled,omitempty"`
	Caching       bool                `json:"caching,omitempty"`
	Visible       bool                `json:"visible,omitempty"` // others than administrators see that it is there
	Distribution  access.Distribution `json:"distribution"`
	Group         int64               `json:"group,omitempty"`
	Orgc          int64               `json:"orgc,omitempty"`
	Tag           int64               `json:"tag,omitempty"`
	TagCollection int64               `json:"tag_collection,omitempty"`
	FixedEvent    bool                `json:"fixed_event,omitempty"`
	Event         int64               `json:"event,omitempty"`
	DeltaMerge    bool                `json:"delta_merge,omitempty"`
	Publish       bool                `json:"publish,omitempty"`
	OverrideIDS   bool                `json:"override_ids,omitempty"`
	ForceIDS      bool                `json:"force_ids,omitempty"`
	Default       bool                `json:"default,omitempty"`      // MISP's community brings it
	DeleteLocal   bool                `json:"delete_local,omitempty"` // once it was read
	Rules         json.RawMessage     `json:"rules,omitempty"`
	Settings      json.RawMessage     `json:"settings,omitempty"`
	Headers       Secret              `json:"headers,omitzero"` // sent along; a key is often among them
	Created       time.Time           `json:"created"`
}

// A Peer is another instance, MISP or Tocsin, with which events are exchanged.
type Peer struct {
	ID            int64           `json:"id"`
	Name          string          `json:"name"`
	URL           string          `json:"url"`
	Org           int64           `json:"org"`    // ours that made it
	Remote        int64           `json:"remote"` // whose instance it is
	Key           Secret          `json:"key,omitzero"`
	Push          bool            `json:"push,omitempty"`
	Pull          bool            `json:"pull,omitempty"`
	PushSightings bool            `json:"push_sightings,omitempty"`
	PushClusters  bool            `json:"push_clusters,omitempty"`
	PullClusters  bool            `json:"pull_clusters,omitempty"`
	PushAnalyst   bool            `json:"push_analyst,omitempty"`
	PullAnalyst   bool            `json:"pull_analyst,omitempty"`
	Caching       bool            `json:"caching,omitempty"`
	Internal      bool            `json:"internal,omitempty"` // same community: distribution is not narrowed
	Unpublish     bool            `json:"unpublish,omitempty"`
	NoMail        bool            `json:"no_mail,omitempty"`
	RemoveTags    bool            `json:"remove_tags,omitempty"` // those that are missing there
	SkipProxy     bool            `json:"skip_proxy,omitempty"`
	Insecure      bool            `json:"insecure,omitempty"`    // self-signed: its certificate is not checked
	Certificate   string          `json:"certificate,omitempty"` // PEM: what to trust
	ClientKey     Secret          `json:"client_key,omitzero"`   // PEM: certificate and key to show
	PullRules     json.RawMessage `json:"pull_rules,omitempty"`
	PushRules     json.RawMessage `json:"push_rules,omitempty"`
	Priority      int64           `json:"priority,omitempty"`
	Created       time.Time       `json:"created"`
}

// A Block keeps an event, or all events that an organisation made, out of the
// instance.
type Block struct {
	ID      int64     `json:"id"`
	Of      Kind      `json:"of"` // KindEvent or KindOrganisation
	UUID    UUID      `json:"uuid"`
	Org     string    `json:"org,omitempty"`  // what it was called, for people
	Info    string    `json:"info,omitempty"` // likewise, of an event
	Comment string    `json:"comment,omitempty"`
	Created time.Time `json:"created"`
}

func (*Role) Kind() Kind          { return KindRole }
func (*TagCollection) Kind() Kind { return KindTagCollection }
func (*Feed) Kind() Kind          { return KindFeed }
func (*Peer) Kind() Kind          { return KindPeer }
func (*Block) Kind() Kind         { return KindBlock }

func (r *Role) RecordID() int64          { return r.ID }
func (t *TagCollection) RecordID() int64 { return t.ID }
func (f *Feed) RecordID() int64          { return f.ID }
func (p *Peer) RecordID() int64          { return p.ID }
func (b *Block) RecordID() int64         { return b.ID }

func (r *Role) SetRecordID(id int64)          { r.ID = id }
func (t *TagCollection) SetRecordID(id int64) { t.ID = id }
func (f *Feed) SetRecordID(id int64)          { f.ID = id }
func (p *Peer) SetRecordID(id int64)          { p.ID = id }
func (b *Block) SetRecordID(id int64)         { b.ID = id }

func (r *Role) RecordName() string          { return r.Name }
func (t *TagCollection) RecordName() string { return t.Name }
func (f *Feed) RecordName() string          { return f.Name }
func (p *Peer) RecordName() string          { return p.Name }
func (b *Block) RecordName() string         { return b.Of.String() + " " + b.UUID.String() }

func (t *TagCollection) RecordUUID() UUID { return t.UUID }
func (b *Block) RecordUUID() UUID         { return b.UUID }

func (f *Feed) Secrets() map[string]*Secret { return map[string]*Secret{"headers": &f.Headers} }
func (p *Peer) Secrets() map[string]*Secret {
	return map[string]*Secret{"key": &p.Key, "client": &p.ClientKey}
}
