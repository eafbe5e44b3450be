package portal_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/indicator"
	"tocsin/portal"
	"tocsin/seal"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// A world is an exchange of three organisations with the portal before it. CERT
// shares; Telco owns a collection that takes CERT's word and receives it;
// Outsider is nobody's partner.
type world struct {
	*store.DB
	url string

	cert, telco, outsider int64 // organisations
	group                 int64 // sharing group of CERT and Telco
	collection, resolver  int64
}

const password = "correct horse battery"

// hashed is computed once, since hashing is slow on purpose.
var hashed = httpd.HashPassword(password)

func newWorld(t testing.TB) *world {
	t.Helper()
	engine, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(context.Background(), engine, store.Options{Seal: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{DB: db}
	w.populate(t)
	front := httpd.New(db, httpd.Options{Log: slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelError}))})
	portal.New(db, portal.Parts{
		Desk: desk{db}, Collections: shelf{db}, Confirmed: confirmed,
		Config: config, Resolvers: []string{"unbound", "bind"},
	}).Register(front)
	srv := httptest.NewServer(front)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

type testLog struct{ testing.TB }

func (l testLog) Write(b []byte) (int, error) { l.Logf("%s", b); return len(b), nil }

func (w *world) write(t testing.TB, v access.Viewer, fn func(*store.Tx) error) {
	t.Helper()
	if _, err := w.Apply(t.Context(), v, fn); err != nil {
		t.Fatal(err)
	}
}

func (w *world) populate(t testing.TB) {
	t.Helper()
	w.write(t, access.System("portal's test"), func(tx *store.Tx) error {
		for name, id := range map[string]*int64{"CERT": &w.cert, "Telco": &w.telco, "Outsider": &w.outsider} {
			o := &tocsin.Organisation{Name: name, UUID: tocsin.NewUUID(tx.Now()), Local: true}
			if err := store.Put(tx, o); err != nil {
				return err
			}
			*id = o.ID
		}
		for _, u := range []tocsin.User{
			{Email: "ada@cert.example", Org: w.cert, Role: 4},
			{Email: "tom@cert.example", Org: w.cert, Role: 3},
			{Email: "rita@cert.example", Org: w.cert, Role: 6},
			{Email: "tess@telco.example", Org: w.telco, Role: 2},
			{Email: "olaf@outsider.example", Org: w.outsider, Role: 2},
		} {
			u.Password, u.Created = hashed, tx.Now()
			if err := store.Put(tx, &u); err != nil {
				return err
			}
		}
		g := &tocsin.Group{Name: "Bank fraud task force", Org: w.cert, Members: []tocsin.Member{{Org: w.cert}, {Org: w.telco}}}
		if err := store.Put(tx, g); err != nil {
			return err
		}
		c := &tocsin.Collection{Name: "phishing", Org: w.telco, Zone: "phish.rpz.example", HotZone: "hot.phish.rpz.example", Sources: []int64{w.cert, w.telco}}
		if err := store.Put(tx, c); err != nil {
			return err
		}
		s := &tocsin.Subscriber{Name: "resolver-north", Collection: c.ID, Org: w.telco, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")},
			Notify: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53")}, TSIG: &tocsin.TSIG{Name: "north.key", Algorithm: "hmac-sha256", Secret: tocsin.NewSecret([]byte("a secret of sixteen"))}}
		if err := store.Put(tx, s); err != nil {
			return err
		}
		w.group, w.collection, w.resolver = g.ID, c.ID, s.ID
		return nil
	})
}

// as is the viewer with that address.
func (w *world) as(t testing.TB, email string) access.Viewer {
	t.Helper()
	u, err := store.ByName[*tocsin.User](w.As(access.System("portal's test")), email)
	if err != nil {
		t.Fatal(err)
	}
	return w.ViewerFor(u)
}

// share adds an event through the desk, as email.
func (w *world) share(t testing.TB, email string, d portal.Draft, values ...string) int64 {
	t.Helper()
	for i, v := range values {
		d.Claims = append(d.Claims, portal.Claim{Line: i + 1, Text: v})
	}
	got, err := desk{w.DB}.Share(t.Context(), w.as(t, email), d)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Refused) > 0 {
		t.Fatal(got.Refused)
	}
	return got.Event
}

// A person has a browser without scripts.
type person struct {
	t    testing.TB
	url  string
	http *http.Client
}

func (w *world) anyone(t testing.TB) *person {
	jar, _ := cookiejar.New(nil)
	return &person{t, w.url, &http.Client{Jar: jar, Timeout: time.Minute}}
}

func (w *world) signedIn(t testing.TB, email string) *person {
	t.Helper()
	p := w.anyone(t)
	if a := p.post("/portal/sign-in", "email", email, "password", password); a.status != http.StatusOK {
		t.Fatalf("sign in as %s: %d", email, a.status)
	}
	return p
}

// An answer is a page as it came, after redirects.
type answer struct {
	status int
	path   string
	body   string
	header http.Header
}

func (p *person) get(path string) answer {
	p.t.Helper()
	return p.do(http.NewRequest("GET", p.url+path, nil))
}

func (p *person) post(path string, fields ...string) answer {
	p.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r, err := http.NewRequest("POST", p.url+path, strings.NewReader(form.Encode()))
	if err == nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return p.do(r, err)
}

func (p *person) do(r *http.Request, err error) answer {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return answer{res.StatusCode, res.Request.URL.RequestURI(), string(b), res.Header}
}

// desk takes claims in as the real one does, for one event at a time.
type desk struct{ db *store.DB }

