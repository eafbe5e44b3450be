package main

import (
	"tocsin"
	"tocsin/rpz"
	"tocsin/store"
)

// offers are the zones that a subscriber takes, of all its collections, in the
// order in which a resolver is to ask them: what is let through, what is new, all
// names, and last what it has to look up addresses or name servers for, since a
// zone that wants those makes it wait for those listed after it too.
func offers(db *store.DB, s *tocsin.Subscriber) (all []rpz.Offer) {
	var pass, act []*tocsin.Collection
	for _, id := range s.Collections() {
		c, err := store.One[*tocsin.Collection](db.As(registrar), id)
		switch {
		case err != nil:
		case c.Pass:
			pass = append(pass, c)
		default:
			act = append(act, c)
		}
	}
	for _, cs := range [][]*tocsin.Collection{pass, act} {
		add := func(o rpz.Offer, origin func(*tocsin.Collection) string) {
			for _, c := range cs {
				if o.Origin = origin(c); o.Origin != "" {
					o.Terms.Action = action(c.ActionFor(s.Action))
					all = append(all, o)
				}
			}
		}
		add(rpz.Offer{Hot: true}, func(c *tocsin.Collection) string { return c.HotZone })
		add(rpz.Offer{}, func(c *tocsin.Collection) string { return c.Zone })
		add(rpz.Offer{Addresses: true}, func(c *tocsin.Collection) string { return c.IPZone })
		add(rpz.Offer{Addresses: true}, func(c *tocsin.Collection) string { return c.NSZone })
	}
	return all
}
