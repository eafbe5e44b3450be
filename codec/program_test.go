package codec_test

import (
	"bytes"
	"fmt"
	"iter"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/AdguardTeam/urlfilter"
	"github.com/AdguardTeam/urlfilter/filterlist"
	"github.com/miekg/dns"
	"golang.org/x/net/idna"

	"tocsin/codec"
	"tocsin/indicator"
	"tocsin/internal/lab"
)

// These tests load what is written into the programs that it is for, or into a
// reader that is not ours where there is no such program in Debian (Zeek, and
// firewalls with their external lists).

var (
	longest = strings.Repeat("a", 63) + ".example"
	// Domains are blocked with what is beneath them, hosts alone.
	blockedDomains = []string{"evil.example", "_dmarc.odd.example", "xn--bcher-kva.example", longest, "0.1.example", "-dash-.example"}
	blockedHosts   = []string{"www.host.example", "_x._tcp.host.example", "xn--0zwm56d.host.example"}
	blockedRanges  = []string{"192.0.2.1/32", "198.51.100.0/24", "203.0.113.0/32", "2001:db8::1/128", "2001:db8::/32", "2001:0:0:1:0:0:1:1/128", "2001:2::/48", "2001:db8:0:1::/64"}
	blockedURLs    = []string{"http://evil.example/x?y=1", "https://evil.example:8443/%20z", "http://evil.example/two words", "http://evil.example/#x"}
	// Hostile are no values that a store would keep: nothing of them comes out.
	hostile = []string{"x\ny.example", "a;b.example", `a"b.example`, "$INCLUDE /etc/passwd", "#.example", "a/b.example", "a}b.example", "a^b.example",
		"@", "*.star.example", "a b.example", `a\b.example`, "192.0.2.77", "..", strings.Repeat("a", 64) + ".example", strings.Repeat("a.", 127) + "example"}
)

// trial is a list with everything in it.
func trial() codec.List {
	var items []codec.Item
	add := func(kind indicator.Kind, texts ...string) {
		for _, text := range texts {
			i := codec.Item{Kind: kind, Text: []byte(text)}
			if kind == indicator.Prefix {
				i.Prefix = netip.MustParsePrefix(text)
			}
			items = append(items, i)
		}
	}
	add(indicator.Domain, blockedDomains...)
	add(indicator.Host, blockedHosts...)
	add(indicator.Prefix, blockedRanges...)
	add(indicator.URL, blockedURLs...)
	add(indicator.Email, "someone@evil.example")
	add(indicator.Hash, "d41d8cd98f00b204e9800998ecf8427e")
	for _, kind := range []indicator.Kind{indicator.Domain, indicator.Host, indicator.URL} {
		add(kind, hostile...)
	}
	return codec.List{Name: "protect", Serial: 4711, Items: func(kinds ...indicator.Kind) iter.Seq2[codec.Item, error] {
		return func(yield func(codec.Item, error) bool) {
			for _, i := range items {
				if slices.Contains(kinds, i.Kind) && !yield(i, nil) {
					return
				}
			}
		}
	}}
}

// written writes the trial list, and returns the file.
func written(t *testing.T, format string) string {
	t.Helper()
	f, err := codec.Lister(format)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "list."+format)
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := f.List(out, trial()); err != nil {
		t.Fatal(err)
	}
	return path
}

// run runs a program to its end and returns what it says.
func run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.Command(lab.Need(t, program), args...).CombinedOutput()
	return string(out), err
}

