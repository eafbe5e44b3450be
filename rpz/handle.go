package rpz

import (
	"errors"
	"net/netip"
	"strings"
	"time"
)

// A Kind is what a transfer carried.
type Kind string

const (
	Full        Kind = "AXFR" // the whole zone, whatever the question was
	Incremental Kind = "IXFR"
	Current     Kind = "current" // nothing: the client has it all
)

// A Handover says what a subscriber was sent. Without an error the last octet
// has left; whether the subscriber took it shows when it asks next, by Held.
type Handover struct {
	Subscriber Subscriber
	Peer       Peer
	Origin     string
	Kind       Kind
	Held       uint32 // the serial that it had before, if Told
	Told       bool   // it said so, by asking for IXFR
	Serial     uint32 // of the zone handed over
	Bytes      int64
	Took       time.Duration
	Err        error // it went wrong midway
}

var errGarbage = errors.New("not a question")

// handle answers one message. An error means that the connection is of no
// more use.
func (s *Server) handle(msg []byte, who Peer, stream bool, send func([]byte) error) error {
	q, ok := parse(msg)
	if q == nil || q.flags&flagQR != 0 {
		// Two servers that answer each other's answers would never stop.
		return errGarbage
	}
	r := newReply(q, q.size(stream), stream, send)
	defer r.free()
	began := s.now()
	var h *Handover
	switch {
	case q.opcode() != opQuery:
		r.rcode = rcodeNotImpl
	case !ok:
		r.rcode = rcodeFormat
	case q.edns != nil && q.edns.version != 0:
		r.rcode = rcodeBadVers
	default:
		who.Addr = netip.AddrPortFrom(who.Addr.Addr().Unmap(), who.Addr.Port())
		h = s.admit(r, q, who)
	}
	r.finish()
	if h != nil && s.Served != nil {
		h.Bytes, h.Took, h.Err = r.sent, s.now().Sub(began), r.err
		s.Served(*h)
	}
	return r.err
}

// size is how long a message the client can take.
func (q *question) size(stream bool) int {
	switch {
	case stream:
		return maxMessage
	case q.edns == nil:
		return minUDP
	}
	return min(max(q.edns.size, minUDP), maxUDP)
}

// finish sends what is left. A datagram that could not hold the answer asks
// the client to come by TCP.
func (r *reply) finish() {
	if r.err == errNoSpace {
		r.retract()
		r.flags |= flagTC
	}
	r.flush()
}

// admit finds out who asks, and answers what they ask about a zone of theirs.
// It returns what is being handed over, if anything is.
func (s *Server) admit(r *reply, q *question, who Peer) *Handover {
	if q.tsig != nil {
		seal, err := check(q.msg, q.tsig, s.Keys, s.now)
		r.sealWith(seal)
		if err != 0 {
			r.rcode = rcodeNotAuth
			s.complain(who, "tsig", "a question was not signed as it should be", "key", keyName(q.tsig.name), "zone", nameText(q.name), "err", s.fault(q.tsig, err))
			return nil
		}
		who.Key = keyName(q.tsig.name)
	}
	z, sub, apex, ok := s.find(q, who)
	if !ok {
		r.rcode = rcodeRefused
		return nil
	}
	r.about(z, q, apex)
	if q.kind != typeAXFR && q.kind != typeIXFR {
		r.lookup(q, z, apex)
		return nil
	}
	h := &Handover{Subscriber: sub, Peer: who, Origin: z.Origin(), Serial: z.Serial()}
	if h.Kind = r.transfer(q, z, apex); h.Kind == "" {
		return nil
	}
	h.Held, h.Told = q.serial, q.kind == typeIXFR
	if h.Told && newer(h.Held, h.Serial) {
		s.complain(who, z.Origin(), "a subscriber holds a zone that is ahead of ours, as after a backup was put back; "+
			"it takes no change until we have passed it, or until its operator has it drop the zone and fetch it anew",
			"subscriber", sub.Name, "zone", h.Origin, "theirs", h.Held, "ours", h.Serial)
	}
	return h
}

// find returns the zone that the question's name is in: the one of the
// longest origin, which begins at offset apex of the name.
func (s *Server) find(q *question, who Peer) (z Zone, sub Subscriber, apex int, ok bool) {
	if q.class != classIN {
		return nil, sub, 0, false
	}
	origin := nameText(q.name)
	for ; q.name[apex] > 0; apex += 1 + int(q.name[apex]) {
		if z, sub, ok = s.Zones.Zone(origin, who); ok {
			return z, sub, apex, true
		}
		_, origin, _ = strings.Cut(origin, ".") // a dot within a label is written \046
	}
	return nil, sub, 0, false
}

// transfer answers AXFR and IXFR, and says with what; "" means that nothing
// was transferred.
func (r *reply) transfer(q *question, z Zone, apex int) Kind {
	switch {
	case apex != 0:
		r.rcode = rcodeNotAuth // RFC 5936, 2.2.1
	case q.kind == typeAXFR && !r.stream, // RFC 5936, 4.2: not defined
		q.kind == typeIXFR && q.serials != 1:
		r.rcode = rcodeFormat
	case q.kind == typeAXFR:
		r.axfr(z)
		return Full
	default:
		return r.ixfrFitting(z, q.serial)
	}
	return ""
}

// ixfrFitting is ixfr, or on a datagram that can't hold it our SOA alone: the
// client sees that it is behind and comes by TCP (RFC 1995, 2).
func (r *reply) ixfrFitting(z Zone, from uint32) Kind {
	if kind := r.ixfr(z, from); r.stream || kind != Full && r.err == nil {
		return kind
	}
	r.retract()
	r.soa(answer, z.Serial())
	return ""
}

// lookup answers a plain question about the zone, so that people can see with
// dig what a resolver will do. The CNAME is not followed: the place it leads
// to is the resolver's business. A name that only has others beneath it is
// answered as if it were not there, which no resolver asks.
func (r *reply) lookup(q *question, z Zone, apex int) {
	name := q.name[:apex]
	switch {
	case apex == 0 && (q.kind == typeSOA || q.kind == typeANY):
		r.soa(answer, z.Serial())
	case apex == 0 && q.kind == typeNS:
		r.ns()
	case apex == 0:
		r.soa(authority, z.Serial())
	case triggers(z, name):
		r.put(answer, nil, nil, r.record(headerLen, typeCNAME, r.target))
	default:
		r.rcode = rcodeNXDomain
		r.soa(authority, z.Serial())
	}
}

// triggers reports whether z holds a record for name, by itself or by the
// wildcard of its closest encloser (RFC 4592, 3.3.1).
func triggers(z Zone, name []byte) bool {
	if z.Has(name)&Exact != 0 {
		return true
	}
	for len(name) > 0 {
		name = name[1+name[0]:]
		if t := z.Has(name); len(name) > 0 && t != 0 {
			return t&Beneath != 0
		}
	}
	return false
}
