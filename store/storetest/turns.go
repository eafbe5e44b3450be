package storetest

import (
	"context"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A held follower takes nothing in until it is let.
type held struct{ asked, let chan struct{} }

func (held) Name() string                  { return "collection" }
func (held) Place() tocsin.Seq             { return 0 }
func (held) Restart(context.Context) error { return nil }
func (h held) Follow(ctx context.Context, _ []tocsin.Change) error {
	select {
	case h.asked <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-h.let:
	case <-ctx.Done():
	}
	return ctx.Err()
}

// One member can't hold up everybody's zones by changing its collections faster
// than they can be taken in.
func collectionsChangeInTurn(t *testing.T, w *world) {
	role, _ := access.RoleByID(2)
	admin := func(org int64) access.Viewer { return access.NewViewer("admin", org, org, role.Role) }
	put := func(org int64, name string) error {
		_, err := w.Apply(t.Context(), admin(org), func(tx *store.Tx) error {
			return store.Put(tx, &tocsin.Collection{Name: name, Org: org, Sources: []int64{org}})
		})
		return err
	}
	h := held{make(chan struct{}), make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Follow(ctx, h); close(done) }()
	<-h.asked
	if err := put(1, "first"); err != nil {
		t.Fatal(err)
	}
	if err := put(1, "second"); tocsin.CodeOf(err) != tocsin.Busy {
		t.Errorf("a second one before the first was taken in: %v", err)
	}
	if err := put(2, "theirs"); err != nil {
		t.Errorf("another organisation has to wait: %v", err)
	}
	go func() { // whatever is handed over from now on
		for {
			select {
			case h.let <- struct{}{}:
			case <-h.asked:
			case <-ctx.Done():
				return
			}
		}
	}()
	if err := w.Await(t.Context(), "collection", w.Head()); err != nil {
		t.Fatal(err)
	}
	if err := put(1, "second"); err != nil {
		t.Errorf("after it was taken in: %v", err)
	}
	stop()
	<-done
}
