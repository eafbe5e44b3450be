// Package httpd is the HTTP front: it finds out who is asking, runs the handler,
// renders its error, holds the limits and writes one log line a request.
//
// The package knows nothing of what is asked for. A face registers its routes
// with [Server.Handle]; a [Handler] takes the viewer who asks, so there is none
// without one. What the viewer may see or do is asked where it is done.
package httpd

import (
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"tocsin/access"
	"tocsin/store"
)

// A Handler answers one viewer. It returns its error instead of rendering it.
type Handler func(w http.ResponseWriter, r *http.Request, v access.Viewer) error

// A PublicHandler answers anyone at all.
type PublicHandler func(w http.ResponseWriter, r *http.Request) error

// A Server is the HTTP front of a store.
type Server struct {
	db        *store.DB
	log       *slog.Logger
	now       func() time.Time
	proxies   []netip.Prefix
	secure    bool
	slots     chan struct{}
	crowd     sync.Mutex
	under     map[netip.Addr]int // requests under way, by address
	mux       *http.ServeMux
	routes    []Route
	renderers []renderer
	origin    *http.CrossOriginProtection
	doorman   doorman
	sessions  sessions
	meters    meters
	health    health
}

// Options are what a Server can be told. The zero Options are good.
type Options struct {
	Log *slog.Logger
	Now func() time.Time // the clock; time.Now if nil
	// MaxRequests is how many requests may be under way; beyond it we say that we
	// are busy. 0 means 1024.
	MaxRequests int
	// Proxies are the reverse proxies whose word we take for where a request comes
	// from (X-Forwarded-For) and whether it came over TLS (X-Forwarded-Proto).
	Proxies []netip.Prefix
	// Secure marks cookies for HTTPS only even where we see plain HTTP ourselves.
	Secure bool
}

const defaultMaxRequests = 1024

// New returns a server with its own routes: /healthz, /readyz and /metrics.
func New(db *store.DB, o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxRequests <= 0 {
		o.MaxRequests = defaultMaxRequests
	}
	s := &Server{
		db: db, log: o.Log, now: o.Now, proxies: o.Proxies, secure: o.Secure,
		slots:  make(chan struct{}, o.MaxRequests),
		mux:    http.NewServeMux(),
		origin: http.NewCrossOriginProtection(),
	}
	s.doorman.start(o.Now)
	s.sessions.start(o.Now)
	s.startMeters()
	s.HandlePublic("GET /healthz", s.healthz)
	s.HandlePublic("GET /readyz", s.readyz)
	s.Handle("GET /metrics", s.metrics)
	return s
}

// A Route is one line of the table of routes.
type Route struct {
	Pattern string // of [http.ServeMux]
	Public  bool   // anyone may ask
	Asks    bool   // changes nothing, so a read-only key may use it
	MaxBody int64  // octets of the request, after decompression; 0: no limit

	handler Handler
}

// An Option is something particular about a route.
type Option func(*Route)

// Asks says of a route that it changes nothing although its method is POST: a
// read-only key may use it. GET and HEAD need no such word.
func Asks(r *Route) { r.Asks = true }

// MaxBody replaces the limit on the request's body, [DefaultMaxBody].
func MaxBody(octets int64) Option { return func(r *Route) { r.MaxBody = octets } }

// Streams says of a route that its request may be of any length, for as long as
// bytes keep flowing: the handler works on them as they come.
func Streams(r *Route) { r.MaxBody = 0 }

// Handle registers h for whoever proves who they are.
func (s *Server) Handle(pattern string, h Handler, opts ...Option) {
	s.route(Route{Pattern: pattern, handler: h}, opts)
}

// HandlePublic registers h for anyone at all. Few routes need it.
func (s *Server) HandlePublic(pattern string, h PublicHandler, opts ...Option) {
	anyone := func(w http.ResponseWriter, r *http.Request, _ access.Viewer) error { return h(w, r) }
	s.route(Route{Pattern: pattern, Public: true, handler: anyone}, opts)
}

func (s *Server) route(rt Route, opts []Option) {
	rt.MaxBody = DefaultMaxBody
	rt.Asks = readsByMethod(rt.Pattern)
	for _, o := range opts {
		o(&rt)
	}
	s.routes = append(s.routes, rt)
	s.mux.HandleFunc(rt.Pattern, func(w http.ResponseWriter, r *http.Request) {
		x := w.(*exchange)
		x.route = &rt
		x.err = s.run(x, r)
	})
}

// Routes returns the table of routes, in the order in which they were registered.
func (s *Server) Routes() []Route { return append([]Route(nil), s.routes...) }
