package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tocsin"
	"tocsin/backup"
	"tocsin/store/sqlite"
)

const (
	// little is how much free space is little, in octets: less, and one large
	// import fills it.
	little = 1 << 30
	// fewInodes is how few files can be made when that is few.
	fewInodes = 10_000
	// slowSync is how long a sync takes when it is slow. Each commit waits for one.
	slowSync = 100 * time.Millisecond
	// longLog is how long the write-ahead log is when something is amiss: it is
	// moved into the database at 64 MiB, unless a reader holds on to what was.
	longLog = 1 << 30
	// oldBackup is how old the last backup is when it is too old.
	oldBackup = 8 * 24 * time.Hour
)

// folder looks at the folder of an exchange, from outside.
func (d *doctorCmd) folder(ctx context.Context, r *doctor, now time.Time) {
	if _, err := os.Stat(d.Data); err != nil {
		r.report("folder", ill("found an exchange: tocsin init --data "+d.Data, "there is no folder %s", d.Data))
		return
	}
	if f := writable(d.Data); !f.OK {
		r.report("folder", f)
		return
	}
	r.report("folder", writable(d.Data))
	r.report("", folderFindings(d.Data, now)...)
	r.report("disk", syncs(func() error { return syncOnce(d.Data) }))
	if d.Store == "" {
		r.report("store", d.store(ctx, now)...)
	}
}

// folderFindings is what the folder's files say, whoever looks.
func folderFindings(dir string, now time.Time) (found []finding) {
	found = append(found, permissions(dir)...)
	if s, err := diskOf(dir); err == nil {
		found = append(found, diskSpace(dir, s)...)
	}
	if info, err := os.Stat(filepath.Join(dir, databaseFile)); err == nil {
		if ahead := info.ModTime().Sub(now); ahead > maxSkew {
			found = append(found, ill("set the clock, and have it kept (chrony, systemd-timesyncd)", "the database was written %s in the future", ahead.Round(time.Second)).
				because("the clock was put back; TSIG and whatever ends by the clock go wrong").about("clock"))
		}
	}
	if info, err := os.Stat(filepath.Join(dir, databaseFile+"-wal")); err == nil && info.Size() > longLog {
		found = append(found, ill("see in the server's log who reads for so long, as a backup over a slow line; a restart ends it",
			"the write-ahead log has grown to %s MiB", count(info.Size()>>20)).because("it takes up the disk until nobody reads what was before").about("disk"))
	}
	return append(found, lastBackupOf(dir, now))
}

func writable(dir string) finding {
	probe, err := os.CreateTemp(dir, ".doctor.*")
	if err != nil {
		return ill(fmt.Sprintf("run as the user who owns it, or: chown -R %s %s", whoami(), dir), "%s is not writable: %s", dir, errors.Unwrap(err))
	}
	probe.Close()
	os.Remove(probe.Name())
	return well("%s is writable", dir)
}

func whoami() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return fmt.Sprint(os.Getuid())
}

// permissions says who else can read what the exchange keeps.
func permissions(dir string) (found []finding) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	if info.Mode().Perm()&0o077 != 0 {
		found = append(found, ill("chmod 700 "+dir, "other users of this machine can look into %s (%o)", dir, info.Mode().Perm()).
			because("everything is in there, keys too").about("permissions"))
	}
	own, _ := owner(info)
	names := []string{databaseFile, databaseFile + "-wal", backup.SealKey}
	kept, _ := filepath.Glob(filepath.Join(dir, "before-upgrade-*"))
	for _, k := range kept {
		names = append(names, filepath.Base(k))
	}
	for _, name := range names {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if f := private(path); !f.OK {
			found = append(found, f.about("permissions"))
		}
		if uid, ok := owner(info); ok && uid != own {
			found = append(found, ill("stop the exchange, and: chown -R --reference="+dir+" "+dir, "%s belongs to user %d, its folder to user %d", name, uid, own).
				because("a command was run as somebody else; the exchange may no longer be able to write to it").about("permissions"))
		}
	}
	if len(found) == 0 {
		found = append(found, well("the folder is its owner's alone").about("permissions"))
	}
	return found
}

// private says whether a file is its owner's alone.
func private(path string) finding {
	info, err := os.Stat(path)
	switch {
	case path == "":
		return note("give it with --tls-key", "the certificate's key was not looked at")
	case err != nil:
		return ill("see whether the path is right", "%s", plainly(err))
	case info.Mode().Perm()&0o077 != 0:
		return ill("chmod 600 "+path, "other users of this machine can read %s (%o)", path, info.Mode().Perm()).
			because("whoever has it can speak in the exchange's name, or read what it keeps")
	}
	return well("%s is its owner's alone", path)
}

