package sqlite

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"tocsin/store"
)

var _ store.Portable = (*Engine)(nil)

// Dump implements [store.Portable].
func (e *Engine) Dump(ctx context.Context, fn func(store.Dump) error) error {
	return e.Read(ctx, func(r store.Reader) error { return fn(r.(*tx)) })
}

// Load implements [store.Portable].
func (e *Engine) Load(ctx context.Context, fn func(store.Load) error) error {
	return e.Write(ctx, func(w store.Writer) error {
		t := w.(*tx)
		for _, table := range store.Tables {
			var n int
			if ok, err := t.one(ctx, []any{&n}, `SELECT 1 FROM "`+table.Name+`" LIMIT 1`); err != nil {
				return err
			} else if ok {
				return store.NotEmpty(table.Name)
			}
		}
		return fn(t)
	})
}

// Rows implements [store.Dump].
func (t *tx) Rows(ctx context.Context, table store.Table) iter.Seq2[[]any, error] {
	row, into := make([]any, len(table.Columns)), make([]any, len(table.Columns))
	for i := range row {
		into[i] = &row[i]
	}
	scan := func(s scanner, r *[]any) error {
		clear(row)
		*r = row
		return s.Scan(into...)
	}
	return rows(ctx, t, scan, `SELECT `+columns(table.Columns)+` FROM "`+table.Name+`" ORDER BY `+columns(table.Columns[:table.Key]))
}

// Fill implements [store.Load].
func (t *tx) Fill(ctx context.Context, table store.Table, from iter.Seq2[[]any, error]) (n int64, err error) {
	in := newInsert(fmt.Sprintf(`INSERT INTO "%s"`, table.Name), columns(table.Columns))
	var batch [][]any
	write := func() error {
		_, err := insertAll(ctx, t, in, batch, func(args []any, row *[]any) []any { return append(args, *row...) })
		n += int64(len(batch))
		batch = batch[:0]
		return err
	}
	for row, err := range from {
		if err != nil {
			return n, err
		}
		if batch = append(batch, append([]any(nil), row...)); len(batch) == insertRows {
			if err := write(); err != nil {
				return n, err
			}
		}
	}
	return n, write()
}

func columns(cs []store.Column) string {
	names := make([]string, len(cs))
	for i, c := range cs {
		names[i] = `"` + c.Name + `"`
	}
	return strings.Join(names, ", ")
}
