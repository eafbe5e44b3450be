package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"tocsin"
	"tocsin/store"
	"tocsin/store/postgres"
	"tocsin/store/sqlite"
)

// migrateCmd moves an exchange.
type migrateCmd struct {
	Store migrateStoreCmd `cmd:"" help:"Copy all that one store keeps into another, which is empty: from a folder to PostgreSQL, or back."`
}

// migrateStoreCmd copies a store and accounts for each row.
type migrateStoreCmd struct {
	From string `required:"" placeholder:"DIR|URL" help:"The store as it is: a folder, or a database as postgres://user@host/database."`
	To   string `required:"" placeholder:"DIR|URL" help:"Where it goes, likewise; there must be nothing in it yet."`
	JSON bool   `help:"Answer one JSON object for each table."`
}

func (migrateStoreCmd) Help() string {
	return `Nobody may write to the store meanwhile. What was copied is read back and compared before it counts;
if anything differs nothing is kept, and the store that there was is left as it is in any case.

Examples:
  tocsin migrate store --from /var/lib/tocsin --to postgres://tocsin@db.example.org/tocsin
  tocsin migrate store --from postgres://tocsin@db.example.org/tocsin --to /var/lib/tocsin-again`
}

func (m *migrateStoreCmd) Run(ctx context.Context, c *console) error {
	from, err := existing(ctx, m.From)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := portable(ctx, m.To)
	if err != nil {
		return err
	}
	defer to.Close()
	var rows [][]string
	err = store.Copy(ctx, from, to, func(t store.Copied) {
		if m.JSON {
			c.json(map[string]any{"table": t.Table, "read": t.Read, "written": t.Written, "digest": t.Digest})
			return
		}
		rows = append(rows, []string{t.Table, count(t.Read), count(t.Written), t.Digest[:16], "equal"})
	})
	if err != nil {
		return fmt.Errorf("nothing was moved: %w", err)
	}
	if !m.JSON {
		if err := c.table([]string{"table", "rows read", "rows written", "digest", "read back"}, rows); err != nil {
			return err
		}
	}
	m.next(c)
	return nil
}

// next says what to do then.
func (m *migrateStoreCmd) next(c *console) {
	if isDatabase(m.To) {
		c.say("\nAll of it is there. Start the exchange with:\n  tocsin serve --data %s --store %s\n"+
			"Each node needs the file seal.key of the folder, or names it with --seal-key.", shownFolder(m.From), hidden(m.To))
		return
	}
	c.say("\nAll of it is there. Put the file seal.key of the old folder into %s and start the exchange with:\n  tocsin serve --data %s", m.To, m.To)
}

func shownFolder(from string) string {
	if isDatabase(from) {
		return "DIR"
	}
	return from
}

// hidden is a database's URL without its password.
func hidden(u string) string {
	if p, err := url.Parse(u); err == nil {
		return p.Redacted()
	}
	return "URL"
}

// existing opens a store that there is.
func existing(ctx context.Context, where string) (store.Portable, error) {
	if !isDatabase(where) {
		if _, err := os.Stat(filepath.Join(where, databaseFile)); errors.Is(err, fs.ErrNotExist) {
			return nil, tocsin.Errorf(tocsin.NotFound, "there is no exchange in %s", where)
		}
	}
	return portable(ctx, where)
}

// portable opens a store, or makes an empty one.
func portable(ctx context.Context, where string) (store.Portable, error) {
	if isDatabase(where) {
		return postgres.Open(ctx, where)
	}
	return sqlite.Open(ctx, where)
}
