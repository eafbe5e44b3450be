package vocab_test

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"tocsin"
	"tocsin/indicator"
	"tocsin/vocab"
)

func gz(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.String()
}

func TestRead(t *testing.T) {
	for _, c := range []struct{ from, text, name, match, class, entries string }{
		{"lists/akamai/list.json", `{"name":"List of known Akamai IP ranges","type":"cidr","version":20240422,"list":["198.51.100.1/24","192.0.2.1"]}`,
			"akamai", vocab.Range, "inform", "192.0.2.1/32 198.51.100.0/24"},
		{"list.json", `{"name":"A list, of hosts!","type":"hostname","version":"7","list":["B.example.","*.a.example","a.example"]}`,
			"a-list-of-hosts", vocab.Beneath, "warn", "a.example b.example"},
		{"https://lists.example/top/My%20List.csv?x=1", "1,One.example\n2,two.example\n", "my-20list", vocab.Exact, "warn", "one.example two.example"},
		{"tranco10k/list.json", `{"type":"hostname","list":["a.example"]}`, "tranco10k", vocab.Exact, "deny", "a.example"},
		{"benign-top-tranco-100k.txt.gz", gz("a.example\n"), "benign-top-tranco-100k", vocab.Exact, "deny", "a.example"},
		{"rfc1918/list.json", `{"type":"cidr","list":["10.0.0.0/8"]}`, "rfc1918", vocab.Range, "deny", "10.0.0.0/8"},
		{"x.txt", "\ufeff# a comment\n\n b.example # why\n::ffff:192.0.2.1\nMÜNCHEN.example\n", "x", vocab.Exact, "warn", "192.0.2.1/32 b.example xn--mnchen-3ya.example"},
		{"x.json", `{"type":"substring","list":["ABC"]}`, "x", vocab.Substring, "inform", "abc"},
		{"x.json", `{"type":"regex","list":["/^a+$/im"]}`, "x", vocab.Regex, "inform", "/^a+$/im"},
	} {
		l, bad, err := vocab.Read(c.from, strings.NewReader(c.text))
		if err != nil || len(bad) > 0 {
			t.Errorf("%s: %v %v", c.from, bad, err)
			continue
		}
		if l.Name != c.name || l.Match != c.match || l.Class.String() != c.class || strings.Join(l.Entries, " ") != c.entries {
			t.Errorf("%s: %+v", c.from, l)
		}
	}
}

// What is no list says so, by name, and what to do where we know.
func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ text, says string }{
		{"", "it is empty"},
		{"  \n\t", "it is empty"},
		{"# nothing\n", "it has no entries"},
		{"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "it is a web page"},
		{"\ufeff\n  <HTML>", "it is a web page"},
		{`<?xml version="1.0"?><list/>`, "it is a web page"},
		{gz("<html></html>"), "it is a web page"},
		{"PK\x03\x04\x00\x00", "it is no text"},
		{"a.example\n\xff\xfe", "it is no text"},
		{"\x1f\x8bnonsense", "its packing is damaged"},
		{gz("a.example\n")[:20], "it can't be read to its end"},
		{`{"name":"x","type":"string","list":["a"`, "it is damaged JSON"},
		{`{"name":"x","type":"string","list":["a", 7]}`, `"list" is a number`},
		{`{"name":"x","type":"string"}`, `it has no "list"`},
		{`{"name":"x","type":"string","list":[]}`, `its "list" is empty`},
		{`{"name":"x","type":"magic","list":["a"]}`, `its type is "magic"; try one of [string hostname cidr substring regex]`},
		{`{"name":"x","type":"string","list":["a"],"matching_attributes":["nonsense"]}`, "no type of its matching_attributes"},
		{`["a.example"]`, `is a array where a MISP warninglist has something else`},
		{`{"name":"x","type":"cidr","list":["a.example","192.0.2.0/33","192.0.2.1"]}`, `entry 1 is "a.example": it is neither an address nor a range`},
		{`{"name":"x","type":"regex","list":["(?=a)b"]}`, `invalid or unsupported Perl syntax`},
		{`{"name":"x","type":"regex","list":["/a/x"]}`, `it has the flags "x"`},
		{`{"name":"x","type":"substring","list":["a"]}`, `less than 3 octets`},
		{"Dear Sir or Madam,\nplease find below\nour newsletter.\n", "most of it makes no sense; entry 1"},
	} {
		_, _, err := vocab.Read("lists/thing.json", strings.NewReader(c.text))
		if tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "lists/thing.json") {
			t.Errorf("%.60q: %v, want one that says %q", c.text, err, c.says)
		}
	}
}

// A few bad entries cost themselves.
func TestReadLeavesOut(t *testing.T) {
	l, bad, err := vocab.Read("x.json", strings.NewReader(`{"type":"cidr","list":["192.0.2.0/24","oops","198.51.100.0/24"]}`))
	if err != nil || len(l.Entries) != 2 || len(bad) != 1 || bad[0].Number != 2 || bad[0].Text != "oops" {
		t.Errorf("%+v, %+v, %v", l, bad, err)
	}
}

func TestReadIsBounded(t *testing.T) {
	_, _, err := vocab.Read("x", strings.NewReader(gz(strings.Repeat(" ", vocab.MaxOctets+2))))
	if err == nil || !strings.Contains(err.Error(), "larger than 64 MB") {
		t.Error(err)
	}
}

func TestPack(t *testing.T) {
	in := []string{"a.example", "b.example", `^a\b$`}
	var out []string
	for e, err := range vocab.Unpack(vocab.Pack(in)) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	if strings.Join(in, " ") != strings.Join(out, " ") || vocab.Digest(in) != vocab.Digest(out) {
		t.Error(out)
	}
	for _, err := range vocab.Unpack([]byte("nonsense")) {
		if err == nil {
			t.Error("nonsense is unpacked")
		}
	}
}

// Whatever a stranger sends is a list or an error, and a list can be put together
// and asked.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"a.example\n", "1,a.example\n", `{"type":"cidr","list":["10.0.0.0/8"]}`, `{"type":"regex","list":["/a/i"]}`,
		`{"type":"hostname","list":["*.x"]}`, `{"type":"substring","list":["abc"]}`, "<html>", gz("x.example"), ".", "*", "/", "[", "{"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, _, err := vocab.Read("fuzz.json", strings.NewReader(text))
		if err != nil {
			if tocsin.CodeOf(err) != tocsin.Invalid {
				t.Fatal(err)
			}
			return
		}
		g := guards(t, l)
		for _, e := range l.Entries[:min(20, len(l.Entries))] {
			for _, typ := range []string{"domain", "ip-dst", "url", "text"} {
				if v, err := indicator.Parse(typ, strings.TrimPrefix(e, ".")); err == nil {
					g.Judge(v)
					g.Hits(v)
				}
			}
		}
	})
}
