package store

import (
	"context"
	"time"

	"tocsin"
	"tocsin/access"
)

// A Tx is one write, made by one viewer. Each of its methods asks whether the
// viewer may, reads what it replaces (never the caller's word for it), writes
// rows and remembers the line for the log. What the viewer cannot see does not
// exist for it.
type Tx struct {
	ctx  context.Context
	db   *DB
	w    Writer
	v    access.Viewer
	now  time.Time
	seq  tocsin.Seq
	docs *overlay

	lines  []tocsin.Line
	events map[int64]*tocsin.Event // touched in this write: what PutEvent has yet to write
	last   *tocsin.Event           // the last that was read and not touched
	unput  bool                    // some of events are not written
	added  map[int64]bool          // events that this write added
}

// Viewer is who writes.
func (tx *Tx) Viewer() access.Viewer { return tx.v }

// Now is the time of this write, the same for all of it.
func (tx *Tx) Now() time.Time { return tx.now }

// line appends a line to the log and returns its number.
func (tx *Tx) line(l tocsin.Line) tocsin.Seq {
	tx.seq++
	l.Seq, l.At, l.By = tx.seq, tx.now, tx.v.User()
	tx.lines = append(tx.lines, l)
	return l.Seq
}

// next is the number that the next line will have.
func (tx *Tx) next() tocsin.Seq { return tx.seq + 1 }

// putEvents writes the events that were touched since it was last asked.
func (tx *Tx) putEvents() error {
	if !tx.unput {
		return nil
	}
	tx.unput = false
	for _, e := range tx.events {
		if e == nil {
			continue
		}
		if err := tx.w.PutEvent(tx.ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// flush writes the events that were touched and the lines of the log.
func (tx *Tx) flush() error {
	if err := tx.putEvents(); err != nil {
		return err
	}
	kept := make([]LogLine, 0, len(tx.lines))
	for _, l := range tx.lines {
		k, err := tx.db.logLine(l)
		if err != nil {
			return err
		}
		kept = append(kept, k)
	}
	return tx.w.AppendLines(tx.ctx, kept)
}

// logLine makes a line into what the engine keeps of it.
func (db *DB) logLine(l tocsin.Line) (LogLine, error) {
	k := LogLine{Seq: l.Seq, At: l.At, By: l.By, Kind: l.Kind, ID: l.ID, Scope: l.Scope != nil, Label: l.Event}
	if n := len(l.Run); n > 0 {
		k.Event, k.First, k.Last = l.ID, l.Run[0].ID, l.Run[n-1].ID
		return k, nil
	}
	k.Event = max(eventOf(l.After), eventOf(l.Before)) // where it is in both, they are the same
	var err error
	if k.Before, err = db.encode(l.Before); err != nil {
		return k, err
	}
	k.After, err = db.encode(l.After)
	return k, err
}

// eventOf returns in which event a record is, 0 for none. An event is in itself.
func eventOf(r tocsin.Record) int64 {
	switch r := r.(type) {
	case *tocsin.Event:
		return r.ID
	case *tocsin.Attribute:
		return r.Event
	case *tocsin.Object:
		return r.Event
	case tocsin.Remark:
		return r.Remarked().Event
	}
	return 0
}

// bury leaves a tombstone of a record that the last line deleted for good.
func (tx *Tx) bury(r tocsin.Record, l access.LabelID) error {
	return tx.w.PutTombstone(tx.ctx, Tombstone{r.Kind(), r.RecordID(), uuid(r), eventOf(r), l, tx.seq, tx.now})
}

// newID hands out n ids of a kind and returns the first.
func (tx *Tx) newID(k tocsin.Kind, n int) (int64, error) { return tx.w.NextIDs(tx.ctx, k, int64(n)) }

// free refuses a uuid that was deleted for good.
func (tx *Tx) free(u tocsin.UUID) error {
	dead, err := tx.w.Tombstone(tx.ctx, u)
	if err == nil && dead {
		return tocsin.Errorf(tocsin.Gone, "the record %s was deleted for good; its uuid is not taken again", u)
	}
	return err
}

// label interns l.
func (tx *Tx) label(l access.Label) access.LabelID { return tx.db.coder.Labels.ID(l) }

// marking reads TLP and PAP off a set of tags.
func (tx *Tx) marking(s tocsin.TagSet) (access.TLP, access.PAP) {
	var names []string
	for a := range s.All() {
		if t, ok := tx.docs.get(tocsin.KindTag, a.Tag).(*tocsin.Tag); ok {
			names = append(names, t.Name)
		}
	}
	return access.Markings(names)
}
