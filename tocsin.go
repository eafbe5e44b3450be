// Package tocsin defines the words of the exchange. An [Event] is what one
// organisation reports; an [Attribute] is its claim, within an event, about an
// indicator; a [Change] is one line of the log of everything that ever happened
// to them. Packages below this one know values and access; packages above it
// know storage, formats and protocols.
package tocsin

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"tocsin/access"
	"tocsin/indicator"
)

// An Event is what one organisation reports (MISP core format, section 2.2).
type Event struct {
	ID           int64
	UUID         UUID
	Org          int64  // who holds it on this instance
	Orgc         int64  // who created it, anywhere
	User         int64  // who entered it here
	Info         string // what it is about
	Date         string // YYYY-MM-DD
	Threat       uint8  // 1 high, 2 medium, 3 low, 4 undefined
	Analysis     uint8  // 0 initial, 1 ongoing, 2 complete
	Distribution access.Distribution
	Group        int64 // sharing group, where Distribution is access.Group
	Published    bool
	PublishedAt  int64 // seconds since 1970, 0 if never
	Timestamp    int64 // of the last change, seconds since 1970
	Locked       bool  // came from another instance
	NoCorrelate  bool
	Extends      UUID
	Tags         TagSet
	Label        access.LabelID // follows from Org, Distribution, Group and Tags
	Seq          Seq            // the last log line about it
	Attributes   int            // how many the viewer may see, deleted ones left out
	Restricted   int            // how many of all not everyone may see who sees the event
}

// An Attribute is a claim about an indicator (MISP core format, section 2.4).
type Attribute struct {
	ID           int64
	UUID         UUID
	Event        int64
	Object       int64  // 0 if it stands by itself
	Relation     string // its role in the object
	Category     indicator.Category
	Value        indicator.Value
	Comment      string
	ToIDS        bool // act on it
	Deleted      bool // withdrawn; kept so that peers learn of it
	NoCorrelate  bool
	Distribution access.Distribution
	Group        int64
	Timestamp    int64     // seconds since 1970
	FirstSeen    time.Time // zero if not said; microseconds
	LastSeen     time.Time
	Seen         int64 // when it was last known to hold, seconds since 1970; see [Lifetime]
	Ends         int64 // when it is over, as its owner says; 0 if not said
	Tags         TagSet
	Label        access.LabelID // settled within its object; a reader needs the event's too
	Seq          Seq            // the last log line about it

	Guard        Verdict // what the guards say of its value
	Override     string  // why its owner wants it blocked all the same; "": it does not
	OverriddenBy int64   // the user who said so
}

// An Object groups attributes by a template (MISP core format, section 2.5).
type Object struct {
	ID              int64
	UUID            UUID
	Event           int64
	Name            string
	MetaCategory    string
	Description     string
	TemplateUUID    UUID
	TemplateVersion int
	Comment         string
	Distribution    access.Distribution
	Group           int64
	Timestamp       int64
	FirstSeen       time.Time
	LastSeen        time.Time
	Deleted         bool
	Label           access.LabelID
	Seq             Seq
}

// An Organisation takes part in the exchange.
type Organisation struct {
	ID          int64     `json:"id"`
	UUID        UUID      `json:"uuid"`
	Name        string    `json:"name"`
	Description string    `json:"description,omitempty"`
	Nationality string    `json:"nationality,omitempty"`
	Sector      string    `json:"sector,omitempty"`
	Type        string    `json:"type,omitempty"`
	Contacts    string    `json:"contacts,omitempty"`
	Local       bool      `json:"local"` // has users here
	Created     time.Time `json:"created"`
	Modified    time.Time `json:"modified,omitzero"` // zero: never since
	CreatedBy   int64     `json:"created_by,omitempty"`
	Domains     []string  `json:"domains,omitempty"` // of its users' e-mail addresses; none: any
}

