package api

import (
	"context"
	"io"
	"iter"
	"net/netip"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// Parts is what the API needs beside the store. A nil part has no routes.
type Parts struct {
	Version string
	Index   Index
	Desk    Desk
	Library Library // nil: there is none
	Guards  Guards
	// Writer returns a way to write claims down (package codec), or an error that
	// names those there are.
	Writer func(format string) (Writer, error)
	Lists  Lists
	// Config writes the lines of a resolver's configuration that make it take the
	// collection as subscriber s; its error names the resolvers there are.
	Config func(w io.Writer, ask ConfigFor, s *tocsin.Subscriber, c *tocsin.Collection) error
	// Feed finds a file by the secret in its address, for who asks from there.
	Feed func(secret, file string, from netip.Addr) (*Feed, bool)
	// CheckCollection refuses a collection whose filter can't be read.
	CheckCollection func(*tocsin.Collection) error
	// Takes answers whether a claim is in a collection, whoever may have it, and
	// why: what puts it in or keeps it out.
	Takes func(ctx context.Context, c *tocsin.Collection, a *tocsin.Attribute, e *tocsin.Event) access.Decision
	// Serial is what a subscriber has confirmed to hold, 0 if not known.
	Serial func(s *tocsin.Subscriber) tocsin.Seq
}

// ConfigFor is what a configuration is asked for.
type ConfigFor struct {
	Resolver string
	Trial    bool // stop nothing
	TLS      bool // transfer over TLS
}

// An Index answers who claims a value (package match).
type Index interface {
	Look(*access.Sight) Look
}

// A Look is the index as one reader sees it at one moment.
type Look interface {
	// FindMax appends at most max claims under k and says whether there are more.
	FindMax(k indicator.Key, dst []Claim, max int) (claims []Claim, more bool)
}

// A Claim is what an index knows of an attribute.
type Claim struct {
	Attribute, Event  int64
	Type              uint16
	Category          indicator.Category
	Label, EventLabel access.LabelID // both hold
	ToIDS             bool
	Published         bool
	Orgc              int64
	EventUUID         tocsin.UUID
}

// A Desk is the door in for lists (package intake).
type Desk interface {
	// Import reads a list, packed or not, into an event and says from time to time
	// how far it is.
	// Lines that are refused are part of the result; an error ends the import.
	Import(ctx context.Context, v access.Viewer, in Import, list io.Reader, progress func(Progress)) (Result, error)
	// Preview says what Import would make of a list, as JSON, by its first rows.
	// Nothing is kept.
	Preview(in Import, list io.Reader) (any, error)
}

// An Import is what is to be done with a list.
type Import struct {
	Event        string // what the event is about; the same text means the same event
	Name         string // of the list
	Format       string // "": guessed
	Type         string // of values whose format does not say
	Columns      string // a header for a table that has none, or the wrong one
	Collection   string // put into it
	Tags         []string
	Distribution *access.Distribution // nil: the desk's default
	Group        int64
	Publish      bool
	Revive       bool // what was taken back before is there again
}

// Progress counts lines.
type Progress struct {
	Read       int64 `json:"read"`
	Written    int64 `json:"written"`
	Duplicates int64 `json:"duplicates"`
	Refused    int64 `json:"refused"`
	Withdrawn  int64 `json:"withdrawn,omitempty"` // taken back before, and not revived
	Revived    int64 `json:"revived,omitempty"`   // written, and taken back before
	Guarded    int64 `json:"guarded,omitempty"`   // written, and kept out of what blocks
}

// A Result is what became of a list. Refused holds the first refusals only.
type Result struct {
	Progress
	Refused   []Refusal
	Event     int64
	EventUUID tocsin.UUID
	Seq       tocsin.Seq // of the last line written
}

// A Refusal is one line that was not taken, and why.
type Refusal struct {
	Line int    `json:"line"`
	Text string `json:"text"`
	Why  string `json:"why"`
}

// A Writer writes claims down in one format.
type Writer interface {
	Media() string
	Parts() tocsin.Parts // what Write looks at of claims
	Write(io.Writer, iter.Seq2[Row, error]) error
}

// A Row is a claim that goes out, with what its event says.
type Row struct {
	Attribute *tocsin.Attribute
	Event     *tocsin.Event
	Org       string
	TLP       access.TLP
	Tags      []string
}

// Lists are collections as those who may have them read them (package collection).
type Lists interface {
	// List returns c as the organisation that v stands for receives it.
	List(c *tocsin.Collection, v access.Viewer) (List, error)
	// Received returns c as a subscriber receives it, without what that excludes.
	Received(c *tocsin.Collection, s *tocsin.Subscriber) (List, error)
}

// A List is a collection as one audience has it at one moment.
type List interface {
	// Audience is equal for those who have equal lists; "" if it can't be said.
	Audience() string
	Serial() tocsin.Seq
	// Media returns the media type of a format, or an error that names those there are.
	Media(format string) (string, error)
	Write(w io.Writer, format string, part Part) error
}

// A Part is one of several that a list is cut into; the zero Part is the whole.
// Parts count from 1.
type Part struct{ N, Of int }
