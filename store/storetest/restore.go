package storetest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/store"
)

// A store that was put back from a backup goes on far above what it may have
// served before, and what another life left is not trusted.
func restoredGoesOn(t *testing.T, w *world) {
	w.event(t, tocsin.Event{}, "early.example")
	head, life := w.Head(), w.Incarnation()
	index := filepath.Join(w.dir, "index")
	if err := w.Claim(index); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(index, "left")
	if err := os.WriteFile(left, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.DB.Close(); err != nil {
		t.Fatal(err)
	}

	w.start(t)
	if w.Incarnation() != life {
		t.Error("another incarnation after a restart")
	}
	if err := w.Claim(index); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err != nil {
		t.Errorf("a projection did not survive a restart: %v", err)
	}
	if err := w.DB.Close(); err != nil {
		t.Fatal(err)
	}

	e := w.open(t, w.dir)
	line, err := store.Reincarnate(t.Context(), e, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	w.start(t)
	if line != head+store.ServedBeyond || w.Head() != line {
		t.Errorf("the log goes on at %d (said: %d), want %d", w.Head(), line, head+store.ServedBeyond)
	}
	if w.Incarnation() == life {
		t.Error("the same incarnation as before")
	}
	if err := w.Claim(index); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what another life left is still there: %v", err)
	}
	w.event(t, tocsin.Event{}, "late.example")
	if w.Head() <= line {
		t.Error("no line came after the restore's")
	}
	told := w.follow(t, "after a restore")
	if n := len(told); n < int(head)+2 || !strings.HasPrefix(told[0], "1 ") || !strings.HasPrefix(told[n-1], fmt.Sprint(w.Head())) {
		t.Fatalf("a follower is told %q", told)
	}
	if want := fmt.Sprintf("%d exchange 0", line); !slices.Contains(told, want) {
		t.Errorf("a follower is not told %q", want)
	}
	if got := w.values(t, w.admin, store.Query{}); len(got) != 2 {
		t.Errorf("%v", got)
	}
}
