package indicator

import (
	"bytes"
	"crypto/sha3"
	"encoding/base32"
	"strconv"
	"strings"
)

// Identifiers that somebody hands out: vulnerabilities, products, networks,
// interfaces

var (
	uuid          = rewritten(readUUID, isUUID, "it is no UUID: it wants 32 hexadecimal digits, such as 5b5dd8d4-1d2c-4a0f-9c0a-3a3c1f9b8e11")
	vulnerability = rewritten(identifier, isVulnerability, "it wants an identifier such as CVE-2024-0001")
	cwe           = rewritten(identifier, func(s string) bool { n, ok := strings.CutPrefix(s, "CWE-"); return ok && isDigits(n) }, "it wants CWE-79")
	cpe           = rewritten(same, isCPE, "it wants a CPE of eleven parts, such as cpe:2.3:a:vendor:product:1.0:*:*:*:*:*:*:*, or cpe:/a:vendor:product:1.0")
	asNumber      = asn()
	onion         = onionAddress()
)

// readUUID also takes the braces of Windows and the prefix of RFC 9562.
func readUUID(s string) string {
	s = strings.TrimPrefix(strings.ToLower(s), "urn:uuid:")
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		s = strings.TrimSuffix(inner, "}")
	}
	return s
}

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
	f := rewritten(readOnion, isOnion, "it wants the 16 or 56 characters of an onion service and \".onion\"; those of version 3 hold a checksum, which must fit")
	f.facets, f.keys = hostFacets, domainKeys
	return f
}

func readOnion(s string) string { return strings.TrimSuffix(strings.ToLower(refang(s)), ".") }

// isOnion takes the names beneath a service's address too.
func isOnion(s string) bool {
	name, ok := strings.CutSuffix(s, ".onion")
	if _, err := checkName(s); !ok || err != nil {
		return false
	}
	name = name[strings.LastIndexByte(name, '.')+1:]
	b, err := base32.StdEncoding.DecodeString(strings.ToUpper(name))
	return err == nil && (len(b) == 10 || isOnion3(b))
}

// isOnion3 is the address format of rend-spec-v3: a key, two octets of
// checksum, the version.
func isOnion3(b []byte) bool {
	if len(b) != 35 || b[34] != 3 {
		return false
	}
	h := sha3.New256()
	h.Write([]byte(".onion checksum"))
	h.Write(b[:32])
	h.Write(b[34:])
	return bytes.Equal(h.Sum(nil)[:2], b[32:34])
}

// identifier is upper case with plain hyphens, which word processors replace.
func identifier(s string) string {
	return strings.ToUpper(hyphens.Replace(s))
}

var hyphens = strings.NewReplacer("–", "-", "‑", "-")

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

// isCPE knows the formatted string of version 2.3 and the URI of 2.2. A colon
// after a backslash is part of a name.
func isCPE(s string) bool {
	lower := strings.ToLower(s)
	if uri, ok := strings.CutPrefix(lower, "cpe:/"); ok {
		return uri != "" && strings.Contains("aoh", uri[:1]) && !strings.ContainsAny(uri, " \t\n") && strings.Count(uri, ":") <= 6
	}
	parts, ok := strings.CutPrefix(lower, "cpe:2.3:")
	if !ok || parts == "" || !strings.Contains("aoh*-", parts[:1]) || strings.ContainsAny(parts, " \t\n") {
		return false
	}
	colons := 0
	for i := 0; i < len(parts); i++ {
		switch parts[i] {
		case '\\':
			i++
		case ':':
			colons++
		}
	}
	return colons == 10
}

// asn takes "AS64500", "64500" and the asdot notation of RFC 5396.
func asn() form {
	f := rewritten(readAS, func(s string) bool {
		n, err := strconv.ParseUint(s, 10, 32)
		return err == nil && n > 0
	}, "an AS number is a number from 1 to 4294967295, such as AS64500")
	f.facets = named(Network)
	f.keys = func(dst []Key, s string) []Key { return append(dst, Key("a:"+s)) }
	return f
}

func readAS(s string) string {
	if len(s) > 3 && strings.EqualFold(s[:3], "ASN") {
		s = s[3:]
	} else if len(s) > 2 && strings.EqualFold(s[:2], "AS") {
		s = s[2:]
	}
	s = strings.TrimLeft(s, " ")
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
	apart := strings.NewReplacer(".", "", ":", "", "-", "", " ", "")
	return rewritten(func(s string) string {
		s = strings.ToLower(apart.Replace(s))
		if len(s) != 2*n || !isHex(s) {
			return ""
		}
		b := []byte(s[:2])
		for i := 2; i < len(s); i += 2 {
			b = append(append(b, ':'), s[i:i+2]...)
		}
		return string(b)
	}, func(s string) bool { return s != "" }, why("it wants "+itoa(2*n)+" hexadecimal digits, in pairs or not"))
}
