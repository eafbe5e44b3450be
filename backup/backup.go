// Package backup writes an exchange down as one file, and reads it back.
//
// An archive is a tar file packed with gzip: the database as it was after one
// line of the log, perhaps the key that unseals secrets, and at the end a
// manifest that says what they are and how they sum up. An archive that was cut
// short has no manifest, so it can't be mistaken for a whole one.
//
// What is inside is always a SQLite database, whatever engine the exchange runs
// on, so that each can be restored to any. The package knows nothing of what is
// in the database, of where archives come from or where they go.
package backup

import (
	"encoding/hex"
	"strings"
	"time"

	"tocsin"
)

// The files of an archive.
const (
	Database = "tocsin.db"
	SealKey  = "seal.key"
	manifest = "manifest.json"
	blobs    = "blobs/" // attachments, each named by the SHA-256 of its content
)

// IsBlob returns the sum of the attachment that a file of an archive is.
func IsBlob(name string) (sha256 string, ok bool) {
	sum, ok := strings.CutPrefix(name, blobs)
	if b, err := hex.DecodeString(sum); err != nil || len(b) != 32 || strings.ToLower(sum) != sum {
		return "", false
	}
	return sum, ok
}

// A Manifest says what an archive holds.
type Manifest struct {
	Format      int              `json:"format"`
	Program     string           `json:"program"` // the version that wrote it
	Made        time.Time        `json:"made"`
	Schema      int64            `json:"schema"`
	Incarnation string           `json:"incarnation"` // of the store
	Head        tocsin.Seq       `json:"head"`        // the last line of the log
	HeadAt      time.Time        `json:"head_at"`
	Rows        map[string]int64 `json:"rows"` // by table
	Seal        *Seal            `json:"seal,omitempty"`
	Files       []File           `json:"files"`
	Blobs       Blobs            `json:"blobs"`
}

// Format is that of the archives that are written today. Those before it had no
// attachments.
const Format = 2

// Blobs is how many attachments an archive holds. Each is named by its sum, so that
// the manifest need not list them.
type Blobs struct {
	Count  int64 `json:"count"`
	Octets int64 `json:"octets"`
}

// A Seal tells of the key without which the secrets in the database can't be
// read: TSIG keys, and those of peers. Nil: the exchange had none.
type Seal struct {
	SHA256   string `json:"sha256"`
	Included bool   `json:"included"`
}

// A File is one file of the archive.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}
