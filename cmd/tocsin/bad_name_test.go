package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// hostile are values that try to be more than a name, or less: what is said of
// them where a domain is asked for, and where nobody says what they are. After
// "= " it is what they are taken for.
var hostile = []struct{ text, domain, guessed string }{
	{"evil.example;", `a domain may not hold ";"`, `a domain may not hold ";"`},
	{"evil.example; drop", `a domain may not hold ";"`, `a domain may not hold ";"`},
	{"$INCLUDE /etc/passwd", `a domain may not hold "$"`, nothing},
	{"$ORIGIN .", `a domain may not hold "$"`, `a domain may not hold "$"`},
	{"$GENERATE 1-9 evil$.example", `a domain may not hold "$"`, `a domain may not hold "$"`},
	{"evil.example $INCLUDE /etc/passwd", "it holds a space: is it several values?", "it holds a space: is it several values?"},
	{`"evil.example`, "a domain may not hold a quotation mark", "a domain may not hold a quotation mark"},
	{`evil".example`, "a domain may not hold a quotation mark", "a domain may not hold a quotation mark"},
	{`"evil.example IN A 192.0.2.1"`, "it holds a space: is it several values?", "it holds a space: is it several values?"},
	{`evil\.example`, `a domain may not hold "\"`, `a domain may not hold "\"`},
	{`evil\010.example`, `a domain may not hold "\"`, `a domain may not hold "\"`},
	{`evil\`, `a domain may not hold "\"`, nothing},
	{"(evil.example", `a domain may not hold "("`, `a domain may not hold "("`},
	{"evil.example. IN CNAME .", "it holds a space: is it several values?", "it holds a space: is it several values?"},
	{"@", "it is an e-mail address, not a domain: use email", nothing},
	{"*", wildcard, nothing},
	{"*.example", wildcard, wildcard},
	{"*.evil.example", wildcard, wildcard},
	{".", "it is dots alone: blocking the root would block everything", "it is dots alone: blocking the root would block everything"},
	{"..", "it is dots alone: blocking the root would block everything", "it is dots alone: blocking the root would block everything"},
	{"evil..example", "it has an empty label (two dots in a row)", "it has an empty label (two dots in a row)"},
	{`evil.example\n$INCLUDE x`, `a domain may not hold "\"`, `a domain may not hold "\"`},
	{strings.Repeat("a", 64) + ".example", "it has a label longer than 63 octets", "it has a label longer than 63 octets"},
	{longName, "it is longer than 253 characters", "it is longer than 253 characters"},
	{"com", tooMuch, tooMuch},
	{"co.uk", "co.uk is a public suffix: blocking it would block everything beneath it", "co.uk is a public suffix: blocking it would block everything beneath it"},
	{"uk", tooMuch, tooMuch},
	{"localhost", tooMuch, nothing},
	{"0.0.0.0/0", "it is an IP address, not a domain: use ip-dst or ip-src", "it is wider than /8: blocking it would block more than sixteen million addresses"},
	{"::/0", "it is an IP address, not a domain: use ip-dst or ip-src", "it is wider than /16: blocking it would block the networks of many providers"},
	{"192.0.2.1", "it is an IP address, not a domain: use ip-dst or ip-src", "= 192.0.2.1"},
	{"evil.example/path", "a domain has no path: use url", "= evil.example/path"},
	{"evil.example:53", "a domain has no port: use hostname|port", "= evil.example|53"},
	{"someone@evil.example", "it is an e-mail address, not a domain: use email", "= someone@evil.example"},
	{"<script>alert(1)</script>.example", `a domain may not hold "<"`, `a domain may not hold "<"`},
	{"evil.example|192.0.2.1", `it holds a "|": a composite type such as domain|ip may be meant`, "= evil.example|192.0.2.1"},
	{"$(reboot).example", `a domain may not hold "$"`, `a domain may not hold "$"`},
	{"`reboot`.example", "a domain may not hold \"`\"", "a domain may not hold \"`\""},
	{"evil.example' OR 1=1", `a domain may not hold "'"`, `a domain may not hold "'"`},
	{"xn--.example", "= xn--.example", "= xn--.example"},
	{"evil.123", "its last label is a number, so it is neither a domain nor an IP address", "its last label is a number, so it is neither a domain nor an IP address"},
	{"-", tooMuch, nothing},
	{"а.рф", "= xn--80a.xn--p1ai", "= xn--80a.xn--p1ai"},
	{"аррӏе.com", "= xn--80ak6aa92e.com", "= xn--80ak6aa92e.com"},
	{"раура1.example", "= xn--1-7sba6dbr.example", "= xn--1-7sba6dbr.example"},
	{"evil․example", "no resolver could look it up: disallowed rune U+2024", nothing},
	{"evil。example", "= evil.example", "= evil.example"},
	{"evil\u202eexample", "no resolver could look it up: disallowed rune U+202E", nothing},
	{"evil\tx.example", "it holds a control character", "it holds a control character"},
	{"evil\vx.example", "it holds a control character", "it holds a control character"},
	{"ex\u00adample.example", "= example.example", "= example.example"},
	{"☃", tooMuch, nothing},
	{"%2e%2e.example", `a domain may not hold "%"`, "= %2e%2e.example"},
	{"evil,example", `a domain may not hold ","`, nothing},
	{"evil.example,", `a domain may not hold ","`, `a domain may not hold ","`},
	{"evil.example.", "= evil.example", "= evil.example"},
	{".evil.example", "= evil.example", "= evil.example"},
	{"EVIL.Example", "= evil.example", "= evil.example"},
}

const (
	nothing  = "it is neither an address nor a domain, URL, e-mail address or hash"
	tooMuch  = "it is a single label: blocking it would block everything beneath it"
	wildcard = `a domain stands for everything beneath it already: leave the "*" out`
)

// longName is a name of 255 characters: 257 octets on the wire.
var longName = strings.Repeat(strings.Repeat("a", 61)+".", 4) + "example"

// hostileList is a list of them all, with what is said and what is kept of it.
func hostileList(said func(i int) string) (list, says string, keeps []string) {
	lines := []string{"before.example"}
	keeps = []string{"before.example"}
	for i, h := range hostile {
		lines = append(lines, h.text)
		why := said(i)
		if name, ok := strings.CutPrefix(why, "= "); ok {
			if !slices.Contains(keeps, name) {
				keeps = append(keeps, name)
			}
			continue
		}
		text := h.text
		if len(text) > 120 {
			text = text[:120] + "…"
		}
		says += fmt.Sprintf("line %d: %q: %s\n", i+2, text, why)
	}
	return strings.Join(append(lines, "after.example\n"), "\n"), says, append(keeps, "after.example")
}

func TestHostileNames(t *testing.T) {
	asDomains, domainsSaid, domains := hostileList(func(i int) string { return hostile[i].domain })
	asAny, anySaid, any := hostileList(func(i int) string { return hostile[i].guessed })
	throughBothDoors(t, []badList{
		{name: "domains", query: "type=domain", list: text(asDomains), says: domainsSaid, keeps: domains},
		{name: "guessed", list: text(asAny), says: anySaid, keeps: any},
	})
}
