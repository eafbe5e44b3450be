package indicator

import (
	"strconv"
	"strings"
)

// Identifiers that somebody hands out: vulnerabilities, networks, interfaces

var (
	uuid          = rewritten(strings.ToLower, isUUID, "it is no UUID")
	onion         = onionAddress()
	vulnerability = rewritten(identifier, isVulnerability, "it wants an identifier such as CVE-2024-0001")
	cwe           = rewritten(identifier, func(s string) bool { n, ok := strings.CutPrefix(s, "CWE-"); return ok && isDigits(n) }, "it wants CWE-79")
	asNumber      = asn()
)

func isUUID(s string) bool {
	part := strings.Split(s, "-")
	if len(part) != 5 {
		return false
	}
	for i, n := range [...]int{8, 4, 4, 4, 12} {
		if len(part[i]) != n || !isHex(part[i]) {
			return false
		}
	}
	return true
}

// onionAddress names a host like any other: a resolver asked for one by mistake
// (RFC 7686) may as well refuse it.
func onionAddress() form {
	f := rewritten(strings.ToLower, isOnion, "it wants 16 or 56 characters and \".onion\"")
	f.facets, f.keys = hostFacets, domainKeys
	return f
}

func isOnion(s string) bool {
	name, ok := strings.CutSuffix(s, ".onion")
	return ok && (len(name) == 16 || len(name) == 56) && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// identifier is upper case with plain hyphens, which word processors replace.
func identifier(s string) string {
	return strings.ToUpper(strings.NewReplacer("–", "-", "‑", "-").Replace(s))
}

// isVulnerability takes what any catalogue hands out (CVE-2024-0001,
// GCVE-1-2024-0001, GHSA-…, MVID-2021-0001, MS08-067) and holds CVE to its form.
func isVulnerability(s string) bool {
	part := strings.Split(s, "-")
	if part[0] == "CVE" {
		return len(part) == 3 && len(part[1]) == 4 && isDigits(part[1]) && len(part[2]) >= 4 && isDigits(part[2])
	}
	for _, p := range part {
		if !isAlphanumeric(p) {
			return false
		}
	}
	return len(part) > 1 && (s[0] < '0' || s[0] > '9') && strings.ContainsAny(s, "0123456789")
}

// asn takes "AS64500", "64500" and the asdot notation of RFC 5396.
func asn() form {
	f := rewritten(readAS, func(s string) bool {
		n, err := strconv.ParseUint(s, 10, 32)
		return err == nil && n > 0
	}, "an AS number is a number from 1 to 4294967295, such as AS64500")
	f.keys = func(dst []Key, s string) []Key { return append(dst, Key("a:"+s)) }
	return f
}

func readAS(s string) string {
	if len(s) > 2 && strings.EqualFold(s[:2], "AS") {
		s = strings.TrimSpace(s[2:])
	}
	if high, low, ok := strings.Cut(s, "."); ok {
		h, err1 := strconv.ParseUint(high, 10, 16)
		l, err2 := strconv.ParseUint(low, 10, 16)
		if err1 != nil || err2 != nil {
			return ""
		}
		return strconv.FormatUint(h<<16|l, 10)
	}
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return strconv.FormatUint(n, 10)
	}
	return s
}

// mac is a hardware address of n octets, written 00:0a:95:9d:68:16.
func mac(n int) form {
	return rewritten(func(s string) string {
		s = strings.ToLower(strings.NewReplacer(".", "", ":", "", "-", "", " ", "").Replace(s))
		if len(s) != 2*n || !isHex(s) {
			return ""
		}
		var b strings.Builder
		for i := 0; i < len(s); i += 2 {
			if i > 0 {
				b.WriteByte(':')
			}
			b.WriteString(s[i : i+2])
		}
		return b.String()
	}, func(s string) bool { return s != "" }, why("it wants "+itoa(2*n)+" hexadecimal digits"))
}
