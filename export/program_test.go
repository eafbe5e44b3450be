package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/export"
	"tocsin/indicator"
	"tocsin/internal/lab"
)

// hostile are claims whose values, comments and titles try to be more than texts.
var hostile = []struct{ typ, value string }{
	{"domain", "evil.example"}, {"domain", "*.star.example"}, {"domain", "a;b.example"}, {"domain", strings.Repeat("a.", 120) + "example"},
	{"hostname", "www.evil.example"}, {"hostname", "$INCLUDE /etc/passwd"}, {"domain|ip", "both.example|192.0.2.9"},
	{"ip-dst", "192.0.2.1"}, {"ip-dst", "198.51.100.0/24"}, {"ip-src", "2001:db8::1"}, {"ip-src", "any any -> any any ("}, {"ip-dst|port", "192.0.2.2|443"},
	{"ip-src", "192.0.2.3; rm -rf /"},
	{"url", `http://evil.example/a?b="x";c=|d|\e`}, {"url", "https://evil.example:8443/x"}, {"url", "ftp://192.0.2.7/x"}, {"url", "x y\" ; sid:1;"},
	{"user-agent", `Mozilla"; sid:1; content:"|41|\`}, {"email-subject", "=1+1\nBcc: \"x\""}, {"email-attachment", `a"|b;.exe`}, {"email", "someone@evil.example"},
	{"email-src", "a@b.example"}, {"email-dst", "c@d.example"},
	{"text", "a\nrule x { condition: true }"}, {"text", `" condition: true } rule y { strings: $a = "`}, {"text", "ünïcödé \x01 /.*+?()[]{}|^$\\"},
	{"text", "a\r\nb/c.d"}, {"text", "=cmd|' /C calc'!A0"}, {"text", `say "hi", you`}, {"text", strings.Repeat("x", 9000)}, {"regkey", `HKLM\Software\X`},
	{"md5", "d41d8cd98f00b204e9800998ecf8427e"}, {"filename|sha256", `a"b.exe|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`},
	{"imphash", "d41d8cd98f00b204e9800998ecf8427e"}, {"hex", "4d5a 9000"}, {"hex", "4d } condition: true"},
	{"yara", "rule shared { strings: $a = \"x\" condition: $a }"}, {"yara", "rule shared { condition: false }"}, {"yara", "include \"/etc/passwd\" rule z { condition: true }"},
	{"yara", "import \"cuckoo\" rule needs { condition: true }"}, {"yara", "rule broken {"},
	{"snort", `alert tcp any any -> any 80 (msg:"a; sid:7; b"; content:"|41|"; sid:7; rev:2;)`}, {"snort", "# only\nalert udp any any -> any 53 (msg:\"no number\";)"},
	{"ja3-fingerprint-md5", "d41d8cd98f00b204e9800998ecf8427e"}, {"size-in-bytes", "1234"},
}

// answer is an answer with everything in it. Values are as a store that was written
// by others might hold them.
func answer(t *testing.T, whole bool) *export.Answer {
	t.Helper()
	e := &tocsin.Event{ID: 7, UUID: tocsin.NewUUID(time.Unix(0, 0)), Info: "\"; sid:1; <a> \\ \n&", Threat: 4, Orgc: 1}
	var claims []export.Claim
	for i, h := range hostile {
		typ, _ := indicator.TypeByName(h.typ)
		v, err := indicator.Stored(typ.ID, h.value)
		if err != nil {
			t.Fatal(err)
		}
		category, _ := indicator.CategoryByName(typ.DefaultCategory)
		claims = append(claims, export.Claim{In: e, Attribute: &tocsin.Attribute{ID: int64(i + 1), UUID: tocsin.NewUUID(time.Unix(int64(i), 0)), Event: 7,
			Category: category, Value: v, ToIDS: true, Comment: "a \"comment\",\nof two lines", Timestamp: 1_700_000_000, Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 1})}})
	}
	return &export.Answer{
		Whole: whole, Now: time.Unix(1_700_000_000, 0), Host: "HOST", Asks: `<&"'>`, Base: "https://exchange.example",
		Names: func(s tocsin.TagSet) []string {
			if s == "" {
				return nil
			}
			return []string{`tag="a;b"`}
		},
		Org:     func(int64) *tocsin.Organisation { return &tocsin.Organisation{Name: "Org"} },
		Object:  func(int64) *tocsin.Object { return nil },
		Meaning: func(string) export.Meaning { return export.Meaning{} },
		Sighted: func(*tocsin.Attribute) ([]int64, error) { return nil, nil },
		Said:    func(string) string { return "" },
		Claims: func(types ...string) iter.Seq2[export.Claim, error] {
			return func(yield func(export.Claim, error) bool) {
				for _, c := range claims {
					if (len(types) == 0 || slices.Contains(types, c.Value.TypeName())) && !yield(c, nil) {
						return
					}
				}
			}
		},
	}
}

func write(t *testing.T, name string, a *export.Answer) string {
	t.Helper()
	var out bytes.Buffer
	if err := format(t, name).Write(export.NewWriter(&out), a); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out.String()
}

