package main

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"tocsin"
	"tocsin/rpz"
	"tocsin/store"
)

// A roster finds the subscribers that a question may be from, of thousands: by
// the key that signs it, or by the network that it comes from. It is drawn up
// anew when a subscriber has changed.
type roster struct {
	mu    sync.Mutex
	moves uint64
	now   *members
}

// members are subscribers by what they are known by. Those with a key stand
// under the key alone: they must use it, wherever they are.
type members struct {
	byKey   map[string]*member
	byNet   map[netip.Prefix][]*member
	lengths []int // of byNet
	others  []*member
}

type member struct {
	id  int64
	sub rpz.Subscriber
	key *tocsin.TSIG
}

// members returns the subscribers as they are now.
func (r *roster) members(db *store.DB) *members {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Before the list is read: a change in between is then found the next time.
	if moves := db.Moves(tocsin.KindSubscriber); r.now == nil || r.moves != moves {
		r.now, r.moves = enroll(db), moves
	}
	return r.now
}

func enroll(db *store.DB) *members {
	ms := &members{byKey: map[string]*member{}, byNet: map[netip.Prefix][]*member{}}
	for s := range db.As(registrar).Subscribers() {
		m := &member{s.ID, subscriber(s), s.TSIG}
		if s.TSIG != nil {
			ms.byKey[m.sub.Key] = m
			continue
		}
		if len(s.Allow) == 0 {
			ms.others = append(ms.others, m)
		}
		for _, net := range s.Allow {
			net = net.Masked()
			ms.byNet[net] = append(ms.byNet[net], m)
			if !slices.Contains(ms.lengths, net.Bits()) {
				ms.lengths = append(ms.lengths, net.Bits())
			}
		}
	}
	return ms
}

// admit returns those whom a question by p is from, in order of id: usually one,
// more where several share a machine.
func (ms *members) admit(p rpz.Peer) (found []*member) {
	add := func(m *member) {
		if m != nil && m.sub.Admits(p) && !slices.Contains(found, m) {
			found = append(found, m)
		}
	}
	if p.Key != "" {
		add(ms.byKey[strings.ToLower(p.Key)])
	}
	from := p.Addr.Addr().Unmap()
	for _, n := range ms.lengths {
		if net, err := from.Prefix(n); err == nil {
			for _, m := range ms.byNet[net] {
				add(m)
			}
		}
	}
	for _, m := range ms.others {
		add(m)
	}
	slices.SortFunc(found, func(a, b *member) int { return cmp.Compare(a.id, b.id) })
	return found
}
