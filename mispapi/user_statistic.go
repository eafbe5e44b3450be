package mispapi

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/store"
)

// userStatistics answers with figures: of all that the viewer may see, of organisations
// or of users. MISP writes them as texts.
func userStatistics(c *call) error {
	switch c.arg(0) {
	case "", "data":
		return c.statisticsOfData()
	case "orgs":
		return c.statisticsOfOrganisations()
	case "users":
		return c.statisticsOfUsers()
	case "tags":
		return c.statisticsOfTags()
	case "attributehistogram":
		return c.statisticsOfTypes()
	case "sightings":
		return c.statisticsOfSightings()
	}
	return c.no(http.StatusNotFound, tocsin.NotFound, "Invalid page. Try one of: data, orgs, users, tags, attributehistogram, sightings.")
}

func (c *call) statisticsOfData() error {
	now := c.db.Now().UTC()
	month := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	ctx := c.r.Context()
	events, err := c.view.CountEvents(ctx, store.EventQuery{})
	if err != nil {
		return err
	}
	eventsNow, err := c.view.CountEvents(ctx, store.EventQuery{DateFrom: month.Format(time.DateOnly)})
	if err != nil {
		return err
	}
	attributes, err := c.view.CountAttributes(ctx, store.Query{})
	if err != nil {
		return err
	}
	attributesNow, err := c.view.CountAttributes(ctx, store.Query{Since: month.Unix()})
	if err != nil {
		return err
	}
	proposals, err := c.view.CountRemarks(ctx, tocsin.KindProposal, store.RemarkQuery{})
	if err != nil {
		return err
	}
	var users, pgp, orgs, local int64
	for u := range c.view.Users() {
		users++
		if u.PGP != "" {
			pgp++
		}
	}
	for o := range c.view.Organisations() {
		orgs++
		if o.Local {
			local++
		}
	}
	stats := map[string]string{}
	for name, n := range map[string]int64{"event_count": events, "event_count_month": eventsNow, "attribute_count": attributes, "attribute_count_month": attributesNow,
		"attributes_per_event": per(attributes, events), "correlation_count": 0, "proposal_count": proposals, "user_count": users, "user_count_pgp": pgp,
		"org_count": orgs, "local_org_count": local, "average_user_per_org": per(users, local), "thread_count": 0, "thread_count_month": 0, "post_count": 0, "post_count_month": 0} {
		stats[name] = itoa(n)
	}
	stats["contributing_org_count"] = c.contributing()
	return c.reply(map[string]any{"stats": stats})
}

func per(n, of int64) int64 {
	if of == 0 {
		return 0
	}
	return (n + of/2) / of
}

// contributing is how many organisations made events that the viewer may see, and an
// empty text for none, as in MISP.
func (c *call) contributing() string {
	n := 0
	for o := range c.view.Organisations() {
		if k, err := c.view.CountEvents(c.r.Context(), store.EventQuery{Orgs: []int64{o.ID}}); err == nil && k > 0 {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func (c *call) statisticsOfOrganisations() error {
	users := map[int64]int{}
	for u := range c.view.Users() {
		users[u.Org]++
	}
	out := map[string]any{}
	for o := range c.view.Organisations() {
		n, err := c.view.CountEvents(c.r.Context(), store.EventQuery{Orgs: []int64{o.ID}})
		if err != nil {
			return err
		}
		out[o.Name] = map[string]any{"id": o.ID, "name": o.Name, "nationality": o.Nationality, "sector": o.Sector, "type": o.Type, "local": o.Local,
			"eventCount": n, "userCount": users[o.ID]}
	}
	return c.reply(out)
}

func (c *call) statisticsOfUsers() error {
	var users, local, external int
	for range c.view.Users() {
		users++
	}
	for o := range c.view.Organisations() {
		if o.Local {
			local++
		} else {
			external++
		}
	}
	return c.reply(struct {
		Users    int `json:"user"`
		Local    int `json:"org_local"`
		External int `json:"org_external"`
	}{users, local, external})
}

// statisticsOfTags says how many events carry each tag, flat and by the part of its name
// before the colon.
func (c *call) statisticsOfTags() error {
	n, err := c.view.TallyEvents(c.r.Context(), store.EventQuery{})
	if err != nil {
		return err
	}
	flat, of := []any{}, map[string][]any{}
	for _, id := range slices.Sorted(maps.Keys(n)) {
		t, err := store.One[*tocsin.Tag](c.view, id)
		if err != nil {
			continue
		}
		flat = append(flat, map[string]any{"name": t.Name, "size": n[id], "colour": t.Colour})
		space, _, ok := strings.Cut(t.Name, ":")
		if !ok {
			space = "custom"
		}
		of[space] = append(of[space], map[string]any{"name": t.Name, "size": n[id]})
	}
	spaces := []any{}
	for _, space := range slices.Sorted(maps.Keys(of)) {
		spaces = append(spaces, map[string]any{"name": space, "children": of[space]})
	}
	return c.reply(struct {
		Flat []any `json:"flatData"`
		Tree any   `json:"treemap"`
	}{flat, map[string]any{"name": "tags", "children": spaces}})
}

// statisticsOfTypes says of each organisation how many attributes of each type its
// events hold.
func (c *call) statisticsOfTypes() error {
	rows := []any{}
	for o := range c.view.Organisations() {
		n, err := c.view.Tally(c.r.Context(), store.TraitType, store.Query{Orgs: []int64{o.ID}})
		if err != nil {
			return err
		}
		data := map[string]int64{}
		for id, count := range n {
			data[typeName(uint16(id))] = int64(count)
		}
		if len(data) > 0 {
			rows = append(rows, map[string]any{"name": o.Name, "id": o.ID, "data": data})
		}
	}
	return c.reply(rows)
}

// mostSightings is how many of the newest sightings are looked at.
const mostSightings = 100_000

// statisticsOfSightings says how often something of each event was seen, and in which
// event most.
func (c *call) statisticsOfSightings() error {
	n := map[string]int64{}
	for s, err := range c.view.Sightings(c.r.Context(), store.RemarkQuery{Newest: true, Limit: mostSightings}) {
		if err != nil {
			return err
		}
		n[itoa(s.Event)]++
	}
	type row struct {
		Event string `json:"event_id"`
		Count int64  `json:"count"`
	}
	top := []row{}
	for event, count := range n {
		top = append(top, row{event, count})
	}
	slices.SortFunc(top, func(a, b row) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Event, b.Event)) })
	return c.reply(struct {
		Top    []row `json:"toplist"`
		Events any   `json:"eventids"`
	}{top, emptyList(n)})
}
