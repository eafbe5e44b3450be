package mispapi

import (
	"cmp"
	"slices"

	"tocsin"
	"tocsin/store"
)

// maxListed is how many sightings are put in order of time, or beside the attributes
// of one event; those added last if there are more.
const maxListed = 100_000

// indexSightings answers with the sightings of an event, or with all.
func indexSightings(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	q := store.RemarkQuery{}
	if c.arg(0) != "" {
		e, err := c.event(c.arg(0))
		if err != nil {
			return err
		}
		q.Events = []int64{e.ID}
	}
	if err := c.ofOrgs(&q, said["org_id"]); err != nil {
		return c.invalid(err)
	}
	if q.Limit, q.Offset, err = page(said); err != nil {
		return c.invalid(err)
	}
	enc, out := c.encoder(), c.stream(mediaJSON)
	out.b = append(out.b, '[')
	first := true
	for s, err := range c.view.Sightings(c.r.Context(), q) {
		if err != nil {
			return err
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = enc.AppendSighting(out.b, s)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// page reads limit and page.
func page(said map[string]any) (limit, offset int64, err error) {
	if limit, err = count("limit", said["limit"]); err != nil {
		return 0, 0, err
	}
	n, err := count("page", said["page"])
	return limit, max(0, n-1) * limit, err
}

// listSightings answers with the sightings of an event or an attribute, the latest
// first: /sightings/listSightings/12/attribute, or {"id": 12, "context": "event"}.
func listSightings(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	id, context := cmp.Or(c.arg(0), textOf(said["id"])), cmp.Or(c.arg(1), textOf(said["context"]), "attribute")
	q := store.RemarkQuery{Newest: true, Limit: maxListed}
	if err := c.within(&q, context, id); err != nil {
		return err
	}
	if err := c.ofOrgs(&q, said["org_id"]); err != nil {
		return c.invalid(err)
	}
	var found []*tocsin.Sighting
	for s, err := range c.view.Sightings(c.r.Context(), q) {
		if err != nil {
			return err
		}
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b *tocsin.Sighting) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID)) })
	type org struct {
		Name string `json:"name"`
	}
	type row struct {
		Sighting sightingRow `json:"Sighting"`
		Org      org         `json:"Organisation"`
	}
	rows := []row{}
	for _, s := range found {
		r := row{Sighting: sightingWords(s)}
		if s.Orgc != 0 {
			r.Org.Name = c.briefOrg(s.Orgc).Name
		}
		rows = append(rows, r)
	}
	return c.reply(rows)
}

// within narrows sightings to those of one event or attribute. What is not the
// viewer's to see has none.
func (c *call) within(q *store.RemarkQuery, context, id string) error {
	switch context {
	case "event":
		e, err := c.event(id)
		if err != nil {
			return err
		}
		q.Events = []int64{e.ID}
	case "attribute":
		a, err := c.attribute(id)
		if err != nil {
			return err
		}
		q.About, q.AboutIDs = tocsin.KindAttribute, []int64{a.ID}
	default:
		return c.invalid(tocsin.Errorf(tocsin.Invalid, "context is attribute or event, not %q", context))
	}
	return nil
}

// ofOrgs narrows to what some organisations said: by id, uuid or name, "!" before
// one that is not meant.
func (c *call) ofOrgs(q *store.RemarkQuery, v any) error {
	if nothing(v) {
		return nil
	}
	s := &search{c: c}
	if err := s.byOrg("org_id", v); err != nil {
		return err
	}
	q.Orgs = s.q.Orgs
	return nil
}

// sightingsIn returns the sightings of an event's attributes, each list as JSON.
// The last event's are held, since attributes come in order of their events.
func (c *call) sightingsIn(event int64) (map[int64][]byte, error) {
	if c.sightings.event == event && c.sightings.of != nil {
		return c.sightings.of, nil
	}
	of := map[int64][]byte{}
	var found []*tocsin.Sighting
	for s, err := range c.view.Sightings(c.r.Context(), store.RemarkQuery{Events: []int64{event}, Newest: true, Limit: maxListed}) {
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	enc := c.encoder()
	for _, s := range slices.Backward(found) {
		b := of[s.About.ID]
		if b == nil {
			b = append(b, "[]"...)
		} else {
			b = append(b[:len(b)-1], ",]"...)
		}
		of[s.About.ID] = append(enc.AppendSighting(b[:len(b)-1], s), ']')
	}
	c.sightings.event, c.sightings.of = event, of
	return of, nil
}

// sightedAt returns when sightings of each of some events last came from a peer, as far
// as the viewer may know.
func (c *call) sightedAt(es []tocsin.Event) (map[int64]int64, error) {
	ids := make([]int64, len(es))
	for i := range es {
		ids[i] = es[i].ID
	}
	return c.view.Sighted(c.r.Context(), ids)
}
