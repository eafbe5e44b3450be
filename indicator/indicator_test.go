package indicator

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

const (
	md5Hex    = "d41d8cd98f00b204e9800998ecf8427e"
	sha1Hex   = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
	sha256Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// The first rows of each group are what a real MISP answered.
var normalForms = []struct{ typ, text, want string }{
	{"domain", "  UPPER.Example.COM. ", "upper.example.com"},
	{"domain", "Evil-One.example.com", "evil-one.example.com"},
	{"hostname", "Host.Example.COM", "host.example.com"},
	{"domain", "evil[.]example", "evil.example"},
	{"domain", "evil(.)example", "evil.example"},
	{"domain", "evil{.}example", "evil.example"},
	{"domain", "www[dot]evil(DOT)example", "www.evil.example"},
	{"domain", "\"evil.example\"", "evil.example"},
	{"domain", "<evil.example>", "evil.example"},
	{"domain", "“evil.example”", "evil.example"},
	{"domain", "\ufeffevil.example\r\n", "evil.example"},
	{"domain", "ev\u200bil.exa\u00admple\u200d", "evil.example"},
	{"domain", "evil。example", "evil.example"},
	{"domain", "ｅｖｉｌ．example", "evil.example"},
	{"domain", "_dmarc.evil_one.example", "_dmarc.evil_one.example"},
	{"domain", "bücher.example", "xn--bcher-kva.example"},
	{"domain", "аpple.example", "xn--pple-43d.example"}, // Cyrillic а
	{"domain", "xn--not-punycode-.example", "xn--not-punycode-.example"},
	{"domain", "i❤.example", "xn--i-7iq.example"},
	{"domain", "duckdns.org", "duckdns.org"}, // a public suffix of the private section
	{"domain", strings.Repeat("a", 63) + ".example", strings.Repeat("a", 63) + ".example"},

	{"ip-dst", "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
	{"ip-src", "10.0.0.0/8", "10.0.0.0/8"},
	{"ip-dst", "198[.]51[.]100[.]7", "198.51.100.7"},
	{"ip-dst", "198.51.100.7/24", "198.51.100.0/24"},
	{"ip-dst", "198.51.100.7/32", "198.51.100.7"},
	{"ip-dst", "2001:db8::1/128", "2001:db8::1"},
	{"ip-dst", "2001:DB8:1::/33", "2001:db8::/33"},
	{"ip-dst", "::ffff:198.51.100.7", "198.51.100.7"},
	{"ip-dst", "::ffff:198.51.100.0/120", "198.51.100.0/24"},
	{"ip-dst", "[2001:db8::1]", "2001:db8::1"},

	{"ip-dst|port", "198.51.100.9:8080", "198.51.100.9|8080"},
	{"ip-dst|port", "198.51.100.9|8080", "198.51.100.9|8080"},
	{"ip-src|port", "[2001:DB8::1]:0443", "2001:db8::1|443"},
	{"ip-dst|port", "2001:db8::1|443", "2001:db8::1|443"},
	{"ip-dst|port", "2001:db8::1#443", "2001:db8::1|443"},
	{"ip-dst|port", "198[.]51[.]100[.]9[:]80", "198.51.100.9|80"},
	{"domain|ip", "D.Example.com|198.51.100.10", "d.example.com|198.51.100.10"},
	{"domain|ip", "d[.]example | 2001:DB8::1", "d.example|2001:db8::1"},
	{"hostname|port", "C2.evil.example:8443", "c2.evil.example|8443"},
	{"port", "0080", "80"},

	{"url", "hxxp://defanged[.]example.com/a", "http://defanged.example.com/a"},
	{"url", "http://evil-one.example.com/path?q=1", "http://evil-one.example.com/path?q=1"},
	{"url", "HXXPS[:]//EVIL[.]Example:8443/Path?Q=%2F#Frag", "https://evil.example:8443/Path?Q=%2F#Frag"},
	{"url", "hXXp[://]evil[.]example/a[.]php", "http://evil.example/a.php"},
	{"url", "http://evil.example/a[.]php?x=[]", "http://evil.example/a[.]php?x=[]"},
	{"url", "meow://evil(dot)example", "http://evil.example"},
	{"url", "fxp://evil.example/x", "ftp://evil.example/x"},
	{"url", "http://User:PW@Evil.example/", "http://User:PW@evil.example/"},
	{"url", "http://BÜCHER.example/Ü", "http://xn--bcher-kva.example/Ü"},
	{"url", "http://%65vil.example/", "http://evil.example/"},
	{"url", "http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]:80/"},
	{"url", "evil.example/Gate.php", "evil.example/Gate.php"},
	{"url", "evil.example/X//y", "evil.example/X//y"},
	{"url", "<http://evil.example/x>", "http://evil.example/x"},
	{"url", "http://localhost:8080/x", "http://localhost:8080/x"},
	{"url", "mailto:x@evil.example", "mailto:x@evil.example"},
	{"link", "https://www.example.org/Report.html", "https://www.example.org/Report.html"},
	{"uri", "/gate.php?id=", "/gate.php?id="},

	{"md5", "D41D8CD98F00B204E9800998ECF8427E", md5Hex},
	{"sha256", strings.ToUpper(sha256Hex), sha256Hex},
	{"sha1", " " + sha1Hex + "\n", sha1Hex},
	{"filename|sha256", "bad.exe|" + sha256Hex, "bad.exe|" + sha256Hex},
	{"filename|md5", "Bad Name.EXE|" + strings.ToUpper(md5Hex), "Bad Name.EXE|" + md5Hex},
	{"filename|sha1", "a|b|" + sha1Hex, "a|b|" + sha1Hex},
	{"malware-sample", "sample.bin|" + md5Hex, "sample.bin|" + md5Hex},
	{"x509-fingerprint-md5", "D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E", md5Hex},
	{"ssdeep", "3:AbC/+:dEf", "3:AbC/+:dEf"},

	{"email-src", "Mixed@Example.COM", "mixed@example.com"},
	{"email-dst", "someone[at]evil[.]example", "someone@evil.example"},
	{"email", "x@BÜCHER.example", "x@xn--bcher-kva.example"},
	{"email-src", "\"a@b\"@evil.example", "\"a@b\"@evil.example"},

	{"mac-address", "00-0A-95-9D-68-16", "00:0a:95:9d:68:16"},
	{"mac-address", "000a.959d.6816", "00:0a:95:9d:68:16"},
	{"AS", "AS64500", "64500"},
	{"AS", "as1.10", "65546"},
	{"vulnerability", "cve-2024-0001", "CVE-2024-0001"},
	{"vulnerability", "CVE–2024–0001", "CVE-2024-0001"},
	{"vulnerability", "mvid-2021-0001", "MVID-2021-0001"},
	{"vulnerability", "MS08-067", "MS08-067"},
	{"weakness", "cwe-79", "CWE-79"},
	{"datetime", "2024-01-02 03:04:05", "2024-01-02T03:04:05.000000+0000"},
	{"datetime", "2024-01-02T03:04:05.5+02:00", "2024-01-02T03:04:05.500000+0200"},
	{"regkey", `HKLM\Software\X`, `HKLM\Software\X`},
	{"size-in-bytes", "1234", "1234"},
	{"text", "some \"free\" text, with comma\nand newline", "some \"free\" text, with comma\nand newline"},
	{"text", "  [.] is kept ", "[.] is kept"},
	{"filename", "obj.exe", "obj.exe"},
	{"attachment", "note.txt", "note.txt"},
	{"boolean", "True", "1"},
	{"phone-number", "0049 (0)30 1234", "+49301234"},
	{"iban", "de89 3704 0044 0532 0130 00", "DE89370400440532013000"},
}

func TestParse(t *testing.T) {
	for _, tt := range normalForms {
		v, err := Parse(tt.typ, tt.text)
		if err != nil || v.String() != tt.want || v.TypeName() != tt.typ {
			t.Errorf("Parse(%q, %q) = %q, %v; want %q", tt.typ, tt.text, v, err, tt.want)
			continue
		}
		checkValue(t, v)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ typ, text, why string }{
		{"nonsense", "x", "no such indicator type"},
		{"domain", "", "it is empty"},
		{"domain", " \ufeff ", "it is empty"},
		{"domain", "\xff.example", "it is not valid UTF-8: convert the text first"},
		{"domain", "a\x00.example", "it holds a NUL character"},
		{"domain", "a\x1b.example", "it holds a control character"},
		{"domain", "evil.example\n$INCLUDE /etc/passwd", "it holds a line break: is it several values?"},
		{"domain", "evil.example CNAME .", "it holds a space: is it several values?"},
		{"domain", "evil.example;", `a domain may not hold ";"`},
		{"domain", "$INCLUDE.example", `a domain may not hold "$"`},
		{"domain", `evil\046.example`, `a domain may not hold "\"`},
		{"domain", `ev"il.example`, "a domain may not hold a quotation mark"},
		{"domain", "evil..example", "it has an empty label (two dots in a row)"},
		{"domain", ".", "it is dots alone: blocking the root would block everything"},
		{"domain", "2001:db8::/32", "it is an IP address, not a domain: use ip-dst or ip-src"},
		{"domain", "::/0", "it is an IP address, not a domain: use ip-dst or ip-src"},
		{"domain", strings.Repeat("a", 64) + ".example", "it has a label longer than 63 octets"},
		{"domain", strings.Repeat("a.", 124) + "example", "it is longer than 253 characters"},
		{"domain", strings.Repeat("ж", 5000) + ".example", "it is longer than 253 characters"},
		{"domain", "192.0.2.1", "it is an IP address, not a domain: use ip-dst or ip-src"},
		{"domain", "192.0.2.0/24", "it is an IP address, not a domain: use ip-dst or ip-src"},
		{"domain", "2001:db8::1", "it is an IP address, not a domain: use ip-dst or ip-src"},
		{"domain", "192.0.2", "its last label is a number, so it is neither a domain nor an IP address"},
		{"domain", "com", "it is a single label: blocking it would block everything beneath it"},
		{"domain", "co.uk", "co.uk is a public suffix: blocking it would block everything beneath it"},
		{"domain", "CO[.]UK.", "co.uk is a public suffix: blocking it would block everything beneath it"},
		{"domain", "a.kobe.jp", "a.kobe.jp is a public suffix: blocking it would block everything beneath it"},
		{"domain", "pvt.k12.ma.us", "pvt.k12.ma.us is a public suffix: blocking it would block everything beneath it"},
		{"domain", "公司.cn", "xn--55qx5d.cn is a public suffix: blocking it would block everything beneath it"},
		{"hostname", "co.uk", "co.uk is a public suffix: name a host beneath it"},
		{"domain", "*.evil.example", `a domain stands for everything beneath it already: leave the "*" out`},
		{"domain", "http://evil.example/", "it is a URL, not a domain: use url"},
		{"domain", "evil.example/x", "a domain has no path: use url"},
		{"domain", "evil.example:80", "a domain has no port: use hostname|port"},
		{"domain", "x@evil.example", "it is an e-mail address, not a domain: use email"},
		{"domain", "evil.example|192.0.2.1", `it holds a "|": a composite type such as domain|ip may be meant`},
		{"domain", "\u202eevil.example", "no resolver could look it up: disallowed rune U+202E"},

		{"ip-dst", "999.1.1.1", "it is no IP address"},
		{"ip-src", "not-an-ip", "it is no IP address"},
		{"ip-dst", "192.0.2.010", "it has an octet with a leading zero, which some programs read as octal"},
		{"ip-dst", "192.0.2.1-192.0.2.9", "a range is given in CIDR notation, such as 192.0.2.0/24"},
		{"ip-dst", "192.0.2.0/33", "it is no range in CIDR notation, such as 192.0.2.0/24"},
		{"ip-dst", "192.0.2.0/024", "it is no range in CIDR notation, such as 192.0.2.0/24"},
		{"ip-dst", "0.0.0.0/0", "it is wider than /8: blocking it would block more than sixteen million addresses"},
		{"ip-dst", "::ffff:0.0.0.0/96", "it is wider than /8: blocking it would block more than sixteen million addresses"},
		{"ip-dst", "::/0", "it is wider than /16: blocking it would block the networks of many providers"},
		{"ip-dst", "fe80::1%eth0", "it has a zone, which means something on one machine only"},
		{"ip-dst|port", "192.0.2.1", "it has no port: write 192.0.2.1|443 or [2001:db8::1]:443"},
		{"ip-dst|port", "192.0.2.1:0", "a port is a number from 1 to 65535"},
		{"ip-dst|port", "2001:db8::1:80", "it could be an address or an address with a port: write 2001:db8::1|443 or [2001:db8::1]:443"},
		{"ip-dst|port", "192.0.2.0/24|80", "it wants a single address, not a range"},
		{"domain|ip", "evil.example", `it wants two parts with a "|" between them`},
		{"domain|ip", "co.uk|192.0.2.1", "co.uk is a public suffix: blocking it would block everything beneath it"},
		{"port", "65536", "a port is a number from 1 to 65535"},

		{"url", "Win32/Shadowpad.C", "it is no URL: it wants a scheme, such as http://"},
		{"url", "localhost:8080/x", "it is no URL: it wants a scheme, such as http://"},
		{"url", `C:\Windows\x.exe`, "it is no URL: it wants a scheme, such as http://"},
		{"url", "http:///x", `it has no host after the "//"`},
		{"url", "http://evil.example:99999/", "the port after its host is no number up to 65535"},
		{"url", "http://[2001:db8::/", "the brackets in it hold no IPv6 address"},
		{"url", "http://evil.example/\nhttp://b.example/", "it holds a line break: is it several values?"},
		{"url", "http://ev il.example/", "its host is no name: it holds a space: is it several values?"},
		{"link", "evil.example/x", "it is no URL: it wants a scheme, such as http://"},

		{"sha256", "zz", "it wants 64 hexadecimal digits"},
		{"md5", md5Hex[1:] + "g", "it wants 32 hexadecimal digits"},
		{"filename|md5", md5Hex, `it wants two parts with a "|" between them`},
		{"filename|md5", "a\nb|" + md5Hex, "it holds a line break: is it several values?"},
		{"filename", "a\nb", "it holds a line break: is it several values?"},
		{"email", "evil.example", "it is no e-mail address: it wants someone@evil.example"},
		{"email", "x@evil", "the part after the \"@\" is no domain: it is a single label: blocking it would block everything beneath it"},
		{"AS", "AS0", "an AS number is a number from 1 to 4294967295, such as AS64500"},
		{"vulnerability", "CVE-24-1", "it wants an identifier such as CVE-2024-0001"},
		{"vulnerability", "heartbleed", "it wants an identifier such as CVE-2024-0001"},
		{"text", strings.Repeat("x", 1<<16), "it is longer than 65,535 octets"},
	} {
		_, err := Parse(tt.typ, tt.text)
		var pe *ParseError
		if !errors.As(err, &pe) || pe.Why != tt.why || pe.Type != tt.typ || pe.Text != tt.text {
			t.Errorf("Parse(%q, %.60q): %v\nwant %s", tt.typ, tt.text, err, tt.why)
		}
	}
}

func TestParseErrorIsShort(t *testing.T) {
	err := &ParseError{"domain", strings.Repeat("ж", 1000), "it is long"}
	if s := err.Error(); len(s) > 300 || !strings.HasSuffix(s, `"…: it is long`) {
		t.Errorf("%d octets: %s", len(s), s)
	}
}

func TestDetect(t *testing.T) {
	for _, tt := range []struct{ text, typ, want string }{
		{"evil[.]example", "domain", "evil.example"},
		{"www.evil.example", "hostname", "www.evil.example"},
		{"example.co.uk", "domain", "example.co.uk"},
		{"www.example.co.uk", "hostname", "www.example.co.uk"},
		{"mine.duckdns.org", "domain", "mine.duckdns.org"},
		{"duckdns.org", "domain", "duckdns.org"},
		{"198.51.100.7", "ip-dst", "198.51.100.7"},
		{"198[.]51[.]100[.]0/24", "ip-dst", "198.51.100.0/24"},
		{"2001:db8::1", "ip-dst", "2001:db8::1"},
		{"198.51.100.7:443", "ip-dst|port", "198.51.100.7|443"},
		{"[2001:db8::1]:443", "ip-dst|port", "2001:db8::1|443"},
		{"c2.evil.example:443", "hostname|port", "c2.evil.example|443"},
		{"evil.example|198.51.100.7", "domain|ip", "evil.example|198.51.100.7"},
		{"hxxp://EVIL[.]example/x", "url", "http://evil.example/x"},
		{"evil[.]example/x", "url", "evil.example/x"},
		{"http://192.0.2.1/", "url", "http://192.0.2.1/"},
		{"x[at]evil[.]example", "email", "x@evil.example"},
		{strings.ToUpper(md5Hex), "md5", md5Hex},
		{sha1Hex, "sha1", sha1Hex},
		{sha256Hex, "sha256", sha256Hex},
		{"bad.exe|" + sha256Hex, "filename|sha256", "bad.exe|" + sha256Hex},
		{"invoice.pdf", "filename", "invoice.pdf"},
		{"invoice.zip", "domain", "invoice.zip"}, // .zip is a top-level domain
		{`C:\Windows\evil.exe`, "filename", `C:\Windows\evil.exe`},
		{`HKLM\Software\X`, "regkey", `HKLM\Software\X`},
		{"cve-2024-0001", "vulnerability", "CVE-2024-0001"},
		{"AS64500", "AS", "64500"},
		{"00-0A-95-9D-68-16", "mac-address", "00:0a:95:9d:68:16"},
	} {
		v, err := Detect(tt.text)
		if err != nil || v.TypeName() != tt.typ || v.String() != tt.want {
			t.Errorf("Detect(%q) = %s %q, %v; want %s %q", tt.text, v.TypeName(), v, err, tt.typ, tt.want)
		}
	}
	for text, why := range map[string]string{
		"":                "it is empty",
		"\u200b":          "it is empty",
		"foo bar":         "it is neither an address nor a domain, URL, e-mail address or hash",
		"foobar":          "it is neither an address nor a domain, URL, e-mail address or hash",
		"com":             "it is a single label: blocking it would block everything beneath it",
		"UK":              "it is a single label: blocking it would block everything beneath it",
		"co.uk":           "co.uk is a public suffix: blocking it would block everything beneath it",
		"0.0.0.0/0":       "it is wider than /8: blocking it would block more than sixteen million addresses",
		"192.0.2.0/240":   "it is no range in CIDR notation, such as 192.0.2.0/24",
		"192.0.2.010":     "it has an octet with a leading zero, which some programs read as octal",
		"evil..example":   "it has an empty label (two dots in a row)",
		"evil.example; x": `a domain may not hold ";"`,
	} {
		v, err := Detect(text)
		var pe *ParseError
		if !errors.As(err, &pe) || pe.Why != why {
			t.Errorf("Detect(%q) = %s %q, %v; want %s", text, v.TypeName(), v, err, why)
		}
	}
}

func TestParts(t *testing.T) {
	for _, tt := range [][4]string{
		{"domain|ip", "d.example|192.0.2.1", "d.example", "192.0.2.1"},
		{"ip-dst|port", "192.0.2.1|80", "192.0.2.1", "80"},
		{"malware-sample", "a|b|" + md5Hex, "a|b", md5Hex},
		{"regkey|value", `HKLM\X|a|b`, `HKLM\X`, "a|b"},
		{"text", "a|b", "a|b", ""},
	} {
		v, err := Parse(tt[0], tt[1])
		if a, b := v.Parts(); err != nil || a != tt[2] || b != tt[3] {
			t.Errorf("%s %q splits into %q and %q, %v", tt[0], tt[1], a, b, err)
		}
	}
}

func TestFacetsAndKeys(t *testing.T) {
	pfx := func(s string) Name {
		p := netip.MustParsePrefix(s)
		return Name{Prefix, prefixText(p), p}
	}
	named := func(k Kind, s string) []Name { return []Name{{Kind: k, Text: s}} }
	for _, tt := range []struct {
		typ, text       string
		names, mentions []Name
		keys            []Key
	}{
		{"domain", "evil.example", named(Domain, "evil.example"), nil, []Key{"d:evil.example"}},
		{"hostname", "www.evil.example", named(Host, "www.evil.example"), nil, []Key{"d:www.evil.example"}},
		{"ip-dst", "192.0.2.1", []Name{pfx("192.0.2.1/32")}, nil, []Key{"i:192.0.2.1/32"}},
		{"ip-src", "2001:db8::/32", []Name{pfx("2001:db8::/32")}, nil, []Key{"i:2001:db8::/32"}},
		{"ip-src", "2001:db8::1", []Name{pfx("2001:db8::1/128")}, nil, []Key{"i:2001:db8::1/128"}},
		{"ip-dst|port", "192.0.2.1|80", []Name{pfx("192.0.2.1/32")}, nil, []Key{"i:192.0.2.1/32"}},
		{"hostname|port", "c2.evil.example|80", named(Host, "c2.evil.example"), nil, []Key{"d:c2.evil.example"}},
		{"domain|ip", "evil.example|192.0.2.1", named(Domain, "evil.example"), []Name{pfx("192.0.2.1/32")}, []Key{"d:evil.example", "i:192.0.2.1/32"}},
		{"url", "http://u@evil.example:80?q", named(URL, "http://u@evil.example:80?q"), named(Host, "evil.example"), []Key{"u:http://u@evil.example/?q", "m:evil.example"}},
		{"url", `http://evil.example\@good.example/`, named(URL, `http://evil.example\@good.example/`), named(Host, "evil.example"), []Key{`u:http://evil.example\@good.example/`, "m:evil.example"}},
		{"url", "http://good.example@evil.example/", named(URL, "http://good.example@evil.example/"), named(Host, "evil.example"), []Key{"u:http://good.example@evil.example/", "m:evil.example"}},
		{"url", "https://evil.example./", named(URL, "https://evil.example./"), named(Host, "evil.example"), []Key{"u:https://evil.example./", "m:evil.example"}},
		{"url", "http://192.0.2.1/", named(URL, "http://192.0.2.1/"), []Name{pfx("192.0.2.1/32")}, []Key{"u:http://192.0.2.1/", "m:192.0.2.1"}},
		{"url", "http://[2001:db8::1]:443/", named(URL, "http://[2001:db8::1]:443/"), []Name{pfx("2001:db8::1/128")}, []Key{"u:http://[2001:db8::1]:443/", "m:2001:db8::1"}},
		{"url", "http://0300.0x0.513/", named(URL, "http://0300.0x0.513/"), []Name{pfx("192.0.2.1/32")}, []Key{"u:http://0300.0x0.513/", "m:192.0.2.1"}},
		{"url", "http://localhost/", named(URL, "http://localhost/"), nil, []Key{"u:http://localhost/"}},
		{"link", "http://example.org/r", nil, append(named(URL, "http://example.org/r"), named(Host, "example.org")...), []Key{"u:http://example.org/r", "m:example.org"}},
		{"email-src", "X@evil.example", named(Email, "x@evil.example"), named(Host, "evil.example"), []Key{"e:x@evil.example", "m:evil.example"}},
		{"md5", md5Hex, named(Hash, md5Hex), nil, []Key{"h:" + md5Hex}},
		{"imphash", md5Hex, named(Fingerprint, md5Hex), nil, []Key{"h:" + md5Hex}},
		{"filename", "Bad.exe", named(File, "Bad.exe"), nil, []Key{"f:bad.exe"}},
		{"filename|md5", "Bad.exe|" + md5Hex, named(Hash, md5Hex), named(File, "Bad.exe"), []Key{"h:" + md5Hex, "f:bad.exe"}},
		{"AS", "AS64500", named(Network, "64500"), nil, []Key{"a:64500"}},
		{"text", "Some Text", nil, nil, []Key{"t:some text"}},
		{"comment", "evil.example", nil, nil, []Key{"t:evil.example"}},
		{"x509-fingerprint-md5", md5Hex, named(Certificate, md5Hex), nil, []Key{"h:" + md5Hex}},
		{"ja3-fingerprint-md5", md5Hex, named(Handshake, md5Hex), nil, []Key{"h:" + md5Hex}},
		{"hassh-md5", md5Hex, named(Handshake, md5Hex), nil, []Key{"h:" + md5Hex}},
		{"ssdeep", "3:Ab:c", named(Fuzzy, "3:Ab:c"), nil, []Key{"h:3:Ab:c"}},
		{"tlsh", "T1" + hexOf(70), named(Fuzzy, "t1"+hexOf(70)), nil, []Key{Key("h:" + hexOf(70))}},
		{"filename|tlsh", "x|" + hexOf(70), named(Fuzzy, hexOf(70)), named(File, "x"), []Key{Key("h:" + hexOf(70)), "f:x"}},
		{"ssh-fingerprint", "MD5:D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E", named(Fingerprint, "MD5:D4:1D:8C:D9:8F:00:B2:04:E9:80:09:98:EC:F8:42:7E"), nil, []Key{"h:" + md5Hex}},
		{"email", "x@[192.0.2.1]", named(Email, "x@[192.0.2.1]"), []Name{pfx("192.0.2.1/32")}, []Key{"e:x@[192.0.2.1]", "m:192.0.2.1"}},
		{"target-email", "x@example.org", nil, append(named(Email, "x@example.org"), named(Host, "example.org")...), []Key{"e:x@example.org", "m:example.org"}},
		{"whois-registrant-email", "x@example.org", nil, append(named(Email, "x@example.org"), named(Host, "example.org")...), []Key{"e:x@example.org", "m:example.org"}},
		{"dns-soa-email", "x@example.org", nil, append(named(Email, "x@example.org"), named(Host, "example.org")...), []Key{"e:x@example.org", "m:example.org"}},
		{"attachment", "Figure.png", nil, named(File, "Figure.png"), []Key{"f:figure.png"}},
		{"eppn", "x@evil.example", nil, named(Host, "evil.example"), []Key{"e:x@evil.example", "m:evil.example"}},
		{"jabber-id", "x@evil.example/Phone", nil, named(Host, "evil.example"), []Key{"e:x@evil.example", "m:evil.example"}},
		{"email-reply-to", "Some One <X@evil.example>", named(Email, "x@evil.example"), named(Host, "evil.example"), []Key{"e:x@evil.example", "m:evil.example"}},
		{"email-reply-to", "someone", nil, nil, []Key{"t:someone"}},
		{"email-message-id", "<1@evil.example>", nil, nil, []Key{"t:1@evil.example"}},
		{"uri", "/gate.php", nil, nil, []Key{"t:/gate.php"}},
		{"uri", "http://evil.example", named(URL, "http://evil.example"), named(Host, "evil.example"), []Key{"u:http://evil.example/", "m:evil.example"}},
		{"github-repository", "https://github.com/Some/repo.git", nil, nil, []Key{"t:some/repo"}},
		{"twitter-id", "@Someone", nil, nil, []Key{"t:someone"}},
		{"regkey", `HKLM\\Software\\X\`, nil, nil, []Key{`t:hkey_local_machine\software\x`}},
		{"regkey", `HKEY_LOCAL_MACHINE\SOFTWARE\X`, nil, nil, []Key{`t:hkey_local_machine\software\x`}},
		{"regkey", `HKCU:\X`, nil, nil, []Key{`t:hkey_current_user\x`}},
		{"regkey", `%APPDATA%\X`, nil, nil, []Key{`t:%appdata%\x`}},
		{"regkey|value", `HKLM\X | Y`, nil, nil, []Key{`t:hkey_local_machine\x`, "t:y"}},
		{"named pipe", `\\.\pipe\Evil`, nil, nil, []Key{`t:pipe\evil`}},
		{"named pipe", `\pipe\evil`, nil, nil, []Key{`t:pipe\evil`}},
	} {
		v, err := Parse(tt.typ, tt.text)
		if err != nil {
			t.Error(err)
			continue
		}
		if f := v.Facets(); !slices.Equal(f.Names, tt.names) || !slices.Equal(f.Mentions, tt.mentions) {
			t.Errorf("%s %q: facets %v", tt.typ, tt.text, f)
		}
		if ks := v.Keys(); !slices.Equal(ks, tt.keys) {
			t.Errorf("%s %q: keys %q, want %q", tt.typ, tt.text, ks, tt.keys)
		}
	}
}

// A name's key is that of a value that is the name, so that whoever asks by
// facet and whoever asks by value meet.
func TestNameKey(t *testing.T) {
	for _, tt := range normalForms {
		v, err := Parse(tt.typ, tt.text)
		if names := v.Facets().Names; err == nil && len(names) > 0 && names[0].Key() != v.Keys()[0] {
			t.Errorf("%s %q: name %q, value %q", tt.typ, tt.text, names[0].Key(), v.Keys()[0])
		}
	}
}

func TestParents(t *testing.T) {
	for _, tt := range []struct {
		key  Key
		want []Key
	}{
		{"d:a.b.example.co.uk", []Key{"d:b.example.co.uk", "d:example.co.uk"}},
		{"d:example.co.uk", nil},
		{"d:x.mine.duckdns.org", []Key{"d:mine.duckdns.org", "d:duckdns.org"}},
		{"d:x.evil.unlisted-tld", []Key{"d:evil.unlisted-tld"}},
		{"i:10.1.2.0/24", []Key{"i:10.1.2.0/23", "i:10.1.0.0/22", "i:10.1.0.0/21", "i:10.1.0.0/20", "i:10.1.0.0/19", "i:10.1.0.0/18", "i:10.1.0.0/17",
			"i:10.1.0.0/16", "i:10.0.0.0/15", "i:10.0.0.0/14", "i:10.0.0.0/13", "i:10.0.0.0/12", "i:10.0.0.0/11", "i:10.0.0.0/10", "i:10.0.0.0/9", "i:10.0.0.0/8"}},
		{"i:2001:db8::/18", []Key{"i:2001::/17", "i:2001::/16"}},
		{"h:" + md5Hex, nil},
		{"m:a.evil.example", nil},
		{"", nil},
		{"i:x", nil},
	} {
		if ks := tt.key.Parents(); !slices.Equal(ks, tt.want) {
			t.Errorf("%s: parents %q", tt.key, ks)
		}
	}
	if n := len(Key("i:192.0.2.1/32").Parents()); n != 24 {
		t.Errorf("an IPv4 address has %d parents, want 24", n)
	}
	if n := len(Key("i:2001:db8::1/128").Parents()); n != 112 {
		t.Errorf("an IPv6 address has %d parents, want 112", n)
	}
}

func TestWireName(t *testing.T) {
	for _, tt := range []struct {
		name Name
		want string
		ok   bool
	}{
		{Name{Kind: Domain, Text: "evil.example"}, "\x04evil\x07example", true},
		{Name{Kind: Host, Text: "WWW.evil.example"}, "\x03www\x04evil\x07example", true},
		{Name{Kind: Domain, Text: strings.Repeat("a.", 126) + "a"}, strings.Repeat("\x01a", 127), true},
		{Name{Kind: Domain, Text: strings.Repeat("a.", 127) + "a"}, "", false},
		{Name{Kind: Domain, Text: strings.Repeat("a", 64) + ".example"}, "", false},
		{Name{Kind: Domain, Text: "evil..example"}, "", false},
		{Name{Kind: Domain, Text: "evil.example."}, "", false},
		{Name{Kind: Domain, Text: `ev\046il.example`}, "", false},
		{Name{Kind: Domain, Text: "évil.example"}, "", false},
		{Name{Kind: Domain}, "", false},
		{Name{Kind: Hash, Text: md5Hex}, "", false},
		{Name{}, "", false},
	} {
		if wire, ok := tt.name.WireName(); ok != tt.ok || string(wire) != tt.want {
			t.Errorf("%q on the wire: %q, %v", tt.name.Text, wire, ok)
		}
	}
}

func TestZeroValue(t *testing.T) {
	var v Value
	if a, b := v.Parts(); !v.IsZero() || v.Type() != nil || v.TypeName() != "" || v.String() != "" || a+b != "" ||
		v.Keys() != nil || v.Facets().Names != nil || v.AppendKeys(nil) != nil {
		t.Error("the zero Value is not empty")
	}
	if _, err := Stored(0, "x"); err == nil {
		t.Error("type 0 exists")
	}
	if _, err := Stored(65535, "x"); err == nil {
		t.Error("type 65535 exists")
	}
}

// The vectors are those of the reference implementation: key 00…0f, input 00, 01, …
func TestHasher(t *testing.T) {
	var seed [16]byte
	var in []byte
	for i := range seed {
		seed[i] = byte(i)
	}
	h := NewHasher(seed)
	for n, want := range []uint64{
		0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d, 0xcf2794e0277187b7,
		0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137, 0x93f5f5799a932462,
	} {
		if got := h.Sum(Key(in)); got != want {
			t.Errorf("%d octets: %#x, want %#x", n, got, want)
		}
		in = append(in, byte(n))
	}
	for n := 9; n < 15; n++ {
		in = append(in, byte(n))
	}
	if got := h.Sum(Key(in[:15])); got != 0xa129ca6149be45e5 { // the paper's example
		t.Errorf("15 octets: %#x", got)
	}
}
