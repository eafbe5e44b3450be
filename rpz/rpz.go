// Package rpz is the DNS primary for response policy zones
// (draft-vixie-dnsop-dns-rpz-00): it hands zones to secondaries by AXFR and
// IXFR, tells them of changes by NOTIFY, and knows them by address and TSIG
// key. It writes the same zones as master files, and the lines that a
// subscriber adds to a resolver's configuration.
//
// The package knows nothing of where names come from or who may see them: it
// is given a [Zone] as one subscriber sees it, and sends that. It never asks
// another server anything on a client's behalf.
package rpz

import (
	"net/netip"
	"slices"
)

// A Trigger says which questions about a name a zone acts on. The bits may be
// combined; zero triggers nothing.
type Trigger uint8

const (
	Exact   Trigger = 1 << iota // the name itself
	Beneath                     // every name under it: the wildcard record
)

// An Entry is a name that a zone holds, relative to its origin, as DNS labels
// without the root: "\x04evil\x07example".
type Entry struct {
	Name []byte
	Trigger
}

// A Delta is one step of a zone's history. An entry that gains or loses one
// trigger lists only that one.
type Delta struct {
	From, To       uint32
	Removed, Added []Entry
}

// A Zone is one zone as the asking subscriber sees it at one instant. It does
// not change while it is being sent.
//
// Names must fit: labels of at most 63 octets, at most 255 together with the
// origin and, for Beneath, the "*". What does not fit is left out of answers,
// since one illegal record makes secondaries drop the whole zone.
type Zone interface {
	// Origin is the zone's name, in lower case, with the final dot.
	Origin() string

	// Serial is the version of everything that the other methods return.
	Serial() uint32

	// Terms are the same for all entries. When they change, the serial must
	// advance and Since must no longer know the serials before.
	Terms() Terms

	// Len is the number of names, or more where some are left out for this
	// subscriber alone: it says how long a way may be before all is shorter.
	Len() int

	// Names calls yield for each name once, until it returns false. The name
	// belongs to the zone: yield neither keeps nor changes it.
	Names(yield func(name []byte, t Trigger) bool)

	// Has returns the triggers of exactly this name, in lower case.
	Has(name []byte) Trigger

	// Since returns the steps from serial to Serial, oldest first, each
	// beginning where the one before ended. False means that the zone does
	// not know the way, and everything is to be sent.
	Since(serial uint32) ([]Delta, bool)
}

// Zones finds the zone for a question by who asks.
type Zones interface {
	// Zone returns the zone named origin as who sees it. A zone that does not
	// exist and one that is not for who look alike: false.
	Zone(origin string, who Peer) (Zone, Subscriber, bool)
}

// A Peer is whoever sent a question.
type Peer struct {
	Addr netip.AddrPort
	Key  string // the TSIG key that it proved to hold, or ""

	// Certificate and PublicKey are SHA-256, in lower-case hex, of the certificate
	// that it proved to hold over TLS and of its SubjectPublicKeyInfo; or "".
	Certificate, PublicKey string
}

// A Subscriber takes zones from us. The zero Subscriber admits nobody.
type Subscriber struct {
	Name string

	// Key names the TSIG key that it signs with. Empty: it can't sign
	// (Unbound), and is known by From alone.
	Key string

	// From lists the networks that its questions come from. Empty, with a
	// Key or Certificates: anywhere.
	From []netip.Prefix

	// Certificates are those that it shows over TLS, one of which it must. See
	// [Peer]. Empty: it need show none.
	Certificates []string

	// Notify lists where it listens for NOTIFY.
	Notify []netip.AddrPort
}

// shows reports whether p has shown one of these certificates.
func (p Peer) shows(certificates []string) bool {
	return p.Certificate != "" && (slices.Contains(certificates, p.Certificate) || slices.Contains(certificates, p.PublicKey))
}

// Admits reports whether a question by p is one of s. Someone who holds a key or
// a certificate must use it: an address is easier to come by.
func (s Subscriber) Admits(p Peer) bool {
	switch {
	case s.Key == "" && len(s.Certificates) == 0 && len(s.From) == 0:
		return false
	case s.Key != "" && s.Key != p.Key:
		return false
	case len(s.Certificates) > 0 && !p.shows(s.Certificates):
		return false
	}
	for _, net := range s.From {
		if net.Contains(p.Addr.Addr().Unmap()) {
			return true
		}
	}
	return len(s.From) == 0
}

// An Action is what a resolver does when an entry triggers: the target of the
// entry's CNAME. Any name that is not among these constants is a place that
// clients are sent to instead: "landing.example.", or "*.landing.example." to
// let the place see the name that was asked for. The zero Action is NXDomain.
type Action string

const (
	NXDomain Action = "."             // the name does not exist
	NoData   Action = "*."            // it exists and has no such records
	Passthru Action = "rpz-passthru." // answer, and look at no later zone
	Drop     Action = "rpz-drop."     // no answer at all
	TCPOnly  Action = "rpz-tcp-only." // ask again over TCP
)

// Terms are what a zone says about itself rather than about one name. A zero
// field has the default named beside it. Times are in seconds.
type Terms struct {
	Action  Action // NXDomain
	TTL     uint32 // 30: for so long may a resolver go on after a withdrawal
	Refresh uint32 // 60: NOTIFY is quicker, but may get lost
	Retry   uint32 // 30
	Expire  uint32 // 432000: five days without us, then resolvers stop acting on the zone
	Minimum uint32 // 30
	Primary string // SOA MNAME: "localhost."
	Contact string // SOA RNAME: "hostmaster.localhost."
}

func (t Terms) withDefaults() Terms {
	or := func(v *uint32, d uint32) {
		// RFC 2181, 8: times end at 2³¹-1; more would read as zero.
		if *v == 0 || *v > 1<<31-1 {
			*v = d
		}
	}
	or(&t.TTL, 30)
	or(&t.Refresh, 60)
	or(&t.Retry, 30)
	or(&t.Expire, 432000)
	or(&t.Minimum, 30)
	name := func(v *string, d string) {
		if _, ok := appendName(nil, *v); !ok || *v == "" {
			*v = d
		}
	}
	action := string(t.Action)
	name(&action, string(NXDomain))
	t.Action = Action(action)
	name(&t.Primary, "localhost.")
	name(&t.Contact, "hostmaster.localhost.")
	return t
}
