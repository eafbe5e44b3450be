package codec_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"tocsin"
	"tocsin/codec"
	"tocsin/indicator"
)

// madeUp is a name such as lists hold, of some twenty octets.
func madeUp(i int) string {
	x := uint32(i) * 2654435761
	if i%3 == 0 {
		return fmt.Sprintf("www%d.login-%x.example", i%7, x)
	}
	return fmt.Sprintf("secure-%x.example", x)
}

// large is a list of n lines in a format.
func large(format string, n int) []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, map[string]string{"csv": "value,type,comment\n", "unbound": "server:\n", "rpz": "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n",
		"zeek": "#fields\tindicator\tindicator_type\tmeta.source\n", "nftables": "table inet t {\nset s { type ipv4_addr; elements = {\n"}[format])
	if format == "json document" {
		b.WriteString("[\n")
	}
	for i := range n {
		name := madeUp(i)
		switch format {
		case "text", "edl-domain":
			fmt.Fprintf(&b, "%s\n", name)
		case "csv":
			fmt.Fprintf(&b, "%s,domain,a comment\n", name)
		case "hosts":
			fmt.Fprintf(&b, "0.0.0.0 %s\n", name)
		case "dnsmasq":
			fmt.Fprintf(&b, "address=/%s/#\n", name)
		case "unbound":
			fmt.Fprintf(&b, "local-zone: \"%s.\" always_nxdomain\n", name)
		case "adblock":
			fmt.Fprintf(&b, "||%s^\n", name)
		case "rpz":
			if i%2 == 1 {
				b.WriteString("*.")
				name = madeUp(i - 1)
			}
			fmt.Fprintf(&b, "%s CNAME .\n", name)
		case "zeek":
			fmt.Fprintf(&b, "%s\tIntel::DOMAIN\tOurs\n", name)
		case "nftables":
			fmt.Fprintf(&b, "%s,\n", netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
		case "json":
			fmt.Fprintf(&b, "{\"type\":\"domain\",\"value\":\"%s\"}\n", name)
		case "json document":
			fmt.Fprintf(&b, "{\"type\":\"domain\",\"value\":\"%s\"},\n", name)
		}
	}
	switch format {
	case "nftables":
		b.WriteString("}\n}\n}\n")
	case "json document":
		b.WriteString("{}]\n")
	}
	return b.Bytes()
}

// BenchmarkRead reads lists and validates what is in them. The scanner is the
// reference: lines, and values, and nothing of a format.
func BenchmarkRead(b *testing.B) {
	const lines = 200_000
	validated := func(typ, text string) error {
		if typ == "" {
			_, err := indicator.Detect(text)
			return err
		}
		_, err := indicator.Parse(typ, text)
		return err
	}
	rate := func(b *testing.B, in []byte, read func() error) {
		b.SetBytes(int64(len(in)))
		b.ReportAllocs()
		begun := busy(b)
		for b.Loop() {
			if err := read(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(lines*b.N)/b.Elapsed().Seconds(), "lines/s")
		b.ReportMetric(float64(lines*b.N)/(busy(b)-begun).Seconds(), "lines/cpu-s")
	}
	for _, typ := range []string{"domain", ""} {
		b.Run("scanner "+typ, func(b *testing.B) {
			in := large("text", lines)
			rate(b, in, func() error {
				for s := bufio.NewScanner(bytes.NewReader(in)); s.Scan(); {
					if err := validated(typ, s.Text()); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
	for _, name := range []string{"text", "csv", "hosts", "dnsmasq", "unbound", "adblock", "rpz", "zeek", "nftables", "json", "json document"} {
		b.Run(name, func(b *testing.B) {
			in := large(name, lines)
			short, _, _ := strings.Cut(name, " ")
			f, err := codec.Reader(short)
			if err != nil {
				b.Fatal(err)
			}
			rate(b, in, func() error {
				for d, err := range f.Read(bytes.NewReader(in), codec.Options{}) {
					if err == nil {
						err = validated(d.Type, d.Text)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// BenchmarkWrite writes a million names, as claims and as a list.
func BenchmarkWrite(b *testing.B) {
	const n = 1_000_000
	values := make([]indicator.Value, n)
	for i := range values {
		v, err := indicator.Detect(madeUp(i))
		if err != nil {
			b.Fatal(err)
		}
		values[i] = v
	}
	network, _ := indicator.CategoryByName("Network activity")
	claims := func(yield func(codec.Row, error) bool) {
		a := tocsin.Attribute{Event: 1, Category: network, ToIDS: true, UUID: tocsin.UUID{1}, Timestamp: 1730419200}
		e := &tocsin.Event{ID: 1, Info: "Phishing, week 12"}
		for _, a.Value = range values {
			if !yield(codec.Row{Attribute: &a, Event: e, Org: "Ours"}, nil) {
				return
			}
		}
	}
	addresses := func(yield func(codec.Item, error) bool) {
		for i := range n {
			a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			if !yield(codec.Item{Kind: indicator.Prefix, Text: []byte(a.String()), Prefix: netip.PrefixFrom(a, 32)}, nil) {
				return
			}
		}
	}
	items := func(kinds ...indicator.Kind) iter.Seq2[codec.Item, error] {
		if len(kinds) == 1 && kinds[0] == indicator.Prefix {
			return addresses
		}
		return func(yield func(codec.Item, error) bool) {
			var text []byte
			for i, v := range values {
				text = append(text[:0], v.String()...)
				if !yield(codec.Item{Kind: indicator.Domain + indicator.Kind(i%2), Text: text}, nil) {
					return
				}
			}
		}
	}
	run := func(b *testing.B, write func(io.Writer) error) {
		b.ReportAllocs()
		begun := busy(b)
		for b.Loop() {
			var c counter
			if err := write(&c); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(c))
		}
		b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "names/s")
		b.ReportMetric(float64(n*b.N)/(busy(b)-begun).Seconds(), "names/cpu-s")
	}
	for _, f := range codec.Formats() {
		if f.Write != nil {
			b.Run("claims "+f.Name, func(b *testing.B) { run(b, func(w io.Writer) error { return f.Write(w, claims) }) })
		}
		if f.List != nil {
			b.Run("list "+f.Name, func(b *testing.B) {
				run(b, func(w io.Writer) error { return f.List(w, codec.List{Name: "protect", Serial: 1, Items: items}) })
			})
		}
	}
}

type counter int

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// busy is how long the processor was at it for us, which a machine that does
// other things too measures better than a clock.
func busy(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
