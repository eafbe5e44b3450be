package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/indicator"
	"tocsin/internal/lab"
	"tocsin/store"
)

// A world is an exchange that runs, with organisations that each have a
// publisher and a key, as a small community has.
type world struct {
	*exchange
	t    testing.TB
	conf config
	keys map[string]string // by organisation
	orgs map[string]int64
}

// newWorld starts an exchange with these organisations.
func newWorld(t testing.TB, orgs ...string) *world {
	t.Helper()
	return newWorldOn(t, testStore(t), orgs...)
}

// newWorldWith starts an exchange that is told more than where to listen.
func newWorldWith(t testing.TB, c config, orgs ...string) *world {
	t.Helper()
	c.Store = testStore(t)
	return newWorldAs(t, c, orgs...)
}

// testStore is what keeps the store of a test's exchange: its folder, or a database
// with TOCSIN_TEST_STORE=postgres in the environment. Tests that are about several
// nodes, or about what a database does, run on one in any case.
func testStore(t testing.TB) string {
	switch kind := os.Getenv("TOCSIN_TEST_STORE"); kind {
	case "", "sqlite":
		return ""
	case "postgres":
		return lab.Database(t)
	default:
		t.Fatalf("TOCSIN_TEST_STORE is %q; it can be sqlite or postgres", kind)
		return ""
	}
}

func newWorldOn(t testing.TB, db string, orgs ...string) *world {
	t.Helper()
	return newWorldAs(t, config{Store: db}, orgs...)
}

