package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tocsin"
	"tocsin/collection"
	"tocsin/internal/lab"
	"tocsin/rpz"
	"tocsin/store"
)

// scrape returns the samples of /metrics, and the help of each metric.
func (w *world) scrape() (samples, help map[string]string) {
	w.t.Helper()
	status, body := w.raw("admin", "GET", "/metrics", nil)
	if status != 200 {
		w.t.Fatalf("%d %s", status, body)
	}
	samples, help = map[string]string{}, map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(string(body))); lines.Scan(); {
		line := lines.Text()
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, text, _ := strings.Cut(rest, " ")
			help[name] = text
		} else if i := strings.LastIndexByte(line, ' '); i > 0 && !strings.HasPrefix(line, "#") {
			samples[line[:i]] = line[i+1:]
		}
	}
	return samples, help
}

var metric = regexp.MustCompile(`\b(?:tocsin|process|go)_[a-z_]+`)

// What dashboard and alert rules draw on is there, under that name.
func TestDashboardAndAlertsNameMetricsThatThereAre(t *testing.T) {
	w := metered(t)
	samples, help := w.scrape()
	there := map[string]bool{}
	for s := range samples {
		name, _, _ := strings.Cut(s, "{")
		there[name] = true
	}
	for _, name := range w.withCertificate() {
		there[name] = true
	}
	used := map[string]bool{}
	for file, least := range map[string]int{"../../deploy/grafana/tocsin.json": 30, "../../deploy/prometheus/alerts.yml": 10} {
		names := metricsIn(t, file)
		if len(names) < least {
			t.Errorf("%s names %d metrics only: %q", file, len(names), names)
		}
		for _, n := range names {
			used[n] = true
			if !there[n] {
				t.Errorf("%s: there is no metric %s", file, n)
			}
		}
	}
	for name, text := range help {
		if !strings.HasPrefix(name, "tocsin_") {
			continue
		}
		if text == "" {
			t.Errorf("%s has no help", name)
		}
		for suffix, unit := range map[string]string{"_seconds": "econds", "_bytes": "ctets", "_lines": "lines", "_timestamp_seconds": "since 1970"} {
			if strings.HasSuffix(name, suffix) && !strings.Contains(text, unit) {
				t.Errorf("the help of %s does not name its unit: %s", name, text)
			}
		}
		base := func(n string) string { return strings.TrimSuffix(n, "_bucket") }
		if name != "tocsin_follower_place" && !slices.ContainsFunc(slices.Collect(keysOf(used)), func(u string) bool { return base(u) == name }) {
			t.Errorf("%s is on no dashboard", name)
		}
	}
}

func keysOf(m map[string]bool) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// metricsIn are the names of metrics in the expressions of a file.
func metricsIn(t *testing.T, file string) (names []string) {
	t.Helper()
	b, err := os.ReadFile(file)
	must(t, err)
	text := string(b)
	if filepath.Ext(file) == ".json" {
		var board struct {
			Panels []struct {
				Title, Description string
				Targets            []struct{ Expr string }
			}
		}
		must(t, json.Unmarshal(b, &board))
		text = ""
		for _, p := range board.Panels {
			for _, x := range p.Targets {
				text += x.Expr + "\n"
			}
			if len(p.Targets) > 0 && (p.Title == "" || p.Description == "") {
				t.Errorf("a panel says not what it shows: %+v", p)
			}
		}
	}
	names = metric.FindAllString(text, -1)
	slices.Sort(names)
	return slices.Compact(names)
}

// metered is an exchange in which everything that is counted has happened once.
func metered(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, "telco", "provider")
	w.keys["admin"] = w.admin("telco")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.subscriber("resolver", "provider", c)
	w.bulk("telco", "collection=drop&publish=1&name=list", strings.NewReader("evil.example\nnot a name\nevil.example\n"))
	w.settle()
	w.raw("telco", "POST", "/api/lookup", "evil.example\n")
	return w
}

