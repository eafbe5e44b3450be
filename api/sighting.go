package api

import (
	"net/http"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// sightingTypes are what a sighting can say, as the API calls it.
var sightingTypes = map[string]tocsin.SightingType{"": tocsin.Seen, "seen": tocsin.Seen,
	"false-positive": tocsin.FalsePositive, "ended": tocsin.Expiration, "confirmed": tocsin.Confirmed}

// see adds a sighting of every claim on a value that the viewer may see:
// {"value": "evil.example", "type": "false-positive"}. What that does to a claim
// depends on whose it is; the answer says how many there were.
func (a *API) see(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	var in struct {
		Value  string    `json:"value"`
		Type   string    `json:"type"`
		Source string    `json:"source"`
		At     time.Time `json:"at"`
	}
	b, err := body(r)
	if err != nil {
		return err
	}
	if err := decode(b, &in); err != nil {
		return err
	}
	typ, ok := sightingTypes[in.Type]
	if !ok {
		return tocsin.Errorf(tocsin.Invalid, "no sighting of type %q; there are seen, false-positive, ended and confirmed", in.Type)
	}
	value, err := indicator.Detect(in.Value)
	if err != nil {
		return tocsin.Errorf(tocsin.Invalid, "%w", err)
	}
	s := tocsin.Sighting{Type: typ, Source: in.Source}
	if !in.At.IsZero() {
		s.At = in.At.Unix()
	}
	var seen []*tocsin.Sighting
	seq, err := a.db.Apply(r.Context(), v, func(tx *store.Tx) (err error) {
		seen, err = tx.SeeValue(s, store.Query{Keys: value.Keys()[:1], Limit: maxClaims + 1})
		if len(seen) > maxClaims {
			return tocsin.Errorf(tocsin.Invalid, "more than %d claims are about %s; say which attribute is meant", maxClaims, value)
		}
		return err
	})
	if err != nil {
		return err
	}
	if len(seen) == 0 {
		return tocsin.Errorf(tocsin.NotFound, "nobody whom you may see claims %s", value)
	}
	return reply(w, http.StatusOK, map[string]any{"value": value.String(), "claims": len(seen), "seq": seq})
}
