package postgres

import (
	"cmp"
	"context"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

var _ store.Portable = (*Engine)(nil)

// sequences is the table that is a column of the turn here.
const sequences = "sequences"

// Dump implements [store.Portable].
func (e *Engine) Dump(ctx context.Context, fn func(store.Dump) error) error {
	return e.Read(ctx, func(r store.Reader) error { return fn(r.(*tx)) })
}

// Load implements [store.Portable].
func (e *Engine) Load(ctx context.Context, fn func(store.Load) error) error {
	return e.Write(ctx, func(w store.Writer) error {
		t := w.(*tx)
		// A whole store takes longer than a write.
		if _, err := t.exec(ctx, `SET LOCAL statement_timeout = 0`); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = 0`); err != nil {
			return err
		}
		for _, table := range store.Tables {
			for range t.Rows(ctx, table) {
				return store.NotEmpty(table.Name)
			}
		}
		if err := fn(t); err != nil {
			return err
		}
		var labels, sets int64
		_, err := t.one(ctx, []any{&t.turn.Head, &labels, &sets}, `SELECT (SELECT coalesce(max(seq), 0) FROM log),
			(SELECT coalesce(max(id), 0) FROM labels), (SELECT coalesce(max(id), 0) FROM tagsets)`)
		t.turn.Labels, t.turn.TagSets, t.lines = access.LabelID(labels), uint32(sets), t.turn.Head > 0
		return err
	})
}

// Rows implements [store.Dump].
func (t *tx) Rows(ctx context.Context, table store.Table) iter.Seq2[[]any, error] {
	if table.Name == sequences {
		return t.sequences
	}
	row := make([]any, len(table.Columns))
	take := make([]func(), len(table.Columns))
	into := make([]any, len(table.Columns))
	for i, c := range table.Columns {
		into[i], take[i] = holder(c.Type, &row[i])
	}
	scan := func(s scanner, r *[]any) error {
		if err := s.Scan(into...); err != nil {
			return err
		}
		for _, t := range take {
			t()
		}
		*r = append([]any(nil), row...) // rows are fetched many at a time
		return nil
	}
	return rows(ctx, t, scan, `SELECT `+columns(table.Columns)+` FROM `+table.Name+` ORDER BY `+columns(table.Columns[:table.Key]))
}

// holder is what a column is scanned into, and what then puts it into a row.
func holder(c store.ColumnType, row *any) (into any, take func()) {
	switch c {
	case store.Text:
		return hold(row, func(s string) any { return s })
	case store.Bytes:
		return hold(row, func(b []byte) any { return b })
	case store.UUID:
		return hold(row, func(u [16]byte) any { return u[:] })
	}
	return hold(row, func(n int64) any { return n })
}

func hold[T any](row *any, as func(T) any) (any, func()) {
	var p *T
	return &p, func() {
		if *row = nil; p != nil {
			*row = as(*p)
		}
	}
}

// sequences iterates over the kinds of which an id was handed out.
func (t *tx) sequences(yield func([]any, error) bool) {
	for k, next := range t.turn.next {
		if next > 1 && !yield([]any{int64(k), next}, nil) {
			return
		}
	}
}

// Fill implements [store.Load].
func (t *tx) Fill(ctx context.Context, table store.Table, from iter.Seq2[[]any, error]) (n int64, err error) {
	if table.Name == sequences {
		for row, err := range from {
			if err != nil {
				return n, err
			}
			t.NextIDs(ctx, tocsin.Kind(row[0].(int64)), row[1].(int64)-1)
			n++
		}
		return n, nil
	}
	names := make([]string, len(table.Columns))
	for i, c := range table.Columns {
		names[i] = c.Name
	}
	next, stop := iter.Pull2(from)
	defer stop()
	var broken error // which the server would only tell us back as its own
	n, err = t.conn.CopyFrom(ctx, pgx.Identifier{table.Name}, names, pgx.CopyFromFunc(func() ([]any, error) {
		row, err, ok := next()
		if !ok || err != nil {
			broken = err
			return nil, err
		}
		for i, c := range table.Columns {
			switch v := row[i].(type) {
			case string:
				if broken = plain("store", v); broken != nil {
					return nil, broken
				}
			case []byte:
				if c.Type == store.UUID {
					row[i] = [16]byte(v)
				}
			}
		}
		return row, nil
	}))
	return n, cmp.Or(broken, err)
}

func columns(cs []store.Column) string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = `"` + c.Name + `"`
	}
	return strings.Join(names, ", ")
}
