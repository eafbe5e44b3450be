package codec_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tocsin/codec"
	"tocsin/indicator"
)

// A reading is what becomes of a line: a value, or that it is refused.
type reading struct {
	line  int
	value string // "": refused
}

// A rule says what a feed holds, by other means than the reader that is tested.
type rule func(t *testing.T, text []byte) []reading

// byPattern takes what the first group of a pattern matches, passes over lines
// that skip matches, and expects the others to be refused.
func byPattern(skip, data string) rule {
	s, d := regexp.MustCompile(skip), regexp.MustCompile(data)
	return func(_ *testing.T, text []byte) (rs []reading) {
		for i, l := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			l = strings.TrimSuffix(l, "\r")
			if s.MatchString(l) {
				continue
			}
			if m := d.FindStringSubmatch(l); m != nil {
				rs = append(rs, reading{i + 1, m[1]})
			} else {
				rs = append(rs, reading{i + 1, ""})
			}
		}
		return rs
	}
}

// byColumn takes a column of a table, as the standard library reads it, of which
// the first lines are a header.
func byColumn(comma rune, column, header int) rule {
	return func(t *testing.T, text []byte) (rs []reading) {
		r := csv.NewReader(bytes.NewReader(text))
		r.Comma, r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = comma, '#', true, -1
		for n := 0; ; n++ {
			rec, err := r.Read()
			if err == io.EOF {
				return rs
			}
			if err != nil {
				t.Fatal(err)
			}
			if line, _ := r.FieldPos(0); n >= header && !strings.HasPrefix(rec[0], ";") {
				rs = append(rs, reading{line, strings.TrimSpace(rec[column])})
			}
		}
	}
}

// byPairs takes the names of a zone whose records stand alone on their lines.
func byPairs(_ *testing.T, text []byte) (rs []reading) {
	at := map[string]int{}
	record := regexp.MustCompile(`^(\*\.)?([\w.-]+?)\.?\s+(?:IN\s+)?CNAME\s+\.`)
	for i, l := range strings.Split(string(text), "\n") {
		if m := record.FindStringSubmatch(l); m != nil && at[m[2]] == 0 {
			at[m[2]] = i + 1
			rs = append(rs, reading{i + 1, m[2]})
		}
	}
	return rs
}

// byMember takes the members of that name, wherever they stand. It knows no lines.
func byMember(name string) rule {
	return func(t *testing.T, text []byte) (rs []reading) {
		var document any
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		var walk func(any)
		walk = func(v any) {
			switch v := v.(type) {
			case []any:
				for _, e := range v {
					walk(e)
				}
			case map[string]any:
				if s, ok := v[name].(string); ok {
					rs = append(rs, reading{0, s})
				}
				for _, e := range v {
					walk(e)
				}
			}
		}
		walk(document)
		return rs
	}
}

var (
	plain  = byPattern(`^\s*([#;].*)?$`, `^\s*([^#;\s].*?)\s*(?:\s[#;].*)?$`)
	hosts  = byPattern(`^\s*(#.*)?$|\slocalhost|\slocal$`, `^(?:0\.0\.0\.0|127\.0\.0\.1)\s+(\S+\.\S+)$`)
	mispCV = byColumn(',', 4, 1)
)

