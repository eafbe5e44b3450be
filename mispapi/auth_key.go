package mispapi

import (
	"net/netip"
	"strings"

	"tocsin"
	"tocsin/httpd"
	"tocsin/store"
)

// A key as MISP has it. Of the key itself only the ends are known.
type authKey struct {
	ID       int64       `json:"id"`
	UUID     tocsin.UUID `json:"uuid"`
	Start    string      `json:"authkey_start"`
	End      string      `json:"authkey_end"`
	Created  int64       `json:"created"`
	Expires  int64       `json:"expiration"`
	ReadOnly bool        `json:"read_only"`
	User     int64       `json:"user_id"`
	Comment  string      `json:"comment"`
	Allow    []string    `json:"allowed_ips"`
	Seen     []string    `json:"unique_ips"` // which addresses used it is not kept
	Raw      string      `json:"authkey_raw,omitempty"`
}

func keyWords(k *tocsin.Key) authKey {
	w := authKey{ID: k.ID, UUID: k.UUID, Created: k.Created.Unix(), ReadOnly: k.ReadOnly, User: k.User, Comment: k.Comment, Seen: []string{}}
	if len(k.Ends) == 8 {
		w.Start, w.End = k.Ends[:4], k.Ends[4:]
	}
	if !k.Expires.IsZero() {
		w.Expires = k.Expires.Unix()
	}
	for _, p := range k.Allow {
		if p.IsSingleIP() {
			w.Allow = append(w.Allow, p.Addr().String())
			continue
		}
		w.Allow = append(w.Allow, p.String())
	}
	return w
}

// withOwner is a key and whose it is.
func (c *call) withOwner(k *tocsin.Key) any {
	owner := map[string]any{"id": k.User}
	if u, err := store.One[*tocsin.User](c.view, k.User); err == nil {
		owner["email"] = u.Email
	}
	return map[string]any{"AuthKey": keyWords(k), "User": owner}
}

// indexKeys answers with the keys that the viewer may know of, or those of one user.
func indexKeys(c *call) error {
	user := c.arg(0)
	if user == "me" {
		user = itoa(c.v.User())
	}
	rows := []any{}
	for k := range c.view.Keys() {
		if user == "" || refOf(user).id == k.User {
			rows = append(rows, c.withOwner(k))
		}
	}
	return c.reply(c.page(rows))
}

// viewKey answers with one key.
func viewKey(c *call) error {
	k, err := small[*tocsin.Key](c.view, c.arg(0))
	if err != nil {
		return err
	}
	return c.reply(c.withOwner(k))
}

// readKey reads what may be said of a key.
func (f *form) readKey(k *tocsin.Key) {
	f.text("comment", &k.Comment)
	f.flag("read_only", &k.ReadOnly)
	f.time("expiration", &k.Expires)
	if _, ok := f.members["allowed_ips"]; !ok {
		return
	}
	var texts []string
	f.texts("allowed_ips", &texts)
	k.Allow = nil
	for _, t := range texts {
		p, err := netip.ParsePrefix(t)
		if a, single := netip.ParseAddr(t); single == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			f.refuse("allowed_ips", "Invalid IP range: "+t)
			return
		}
		k.Allow = append(k.Allow, p.Masked())
	}
}

// addKey adds a key of whoever asks, or of a user whom they administer. The answer is
// the only place where the key itself stands.
func addKey(c *call) error {
	f, err := c.form("AuthKey")
	if err != nil {
		return err
	}
	whose := c.arg(0)
	f.text("user_id", &whose)
	u, err := c.userMeant(whose)
	if err != nil {
		return err
	}
	now := c.db.Now()
	k := &tocsin.Key{User: u.ID, Created: now, UUID: f.uuid(now)}
	f.readKey(k)
	var clear string
	clear, k.Hash, k.Ends = httpd.NewKey()
	if err := c.keep("add AuthKey", f, "uuid", "There is such a key already.", func(tx *store.Tx) error { return store.Put(tx, k) }); err != nil {
		return err
	}
	w := keyWords(k)
	w.Raw = clear
	return c.reply(map[string]any{"AuthKey": w})
}

// editKey changes what the body names of a key.
func editKey(c *call) error {
	f, err := c.form("AuthKey")
	if err != nil {
		return err
	}
	old, err := small[*tocsin.Key](c.view, c.arg(0))
	if err != nil {
		return err
	}
	k := *old
	f.readKey(&k)
	if err := c.keep("edit AuthKey", f, "uuid", "", func(tx *store.Tx) error { return store.Put(tx, &k) }); err != nil {
		return err
	}
	return c.reply(map[string]any{"AuthKey": keyWords(&k)})
}

// deleteKey removes a key: from then on it is nobody's.
func deleteKey(c *call) error {
	k, err := small[*tocsin.Key](c.view, c.arg(0))
	if err != nil {
		return err
	}
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Key](tx, k.ID) }); err != nil {
		return err
	}
	return c.done("AuthKey deleted.", c.r.URL.Path, c.arg(0))
}

// resetKeys draws a new key for a user, and removes those that they had.
func resetKeys(c *call) error {
	u, err := c.userMeant(c.arg(0))
	if err != nil {
		return err
	}
	now := c.db.Now()
	fresh := &tocsin.Key{User: u.ID, Created: now, UUID: tocsin.NewUUID(now)}
	var clear string
	clear, fresh.Hash, fresh.Ends = httpd.NewKey()
	var old []int64
	for k := range c.view.Keys() {
		if k.User == u.ID {
			old = append(old, k.ID)
		}
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		for _, id := range old {
			if err := store.Remove[*tocsin.Key](tx, id); err != nil && tocsin.CodeOf(err) != tocsin.NotFound {
				return err
			}
		}
		return store.Put(tx, fresh)
	})
	if err != nil {
		return err
	}
	return c.done("Authkey updated: "+clear, c.r.URL.Path, strings.TrimSpace(c.arg(0)))
}
