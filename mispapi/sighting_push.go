package mispapi

import (
	"encoding/json"
	"fmt"
	"net/http"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// What a peer asks and brings when it pushes sightings.

// maxUUIDs is how many records one call may ask about.
const maxUUIDs = 100_000

// knownSightings answers which of the uuids in the body are sightings of an event
// that whoever asks may know of: a peer need not push those.
func knownSightings(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	b, err := c.body()
	if err != nil {
		return err
	}
	var asked []string
	if err := json.Unmarshal(b, &asked); err != nil || len(asked) > maxUUIDs {
		return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, fmt.Sprintf("there should be a list of at most %d uuids", maxUUIDs))
	}
	uuids := []tocsin.UUID{}
	for _, text := range asked {
		if u, err := tocsin.ParseUUID(text); err == nil {
			uuids = append(uuids, u)
		}
	}
	known := []tocsin.UUID{}
	for s, err := range c.view.Sightings(c.r.Context(), store.RemarkQuery{UUIDs: uuids, Events: []int64{e.ID}}) {
		if err != nil {
			return err
		}
		known = append(known, s.UUID)
	}
	return c.reply(known)
}

// saveSightings takes in what a peer knows of sightings of an event. Those that are
// here already, and those of attributes that are not, are passed over.
func saveSightings(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	var brought []*tocsin.Sighting
	err = misp.DecodeSightings(c.r.Body, func(s *misp.Sighting) error {
		if len(brought) == maxUUIDs {
			return tocsin.Errorf(tocsin.Invalid, "more than %d sightings in one call", maxUUIDs)
		}
		if w := sightedByWhoPushes(s.Words()); !w.About.UUID.IsZero() {
			brought = append(brought, w)
		}
		return nil
	})
	if err != nil && !misp.IsEmpty(err) {
		return c.undecoded(err, "No valid sighting data received.")
	}
	added := 0
	err = c.change(func(tx *store.Tx) error {
		for _, s := range brought {
			a, _, err := tx.AttributeByUUID(s.About.UUID)
			if err == nil && a.Event == e.ID {
				s.To = tocsin.Link{Kind: tocsin.KindEvent, ID: e.ID}
				err = store.AddRemark(tx, s)
			} else if err == nil {
				continue
			}
			switch code := tocsin.CodeOf(err); {
			case err == nil:
				added++
			case code == tocsin.NotFound || code == tocsin.Conflict || code == tocsin.Gone || code == tocsin.Invalid:
			default:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(struct {
		Saved   bool   `json:"saved"`
		Success string `json:"success"`
	}{true, fmt.Sprintf("%d sightings added.", added)})
}
