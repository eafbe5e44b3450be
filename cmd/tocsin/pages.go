package main

import (
	"context"
	"io"
	"iter"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/api"
	"tocsin/collection"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/portal"
	"tocsin/rpz"
	"tocsin/store"
)

// pages puts the portal's needs into the words of those who meet them.
func (x *exchange) pages(c config) *portal.Portal {
	return portal.New(x.DB, portal.Parts{
		Desk:        counter{x.Desk},
		Collections: shownCollections{x.Collections, x.DB},
		Config: func(w io.Writer, resolver string, s *tocsin.Subscriber, col *tocsin.Collection) error {
			return x.contact(c).config(w, api.ConfigFor{Resolver: resolver}, s, col)
		},
		Resolvers: rpz.Resolvers(),
		Confirmed: x.confirmations,
	})
}

// A counter is package intake for the portal.
type counter struct{ *intake.Desk }

func (c counter) Share(ctx context.Context, v access.Viewer, d portal.Draft) (portal.Receipt, error) {
	e := intake.EventDraft{Info: d.Info, Distribution: &d.Distribution, Group: d.Group, Publish: d.Publish, Attributes: claimed(d.Claims)}
	for _, t := range d.Tags {
		e.Tags = append(e.Tags, intake.TagDraft{Name: t})
	}
	r, err := c.AddEvent(ctx, v, e)
	return receipt(r), c.shown(ctx, r, err)
}

func (c counter) Add(ctx context.Context, v access.Viewer, event int64, claims []portal.Claim, publish bool) (portal.Receipt, error) {
	add := c.AddAttributes
	if publish {
		add = c.AddAndPublish
	}
	r, err := add(ctx, v, event, claimed(claims))
	return receipt(r), c.shown(ctx, r, err)
}

// shown waits until what was written can be looked up: a page shows its own write.
func (c counter) shown(ctx context.Context, r intake.Result, err error) error {
	if err != nil {
		return err
	}
	return c.DB.Await(ctx, "match", r.Seq)
}

func claimed(claims []portal.Claim) []intake.Draft {
	ds := make([]intake.Draft, len(claims))
	for i, c := range claims {
		ds[i] = intake.Draft{Line: c.Line, Text: c.Text, Type: c.Type, Comment: c.Comment, ToIDS: c.ToIDS}
	}
	return ds
}

func receipt(r intake.Result) portal.Receipt {
	out := portal.Receipt{Added: len(r.Attributes), Duplicates: len(r.Duplicates)}
	if r.Event != nil {
		out.Event = r.Event.ID
	}
	for _, no := range r.Refused {
		out.Refused = append(out.Refused, portal.Refusal{Line: no.Line, Text: no.Text, Why: no.Why})
	}
	return out
}

// shownCollections is package collection for the portal.
type shownCollections struct {
	set *collection.Set
	db  *store.DB
}

func (s shownCollections) Zones(subscriber int64) (zones []portal.Zone) {
	// Who may know of the subscriber asked for its zones.
	view := s.db.As(registrar)
	sub, err := store.One[*tocsin.Subscriber](view, subscriber)
	if err != nil {
		return nil
	}
	for _, o := range offers(s.db, sub) {
		if z, ok := s.set.Zone(o.Origin, subscriber); ok {
			zones = append(zones, portal.Zone{Origin: o.Origin, Serial: z.Serial(), Names: z.Len()})
		}
	}
	return zones
}

func (s shownCollections) Names(id int64, v access.Viewer) iter.Seq[portal.Name] {
	return func(yield func(portal.Name) bool) {
		l, ok := s.set.List(id, v)
		if !ok {
			return
		}
		l.Values(func(text []byte, kind indicator.Kind) bool {
			return yield(portal.Name{Text: string(text), Exact: true, Beneath: kind == indicator.Domain, Address: kind == indicator.Prefix})
		})
	}
}

func (s shownCollections) Holds(id int64, v access.Viewer, name string) (portal.Name, bool) {
	l, ok := s.set.List(id, v)
	if !ok {
		return portal.Name{}, false
	}
	wire, ok := collection.Wire(name)
	if !ok {
		return portal.Name{}, false
	}
	t, ok := l.View().Has(wire)
	return named(name, t), ok && t != 0
}

func named(text string, t collection.Trigger) portal.Name {
	return portal.Name{Text: text, Exact: t&collection.Exact != 0, Beneath: t&collection.Beneath != 0}
}

func (s shownCollections) Takes(ctx context.Context, c *tocsin.Collection, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
	return takes(s.set)(ctx, c, a, e)
}

// confirmations are what a subscriber's servers have said to hold: by asking for
// what comes after, and by answering NOTIFY.
func (x *exchange) confirmations(s *tocsin.Subscriber) (all []portal.Confirmation) {
	for _, n := range x.notifier.Status() {
		if n.Subscriber != s.Name || !slices.Contains(s.Notify, n.Target) {
			continue // of another, or no longer told
		}
		c := portal.Confirmation{Origin: n.Origin, Server: n.Target.String()}
		c.Serial, c.At = x.held.at(s.Name, n.Origin, n.Target.Addr())
		if n.Err != nil {
			c.Fault = n.Err.Error()
		}
		all = append(all, c)
	}
	if len(all) > 0 {
		return all
	}
	return x.held.of(s.Name)
}
