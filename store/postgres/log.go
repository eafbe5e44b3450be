package postgres

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"

	"tocsin"
	"tocsin/store"
)

// AppendLines implements [store.Writer].
func (t *tx) AppendLines(ctx context.Context, ls []store.LogLine) error {
	if len(ls) == 0 {
		return nil
	}
	var b pgx.Batch
	for _, l := range ls {
		b.Queue(`INSERT INTO log (seq, at, actor, kind, id, event, first, last, scope, label, before, after)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			int64(l.Seq), l.At.UnixMicro(), l.By, int64(l.Kind), l.ID, l.Event, l.First, l.Last, number(l.Scope), int64(l.Label), image(l.Before), image(l.After))
	}
	t.turn.Head, t.lines = ls[len(ls)-1].Seq, true
	return t.conn.SendBatch(ctx, &b).Close()
}

func image(b []byte) *string {
	if b == nil {
		return nil
	}
	s := string(b)
	return &s
}

// Lines implements [store.Reader].
func (t *tx) Lines(ctx context.Context, after tocsin.Seq) iter.Seq2[store.LogLine, error] {
	scan := func(s scanner, l *store.LogLine) error {
		var at, scope int64
		err := s.Scan(&l.Seq, &at, &l.By, &l.Kind, &l.ID, &l.Event, &l.First, &l.Last, &scope, &l.Label, &l.Before, &l.After)
		l.At, l.Scope = fromMicros(at), scope != 0
		return err
	}
	return rows(ctx, t, scan, `SELECT seq, at, actor, kind, id, event, first, last, scope, label, before, after
		FROM log WHERE seq > $1 ORDER BY seq`, int64(after))
}

// AsOf implements [store.Reader].
//
// A row that has not changed since line n is as it was. What it was before it
// changed, or was deleted, stands in the first line about it after n.
func (t *tx) AsOf(ctx context.Context, n tocsin.Seq, event, firstID, lastID int64, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
	rowsOf, linesOf := &where{}, &where{}
	rowsOf.and("a.seq <= ?", int64(n))
	linesOf.and("seq > ?", int64(n))
	if lastID != 0 {
		rowsOf.and("a.id BETWEEN ? AND ?", firstID, lastID)
		linesOf.and("id BETWEEN ? AND ?", firstID, lastID)
	}
	if event != 0 {
		if lastID != 0 { // the range of ids is narrower than the event
			rowsOf.and("a.event + 0 = ?", event)
		} else {
			rowsOf.and("a.event = ?", event)
		}
		linesOf.and("event = ?", event)
	}
	return func(yield func(tocsin.Attribute, error) bool) {
		for a, err := range t.attributes(ctx, rowsOf, ps) {
			if !yield(a, err) || err != nil {
				return
			}
		}
		for a, err := range t.imagesAfter(ctx, n, linesOf) {
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// Spans implements [store.Reader].
func (t *tx) Spans(ctx context.Context, n tocsin.Seq, spans []tocsin.Span, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
	return func(yield func(tocsin.Attribute, error) bool) {
		for _, s := range spans {
			w := &where{}
			w.and("a.seq <= ?", int64(n))
			column := "a.seen"
			if s.Ends {
				column = "a.ends"
				w.and("a.ends <> 0")
			}
			w.and(column+" > ? AND "+column+" <= ?", s.After, s.UpTo)
			if s.Types != nil {
				w.in("a.type", wide(s.Types))
			}
			for a, err := range t.attributes(ctx, w, ps) {
				if !yield(a, err) || err != nil {
					return
				}
			}
		}
		w := &where{}
		w.and("seq > ?", int64(n))
		for a, err := range t.imagesAfter(ctx, n, w) { // what changed since, or went
			if err == nil && !slices.ContainsFunc(spans, func(s tocsin.Span) bool { return s.Has(&a) }) {
				continue
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

func (t *tx) attributes(ctx context.Context, w *where, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error] {
	return rows(ctx, t, t.scanning(ps), `SELECT `+selected(ps)+` FROM attributes a WHERE `+w.sql(), w.args...)
}

// imagesAfter iterates over attributes that changed after line n as they were at
// it, among the lines for which w holds.
func (t *tx) imagesAfter(ctx context.Context, n tocsin.Seq, w *where) iter.Seq2[tocsin.Attribute, error] {
	scan := func(s scanner, b *[]byte) error { return s.Scan(b) }
	return func(yield func(tocsin.Attribute, error) bool) {
		for b, err := range rows(ctx, t, scan, `SELECT before FROM (SELECT DISTINCT ON (id) id, before FROM log
			WHERE kind = 2 AND last = 0 AND `+w.sql()+` ORDER BY id, seq) l`, w.args...) {
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

// RewriteLines implements [store.Writer].
func (t *tx) RewriteLines(ctx context.Context, k tocsin.Kind, fn func([]byte) ([]byte, error)) error {
	type line struct {
		seq           tocsin.Seq
		before, after []byte
	}
	scan := func(s scanner, l *line) error { return s.Scan(&l.seq, &l.before, &l.after) }
	for l, err := range rows(ctx, t, scan, `SELECT seq, before, after FROM log WHERE kind = $1 ORDER BY seq`, int64(k)) {
		if err != nil {
			return err
		}
		for _, b := range []*[]byte{&l.before, &l.after} {
			if *b == nil {
				continue
			}
			if *b, err = fn(*b); err != nil {
				return fmt.Errorf("line %d: %w", l.seq, err)
			}
		}
		if _, err := t.exec(ctx, `UPDATE log SET before = $1, after = $2 WHERE seq = $3`, image(l.before), image(l.after), int64(l.seq)); err != nil {
			return err
		}
	}
	return nil
}