func (d desk) Share(ctx context.Context, v access.Viewer, draft portal.Draft) (got portal.Receipt, err error) {
	_, err = d.db.Apply(ctx, v, func(tx *store.Tx) error {
		e := tocsin.Event{Info: draft.Info, Distribution: draft.Distribution, Group: draft.Group, Published: draft.Publish, Threat: 4}
		for _, n := range draft.Tags {
			t, err := tx.TagNamed(n, "")
			if err != nil {
				return err
			}
			e.Tags = e.Tags.With(tocsin.Attached{Tag: t.ID, Local: t.LocalOnly})
		}
		if err := tx.AddEvent(&e); err != nil {
			return err
		}
		got.Event = e.ID
		return d.add(tx, e.ID, draft.Claims, &got)
	})
	return got, err
}

func (d desk) Add(ctx context.Context, v access.Viewer, event int64, claims []portal.Claim, publish bool) (got portal.Receipt, err error) {
	_, err = d.db.Apply(ctx, v, func(tx *store.Tx) error {
		if err := d.add(tx, event, claims, &got); err != nil || !publish {
			return err
		}
		_, err := tx.Publish(event, true)
		return err
	})
	return got, err
}

func (d desk) add(tx *store.Tx, event int64, claims []portal.Claim, got *portal.Receipt) error {
	var as []tocsin.Attribute
	for _, c := range claims {
		v, err := indicator.Detect(c.Text)
		if c.Type != "" {
			v, err = indicator.Parse(c.Type, c.Text)
		}
		if err != nil {
			got.Refused = append(got.Refused, portal.Refusal{Line: c.Line, Text: c.Text, Why: err.Error()})
			continue
		}
		category, _ := indicator.CategoryByName(v.Type().DefaultCategory)
		as = append(as, tocsin.Attribute{Value: v, Category: category, ToIDS: v.Type().ToIDS, Comment: c.Comment, Distribution: access.Inherit})
	}
	added, err := tx.AddAttributes(event, as, false)
	got.Added, got.Duplicates = len(added.Added), len(added.Duplicates)
	return err
}

// shelf answers from the store what the real collections keep ready.
type shelf struct{ db *store.DB }

func (s shelf) Takes(_ context.Context, c *tocsin.Collection, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
	tag, err := store.ByName[*tocsin.Tag](s.db.As(access.System("portal's test")), c.Tag())
	switch {
	case err != nil || !a.Tags.Has(tag.ID) && !e.Tags.Has(tag.ID):
		return access.Decision{Reason: "neither its tag nor its filter puts it in"}
	case !a.ToIDS:
		return access.Decision{Reason: "it is not marked to act on"}
	case !e.Published:
		return access.Decision{Reason: "its event is not published"}
	case !slices.Contains(c.Sources, e.Orgc):
		return access.Decision{Reason: "its organisation is not among the sources"}
	}
	return access.Decision{Allowed: true, Reason: "it carries the collection's tag"}
}

func (s shelf) Names(collection int64, v access.Viewer) iter.Seq[portal.Name] {
	return func(yield func(portal.Name) bool) {
		all := s.db.As(access.System("portal's test"))
		c, err := store.One[*tocsin.Collection](all, collection)
		if err != nil {
			return
		}
		seen := map[string]bool{}
		org := access.Organisation("", v.Org(), s.db.GroupsOf(v.Org())...)
		for a, err := range s.db.As(org).Attributes(context.Background(), store.Query{}) {
			if err != nil {
				return
			}
			e, err := all.Event(context.Background(), a.Event)
			if err != nil || !s.Takes(context.Background(), c, &a, e).Allowed {
				continue
			}
			l := s.db.Labels().Label(a.Label).Within(s.db.Labels().Label(e.Label))
			if !access.Zone.Passes(l) {
				continue
			}
			for _, n := range a.Value.Facets().Names {
				if n.Kind != indicator.Domain && n.Kind != indicator.Host || seen[n.Text] {
					continue
				}
				seen[n.Text] = true
				if !yield(portal.Name{Text: n.Text, Exact: true, Beneath: n.Kind == indicator.Domain}) {
					return
				}
			}
		}
	}
}

func (s shelf) Holds(collection int64, v access.Viewer, name string) (portal.Name, bool) {
	for n := range s.Names(collection, v) {
		if n.Text == name {
			return n, true
		}
	}
	return portal.Name{}, false
}

func (s shelf) Zones(subscriber int64) []portal.Zone {
	sub, err := store.One[*tocsin.Subscriber](s.db.As(access.System("portal's test")), subscriber)
	if err != nil {
		return nil
	}
	c, err := store.One[*tocsin.Collection](s.db.As(access.System("portal's test")), sub.Collection)
	if err != nil {
		return nil
	}
	n := 0
	for range s.Names(c.ID, access.Organisation("", sub.Org, s.db.GroupsOf(sub.Org)...)) {
		n++
	}
	return []portal.Zone{{Origin: c.HotZone + ".", Serial: 4711, Names: n}, {Origin: c.Zone + ".", Serial: 4700, Names: n}}
}

func confirmed(s *tocsin.Subscriber) []portal.Confirmation {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return []portal.Confirmation{
		{Origin: "hot.phish.rpz.example.", Server: "192.0.2.1:53", Serial: 4711, At: at},
		{Origin: "phish.rpz.example.", Server: "192.0.2.1:53", Serial: 4100, At: at},
	}
}

func config(w io.Writer, resolver string, s *tocsin.Subscriber, c *tocsin.Collection) error {
	if resolver != "unbound" && resolver != "bind" {
		return tocsin.Errorf(tocsin.Invalid, "no configuration for %q; try one of [bind unbound]", resolver)
	}
	_, err := fmt.Fprintf(w, "# %s for %s\nrpz:\n\tname: %q\n\tprimary: 192.0.2.53\n", resolver, s.Name, c.Zone)
	return err
}
