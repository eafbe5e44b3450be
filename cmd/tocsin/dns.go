package main

import (
	"cmp"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/collection"
	"tocsin/rpz"
	"tocsin/store"
)

// zones hands collections to the DNS server, each as one subscriber sees it.
type zones struct {
	db     *store.DB
	set    *collection.Set
	looks  looks
	roster roster
}

// looks is how often secondaries look for changes by themselves: base zones, and
// hot ones.
type looks struct{ base, hot time.Duration }

// of returns what a zone says of itself. PowerDNS hears no NOTIFY about policy
// zones, and any NOTIFY may get lost, so for what is new this is how long a
// change may take: five seconds cost two hundred secondaries forty small
// questions a second. A base zone gains names when hot is merged into it, which
// nobody waits for, and loses them; a lost withdrawal may last a minute.
func (l looks) of(hot bool) rpz.Terms {
	t := rpz.Terms{Refresh: inSeconds(cmp.Or(l.base, time.Minute)), Retry: 30}
	if hot {
		t.Refresh = inSeconds(cmp.Or(l.hot, 5*time.Second))
	}
	t.Retry = min(t.Retry, t.Refresh)
	return t
}

// inSeconds is a duration in the seconds of a SOA, at least one: at zero PowerDNS
// asks without pause.
func inSeconds(d time.Duration) uint32 { return uint32(max(1, d.Round(time.Second).Seconds())) }

// registrar reads subscribers before anyone is known: an address or a key is
// what proves who asks, and the zone that is served is what that subscriber's
// organisation may have.
var registrar = access.System("rpz: a subscriber is known by address or key, and gets what its organisation may have")

// Zone implements [rpz.Zones].
func (z *zones) Zone(origin string, who rpz.Peer) (rpz.Zone, rpz.Subscriber, bool) {
	for _, m := range z.roster.members(z.db).admit(who) {
		if v, ok := z.set.Zone(origin, m.id); ok {
			return z.of(v), m.sub, true
		}
	}
	return nil, rpz.Subscriber{}, false
}

// Key implements [rpz.Keys].
func (z *zones) Key(name string) (rpz.Key, bool) {
	m := z.roster.members(z.db).byKey[strings.ToLower(name)]
	if m == nil {
		return rpz.Key{}, false
	}
	return tsigKey(m.key), true
}

func tsigKey(k *tocsin.TSIG) rpz.Key {
	return rpz.Key{Name: strings.ToLower(k.Name), Algorithm: k.Algorithm, Secret: k.Secret.Clear()}
}

func subscriber(s *tocsin.Subscriber) rpz.Subscriber {
	sub := rpz.Subscriber{Name: s.Name, From: s.Allow, Notify: s.Notify, Certificates: s.Certificates}
	if s.TSIG != nil {
		sub.Key = strings.ToLower(s.TSIG.Name)
	}
	return sub
}

// A zone is a collection's view in the words of package rpz.
type zone struct {
	collection.View
	terms rpz.Terms
}

func (z zone) Terms() rpz.Terms { return z.terms }

// of is a view with what its zone says of itself.
func (z *zones) of(v collection.View) zone {
	terms := z.looks.of(v.Hot())
	terms.Action = action(v.Action())
	return zone{v, terms}
}

// action is what a zone does, as the target of its records.
func action(a tocsin.Action) rpz.Action {
	switch a {
	case "", tocsin.NXDomain:
		return rpz.NXDomain
	case tocsin.NoData:
		return rpz.NoData
	case tocsin.Drop:
		return rpz.Drop
	case tocsin.TCPOnly:
		return rpz.TCPOnly
	case tocsin.Passthru:
		return rpz.Passthru
	}
	return rpz.Action(a) + "." // a place to go instead
}

func (z zone) Has(name []byte) rpz.Trigger {
	t, _ := z.View.Has(name)
	return rpz.Trigger(t)
}

func (z zone) Names(yield func([]byte, rpz.Trigger) bool) {
	z.View.Names(func(name []byte, t collection.Trigger) bool { return yield(name, rpz.Trigger(t)) })
}

func (z zone) Since(serial uint32) ([]rpz.Delta, bool) {
	steps, ok := z.View.Since(serial)
	deltas := make([]rpz.Delta, len(steps))
	for i, s := range steps {
		deltas[i] = rpz.Delta{From: s.From, To: s.To, Removed: entries(s.Removed), Added: entries(s.Added)}
	}
	return deltas, ok
}

func entries(es []collection.Entry) []rpz.Entry {
	out := make([]rpz.Entry, len(es))
	for i, e := range es {
		out[i] = rpz.Entry{Name: e.Name, Trigger: rpz.Trigger(e.Trigger)}
	}
	return out
}

// told makes the notifier tell a collection's subscribers that a zone has moved.
func told(db *store.DB, n *rpz.Notifier) func(collection.Moved) {
	return func(m collection.Moved) {
		view := db.As(registrar)
		for _, id := range m.Subscribers {
			if s, err := store.One[*tocsin.Subscriber](view, id); err == nil {
				n.Tell(subscriber(s), m.Origin, m.Serial)
			}
		}
	}
}
