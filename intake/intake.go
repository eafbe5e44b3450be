// Package intake is the one door in. The API, the portal, files, feeds and
// peers all hand it drafts, which are untrusted text. It reads them into values,
// settles what they leave open, resolves their tags, and writes them through the
// store, which asks whether the viewer may. What can't be taken is refused one
// by one, with its line and its reason: a bad line costs that line.
//
// Everything that can be read is read before the transaction begins, on all
// cores if it is much, since all writers wait for each other.
//
// The package knows no format and no protocol.
package intake

import (
	"fmt"
	"strings"

	"tocsin"
	"tocsin/codec"
	"tocsin/store"
)

// A Draft is a claim as it arrived.
type Draft = codec.Draft

// A TagDraft is a tag as it arrived. A tag that is for this instance alone is
// attached as a local one, whatever the draft says.
type TagDraft = codec.TagDraft

// A Desk takes drafts in.
type Desk struct {
	DB    *store.DB
	Batch int // how many claims an import writes in one transaction; 0: a good number

	imports names // those that run here, by organisation and event
}

// A Refusal says why a draft was not taken.
type Refusal struct {
	Line  int    // of the draft; its place in the list, from 1, if it has no line
	Field string // what is wrong with it, as MISP calls it: value, type, category …
	Text  string // the beginning of what was refused
	Why   string
}

func (r *Refusal) Error() string {
	if r.Text == "" {
		return r.Field + ": " + r.Why
	}
	return fmt.Sprintf("%s %q: %s", r.Field, r.Text, r.Why)
}

// Unwrap makes a refusal an error for the person who sent the draft.
func (r *Refusal) Unwrap() error { return tocsin.Errorf(tocsin.Invalid, "%s", r.Error()) }

// A Result is what became of drafts.
type Result struct {
	Seq        tocsin.Seq // of the last line written
	Event      *tocsin.Event
	Attributes []tocsin.Attribute // those that were added or edited, in the order of their drafts
	Objects    []tocsin.Object
	Refused    []Refusal
	Duplicates []int // lines of claims that the event holds already
	Withdrawn  int   // of a list: claims that were taken back, and stay so
	Revived    int   // of Attributes: those that were taken back before
}

// refuse makes a refusal that shows the beginning of text.
func refuse(line int, field, text, why string) *Refusal {
	const most = 120
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return &Refusal{line, field, strings.ToValidUTF8(text, "\ufffd"), why}
}
