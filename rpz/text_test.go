package rpz

import (
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hostile holds names that would do harm if they were written as they are.
func hostile() *book {
	b := newBook("rpz.example.", 7, ".evil.example", "*.only-beneath.example", "_dmarc.evil.example", "32.2.0.0.192.rpz-ip")
	for _, label := range []string{"$INCLUDE", ";", "a b", "a.b", "\n@ A 192.0.2.1", "(", ")", `"`, `\`, `\010`, "\x00", "\xff", "@", "*", "a*", "'", "$(id)", "é"} {
		b.versions[0][string(append([]byte{byte(len(label))}, label...))+"\x07example"] = Exact
	}
	return b
}

func TestText(t *testing.T) {
	z := hostile().latest()
	var b strings.Builder
	if err := Text(&b, z); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if got := parseZone(t, text); len(got) != 2+23 {
		t.Errorf("%d records:\n%s", len(got), text)
	}
	if !strings.HasSuffix(text, "; end of zone, 23 records\n") {
		t.Error("no end mark")
	}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, ";") && strings.ContainsAny(line, "();\"'") {
			t.Errorf("not escaped: %q", line)
		}
	}

	// The same to BIND, name by name.
	check := program(t, "named-checkzone")
	dir := t.TempDir()
	out, err := exec.Command(check, "-i", "none", "-k", "ignore", "-D", "-o", dir+"/out", "rpz.example", file(t, dir, "zone", text)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "loaded serial 7") {
		t.Fatalf("named-checkzone: %v\n%s", err, out)
	}
	dump, err := os.ReadFile(dir + "/out")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for n, on := range z.names() {
		if on&Exact != 0 {
			want = append(want, n)
		}
		if on&Beneath != 0 {
			want = append(want, "\x01*"+n)
		}
	}
	slices.Sort(want)
	if got := owners(t, parseZone(t, string(dump))); !slices.Equal(got, want) {
		t.Errorf("named-checkzone read\n%q\nnot\n%q", got, want)
	}
}

// owners are the names in rrs as labels, relative to rpz.example.
func owners(t *testing.T, rrs []dns.RR) (names []string) {
	t.Helper()
	for _, rr := range rrs {
		if rr.Header().Rrtype == dns.TypeCNAME {
			wire := make([]byte, maxName)
			n, err := dns.PackDomainName(rr.Header().Name, wire, 0, nil, false)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, strings.TrimSuffix(string(wire[:n]), "\x03rpz\x07example\x00"))
		}
	}
	slices.Sort(names)
	return names
}

// full is a writer that has room for so many octets.
type full int

var errFull = errors.New("full")

func (f *full) Write(b []byte) (int, error) {
	if *f -= full(len(b)); *f < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestTextCutShort(t *testing.T) {
	z := newBook("rpz.example.", 7, many("evil", 10_000)...).latest()
	for _, room := range []full{0, 100_000} {
		if err := Text(&room, z); !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
	}
}

func TestConfig(t *testing.T) {
	key := Key{Name: "isp", Algorithm: "hmac-sha256", Secret: []byte("secret")}
	setup := Setup{Key: &key, Feed: "https://exchange.example/feeds/s3cret", Zones: []Offer{
		{Origin: "base.rpz.example."},
		{Origin: "hot.rpz.example.", Hot: true},
		{Origin: "allow.rpz.example.", Terms: Terms{Action: Passthru}},
	}}
	for _, resolver := range Resolvers() {
		got := config(t, resolver, setup)
		at := func(zone string) int { return strings.Index(got, zone+".rpz.example") }
		switch resolver {
		case "powerdns-conf", "dnsmasq": // names no zone
		case "knot-resolver-6": // lets no name pass
			if at("allow") >= 0 && at("allow") < at("base") || at("hot") < 0 || at("base") < at("hot") {
				t.Errorf("%s: not in the order hot, base:\n%s", resolver, got)
			}
		default:
			if at("allow") < 0 || at("hot") < at("allow") || at("base") < at("hot") {
				t.Errorf("%s: not in the order allow, hot, base:\n%s", resolver, got)
			}
		}
		setup.Trial = true
		trial := config(t, resolver, setup)
		has := !slices.Contains([]string{"bind", "powerdns-conf", "knot", "nsd"}, resolver)
		if has != (trial != got) || has && !strings.Contains(trial, "TRIAL MODE") {
			t.Errorf("%s: trial mode, which it has: %v, says\n%s", resolver, has, trial)
		}
		setup.Trial = false
		if strings.Contains(got, "\t\n") || strings.Contains(got, " \n") || strings.Contains(got, "<no value>") {
			t.Errorf("%s: untidy:\n%s", resolver, got)
		}
	}
	if u := config(t, "unbound", setup); strings.Contains(u, "c2VjcmV0") || !strings.Contains(u, "no TSIG") {
		t.Errorf("unbound was given the secret, or not told that it can't use it:\n%s", u)
	}
	for _, bad := range []struct {
		resolver string
		Setup
	}{
		{"pdf", setup},
		{"bind", Setup{Zones: []Offer{{Origin: "a..b"}}}},
		{"bind", Setup{Key: &Key{Name: "isp", Algorithm: "hmac-md5"}}},
		{"dnsmasq", Setup{}},
		{"powerdns", Setup{TLS: &Secure{853, "exchange.example"}}},
	} {
		if err := Config(new(strings.Builder), bad.resolver, bad.Setup); err == nil {
			t.Errorf("no error for %+v", bad)
		}
	}
}