// Admits reports whether somebody with that e-mail address may be a user of o.
func (o *Organisation) Admits(email string) bool {
	_, domain, _ := strings.Cut(email, "@")
	return len(o.Domains) == 0 || slices.ContainsFunc(o.Domains, func(d string) bool { return strings.EqualFold(d, domain) })
}

// A User is a person of an organisation.
type User struct {
	ID       int64     `json:"id"`
	Org      int64     `json:"org"`
	Email    string    `json:"email"`
	Role     int64     `json:"role"`               // see access.Roles
	Password string    `json:"password,omitempty"` // argon2id, never in clear
	Disabled bool      `json:"disabled,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
	TOTP     *Secret   `json:"totp,omitempty"` // shared with the user's authenticator (RFC 6238)
	Created  time.Time `json:"created"`

	Modified       time.Time `json:"modified,omitzero"` // zero: never since
	InvitedBy      int64     `json:"invited_by,omitempty"`
	PasswordSet    time.Time `json:"password_set,omitzero"`
	ChangePassword bool      `json:"change_password,omitempty"` // is asked to choose another
	Terms          bool      `json:"terms,omitempty"`           // accepted them
	NewsRead       int64     `json:"news_read,omitempty"`
	PGP            string    `json:"pgp,omitempty"`         // public key, armoured
	Certificate    string    `json:"certificate,omitempty"` // S/MIME, PEM
	RuleNumber     int64     `json:"rule_number,omitempty"` // the first of rules written for intrusion detection
	Mail           Mail      `json:"mail,omitzero"`
}

// Mail is what a user wants to be told by mail.
type Mail struct {
	Published bool `json:"published,omitempty"` // each event as it is published
	Contact   bool `json:"contact,omitempty"`   // what others ask of one's organisation's events
	Daily     bool `json:"daily,omitempty"`
	Weekly    bool `json:"weekly,omitempty"`
	Monthly   bool `json:"monthly,omitempty"`
}

// Ended reports whether the user may sign in no more.
func (u *User) Ended(now time.Time) bool {
	return u.Disabled || !u.Expires.IsZero() && !now.Before(u.Expires)
}

// A Key lets a program act for a user. The key itself is not kept.
type Key struct {
	ID       int64          `json:"id"`
	UUID     UUID           `json:"uuid"`
	User     int64          `json:"user"`
	Hash     string         `json:"hash"` // SHA-256 of the key, hexadecimal
	Ends     string         `json:"ends"` // first and last four characters, to tell keys apart
	Comment  string         `json:"comment,omitempty"`
	ReadOnly bool           `json:"read_only,omitempty"`
	Allow    []netip.Prefix `json:"allow,omitempty"` // from where it may be used; empty: anywhere
	Expires  time.Time      `json:"expires,omitzero"`
	Ceiling  access.TLP     `json:"ceiling,omitempty"` // the strictest TLP that it shows; 0: no limit
	Created  time.Time      `json:"created"`
}

// Ended reports whether the key works no more.
func (k *Key) Ended(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// A Collection is a named selection of claims for subscribers to act on.
//
// It holds what was put into it by name, that is what carries its local tag
// ([Collection.Tag]), and what its filter matches; of that, only what the
// organisations in Sources claim, and only published claims marked to_ids that
// may leave.
type Collection struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Org     int64     `json:"org"`                // the owner
	Zone    string    `json:"zone,omitempty"`     // origin of its DNS policy zone
	HotZone string    `json:"hot_zone,omitempty"` // origin of the small zone for what is new
	IPZone  string    `json:"ip_zone,omitempty"`  // origin of the zone of addresses that answers must not hold
	NSZone  string    `json:"ns_zone,omitempty"`  // origin of the zone of name servers, by name and address
	Action  Action    `json:"action,omitempty"`   // what its zones do; "" is NXDomain
	Pass    bool      `json:"pass,omitempty"`     // an allow list: what it holds is let through
	Filter  string    `json:"filter,omitempty"`
	Sources []int64   `json:"sources"` // whose word is enough to block
	Created time.Time `json:"created"`

	// A name that is new goes into HotZone, a merge copies it to Zone, and it
	// leaves HotZone later. Both are lines of the log, since nothing but the log
	// decides what is where: names that began at or before MergedUpTo are in Zone,
	// names that began after HotDropUpTo are in HotZone. Neither ever goes back,
	// reaches beyond the line that it came with, or (HotDropUpTo) passes
	// MergedUpTo, so there is no gap between them.
	MergedUpTo  Seq `json:"merged_up_to,omitempty"`
	HotDropUpTo Seq `json:"hot_drop_up_to,omitempty"`
}

// Tag is the name of the local tag that puts a claim or a whole event into the
// collection, so that MISP clients can do it too.
func (c *Collection) Tag() string { return CollectionTag(c.Name) }

// Zones are the origins of the zones that it is served as, in lower case and
// without the final dot.
func (c *Collection) Zones() (origins []string) {
	for _, o := range []string{c.Zone, c.HotZone, c.IPZone, c.NSZone} {
		if o = strings.ToLower(strings.TrimSuffix(o, ".")); o != "" {
			origins = append(origins, o)
		}
	}
	return origins
}

// CollectionTag is the name of the local tag for the collection of that name.
func CollectionTag(name string) string { return `tocsin:collection="` + name + `"` }

// A Subscriber receives a collection: a resolver, a firewall, a SIEM.
type Subscriber struct {
	ID         int64            `json:"id"`
	Name       string           `json:"name"`
	Collection int64            `json:"collection"`
	Also       []int64          `json:"also,omitempty"`    // more collections that it receives, as an allow list
	Org        int64            `json:"org"`               // for whom it asks
	Action     Action           `json:"action,omitempty"`  // its own; "" is that of each collection
	Exclude    []string         `json:"exclude,omitempty"` // what it does not act on, see ParseExclusions
	Allow      []netip.Prefix   `json:"allow,omitempty"`   // from where it may transfer
	Notify     []netip.AddrPort `json:"notify,omitempty"`  // where NOTIFY goes
	TSIG       *TSIG            `json:"tsig,omitempty"`

	// Certificates are those that it shows when it transfers over TLS, one of
	// which it must: SHA-256 of the certificate or of its public key
	// (SubjectPublicKeyInfo), in lower-case hex. Empty: it need show none.
	Certificates []string `json:"certificates,omitempty"`

	// Feed is the SHA-256 of the secret in the address of its zone files, in hex.
	// Empty: it has none.
	Feed string `json:"feed,omitempty"`

	Created time.Time `json:"created"`
}

// Collections are all that it receives.
func (s *Subscriber) Collections() []int64 { return append([]int64{s.Collection}, s.Also...) }

// Receives reports whether it receives a collection.
func (s *Subscriber) Receives(collection int64) bool {
	return s.Collection == collection || slices.Contains(s.Also, collection)
}

// A TSIG key authenticates transfers (RFC 8945). Its secret has to be readable.
type TSIG struct {
	Name      string `json:"name"`
	Algorithm string `json:"algorithm"`
	Secret    Secret `json:"secret,omitzero"`
}

// An Import fills one event from one list, batch by batch.
type Import struct {
	ID         int64     `json:"id"`
	Event      int64     `json:"event"`
	Org        int64     `json:"org"`
	User       int64     `json:"user"`
	Name       string    `json:"name"`
	State      string    `json:"state"` // running, done, interrupted
	Read       int64     `json:"read"`
	Written    int64     `json:"written"`
	Duplicates int64     `json:"duplicates"`
	Refused    int64     `json:"refused"`
	Withdrawn  int64     `json:"withdrawn,omitempty"` // taken back before, and not revived
	Started    time.Time `json:"started"`
	Ended      time.Time `json:"ended,omitzero"`
}
