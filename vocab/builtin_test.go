package vocab_test

import (
	"testing"

	"tocsin"
	"tocsin/indicator"
	"tocsin/vocab"
)

func TestBuiltIn(t *testing.T) {
	lists := vocab.BuiltIn()
	n := 0
	seen := map[string]bool{}
	for _, l := range lists {
		n += len(l.Entries)
		if seen[l.Name] || vocab.Word(l.Name) != l.Name || l.Version == 0 || len(l.Description) < 20 || l.Class < tocsin.Warn {
			t.Errorf("%s: version %d, class %s, %q", l.Name, l.Version, l.Class, l.Description)
		}
		seen[l.Name] = true
	}
	if n < 1000 {
		t.Errorf("%d entries", n)
	}
	g := guards(t, lists...)
	for text, list := range map[string]string{
		// Private and special.
		"10.1.2.3": "special-addresses", "192.168.0.0/24": "special-addresses", "127.0.0.1": "special-addresses", "169.254.169.254": "special-addresses",
		"100.64.0.1": "special-addresses", "224.0.0.251": "special-addresses", "fe80::1": "special-addresses", "fd00::1": "special-addresses", "::1": "special-addresses",
		"printer.local": "special-names", "5.2.0.192.in-addr.arpa": "special-names", "router.home.arpa": "special-names",
		// The net's own.
		"a.root-servers.net": "dns-roots", "root-servers.net": "dns-roots", "198.41.0.4": "dns-roots",
		"8.8.8.8": "dns-resolvers", "8.0.0.0/8": "dns-resolvers", "2606:4700:4700::1111": "dns-resolvers", "dns.google": "dns-resolvers",
		"2.pool.ntp.org": "time", "ocsp.digicert.com": "certificates", "r3.o.lencr.org": "certificates", "lencr.org": "certificates",
		"download.windowsupdate.com": "updates", "security.debian.org": "updates", "msftconnecttest.com": "connectivity",
		// What everybody uses.
		"google.com": "search-and-portals", "facebook.com": "people", "github.com": "software", "github.io": "hosting-platforms",
		"blogspot.com": "hosting-platforms", "cloudfront.net": "clouds", "paypal.com": "money", "europa.eu": "governments", "gmail.com": "mail",
		"ripe.net": "registries", "virustotal.com": "security", "chase.com": "banks",
		// A domain above a guarded name takes it along.
		"gvt1.com": "updates", "bund.de": "governments",
		// Public suffixes that providers made.
		"dyndns.info": vocab.PublicSuffixes,
		// What lies beneath a platform is nobody's but its owner's.
		"evil.github.io": "", "evil.blogspot.com": "", "d111111abcdef8.cloudfront.net": "", "evil.duckdns.org": "", "evil.google.com": "",
		// Documentation is left alone: demonstrations are made of it.
		"192.0.2.1": "", "198.51.100.0/24": "", "203.0.113.9": "", "2001:db8::1": "", "evil.example": "", "www.example.org": "", "example.com": "",
		"198.51.101.1": "", "google.com.evil.example": "",
	} {
		v, err := indicator.Detect(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		got := g.Judge(v)
		if got.List() != list {
			t.Errorf("%s: %q, want list %q", text, got, list)
		}
	}
}
