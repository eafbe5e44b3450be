package portal

import (
	"context"
	"io"
	"iter"
	"time"

	"tocsin"
	"tocsin/access"
)

// Parts is what the portal needs beside the store. What is nil has no place on
// any page.
type Parts struct {
	Desk        Desk
	Collections Collections
	// Config writes the lines of a resolver's configuration that make it take the
	// collection as subscriber s. Resolvers are those that it knows.
	Config    func(w io.Writer, resolver string, s *tocsin.Subscriber, c *tocsin.Collection) error
	Resolvers []string
	// Confirmed returns what a subscriber's servers have said to hold.
	Confirmed func(s *tocsin.Subscriber) []Confirmation
}

// A Desk is the door in for what people enter (package intake). What of the
// claims can't be taken is refused by itself; an error means that nothing was.
type Desk interface {
	// Share adds an event with all that is in it.
	Share(ctx context.Context, v access.Viewer, d Draft) (Receipt, error)
	// Add adds claims to an event. Where publish is set the event is published
	// in the same transaction, so that nothing of it is dropped in between.
	Add(ctx context.Context, v access.Viewer, event int64, claims []Claim, publish bool) (Receipt, error)
}

// A Draft is an event that someone wants to share.
type Draft struct {
	Info         string
	Distribution access.Distribution
	Group        int64
	Tags         []string
	Publish      bool
	Claims       []Claim
}

// A Claim is a value that someone pasted.
type Claim struct {
	Line    int
	Text    string
	Type    string // "": what it looks like
	Comment string
	ToIDS   *bool // nil: as the type has it
}

// A Receipt says what became of claims.
type Receipt struct {
	Event      int64
	Added      int
	Duplicates int
	Refused    []Refusal
}

// A Refusal is a line that was not taken.
type Refusal struct {
	Line      int
	Text, Why string
}

// Collections are the collections as they are served (package collection).
type Collections interface {
	// Zones returns the zones of a collection as a subscriber is served them now;
	// none while they are being built.
	Zones(subscriber int64) []Zone
	// Names iterates over what v's organisation receives of a collection, its
	// zones together, in no particular order.
	Names(collection int64, v access.Viewer) iter.Seq[Name]
	// Holds returns a name, written as people do, if it is among Names.
	Holds(collection int64, v access.Viewer, name string) (Name, bool)
	// Takes answers whether a claim is in a collection, whoever may have it, and
	// why: what puts it in or keeps it out.
	Takes(ctx context.Context, c *tocsin.Collection, a *tocsin.Attribute, e *tocsin.Event) access.Decision
}

// A Zone is how a zone stands for one subscriber.
type Zone struct {
	Origin string
	Serial uint32
	Names  int
}

// A Name is a name that a zone acts on: itself, what is beneath it, or both.
type Name struct {
	Text           string
	Exact, Beneath bool
	Address        bool // it is an address or network
}

// A Confirmation is what one server of a subscriber has said to hold of a zone.
type Confirmation struct {
	Origin string
	Server string // where it listens, or from where it asked
	Serial uint32
	At     time.Time
	Fault  string // of the last attempt to reach it, if it failed
}
