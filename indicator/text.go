package indicator

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Text and numbers

var (
	text     = form{parse: func(s string) (string, error) { return s, nil }, keys: textKeys}
	line     = form{parse: parseLine, keys: textKeys}
	fileName = form{parse: parseLine, facets: fileFacets, keys: fileKeys}
	pair     = form{parse: parsePair, keys: pairKeys, cut: cutFirst}
)

func textKeys(dst []Key, s string) []Key { return append(dst, Key("t:"+strings.ToLower(s))) }
func fileKeys(dst []Key, s string) []Key { return append(dst, Key("f:"+strings.ToLower(s))) }
func fileFacets(s string) Facets         { return Facets{Names: []Name{{Kind: File, Text: s}}} }

// parseLine takes anything that would not break out of its line in an export.
func parseLine(s string) (string, error) { return s, oneLine(s) }

func oneLine(s string) error {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n' || c == '\r':
			return errNewline
		case c < ' ' && c != '\t' || c == 0x7f:
			return errControl
		}
	}
	if s == "" {
		return errEmpty
	}
	return nil
}

func parsePair(s string) (string, error) {
	if strings.IndexByte(s, '|') < 1 {
		return "", errNoPipe
	}
	return s, oneLine(s)
}

func pairKeys(dst []Key, s string) []Key {
	a, b := cutFirst(s)
	if dst = textKeys(dst, a); b != "" {
		dst = textKeys(dst, b)
	}
	return dst
}

// rewritten is a form of text that rewrite brings into normal form and ok checks.
func rewritten(rewrite func(string) string, ok func(string) bool, wrong why) form {
	return form{
		parse: func(s string) (string, error) {
			if s = rewrite(bare(s)); !ok(s) {
				return "", wrong
			}
			return s, nil
		},
		keys: textKeys,
	}
}

func same(s string) string { return s }

var (
	number   = rewritten(same, isDigits, "it wants a whole number, 0 or more")
	integer  = rewritten(same, func(s string) bool { return isDigits(strings.TrimPrefix(s, "-")) }, "it wants a whole number")
	float    = rewritten(same, isFloat, "it wants a number")
	hex      = rewritten(strings.ToUpper, func(s string) bool { return isHex(strings.ToLower(s)) }, "it wants hexadecimal digits")
	boolean  = rewritten(readBoolean, func(s string) bool { return s == "0" || s == "1" }, "it wants 0, 1, true or false")
	digits   = rewritten(keep("0123456789"), isDigits, "it wants digits")
	bankCode = rewritten(keepUpper, isAlphanumeric, "it wants letters and digits")
	account  = rewritten(same, isFloat, "it wants digits")
	wallet   = rewritten(same, isAlphanumeric, "it wants letters and digits")
	phone    = rewritten(readPhone, func(s string) bool { return isDigits(strings.TrimPrefix(s, "+")) }, "it is no telephone number")
	service  = rewritten(same, isService, "it wants at most 256 octets on one line, without slashes")
	jsonText = form{parse: parseJSON, keys: textKeys}
	method   = rewritten(strings.ToUpper, isMethod, "it is no HTTP method")
	uuid     = rewritten(strings.ToLower, isUUID, "it is no UUID")
	onion    = rewritten(strings.ToLower, isOnion, "it wants 16 or 56 characters and \".onion\"")
	cve      = rewritten(identifier, isCVE, "it wants CVE-2024-0001")
	cwe      = rewritten(identifier, func(s string) bool { n, ok := strings.CutPrefix(s, "CWE-"); return ok && isDigits(n) }, "it wants CWE-79")
	datetime = rewritten(readTime, isTime, "it wants a date and time in ISO 8601, such as 2024-01-02T03:04:05Z")
	asNumber = asn()
)

func isFloat(s string) bool {
	_, err := strconv.ParseFloat(s, 64)
	return err == nil && strings.Trim(s, "0123456789+-.eE") == ""
}

func readBoolean(s string) string {
	switch strings.ToLower(s) {
	case "true":
		return "1"
	case "false":
		return "0"
	}
	return s
}

// keep drops every character but those of set.
func keep(set string) func(string) string {
	return func(s string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(set, r) {
				return r
			}
			return -1
		}, s)
	}
}

func keepUpper(s string) string {
	return keep("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")(strings.ToUpper(s))
}

func isAlphanumeric(s string) bool {
	return s != "" && isBase64(s) && !strings.ContainsAny(s, "+/")
}

// readPhone writes 00 as "+" and leaves out the (0) that is not dialled from abroad.
func readPhone(s string) string {
	if abroad, ok := strings.CutPrefix(s, "00"); ok {
		s = "+" + abroad
	}
	return keep("+0123456789")(strings.ReplaceAll(s, "(0)", ""))
}

func isService(s string) bool {
	return len(s) <= 256 && !strings.ContainsAny(s, `/\`) && oneLine(s) == nil
}

func parseJSON(s string) (string, error) {
	if !json.Valid([]byte(s)) {
		return "", why("it is not valid JSON")
	}
	return s, nil
}

// isMethod takes any token (RFC 9110, section 9.1): methods are not a closed set.
func isMethod(s string) bool {
	return s != "" && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123456789") == ""
}

func isUUID(s string) bool {
	return len(s) == 36 && s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' && isHex(strings.ReplaceAll(s, "-", "")) && strings.Count(s, "-") == 4
}

func isOnion(s string) bool {
	name, ok := strings.CutSuffix(s, ".onion")
	return ok && (len(name) == 16 || len(name) == 56) && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// identifier is upper case with plain hyphens, which word processors replace.
func identifier(s string) string {
	return strings.ToUpper(strings.NewReplacer("–", "-", "‑", "-").Replace(s))
}

// isCVE takes CVE-2024-0001 and, since 2025, GCVE-1-2024-0001.
func isCVE(s string) bool {
	part := strings.Split(s, "-")
	if part[0] == "GCVE" && len(part) == 4 && isDigits(part[1]) {
		part = part[1:]
	} else if part[0] != "CVE" {
		return false
	}
	return len(part) == 3 && len(part[1]) == 4 && isDigits(part[1]) && len(part[2]) >= 4 && isDigits(part[2])
}

const mispTime = "2006-01-02T15:04:05.000000-0700"

// readTime keeps the offset from UTC that was given, as MISP does.
func readTime(s string) string {
	for _, layout := range [...]string{
		"2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05-0700", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04",
		"2006-01-02",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.Format(mispTime)
		}
	}
	return s
}

func isTime(s string) bool {
	_, err := time.Parse(mispTime, s)
	return err == nil
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
		s = keep("0123456789abcdefghijklmnopqrstuvwxyz")(strings.ToLower(strings.NewReplacer(".", "", ":", "", "-", "", " ", "").Replace(s)))
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
	}, func(s string) bool { return s != "" }, why("it wants "+itoa(2*n)+" hexadecimal digits, such as "+"00:0a:95:9d:68:16"[:17]))
}