// Feeds are all of the data that came in these formats: what each is guessed to
// be, what it holds, and which of its values are refused afterwards, line by line.
var feeds = []struct {
	path, format string
	rule         rule
	refused      map[int]string // values by line
}{
	{"alienvault-reputation.data", "csv", byPattern(`^$`, `^([0-9.]+)#`), nil},
	{"badd-boyz-hosts.txt", "hosts", hosts, nil},
	{"blocklistproject-ransomware-dnsmasq.conf", "dnsmasq", byPattern(`^(#|$)`, `^server=/([^/]+)/$`), nil},
	{"blocklistproject-ransomware-hosts.txt", "hosts", hosts, nil},
	{"c2-intelfeeds-ipc2s-30day.csv", "csv", byColumn(',', 0, 0), nil},
	{"crowdsec-decisions-csv_decisions", "csv", byColumn(',', 2, 1), nil},
	{"crowdsec-decisions-decisions.csv", "csv", byColumn(',', 2, 1), nil},
	{"crowdsec-decisions-decisions.json", "json", byMember("value"), nil},
	{"crowdsec-decisions-json_decisions", "json", byMember("value"), nil},
	{"dnsbunker-cti-adblock.txt", "adblock", byPattern(`^([!\[]|$)`, `^\|\|([^/^*$]+)\^$`), nil},
	{"dnsbunker-cti-rpz.zone", "rpz", byPairs, nil},
	{"feodo-tracker-ipblocklist.csv", "csv", byColumn(',', 1, 1), nil},
	{"hagezi-light-adblock.txt", "adblock", byPattern(`^([!\[]|$)`, `^\|\|([^/^*$]+)\^$`), nil},
	{"hagezi-personal-dnsmasq.conf", "dnsmasq", byPattern(`^(#|$)`, `^address=/([^/]+)/#$`), nil},
	{"hagezi-personal-unbound.conf", "unbound", byPattern(`^(#|server:|$)`, `^local-zone: "([^"]+)\." always_null$`), nil},
	{"ipsum-ip-with-counts.tsv", "csv", byColumn('\t', 0, 0), nil},
	{"maltrail-android_joker.txt", "text", plain, nil},
	{"maltrail-apt_lazarus.txt", "text", plain, nil},
	{"maltrail-dynamic_domain.txt", "text", plain, nil},
	{"maltrail-mass_scanner_cidr.txt", "text", plain, nil},
	{"openphish-feed-6h-earlier.txt", "text", plain, nil},
	{"openphish-feed.txt", "text", plain, nil},
	{"otx-pulses-subscribed.json", "json", byMember("indicator"), map[int]string{1339: "it is no URL"}},
	{"phishtank-verified_online.csv", "csv", byColumn(',', 1, 1), nil},
	{"threatfox-csv-recent-excerpt.csv", "csv", byColumn(',', 2, 0), nil},
	{"threatfox-derived-address-list.csv", "csv", byColumn(',', 0, 1), nil},
	{"threatfox-digest-defanged.json", "json", byMember("ioc"), map[int]string{1: "it wants 64 hexadecimal digits"}}, // they are cut short there
	{"tweetfeed-today.csv", "csv", byColumn(',', 3, 0), nil},
	{"tweetfeed-week.csv", "csv", byColumn(',', 3, 0), nil},
	{"urlhaus-csv-recent-excerpt.csv", "csv", byColumn(',', 2, 0), nil},
	{"urlhaus-derived-url-list.csv", "csv", byColumn(',', 0, 1), nil},
	{"urlhaus-rpz-RECONSTRUCTED.zone", "rpz", byPairs, nil},
	{"zeek-abuse-ch-ipblocklist.intel", "zeek", byPattern(`^#`, `^([^\t]+)\tIntel::`), nil},
	{"zeek-cps-collected-iocs.intel", "zeek", byPattern(`^#`, `^([^\t]+)\tIntel::`), nil},

	{"intelmq-parser-samples/bambenek__c2-dommasterlist.txt", "csv", byColumn(',', 0, 0), nil},
	{"intelmq-parser-samples/bambenek__c2-ipmasterlist.txt", "csv", byColumn(',', 0, 0), nil},
	{"intelmq-parser-samples/bambenek__dga-feed.txt", "csv", byColumn(',', 0, 0), nil},
	{"intelmq-parser-samples/cert_eu__example.csv", "csv", byColumn(',', 27, 1), nil},
	// Ranges by their ends, with a header that is no comment.
	{"intelmq-parser-samples/dshield__block.txt", "text", plain, map[int]string{31: "", 32: "", 33: ""}},
	{"intelmq-parser-samples/dyn__ponmocup-infected-domains-CIF-latest.txt", "text", plain, nil},
	{"intelmq-parser-samples/malwarepatrol__getfile", "text", plain, nil},
	{"intelmq-parser-samples/openphish__feed.txt", "text", plain, map[int]string{1: "", 2: ""}}, // www..example.com
	{"intelmq-parser-samples/spamhaus__asndrop.txt", "text", plain, nil},
	{"intelmq-parser-samples/spamhaus__cert.txt", "csv", byColumn(',', 0, 0), nil},
	{"intelmq-parser-samples/spamhaus__drop.txt", "csv", byPattern(`^;`, `^([^;]+?) ;`), nil},
	{"intelmq-parser-samples/surbl__test_surbl.data", "text", plain, map[int]string{10: "", 11: "", 12: "", 13: "", 15: "", 16: ""}}, // rbldnsd's, and single labels
	{"intelmq-parser-samples/zoneh__defacement_accepted.csv", "csv", byColumn(',', 3, 1), nil},
	{"intelmq-parser-samples/zoneh__defacement_accepted_RECONSTRUCTED.csv", "csv", byColumn(',', 3, 1), nil},
	{"intelmq-parser-samples/zoneh__defacement_pending.csv", "csv", byColumn(',', 2, 1), nil},
	{"misp-csv-export/201510_NGO_Burma__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/201603_Shifting_Tactics__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/201605_Stealth_Falcon__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/201608_NSO_Group__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/201702_NilePhish__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/201706_RecklessExploit__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/201707_InsiderInfo__indicators.csv", "csv", mispCV, nil},
	{"misp-csv-export/201801_SpyingOnABudget__indicators.csv", "csv", mispCV, nil},
	{"misp-csv-export/201808_FamiliarFeeling__indicators.csv", "csv", mispCV, nil},
	{"misp-csv-export/201905_EndlessMayfly__iocs.csv", "csv", mispCV, nil},
	{"misp-csv-export/202006_DarkBasin__iocs.csv", "csv", mispCV, nil},
}

