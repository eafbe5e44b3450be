// Package mispapi is the face that MISP's clients know: the REST calls by which
// a script or PyMISP shares, narrows and withdraws, in MISP 2.5's shapes, with
// its status codes and with those of its sentences that clients match on.
//
// A handler reads, asks and answers. What a viewer may see or do is asked by the
// store; not found and not yours get the same answer. Where a client expects a
// quirk, it is honoured here, in one function named for it (quirk.go), and nowhere
// else.
//
// The package knows neither how records are kept nor how they are checked.
package mispapi

import (
	"context"

	"tocsin"
	"tocsin/access"
	"tocsin/blob"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/store"
)

// An API answers from a store, and takes in what is written by way of a desk.
type API struct {
	db   *store.DB
	desk *intake.Desk
	// Instance returns the uuid by which peers know this exchange; zero says none, as
	// does no function.
	Instance func() tocsin.UUID
	// Base is the address under which this exchange is found, without a final slash;
	// "" says the one that a request was sent to.
	Base string
	// Index finds what correlates. Without one the store is asked, which answers the
	// same and takes longer.
	Index Index
	// Schema is the version of the tables that the store is kept in. Opening a store
	// brings it there.
	Schema int64
	// Bus takes events that are pushed to it. Without one there is nobody to push to.
	Bus Bus
	// Texts finds what contains a text. Without it every attribute is looked at.
	Texts Texts
	// Blobs is where the content of attributes is kept. Without it none is.
	Blobs blob.Place
	// Guards say what is guarded, and why. Without them nothing is.
	Guards Guards
	// Library takes in reference data. Without it there is no more than there is.
	Library Library

	// Version is this program's own, told beside the one of MISP that it speaks.
	Version string
	// DefaultFeeds reads the list of feeds that MISP's community publishes. Without it
	// there are none to load.
	DefaultFeeds func(context.Context) ([]byte, error)

	presence presence
	jobs     jobs

	crowds crowds // what correlates most
	leads  leads  // which published clusters lead to which
}

// Texts knows what values contain (package match).
type Texts interface {
	// Containing returns the attributes in which a value like one of patterns may be,
	// "%" standing for any text; more than limit, or what can't be told, is not ok.
	// They are candidates: whoever asks reads them as the viewer that they are for.
	Containing(ctx context.Context, patterns []string, limit int) (ids []int64, ok bool, err error)
}

// An Index knows which events claim a value (package match).
type Index interface {
	// Sharing returns the events that v may see in which one of keys is named by a
	// claim that is to be correlated, complete up to the newest write, from at most
	// limit claims; more says that there are others.
	Sharing(ctx context.Context, v access.Viewer, keys []indicator.Key, limit int) (events map[int64]bool, more bool, err error)
}

// New returns the API over db.
func New(db *store.DB, desk *intake.Desk) *API { return &API{db: db, desk: desk} }
