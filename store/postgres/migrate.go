package postgres

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"tocsin"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings the tables up to date, and refuses a store that a later version
// has written. It returns the version of the tables. Nodes that start together
// take turns by locking a row, which is free again when whoever holds it dies.
func migrate(ctx context.Context, c *pgx.ConnConfig) (int64, error) {
	lock, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return 0, err
	}
	defer lock.Close(context.WithoutCancel(ctx))
	if err := lockMigration(ctx, lock); err != nil {
		return 0, err
	}
	defer lock.Exec(context.WithoutCancel(ctx), "ROLLBACK")
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return 0, err
	}
	db := stdlib.OpenDB(*c)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		return 0, err
	}
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return 0, err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	if at > newest {
		return 0, tocsin.Errorf(tocsin.Conflict, "the store is of version %d, written by a later Tocsin; this one knows up to %d", at, newest)
	}
	if at == newest {
		return newest, nil
	}
	// Older nodes are told first, so that none writes to tables that are changing.
	told := func() error {
		_, err := db.ExecContext(ctx, `UPDATE turn SET schema = $1`, newest)
		return err
	}
	if at > 0 {
		if err := told(); err != nil {
			return 0, err
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return 0, err
	}
	return newest, told()
}

// lockMigration makes the row that migrations lock, unless it is there, and locks it.
func lockMigration(ctx context.Context, c *pgx.Conn) error {
	for {
		_, err := c.Exec(ctx, `CREATE TABLE IF NOT EXISTS tocsin_migration (one boolean PRIMARY KEY)`)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && (slices.Contains([]string{"23505", "42P07", "42710"}, pg.Code)) {
			continue // another node was a moment earlier
		}
		if err != nil {
			return err
		}
		break
	}
	if _, err := c.Exec(ctx, `INSERT INTO tocsin_migration (one) VALUES (true) ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	if _, err := c.Exec(ctx, "BEGIN"); err != nil {
		return err
	}
	_, err := c.Exec(ctx, `SELECT one FROM tocsin_migration FOR UPDATE`)
	return err
}
