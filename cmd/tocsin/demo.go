package main

import (
	"context"
	"fmt"
	"iter"
	"net"
	"net/netip"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/store"
)

// A demo fills a new exchange with three organisations and what they share, all
// of it made up, and says what can be tried with it. What it finds done already
// it leaves alone, so it also goes on where it was interrupted.
type demo struct {
	c     *console
	x     *exchange
	serve *serveCmd
	login *account // known only when it was just made
}

func newDemo(c *console, x *exchange, s *serveCmd) *demo { return &demo{c: c, x: x, serve: s} }

// Who takes part in the demo. Addresses and names are of RFC 2606.
const (
	demoOperator = "Example Telecom"
	demoProvider = "Harbour Net"
	demoPolice   = "Cybercrime Unit"

	demoAdmin    = "ana@telecom.example"
	demoSmall    = "ben@harbour.example"
	demoOfficer  = "cleo@police.example"
	demoGroup    = "Operation Lantern"
	demoList     = "protect"
	demoZone     = "protect.rpz.example"
	demoResolver = "resolver-1"
	demoHarmless = "harmless.example"
)

// demoNames is how many names the operator shares, and demoSeed which.
const (
	demoNames = 200_000
	demoSeed  = 1901
)

func (d *demo) run(ctx context.Context) error {
	if err := d.parties(ctx); err != nil {
		return err
	}
	for _, r := range d.reports() {
		if err := d.report(ctx, r); err != nil {
			return err
		}
	}
	if err := d.x.ready(ctx); err != nil {
		return err
	}
	return d.next()
}

// parties makes the organisations, their users, the group, the collection and
// its subscriber, in an exchange that has none.
func (d *demo) parties(ctx context.Context) error {
	view := d.x.DB.As(all())
	if _, err := store.ByName[*tocsin.User](view, demoAdmin); err == nil {
		return nil
	}
	for o := range view.Organisations() {
		return fmt.Errorf("the exchange in %s is that of %s; the demo wants a folder of its own, as --data ~/tocsin-demo", d.serve.Data, o.Name)
	}
	var login account
	_, err := d.x.DB.Apply(ctx, all(), func(tx *store.Tx) error {
		operator, err := addOrganisation(tx, tocsin.Organisation{Name: demoOperator, Sector: "telecoms"})
		if err != nil {
			return err
		}
		provider, err := addOrganisation(tx, tocsin.Organisation{Name: demoProvider, Sector: "telecoms"})
		if err != nil {
			return err
		}
		police, err := addOrganisation(tx, tocsin.Organisation{Name: demoPolice, Sector: "law enforcement"})
		if err != nil {
			return err
		}
		if login, err = addUser(tx, operator, demoAdmin, adminRole); err != nil {
			return err
		}
		for _, u := range []struct {
			org   *tocsin.Organisation
			email string
		}{{provider, demoSmall}, {police, demoOfficer}} {
			if _, err := addUser(tx, u.org, u.email, orgAdminRole); err != nil {
				return err
			}
		}
		return d.sharing(tx, operator.ID, provider.ID, police.ID)
	})
	if err == nil {
		d.login = &login
	}
	return err
}

// orgAdminRole is MISP's role of those who administer their organisation.
const orgAdminRole = 2

// sharing makes what ties the parties together.
func (d *demo) sharing(tx *store.Tx, operator, provider, police int64) error {
	now := tx.Now()
	g := &tocsin.Group{UUID: tocsin.NewUUID(now), Name: demoGroup, Org: police, Created: now.Unix(), Modified: now.Unix(),
		Releasability: "members only", Description: "a made-up investigation",
		Members: []tocsin.Member{{Org: police, Extend: true}, {Org: operator}}}
	if err := store.Put(tx, g); err != nil {
		return err
	}
	list := &tocsin.Collection{Name: demoList, Org: operator, Zone: demoZone, Created: now, Sources: []int64{operator, provider, police}}
	if err := store.Put(tx, list); err != nil {
		return err
	}
	return store.Put(tx, &tocsin.Subscriber{Name: demoResolver, Collection: list.ID, Org: operator, Created: now,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}})
}

// A demoReport is one event of the demo.
type demoReport struct {
	by      string // e-mail address
	total   int64  // of its claims
	claims  iter.Seq2[intake.Draft, error]
	options intake.ImportOptions
}

func (d *demo) reports() []demoReport {
	community, own, group := access.Community, access.OrgOnly, access.Group
	green, amber := []intake.TagDraft{{Name: "tlp:green"}}, []intake.TagDraft{{Name: "tlp:amber"}}
	return []demoReport{
		{demoSmall, 6, each(parcelKit), intake.ImportOptions{
			Event: "Phishing kit that asks for a parcel fee", Distribution: &community, Tags: green, Collection: "", Publish: true}},
		{demoOfficer, 5, each(lantern), intake.ImportOptions{
			Event: "Operation Lantern: control servers", Distribution: &group, Group: d.group(), Tags: amber, Publish: true}},
		{demoAdmin, 2, each(watched), intake.ImportOptions{
			Event: "Names under observation, not confirmed", Distribution: &own}},
		{demoAdmin, demoNames, manyNames(), intake.ImportOptions{
			Event: "Malicious names that our resolvers were asked for", Distribution: &community, Tags: green, Collection: demoList, Publish: true}},
	}
}

