package mispapi

import (
	"fmt"
	"maps"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// rolesSince is when MISP's roles were made: they come with the program.
const rolesSince = "2026-01-01 00:00:00"

// powers are what a role may do, by MISP's names.
var powers = map[string]access.Permission{
	"perm_add": access.Add, "perm_modify": access.Add, "perm_modify_org": access.ModifyOrg, "perm_publish": access.Publish,
	"perm_delegate": access.Delegate, "perm_sync": access.Sync, "perm_admin": access.OrgAdmin, "perm_audit": access.Audit, "perm_auth": access.Auth,
	"perm_site_admin": access.SiteAdmin, "perm_regexp_access": access.Regexp, "perm_tagger": access.Tag, "perm_template": access.Template,
	"perm_sharing_group": access.SharingGroup, "perm_tag_editor": access.TagEditor, "perm_sighting": access.Sighting,
	"perm_object_template": access.ObjectTemplate, "perm_publish_zmq": access.ZMQ, "perm_publish_kafka": access.Kafka,
	"perm_decaying": access.Decaying, "perm_galaxy_editor": access.GalaxyEditor, "perm_warninglist": access.Warninglist,
	"perm_view_feed_correlations": access.FeedCorrelations, "perm_analyst_data": access.Analyst,
}

// roleWords is a role as MISP has it: its powers are written out.
func (c *call) roleWords(r *tocsin.Role) map[string]any {
	w := map[string]any{"id": r.ID, "name": r.Name, "created": rolesSince, "modified": rolesSince, "default_role": r.ID == c.defaultRole(),
		"memory_limit": orNull(r.MemoryLimit), "max_execution_time": orNull(r.MaxExecutionTime), "restricted_to_site_admin": r.SiteAdminsOnly,
		"enforce_rate_limit": r.RateLimited, "rate_limit_count": r.RateLimit, "perm_skip_otp": false}
	if !r.Created.IsZero() {
		w["created"], w["modified"] = dateTime(r.Created), dateTime(r.Created)
	}
	if !r.Modified.IsZero() {
		w["modified"] = dateTime(r.Modified)
	}
	may := r.Permissions.May
	for name, p := range powers {
		w[name] = may(p)
	}
	w["permission"], w["permission_description"] = "0", "read_only"
	switch {
	case may(access.Publish):
		w["permission"], w["permission_description"] = "3", "publish"
	case may(access.ModifyOrg):
		w["permission"], w["permission_description"] = "2", "manage_org"
	case may(access.Add):
		w["permission"], w["permission_description"] = "1", "manage_own"
	}
	return w
}

// role is the role of that id, MISP's or the instance's own. Everyone may know what a
// role is.
func (c *call) role(id int64) map[string]any {
	if r, err := store.One[*tocsin.Role](c.view, id); err == nil {
		return c.roleWords(r)
	}
	named, _ := access.RoleByID(id)
	return c.roleWords(&tocsin.Role{ID: named.ID, Name: named.Name, Permissions: named.Role})
}

// indexRoles answers with the roles that there are.
func indexRoles(c *call) error {
	rows := []any{}
	add := func(id int64) {
		w := c.role(id)
		w["default"] = w["default_role"]
		rows = append(rows, map[string]any{"Role": w})
	}
	for _, r := range access.Roles {
		add(r.ID)
	}
	for r := range c.view.Roles() {
		add(r.ID)
	}
	return c.reply(rows)
}

// viewRole answers with one role.
func viewRole(c *call) error {
	id := refOf(c.arg(0)).id
	if _, ok := c.db.Role(id); !ok {
		return tocsin.Errorf(tocsin.NotFound, "no role %s", c.arg(0))
	}
	return c.reply(map[string]any{"Role": c.role(id)})
}

// readRole reads what may be said of a role.
func (f *form) readRole(r *tocsin.Role) {
	f.text("name", &r.Name)
	f.text("memory_limit", &r.MemoryLimit)
	f.text("max_execution_time", &r.MaxExecutionTime)
	f.number("rate_limit_count", &r.RateLimit)
	f.flag("enforce_rate_limit", &r.RateLimited)
	f.flag("restricted_to_site_admin", &r.SiteAdminsOnly)
	for _, name := range slices.Sorted(maps.Keys(powers)) {
		if name == "perm_modify" && f.has("perm_add") || !f.has(name) {
			continue // who may add may change what they added
		}
		r.Permissions &^= access.Role(powers[name])
		if truthy(f.members[name]) {
			r.Permissions |= access.Role(powers[name])
		}
	}
	if truthy(f.members["perm_skip_otp"]) {
		f.refuse("perm_skip_otp", "Nobody is let in without their second factor here.")
	}
	switch {
	case r.Name == "":
		f.refuse("name", "Name cannot be empty.")
	case len(r.Name) > 255:
		f.refuse("name", "This is longer than 255 characters.")
	}
}

// addRole adds a role of the instance's own.
func addRole(c *call) error {
	f, err := c.form("Role")
	if err != nil {
		return err
	}
	r := &tocsin.Role{Created: c.db.Now()}
	f.readRole(r)
	return c.putRole("add Role", f, r)
}

// editRole changes what the body names of a role of the instance's own.
func editRole(c *call) error {
	f, err := c.form("Role")
	if err != nil {
		return err
	}
	old, err := c.ownRole()
	if err != nil {
		return err
	}
	r := *old
	r.Modified = c.db.Now()
	f.readRole(&r)
	return c.putRole("edit Role", f, &r)
}

func (c *call) putRole(what string, f *form, r *tocsin.Role) error {
	if err := c.keep(what, f, "name", "A role with this name already exists.", func(tx *store.Tx) error { return store.Put(tx, r) }); err != nil {
		return err
	}
	return c.reply(map[string]any{"Role": c.roleWords(r)})
}

// ownRole returns the role that the path names, unless it is MISP's: those are what
// clients know them to be.
func (c *call) ownRole() (*tocsin.Role, error) {
	id := refOf(c.arg(0)).id
	if named, ok := access.RoleByID(id); ok {
		return nil, c.unsaved("edit Role", c.r.URL.Path, map[string][]string{"name": {fmt.Sprintf("The role %s comes with every exchange, and stays as it is. Make one of your own.", named.Name)}}, nil)
	}
	return store.One[*tocsin.Role](c.view, id)
}

// deleteRole removes a role of the instance's own that nobody has.
func deleteRole(c *call) error {
	r, err := c.ownRole()
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Role](tx, r.ID) })
	if tocsin.CodeOf(err) == tocsin.Conflict {
		return c.unsaved("delete Role", c.r.URL.Path, err.Error(), nil)
	}
	if err != nil {
		return err
	}
	return c.done("Role deleted", c.r.URL.Path, r.ID)
}

// setDefaultRole says which role new users have of whom nobody says another.
func setDefaultRole(c *call) error {
	id := refOf(c.arg(0)).id
	if _, ok := c.db.Role(id); !ok {
		return tocsin.Errorf(tocsin.NotFound, "no role %s", c.arg(0))
	}
	if err := c.decide(tocsin.DefaultRole, itoa(id)); err != nil {
		return err
	}
	return c.done("Default role set.", c.r.URL.Path, c.arg(0))
}

// decide keeps a setting of the instance.
func (c *call) decide(name, value string) error {
	_, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		s := &tocsin.Setting{Name: name, Value: value}
		if old, err := store.Named[*tocsin.Setting](tx, name); err == nil {
			s.ID = old.ID
		}
		return store.Put(tx, s)
	})
	return err
}
