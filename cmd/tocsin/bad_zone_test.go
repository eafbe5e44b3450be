package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/internal/lab"
	"tocsin/store"
)

// injections are values for a program that reads lines of JSON: here a value can
// hold what no line of a text can.
var injections = []string{
	"evil.example\n$INCLUDE /etc/passwd", "evil.example\r\n* CNAME .", "evil.example\n* CNAME .\n", "evil.example\x00", "evil.example\u2028x",
	"evil.example \t CNAME .", "evil.example.rpz.example.", "*.rpz.example", "evil\x7f.example", "ＥＶＩＬ.example\n", "a.example|192.0.2.1\n$ORIGIN .", "a.example|53\n$TTL 0",
}

// TestNothingIsInjectedIntoAZone offers every hostile value as every type there
// is, and has BIND read the zone that comes of it.
func TestNothingIsInjectedIntoAZone(t *testing.T) {
	checkzone := lab.Need(t, "named-checkzone")
	w := newWorld(t, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.subscriber("resolver", "provider", c)
	values := slices.Clone(injections)
	for _, h := range hostile {
		values = append(values, h.text)
	}
	f := &front{w, "telco"}
	offered := 0
	for _, typ := range indicator.Types() {
		var list strings.Builder
		enc := json.NewEncoder(&list)
		for i, v := range append(slices.Clone(values), "good-"+strings.NewReplacer("|", "-", "_", "-").Replace(strings.ToLower(typ.Name))+".example") {
			for _, s := range []string{v, v + "|192.0.2.1", v + "|53", "http://" + v + "/" + v} {
				enc.Encode(map[string]any{"type": typ.Name, "value": s, "to_ids": true, "comment": fmt.Sprint(i)})
				offered++
			}
		}
		q := map[string][]string{"format": {"json"}, "collection": {"drop"}, "publish": {"1"}, "distribution": {"1"}, "name": {typ.Name}}
		if o := f.take(t, q, strings.NewReader(list.String())); o.status != 200 && !strings.HasPrefix(o.said, "invalid: none of ") {
			t.Fatalf("%s: %d %s", typ.Name, o.status, o.said)
		}
	}
	w.settle()
	status, zone := w.raw("telco", "GET", "/collections/drop.rpz", nil)
	if status != 200 {
		t.Fatalf("%d %s", status, zone)
	}
	file := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(file, zone, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(checkzone, "-k", "ignore", "rpz.example", file).CombinedOutput(); err != nil {
		t.Errorf("named-checkzone: %v\n%.2000s", err, out)
	}
	record := regexp.MustCompile(`^(\*\.)?([a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63} CNAME \.$`)
	var names []string
	lines := bufio.NewScanner(strings.NewReader(string(zone)))
	for n := 0; lines.Scan(); n++ {
		if n < 6 { // comments, $ORIGIN, $TTL, SOA, NS
			continue
		}
		line := lines.Text()
		if !record.MatchString(line) && !strings.HasPrefix(line, "; end of zone, ") {
			t.Errorf("line %d: %q", n+1, line)
		}
		if name, ok := strings.CutSuffix(line, " CNAME ."); ok && !strings.HasPrefix(line, "good-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	want := []string{ // what the hostile values mean as names, and nothing else
		"*.evil.example", "*.evil.example.rpz.example", "*.example.example", "*.xn--.example", "*.xn--1-7sba6dbr.example",
		"*.xn--80a.xn--p1ai", "*.xn--80ak6aa92e.com", "evil.example", "evil.example.rpz.example", "example.example", "xn--.example",
		"xn--1-7sba6dbr.example", "xn--80a.xn--p1ai", "xn--80ak6aa92e.com",
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.Contains(n, "good-") })
	if !slices.Equal(names, want) {
		t.Errorf("the zone holds %q\nwant %q", names, want)
	}
	t.Logf("%d claims offered, as %d types", offered, len(indicator.Types()))
}

// A name may be sound and still not fit before the zone's origin (RFC 1035,
// 2.3.4). Its claim is kept and found; the zone goes without it and transfers.
func TestNameThatDoesNotFitTheZone(t *testing.T) {
	dig := lab.Need(t, "dig")
	w := newWorld(t, "telco", "provider")
	origin := "a-zone-with-a-rather-long-name-of-its-own.rpz.example"
	c := w.collection(tocsin.Collection{Name: "drop", Zone: origin})
	w.subscriber("resolver", "provider", c)
	labels := strings.Repeat(strings.Repeat("a", 61)+".", 3)
	long := labels + strings.Repeat("b", 59) + ".ex"
	// What comes on top of two names in full: the first length, the dot between
	// them, the root, and the two octets of a wildcard.
	brim := labels + strings.Repeat("b", 255-5-len(origin)-len(labels)-len(".ex")) + ".ex"
	over := labels + "b" + brim[len(labels):]
	w.bulk("telco", "collection=drop&publish=1&distribution=1&type=domain&name=list", strings.NewReader("before.example\n"+long+"\n"+brim+"\n"+over+"\nafter.example\n"))
	w.settle()
	for _, name := range []string{long, brim, over, "after.example"} {
		if _, found := w.raw("provider", "POST", "/api/lookup", name+"\n"); !strings.Contains(string(found), `"found":true`) {
			t.Errorf("%s is not found: %s", name, found)
		}
	}
	out := w.dig(dig, origin, "AXFR")
	for name, want := range map[string]bool{"before.example": true, "*.before.example": true, "after.example": true, brim: true, "*." + brim: true, over: false, "*." + over: false, long: false} {
		if got := strings.Contains(out, "\n"+name+"."+origin+". "); got != want {
			t.Errorf("%s in the zone: %v, want %v", name, got, want)
		}
	}
	if n := strings.Count(out, " SOA "); n != 2 || strings.Contains(out, "Transfer failed") {
		t.Errorf("%d SOA records: %.1000s", n, out)
	}
	skipped := map[string]string{}
	for s := range w.Collections.Skipped(c, access.Organisation("provider", w.orgs["provider"])) {
		skipped[string(dotted(nil, s.Name))] = s.Reason.String()
	}
	const why = "together with the zone's origin it is longer than a name can be; a shorter origin would take it"
	if want := map[string]string{long: why, over: why}; !maps.Equal(skipped, want) {
		t.Errorf("why they are left out: %q", skipped)
	}
	for name, reaches := range map[string]bool{long: false, over: false, brim: true} {
		for _, way := range w.must("telco", "GET", "/api/why?for=resolver&value="+name, nil)["claims"].([]any)[0].(map[string]any)["ways"].([]any) {
			way := way.(map[string]any)
			if way["exit"] == "zone" && (way["allowed"] != reaches || !reaches && way["reason"] != why) {
				t.Errorf("why of %s: %v", name, way)
			}
		}
	}
}

// dig asks the exchange as an operator does. One blank is between two fields.
func (w *world) dig(dig string, args ...string) string {
	w.t.Helper()
	at := netip.MustParseAddrPort(w.DNSAddr)
	cmd := exec.CommandContext(w.t.Context(), dig, append([]string{"@" + at.Addr().String(), "-p", fmt.Sprint(at.Port()), "+tries=1", "+time=10", "+tcp"}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil && len(out) == 0 {
		w.t.Fatal(err)
	}
	return regexp.MustCompile(`[ \t]+`).ReplaceAllString(string(out), " ")
}

// Whoever has another key than the subscriber, or none, gets nothing.
func TestWrongKey(t *testing.T) {
	dig := lab.Need(t, "dig")
	w := newWorld(t, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	secret := []byte("0123456789abcdef0123456789abcdef")
	w.write(func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Subscriber{Name: "resolver", Org: w.orgs["provider"], Collection: c,
			TSIG: &tocsin.TSIG{Name: "resolver-key", Algorithm: "hmac-sha256", Secret: tocsin.NewSecret(secret)}})
	})
	w.bulk("telco", "collection=drop&publish=1&distribution=1&name=list", strings.NewReader("evil.example\n"))
	w.settle()
	right := base64.StdEncoding.EncodeToString(secret)
	wrong := base64.StdEncoding.EncodeToString([]byte("another secret of the same length"))
	for _, x := range []struct{ key, says string }{
		{"", "Transfer failed"},
		{"hmac-sha256:resolver-key:" + wrong, "BADSIG"},
		{"hmac-sha256:nobody-s-key:" + right, "BADKEY"},
		{"hmac-sha512:resolver-key:" + right, "BADKEY"},
	} {
		args := []string{"rpz.example", "AXFR"}
		if x.key != "" {
			args = append(args, "-y", x.key)
		}
		if out := w.dig(dig, args...); !strings.Contains(out, x.says) || strings.Contains(out, "evil.example") {
			t.Errorf("key %q: want %s: %s", x.key, x.says, out)
		}
		if out := w.dig(dig, "rpz.example", "AXFR", "-y", "hmac-sha256:resolver-key:"+right); !strings.Contains(out, "evil.example.rpz.example.") || strings.Contains(out, "failed") {
			t.Errorf("the right key after %q: %s", x.key, out)
		}
	}
}

// A transfer that breaks off in the middle costs that transfer.
func TestTransferCutInTheMiddle(t *testing.T) {
	dig := lab.Need(t, "dig")
	w := newWorld(t, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.subscriber("resolver", "provider", c)
	const names = 20_000
	w.bulk("telco", "collection=drop&publish=1&distribution=1&name=list", strings.NewReader(madeList("x", names)))
	w.settle()
	m := new(dns.Msg)
	m.SetAxfr("rpz.example.")
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for _, octets := range []int64{0, 1, 100, 70_000, 300_000} {
		conn, err := net.Dial("tcp", w.DNSAddr)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write(append([]byte{byte(len(wire) >> 8), byte(len(wire))}, wire...))
		if n, err := io.CopyN(io.Discard, conn, octets); err != nil {
			t.Errorf("after %d octets: %v", n, err)
		}
		conn.(*net.TCPConn).SetLinger(0) // a reset, as of a machine that lost its power
		conn.Close()
		out := w.dig(dig, "rpz.example", "AXFR")
		if n := strings.Count(out, " CNAME "); n != names || strings.Count(out, " SOA ") != 2 {
			t.Errorf("after a cut at %d: %d records", octets, n)
		}
	}
}
