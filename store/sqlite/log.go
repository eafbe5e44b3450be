package sqlite

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"tocsin"
	"tocsin/store"
)

// AppendLines implements [store.Writer].
func (t *tx) AppendLines(ctx context.Context, ls []store.LogLine) error {
	_, err := insertAll(ctx, t, insertLines, ls, func(args []any, l *store.LogLine) []any {
		return append(args, int64(l.Seq), l.At.UnixMicro(), l.By, int64(l.Kind), l.ID, l.Event, l.First, l.Last, l.Scope, int64(l.Label), image(l.Before), image(l.After))
	})
	return err
}

var insertLines = newInsert(`INSERT INTO log`, `seq, at, actor, kind, id, event, first, last, scope, label, before, after`)

func image(b []byte) any {
	if b == nil {
		return nil
	}
	return string(b)
}

// Lines implements [store.Reader].
func (t *tx) Lines(ctx context.Context, after tocsin.Seq) iter.Seq2[store.LogLine, error] {
	scan := func(s scanner, l *store.LogLine) error {
		var at int64
		err := s.Scan(&l.Seq, &at, &l.By, &l.Kind, &l.ID, &l.Event, &l.First, &l.Last, &l.Scope, &l.Label, &l.Before, &l.After)
		l.At = fromMicros(at)
		return err
	}
	return rows(ctx, t, scan, `SELECT seq, at, actor, kind, id, event, first, last, scope, label, before, after
		FROM log WHERE seq > ? ORDER BY seq`, after)
}

// Spans implements [store.Reader].
func (t *tx) Spans(ctx context.Context, n tocsin.Seq, spans []tocsin.Span, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
	return func(yield func(tocsin.Attribute, error) bool) {
		for _, s := range spans {
			w := &where{}
			w.and("seq <= ?", n)
			column := "seen"
			if s.Ends {
				column = "ends"
				w.and("ends <> 0")
			}
			w.and(column+" > ? AND "+column+" <= ?", s.After, s.UpTo)
			if s.Types != nil {
				w.and("type IN (SELECT value FROM json_each(?))", array(s.Types))
			}
			for a, err := range rows(ctx, t, t.scanning(ps), `SELECT `+selected(ps)+` FROM attributes WHERE `+w.sql(), w.args...) {
				if !yield(a, err) || err != nil {
					return
				}
			}
		}
		// What changed since, or went.
		for a, err := range t.imagesAfter(ctx, n, "seq > ?", n) {
			if err == nil && !slices.ContainsFunc(spans, func(s tocsin.Span) bool { return s.Has(&a) }) {
				continue
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// imagesAfter iterates over attributes that changed after line n as they were
// at it, among the lines for which where holds.
func (t *tx) imagesAfter(ctx context.Context, n tocsin.Seq, where string, args ...any) iter.Seq2[tocsin.Attribute, error] {
	scan := func(s scanner, b *[]byte) error { var id, seq int64; return s.Scan(&id, &seq, b) }
	return func(yield func(tocsin.Attribute, error) bool) {
		for b, err := range rows(ctx, t, scan, `SELECT id, min(seq), before FROM log WHERE kind = 2 AND last = 0 AND `+where+` GROUP BY id`, args...) {
			var a tocsin.Attribute
			if err == nil && b == nil {
				continue // it came after n
			}
			if err == nil {
				a, err = t.coder.Attribute(b)
			}
			if err == nil && a.Seq > n {
				continue // likewise, in a range line
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// AsOf implements [store.Reader].
//
// A row that has not changed since line n is as it was. What it was before it
// changed, or was deleted, stands in the first line about it after n.
func (t *tx) AsOf(ctx context.Context, n tocsin.Seq, event, firstID, lastID int64, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
	where, args := "seq <= ?", []any{n}
	lines, largs := "seq > ?", []any{n}
	if event != 0 {
		where, args = where+" AND event = ?", append(args, event)
		lines, largs = lines+" AND event = ?", append(largs, event)
	}
	if lastID != 0 {
		where, args = where+" AND id BETWEEN ? AND ?", append(args, firstID, lastID)
		lines, largs = lines+" AND id BETWEEN ? AND ?", append(largs, firstID, lastID)
	}
	from := "attributes"
	if lastID != 0 {
		from += " NOT INDEXED" // the range of ids is narrower than the event
	}
	return func(yield func(tocsin.Attribute, error) bool) {
		for a, err := range rows(ctx, t, t.scanning(ps), `SELECT `+selected(ps)+` FROM `+from+` WHERE `+where, args...) {
			if !yield(a, err) || err != nil {
				return
			}
		}
		for a, err := range t.imagesAfter(ctx, n, lines, largs...) {
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// RewriteLines implements [store.Writer].
func (t *tx) RewriteLines(ctx context.Context, k tocsin.Kind, fn func([]byte) ([]byte, error)) error {
	type line struct {
		seq           tocsin.Seq
		before, after []byte
	}
	scan := func(s scanner, l *line) error { return s.Scan(&l.seq, &l.before, &l.after) }
	for after := tocsin.Seq(0); ; {
		var page []line
		for l, err := range rows(ctx, t, scan, `SELECT seq, before, after FROM log WHERE kind = ? AND seq > ? ORDER BY seq LIMIT 1000`, k, after) {
			if err != nil {
				return err
			}
			page = append(page, line{l.seq, slices.Clone(l.before), slices.Clone(l.after)})
		}
		if len(page) == 0 {
			return nil
		}
		for _, l := range page {
			for _, b := range []*[]byte{&l.before, &l.after} {
				if *b == nil {
					continue
				}
				var err error
				if *b, err = fn(*b); err != nil {
					return fmt.Errorf("line %d: %w", l.seq, err)
				}
			}
			if _, err := t.exec(ctx, `UPDATE log SET before = ?, after = ? WHERE seq = ?`, image(l.before), image(l.after), l.seq); err != nil {
				return err
			}
			after = l.seq
		}
	}
}
