package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A tx reads, and in a write transaction writes, on one connection.
type tx struct {
	c       *pgxpool.Conn
	conn    *pgx.Conn
	engine  *Engine
	coder   store.Coder
	turn    turn
	token   [16]byte // of a write transaction
	lines   bool     // it has written lines
	depth   int      // savepoints
	cursors int      // open ones
}

// known refuses to go on if the tables are of a version that is not known.
func (t *tx) known() error {
	err := t.engine.knows(t.turn)
	if err != nil {
		t.end(context.Background())
	}
	return err
}

// end gives the connection back. What was not committed is undone; a connection
// that can't even do that is closed.
func (t *tx) end(ctx context.Context) {
	if t.c == nil {
		return
	}
	if t.conn.PgConn().TxStatus() != 'I' && !t.conn.IsClosed() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
		t.conn.Exec(ctx, "ROLLBACK")
		cancel()
	}
	t.c.Release()
	t.c = nil
}

func (t *tx) exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error) {
	return t.conn.Exec(ctx, query, args...)
}

// one scans the only row of a query into dst; ok is false if there is none.
func (t *tx) one(ctx context.Context, dst []any, query string, args ...any) (ok bool, err error) {
	err = t.conn.QueryRow(ctx, query, args...).Scan(dst...)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

type scanner interface{ Scan(...any) error }

// few runs a query with few rows, which are all read at once.
func few[R any](ctx context.Context, t *tx, scan func(scanner, *R) error, query string, args ...any) ([]R, error) {
	rs, err := t.conn.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return collect(rs, nil, scan)
}

func collect[R any](rs pgx.Rows, into []R, scan func(scanner, *R) error) ([]R, error) {
	defer rs.Close()
	for rs.Next() {
		into = append(into, *new(R))
		if err := scan(rs, &into[len(into)-1]); err != nil {
			return nil, err
		}
	}
	return into, rs.Err()
}

// first returns the only row of a query, or nil.
func first[R any](ctx context.Context, t *tx, scan func(scanner, *R) error, query string, args ...any) (*R, error) {
	rs, err := few(ctx, t, scan, query, args...)
	if err != nil || len(rs) == 0 {
		return nil, err
	}
	return &rs[0], nil
}

// fetch is how many rows are in memory at once.
const fetch = 500

// rows iterates over the rows of a query that may have very many. It reads through
// a cursor, so that whoever takes the rows may ask for others in their midst: a
// connection answers one question at a time.
func rows[R any](ctx context.Context, t *tx, scan func(scanner, *R) error, query string, args ...any) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var zero R
		name := fmt.Sprintf("c%d", t.cursors)
		t.cursors++
		defer func() { t.cursors-- }()
		chunk, err := open(ctx, t, name, scan, query, args)
		for err == nil {
			for i := range chunk {
				if !yield(chunk[i], nil) {
					t.exec(context.WithoutCancel(ctx), "CLOSE "+name)
					return
				}
			}
			if len(chunk) < fetch {
				break
			}
			chunk, err = more(ctx, t, name, chunk[:0], scan)
		}
		if err == nil {
			_, err = t.exec(ctx, "CLOSE "+name)
		}
		if err != nil {
			yield(zero, fmt.Errorf("query: %w", err))
		}
	}
}

func open[R any](ctx context.Context, t *tx, name string, scan func(scanner, *R) error, query string, args []any) ([]R, error) {
	if _, err := t.exec(ctx, "DECLARE "+name+" NO SCROLL CURSOR FOR "+query, args...); err != nil {
		return nil, err
	}
	return more(ctx, t, name, []R(nil), scan)
}

// more fetches rows in binary form, described anew each time: which columns a
// cursor of that name has differs from query to query.
func more[R any](ctx context.Context, t *tx, name string, into []R, scan func(scanner, *R) error) ([]R, error) {
	rs, err := t.conn.Query(ctx, fmt.Sprintf("FETCH %d FROM %s", fetch, name), pgx.QueryExecModeExec, pgx.QueryResultFormats{pgx.BinaryFormatCode})
	if err != nil {
		return nil, err
	}
	return collect(rs, into, scan)
}

// Turn implements [store.Reader].
func (t *tx) Turn(context.Context) (store.Turn, error) { return t.turn.Turn, nil }

// Setting implements [store.Reader].
func (t *tx) Setting(ctx context.Context, name string) (b []byte, err error) {
	_, err = t.one(ctx, []any{&b}, `SELECT value FROM settings WHERE name = $1`, name)
	return b, err
}

// PutSetting implements [store.Writer].
func (t *tx) PutSetting(ctx context.Context, name string, value []byte) error {
	_, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}

