package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"tocsin"
)

// A Snapshot is the database as it is after one line of the log, whatever is
// written meanwhile: it reads in a transaction of its own. Writers don't wait for
// it; the write-ahead log grows until it is closed.
type Snapshot struct {
	Facts
	db   *sql.DB // nil: the engine's
	lock io.Closer
	conn *sql.Conn
}

// Facts are what there is to know of a database without reading its records.
type Facts struct {
	Schema      int64 // which migrations it has had
	Head        tocsin.Seq
	HeadAt      time.Time // of the last line
	Incarnation string    // see store.DB.Incarnation
	Size        int64     // octets
	Rows        map[string]int64
}

// Snapshot begins to read the store as it is now. Whoever asks closes it.
func (e *Engine) Snapshot(ctx context.Context) (*Snapshot, error) {
	conn, err := e.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{conn: conn}
	return s, s.begin(ctx)
}

// SnapshotOf is [Engine.Snapshot] of a folder that nobody has open. It changes
// nothing in it, not even a schema that is of an earlier version.
func SnapshotOf(ctx context.Context, dir string) (*Snapshot, error) {
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{lock: lock}
	if s.db, err = sql.Open("sqlite", fileURL(filepath.Join(dir, databaseFile))+"?mode=rw&_pragma=busy_timeout(10000)"); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, s.begin(ctx)
}

// Inspect returns the facts of a database file that nobody has open, and reports
// what is damaged in it.
func Inspect(ctx context.Context, path string) (Facts, error) {
	// Nothing changes the file, so that no other file need be made beside it.
	db, err := sql.Open("sqlite", fileURL(path)+"?mode=ro&immutable=1")
	if err != nil {
		return Facts{}, err
	}
	s := &Snapshot{db: db}
	defer s.Close()
	if s.conn, err = db.Conn(ctx); err != nil {
		return Facts{}, err
	}
	if err := check(ctx, s.conn); err != nil {
		return Facts{}, err
	}
	err = s.facts(ctx)
	return s.Facts, err
}

// check has SQLite look whether the database is whole.
func check(ctx context.Context, conn *sql.Conn) error {
	var found string
	if err := conn.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&found); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if found != "ok" {
		return tocsin.Errorf(tocsin.Invalid, "the database is damaged: %s", found)
	}
	return nil
}

func fileURL(path string) string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	return u.String()
}

// begin begins the transaction. The first read fixes what it sees.
func (s *Snapshot) begin(ctx context.Context) error {
	_, err := s.conn.ExecContext(ctx, "BEGIN")
	if err == nil {
		err = s.facts(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("begin a snapshot: %w", err), s.Close())
	}
	return nil
}

func (s *Snapshot) facts(ctx context.Context) error {
	var at int64
	var incarnation []byte
	for _, q := range []struct {
		text string
		dst  []any
	}{
		{`SELECT coalesce(max(seq), 0), coalesce((SELECT at FROM log ORDER BY seq DESC LIMIT 1), 0) FROM log`, []any{&s.Head, &at}},
		{`SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`, []any{&s.Schema}},
		{`SELECT max(value) FROM settings WHERE name = 'incarnation'`, []any{&incarnation}},
		{`SELECT page_count * page_size FROM pragma_page_count, pragma_page_size`, []any{&s.Size}},
	} {
		if err := s.conn.QueryRowContext(ctx, q.text).Scan(q.dst...); err != nil {
			return err
		}
	}
	s.HeadAt, s.Incarnation = fromMicros(at), fmt.Sprintf("%x", incarnation)
	tables, err := s.tables(ctx)
	if err != nil {
		return err
	}
	s.Rows = map[string]int64{}
	for _, t := range tables {
		var n int64
		if err := s.conn.QueryRowContext(ctx, `SELECT count(*) FROM "`+t+`"`).Scan(&n); err != nil {
			return err
		}
		s.Rows[t] = n
	}
	return nil
}

func (s *Snapshot) tables(ctx context.Context) (names []string, err error) {
	rows, err := s.conn.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, rows.Err()
}

// Write writes the database as one file, page by page, Size octets.
func (s *Snapshot) Write(ctx context.Context, w io.Writer) error {
	rows, err := s.conn.QueryContext(ctx, `SELECT data FROM sqlite_dbpage('main')`)
	if err != nil {
		return fmt.Errorf("read pages: %w", err)
	}
	defer rows.Close()
	var page sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&page); err != nil {
			return fmt.Errorf("read pages: %w", err)
		}
		if _, err := w.Write(page); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read pages: %w", err)
	}
	return nil
}

// Close ends the snapshot.
func (s *Snapshot) Close() (err error) {
	if s.conn != nil {
		s.conn.ExecContext(context.Background(), "ROLLBACK") // nothing was written; there may be no transaction
		err = s.conn.Close()
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// Check reads the whole database and reports what is damaged in it.
func (s *Snapshot) Check(ctx context.Context) error { return check(ctx, s.conn) }
