package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"tocsin"
	"tocsin/api"
	"tocsin/rpz"
)

// A feeder serves zones as files to those who know a subscriber's secret
// address: the same zones that the subscriber could transfer.
type feeder struct {
	zones *zones
	held  *held
}

// file implements [api.Parts.Feed]: ORIGIN.rpz is one zone, ORIGIN.plain.rpz the
// same for resolvers that can't send clients elsewhere, blocked.dnsmasq all zones.
func (f feeder) file(secret, file string, from netip.Addr) (*api.Feed, bool) {
	s, ok := f.subscriber(api.HashFeed(secret), from)
	if !ok {
		return nil, false
	}
	var served []rpz.Zone
	out := &api.Feed{Subscriber: s.Name, Media: "text/plain; charset=utf-8"}
	if origin, ok := strings.CutSuffix(file, ".rpz"); ok {
		origin, simple := strings.CutSuffix(origin, ".plain")
		z, ok := f.zones.named(origin, s)
		if !ok {
			return nil, false
		}
		if simple {
			z = rpz.Plain(z)
		}
		served = []rpz.Zone{z}
		out.Media = "text/dns" // RFC 4027
		out.Write = func(w io.Writer) error { return rpz.Text(w, z) }
	} else if file == rpz.Everything+".dnsmasq" {
		if served = f.zones.names(s); len(served) == 0 {
			return nil, false
		}
		out.Write = func(w io.Writer) error { return rpz.Dnsmasq(w, served...) }
	} else {
		return nil, false
	}
	out.Tag = tag(file, s, served)
	out.Taken = func() {
		for _, z := range served {
			f.held.note(s.Name, z.Origin(), from, z.Serial())
		}
	}
	return out, true
}

// subscriber finds who has this address. It must also come from where the
// subscriber is, if that is said.
func (f feeder) subscriber(hash string, from netip.Addr) (*tocsin.Subscriber, bool) {
	for s := range f.zones.db.As(registrar).Subscribers() {
		if s.Feed != "" && s.Feed == hash {
			here := len(s.Allow) == 0 || slices.ContainsFunc(s.Allow, func(n netip.Prefix) bool { return n.Contains(from) })
			return s, here
		}
	}
	return nil, false
}

// tag names the octets of a file: a serial names what a subscriber's zone holds,
// and the terms are the rest of it.
func tag(file string, s *tocsin.Subscriber, served []rpz.Zone) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %d", file, s.ID)
	for _, z := range served {
		fmt.Fprintf(h, " %s %d %+v", z.Origin(), z.Serial(), z.Terms())
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// named returns a zone as a subscriber has it.
func (z *zones) named(origin string, s *tocsin.Subscriber) (rpz.Zone, bool) {
	v, ok := z.set.Zone(origin, s.ID)
	if !ok {
		return nil, false
	}
	return z.of(v), true
}

// names returns a subscriber's zones that speak of names. Of a collection the hot
// one is first: a name that is merged meanwhile is then in both, and not in neither.
func (z *zones) names(s *tocsin.Subscriber) (all []rpz.Zone) {
	for _, o := range offers(z.db, s) {
		if got, ok := z.named(o.Origin, s); ok && !o.Addresses {
			all = append(all, got)
		}
	}
	return all
}
