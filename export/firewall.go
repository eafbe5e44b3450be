package export

import (
	"cmp"
	"net/netip"

	"tocsin"
	"tocsin/codec"
)

// writeHosts writes a hosts file (hosts(5)): each domain led nowhere, or to the
// address that the client says by ip_address.
func writeHosts(w *Writer, a *Answer) error {
	to, err := netip.ParseAddr(cmp.Or(a.Said("ip_address"), "0.0.0.0"))
	if err != nil || to.Zone() != "" {
		return tocsin.Errorf(tocsin.Invalid, "ip_address is no address")
	}
	w.add("# Blocklist in the HOSTS format\n# Generated: ", a.Now.UTC().Format("2006-01-02 15:04:05 -0700"), "\n")
	known, line := newRepeats(), to.String()+" "
	err = a.each(w, []string{"domain"}, func(c *Claim) {
		name := c.Value.String()
		if isZoneName(name) && !known.again(name) {
			w.add(line, name, "\n")
		}
	})
	if err == nil {
		err = w.End()
	}
	return err
}

// addressed are the types in which an address stands.
var addressed = []string{"ip-dst", "ip-src", "domain|ip", "ip-dst|port", "ip-src|port"}

// writeNetfilter writes a command for each address. MISP writes iptables for every
// one; so do we, since scripts look for that word, although it takes no IPv6 address.
func writeNetfilter(w *Writer, a *Answer) error {
	action := cmp.Or(a.Said("netfilter_action"), "DROP")
	for _, c := range action {
		if (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '-' && c != '_' {
			return tocsin.Errorf(tocsin.Invalid, "netfilter_action: %q is no target of iptables", action)
		}
	}
	err := a.each(w, addressed, func(c *Claim) {
		if ip := address(c); ip != "" {
			w.add("iptables -A INPUT -s ", ip, " -j ", action, "\n")
		}
	})
	if err == nil {
		err = w.End()
	}
	return err
}

// address returns the address or range that stands in a value, "" for none.
func address(c *Claim) string {
	text := c.side(0)
	if c.Value.TypeName() == "domain|ip" {
		text = c.side(1)
	}
	if _, err := netip.ParsePrefix(text); err == nil {
		return text
	}
	if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
		return text
	}
	return ""
}

// writeZeek writes a file for Zeek's intelligence framework, as package codec does.
func writeZeek(w *Writer, a *Answer) error {
	f, err := codec.Writer("zeek")
	if err != nil {
		return err
	}
	return f.Write(w.out, func(yield func(codec.Row, error) bool) {
		for c, err := range a.Claims() {
			row := codec.Row{Attribute: c.Attribute, Event: c.In}
			if err == nil {
				if o := a.Org(c.In.Orgc); o != nil {
					row.Org = o.Name
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	})
}