func diskSpace(dir string, s diskState) (found []finding) {
	full := "writes are refused when the disk is full; nothing acknowledged is lost"
	if s.free < little {
		found = append(found, ill("make room, or move the folder", "%s MiB are free at %s", count(s.free>>20), dir).because(full))
	}
	if s.inodes > 0 && s.left < fewInodes {
		found = append(found, ill("remove small files, or move the folder: df -i "+dir, "%s files can still be made at %s", count(int64(s.left)), dir).because(full))
	}
	switch s.kind {
	case "":
	case "memory":
		found = append(found, note("for more than a trial move the folder to a disk", "%s is in memory", dir).because("it is gone when the machine stops"))
	default:
		found = append(found, ill("move the folder to a disk of this machine", "%s is on a network file system (%s)", dir, s.kind).
			because("locks and syncs do not do there what the database needs: it can be damaged"))
	}
	if len(found) == 0 {
		found = append(found, well("%s MiB are free", count(s.free>>20)))
	}
	for i := range found {
		found[i].Check = "disk"
	}
	return found
}

// syncs measures how long the disk takes to keep something.
func syncs(once func() error) finding {
	var all []time.Duration
	for range 7 {
		begun := time.Now()
		if err := once(); err != nil {
			return ill("see what the kernel says: dmesg", "the disk can't be written to: %s", err)
		}
		all = append(all, time.Since(begun))
	}
	slices.Sort(all)
	return syncSpeed(all[len(all)/2])
}

func syncSpeed(took time.Duration) finding {
	if took > slowSync {
		return ill("take a disk of its own, or one with a cache that survives a loss of power", "it takes %s to keep a page", took.Round(time.Millisecond)).
			because("each commit waits for it, and so does whoever shares something")
	}
	return well("it keeps a page within %s", took.Round(10*time.Microsecond))
}

// syncOnce writes a page and has it kept.
func syncOnce(dir string) error {
	f, err := os.CreateTemp(dir, ".doctor.*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Sync(), f.Close())
}

// lastBackupOf says how old the last backup is.
func lastBackupOf(dir string, now time.Time) finding {
	const how = "tocsin backup FILE, while it runs; docs/operating.md says how to have it made every day"
	last := readLastBackup(dir)
	age := now.Sub(last.At)
	switch {
	case last.At.IsZero():
		return note(how, "no backup was made yet").because("the disk is the one place where everything is").about("backup")
	case age > oldBackup:
		return ill(how, "the last backup is %s old", plural(int64(age/(24*time.Hour)), "day")).because("what came since is lost with the disk").about("backup")
	}
	return well("the last one is of %s, line %d", last.At.Local().Format(time.DateTime), last.Head).about("backup")
}

// store looks at the database, which changes nothing in it.
func (d *doctorCmd) store(ctx context.Context, now time.Time) []finding {
	if _, err := os.Stat(filepath.Join(d.Data, databaseFile)); err != nil {
		return []finding{ill("found one: tocsin init --data "+d.Data, "there is no exchange in %s", d.Data)}
	}
	s, err := sqlite.SnapshotOf(ctx, d.Data)
	switch {
	case tocsin.CodeOf(err) == tocsin.Conflict:
		return []finding{well("a server holds it, so it was not opened")}
	case err != nil:
		return []finding{damaged(err)}
	}
	defer s.Close()
	found := databaseFindings(s.Facts, now)
	if d.Deep {
		if err := s.Check(ctx); err != nil {
			return append(found, damaged(err))
		}
		found = append(found, well("the whole database was read: it is not damaged"))
	}
	return found
}

func damaged(err error) finding {
	return ill("put a backup back: tocsin restore FILE --data OTHER_FOLDER; keep the folder as it is until that is done", "%s", err).
		because("what is in it can't be relied on; disks and memory that fail do this")
}

func databaseFindings(f sqlite.Facts, now time.Time) (found []finding) {
	switch {
	case f.Schema > sqlite.Newest():
		found = append(found, ill("start the version that wrote it last", "the database is of schema %d, and this program knows up to %d", f.Schema, sqlite.Newest()).
			because("an older program would not start on it"))
	case f.Schema < sqlite.Newest():
		found = append(found, note("", "the database is of schema %d, and is brought up to %d at the next start; a copy is kept", f.Schema, sqlite.Newest()))
	}
	if ahead := f.HeadAt.Sub(now); ahead > maxSkew {
		found = append(found, ill("set the clock, and have it kept (chrony, systemd-timesyncd)", "the last line of the log is %s in the future", ahead.Round(time.Second)).
			because("the clock was put back since; whatever ends by the clock goes wrong").about("clock"))
	}
	if f.Rows["docs"] == 0 {
		return append(found, ill("found one: tocsin init", "the exchange is empty"))
	}
	return append(found, well("%s, %s; the log is at line %d of %s", plural(f.Rows["events"], "event"), plural(f.Rows["attributes"], "attribute"),
		f.Head, f.HeadAt.Local().Format(time.DateTime)))
}
