package intake

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// ImportOptions say what a list is and where it goes.
type ImportOptions struct {
	Name         string               // of the list: its file's name, or where it came from
	Event        string               // what the event is about; Name and today's date if empty
	Distribution *access.Distribution // of a new event; nil: the organisation's own
	Group        int64
	Tags         []TagDraft // of the event
	Collection   string     // the name of the collection that the list is for
	Publish      bool       // when all of it is in
	Revive       bool       // what was taken back before is there again
}

// A Progress is how far an import has come.
type Progress struct {
	Import     int64 // 0 until something was written
	Event      int64
	State      string // as in tocsin.Import
	Seq        tocsin.Seq
	Read       int64 // values
	Written    int64
	Duplicates int64
	Refused    int64
	Withdrawn  int64     // were taken back before, and stay so
	Revived    int64     // of what was written: taken back before
	Guarded    int64     // of what was written: not to be blocked
	Refusals   []Refusal // the first of them
}

// What an import's state can be.
const (
	Running     = "running"
	Done        = "done"
	Interrupted = "interrupted"
)

const (
	// defaultBatch is how many claims are written in one transaction: so many
	// that the sync at its end costs little, so few that other writers wait for
	// a fraction of a second.
	defaultBatch = 10_000
	// maxOctets is how much text is held for one transaction. Most claims are
	// short; ten thousand of the longest would take a gigabyte.
	maxOctets = 8 << 20
	// maxRefusals is how many refusals are shown.
	maxRefusals = 1000
)

// Import fills one event with the claims of a list, batch by batch, each of
// which is on disk when progress is told of it. The event is that of the same
// text of the same organisation, or else a new one, which stays unpublished
// until the end. What is added to an event that was published before leaves at
// once.
//
// If the import is cut short, the same call goes on where it was: what is there
// already counts as duplicate. Import returns when the source does, so the
// source must end with ctx.
func (d *Desk) Import(ctx context.Context, v access.Viewer, o ImportOptions, source iter.Seq2[Draft, error], progress func(Progress)) (Progress, error) {
	i := &importing{d: d, v: v, o: o}
	if err := i.prepare(ctx); err != nil {
		return i.p, err
	}
	defer d.release(ctx, i.name)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	lots, ended := make(chan lot), make(chan struct{})
	go func() { // the next batch is read while this one is written
		defer close(ended)
		defer close(lots)
		i.collect(reading, source, lots)
	}()
	err := i.writeAll(ctx, lots, progress)
	stop()
	<-ended
	if err == nil {
		err = i.finish(ctx)
	}
	if err != nil {
		if also := i.end(context.WithoutCancel(ctx), Interrupted); also != nil {
			err = errors.Join(err, also)
		}
	}
	return i.p, err
}

// Interrupted marks imports that a stop of the exchange cut short. It is called
// at start, before anything imports, and again and again where other nodes may
// stop.
func (d *Desk) Interrupted(ctx context.Context) error {
	// Whoever started an import sees its state only as one of its organisation.
	v := access.System("mark interrupted imports")
	var gone []*tocsin.Import
	for r := range d.DB.As(v).Imports() {
		if r.State != Running {
			continue
		}
		e, err := d.DB.As(v).Event(ctx, r.Event)
		if err != nil && tocsin.CodeOf(err) != tocsin.NotFound {
			return err
		}
		if err == nil {
			name := importName(r.Org, e.Info)
			if d.imports.has(name) {
				continue
			}
			until, err := d.DB.Lease(ctx, name, time.Millisecond)
			if err != nil {
				return err
			}
			if until.IsZero() {
				continue // another node is at it
			}
		}
		gone = append(gone, new(*r))
	}
	if len(gone) == 0 {
		return nil
	}
	_, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		for _, r := range gone {
			if now, err := store.Get[*tocsin.Import](tx, r.ID); err != nil || now.State != Running {
				continue
			}
			r.State, r.Ended = Interrupted, tx.Now()
			if err := store.Put(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// importLease is for how long an import is taken to run if nothing more is heard
// of it.
const importLease = time.Minute

func importName(org int64, info string) string { return fmt.Sprint("import ", org, " ", info) }

// reserve keeps two imports from filling one event at the same time, on this node
// or on two.
func (d *Desk) reserve(ctx context.Context, name string) (bool, error) {
	if !d.imports.add(name) {
		return false, nil
	}
	until, err := d.DB.Lease(ctx, name, importLease)
	if err != nil || until.IsZero() {
		d.imports.remove(name)
	}
	return err == nil && !until.IsZero(), err
}

func (d *Desk) release(ctx context.Context, name string) {
	d.imports.remove(name)
	d.DB.Yield(context.WithoutCancel(ctx), name) // or it runs out
}

// names is a set of names that several may use.
type names struct {
	mu  sync.Mutex
	set map[string]bool
}

// add reports whether name was not in the set.
func (n *names) add(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.set[name] {
		return false
	}
	if n.set == nil {
		n.set = map[string]bool{}
	}
	n.set[name] = true
	return true
}

func (n *names) has(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.set[name]
}

func (n *names) remove(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.set, name)
}
