package main

import (
	"context"
	"net/http"
)

// edit changes what is said of a record and nothing else.
func (s server) edit(ctx context.Context, c *console, n noun, name string, in map[string]any, asJSON bool) error {
	if len(in) == 0 {
		return misuse("tocsin "+n.word()+" edit --help", "say what is to change")
	}
	api, err := s.client()
	if err != nil {
		return err
	}
	var f fields
	if err := api.call(ctx, http.MethodPatch, path("api", n.api(), name), nil, in, &f); err != nil {
		return err
	}
	return c.record(f, asJSON)
}

// said puts a flag into what is to change if it was given.
func said[T any](in map[string]any, name string, flag *T) {
	if flag != nil {
		in[name] = *flag
	}
}

// collectionEdit changes a collection. A flag that is not given changes nothing.
type collectionEdit struct {
	server
	Name    string   `arg:"" help:"The collection."`
	Zone    *string  `placeholder:"ORIGIN" help:"Name of its policy zone; \"\" for none."`
	HotZone *string  `placeholder:"ORIGIN" help:"Name of the small zone for what is new; \"\" for none."`
	IPZone  *string  `name:"ip-zone" placeholder:"ORIGIN" help:"Name of the zone of addresses that answers must not hold; \"\" for none."`
	NSZone  *string  `name:"ns-zone" placeholder:"ORIGIN" help:"Name of the zone of name servers; \"\" for none."`
	Action  *string  `placeholder:"ACTION" help:"What its zones do: nxdomain, nodata, drop, tcp-only, or a host to send clients to."`
	Pass    *bool    `negatable:"" help:"Make it an allow list; --no-pass makes it one of blocks."`
	Filter  *string  `placeholder:"FILTER" help:"Takes what matches; \"\" for none."`
	Source  []string `sep:"none" placeholder:"ORG" help:"Organisation whose word is enough to block, in place of those that are; may be repeated."`
	JSON    bool     `help:"Answer as one JSON object."`
}

func (collectionEdit) Help() string {
	return `Whoever receives the collection transfers it whole once when its action changes.

Example:
  tocsin collection edit protect --ip-zone ip.protect.rpz.example --action landing.example`
}

func (e *collectionEdit) Run(ctx context.Context, c *console) error {
	in := map[string]any{}
	said(in, "zone", e.Zone)
	said(in, "hot_zone", e.HotZone)
	said(in, "ip_zone", e.IPZone)
	said(in, "ns_zone", e.NSZone)
	said(in, "action", e.Action)
	said(in, "pass", e.Pass)
	said(in, "filter", e.Filter)
	if len(e.Source) > 0 {
		in["sources"] = references(e.Source)
	}
	return e.edit(ctx, c, collections{}, e.Name, in, e.JSON)
}

// subscriberEdit changes a subscriber. A flag that is not given changes nothing.
type subscriberEdit struct {
	server
	Name      string   `arg:"" help:"The subscriber."`
	Also      []string `placeholder:"NAME" help:"Another collection that it receives, as an allow list, in place of those that are; may be repeated."`
	NoAlso    bool     `help:"It receives its collection alone."`
	Action    *string  `placeholder:"ACTION" help:"What it does itself about what is blocked; \"\" for what each collection says."`
	Exclude   []string `placeholder:"VALUE" help:"Domain (and all beneath it), address or network that it does not act on, in place of those that are; may be repeated."`
	NoExclude bool     `help:"It excludes nothing."`
	Allow     []string `placeholder:"ADDR" help:"Address or network from which it may transfer, in place of those that are; may be repeated."`
	Notify    []string `placeholder:"ADDR:PORT" help:"Where to announce changes, in place of where that is; may be repeated."`
	Cert      []string `name:"certificate" placeholder:"FILE|SHA256" help:"Certificate that it shows over TLS, in place of those that it may; may be repeated."`
	NoCert    bool     `name:"no-certificate" help:"It need show none."`
	JSON      bool     `help:"Answer as one JSON object."`
}

func (subscriberEdit) Help() string {
	return `Its zones start anew when its action or its exclusions change: it transfers them whole once. An
exclusion takes out what is listed at or beneath it. What is listed above it stays: exclude that.

Examples:
  tocsin subscriber edit resolver-1 --exclude example.org --exclude 192.0.2.0/24
  tocsin subscriber edit resolver-1 --also allowed --action landing.example`
}

func (e *subscriberEdit) Run(ctx context.Context, c *console) error {
	in := map[string]any{}
	said(in, "action", e.Action)
	if len(e.Also) > 0 || e.NoAlso {
		in["also"] = references(e.Also)
	}
	if len(e.Exclude) > 0 || e.NoExclude {
		in["exclude"] = append([]string{}, e.Exclude...)
	}
	if len(e.Allow) > 0 {
		allow, err := prefixes("tocsin subscriber edit --help", e.Allow)
		if err != nil {
			return err
		}
		in["allow"] = allow
	}
	if len(e.Notify) > 0 {
		notify, err := places53(e.Notify)
		if err != nil {
			return err
		}
		in["notify"] = notify
	}
	if len(e.Cert) > 0 || e.NoCert {
		hashes, err := pins(e.Cert)
		if err != nil {
			return err
		}
		in["certificates"] = hashes
	}
	return e.edit(ctx, c, subscribers{}, e.Name, in, e.JSON)
}
