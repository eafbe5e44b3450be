// Package api is the native API of the exchange: JSON with snake_case names over
// HTTP, NDJSON where there may be millions.
//
// Handlers read, ask and answer. What a viewer may see or do is asked by the
// store and the indexes, never here: a handler names its viewer and gets what
// that viewer can have.
package api

import (
	"net/http"

	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// An API answers from a store and from the parts that stand around it.
type API struct {
	db *store.DB
	Parts
	endings endings
}

// New returns the API over db. Routes of parts that are missing do not exist.
func New(db *store.DB, p Parts) *API { return &API{db: db, Parts: p} }

// Register puts the routes on s. This is the whole API on one page.
func (a *API) Register(s *httpd.Server) {
	s.Handle("GET /api/status", a.status)
	s.Handle("GET /api/why", a.why)
	s.Handle("POST /api/withdraw", a.withdraw)
	s.Handle("POST /api/sightings", a.see)
	s.Handle("POST /api/override", a.override)
	s.Handle("POST /api/uphold", a.uphold)
	if a.Guards != nil {
		s.Handle("GET /api/check", a.checkGuards)
		s.Handle("GET /api/guards", a.guards)
		s.Handle("POST /api/guards", a.loadGuard, httpd.Streams)
		s.Handle("GET /api/guards/{name}", a.guard)
		s.Handle("PATCH /api/guards/{name}", a.patchGuard)
		s.Handle("DELETE /api/guards/{name}", a.removeGuard)
		s.Handle("GET /api/guards/{name}/entries", a.guardEntries)
		s.Handle("GET /api/assets/{name}", a.assets)
		s.Handle("PATCH /api/assets/{name}", a.patchAssets)
	}
	if a.Library != nil {
		s.Handle("GET /api/vocabularies", a.vocabularies)
		s.Handle("POST /api/vocabularies", a.takeVocabularies, httpd.Streams)
		s.Handle("POST /api/vocabularies/update", a.updateVocabularies)
		s.Handle("PATCH /api/vocabularies/{sort}/{name}", a.patchVocabulary)
	}
	if a.Index != nil {
		s.Handle("POST /api/lookup", a.lookup, httpd.Asks, httpd.Streams)
	}
	if a.Desk != nil {
		s.Handle("POST /api/import", a.importList, httpd.Streams)
	}
	if a.Writer != nil {
		s.Handle("GET /api/export", a.export)
	}
	if a.Lists != nil {
		s.Handle("GET /collections/{file}", a.list) // NAME.txt, NAME.rpz, NAME.hosts, …
	}
	if a.Feed != nil {
		s.HandlePublic("GET /feeds/{secret}/{file...}", func(w http.ResponseWriter, r *http.Request) error {
			return a.feed(w, r, s.Address(r))
		})
		s.HandlePublic("/feeds/", func(http.ResponseWriter, *http.Request) error { return errNoFeed }) // and no path in the log
	}
	if a.Config != nil {
		s.Handle("GET /api/subscribers/{name}/config", a.subscriberConfig)
	}
	// Each has GET list, POST add, and GET, PUT, PATCH and DELETE of one, by name or id.
	resource(s, "organisations", a.organisations())
	resource(s, "users", a.users())
	resource(s, "keys", a.keys())
	resource(s, "groups", a.groups())
	resource(s, "collections", a.collections())
	resource(s, "subscribers", a.subscribers())
	resource(s, "lifetimes", a.lifetimes())
	resource(s, "retentions", a.retentions())
	s.Handle("GET /api/imports", a.imports)
	s.Handle("GET /api/imports/{name}", a.importByID)
	nothing := func(_ http.ResponseWriter, r *http.Request, _ access.Viewer) error { return noPath(r) }
	s.Handle("/api/", nothing, httpd.Asks)
	s.Handle("/collections/", nothing, httpd.Asks)
}
