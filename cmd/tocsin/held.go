package main

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tocsin/portal"
	"tocsin/rpz"
)

// held remembers which serial each server of each subscriber has of each zone:
// by asking for what comes after, by having been sent everything, or by having
// fetched a file. It needs no NOTIFY: whoever only looks from time to time says
// the same. It lives in memory; a server that asks for no more than the SOA is
// known again when something changes.
type held struct {
	mu   sync.Mutex
	last map[heldKey]map[netip.Addr]holding
}

type heldKey struct{ subscriber, origin string }

type holding struct {
	serial uint32
	at     time.Time
}

// maxServers is how many servers of one subscriber are told apart. A stranger
// is never among them, but a subscriber may ask from ever other addresses.
const maxServers = 64

// forgotten is after how long a server that does not ask any more, while another
// of its subscriber does, is taken to be gone.
const forgotten = 24 * time.Hour

// served is told of each transfer. A subscriber that asks for IXFR says what it
// holds already, and one that was sent everything holds that.
func (h *held) served(x rpz.Handover) {
	serial := x.Serial
	switch {
	case x.Err != nil && !x.Told:
		return
	case x.Err != nil, x.Kind == rpz.Current: // which may be ahead of ours
		serial = x.Held
	}
	h.note(x.Subscriber.Name, x.Origin, x.Peer.Addr.Addr(), serial)
}

func (h *held) note(subscriber, origin string, from netip.Addr, serial uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.last == nil {
		h.last = map[heldKey]map[netip.Addr]holding{}
	}
	k := heldKey{subscriber, canonical(origin)}
	if h.last[k] == nil {
		h.last[k] = map[netip.Addr]holding{}
	}
	servers := h.last[k]
	now := time.Now()
	servers[from] = holding{serial, now}
	for a, v := range servers {
		if len(servers) > maxServers && a != from || now.Sub(v.at) > forgotten {
			delete(servers, a)
		}
	}
}

// serial returns what all servers of a subscriber hold of a zone at least, and
// when the last of them was served.
func (h *held) serial(subscriber, origin string) (serial uint32, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return least(h.last[heldKey{subscriber, canonical(origin)}])
}

func least(servers map[netip.Addr]holding) (serial uint32, at time.Time) {
	for _, v := range servers {
		if at.IsZero() || int32(v.serial-serial) < 0 { // RFC 1982
			serial = v.serial
		}
		if v.at.After(at) {
			at = v.at
		}
	}
	return serial, at
}

// at returns what the server at one address holds; if it is not known by that
// address, what all of its subscriber hold.
func (h *held) at(subscriber, origin string, server netip.Addr) (uint32, time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	servers := h.last[heldKey{subscriber, canonical(origin)}]
	if v, ok := servers[server.Unmap()]; ok {
		return v.serial, v.at
	}
	return least(servers)
}

// canonical is an origin as package rpz writes it.
func canonical(origin string) string {
	return strings.ToLower(strings.TrimSuffix(origin, ".")) + "."
}

// of returns what a subscriber holds of all zones that it has fetched.
func (h *held) of(subscriber string) (all []portal.Confirmation) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k, servers := range h.last {
		for a, v := range servers {
			if k.subscriber == subscriber {
				all = append(all, portal.Confirmation{Origin: k.origin, Server: a.String(), Serial: v.serial, At: v.at})
			}
		}
	}
	slices.SortFunc(all, func(a, b portal.Confirmation) int {
		return strings.Compare(a.Origin+" "+a.Server, b.Origin+" "+b.Server)
	})
	return all
}