// withCertificate are the metrics of an exchange that speaks HTTPS.
func (w *world) withCertificate() (names []string) {
	w.t.Helper()
	conf := w.conf
	conf.TLSCert, conf.TLSKey, _ = pair(w.t.(*testing.T), "tocsin.example.org", time.Now(), time.Now().Add(time.Hour))
	r := prometheus.NewRegistry()
	r.MustRegister(stateOf{w.exchange, conf})
	all, err := r.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range all {
		names = append(names, f.GetName())
	}
	return names
}

func TestWhatIsCounted(t *testing.T) {
	w := metered(t)
	w.backUp(filepath.Join(t.TempDir(), "backup.tar.gz"))
	sub := rpz.Subscriber{Name: "resolver"}
	w.exchange.served(rpz.Handover{Subscriber: sub, Origin: "rpz.example.", Kind: rpz.Full, Serial: 1, Bytes: 100})
	w.exchange.served(rpz.Handover{Subscriber: sub, Origin: "rpz.example.", Kind: rpz.Incremental, Err: errors.New("reset")})
	w.meters.heard(rpz.Notice{})
	w.meters.heard(rpz.Notice{Err: errors.New("no answer")})
	w.meters.committed(store.Commit{Failed: 1})
	w.meters.moved(collection.Moved{Origin: "rpz.example."})
	samples, _ := w.scrape()
	for sample, want := range map[string]string{
		`tocsin_import_lines_total{outcome="written"}`:         "1",
		`tocsin_import_lines_total{outcome="duplicate"}`:       "1",
		`tocsin_import_lines_total{outcome="refused"}`:         "1",
		`tocsin_imports_under_way`:                             "0",
		`tocsin_lookups_total`:                                 "1",
		`tocsin_collection_names{collection="drop"}`:           "1",
		`tocsin_subscribers{collection="drop"}`:                "1",
		`tocsin_transfers_total{kind="AXFR",outcome="sent"}`:   "1",
		`tocsin_transfers_total{kind="IXFR",outcome="broken"}`: "1",
		`tocsin_transfer_bytes_total{kind="AXFR"}`:             "100",
		`tocsin_notifies_total{outcome="answered"}`:            "1",
		`tocsin_notifies_total{outcome="failed"}`:              "1",
		`tocsin_writes_total{outcome="failed"}`:                "1",
		`tocsin_follower_lag_lines{follower="match"}`:          "0",
		`tocsin_match_entries`:                                 "1",
	} {
		if got := samples[sample]; got != want {
			t.Errorf("%s is %q, want %s", sample, got, want)
		}
	}
	if got := samples[`tocsin_store_bytes{part="database"}`]; w.conf.Store == "" && (got == "" || got == "0") {
		t.Errorf("the database in the folder has %q octets", got)
	}
	for _, sample := range []string{`tocsin_commit_seconds_count`, `tocsin_writes_total{outcome="kept"}`,
		`tocsin_disk_free_bytes`, `tocsin_last_backup_timestamp_seconds`, `tocsin_log_head`, `tocsin_zone_changed_timestamp_seconds{zone="rpz.example."}`,
		`tocsin_subscriber_behind_seconds{subscriber="resolver",zone="rpz.example."}`} {
		if got := samples[sample]; got == "" || got == "0" {
			t.Errorf("%s is %q", sample, got)
		}
	}
}

func TestAlertRulesAreRules(t *testing.T) {
	promtool := lab.Need(t, "promtool")
	if out, err := exec.Command(promtool, "check", "rules", "../../deploy/prometheus/alerts.yml").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// It takes expressions one by one as rules, too: those of the dashboard.
	b, err := os.ReadFile("../../deploy/grafana/tocsin.json")
	must(t, err)
	var board struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	must(t, json.Unmarshal(b, &board))
	rules := "groups:\n- name: dashboard\n  rules:\n"
	for _, p := range board.Panels {
		for _, x := range p.Targets {
			expr, _ := json.Marshal(strings.NewReplacer("$__rate_interval", "5m", "$job", "tocsin").Replace(x.Expr))
			rules += "  - alert: A\n    expr: " + string(expr) + "\n    labels: {n: \"" + string(rune('a'+len(rules)%26)) + "\"}\n"
		}
	}
	if out, err := exec.Command(promtool, "check", "rules", "--lint=none", write(t, rules)).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
