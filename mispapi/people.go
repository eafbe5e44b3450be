package mispapi

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// An organisation as MISP has it. What we have not is as on a fresh MISP.
type organisation struct {
	ID          int64       `json:"id"`
	Name        string      `json:"name"`
	Created     string      `json:"date_created"`
	Modified    string      `json:"date_modified"`
	Description *string     `json:"description"`
	Type        string      `json:"type"`
	Nationality string      `json:"nationality"`
	Sector      string      `json:"sector"`
	CreatedBy   int64       `json:"created_by"`
	UUID        tocsin.UUID `json:"uuid"`
	Contacts    *string     `json:"contacts"`
	Local       bool        `json:"local"`
	Domains     []string    `json:"restricted_to_domain"`
}

// landing is what most answers have of an organisation beside.
type landing struct {
	Page *string `json:"landingpage"`
}

// counted is what the index and the view of organisations say beside.
type counted struct {
	Users   int    `json:"user_count"`
	Creator string `json:"created_by_email"`
}

func (c *call) words(o *tocsin.Organisation) organisation {
	if o == nil {
		return organisation{}
	}
	at := o.Created.UTC().Format(time.DateTime)
	return organisation{ID: o.ID, Name: o.Name, Created: at, Modified: at, Description: orNull(o.Description), Type: o.Type,
		Nationality: o.Nationality, Sector: o.Sector, UUID: o.UUID, Contacts: orNull(o.Contacts), Local: o.Local}
}

// organisation is an organisation as it stands in a group or beside a user.
func (c *call) organisation(o *tocsin.Organisation) any {
	return struct {
		organisation
		landing
	}{c.words(o), landing{}}
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// counted counts the users that the viewer may know of.
func (c *call) counted(org int64) counted {
	n := 0
	for u := range c.view.Users() {
		if u.Org == org {
			n++
		}
	}
	return counted{n, "Unknown"}
}

// indexOrganisations answers with the organisations: those that have users here,
// unless scope:all or scope:external says otherwise.
func indexOrganisations(c *call) error {
	scope := c.named["scope"]
	if scope == "" {
		scope = c.r.URL.Query().Get("scope")
	}
	rows := []any{}
	for _, o := range slices.SortedFunc(c.view.Organisations(), func(a, b *tocsin.Organisation) int { return strings.Compare(a.Name, b.Name) }) {
		if scope != "all" && o.Local != (scope != "external") {
			continue
		}
		rows = append(rows, map[string]any{"Organisation": struct {
			organisation
			landing
			counted
		}{c.words(o), landing{}, c.counted(o.ID)}})
	}
	return c.reply(rows)
}

// viewOrganisation answers with one organisation.
func viewOrganisation(c *call) error {
	o, err := small[*tocsin.Organisation](c.view, c.arg(0))
	if err != nil {
		if o, err = store.ByName[*tocsin.Organisation](c.view, c.arg(0)); err != nil {
			return err
		}
	}
	if c.r.Method == http.MethodHead {
		return nil
	}
	return c.reply(map[string]any{"Organisation": struct {
		organisation
		counted
	}{c.words(o), c.counted(o.ID)}})
}

// A role as MISP has it: its powers are written out.
type role map[string]any

// rolesSince is when the roles were made: they come with the program.
const rolesSince = "2026-01-01 00:00:00"

func roleOf(n access.NamedRole) role {
	may := n.Role.May
	r := role{"id": n.ID, "name": n.Name, "created": rolesSince, "modified": rolesSince, "default_role": n.ID == defaultRole,
		"memory_limit": nil, "max_execution_time": nil, "restricted_to_site_admin": false, "enforce_rate_limit": false,
		"rate_limit_count": 0, "perm_audit": true, "perm_skip_otp": false}
	for perm, p := range map[string]access.Permission{
		"perm_add": access.Add, "perm_modify": access.Add, "perm_modify_org": access.ModifyOrg, "perm_publish": access.Publish,
		"perm_delegate": access.Publish, "perm_sync": access.Sync, "perm_admin": access.OrgAdmin, "perm_auth": access.Auth,
		"perm_site_admin": access.SiteAdmin, "perm_regexp_access": access.SiteAdmin, "perm_tagger": access.Tag, "perm_template": access.OrgAdmin,
		"perm_sharing_group": access.SharingGroup, "perm_tag_editor": access.TagEditor, "perm_sighting": access.Sighting,
		"perm_object_template": access.SiteAdmin, "perm_publish_zmq": access.Publish, "perm_publish_kafka": access.Publish,
		"perm_decaying": access.Add, "perm_galaxy_editor": access.GalaxyEditor, "perm_warninglist": access.SiteAdmin,
		"perm_view_feed_correlations": access.SiteAdmin, "perm_analyst_data": access.Analyst,
	} {
		r[perm] = may(p)
	}
	r["permission"], r["permission_description"] = "0", "read_only"
	switch {
	case may(access.Publish):
		r["permission"], r["permission_description"] = "3", "publish"
	case may(access.ModifyOrg):
		r["permission"], r["permission_description"] = "2", "manage_org"
	}
	return r
}

const defaultRole = 3 // "User"

// indexRoles answers with the roles that there are.
func indexRoles(c *call) error {
	rows := []any{}
	for _, n := range access.Roles {
		r := roleOf(n)
		r["default"] = n.ID == defaultRole
		rows = append(rows, map[string]any{"Role": r})
	}
	for r := range c.view.Roles() {
		rows = append(rows, map[string]any{"Role": roleOf(access.NamedRole{ID: r.ID, Name: r.Name, Role: r.Permissions})})
	}
	return c.reply(rows)
}

// viewUser answers with the user who asks ("me"), or one that they may know of.
func viewUser(c *call) error {
	id := refOf(c.arg(0)).id
	if c.arg(0) == "me" {
		id = c.v.User()
	}
	u, err := store.One[*tocsin.User](c.view, id)
	if err != nil {
		return err
	}
	org, _ := store.One[*tocsin.Organisation](c.view, u.Org)
	named, _ := c.db.Role(u.Role)
	return c.reply(map[string]any{"User": userWords(u), "Role": roleOf(named), "UserSetting": []any{}, "Organisation": c.organisation(org)})
}

// userWords is a user as MISP has it. What we have not is as on a fresh MISP.
func userWords(u *tocsin.User) map[string]any {
	var since any
	if !u.Created.IsZero() {
		since = u.Created.Unix()
	}
	return map[string]any{
		"id": u.ID, "password": "*****", "org_id": u.Org, "email": u.Email, "autoalert": false, "invited_by": 0, "gpgkey": nil,
		"certif_public": "", "nids_sid": 4000000, "termsaccepted": true, "newsread": 0, "role_id": u.Role, "change_pw": false,
		"contactalert": false, "disabled": u.Disabled, "expiration": nil, "current_login": 0, "last_login": 0, "force_logout": false,
		"date_created": since, "date_modified": since, "sub": nil, "external_auth_required": false, "external_auth_key": nil,
		"last_api_access": 0, "notification_daily": false, "notification_weekly": false, "notification_monthly": false, "totp": "*****",
		"hotp_counter": nil, "last_pw_change": nil, "totp_is_set": 0,
	}
}
