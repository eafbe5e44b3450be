package stix

import (
	"net/netip"
	"strconv"
	"strings"

	"tocsin"
)

// A fact is what a claim says of one property of an observable: file:name = 'x'.
type fact struct {
	typ, path string
	value     string
	number    bool
}

// A column is where a side of a value goes.
type column struct {
	typ, path string
	number    bool
}

// digests are what STIX calls digests of files, in patterns and in objects.
var digests = map[string]string{"md5": "MD5", "sha1": "SHA-1", "sha224": "SHA-224", "sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512",
	"sha512/224": "SHA-512-224", "sha512/256": "SHA-512-256", "sha3-224": "SHA3-224", "sha3-256": "SHA3-256", "sha3-384": "SHA3-384", "sha3-512": "SHA3-512",
	"ssdeep": "SSDEEP", "tlsh": "TLSH", "authentihash": "AUTHENTIHASH", "imphash": "IMPHASH", "pehash": "PEHASH", "vhash": "VHASH", "telfhash": "TELFHASH",
	"impfuzzy": "IMPFUZZY", "cdhash": "CDHASH"}

// columns are where the values of types go: one place, or one for each side.
var columns = func() map[string][]column {
	of := map[string][]column{
		"domain": {{"domain-name", "value", false}}, "hostname": {{"domain-name", "value", false}},
		"domain|ip": {{"domain-name", "value", false}, {"domain-name", "resolves_to_refs[*].value", false}},
		"url":       {{"url", "value", false}}, "uri": {{"url", "value", false}}, "link": {{"url", "value", false}},
		"email":            {{"email-addr", "value", false}},
		"email-src":        {{"email-message", "from_ref.value", false}},
		"email-dst":        {{"email-message", "to_refs[*].value", false}},
		"email-subject":    {{"email-message", "subject", false}},
		"email-body":       {{"email-message", "body", false}},
		"email-message-id": {{"email-message", "message_id", false}},
		"email-header":     {{"email-message", "received_lines", false}},
		"email-reply-to":   {{"email-message", "additional_header_fields.reply_to", false}},
		"email-x-mailer":   {{"email-message", "additional_header_fields.x_mailer", false}},
		"email-attachment": {{"email-message", "body_multipart[*].body_raw_ref.name", false}},
		"filename":         {{"file", "name", false}}, "attachment": {{"file", "name", false}},
		"malware-sample": {{"file", "name", false}, {"file", "hashes.MD5", false}},
		"mutex":          {{"mutex", "name", false}}, "size-in-bytes": {{"file", "size", true}},
		"regkey":       {{"windows-registry-key", "key", false}},
		"regkey|value": {{"windows-registry-key", "key", false}, {"windows-registry-key", "values.data", false}},
		"AS":           {{"autonomous-system", "number", true}}, "mac-address": {{"mac-addr", "value", false}},
		"user-agent":      {{"network-traffic", "extensions.'http-request-ext'.request_header.'User-Agent'", false}},
		"github-username": {{"user-account", "account_login", false}},
	}
	for typ, name := range digests {
		of[typ] = []column{{"file", "hashes." + name, false}}
		of["filename|"+typ] = []column{{"file", "name", false}, {"file", "hashes." + name, false}}
	}
	for _, typ := range []string{"md5", "sha1", "sha256"} {
		of["x509-fingerprint-"+typ] = []column{{"x509-certificate", "hashes." + digests[typ], false}}
	}
	return of
}()

// factsOf returns what a claim says; nil where STIX has no word for it.
func factsOf(a *tocsin.Attribute) []fact {
	typ := a.Value.TypeName()
	v1, v2 := a.Value.Parts()
	switch typ {
	case "ip-src", "ip-dst", "ip-src|port", "ip-dst|port":
		return traffic(strings.TrimSuffix(strings.TrimPrefix(typ, "ip-"), "|port"), v1, v2)
	case "hostname|port":
		return append([]fact{{"domain-name", "value", v1, false}}, port("dst", v2)...)
	}
	cols := columns[typ]
	if cols == nil {
		return nil
	}
	sides := []string{a.Value.String()}
	if len(cols) == 2 {
		sides = []string{v1, v2}
	}
	facts := make([]fact, 0, len(cols))
	for i, c := range cols {
		f := fact{c.typ, c.path, sides[i], c.number}
		if c.number {
			f.value = strings.TrimPrefix(strings.ToUpper(f.value), "AS")
			if _, err := strconv.ParseUint(f.value, 10, 32); err != nil {
				return nil
			}
		}
		facts = append(facts, f)
	}
	return facts
}

// traffic is from or to an address.
func traffic(end, ip, number string) []fact {
	typ := addressType(ip)
	if typ == "" {
		return nil
	}
	facts := []fact{{"network-traffic", end + "_ref.type", typ, false}, {"network-traffic", end + "_ref.value", ip, false}}
	return append(facts, port(end, number)...)
}

func port(end, number string) []fact {
	if n, err := strconv.ParseUint(number, 10, 16); err == nil {
		return []fact{{"network-traffic", end + "_port", strconv.FormatUint(n, 10), true}}
	}
	return nil
}

// addressType is what STIX calls an address or a range; "" for what is none.
func addressType(text string) string {
	p, err := netip.ParsePrefix(text)
	addr := p.Addr()
	if err != nil {
		if addr, err = netip.ParseAddr(text); err != nil {
			return ""
		}
	}
	if addr.Is4() {
		return "ipv4-addr"
	}
	return "ipv6-addr"
}

// pattern is what matches if all facts hold (STIX 2.1, section 9).
func pattern(facts []fact) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, f := range facts {
		if i > 0 {
			b.WriteString(" AND ")
		}
		b.WriteString(f.typ + ":" + quotedPath(f.path) + " = ")
		if f.number {
			b.WriteString(f.value)
		} else {
			b.WriteString(quote(f.value))
		}
	}
	b.WriteByte(']')
	return b.String()
}

// quotedPath puts in quotation marks what is no plain word.
func quotedPath(path string) string {
	if name, ok := strings.CutPrefix(path, "hashes."); ok && strings.Contains(name, "-") {
		return "hashes.'" + name + "'"
	}
	return path
}

func digits(i int) string { return strconv.Itoa(i) }

// stands reports whether facts are enough for an observable: some have to have a
// property that says which they are (STIX 2.1, section 6).
func stands(facts []fact) bool {
	if len(facts) == 0 {
		return false
	}
	needs := map[string][]string{"file": {"name", "hashes."}, "network-traffic": {"src_ref", "dst_ref"}, "directory": {"path"}, "mutex": {"name"},
		"autonomous-system": {"number"}, "url": {"value"}, "domain-name": {"value"}}[facts[0].typ]
	for _, f := range facts {
		for _, n := range needs {
			if f.typ == facts[0].typ && strings.HasPrefix(f.path, n) {
				return true
			}
		}
	}
	return needs == nil
}
