package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/internal/lab"
	"tocsin/store"
)

// TestMigrate moves an exchange from its folder to a database, serves it from
// there with the projections that it had, and moves it back.
func TestMigrate(t *testing.T) {
	w := newWorldOn(t, "", "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("resolver", "provider", c)
	w.share("telco", "kept.example", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	gone := w.share("telco", "gone.example", nil)
	w.must("telco", "DELETE", "/events/delete/"+gone, nil)
	w.settle()
	head := w.DB.Head()
	serial, names := w.served("rpz.example", sub)
	if err := w.exchange.Close(); err != nil {
		t.Fatal(err)
	}

	folder, db, again := w.conf.Data, lab.Database(t), filepath.Join(t.TempDir(), "again")
	move := func(from, to string, status int) string {
		t.Helper()
		var out, said bytes.Buffer
		if got := run([]string{"migrate", "store", "--from", from, "--to", to}, strings.NewReader(""), &out, &said); got != status {
			t.Fatalf("exit status %d\n%s%s", got, &out, &said)
		}
		return out.String() + said.String()
	}
	account := move(folder, db, exitOK)
	for _, table := range store.Tables {
		if !strings.Contains(account, table.Name) {
			t.Errorf("no word of the table %s:\n%s", table.Name, account)
		}
	}
	if said := move(folder, db, exitFailed); !strings.Contains(said, "there is a store already") {
		t.Errorf("a second time: %s", said)
	}
	if said := move(filepath.Join(folder, "nowhere"), db, exitFailed); !strings.Contains(said, "no exchange") {
		t.Errorf("from nowhere: %s", said)
	}
	same := func(where string) {
		t.Helper()
		w.start()
		w.settle()
		if got, now := w.served("rpz.example", sub); got != serial || !slices.Equal(now, names) || w.DB.Head() < head {
			t.Errorf("from %s: serial %d, names %v, line %d; want %d, %v, %d", where, got, now, w.DB.Head(), serial, names, head)
		}
		if n, err := w.DB.As(access.System("a test counts")).CountAttributes(t.Context(), store.Query{}); n != 1 || err != nil {
			t.Errorf("from %s: %d attributes, %v", where, n, err)
		}
		if err := w.exchange.Close(); err != nil {
			t.Fatal(err)
		}
	}
	w.conf.Store = db
	same("the database")

	move(db, again, exitOK)
	key, err := os.ReadFile(filepath.Join(folder, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(again, "seal.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	w.conf.Store, w.conf.Data = "", again
	same("the folder again")
}
