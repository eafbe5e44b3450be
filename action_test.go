package tocsin_test

import (
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/indicator"
)

func TestParseAction(t *testing.T) {
	for text, want := range map[string]tocsin.Action{
		"": "", "NXDOMAIN": tocsin.NXDomain, " nodata ": tocsin.NoData, "drop": tocsin.Drop, "tcp-only": tocsin.TCPOnly,
		"landing.example.": "landing.example", "*.Garden.Example": "*.garden.example",
	} {
		if got, err := tocsin.ParseAction(text); err != nil || got != want {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
	for text, why := range map[string]string{
		"nxdomian": "try one of [nxdomain nodata drop tcp-only]", "passthru": "allow list", "rpz-drop.": "try one of",
		"a.rpz-passthru": "try one of", "192.0.2.1": "try one of", "*.": "try one of", "*.*.example": "try one of", "a b.example": "try one of",
		"x\n.example": "try one of", "landing..example": "try one of",
	} {
		if got, err := tocsin.ParseAction(text); err == nil || !strings.Contains(err.Error(), why) || tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q is %q, %v; want an error that says %q", text, got, err, why)
		}
	}
}

func TestExcludes(t *testing.T) {
	s := &tocsin.Subscriber{Exclude: []string{"192.0.2.0/24", "2001:db8::7", "example.org"}}
	for _, c := range []struct{ typ, text, by string }{
		{"domain", "example.org", "example.org"}, {"hostname", "www.example.org", "example.org"}, {"domain", "notexample.org", ""}, {"domain", "org", ""},
		{"ip-dst", "192.0.2.7", "192.0.2.0/24"}, {"ip-src", "192.0.2.0/25", "192.0.2.0/24"}, {"ip-src", "192.0.0.0/16", ""},
		{"ip-dst", "2001:db8::7", "2001:db8::7"}, {"ip-dst", "2001:db8::8", ""}, {"ip-dst|port", "192.0.2.7|443", "192.0.2.0/24"},
		{"url", "http://www.example.org/x", ""}, {"md5", strings.Repeat("a", 32), ""},
	} {
		v, err := indicator.Parse(c.typ, c.text)
		if err != nil {
			continue // "org" is no domain to begin with
		}
		if by, ok := s.Excludes(v); by != c.by || ok != (c.by != "") {
			t.Errorf("%s %s is excluded by %q, %v; want %q", c.typ, c.text, by, ok, c.by)
		}
	}
}

func TestParseExclusions(t *testing.T) {
	got, err := tocsin.ParseExclusions([]string{"WWW[.]Example.org", "192.0.2.7/24", "*.example.net", "2001:DB8::0", "www.example.org"})
	if want := []string{"192.0.2.0/24", "2001:db8::", "example.net", "www.example.org"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	for _, text := range []string{"", "http://example.org/x", "192.0.2.300", "0.0.0.0/0", "a b"} {
		if got, err := tocsin.ParseExclusions([]string{text}); err == nil || tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q is read as %q, %v", text, got, err)
		}
	}
	if _, err := tocsin.ParseExclusions(make([]string, 10_001)); err == nil || !strings.Contains(err.Error(), "it may have 10000") {
		t.Errorf("too many are taken: %v", err)
	}
}
