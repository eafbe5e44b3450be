package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tocsin"
	"tocsin/backup"
	"tocsin/blob"
	"tocsin/store"
	"tocsin/store/postgres"
	"tocsin/store/sqlite"
)

// restoreCmd makes a folder of an archive.
type restoreCmd struct {
	Data string `required:"" type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Folder to restore into: a new one, or an empty one."`
	storeFlag
	SealKey string `type:"path" placeholder:"FILE" help:"The exchange's seal.key, if it is not in the backup."`
	File    string `arg:"" type:"path" name:"file" help:"The backup, or a copy that an upgrade has kept."`
}

func (restoreCmd) Help() string {
	return `The backup is read to its end before anything is written. The lookup index and the zones are
built again when the exchange is started. Zones go on with serials above any that were
served before, and each subscriber transfers them whole once.

Example:
  tocsin restore tocsin.tar.gz --data /var/lib/tocsin`
}

func (r *restoreCmd) Run(ctx context.Context, c *console) (err error) {
	if err := vacant(r.Data); err != nil {
		return err
	}
	from, err := openSource(ctx, r.File)
	if err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	key, err := r.sealKey(from.manifest)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.Data, 0o700); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, emptied(r.Data))
		}
	}()
	if err := from.unpack(ctx, r.Data); err != nil {
		return fmt.Errorf("restore %s: %w", r.File, err)
	}
	if key != nil {
		if err := os.WriteFile(filepath.Join(r.Data, backup.SealKey), key, 0o600); err != nil {
			return err
		}
	}
	line, err := r.revive(ctx)
	if err != nil {
		return err
	}
	c.say("%s: %s", r.Data, summary(from.manifest))
	c.say("The log and the zones go on at %d. Start the exchange with:\n  tocsin serve --data %s%s", line, r.Data, storeArgument(r.Store))
	if s := from.manifest.Seal; s != nil && !s.Included && key == nil {
		c.say("\nThe exchange sealed its secrets with a key that is not in the backup. Before it starts, put it back:\n  %s, with SHA-256 %s",
			filepath.Join(r.Data, backup.SealKey), s.SHA256)
	}
	return nil
}

// storeArgument is what else a command line needs that names the folder.
func storeArgument(url string) string {
	if url == "" {
		return ""
	}
	return " --store " + url
}

// vacant refuses a folder with something in it.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return plainly(err)
	}
	return fmt.Errorf("%s is not empty; nothing is restored over anything. Move it away first, or choose another folder", dir)
}

// emptied removes what a restore that failed has written.
func emptied(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}

// sealKey returns the key that goes into the folder, if it comes from elsewhere.
func (r *restoreCmd) sealKey(m backup.Manifest) ([]byte, error) {
	if r.SealKey == "" {
		return nil, nil
	}
	key, err := os.ReadFile(r.SealKey)
	if err != nil {
		return nil, plainly(err)
	}
	switch {
	case m.Seal == nil && m.Format != 0:
		return nil, fmt.Errorf("the exchange had no seal.key when it was backed up; leave --seal-key out")
	case m.Seal != nil && m.Seal.SHA256 != sumOf(key):
		return nil, fmt.Errorf("%s is not the key that this exchange sealed its secrets with: its SHA-256 is %s, not %s", r.SealKey, sumOf(key), m.Seal.SHA256)
	case m.Seal != nil && m.Seal.Included:
		return nil, nil // the same one
	}
	return key, nil
}

// A source is a backup, or a plain copy of the database as an upgrade keeps it.
// Both have been looked through.
type source struct {
	path     string
	plain    bool
	manifest backup.Manifest
}

// sqliteMagic is how a plain database begins.
var sqliteMagic = []byte("SQLite format 3\x00")

