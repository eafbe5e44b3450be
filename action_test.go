package tocsin_test

import (
	"slices"
	"strings"
	"testing"

	"tocsin"
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
