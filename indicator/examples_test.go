package indicator

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
)

// An example says of one type what is read as what, and what is refused and why.
// Each has a text that is in normal form as it stands, one that is not, and one
// that is refused.
type example struct {
	typ     string
	becomes [][2]string
	refused [][2]string
}

// Refusals that many types share.
const (
	notEmpty = "it is empty"
	notLong  = "it is longer than 65,535 octets"
	oneOnly  = "it holds a line break: is it several values?"
	noSpace  = "it holds a space: is it several values?"
)

var long = strings.Repeat("x", 1<<16)

func hexOf(n int) string { return strings.Repeat("0123456789abcdef", 9)[:n] }

// hexExample is of a type that wants n hexadecimal digits.
func hexExample(typ string, n int) example {
	want := "it wants " + itoa(n) + " hexadecimal digits"
	return example{typ,
		[][2]string{{hexOf(n), hexOf(n)}, {" " + strings.ToUpper(hexOf(n)) + "\n", hexOf(n)}},
		[][2]string{{hexOf(n)[1:], want}, {hexOf(n) + "0", want}, {hexOf(n)[1:] + "g", want}, {hexOf(n/2) + "\n" + hexOf(n/2), want}}}
}

func certificateExample(typ string, n int) example {
	e := hexExample(typ, n)
	var colons []string
	for i := 0; i < n; i += 2 {
		colons = append(colons, strings.ToUpper(hexOf(n)[i:i+2]))
	}
	e.becomes = append(e.becomes, [2]string{strings.Join(colons, ":"), hexOf(n)}, [2]string{strings.Join(colons, " "), hexOf(n)})
	return e
}

// fileExample is of a file's name beside what another type's example says.
func fileExample(typ string, e example) example {
	f := example{typ: typ, refused: [][2]string{{e.becomes[0][0], `it wants two parts with a "|" between them`}, {"a\nb|" + e.becomes[0][0], oneOnly}}}
	for _, b := range e.becomes {
		f.becomes = append(f.becomes, [2]string{"a|Bad Name.EXE|" + b[0], "a|Bad Name.EXE|" + b[1]})
	}
	for _, r := range e.refused {
		f.refused = append(f.refused, [2]string{"bad.exe|" + r[0], r[1]})
	}
	return f
}

// lineExample is of a type that takes any line, textExample of one that takes
// any text.
func lineExample(typ, value string) example {
	return example{typ, [][2]string{{value, value}, {" \ufeff" + value + " \r\n", value}},
		[][2]string{{value + "\n" + value, oneOnly}, {" ", notEmpty}, {value + "\x1b[0m", "it holds a control character"}, {long, notLong}}}
}

func textExample(typ, value string) example {
	return example{typ, [][2]string{{value, value}, {"\n " + value + "\n", value}, {value + "\n" + value, value + "\n" + value}},
		[][2]string{{" \ufeff", notEmpty}, {value + "\x00", "it holds a NUL character"}, {value + "\xff", "it is not valid UTF-8: convert the text first"}, {long, notLong}}}
}

func emailExample(typ string) example {
	return example{typ,
		[][2]string{
			{"someone@evil.example", "someone@evil.example"}, {"Some.One+x@EVIL[.]example", "some.one+x@evil.example"}, {"<someone(at)evil.example>", "someone@evil.example"},
			{"mailto:someone@evil.example?subject=x", "someone@evil.example"}, {"x@bücher.example", "x@xn--bcher-kva.example"},
			{"x@[192.0.2.1]", "x@[192.0.2.1]"}, {"x@[IPv6:2001:DB8::1]", "x@[ipv6:2001:db8::1]"},
		},
		[][2]string{{"evil.example", string(errEmail)}, {"@evil.example", string(errEmail)}, {"a b@evil.example", string(errLocalPart)}, {"x@[evil]", string(errLiteral)},
			{"x@evil", "the part after the \"@\" is no domain: " + string(errSingleLabel)}, {"x@192.0.2.1", "the part after the \"@\" is no domain: " + string(errIsAddress)}},
	}
}

func phoneExample(typ string) example {
	return example{typ, [][2]string{{"+35212345678", "+35212345678"}, {"0123456789", "0123456789"}, {"0049 (0)30-1234", "+49301234"}, {"tel:+1-202-555-0100", "+12025550100"}},
		[][2]string{{"unknown", string(errPhone)}, {"12", string(errPhone)}, {"+352 123 456 789; +1 202 555 01 00", string(errPhone)}}}
}

const errPhone = why("it is no telephone number: it wants digits, 3 to 20 of them, such as +352 123 456")

func addressExample(typ string) example {
	return example{typ,
		[][2]string{{"192.0.2.1", "192.0.2.1"}, {"198[.]51[.]100[.]7/24", "198.51.100.0/24"}, {"192.0.2.1/32", "192.0.2.1"}, {"2001:DB8:0::1", "2001:db8::1"}, {"2001:db8::/32", "2001:db8::/32"}, {"::ffff:192.0.2.1", "192.0.2.1"}},
		[][2]string{{"192.0.2.256", string(errAddress)}, {"192.0.2.0/33", string(errCIDR)}, {"192.0.2.1-9", string(errRange)}, {"evil.example", string(errAddress)}, {"192.0.2.01", string(errLeadingZero)}, {"0.0.0.0/0", string(errWide4)}}}
}

