// Package collection keeps, for each collection of the exchange, the names that
// its subscribers act on: as a zone, or as a list. It is a projection of the log
// of changes: what a zone holds at line N follows from the lines up to N and
// from nothing else, so every node serves the same zones with the same serials.
//
// A claim is in a collection if it is marked to_ids and not withdrawn, its event
// is published and was created by one of the collection's sources, and it was
// put in by tag or the filter matches it. It contributes the domains, hosts and
// addresses that its value names, never those that it mentions. Whom it reaches
// is decided for each subscriber by the labels of the claim and of its event.
//
// Names lie in one table for each collection, each with the labels of those who
// claim it, and so do addresses: to the table they are names of another form.
// Each of the collection's zones takes what it can act on. Subscribers who see the same labels share a [class]: one serial, one
// count. A zone is the table read through a class, and a step of its history is
// a step of the collection's one journal read through that class, so a hundred
// audiences cost no more than one.
//
// The package knows nothing of DNS messages, of HTTP, or of how a subscriber
// shows who it is.
package collection

import (
	"tocsin"
)

// A Trigger says which questions about a name a zone acts on. The bits may be
// combined.
type Trigger uint8

const (
	Exact   Trigger = 1 << iota // the name itself
	Beneath                     // every name under it
)

// triggers are the bits in order; [freshness] and others are indexed likewise.
var triggers = [...]Trigger{Exact, Beneath}

// An Entry is a name with its triggers. The name is a row of DNS labels in lower
// case without the root and without the zone's origin: "\x04evil\x07example". In
// the zones of addresses and of name servers it says so at its end, as in
// 24.0.2.0.192.rpz-ip and evil.example.rpz-nsdname.
type Entry struct {
	Name []byte
	Trigger
}

// A Step leads from one serial of a zone to a later one. A name that gains or
// loses one trigger lists only that one. Names are in order of their octets.
type Step struct {
	From, To       uint32
	Removed, Added []Entry
}

// A zone is one of the images that subscribers receive.
type zone uint8

const (
	base  zone = iota // every name, slowly: tocsin.Collection.Zone
	hot               // what is new, at once: tocsin.Collection.HotZone
	ip                // addresses: tocsin.Collection.IPZone
	ns                // names and addresses, of name servers: tocsin.Collection.NSZone
	both              // the names of base and hot, as lists have them
	zones             // how many there are
)

// origins are the names of a collection's zones, "" for those that it has not.
func origins(c *tocsin.Collection) [both]string {
	return [both]string{base: origin(c.Zone), hot: origin(c.HotZone), ip: origin(c.IPZone), ns: origin(c.NSZone)}
}

// serial is the number that a zone carries after line n (RFC 1982).
func serial(n tocsin.Seq) uint32 { return uint32(n) }

// seqOf returns the line that a serial stands for, given a line not before it.
// It reports false for a serial that lies ahead.
func seqOf(sn uint32, now tocsin.Seq) (tocsin.Seq, bool) {
	back := uint32(now) - sn
	n := now - tocsin.Seq(back)
	return n, back < 1<<31 && n > 0
}
