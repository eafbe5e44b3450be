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
	db    *store.DB
	set   *collection.Set
	looks looks
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
	view := z.db.As(registrar)
	for s := range view.Subscribers() {
		sub := subscriber(s)
		if !sub.Admits(who) {
			continue
		}
		if v, ok := z.set.Zone(origin, s.ID); ok {
			return zone{v, z.looks.of(v.Hot())}, sub, true
		}
	}
	return nil, rpz.Subscriber{}, false
}

// Key implements [rpz.Keys].
func (z *zones) Key(name string) (rpz.Key, bool) {
	for s := range z.db.As(registrar).Subscribers() {
		if s.TSIG != nil && strings.EqualFold(s.TSIG.Name, name) {
			return tsigKey(s), true
		}
	}
	return rpz.Key{}, false
}

func tsigKey(s *tocsin.Subscriber) rpz.Key {
	return rpz.Key{Name: strings.ToLower(s.TSIG.Name), Algorithm: s.TSIG.Algorithm, Secret: s.TSIG.Secret}
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
