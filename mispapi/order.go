package mispapi

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

// traits are what found attributes can be put in order by, by MISP's names of columns.
var traits = map[string]store.Trait{
	"id": store.TraitID, "uuid": store.TraitUUID, "event_id": store.TraitEvent, "object_id": store.TraitObject,
	"object_relation": store.TraitRelation, "category": store.TraitCategory, "type": store.TraitType, "value": store.TraitValue,
	"value1": store.TraitValue, "comment": store.TraitComment, "to_ids": store.TraitToIDS, "distribution": store.TraitDistribution,
	"timestamp": store.TraitTimestamp, "first_seen": store.TraitFirstSeen, "last_seen": store.TraitLastSeen, "deleted": store.TraitDeleted,
}

// A wish is one column that a client wants records in order by.
type wish struct {
	column string
	desc   bool
}

// wishes reads an order: "timestamp desc", "Attribute.timestamp desc, id", or a list of such.
func wishes(v any, scope string) (ws []wish, err error) {
	ss, err := scalars("order", v)
	if err != nil {
		return nil, err
	}
	for one := range strings.SplitSeq(strings.Join(ss, ","), ",") {
		words := strings.Fields(strings.ToLower(one))
		if len(words) == 0 {
			continue
		}
		w := wish{column: strings.TrimPrefix(words[0], scope+".")}
		switch {
		case len(words) > 2 || len(words) == 2 && words[1] != "asc" && words[1] != "desc":
			return nil, tocsin.Errorf(tocsin.Invalid, "order: %q is no order; try \"timestamp desc\"", one)
		case len(words) == 2:
			w.desc = words[1] == "desc"
		}
		if ws = append(ws, w); len(ws) > len(traits) {
			return nil, tocsin.Errorf(tocsin.Invalid, "order: %d columns are too many", len(ws))
		}
	}
	return ws, nil
}

// readOrder settles the order of what is found. As in MISP, attributes of events that
// were asked for by number come event by event, and others in order of id.
func (s *search) readOrder() (err error) {
	if s.overObjects {
		return s.readObjectOrder()
	}
	if s.overEvents {
		s.sorted, err = s.c.eventOrder(s.said["order"])
		return err
	}
	ws, err := wishes(s.said["order"], "attribute")
	for _, w := range ws {
		t, ok := traits[w.column]
		if !ok {
			return noColumn("order", w.column, traits)
		}
		s.q.Order = append(s.q.Order, store.Order{By: t, Desc: w.desc})
	}
	if len(ws) == 0 && s.byNumber {
		s.q.Order = []store.Order{{By: store.TraitEvent}}
	}
	return err
}

func noColumn[T any](name, column string, known map[string]T) error {
	return tocsin.Errorf(tocsin.Invalid, "%s: there is no column %q to sort by; try one of %v", name, column, slices.Sorted(maps.Keys(known)))
}

// eventOrders are what events can be put in order by.
var eventOrders = map[string]func(a, b *tocsin.Event) int{
	"id":                func(a, b *tocsin.Event) int { return cmp.Compare(a.ID, b.ID) },
	"uuid":              func(a, b *tocsin.Event) int { return cmp.Compare(a.UUID.String(), b.UUID.String()) },
	"timestamp":         func(a, b *tocsin.Event) int { return cmp.Compare(a.Timestamp, b.Timestamp) },
	"publish_timestamp": func(a, b *tocsin.Event) int { return cmp.Compare(a.PublishedAt, b.PublishedAt) },
	"date":              func(a, b *tocsin.Event) int { return cmp.Compare(a.Date, b.Date) },
	"info":              func(a, b *tocsin.Event) int { return cmp.Compare(a.Info, b.Info) },
	"attribute_count":   func(a, b *tocsin.Event) int { return cmp.Compare(a.Attributes, b.Attributes) },
	"threat_level_id":   func(a, b *tocsin.Event) int { return cmp.Compare(a.Threat, b.Threat) },
	"analysis":          func(a, b *tocsin.Event) int { return cmp.Compare(a.Analysis, b.Analysis) },
	"distribution":      func(a, b *tocsin.Event) int { return cmp.Compare(a.Distribution, b.Distribution) },
	"sharing_group_id":  func(a, b *tocsin.Event) int { return cmp.Compare(a.Group, b.Group) },
	"published":         func(a, b *tocsin.Event) int { return cmp.Compare(bit(a.Published), bit(b.Published)) },
	"org_id":            func(a, b *tocsin.Event) int { return cmp.Compare(a.Org, b.Org) },
	"orgc_id":           func(a, b *tocsin.Event) int { return cmp.Compare(a.Orgc, b.Orgc) },
	"user_id":           func(a, b *tocsin.Event) int { return cmp.Compare(a.User, b.User) },
}

// eventOrder reads the order of events; nil is that of ids.
func (c *call) eventOrder(v any) (func(a, b *tocsin.Event) int, error) {
	ws, err := wishes(v, "event")
	if err != nil || len(ws) == 0 {
		return nil, err
	}
	orders := maps.Clone(eventOrders)
	orders["org.name"] = func(a, b *tocsin.Event) int { return cmp.Compare(c.briefOrg(a.Org).Name, c.briefOrg(b.Org).Name) }
	orders["orgc.name"] = func(a, b *tocsin.Event) int { return cmp.Compare(c.briefOrg(a.Orgc).Name, c.briefOrg(b.Orgc).Name) }
	by := make([]func(a, b *tocsin.Event) int, len(ws))
	for i, w := range ws {
		of, ok := orders[w.column]
		if !ok {
			return nil, noColumn("order", w.column, orders)
		}
		by[i] = of
		if w.desc {
			by[i] = func(a, b *tocsin.Event) int { return of(b, a) }
		}
	}
	return func(a, b *tocsin.Event) int {
		for _, of := range by {
			if n := of(a, b); n != 0 {
				return n
			}
		}
		return cmp.Compare(a.ID, b.ID)
	}, nil
}
