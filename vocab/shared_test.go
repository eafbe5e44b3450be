package vocab_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path"
	"runtime"
	"strings"
	"testing"

	"tocsin"
	"tocsin/indicator"
	"tocsin/vocab"
)

// Of a million malicious domains 579 are among the 100,000 most popular, and 62
// among the first 10,000. Each is caught, and nothing else.
func TestEveryPopularNameIsCaught(t *testing.T) {
	list := shared(t, "lists/domains-malicious-1m.txt.gz")
	for file, want := range map[string]int{"lists/benign-top-tranco-100k.txt.gz": 579, "lists/benign-top-tranco10k.txt": 62} {
		top := readFile(t, shared(t, file))
		g := guards(t, top)
		popular := map[string]bool{}
		for name := range lines(t, shared(t, file)) {
			popular[name] = true
		}
		caught, above := 0, 0
		for name := range lines(t, list) {
			v, err := indicator.Parse("domain", name)
			if err != nil {
				continue
			}
			switch verdict := g.Judge(v); {
			case popular[name] != (verdict.Entry() == name):
				t.Errorf("%s: popular %v, verdict %q", name, popular[name], verdict)
			case popular[name]:
				caught++
			case verdict != "" && !strings.HasSuffix(verdict.Entry(), "."+name):
				t.Errorf("%s is caught: %s", name, verdict)
			case verdict != "":
				above++ // it would take a popular name beneath it along
			}
		}
		if caught != want {
			t.Errorf("%s: %d caught, want %d", file, caught, want)
		}
		t.Logf("%s: %d caught, and %d that lie above a popular name", file, caught, above)
	}
}

// warninglists reads all of MISP's.
func warninglists(t testing.TB) (lists []*vocab.List) {
	f, err := os.Open(shared(t, "reference/warninglists.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return lists
		}
		if err != nil {
			t.Fatal(err)
		}
		if path.Base(h.Name) != "list.json" {
			continue
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		l, bad, err := vocab.Read(h.Name, bytes.NewReader(text))
		if err != nil {
			t.Error(err)
			continue
		}
		if len(bad) > 0 {
			t.Logf("%s: %d entries left out, the first %+v", l.Name, len(bad), bad[0])
		}
		lists = append(lists, l)
	}
}

func TestAllWarninglists(t *testing.T) {
	lists := warninglists(t)
	entries := 0
	classes := map[tocsin.GuardClass]int{}
	for _, l := range lists {
		entries += len(l.Entries)
		classes[l.Class]++
	}
	if len(lists) != 136 || entries < 500_000 {
		t.Errorf("%d lists with %d entries", len(lists), entries)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	g := guards(t, lists...)
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(lists)
	t.Logf("%d lists (%v), %d entries, %.1f MB", len(lists), classes, entries, (float64(after.HeapAlloc)-float64(before.HeapAlloc))/1e6)
	for _, c := range []struct{ typ, text, class, list string }{
		{"ip-dst", "10.0.0.1", "deny", "rfc1918"},
		{"ip-dst", "8.8.8.8", "deny", "public-dns-v4"},
		{"domain", "google.com", "deny", ""},
		{"hostname", "evil.facebook.com", "", ""},
		{"md5", "d41d8cd98f00b204e9800998ecf8427e", "deny", ""},
		{"email-src", "someone@mailinator.com", "inform", "disposable-email"},
	} {
		v := value(t, c.typ, c.text)
		got := g.Judge(v)
		if c.class == "" && got.Class() >= tocsin.Warn || c.class != "" && got.Class().String() != c.class || c.list != "" && got.List() != c.list {
			t.Errorf("%s %s: %q", c.typ, c.text, got)
		}
		for _, h := range g.Hits(v) {
			t.Logf("%s: %s %s, %s %s", c.text, h.Class, h.List.Name, h.How, h.Entry)
		}
	}
}

// What the built-in lists say of a million malicious names: few are wrong to
// guard, and those are platforms and the like.
func TestBuiltInOnMaliciousNames(t *testing.T) {
	g := guards(t, vocab.BuiltIn()...)
	n := map[string]int{}
	some := map[string][]string{}
	for name := range lines(t, shared(t, "lists/domains-malicious-1m.txt.gz")) {
		v, err := indicator.Parse("domain", name)
		if err != nil {
			continue
		}
		if verdict := g.Judge(v); verdict != "" {
			n[verdict.List()]++
			if l := verdict.List(); len(some[l]) < 12 {
				some[l] = append(some[l], name)
			}
		}
	}
	total := 0
	for l, c := range n {
		total += c
		t.Logf("%5d %s: %s", c, l, strings.Join(some[l], " "))
	}
	if total > 500 {
		t.Errorf("%d of a million malicious names are guarded", total)
	}
}

// BenchmarkJudge asks about the malicious names, with all that there is loaded.
func BenchmarkJudge(b *testing.B) {
	lists := append(warninglists(b), readFile(b, shared(b, "lists/benign-top-tranco-100k.txt.gz")))
	lists = append(lists, vocab.BuiltIn()...)
	g := guards(b, lists...)
	var values, addresses []indicator.Value
	for name := range lines(b, shared(b, "lists/domains-malicious-200k.txt.gz")) {
		if v, err := indicator.Parse("domain", name); err == nil {
			values = append(values, v)
		}
	}
	for text := range lines(b, shared(b, "lists/ipv4-and-cidr-malicious-100k.txt.gz")) {
		if v, err := indicator.Parse("ip-dst", text); err == nil {
			addresses = append(addresses, v)
		}
	}
	for name, vs := range map[string][]indicator.Value{"names": values, "addresses": addresses} {
		b.Run(name, func(b *testing.B) {
			i, hits := 0, 0
			for b.Loop() {
				if g.Judge(vs[i%len(vs)]) != "" {
					hits++
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "values/s")
		})
	}
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			guards(b, lists...)
		}
	})
}
