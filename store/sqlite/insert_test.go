package sqlite

import (
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// Ids that SQLite counts must be those that were handed out.
func TestIDsThatAreCountedAreRight(t *testing.T) {
	e, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), e, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	value, _ := indicator.Parse("domain", "threat.example")
	of := func(ids ...int64) (as []tocsin.Attribute) {
		for _, id := range ids {
			u := tocsin.UUID{15: byte(id), 6: 0x70}
			as = append(as, tocsin.Attribute{ID: id, UUID: u, Event: 1, Value: value, Distribution: access.Inherit})
		}
		return as
	}
	add := func(ids ...int64) error {
		return e.Write(t.Context(), func(w store.Writer) error { return w.AddAttributes(t.Context(), of(ids...)) })
	}
	if err := add(1, 2, 3, 7, 8, 20); err != nil {
		t.Fatal(err)
	}
	if err := add(12, 13); err == nil || !strings.Contains(err.Error(), "higher ids") {
		t.Errorf("12 and 13 after 20: %v", err)
	}
	var ids string
	rows := e.Read(t.Context(), func(r store.Reader) error {
		_, err := r.(*tx).one(t.Context(), []any{&ids}, `SELECT group_concat(id ORDER BY id) FROM attributes`)
		return err
	})
	if rows != nil || ids != "1,2,3,7,8,20" {
		t.Errorf("ids are %s %v", ids, rows)
	}
}

func TestWhatIsAlikeIsBoundOnce(t *testing.T) {
	in := newInsert("INSERT INTO t", "a, b, c")
	args := []any{int64(1), "x", []byte{1}, int64(1), "y", []byte{1}}
	s := shape{in, 2, alike(args, 3)}
	if got, want := s.text(), `INSERT INTO t (a, b, c) VALUES (?1, ?, ?), (?1, ?, ?)`; got != want {
		t.Errorf("%s", got)
	}
	if got := s.bind(nil, args); len(got) != 5 || got[3] != "y" {
		t.Errorf("bound %v", got)
	}
}
