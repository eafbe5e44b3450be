package indicator

import "testing"

var benchmarks = []struct{ name, typ, text string }{
	{"Domain2", "domain", "example.com"},
	{"Domain3", "domain", "www.example.com"},
	{"Domain5", "domain", "a.b.c.evil-one.example"},
	{"DomainUpper", "domain", "Example.COM"},
	{"DomainDefanged", "domain", "example[.]com"},
	{"DomainUnicode", "domain", "bücher.example"},
	{"DomainRefused", "domain", "co.uk"},
	{"IPv4", "ip-dst", "198.51.100.7"},
	{"IPv6", "ip-dst", "2001:db8::1"},
	{"SHA256", "sha256", sha256Hex},
	{"URL", "url", "http://example.com/path/Gate.php?id=1"},
	{"URLDefanged", "url", "hxxp://example[.]com/path/Gate.php?id=1"},
	{"Email", "email-src", "someone@example.com"},
}

var sink struct {
	v  Value
	f  Facets
	ks []Key
	n  uint64
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink.v, _ = Parse(bb.typ, bb.text)
			}
		})
	}
}

func BenchmarkDetect(b *testing.B) {
	for _, bb := range benchmarks {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink.v, _ = Detect(bb.text)
			}
		})
	}
}

// BenchmarkParseDomain reads the large real list.
func BenchmarkParseDomain(b *testing.B) {
	ls := lines(b, "domains-malicious-200k.txt.gz")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		sink.v, _ = Parse("domain", ls[i%len(ls)])
		i++
	}
}

func BenchmarkParseURL(b *testing.B) {
	ls := lines(b, "urls-malicious-100k.txt.gz")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		sink.v, _ = Parse("url", ls[i%len(ls)])
		i++
	}
}

func BenchmarkKeys(b *testing.B) {
	h := NewHasher([16]byte{1})
	for _, bb := range benchmarks {
		v, err := Parse(bb.typ, bb.text)
		if err != nil {
			continue
		}
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sink.ks = v.AppendKeys(sink.ks[:0])
				sink.n = h.Sum(sink.ks[0])
			}
		})
	}
}

func BenchmarkFacets(b *testing.B) {
	v, _ := Parse("domain", "example.com")
	b.ReportAllocs()
	for b.Loop() {
		sink.f = v.Facets()
	}
}
