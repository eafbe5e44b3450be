package store

import (
	"context"
	"iter"

	"tocsin"
	"tocsin/access"
)

// Lines iterates over the lines of the log after one, oldest first, with the records as
// they were and became where that is kept. Of a range line neither is.
//
// A site administrator has them all. Who may audit an organisation has those of its
// users, but for its site administrators, whose writes concern others. Who is shown no
// more than a ceiling has none: a line says nothing of the labels of what it is about.
func (w View) Lines(ctx context.Context, after tocsin.Seq) iter.Seq2[tocsin.Line, error] {
	return read(ctx, w, func(r Reader) iter.Seq2[tocsin.Line, error] {
		return func(yield func(tocsin.Line, error) bool) {
			if w.v.Ceiling() != access.Unmarked || !w.v.SeesAll() && !w.v.May(access.Audit) {
				return
			}
			for l, err := range r.Lines(ctx, after) {
				if err == nil && !w.audits(l.By) {
					continue
				}
				line := tocsin.Line{Seq: l.Seq, At: l.At, By: l.By, Kind: l.Kind, ID: l.ID}
				if err == nil {
					line.Before, err = w.db.decode(l.Kind, l.Before)
				}
				if err == nil {
					line.After, err = w.db.decode(l.Kind, l.After)
				}
				if !yield(line, err) || err != nil {
					return
				}
			}
		}
	})
}

// audits reports whether the viewer may know what a user wrote.
func (w View) audits(by int64) bool {
	if w.v.SeesAll() {
		return true
	}
	u, ok := w.db.dir.get(tocsin.KindUser, by).(*tocsin.User)
	if !ok || u.Org != w.v.Org() {
		return false
	}
	is, _ := role(w.db.dir, u.Role)
	return !is.Role.May(access.SiteAdmin)
}
