package indicator

import (
	"net/netip"
	"strings"
)

// Facets are the plain parts of a value that other packages act on: zones,
// block lists and rules ask a value for its facets, never for its type.
type Facets struct {
	// Names is what the value names: blocking it is what its sharer asks for.
	Names []Name
	// Mentions is what it only mentions: the host of a URL, the domain of an
	// e-mail address, the address beside a domain. Blocking one of these would
	// stop a whole hosting service for a single page on it, so a blocking
	// output leaves mentions alone unless its owner says otherwise.
	Mentions []Name
}

// A Kind is a sort of thing that can be named.
type Kind uint8

const (
	Domain      Kind = iota + 1 // a domain and everything beneath it
	Host                        // exactly one host name
	Prefix                      // an address or a range of them
	Hash                        // a file by MD5, SHA-1 or SHA-2; its length tells which
	Fingerprint                 // what else is computed of a thing, and none of the kinds below: imphash, authentihash, a commit
	URL
	Email
	File        // a file's name
	Certificate // an X.509 certificate by MD5, SHA-1 or SHA-256; its length tells which
	Handshake   // how a program opens a TLS or SSH connection: JA3, JARM, HASSH
	Fuzzy       // a file by a digest that similar files nearly share: ssdeep, TLSH
	Network     // an autonomous system, by its number
)

var kindNames = [...]string{"none", "domain", "host", "prefix", "hash", "fingerprint", "url", "email", "file",
	"certificate", "handshake", "fuzzy", "network"}

func (k Kind) String() string {
	if int(k) >= len(kindNames) {
		return "unknown"
	}
	return kindNames[k]
}

// A Name is one thing that a value names or mentions.
type Name struct {
	Kind   Kind
	Text   string       // in normal form; for an address without /32 or /128
	Prefix netip.Prefix // for Kind Prefix only, masked
}

// Facets returns what v names and mentions, computed from its normal form.
func (v Value) Facets() Facets {
	if v.typ == nil || v.typ.facets == nil {
		return Facets{}
	}
	return v.typ.facets(v.text)
}

// bystander is the form of values that are about somebody or something beside
// what is bad: whom it hit, who registered a name, a picture in a report. What
// the form names they only mention, lest a victim's address is blocked.
func bystander(f form) form {
	facets := f.facets
	f.facets = func(s string) Facets {
		of := facets(s)
		return Facets{Mentions: append(of.Names, of.Mentions...)}
	}
	return f
}

// WireName returns a domain or host as DNS labels without the root's zero
// octet (RFC 1035, section 3.1), lower case. It reports false for whatever DNS
// can't carry: an empty label or one over 63 octets, a name over 255 with the
// root, characters outside letters, digits, hyphen and underscore.
func (n Name) WireName() ([]byte, bool) {
	if n.Kind != Domain && n.Kind != Host || n.Text == "" || len(n.Text) > maxName {
		return nil, false
	}
	wire := make([]byte, 0, len(n.Text)+1)
	for label := range strings.SplitSeq(n.Text, ".") {
		if label == "" || len(label) > maxLabel {
			return nil, false
		}
		wire = append(wire, byte(len(label)))
		for i := range len(label) {
			switch c := label[i]; classOf[c] {
			case 0:
				return nil, false
			case upper:
				wire = append(wire, c|0x20)
			default:
				wire = append(wire, c)
			}
		}
	}
	return wire, true
}
