package portal

import (
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

type accountPage struct {
	Email, Org, Role string
	May              []string
	Groups           []*tocsin.Group
	Keys             []keyRow
	MayKeys          bool
	Fresh            string // a key that was made just now
	Wrong            string
	MinPassword      int
}

type keyRow struct {
	ID               int64
	Ends, Comment    string
	ReadOnly         bool
	Created, Expires moment
	Allow            []string
}

// powers are permissions in words.
var powers = []struct {
	p    access.Permission
	word string
}{
	{access.Auth, "use API keys"},
	{access.Add, "share events and change your own"},
	{access.ModifyOrg, "change all events of your organisation"},
	{access.Publish, "publish events"},
	{access.Tag, "attach tags"},
	{access.SharingGroup, "make sharing groups"},
	{access.Sync, "speak for another instance"},
	{access.OrgAdmin, "administer your organisation"},
	{access.SiteAdmin, "administer the exchange"},
}

func (p *Portal) account(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return p.showAccount(w, r, v, http.StatusOK, "", "")
}

func (p *Portal) showAccount(w http.ResponseWriter, r *http.Request, v access.Viewer, status int, fresh, wrong string) error {
	u, err := store.One[*tocsin.User](p.as(v), v.User())
	if err != nil {
		return err
	}
	role, _ := p.db.Role(u.Role)
	pg := accountPage{Email: u.Email, Org: p.orgName(v, u.Org), Role: role.Name, MayKeys: v.May(access.Auth),
		Fresh: fresh, Wrong: wrong, MinPassword: httpd.MinPassword}
	for _, po := range powers {
		if v.May(po.p) {
			pg.May = append(pg.May, po.word)
		}
	}
	for _, g := range p.groups(v) {
		if g.Has(v.Org()) {
			pg.Groups = append(pg.Groups, g)
		}
	}
	for k := range p.as(v).Keys() {
		if k.User == u.ID {
			pg.Keys = append(pg.Keys, rowOf(k))
		}
	}
	slices.Reverse(pg.Keys)
	if fresh != "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	return p.show(w, r, v, status, "account", frame{Title: "Account", Here: "/portal/account", Page: pg})
}

func rowOf(k *tocsin.Key) keyRow {
	row := keyRow{ID: k.ID, Ends: k.Ends, Comment: k.Comment, ReadOnly: k.ReadOnly, Created: moment{k.Created}, Expires: moment{k.Expires}}
	if len(row.Ends) == 8 {
		row.Ends = row.Ends[:4] + "…" + row.Ends[4:]
	}
	for _, a := range k.Allow {
		row.Allow = append(row.Allow, a.String())
	}
	return row
}

// addKey makes a key and shows it: this once, since only its hash is kept.
func (p *Portal) addKey(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	clear, hash, ends := httpd.NewKey()
	_, err := p.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Key{UUID: tocsin.NewUUID(tx.Now()), User: v.User(), Hash: hash, Ends: ends,
			Comment: strings.TrimSpace(r.PostFormValue("comment")), ReadOnly: r.PostFormValue("read_only") == "yes", Created: tx.Now()})
	})
	if err != nil {
		return err
	}
	return p.showAccount(w, r, v, http.StatusCreated, clear, "")
}

func (p *Portal) removeKey(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	_, err = p.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		k, err := store.Get[*tocsin.Key](tx, n)
		if err != nil {
			return err
		}
		if k.User != v.User() { // an administrator sees others' keys; this page is about one's own
			return tocsin.Errorf(tocsin.NotFound, "no key %d", n)
		}
		return store.Remove[*tocsin.Key](tx, n)
	})
	if err != nil {
		return err
	}
	return see(w, r, "/portal/account?done=key-removed")
}

// changePassword takes the old password by signing in with it, so that guessing
// is as slow here as at the door. Other sessions end with the old password.
func (p *Portal) changePassword(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	u, err := store.One[*tocsin.User](p.as(v), v.User())
	if err != nil {
		return err
	}
	fresh := r.PostFormValue("new")
	wrong := func(err error) error {
		pr := httpd.Explain(w, err)
		if pr.Status >= http.StatusInternalServerError && pr.Status != http.StatusServiceUnavailable {
			return err
		}
		return p.showAccount(w, r, v, pr.Status, "", pr.Message)
	}
	if fresh != r.PostFormValue("again") {
		return wrong(tocsin.Errorf(tocsin.Invalid, "the new password and its repetition differ"))
	}
	if err := httpd.CheckStrength(fresh); err != nil {
		return wrong(err)
	}
	if _, err := p.front.SignIn(w, r, u.Email, r.PostFormValue("old")); err != nil {
		if tocsin.CodeOf(err) == tocsin.Forbidden {
			err = tocsin.Errorf(tocsin.Forbidden, "the old password is not right")
		}
		return wrong(err)
	}
	hash := httpd.HashPassword(fresh) // before the transaction, since it takes its time
	_, err = p.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		u, err := store.Get[*tocsin.User](tx, v.User())
		if err != nil {
			return err
		}
		changed := *u
		changed.Password = hash
		return store.Put(tx, &changed)
	})
	if err != nil {
		return err
	}
	if _, err := p.front.SignIn(w, r, u.Email, fresh); err != nil {
		return err
	}
	return see(w, r, "/portal/account?done=password")
}
