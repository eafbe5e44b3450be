package tocsin

import (
	"encoding/json"
	"strconv"
	"time"
)

// What belongs to people beside their account.
const (
	KindUserSetting Kind = iota + 60
	KindRegistration
	KindAllowed
)

// A UserSetting is something that a user decided for themselves.
type UserSetting struct {
	ID       int64           `json:"id"`
	User     int64           `json:"user"`
	Name     string          `json:"name"`
	Value    json.RawMessage `json:"value"`
	Modified time.Time       `json:"modified"`
}

// A Registration is somebody who asks to become a user. Nothing of it is true before an
// administrator has looked at it.
type Registration struct {
	ID      int64     `json:"id"`
	UUID    UUID      `json:"uuid"`
	Email   string    `json:"email"`
	Org     string    `json:"org,omitempty"`
	OrgUUID UUID      `json:"org_uuid,omitzero"`
	Role    string    `json:"role,omitempty"`
	Message string    `json:"message,omitempty"`
	PGP     string    `json:"pgp,omitempty"`
	Sync    bool      `json:"sync,omitempty"` // wants to speak for another instance
	Publish bool      `json:"publish,omitempty"`
	Admin   bool      `json:"admin,omitempty"`
	From    string    `json:"from,omitempty"` // the address of whoever asked
	Agent   string    `json:"agent,omitempty"`
	Created time.Time `json:"created"`
}

// An Allowed entry is an expression whose matches are left out of what is searched and
// exported: the values are known to be harmless here.
type Allowed struct {
	ID      int64     `json:"id"`
	Pattern string    `json:"pattern"` // /…/ with options, as in Perl
	Created time.Time `json:"created"`
}

func (*UserSetting) Kind() Kind  { return KindUserSetting }
func (*Registration) Kind() Kind { return KindRegistration }
func (*Allowed) Kind() Kind      { return KindAllowed }

func (s *UserSetting) RecordID() int64  { return s.ID }
func (r *Registration) RecordID() int64 { return r.ID }
func (a *Allowed) RecordID() int64      { return a.ID }

func (s *UserSetting) SetRecordID(id int64)  { s.ID = id }
func (r *Registration) SetRecordID(id int64) { r.ID = id }
func (a *Allowed) SetRecordID(id int64)      { a.ID = id }

// RecordName holds whose it is: everybody may decide the same thing.
func (s *UserSetting) RecordName() string  { return strconv.FormatInt(s.User, 10) + " " + s.Name }
func (r *Registration) RecordName() string { return r.Email }
func (a *Allowed) RecordName() string      { return a.Pattern }

func (r *Registration) RecordUUID() UUID { return r.UUID }
