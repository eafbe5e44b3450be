package sqlite

import (
	"context"
	"slices"

	"tocsin"
	"tocsin/store"
)

// Tombstone implements [store.Reader].
func (t *tx) Tombstone(ctx context.Context, u tocsin.UUID) (bool, error) {
	var n int
	return t.one(ctx, []any{&n}, `SELECT 1 FROM tombstones WHERE uuid = ?`, u[:])
}

// PutTombstone implements [store.Writer].
func (t *tx) PutTombstone(ctx context.Context, s store.Tombstone) error {
	_, err := t.exec(ctx, `INSERT OR IGNORE INTO tombstones (kind, id, uuid, event, label, seq, at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.Kind, s.ID, nullUUID(s.UUID), s.Event, s.Label, s.Seq, s.At.UnixMicro())
	return err
}

// ReleaseUUIDs implements [store.Writer].
func (t *tx) ReleaseUUIDs(ctx context.Context, us []tocsin.UUID) error {
	const these = ` WHERE uuid IN (SELECT unhex(value) FROM json_each(?)) AND `
	for _, step := range []string{
		`UPDATE events SET uuid = randomblob(16)` + these + `hidden = 1`,
		`UPDATE attributes SET uuid = randomblob(16)` + these + `event IN (SELECT id FROM events WHERE hidden = 1)`,
		`UPDATE objects SET uuid = randomblob(16)` + these + `event IN (SELECT id FROM events WHERE hidden = 1)`,
		`UPDATE remarks SET uuid = NULL` + these + `event IN (SELECT id FROM events WHERE hidden = 1)`,
	} {
		if _, err := t.exec(ctx, step, uuidArray(us)); err != nil {
			return err
		}
	}
	return nil
}

// LiftTombstone implements [store.Writer].
func (t *tx) LiftTombstone(ctx context.Context, u tocsin.UUID) (bool, error) {
	n, err := t.affected(ctx, `UPDATE tombstones SET uuid = NULL WHERE uuid = ? AND kind = ?`, u[:], tocsin.KindEvent)
	return n > 0, err
}

// A grave is a tombstone beneath which something is left.
type grave struct {
	kind      tocsin.Kind
	id, event int64
}

// Purge implements [store.Writer].
func (t *tx) Purge(ctx context.Context, n tocsin.Seq, limit int) (done int64, err error) {
	for done < int64(limit) {
		scan := func(s scanner, g *grave) error { return s.Scan(&g.kind, &g.id, &g.event) }
		g, err := first(rows(ctx, t, scan, `SELECT kind, id, event FROM tombstones WHERE seq <> 0 AND seq <= ? ORDER BY seq LIMIT 1`, n))
		if err != nil || g == nil {
			return done, err
		}
		rows, err := t.clear(ctx, *g, int64(limit))
		if err != nil {
			return done, err
		}
		if done += rows; rows == 0 {
			if _, err := t.exec(ctx, `UPDATE tombstones SET seq = 0 WHERE kind = ? AND id = ?`, g.kind, g.id); err != nil {
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
		`DELETE FROM attributes WHERE id IN (SELECT id FROM attributes WHERE event = ?1 LIMIT ?2)`,
		`DELETE FROM objects WHERE id IN (SELECT id FROM objects WHERE event = ?1 LIMIT ?2)`,
		`DELETE FROM remarks WHERE rowid IN (SELECT rowid FROM remarks WHERE event <> 0 AND event = ?1 LIMIT ?2)`,
		`UPDATE log SET before = NULL, after = NULL WHERE seq IN (SELECT seq FROM log WHERE event = ?1 AND kind = 2 AND last = 0
			AND (before IS NOT NULL OR after IS NOT NULL) LIMIT ?2)`,
		`UPDATE log SET before = NULL, after = NULL WHERE seq IN (SELECT seq FROM log WHERE event = ?1 AND kind <> 2
			AND (before IS NOT NULL OR after IS NOT NULL) LIMIT ?2)`,
		`DELETE FROM events WHERE id = ?1 AND hidden = 1 AND ?2`,
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
	var about []grave
	for r, err := range rows(ctx, t, scan, `WITH RECURSIVE above (kind, id, event, depth) AS (
			SELECT kind, id, event, 1 FROM remarks WHERE about_kind <> 0 AND about_kind = ?1 AND about_id = ?2
			UNION ALL SELECT kind, id, event, 1 FROM remarks WHERE to_kind <> 0 AND to_kind = ?1 AND to_id = ?2
			UNION ALL SELECT r.kind, r.id, r.event, a.depth + 1 FROM above a
				JOIN remarks r ON r.about_kind <> 0 AND r.about_kind = a.kind AND r.about_id = a.id
			ORDER BY 4 DESC)
		SELECT kind, id, event FROM above LIMIT ?3`, g.kind, g.id, limit) {
		if err != nil {
			return 0, err
		}
		about = append(about, r)
	}
	// What stands on another remark is found after it and goes before it. One that
	// something still stands on waits for the next step.
	for _, r := range slices.Backward(about) {
		n, err := t.affected(ctx, `DELETE FROM remarks WHERE kind = ?1 AND id = ?2
			AND NOT EXISTS (SELECT 1 FROM remarks a WHERE a.about_kind <> 0 AND a.about_kind = ?1 AND a.about_id = ?2)`, r.kind, r.id)
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
		return t.affected(ctx, `UPDATE log SET before = NULL, after = NULL WHERE event = ? AND kind = 2 AND last = 0 AND id = ?
			AND (before IS NOT NULL OR after IS NOT NULL)`, g.event, g.id)
	}
	return t.affected(ctx, `UPDATE log SET before = NULL, after = NULL WHERE event = ? AND kind = ? AND kind <> 2 AND id = ?
		AND (before IS NOT NULL OR after IS NOT NULL)`, g.event, g.kind, g.id)
}

// affected runs a statement and returns how many rows it touched.
func (t *tx) affected(ctx context.Context, query string, args ...any) (int64, error) {
	res, err := t.exec(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}
