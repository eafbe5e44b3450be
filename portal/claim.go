package portal

import (
	"context"
	"fmt"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// A shownClaim is an attribute as pages show it.
type shownClaim struct {
	ID, Event             int64
	Type, Category        string
	Value, Defanged       string // in normal form; so that nobody goes there by mistake
	Comment               string
	ToIDS, Deleted, Inner bool // Inner: part of an object
	Object, Relation      string
	Reach                 reach
	TLP                   tlp
	Tags                  []string
	Time                  moment
	Others                string // how many other events claim it
	MayWithdraw           bool
	Guard                 *shownGuard
}

// Long reports whether the value is too long to stand in a row of a table.
func (c shownClaim) Long() bool { return len(c.Defanged) > 300 }

// claim makes an attribute of event e into what v is shown of it.
func (p *Portal) claim(v access.Viewer, a *tocsin.Attribute, e *tocsin.Event) shownClaim {
	return shownClaim{
		ID: a.ID, Event: a.Event, Type: a.Value.TypeName(), Category: a.Category.String(),
		Value: a.Value.String(), Defanged: defang(a.Value), Comment: a.Comment,
		ToIDS: a.ToIDS, Deleted: a.Deleted, Inner: a.Object != 0, Relation: a.Relation,
		Reach: p.reachOf(v, a.Distribution, a.Group), TLP: tlpOf(p.label(a, e).TLP), Tags: p.tagNames(v, a.Tags),
		Time: seconds(a.Timestamp), MayWithdraw: mayChange(v, e) && !a.Deleted, Guard: p.guardOf(v, a, e),
	}
}

// label is the narrower of an attribute's label and its event's: the one that
// counts.
func (p *Portal) label(a *tocsin.Attribute, e *tocsin.Event) access.Label {
	ls := p.db.Labels()
	return ls.Label(a.Label).Within(ls.Label(e.Label))
}

// tagNames lists the tags that v may know of, but TLP, which has a place of its
// own.
func (p *Portal) tagNames(v access.Viewer, s tocsin.TagSet) []string {
	var names []string
	for a := range s.All() {
		if t, err := store.One[*tocsin.Tag](p.as(v), a.Tag); err == nil {
			if marks, _ := access.Marking(t.Name); marks == access.Unmarked {
				names = append(names, t.Name)
			}
		}
	}
	return names
}

// mayChange tells whether buttons that change e are any use to v. The store has
// the last word.
func mayChange(v access.Viewer, e *tocsin.Event) bool {
	own := e.Org == v.Org() && (v.May(access.ModifyOrg) || e.User == v.User())
	return !v.OnlyLooks() && v.May(access.Add) && (own || v.SeesAll())
}

// maxOthers is how many claims are looked through to count the events that
// share a value. What is claimed more often is known well enough.
const maxOthers = 100

// others says how many other events that v sees claim the same thing.
func (p *Portal) others(ctx context.Context, v access.Viewer, a *tocsin.Attribute) (string, error) {
	if a.NoCorrelate || !p.as(v).Correlates(a.Value) {
		return "", nil
	}
	events := map[int64]bool{}
	read := 0
	for o, err := range p.as(v).Attributes(ctx, store.Query{Keys: a.Value.Keys()[:1], Limit: maxOthers}) {
		if err != nil {
			return "", err
		}
		read++
		if o.Event != a.Event && !o.NoCorrelate {
			events[o.Event] = true
		}
	}
	switch {
	case read == maxOthers:
		return fmt.Sprintf("%d+", len(events)), nil
	case len(events) == 0:
		return "", nil
	}
	return fmt.Sprint(len(events)), nil
}

// dnsNames are the names that a zone could act on for a value.
func dnsNames(v indicator.Value) (names []string) {
	for _, n := range v.Facets().Names {
		if n.Kind == indicator.Domain || n.Kind == indicator.Host {
			names = append(names, n.Text)
		}
	}
	return names
}