func newWorldAs(t testing.TB, c config, orgs ...string) *world {
	t.Helper()
	c.Data, c.HTTP, c.DNS = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.Version = version()
	w := &world{t: t, conf: c, keys: map[string]string{}, orgs: map[string]int64{}}
	w.start()
	w.write(func(tx *store.Tx) error {
		for _, n := range orgs {
			o := &tocsin.Organisation{Name: n, UUID: tocsin.NewUUID(tx.Now()), Local: true}
			if err := store.Put(tx, o); err != nil {
				return err
			}
			w.orgs[n] = o.ID
			u := &tocsin.User{Org: o.ID, Email: "analyst@" + n + ".example", Role: 2}
			if err := store.Put(tx, u); err != nil {
				return err
			}
			clear, hash, ends := httpd.NewKey()
			w.keys[n] = clear
			if err := store.Put(tx, &tocsin.Key{User: u.ID, Hash: hash, Ends: ends}); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

// start starts the exchange on its folder, again if it ran before.
func (w *world) start() {
	w.t.Helper()
	x, err := start(w.t.Context(), w.conf)
	if err != nil {
		w.t.Fatal(err)
	}
	w.exchange = x
	w.t.Cleanup(func() { x.Close() })
}

// write writes as the exchange itself: what a test sets up, not what it tests.
func (w *world) write(fn func(*store.Tx) error) tocsin.Seq {
	w.t.Helper()
	seq, err := w.DB.Apply(w.t.Context(), access.System("a test sets up its world"), fn)
	if err != nil {
		w.t.Fatal(err)
	}
	return seq
}

// group makes a sharing group.
func (w *world) group(name string, members ...string) int64 {
	w.t.Helper()
	g := &tocsin.Group{Name: name, UUID: tocsin.NewUUID(time.Now()), Org: w.orgs[members[0]]}
	for _, m := range members {
		g.Members = append(g.Members, tocsin.Member{Org: w.orgs[m]})
	}
	w.write(func(tx *store.Tx) error { return store.Put(tx, g) })
	return g.ID
}

// collection makes a collection of the first organisation, whose word blocks.
func (w *world) collection(c tocsin.Collection) int64 {
	w.t.Helper()
	if c.Org == 0 {
		c.Org = 1
	}
	if c.Sources == nil {
		c.Sources = []int64{c.Org}
	}
	w.write(func(tx *store.Tx) error {
		if _, err := tx.TagNamed(c.Tag(), ""); err != nil {
			return err
		}
		return store.Put(tx, &c)
	})
	return c.ID
}

// subscriber makes a subscriber of an organisation, on this machine.
func (w *world) subscriber(name, org string, collection int64, notify ...netip.AddrPort) int64 {
	w.t.Helper()
	s := &tocsin.Subscriber{Name: name, Org: w.orgs[org], Collection: collection, Notify: notify,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	w.write(func(tx *store.Tx) error { return store.Put(tx, s) })
	return s.ID
}

// call asks the exchange over HTTP as an organisation, and decodes the answer.
func (w *world) call(org, method, path string, body any) (int, map[string]any) {
	w.t.Helper()
	status, b := w.raw(org, method, path, body)
	var out map[string]any
	if len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			out = map[string]any{"text": string(b)}
		}
	}
	return status, out
}

func (w *world) raw(org, method, path string, body any) (int, []byte) {
	w.t.Helper()
	var in io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		in = bytes.NewReader([]byte(b))
	default:
		enc, err := json.Marshal(b)
		if err != nil {
			w.t.Fatal(err)
		}
		in = bytes.NewReader(enc)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.web()+path, in)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", w.keys[org])
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	resp, err := w.client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, b
}

// web is where the exchange answers HTTP.
func (w *world) web() string {
	if w.conf.TLSCert != "" {
		return "https://" + w.HTTPAddr
	}
	return "http://" + w.HTTPAddr
}

func (w *world) client() *http.Client {
	if w.conf.TLSCert == "" {
		return http.DefaultClient
	}
	pem, err := os.ReadFile(w.conf.TLSCert)
	if err != nil {
		w.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: exchangeName}, DisableKeepAlives: true}
	return &http.Client{Transport: tr}
}

// must is call that has to succeed.
func (w *world) must(org, method, path string, body any) map[string]any {
	w.t.Helper()
	status, out := w.call(org, method, path, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s as %s: %d %v", method, path, org, status, out)
	}
	return out
}

// settle returns when the projections hold what was written.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	if err := w.ready(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// share shares a domain as an event and returns the event's id.
func (w *world) share(org, domain string, event map[string]any) string {
	w.t.Helper()
	e := map[string]any{"info": "about " + domain, "distribution": 1, "published": true,
		"Attribute": []any{map[string]any{"type": "domain", "category": "Network activity", "value": domain, "to_ids": true}}}
	for k, v := range event {
		e[k] = v
	}
	out := w.must(org, "POST", "/events/add", map[string]any{"Event": e})
	return fmt.Sprint(out["Event"].(map[string]any)["id"])
}

// bulk imports a list into the running exchange and returns the last line of the
// answer. With publish it is then in lookup and in the zone.
func (w *world) bulk(org, query string, list io.Reader) (last string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "POST", w.web()+"/api/import?"+query, list)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Authorization", w.keys[org])
	resp, err := w.client().Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	last = string(lines[len(lines)-1])
	if resp.StatusCode != 200 || !strings.Contains(last, `"result"`) {
		w.t.Fatalf("import: %d %.500s", resp.StatusCode, last)
	}
	return last
}

// holds fails unless a domain is in lookup and in the subscriber's zone.
func (w *world) holds(domain string, subscriber int64) {
	w.t.Helper()
	v := access.Organisation("provider", w.orgs["provider"], w.DB.GroupsOf(w.orgs["provider"])...)
	ind, err := indicator.Detect(domain)
	if err != nil {
		w.t.Fatal(err)
	}
	if n := w.Index.Count(w.DB.Labels().Sight(v, access.Read), ind.Keys()[0]); n == 0 {
		w.t.Errorf("%s is not in lookup", domain)
	}
	z, ok := w.Collections.Zone("rpz.example", subscriber)
	if !ok {
		w.t.Fatal("no zone")
	}
	wire, _ := ind.Facets().Names[0].WireName()
	if t, ok := z.Has(wire); !ok || t == 0 {
		w.t.Errorf("%s is not in the zone", domain)
	}
}