// pages are feeds of a sort that is told in one error.
var pages = []string{"intelmq-parser-samples/cleanmx__xmlphishing", "intelmq-parser-samples/cleanmx__xmlviruses", "intelmq-parser-samples/malwareurl__test_malwareurl.data"}

func TestSharedFeeds(t *testing.T) {
	dir := shared(t, "feeds")
	seen := map[string]bool{}
	for _, f := range feeds {
		seen[f.path] = true
		t.Run(f.path, func(t *testing.T) {
			text := open(t, filepath.Join(dir, f.path))
			format, err := codec.Guess(f.path, text[:min(len(text), 64<<10)])
			if err != nil || format.Name != f.format {
				t.Fatalf("guessed %q, %v; want %q", format.Name, err, f.format)
			}
			got, refused := readings(t, format, text)
			want := f.rule(t, text)
			if want[0].line == 0 { // what was found has no lines
				for i := range got {
					got[i].line = 0
				}
				byValue := func(a, b reading) int { return strings.Compare(a.value, b.value) }
				slices.SortFunc(got, byValue)
				slices.SortFunc(want, byValue)
			}
			differ(t, got, want)
			for line, why := range refused {
				if said, ok := f.refused[line]; !ok || !strings.Contains(why, said) {
					t.Errorf("line %d is refused: %s", line, why)
				}
			}
			for line := range f.refused {
				if refused[line] == "" {
					t.Errorf("line %d is not refused", line)
				}
			}
		})
	}
	for _, path := range pages {
		seen[path] = true
		text := open(t, filepath.Join(dir, path))
		if _, err := codec.Guess(path, text); err == nil || !strings.Contains(err.Error(), "web page or XML") {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, pattern := range []string{"*.*", "crowd*", "*/*"} {
		paths, _ := filepath.Glob(filepath.Join(dir, pattern))
		for _, path := range paths {
			if name, _ := filepath.Rel(dir, path); !seen[name] {
				t.Errorf("nothing says what %s holds", name)
			}
		}
	}
}

// readings returns what a reader makes of a text, and the values that are refused
// after it has.
func readings(t *testing.T, f codec.Format, text []byte) (rs []reading, refused map[int]string) {
	t.Helper()
	refused = map[int]string{}
	for d, err := range f.Read(bytes.NewReader(text), codec.Options{}) {
		if lost, ok := errors.AsType[*codec.LineError](err); ok {
			rs = append(rs, reading{lost.Number, ""})
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		rs = append(rs, reading{d.Line, d.Text})
		if err := valid(d); err != nil {
			refused[d.Line] = err.Error()
		}
	}
	return rs, refused
}

// valid reads a draft's value, as intake does.
func valid(d codec.Draft) (err error) {
	if d.Type == "" {
		_, err = indicator.Detect(d.Text)
	} else {
		_, err = indicator.Parse(d.Type, d.Text)
	}
	return err
}

// differ says where two readings part, with the lines before it.
func differ(t *testing.T, got, want []reading) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		show := func(rs []reading) string {
			if i >= len(rs) {
				return "nothing more"
			}
			return fmt.Sprintf("%d %q", rs[i].line, rs[i].value)
		}
		if show(got) != show(want) {
			t.Fatalf("reading %d of %d is %s; want %s", i+1, len(got), show(got), show(want))
		}
	}
}
