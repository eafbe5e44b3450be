package main

import (
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin/collection"
	"tocsin/intake"
	"tocsin/rpz"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// meters count what the parts of the exchange tell of themselves; httpd adds what
// it sees of requests, of the log and of the process. deploy/grafana and
// deploy/prometheus draw on them, and a test looks that they do.
type meters struct {
	ended        atomic.Int64 // transactions of the writer, whatever became of them
	commits      prometheus.Histogram
	writes       *prometheus.CounterVec
	lookups      prometheus.Counter
	importing    prometheus.Gauge
	imported     *prometheus.CounterVec
	transfers    *prometheus.CounterVec
	transferred  *prometheus.CounterVec
	transferTook *prometheus.HistogramVec
	notifies     *prometheus.CounterVec
	zoneMoved    *prometheus.GaugeVec
}

func newMeters() *meters {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &meters{
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "tocsin_commit_seconds", Help: "Seconds that a transaction of the writer took, its sync to the disk included.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}}),
		writes: counter("tocsin_writes_total", "Writes that ended, by outcome: kept, refused (not allowed, not valid, or nobody waited any more), failed.", "outcome"),
		lookups: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tocsin_lookups_total", Help: "Keys of values that were looked up over the native API."}),
		importing: prometheus.NewGauge(prometheus.GaugeOpts{Name: "tocsin_imports_under_way", Help: "Lists that are being imported."}),
		imported:  counter("tocsin_import_lines_total", "Lines of imported lists, by outcome: written, duplicate, refused, withdrawn (before, and not revived).", "outcome"),
		transfers: counter("tocsin_transfers_total",
			"Zone transfers, by kind (AXFR: the whole zone; IXFR: what changed; current: nothing was new) and outcome (sent, broken).", "kind", "outcome"),
		transferred: counter("tocsin_transfer_bytes_total", "Octets of zone transfers, by kind.", "kind"),
		transferTook: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tocsin_transfer_seconds", Help: "Seconds that zone transfers took, by kind.",
			Buckets: []float64{.0005, .001, .005, .01, .05, .1, .5, 1, 5, 30, 120}}, []string{"kind"}),
		notifies: counter("tocsin_notifies_total", "Places told of a new serial, by outcome: answered, or failed after all tries.", "outcome"),
		zoneMoved: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "tocsin_zone_changed_timestamp_seconds", Help: "When a zone last got another serial, in seconds since 1970; at the start it counts as new."}, []string{"zone"}),
	}
	// What has not happened yet is 0, not unknown.
	for _, o := range []string{"kept", "refused", "failed"} {
		m.writes.WithLabelValues(o)
	}
	for _, o := range []string{"written", "duplicate", "refused", "withdrawn"} {
		m.imported.WithLabelValues(o)
	}
	for _, k := range []rpz.Kind{rpz.Full, rpz.Incremental, rpz.Current} {
		m.transfers.WithLabelValues(string(k), "sent")
		m.transfers.WithLabelValues(string(k), "broken")
		m.transferred.WithLabelValues(string(k))
		m.transferTook.WithLabelValues(string(k))
	}
	for _, o := range []string{"answered", "failed"} {
		m.notifies.WithLabelValues(o)
	}
	return m
}

func (m *meters) committed(c store.Commit) {
	m.ended.Add(1)
	m.commits.Observe(c.Took.Seconds())
	m.writes.WithLabelValues("kept").Add(float64(c.Kept))
	m.writes.WithLabelValues("refused").Add(float64(c.Refused))
	m.writes.WithLabelValues("failed").Add(float64(c.Failed))
}

// imports counts one import: what it has come to, again and again, and its end.
func (m *meters) imports() (counts func(intake.Progress), done func()) {
	m.importing.Inc()
	var was intake.Progress
	return func(p intake.Progress) {
		m.imported.WithLabelValues("written").Add(float64(max(0, p.Written-was.Written)))
		m.imported.WithLabelValues("duplicate").Add(float64(max(0, p.Duplicates-was.Duplicates)))
		m.imported.WithLabelValues("refused").Add(float64(max(0, p.Refused-was.Refused)))
		m.imported.WithLabelValues("withdrawn").Add(float64(max(0, p.Withdrawn-was.Withdrawn)))
		was = p
	}, m.importing.Dec
}

func (m *meters) served(h rpz.Handover) {
	kind, outcome := string(h.Kind), "sent"
	if h.Err != nil {
		outcome = "broken"
	}
	m.transfers.WithLabelValues(kind, outcome).Inc()
	m.transferred.WithLabelValues(kind).Add(float64(h.Bytes))
	m.transferTook.WithLabelValues(kind).Observe(h.Took.Seconds())
}

func (m *meters) heard(n rpz.Notice) {
	outcome := "answered"
	if n.Err != nil {
		outcome = "failed"
	}
	m.notifies.WithLabelValues(outcome).Inc()
}

func (m *meters) moved(z collection.Moved) {
	m.zoneMoved.WithLabelValues(z.Origin).Set(float64(time.Now().Unix()))
}

