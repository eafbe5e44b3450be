package main

import (
	"net/http"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// A backup holds what a key with a ceiling is not shown.
func TestBackupIsForWhoSeesAll(t *testing.T) {
	w := newWorld(t, "Host")
	w.write(func(tx *store.Tx) error {
		u := &tocsin.User{Org: w.orgs["Host"], Email: "root@host.example", Role: 1}
		if err := store.Put(tx, u); err != nil {
			return err
		}
		for name, ceiling := range map[string]access.TLP{"root": access.Unmarked, "limited": access.Clear} {
			clear, hash, ends := httpd.NewKey()
			w.keys[name] = clear
			if err := store.Put(tx, &tocsin.Key{User: u.ID, Hash: hash, Ends: ends, Ceiling: ceiling}); err != nil {
				return err
			}
		}
		return nil
	})
	for name, want := range map[string]int{"root": http.StatusOK, "limited": http.StatusForbidden} {
		if status, _ := w.raw(name, "POST", "/api/backup", nil); status != want {
			t.Errorf("as %s: %d, want %d", name, status, want)
		}
	}
}
