package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin"
	"tocsin/access"
	"tocsin/backup"
	"tocsin/collection"
	"tocsin/indicator"
	"tocsin/internal/lab"
	"tocsin/store"
)

// A backup that is made while everybody writes is the exchange as it was after
// one line of its log: restored, it has the same lines up to there, the same
// records, and zones that hold the same for each subscriber.
func TestBackupWhileWritersWrite(t *testing.T) {
	w := newWorld(t, "telco", "provider", "stranger")
	both := w.group("both", "telco", "provider")
	drop := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
	w.keys["admin"] = w.admin("telco")
	subs := []int64{w.subscriber("of provider", "provider", drop), w.subscriber("of stranger", "stranger", drop)}

	stop, writers := make(chan struct{}), sync.WaitGroup{}
	for n := range 3 {
		writers.Go(func() { w.scribble(n, both, stop) })
	}
	w.grows(300)
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	before := w.DB.Head()
	m := w.backUp(file)
	w.grows(m.Head + 20) // they did not stop for it
	close(stop)
	writers.Wait()
	w.settle()
	if m.Head < before || m.Head >= w.DB.Head() {
		t.Fatalf("the backup is of line %d; it began after %d, and now is %d", m.Head, before, w.DB.Head())
	}

	r := w.restored(file)
	want, got := w.asOf(m.Head), r.asOf(m.Head)
	if len(want.lines) < 300 || len(want.attributes) < 50 {
		t.Fatalf("too little to compare: %d lines, %d attributes", len(want.lines), len(want.attributes))
	}
	for _, d := range []struct {
		what      string
		want, got any
	}{
		{"lines", want.lines, got.lines},
		{"records, as the log tells", want.records, got.records},
		{"attributes, as the log tells", want.attributes, got.attributes},
		{"attributes, as they are", want.attributes, r.everyAttribute()},
	} {
		if diff := cmp.Diff(d.want, d.got, sameValue); diff != "" {
			t.Errorf("%s differ:\n%.3000s", d.what, diff)
		}
	}
	for _, sub := range subs {
		for _, origin := range []string{"rpz.example", "hot.rpz.example"} {
			held, shown := contents(t, want.set, origin, sub), contents(t, r.Collections, origin, sub)
			if diff := cmp.Diff(held, shown); diff != "" {
				t.Errorf("%s differs for subscriber %d:\n%.3000s", origin, sub, diff)
			}
			z, _ := r.Collections.Zone(origin, sub)
			if last, _ := w.Collections.Zone(origin, sub); int32(z.Serial()-last.Serial()) <= 0 {
				t.Errorf("%s goes on at %d, though %d was served", origin, z.Serial(), last.Serial())
			}
		}
	}
	r.settle()
	r.share("telco", "after.threat-lab.net", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	r.settle()
	if got := contents(t, r.Collections, "hot.rpz.example", subs[0]); !slices.Contains(got, "after.threat-lab.net3") {
		t.Errorf("what was shared since is not in the hot zone: %q", got)
	}
}

var sameValue = cmp.Comparer(func(a, b indicator.Value) bool { return a == b })

// admin gives the first user of an organisation a key for everything.
func (w *world) admin(org string) (clear string) {
	w.t.Helper()
	w.write(func(tx *store.Tx) error {
		a, err := addUser(tx, &tocsin.Organisation{ID: w.orgs[org], Name: org}, "admin@"+org+".example", adminRole)
		clear = a.Key
		return err
	})
	return clear
}

// grows waits until the log has a line.
func (w *world) grows(line tocsin.Seq) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	if err := w.DB.Await(ctx, w.Index.Name(), line); err != nil {
		w.t.Fatalf("line %d: %v", line, err)
	}
}

