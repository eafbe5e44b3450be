package codec_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"iter"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/codec"
	"tocsin/indicator"
)

// FuzzRead wants every reader to end, with line numbers that don't go back and
// nothing after what ends it.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"address=/a/b/#\nhost-record=a,0.0.0.0\n", "server:\nlocal-zone: x redirect\nlocal-data: \"x A 0.0.0.0\"", "||a^$all\n@@b\n",
		"$TTL 1\n@ SOA a. b. (1\n2)\n*.a CNAME .\n\xff\na CNAME .\n", "#fields\tindicator\tindicator_type\na\tIntel::DOMAIN\n", "add element a b { 192.0.2.1-192.0.2.9, \"x\" }",
		"[{\"ip\":\n\"192.0.2.1\"}]", "1,192.0.2.1\n2,192.0.2.2\n", "evil.example\n# x\n", "value,comment\n\"a\nb\",c\n\"x\n", "0.0.0.0 a b # c", `{"type":"domain","value":"x"}`, "\ufeff\r\n", "\"\"\"", "a;value\n1;2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		for _, format := range codec.Formats() {
			if format.Read == nil {
				continue
			}
			last, ended := 0, false
			for d, err := range format.Read(strings.NewReader(in), codec.Options{}) {
				line, lost := errors.AsType[*codec.LineError](err)
				switch {
				case ended:
					t.Fatalf("%s goes on after its end", format.Name)
				case err != nil && !lost:
					ended = true
				case lost && line.Number != d.Line:
					t.Fatalf("%s: line %d is lost as %d", format.Name, d.Line, line.Number)
				case d.Line < last || d.Line < 1:
					t.Fatalf("%s: line %d after %d", format.Name, d.Line, last)
				case err == nil && d.Text == "":
					t.Fatalf("%s: line %d is empty", format.Name, d.Line)
				default:
					last = d.Line
				}
			}
		}
		codec.Guess("x", []byte(in))
	})
}

// FuzzRoundTrip writes a value and reads it back: it comes back as the one it
// was, or, where the format has no way to write it, not at all.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"=1+1", "'=x", "''@x", "+49 151", "-x", "a\nb", "a\r\nb", `a"b,c;d`, "#x", " x ", "a # b", "\tx", "{}", "\u2028", "'"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, text, comment string) {
		if len(text) > 10_000 || len(comment) > 10_000 || strings.ToValidUTF8(comment, "") != comment || strings.Contains(comment, "\x00") {
			t.Skip()
		}
		for _, typ := range []string{"text", "comment", "url", "domain", "filename", "phone-number"} {
			v, err := indicator.Parse(typ, text)
			if err != nil {
				continue
			}
			for _, name := range []string{"csv", "json", "text"} { // those that write claims whole
				format, _ := codec.Reader(name)
				a := &tocsin.Attribute{Value: v, Comment: comment, Category: indicator.Other}
				var b bytes.Buffer
				if err := format.Write(&b, func(yield func(codec.Row, error) bool) { yield(codec.Row{Attribute: a}, nil) }); err != nil {
					t.Fatal(err)
				}
				n := 0
				for d, err := range format.Read(&b, codec.Options{Type: typ}) {
					if format.Name == "text" && errors.Is(err, codec.ErrEmpty) {
						continue
					}
					n++
					if err != nil || d.Text != v.String() || d.Type != typ || format.Name != "text" && d.Comment != comment {
						t.Fatalf("%s: %s %q, %q came back as %s %q, %q, %v", format.Name, typ, v, comment, d.Type, d.Text, d.Comment, err)
					}
				}
				if n > 1 || n == 0 && format.Name != "text" {
					t.Fatalf("%s: %s %q came back %d times", format.Name, typ, v, n)
				}
			}
		}
	})
}

