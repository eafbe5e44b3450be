package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A tx reads, and in a write transaction writes, on one connection.
type tx struct {
	*conn
	coder store.Coder
	depth int                     // savepoints
	ids   map[tocsin.Kind]counter // of a write transaction
	gone  error                   // SQLite has undone the whole transaction
}

// exec writes, but never outside the transaction: after SQLite has undone it by
// itself, as it does on a full disk, each statement would be committed alone.
func (t *tx) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if t.gone != nil {
		return nil, t.gone
	}
	return t.conn.exec(ctx, query, args...)
}

// Turn implements [store.Reader].
func (t *tx) Turn(ctx context.Context) (n store.Turn, err error) {
	_, err = t.one(ctx, []any{&n.Head, &n.Labels, &n.TagSets}, `SELECT (SELECT coalesce(max(seq), 0) FROM log),
		(SELECT coalesce(max(id), 0) FROM labels), (SELECT coalesce(max(id), 0) FROM tagsets)`)
	return n, err
}

// Setting implements [store.Reader].
func (t *tx) Setting(ctx context.Context, name string) (b []byte, err error) {
	_, err = t.one(ctx, []any{&b}, `SELECT value FROM settings WHERE name = ?`, name)
	return b, err
}

// PutSetting implements [store.Writer].
func (t *tx) PutSetting(ctx context.Context, name string, value []byte) error {
	_, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Savepoint implements [store.Writer].
func (t *tx) Savepoint(ctx context.Context, fn func() error) error {
	t.depth++
	defer func() { t.depth-- }()
	name := fmt.Sprintf("s%d", t.depth)
	if _, err := t.exec(ctx, "SAVEPOINT "+name); err != nil {
		return storageError(err)
	}
	if err := fn(); err != nil {
		if _, e := t.exec(ctx, "ROLLBACK TO "+name); e != nil {
			t.gone = storageError(err) // because of err
			return t.gone
		}
		_, e := t.exec(ctx, "RELEASE "+name)
		if e != nil {
			return e
		}
		return storageError(err)
	}
	_, err := t.exec(ctx, "RELEASE "+name)
	return err
}

// NextIDs implements [store.Writer]. The engine is the only writer, so it hands
// ids out from memory and writes down once a commit how far it has come.
func (t *tx) NextIDs(ctx context.Context, k tocsin.Kind, n int64) (int64, error) {
	c, ok := t.ids[k]
	if !ok {
		c.next = 1
		if _, err := t.one(ctx, []any{&c.next}, `SELECT next FROM sequences WHERE kind = ?`, k); err != nil {
			return 0, err
		}
	}
	first := c.next
	t.ids[k] = counter{first + n, true}
	return first, nil
}

// A counter hands out the ids of one kind.
type counter struct {
	next  int64
	ahead bool // of what is on disk
}

// keepIDs writes down how far ids were handed out.
func (t *tx) keepIDs(ctx context.Context) error {
	for k, c := range t.ids {
		if !c.ahead {
			continue
		}
		_, err := t.exec(ctx, `INSERT INTO sequences (kind, next) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET next = excluded.next`, k, c.next)
		if err != nil {
			return err
		}
		t.ids[k] = counter{c.next, false}
	}
	return nil
}

// Labels implements [store.Reader].
func (t *tx) Labels(ctx context.Context, after access.LabelID) (ls []access.Label, err error) {
	scan := func(s scanner, l *access.Label) error {
		return s.Scan(&l.Owner, &l.Reach, &l.Groups[0], &l.Groups[1], &l.Groups[2], &l.TLP, &l.PAP)
	}
	for l, err := range rows(ctx, t, scan, `SELECT owner, reach, group1, group2, group3, tlp, pap FROM labels WHERE id > ? ORDER BY id`, after) {
		if err != nil {
			return nil, err
		}
		ls = append(ls, l)
	}
	return ls, nil
}

// AppendLabels implements [store.Writer].
func (t *tx) AppendLabels(ctx context.Context, from access.LabelID, ls []access.Label) error {
	for i, l := range ls {
		_, err := t.exec(ctx, `INSERT INTO labels (id, owner, reach, group1, group2, group3, tlp, pap) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			int64(from)+int64(i), l.Owner, l.Reach, l.Groups[0], l.Groups[1], l.Groups[2], l.TLP, l.PAP)
		if err != nil {
			return err
		}
	}
	return nil
}

// TagSets implements [store.Reader].
func (t *tx) TagSets(ctx context.Context, after uint32) (ts []tocsin.TagSet, err error) {
	scan := func(s scanner, b *[]byte) error { return s.Scan(b) }
	for b, err := range rows(ctx, t, scan, `SELECT tags FROM tagsets WHERE id > ? ORDER BY id`, after) {
		if err != nil {
			return nil, err
		}
		ts = append(ts, tocsin.TagSet(b))
	}
	return ts, nil
}

// AppendTagSets implements [store.Writer].
func (t *tx) AppendTagSets(ctx context.Context, from uint32, ts []tocsin.TagSet) error {
	for i, s := range ts {
		if _, err := t.exec(ctx, `INSERT INTO tagsets (id, tags) VALUES (?, ?)`, int64(from)+int64(i), []byte(s)); err != nil {
			return err
		}
	}
	return nil
}

// Docs implements [store.Reader].
func (t *tx) Docs(ctx context.Context) iter.Seq2[store.Doc, error] {
	scan := func(s scanner, d *store.Doc) error { return s.Scan(&d.Kind, &d.ID, &d.JSON) }
	return rows(ctx, t, scan, `SELECT kind, id, doc FROM docs ORDER BY kind, id`)
}

// PutDoc implements [store.Writer].
func (t *tx) PutDoc(ctx context.Context, d store.Doc) error {
	var name any
	if d.Name != "" {
		name = d.Name
	}
	_, err := t.exec(ctx, `INSERT INTO docs (kind, id, uuid, name, doc) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (kind, id) DO UPDATE SET uuid = excluded.uuid, name = excluded.name, doc = excluded.doc`,
		d.Kind, d.ID, nullUUID(d.UUID), name, string(d.JSON))
	return err
}

// RemoveDoc implements [store.Writer].
func (t *tx) RemoveDoc(ctx context.Context, k tocsin.Kind, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM docs WHERE kind = ? AND id = ?`, k, id)
	return err
}

func nullUUID(u tocsin.UUID) any {
	if u.IsZero() {
		return nil
	}
	return u[:]
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