func portExample(typ string) example {
	return example{typ,
		[][2]string{{"192.0.2.1|443", "192.0.2.1|443"}, {"192.0.2.1:0443", "192.0.2.1|443"}, {"[2001:DB8::1]:443", "2001:db8::1|443"}, {"2001:db8::1 port 53", "2001:db8::1|53"}},
		[][2]string{{"192.0.2.1", string(errNoPort)}, {"192.0.2.1:65536", string(errPort)}, {"192.0.2.1|http", string(errPort)}, {"evil.example:80", string(errAddress)}, {"2001:db8::1:80", string(errWhichColon)}}}
}

func gitHubExample(typ string) example {
	return example{typ, [][2]string{{"Some-One", "Some-One"}, {"@someone", "@someone"}, {"<https://github.com/someone>", "https://github.com/someone"}},
		[][2]string{{"some one", string(errGitHubName)}, {strings.Repeat("a", 40), string(errGitHubName)}, {"https://github.com/", string(errGitHubName)}}}
}

func extensionExample(typ string) example {
	const want = "it wants the 32 letters from a to p of a browser's extension"
	id := strings.Repeat("abcdefghijklmnop", 2)
	return example{typ, [][2]string{{id, id}, {strings.ToUpper(id), id}}, [][2]string{{id[1:], want}, {id[1:] + "q", want}, {hexOf(32), want}}}
}

func armour(kind string, packet ...byte) string {
	return "-----BEGIN PGP " + kind + " KEY BLOCK-----\nVersion: 1\n\n" + base64.StdEncoding.EncodeToString(packet) + "\n-----END PGP " + kind + " KEY BLOCK-----"
}

// gpgKey was made by GnuPG 2.2.
const gpgKey = `-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawSBtBYJKwYBBAHaRw8BAQdA3AVe4kpvOdPDJfS+2GV9OXZ63G8wDzqb7H8E
Y4bI2Di0GlRlc3QgPHNvbWVvbmVAZXhhbXBsZS5vcmc+iJAEExYIADgWIQQEL0wp
06v55QKfPjmUBUhQkA/JmwUCawSBtAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIX
gAAKCRCUBUhQkA/Jm5QoAP9i0V6OkOnRkaGK116NtD2M7BPHK4Gf8QC5/2jS3QTM
mQD8DsWfCcNy2hpq/K5+baSv3hK5cG1ddLqsOpen7GfJNwA=
=4LAM
-----END PGP PUBLIC KEY BLOCK-----`

const (
	alert     = `alert tcp $HOME_NET any -> [192.0.2.0/24, 198.51.100.7] !80 (msg:"a \"rule\"\; (of two)"; content:"|0d 0a|"; reference:url,example.org/a_(b); sid:1; rev:1;)`
	yaraRule  = "rule evil : a b {\n\tmeta:\n\t\tauthor = \"} condition:\"\n\tstrings:\n\t\t$a = { 4d 5a [2-4] ( 00 | 01 ) } // }\n\t\t$b = /}\\/\\{/ nocase\n\t\t$c = \"}\\\"\" wide\n\tcondition:\n\t\t($a at 0 or $b or $c) and filesize \\ 2 < 10 /* } */ and pe.pdb_path matches /}/\n}"
	sigmaRule = "title: a rule\nlogsource:\n    product: windows\ndetection:\n    selection:\n        Image|endswith: '\\evil.exe'\n    condition: selection"
	ssdeepOf  = "192:Cf+JaqvlWFWYFQrbwiGYKdvB6TN/vuzUvk+/LZ84i5DHvF6bPuKNHyg8MUwE42gj:Cfq82+YJnuAHLZIDHtoPrHl8MM42hK7"

	onion3 = "aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dyp3kead.onion" // of the octets 0, 1, 2 …
	xmr    = "41fKjWJQySv2LxFSMtsQ5k3gsHPkECmXt52nKM8ZY8z26NhMJWtsWSA7icPFuECstJ94XRDHZYFLSAQSTAftscna8JuzEJT"
)

var (
	ssdeepExample = example{"ssdeep",
		[][2]string{{ssdeepOf, ssdeepOf}, {ssdeepOf + `,"/etc/services"`, ssdeepOf}, {"3::", "3::"}, {"3:AbC/+:dEf", "3:AbC/+:dEf"}},
		[][2]string{{"192:abc", "it wants blocksize:hash:hash, where the block size is 3, 6, 12, 24 and so on"}, {"100:abc:def", "it wants blocksize:hash:hash, where the block size is 3, 6, 12, 24 and so on"},
			{"3:" + strings.Repeat("a", 65) + ":b", "it wants blocksize:hash:hash, where the block size is 3, 6, 12, 24 and so on"}, {"3:a-c:def", "it wants blocksize:hash:hash, where the block size is 3, 6, 12, 24 and so on"}}}
	impfuzzyExample = example{"impfuzzy",
		[][2]string{{"96:oO0b1atx:oO41atx", "96:oO0b1atx:oO41atx"}, {" 96:oO0b1atx:oO41atx\n", "96:oO0b1atx:oO41atx"}},
		[][2]string{{"96:oO0b1atx", "it wants blocksize:hash:hash of a file's imports, as ssdeep writes it"}, {"x:a:b", "it wants blocksize:hash:hash of a file's imports, as ssdeep writes it"}}}
	tlshExample = example{"tlsh",
		[][2]string{{hexOf(70), hexOf(70)}, {"T1" + strings.ToUpper(hexOf(70)), "t1" + hexOf(70)}, {hexOf(134), hexOf(134)}},
		[][2]string{{hexOf(69), `it wants the 70 hexadecimal digits of a TLSH, perhaps after "T1"`}, {"t2" + hexOf(70), `it wants the 70 hexadecimal digits of a TLSH, perhaps after "T1"`}}}
	vhashExample = example{"vhash",
		[][2]string{{"115056655d15151138z66hz1021z55z66z3", "115056655d15151138z66hz1021z55z66z3"}, {"115056655D15151138Z66HZ1021Z55Z66Z3", "115056655d15151138z66hz1021z55z66z3"}},
		[][2]string{{"a\nb", "it wants one line of text, as VirusTotal gives it"}, {strings.Repeat("a", 513), "it wants one line of text, as VirusTotal gives it"}}}
)