func must(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := run(t, program, args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return out
}

// blocks asks a resolver: what is listed is answered with nothing or with an
// address that leads nowhere, what is not with the truth.
func blocks(t *testing.T, addr string, domainsBeneath bool) {
	t.Helper()
	ask := func(name string, qtype uint16) lab.Answer {
		q := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
		m, err := dns.Exchange(q, addr)
		if err != nil {
			t.Fatalf("ask for %s: %v", name, err)
		}
		a := lab.Answer{Name: name, Rcode: m.Rcode, Msg: m}
		for _, rr := range m.Answer {
			switch rr := rr.(type) {
			case *dns.A:
				ip, _ := netip.AddrFromSlice(rr.A.To4())
				a.Addrs = append(a.Addrs, ip)
			case *dns.AAAA:
				ip, _ := netip.AddrFromSlice(rr.AAAA)
				a.Addrs = append(a.Addrs, ip)
			}
		}
		return a
	}
	nowhere := func(a lab.Answer) bool {
		return a.Blocked() && !slices.ContainsFunc(a.Addrs, func(ip netip.Addr) bool { return !ip.IsUnspecified() })
	}
	for _, name := range append(slices.Clone(blockedDomains), blockedHosts...) {
		if a := ask(name, dns.TypeA); !nowhere(a) {
			t.Errorf("not blocked: %v", a)
		}
	}
	for _, name := range blockedDomains {
		if a := ask("beneath."+name, dns.TypeA); nowhere(a) != domainsBeneath {
			t.Errorf("beneath a domain: %v", a)
		}
	}
	open := []string{"host.example", "good.example", "notevil.example", "star.example", "a.example"}
	for _, name := range blockedHosts {
		open = append(open, "beneath."+name)
	}
	for _, name := range open {
		if a := ask(name, dns.TypeA); !a.Honest() {
			t.Errorf("blocked: %v", a)
		}
	}
}

// startDnsmasq starts dnsmasq above a root, with what the arguments say.
func startDnsmasq(t *testing.T, args ...string) (addr string) {
	t.Helper()
	root := lab.StartRoot(t)
	host, rootPort, _ := net.SplitHostPort(root.Addr())
	port := fmt.Sprint(lab.Port(t))
	all := append([]string{"--keep-in-foreground", "--log-facility=-", "--port=" + port, "--listen-address=127.0.0.1", "--bind-interfaces",
		"--no-resolv", "--no-hosts", "--user=", "--group=", "--pid-file=", "--server=" + host + "#" + rootPort}, args...)
	p := lab.Start(t, exec.Command(lab.Need(t, "dnsmasq"), all...))
	addr = net.JoinHostPort("127.0.0.1", port)
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if _, err := dns.Exchange(new(dns.Msg).SetQuestion("ready.example.", dns.TypeA), addr); err == nil {
			return addr
		}
		select {
		case <-p.Done():
			t.Fatalf("dnsmasq ended:\n%s", p.Log())
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatalf("dnsmasq does not answer:\n%s", p.Log())
	return ""
}

func TestDnsmasqBlocks(t *testing.T) {
	path := written(t, "dnsmasq")
	if out := must(t, "dnsmasq", "--test", "-C", path); !strings.Contains(out, "syntax check OK") {
		t.Errorf("dnsmasq says %s", out)
	}
	blocks(t, startDnsmasq(t, "-C", path), true)
}

// A hosts file can't cover what is beneath a name, and says so.
func TestHostsBlocks(t *testing.T) {
	blocks(t, startDnsmasq(t, "-C", "/dev/null", "--addn-hosts="+written(t, "hosts")), false)
	if f, _ := codec.Writer("hosts"); !strings.Contains(f.Describe, "nothing beneath it") {
		t.Errorf("it is described as %q", f.Describe)
	}
}

func TestUnboundBlocks(t *testing.T) {
	lab.Need(t, "unbound")
	path := written(t, "unbound")
	config, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	must(t, "unbound-checkconf", path)
	r := lab.StartUnbound(t, lab.StartRoot(t), string(config))
	blocks(t, r.Addr(), true)
}

// What named takes for a sound zone acts as one, addresses included: a record
// that is not in canonical form would be dropped with a line in the log.
func TestNamedBlocks(t *testing.T) {
	lab.Need(t, "named")
	path := written(t, "rpz")
	if out := must(t, "named-checkzone", "-k", "fail", "rpz.example", path); !strings.Contains(out, "OK") {
		t.Errorf("named-checkzone says %s", out)
	}
	r := startNamed(t, path)
	r.WaitBlocked(t, "evil.example")
	if complains(r.Log()) {
		t.Errorf("named says:\n%s", r.Log())
	}
	for _, name := range append(slices.Clone(blockedDomains), "beneath.evil.example", "www.host.example") {
		a, err := r.Lookup(t.Context(), name)
		if err != nil || !a.Blocked() {
			t.Errorf("not blocked: %v, %v", a, err)
		}
	}
	a, err := r.Lookup(t.Context(), "beneath.www.host.example")
	if err != nil || !a.Honest() {
		t.Errorf("blocked: %v, %v", a, err)
	}
}

func startNamed(t *testing.T, path string) *lab.Resolver {
	t.Helper()
	return lab.StartBIND(t, lab.StartRoot(t), lab.Config{
		Options: `response-policy { zone "rpz.example"; } break-dnssec yes qname-wait-recurse no nsip-enable no nsdname-enable no;`,
		Zones:   fmt.Sprintf("zone \"rpz.example\" { type primary; file %q; allow-query { any; }; };", path),
	})
}

// complains reports whether named dropped a record of a policy zone.
func complains(log string) bool {
	return strings.Contains(log, "invalid rpz") || strings.Contains(log, "canonical") || strings.Contains(log, "ignoring out-of-zone")
}

// Ranges block by what a name resolves to: in the lab that is always within these.
func TestNamedBlocksAddresses(t *testing.T) {
	lab.Need(t, "named")
	f, _ := codec.Lister("rpz")
	l := codec.List{Items: func(...indicator.Kind) iter.Seq2[codec.Item, error] {
		return func(yield func(codec.Item, error) bool) {
			for _, p := range []string{"192.0.2.0/24", "2001:db8::/32"} {
				if !yield(codec.Item{Kind: indicator.Prefix, Prefix: netip.MustParsePrefix(p)}, nil) {
					return
				}
			}
		}
	}}
	var zone bytes.Buffer
	if err := f.List(&zone, l); err != nil {
		t.Fatal(err)
	}
	zone.WriteString("24.1.2.0.192.rpz-ip CNAME .\n") // which has an address with bits that the length leaves out
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, zone.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	r := startNamed(t, path)
	r.WaitBlocked(t, "any.example")
	if a, err := r.Ask(t.Context(), "any.example", dns.TypeAAAA); err != nil || !a.Blocked() {
		t.Errorf("not blocked: %v, %v", a, err)
	}
	if !complains(r.Log()) {
		t.Errorf("named drops a record and we don't see it say so:\n%s", r.Log())
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A zone that was cut short may be sound, so its last line says that it is whole.
func TestZoneSaysItsEnd(t *testing.T) {
	text := read(t, written(t, "rpz"))
	records := strings.Count(text, "CNAME")
	if !strings.HasSuffix(text, fmt.Sprintf("\n; end of zone, records: %d\n", records)) {
		t.Errorf("it ends %q", text[len(text)-60:])
	}
}

// nft runs nft in a namespace of its own, where anybody may.
func nft(t *testing.T, script string) (string, error) {
	t.Helper()
	lab.Need(t, "nft")
	if out, err := run(t, "unshare", "-rn", "true"); err != nil {
		t.Skipf("SKIP-NEED user namespaces: %s", out)
	}
	return run(t, "unshare", "-rn", "sh", "-c", script)
}

func TestNftLoads(t *testing.T) {
	path := written(t, "nftables")
	if out, err := nft(t, "nft -c -f "+path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// Twice: the second time replaces what is there.
	out, err := nft(t, "nft -f "+path+" && nft -f "+path+" && nft list ruleset")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"192.0.2.1", "198.51.100.0/24", "203.0.113.0", "2001:db8::/32", "2001:2::/48", "2001:0:0:1::1:1"} {
		if !strings.Contains(out, want) && !strings.Contains(out, strings.Replace(want, "2001:0:0:1::1:1", "2001::1:0:0:1:1", 1)) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	for _, not := range []string{"192.0.2.77", "evil"} {
		if strings.Contains(out, not) {
			t.Errorf("%s in\n%s", not, out)
		}
	}
}

// However far a file of elements came, nft refuses it unless it is whole.
func TestNftRefusesHalf(t *testing.T) {
	path := written(t, "nftables")
	text := read(t, path)
	from := strings.Index(text, "elements = {")
	end := strings.LastIndex(text, "}")
	half := filepath.Join(t.TempDir(), "half.nft")
	for _, n := range []int{from + 20, (from + end) / 2, strings.Index(text, "set bad6 {\n"), end - 30, end} {
		if err := os.WriteFile(half, []byte(text[:n]), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := nft(t, "nft -c -f "+half); err == nil {
			t.Errorf("cut at %d of %d it is taken: %s", n, len(text), out)
		}
	}
	if out, err := nft(t, "nft -c -f "+path); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEmptyListsLoad(t *testing.T) {
	none := codec.List{Items: func(...indicator.Kind) iter.Seq2[codec.Item, error] { return func(func(codec.Item, error) bool) {} }}
	file := func(format string) string {
		f, _ := codec.Lister(format)
		path := filepath.Join(t.TempDir(), format)
		var b bytes.Buffer
		if err := f.List(&b, none); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	must(t, "named-checkzone", "rpz.example", file("rpz"))
	must(t, "unbound-checkconf", file("unbound"))
	must(t, "dnsmasq", "--test", "-C", file("dnsmasq"))
	must(t, "jq", ".", file("json"))
	if out, err := nft(t, "nft -c -f "+file("nftables")); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestAdGuardBlocks(t *testing.T) {
	rules := read(t, written(t, "adblock"))
	storage, err := filterlist.NewRuleStorage([]filterlist.RuleList{&filterlist.StringRuleList{ID: 1, RulesText: rules}})
	if err != nil {
		t.Fatal(err)
	}
	engine := urlfilter.NewDNSEngine(storage)
	blocked := append(slices.Clone(blockedDomains), blockedHosts...)
	for _, d := range blockedDomains {
		blocked = append(blocked, "beneath."+d)
	}
	for _, name := range blocked {
		if _, ok := engine.Match(name); !ok {
			t.Errorf("%s is not blocked", name)
		}
	}
	for _, name := range []string{"host.example", "beneath.www.host.example", "notevil.example", "example", "evil.example.org", "star.example", "b.example"} {
		if r, ok := engine.Match(name); ok {
			t.Errorf("%s is blocked by %v", name, r.NetworkRule)
		}
	}
}

func TestPythonReadsCSV(t *testing.T) {
	out := must(t, "python3", "-c", `
import csv, sys
for row in csv.DictReader(open(sys.argv[1], newline="")):
    print(row["value"].lstrip("'"), row["type"])`, written(t, "csv"))
	want := ""
	for _, d := range blockedDomains {
		want += d + " domain\n"
	}
	for _, h := range blockedHosts {
		want += h + " hostname\n"
	}
	if out != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestJqReadsJSON(t *testing.T) {
	path := written(t, "json")
	out := must(t, "jq", "-r", `[.collection, .serial, (.names | length), (.names | map(select(.beneath)) | length), (.addresses | length)] | join(" ")`, path)
	if want := fmt.Sprintf("protect 4711 %d %d %d\n", len(blockedDomains)+len(blockedHosts), len(blockedDomains), len(blockedRanges)); out != want {
		t.Errorf("got %q, want %q", out, want)
	}
	text := read(t, path)
	for _, n := range []int{len(text) / 3, len(text) * 2 / 3, len(text) - 3} {
		if err := os.WriteFile(path, []byte(text[:n]), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := run(t, "jq", ".", path); err == nil {
			t.Errorf("cut at %d it is taken: %s", n, out)
		}
	}
}

// There is no Zeek in Debian 12, so this is a reader as strict as its manual:
// fields separated by single tabs, as many as the header has, of known types.
func TestZeekFields(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(read(t, written(t, "zeek")), "\n"), "\n")
	if lines[0] != "#fields\tindicator\tindicator_type\tmeta.source\tmeta.desc" {
		t.Errorf("the header is %q", lines[0])
	}
	got := map[string]string{}
	for _, l := range lines[1 : len(lines)-1] {
		f := strings.Split(l, "\t")
		if len(f) != 4 || slices.Contains(f, "") || strings.HasPrefix(l, "#") || strings.ContainsAny(l, "\r\x00\\") {
			t.Errorf("line %q", l)
			continue
		}
		got[f[0]] = f[1]
	}
	for value, typ := range map[string]string{"evil.example": "Intel::DOMAIN", "www.host.example": "Intel::DOMAIN", "192.0.2.1": "Intel::ADDR", "2001:db8::1": "Intel::ADDR",
		"198.51.100.0/24": "Intel::SUBNET", "evil.example/x?y=1": "Intel::URL", "someone@evil.example": "Intel::EMAIL", "d41d8cd98f00b204e9800998ecf8427e": "Intel::FILE_HASH"} {
		if got[value] != typ && !(typ == "Intel::ADDR" && got[value+"/32"] != "" || got[value+"/128"] != "") {
			t.Errorf("%s is %q, want %s", value, got[value], typ)
		}
	}
	if end := lines[len(lines)-1]; end != fmt.Sprintf("# end of list, entries: %d", len(lines)-2) {
		t.Errorf("it ends %q", end)
	}
}

// What firewalls fetch is read with the strictness of the standard library's
// parsers: one thing a line, nothing around it.
func TestExternalLists(t *testing.T) {
	lines := func(format string) []string {
		return strings.Split(strings.TrimSuffix(read(t, written(t, format)), "\n"), "\n")
	}
	for _, l := range lines("edl-ip") {
		_, err := netip.ParseAddr(l)
		if p, perr := netip.ParsePrefix(l); err != nil && (perr != nil || p != p.Masked()) {
			t.Errorf("%q is no address: %v", l, perr)
		}
	}
	if n := len(lines("edl-ip")); n != len(blockedRanges) {
		t.Errorf("%d addresses", n)
	}
	for _, l := range lines("edl-domain") {
		name := strings.TrimPrefix(l, "*.")
		if a, err := idna.Punycode.ToASCII(name); err != nil || a != name || !dns.IsFqdn(name+".") || strings.ContainsAny(name, " \t*/") {
			t.Errorf("%q is no name: %v", l, err)
		}
	}
	if n := len(lines("edl-domain")); n != 2*len(blockedDomains)+len(blockedHosts) {
		t.Errorf("%d names", n)
	}
	for _, l := range lines("edl-url") {
		if strings.ContainsAny(l, " \t#*^\"\\\r\x00") || strings.Contains(l, "://") {
			t.Errorf("%q is no URL", l)
		}
	}
	for _, want := range []string{"evil.example/x?y=1", "evil.example:8443/%20z"} {
		if !slices.Contains(lines("edl-url"), want) {
			t.Errorf("there is no %s", want)
		}
	}
}

// The parts of a list are the whole, each thing once.
func TestShards(t *testing.T) {
	f, _ := codec.Lister("edl-domain")
	var whole, parts bytes.Buffer
	if err := f.List(&whole, trial()); err != nil {
		t.Fatal(err)
	}
	for part := range 3 {
		before := parts.Len()
		if err := f.List(&parts, codec.Shard{Part: part + 1, Of: 3}.List(trial())); err != nil {
			t.Fatal(err)
		}
		if parts.Len() == before {
			t.Errorf("part %d is empty", part+1)
		}
	}
	sorted := func(b bytes.Buffer) []string {
		ls := strings.Split(b.String(), "\n")
		slices.Sort(ls)
		return ls
	}
	if a, b := sorted(whole), sorted(parts); !slices.Equal(a[1:], b[1:]) {
		t.Errorf("the whole is\n%v\nthe parts\n%v", a, b)
	}
}
