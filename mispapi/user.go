package mispapi

import (
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// userWords is what every answer says of a user. What we have not is as on a fresh MISP.
func (c *call) userWords(u *tocsin.User) map[string]any {
	var expires any
	if !u.Expires.IsZero() {
		expires = dateTime(u.Expires)
	}
	changed := u.Modified
	if changed.IsZero() {
		changed = u.Created
	}
	var number int64 = firstRuleNumber
	if u.RuleNumber != 0 {
		number = u.RuleNumber
	}
	return map[string]any{
		"id": u.ID, "org_id": u.Org, "email": u.Email, "autoalert": u.Mail.Published, "invited_by": u.InvitedBy, "gpgkey": ofInvited(u, u.PGP),
		"certif_public": u.Certificate, "nids_sid": number, "termsaccepted": u.Terms, "newsread": u.NewsRead, "role_id": u.Role,
		"change_pw": u.ChangePassword, "contactalert": u.Mail.Contact, "disabled": u.Disabled, "expiration": expires, "current_login": 0, "last_login": 0,
		"force_logout": false, "date_created": sinceInvited(u), "date_modified": changed.Unix(), "last_api_access": c.presence.of(u.ID), "last_pw_change": unixOrNull(u.PasswordSet),
	}
}

// viewedUser is a user as the views show one.
func (c *call) viewedUser(u *tocsin.User) map[string]any {
	w := c.userWords(u)
	for name, v := range map[string]any{"password": "*****", "sub": nil, "external_auth_required": false, "external_auth_key": ofInvited(u, ""),
		"notification_daily": u.Mail.Daily, "notification_weekly": u.Mail.Weekly, "notification_monthly": u.Mail.Monthly,
		"totp": "*****", "hotp_counter": nil, "totp_is_set": 0} {
		w[name] = v
	}
	if u.TOTP != nil {
		w["totp_is_set"] = 1
	}
	return w
}

// savedUser is a user as the calls show one that make or change one.
func (c *call) savedUser(u *tocsin.User) map[string]any {
	w := c.viewedUser(u)
	w["password"], w["totp"], w["server_id"] = "******", nil, 0
	return w
}

func unixOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.Unix()
}

// indexUsers answers with the users that the viewer administers.
func indexUsers(c *call) error {
	search, org := strings.ToLower(c.option("value")), refOf(c.option("searchorg")).id
	rows := []any{}
	for u := range c.view.Users() {
		if org != 0 && u.Org != org || !strings.Contains(strings.ToLower(u.Email), search) {
			continue
		}
		w := c.userWords(u)
		w["server_id"] = 0
		role, _ := c.db.Role(u.Role)
		rows = append(rows, map[string]any{"User": w, "Organisation": map[string]any{"id": u.Org, "name": c.briefOrg(u.Org).Name},
			"Role": map[string]any{"id": role.ID, "name": role.Name, "perm_auth": role.Role.May(access.Auth),
				"perm_site_admin": role.Role.May(access.SiteAdmin), "perm_admin": role.Role.May(access.OrgAdmin)}})
	}
	return c.reply(c.page(rows))
}

// userMeant returns the user whom text names: by id, by e-mail address, or "me".
func (c *call) userMeant(text string) (*tocsin.User, error) {
	if text == "me" || text == "" {
		return store.One[*tocsin.User](c.view, c.v.User())
	}
	if strings.Contains(text, "@") {
		return store.ByName[*tocsin.User](c.view, text)
	}
	return store.One[*tocsin.User](c.view, refOf(text).id)
}

// viewUser answers with the user who asks ("me"), or one that they may know of.
func viewUser(c *call) error {
	u, err := c.userMeant(c.arg(0))
	if err != nil {
		return err
	}
	return c.replyUser(u, c.viewedUser(u))
}

// administerUser is viewUser for administrators, who are told whom the user can turn to.
func administerUser(c *call) error {
	u, err := c.userMeant(c.arg(0))
	if err != nil {
		return err
	}
	w := c.viewedUser(u)
	admins := map[string]string{}
	for o := range c.view.Users() {
		if role, _ := c.db.Role(o.Role); o.Org == u.Org && role.Role.May(access.OrgAdmin) && !role.Role.May(access.SiteAdmin) {
			admins[itoa(o.ID)] = o.Email
		}
	}
	w["orgAdmins"] = emptyList(admins)
	return c.replyUser(u, w)
}

func (c *call) replyUser(u *tocsin.User, w map[string]any) error {
	org, _ := store.One[*tocsin.Organisation](c.view, u.Org)
	settings := []any{}
	for s := range c.view.UserSettings() {
		if s.User == u.ID {
			settings = append(settings, userSettingWords(s))
		}
	}
	return c.reply(map[string]any{"User": w, "Role": c.role(u.Role), "UserSetting": settings, "Organisation": c.organisation(org)})
}

// firstRuleNumber is what MISP's first user counts rules from.
const firstRuleNumber = 4000000

