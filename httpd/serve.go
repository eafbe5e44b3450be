package httpd

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
)

// ServeHTTP answers one request: it is the life of a request from end to end.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{w: w, ctl: http.NewResponseController(w), r: r, id: rand.Text()[:12], start: s.now(), idle: idle}
	x.renew()
	secure(x.Header())
	x.Header().Set("X-Request-Id", x.id)
	defer s.finish(x)
	if !vital(r) {
		leave, ok := s.enter(s.Address(r))
		if !ok {
			x.err = tocsin.Errorf(tocsin.Busy, "too many requests are under way; try again in a moment")
			return
		}
		defer leave()
	}
	s.mux.ServeHTTP(x, r)
	if x.unrouted != 0 {
		x.err = noRoute(x)
	}
}

// vital are the questions whether we are well, which need an answer most when
// nothing else gets one.
func vital(r *http.Request) bool { return r.URL.Path == "/healthz" || r.URL.Path == "/readyz" }

// enter takes a place for a request. No address gets more than half of them, so
// that one client with many slow requests does not shut out everybody.
func (s *Server) enter(from netip.Addr) (leave func(), ok bool) {
	s.crowd.Lock()
	defer s.crowd.Unlock()
	if s.under == nil {
		s.under = map[netip.Addr]int{}
	}
	if s.under[from] >= (cap(s.slots)+1)/2 {
		return nil, false
	}
	select {
	case s.slots <- struct{}{}:
	default:
		return nil, false
	}
	s.under[from]++
	return func() {
		<-s.slots
		s.crowd.Lock()
		defer s.crowd.Unlock()
		if s.under[from]--; s.under[from] == 0 {
			delete(s.under, from)
		}
	}, true
}

// run finds out who asks and lets the route's handler answer. A panic is an
// error like any other.
func (s *Server) run(x *exchange, r *http.Request) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = errAborted
		default:
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	// The server below asks its own request whether all of the body was read. If
	// it were handed back another body, it would take the rest of an unread one for
	// the next request on the connection.
	r = r.WithContext(r.Context())
	if err := s.openBody(x, r); err != nil {
		return err
	}
	x.compress = wantsGzip(r)
	if x.route.Public {
		if err := s.sameOrigin(r); err != nil {
			return err
		}
		return x.route.handler(x, r, access.Viewer{})
	}
	id, err := s.identify(r)
	if err != nil {
		return err
	}
	x.who = id.viewer.Name()
	if id.readOnly && !x.route.Asks && !reads(r.Method) {
		return tocsin.Errorf(tocsin.Forbidden, "this key is read-only")
	}
	return x.route.handler(x, r, id.viewer)
}

// readsByMethod reports whether a pattern's method changes nothing (RFC 9110,
// section 9.2.1).
func readsByMethod(pattern string) bool {
	method, _, _ := strings.Cut(pattern, " ")
	return reads(method)
}

// reads is the same of a method. A pattern may name none: then the request's counts.
func reads(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// noRoute says what the mux found out: no such path, or not with this method.
func noRoute(x *exchange) error {
	if x.unrouted == http.StatusMethodNotAllowed {
		return &statusError{http.StatusMethodNotAllowed,
			tocsin.Errorf(tocsin.Invalid, "%s is not possible here; try one of [%s]", x.r.Method, x.Header().Get("Allow"))}
	}
	return tocsin.Errorf(tocsin.NotFound, "there is nothing at %s", x.r.URL.Path)
}

// finish renders the error, ends the answer and writes the log line. What failed
// midway must not look finished, so its connection is broken.
func (s *Server) finish(x *exchange) {
	unread := x.err != nil && !x.begun && x.body.unread()
	if x.err != nil && !x.begun {
		x.refused = true
		if unread {
			x.Header().Set("Connection", "close")
		}
		s.render(x)
	}
	if x.err == nil || x.refused {
		x.err = cmp.Or(x.err, x.end())
	}
	if unread {
		x.linger()
	}
	took := s.now().Sub(x.start)
	s.record(x, took)
	s.meters.request(x, took)
	if x.err != nil && !x.refused {
		panic(http.ErrAbortHandler)
	}
}

// secure sets the headers that keep a browser from doing what the pages did not
// ask for. Everything comes from this origin; nothing is inline.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "+
		"font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	// What is answered depends on who asks, so nobody in between keeps it.
	h.Set("Cache-Control", "private, no-cache")
}

// idle is for how long no byte may flow before we hang up.
const idle = time.Minute
