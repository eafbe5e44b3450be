package indicator

import (
	"net/netip"
	"strconv"
	"strings"
)

// Addresses, ranges and ports
//
// The normal form of an address is that of RFC 5952; an IPv4-mapped one is the
// IPv4 address it stands for. Ranges are in CIDR notation with the host bits
// zero, and a range of one is the address.

var (
	address     = form{plain: plainAddress, parse: parseAddress, facets: addressFacets, keys: addressKeys}
	addressPort = form{parse: parseAddressPort, facets: addressPortFacets, keys: addressPortKeys, cut: cutFirst}
	domainIP    = form{parse: parseDomainIP, facets: domainIPFacets, keys: domainIPKeys, cut: cutFirst}
	hostPort    = form{parse: parseHostPort, facets: hostPortFacets, keys: hostPortKeys, cut: cutFirst}
	port        = form{parse: parsePort, keys: textKeys}
)

// The widest ranges accepted. Nothing hostile is as wide as sixteen million
// addresses; what is wider is a slip of the finger, and would take a country
// off the net.
const (
	widest4 = 8
	widest6 = 16
)

const (
	errAddress     = why("it is no IP address")
	errLeadingZero = why("it has an octet with a leading zero, which some programs read as octal")
	errZone        = why("it has a zone, which means something on one machine only")
	errCIDR        = why("it is no range in CIDR notation, such as 192.0.2.0/24")
	errRange       = why("a range is given in CIDR notation, such as 192.0.2.0/24")
	errWide4       = why("it is wider than /8: blocking it would block more than sixteen million addresses")
	errWide6       = why("it is wider than /16: blocking it would block the networks of many providers")
	errPort        = why("a port is a number from 1 to 65535")
	errNoPort      = why("it has no port: write 192.0.2.1|443 or [2001:db8::1]:443")
	errWhichColon  = why("it could be an address or an address with a port: write 2001:db8::1|443 or [2001:db8::1]:443")
	errOneAddress  = why("it wants a single address, not a range")
	errNoPipe      = why("it wants two parts with a \"|\" between them")
)

// plainAddress takes IPv4 only, whose text has no second spelling.
func plainAddress(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

func parseAddress(s string) (string, error) {
	p, err := readPrefix(refang(bare(s)))
	if err != nil {
		return "", err
	}
	return prefixText(p), nil
}

func readPrefix(s string) (netip.Prefix, error) {
	host, bits, ranged := strings.Cut(s, "/")
	a, err := readAddress(host)
	if err != nil {
		return netip.Prefix{}, err
	}
	if !ranged {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	n, err := strconv.Atoi(bits)
	if err != nil || strings.HasPrefix(bits, "+") || len(bits) > 1 && bits[0] == '0' {
		return netip.Prefix{}, errCIDR
	}
	if a.Is4() && strings.Contains(host, ":") {
		n -= 96 // ::ffff:192.0.2.0/120 is 192.0.2.0/24
	}
	p, err := a.Prefix(n)
	switch {
	case err != nil:
		return netip.Prefix{}, errCIDR
	case a.Is4() && n < widest4:
		return netip.Prefix{}, errWide4
	case a.Is6() && n < widest6:
		return netip.Prefix{}, errWide6
	}
	return p, nil
}

func readAddress(s string) (netip.Addr, error) {
	if n := len(s); n > 2 && s[0] == '[' && s[n-1] == ']' {
		s = s[1 : n-1]
	}
	a, err := netip.ParseAddr(s)
	switch {
	case err == nil && a.Zone() != "":
		return a, errZone
	case err == nil:
		return a.Unmap(), nil
	case strings.Contains(err.Error(), "leading zero"):
		return a, errLeadingZero
	}
	if first, _, ok := strings.Cut(s, "-"); ok {
		if _, err := netip.ParseAddr(strings.TrimSpace(first)); err == nil {
			return a, errRange
		}
	}
	return a, errAddress
}

func prefixText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

// storedPrefix reads a normal form.
func storedPrefix(s string) netip.Prefix {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a, a.BitLen())
	}
	p, _ := netip.ParsePrefix(s)
	return p
}

