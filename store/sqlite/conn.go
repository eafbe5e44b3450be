package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"tocsin"
)

// A conn is a connection that keeps the statements it has prepared.
type conn struct {
	*sql.Conn
	stmts   map[string]*sql.Stmt
	inserts map[shape]string

	direct    driver.ConnPrepareContext // the driver's own connection, see rows.go
	questions map[string]*question
}

// maxStmts bounds the statements kept: queries are put together from parts, so
// there can be many.
const maxStmts = 256

func (c *conn) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if s := c.stmts[query]; s != nil {
		return s, nil
	}
	if len(c.stmts) >= maxStmts {
		for q, s := range c.stmts {
			s.Close()
			delete(c.stmts, q)
		}
	}
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.Close()
	}
	for _, q := range c.questions {
		q.Close()
	}
	return c.Conn.Close()
}

// storageError says what is wrong with the disk in words for the operator, who
// alone can mend it.
func storageError(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(text, "database or disk is full"), strings.Contains(text, "no space left on device"):
		return tocsin.Errorf(tocsin.Busy, "the disk is full; nothing was written, and nothing acknowledged is lost: %w", err)
	case strings.Contains(text, "readonly database"), strings.Contains(text, "read-only file system"):
		return tocsin.Errorf(tocsin.Busy, "the data folder can't be written to; nothing was written: %w", err)
	}
	return err
}
