package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tocsin"
	"tocsin/store"
)

// turnRow reads where the store stands; lockTurn also waits for this node's turn.
const (
	turnRow  = `SELECT schema, head, labels, tagsets, next, purged, token, clock_timestamp() FROM turn`
	lockTurn = turnRow + ` FOR UPDATE`
)

// A turn is the row of that name.
type turn struct {
	store.Turn
	schema int64
	next   []int64
	token  [16]byte
}

func (t *turn) scan(r pgx.Row) error {
	return r.Scan(&t.schema, &t.Head, &t.Labels, &t.TagSets, &t.next, &t.Purged, &t.token, &t.At)
}

var (
	errClosed = errors.New("the connection was closed")
	// errRolledBack is a COMMIT that the server answered by undoing everything.
	errRolledBack = errors.New("the transaction was rolled back")
	// errUntold is a lost commit that left no line to find it by, after which
	// another node has written. Only housekeeping writes no lines; it is repeated.
	errUntold = errors.New("another node has written since")
)

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// Write implements [store.Engine].
func (e *Engine) Write(ctx context.Context, fn func(store.Writer) error) error {
	e.turn.Lock()
	defer e.turn.Unlock()
	// A write that has begun is finished: an interrupted one would cost its whole group.
	ctx = context.WithoutCancel(ctx)
	t, err := e.begin(ctx, e.writes, "BEGIN", lockTurn)
	if err != nil {
		return err
	}
	defer t.end(ctx)
	rand.Read(t.token[:])
	if err := fn(t); err != nil {
		if _, user := errors.AsType[*tocsin.Error](err); !user && t.conn.IsClosed() {
			err = errors.Join(errClosed, err)
		}
		return dressed(err)
	}
	return e.commit(ctx, t)
}

func (e *Engine) commit(ctx context.Context, t *tx) error {
	now := t.turn
	var b pgx.Batch
	b.Queue(`UPDATE turn SET head = $1, labels = $2, tagsets = $3, next = $4, purged = $5, token = $6`,
		now.Head, now.Labels, now.TagSets, now.next, now.Purged, t.token)
	if t.lines {
		b.Queue(`UPDATE log SET token = $1 WHERE seq = $2`, t.token, now.Head)
	}
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errRolledBack
		}
		return nil
	})
	err := t.conn.SendBatch(ctx, &b).Close()
	switch {
	case err == nil:
		return nil
	case undone(err):
		return dressed(err)
	}
	t.end(ctx)
	return e.find(ctx, t, err)
}

// undone reports whether the server itself said that nothing was committed.
func undone(err error) bool {
	var pg *pgconn.PgError
	return errors.Is(err, errRolledBack) || errors.As(err, &pg) && pg.Severity == "ERROR" && !away(err)
}

// find finds out what became of a commit whose answer never came. The server may
// still be at work on it: whoever holds the turn knows that it is not.
func (e *Engine) find(ctx context.Context, lost *tx, cause error) error {
	ctx, cancel := context.WithTimeout(ctx, unknownTimeout)
	defer cancel()
	for {
		done, err := e.committed(ctx, lost)
		switch {
		case err == nil && done:
			return nil
		case errors.Is(err, errUntold):
			return tocsin.Errorf(tocsin.Busy, "the database went away in the middle of a commit without lines; it may be repeated").Because(cause)
		case err == nil:
			return tocsin.Errorf(tocsin.Busy, "the database went away before the write was done; nothing was written, try again").Because(cause)
		}
		if away(err) && e.onAway != nil {
			e.onAway(dressed(err))
		}
		select {
		case <-ctx.Done():
			return tocsin.Errorf(tocsin.Busy, "the database went away in the middle of a commit, and it is not known whether it was done; look before you repeat it").Because(errors.Join(store.ErrAway, cause))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// committed waits for the turn and looks for what the lost transaction wrote last.
func (e *Engine) committed(ctx context.Context, lost *tx) (bool, error) {
	t, err := e.tryBegin(ctx, e.writes, "BEGIN", lockTurn)
	if err != nil {
		e.writes.Reset()
		return false, err
	}
	defer t.end(ctx)
	if t.turn.token == lost.token {
		return true, nil
	}
	if !lost.lines {
		if t.turn.Head == lost.turn.Head {
			return false, nil
		}
		return false, errUntold
	}
	var token *[16]byte
	err = t.conn.QueryRow(ctx, `SELECT token FROM log WHERE seq = $1`, lost.turn.Head).Scan(&token)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return token != nil && *token == lost.token, err
}
