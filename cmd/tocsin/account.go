package main

import (
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// adminRole is MISP's role of those who administer everything.
const adminRole = 1

// An account is what somebody needs to sign in. Password and key are shown once
// and kept nowhere.
type account struct {
	Org      string `json:"org"`
	Email    string `json:"email"`
	Password string `json:"password"`
	Key      string `json:"key"`
}

func addOrganisation(tx *store.Tx, o tocsin.Organisation) (*tocsin.Organisation, error) {
	o.UUID, o.Local, o.Created = tocsin.NewUUID(tx.Now()), true, tx.Now()
	return &o, store.Put(tx, &o)
}

// addUser adds a user with a password and a key drawn for them.
func addUser(tx *store.Tx, o *tocsin.Organisation, email string, role int64) (account, error) {
	a := account{Org: o.Name, Email: strings.TrimSpace(email), Password: httpd.NewPassword()}
	if !strings.Contains(a.Email, "@") {
		return a, tocsin.Errorf(tocsin.Invalid, "%q is not an e-mail address", a.Email)
	}
	u := &tocsin.User{Org: o.ID, Email: a.Email, Role: role, Password: httpd.HashPassword(a.Password), Created: tx.Now()}
	err := store.Put(tx, u)
	if err == nil {
		a.Key, err = addKey(tx, u.ID, "first key")
	}
	return a, err
}

// addKey adds a key for a user and returns it.
func addKey(tx *store.Tx, user int64, comment string) (string, error) {
	clear, hash, ends := httpd.NewKey()
	k := &tocsin.Key{UUID: tocsin.NewUUID(tx.Now()), User: user, Hash: hash, Ends: ends, Comment: comment, Created: tx.Now()}
	return clear, store.Put(tx, k)
}

// roleNames are the roles as one types them.
func roleNames() (names []string) {
	for _, r := range access.Roles {
		names = append(names, roleSlug(r.Name))
	}
	return names
}

func roleSlug(name string) string { return strings.ReplaceAll(strings.ToLower(name), " ", "-") }

// roleName returns the role that somebody typed by its proper name.
func roleName(typed string) (string, error) {
	for _, r := range access.Roles {
		if strings.EqualFold(r.Name, typed) || roleSlug(r.Name) == strings.ToLower(typed) {
			return r.Name, nil
		}
	}
	return "", misuse("tocsin user add --help", "no role %q; try one of [%s]", typed, strings.Join(roleNames(), " "))
}
