package stix

import "strings"

// types says which MISP type an object's value at a path is. A path is that of a
// pattern: the type of the object, then its properties.
var types = map[string]string{
	"autonomous-system:number":                            "AS",
	"domain-name:value":                                   "domain",
	"ipv4-addr:value":                                     "ip-dst",
	"ipv6-addr:value":                                     "ip-dst",
	"domain-name:resolves_to_refs[*].value":               "ip-dst",
	"mac-addr:value":                                      "mac-address",
	"url:value":                                           "url",
	"email-addr:value":                                    "email",
	"email-addr:display_name":                             "",
	"email-message:from_ref.value":                        "email-src",
	"email-message:sender_ref.value":                      "email-src",
	"email-message:to_refs[*].value":                      "email-dst",
	"email-message:cc_refs[*].value":                      "email-dst",
	"email-message:bcc_refs[*].value":                     "email-dst",
	"email-message:subject":                               "email-subject",
	"email-message:body":                                  "email-body",
	"email-message:message_id":                            "email-message-id",
	"email-message:received_lines":                        "email-header",
	"email-message:received_lines[*]":                     "email-header",
	"email-message:additional_header_fields.Reply-To":     "email-reply-to",
	"email-message:additional_header_fields.reply_to":     "email-reply-to",
	"email-message:additional_header_fields.X-Mailer":     "email-x-mailer",
	"email-message:additional_header_fields.x_mailer":     "email-x-mailer",
	"email-message:body_multipart[*].body_raw_ref.name":   "email-attachment",
	"email-message:body_multipart[*].content_disposition": "",
	"file:name":                                                  "filename",
	"file:size":                                                  "size-in-bytes",
	"file:mime_type":                                             "mime-type",
	"file:parent_directory_ref.path":                             "",
	"file:content_ref.payload_bin":                               "data",
	"artifact:payload_bin":                                       "data",
	"file:extensions.windows-pebinary-ext.imphash":               "imphash",
	"file:extensions.windows-pebinary-ext.pehash":                "pehash",
	"mutex:name":                                                 "mutex",
	"network-traffic:src_ref.value":                              "ip-src",
	"network-traffic:dst_ref.value":                              "ip-dst",
	"network-traffic:dst_port":                                   "port",
	"network-traffic:src_port":                                   "port",
	"network-traffic:src_ref.type":                               "",
	"network-traffic:dst_ref.type":                               "",
	"network-traffic:protocols[*]":                               "",
	"network-traffic:extensions.http-request-ext.request_method": "http-method",
	"network-traffic:extensions.http-request-ext.request_value":  "uri",
	"network-traffic:extensions.http-request-ext.request_header.User-Agent": "user-agent",
	"process:name":                        "process-name",
	"process:command_line":                "command-line",
	"software:name":                       "",
	"user-account:account_type":           "",
	"user-account:account_login":          "github-username",
	"windows-registry-key:key":            "regkey",
	"windows-registry-key:values.data":    "regkey-data",
	"windows-registry-key:values[*].data": "regkey-data",
	"windows-registry-key:values.name":    "",
	"windows-registry-key:values[*].name": "",
	"vulnerability:name":                  "vulnerability",
	"x509-certificate:serial_number":      "",
	"directory:path":                      "",
}

// hashes are STIX's names of checksums (STIX 2.1, section 10.7, and those that
// others write), in lower case and without what stands between letters.
var hashes = map[string]string{
	"md5": "md5", "sha1": "sha1", "sha224": "sha224", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512",
	"sha512224": "sha512/224", "sha512256": "sha512/256", "sha3224": "sha3-224", "sha3256": "sha3-256", "sha3384": "sha3-384", "sha3512": "sha3-512",
	"ssdeep": "ssdeep", "tlsh": "tlsh", "authentihash": "authentihash", "imphash": "imphash", "pehash": "pehash", "vhash": "vhash",
	"telfhash": "telfhash", "cdhash": "cdhash",
}

// typeOf returns the MISP type of what stands at a path. It is "" where what is
// there only goes with something else; known is false where nobody knows it.
func typeOf(path string) (typ string, known bool) {
	path = refs.Replace(path)
	object, rest, _ := strings.Cut(path, ":")
	if name, ok := strings.CutPrefix(rest, "hashes."); ok {
		typ = hashes[strings.NewReplacer("-", "", "_", "", "/", "", ".", "").Replace(strings.ToLower(name))]
		if object == "x509-certificate" && typ != "" {
			typ = "x509-fingerprint-" + typ
		}
		return typ, typ != ""
	}
	typ, known = types[path]
	return typ, known
}

// refs brings lists that are numbered, as to_refs[0] and body_multipart[1], to one spelling.
var refs = strings.NewReplacer("[0]", "[*]", "[1]", "[*]", "[2]", "[*]", "[3]", "[*]", "[4]", "[*]", "[5]", "[*]")

// rules are the languages that a pattern may be in instead of STIX's (STIX 2.1,
// section 10.8), by the MISP type that keeps them.
var rules = map[string]string{"yara": "yara", "sigma": "sigma", "snort": "snort", "suricata": "snort", "pcre": "pattern-in-file"}

// markings are the marking definitions of TLP that OASIS has fixed, 1.0 and 2.0,
// by the tag that means the same.
var markings = map[string]string{
	"marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": "tlp:white",
	"marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": "tlp:green",
	"marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": "tlp:amber",
	"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "tlp:red",
	"marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487": "tlp:clear",
	"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "tlp:green",
	"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421": "tlp:amber",
	"marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003": "tlp:amber+strict",
	"marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1": "tlp:red",
}

// galaxies are the galaxies of MISP that hold what ATT&CK has of a type, for
// objects that say their number there.
var galaxies = map[string]string{
	"attack-pattern": "mitre-attack-pattern", "course-of-action": "mitre-course-of-action", "intrusion-set": "mitre-intrusion-set",
	"malware": "mitre-malware", "tool": "mitre-tool",
}
