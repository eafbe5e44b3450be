package httpd

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// meters are what Prometheus sees, in a registry of our own.
type meters struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	page     http.Handler
}

func (s *Server) startMeters() {
	m := &s.meters
	m.registry = prometheus.NewRegistry()
	m.requests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tocsin_http_requests_total", Help: "Requests answered, by route and status.",
	}, []string{"pattern", "status"})
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "tocsin_http_request_seconds", Help: "Seconds that requests took, by route.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30, 300},
	}, []string{"pattern"})
	m.registry.MustRegister(m.requests, m.took, logMeter{s.db},
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	s.Gauge("tocsin_http_requests_under_way", "Requests being answered.", func() float64 { return float64(len(s.slots)) })
	m.page = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{DisableCompression: true})
}

// Gauge adds a number to /metrics, asked for when somebody reads it.
func (s *Server) Gauge(name, help string, value func() float64) {
	s.meters.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value))
}

// Registry is for metrics with labels of their own.
func (s *Server) Registry() *prometheus.Registry { return s.meters.registry }

// metrics is for those who run the exchange: how busy it is and with what is
// not every member's business. A read-only key will do.
func (s *Server) metrics(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if !v.SeesAll() {
		return tocsin.Errorf(tocsin.Forbidden, "metrics are for site administrators; a read-only key will do")
	}
	s.meters.page.ServeHTTP(w, r)
	return nil
}

func (m *meters) request(x *exchange, took time.Duration) {
	pattern := "-"
	if x.route != nil {
		pattern = x.route.Pattern
	}
	m.requests.WithLabelValues(pattern, strconv.Itoa(max(x.status, 0))).Inc()
	m.took.WithLabelValues(pattern).Observe(took.Seconds())
}

// logMeter reads the log's head and its followers' places.
type logMeter struct{ db *store.DB }

var (
	headDesc  = prometheus.NewDesc("tocsin_log_head", "The last line of the log.", nil, nil)
	placeDesc = prometheus.NewDesc("tocsin_follower_place", "The last line that a follower has kept.", []string{"follower"}, nil)
	lagDesc   = prometheus.NewDesc("tocsin_follower_lag_lines", "How many lines a follower is behind.", []string{"follower"}, nil)
)

func (logMeter) Describe(ch chan<- *prometheus.Desc) {
	ch <- headDesc
	ch <- placeDesc
	ch <- lagDesc
}

func (m logMeter) Collect(ch chan<- prometheus.Metric) {
	places, head := m.db.Places(), m.db.Head()
	ch <- prometheus.MustNewConstMetric(headDesc, prometheus.GaugeValue, float64(head))
	for name, place := range places {
		ch <- prometheus.MustNewConstMetric(placeDesc, prometheus.GaugeValue, float64(place), name)
		ch <- prometheus.MustNewConstMetric(lagDesc, prometheus.GaugeValue, float64(max(0, head-place)), name)
	}
}
