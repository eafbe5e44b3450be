// Package blob keeps content beside the store, each under its SHA-256: attachments,
// and samples of malware locked away in zips. Two records that hold the same content
// hold one blob. A blob is never changed, and it is written before the record that
// says it is there; one that no record holds is swept later.
//
// Content is hostile. Nothing here runs, unpacks to disk or shows it, and where it is
// looked into (see [Unlock] and [Picture]) how much may come of it is bounded.
//
// The package knows no records and nobody's rights: whoever asks for a blob has asked
// for its attribute first.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"time"

	"tocsin"
)

// A Place is where blobs are kept: a [Folder], or a [Bucket].
type Place interface {
	// Put keeps content, and marks it as new if it was there. When it returns, the
	// content is safe.
	Put(ctx context.Context, content []byte) (Sum, error)
	// Get returns content; the error says NotFound if there is none of that sum. What
	// is not what it is called has been damaged, and is an error too.
	Get(ctx context.Context, s Sum) ([]byte, error)
	// Remove removes content that was last put before a time. There may be none.
	Remove(ctx context.Context, s Sum, before time.Time) error
	// All iterates over what is kept.
	All(ctx context.Context) iter.Seq2[Info, error]
}

// A Sum is the SHA-256 of some content.
type Sum [sha256.Size]byte

// SumOf returns the sum of content.
func SumOf(content []byte) Sum { return sha256.Sum256(content) }

// ParseSum reads a sum in lower-case hex.
func ParseSum(s string) (sum Sum, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(sum) || hex.EncodeToString(b) != s {
		return sum, tocsin.Errorf(tocsin.Invalid, "%.80q is no SHA-256 in lower-case hex", s)
	}
	return Sum(b), nil
}

func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// An Info says of a blob what it is and since when.
type Info struct {
	Sum  Sum
	Size int64
	Put  time.Time // last
}

func missing(s Sum) error {
	return tocsin.Errorf(tocsin.NotFound, "the content %s is not here", s)
}

// whole returns content if it is what it is called.
func whole(s Sum, content []byte) ([]byte, error) {
	if SumOf(content) != s {
		return nil, tocsin.Errorf(tocsin.Internal, "the content %s is damaged: it has the sum %s", s, SumOf(content))
	}
	return content, nil
}
