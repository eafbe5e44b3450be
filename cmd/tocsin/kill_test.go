package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/internal/lab"
	"tocsin/store"
)

// With childFolder in its environment the test program is an exchange itself,
// to be killed.
const (
	childFolder = "TOCSIN_TEST_CHILD"
	childStore  = "TOCSIN_TEST_CHILD_STORE"
)

func init() {
	if dir := os.Getenv(childFolder); dir != "" {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		x, err := start(ctx, config{Data: dir, Store: os.Getenv(childStore), HTTP: "127.0.0.1:0", DNS: "127.0.0.1:0", merge: 100 * time.Millisecond})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(x.HTTPAddr, x.DNSAddr)
		x.Wait(ctx)
		os.Exit(0)
	}
}

// A victim is an exchange in a process of its own.
type victim struct {
	t         *testing.T
	cmd       *exec.Cmd
	http, dns string
	key       string
}

func (v *victim) start(c config) {
	v.t.Helper()
	v.cmd = exec.Command(os.Args[0])
	v.cmd.Env = append(os.Environ(), childFolder+"="+c.Data, childStore+"="+c.Store)
	v.cmd.Stderr = os.Stderr
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(v.kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if _, e := fmt.Sscan(line, &v.http, &v.dns); err != nil || e != nil {
		v.t.Fatalf("the exchange said %q: %v", line, err)
	}
}

func (v *victim) kill() {
	v.cmd.Process.Kill()
	v.cmd.Wait()
}

// post is one call. An error means that the exchange went away.
func (v *victim) post(path string, body any) (map[string]any, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	resp, err := v.do(path, strings.NewReader(string(b)))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %d %v", path, resp.StatusCode, out)
	}
	return out, nil
}

func (v *victim) do(path string, body io.Reader) (*http.Response, error) {
	r, err := http.NewRequest("POST", "http://"+v.http+path, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", v.key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	return http.DefaultClient.Do(r)
}

// Receipts are what the exchange acknowledged.
type receipts struct {
	mu     sync.Mutex
	events map[string]int // uuid → attributes
	lists  map[string]int64
}

// busy writes until the exchange is gone, and keeps account of what it answered.
func (v *victim) busy(acc *receipts, round int) {
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { // events, one after another, each relabelled after a while
		for i := 0; ; i++ {
			n := 1 + i%7
			var as []any
			for j := range n {
				as = append(as, map[string]any{"type": "domain", "to_ids": true, "value": fmt.Sprintf("e%d-%d-%d.threat-lab.net", round, i, j)})
			}
			out, err := v.post("/events/add", map[string]any{"Event": map[string]any{"info": fmt.Sprint("event ", round, " ", i),
				"distribution": 1, "published": true, "Attribute": as,
				"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}})
			if err != nil {
				return
			}
			e := out["Event"].(map[string]any)
			acc.mu.Lock()
			acc.events[e["uuid"].(string)] = n
			acc.mu.Unlock()
			if i%3 == 0 {
				if _, err := v.post(fmt.Sprint("/events/edit/", e["id"]), map[string]any{"distribution": i % 2, "published": true}); err != nil {
					return
				}
			}
		}
	})
	wg.Go(func() { // lists
		for i := 0; ; i++ {
			name := fmt.Sprint("list-", round, "-", i)
			resp, err := v.do("/api/import?collection=drop&publish=1&distribution=1&name="+name, strings.NewReader(madeList(name, 30_000)))
			if err != nil {
				return
			}
			done := v.progress(acc, name, resp.Body)
			resp.Body.Close()
			if !done {
				return
			}
		}
	})
}

func madeList(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "n%d.%s.threat-lab.net\n", i, name)
	}
	return b.String()
}

func (v *victim) progress(acc *receipts, name string, body io.Reader) (done bool) {
	for lines := bufio.NewScanner(body); lines.Scan(); {
		var l struct {
			Progress, Result *struct{ Written int64 }
		}
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			return false // cut in the middle of a line: not acknowledged
		}
		for _, p := range []*struct{ Written int64 }{l.Progress, l.Result} {
			if p != nil {
				acc.mu.Lock()
				acc.lists[name] = p.Written
				acc.mu.Unlock()
			}
		}
		if l.Result != nil {
			return true
		}
	}
	return false
}

