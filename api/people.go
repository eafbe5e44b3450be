package api

import (
	"encoding/json"
	"net/netip"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// In the shapes below, what stands under "read only" is shown and, in a request,
// left aside: so what was read can be changed and sent back.

type organisation struct {
	// read only
	ID      int64       `json:"id"`
	Created time.Time   `json:"created"`
	UUID    tocsin.UUID `json:"uuid"` // may be set when it is added

	Name        string `json:"name"`
	Description string `json:"description"`
	Nationality string `json:"nationality"`
	Sector      string `json:"sector"`
	Type        string `json:"type"`
	Contacts    string `json:"contacts"`
	Local       bool   `json:"local"`
}

func (a *API) organisations() kind[*tocsin.Organisation, organisation] {
	return kind[*tocsin.Organisation, organisation]{
		db: a.db, list: store.View.Organisations,
		show: func(_ store.View, o *tocsin.Organisation) organisation {
			return organisation{o.ID, o.Created, o.UUID, o.Name, o.Description, o.Nationality, o.Sector, o.Type, o.Contacts, o.Local}
		},
		set: func(tx *store.Tx, old *tocsin.Organisation, in *organisation) (*tocsin.Organisation, once, error) {
			o := &tocsin.Organisation{UUID: in.UUID, Created: tx.Now(), CreatedBy: tx.Viewer().User()}
			if old != nil {
				was := *old
				o, was.Modified = &was, tx.Now()
			}
			o.Name, o.Description, o.Nationality = strings.TrimSpace(in.Name), in.Description, in.Nationality
			o.Sector, o.Type, o.Contacts, o.Local = in.Sector, in.Type, in.Contacts, in.Local
			if o.UUID.IsZero() {
				o.UUID = tocsin.NewUUID(tx.Now())
			}
			return o, once{}, nil
		},
	}
}

type user struct {
	// read only
	ID      int64     `json:"id"`
	OrgName string    `json:"org_name"`
	Created time.Time `json:"created"`

	Email    string    `json:"email"`
	Org      ref       `json:"org"`  // the viewer's, if not said
	Role     roleName  `json:"role"` // by name or number; "User" if not said
	Disabled bool      `json:"disabled"`
	Expires  time.Time `json:"expires,omitzero"`
	Password string    `json:"password,omitempty"` // to choose one; never shown

	hash  string // of Password
	drawn bool   // Password was drawn, not chosen
}

// users may be added with nothing but an e-mail address. The answer then holds
// a password and an API key, once.
func (a *API) users() kind[*tocsin.User, user] {
	return kind[*tocsin.User, user]{
		db: a.db, list: store.View.Users,
		show: func(w store.View, u *tocsin.User) user {
			return user{ID: u.ID, OrgName: orgName(w, u.Org), Created: u.Created, Email: u.Email, Org: ref{id: u.Org},
				Role: roleName(u.Role), Disabled: u.Disabled, Expires: u.Expires}
		},
		ready: hashPassword,
		set:   setUser,
		then:  firstKey,
	}
}

// hashPassword draws a password for a new user if none was chosen.
func hashPassword(in *user, fresh bool) error {
	switch {
	case in.Password != "":
		if err := httpd.CheckStrength(in.Password); err != nil {
			return err
		}
	case !fresh:
		return nil
	default:
		in.Password, in.drawn = httpd.NewPassword(), true
	}
	in.hash = httpd.HashPassword(in.Password)
	return nil
}

func setUser(tx *store.Tx, old *tocsin.User, in *user) (*tocsin.User, once, error) {
	org, err := settle[*tocsin.Organisation](tx, in.Org)
	if err != nil {
		return nil, nil, err
	}
	if in.Role == 0 {
		in.Role = defaultRole
	}
	u := &tocsin.User{Org: own(org, tx.Viewer()), Created: tx.Now(), InvitedBy: tx.Viewer().User()}
	if old != nil {
		was := *old
		if in.Org != (ref{}) {
			was.Org = u.Org
		}
		u, was.Modified = &was, tx.Now()
	}
	u.Email, u.Role, u.Disabled, u.Expires = strings.TrimSpace(in.Email), int64(in.Role), in.Disabled, in.Expires
	shown := once{}
	if in.drawn {
		shown["password"] = in.Password
	}
	if in.hash != "" {
		u.Password, u.PasswordSet = in.hash, tx.Now()
	}
	if !strings.Contains(u.Email, "@") {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "%q is not an e-mail address", u.Email)
	}
	return u, shown, nil
}

// firstKey gives a new user an API key.
func firstKey(tx *store.Tx, u *tocsin.User) (once, error) {
	clear, hash, ends := httpd.NewKey()
	k := &tocsin.Key{UUID: tocsin.NewUUID(tx.Now()), User: u.ID, Hash: hash, Ends: ends, Created: tx.Now(), Comment: "first key"}
	return once{"key": clear}, store.Put(tx, k)
}

const defaultRole = 3 // "User"

// A roleName is a role's id that JSON may give by name.
type roleName int64

func (n *roleName) UnmarshalJSON(b []byte) error {
	if b[0] != '"' {
		return json.Unmarshal(b, (*int64)(n))
	}
	var name string
	if err := json.Unmarshal(b, &name); err != nil {
		return err
	}
	var names []string
	for _, r := range access.Roles {
		if strings.EqualFold(r.Name, name) {
			*n = roleName(r.ID)
			return nil
		}
		names = append(names, r.Name)
	}
	return tocsin.Errorf(tocsin.Invalid, "no role %q; try one of [%s]", name, strings.Join(names, ", "))
}