// FuzzList has every format for lists write what is named, whatever that is, and
// reads it back: nothing comes back that was not there, and nothing twice.
func FuzzList(f *testing.F) {
	for _, s := range []string{"evil.example", "_dmarc.evil.example", "a\nb.example", "a;b.example", "x\" A 192.0.2.1", "$INCLUDE /etc/passwd", "#x.example",
		"a}b.example", "192.0.2.1", "2001:db8::/32", "2001:0:0:1:0:0:1:1", "::/16", "http://evil.example/a b", "http://evil.example/\tx", "xn--bcher-kva.example", "*.example", "a^b.example"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, text string, beneath bool) {
		i := codec.Item{Kind: indicator.Host, Text: []byte(text)}
		if beneath {
			i.Kind = indicator.Domain
		}
		items := []codec.Item{i, {Kind: indicator.URL, Text: []byte(text)}, {Kind: indicator.Email, Text: []byte(text)}}
		if p, err := netip.ParsePrefix(text); err == nil {
			items = append(items, codec.Item{Kind: indicator.Prefix, Text: []byte(text), Prefix: p.Masked()})
		}
		l := codec.List{Name: text, Items: func(kinds ...indicator.Kind) iter.Seq2[codec.Item, error] {
			return func(yield func(codec.Item, error) bool) {
				for _, i := range items {
					if slices.Contains(kinds, i.Kind) && !yield(i, nil) {
						return
					}
				}
			}
		}}
		for _, format := range codec.Formats() {
			if format.List == nil || format.Name == "text" {
				continue
			}
			var b bytes.Buffer
			if err := format.List(&b, l); err != nil {
				t.Fatal(err)
			}
			wrote := b.String()
			others(t, format.Name, wrote)
			n := 0
			for d, err := range format.Read(&b, codec.Options{}) {
				if format.Name == "json" || errors.Is(err, codec.ErrEmpty) {
					break
				}
				n++
				back := strings.TrimPrefix(d.Text, "*.")
				if err != nil || !strings.HasSuffix(text, back) && !strings.EqualFold(text, back) && d.Type != "ip-dst" {
					t.Fatalf("%s: %q came back as %q, %v, from\n%s", format.Name, text, d.Text, err, wrote)
				}
			}
			if n > len(items) {
				t.Fatalf("%s: %q came back %d times, from\n%s", format.Name, text, n, wrote)
			}
		}
	})
}

// others reads what was written with parsers that are not ours: nothing is in it
// but entries.
func others(t *testing.T, format, wrote string) {
	t.Helper()
	switch format {
	case "json":
		if !json.Valid([]byte(wrote)) {
			t.Fatalf("no JSON:\n%s", wrote)
		}
	case "csv":
		r := csv.NewReader(strings.NewReader(wrote))
		r.FieldsPerRecord = 2
		if _, err := r.ReadAll(); err != nil {
			t.Fatalf("%v:\n%s", err, wrote)
		}
	case "rpz":
		z := dns.NewZoneParser(strings.NewReader(wrote), "rpz.example.", "")
		for rr, ok := z.Next(); ok; rr, ok = z.Next() {
			switch rr := rr.(type) {
			case *dns.SOA, *dns.NS:
				if rr.Header().Name != "rpz.example." {
					t.Fatalf("%v", rr)
				}
			case *dns.CNAME:
				if rr.Target != "." || !strings.HasSuffix(rr.Hdr.Name, ".rpz.example.") {
					t.Fatalf("%v", rr)
				}
			default:
				t.Fatalf("%v in\n%s", rr, wrote)
			}
		}
		if err := z.Err(); err != nil {
			t.Fatalf("%v:\n%s", err, wrote)
		}
	case "hosts", "dnsmasq", "unbound", "adblock":
		for l := range strings.Lines(wrote) {
			if !entry[format].MatchString(l) {
				t.Fatalf("%s: a line %q", format, l)
			}
		}
	}
}

// entry is all that may stand on a line.
var entry = map[string]*regexp.Regexp{
	"hosts":   regexp.MustCompile(`^(0\.0\.0\.0 [a-z0-9_.-]+|# end of list, entries: \d+)\n$`),
	"dnsmasq": regexp.MustCompile(`^(local=/[a-z0-9_.-]+/|host-record=[a-z0-9_.-]+,0\.0\.0\.0,::|# end of list, entries: \d+)\n$`),
	"unbound": regexp.MustCompile(`^(server:|local-zone: "[a-z0-9_.-]+\." always_nxdomain|local-data: "[a-z0-9_.-]+\. A 0\.0\.0\.0"|# end of list, entries: \d+)\n$`),
	"adblock": regexp.MustCompile(`^(\|?\|[a-z0-9_.-]+\^|! end of list, entries: \d+)\n$`),
}