// Savepoint implements [store.Writer].
func (t *tx) Savepoint(ctx context.Context, fn func() error) error {
	t.depth++
	defer func() { t.depth-- }()
	name := fmt.Sprintf("s%d", t.depth)
	was, lines := t.turn, t.lines
	was.next = append([]int64(nil), was.next...)
	if _, err := t.exec(ctx, "SAVEPOINT "+name); err != nil {
		return dressed(err)
	}
	if err := fn(); err != nil {
		t.turn, t.lines = was, lines
		if _, e := t.exec(ctx, "ROLLBACK TO "+name+"; RELEASE "+name, pgx.QueryExecModeSimpleProtocol); e != nil {
			return dressed(e)
		}
		return dressed(err)
	}
	_, err := t.exec(ctx, "RELEASE "+name)
	return dressed(err)
}

// NextIDs implements [store.Writer]. Whoever has the turn is the only writer, so
// ids are handed out from memory and written down with the commit.
func (t *tx) NextIDs(_ context.Context, k tocsin.Kind, n int64) (int64, error) {
	for len(t.turn.next) <= int(k) {
		t.turn.next = append(t.turn.next, 1)
	}
	first := t.turn.next[k]
	t.turn.next[k] += n
	return first, nil
}

// Labels implements [store.Reader].
func (t *tx) Labels(ctx context.Context, after access.LabelID) ([]access.Label, error) {
	scan := func(s scanner, l *access.Label) error {
		return s.Scan(&l.Owner, &l.Reach, &l.Groups[0], &l.Groups[1], &l.Groups[2], &l.TLP, &l.PAP)
	}
	return few(ctx, t, scan, `SELECT owner, reach, group1, group2, group3, tlp, pap FROM labels WHERE id > $1 ORDER BY id`, int64(after))
}

// AppendLabels implements [store.Writer].
func (t *tx) AppendLabels(ctx context.Context, from access.LabelID, ls []access.Label) error {
	var b pgx.Batch
	for i, l := range ls {
		b.Queue(`INSERT INTO labels (id, owner, reach, group1, group2, group3, tlp, pap) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			int64(from)+int64(i), l.Owner, int64(l.Reach), l.Groups[0], l.Groups[1], l.Groups[2], int64(l.TLP), int64(l.PAP))
	}
	t.turn.Labels = from + access.LabelID(len(ls)) - 1
	return t.conn.SendBatch(ctx, &b).Close()
}

// TagSets implements [store.Reader].
func (t *tx) TagSets(ctx context.Context, after uint32) ([]tocsin.TagSet, error) {
	scan := func(s scanner, ts *tocsin.TagSet) error {
		var b []byte
		err := s.Scan(&b)
		*ts = tocsin.TagSet(b)
		return err
	}
	return few(ctx, t, scan, `SELECT tags FROM tagsets WHERE id > $1 ORDER BY id`, int64(after))
}

// AppendTagSets implements [store.Writer].
func (t *tx) AppendTagSets(ctx context.Context, from uint32, ts []tocsin.TagSet) error {
	var b pgx.Batch
	for i, s := range ts {
		b.Queue(`INSERT INTO tagsets (id, tags) VALUES ($1, $2)`, int64(from)+int64(i), []byte(s))
	}
	t.turn.TagSets = from + uint32(len(ts)) - 1
	return t.conn.SendBatch(ctx, &b).Close()
}

// Docs implements [store.Reader].
func (t *tx) Docs(ctx context.Context) iter.Seq2[store.Doc, error] {
	scan := func(s scanner, d *store.Doc) error { return s.Scan(&d.Kind, &d.ID, &d.JSON) }
	return rows(ctx, t, scan, `SELECT kind, id, doc FROM docs ORDER BY kind, id`)
}

// PutDoc implements [store.Writer].
func (t *tx) PutDoc(ctx context.Context, d store.Doc) error {
	if err := plain(d.Kind.String(), d.Name); err != nil {
		return err
	}
	var name *string
	if d.Name != "" {
		name = &d.Name
	}
	_, err := t.exec(ctx, `INSERT INTO docs (kind, id, uuid, name, doc) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, id) DO UPDATE SET uuid = excluded.uuid, name = excluded.name, doc = excluded.doc`,
		int64(d.Kind), d.ID, maybe(d.UUID), name, string(d.JSON))
	return err
}

// RemoveDoc implements [store.Writer].
func (t *tx) RemoveDoc(ctx context.Context, k tocsin.Kind, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM docs WHERE kind = $1 AND id = $2`, int64(k), id)
	return err
}

// plain refuses text that PostgreSQL does not keep. Nobody reports such a thing:
// it comes of broken programs.
func plain(what string, texts ...string) error {
	for _, s := range texts {
		switch {
		case strings.IndexByte(s, 0) >= 0:
			return tocsin.Errorf(tocsin.Invalid, "a text of this %s holds a NUL octet, which can't be kept; leave it out", what)
		case !utf8.ValidString(s):
			return tocsin.Errorf(tocsin.Invalid, "a text of this %s is not UTF-8; convert it first", what)
		}
	}
	return nil
}

// maybe is NULL for the zero uuid.
func maybe(u tocsin.UUID) *[16]byte {
	if u.IsZero() {
		return nil
	}
	return (*[16]byte)(&u)
}

func scanned(u *[16]byte) tocsin.UUID {
	if u == nil {
		return tocsin.UUID{}
	}
	return tocsin.UUID(*u)
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

func number(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