// A secondary is a resolver's copy of the zone, fetched by AXFR once and by IXFR
// ever after.
type secondary struct {
	t      *testing.T
	origin string
	serial uint32
	names  map[string]bool
	steps  int // how often it went on by steps
}

func (s *secondary) fetch(addr string) {
	s.t.Helper()
	m := new(dns.Msg)
	if s.names == nil {
		m.SetAxfr(s.origin)
	} else {
		m.SetIxfr(s.origin, s.serial, "localhost.", "hostmaster.localhost.")
	}
	tr := &dns.Transfer{DialTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second}
	in, err := tr.In(m, addr)
	if err != nil {
		s.t.Fatal(err)
	}
	var rrs []dns.RR
	for e := range in {
		if e.Error != nil {
			s.t.Fatal(e.Error)
		}
		rrs = append(rrs, e.RR...)
	}
	s.apply(rrs)
}

// apply reads an answer to AXFR or IXFR (RFC 1995, 4).
func (s *secondary) apply(rrs []dns.RR) {
	s.t.Helper()
	last, ok := rrs[0].(*dns.SOA)
	if !ok {
		s.t.Fatalf("the answer begins with %v", rrs[0])
	}
	_, steps := soaAt(rrs, 1)
	switch {
	case len(rrs) == 1:
		return
	case s.names == nil || !steps:
		was := len(s.names)
		s.names = map[string]bool{}
		for _, rr := range rrs {
			s.set(rr, true)
		}
		// A way that is longer than the zone is no way. Where most of the names were
		// there, it was forgotten.
		if now := len(s.names); now > 5000 && was > now*2/3 && was < now*3/2 {
			s.t.Errorf("the secondary held %d names of serial %d and was sent all %d", was, s.serial, len(s.names))
		}
	default:
		s.steps++
		adding := true
		for _, rr := range rrs[1 : len(rrs)-1] {
			if _, ok := rr.(*dns.SOA); ok {
				adding = !adding
				continue
			}
			s.set(rr, adding)
		}
	}
	s.serial = last.Serial
}

func soaAt(rrs []dns.RR, i int) (*dns.SOA, bool) {
	if i >= len(rrs) {
		return nil, false
	}
	soa, ok := rrs[i].(*dns.SOA)
	return soa, ok
}

func (s *secondary) set(rr dns.RR, on bool) {
	if rr.Header().Rrtype != dns.TypeCNAME {
		return
	}
	name := strings.TrimSuffix(rr.Header().Name, "."+s.origin)
	if on {
		s.names[name] = true
	} else {
		if !s.names[name] {
			s.t.Errorf("the zone takes away %s, which was not there", name)
		}
		delete(s.names, name)
	}
}

// TestKill kills the exchange in the middle of everything, again and again.
// Nothing that it acknowledged may be lost, nothing may be there by half, its
// zone must be what its store says, and secondaries must be able to go on.
func TestKill(t *testing.T) {
	t.Run("folder", func(t *testing.T) { killed(t, "", 10) })
	t.Run("database", func(t *testing.T) { killed(t, lab.Database(t), 4) })
}

