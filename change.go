package tocsin

import (
	"context"
	"iter"
	"time"

	"tocsin/access"
)

// Seq numbers the lines of the log, from 1, without gaps but for the one before
// each line of [KindExchange].
type Seq int64

// A Change is one line of the log, with all that a follower needs to act on it:
// what a record was before and what it is after, as they were at that line,
// however much later it is read.
//
// There are three sorts. A record line is about one record. A range line is
// about a run of new attributes of one event. A scope line is an event line
// that changed who may have the event's attributes, or whether they leave at
// all: it touches each of them, however many there are.
//
// The records are out of reach until someone says for whom they are wanted.
type Change struct {
	Seq  Seq
	At   time.Time
	By   int64 // the user, or 0
	Kind Kind
	ID   int64 // the record; of a range line, the event

	before, after Record
	run           []Attribute
	reread        Reread
	count         int
	event         access.LabelID // attribute lines: the event's label at that line
	scope         Expand
	labels        *access.Labels
}

// Expand iterates over the attributes of a scope line's event as they were just
// before the line, deleted ones included.
type Expand func(context.Context, Parts) iter.Seq2[Attribute, error]

// Reread returns parts of the attributes of a range line as they were just after it,
// in order of id.
type Reread func(context.Context, Parts) ([]Attribute, error)

// Line is what a store keeps and reads back; [NewChange] makes a Change of it.
type Line struct {
	Seq           Seq
	At            time.Time
	By            int64
	Kind          Kind
	ID            int64
	Before, After Record         // nil when created, nil when deleted for good
	Run           []Attribute    // range line, as it was written
	Reread        Reread         // range line, from disk
	Count         int            // range line from disk: of how many
	Event         access.LabelID // attribute lines
	Scope         Expand         // scope lines
}

// NewChange is for stores, which write and read back the log.
func NewChange(l Line, labels *access.Labels) Change {
	return Change{Seq: l.Seq, At: l.At, By: l.By, Kind: l.Kind, ID: l.ID,
		before: l.Before, after: l.After, run: l.Run, reread: l.Reread, count: max(l.Count, len(l.Run)), event: l.Event, scope: l.Scope, labels: labels}
}

// IsRange and IsScope tell the sorts of lines apart.
func (c *Change) IsRange() bool { return c.count > 0 }
func (c *Change) IsScope() bool { return c.scope != nil }

// Weight is how many records the line carries with it; a scope line carries one.
func (c *Change) Weight() int { return max(1, c.count) }

// Records returns the record before and after a record line; nil where there
// was or is none. Only someone who sees everything may ask: a projection that
// keeps labels beside what it keeps and asks its readers.
func Records[R Record](c *Change, v access.Viewer) (before, after R) {
	if !v.SeesAll() {
		return before, after
	}
	before, _ = c.before.(R)
	after, _ = c.after.(R)
	return before, after
}

// Run returns the new attributes of a range line, those parts of them at least,
// under the same condition as [Records]. A line that was read back has them read now,
// since most followers look at few of them.
func (c *Change) Run(ctx context.Context, v access.Viewer, ps Parts) ([]Attribute, error) {
	switch {
	case !v.SeesAll():
		return nil, nil
	case c.reread != nil:
		return c.reread(ctx, ps)
	}
	return c.run, nil
}

// Label is the label that the event of a line about attributes had, under the same
// condition.
func (c *Change) Label(v access.Viewer) access.LabelID {
	if !v.SeesAll() {
		return 0
	}
	return c.event
}

// Scope iterates over the attributes that a scope line touches, as they were
// and are (the line changes their event, not them), those parts of them at least,
// under the same condition.
func (c *Change) Scope(ctx context.Context, v access.Viewer, ps Parts) iter.Seq2[Attribute, error] {
	if c.scope == nil || !v.SeesAll() {
		return func(func(Attribute, error) bool) {}
	}
	return c.scope(ctx, ps)
}

// An Effect is what a change means to one viewer: what it should drop and what
// it should hold. Either may be nil.
type Effect struct{ Drop, Hold *Attribute }

// Effect iterates over what c means to v, attribute by attribute. Nothing to
// iterate over means that c is none of v's business.
func (c *Change) Effect(ctx context.Context, v access.Viewer) iter.Seq2[Effect, error] {
	sees := func(a, event access.LabelID) bool { return v.Sees(c.labels.Label(a)) && v.Sees(c.labels.Label(event)) }
	return func(yield func(Effect, error) bool) {
		switch {
		case c.count > 0:
			run := c.run
			if c.reread != nil {
				var err error
				if run, err = c.reread(ctx, 0); err != nil {
					yield(Effect{}, err)
					return
				}
			}
			for i := range run {
				if a := &run[i]; sees(a.Label, c.event) && !yield(Effect{Hold: a}, nil) {
					return
				}
			}
		case c.Kind == KindAttribute:
			var e Effect
			if b, ok := c.before.(*Attribute); ok && sees(b.Label, c.event) {
				e.Drop = b
			}
			if a, ok := c.after.(*Attribute); ok && sees(a.Label, c.event) {
				e.Hold = a
			}
			if e != (Effect{}) {
				yield(e, nil)
			}
		case c.scope != nil:
			b, _ := c.before.(*Event)
			a, _ := c.after.(*Event)
			for at, err := range c.scope(ctx, 0) {
				var e Effect
				if err == nil && b != nil && sees(at.Label, b.Label) {
					e.Drop = &at
				}
				if err == nil && a != nil && sees(at.Label, a.Label) {
					e.Hold = &at
				}
				if (err != nil || e != (Effect{})) && !yield(e, err) {
					return
				}
			}
		}
	}
}
