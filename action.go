package tocsin

import (
	"net/netip"
	"slices"
	"strings"

	"tocsin/indicator"
)

// An Action is what a resolver does about a question that a policy zone speaks
// of. Whatever is not among these constants is a host that clients are sent to
// instead: "landing.example", or "*.landing.example" to let the place see the
// name that was asked for. The zero Action is NXDomain.
type Action string

const (
	NXDomain Action = "nxdomain" // answer that there is no such name
	NoData   Action = "nodata"   // answer that the name has no such records
	Drop     Action = "drop"     // do not answer
	TCPOnly  Action = "tcp-only" // ask the client to come again over TCP

	// Passthru answers as if no zone listed after this one were there. It is what
	// a collection with Pass does and nothing else: to exclude one name with it
	// would lift other vendors' blocks too.
	Passthru Action = "passthru"
)

// Actions are those that have a name, as they are shown to whoever mistypes one.
var Actions = []Action{NXDomain, NoData, Drop, TCPOnly}

// ParseAction reads an action; "" is the one that holds if nothing is said. Its
// errors are for the person who wrote it.
func ParseAction(text string) (Action, error) {
	a := Action(strings.ToLower(strings.TrimSuffix(strings.TrimSpace(text), ".")))
	switch {
	case a == "" || slices.Contains(Actions, a):
		return a, nil
	case a == Passthru:
		return "", Errorf(Invalid, "to let names pass is what a collection does as a whole: one that is an allow list")
	}
	host := strings.TrimPrefix(string(a), "*.")
	v, err := indicator.Parse("hostname", host)
	last := host[strings.LastIndexByte(host, '.')+1:]
	if err != nil || v.String() != host || !strings.Contains(host, ".") || strings.HasPrefix(last, "rpz-") {
		return "", Errorf(Invalid, "no action %q; try one of %v, or a host to send clients to, as landing.example or *.landing.example", text, Actions)
	}
	return a, nil
}

// ActionFor returns what the collection's zones do, for a subscriber that wants its
// own or, with "", does not say.
func (c *Collection) ActionFor(own Action) Action {
	switch {
	case c.Pass:
		return Passthru
	case own != "":
		return own
	case c.Action != "":
		return c.Action
	}
	return NXDomain
}

// maxExclude is how many exclusions a subscriber may have: each change of them
// is a line of the log that holds them all.
const maxExclude = 10_000

// ParseExclusions reads what a subscriber does not want to act on: domains, which
// stand for all beneath them too, addresses and networks. It returns them in
// normal form, in order, each once.
func ParseExclusions(texts []string) ([]string, error) {
	if len(texts) > maxExclude {
		return nil, Errorf(Invalid, "%d exclusions are too many for one subscriber; it may have %d", len(texts), maxExclude)
	}
	var all []string
	for _, text := range texts {
		v, err := indicator.Parse("ip-dst", text)
		if err != nil {
			v, err = indicator.Parse("domain", strings.TrimPrefix(strings.TrimSpace(text), "*."))
		}
		if err != nil {
			return nil, Errorf(Invalid, "%q can't be excluded: it is neither a domain nor an address or network, as example.org or 192.0.2.0/24", text)
		}
		all = append(all, v.String())
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Excludes reports whether a subscriber does not act on what a value names, and
// by which of its exclusions: one that names it or what it is beneath.
func (s *Subscriber) Excludes(v indicator.Value) (by string, ok bool) {
	for _, n := range v.Facets().Names {
		i := slices.IndexFunc(s.Exclude, func(x string) bool { return covers(x, n) })
		if i < 0 {
			return "", false
		}
		by, ok = s.Exclude[i], true
	}
	return by, ok
}

// covers reports whether an exclusion in normal form holds a name.
func covers(exclusion string, n indicator.Name) bool {
	switch n.Kind {
	case indicator.Domain, indicator.Host:
		return strings.HasSuffix("."+n.Text, "."+exclusion)
	case indicator.Prefix:
		net, err := netip.ParsePrefix(exclusion)
		if a, aerr := netip.ParseAddr(exclusion); aerr == nil {
			net, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		return err == nil && net.Bits() <= n.Prefix.Bits() && net.Contains(n.Prefix.Addr())
	}
	return false
}
