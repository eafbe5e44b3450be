package mispapi

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// What instances ask each other before they push and pull.

// speaksForInstance refuses whoever does not speak for another instance.
func (c *call) speaksForInstance() error {
	if !c.v.May(access.Sync) {
		return c.no(http.StatusForbidden, tocsin.Forbidden, notPermitted)
	}
	return nil
}

// maxOffered is how many events one question may be about.
const maxOffered = 100_000

// eventsWanted answers which of the events that are offered are newer than here, or not
// here at all: those are to be pushed. What is here and was not brought from elsewhere
// is not overwritten. An event that the viewer can't see is not here.
func eventsWanted(c *call) error {
	if err := c.speaksForInstance(); err != nil {
		return err
	}
	b, err := c.body()
	if err != nil {
		return err
	}
	var offered []struct {
		Event struct {
			UUID      text `json:"uuid"`
			Timestamp text `json:"timestamp"`
		}
	}
	if err := json.Unmarshal(b, &offered); err != nil {
		return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	if len(offered) > maxOffered {
		return c.because(http.StatusForbidden, tocsin.Invalid, "Too many events.", fmt.Sprintf("ask about no more than %d at a time", maxOffered))
	}
	var asked []tocsin.UUID
	for _, o := range offered {
		if u, err := tocsin.ParseUUID(string(o.Event.UUID)); err == nil {
			asked = append(asked, u)
		}
	}
	here := map[tocsin.UUID]tocsin.Event{}
	for chunk := range slices.Chunk(asked, 1000) {
		for e, err := range c.view.Events(c.r.Context(), store.EventQuery{UUIDs: chunk}) {
			if err != nil {
				return err
			}
			here[e.UUID] = e
		}
	}
	wanted := []tocsin.UUID{}
	for _, o := range offered {
		u, err := tocsin.ParseUUID(string(o.Event.UUID))
		if err != nil || c.blocked(u) {
			continue
		}
		at, _ := strconv.ParseInt(string(o.Event.Timestamp), 10, 64)
		if e, ok := here[u]; !ok || e.Locked && e.Timestamp < at {
			wanted = append(wanted, u)
		}
	}
	return c.reply(wanted)
}

// blocked reports whether an event is kept out: it would be refused when it came, so it
// is not asked for. Peers learn that from the refusal, too.
func (c *call) blocked(u tocsin.UUID) bool { return c.keptOut(tocsin.KindEvent, u) }

// shutOut reports whether events of the viewer's own organisation are kept out, which
// MISP looks at before it looks at the event.
func (c *call) shutOut() bool { return c.keptOut(tocsin.KindOrganisation, c.briefOrg(c.v.Org()).UUID) }

func (c *call) keptOut(of tocsin.Kind, u tocsin.UUID) bool {
	_, err := store.ByName[*tocsin.Block](c.db.As(access.System("mispapi: what is kept out is refused, whoever asks")),
		(&tocsin.Block{Of: of, UUID: u}).RecordName())
	return err == nil
}

// postTest answers with what arrived, so that a peer sees whether anything on the way
// changes it.
func postTest(c *call) error {
	if err := c.speaksForInstance(); err != nil {
		return err
	}
	b, err := c.body()
	if err != nil {
		return err
	}
	body, err := decodeObject(b)
	if err != nil {
		return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	return c.reply(map[string]any{
		"body": body,
		"headers": map[string]string{"Content-type": c.r.Header.Get("Content-Type"), "Accept": c.r.Header.Get("Accept"),
			"Authorization": "OK"}, // it was, or nobody would come here
	})
}

// syncRules answers with the organisations and tags by which a peer may choose what it
// pulls.
func syncRules(c *call) error {
	if err := c.speaksForInstance(); err != nil {
		return err
	}
	orgs, tags := []string{}, []string{}
	for o := range c.view.Organisations() {
		orgs = append(orgs, o.Name)
	}
	on, err := c.tagsInUse()
	if err != nil {
		return err
	}
	for t := range c.view.Tags() {
		on[t.ID] = true
	}
	for id := range on {
		if t, err := store.One[*tocsin.Tag](c.view, id); err == nil {
			tags = append(tags, t.Name)
		}
	}
	slices.SortFunc(orgs, cmp.Compare[string])
	slices.SortFunc(tags, cmp.Compare[string])
	return c.reply(map[string]any{"organisations": orgs, "tags": tags})
}

// tagsInUse are the tags that stand on what the viewer may see.
func (c *call) tagsInUse() (map[int64]bool, error) {
	on := map[int64]bool{}
	events, err := c.view.TallyEvents(c.r.Context(), store.EventQuery{})
	if err != nil {
		return nil, err
	}
	attributes, err := c.view.Tally(c.r.Context(), store.TraitTag, store.Query{})
	for _, n := range []map[int64]int64{events, attributes} {
		for id := range n {
			on[id] = true
		}
	}
	return on, err
}
