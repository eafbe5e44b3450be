package sqlite

import (
	"context"
	"strconv"
	"strings"
)

// An insert writes many rows into one table by few statements. Rows that come
// together are mostly alike (of one event, one type, one time), and each value
// that is bound costs as much as a column that is written, so what is the same in
// all rows of a statement is bound once.
type insert struct {
	into    string // up to the columns, as INSERT INTO log
	columns []string
}

func newInsert(into, columns string) *insert {
	return &insert{into, strings.Split(strings.Join(strings.Fields(columns), " "), ", ")}
}

// insertRows is how many rows one statement takes: fewer calls are faster, up to a
// point.
const insertRows = 32

// A shape is which rows a statement takes.
type shape struct {
	in     *insert
	rows   int
	shared uint64 // the columns whose value is the same in all rows, a bit each
}

// insertAll inserts rows, each of which values appends as arguments, and returns
// the id of the last row.
func insertAll[R any](ctx context.Context, t *tx, in *insert, rows []R, values func([]any, *R) []any) (last int64, err error) {
	var args, bound []any
	for len(rows) > 0 {
		n := min(len(rows), insertRows)
		args = args[:0]
		for i := range rows[:n] {
			args = values(args, &rows[i])
		}
		s := shape{in, n, alike(args, len(in.columns))}
		bound = s.bind(bound[:0], args)
		r, err := t.exec(ctx, t.insertText(s), bound...)
		if err != nil {
			return 0, err
		}
		if last, err = r.LastInsertId(); err != nil {
			return 0, err
		}
		rows = rows[n:]
	}
	return last, nil
}

// alike returns the columns whose value is the same in all rows.
func alike(args []any, columns int) (shared uint64) {
	for c := range columns {
		bit := uint64(1) << c
		shared |= bit
		for at := c + columns; at < len(args); at += columns {
			if !same(args[at], args[c]) {
				shared &^= bit
				break
			}
		}
	}
	return shared
}

func same(a, b any) bool {
	switch a := a.(type) {
	case int64:
		b, ok := b.(int64)
		return ok && a == b
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool:
		b, ok := b.(bool)
		return ok && a == b
	case nil:
		return b == nil
	}
	return false
}

// bind appends what a statement of this shape is given: the first row, and of the
// others what is not shared.
func (s shape) bind(bound, args []any) []any {
	columns := len(s.in.columns)
	bound = append(bound, args[:columns]...)
	for i, v := range args[columns:] {
		if !s.has(i % columns) {
			bound = append(bound, v)
		}
	}
	return bound
}

// has reports whether a column is shared.
func (s shape) has(column int) bool { return s.shared>>column&1 == 1 }

// text is the statement. Only what is shared has a number there, which is that of
// its column: the driver looks each number up.
func (s shape) text() string {
	first, others := make([]string, len(s.in.columns)), make([]string, len(s.in.columns))
	for c := range s.in.columns {
		first[c], others[c] = "?", "?"
		if s.has(c) {
			first[c] = "?" + strconv.Itoa(c+1)
			others[c] = first[c]
		}
	}
	return s.in.into + " (" + strings.Join(s.in.columns, ", ") + ") VALUES (" + strings.Join(first, ", ") + ")" +
		strings.Repeat(", ("+strings.Join(others, ", ")+")", s.rows-1)
}

// insertText is the statement of a shape, which is put together once.
func (c *conn) insertText(s shape) string {
	text := c.inserts[s]
	if text == "" {
		if len(c.inserts) >= maxStmts {
			clear(c.inserts)
		}
		text = s.text()
		c.inserts[s] = text
	}
	return text
}