// register puts everything on /metrics.
func (m *meters) register(r prometheus.Registerer, x *exchange, c config) {
	r.MustRegister(m.commits, m.writes, m.lookups, m.importing, m.imported, m.transfers, m.transferred, m.transferTook,
		m.notifies, m.zoneMoved, stateOf{x, c})
}

// stateOf is what is looked up when somebody scrapes.
type stateOf struct {
	x *exchange
	c config
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	buildDesc       = desc("tocsin_build_info", "Always 1; its label is the version.", "version")
	storeDesc       = desc("tocsin_store_bytes", "Octets on disk, by part: database, write_ahead_log, match, collections.", "part")
	freeDesc        = desc("tocsin_disk_free_bytes", "Octets that can still be written where the data folder is.")
	backupDesc      = desc("tocsin_last_backup_timestamp_seconds", "When the last backup of this exchange was made, in seconds since 1970; 0: there is none.")
	backupTookDesc  = desc("tocsin_last_backup_seconds", "How many seconds the last backup took.")
	certificateDesc = desc("tocsin_certificate_expiry_timestamp_seconds", "When the HTTPS certificate ends, in seconds since 1970; absent without one.")
	entriesDesc     = desc("tocsin_match_entries", "Claims in the lookup index, by key.")
	namesDesc       = desc("tocsin_collection_names", "Names in a collection, whoever may see them.", "collection")
	hotNamesDesc    = desc("tocsin_collection_hot_names", "Names in a collection's hot zone.", "collection")
	skippedDesc     = desc("tocsin_collection_skipped_names", "Names of a collection that fit no zone.", "collection")
	bytesDesc       = desc("tocsin_collection_bytes", "Octets of memory that a collection's names take.", "collection")
	subscribersDesc = desc("tocsin_subscribers", "Subscribers of a collection.", "collection")
	behindDesc      = desc("tocsin_subscriber_behind_seconds", "For how many seconds there has been something that a subscriber does not hold; 0: it holds all.", "subscriber", "zone")
	askedDesc       = desc("tocsin_subscriber_asked_timestamp_seconds", "When a subscriber last asked for a zone, in seconds since 1970; 0: not since the start.", "subscriber", "zone")
	pendingDesc     = desc("tocsin_notifies_pending", "Places that have yet to answer a NOTIFY.")
)

func (stateOf) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{buildDesc, storeDesc, freeDesc, backupDesc, backupTookDesc, certificateDesc, entriesDesc, namesDesc,
		hotNamesDesc, skippedDesc, bytesDesc, subscribersDesc, behindDesc, askedDesc, pendingDesc} {
		ch <- d
	}
}

func (s stateOf) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(buildDesc, 1, s.c.Version)
	gauge(entriesDesc, float64(s.x.Index.Stats().Entries))
	s.disk(gauge)
	s.collections(gauge)
	if at, err := certificateEnds(s.c.TLSCert); err == nil {
		gauge(certificateDesc, unix(at))
	}
	b := readLastBackup(s.c.Data)
	gauge(backupDesc, unix(b.At))
	gauge(backupTookDesc, b.Seconds)
	pending := 0
	for _, n := range s.x.notifier.Status() {
		if n.Pending {
			pending++
		}
	}
	gauge(pendingDesc, float64(pending))
	now := time.Now()
	for _, r := range s.x.receivers.all() {
		behind := 0.0
		if !r.Behind.IsZero() {
			behind = now.Sub(r.Behind).Seconds()
		}
		gauge(behindDesc, behind, r.Subscriber, r.Origin)
		gauge(askedDesc, unix(r.HeldAt), r.Subscriber, r.Origin)
	}
}

func (s stateOf) disk(gauge func(*prometheus.Desc, float64, ...string)) {
	for part, name := range map[string]string{"database": databaseFile, "write_ahead_log": databaseFile + "-wal", "match": "match", "collections": "collections"} {
		gauge(storeDesc, float64(octets(filepath.Join(s.c.Data, name))), part)
	}
	if n, err := sqlite.FreeSpace(s.c.Data); err == nil {
		gauge(freeDesc, float64(n))
	}
}

func (s stateOf) collections(gauge func(*prometheus.Desc, float64, ...string)) {
	subscribers := map[int64]int{}
	for sub := range s.x.DB.As(registrar).Subscribers() {
		subscribers[sub.Collection]++
	}
	for _, st := range s.x.Collections.Collections() {
		name := st.Collection.Name
		gauge(namesDesc, float64(st.Names), name)
		gauge(hotNamesDesc, float64(st.Hot), name)
		gauge(skippedDesc, float64(st.Skipped), name)
		gauge(bytesDesc, float64(st.Octets), name)
		gauge(subscribersDesc, float64(subscribers[st.Collection.ID]), name)
	}
}

func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.Unix())
}

// octets is how large a file is, or all files of a folder.
func octets(path string) (n int64) {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	if !info.IsDir() {
		return info.Size()
	}
	entries, _ := os.ReadDir(path)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && !info.IsDir() {
			n += info.Size()
		}
	}
	return n
}
