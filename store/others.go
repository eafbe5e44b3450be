package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tocsin"
)

// Several nodes may share a store ([Shared]). Each keeps the small records, the
// labels and the end of the log in memory, and has to learn what the others
// write: when it is its turn to write, in the same question that gives it the
// turn; and otherwise by asking ten times a second where the log stands.

// lookEvery is how often a node asks what others have written.
const lookEvery = 100 * time.Millisecond

// others is what a node knows of the store that it shares.
type others struct {
	mu    sync.Mutex
	off   time.Duration // by how much this machine's clock is ahead of the store's
	said  bool          // that it is off by much
	gone  error         // why the store can't be used, nil if it can
	since time.Time
	past  error // the store began another life: what this node holds in memory is of the one before

	purged tocsin.Seq // see Turn
}

// maxOff is by how much a clock may be off before an operator should know.
const maxOff = 5 * time.Second

// ClockOff is by how much this machine's clock is ahead of the store's, as far as
// the store has a clock. What is written has the store's time.
func (db *DB) ClockOff() time.Duration {
	db.others.mu.Lock()
	defer db.others.mu.Unlock()
	return db.others.off
}

// tell takes note of the store's time.
func (o *others) tell(db *DB, t Turn) {
	if t.At.IsZero() {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.off, o.purged = db.now().Sub(t.At), t.Purged
	if wrong := o.off.Abs() > maxOff; wrong && !o.said {
		o.said = true
		db.log.Warn("this machine's clock is off; what is written has the database's time", "ahead", o.off.Round(time.Second))
	} else if !wrong {
		o.said = false
	}
}

// purged is up to which line deleted events' rows may be gone.
func (db *DB) purged() tocsin.Seq {
	db.others.mu.Lock()
	defer db.others.mu.Unlock()
	return db.others.purged
}

// failed takes note that the store can't be used.
func (o *others) failed(db *DB, err error) {
	if !errors.Is(err, ErrAway) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone == nil {
		o.since = time.Now()
		db.log.Error("the database can't be used; zones and lookups are served from what is known", "err", err, "cause", errors.Unwrap(err))
	}
	o.gone = err
}

// answered takes note that the store can be used.
func (o *others) answered(db *DB) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone != nil {
		db.log.Info("the database can be used again", "after", time.Since(o.since).Round(time.Millisecond))
	}
	o.gone = nil
}

// away returns what to tell whoever wants to write, nil if the store is there.
func (o *others) away() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.past != nil {
		return o.past
	}
	if o.gone == nil {
		return nil
	}
	return tocsin.Errorf(tocsin.Busy, "%s (so since %s)", o.gone.Error(), o.since.UTC().Format(time.TimeOnly+" UTC")).Because(o.gone)
}

// survived notes for good that the store which this node knows is no more.
func (o *others) survived(db *DB, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.past == nil {
		o.past = err
		db.log.Error("the database holds another store now; this node neither reads nor writes it until it is restarted", "err", err)
	}
	return o.past
}

func (o *others) lived() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.past
}

// Ready says in words why the store can't be written to, nil if it can.
func (db *DB) Ready(context.Context) error { return db.others.away() }

// looking returns when to ask what others have written: never, if nobody else can.
func (db *DB) looking() (<-chan time.Time, func()) {
	if db.shared == nil {
		return nil, func() {}
	}
	t := time.NewTicker(lookEvery)
	return t.C, t.Stop
}

// look asks what others have written. It is for the writer, between two commits.
func (db *DB) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	turn, err := db.shared.Turn(ctx)
	if err == nil {
		db.others.answered(db)
		if !db.behind(turn) {
			db.others.tell(db, turn)
			return
		}
		err = db.engine.Read(ctx, func(r Reader) error {
			turn, err := r.Turn(ctx)
			if err != nil {
				return err
			}
			return db.takeOver(ctx, r, turn)
		})
	}
	if err != nil && ctx.Err() == nil {
		db.others.failed(db, err)
	}
}

func (db *DB) behind(t Turn) bool {
	return t.Head != db.Head() || t.Labels > db.coder.Labels.Kept() || t.TagSets > db.coder.Tags.Kept()
}

