package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/backup"
	"tocsin/blob"
	"tocsin/store/sqlite"
)

// backupCmd writes an exchange into an archive.
type backupCmd struct {
	server
	Data    string `type:"path" placeholder:"DIR" help:"Back up the exchange in a folder that no server holds, instead of a running one."`
	WithKey bool   `name:"with-seal-key" help:"Put seal.key into the archive as well. Without it, keep that file elsewhere: the archive does not give away the secrets that it seals, nor can they be read without it."`
	Keep    int    `placeholder:"N" help:"Where TO is a folder: keep the newest N backups there and remove older ones. All are kept if not said."`
	JSON    bool   `help:"Answer as one JSON object: the manifest."`
	To      string `arg:"" name:"to" help:"File to write, or a folder for one named by its time; - is standard output."`
}

func (backupCmd) Help() string {
	return `The archive holds everything as it was after one line of the log, while writes go on; its
lookup index and zones are built again from that. It is read back while it is written, and
appears under its name when it is whole. It takes the key of a site administrator.

Examples:
  tocsin backup /var/backups/tocsin --keep 14
  tocsin backup - | ssh backup.example.org "cat > tocsin.tar.gz"
  tocsin backup --data /var/lib/tocsin tocsin.tar.gz`
}

func (b *backupCmd) Run(ctx context.Context, c *console) error {
	info, err := os.Stat(b.To)
	inFolder := err == nil && info.IsDir()
	if b.Keep < 0 || b.Keep > 0 && !inFolder {
		return misuse("tocsin backup --help", "--keep takes a number and goes with a folder that is there")
	}
	from, err := b.open()
	if err != nil {
		return err
	}
	if b.To == "-" {
		m, err := verified(c.out, func(w io.Writer) error { return from(ctx, w) })
		if err != nil {
			return err
		}
		c.say("%s", summary(m))
		return nil
	}
	name := b.To
	if inFolder {
		name = filepath.Join(b.To, backupName(time.Now()))
	}
	m, err := c.backUp(ctx, from, name)
	if err != nil {
		return err
	}
	if inFolder && b.Keep > 0 {
		if err := thin(b.To, b.Keep); err != nil {
			return err
		}
	}
	if b.JSON {
		return c.json(m)
	}
	return c.print("%s: %s", name, summary(m))
}

// summary says in a line what a backup holds.
func summary(m backup.Manifest) string {
	seal := ""
	switch {
	case m.Seal == nil:
	case m.Seal.Included:
		seal = "; seal.key is in it"
	default:
		seal = "; seal.key is not in it: keep a copy elsewhere"
	}
	attached := ""
	if m.Blobs.Count > 0 {
		attached = ", " + plural(m.Blobs.Count, "attachment")
	}
	return fmt.Sprintf("line %d of %s, %s, %s%s%s", m.Head, m.HeadAt.Local().Format(time.DateTime),
		plural(m.Rows["events"], "event"), plural(m.Rows["attributes"], "attribute"), attached, seal)
}

// open returns what writes the archive, or says why there is none.
func (b *backupCmd) open() (func(context.Context, io.Writer) error, error) {
	if b.Data != "" {
		if _, err := os.Stat(filepath.Join(b.Data, databaseFile)); err != nil {
			return nil, fmt.Errorf("there is no exchange in %s", b.Data)
		}
		return b.folder, nil
	}
	api, err := b.client()
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, w io.Writer) error {
		query := url.Values{}
		if b.WithKey {
			query.Set("seal_key", "1")
		}
		resp, err := api.send(ctx, request{method: http.MethodPost, path: "/api/backup", query: query})
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err = io.Copy(w, resp.Body); err != nil {
			return fmt.Errorf("the backup broke off; the server's log says why: %w", err)
		}
		return nil
	}, nil
}

// folder writes the exchange in a folder that nobody holds.
func (b *backupCmd) folder(ctx context.Context, w io.Writer) error {
	begun := time.Now()
	s, err := sqlite.SnapshotOf(ctx, b.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	m, err := archive(ctx, w, s, blob.NewFolder(config{Data: b.Data}.blobsFolder()), config{Data: b.Data}.sealKey(), b.WithKey)
	if err != nil {
		return err
	}
	return noteBackup(b.Data, lastBackup{m.Made, m.Head, s.Size, time.Since(begun).Seconds()})
}

// verified has an archive written to w, and reads it back meanwhile.
func verified(w io.Writer, write func(io.Writer) error) (m backup.Manifest, err error) {
	r, also := io.Pipe()
	done := make(chan error, 1)
	go func() {
		var err error
		m, err = backup.Verify(r)
		r.CloseWithError(err)
		done <- err
	}()
	err = write(io.MultiWriter(w, also))
	also.CloseWithError(err)
	if wrong := <-done; err == nil {
		err = wrong
	}
	return m, err
}

// backUp writes an archive to a file, which appears when it is whole.
func (c *console) backUp(ctx context.Context, from func(context.Context, io.Writer) error, name string) (m backup.Manifest, err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*") // for its owner alone
	if err != nil {
		return m, err
	}
	defer os.Remove(f.Name())
	bar := c.bar(filepath.Base(name), 0)
	m, err = verified(&counted{w: f, tell: func(n int64) { bar.at(n, count(n>>20)+" MiB") }}, func(w io.Writer) error { return from(ctx, w) })
	bar.done()
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	return m, err
}

const backupPrefix, backupSuffix = "tocsin-", ".tar.gz"

func backupName(at time.Time) string {
	return backupPrefix + at.UTC().Format("20060102T150405Z") + backupSuffix
}

// thin removes all but the newest backups in a folder. What has another name is
// left alone.
func thin(dir string, keep int) error {
	entries, err := os.ReadDir(dir) // by name, and so by time
	if err != nil {
		return err
	}
	var ours []string
	for _, e := range entries {
		stamp, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), backupSuffix), backupPrefix)
		if _, err := time.Parse("20060102T150405Z", stamp); ok && err == nil && strings.HasSuffix(e.Name(), backupSuffix) {
			ours = append(ours, e.Name())
		}
	}
	for _, name := range slices.Clone(ours)[:max(0, len(ours)-keep)] {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// verifyCmd looks whether an archive is whole.
type verifyCmd struct {
	JSON bool   `help:"Answer as one JSON object: the manifest."`
	File string `arg:"" name:"file" help:"The backup; - is standard input."`
}

func (verifyCmd) Help() string {
	return `The archive is read to its end and its sums are compared. The exit status is 1 if it is not
whole. Whether it can be restored shows only by restoring it, into a folder of its own.

Example:
  tocsin verify tocsin.tar.gz`
}

func (v *verifyCmd) Run(c *console) error {
	in := c.in
	if v.File != "-" {
		f, err := os.Open(v.File)
		if err != nil {
			return plainly(err)
		}
		defer f.Close()
		in = f
	}
	m, err := backup.Verify(in)
	if err != nil {
		return fmt.Errorf("%s: %w", shown(v.File), err)
	}
	if v.JSON {
		return c.json(m)
	}
	return c.print("%s: whole; %s; written by %s", shown(v.File), summary(m), m.Program)
}

// plainly is an error of opening a file without the name of the system's call.
func plainly(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}
