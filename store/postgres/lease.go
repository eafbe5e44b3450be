package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/store"
)

// Lease implements [store.Shared].
func (e *Engine) Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error) {
	tag, err := e.writes.Exec(ctx, `INSERT INTO leases (name, holder, until)
		VALUES ($1, $2, clock_timestamp() + $3 * interval '1 microsecond')
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.holder = excluded.holder OR leases.until < clock_timestamp()`, name, holder, ttl.Microseconds())
	return err == nil && tag.RowsAffected() == 1, dressed(err)
}

// Yield implements [store.Shared].
func (e *Engine) Yield(ctx context.Context, name, holder string) error {
	_, err := e.writes.Exec(ctx, `DELETE FROM leases WHERE name = $1 AND holder = $2`, name, holder)
	return dressed(err)
}

// SignIn implements [store.Shared].
func (e *Engine) SignIn(ctx context.Context, n store.Node) error {
	_, err := e.writes.Exec(ctx, `INSERT INTO nodes (id, name, version, place, off, seen) VALUES ($1, $2, $3, $4, $5, clock_timestamp())
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, version = excluded.version, place = excluded.place,
			off = excluded.off, seen = excluded.seen`, n.ID, n.Name, n.Version, int64(n.Place), n.Off.Microseconds())
	return dressed(err)
}

// Nodes implements [store.Shared].
func (e *Engine) Nodes(ctx context.Context, since time.Duration) ([]store.Node, error) {
	return nodes(ctx, e.writes, since)
}

func nodes(ctx context.Context, db interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}, since time.Duration) ([]store.Node, error) {
	rs, err := db.Query(ctx, `SELECT id, name, version, place, off, seen FROM nodes
		WHERE seen > clock_timestamp() - $1 * interval '1 microsecond' ORDER BY name, id`, since.Microseconds())
	if err != nil {
		return nil, dressed(err)
	}
	ns, err := collect(rs, nil, func(s scanner, n *store.Node) error {
		var place, off int64
		err := s.Scan(&n.ID, &n.Name, &n.Version, &place, &off, &n.Seen)
		n.Place, n.Off = tocsin.Seq(place), time.Duration(off)*time.Microsecond
		return err
	})
	return ns, dressed(err)
}