// scribble writes all sorts of things until stop.
func (w *world) scribble(n int, group int64, stop chan struct{}) {
	tag := map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		e := map[string]any{"Tag": []any{tag}}
		if i%3 == 1 {
			e["distribution"], e["sharing_group_id"] = 4, group
		}
		name := fmt.Sprintf("n%d-%d.threat-lab.net", n, i)
		id := w.share("telco", name, e)
		w.must("telco", "POST", "/attributes/add/"+id, map[string]any{"type": "hostname", "value": "www." + name, "to_ids": true})
		switch i % 5 {
		case 0:
			w.must("telco", "POST", "/events/edit/"+id, map[string]any{"distribution": 0, "published": true})
		case 1:
			w.must("telco", "POST", "/attributes/delete/"+w.attribute("telco", name), nil)
		case 2:
			w.must("telco", "DELETE", "/events/delete/"+id, nil)
		case 3:
			w.must("telco", "POST", "/events/publish/"+id, nil)
		}
	}
}

// backUp makes a backup over the API.
func (w *world) backUp(file string) backup.Manifest {
	w.t.Helper()
	cmd := backupCmd{server: server{URL: "http://" + w.HTTPAddr, Key: w.keys["admin"]}, To: file, WithKey: true}
	var out bytes.Buffer
	cmd.JSON = true
	if err := cmd.Run(w.t.Context(), newConsole(nil, &out, io.Discard)); err != nil {
		w.t.Fatal(err)
	}
	var m backup.Manifest
	if err := json.Unmarshal(out.Bytes(), &m); err != nil {
		w.t.Fatal(err)
	}
	return m
}

// restored is another world: what a backup of w is restored to, with the same keys.
func (w *world) restored(file string) *world {
	w.t.Helper()
	r := &world{t: w.t, conf: w.conf, keys: w.keys, orgs: w.orgs}
	r.conf.Data, r.conf.Store = filepath.Join(w.t.TempDir(), "restored"), "" // it is put back into a folder
	cmd := restoreCmd{Data: r.conf.Data, File: file}
	if err := cmd.Run(w.t.Context(), newConsole(nil, io.Discard, io.Discard)); err != nil {
		w.t.Fatal(err)
	}
	r.start()
	r.settle()
	return r
}

// A past is an exchange as it was after a line, by what its log tells.
type past struct {
	lines      []string
	records    map[string]string
	attributes map[int64]tocsin.Attribute
	set        *collection.Set

	until tocsin.Seq
	full  context.CancelFunc
}

var _ store.Follower = (*past)(nil)

func (w *world) asOf(line tocsin.Seq) *past {
	w.t.Helper()
	set, err := collection.Open(w.t.TempDir(), w.DB.Labels(), slog.New(slog.DiscardHandler))
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	p := &past{records: map[string]string{}, attributes: map[int64]tocsin.Attribute{}, set: set, until: line, full: cancel}
	if err := w.DB.Follow(ctx, p); err != nil {
		w.t.Fatal(err)
	}
	if n := len(p.lines); n != int(line) {
		w.t.Fatalf("%d lines, want %d", n, line)
	}
	return p
}

func (p *past) Name() string                  { return "past" }
func (p *past) Place() tocsin.Seq             { return 0 }
func (p *past) Restart(context.Context) error { return nil }

func (p *past) Follow(ctx context.Context, cs []tocsin.Change) error {
	n := len(cs)
	for i := range cs {
		if cs[i].Seq > p.until {
			n = i
			break
		}
		p.apply(ctx, &cs[i])
	}
	if err := p.set.Follow(ctx, cs[:n]); err != nil {
		return err
	}
	if n < len(cs) || cs[n-1].Seq == p.until {
		p.full()
	}
	return nil
}

func (p *past) apply(ctx context.Context, c *tocsin.Change) {
	all := access.System("a test compares")
	p.lines = append(p.lines, fmt.Sprint(c.Seq, " ", c.At.UnixMicro(), " ", c.By, " ", c.Kind, " ", c.ID))
	if c.IsRange() {
		run, err := c.Run(ctx, all, 0)
		if err != nil {
			p.lines = append(p.lines, err.Error())
		}
		for _, a := range run {
			p.attributes[a.ID] = a
		}
		return
	}
	switch c.Kind {
	case tocsin.KindAttribute:
		_, a := tocsin.Records[*tocsin.Attribute](c, all)
		delete(p.attributes, c.ID)
		if a != nil {
			p.attributes[c.ID] = *a
		}
	default:
		_, r := tocsin.Records[tocsin.Record](c, all)
		if e, ok := r.(*tocsin.Event); ok {
			e := *e
			e.Attributes, e.Restricted = 0, 0 // counts are the row's, not the line's
			r = &e
		}
		b, _ := json.Marshal(r)
		p.records[fmt.Sprint(c.Kind, c.ID)] = string(b)
		if c.Kind == tocsin.KindEvent && r == nil {
			maps.DeleteFunc(p.attributes, func(_ int64, a tocsin.Attribute) bool { return a.Event == c.ID })
		}
	}
}

