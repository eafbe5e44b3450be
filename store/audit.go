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
// users, but for its site administrators, whose writes concern others: as these users
// were when they wrote, since who has moved since takes nothing along. Who is shown no
// more than a ceiling has none: a line says nothing of the labels of what it is about.
func (w View) Lines(ctx context.Context, after tocsin.Seq) iter.Seq2[tocsin.Line, error] {
	return read(ctx, w, func(r Reader) iter.Seq2[tocsin.Line, error] {
		return func(yield func(tocsin.Line, error) bool) {
			if w.v.Ceiling() != access.Unmarked || !w.v.SeesAll() && !w.v.May(access.Audit) {
				return
			}
			from, then := tocsin.Seq(0), writers{}
			if w.v.SeesAll() {
				from = after
			}
			for l, err := range r.Lines(ctx, from) {
				wanted := err != nil || l.Seq > after && w.audits(then.of(w, l.By))
				if !wanted && l.Kind != tocsin.KindUser {
					continue
				}
				line := tocsin.Line{Seq: l.Seq, At: l.At, By: l.By, Kind: l.Kind, ID: l.ID}
				if err == nil {
					line.Before, err = w.db.decode(l.Kind, l.Before)
				}
				if err == nil {
					line.After, err = w.db.decode(l.Kind, l.After)
				}
				then.note(&line)
				if wanted && (!yield(line, err) || err != nil) || err != nil {
					return
				}
			}
		}
	})
}

// writers are users as they were at the line of the log that is being read.
type writers map[int64]*tocsin.User

// note takes note of what became of a user.
func (ws writers) note(l *tocsin.Line) {
	if l.Kind != tocsin.KindUser {
		return
	}
	if u, ok := l.After.(*tocsin.User); ok && u != nil {
		ws[l.ID] = u
	}
}

// of returns a user as they were, or as they are where the log does not go back so far.
func (ws writers) of(w View, id int64) *tocsin.User {
	if u, ok := ws[id]; ok {
		return u
	}
	u, _ := w.db.dir.get(tocsin.KindUser, id).(*tocsin.User)
	return u
}

// audits reports whether the viewer may know what a user wrote.
func (w View) audits(u *tocsin.User) bool {
	if w.v.SeesAll() {
		return true
	}
	if u == nil || u.Org != w.v.Org() {
		return false
	}
	is, _ := role(w.db.dir, u.Role)
	return !is.Role.May(access.SiteAdmin)
}
