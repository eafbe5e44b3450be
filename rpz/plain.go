package rpz

import "slices"

// Plain is z for resolvers that can't send clients elsewhere, such as Knot
// Resolver 5, which passes over names that say so: for them those do not exist.
func Plain(z Zone) Zone { return plain{z} }

type plain struct{ Zone }

func (p plain) Terms() Terms {
	t := p.Zone.Terms().withDefaults()
	if !slices.Contains([]Action{NXDomain, NoData, Passthru, Drop, TCPOnly}, t.Action) {
		t.Action = NXDomain
	}
	return t
}