func format(t *testing.T, name string) export.Format {
	t.Helper()
	for _, f := range export.Formats() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no format %s", name)
	return export.Format{}
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestZoneIsLoadedByBIND(t *testing.T) {
	zone := write(t, "rpz", answer(t, false))
	out, err := exec.Command(lab.Need(t, "named-checkzone"), "-i", "none", "rpz.example", file(t, "zone", zone)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "OK") {
		t.Fatalf("%v: %s\n%s", err, out, zone)
	}
	for _, want := range []string{"evil.example CNAME .", "*.evil.example CNAME .", "\nwww.evil.example CNAME .", "32.1.2.0.192.rpz-ip CNAME .",
		"24.0.100.51.198.rpz-ip CNAME .", "128.1.zz.db8.2001.rpz-ip CNAME .", "32.9.2.0.192.rpz-ip CNAME .", "*.both.example CNAME ."} {
		if !strings.Contains(zone, want) {
			t.Errorf("%q is not in the zone:\n%s", want, zone)
		}
	}
	if strings.Contains(zone, "INCLUDE") || strings.Contains(zone, "star.example") || strings.Contains(zone, "a;b") {
		t.Errorf("what is no name is in the zone:\n%s", zone)
	}
}

func TestZoneTakesNoMoreThanItsWords(t *testing.T) {
	for name, said := range map[string]string{"ns": "a.example. x", "serial": "-1", "refresh": "2h)\n@ A 192.0.2.1", "policy": "PASSTHRU", "ttl": "1w; x"} {
		a := answer(t, false)
		a.Said = func(n string) string {
			if n == name {
				return said
			}
			return ""
		}
		if err := format(t, "rpz").Write(export.NewWriter(io.Discard), a); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%s = %q: %v", name, said, err)
		}
	}
}

func TestRulesAreLoadedByYARA(t *testing.T) {
	for _, whole := range []bool{false, true} {
		rules := write(t, "yara", answer(t, whole))
		path := file(t, "rules.yar", rules)
		sample := file(t, "sample", "see http evil.example and a\nb/c.d \x4d\x5a\x90\x00 x")
		out, err := exec.Command(lab.Need(t, "yara"), "-w", path, sample).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, out, rules)
		}
		for _, want := range []string{"shared"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s does not match: %s", want, out)
			}
		}
		if strings.Contains(string(out), "rule y") || strings.Contains(rules, "passwd\"") && strings.Contains(rules, "\ninclude") || strings.Contains(string(out), "needs") {
			t.Errorf("a value has become a rule: %s", out)
		}
		if n := strings.Count(string(out), "MISP_"); whole && n != 1 || !whole && n != 3 { // the domain, the two lines, the octets
			t.Errorf("%d generated rules match: %s", n, out)
		}
	}
}

func TestTableIsReadBack(t *testing.T) {
	a := answer(t, false)
	rows, err := csv.NewReader(strings.NewReader(write(t, "csv", a))).ReadAll()
	if err != nil || len(rows) != len(hostile)+1 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for i, h := range hostile {
		if got := rows[i+1][4]; got != strings.ReplaceAll(h.value, "\r\n", "\n") || rows[i+1][5] != "a \"comment\",\nof two lines" {
			t.Errorf("%q came back as %q", h.value, got)
		}
	}
}

func TestOpenIOCIsXML(t *testing.T) {
	var ioc struct {
		By         string `xml:"authored_by"`
		Definition struct {
			Items []struct {
				Content string `xml:"Content"`
			} `xml:"Indicator>IndicatorItem"`
		} `xml:"definition"`
	}
	if err := xml.Unmarshal([]byte(write(t, "openioc", answer(t, false))), &ioc); err != nil {
		t.Fatal(err)
	}
	if ioc.By != `<&"'>` || len(ioc.Definition.Items) < 10 || ioc.Definition.Items[0].Content != "evil.example" {
		t.Errorf("%+v", ioc)
	}
}

func TestListsHoldOneThingALine(t *testing.T) {
	for name, fits := range map[string]func(string) bool{
		"netfilter": func(l string) bool {
			return len(strings.Fields(l)) == 7 && strings.HasPrefix(l, "iptables -A INPUT -s ")
		},
		"hosts":  func(l string) bool { return strings.HasPrefix(l, "#") || len(strings.Fields(l)) == 2 },
		"hashes": func(l string) bool { return strings.Trim(l, "0123456789abcdef") == "" },
		"cache":  func(l string) bool { return len(l) == 32 },
		"zeek":   func(l string) bool { return strings.HasPrefix(l, "#") || strings.Count(l, "\t") == 3 },
	} {
		for line := range strings.Lines(write(t, name, answer(t, false))) {
			if !fits(strings.TrimSuffix(line, "\n")) {
				t.Errorf("%s: %q", name, line)
			}
		}
	}
	if text := write(t, "text", answer(t, false)); strings.Count(text, "\n") > len(hostile) {
		t.Errorf("a value has added a line:\n%s", text)
	}
}

// An answer that fails says so: nothing that it wrote is taken for the whole.
func TestFormatsFailWhereTheirClaimsDo(t *testing.T) {
	gone := errors.New("the store is gone")
	for _, f := range export.Formats() {
		a := answer(t, false)
		claims := a.Claims
		a.Claims = func(types ...string) iter.Seq2[export.Claim, error] {
			return func(yield func(export.Claim, error) bool) {
				for c := range claims(types...) {
					if !yield(c, nil) {
						return
					}
					break
				}
				yield(export.Claim{}, gone)
			}
		}
		if err := f.Write(export.NewWriter(io.Discard), a); !errors.Is(err, gone) {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
}
