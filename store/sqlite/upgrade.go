package sqlite

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tocsin"
)

// Before the tables of an earlier version are changed, the database is copied
// within its folder: there are no steps down. The copy is a plain database, which
// the version that wrote it can use as it is.
const (
	upgradePrefix = "before-upgrade-"
	upgradeSuffix = ".db"
	// upgradesKept is how many copies are kept: one to go back to, and the one
	// before it.
	upgradesKept = 2
)

// keeper returns what keeps the copy.
func (e *Engine) keeper(path string, o Options) func(ctx context.Context, from, to int64) error {
	return func(ctx context.Context, from, to int64) error {
		if o.NoCopy {
			return nil
		}
		dir := filepath.Dir(path)
		if e.kept(ctx, dir, from) {
			return nil // an upgrade that failed is tried again
		}
		name := fmt.Sprintf("%s%d-%s%s", upgradePrefix, from, time.Now().UTC().Format("20060102T150405Z"), upgradeSuffix)
		if err := e.keep(ctx, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("keep a copy before the upgrade: %w", err)
		}
		o.Log.Warn("the database is brought up to date; a copy was kept", "from", from, "to", to, "copy", filepath.Join(dir, name),
			"to go back", "stop, and with the version before: tocsin restore "+filepath.Join(dir, name)+" --data OTHER_FOLDER")
		return prune(dir)
	}
}

// kept reports whether there is a copy of the database as it is.
func (e *Engine) kept(ctx context.Context, dir string, schema int64) bool {
	s, err := e.Snapshot(ctx)
	if err != nil {
		return false
	}
	defer s.Close()
	copies, _ := filepath.Glob(filepath.Join(dir, fmt.Sprintf("%s%d-*%s", upgradePrefix, schema, upgradeSuffix)))
	return slices.ContainsFunc(copies, func(path string) bool {
		c, err := Inspect(ctx, path)
		return err == nil && c.Schema == schema && c.Head == s.Head && c.Incarnation == s.Incarnation && maps.Equal(c.Rows, s.Rows)
	})
}

// keep copies the database to path.
func (e *Engine) keep(ctx context.Context, path string) (err error) {
	s, err := e.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	// The upgrade itself may write as much again.
	if free, err := FreeSpace(filepath.Dir(path)); err == nil && free < 2*s.Size {
		return tocsin.Errorf(tocsin.Busy, "%d MiB are free and %d are needed, for the copy and for the upgrade; make room, or move the folder", free>>20, 2*s.Size>>20)
	}
	tmp, err := os.OpenFile(path+".tmp", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(tmp.Name())
		}
	}()
	if err := errors.Join(s.Write(ctx, tmp), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// prune removes the oldest copies. Their names end in their time, but begin with
// a version, so it is the files' own time that counts.
func prune(dir string) error {
	copies, err := filepath.Glob(filepath.Join(dir, upgradePrefix+"*"+upgradeSuffix))
	if err != nil {
		return err
	}
	age := func(path string) time.Time {
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}
		}
		return info.ModTime()
	}
	slices.SortFunc(copies, func(a, b string) int { return age(b).Compare(age(a)) })
	for _, path := range copies[min(len(copies), upgradesKept):] {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
