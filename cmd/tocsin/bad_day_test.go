//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/collection"
	"tocsin/intake"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// disk mounts a small disk for a test, or skips it where that is not permitted.
func disk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatalf("mount a tmpfs: %v, and REQUIRE_ALL=1 forbids skipping", err)
		}
		t.Skip("SKIP-NEED tmpfs")
	}
	t.Cleanup(func() {
		// Files that the index maps stay mapped until they are collected.
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// remount changes a disk.
func remount(t *testing.T, dir string, flags uintptr, size string) {
	t.Helper()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, size); err != nil {
		t.Fatal(err)
	}
}

// move moves the exchange to another folder.
func (w *world) move(dir string) {
	w.t.Helper()
	if err := w.exchange.Close(); err != nil {
		w.t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(w.conf.Data)); err != nil {
		w.t.Fatal(err)
	}
	// A copy of a file system is everybody's to read.
	if err := os.Chmod(filepath.Join(dir, "seal.key"), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.conf.Data = dir
	w.start()
}

const diskFull = "the disk is full; nothing was written, and nothing acknowledged is lost: "

// TestFullDisk imports until the disk is full. Who writes is told so, who reads
// is answered, and when there is room again all goes on with nothing lost.
func TestFullDisk(t *testing.T) {
	dir := disk(t, "16m")
	w := newWorldOn(t, "", "telco", "provider") // the folder is what gets full
	w.move(dir)
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("resolver", "provider", c)
	w.bulk("telco", "collection=drop&publish=1&distribution=1&type=domain&name=first", strings.NewReader("first.example\n"))
	w.settle()
	f := &front{w, "telco"}
	acknowledged := 0
	var full outcome
	for n := 0; full.said == ""; n++ {
		name := fmt.Sprint("list-", n)
		o := f.take(t, url.Values{"name": {name}, "collection": {"drop"}, "publish": {"1"}, "distribution": {"1"}}, strings.NewReader(madeList(name, 5000)))
		if o.status == 200 && o.said == "" {
			acknowledged++
		} else {
			full = o
		}
	}
	if full.status != 503 || !strings.HasPrefix(full.said, "busy: "+diskFull) {
		t.Errorf("%d %s", full.status, full.said)
	}
	t.Logf("full after %d lists: %s", acknowledged, full.said)
	if _, found := w.raw("provider", "POST", "/api/lookup", "first.example\n"); !strings.Contains(string(found), `"found":true`) {
		t.Errorf("on the full disk: %s", found)
	}
	if status, list := w.raw("provider", "GET", "/collections/drop.txt", nil); status != 200 || !strings.Contains(string(list), "first.example\n") {
		t.Errorf("on the full disk: %d %.200s", status, list)
	}

	remount(t, dir, 0, "size=128m")
	good := f.take(t, url.Values{"name": {"last"}, "collection": {"drop"}, "publish": {"1"}, "distribution": {"1"}, "type": {"domain"}}, strings.NewReader("last.example\n"))
	if good.status != 200 || good.said != "" || good.written != 1 {
		t.Errorf("after there is room again: %+v", good)
	}
	w.settle()
	w.holds("last.example", sub)
	for n := range acknowledged {
		w.holds(fmt.Sprintf("n4999.list-%d.threat-lab.net", n), sub)
	}
	if err := w.exchange.Close(); err != nil {
		t.Fatal(err)
	}

	// And offline, on a disk with little room left.
	remount(t, dir, 0, "size="+fmt.Sprint(used(t, dir)+2<<20))
	status, _, said := program(strings.NewReader(madeList("offline", 100_000)), "import", "--data", dir, "--as", "analyst@telco.example", "-")
	if status != exitFailed || !strings.HasPrefix(said, "tocsin: standard input: commit: "+diskFull) {
		t.Errorf("offline: %d %s", status, said)
	}
	remount(t, dir, 0, "size=256m")
	if status, out, said := program(strings.NewReader(madeList("offline", 100_000)), "import", "--data", dir, "--as", "analyst@telco.example", "-"); status != exitOK {
		t.Errorf("offline, with room: %d %s %s", status, out, said)
	}
	w.start()
	w.settle()
	for n := range acknowledged {
		w.holds(fmt.Sprintf("n0.list-%d.threat-lab.net", n), sub)
	}
}

// used is how much of a disk is taken, in octets.
func used(t *testing.T, dir string) uint64 {
	t.Helper()
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		t.Fatal(err)
	}
	return (s.Blocks - s.Bfree) * uint64(s.Bsize)
}

// TestReadOnlyFolder starts on a disk that can't be written to.
func TestReadOnlyFolder(t *testing.T) {
	dir := disk(t, "64m")
	if status, _, said := program(nil, "init", "--data", dir, "--org", "telco", "--email", "analyst@telco.example"); status != exitOK {
		t.Fatal(said)
	}
	remount(t, dir, syscall.MS_RDONLY, "")
	want := fmt.Sprintf("can't use the folder %s: open %s: read-only file system\n", dir, filepath.Join(dir, "lock"))
	for _, args := range [][]string{{"serve", "--http", "127.0.0.1:0", "--dns", "127.0.0.1:0"}, {"import", "-"}} {
		status, _, said := program(strings.NewReader("before.example\n"), append(args, "--data", dir)...)
		if status != exitFailed || said != "tocsin: "+want {
			t.Errorf("%s: %d %q, want %q", args[0], status, said, want)
		}
	}
	remount(t, dir, 0, "")
	if status, out, said := program(strings.NewReader("before.example\n"), "import", "--data", dir, "-"); status != exitOK || !strings.Contains(out, "1 written") {
		t.Errorf("writable again: %d %s %s", status, out, said)
	}
}

// TestSecondServe starts a second exchange on the folder of one that runs.
func TestSecondServe(t *testing.T) {
	w := newWorldOn(t, "", "telco")
	dir := w.conf.Data
	want := fmt.Sprintf("tocsin: another tocsin is using the folder %s; stop it first, or talk to it with --url\n", dir)
	for _, args := range [][]string{{"serve", "--http", "127.0.0.1:0", "--dns", "127.0.0.1:0"}, {"import", "-"}, {"init", "--org", "x", "--email", "x@x.example"}} {
		status, out, said := program(strings.NewReader("before.example\n"), append(args, "--data", dir)...)
		if status != exitFailed || said != want || out != "" {
			t.Errorf("%s: %d %q %q, want %q", args[0], status, out, said, want)
		}
	}
	good := badList{name: "good", list: text("before.example\nafter.example\n"), keeps: around}
	good.send(t, &front{w, "telco"}, 200)
}

// TestClockThatJumpsBack writes while time goes back an hour, as when a machine
// that was wrong asks its time server.
func TestClockThatJumpsBack(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	engine, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), engine, store.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	set, err := collection.Open(t.TempDir(), db.Labels(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	run, stop := context.WithCancel(t.Context())
	followed := make(chan error, 1)
	go func() { followed <- db.Follow(run, set) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-followed, set.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	org, publisher := &tocsin.Organisation{Name: "telco", Local: true}, &tocsin.User{Email: "analyst@telco.example", Role: 2}
	c := &tocsin.Collection{Name: "drop", Zone: "rpz.example", Filter: "type:domain"}
	sub := &tocsin.Subscriber{Name: "resolver"}
	_, err = db.Apply(t.Context(), access.System("a test sets up its world"), func(tx *store.Tx) error {
		err := store.Put(tx, org)
		publisher.Org, c.Org, c.Sources, sub.Org = org.ID, org.ID, []int64{org.ID}, org.ID
		err = errors.Join(err, store.Put(tx, publisher), store.Put(tx, c))
		sub.Collection = c.ID
		return errors.Join(err, store.Put(tx, sub))
	})
	if err != nil {
		t.Fatal(err)
	}
	desk, v := &intake.Desk{DB: db}, db.ViewerFor(publisher)
	first, err := desk.Import(t.Context(), v, intake.ImportOptions{Event: "x", Publish: true}, drafted("domain", "first.example"), nil)
	if err != nil {
		t.Fatal(err)
	}
	zone := func(seq tocsin.Seq) collection.View {
		t.Helper()
		if err := db.Await(t.Context(), set.Name(), seq); err != nil {
			t.Fatal(err)
		}
		z, ok := set.Zone("rpz.example", sub.ID)
		if !ok {
			t.Fatal("no zone")
		}
		return z
	}
	at := zone(first.Seq)
	var edited int64 // when the first claim was edited last
	for i, step := range []time.Duration{0, -time.Hour, time.Minute, -time.Hour, 3 * time.Hour} {
		now = now.Add(step)
		p, err := desk.Import(t.Context(), v, intake.ImportOptions{Event: "x", Publish: true}, drafted("domain", fmt.Sprint("n", i, ".example")), nil)
		if err != nil {
			t.Fatal(err)
		}
		z := zone(p.Seq)
		if z.Serial() <= at.Serial() || z.Len() != i+2 {
			t.Errorf("step %d: serial %d after %d, %d names", i, z.Serial(), at.Serial(), z.Len())
		}
		if deltas, ok := z.Since(at.Serial()); !ok || len(deltas) != 1 || len(deltas[0].Added) != 1 || len(deltas[0].Removed) != 0 {
			t.Errorf("step %d: from serial %d: %v %+v", i, at.Serial(), ok, deltas)
		}
		at = z
		res, err := desk.EditAttribute(t.Context(), v, intake.AttributeEdit{ID: 1, Comment: new(fmt.Sprint("edit ", i))})
		if err != nil {
			t.Fatal(err)
		}
		a := res.Attributes[0]
		if a.Comment != fmt.Sprint("edit ", i) || a.Timestamp < edited {
			t.Errorf("step %d: edited to %q, at %d after %d", i, a.Comment, a.Timestamp, edited)
		}
		edited = a.Timestamp
		// An edit unpublishes the event; publishing brings all of it back.
		e, err := db.As(v).Event(t.Context(), p.Event)
		if err != nil || e.Published || e.Timestamp < edited {
			t.Errorf("step %d: the event is of %d after %d, %v", i, e.Timestamp, edited, err)
		}
		published, err := db.Apply(t.Context(), v, func(tx *store.Tx) error { _, err := tx.Publish(p.Event, true); return err })
		if err != nil {
			t.Fatal(err)
		}
		if at = zone(published); at.Len() != i+2 {
			t.Errorf("step %d: %d names once it is published again", i, at.Len())
		}
	}
}

// drafted is a list of values of a type.
func drafted(typ string, values ...string) iter.Seq2[intake.Draft, error] {
	return func(yield func(intake.Draft, error) bool) {
		for i, v := range values {
			if !yield(intake.Draft{Line: i + 1, Type: typ, Text: v}, nil) {
				return
			}
		}
	}
}
