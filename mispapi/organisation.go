package mispapi

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/store"
)

// An organisation as MISP has it.
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
	changed := o.Modified
	if changed.IsZero() {
		changed = o.Created
	}
	return organisation{ID: o.ID, Name: o.Name, Created: dateTime(o.Created), Modified: dateTime(changed), Description: orNull(o.Description), Type: o.Type,
		Nationality: o.Nationality, Sector: o.Sector, CreatedBy: o.CreatedBy, UUID: o.UUID, Contacts: orNull(o.Contacts), Local: o.Local, Domains: domainsOf(o)}
}

func dateTime(t time.Time) string { return t.UTC().Format(time.DateTime) }

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
func (c *call) counted(o *tocsin.Organisation) counted {
	n := counted{Creator: "Unknown"}
	for u := range c.view.Users() {
		if u.Org == o.ID {
			n.Users++
		}
		if u.ID == o.CreatedBy {
			n.Creator = u.Email
		}
	}
	return n
}

// indexOrganisations answers with the organisations: those that have users here,
// unless scope:all or scope:external says otherwise.
func indexOrganisations(c *call) error {
	scope, search := c.option("scope"), strings.ToLower(c.option("searchall"))
	rows := []any{}
	for _, o := range slices.SortedFunc(c.view.Organisations(), func(a, b *tocsin.Organisation) int { return strings.Compare(a.Name, b.Name) }) {
		if scope != "all" && o.Local != (scope != "external") || !strings.Contains(searched(o), search) {
			continue
		}
		rows = append(rows, map[string]any{"Organisation": struct {
			organisation
			landing
			counted
		}{c.words(o), landing{}, c.counted(o)}})
	}
	return c.reply(c.page(rows))
}

// searched is the text of an organisation in which searchall looks.
func searched(o *tocsin.Organisation) string {
	return strings.ToLower(strings.Join([]string{o.Name, o.Description, o.Nationality, o.Sector, o.Type, o.Contacts, o.UUID.String()}, "\n"))
}

// organisationMeant returns the organisation that the path names by id, uuid or name.
func (c *call) organisationMeant() (*tocsin.Organisation, error) {
	o, err := small[*tocsin.Organisation](c.view, c.arg(0))
	if err != nil {
		o, err = store.ByName[*tocsin.Organisation](c.view, c.arg(0))
	}
	return o, err
}

// viewOrganisation answers with one organisation.
func viewOrganisation(c *call) error {
	o, err := c.organisationMeant()
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodHead {
		return nil
	}
	return c.reply(map[string]any{"Organisation": struct {
		organisation
		counted
	}{c.words(o), c.counted(o)}})
}

// readOrganisation reads what a body says of an organisation into o.
func (f *form) readOrganisation(o *tocsin.Organisation) {
	for name, into := range map[string]*string{"name": &o.Name, "description": &o.Description, "nationality": &o.Nationality,
		"sector": &o.Sector, "type": &o.Type, "contacts": &o.Contacts} {
		f.text(name, into)
	}
	f.flag("local", &o.Local)
	f.texts("restricted_to_domain", &o.Domains)
	for _, d := range o.Domains {
		if !isDomain.MatchString(d) {
			f.refuse("restricted_to_domain", "One or more of the domains is invalid.")
			break
		}
	}
	if o.Name == "" {
		f.refuse("name", "Name cannot be empty.")
	}
	if len(o.Name) > 255 {
		f.refuse("name", "This is longer than 255 characters.")
	}
}

var isDomain = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// addOrganisation adds an organisation, which has users here unless the body says that
// it is not local.
func addOrganisation(c *call) error {
	f, err := c.form("Organisation")
	if err != nil {
		return err
	}
	now := c.db.Now()
	o := &tocsin.Organisation{Local: true, Created: now, CreatedBy: c.v.User()}
	f.readOrganisation(o)
	o.UUID = f.uuid(now)
	return c.putOrganisation("add Organisation", f, o)
}

// uuid reads the uuid that a new record is to have, or draws one.
func (f *form) uuid(now time.Time) tocsin.UUID {
	var text string
	f.text("uuid", &text)
	if text == "" {
		return tocsin.NewUUID(now)
	}
	u, err := tocsin.ParseUUID(text)
	if err != nil {
		f.refuse("uuid", "Please provide a valid RFC 4122 UUID")
	}
	return u
}

// editOrganisation changes what the body names of an organisation.
func editOrganisation(c *call) error {
	f, err := c.form("Organisation")
	if err != nil {
		return err
	}
	old, err := c.organisationMeant()
	if err != nil {
		return err
	}
	o := *old
	o.Modified = c.db.Now()
	f.readOrganisation(&o)
	return c.putOrganisation("edit Organisation", f, &o)
}

func (c *call) putOrganisation(what string, f *form, o *tocsin.Organisation) error {
	if other, err := store.ByUUID[*tocsin.Organisation](c.view, o.UUID); err == nil && other.ID != o.ID {
		f.refuse("uuid", "An organisation with this UUID already exists.")
	}
	err := c.keep(what, f, "name", "An organisation with this name already exists.", func(tx *store.Tx) error { return store.Put(tx, o) })
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"Organisation": c.organisation(o)})
}

// deleteOrganisation removes an organisation that nothing needs any more.
func deleteOrganisation(c *call) error {
	o, err := c.organisationMeant()
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Organisation](tx, o.ID) })
	if tocsin.CodeOf(err) == tocsin.Conflict {
		return c.unsaved("delete Organisation", c.r.URL.Path, []any{}, c.arg(0))
	}
	if err != nil {
		return err
	}
	return c.done("Organisation deleted", c.r.URL.Path, c.arg(0))
}
