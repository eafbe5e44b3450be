package postgres

import (
	"context"

	"tocsin"
	"tocsin/store"
)

// Tombstone implements [store.Reader].
func (t *tx) Tombstone(ctx context.Context, u tocsin.UUID) (bool, error) {
	var n int
	return t.one(ctx, []any{&n}, `SELECT 1 FROM tombstones WHERE uuid = $1 LIMIT 1`, [16]byte(u))
}

// PutTombstone implements [store.Writer].
func (t *tx) PutTombstone(ctx context.Context, s store.Tombstone) error {
	_, err := t.exec(ctx, `INSERT INTO tombstones (kind, id, uuid, event, label, seq, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT DO NOTHING`, int64(s.Kind), s.ID, maybe(s.UUID), s.Event, int64(s.Label), int64(s.Seq), s.At.UnixMicro())
	return err
}

// ReleaseUUIDs implements [store.Writer].
func (t *tx) ReleaseUUIDs(ctx context.Context, us []tocsin.UUID) error {
	const these = ` WHERE uuid = ANY($1::uuid[]) AND `
	for _, step := range []string{
		`UPDATE events SET uuid = gen_random_uuid()` + these + `hidden = 1`,
		`UPDATE attributes SET uuid = gen_random_uuid()` + these + `event IN (SELECT id FROM events WHERE hidden = 1)`,
		`UPDATE objects SET uuid = gen_random_uuid()` + these + `event IN (SELECT id FROM events WHERE hidden = 1)`,
		`UPDATE remarks SET uuid = NULL` + these + `event IN (SELECT id FROM events WHERE hidden = 1)`,
	} {
		if _, err := t.exec(ctx, step, uuids(us)); err != nil {
			return err
		}
	}
	return nil
}

// LiftTombstone implements [store.Writer].
func (t *tx) LiftTombstone(ctx context.Context, u tocsin.UUID) (bool, error) {
	n, err := t.affected(ctx, `UPDATE tombstones SET uuid = NULL WHERE uuid = $1 AND kind = $2`, [16]byte(u), int64(tocsin.KindEvent))
	return n > 0, err
}

// A grave is a tombstone beneath which something is left.
type grave struct {
	kind      tocsin.Kind
	id, event int64
	seq       tocsin.Seq
}

// Purge implements [store.Writer].
func (t *tx) Purge(ctx context.Context, n tocsin.Seq, limit int) (done int64, err error) {
	for done < int64(limit) {
		scan := func(s scanner, g *grave) error { return s.Scan(&g.kind, &g.id, &g.event, &g.seq) }
		g, err := first(ctx, t, scan, `SELECT kind, id, event, seq FROM tombstones WHERE seq <> 0 AND seq <= $1 ORDER BY seq LIMIT 1`, int64(n))
		if err != nil || g == nil {
			return done, err
		}
		rows, err := t.clear(ctx, *g, int64(limit))
		if err != nil {
			return done, err
		}
		if rows > 0 {
			t.turn.Purged = max(t.turn.Purged, g.seq)
		}
		if done += rows; rows == 0 {
			if _, err := t.exec(ctx, `UPDATE tombstones SET seq = 0 WHERE kind = $1 AND id = $2`, int64(g.kind), g.id); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// clear removes up to limit rows and images beneath a tombstone; 0 is the end.
func (t *tx) clear(ctx context.Context, g grave, limit int64) (int64, error) {
	if g.kind == tocsin.KindEvent {
		return t.clearEvent(ctx, g.id, limit)
	}
	if n, err := t.clearRemarks(ctx, g, limit); n > 0 || err != nil {
		return n, err
	}
	return t.scrub(ctx, g)
}

func (t *tx) clearEvent(ctx context.Context, id, limit int64) (int64, error) {
	for _, step := range []string{
		`DELETE FROM attributes WHERE id IN (SELECT id FROM attributes WHERE event = $1 LIMIT $2)`,
		`DELETE FROM objects WHERE id IN (SELECT id FROM objects WHERE event = $1 LIMIT $2)`,
		`DELETE FROM remarks WHERE (kind, id) IN (SELECT kind, id FROM remarks WHERE event <> 0 AND event = $1 LIMIT $2)`,
		`UPDATE log SET before = NULL, after = NULL WHERE seq IN (SELECT seq FROM log WHERE event = $1 AND kind = 2 AND last = 0
			AND (before IS NOT NULL OR after IS NOT NULL) LIMIT $2)`,
		`UPDATE log SET before = NULL, after = NULL WHERE seq IN (SELECT seq FROM log WHERE event = $1 AND kind <> 2
			AND (before IS NOT NULL OR after IS NOT NULL) LIMIT $2)`,
		`DELETE FROM events WHERE id = $1 AND hidden = 1 AND $2::bigint > 0`,
	} {
		if n, err := t.affected(ctx, step, id, limit); n > 0 || err != nil {
			return n, err
		}
	}
	return 0, nil
}

// clearRemarks removes remarks about a record and what was said about these, with
// their images.
func (t *tx) clearRemarks(ctx context.Context, g grave, limit int64) (done int64, err error) {
	scan := func(s scanner, g *grave) error { return s.Scan(&g.kind, &g.id, &g.event) }
	about, err := few(ctx, t, scan, `WITH RECURSIVE above (kind, id, event, depth) AS (
			SELECT kind, id, event, 1 FROM remarks
				WHERE about_kind <> 0 AND about_kind = $1 AND about_id = $2 OR to_kind <> 0 AND to_kind = $1 AND to_id = $2
			UNION ALL SELECT r.kind, r.id, r.event, a.depth + 1 FROM above a
				JOIN remarks r ON r.about_kind <> 0 AND r.about_kind = a.kind AND r.about_id = a.id
				WHERE a.depth <= $4)
		SELECT kind, id, event FROM above ORDER BY depth DESC LIMIT $3`, int64(g.kind), g.id, limit, int64(store.MaxDepth))
	if err != nil {
		return 0, err
	}
	// What stands on another remark goes before it: the deepest come first. One that
	// something still stands on waits for the next step.
	for _, r := range about {
		n, err := t.affected(ctx, `DELETE FROM remarks WHERE kind = $1 AND id = $2
			AND NOT EXISTS (SELECT 1 FROM remarks a WHERE a.about_kind <> 0 AND a.about_kind = $1 AND a.about_id = $2)`, int64(r.kind), r.id)
		if err != nil {
			return done, err
		}
		if n == 0 {
			continue
		}
		if _, err := t.scrub(ctx, r); err != nil {
			return done, err
		}
		done++
	}
	return done, nil
}

// scrub takes the images of a record out of the log.
func (t *tx) scrub(ctx context.Context, g grave) (int64, error) {
	if g.kind == tocsin.KindAttribute {
		return t.affected(ctx, `UPDATE log SET before = NULL, after = NULL WHERE event = $1 AND kind = 2 AND last = 0 AND id = $2
			AND (before IS NOT NULL OR after IS NOT NULL)`, g.event, g.id)
	}
	return t.affected(ctx, `UPDATE log SET before = NULL, after = NULL WHERE event = $1 AND kind = $2 AND kind <> 2 AND id = $3
		AND (before IS NOT NULL OR after IS NOT NULL)`, g.event, int64(g.kind), g.id)
}

// affected runs a statement and returns how many rows it touched.
func (t *tx) affected(ctx context.Context, query string, args ...any) (int64, error) {
	tag, err := t.exec(ctx, query, args...)
	return tag.RowsAffected(), err
}
