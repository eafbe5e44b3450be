package indicator

import (
	"strings"
	"testing"
	"unicode/utf8"
)

var seeds = []string{
	"", "a", "evil.example", "EVIL[.]example.", "evil(dot)example", "xn--e1afmkfd.xn--p1ai", "аpple.example", "_dmarc.evil.example",
	"co.uk", "a.b.c.kobe.jp", "192.0.2.1", "192.0.2.1/24", "::ffff:192.0.2.1", "2001:db8::/32", "[2001:db8::1]:443", "192.0.2.1:80",
	"hxxps[:]//user:pw@EVIL[.]example:8080/A?b#c", "http://good.example\\@evil.example", "http://0300.0.2.1/", "evil.example/x//y", "HXXP[://]evil.example",
	"mailto:x@evil.example", "\"<http://evil.example>\"", "x@evil.example", "a@b@c.example", "evil.example|192.0.2.1", "bad.exe|d41d8cd98f00b204e9800998ecf8427e",
	"a|b|da39a3ee5e6b4b0d3255bfef95601890afd80709", "D41D8CD98F00B204E9800998ECF8427E", "AS64500", "AS1.10", "CVE-2024-0001", "gcve-1-2024-0001", "CWE-79",
	"00-0A-95-9D-68-16", "2024-01-02 03:04:05", "2024-01-02T03:04:05.5+02:00", "+49 (0)30 1234", "true", "-1", "1e5", "{}", "3:abc:def", "t1" + strings.Repeat("0", 70),
	"\ufeffevil.example", "ev\u200bil.example", "evil。example", "İ.example", "http://[::1]/", "SHA256:" + strings.Repeat("A", 43), strings.Repeat("a", 32) + ".onion", "a\x00b", "\xff",
	"x@[IPv6:2001:db8::1]", "mailto:x@evil.example", "a\\.b.evil.example", `HKLM\\\\X|Y`, `\\.\pipe\x`, "@someone", "<1@evil.example>", "t1" + strings.Repeat("a", 70), ssdeepOf,
	"bitcoin:16L5yRNPTuciSgXGHqYwn9N6NeoKqopAu?x", xmr, "DE89370400440532013000", "4111111111111111", onion3, gpgKey, alert, yaraRule, sigmaRule, "[a:b = 'c']", "@1704164645",
}

// FuzzParse holds what everybody builds on: a normal form is its own normal
// form, survives storage, is found under a key, and does not break its line.
func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range Types() {
			v, err := typ.Parse(text)
			if err != nil {
				if pe, ok := err.(*ParseError); !ok || pe.Why == "" || pe.Type != typ.Name {
					t.Fatalf("%s %q: unhelpful error %#v", typ.Name, text, err)
				}
				continue
			}
			checkValue(t, v)
		}
	})
}

// FuzzRules is for the parsers of whole languages: whatever they are given, they
// come to an end, and take again what they took.
func FuzzRules(f *testing.F) {
	rules := []string{"yara", "sigma", "snort", "stix2-pattern", "pgp-public-key", "cortex"}
	for i := range rules {
		for _, e := range examples {
			if e.typ == rules[i] {
				for _, b := range e.becomes {
					f.Add(uint8(i), b[0])
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, text string) {
		if v, err := Parse(rules[int(which)%len(rules)], text); err == nil {
			checkValue(t, v)
		}
	})
}

// FuzzSsdeep holds that similarity is the same from both sides, and that what is
// alike shares a run, since only that is compared.
func FuzzSsdeep(f *testing.F) {
	f.Add(ssdeepOf, "96:cvPYsndjYJarGGPW1hQSTE0WFWM7FvIeHurhwk2IKvQuCIqQSUeq1iRNnbYPnflY:Cf+JaqvlWFWYFQrbwiGYKdvB6TL")
	f.Fuzz(func(t *testing.T, a, b string) {
		d, ok1 := ParseSsdeep(a)
		e, ok2 := ParseSsdeep(b)
		if !ok1 || !ok2 {
			return
		}
		n := d.Similarity(e)
		if n != e.Similarity(d) || n < 0 || n > 100 || d.Similarity(d) != 100 {
			t.Fatalf("%s and %s: %d, %d", a, b, n, e.Similarity(d))
		}
		if n > 0 && n < 100 && !overlap(d.Runs(nil), e.Runs(nil)) {
			t.Fatalf("%s and %s are alike by %d and share no run", a, b, n)
		}
	})
}

func FuzzDetect(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Detect(text)
		if err != nil {
			if v != (Value{}) {
				t.Fatalf("Detect(%q) = %v with error %v", text, v, err)
			}
			return
		}
		checkValue(t, v)
	})
}

func checkValue(t *testing.T, v Value) {
	t.Helper()
	s := v.String()
	again, err := v.Type().Parse(s)
	if err != nil || again != v {
		t.Fatalf("%s: normal form %q becomes %q, %v", v.TypeName(), s, again, err)
	}
	if stored, err := Stored(v.Type().ID, s); err != nil || stored != v {
		t.Fatalf("%s %q: stored as %v, %v", v.TypeName(), s, stored, err)
	}
	if s == "" || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		t.Fatalf("%s: bad normal form %q", v.TypeName(), s)
	}
	keys := v.Keys()
	if len(keys) == 0 || len(keys) > 2 {
		t.Fatalf("%s %q: keys %q", v.TypeName(), s, keys)
	}
	for _, k := range keys {
		if len(k) < 2 || k[1] != ':' || k == keys[0] && len(k) == 2 {
			t.Fatalf("%s %q: keys %q", v.TypeName(), s, keys)
		}
		k.Parents()
	}
	for _, n := range v.Facets().Names {
		checkNamed(t, n)
	}
	for _, n := range v.Facets().Mentions {
		checkNamed(t, n)
	}
}

func checkNamed(t *testing.T, n Name) {
	t.Helper()
	if n.Text == "" || (n.Kind == Prefix) != n.Prefix.IsValid() || n.Key() == "" {
		t.Fatalf("bad name %#v", n)
	}
	wire, ok := n.WireName()
	if n.Kind != Domain && n.Kind != Host {
		if ok {
			t.Fatalf("%v has a wire name", n)
		}
		return
	}
	var labels []string
	for rest := wire; len(rest) > 0; rest = rest[1+rest[0]:] {
		labels = append(labels, string(rest[1:1+rest[0]]))
	}
	if !ok || len(wire) > 254 || strings.Join(labels, ".") != n.Text || strings.ContainsAny(n.Text, " \n;$\"\\") {
		t.Fatalf("%q on the wire is %q, %v", n.Text, wire, ok)
	}
}
