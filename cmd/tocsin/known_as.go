package main

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
)

// knownAs is under which names and addresses the exchange can be reached, as far
// as it knows: where it listens, what its certificate says, what the machine is
// called. Loopback is guarded as it is, and names of one label are no indicators.
func (x *exchange) knownAs(c config) []string {
	var all []string
	for _, at := range []string{x.HTTPAddr, x.DNSAddr} {
		all = append(all, listening(at)...)
	}
	if name, err := os.Hostname(); err == nil {
		all = append(all, name)
	}
	all = append(all, certified(c.TLSCert)...)
	if u, err := url.Parse(c.URL); err == nil && u.Hostname() != "" {
		all = append(all, u.Hostname())
	}
	if c.DNSAt.IsValid() {
		all = append(all, c.DNSAt.Addr().String())
	}
	var known []string
	for _, s := range all {
		if a, err := netip.ParseAddr(s); err == nil && !a.IsLoopback() && !a.IsUnspecified() && !a.IsPrivate() && !a.IsLinkLocalUnicast() {
			known = append(known, s)
		} else if err != nil && strings.Contains(strings.Trim(s, "."), ".") {
			known = append(known, s)
		}
	}
	return known
}

// listening is the addresses at which a listener can be reached.
func listening(at string) (addrs []string) {
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		return nil
	}
	if a, err := netip.ParseAddr(host); err != nil || !a.IsUnspecified() {
		return []string{host}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			addrs = append(addrs, p.Addr().String())
		}
	}
	return addrs
}

// certified is the names and addresses of a certificate.
func certified(file string) (names []string) {
	if file == "" {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil // whoever loads it says so
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	names = append(names, cert.DNSNames...)
	for _, a := range cert.IPAddresses {
		names = append(names, a.String())
	}
	return names
}
