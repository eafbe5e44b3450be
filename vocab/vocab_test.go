package vocab_test

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/indicator"
	"tocsin/vocab"
)

// shared is a file or folder of the data that the tests of a developer's machine
// share.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(cmp.Or(os.Getenv("TOCSIN_SHARED"), "../../shared"), "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no shared data here: " + name)
	}
	return path
}

// lines iterates over the lines of a file, packed or not.
func lines(t testing.TB, path string) iter.Seq[string] {
	return func(yield func(string) bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var r io.Reader = f
		if strings.HasSuffix(path, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				t.Fatal(err)
			}
		}
		for s := bufio.NewScanner(r); s.Scan(); {
			if !yield(s.Text()) {
				return
			}
		}
	}
}

// guards puts lists together as an exchange does.
func guards(t testing.TB, lists ...*vocab.List) *vocab.Guards {
	t.Helper()
	var records []*tocsin.GuardList
	packed := map[int64][]byte{}
	for i, l := range lists {
		r := l.Record()
		r.ID = int64(i + 1)
		records = append(records, r)
		packed[r.ID] = vocab.Pack(l.Entries)
	}
	g, err := vocab.New(records, func(l *tocsin.GuardList) (iter.Seq2[string, error], error) { return vocab.Unpack(packed[l.ID]), nil })
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// read reads a list from text.
func read(t testing.TB, from, text string) *vocab.List {
	t.Helper()
	l, bad, err := vocab.Read(from, strings.NewReader(text))
	if err != nil || len(bad) > 0 {
		t.Fatal(bad, err)
	}
	return l
}

func readFile(t testing.TB, path string) *vocab.List {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, _, err := vocab.Read(path, f)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func value(t testing.TB, typ, text string) indicator.Value {
	t.Helper()
	v, err := indicator.Parse(typ, text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestJudge(t *testing.T) {
	g := guards(t,
		read(t, "top.txt", "popular.example\nwww.deep.example\n.whole.example\n192.0.2.53\nd41d8cd98f00b204e9800998ecf8427e\n"),
		read(t, "hosts.json", `{"name":"Hosts","type":"hostname","matching_attributes":["domain","hostname","url"],"list":["beneath.example", ".dotted.example"]}`),
		read(t, "nets.json", `{"name":"Nets","type":"cidr","matching_attributes":["ip-src","ip-dst"],"list":["198.51.100.0/24","2001:db8:1::/48","203.0.113.9"]}`),
		read(t, "parts.json", `{"name":"Parts","type":"substring","matching_attributes":["email-src"],"list":["throwaway.example"]}`),
		read(t, "patterns.json", `{"name":"Patterns","type":"regex","matching_attributes":["phone-number"],"list":["/^\\+?1555/i"]}`),
		read(t, "files.json", `{"name":"Files","type":"string","matching_attributes":["filename"],"list":["Command.COM"]}`),
	)
	for _, c := range []struct{ typ, text, want string }{
		{"domain", "popular.example", "warn top popular.example"},
		{"hostname", "popular.example", "warn top popular.example"},
		{"hostname|port", "popular.example|443", "warn top popular.example"},
		{"domain|ip", "popular.example|192.0.2.1", "warn top popular.example"},
		{"domain", "evil.popular.example", ""}, // what is beneath a popular name is not popular
		{"domain", "notpopular.example", ""},
		{"domain", "deep.example", "warn top www.deep.example"}, // it would block what is beneath it
		{"hostname", "deep.example", ""},                        // this is one host
		{"domain", "whole.example", "warn top whole.example"},
		{"domain", "a.b.whole.example", "warn top whole.example"},
		{"hostname", "beneath.example", "warn hosts beneath.example"},
		{"hostname", "x.beneath.example", "warn hosts beneath.example"},
		{"domain|ip", "x.dotted.example|192.0.2.1", "warn hosts dotted.example"},
		{"domain", "unbeneath.example", ""},
		{"ip-dst", "192.0.2.53", "warn top 192.0.2.53"},
		{"ip-dst", "192.0.2.54", ""},
		{"ip-src", "192.0.2.0/24", "warn top 192.0.2.53"}, // the range covers it
		{"ip-dst", "198.51.100.7", "inform nets 198.51.100.0/24"},
		{"ip-dst|port", "198.51.100.7|80", "inform nets 198.51.100.0/24"},
		{"ip-src", "198.51.100.128/25", "inform nets 198.51.100.0/24"},
		{"ip-src", "198.51.0.0/16", "inform nets 198.51.100.0/24"},
		{"ip-src", "2001:db8:1::5", "inform nets 2001:db8:1::/48"},
		{"ip-src", "2001:db8:2::5", ""},
		{"ip-src", "203.0.113.9", "inform nets 203.0.113.9"},
		{"md5", "D41D8CD98F00B204E9800998ECF8427E", "warn top d41d8cd98f00b204e9800998ecf8427e"},
		{"filename|md5", "setup.exe|d41d8cd98f00b204e9800998ecf8427e", "warn top d41d8cd98f00b204e9800998ecf8427e"},
		{"url", "http://popular.example/x", "inform top popular.example"}, // it only mentions the name
		{"domain|ip", "other.example|192.0.2.53", "inform top 192.0.2.53"},
		{"email-src", "x@throwaway.example", "inform parts throwaway.example"},
		{"email-dst", "x@throwaway.example", ""}, // the list is not about recipients
		{"phone-number", "+15551234", "inform patterns ^\\+?1555"},
		{"filename", "command.com", "warn files command.com"},
		{"text", "popular.example", ""}, // the list does not say that it is about texts
	} {
		got := string(g.Judge(value(t, c.typ, c.text)))
		if c.typ == "phone-number" {
			got = strings.ReplaceAll(got, "(?i)", "")
		}
		if got != c.want {
			t.Errorf("%s %s: %q, want %q", c.typ, c.text, got, c.want)
		}
	}
}

// The strictest list speaks, and of equal ones that which came with the program.
func TestTheStrictestSpeaks(t *testing.T) {
	inform, warn, deny, own := read(t, "a.txt", "x.example"), read(t, "b.txt", "x.example"), read(t, "c.txt", "x.example"), read(t, "d.txt", "x.example")
	inform.Class, warn.Class, deny.Class, own.Class = tocsin.Inform, tocsin.Warn, tocsin.Deny, tocsin.Deny
	off := read(t, "e.txt", "off.example")
	off.Class = tocsin.Unguarded
	ds := []*vocab.List{inform, warn, deny, own, off}
	var records []*tocsin.GuardList
	for i, l := range ds {
		r := l.Record()
		r.ID, r.Own = int64(i+1), l == own
		records = append(records, r)
	}
	g, err := vocab.New(records, func(l *tocsin.GuardList) (iter.Seq2[string, error], error) {
		return vocab.Unpack(vocab.Pack(ds[l.ID-1].Entries)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	v := value(t, "domain", "x.example")
	if got := g.Judge(v); got != "deny d x.example" || got.Class() != tocsin.Deny || got.List() != "d" || got.Entry() != "x.example" {
		t.Error(got)
	}
	var names []string
	for _, h := range g.Hits(v) {
		names = append(names, h.List.Name)
	}
	if !slices.Equal(names, []string{"d", "c", "b", "a"}) {
		t.Error(names)
	}
	if got := g.Judge(value(t, "domain", "off.example")); got != "" {
		t.Error("a list that is off says", got)
	}
}

func TestNoGuardsGuardNothing(t *testing.T) {
	for _, g := range []*vocab.Guards{{}, guards(t)} {
		for _, text := range []string{"x.example", "192.0.2.1"} {
			v, err := indicator.Detect(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Judge(v); got != "" {
				t.Error(got)
			}
		}
	}
}

func TestAssets(t *testing.T) {
	org := &tocsin.Organisation{ID: 7, Name: "Small Provider"}
	l, err := vocab.Assets(org, []string{"provider.example", "*.cdn.provider.example", "192.0.2.0/24", "2001:DB8::1"})
	if err != nil {
		t.Fatal(err)
	}
	if l.Name != "assets-7-small-provider" || l.Class != tocsin.Inform {
		t.Error(l.Name, l.Class)
	}
	g := guards(t, l)
	for text, want := range map[string]string{
		"provider.example": "provider.example", "mail.provider.example": "provider.example", "x.cdn.provider.example": "cdn.provider.example",
		"192.0.2.7": "192.0.2.0/24", "2001:db8::1": "2001:db8::1", "192.0.3.1": "", "other.example": "",
	} {
		v, err := indicator.Detect(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Judge(v).Entry(); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for _, bad := range []string{"co.uk", "com", "0.0.0.0/0", "10.0.0.0/7", "", "two words", "http://x.example/"} {
		if _, err := vocab.Assets(org, []string{bad}); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
