package mispapi

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// Bounds of what strangers may leave here.
const (
	maxRegistrations  = 1000
	maxFromOneAddress = 10
	maxRegistration   = 32 << 10 // octets of a request
)

// register takes what somebody says who wants to become a user: whoever asks is nobody
// yet. It is kept until an administrator has looked at it, if they let people ask at all.
func (a *API) register(s *httpd.Server) httpd.PublicHandler {
	return func(w http.ResponseWriter, r *http.Request) error {
		c := &call{API: a, w: w, r: r, act: &action{path: "/users/register"}}
		if r.Method != http.MethodPost {
			return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "This function is only accessible via POST requests.")
		}
		if a.db.Setting(tocsin.OpenRegistration) != "true" {
			return c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, "Self registration is not enabled on this instance.")
		}
		f, err := c.form("User")
		if err != nil {
			return err
		}
		in := &tocsin.Registration{UUID: tocsin.NewUUID(a.db.Now()), Created: a.db.Now(), From: s.Address(r).String(), Agent: r.UserAgent()}
		f.readRegistration(in)
		// Nobody asks later: the record is for site administrators, and all that a stranger
		// learns is that it was taken.
		c.v = access.System("mispapi: somebody asks to become a user")
		if !c.roomFor(in) {
			return tocsin.Errorf(tocsin.Busy, "too many ask to become users; try again later")
		}
		if err := c.keep("register User", f, "email", "Somebody asked with this address already.", func(tx *store.Tx) error { return store.Put(tx, in) }); err != nil {
			return err
		}
		return c.done("Registration request sent.", "/users/register", nil)
	}
}

func (c *call) roomFor(in *tocsin.Registration) bool {
	all, same := 0, 0
	for r := range c.db.As(c.v).Registrations() {
		all++
		if r.From == in.From {
			same++
		}
	}
	return all < maxRegistrations && same < maxFromOneAddress
}

func (f *form) readRegistration(in *tocsin.Registration) {
	var org string
	for name, into := range map[string]*string{"email": &in.Email, "org_name": &in.Org, "org_uuid": &org, "message": &in.Message, "pgp": &in.PGP} {
		f.text(name, into)
	}
	for name, into := range map[string]*bool{"perm_sync": &in.Sync, "perm_publish": &in.Publish, "perm_admin": &in.Admin} {
		f.flag(name, into)
	}
	in.OrgUUID, _ = tocsin.ParseUUID(org)
	if len(in.Agent) > 500 {
		in.Agent = in.Agent[:500]
	}
	if !isEmail.MatchString(in.Email) {
		f.refuse("email", "Please enter a valid email address.")
	}
}

// indexRegistrations answers with those who ask.
func indexRegistrations(c *call) error {
	rows := []any{}
	for r := range c.view.Registrations() {
		sum := sha256.Sum256([]byte(r.Agent))
		said := map[string]any{"email": r.Email, "org_name": r.Org, "message": r.Message, "pgp": r.PGP, "custom_perms": r.Sync || r.Publish || r.Admin,
			"perm_sync": r.Sync, "perm_publish": r.Publish, "perm_admin": r.Admin}
		if !r.OrgUUID.IsZero() {
			said["org_uuid"] = r.OrgUUID
		}
		rows = append(rows, map[string]any{"Inbox": map[string]any{"id": r.ID, "uuid": r.UUID, "title": "User registration for " + r.Email + ".", "type": "registration",
			"ip": r.From, "user_agent": r.Agent, "user_agent_sha256": hex.EncodeToString(sum[:]), "comment": r.Message, "deleted": false,
			"timestamp": r.Created.Unix(), "store_as_file": false,
			"data": said}})
	}
	return c.reply(c.page(rows))
}

func (c *call) registrationMeant() (*tocsin.Registration, error) {
	return small[*tocsin.Registration](c.view, c.arg(0))
}

// acceptRegistration makes a user of somebody who asked, in an organisation and a role
// that the administrator says. They have no password before one is set for them.
func acceptRegistration(c *call) error {
	f, err := c.form("User")
	if err != nil {
		return err
	}
	r, err := c.registrationMeant()
	if err != nil {
		return err
	}
	now := c.db.Now()
	u := &tocsin.User{Email: r.Email, PGP: r.PGP, Role: c.defaultRole(), Created: now, InvitedBy: c.v.User(), ChangePassword: true}
	f.number("org_id", &u.Org)
	if u.Org == 0 {
		return c.no(http.StatusBadRequest, tocsin.Invalid, "No organisation selected. Supply an Organisation ID")
	}
	f.members["email"] = r.Email
	delete(f.members, "password")
	c.readUser(f, u)
	err = c.keep("accept User", f, "email", "An account with this email address already exists.", func(tx *store.Tx) error {
		if err := store.Put(tx, u); err != nil {
			return err
		}
		return store.Remove[*tocsin.Registration](tx, r.ID)
	})
	if err != nil {
		return err
	}
	return c.done("1 registration(s) accepted.", c.r.URL.Path, strings.TrimSpace(c.arg(0)))
}

// discardRegistration forgets somebody who asked.
func discardRegistration(c *call) error {
	r, err := c.registrationMeant()
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Registration](tx, r.ID) }); err != nil {
		return err
	}
	return c.done("1 registration(s) discarded.", c.r.URL.Path, strings.TrimSpace(c.arg(0)))
}