func prefixName(s string) Name { return Name{Kind: Prefix, Text: s, Prefix: storedPrefix(s)} }

func addressFacets(s string) Facets { return Facets{Names: []Name{prefixName(s)}} }

// addressKeys spells a single address with its length, so that the keys of
// addresses and of ranges are one kind.
func addressKeys(dst []Key, s string) []Key {
	switch {
	case strings.IndexByte(s, '/') >= 0:
		return append(dst, Key("i:"+s))
	case strings.IndexByte(s, ':') >= 0:
		return append(dst, Key("i:"+s+"/128"))
	}
	return append(dst, Key("i:"+s+"/32"))
}

// parseAddressPort takes 192.0.2.1|443, 192.0.2.1:443, [2001:db8::1]:443,
// and 2001:db8::1#443 or "2001:db8::1 port 443" as some tools print.
func parseAddressPort(s string) (string, error) {
	host, port, err := splitPort(refang(bare(s)))
	if err != nil {
		return "", err
	}
	a, err := readAddress(host)
	if err != nil {
		if strings.Contains(host, "/") {
			err = errOneAddress
		}
		return "", err
	}
	port, err = parsePort(port)
	return a.String() + "|" + port, err
}

func splitPort(s string) (host, port string, err error) {
	for _, sep := range [...]string{"|", "]:", "#", " port "} {
		if host, port, ok := strings.Cut(s, sep); ok {
			return strings.TrimPrefix(host, "["), port, nil
		}
	}
	switch strings.Count(s, ":") {
	case 0:
		return "", "", errNoPort
	case 1:
		host, port, _ = strings.Cut(s, ":")
		return host, port, nil
	}
	return "", "", errWhichColon
}

func addressPortFacets(s string) Facets {
	host, _ := cutFirst(s)
	return addressFacets(host)
}

func addressPortKeys(dst []Key, s string) []Key {
	host, _ := cutFirst(s)
	return addressKeys(dst, host)
}

func parseDomainIP(s string) (string, error) {
	name, addr, ok := strings.Cut(refang(bare(s)), "|")
	if !ok {
		return "", errNoPipe
	}
	name, err := parseDomain(name)
	if err != nil {
		return "", err
	}
	a, err := readAddress(bare(addr))
	if err != nil {
		if strings.Contains(addr, "/") {
			err = errOneAddress
		}
		return "", err
	}
	return name + "|" + a.String(), nil
}

// domainIPFacets names the domain alone: the address is what it pointed to
// once, often shared hosting.
func domainIPFacets(s string) Facets {
	name, addr := cutFirst(s)
	return Facets{Names: []Name{{Kind: Domain, Text: name}}, Mentions: []Name{prefixName(addr)}}
}

func domainIPKeys(dst []Key, s string) []Key {
	name, addr := cutFirst(s)
	return addressKeys(domainKeys(dst, name), addr)
}

func parseHostPort(s string) (string, error) {
	host, port, err := splitPort(refang(bare(s)))
	if err != nil {
		return "", err
	}
	if host, err = parseHostname(host); err != nil {
		return "", err
	}
	port, err = parsePort(port)
	return host + "|" + port, err
}

func hostPortFacets(s string) Facets {
	host, _ := cutFirst(s)
	return hostFacets(host)
}

func hostPortKeys(dst []Key, s string) []Key {
	host, _ := cutFirst(s)
	return domainKeys(dst, host)
}

func parsePort(s string) (string, error) {
	n, err := strconv.ParseUint(bare(s), 10, 16)
	if err != nil || n == 0 {
		return "", errPort
	}
	return strconv.FormatUint(n, 10), nil
}

// cutFirst is MISP's split of a composite.
func cutFirst(s string) (value1, value2 string) {
	value1, value2, _ = strings.Cut(s, "|")
	return value1, value2
}
