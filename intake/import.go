package intake

import (
	"context"
	"errors"
	"iter"

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
	defer d.release(i.name)
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
// at start, before anything imports.
func (d *Desk) Interrupted(ctx context.Context) error {
	// Whoever started an import sees its state only as one of its organisation.
	v := access.System("mark interrupted imports")
	_, err := d.DB.Apply(ctx, v, func(tx *store.Tx) error {
		for r := range d.DB.As(v).Imports() {
			if r.State != Running {
				continue
			}
			r = new(*r)
			r.State, r.Ended = Interrupted, tx.Now()
			if err := store.Put(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// reserve keeps two imports from filling one event at the same time.
func (d *Desk) reserve(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.imports[name] {
		return false
	}
	if d.imports == nil {
		d.imports = map[string]bool{}
	}
	d.imports[name] = true
	return true
}

func (d *Desk) release(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.imports, name)
}
