package storetest

import (
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// RunCopy tests that a store moves from one engine to another and back as it is.
func RunCopy(t *testing.T, from, to func(t *testing.T, dir string) store.Engine) {
	w := newWorld(t, from)
	last := w.fill(t)
	told, ours, theirs := w.follow(t, "before"), w.values(t, w.ours, store.Query{Deleted: store.Any}), w.values(t, w.theirs, store.Query{})
	w.DB.Close()

	there, back := t.TempDir(), t.TempDir()
	key, err := os.ReadFile(w.keyFile())
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{there, back} { // which are nothing without the key file
		if err := os.WriteFile(filepath.Join(dir, "seal.key"), key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first := copied(t, from(t, w.dir), to(t, there))
	w.dir, w.open = there, to
	w.start(t)
	if d := cmp.Diff(told, w.follow(t, "after")); d != "" {
		t.Errorf("the log differs:\n%s", d)
	}
	if d := cmp.Diff(ours, w.values(t, w.ours, store.Query{Deleted: store.Any})); d != "" {
		t.Errorf("we see something else:\n%s", d)
	}
	if d := cmp.Diff(theirs, w.values(t, w.theirs, store.Query{})); d != "" {
		t.Errorf("they see something else:\n%s", d)
	}
	w.DB.Close()

	if d := cmp.Diff(first, copied(t, to(t, there), from(t, back))); d != "" {
		t.Errorf("on the way back something else was copied:\n%s", d)
	}
	w.dir, w.open = back, from
	w.start(t)
	if id, _ := w.event(t, tocsin.Event{Info: "written since"}, "since.example"); id != last+1 {
		t.Errorf("event %d after event %d", id, last)
	}
	w.DB.Close()

	e, full := from(t, w.dir), to(t, there)
	defer e.Close()
	defer full.Close()
	err = store.Copy(t.Context(), e.(store.Portable), full.(store.Portable), func(store.Copied) {})
	if tocsin.CodeOf(err) != tocsin.Conflict {
		t.Errorf("into a store that has something in it: %v", err)
	}
}

// copied copies and returns the account, all of which has rows.
func copied(t *testing.T, from, to store.Engine) (account []store.Copied) {
	t.Helper()
	defer from.Close()
	defer to.Close()
	err := store.Copy(t.Context(), from.(store.Portable), to.(store.Portable), func(c store.Copied) {
		if account = append(account, c); c.Read == 0 || c.Written != c.Read {
			t.Errorf("%s: %d rows read, %d written", c.Table, c.Read, c.Written)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return account
}

// fill writes something into every table and returns the last event, which is no more.
func (w *world) fill(t *testing.T) (gone int64) {
	t.Helper()
	id, as := w.event(t, tocsin.Event{Distribution: access.Community, Published: true}, "a.example", "b.example", "c.example")
	gone, _ = w.event(t, tocsin.Event{Info: "gone", Distribution: access.Group, Group: w.group}, "d.example")
	w.write(t, w.ours, func(tx *store.Tx) error {
		g, err := tx.TagNamed("tlp:green", "")
		if err != nil {
			return err
		}
		_, err = tx.TagAttribute(as[0].ID, []tocsin.Attached{{Tag: g.ID}}, nil)
		_, withdrawn := tx.Withdraw(as[1].ID)
		_, object := tx.AddObject(id, &tocsin.Object{Name: "file", Distribution: access.Inherit}, Domains(t, "e.example"))
		return errors.Join(err, withdrawn, object, tx.DeleteAttribute(as[2].ID), tx.DeleteEvent(gone))
	})
	w.write(t, w.theirs, func(tx *store.Tx) error {
		return store.AddRemark(tx, &tocsin.Sighting{Head: about(tocsin.KindAttribute, as[0].ID)})
	})
	return gone
}

// RunBrokenCopy tests that a copy that goes wrong leaves nothing behind: one that
// breaks off, and one that does not find what it wrote.
func RunBrokenCopy(t *testing.T, from, to func(t *testing.T, dir string) store.Engine) {
	w := newWorld(t, from)
	w.fill(t)
	w.DB.Close()
	there := t.TempDir()
	e, target := from(t, w.dir), to(t, there)
	defer e.Close()
	defer target.Close()
	ctx, fail := t.Context(), errors.New("no")
	broken := breaking{e.(store.Portable), fail}
	if err := store.Copy(ctx, broken, target.(store.Portable), func(store.Copied) {}); !errors.Is(err, fail) {
		t.Fatal(err)
	}
	if err := store.Copy(ctx, e.(store.Portable), forgetful{target.(store.Portable)}, func(store.Copied) {}); err == nil {
		t.Error("a copy that does not find what it wrote says that it went well")
	}
	if err := store.Copy(ctx, e.(store.Portable), target.(store.Portable), func(store.Copied) {}); err != nil {
		t.Errorf("after a copy that broke: %v", err)
	}
}

// breaking is an engine that breaks off in the middle of its log.
type breaking struct {
	store.Portable
	err error
}

func (b breaking) Dump(ctx context.Context, fn func(store.Dump) error) error {
	return b.Portable.Dump(ctx, func(d store.Dump) error { return fn(breakingDump{d, b.err}) })
}

type breakingDump struct {
	store.Dump
	err error
}

func (b breakingDump) Rows(ctx context.Context, t store.Table) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range b.Dump.Rows(ctx, t) {
			if !yield(row, err) {
				return
			}
			if t.Name == "log" {
				yield(nil, b.err)
				return
			}
		}
	}
}

// forgetful is an engine that keeps something else than it was given.
type forgetful struct{ store.Portable }

func (f forgetful) Load(ctx context.Context, fn func(store.Load) error) error {
	return f.Portable.Load(ctx, func(l store.Load) error { return fn(forgetfulLoad{l}) })
}

type forgetfulLoad struct{ store.Load }

func (f forgetfulLoad) Rows(ctx context.Context, t store.Table) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range f.Load.Rows(ctx, t) {
			if t.Name == "attributes" && err == nil {
				row[len(row)-1] = int64(7)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}