var isEmail = regexp.MustCompile(`^[^\s@<>"',;:\\()\[\]]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// readUser reads what administrators may say of a user.
func (c *call) readUser(f *form, u *tocsin.User) {
	c.readProfile(f, u)
	f.number("org_id", &u.Org)
	f.number("role_id", &u.Role)
	f.flag("disabled", &u.Disabled)
	f.flag("change_pw", &u.ChangePassword)
	f.flag("termsaccepted", &u.Terms)
	f.time("expiration", &u.Expires)
	if _, ok := c.db.Role(u.Role); !ok {
		f.refuse("role_id", "Invalid role.")
	}
	o, err := store.One[*tocsin.Organisation](c.view, u.Org)
	if err != nil {
		f.refuse("org_id", "Invalid organisation.")
	} else if !o.Admits(u.Email) {
		f.refuse("email", "Invalid e-mail domain. Users of this organisation have an address in: "+strings.Join(o.Domains, ", "))
	}
}

// readProfile reads what people may say of themselves.
func (c *call) readProfile(f *form, u *tocsin.User) {
	f.text("email", &u.Email)
	f.text("gpgkey", &u.PGP)
	f.text("certif_public", &u.Certificate)
	f.number("nids_sid", &u.RuleNumber)
	f.number("newsread", &u.NewsRead)
	for name, into := range map[string]*bool{"autoalert": &u.Mail.Published, "contactalert": &u.Mail.Contact,
		"notification_daily": &u.Mail.Daily, "notification_weekly": &u.Mail.Weekly, "notification_monthly": &u.Mail.Monthly} {
		f.flag(name, into)
	}
	if !isEmail.MatchString(u.Email) {
		f.refuse("email", "Please enter a valid email address.")
	}
	if u.PGP != "" && !strings.Contains(u.PGP, "BEGIN PGP PUBLIC KEY BLOCK") {
		f.refuse("gpgkey", "GnuPG key not valid, please enter a valid key.")
	}
	c.readPassword(f, u)
}

// readPassword reads a new password. One of stars only is how we show them, and PyMISP
// sends back what it was shown.
func (c *call) readPassword(f *form, u *tocsin.User) {
	var password string
	f.text("password", &password)
	if strings.Trim(password, "*") == "" {
		return
	}
	if err := httpd.CheckStrength(password); err != nil {
		f.refuse("password", err.Error())
		return
	}
	if f.sound() { // hashing takes memory: not for a form that is refused
		u.Password, u.PasswordSet = httpd.HashPassword(password), c.db.Now()
	}
}

// addUser adds a user, with a key if their role lets them use one.
func addUser(c *call) error {
	f, err := c.form("User")
	if err != nil {
		return err
	}
	now := c.db.Now()
	u := &tocsin.User{Org: c.v.Org(), Role: c.defaultRole(), Created: now, InvitedBy: c.v.User(), ChangePassword: true, RuleNumber: 1_000_000 + rand.Int64N(9_000_000)}
	c.readUser(f, u)
	var clear string
	err = c.keep("add User", f, "email", "An account with this email address already exists.", func(tx *store.Tx) error {
		if err := store.Put(tx, u); err != nil {
			return err
		}
		if role, _ := c.db.Role(u.Role); !role.Role.May(access.Auth) {
			return nil
		}
		k := &tocsin.Key{UUID: tocsin.NewUUID(now), User: u.ID, Created: now}
		clear, k.Hash, k.Ends = httpd.NewKey()
		return store.Put(tx, k)
	})
	if err != nil {
		return err
	}
	w := c.savedUser(u)
	if clear != "" {
		w["authkey"] = clear
	}
	return c.reply(map[string]any{"User": w})
}

// editUser changes what the body names of a user, for administrators.
func editUser(c *call) error {
	return c.changeUser(c.readUser)
}

// editProfile is for people themselves.
func editProfile(c *call) error {
	if u, err := c.userMeant(c.arg(0)); err != nil || u.ID != c.v.User() {
		return c.no(http.StatusForbidden, tocsin.Forbidden, notPermitted)
	}
	return c.changeUser(c.readProfile)
}

func (c *call) changeUser(read func(*form, *tocsin.User)) error {
	f, err := c.form("User")
	if err != nil {
		return err
	}
	old, err := c.userMeant(c.arg(0))
	if err != nil {
		return err
	}
	u := *old
	u.Modified = c.db.Now()
	read(f, &u)
	err = c.keep("edit User", f, "email", "An account with this email address already exists.", func(tx *store.Tx) error { return store.Put(tx, &u) })
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"User": c.savedUser(&u)})
}

// changePassword gives who asks another password, which ends their other sessions.
func changePassword(c *call) error {
	f, err := c.form("User")
	if err != nil {
		return err
	}
	me, err := c.userMeant("me")
	if err != nil {
		return err
	}
	u := *me
	u.Modified, u.ChangePassword = c.db.Now(), false
	c.readPassword(f, &u)
	if u.Password == me.Password && f.sound() {
		f.refuse("password", "Please provide a new password.")
	}
	if err := c.keep("change_pw User", f, "password", "", func(tx *store.Tx) error { return store.Put(tx, &u) }); err != nil {
		return err
	}
	return c.done("Password Changed.", c.r.URL.Path, u.ID)
}

// deleteUser removes a user, with their keys and settings.
func deleteUser(c *call) error {
	u, err := c.userMeant(c.arg(0))
	if err != nil {
		return err
	}
	if u.ID == c.v.User() {
		return c.no(http.StatusForbidden, tocsin.Forbidden, "You cannot delete yourself.")
	}
	if _, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.User](tx, u.ID) }); err != nil {
		return err
	}
	return c.done("User deleted.", c.r.URL.Path, c.arg(0))
}

// defaultRole is the role of a new user of whom nobody says another.
func (c *call) defaultRole() int64 {
	id, err := strconv.ParseInt(c.db.Setting(tocsin.DefaultRole), 10, 64)
	if _, ok := c.db.Role(id); err != nil || !ok {
		return usersRole
	}
	return id
}

const usersRole = 3 // "User"
