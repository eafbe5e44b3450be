package main

import (
	"errors"
	"net/netip"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/internal/lab"
	"tocsin/store"
)

// A rig is one resolver that takes what the exchange prints for it.
type rig struct {
	name  string
	for_  string // what its configuration is asked for with
	tsig  string // algorithm of its key; "": known by address
	feed  bool   // it fetches files
	deaf  bool   // it is not told of changes, or does not listen
	start func(t *testing.T, root *lab.Root, printed func(resolver string) string) *lab.Server
}

// rigs are all resolvers of Debian 12, each as its operator has it.
var rigs = []rig{
	{name: "BIND", for_: "bind", tsig: "hmac-sha512", start: startBIND},
	{name: "BIND unheard", for_: "bind", tsig: "hmac-sha384", deaf: true, start: startBIND},
	{name: "Unbound", for_: "unbound", start: startUnbound},
	{name: "Unbound unheard", for_: "unbound", deaf: true, start: startUnbound},
	{name: "Unbound by URL", for_: "unbound-url", feed: true, deaf: true, start: func(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
		return &lab.StartUnbound(t, root, printed("unbound-url")).Server
	}},
	{name: "PowerDNS", for_: "powerdns", tsig: "hmac-sha256", deaf: true, start: func(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
		return &lab.StartPowerDNS(t, root, lab.Config{Options: printed("powerdns-conf"), Zones: printed("powerdns")}).Server
	}},
	{name: "Knot Resolver", for_: "knot-resolver", feed: true, deaf: true, start: func(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
		text, fetch := fetching(t, printed("knot-resolver"))
		fetch()
		r := lab.StartKresd(t, root, text)
		fetchOften(t, fetch, nil)
		return &r.Server
	}},
	{name: "dnsmasq", for_: "dnsmasq", feed: true, deaf: true, start: func(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
		text, fetch := fetching(t, printed("dnsmasq"))
		fetch()
		r := lab.StartDnsmasq(t, root, text)
		// What "systemctl reload dnsmasq" does.
		fetchOften(t, fetch, func() { r.Signal(syscall.SIGHUP) })
		return &r.Server
	}},
}

func startBIND(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
	return &lab.StartBIND(t, root, lab.Config{Options: printed("bind-options"), Zones: printed("bind")}).Server
}

func startUnbound(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
	return &lab.StartUnbound(t, root, printed("unbound")).Server
}

// fetching moves what a printed configuration keeps in /var/lib to a temporary
// folder, and returns a run of the service that is printed with it. It reports
// whether something new came.
func fetching(t *testing.T, text string) (moved string, fetch func() bool) {
	t.Helper()
	dir := t.TempDir()
	moved = strings.ReplaceAll(text, "/var/lib/tocsin-fetch", dir)
	var env string
	var runs [][]string
	for line := range strings.Lines(moved) {
		line = strings.TrimSpace(strings.TrimLeft(line, "-# "))
		if feed, ok := strings.CutPrefix(line, "TOCSIN_FEED="); ok {
			env = "TOCSIN_FEED=" + feed
		}
		if run, ok := strings.CutPrefix(line, "ExecStart=tocsin "); ok {
			runs = append(runs, strings.Fields(run))
		}
	}
	if env == "" || len(runs) == 0 {
		t.Fatalf("no service to fetch files in:\n%s", text)
	}
	return moved, func() (news bool) {
		for _, args := range runs {
			cmd := ourselves(args...)
			cmd.Env = append(cmd.Env, env)
			out, err := cmd.CombinedOutput()
			status, _ := errors.AsType[*exec.ExitError](err)
			switch {
			case err == nil:
				news = true
			case status == nil || status.ExitCode() != exitNothingNew:
				t.Errorf("%v: %v %s", args, err, out)
			}
		}
		return news
	}
}

// fetchOften stands for the printed timer: it fetches until the test ends, and
// does what is to be done when something new has come.
func fetchOften(t *testing.T, fetch func() bool, then func()) {
	stop, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		again := time.NewTicker(100 * time.Millisecond)
		defer again.Stop()
		for {
			select {
			case <-stop:
				return
			case <-again.C:
				if fetch() && then != nil {
					then()
				}
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-ended })
}

// TestEveryResolverBlocks tells the same story with every resolver, with the
// configuration that the exchange prints for it and nothing added but where it
// listens and whom it asks: a name answers; it is shared, and it does not, nor do
// names beneath it; it is taken back, and it answers again.
func TestEveryResolverBlocks(t *testing.T) {
	for _, rig := range rigs {
		t.Run(rig.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, config{Looks: looks{time.Second, time.Second}}, "telco", "provider")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
			w.settle()
			tag := map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}
			w.share("telco", "canary.threat-lab.net", tag)
			r := rig.run(t, w, lab.StartRoot(t), c, "")
			r.WaitBlocked(t, "canary.threat-lab.net")

			const name = "evil.threat-lab.net"
			if a, err := r.Lookup(t.Context(), name); err != nil || !a.Honest() {
				t.Fatalf("before it is shared: %v, %v", a, err)
			}
			event := w.share("telco", name, tag)
			blocked := r.WaitBlocked(t, name)
			r.WaitBlocked(t, "www."+name)
			w.must("telco", "POST", "/attributes/delete/"+w.attribute("telco", name), nil)
			answers := r.WaitAnswers(t, name)
			t.Logf("event %s: blocked after %v, answers again after %v", event, blocked, answers)
			if a, err := r.Lookup(t.Context(), "canary.threat-lab.net"); err != nil || !a.Blocked() {
				t.Errorf("the canary is no longer blocked: %v, %v", a, err)
			}
			w.confirms(rig.for_)
		})
	}
}

