// Package portal is the web portal: pages for people, made on the server, that
// work without scripts.
//
// A page names its viewer and shows what that viewer gets from the store. It
// decides nothing about who may see or change what; where it leaves a button
// out, that is a courtesy, and the store refuses all the same.
//
// What strangers wrote is shown so that it can neither run nor deceive: values
// are defanged, never links to where they point, and characters that can't be
// seen or that turn text around are spelled out.
//
// All pages lie under /portal/, since the paths at the root are those that MISP
// clients know.
package portal

import (
	"net/http"

	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// A Portal makes the pages over one store.
type Portal struct {
	db    *store.DB
	front *httpd.Server
	Parts
}

// New returns the portal over db.
func New(db *store.DB, p Parts) *Portal { return &Portal{db: db, Parts: p} }

// Register puts the pages on s. This is the whole portal on one page. Where GET
// and POST share a path, GET asks and POST does.
func (p *Portal) Register(s *httpd.Server) {
	p.front = s
	s.RenderErrors("/portal/", p.renderError)
	s.HandlePublic("GET /{$}", redirect("/portal/"))
	s.HandlePublic("GET /portal/static/{file}", static)
	s.HandlePublic("GET /portal/sign-in", p.signInForm)
	s.HandlePublic("POST /portal/sign-in", p.signIn, httpd.MaxBody(16<<10))
	s.HandlePublic("POST /portal/sign-out", p.signOut, httpd.MaxBody(16<<10))

	s.Handle("GET /portal/{$}", p.lookup)
	s.Handle("POST /portal/{$}", p.lookup, httpd.Asks, httpd.MaxBody(1<<20))

	s.Handle("GET /portal/events", p.events)
	s.Handle("GET /portal/events/{id}", p.event)
	for _, a := range actions {
		s.Handle("GET /portal/events/{id}/"+a.path, p.askAction(a))
		s.Handle("POST /portal/events/{id}/"+a.path, p.doAction(a))
	}
	s.Handle("GET /portal/events/{id}/distribution", p.distributionForm)
	s.Handle("POST /portal/events/{id}/distribution", p.distribution)
	s.Handle("GET /portal/attributes/{id}/withdraw", p.askWithdraw)
	s.Handle("POST /portal/attributes/{id}/withdraw", p.withdraw)
	s.Handle("GET /portal/attributes/{id}/override", p.askOverride)
	s.Handle("POST /portal/attributes/{id}/override", p.override)
	s.Handle("GET /portal/attributes/{id}/uphold", p.askUphold)
	s.Handle("POST /portal/attributes/{id}/uphold", p.uphold)
	if p.Desk != nil {
		s.Handle("GET /portal/share", p.shareForm)
		s.Handle("POST /portal/share", p.share)
		s.Handle("POST /portal/events/{id}/attributes", p.addAttributes)
	}

	s.Handle("GET /portal/collections", p.collections)
	s.Handle("GET /portal/collections/{id}", p.collection)
	if p.Config != nil {
		s.Handle("GET /portal/subscribers/{id}/config", p.config)
	}

	s.Handle("GET /portal/account", p.account)
	s.Handle("POST /portal/account/keys", p.addKey)
	s.Handle("POST /portal/account/keys/{id}/remove", p.removeKey)
	s.Handle("POST /portal/account/password", p.changePassword)
}

// redirect sends whoever comes here to path.
func redirect(path string) httpd.PublicHandler {
	return func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, path, http.StatusSeeOther)
		return nil
	}
}

// see sends whoever has changed something to where it can be seen.
func see(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}

// as is the store as v sees it.
func (p *Portal) as(v access.Viewer) store.View { return p.db.As(v) }