func (d *demo) group() int64 {
	if g, err := store.ByName[*tocsin.Group](d.x.DB.As(all()), demoGroup); err == nil {
		return g.ID
	}
	return 0
}

var parcelKit = []intake.Draft{
	{Type: "domain", Text: "parcel-fee-ferrypost.example", Comment: "landing page"},
	{Type: "domain", Text: "ferrypost-redelivery.example", Comment: "landing page"},
	{Type: "url", Text: "https://files.example.org/kit/pay.zip", Comment: "the kit; the host itself is not malicious"},
	{Type: "ip-dst", Text: "192.0.2.77", Comment: "hosts both"},
	{Type: "sha256", Text: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef", Comment: "pay.zip"},
	{Type: "email-src", Text: "no-reply@parcel-fee-ferrypost.example"},
}

var lantern = []intake.Draft{
	{Type: "domain", Text: "lantern-control.example", Comment: "control server"},
	{Type: "hostname", Text: "beacon.lantern-relay.example", Comment: "control server"},
	{Type: "ip-dst", Text: "198.51.100.23"},
	{Type: "ip-dst", Text: "2001:db8::23"},
	{Type: "mutex", Text: "LanternOnlyOne"},
}

var watched = []intake.Draft{
	{Type: "domain", Text: "perhaps-harmless.example"},
	{Type: "domain", Text: "perhaps-not.example"},
}

func each(ds []intake.Draft) iter.Seq2[intake.Draft, error] {
	return func(yield func(intake.Draft, error) bool) {
		for i, d := range ds {
			d.Line = i + 1
			if !yield(d, nil) {
				return
			}
		}
	}
}

func manyNames() iter.Seq2[intake.Draft, error] {
	return func(yield func(intake.Draft, error) bool) {
		line := 0
		for name := range madeUp(demoSeed, demoNames) {
			line++
			if !yield(intake.Draft{Line: line, Text: name}, nil) {
				return
			}
		}
	}
}

// report makes an event of the demo, unless it is there.
func (d *demo) report(ctx context.Context, r demoReport) error {
	u, err := store.ByName[*tocsin.User](d.x.DB.As(all()), r.by)
	if err != nil {
		return err
	}
	v := d.x.DB.ViewerFor(u)
	for i := range d.x.DB.As(v).Imports() {
		if i.Name == r.options.Event && i.State == intake.Done {
			return nil
		}
	}
	r.options.Name = r.options.Event
	b := d.c.bar("making up "+plural(r.total, "claim"), r.total)
	defer b.done()
	_, err = d.x.Desk.Import(ctx, v, r.options, r.claims, func(p intake.Progress) { b.at(p.Read, "") })
	if err != nil {
		return fmt.Errorf("fill the demo: %w", err)
	}
	return nil
}

// next says what can be tried.
func (d *demo) next() error {
	listed := demoListed()
	portal := d.serve.address(d.x.HTTPAddr)
	host, port, err := net.SplitHostPort(d.x.DNSAddr)
	if err != nil {
		return err
	}
	dig := fmt.Sprintf("dig @%s -p %s +norecurse", host, port)
	return d.c.print(`
Tocsin %s runs with made-up data in %s

Portal      %s/
%s
A name that is blocked, and one that is not (resolvers take the zone over; this looks into it):
  %s %s.%s CNAME        # CNAME .
  %s %s.%s CNAME        # NXDOMAIN: not in the zone

Who says so, and why a resolver gets it (in another terminal):
  export TOCSIN_URL=%s TOCSIN_KEY=%s
  bin/tocsin lookup %s
  bin/tocsin why %s --for %s

A file of your own, one value a line:
  bin/tocsin import --event "My first list" --collection %s --publish FILE

A real resolver that blocks, and stops blocking when the name is taken back:
  make demo-resolver

Ctrl-C ends it; the data stays. make run starts it again.`,
		version(), d.serve.Data, portal, d.credentials(),
		dig, listed, demoZone, dig, demoHarmless, demoZone,
		portal, d.key(), listed, listed, demoResolver, demoList)
}

// demoListed is a name that the operator shares.
func demoListed() string {
	for name := range madeUp(demoSeed, 1) {
		return name
	}
	return ""
}

// credentials are shown once, when they were made.
func (d *demo) credentials() string {
	if d.login == nil {
		return fmt.Sprintf(`Login       %s; password and API key were shown at the first start and are kept nowhere.
            New ones: stop this with Ctrl-C, and
              bin/tocsin user password %s --data %s
              bin/tocsin key add --data %s
`, demoAdmin, demoAdmin, d.serve.Data, d.serve.Data)
	}
	return fmt.Sprintf("Login       %s\nPassword    %s\nAPI key     %s\n            Both are shown this once and kept nowhere.\n",
		d.login.Email, d.login.Password, d.login.Key)
}

func (d *demo) key() string {
	if d.login == nil {
		return "…"
	}
	return d.login.Key
}