type key struct {
	// read only
	ID        int64       `json:"id"`
	UUID      tocsin.UUID `json:"uuid"`
	UserEmail string      `json:"user_email"`
	Ends      string      `json:"ends"`
	Created   time.Time   `json:"created"`

	User     ref            `json:"user"` // the viewer, if not said
	Comment  string         `json:"comment"`
	ReadOnly bool           `json:"read_only"`
	Allow    []netip.Prefix `json:"allow"`
	Expires  time.Time      `json:"expires,omitzero"`
	TLP      string         `json:"tlp,omitempty"` // the strictest that it shows; no limit, if not said
}

// keys are shown without the key, which the answer to adding one holds once.
func (a *API) keys() kind[*tocsin.Key, key] {
	return kind[*tocsin.Key, key]{
		db: a.db, list: store.View.Keys,
		show: func(w store.View, k *tocsin.Key) key {
			out := key{ID: k.ID, UUID: k.UUID, Ends: k.Ends, Created: k.Created, User: ref{id: k.User}, Comment: k.Comment,
				ReadOnly: k.ReadOnly, Allow: list(k.Allow), Expires: k.Expires, TLP: k.Ceiling.Name()}
			if u, err := store.One[*tocsin.User](w, k.User); err == nil {
				out.UserEmail = u.Email
			}
			return out
		},
		set: setKey,
	}
}

func setKey(tx *store.Tx, old *tocsin.Key, in *key) (*tocsin.Key, once, error) {
	user, err := settle[*tocsin.User](tx, in.User)
	if err != nil {
		return nil, nil, err
	}
	ceiling, ok := access.ParseTLP(in.TLP)
	if in.TLP == "" {
		ceiling = access.Unmarked
	} else if !ok {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "no TLP label %q; try one of [clear green amber amber+strict red]", in.TLP)
	}
	k := &tocsin.Key{Ceiling: ceiling, User: user, Comment: in.Comment, ReadOnly: in.ReadOnly, Allow: in.Allow, Expires: in.Expires}
	if old != nil {
		k.ID, k.UUID, k.User, k.Hash, k.Ends, k.Created = old.ID, old.UUID, old.User, old.Hash, old.Ends, old.Created
		return k, once{}, nil
	}
	if k.User == 0 {
		k.User = tx.Viewer().User()
	}
	k.UUID, k.Created = tocsin.NewUUID(tx.Now()), tx.Now()
	var clear string
	clear, k.Hash, k.Ends = httpd.NewKey()
	return k, once{"key": clear}, nil
}

type group struct {
	// read only
	ID       int64       `json:"id"`
	UUID     tocsin.UUID `json:"uuid"`
	OrgName  string      `json:"org_name"`
	Created  int64       `json:"created"`
	Modified int64       `json:"modified"`

	Name          string   `json:"name"`
	Releasability string   `json:"releasability"`
	Description   string   `json:"description"`
	Org           ref      `json:"org"`
	Members       []member `json:"members"`
}

type member struct {
	Org     ref    `json:"org"`
	OrgName string `json:"org_name"` // read only
	Extend  bool   `json:"extend"`
}

func (a *API) groups() kind[*tocsin.Group, group] {
	return kind[*tocsin.Group, group]{
		db: a.db, list: store.View.Groups,
		show: func(w store.View, g *tocsin.Group) group {
			out := group{ID: g.ID, UUID: g.UUID, OrgName: orgName(w, g.Org), Created: g.Created, Modified: g.Modified,
				Name: g.Name, Releasability: g.Releasability, Description: g.Description, Org: ref{id: g.Org}, Members: []member{}}
			for _, m := range g.Named() {
				out.Members = append(out.Members, member{ref{id: m.Org}, orgName(w, m.Org), m.Extend})
			}
			return out
		},
		set: setGroup,
	}
}

func setGroup(tx *store.Tx, old *tocsin.Group, in *group) (*tocsin.Group, once, error) {
	org, err := settle[*tocsin.Organisation](tx, in.Org)
	if err != nil {
		return nil, nil, err
	}
	g := &tocsin.Group{UUID: tocsin.NewUUID(tx.Now()), Created: tx.Now().Unix(), Modified: tx.Now().Unix(), Name: strings.TrimSpace(in.Name),
		Releasability: in.Releasability, Description: in.Description, Org: own(org, tx.Viewer()), Members: []tocsin.Member{}}
	if old != nil {
		g.ID, g.UUID, g.Created = old.ID, old.UUID, old.Created
		g.Servers, g.Roaming, g.Inactive = old.Servers, old.Roaming, old.Inactive
		if in.Org == (ref{}) {
			g.Org = old.Org
		}
	}
	for _, m := range in.Members {
		id, err := settle[*tocsin.Organisation](tx, m.Org)
		switch {
		case err != nil:
			return nil, nil, err
		case id == 0:
			return nil, nil, tocsin.Errorf(tocsin.Invalid, "a member needs an org")
		case !g.Has(id):
			g.Members = append(g.Members, tocsin.Member{Org: id, Extend: m.Extend})
		}
	}
	return g, once{}, nil
}

// orgName is the name of an organisation as a reader knows it.
func orgName(w store.View, id int64) string {
	o, err := store.One[*tocsin.Organisation](w, id)
	if err != nil {
		return ""
	}
	return o.Name
}

// list is s as JSON should have it: never null.
func list[T any](s []T) []T {
	return append([]T{}, s...)
}
