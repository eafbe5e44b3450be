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
	"time"

	"tocsin"
)

// The files of an archive.
const (
	Database = "tocsin.db"
	SealKey  = "seal.key"
	manifest = "manifest.json"
)

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
}

// Format is that of the archives that are written today.
const Format = 1

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