var examples = []example{
	hexExample("md5", 32), hexExample("sha1", 40), hexExample("sha256", 64),
	lineExample("filename", `C:\Windows\Bad.exe`), lineExample("pdb", `C:\src\x.pdb`),
	fileExample("filename|md5", hexExample("md5", 32)), fileExample("filename|sha1", hexExample("sha1", 40)), fileExample("filename|sha256", hexExample("sha256", 64)),
	addressExample("ip-src"), addressExample("ip-dst"),
	{"hostname", [][2]string{{"www.evil.example", "www.evil.example"}, {"WWW.Evil[.]Example.", "www.evil.example"}},
		[][2]string{{"localhost", string(errSingleLabel)}, {"www.evil.example/x", string(errHasPath)}, {"co.uk", "co.uk is a public suffix: name a host beneath it"}}},
	{"domain", [][2]string{{"evil.example", "evil.example"}, {"EVIL(dot)example.", "evil.example"}, {"bücher.example", "xn--bcher-kva.example"}},
		[][2]string{{"evil", string(errSingleLabel)}, {"ev il.example", noSpace}, {"192.0.2.1", string(errIsAddress)}, {"*.evil.example", string(errWildcard)}}},
	{"domain|ip", [][2]string{{"evil.example|192.0.2.1", "evil.example|192.0.2.1"}, {"Evil.Example | 2001:DB8::1", "evil.example|2001:db8::1"}},
		[][2]string{{"evil.example", string(errNoPipe)}, {"evil.example|x", string(errAddress)}, {"evil.example|192.0.2.0/24", string(errOneAddress)}}},
	emailExample("email"), emailExample("email-src"), emailExample("eppn"), emailExample("email-dst"),
	lineExample("email-subject", "Your Invoice, №5"), lineExample("email-attachment", "Invoice.rar"), textExample("email-body", "Dear you,"),
	{"float", [][2]string{{"-7.25", "-7.25"}, {" 1e5 ", "1e5"}}, [][2]string{{"1,5", "it wants a number, such as 7.25"}, {"NaN", "it wants a number, such as 7.25"}, {"0x1p4", "it wants a number, such as 7.25"}}},
	hexExample("git-commit-id", 40),
	{"url", [][2]string{{"http://evil.example/x", "http://evil.example/x"}, {"hxxps://EVIL[.]example/X", "https://evil.example/X"}, {"evil.example/x", "evil.example/x"}},
		[][2]string{{"Win32/Evil.A", string(errScheme)}, {"http:///x", string(errNoHost)}, {"http://evil.example/\nx", oneOnly}}},
	{"http-method", [][2]string{{"POST", "POST"}, {"get", "GET"}, {"VERSION-CONTROL", "VERSION-CONTROL"}}, [][2]string{{"GET /", "it is no HTTP method, such as GET or POST"}, {"(none)", "it is no HTTP method, such as GET or POST"}}},
	lineExample("user-agent", "Mozilla/5.0 (evil)"),
	hexExample("ja3-fingerprint-md5", 32), hexExample("jarm-fingerprint", 62),
	{"favicon-mmh3", [][2]string{{"-1424036600", "-1424036600"}, {"2870930696", "-1424036600"}, {"+5", "5"}},
		[][2]string{{"4294967296", "it wants the MurmurHash3 of an icon, a number from -2147483648 to 2147483647"}, {hexOf(32), "it wants the MurmurHash3 of an icon, a number from -2147483648 to 2147483647"}}},
	hexExample("hassh-md5", 32), hexExample("hasshserver-md5", 32),
	lineExample("regkey", `HKLM\Software\X`),
	{"regkey|value", [][2]string{{`HKLM\Software\X|%TEMP%\y.exe`, `HKLM\Software\X|%TEMP%\y.exe`}, {` HKCU\X|a|b `, `HKCU\X|a|b`}}, [][2]string{{`HKLM\Software\X`, string(errNoPipe)}, {"HKLM|a\nb", oneOnly}}},
	{"AS", [][2]string{{"64500", "64500"}, {"AS64500", "64500"}, {"asn 64500", "64500"}, {"AS1.10", "65546"}},
		[][2]string{{"AS0", "an AS number is a number from 1 to 4294967295, such as AS64500"}, {"4294967296", "an AS number is a number from 1 to 4294967295, such as AS64500"}, {"1.65536", "an AS number is a number from 1 to 4294967295, such as AS64500"}, {"EVIL-AS", "an AS number is a number from 1 to 4294967295, such as AS64500"}}},
	ruleExample("snort"), ruleExample("suricata"),
	textExample("bro", "event bro_init() { }"), textExample("zeek", "event zeek_init() { }"),
	{"community-id", [][2]string{{"1:LQU9qZlK+B5F3KDmev6m5PMibrg=", "1:LQU9qZlK+B5F3KDmev6m5PMibrg="}, {`"1:LQU9qZlK+B5F3KDmev6m5PMibrg="`, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="}},
		[][2]string{{"LQU9qZlK+B5F3KDmev6m5PMibrg=", "it wants a version and 20 octets in base64, such as 1:LQU9qZlK+B5F3KDmev6m5PMibrg="}, {"1:x", "it wants a version and 20 octets in base64, such as 1:LQU9qZlK+B5F3KDmev6m5PMibrg="}}},
	hexExample("dom-hash", 32),
	textExample("pattern-in-file", "P4tt3rn"), textExample("pattern-in-traffic", "|0d 0a|"), textExample("pattern-in-memory", "x y"), textExample("filename-pattern", `.*\.exe`),
	{"pgp-public-key", [][2]string{{gpgKey, gpgKey}, {"\n" + gpgKey + "\n", gpgKey}, {armour("PUBLIC", 0xc6, 1), armour("PUBLIC", 0xc6, 1)}},
		[][2]string{{hexOf(40), "it is no key in ASCII armour: it wants -----BEGIN PGP PUBLIC KEY BLOCK-----"}, {gpgKey[:300], string(errArmourEnd)}, {strings.Replace(gpgKey, "mDME", "mDMF", 1), string(errArmourSum)},
			{strings.Replace(gpgKey, "mDME", "m*ME", 1), string(errArmourText)}, {armour("PUBLIC", 0xc5, 1), string(errArmourKind)}, {armour("PRIVATE", 0xc5, 1), "it is no key in ASCII armour: it wants -----BEGIN PGP PUBLIC KEY BLOCK-----"}}},
	{"pgp-private-key", [][2]string{{armour("PRIVATE", 0xc5, 1), armour("PRIVATE", 0xc5, 1)}, {" " + armour("PRIVATE", 0x94, 1), armour("PRIVATE", 0x94, 1)}},
		[][2]string{{gpgKey, "it is no key in ASCII armour: it wants -----BEGIN PGP PRIVATE KEY BLOCK-----"}, {armour("PRIVATE"), string(errArmourText)}, {armour("PRIVATE", 0xc6), string(errArmourKind)}, {armour("PRIVATE", 0), string(errArmourKind)}}},
	{"ssh-fingerprint", [][2]string{{"SHA256:" + strings.Repeat("A", 43), "SHA256:" + strings.Repeat("A", 43)}, {" MD5:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef", "MD5:01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef"}, {hexOf(32), hexOf(32)}},
		[][2]string{{"SHA256:abc", "it wants SHA256:… in base64 or 32 hexadecimal digits"}, {hexOf(40), "it wants SHA256:… in base64 or 32 hexadecimal digits"}}},
	{"yara", [][2]string{{yaraRule, yaraRule}, {"\n" + `import "pe" private rule a { condition: true }` + "\n", `import "pe" private rule a { condition: true }`}, {"rule x{condition:a==1}rule y{condition:x}", "rule x{condition:a==1}rule y{condition:x}"}},
		[][2]string{{"evil.example", string(errYARA)}, {"rule x { strings: $a = \"x\" }", string(errYARANone)}, {"rule x { condition: }", string(errYARANone)}, {"rule x { condition: true", string(errYARAEnd)}, {"rule { condition: true }", string(errYARAName)},
			{"rule x { strings: $a = \"}\n condition: $a }", string(errYARAText)}, {`import pe rule x { condition: true }`, string(errYARAImport)}, {"rule x { condition: true /* }", "a comment in it has no end"}, {"// nothing", string(errYARA)}, {yaraRule[:len(yaraRule)-1], string(errYARAEnd)}}},
	{"stix2-pattern", [][2]string{{"[domain-name:value = 'evil.example']", "[domain-name:value = 'evil.example']"}, {" ([a:b[0].c = ']' AND (a:d > 1)] FOLLOWEDBY [a:b LIKE 'it\\'s']) WITHIN 1.5 SECONDS ", "([a:b[0].c = ']' AND (a:d > 1)] FOLLOWEDBY [a:b LIKE 'it\\'s']) WITHIN 1.5 SECONDS"}, {"[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'", "[a:b = 1] START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00Z'"}},
		[][2]string{{"evil.example", string(errPattern)}, {"[a:b = 'x", string(errPatternEnd)}, {"([a:b = 'x']", string(errPatternEnd)}, {"[]", string(errPatternEmpty)}, {"[a:b = 1] THEN [a:c = 2]", string(errPatternWord)}, {"[a:b = 1]; x", string(errPattern)}}},
	{"sigma", [][2]string{{sigmaRule, sigmaRule}, {"\n" + sigmaRule + "\n", sigmaRule}, {"title: two\ncorrelation:\n  type: event_count", "title: two\ncorrelation:\n  type: event_count"}},
		[][2]string{{"evil.example", string(errSigma)}, {"title: x", string(errSigma)}, {"title: x\ndetection:\n  condition: y", string(errSigmaDetection)}, {"title: [", "it is no Sigma rule, since it is not YAML: "}, {strings.Repeat("[", 1000), string(errSigmaDeep)}}},
	textExample("gene", `{"Name": "x"}`), textExample("kusto-query", "DeviceEvents | take 1"), textExample("mime-type", "application/zip"), textExample("identity-card-number", "L 1234"), textExample("cookie", "SID=1; path=/"),
	{"vulnerability", [][2]string{{"CVE-2024-0001", "CVE-2024-0001"}, {"cve–2024–12345", "CVE-2024-12345"}, {"ghsa-jfh8-c2jp-5v3q", "GHSA-JFH8-C2JP-5V3Q"}},
		[][2]string{{"CVE-24-1", "it wants an identifier such as CVE-2024-0001"}, {"heartbleed", "it wants an identifier such as CVE-2024-0001"}, {"2024-0001", "it wants an identifier such as CVE-2024-0001"}}},
	{"cpe", [][2]string{{"cpe:2.3:a:vendor:product:1.0:*:*:*:*:*:*:*", "cpe:2.3:a:vendor:product:1.0:*:*:*:*:*:*:*"}, {" cpe:/a:vendor:product:1.0 ", "cpe:/a:vendor:product:1.0"}, {`cpe:2.3:o:a\:b:-:*:*:*:*:*:*:*:*`, `cpe:2.3:o:a\:b:-:*:*:*:*:*:*:*:*`}},
		[][2]string{{"vendor:product", cpeWants}, {"cpe:2.3:a:vendor:product", cpeWants}, {"cpe:/x:y", cpeWants}, {"cpe:2.3:a:a b:product:1.0:*:*:*:*:*:*:*", cpeWants}}},
	{"weakness", [][2]string{{"CWE-79", "CWE-79"}, {"cwe-79", "CWE-79"}}, [][2]string{{"79", "it wants CWE-79"}, {"CWE-XSS", "it wants CWE-79"}}},
	lineExample("attachment", "note.txt"), fileExample("malware-sample", hexExample("md5", 32)),
	{"link", [][2]string{{"https://example.org/Report", "https://example.org/Report"}, {"HTTPS://Example.org/Report", "https://example.org/Report"}}, [][2]string{{"example.org/report", string(errScheme)}, {"https:///", string(errNoHost)}}},
	textExample("comment", "a comment"), textExample("text", "some text"),
	{"hex", [][2]string{{"4D5A", "4D5A"}, {"0x4d 5a:90", "4D5A90"}}, [][2]string{{"xyz", "it wants hexadecimal digits"}, {"0x", "it wants hexadecimal digits"}}},
	textExample("other", "anything"), lineExample("named pipe", `\\.\pipe\evil`), textExample("mutex", "Global\\evil"), textExample("process-state", "running"),
	lineExample("target-user", "someone"), emailExample("target-email"), lineExample("target-machine", "pc-7"), lineExample("target-org", "Example Org"), lineExample("target-location", "Luxembourg"), lineExample("target-external", "a partner"),
	{"btc", [][2]string{{"16L5yRNPTuciSgXGHqYwn9N6NeoKqopAu", "16L5yRNPTuciSgXGHqYwn9N6NeoKqopAu"}, {"bitcoin:31nM1WuowNDzocNxPPW9NQWJEtwWpjfcLj?amount=1", "31nM1WuowNDzocNxPPW9NQWJEtwWpjfcLj"},
		{"BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"}, {"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"}},
		[][2]string{{"16L5yRNPTuciSgXGHqYwn9N6NeoKqopAv", string(errBitcoin)}, {"116L5yRNPTuciSgXGHqYwn9N6NeoKqopAu", string(errBitcoin)}, {"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5", string(errBitcoin)}, {"Bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", string(errBitcoin)},
			{"bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd", string(errBitcoin)}, {"XanAvE5GMB8CsPH78B9moJq9viEVKvCS4f", string(errBitcoin)}}},
	{"dash", [][2]string{{"XanAvE5GMB8CsPH78B9moJq9viEVKvCS4f", "XanAvE5GMB8CsPH78B9moJq9viEVKvCS4f"}, {" dash:XanAvE5GMB8CsPH78B9moJq9viEVKvCS4f", "XanAvE5GMB8CsPH78B9moJq9viEVKvCS4f"}},
		[][2]string{{"XanAvE5GMB8CsPH78B9moJq9viEVKvCS4g", string(errDash)}, {"16L5yRNPTuciSgXGHqYwn9N6NeoKqopAu", string(errDash)}}},
	{"xmr", [][2]string{{xmr, xmr}, {"monero:" + xmr, xmr}}, [][2]string{{xmr[:94] + "U", string(errMonero)}, {xmr[:50], string(errMonero)}, {xmr + xmr, string(errMonero)}, {"0" + xmr[1:], string(errMonero)}}},
	{"iban", [][2]string{{"DE89370400440532013000", "DE89370400440532013000"}, {"IBAN gb82 west 1234-5698 7654 32", "GB82WEST12345698765432"}},
		[][2]string{{"DE89370400440532013001", string(errIBANCheck)}, {"DE8937040044", string(errIBAN)}, {"37040044053201300000", string(errIBAN)}}},
	{"bic", [][2]string{{"DEUTDEFF", "DEUTDEFF"}, {"deut de ff 500", "DEUTDEFF500"}}, [][2]string{{"DEUTDE", bicWants}, {"DEUT12FF", bicWants}, {"DEUTDEFF5", bicWants}}},
	{"bank-account-nr", [][2]string{{"1234567890", "1234567890"}, {"12-3456 7890", "1234567890"}}, [][2]string{{"none", "it wants the digits of an account's number"}, {strings.Repeat("1", 35), "it wants the digits of an account's number"}}},
	{"aba-rtn", [][2]string{{"021000021", "021000021"}, {"0210 0002 1", "021000021"}}, [][2]string{{"021000022", string(errABACheck)}, {"21000021", string(errRouting)}}},
	{"bin", [][2]string{{"411111", "411111"}, {"4111 11", "411111"}}, [][2]string{{"411", binWants}, {"4111111111111111", binWants}}},
	{"cc-number", [][2]string{{"4111111111111111", "4111111111111111"}, {"3782-822463 10005", "378282246310005"}, {"6200000000000000", "6200000000000000"}},
		[][2]string{{"4111111111111112", string(errCardCheck)}, {"411111******1111", string(errCard)}, {"41111111111111111111", string(errCard)}}},
	phoneExample("prtn"), phoneExample("phone-number"),
	lineExample("threat-actor", "APT 99"), lineExample("campaign-name", "Operation X"), lineExample("campaign-id", "X-1"), lineExample("malware-type", "loader"),
	lineExample("uri", "/gate.php?id="),
	hexExample("authentihash", 64), vhashExample, ssdeepExample, hexExample("imphash", 32),
	{"telfhash", [][2]string{{hexOf(70), hexOf(70)}, {"T1" + strings.ToUpper(hexOf(70)), "t1" + hexOf(70)}}, [][2]string{{hexOf(72), `it wants 70 hexadecimal digits, perhaps after "t1"`}}},
	hexExample("pehash", 40), impfuzzyExample,
	hexExample("sha224", 56), hexExample("sha384", 96), hexExample("sha512", 128), hexExample("sha512/224", 56), hexExample("sha512/256", 64),
	hexExample("sha3-224", 56), hexExample("sha3-256", 64), hexExample("sha3-384", 96), hexExample("sha3-512", 128),
	tlshExample, cdhashExample,
	fileExample("filename|authentihash", hexExample("authentihash", 64)), fileExample("filename|vhash", vhashExample), fileExample("filename|ssdeep", ssdeepExample), fileExample("filename|imphash", hexExample("imphash", 32)),
	fileExample("filename|impfuzzy", impfuzzyExample), fileExample("filename|pehash", hexExample("pehash", 40)), fileExample("filename|sha224", hexExample("sha224", 56)), fileExample("filename|sha384", hexExample("sha384", 96)),
	fileExample("filename|sha512", hexExample("sha512", 128)), fileExample("filename|sha512/224", hexExample("sha512/224", 56)), fileExample("filename|sha512/256", hexExample("sha512/256", 64)),
	fileExample("filename|sha3-224", hexExample("sha3-224", 56)), fileExample("filename|sha3-256", hexExample("sha3-256", 64)), fileExample("filename|sha3-384", hexExample("sha3-384", 96)), fileExample("filename|sha3-512", hexExample("sha3-512", 128)),
	fileExample("filename|tlsh", tlshExample),
	lineExample("windows-scheduled-task", `\Microsoft\Windows\X`), serviceExample("windows-service-name"), serviceExample("windows-service-displayname"),
	emailExample("whois-registrant-email"), phoneExample("whois-registrant-phone"), lineExample("whois-registrant-name", "Some One"), lineExample("whois-registrant-org", "Example Org"), lineExample("whois-registrar", "Example Registrar"), lineExample("whois-creation-date", "2024-01-02"),
	certificateExample("x509-fingerprint-sha1", 40), certificateExample("x509-fingerprint-md5", 32), certificateExample("x509-fingerprint-sha256", 64),
	{"dns-soa-email", [][2]string{{"hostmaster@evil.example", "hostmaster@evil.example"}, {"host\\.master.evil.example.", "host.master@evil.example"}}, [][2]string{{"hostmaster", string(errEmail)}, {"a b@evil.example", string(errLocalPart)}}},
	{"size-in-bytes", [][2]string{{"1234", "1234"}, {"+1234", "1234"}}, [][2]string{{"-1", "it wants a whole number, 0 or more"}, {"12 kB", "it wants a whole number, 0 or more"}}},
	{"counter", [][2]string{{"4", "4"}, {"+4", "4"}}, [][2]string{{"-4", "it wants a whole number, 0 or more"}, {"4.5", "it wants a whole number, 0 or more"}}},
	{"integer", [][2]string{{"-4", "-4"}, {"+4", "4"}}, [][2]string{{"4.5", "it wants a whole number, such as -4"}, {"four", "it wants a whole number, such as -4"}}},
	{"datetime", [][2]string{{"2024-01-02T03:04:05.000000+0000", "2024-01-02T03:04:05.000000+0000"}, {"2024-01-02 03:04:05", "2024-01-02T03:04:05.000000+0000"}, {"2024-01-02T03:04:05.5+02:00", "2024-01-02T03:04:05.500000+0200"},
		{"Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05.000000+0000"}, {"Tue, 2 Jan 2024 03:04:05 -0100", "2024-01-02T03:04:05.000000-0100"}, {"20240102T030405Z", "2024-01-02T03:04:05.000000+0000"}, {"@1704164645", "2024-01-02T03:04:05.000000+0000"}, {"2024/01/02", "2024-01-02T00:00:00.000000+0000"}},
		[][2]string{{"yesterday", timeWants}, {"2024-13-01", timeWants}, {"Tue, 02 Jan 2024 03:04:05 CST", timeWants}}},
	{"port", [][2]string{{"443", "443"}, {"0080", "80"}}, [][2]string{{"0", string(errPort)}, {"65536", string(errPort)}, {"http", string(errPort)}}},
	portExample("ip-dst|port"), portExample("ip-src|port"),
	{"hostname|port", [][2]string{{"c2.evil.example|443", "c2.evil.example|443"}, {"C2.evil[.]example:443", "c2.evil.example|443"}}, [][2]string{{"c2.evil.example", "it has no port: write 192.0.2.1|443 or [2001:db8::1]:443"}, {"c2.evil.example:0", string(errPort)}, {"192.0.2.1:80", string(errIsAddress)}}},
	{"mac-address", [][2]string{{"00:0a:95:9d:68:16", "00:0a:95:9d:68:16"}, {"00-0A-95-9D-68-16", "00:0a:95:9d:68:16"}, {"000a.959d.6816", "00:0a:95:9d:68:16"}}, [][2]string{{"00:0a:95:9d:68", "it wants 12 hexadecimal digits, in pairs or not"}, {"00:0a:95:9d:68:1g", "it wants 12 hexadecimal digits, in pairs or not"}}},
	{"mac-eui-64", [][2]string{{"00:0a:95:ff:fe:9d:68:16", "00:0a:95:ff:fe:9d:68:16"}, {"000A95FFFE9D6816", "00:0a:95:ff:fe:9d:68:16"}}, [][2]string{{"00:0a:95:9d:68:16", "it wants 16 hexadecimal digits, in pairs or not"}}},
	lineExample("email-dst-display-name", "Some One"), lineExample("email-src-display-name", "Some One"), textExample("email-header", "Received: from x\n by y"), lineExample("email-reply-to", "Some One <x@evil.example>"),
	lineExample("email-x-mailer", "Mailer 1.0"), lineExample("email-mime-boundary", "----=_NextPart_001"), lineExample("email-thread-index", "AdTbq1Zc"), lineExample("email-message-id", "<1@evil.example>"),
	gitHubExample("github-username"),
	{"github-repository", [][2]string{{"someone/Repo", "someone/Repo"}, {" https://github.com/someone/repo.git ", "https://github.com/someone/repo.git"}}, [][2]string{{"some one/repo", string(errRepository)}, {"/", string(errRepository)}, {"a\nb", oneOnly}}},
	gitHubExample("github-organisation"),
	{"jabber-id", [][2]string{{"someone@evil.example", "someone@evil.example"}, {"xmpp:Someone@Evil.example/Phone A", "someone@evil.example/Phone A"}}, [][2]string{{"someone", string(errEmail)}, {"x@evil.example/", string(errJabber)}, {"x@evil.example/a\nb", oneOnly}}},
	lineExample("twitter-id", "@someone"), lineExample("dkim", "v=DKIM1; p="), lineExample("dkim-signature", "v=1; a=rsa-sha256"),
	textExample("first-name", "Some"), textExample("middle-name", "Very"), textExample("last-name", "One"), textExample("full-name", "Some One"),
	lineExample("date-of-birth", "1970-01-01"), lineExample("place-of-birth", "Luxembourg"), lineExample("gender", "Prefer not to say"), lineExample("passport-number", "ABA9875413"), lineExample("passport-country", "LU"), lineExample("passport-expiration", "2030-01-01"),
	lineExample("redress-number", "1234567"), lineExample("nationality", "LU"), lineExample("visa-number", "1234"), lineExample("issue-date-of-the-visa", "2024-01-02"), lineExample("primary-residence", "1 Example Street"), lineExample("country-of-residence", "LU"),
	lineExample("special-service-request", "WCHR"), lineExample("frequent-flyer-number", "1234"), lineExample("travel-details", "LUX-AAA"), lineExample("payment-details", "cash"), lineExample("place-port-of-original-embarkation", "LUX"),
	lineExample("place-port-of-clearance", "LUX"), lineExample("place-port-of-onward-foreign-destination", "AAA"), lineExample("passenger-name-record-locator-number", "ABC123"),
	{"mobile-application-id", [][2]string{{"org.example.App", "org.example.App"}, {" org.example.App ", "org.example.App"}}, [][2]string{{"an app", string(errProgram)}, {"a\nb", oneOnly}}},
	{"azure-application-id", [][2]string{{"04b07795-8ddb-461a-bbee-02f9e1bf7b46", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"}, {"{04B07795-8DDB-461A-BBEE-02F9E1BF7B46}", "04b07795-8ddb-461a-bbee-02f9e1bf7b46"}}, [][2]string{{"my-app", "it wants the UUID of an application, such as 04b07795-8ddb-461a-bbee-02f9e1bf7b46"}}},
	extensionExample("chrome-extension-id"), extensionExample("edge-extension-id"),
	{"cortex", [][2]string{{`{"a":1}`, `{"a":1}`}, {" [1] ", "[1]"}}, [][2]string{{"{", "it is not valid JSON"}, {strings.Repeat("[", 1<<15), "it is not valid JSON"}}},
	{"boolean", [][2]string{{"1", "1"}, {"True", "1"}, {"no", "0"}}, [][2]string{{"2", "it wants 0, 1, true or false"}, {"maybe", "it wants 0, 1, true or false"}}},
	{"uuid", [][2]string{{"5b5dd8d4-1d2c-4a0f-9c0a-3a3c1f9b8e11", "5b5dd8d4-1d2c-4a0f-9c0a-3a3c1f9b8e11"}, {"urn:uuid:5B5DD8D4-1D2C-4A0F-9C0A-3A3C1F9B8E11", "5b5dd8d4-1d2c-4a0f-9c0a-3a3c1f9b8e11"}}, [][2]string{{hexOf(32), uuidWants}, {"5b5dd8d4-1d2c-4a0f-9c0a-3a3c1f9b8e1x", uuidWants}}},
	{"anonymised", [][2]string{{"abc", "abc"}, {"ABC", "abc"}}, [][2]string{{"", notEmpty}, {long, notLong}}},
	{"onion-address", [][2]string{{onion3, onion3}, {strings.ToUpper("www." + onion3), "www." + onion3}, {"abcdefghij234567[.]onion", "abcdefghij234567.onion"}}, [][2]string{{"b" + onion3[1:], onionWants}, {"evil.example", onionWants}, {"abc.onion", onionWants}}},
}

const (
	cpeWants   = "it wants a CPE of eleven parts, such as cpe:2.3:a:vendor:product:1.0:*:*:*:*:*:*:*, or cpe:/a:vendor:product:1.0"
	bicWants   = "it wants the 8 or 11 characters of a BIC, such as DEUTDEFF500"
	binWants   = "it wants the first digits of a card's number, mostly six or eight"
	timeWants  = "it wants a date and time in ISO 8601, such as 2024-01-02T03:04:05Z"
	uuidWants  = "it is no UUID: it wants 32 hexadecimal digits, such as 5b5dd8d4-1d2c-4a0f-9c0a-3a3c1f9b8e11"
	onionWants = "it wants the 16 or 56 characters of an onion service and \".onion\"; those of version 3 hold a checksum, which must fit"
)

var cdhashExample = example{"cdhash", [][2]string{{hexOf(40), hexOf(40)}, {strings.ToUpper(hexOf(64)), hexOf(64)}}, [][2]string{{hexOf(39), "it wants 40 or more hexadecimal digits"}, {hexOf(129), "it wants 40 or more hexadecimal digits"}}}

func ruleExample(typ string) example {
	two := "# a comment\n" + alert + "\n" + alert
	return example{typ, [][2]string{{alert, alert}, {"\n" + two + "\n", two}, {"alert http any 443 -> 192.0.2.1 any", "alert http any 443 -> 192.0.2.1 any"}, {"alert tcp any any \\\n-> any any (msg:\"x\")", "alert tcp any any \\\n-> any any (msg:\"x\")"}, {"alert http ( msg:\"x\"; http_uri; )", "alert http ( msg:\"x\"; http_uri; )"}},
		[][2]string{{"evil.example", string(errRule)}, {"# " + alert, string(errRuleNone)}, {alert[:len(alert)-1], string(errRuleEnd)}, {"alert tcp any any any any (sid:1;)", string(errRuleHeader)}, {"alert tcp any -> any (sid:1;)", string(errRuleHeader)},
			{"alert tcp [192.0.2.1 any -> any any (sid:1;)", string(errRuleBracket)}, {"alert tcp any any -> any any (:1;)", string(errRuleOption)}, {"alert tcp any any -> any any (msg:\"x;)", string(errRuleEnd)}}}
}

func serviceExample(typ string) example {
	return example{typ, [][2]string{{"Evil Service", "Evil Service"}, {`"Evil Service"`, "Evil Service"}}, [][2]string{{`a\b`, "it wants at most 256 octets on one line, without slashes"}, {strings.Repeat("a", 257), "it wants at most 256 octets on one line, without slashes"}}}
}

func TestExamples(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range examples {
		typ, ok := TypeByName(e.typ)
		if !ok || seen[e.typ] {
			t.Errorf("%s: no such type, or it stands here twice", e.typ)
			continue
		}
		seen[e.typ] = true
		valid, rewritten := false, false
		for _, b := range e.becomes {
			v, err := typ.Parse(b[0])
			if err != nil || v.String() != b[1] {
				t.Errorf("%s %.200q becomes %.200q, %v; want %.200q", e.typ, b[0], v, err, b[1])
				continue
			}
			checkValue(t, v)
			valid, rewritten = valid || b[0] == b[1], rewritten || b[0] != b[1]
		}
		if !valid || !rewritten || len(e.refused) == 0 {
			t.Errorf("%s: it wants a value in normal form, one that is not, and one that is refused", e.typ)
		}
		for _, r := range e.refused {
			_, err := typ.Parse(r[0])
			var pe *ParseError
			if !errors.As(err, &pe) || pe.Why != r[1] && !(strings.HasSuffix(r[1], ": ") && strings.HasPrefix(pe.Why, r[1])) {
				t.Errorf("%s %.200q: %v\nwant %s", e.typ, r[0], err, r[1])
			}
		}
	}
	for _, typ := range Types() {
		if !seen[typ.Name] {
			t.Errorf("%s has no example", typ.Name)
		}
	}
}
