package clock

import (
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

const day = 24 * time.Hour

func (b *bench) event(domain string) (id int64) {
	b.t.Helper()
	v, err := indicator.Parse("domain", domain)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(func(tx *store.Tx) error {
		e := &tocsin.Event{Info: domain, Org: 1}
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		id = e.ID
		_, err := tx.AddAttributes(id, []tocsin.Attribute{{Value: v, ToIDS: true}}, false)
		return err
	})
	return id
}

// at is the time of the log.
func (b *bench) at() int64 {
	b.t.Helper()
	c, err := store.ByName[*tocsin.Clock](b.db.As(access.System("a test")), "clock")
	if err != nil {
		return 0
	}
	return c.At
}

// A line is written when something falls due and at no other time: a log that
// grew every second would be nothing but time.
func TestTimeIsWrittenWhenSomethingFallsDue(t *testing.T) {
	b := newBench(t)
	b.write(func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Lifetime{Name: "short", Types: []string{"domain"}, Days: 2})
	})
	b.event("one.example")
	head := b.db.Head()
	b.due(day)
	if b.db.Head() != head {
		t.Error("a line was written though nothing fell due")
	}
	b.due(day)
	if got := b.at(); got != b.now.Unix() {
		t.Errorf("the clock stands at %d, want %d", got, b.now.Unix())
	}
	head = b.db.Head()
	b.due(time.Second)
	if b.db.Head() != head {
		t.Error("what fell due fell due again")
	}
}

func TestOldEventsAreDeleted(t *testing.T) {
	b := newBench(t)
	b.write(func(tx *store.Tx) error {
		if err := store.Put(tx, &tocsin.Organisation{Name: "ours"}); err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Retention{Name: "a year", Orgs: []int64{1}, Days: 365})
	})
	old := b.event("old.example")
	b.now = b.now.Add(200 * day)
	young := b.event("young.example")
	view := b.db.As(access.System("a test"))
	b.due(0)
	if _, err := view.Event(t.Context(), old); err != nil {
		t.Fatalf("deleted early: %v", err)
	}
	b.due(166 * day)
	if _, err := view.Event(t.Context(), old); tocsin.CodeOf(err) != tocsin.NotFound {
		t.Errorf("the old event is still there: %v", err)
	}
	if _, err := view.Event(t.Context(), young); err != nil {
		t.Errorf("the young event is gone: %v", err)
	}
}
