package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/backup"
	"tocsin/blob"
	"tocsin/httpd"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// archive writes a snapshot as a backup, with the key file of its secrets if that
// is wanted, and with attachments that are kept in a folder; a bucket is its operator's
// to keep. The projections are not in it: they follow from the log.
func archive(ctx context.Context, w io.Writer, s *sqlite.Snapshot, place blob.Place, keyFile string, withKey bool) (backup.Manifest, error) {
	m := backup.Manifest{Program: version(), Schema: s.Schema, Incarnation: s.Incarnation, Head: s.Head, HeadAt: s.HeadAt, Rows: s.Rows}
	key, err := os.ReadFile(keyFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return m, err
	}
	out := backup.NewWriter(w, time.Now())
	if err := out.File(backup.Database, s.Size, func(w io.Writer) error { return s.Write(ctx, w) }); err != nil {
		return m, err
	}
	if key != nil {
		m.Seal = &backup.Seal{SHA256: sumOf(key), Included: withKey}
	}
	if key != nil && withKey {
		err := out.File(backup.SealKey, int64(len(key)), func(w io.Writer) error { _, err := w.Write(key); return err })
		if err != nil {
			return m, err
		}
	}
	if folder, ok := place.(*blob.Folder); ok {
		if err := attachments(ctx, out, folder); err != nil {
			return m, err
		}
	}
	return out.Close(m)
}

// attachments writes all attachments that there are. One that is swept meanwhile was
// let go of.
func attachments(ctx context.Context, out *backup.Writer, from *blob.Folder) error {
	for info, err := range from.All(ctx) {
		if err != nil {
			return err
		}
		content, err := from.Get(ctx, info.Sum)
		if err != nil && tocsin.CodeOf(err) == tocsin.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		if err := out.Blob(info.Sum.String(), content); err != nil {
			return err
		}
	}
	return nil
}

// sumOf names a key without telling it: it is random and long.
func sumOf(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:])
}

// A archivist makes backups of a running exchange, one at a time.
type archivist struct {
	dir     string
	keyFile string
	engine  store.Engine
	blobs   blob.Place
	busy    sync.Mutex
}

// snapshot begins to read the store as a SQLite database: its own, or one into
// which another engine's is copied, in the folder, until done is called.
func (a *archivist) snapshot(ctx context.Context) (s *sqlite.Snapshot, done func() error, err error) {
	if e, ok := a.engine.(*sqlite.Engine); ok {
		s, err := e.Snapshot(ctx)
		if err != nil {
			return nil, nil, err
		}
		return s, s.Close, nil
	}
	from, ok := a.engine.(store.Portable)
	if !ok {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "a store of this kind can't be backed up from here")
	}
	dir, err := os.MkdirTemp(a.dir, ".backup-*")
	if err != nil {
		return nil, nil, err
	}
	if s, err = copied(ctx, from, dir); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, func() error { return errors.Join(s.Close(), os.RemoveAll(dir)) }, nil
}

// copied is a snapshot of a copy that is made in dir.
func copied(ctx context.Context, from store.Portable, dir string) (*sqlite.Snapshot, error) {
	to, err := sqlite.Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	err = store.Copy(ctx, from, to, func(store.Copied) {})
	if err := errors.Join(err, to.Close()); err != nil {
		return nil, err
	}
	return sqlite.SnapshotOf(ctx, dir)
}

// register puts the one route on the front. It takes POST although nothing is
// changed: a backup holds everything, the hashes of passwords too, so that a
// read-only key must not do, nor one that is shown less than everything.
func (a *archivist) register(front *httpd.Server) {
	front.Handle("POST /api/backup", a.answer)
}

func (a *archivist) answer(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if !v.May(access.SiteAdmin) || !v.SeesAll() || v.OnlyLooks() {
		return tocsin.Errorf(tocsin.Forbidden, "a backup holds everything, so it is for site administrators, with a key that may write and has no ceiling")
	}
	if !a.busy.TryLock() {
		return tocsin.Errorf(tocsin.Busy, "another backup is under way; try again when it is done")
	}
	defer a.busy.Unlock()
	begun := time.Now()
	s, done, err := a.snapshot(r.Context())
	if err != nil {
		return err
	}
	defer done()
	w.Header().Set("Content-Type", "application/gzip")
	m, err := archive(r.Context(), w, s, a.blobs, a.keyFile, r.URL.Query().Get("seal_key") == "1")
	if err != nil {
		return err
	}
	return noteBackup(a.dir, lastBackup{m.Made, m.Head, s.Size, time.Since(begun).Seconds()})
}

// lastBackup is what an exchange's folder remembers of the last backup of it.
type lastBackup struct {
	At      time.Time  `json:"at"`
	Head    tocsin.Seq `json:"head"`
	Octets  int64      `json:"octets"` // of the database
	Seconds float64    `json:"seconds"`
}

const lastBackupFile = "last-backup.json"

func noteBackup(dir string, b lastBackup) error {
	text, err := json.Marshal(b)
	if err != nil {
		return err
	}
	tmp := filepath.Join(dir, lastBackupFile+".tmp")
	if err := os.WriteFile(tmp, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(dir, lastBackupFile))
}

// readLastBackup returns the zero lastBackup if there was none.
func readLastBackup(dir string) (b lastBackup) {
	text, err := os.ReadFile(filepath.Join(dir, lastBackupFile))
	if err != nil || json.Unmarshal(text, &b) != nil {
		return lastBackup{}
	}
	return b
}
