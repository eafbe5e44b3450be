package main

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"tocsin"
	"tocsin/api"
	"tocsin/rpz"
)

// TestConfigSaysWhatIsMissing sees that a configuration that could not work is
// refused with what to do, rather than printed.
func TestConfigSaysWhatIsMissing(t *testing.T) {
	w := newWorld(t, "telco")
	id := w.subscriber("resolver", "telco", w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"}))
	good := contact{db: w.DB, dns: netip.MustParseAddrPort("192.0.2.1:53"), url: "https://exchange.example", tls: &rpz.Secure{Port: 853, Name: "exchange.example"}}
	for _, test := range []struct {
		what string
		ask  api.ConfigFor
		feed string
		edit func(*contact)
		want string // of the error, or else of the text
		fine bool
	}{
		{"as it should be", api.ConfigFor{Resolver: "unbound"}, "", nil, "primary: 192.0.2.1@53\t", true},
		{"over TLS", api.ConfigFor{Resolver: "unbound", TLS: true}, "", nil, "primary: 192.0.2.1@853#exchange.example", true},
		{"a file", api.ConfigFor{Resolver: "unbound-url"}, "hash", nil, `url: "https://exchange.example/feeds/` + hiddenSecret + `/rpz.example.rpz"`, true},
		{"a resolver that nobody knows", api.ConfigFor{Resolver: "windows"}, "", nil, "try one of [bind bind-options unbound", false},
		{"a file, and no address", api.ConfigFor{Resolver: "dnsmasq"}, "", nil, "tocsin subscriber feed resolver", false},
		{"a file, and no name of ours", api.ConfigFor{Resolver: "dnsmasq"}, "hash", func(c *contact) { c.url = "https://[::]:443" }, "--url", false},
		{"all addresses", api.ConfigFor{Resolver: "bind"}, "", func(c *contact) { c.dns = netip.MustParseAddrPort("0.0.0.0:53") }, "--dns-address", false},
		{"no TLS here", api.ConfigFor{Resolver: "bind", TLS: true}, "", func(c *contact) { c.tls = nil }, "--dns-tls", false},
		{"no TLS there", api.ConfigFor{Resolver: "powerdns", TLS: true}, "", nil, "can't transfer over TLS", false},
	} {
		c := good
		if test.edit != nil {
			test.edit(&c)
		}
		s := &tocsin.Subscriber{ID: id, Name: "resolver", Collection: w.stored("resolver").Collection, Feed: test.feed}
		var text bytes.Buffer
		err := c.config(&text, test.ask, s, nil)
		if (err == nil) != test.fine || err != nil && (tocsin.CodeOf(err) != tocsin.Invalid || text.Len() > 0 || !strings.Contains(err.Error(), test.want)) ||
			err == nil && !strings.Contains(text.String(), test.want) {
			t.Errorf("%s: %v\n%s", test.what, err, &text)
		}
	}
}
