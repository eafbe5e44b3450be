package mispapi

import (
	"net/http"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

// listForObject reports whether a body is a list where one record is expected.
// MISP 2.5 finds none of the fields that it knows in one, and takes the call as if
// nothing was said: PyMISP 2.5's suite adds a sighting so.
func listForObject(body []byte) bool { return len(body) > 0 && body[0] == '[' }

// nothingSighted is MISP 2.5's answer to a sighting of what is not there: status
// 200, and a sentence that says so. PyMISP 2.5 hands it on as it is.
func nothingSighted(c *call) error {
	return c.reply(struct {
		Message string `json:"message"`
	}{"Could not add the Sighting. Reason: No valid attributes found that match the criteria."})
}

// uncountedSightings is what MISP 2.5 says in X-Result-Count of a search for
// sightings, however many there are.
const uncountedSightings = "0"

// searchesAsMember reports whether a search for sightings shows whoever asks no more
// than a member of its organisation is shown: MISP 2.5 holds site administrators
// to the policy there (and nowhere else), by whose event and whose sighting it is.
func searchesAsMember(c *call) func(*tocsin.Sighting, *tocsin.Event) bool {
	policy := "0"
	if s, err := store.ByName[*tocsin.Setting](c.view, tocsin.SightingPolicy); err == nil {
		policy = s.Value
	}
	if !c.v.Administers() || policy == "2" {
		return func(*tocsin.Sighting, *tocsin.Event) bool { return true }
	}
	host := ""
	if s, err := store.ByName[*tocsin.Setting](c.view, tocsin.HostOrganisation); err == nil && policy == "3" {
		host = s.Value
	}
	return func(s *tocsin.Sighting, e *tocsin.Event) bool {
		return s.Orgc == c.v.Org() || e.Org == c.v.Org() || host != "" && itoa(s.Orgc) == host || policy == "1" && c.hasSighted(e.ID)
	}
}

// hasSighted reports whether the viewer's organisation sighted something in an event.
func (c *call) hasSighted(event int64) bool {
	n, err := c.view.CountRemarks(c.r.Context(), tocsin.KindSighting, store.RemarkQuery{Events: []int64{event}, Orgs: []int64{c.v.Org()}})
	return err == nil && n > 0
}

// sightedByWhoPushes takes a sighting that a peer brings as the peer's own word:
// MISP 2.5 leaves aside whose it was said to be.
func sightedByWhoPushes(s *tocsin.Sighting) *tocsin.Sighting {
	s.Org, s.Orgc = 0, 0
	return s
}

// authorsSaid are the authors of a cluster that is edited: MISP 2.5 takes an edit that
// names none for one that says there are none.
func authorsSaid(in *misp.Cluster) []string { return in.Authors }

// unsharedDefaults is the distribution of a cluster as a client takes it: PyMISP 2.5.34
// refuses to read a published cluster, and with it any event that it is on, if a
// distribution is said of it. MISP 2.5.1 says 3.
func unsharedDefaults(r *http.Request, row *clusterRow) access.Distribution {
	if row.Default && strings.HasPrefix(r.UserAgent(), "PyMISP") {
		return access.OrgOnly
	}
	return row.Distribution
}