// run makes a subscriber, and starts its resolver.
func (g rig) run(t *testing.T, w *world, root *lab.Root, collection int64, query string) *lab.Server {
	t.Helper()
	name := g.for_
	s := &tocsin.Subscriber{Name: name, Org: w.orgs["provider"], Collection: collection, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	w.write(func(tx *store.Tx) error { return store.Put(tx, s) })
	w.settle()
	if g.tsig != "" {
		w.must("telco", "PATCH", "/api/subscribers/"+name, map[string]any{"tsig": map[string]any{"algorithm": g.tsig}})
	}
	secret := ""
	if g.feed {
		secret = w.must("telco", "PATCH", "/api/subscribers/"+name, map[string]any{"feed": "new"})["feed_secret"].(string)
	}
	w.settle()
	r := g.start(t, root, func(resolver string) string {
		text := strings.ReplaceAll(w.snippet(name, resolver+query), hiddenSecret, secret)
		if w.conf.TLSCert != "" { // no public authority knows it
			text = strings.ReplaceAll(text, "/etc/ssl/certs/ca-certificates.crt", w.conf.TLSCert)
		}
		return text
	})
	if !g.deaf {
		w.notify(name, r.Addr())
	}
	return r
}

// confirms waits until the exchange knows that the subscriber holds what there is.
func (w *world) confirms(name string) {
	w.t.Helper()
	s, err := store.ByName[*tocsin.Subscriber](w.DB.As(registrar), name)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, origin := range []string{"rpz.example", "hot.rpz.example"} {
		for end := time.Now().Add(20 * time.Second); ; {
			z, ok := w.Collections.Zone(origin, s.ID)
			if serial, at := w.held.serial(name, origin); ok && !at.IsZero() && serial == z.Serial() {
				break
			} else if time.Now().After(end) {
				w.t.Errorf("%s has confirmed serial %d of %s, which is at %d", name, serial, origin, z.Serial())
				break
			}
			<-time.After(10 * time.Millisecond)
		}
	}
}

// TestSecondariesHold sees that servers that only hold zones, for resolvers to
// fetch, take them with the configuration that the exchange prints.
func TestSecondariesHold(t *testing.T) {
	for _, rig := range []rig{
		{name: "Knot DNS", for_: "knot", tsig: "hmac-sha512", start: startKnot},
		{name: "Knot DNS unheard", for_: "knot", tsig: "hmac-sha384", deaf: true, start: startKnot},
		{name: "NSD", for_: "nsd", tsig: "hmac-sha256", start: startNSD},
		{name: "NSD unheard", for_: "nsd", deaf: true, start: startNSD},
	} {
		t.Run(rig.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, config{Looks: looks{time.Second, time.Second}}, "telco", "provider")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
			w.settle()
			tag := map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}
			s := rig.run(t, w, nil, c, "")
			const rule = "*.evil.example.hot.rpz.example"
			s.Wait(t, "hot.rpz.example", "serve the zone", func(a lab.Answer) bool { return a.Rcode == dns.RcodeSuccess })
			if a, err := s.Lookup(t.Context(), rule); err != nil || a.Rcode != dns.RcodeNameError {
				t.Fatalf("before it is shared: %v, %v", a, err)
			}
			w.share("telco", "evil.example", tag)
			held := s.Wait(t, rule, "hold", func(a lab.Answer) bool { return a.Rcode == dns.RcodeSuccess && len(a.Msg.Answer) == 1 })
			w.must("telco", "POST", "/attributes/delete/"+w.attribute("telco", "evil.example"), nil)
			gone := s.Wait(t, rule, "drop", func(a lab.Answer) bool { return a.Rcode == dns.RcodeNameError })
			t.Logf("held after %v, gone after %v", held, gone)
			w.confirms(rig.for_)
		})
	}
}

func startKnot(t *testing.T, _ *lab.Root, printed func(string) string) *lab.Server {
	return lab.StartKnot(t, printed("knot"))
}

func startNSD(t *testing.T, _ *lab.Root, printed func(string) string) *lab.Server {
	return lab.StartNSD(t, printed("nsd"))
}

// TestTrialStopsNothing has resolvers run what is printed for a trial: the name
// is in their zone and answers, and where there is a log it is in there.
func TestTrialStopsNothing(t *testing.T) {
	says := map[string]string{
		"BIND":          "disabled rpz QNAME NXDOMAIN rewrite www.evil.threat-lab.net",
		"Unbound":       "rpz.example] *.evil.threat-lab.net. rpz-disabled",
		"Knot Resolver": "trial: www.evil.threat-lab.net is in ",
		"dnsmasq":       "query[A] www.evil.threat-lab.net from 127.0.0.1",
		"PowerDNS":      "", // it counts
	}
	for _, rig := range rigs {
		said, ok := says[rig.name]
		if !ok {
			continue
		}
		t.Run(rig.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, config{Looks: looks{time.Second, time.Second}}, "telco", "provider")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
			w.settle()
			w.share("telco", "evil.threat-lab.net", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
			w.settle()
			r := rig.run(t, w, lab.StartRoot(t), c, "&trial=1")
			w.confirms(rig.for_) // it has the zones
			r.Wait(t, "www.evil.threat-lab.net", "answer, and say what it would have done", func(a lab.Answer) bool {
				return a.Honest() && strings.Contains(r.Log(), said)
			})
		})
	}
}
