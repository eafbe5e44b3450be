package api

import (
	"maps"
	"net/http"
	"slices"

	"tocsin"
	"tocsin/access"
)

// status says how the exchange is: where the log and its followers stand, and
// the collections that the viewer owns or receives.
func (a *API) status(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	view, head, places := a.db.As(v), a.db.Head(), a.db.Places()
	out := statusShape{Version: a.Version, Who: v.Name(), Head: head, Followers: []follower{}, Collections: []collectionStatus{}}
	for _, name := range slices.Sorted(maps.Keys(places)) {
		out.Followers = append(out.Followers, follower{name, places[name], max(0, head-places[name])})
	}
	for c := range view.Collections() {
		cs := collectionStatus{Name: c.Name, Zone: c.Zone, HotZone: c.HotZone, Subscribers: []subscriberStatus{}}
		for s := range view.Subscribers() {
			if s.Receives(c.ID) {
				cs.Subscribers = append(cs.Subscribers, a.subscriberStatus(c, s))
			}
		}
		out.Collections = append(out.Collections, cs)
	}
	return reply(w, http.StatusOK, out)
}

type statusShape struct {
	Version     string             `json:"version"`
	Who         string             `json:"who"`
	Head        tocsin.Seq         `json:"head"`
	Followers   []follower         `json:"followers"`
	Collections []collectionStatus `json:"collections"`
}

type follower struct {
	Name  string     `json:"name"`
	Place tocsin.Seq `json:"place"`
	Lag   tocsin.Seq `json:"lag"`
}

type collectionStatus struct {
	Name        string             `json:"name"`
	Zone        string             `json:"zone,omitempty"`
	HotZone     string             `json:"hot_zone,omitempty"`
	Subscribers []subscriberStatus `json:"subscribers"`
}

// A subscriberStatus has the serial that is meant for a subscriber beside the one
// that it was last known to hold. A zone's serial is that of its audience.
type subscriberStatus struct {
	Name      string     `json:"name"`
	Org       int64      `json:"org"`
	Serial    tocsin.Seq `json:"serial,omitempty"`
	Confirmed tocsin.Seq `json:"confirmed,omitempty"`
}

func (a *API) subscriberStatus(c *tocsin.Collection, s *tocsin.Subscriber) subscriberStatus {
	out := subscriberStatus{Name: s.Name, Org: s.Org}
	if a.Lists != nil {
		if l, err := a.Lists.List(c, a.organisation(s.Name, s.Org)); err == nil {
			out.Serial = l.Serial()
		}
	}
	if a.Serial != nil {
		out.Confirmed = a.Serial(s)
	}
	return out
}
