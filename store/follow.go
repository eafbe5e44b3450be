package store

import (
	"context"

	"tocsin"
)

// A Follower keeps a projection of the log: an index, a zone, a queue.
//
// Follow is given changes in order and returns when it has kept them. After a
// crash it may see some again, so it keys what it keeps by record and never
// counts. A follower is called from one goroutine at a time; an error makes the
// store hand it the same changes again, later.
type Follower interface {
	// Name is a short word for logs, metrics and [DB.Await].
	Name() string
	// Place is the last line that the follower would still hold if the machine
	// stopped now. It is asked where to start, and how far rows that only
	// laggards need may be cleaned up.
	Place() tocsin.Seq
	// Follow keeps changes, the first of which comes right after the last one it
	// was given, or after Place.
	Follow(context.Context, []tocsin.Change) error
	// Restart forgets everything, because the store was put back to an earlier
	// state than Place. The next change handed over is the first line.
	Restart(context.Context) error
}
