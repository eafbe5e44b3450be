package main

import (
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/collection"
	"tocsin/portal"
	"tocsin/rpz"
	"tocsin/store"
)

// zones hands collections to the DNS server, each as one subscriber sees it.
type zones struct {
	db     *store.DB
	set    *collection.Set
	roster roster
}

// registrar reads subscribers before anyone is known: an address or a key is
// what proves who asks, and the zone that is served is what that subscriber's
// organisation may have.
var registrar = access.System("rpz: a subscriber is known by address or key, and gets what its organisation may have")

// Zone implements [rpz.Zones].
func (z *zones) Zone(origin string, who rpz.Peer) (rpz.Zone, rpz.Subscriber, bool) {
	for _, m := range z.roster.members(z.db).admit(who) {
		if v, ok := z.set.Zone(origin, m.id); ok {
			return zone{v}, m.sub, true
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
	sub := rpz.Subscriber{Name: s.Name, From: s.Allow, Notify: s.Notify}
	if s.TSIG != nil {
		sub.Key = strings.ToLower(s.TSIG.Name)
	}
	return sub
}

// A zone is a collection's view in the words of package rpz.
type zone struct{ collection.View }

func (z zone) Terms() rpz.Terms { return rpz.Terms{Action: action(z.Action())} }

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

// resolverConfig writes what a subscriber adds to its resolver's configuration.
func resolverConfig(db *store.DB, primary netip.AddrPort) func(io.Writer, string, *tocsin.Subscriber, *tocsin.Collection) error {
	return func(w io.Writer, resolver string, s *tocsin.Subscriber, _ *tocsin.Collection) error {
		if !slices.Contains(rpz.Resolvers(), resolver) {
			return tocsin.Errorf(tocsin.Invalid, "no configuration for %q; try one of %v", resolver, rpz.Resolvers())
		}
		setup := rpz.Setup{Primary: primary, Zones: offers(db, s)}
		if s.TSIG != nil {
			setup.Key = new(tsigKey(s.TSIG))
		}
		return rpz.Config(w, resolver, setup)
	}
}

// held remembers which serial each subscriber has of each zone.
type held struct {
	mu   sync.Mutex
	last map[heldKey]holding
}

type heldKey struct{ subscriber, origin string }

type holding struct {
	serial uint32
	at     time.Time
}

// served is told of each transfer. A subscriber that asks for IXFR says what it
// holds already, and one that was sent everything holds that.
func (h *held) served(x rpz.Handover) {
	serial := x.Serial
	switch {
	case x.Err != nil && !x.Told:
		return
	case x.Err != nil:
		serial = x.Held
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = map[heldKey]holding{}
	}
	h.last[heldKey{x.Subscriber.Name, x.Origin}] = holding{serial, time.Now()}
}

// serial returns what a subscriber holds of a zone, and when it was served.
func (h *held) serial(subscriber, origin string) (uint32, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := h.last[heldKey{subscriber, canonical(origin)}]
	return last.serial, last.at
}

// canonical is an origin as package rpz writes it.
func canonical(origin string) string {
	return strings.ToLower(strings.TrimSuffix(origin, ".")) + "."
}

// of returns what a subscriber holds of all zones that it has fetched.
func (h *held) of(subscriber string) (all []portal.Confirmation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, v := range h.last {
		if k.subscriber == subscriber {
			all = append(all, portal.Confirmation{Origin: k.origin, Serial: v.serial, At: v.at})
		}
	}
	slices.SortFunc(all, func(a, b portal.Confirmation) int { return strings.Compare(a.Origin, b.Origin) })
	return all
}
