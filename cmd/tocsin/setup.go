package main

import (
	"cmp"
	"io"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/api"
	"tocsin/rpz"
	"tocsin/store"
)

// reachFlags say how subscribers reach the exchange, beside where it listens.
type reachFlags struct {
	DNSTLS     string        `name:"dns-tls" env:"TOCSIN_DNS_TLS" placeholder:"ADDR:PORT" help:"Where resolvers fetch zones over TLS, with the certificate of HTTPS. Not at all if not said; the usual port is 853." unit:"an address and a port of this machine, for TCP" who:"everyone whose resolvers fetch over the Internet"`
	Public     string        `name:"url" env:"TOCSIN_PUBLIC_URL" placeholder:"URL" help:"Where others reach HTTP, as https://exchange.example, if not where it listens." unit:"scheme, host and port" who:"everyone with a proxy or another address in front"`
	DNSAt      string        `name:"dns-address" env:"TOCSIN_DNS_ADDRESS" placeholder:"ADDR:PORT" help:"Where others reach DNS, if not where it listens: behind another address, or on all of them." unit:"an address and a port" who:"everyone who listens on all addresses, or behind another"`
	Refresh    time.Duration `env:"TOCSIN_REFRESH" default:"60s" help:"How often resolvers look for changes by themselves, in whole seconds: for a NOTIFY that got lost. If not said, ${default}." unit:"a time, as 60s" who:"whoever has very many subscribers"`
	HotRefresh time.Duration `env:"TOCSIN_HOT_REFRESH" default:"5s" help:"The same for hot zones. PowerDNS before 5.1 hears no NOTIFY, so this is how long it takes to block. If not said, ${default}." unit:"a time, as 5s" who:"whoever has very many subscribers"`
}

// reached is where others reach DNS, zero if it is where it listens.
func (f reachFlags) reached() (at netip.AddrPort, err error) {
	if f.DNSAt == "" {
		return at, nil
	}
	at, err = netip.ParseAddrPort(f.DNSAt)
	if err != nil || at.Addr().IsUnspecified() {
		err = misuse("tocsin serve --help", "--dns-address: %q is no address with a port, as 192.0.2.1:53", f.DNSAt)
	}
	return at, err
}

// A contact is where subscribers reach the exchange, as their configuration has
// it.
type contact struct {
	db    *store.DB
	dns   netip.AddrPort
	tls   *rpz.Secure // nil: no transfers over TLS
	url   string      // of the exchange, without a final slash
	looks looks
}

// contact says where subscribers reach what listens: where the configuration
// says, for what is behind other addresses, or else where it does.
func (x *exchange) contact(c config) contact {
	at := contact{db: x.DB, dns: x.dns(), url: strings.TrimRight(c.URL, "/"), looks: c.Looks}
	if c.DNSAt.IsValid() {
		at.dns = c.DNSAt
	}
	host, port, _ := net.SplitHostPort(x.HTTPAddr)
	scheme := "http"
	if x.cert != nil {
		scheme, host = "https", cmp.Or(x.cert.Host(), host)
	}
	if at.url == "" {
		at.url = scheme + "://" + net.JoinHostPort(host, port)
	}
	if a, err := netip.ParseAddrPort(x.DNSTLSAddr); err == nil {
		at.tls = &rpz.Secure{Port: a.Port(), Name: x.cert.Host()}
	}
	return at
}

// hiddenSecret stands for the secret of a subscriber's feed, of which only the
// hash is kept. The command line puts the secret in its place.
const hiddenSecret = "SECRET-SHOWN-ONCE"

// config writes what a subscriber adds to its resolver's configuration.
func (c contact) config(w io.Writer, ask api.ConfigFor, s *tocsin.Subscriber, _ *tocsin.Collection) error {
	switch {
	case !slices.Contains(rpz.Resolvers(), ask.Resolver):
		return tocsin.Errorf(tocsin.Invalid, "no configuration for %q; try one of %v", ask.Resolver, rpz.Resolvers())
	case rpz.Fetches(ask.Resolver) && s.Feed == "":
		return tocsin.Errorf(tocsin.Invalid, "%s fetches files, and %s has no secret address for them: make one with tocsin subscriber feed %s",
			ask.Resolver, s.Name, s.Name)
	case rpz.Fetches(ask.Resolver) && unspecified(c.url):
		return tocsin.Errorf(tocsin.Invalid, "the exchange listens on all addresses; start it with --url, which says by what name others reach it")
	case !rpz.Fetches(ask.Resolver) && c.dns.Addr().IsUnspecified():
		return tocsin.Errorf(tocsin.Invalid, "the exchange listens on all addresses; start it with --dns-address, which says at which of them subscribers reach it")
	case ask.TLS && c.tls == nil:
		return tocsin.Errorf(tocsin.Invalid, "the exchange has no transfers over TLS; start it with --dns-tls and a certificate")
	}
	setup := rpz.Setup{Primary: c.dns, Trial: ask.Trial, Zones: c.offers(s), Feed: c.url + "/feeds/" + hiddenSecret}
	if ask.TLS {
		setup.TLS = c.tls
	}
	if s.TSIG != nil {
		setup.Key = new(tsigKey(s.TSIG))
	}
	if err := rpz.Config(w, ask.Resolver, setup); err != nil {
		return tocsin.Errorf(tocsin.Invalid, "%w", err)
	}
	return nil
}

// unspecified reports whether an address names no machine.
func unspecified(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	a, err := netip.ParseAddr(u.Hostname())
	return err == nil && a.IsUnspecified()
}

// offers are the zones that a subscriber takes, as it is told of them.
func (c contact) offers(s *tocsin.Subscriber) []rpz.Offer {
	all := offers(c.db, s)
	for i, o := range all {
		terms := c.looks.of(o.Hot)
		terms.Action = o.Terms.Action
		all[i].Terms = terms
	}
	return all
}