func openSource(ctx context.Context, path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	s := &source{path: path}
	if head, _ := in.Peek(len(sqliteMagic)); bytes.Equal(head, sqliteMagic) {
		s.plain = true
		facts, err := sqlite.Inspect(ctx, path)
		if err != nil {
			return nil, err
		}
		s.manifest = backup.Manifest{Schema: facts.Schema, Head: facts.Head, HeadAt: facts.HeadAt, Rows: facts.Rows}
	} else if s.manifest, err = backup.Verify(in); err != nil {
		return nil, err
	}
	if s.manifest.Schema > sqlite.Newest() {
		return nil, tocsin.Errorf(tocsin.Conflict, "it was written by a later Tocsin (%s); restore it with that one", s.manifest.Program)
	}
	return s, nil
}

// unpack writes the files into a folder, and looks whether the database is what
// the manifest says.
func (s *source) unpack(ctx context.Context, dir string) error {
	f, err := os.Open(s.path)
	if err != nil {
		return err
	}
	defer f.Close()
	create := func(name string) (io.WriteCloser, error) {
		if sum, ok := backup.IsBlob(name); ok {
			return createBlob(dir, sum)
		}
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		return synced{f}, err
	}
	if s.plain {
		to, err := create(databaseFile)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, f)
		if err := errors.Join(err, to.Close()); err != nil {
			return err
		}
	} else if _, err := backup.Read(f, create); err != nil {
		return err
	}
	facts, err := sqlite.Inspect(ctx, filepath.Join(dir, databaseFile))
	if err != nil {
		return err
	}
	if facts.Head != s.manifest.Head || facts.Schema != s.manifest.Schema || !maps.Equal(facts.Rows, s.manifest.Rows) {
		return tocsin.Errorf(tocsin.Invalid, "the database does not hold what the manifest says: %s", tableThatDiffers(facts, s.manifest))
	}
	return nil
}

// createBlob makes the file of an attachment, where an exchange in that folder keeps it.
func createBlob(dir, sum string) (io.WriteCloser, error) {
	s, err := blob.ParseSum(sum)
	if err != nil {
		return nil, err
	}
	path := blob.Path(filepath.Join(dir, blobsDir), s)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	return synced{f}, err
}

func tableThatDiffers(f sqlite.Facts, m backup.Manifest) string {
	for _, t := range slices.Sorted(maps.Keys(m.Rows)) {
		if f.Rows[t] != m.Rows[t] {
			return fmt.Sprintf("table %s has %d rows, not %d", t, f.Rows[t], m.Rows[t])
		}
	}
	return fmt.Sprintf("it ends at line %d of schema %d", f.Head, f.Schema)
}

// synced is a file that is on disk when it is closed.
type synced struct{ *os.File }

func (s synced) Close() error { return errors.Join(s.Sync(), s.File.Close()) }

// revive begins another life of the store that was unpacked into the folder, there
// or in a database that it is moved to.
func (r *restoreCmd) revive(ctx context.Context) (line tocsin.Seq, err error) {
	e, err := sqlite.OpenWith(ctx, r.Data, sqlite.Options{NoCopy: true}) // the backup is the copy
	if err != nil {
		return 0, err
	}
	if r.Store == "" {
		line, err = store.Reincarnate(ctx, e, time.Now())
		return line, errors.Join(err, e.Close())
	}
	line, err = moved(ctx, e, r.Store)
	if err := errors.Join(err, e.Close()); err != nil {
		return 0, err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		err = errors.Join(err, os.RemoveAll(filepath.Join(r.Data, databaseFile+suffix)))
	}
	return line, err
}

// moved copies a store into a database that has none, and begins its life there.
func moved(ctx context.Context, from store.Portable, url string) (line tocsin.Seq, err error) {
	if !isDatabase(url) {
		return 0, misuse("tocsin restore --help", "--store is the URL of a database, as postgres://tocsin@db.example.org/tocsin; a folder is named by --data")
	}
	to, err := postgres.Open(ctx, url)
	if err != nil {
		return 0, err
	}
	if err = store.Copy(ctx, from, to, func(store.Copied) {}); err == nil {
		line, err = store.Reincarnate(ctx, to, time.Now())
	}
	return line, errors.Join(err, to.Close())
}
