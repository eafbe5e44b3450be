package portal

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// An effect is what a change of an event does to those who act on it, as far as
// whoever asks may know of them.
type effect struct {
	drop, hold tally
	cut        bool // there was more than is worth reading for a sentence
	unknown    bool // the collections do not know their own content yet
}

// A tally counts names and the subscribers that they concern.
type tally struct {
	names map[string]bool
	subs  map[int64]bool
}

func (t *tally) add(names []string, sub int64) {
	if t.names == nil {
		t.names, t.subs = map[string]bool{}, map[int64]bool{}
	}
	for _, n := range names {
		t.names[n] = true
	}
	t.subs[sub] = true
}

// Sentences say it in words.
func (f effect) Sentences() (out []string) {
	if f.unknown {
		return []string{"What it does to subscribers can't be said at the moment: the collections are still being put together. Ask again in a little while."}
	}
	names := func(t tally) string {
		if f.cut {
			return "more than " + count(len(t.names), "name")
		}
		return count(len(t.names), "name")
	}
	if n := len(f.drop.subs); n > 0 {
		out = append(out, fmt.Sprintf("%s will drop %s, but for those that someone else claims, too.", count(n, "subscriber"), names(f.drop)))
	}
	if n := len(f.hold.subs); n > 0 {
		out = append(out, fmt.Sprintf("%s will block %s.", count(n, "subscriber"), names(f.hold)))
	}
	if out == nil {
		out = append(out, "No subscriber that you can see is concerned.")
	}
	return out
}

// A version is an event as it is or would be, with the label that this gives it.
type version struct {
	event *tocsin.Event
	label access.Label
}

// version of an event as it is; nil stands for one that is gone.
func (p *Portal) version(e *tocsin.Event) version {
	return version{e, p.db.Labels().Label(e.Label)}
}

// maxWeighed is how often it is weighed whether a subscriber gets a claim, to say
// what a change does: about half a second's work.
const maxWeighed = 100_000

// effect says what it does to subscribers when an event becomes another version
// of itself, or when only attribute does (0: all of them).
func (p *Portal) effect(ctx context.Context, v access.Viewer, was, is version, attribute int64) (f effect, err error) {
	subs := p.audiences(v)
	if p.Collections == nil || len(subs) == 0 {
		return f, nil
	}
	if f.unknown = !p.catchUp(ctx); f.unknown {
		return f, nil
	}
	q := store.Query{Events: []int64{was.event.ID}, ToIDS: new(true)}
	if attribute != 0 {
		q.IDs = []int64{attribute}
	}
	read := 0
	for a, err := range p.as(v).Attributes(ctx, q) {
		if err != nil {
			return f, err
		}
		if read += len(subs); read > maxWeighed {
			f.cut = true
			break
		}
		names := dnsNames(a.Value)
		if len(names) == 0 {
			continue
		}
		for _, au := range subs {
			had, has := p.gets(ctx, au, &a, was), p.gets(ctx, au, &a, is)
			if had && !has {
				f.drop.add(names, au.id)
			} else if has && !had {
				f.hold.add(names, au.id)
			}
		}
	}
	return f, nil
}

// An audience is a subscriber as the one for whom it is decided.
type audience struct {
	id         int64
	viewer     access.Viewer
	collection *tocsin.Collection
}

// audiences are the subscribers that v may know of.
func (p *Portal) audiences(v access.Viewer) (as []audience) {
	for s := range p.as(v).Subscribers() {
		if c, err := store.One[*tocsin.Collection](p.as(v), s.Collection); err == nil {
			as = append(as, audience{s.ID, p.audience(s, c), c})
		}
	}
	return as
}

// gets reports whether a subscriber has a claim of one version of an event.
func (p *Portal) gets(ctx context.Context, au audience, a *tocsin.Attribute, e version) bool {
	if e.event == nil {
		return false
	}
	l := p.db.Labels().Label(a.Label).Within(e.label)
	return access.Decide(au.viewer, access.Zone, access.Record{Label: l, Published: e.event.Published}).Allowed &&
		p.Collections.Takes(ctx, au.collection, a, e.event).Allowed
}

// readers says who sees an event that is labelled so.
func (p *Portal) readers(v access.Viewer, l access.Label) string {
	names, n := p.seenBy(v, l)
	for i := range names {
		names[i] = plain(brief(60, names[i]))
	}
	s := strings.Join(names, ", ")
	if n > len(names) {
		s += fmt.Sprintf(" and %s more", number(n-len(names)))
	}
	return fmt.Sprintf("%s of this exchange will see it: %s.", count(n, "organisation"), s)
}

// mine lists the sharing groups that v may choose, by name.
func (p *Portal) groups(v access.Viewer) (gs []*tocsin.Group) {
	for g := range p.as(v).Groups() {
		gs = append(gs, g)
	}
	slices.SortFunc(gs, func(a, b *tocsin.Group) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return gs
}
