package main

import (
	"context"
	"net/netip"
)

type subscriberCmd struct {
	Add    subscriberAdd         `cmd:"" help:"Add a subscriber to a collection."`
	Config subscriberConfig      `cmd:"" help:"Print what the subscriber adds to its resolver's configuration."`
	Edit   subscriberEdit        `cmd:"" help:"Change a subscriber."`
	Feed   subscriberFeed        `cmd:"" help:"Make a secret address from which the subscriber fetches files; one that it had ends."`
	List   listOf[subscribers]   `cmd:"" help:"List subscribers."`
	Show   showOf[subscribers]   `cmd:"" help:"Show one subscriber."`
	Remove removeOf[subscribers] `cmd:"" help:"Remove a subscriber."`
}

// subscriberAdd lets somebody receive a collection.
type subscriberAdd struct {
	server
	Name       string   `arg:"" help:"What it is called."`
	Collection string   `required:"" placeholder:"NAME" help:"The collection that it receives."`
	Also       []string `placeholder:"NAME" help:"Another collection that it receives, as an allow list; may be repeated."`
	Action     string   `placeholder:"ACTION" help:"What it does itself about what is blocked, whatever a collection says: nxdomain, nodata, drop, tcp-only, or a host to send clients to."`
	Exclude    []string `placeholder:"VALUE" help:"Domain (and all beneath it), address or network that it does not act on; may be repeated."`
	Org        string   `placeholder:"NAME" help:"The organisation for which it asks, and which has to be entitled to what it gets. Your own if not said."`
	Allow      []string `placeholder:"ADDR" help:"Address or network from which it may transfer zones; may be repeated."`
	Notify     []string `placeholder:"ADDR:PORT" help:"Where to announce changes, port 53 if not said; may be repeated."`
	TSIG       bool     `name:"tsig" help:"Make a key that signs its transfers. It is in the configuration that tocsin subscriber config prints."`
	Algorithm  string   `default:"hmac-sha256" enum:"hmac-sha256,hmac-sha384,hmac-sha512" help:"Of that key: one of ${enum}. If not said, ${default}."`
	Cert       []string `name:"certificate" placeholder:"FILE|SHA256" help:"Certificate that it shows when it transfers over TLS: a PEM file, or the SHA-256 of it or of its public key; may be repeated."`
	JSON       bool     `help:"Answer as one JSON object."`
}

func (subscriberAdd) Help() string {
	return `Whoever asks has to show all that is said of it here: the key, one of the certificates, one of the
addresses. Unbound has no TSIG: know it by its address. BIND, PowerDNS, Knot DNS and NSD have.

Examples:
  tocsin subscriber add resolver-1 --collection protect --allow 192.0.2.53 --notify 192.0.2.53
  tocsin subscriber add resolver-2 --collection protect --org "Small Provider" --tsig`
}

func (a *subscriberAdd) Run(ctx context.Context, c *console) error {
	in := map[string]any{"name": a.Name, "collection": reference(a.Collection), "allow": []netip.Prefix{}, "notify": []netip.AddrPort{},
		"also": references(a.Also), "action": a.Action, "exclude": append([]string{}, a.Exclude...)}
	if a.Org != "" {
		in["org"] = reference(a.Org)
	}
	allow, err := prefixes("tocsin subscriber add --help", a.Allow)
	if err != nil {
		return err
	}
	notify, err := places53(a.Notify)
	if err != nil {
		return err
	}
	in["allow"], in["notify"] = allow, notify
	if a.TSIG {
		in["tsig"] = map[string]any{"algorithm": a.Algorithm}
	}
	if in["certificates"], err = pins(a.Cert); err != nil {
		return err
	}
	f, err := a.add(ctx, subscribers{}, in)
	if err != nil {
		return err
	}
	if err := c.record(f, a.JSON); err != nil || a.JSON {
		return err
	}
	c.say("\nNext, for its resolver's configuration:\n  tocsin subscriber config %s --for unbound", a.Name)
	return nil
}

// prefixes reads addresses and networks.
func prefixes(help string, texts []string) ([]netip.Prefix, error) {
	ps := []netip.Prefix{}
	for _, s := range texts {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, misuse(help, "%q is neither an address nor a network, as 192.0.2.53 or 2001:db8::/64", s)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		ps = append(ps, p.Masked())
	}
	return ps, nil
}

// places53 reads addresses with ports; DNS has 53 where nothing is said.
func places53(texts []string) ([]netip.AddrPort, error) {
	ps := []netip.AddrPort{}
	for _, s := range texts {
		p, err := netip.ParseAddrPort(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, misuse("tocsin subscriber add --help", "%q is no address with a port, as 192.0.2.53:53 or [2001:db8::53]:53", s)
			}
			p = netip.AddrPortFrom(a, 53)
		}
		ps = append(ps, p)
	}
	return ps, nil
}
