package rpz

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/lab"
)

// TestZonesInOrder has each resolver take three zones as we print them: names
// that one lets through, the same names and others that the next ones stop, and
// names that clients are sent elsewhere for.
func TestZonesInOrder(t *testing.T) {
	allow := newBook("allow.rpz.example.", 3, ".fine.evil.threat-lab.net", "host.threat-lab.net")
	allow.terms = Terms{Action: Passthru}
	hot := newBook("hot.rpz.example.", 5, ".new.threat-lab.net", ".fine.evil.threat-lab.net")
	hot.terms = Terms{Action: NoData}
	base := newBook("rpz.example.", 7, ".evil.threat-lab.net", "host.threat-lab.net", ".new.threat-lab.net", "exact.threat-lab.net")
	garden := newBook("garden.rpz.example.", 9, ".elsewhere.threat-lab.net")
	garden.terms = Terms{Action: "landing.threat-lab.net"}
	shelf := newShelf(allow, hot, base, garden)
	shelf.admitLocal()
	at := start(t, &Server{Zones: shelf, Keys: shelf})
	// Not in the order in which they are to be asked.
	offers := []Offer{{Origin: base.origin}, {Origin: garden.origin, Terms: garden.terms}, {Origin: hot.origin, Hot: true, Terms: hot.terms}, {Origin: allow.origin, Terms: allow.terms}}
	dir := t.TempDir()
	put := func(name string, write func(*os.File) error) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := write(f); err != nil {
			t.Fatal(err)
		}
	}
	var all []Zone
	for _, b := range []*book{allow, hot, base, garden} {
		z := b.latest()
		all = append(all, z)
		put(strings.TrimSuffix(b.origin, ".")+".plain.rpz", func(f *os.File) error { return Text(f, Plain(z)) })
	}
	put("blocked.dnsmasq", func(f *os.File) error { return Dnsmasq(f, all...) })
	printed := func(resolver string) string {
		return strings.ReplaceAll(config(t, resolver, Setup{Primary: at, Zones: offers, Feed: "http://exchange.example/feeds/x"}), folder, dir)
	}
	root := lab.StartRoot(t)
	for name, start := range map[string]func(*testing.T) *lab.Resolver{
		"BIND": func(t *testing.T) *lab.Resolver {
			return lab.StartBIND(t, root, lab.Config{Options: printed("bind-options"), Zones: printed("bind")})
		},
		"Unbound": func(t *testing.T) *lab.Resolver { return lab.StartUnbound(t, root, printed("unbound")) },
		"PowerDNS": func(t *testing.T) *lab.Resolver {
			return lab.StartPowerDNS(t, root, lab.Config{Options: printed("powerdns-conf"), Zones: printed("powerdns")})
		},
		"Knot Resolver": func(t *testing.T) *lab.Resolver { return lab.StartKresd(t, root, printed("knot-resolver")) },
		"dnsmasq":       func(t *testing.T) *lab.Resolver { return lab.StartDnsmasq(t, root, printed("dnsmasq")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			for _, name := range []string{"evil", "www.evil", "new", "a.b.new", "exact", "elsewhere", "www.elsewhere"} {
				r.WaitBlocked(t, name+".threat-lab.net")
			}
			for _, name := range []string{"fine.evil", "www.fine.evil", "host", "www.exact", "www.host", "other"} {
				r.WaitAnswers(t, name+".threat-lab.net")
			}
		})
	}
}

// TestKresdTakesWholeFiles sees that Knot Resolver, with what we print, goes on
// with what it has when a file is cut short, is no zone, or is gone.
func TestKresdTakesWholeFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(zone, text string) {
		t.Helper()
		path := filepath.Join(dir, zone+".rpz.example.plain.rpz")
		if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	zone := func(serial uint32, names ...string) string {
		var b strings.Builder
		if err := Text(&b, newBook("rpz.example.", serial, names...).latest()); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	put("a", zone(1, ".evil.threat-lab.net"))
	put("b", zone(1))
	text := config(t, "knot-resolver", Setup{Feed: "http://exchange.example/feeds/x", Zones: []Offer{{Origin: "a.rpz.example"}, {Origin: "b.rpz.example"}}})
	r := lab.StartKresd(t, lab.StartRoot(t), strings.ReplaceAll(text, folder, dir))
	r.WaitBlocked(t, "www.evil.threat-lab.net")
	serial := uint32(1)
	looked := func() { // each file is looked at in turn, so after two changes of one the other was
		t.Helper()
		for range 2 {
			serial++
			name := fmt.Sprintf("b%d.threat-lab.net", serial)
			put("b", zone(serial, name))
			r.WaitBlocked(t, name)
		}
	}
	cut := zone(2, ".other.threat-lab.net")
	for what, bad := range map[string]string{
		"cut short": cut[:strings.LastIndex(strings.TrimSpace(cut), "\n")+1],
		"a page":    "<html><body>other.threat-lab.net CNAME .\n</body></html>\n",
		"empty":     "",
	} {
		put("a", bad)
		looked()
		if a, err := r.Lookup(t.Context(), "evil.threat-lab.net"); err != nil || !a.Blocked() {
			t.Errorf("%s: %v, %v", what, a, err)
		}
		if a, err := r.Lookup(t.Context(), "other.threat-lab.net"); err != nil || !a.Honest() {
			t.Errorf("%s: %v, %v", what, a, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "a.rpz.example.plain.rpz")); err != nil {
		t.Fatal(err)
	}
	looked()
	if a, err := r.Lookup(t.Context(), "evil.threat-lab.net"); err != nil || !a.Blocked() {
		t.Errorf("gone: %v, %v", a, err)
	}
	put("a", zone(3, ".other.threat-lab.net"))
	r.WaitBlocked(t, "other.threat-lab.net")
	r.WaitAnswers(t, "evil.threat-lab.net")
}
