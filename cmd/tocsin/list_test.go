package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/codec"
)

// A collection goes out in every format for lists. What each can say is what the
// collection's claims name, and comes back as that.
func TestListsOfACollection(t *testing.T) {
	w := newWorld(t, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	w.subscriber("resolver", "provider", c)
	var claims strings.Builder
	enc := json.NewEncoder(&claims)
	for typ, value := range map[string]string{"domain": "evil.example", "hostname": "www.host.example", "url": "http://mentioned.example/x",
		"ip-dst": "203.0.113.7", "ip-src": "2001:db8:7::/48", "email": "someone@mentioned.example"} {
		enc.Encode(map[string]any{"type": typ, "value": value, "to_ids": true})
	}
	query := map[string][]string{"format": {"json"}, "collection": {"drop"}, "publish": {"1"}, "distribution": {"1"}, "name": {"claims"}}
	if o := (&front{w, "telco"}).take(t, query, strings.NewReader(claims.String())); o.status != 200 {
		t.Fatalf("%d %s", o.status, o.said)
	}
	w.settle()

	names, addresses := []string{"evil.example", "www.host.example"}, []string{"2001:db8:7::/48", "203.0.113.7"}
	both := slices.Sorted(slices.Values(append(slices.Clone(names), addresses...)))
	for format, want := range map[string][]string{
		"txt": both, "csv": names, "hosts": names, "dnsmasq": names, "unbound": names, "adblock": names, "zeek": both, "nftables": addresses,
		"edl-domain": {"*.evil.example", "evil.example", "www.host.example"}, "edl-ip": addresses, "edl-url": nil, "json": nil, "rpz": nil,
	} {
		status, list := w.raw("provider", "GET", "/collections/drop."+format, nil)
		if status != 200 {
			t.Errorf("%s: %d %s", format, status, list)
			continue
		}
		if bytes.Contains(list, []byte("mentioned")) {
			t.Errorf("%s holds what is only mentioned:\n%s", format, list)
		}
		if want == nil {
			continue
		}
		f, err := codec.Lister(format)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for d, err := range f.Read(bytes.NewReader(list), codec.Options{}) {
			if err != nil {
				t.Errorf("%s: %v in\n%s", format, err, list)
				break
			}
			got[d.Text] = true
			if d.Text == "www.host.example" && d.Type == "domain" {
				t.Errorf("%s: a host comes back as a domain, with all that is beneath it:\n%s", format, list)
			}
		}
		if is := slices.Sorted(maps.Keys(got)); !slices.Equal(is, want) {
			t.Errorf("%s: %q, want %q", format, is, want)
		}
	}
	var object struct {
		Names     []struct{ Name string }
		Addresses []string
	}
	_, list := w.raw("provider", "GET", "/collections/drop.json", nil)
	if err := json.Unmarshal(list, &object); err != nil || len(object.Names) != 2 || len(object.Addresses) != 2 {
		t.Errorf("json: %v\n%s", err, list)
	}
	if status, said := w.raw("provider", "GET", "/collections/drop.pdf", nil); status != 404 || !bytes.Contains(said, []byte("try one of [adblock csv dnsmasq edl-domain edl-ip edl-url hosts json nftables rpz text unbound zeek]")) {
		t.Errorf("pdf: %d %s", status, said)
	}
	// In parts, nothing is lost and nothing comes twice.
	var parts []string
	for _, p := range []string{"1/3", "2/3", "3/3"} {
		_, part := w.raw("provider", "GET", "/collections/drop.txt?part="+p, nil)
		parts = append(parts, strings.Fields(string(part))...)
	}
	if slices.Sort(parts); !slices.Equal(parts, both) {
		t.Errorf("the parts are %q", parts)
	}
}
