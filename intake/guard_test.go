package intake_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/store"
	"tocsin/vocab"
)

// guards opens the guards of a world and has them follow the log.
func (w *world) guards(t testing.TB) *intake.Guards {
	t.Helper()
	g := &intake.Guards{DB: w.DB, Log: slog.New(slog.DiscardHandler)}
	if err := g.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- w.DB.Follow(ctx, g) }()
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return g
}

func swept(t testing.TB, g *intake.Guards) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := g.Swept(ctx); err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, g *intake.Guards, from, text string, class tocsin.GuardClass) intake.Loaded {
	t.Helper()
	l, err := g.Load(t.Context(), siteAdmin, from, strings.NewReader(text), intake.LoadOptions{Class: &class})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

var siteAdmin = access.System("a test administers lists")

// verdicts is what is written of each value of an event.
func (w *world) verdicts(t testing.TB, event int64) map[string]tocsin.Verdict {
	t.Helper()
	out := map[string]tocsin.Verdict{}
	for a, err := range w.DB.As(siteAdmin).Attributes(t.Context(), store.Query{Events: []int64{event}, Deleted: store.Any}) {
		if err != nil {
			t.Fatal(err)
		}
		out[a.Value.String()] = a.Guard
	}
	return out
}

// What is written is judged by the lists there are; when a list comes, changes or
// goes, what is there is judged again.
func TestGuards(t *testing.T) {
	w := newWorld(t)
	g := w.guards(t)
	event := w.event(t, intake.Draft{Text: "duckduckgo.com"}, intake.Draft{Text: "popular.example"}, intake.Draft{Text: "192.0.2.7"}, intake.Draft{Text: "evil.example"})
	equal(t, "built in", w.verdicts(t, event), map[string]tocsin.Verdict{"192.0.2.7": "", "evil.example": "",
		"duckduckgo.com": "deny search-and-portals duckduckgo.com", "popular.example": ""})
	l := load(t, g, "top.txt", "popular.example\n192.0.2.0/24\nnot a name\n", tocsin.Deny)
	if len(l.Bad) != 1 || l.List.Entries != 2 || l.List.Source != "top.txt" {
		t.Errorf("%+v", l)
	}
	// What comes after Load is judged by the list, without waiting for anything.
	later := w.event(t, intake.Draft{Text: "popular.example"})
	equal(t, "later", w.verdicts(t, later), map[string]tocsin.Verdict{"popular.example": "deny top popular.example"})
	swept(t, g)
	equal(t, "swept", w.verdicts(t, event), map[string]tocsin.Verdict{"192.0.2.7": "deny top 192.0.2.0/24", "evil.example": "",
		"duckduckgo.com": "deny search-and-portals duckduckgo.com", "popular.example": "deny top popular.example"})
	if _, err := g.Reclass(t.Context(), siteAdmin, "top", tocsin.Inform); err != nil {
		t.Fatal(err)
	}
	swept(t, g)
	equal(t, "another class", w.verdicts(t, later), map[string]tocsin.Verdict{"popular.example": "inform top popular.example"})
	// A list that comes again keeps the class that it was given.
	if l, err := g.Load(t.Context(), siteAdmin, "lists/top.txt", strings.NewReader("evil.example\n"), intake.LoadOptions{}); err != nil || l.List.Class != tocsin.Inform {
		t.Fatal(l, err)
	}
	swept(t, g)
	equal(t, "another list", w.verdicts(t, event), map[string]tocsin.Verdict{"192.0.2.7": "", "evil.example": "inform top evil.example",
		"duckduckgo.com": "deny search-and-portals duckduckgo.com", "popular.example": ""})
	if err := g.Remove(t.Context(), siteAdmin, "top"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Reclass(t.Context(), siteAdmin, "search-and-portals", tocsin.Unguarded); err != nil {
		t.Fatal(err)
	}
	swept(t, g)
	equal(t, "no list", w.verdicts(t, event), map[string]tocsin.Verdict{"192.0.2.7": "", "evil.example": "", "duckduckgo.com": "", "popular.example": ""})
}

func TestGuardsRefuse(t *testing.T) {
	w := newWorld(t)
	g := w.guards(t)
	read := func(v access.Viewer, from, text, name string) error {
		_, err := g.Load(t.Context(), v, from, strings.NewReader(text), intake.LoadOptions{Name: name})
		return err
	}
	wantError(t, read(siteAdmin, "lists/top.json", "<!doctype html><title>Sign in</title>", ""), tocsin.Invalid, "the list lists/top.json can't be taken: it is a web page")
	wantError(t, read(siteAdmin, "x.txt", "a.example", "Top Ten"), tocsin.Invalid, `"top-ten", perhaps`)
	wantError(t, read(siteAdmin, "clouds.txt", "a.example", ""), tocsin.Conflict, "another sort of list called clouds")
	wantError(t, read(w.ours, "x.txt", "a.example", ""), tocsin.Forbidden, "assets")
	wantError(t, g.Remove(t.Context(), siteAdmin, "clouds"), tocsin.Conflict, "turn it off")
	wantError(t, g.Remove(t.Context(), siteAdmin, "nothing"), tocsin.NotFound, "no guard list")
}

func TestMembersAssets(t *testing.T) {
	w := newWorld(t)
	g := w.guards(t)
	role, _ := access.RoleByID(2)
	admin := func(org int64) access.Viewer { return access.NewViewer("admin", 1, org, role.Role) }
	ours := &tocsin.Organisation{ID: 1, Name: "Ours"}
	assets := func(v access.Viewer, add, remove string) (string, error) {
		_, es, err := g.Assets(t.Context(), v, ours, strings.Fields(add), strings.Fields(remove))
		return strings.Join(es, " "), err
	}
	got, err := assets(admin(1), "ours.example 192.0.2.0/24", "")
	equal(t, "assets", fmt.Sprint(got, err), ".ours.example 192.0.2.0/24<nil>")
	got, err = assets(admin(1), "*.more.example", "192.0.2.0/24")
	equal(t, "assets", fmt.Sprint(got, err), ".more.example .ours.example<nil>")
	got, err = assets(w.theirs, "", "")
	equal(t, "assets", fmt.Sprint(got, err), ".more.example .ours.example<nil>")
	event := w.event(t, intake.Draft{Text: "mail.ours.example"}, intake.Draft{Text: "192.0.2.9"})
	equal(t, "verdicts", w.verdicts(t, event), map[string]tocsin.Verdict{"mail.ours.example": "inform assets-1-ours ours.example", "192.0.2.9": ""})
	_, err = assets(admin(2), "evil.example", "")
	wantError(t, err, tocsin.Forbidden, "list of assets")
	_, err = assets(w.ours, "evil.example", "") // a publisher
	wantError(t, err, tocsin.Forbidden, "list of assets")
	_, err = assets(admin(1), "com", "")
	wantError(t, err, tocsin.Invalid, `"com" can't be an asset`)
	// An administrator of the exchange who looked at them may have them deny.
	// What is added after that only informs again.
	for _, class := range []tocsin.GuardClass{tocsin.Warn, tocsin.Deny} {
		if _, err := g.Reclass(t.Context(), admin(1), "assets-1-ours", class); tocsin.CodeOf(err) != tocsin.Forbidden {
			t.Error(err)
		}
	}
	if _, err := g.Reclass(t.Context(), siteAdmin, "assets-1-ours", tocsin.Deny); err != nil {
		t.Fatal(err)
	}
	swept(t, g)
	equal(t, "verdicts", w.verdicts(t, event)["mail.ours.example"], "deny assets-1-ours ours.example")
	if _, err := assets(admin(1), "evil.example", ""); err != nil {
		t.Fatal(err)
	}
	swept(t, g)
	equal(t, "verdicts", w.verdicts(t, event)["mail.ours.example"], "inform assets-1-ours ours.example")
}

// A sweep that was cut short goes on where it was, and what is there already is
// not written again.
func TestSweepGoesOn(t *testing.T) {
	w := newWorld(t)
	drafts := domains(5000)
	event := w.event(t, drafts...)
	g := w.guards(t)
	swept(t, g)
	head := w.DB.Head()
	var list strings.Builder
	for _, d := range drafts {
		fmt.Fprintln(&list, d.Text)
	}
	// Another exchange on the same store would find the same lists.
	load(t, g, "all.txt", list.String(), tocsin.Deny)
	swept(t, g)
	if n := int(w.DB.Head() - head); n != len(drafts)+1 {
		t.Errorf("%d lines for %d claims", n, len(drafts))
	}
	s, err := w.DB.As(siteAdmin).GuardSweep(t.Context())
	if err != nil || !s.Done || s.Changed != 5000 {
		t.Errorf("%+v, %v", s, err)
	}
	// As if it had been killed halfway.
	half := s
	half.Done, half.After, half.Changed, half.Seen, half.Aim = false, 2000, 2000, nil, s.Seen
	apply(t, w.DB, siteAdmin, func(tx *store.Tx) error { return tx.PutGuardSweep(half) })
	head = w.DB.Head()
	again := w.guards(t)
	swept(t, again)
	if s, err := w.DB.As(siteAdmin).GuardSweep(t.Context()); err != nil || !s.Done || s.Changed != 2000 || w.DB.Head() != head {
		t.Errorf("%+v, %v, %d lines", s, err, w.DB.Head()-head)
	}
	for v, verdict := range w.verdicts(t, event) {
		if verdict != tocsin.NewVerdict(tocsin.Deny, "all", v) {
			t.Fatal(v, verdict)
		}
	}
}

// Who changes lists again and again does not keep a sweep from its end: one that has
// begun goes on, and the next one looks for what has come since it began.
func TestSweepIsFinishedThoughListsChange(t *testing.T) {
	w := newWorld(t)
	drafts := domains(3000)
	event := w.event(t, drafts...)
	g := w.guards(t)
	swept(t, g)
	s, err := w.DB.As(siteAdmin).GuardSweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	load(t, g, "first.txt", drafts[0].Text+"\n"+drafts[2999].Text+"\n", tocsin.Deny)
	swept(t, g)
	// As if the list had come when a sweep by those before stood at claim 2000, and
	// nothing had been judged by it.
	apply(t, w.DB, siteAdmin, func(tx *store.Tx) error {
		return tx.PutGuardSweep(store.GuardSweep{Lists: s.Lists, Aim: s.Seen, After: 2000})
	})
	again := w.guards(t)
	swept(t, again)
	s, err = w.DB.As(siteAdmin).GuardSweep(t.Context())
	if err != nil || !s.Done || s.Aim != nil || s.Lists == "" {
		t.Errorf("%+v, %v", s, err)
	}
	if s.After != 0 {
		t.Errorf("the second sweep looked through everything from %d", s.After)
	}
	vs := w.verdicts(t, event)
	for _, d := range []intake.Draft{drafts[0], drafts[2999]} {
		if vs[d.Text] != tocsin.NewVerdict(tocsin.Deny, "first", d.Text) {
			t.Error(d.Text, vs[d.Text])
		}
	}
}

// What an exact list guards is looked up and found, in whatever it is named,
// mentioned or covered: what was written before the list came is judged as what is
// written after it.
func TestSweepLooksUp(t *testing.T) {
	w := newWorld(t)
	g := w.guards(t)
	drafts := func() (ds []intake.Draft) {
		for _, v := range []struct{ typ, text string }{
			{"domain", "popular.example"}, {"hostname", "popular.example"}, {"hostname|port", "popular.example|443"},
			{"domain|ip", "popular.example|192.0.2.1"}, {"domain|ip", "other.example|203.0.113.5"}, {"domain", "evil.popular.example"},
			{"domain", "deep.example"}, {"domain", "b.deep.example"}, {"hostname", "deep.example"}, {"domain", "a.b.deep.example"},
			{"url", "http://popular.example/x"}, {"email-src", "x@popular.example"}, {"url", "http://203.0.113.5/"},
			{"ip-dst", "203.0.113.5"}, {"ip-src", "203.0.113.0/24"}, {"ip-dst|port", "203.0.113.5|80"}, {"ip-dst", "203.0.113.6"},
			{"ip-dst", "2001:db8::5"}, {"ip-dst", "2001:db8::/32"}, {"md5", "d41d8cd98f00b204e9800998ecf8427e"},
			{"filename|md5", "x.exe|d41d8cd98f00b204e9800998ecf8427e"}, {"md5", "00000000000000000000000000000000"},
		} {
			ds = append(ds, intake.Draft{Type: v.typ, Text: v.text})
		}
		return ds
	}
	before := w.event(t, drafts()...)
	swept(t, g)
	load(t, g, "exact.txt", "popular.example\na.b.deep.example\n203.0.113.5\n2001:db8::5\nd41d8cd98f00b204e9800998ecf8427e\n", tocsin.Deny)
	swept(t, g)
	if s, err := w.DB.As(siteAdmin).GuardSweep(t.Context()); err != nil || s.After != 0 || s.Changed == 0 {
		t.Errorf("it looked through everything: %+v, %v", s, err)
	}
	after := w.event(t, drafts()...)
	type row struct {
		typ, value string
		verdict    tocsin.Verdict
	}
	read := func(event int64) (rs []row) {
		for a, err := range w.DB.As(siteAdmin).Attributes(t.Context(), store.Query{Events: []int64{event}}) {
			if err != nil {
				t.Fatal(err)
			}
			rs = append(rs, row{a.Value.TypeName(), a.Value.String(), a.Guard})
		}
		return rs
	}
	then, now, guarded := read(before), read(after), 0
	for i := range now {
		if then[i] != now[i] {
			t.Errorf("before %+v, after %+v", then[i], now[i])
		}
		if now[i].verdict != "" {
			guarded++
		}
	}
	if len(now) != 22 || guarded != 18 {
		t.Errorf("%d of %d are guarded: %+v", guarded, len(now), now)
	}
}

// What a node wrote before it had read a list that another one loaded is looked
// at again, whoever sweeps.
func TestWrittenBeforeTheListWasRead(t *testing.T) {
	w := newWorld(t)
	g := &intake.Guards{DB: w.DB, Log: slog.New(slog.DiscardHandler)}
	if err := g.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	elsewhere := &tocsin.GuardList{Name: "top", Class: tocsin.Deny, Match: vocab.Exact, Entries: 2, Digest: "another"}
	apply(t, w.DB, siteAdmin, func(tx *store.Tx) error {
		return tx.PutGuardList(elsewhere, vocab.Pack([]string{"household.example", "popular.example"}))
	})
	event := w.event(t, intake.Draft{Text: "popular.example"}, intake.Draft{Text: "evil.example"})
	equal(t, "judged by older lists", w.verdicts(t, event)["popular.example"], "")
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- w.DB.Follow(ctx, g) }()
	if err := w.DB.Await(t.Context(), g.Name(), w.DB.Head()); err != nil {
		t.Error(err)
	}
	equal(t, "looked at again", w.verdicts(t, event), map[string]tocsin.Verdict{"evil.example": "", "popular.example": "deny top popular.example"})
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Of lists that come one after the other, some together, none is missed.
func TestListsThatComeTogether(t *testing.T) {
	w := newWorld(t)
	g := w.guards(t)
	for i := range 30 {
		name := fmt.Sprintf("list%d", i)
		_, err := g.Load(t.Context(), siteAdmin, name+".txt", strings.NewReader(name+".example\n"), intake.LoadOptions{Later: i%10 != 9})
		if err != nil {
			t.Fatal(err)
		}
	}
	var drafts []intake.Draft
	for i := range 30 {
		drafts = append(drafts, intake.Draft{Text: fmt.Sprintf("list%d.example", i)})
	}
	for name, verdict := range w.verdicts(t, w.event(t, drafts...)) {
		if verdict == "" {
			t.Errorf("nothing guards %s", name)
		}
	}
}

// Newer lists of a newer program replace the older ones, and keep the class that
// somebody gave them.
func TestBuiltInListsAreTaken(t *testing.T) {
	w := newWorld(t)
	old := &tocsin.GuardList{Name: "clouds", Class: tocsin.Inform, Match: vocab.Exact, Own: true}
	theirs := &tocsin.GuardList{Name: "mail", Class: tocsin.Warn, Match: vocab.Exact}
	apply(t, w.DB, siteAdmin, func(tx *store.Tx) error {
		if err := tx.PutGuardList(theirs, vocab.Pack([]string{"kept.example"})); err != nil {
			return err
		}
		return tx.PutGuardList(old, vocab.Pack([]string{"gone.example"}))
	})
	g := w.guards(t)
	event := w.event(t, intake.Draft{Text: "bunnycdn.com"}, intake.Draft{Text: "gone.example"}, intake.Draft{Text: "kept.example"})
	equal(t, "verdicts", w.verdicts(t, event), map[string]tocsin.Verdict{"bunnycdn.com": "inform clouds bunnycdn.com", "gone.example": "", "kept.example": "warn mail kept.example"})
	head := w.DB.Head()
	if err := g.Exchange(t.Context(), []string{"exchange.example", "203.0.113.5"}); err != nil {
		t.Fatal(err)
	}
	if err := g.Exchange(t.Context(), []string{"exchange.example"}); err != nil || w.DB.Head() != head+1 {
		t.Error(err, w.DB.Head()-head)
	}
	if err := g.Exchange(t.Context(), []string{"node2.exchange.example"}); err != nil || w.DB.Head() != head+2 {
		t.Error(err, w.DB.Head()-head)
	}
	if err := w.DB.Await(t.Context(), g.Name(), w.DB.Head()); err != nil {
		t.Fatal(err)
	}
	event = w.event(t, intake.Draft{Text: "exchange.example"}, intake.Draft{Text: "203.0.113.5"})
	equal(t, "verdicts", w.verdicts(t, event), map[string]tocsin.Verdict{"203.0.113.5": "deny this-exchange 203.0.113.5", "exchange.example": "deny this-exchange exchange.example"})
}

// All of MISP's warninglists can be loaded into an exchange, one after the other.
func TestEveryWarninglistLoads(t *testing.T) {
	dir := filepath.Join(cmp.Or(os.Getenv("TOCSIN_SHARED"), "../../shared"), "data/reference/warninglists-small")
	files, _ := filepath.Glob(filepath.Join(dir, "*", "list.json"))
	if len(files) == 0 {
		files, _ = filepath.Glob(filepath.Join(dir, "*.json"))
	}
	if len(files) == 0 {
		t.Skip("no shared data here: reference/warninglists-small")
	}
	w := newWorld(t)
	g := w.guards(t)
	for _, file := range files {
		if filepath.Base(file) == "schema.json" {
			continue
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Load(t.Context(), siteAdmin, file, f, intake.LoadOptions{}); err != nil {
			t.Error(err)
		}
		f.Close()
	}
	swept(t, g)
	n := 0
	for range w.DB.As(siteAdmin).GuardLists() {
		n++
	}
	t.Logf("%d lists", n)
	if n < 100 {
		t.Errorf("%d lists", n)
	}
}
