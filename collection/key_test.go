package collection

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"tocsin/indicator"
)

// ownerText is the owner name of a network in zone z, with dots.
func ownerText(t testing.TB, z zone, prefix string) string {
	t.Helper()
	key, ok := pack(netip.MustParsePrefix(prefix))
	if !ok {
		t.Fatalf("%s is not taken", prefix)
	}
	return labelsText(z.owner(nil, key))
}

func labelsText(wire []byte) string {
	var labels []string
	for b := wire; len(b) > 0; b = b[1+b[0]:] {
		labels = append(labels, string(b[1:1+b[0]]))
	}
	return strings.Join(labels, ".")
}

// The forms that BIND writes itself; it drops a record that is written otherwise.
func TestOwnerOfNetwork(t *testing.T) {
	for prefix, want := range map[string]string{
		"192.0.2.1/32":                "32.1.2.0.192",
		"198.51.100.0/24":             "24.0.100.51.198",
		"198.51.100.10/24":            "24.0.100.51.198",
		"203.0.113.200/25":            "25.128.113.0.203",
		"10.0.0.0/8":                  "8.0.0.0.10",
		"2001:db8::/32":               "32.zz.db8.2001",
		"2001:0:0:1:0:0:1:1/128":      "128.1.1.0.0.1.zz.2001",
		"2001:2::/48":                 "48.zz.2.2001",
		"2001:db8::1/128":             "128.1.zz.db8.2001",
		"::1/128":                     "128.1.zz",
		"::/64":                       "64.zz",
		"2001:db8:0:1:1:1:1:1/128":    "128.1.1.1.1.1.0.db8.2001",
		"2001:db8:1:1:1:1:1:0/128":    "128.0.1.1.1.1.1.db8.2001",
		"2001:db8:0:0:1:0:0:1/128":    "128.1.0.0.1.zz.db8.2001",
		"2001:db8:0:0:1:0:0:0/128":    "128.zz.1.0.0.db8.2001",
		"1:2:3:4:5:6:7:abcd/128":      "128.abcd.7.6.5.4.3.2.1",
		"2001:db8:ffff:ffff::1/33":    "33.zz.8000.db8.2001",
		"::ffff:192.0.2.0/120":        "24.0.2.0.192",
		"0:0:1:1:1:1:0:0/128":         "128.0.0.1.1.1.1.zz",
		"2001:db8:1:0:0:0:0:ffff/128": "128.ffff.zz.1.db8.2001",
	} {
		if got := ownerText(t, ip, prefix); got != want+".rpz-ip" {
			t.Errorf("%s is %s; want %s.rpz-ip", prefix, got, want)
		}
		if got := ownerText(t, ns, prefix); got != want+".rpz-nsip" {
			t.Errorf("%s is %s; want %s.rpz-nsip", prefix, got, want)
		}
	}
}

func TestNetworksTooWide(t *testing.T) {
	for prefix, want := range map[string]bool{
		"0.0.0.0/0": false, "10.0.0.0/7": false, "10.0.0.0/8": true, "::/0": false, "2001:db8::/18": false, "2001:db8::/19": true,
		"::ffff:0.0.0.0/96": false, "::ffff:10.0.0.0/104": true, "::/96": true,
	} {
		if _, ok := pack(netip.MustParsePrefix(prefix)); ok != want {
			t.Errorf("%s is taken: %v; want %v", prefix, ok, want)
		}
	}
}

// longhand writes a network as BIND's own rule has it, the long way: walk the words from
// the address's end, try every run of zeros, and let a later one that is as long win.
func longhand(p netip.Prefix) string {
	if p.Addr().Is4() {
		a := p.Masked().Addr().As4()
		return fmt.Sprintf("%d.%d.%d.%d.%d", p.Bits(), a[3], a[2], a[1], a[0])
	}
	a := p.Masked().Addr().As16()
	var words []string
	for i := 14; i >= 0; i -= 2 {
		words = append(words, fmt.Sprintf("%x", int(a[i])<<8|int(a[i+1])))
	}
	best, length := -1, 0
	for from := range words {
		for to := from + 2; to <= len(words); to++ {
			if strings.Trim(strings.Join(words[from:to], ""), "0") == "" && to-from >= length {
				best, length = from, to-from
			}
		}
	}
	if best >= 0 {
		words = append(append(append([]string{}, words[:best]...), "zz"), words[best+length:]...)
	}
	return fmt.Sprint(p.Bits(), ".", strings.Join(words, "."))
}

