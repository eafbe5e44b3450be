package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A folder is an exchange that no server holds: what is in it can be changed by
// whoever may change the folder's files.
type folder struct {
	*exchange
	dir string
}

// databaseFile is what an exchange's folder has in it.
const databaseFile = "tocsin.db"

// storeFlag names a database that keeps the store in place of the folder. Several
// nodes may use it; each keeps what it makes of it in a folder of its own.
type storeFlag struct {
	Store string `env:"TOCSIN_STORE" placeholder:"URL" help:"Database that the store is kept in, as postgres://user@host/database; the folder then holds what this node makes of it." who:"exchanges of several nodes, or that have a database already"`
}

// openFolder opens an exchange that was founded before.
func openFolder(ctx context.Context, dir, store string) (*folder, error) {
	return openSealed(ctx, config{Data: dir, Store: store})
}

// openSealed is openFolder with a key file that may be elsewhere.
func openSealed(ctx context.Context, c config) (*folder, error) {
	if _, err := os.Stat(filepath.Join(c.Data, databaseFile)); c.Store == "" && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no exchange in %s; found one with `tocsin init --data %s`", c.Data, c.Data)
	}
	x, err := open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &folder{x, c.Data}, nil
}

// makeFolder opens the exchange in a folder, or makes an empty one.
func makeFolder(ctx context.Context, dir, store string) (*folder, error) {
	// An upgrade says where it has kept what was before.
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	x, err := open(ctx, config{Data: dir, Store: store, Log: log})
	if err != nil {
		return nil, err
	}
	return &folder{x, dir}, nil
}

// all sees everything in the folder. Nobody is asked later, and need not be:
// who can open the folder can read its files.
func all() access.Viewer { return access.System("command line: who may open the folder") }

// user returns the user of that e-mail address, or the first site administrator.
func (f *folder) user(email string) (*tocsin.User, error) {
	if email != "" {
		return store.ByName[*tocsin.User](f.DB.As(all()), email)
	}
	for u := range f.DB.As(all()).Users() {
		if u.Role == adminRole && !u.Disabled {
			return u, nil
		}
	}
	return nil, fmt.Errorf("the exchange in %s has no site administrator; say with --as whose word it is", f.dir)
}

// viewer returns who acts in the folder.
func (f *folder) viewer(email string) (access.Viewer, error) {
	u, err := f.user(email)
	if err != nil {
		return access.Viewer{}, err
	}
	return f.DB.ViewerFor(u), nil
}

// founded returns the first organisation, nil in an empty folder.
func (f *folder) founded() *tocsin.Organisation {
	for o := range f.DB.As(all()).Organisations() {
		return o
	}
	return nil
}