func killed(t *testing.T, db string, kills int) {
	if testing.Short() {
		kills = 2
	}
	if s := os.Getenv("TOCSIN_SOAK_KILLS"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorldOn(t, db, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.example"})
	w.subscriber("resolver", "provider", c)
	w.settle()
	if err := w.exchange.Close(); err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	acc := &receipts{events: map[string]int{}, lists: map[string]int64{}}
	base, hot := &secondary{t: t, origin: "rpz.example."}, &secondary{t: t, origin: "hot.example."}
	v := &victim{t: t, key: w.keys["telco"]}
	for round := range kills {
		v.start(w.conf)
		v.waitReady()
		base.fetch(v.dns)
		hot.fetch(v.dns)
		busy := make(chan struct{})
		go func() { v.busy(acc, round); close(busy) }()
		time.Sleep(time.Duration(50+rnd.IntN(1500)) * time.Millisecond) // when it is killed is what is random here
		v.kill()
		<-busy
		w.verify(acc)
	}
	v.start(w.conf)
	v.waitReady()
	hot.fetch(v.dns)
	base.fetch(v.dns) // last: what leaves the hot zone meanwhile is in the base zone already
	v.kill()
	w.start()
	w.settle()
	w.compare(base, hot)
	if base.steps+hot.steps == 0 { // which of them moves depends on how far a busy machine gets between kills
		t.Errorf("the secondaries went on by steps %d and %d times", base.steps, hot.steps)
	}
	n := 0
	for _, k := range acc.events {
		n += k
	}
	t.Logf("%d kills; %d events of %d attributes and %d lists acknowledged; %d names in the zone", kills, len(acc.events), n, len(acc.lists), len(base.names))
}

// waitReady waits until the projections hold the log.
func (v *victim) waitReady() {
	v.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		resp, err := http.Get("http://" + v.http + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			v.t.Fatal("the exchange does not get ready")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// verify opens the folder of a killed exchange and looks whether all that was
// acknowledged is there.
func (w *world) verify(acc *receipts) {
	w.t.Helper()
	x, err := open(w.t.Context(), w.conf)
	if err != nil {
		w.t.Fatal(err)
	}
	defer x.Close()
	view := x.DB.As(access.System("a test takes account"))
	for u, n := range acc.events {
		id, err := tocsin.ParseUUID(u)
		if err != nil {
			w.t.Fatal(err)
		}
		e, err := view.EventByUUID(w.t.Context(), id)
		if err != nil || e.Attributes != n {
			w.t.Fatalf("event %s of %d attributes was acknowledged; now: %+v, %v", u, n, e, err)
		}
	}
	for e, err := range view.Events(w.t.Context(), store.EventQuery{}) {
		if err != nil {
			w.t.Fatal(err)
		}
		n, err := view.CountAttributes(w.t.Context(), store.Query{Events: []int64{e.ID}})
		if err != nil || n != int64(e.Attributes) {
			w.t.Fatalf("event %q says it has %d attributes and has %d, %v", e.Info, e.Attributes, n, err)
		}
		if want, ok := acc.lists[e.Info]; ok && n < want {
			w.t.Fatalf("of list %q %d were acknowledged, %d are there", e.Info, want, n)
		}
	}
}

// compare holds what the secondaries hold together against the store.
func (w *world) compare(secs ...*secondary) {
	w.t.Helper()
	v := access.Organisation("provider", w.orgs["provider"])
	want := map[string]bool{}
	yes := true
	for a, err := range w.DB.As(v).Attributes(w.t.Context(), store.Query{ToIDS: &yes, Published: &yes}) {
		if err != nil {
			w.t.Fatal(err)
		}
		for _, n := range a.Value.Facets().Names {
			want[n.Text] = true
			if n.Kind == indicator.Domain {
				want["*."+n.Text] = true
			}
		}
	}
	held := map[string]bool{}
	for _, s := range secs {
		maps.Copy(held, s.names)
	}
	if !maps.Equal(want, held) {
		missing, extra := difference(want, held), difference(held, want)
		w.t.Errorf("the zone lacks %d names (%.5q …) and has %d too many (%.5q …) of %d", len(missing), missing[:min(5, len(missing))],
			len(extra), extra[:min(5, len(extra))], len(want))
	}
}

func difference(a, b map[string]bool) (only []string) {
	for n := range a {
		if !b[n] {
			only = append(only, n)
		}
	}
	slices.Sort(only)
	return only
}
