package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/codec"
	"tocsin/httpd"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/seal"
	"tocsin/store"
	"tocsin/store/sqlite"
)

// A world is a server over a real store with two organisations, Ours and Theirs,
// each with an administrator and its own event, and a site administrator. The
// parts around the store are the simplest that are honest.
type world struct {
	*httpd.Server
	db   *store.DB
	api  *API
	url  string
	keys map[string]string // by who: admin, ours, theirs, ours-reader, and their read-only keys "ro-…"
	ids  map[string]int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	e, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.New(t.Context(), e, store.Options{Seal: keys})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{db: db, keys: map[string]string{}, ids: map[string]int64{}}
	for _, name := range []string{"Ours", "Theirs"} {
		w.ids[name] = put(t, db, &tocsin.Organisation{Name: name, UUID: tocsin.NewUUID(db.Now())}).ID
	}
	w.person(t, "admin", "Ours", 1)
	w.person(t, "ours", "Ours", 2)
	w.person(t, "theirs", "Theirs", 2)
	w.person(t, "ours-reader", "Ours", 6)
	group := put(t, db, &tocsin.Group{Name: "theirs alone", UUID: tocsin.NewUUID(db.Now()), Org: w.ids["Theirs"], Members: []tocsin.Member{{Org: w.ids["Theirs"]}}})
	c := put(t, db, &tocsin.Collection{Name: "theirblock", Org: w.ids["Theirs"], Zone: "theirs.rpz.example", Sources: []int64{w.ids["Theirs"]}})
	s := put(t, db, &tocsin.Subscriber{Name: "their resolver", Collection: c.ID, Org: w.ids["Theirs"],
		TSIG: &tocsin.TSIG{Name: "their-key", Algorithm: "hmac-sha256", Secret: tocsin.NewSecret([]byte("do not tell anyone else about it"))}})
	i := put(t, db, &tocsin.Import{Name: "their list", Org: w.ids["Theirs"], State: "done"})
	w.ids["lifetime"] = put(t, db, &tocsin.Lifetime{Name: "of everyone", Days: 30}).ID
	w.ids["retention"] = put(t, db, &tocsin.Retention{Name: "of everyone", Days: 3000}).ID
	w.ids["group"], w.ids["collection"], w.ids["subscriber"], w.ids["import"] = group.ID, c.ID, s.ID, i.ID
	guards := guardsOf(t, db)
	w.ids["list"] = put(t, db, &tocsin.GuardList{Name: "of everyone", Class: tocsin.Warn, Match: "exact"}).ID
	w.api = New(db, Parts{
		Version: "test", Guards: guards, Index: &storeIndex{t, db}, Desk: fakeDesk{db}, Writer: plainWriter, Lists: fakeLists{},
		Config: func(w io.Writer, ask ConfigFor, s *tocsin.Subscriber, c *tocsin.Collection) error {
			if ask.Resolver != "unbound" {
				return fmt.Errorf("no configuration for %q; try one of [unbound]", ask.Resolver)
			}
			_, err := fmt.Fprintf(w, "zone %s secret %x\n", c.Zone, s.TSIG.Secret.Clear())
			return err
		},
		Takes: func(_ context.Context, c *tocsin.Collection, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
			if !a.ToIDS {
				return access.Decision{Reason: "it is not marked to_ids"}
			}
			return access.Decision{Allowed: true, Reason: "it is in " + c.Name}
		},
	})
	w.Server = httpd.New(db, httpd.Options{})
	w.api.Register(w.Server)
	srv := httptest.NewServer(w.Server)
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

// guardsOf has the guards of a store follow its log.
func guardsOf(t testing.TB, db *store.DB) *intake.Guards {
	g := &intake.Guards{DB: db, Log: slog.New(slog.DiscardHandler)}
	if err := g.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { db.Follow(ctx, g) })
	running.Go(func() { g.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
	if err := g.Swept(t.Context()); err != nil {
		t.Fatal(err)
	}
	return g
}

func put[R tocsin.Record](t testing.TB, db *store.DB, r R) R {
	t.Helper()
	_, err := db.Apply(t.Context(), access.System("test"), func(tx *store.Tx) error { return store.Put(tx, r) })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) person(t testing.TB, name, org string, role int64) {
	t.Helper()
	u := put(t, w.db, &tocsin.User{Email: name + "@example.org", Org: w.ids[org], Role: role})
	w.ids[name] = u.ID
	for _, prefix := range []string{"", "ro-"} {
		clear, hash, ends := httpd.NewKey()
		k := put(t, w.db, &tocsin.Key{User: u.ID, Hash: hash, Ends: ends, UUID: tocsin.NewUUID(w.db.Now()), ReadOnly: prefix != ""})
		w.keys[prefix+name] = clear
		w.ids["key "+prefix+name] = k.ID
	}
}

// event adds an event of a person's with these values.
func (w *world) event(t testing.TB, who string, e tocsin.Event, values ...string) *tocsin.Event {
	t.Helper()
	u, err := store.ByName[*tocsin.User](w.db.As(access.System("test")), who+"@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if e.Info == "" {
		e.Info = "an event"
	}
	_, err = w.db.Apply(t.Context(), w.db.ViewerFor(u), func(tx *store.Tx) error {
		published := e.Published
		e.Published = false
		if err := tx.AddEvent(&e); err != nil {
			return err
		}
		var as []tocsin.Attribute
		for _, text := range values {
			v, err := indicator.Detect(text)
			if err != nil {
				return err
			}
			as = append(as, tocsin.Attribute{Value: v, Category: network, ToIDS: true, Distribution: access.Inherit})
		}
		if _, err := tx.AddAttributes(e.ID, as, false); err != nil || !published {
			return err
		}
		_, err := tx.Publish(e.ID, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return &e
}

// ask sends a request as who ("" for nobody) and returns the answer.
func (w *world) ask(t testing.TB, who, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if who != "" {
		key, ok := w.keys[who]
		if !ok {
			key = who
		}
		r.Header.Set("Authorization", key)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// must asks and decodes the answer.
func (w *world) must(t testing.TB, status int, who, method, path, body string) map[string]any {
	t.Helper()
	got, text := w.ask(t, who, method, path, body)
	if got != status {
		t.Fatalf("%s %s %s as %s: status %d, want %d: %s", method, path, body, who, got, status, text)
	}
	out := map[string]any{}
	if strings.HasPrefix(text, "{") {
		if err := json.Unmarshal([]byte(text), &out); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
	}
	return out
}

var network, _ = indicator.CategoryByName("Network activity")

// storeIndex asks the store each time: slow, and right.
type storeIndex struct {
	t  testing.TB
	db *store.DB
}

type storeLook struct {
	*storeIndex
	sight *access.Sight
}

func (x *storeIndex) Look(s *access.Sight) Look { return storeLook{x, s} }

func (l storeLook) FindMax(k indicator.Key, dst []Claim, max int) ([]Claim, bool) {
	all := l.db.As(access.System("test: the sight asks"))
	for a, err := range all.Attributes(context.Background(), store.Query{Keys: []indicator.Key{k}}) {
		if err != nil {
			l.t.Error(err)
			return dst, false
		}
		e, err := all.Event(context.Background(), a.Event)
		if err != nil {
			l.t.Error(err)
			return dst, false
		}
		if !l.sight.Has(a.Label) || !l.sight.Has(e.Label) {
			continue
		}
		if max--; max < 0 {
			return dst, true
		}
		dst = append(dst, Claim{a.ID, e.ID, a.Value.Type().ID, a.Category, a.Label, e.Label, a.ToIDS, e.Published, e.Orgc, e.UUID})
	}
	return dst, false
}

// fakeDesk takes each line for a value and writes one event at the end.
type fakeDesk struct{ db *store.DB }

func (d fakeDesk) Import(ctx context.Context, v access.Viewer, in Import, list io.Reader, progress func(Progress)) (Result, error) {
	var r Result
	var as []tocsin.Attribute
	plain, err := codec.Open(list)
	if err != nil {
		return r, err
	}
	for lines := newLines(plain, readSize, maxLine); ; {
		line, err := lines.next(func() error { return nil })
		if err == io.EOF {
			break
		} else if err != nil {
			return r, err
		}
		r.Read++
		value, err := indicator.Detect(string(line))
		if err != nil {
			r.Progress.Refused++
			r.Refused = append(r.Refused, Refusal{int(r.Read), string(line), err.Error()})
		} else {
			as = append(as, tocsin.Attribute{Value: value, Distribution: access.Inherit})
		}
		progress(r.Progress)
	}
	e := &tocsin.Event{Info: in.Event}
	if in.Distribution != nil {
		e.Distribution = *in.Distribution
	}
	seq, err := d.db.Apply(ctx, v, func(tx *store.Tx) error {
		if err := tx.AddEvent(e); err != nil {
			return err
		}
		added, err := tx.AddAttributes(e.ID, as, false)
		r.Written = int64(len(added.Added))
		return err
	})
	r.Event, r.EventUUID, r.Seq = e.ID, e.UUID, seq
	return r, err
}

func (d fakeDesk) Preview(in Import, list io.Reader) (any, error) {
	b, err := io.ReadAll(list)
	return map[string]any{"format": in.Format, "columns": in.Columns, "octets": len(b)}, err
}

// plainWriter writes values, a line each.
func plainWriter(format string) (Writer, error) {
	if format != "text" {
		return nil, tocsin.Errorf(tocsin.Invalid, "no format %q; try one of [text]", format)
	}
	return textWriter{}, nil
}

type textWriter struct{}

func (textWriter) Media() string       { return "text/plain; charset=utf-8" }
func (textWriter) Parts() tocsin.Parts { return tocsin.PartValue }
func (textWriter) Write(w io.Writer, rows iter.Seq2[Row, error]) error {
	for r, err := range rows {
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(w, r.Attribute.Value, r.Org, r.TLP); err != nil {
			return err
		}
	}
	return nil
}

type fakeLists struct{}

func (fakeLists) List(c *tocsin.Collection, v access.Viewer) (List, error) {
	return fakeList{v.Sight()}, nil
}

func (fakeLists) Received(_ *tocsin.Collection, s *tocsin.Subscriber) (List, error) {
	return fakeList{"subscriber " + s.Name}, nil
}

type fakeList struct{ audience string }

func (l fakeList) Audience() string   { return l.audience }
func (l fakeList) Serial() tocsin.Seq { return 17 }
func (l fakeList) Media(format string) (string, error) {
	if format != "txt" {
		return "", tocsin.Errorf(tocsin.Invalid, "no format %q; try one of [txt]", format)
	}
	return "text/plain", nil
}
func (l fakeList) Write(w io.Writer, _ string, part Part) error {
	_, err := io.WriteString(w, strings.Repeat("evil.example\n", 500/max(1, part.Of)))
	return err
}
