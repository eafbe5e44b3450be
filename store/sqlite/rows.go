package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
)

// The driver is asked for rows without package database/sql in between, which hands
// each column over twice and so costs as much as SQLite itself does. A connection has one
// user at a time, and that is all that the driver asks for.

// A question is a query that is prepared.
type question struct {
	driver.Stmt
	kept bool // for the next time
	busy bool // its rows are being read
}

// ask prepares a query, or takes the one that was prepared before unless its rows
// are still being read.
func (c *conn) ask(ctx context.Context, query string) (*question, error) {
	known := c.questions[query]
	if known != nil && !known.busy {
		return known, nil
	}
	if c.direct == nil {
		err := c.Raw(func(dc any) error { c.direct = dc.(driver.ConnPrepareContext); return nil })
		if err != nil {
			return nil, err
		}
	}
	s, err := c.direct.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	q := &question{Stmt: s}
	if known == nil {
		c.forget()
		q.kept = true
		c.questions[query] = q
	}
	return q, nil
}

// forget makes room for another question.
func (c *conn) forget() {
	if len(c.questions) < maxStmts {
		return
	}
	for text, q := range c.questions {
		if !q.busy {
			q.Close()
			delete(c.questions, text)
		}
	}
}

func (c *conn) query(ctx context.Context, query string, args ...any) (*result, error) {
	q, err := c.ask(ctx, query)
	if err != nil {
		return nil, err
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		named[i].Ordinal = i + 1
		if named[i].Value, err = driver.DefaultParameterConverter.ConvertValue(a); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	rs, err := q.Stmt.(driver.StmtQueryContext).QueryContext(ctx, named)
	if err != nil {
		return nil, err
	}
	q.busy = true
	return &result{q, rs, make([]driver.Value, len(rs.Columns()))}, nil
}

// run executes a statement that takes no time and is not to be interrupted.
func (c *conn) run(query string) error {
	q, err := c.ask(context.Background(), query)
	if err != nil {
		return err
	}
	_, err = q.Stmt.(driver.StmtExecContext).ExecContext(context.Background(), nil)
	return err
}

// A result is the rows of a query, one at a time.
type result struct {
	of     *question
	rows   driver.Rows
	values []driver.Value
}

// scanner is what a row is read from.
type scanner = *result

func (r *result) close() {
	r.rows.Close()
	r.of.busy = false
	if !r.of.kept {
		r.of.Close()
	}
}

func (r *result) next() error { return r.rows.Next(r.values) }

// integer, text and octets are a column of the row, which is of that type: tables
// are STRICT, and nothing that may be NULL is asked for by these.
func (r *result) integer(column int) int64 { n, _ := r.values[column].(int64); return n }
func (r *result) text(column int) string   { s, _ := r.values[column].(string); return s }
func (r *result) octets(column int) []byte { b, _ := r.values[column].([]byte); return b }

// Scan copies the row's columns to where dst points.
func (r *result) Scan(dst ...any) error {
	if len(dst) != len(r.values) {
		return fmt.Errorf("%d columns for %d variables", len(r.values), len(dst))
	}
	for i, d := range dst {
		if err := assign(d, r.values[i]); err != nil {
			return fmt.Errorf("column %d: %w", i+1, err)
		}
	}
	return nil
}

var errNull = errors.New("it is NULL")

func assign(dst any, v driver.Value) error {
	switch d := dst.(type) {
	case *int64:
		n, ok := v.(int64)
		if *d = n; ok {
			return nil
		}
	case *string:
		s, ok := v.(string)
		if *d = s; ok {
			return nil
		}
	case *[]byte:
		switch v := v.(type) {
		case []byte:
			*d = v
		case string:
			*d = []byte(v)
		case nil:
			*d = nil
		default:
			return mismatch(dst, v)
		}
		return nil
	case *any:
		*d = v
		return nil
	}
	return assignKind(reflect.ValueOf(dst).Elem(), v)
}

// assignKind is assign for the kinds of numbers and texts that have a name.
func assignKind(d reflect.Value, v driver.Value) error {
	n, isInt := v.(int64)
	s, isText := v.(string)
	switch {
	case v == nil:
		return errNull
	case isInt && d.CanInt() && !d.OverflowInt(n):
		d.SetInt(n)
	case isInt && d.CanUint() && n >= 0 && !d.OverflowUint(uint64(n)):
		d.SetUint(uint64(n))
	case isInt && d.Kind() == reflect.Bool:
		d.SetBool(n != 0)
	case isText && d.Kind() == reflect.String:
		d.SetString(s)
	case isText && d.Type() == reflect.TypeFor[[]byte]():
		d.SetBytes([]byte(s))
	case d.Kind() == reflect.Slice && reflect.TypeOf(v).ConvertibleTo(d.Type()):
		d.Set(reflect.ValueOf(v).Convert(d.Type()))
	default:
		return mismatch(d.Addr().Interface(), v)
	}
	return nil
}

func mismatch(dst any, v driver.Value) error { return fmt.Errorf("%T does not go into %T", v, dst) }

// looks is how many rows are read before a reader is asked whether it still waits.
const looks = 256

// rows runs a query and iterates over what scan makes of each row.
func rows[R any](ctx context.Context, t *tx, scan func(scanner, *R) error, query string, args ...any) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		var zero R
		rs, err := t.query(ctx, query, args...)
		if err != nil {
			yield(zero, fmt.Errorf("query: %w", err))
			return
		}
		defer rs.close()
		for n := 1; ; n++ {
			err := rs.next()
			if err == io.EOF {
				return
			}
			if err == nil && n%looks == 0 {
				err = ctx.Err()
			}
			var row R
			if err == nil {
				err = scan(rs, &row)
			}
			if err != nil {
				yield(zero, err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
	}
}

// first returns the only row, or nil.
func first[R any](rows iter.Seq2[R, error]) (*R, error) {
	for r, err := range rows {
		if err != nil {
			return nil, err
		}
		return &r, nil
	}
	return nil, nil
}

// one scans the only row of a query into dst; ok is false if there is none.
func (c *conn) one(ctx context.Context, dst []any, query string, args ...any) (ok bool, err error) {
	rs, err := c.query(ctx, query, args...)
	if err != nil {
		return false, err
	}
	defer rs.close()
	if err := rs.next(); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, err
	}
	return true, rs.Scan(dst...)
}