// attributes are all that there are now.
func (w *world) everyAttribute() map[int64]tocsin.Attribute {
	w.t.Helper()
	all := map[int64]tocsin.Attribute{}
	for a, err := range w.DB.As(access.System("a test compares")).Attributes(w.t.Context(), store.Query{Deleted: store.Any}) {
		if err != nil {
			w.t.Fatal(err)
		}
		all[a.ID] = a
	}
	return all
}

// contents are the names of a zone as a subscriber sees it.
func contents(t *testing.T, s *collection.Set, origin string, subscriber int64) (names []string) {
	t.Helper()
	z, ok := s.Zone(origin, subscriber)
	if !ok {
		t.Fatalf("no zone %s for %d", origin, subscriber)
	}
	z.Names(func(name []byte, tr collection.Trigger) bool {
		names = append(names, fmt.Sprint(string(dotted(nil, name)), tr))
		return true
	})
	slices.Sort(names)
	return names
}

// A projection of another life is not trusted, however well its place fits.
func TestProjectionsOfAnotherLifeAreRebuilt(t *testing.T) {
	w := newWorldOn(t, "", "telco", "provider") // in a folder, whose database is exchanged
	drop := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("resolver", "provider", drop)
	w.keys["admin"] = w.admin("telco")
	tag := map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}
	w.share("telco", "kept.threat-lab.net", tag)
	w.settle()
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	w.backUp(file)
	w.share("telco", "lost.threat-lab.net", tag)
	w.settle()
	served, _ := w.Collections.Zone("rpz.example", sub)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	// The backup's database takes the place of the one that was lost; all else stays.
	elsewhere := filepath.Join(t.TempDir(), "restored")
	if err := (&restoreCmd{Data: elsewhere, File: file}).Run(t.Context(), newConsole(nil, io.Discard, io.Discard)); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(elsewhere, databaseFile), filepath.Join(w.conf.Data, databaseFile)); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.settle()
	if got := contents(t, w.Collections, "rpz.example", sub); !slices.Equal(got, []string{"kept.threat-lab.net3"}) {
		t.Errorf("the zone holds %q", got)
	}
	w.holds("kept.threat-lab.net", sub)
	z, _ := w.Collections.Zone("rpz.example", sub)
	if int32(z.Serial()-served.Serial()) <= 0 {
		t.Errorf("the zone goes on at %d, though %d was served", z.Serial(), served.Serial())
	}
	if _, ok := z.Since(served.Serial()); ok {
		t.Error("there is a way from a zone that never was")
	}
	status, out := w.call("telco", "GET", "/api/status", nil)
	if status != http.StatusOK || out["head"] == nil {
		t.Errorf("%d %v", status, out)
	}
}