func TestOwnersOfRandomNetworks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		p := randomPrefix(r)
		key, ok := pack(p)
		if !ok {
			t.Fatalf("%s is not taken", p)
		}
		for z, suffix := range map[zone]string{ip: ".rpz-ip", ns: ".rpz-nsip"} {
			owner := z.owner(nil, key)
			if got, want := labelsText(owner), longhand(p)+suffix; got != want {
				t.Fatalf("%s is %s; want %s", p, got, want)
			}
			if back, ok := z.key(owner); !ok || !bytes.Equal(back, key) {
				t.Fatalf("%s is read back as %x, %v; want %x", labelsText(owner), back, ok, key)
			}
		}
		if unpack(key) != p.Masked() {
			t.Fatalf("%s is kept as %s", p, unpack(key))
		}
	}
}

// randomPrefix has many words of zero.
func randomPrefix(r *rand.Rand) netip.Prefix {
	if r.IntN(3) == 0 {
		a := netip.AddrFrom4([4]byte{byte(r.IntN(256)), byte(r.IntN(3)), byte(r.IntN(256)), byte(r.IntN(3))})
		return netip.PrefixFrom(a, widest4+r.IntN(33-widest4))
	}
	var a [16]byte
	for i := range 8 {
		if r.IntN(2) == 0 {
			a[2*i], a[2*i+1] = byte(r.IntN(3)), byte(r.IntN(256))
		}
	}
	a[0] |= 0x20 // never one that stands for IPv4
	return netip.PrefixFrom(netip.AddrFrom16(a), widest6+r.IntN(129-widest6))
}

func TestOwnersThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "rpz-ip", "24.rpz-ip", "24.1.2.0.192.rpz-ip", "024.0.2.0.192.rpz-ip", "24.0.2.0.192.rpz-nsip", "24.0.2.192.rpz-ip",
		"32.zz.0db8.2001.rpz-ip", "32.zz.DB8.2001.rpz-ip", "32.0.zz.db8.2001.rpz-ip", "128.1.0.0.0.zz.db8.2001.rpz-ip",
		"48.zz.zz.db8.2001.rpz-ip", "0.zz.rpz-ip", "129.1.zz.rpz-ip", "7.0.0.0.10.rpz-ip", "120.200.c000.ffff.zz.rpz-ip", "x.24.0.2.0.192.rpz-ip",
	} {
		var wire []byte
		for l := range strings.SplitSeq(text, ".") {
			wire = append(append(wire, byte(len(l))), l...)
		}
		if key, ok := ip.key(wire); ok {
			t.Errorf("%s is read as %s", text, unpack(key))
		}
	}
}

// FuzzOwner: whatever a question names, it is either what a zone would write or nothing.
func FuzzOwner(f *testing.F) {
	f.Add([]byte("\x0224\x010\x012\x010\x03192\x06rpz-ip"))
	f.Add([]byte("\x0232\x02zz\x03db8\x042001\x08rpz-nsip"))
	f.Add([]byte("\x04evil\x07example\x0brpz-nsdname"))
	f.Add([]byte("\xf4\x0brpz-nsdname"))
	f.Fuzz(func(t *testing.T, owner []byte) {
		for _, z := range []zone{base, ip, ns} {
			key, ok := z.key(owner)
			if ok && !bytes.Equal(z.owner(nil, key), owner) {
				t.Errorf("%q in zone %d is read as %q, which is %q", owner, z, key, z.owner(nil, key))
			}
		}
	})
}

func TestTextOfKeys(t *testing.T) {
	for text, kind := range map[string]indicator.Kind{"192.0.2.1": indicator.Prefix, "198.51.100.0/24": indicator.Prefix, "2001:db8::/32": indicator.Prefix, "2001:db8::1": indicator.Prefix} {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a := netip.MustParseAddr(text)
			p = netip.PrefixFrom(a, a.BitLen())
		}
		key, _ := pack(p)
		if got := string(appendText(nil, key)); got != text || kindOf(key, Exact) != kind {
			t.Errorf("%s is shown as %s, a %s", text, got, kindOf(key, Exact))
		}
	}
	name, _ := Wire("evil.example")
	if got := string(appendText(nil, name)); got != "evil.example" || kindOf(name, Exact) != indicator.Host || kindOf(name, Exact|Beneath) != indicator.Domain {
		t.Errorf("a name is shown as %s", got)
	}
}