// read is a read of the engine that knows all labels and tags which it may meet.
func (db *DB) read(ctx context.Context, fn func(Reader) error) error {
	if db.shared == nil {
		return db.engine.Read(ctx, fn)
	}
	if err := db.others.lived(); err != nil {
		return err
	}
	return db.engine.Read(ctx, func(r Reader) error {
		turn, err := r.Turn(ctx)
		if err != nil {
			return err
		}
		if err := db.adopt(ctx, r, turn); err != nil {
			return err
		}
		return fn(r)
	})
}

// adopt takes over labels and sets of tags that others have handed out.
func (db *DB) adopt(ctx context.Context, r Reader, t Turn) error {
	if known := db.coder.Labels.Kept(); t.Labels > known {
		ls, err := r.Labels(ctx, known)
		if err != nil {
			return err
		}
		db.coder.Labels.Adopt(known, ls)
	}
	if known := db.coder.Tags.Kept(); t.TagSets > known {
		ts, err := r.TagSets(ctx, known)
		if err != nil {
			return err
		}
		db.coder.Tags.Adopt(known, ts)
	}
	return nil
}

// handed is how many records of others' lines are handed to followers from
// memory. Of more they read the log themselves, and nobody waits for it.
const handed = 2_000

// takeOver brings what this node has in memory up to t: labels, small records,
// the end of the log. Only the writer calls it.
func (db *DB) takeOver(ctx context.Context, r Reader, t Turn) error {
	db.others.tell(db, t)
	head := db.Head()
	if err := db.others.lived(); err != nil {
		return err
	}
	if t.Head < head {
		return db.others.survived(db, tocsin.Errorf(tocsin.Conflict, "the database was put back to line %d, and this node has seen line %d; restart it", t.Head, head))
	}
	if err := db.adopt(ctx, r, t); err != nil {
		return err
	}
	if t.Head == head {
		return nil
	}
	docs := map[docID]tocsin.Record{}
	var lines []LogLine
	weight := 0
	for l, err := range r.Lines(ctx, head) {
		if err != nil {
			return err
		}
		if len(lines) > 0 && l.Seq != lines[len(lines)-1].Seq+1 || len(lines) == 0 && l.Seq != head+1 {
			if err := db.sameLife(ctx, r); err != nil {
				return err
			}
			weight = handed // a gap, as after a restore: followers read for themselves
		}
		if err := db.listed(l, docs); err != nil {
			return fmt.Errorf("line %d: %w", l.Seq, err)
		}
		if weight += l.weight(); weight <= handed {
			lines = append(lines, l)
		}
	}
	var cs []tocsin.Change
	for _, l := range lines {
		if weight > handed {
			break
		}
		run, err := readRun(ctx, r, l, 0) // once for all followers
		if err != nil {
			return fmt.Errorf("line %d: %w", l.Seq, err)
		}
		c, err := db.resolve(l, run)
		if err != nil {
			return fmt.Errorf("line %d: %w", l.Seq, err)
		}
		cs = append(cs, c)
	}
	db.dir.take(docs)
	if weight > handed {
		db.tail.skip(t.Head)
	} else {
		db.tail.push(t.Head, cs)
	}
	return nil
}

// sameLife refuses a store that was put back from a backup while this node ran: its
// labels, ids and lines mean other things. A backup that is put back leaves a gap in
// the log, so it is asked there.
func (db *DB) sameLife(ctx context.Context, r Reader) error {
	is, err := r.Setting(ctx, incarnationSetting)
	if err != nil || bytes.Equal(is, db.incarnation) {
		return err
	}
	return db.others.survived(db, tocsin.Errorf(tocsin.Conflict, "the database was put back from a backup while this node ran; restart it"))
}

// weight is how many records a line carries with it.
func (l *LogLine) weight() int {
	if l.Last != 0 {
		return int(l.Last - l.First + 1)
	}
	return 1
}

// listed puts what a line says of a small record into docs.
func (db *DB) listed(l LogLine, docs map[docID]tocsin.Record) error {
	switch tocsin.NewRecord(l.Kind).(type) {
	case *tocsin.Event, *tocsin.Attribute, *tocsin.Object, tocsin.Remark, nil:
		return nil
	}
	id := docID{l.Kind, l.ID}
	if l.After == nil {
		docs[id] = nil
		return nil
	}
	rec, _, err := db.record(l.Kind, l.After)
	docs[id] = rec
	return err
}
