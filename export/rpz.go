package export

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/codec"
	"tocsin/indicator"
)

// A policy is what a zone does with what is in it.
type policy struct{ does, target string }

var policies = map[string]policy{
	"NXDOMAIN":      {"return NXDOMAIN (name does not exist) irrespective of actual result received.", "."},
	"NODATA":        {"returns NODATA (name exists but no answers returned) irrespective of actual result received.", "*."},
	"DROP":          {"timeout.", "rpz-drop."},
	"walled-garden": {"returns the defined alternate location.", ""},
}

// A zone is the head of a zone file, as a client may change it by filters of these names.
type zone struct {
	policy
	ns, nsAlt, email, serial, refresh, retry, expiry, minimum, ttl string
}

// zone reads what the client said. Each word goes into the file, so none is more
// than a name or a time.
func (a *Answer) zone() (z zone, err error) {
	said := func(name, otherwise string, fits func(string) bool) string {
		s := cmp.Or(a.Said(name), otherwise)
		if err == nil && !fits(s) {
			err = tocsin.Errorf(tocsin.Invalid, "%s: %q can't stand in a zone", name, s)
		}
		return s
	}
	day := a.Now.UTC().Format("20060102")
	z = zone{ns: said("ns", "localhost.", isZoneName), email: said("email", "root.localhost", isZoneName),
		serial:  said("serial", day+"00", isZoneNumber),
		refresh: said("refresh", "2h", isZoneTime), retry: said("retry", "30m", isZoneTime), expiry: said("expiry", "30d", isZoneTime),
		minimum: said("minimum_ttl", "1h", isZoneTime), ttl: said("ttl", "1w", isZoneTime)}
	if a.Said("ns_alt") != "" {
		z.nsAlt = said("ns_alt", "", isZoneName)
	}
	name := cmp.Or(a.Said("policy"), "NXDOMAIN")
	p, known := policies[name]
	if !known {
		return z, tocsin.Errorf(tocsin.Invalid, "policy: there is no %q; try one of DROP, NODATA, NXDOMAIN, walled-garden", name)
	}
	if z.policy = p; name == "walled-garden" {
		z.target = said("walled_garden", "127.0.0.1", isZoneName)
	}
	return z, err
}

func isZoneName(s string) bool {
	_, ok := indicator.Name{Kind: indicator.Host, Text: strings.TrimSuffix(s, ".")}.WireName()
	return ok
}

func isZoneNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 32)
	return err == nil && n > 0
}

// isZoneTime takes BIND's spelling of a time: seconds, or 2h, 1w3d.
func isZoneTime(s string) bool {
	digits := false
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= '0' && c <= '9':
			digits = true
		case digits && strings.ContainsRune("smhdw", c):
		default:
			return false
		}
	}
	return digits && len(s) < 16
}

// writeRPZ writes a response policy zone, as MISP lays it out: addresses, domains
// with what is beneath them, hosts.
func writeRPZ(w *Writer, a *Answer) error {
	z, err := a.zone()
	if err != nil {
		return err
	}
	w.add("$TTL ", z.ttl, ";\n@               SOA ", z.ns, " ", z.email, " (", z.serial, " ", z.refresh, " ", z.retry, " ", z.expiry, " ", z.minimum, ")\n",
		"                NS ", z.ns, "\n")
	if z.nsAlt != "" {
		w.add("                NS ", z.nsAlt, "\n")
	}
	w.add("\n")
	does := " CNAME " + z.target + "\n"
	parts := []zonePart{
		{"; The following list of IP addresses will ", addressTypes, appendReversed, false},
		{"; The following domain names and all of their sub-domains will ", []string{"domain", "domain|ip"}, appendOwner, true},
		{"; The following hostnames will ", []string{"hostname"}, appendOwner, false},
	}
	for _, p := range parts {
		if err := p.write(w, a, z.does, does); err != nil {
			return err
		}
	}
	return w.End()
}

// A zonePart is a part of a zone file.
type zonePart struct {
	head    string
	types   []string
	owner   func(b []byte, text string) []byte // "" for what can't be one
	beneath bool
}

var addressTypes = []string{"ip-src", "ip-dst", "domain|ip"}

func (p *zonePart) write(w *Writer, a *Answer, explained, does string) error {
	seen, begun := newRepeats(), false
	var owner []byte
	err := a.each(w, p.types, func(c *Claim) {
		text := c.side(0)
		if c.Value.TypeName() == "domain|ip" && !p.beneath {
			text = c.side(1)
		}
		if owner = p.owner(owner[:0], text); len(owner) == 0 || seen.again(text) {
			return
		}
		if !begun {
			begun = true
			w.add(p.head, explained, "\n")
		}
		w.B = append(append(w.B, owner...), does...)
		if p.beneath {
			w.B = append(append(append(w.B, "*."...), owner...), does...)
		}
	})
	if begun {
		w.B = append(w.B, '\n')
	}
	return err
}

// maxOwner leaves 32 octets of a name's 253 for the zone's own, and "*.": one owner
// that does not fit makes some refuse the whole zone.
const maxOwner = 253 - 32 - 2

func appendOwner(b []byte, name string) []byte {
	if len(name) > maxOwner || !isZoneName(name) {
		return b
	}
	return append(b, name...)
}

// appendReversed appends an address or a range as the owner that stands for it,
// in the one form that BIND takes for canonical.
func appendReversed(b []byte, text string) []byte {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return b
		}
		p = netip.PrefixFrom(addr, addr.BitLen())
	}
	return append(codec.AppendReversed(b, p.Masked()), ".rpz-ip"...)
}

// seen is a time as MISP writes it, "" for none.
func seen(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000000-07:00")
}