func TestSealKeyOfABackup(t *testing.T) {
	w := newWorld(t, "telco")
	w.keys["admin"] = w.admin("telco")
	key := read(t, filepath.Join(w.conf.Data, backup.SealKey))
	without, within := filepath.Join(t.TempDir(), "without.tar.gz"), filepath.Join(t.TempDir(), "within.tar.gz")
	m := w.backUp(within)
	if m.Seal == nil || !m.Seal.Included || m.Seal.SHA256 != sumOf(key) {
		t.Errorf("%+v", m.Seal)
	}
	cmd := backupCmd{server: server{URL: "http://" + w.HTTPAddr, Key: w.keys["admin"]}, To: without}
	if err := cmd.Run(t.Context(), newConsole(nil, io.Discard, io.Discard)); err != nil {
		t.Fatal(err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.key")
	if err := os.WriteFile(wrong, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(w.conf.Data, backup.SealKey)
	for _, x := range []struct {
		name, file, key string
		there, refused  bool
		says            string
	}{
		{"in the backup", within, "", true, false, ""},
		{"given", without, own, true, false, ""},
		{"not given", without, "", false, false, "with SHA-256 " + sumOf(key)},
		{"another", without, wrong, false, true, ""},
	} {
		dir := filepath.Join(t.TempDir(), "restored")
		var said bytes.Buffer
		err := (&restoreCmd{Data: dir, File: x.file, SealKey: x.key}).Run(t.Context(), newConsole(nil, io.Discard, &said))
		got, _ := os.ReadFile(filepath.Join(dir, backup.SealKey))
		if (err != nil) != x.refused || bytes.Equal(got, key) != x.there || !bytes.Contains(said.Bytes(), []byte(x.says)) {
			t.Errorf("%s: %v; key there: %v; said %q", x.name, err, bytes.Equal(got, key), said.String())
		}
	}
}

// A resolver that holds what came after the backup follows the restored exchange
// without anybody touching it: what the backup has stays blocked, what was lost with
// the disk is answered again, and what is shared next is blocked.
func TestResolverFollowsARestore(t *testing.T) {
	w := newWorld(t, "telco", "provider")
	w.keys["admin"] = w.admin("telco")
	drop := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.settle()
	tag := map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}
	w.share("telco", "kept.threat-lab.net", tag)
	r := unbound(t, w, lab.StartRoot(t), drop)
	r.WaitBlocked(t, "kept.threat-lab.net")
	w.settle()
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	w.backUp(file)
	for i := range 20 {
		w.share("telco", fmt.Sprintf("lost%d.threat-lab.net", i), tag)
	}
	r.WaitBlocked(t, "lost19.threat-lab.net")
	w.conf.DNS = w.DNSAddr // where the resolver looks for us
	must(t, w.Close())

	again := w.restored(file)
	t.Logf("answered again after %v", r.WaitAnswers(t, "lost19.threat-lab.net"))
	if a, err := r.Lookup(t.Context(), "kept.threat-lab.net"); err != nil || !a.Blocked() {
		t.Errorf("what was in the backup is no longer blocked: %+v, %v", a, err)
	}
	again.share("telco", "next.threat-lab.net", tag)
	t.Logf("blocked after %v", r.WaitBlocked(t, "next.threat-lab.net"))
}

// What is inside a backup is the same whatever engine it came from, so that each can
// be restored to any.
func TestBackupBetweenEngines(t *testing.T) {
	w := newWorldOn(t, lab.Database(t), "telco", "provider")
	w.keys["admin"] = w.admin("telco")
	drop := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	sub := w.subscriber("resolver", "provider", drop)
	w.share("telco", "kept.threat-lab.net", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	w.settle()
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	m := w.backUp(file)
	want := w.asOf(m.Head)
	must(t, w.Close())

	for name, url := range map[string]string{"folder": "", "database": lab.Database(t)} {
		r := &world{t: t, conf: w.conf, keys: w.keys, orgs: w.orgs}
		r.conf.Data, r.conf.Store = filepath.Join(t.TempDir(), "restored"), url
		cmd := restoreCmd{Data: r.conf.Data, storeFlag: storeFlag{url}, File: file}
		must(t, cmd.Run(t.Context(), newConsole(nil, io.Discard, io.Discard)))
		r.start()
		r.settle()
		got := r.asOf(m.Head)
		if d := cmp.Diff(want.lines, got.lines) + cmp.Diff(want.records, got.records) + cmp.Diff(want.attributes, got.attributes, sameValue); d != "" {
			t.Errorf("restored to a %s it is another:\n%.2000s", name, d)
		}
		if names := contents(t, r.Collections, "rpz.example", sub); !slices.Equal(names, []string{"kept.threat-lab.net3"}) {
			t.Errorf("restored to a %s the zone holds %q", name, names)
		}
		if _, err := os.Stat(filepath.Join(r.conf.Data, databaseFile)); (err == nil) != (url == "") {
			t.Errorf("restored to a %s: a database in the folder: %v", name, err)
		}
		must(t, r.Close())
	}
}
