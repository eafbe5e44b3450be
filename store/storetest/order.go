package storetest

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// mixed adds two events of organisation 1, and to both by turns, so that the order of
// ids is not that of events.
func mixed(t *testing.T, w *world) (first, second int64) {
	first, _ = w.event(t, tocsin.Event{Distribution: access.Community})
	second, _ = w.event(t, tocsin.Event{Distribution: access.Community})
	for i, text := range []string{"url http://b.example/", "domain c.example", "ip-dst 192.0.2.1", "domain a.example"} {
		typ, value, _ := strings.Cut(text, " ")
		v, err := indicator.Parse(typ, value)
		if err != nil {
			t.Fatal(err)
		}
		w.write(t, w.ours, func(tx *store.Tx) error {
			e := []int64{second, first}[i%2]
			_, err := tx.AddAttributes(e, []tocsin.Attribute{{Value: v, Distribution: access.Inherit, Timestamp: int64(1000 + i/2), ToIDS: i == 2}}, false)
			return err
		})
	}
	return first, second
}

func inTheOrderAskedFor(t *testing.T, w *world) {
	mixed(t, w)
	for _, c := range []struct {
		by   []store.Order
		want string
	}{
		{nil, "http://b.example/ c.example 192.0.2.1 a.example"},
		{[]store.Order{{By: store.TraitID, Desc: true}}, "a.example 192.0.2.1 c.example http://b.example/"},
		{[]store.Order{{By: store.TraitEvent}}, "c.example a.example http://b.example/ 192.0.2.1"},
		{[]store.Order{{By: store.TraitEvent, Desc: true}, {By: store.TraitID, Desc: true}}, "192.0.2.1 http://b.example/ a.example c.example"},
		{[]store.Order{{By: store.TraitTimestamp, Desc: true}}, "192.0.2.1 a.example http://b.example/ c.example"},
		{[]store.Order{{By: store.TraitValue}}, "192.0.2.1 a.example c.example http://b.example/"},
		{[]store.Order{{By: store.TraitType}}, "c.example a.example 192.0.2.1 http://b.example/"},
		{[]store.Order{{By: store.TraitToIDS, Desc: true}, {By: store.TraitValue, Desc: true}}, "192.0.2.1 http://b.example/ c.example a.example"},
	} {
		if got := strings.Join(w.values(t, w.ours, store.Query{Order: c.by}), " "); got != c.want {
			t.Errorf("by %v: %s, not %s", c.by, got, c.want)
		}
		var paged []string
		for n := range int64(5) {
			paged = append(paged, w.values(t, w.ours, store.Query{Order: c.by, Limit: 1, Offset: n})...)
		}
		if got := strings.Join(paged, " "); got != c.want {
			t.Errorf("by %v, a page each: %s, not %s", c.by, got, c.want)
		}
	}
	for _, by := range []store.Trait{store.TraitUUID, store.TraitObject, store.TraitRelation, store.TraitCategory, store.TraitComment,
		store.TraitDistribution, store.TraitFirstSeen, store.TraitLastSeen, store.TraitDeleted} {
		if got := w.values(t, w.ours, store.Query{Order: []store.Order{{By: by}}}); len(got) != 4 {
			t.Errorf("by %v: %v", by, got)
		}
	}
}

func talliesAreTheViewers(t *testing.T, w *world) {
	first, _ := mixed(t, w)
	w.write(t, w.ours, func(tx *store.Tx) error {
		green, err := tx.TagNamed("tlp:green", "")
		if err != nil {
			return err
		}
		if _, err := tx.TagEvent(first, []tocsin.Attached{{Tag: green.ID}}, nil); err != nil {
			return err
		}
		_, err = tx.TagAttribute(1, []tocsin.Attached{{Tag: green.ID}}, nil)
		if err == nil {
			_, err = tx.AddAttributes(first, []tocsin.Attribute{{Value: Domains(t, "ours-alone.example")[0].Value, Distribution: access.OrgOnly, Tags: tocsin.NewTagSet(tocsin.Attached{Tag: green.ID})}}, false)
		}
		return err
	})
	for _, c := range []struct {
		v       access.Viewer
		domains int64
		tagged  int64
	}{{w.ours, 3, 2}, {w.theirs, 2, 1}, {access.Viewer{}, 0, 0}} {
		types, err := w.As(c.v).Tally(t.Context(), store.TraitType, store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		domain, _ := indicator.TypeByName("domain")
		if types[int64(domain.ID)] != c.domains {
			t.Errorf("%s: %v", c.v.Name(), types)
		}
		tags, err := w.As(c.v).Tally(t.Context(), store.TraitTag, store.Query{})
		if err != nil {
			t.Fatal(err)
		}
		events, err := w.As(c.v).TallyEvents(t.Context(), store.EventQuery{})
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Collect(maps.Values(tags)); c.tagged > 0 && (len(got) != 1 || got[0] != c.tagged || len(events) != 1) || c.tagged == 0 && len(tags)+len(events) > 0 {
			t.Errorf("%s: tags %v, events %v", c.v.Name(), tags, events)
		}
	}
	if _, err := w.As(w.ours).Tally(t.Context(), store.TraitComment, store.Query{}); err == nil {
		t.Error("attributes can be counted by comment")
	}
}
