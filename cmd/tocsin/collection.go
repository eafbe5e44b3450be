package main

import (
	"context"
	"net/http"
)

type collectionCmd struct {
	Add    collectionAdd         `cmd:"" help:"Add a collection."`
	Edit   collectionEdit        `cmd:"" help:"Change a collection."`
	List   listOf[collections]   `cmd:"" help:"List collections."`
	Show   showOf[collections]   `cmd:"" help:"Show one collection."`
	Remove removeOf[collections] `cmd:"" help:"Remove a collection."`
}

// collectionAdd adds a named selection for subscribers to act on.
type collectionAdd struct {
	server
	Name    string   `arg:"" help:"What it is called: part of addresses and of a tag."`
	Zone    string   `placeholder:"ORIGIN" help:"Name of the DNS policy zone that it is served as, as protect.rpz.example."`
	HotZone string   `placeholder:"ORIGIN" help:"Name of a small zone for what is new: a resolver that takes over a large zone slowly has it at once from here."`
	IPZone  string   `name:"ip-zone" placeholder:"ORIGIN" help:"Name of a zone of its addresses: answers that hold one are blocked. Costs a resolver more than names do."`
	NSZone  string   `name:"ns-zone" placeholder:"ORIGIN" help:"Name of a zone that blocks whatever its names and addresses are name servers of."`
	Action  string   `placeholder:"ACTION" help:"What its zones do: nxdomain (if not said), nodata, drop, tcp-only, or a host to send clients to, as landing.example or *.landing.example."`
	Pass    bool     `help:"An allow list: what it holds is let through, whatever other collections say of it."`
	Filter  string   `placeholder:"FILTER" help:"Takes what matches, as 'type:domain,hostname tlp:green'. Without one it takes what is put into it by name."`
	Source  []string `sep:"none" placeholder:"ORG" help:"Organisation whose word is enough to block; may be repeated. Your own if not said."`
	JSON    bool     `help:"Answer as one JSON object."`
}

func (collectionAdd) Help() string {
	return `A collection takes claims that are published, marked to act on, and may leave; of these, what
is imported into it (tocsin import --collection), what carries its tag, and what matches
its filter. It takes them from its sources alone.

Examples:
  tocsin collection add protect --zone protect.rpz.example --source "Example Telecom"
  tocsin collection add allowed --zone allowed.rpz.example --pass`
}

func (a *collectionAdd) Run(ctx context.Context, c *console) error {
	sources := references(a.Source)
	if len(sources) == 0 {
		own, err := a.ownOrganisation(ctx)
		if err != nil {
			return err
		}
		sources = append(sources, own)
	}
	f, err := a.add(ctx, collections{}, map[string]any{
		"name": a.Name, "zone": a.Zone, "hot_zone": a.HotZone, "ip_zone": a.IPZone, "ns_zone": a.NSZone,
		"action": a.Action, "pass": a.Pass, "filter": a.Filter, "sources": sources})
	if err != nil {
		return err
	}
	if err := c.record(f, a.JSON); err != nil || a.JSON {
		return err
	}
	c.say("\nNext, who receives it:\n  tocsin subscriber add resolver-1 --collection %s --allow 192.0.2.53", a.Name)
	return nil
}

// ownOrganisation is the number of the organisation of whoever asks.
func (s server) ownOrganisation(ctx context.Context) (any, error) {
	api, err := s.client()
	if err != nil {
		return nil, err
	}
	var status struct{ Who string }
	if err := api.call(ctx, http.MethodGet, "/api/status", nil, nil, &status); err != nil {
		return nil, err
	}
	var user fields
	err = api.call(ctx, http.MethodGet, path("api", "users", status.Who), nil, nil, &user)
	return user["org"], err
}
