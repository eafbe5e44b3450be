package stix

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/misp"
)

// shared is the folder of real data that stands beside the repository.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is absent", filepath.Join(append([]string{"../shared"}, parts...)...))
	}
	return path
}

// unlike are examples that are read otherwise, with the reason.
var unlike = map[string]string{
	"Indicator of regkey":       "its pattern's backslashes are escaped once, and the example expects them doubled",
	"Indicator of regkey|value": "as above",
	"Indicator of email-dst":    "nothing says that the address was written to",
}

// TestMappedAttributes reads each example of misp-stix's mapping and wants the
// attribute that stands beside it.
func TestMappedAttributes(t *testing.T) {
	for _, name := range []string{"stix21_to_misp_attributes.json", "stix20_to_misp_attributes.json", "external_stix21_to_misp_attributes.json", "external_stix20_to_misp_attributes.json"} {
		b, err := os.ReadFile(shared(t, "data", "stix", "misp-stix-mapping-documentation", name))
		if err != nil {
			t.Fatal(err)
		}
		var all map[string]map[string]struct {
			MISP json.RawMessage
			STIX json.RawMessage
		}
		if err := json.Unmarshal(b, &all); err != nil {
			t.Fatal(err)
		}
		agree := 0
		for typ, sorts := range all {
			for sort, one := range sorts {
				objects := string(one.STIX)
				if !strings.HasPrefix(objects, "[") {
					objects = "[" + objects + "]"
				}
				e, err := Read(strings.NewReader(`{"type":"bundle","id":"bundle--1","objects":` + objects + `}`))
				if err != nil {
					t.Errorf("%s %s: %v", typ, sort, err)
					continue
				}
				var want struct {
					UUID, Type, Value, Category, Data string
					ToIDS                             bool `json:"to_ids"`
				}
				if json.Unmarshal(one.MISP, &want) != nil {
					continue // several: not of one type
				}
				i := slices.IndexFunc(e.Attributes, func(a misp.Attribute) bool {
					return a.Type.Or("") == want.Type && a.Value.Or("") == want.Value && a.ToIDS.Or(false) == want.ToIDS && strings.HasPrefix(a.Data.Or(""), strings.Split(want.Data, "[...]")[0])
				})
				if i < 0 {
					if unlike[sort+" of "+typ] != "" {
						continue
					}
					var got []string
					for _, a := range e.Attributes {
						got = append(got, a.Type.Or("")+" "+a.Value.Or(""))
					}
					t.Errorf("%s %s of %s: %q, not %s %s", name, sort, typ, got, want.Type, want.Value)
					continue
				}
				agree++
			}
		}
		t.Logf("%s: %d agree", name, agree)
	}
}

// TestRealBundles reads every bundle and package of real publishers.
func TestRealBundles(t *testing.T) {
	read := func(pattern string, wanted int, read func(io.Reader) (*misp.Event, error)) {
		files, _ := filepath.Glob(shared(t, "data") + "/" + pattern)
		whole, attributes := 0, 0
		for _, file := range files {
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			e, err := read(f)
			f.Close()
			if err != nil {
				t.Logf("%s: %v", filepath.Base(file), err)
				continue
			}
			whole++
			attributes += len(e.Attributes)
			if len(e.Problems) > 0 {
				t.Logf("%s: %d of %d: %v", filepath.Base(file), len(e.Problems), len(e.Attributes), e.Problems[0])
			}
		}
		t.Logf("%s: %d of %d files read, %d attributes", pattern, whole, len(files), attributes)
		if whole != wanted {
			t.Errorf("%s: %d files read, not %d", pattern, whole, wanted)
		}
	}
	read("stix/talos-iocs/*.json", 44, Read)
	read("stix/unit42-timely-reports/*.json", 47, Read)
	read("stix/amnesty/*", 2, Read)
	read("stix/oasis-*/*.json", 18, Read)
	read("stix1/*.xml", 43, Read1)
}

// TestRead says what becomes of a bundle of our own.
func TestRead(t *testing.T) {
	e, err := Read(strings.NewReader(`{"type":"bundle","id":"bundle--4b4ee3ea-eee3-4c8e-8323-85ae32658754","objects":[
		{"type":"report","id":"report--6f747708-7b06-4a38-8233-8321a25ebb79","name":"Lantern","published":"2026-11-20T10:00:00Z","modified":"2026-11-21T10:00:00Z",
			"description":"What was seen.","object_marking_refs":["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],"object_refs":[]},
		{"type":"indicator","id":"indicator--3e5a4212-8b32-4654-8c69-19fe0dc2592c","pattern_type":"stix","description":"it calls home","modified":"2026-11-21T10:00:00Z",
			"pattern":"[domain-name:value = 'lantern.example' OR (ipv4-addr:value IN ('192.0.2.1', '192.0.2.2'))] FOLLOWEDBY [url:value = 'http://lantern.example/it\\'s'] WITHIN 600 SECONDS"},
		{"type":"indicator","id":"indicator--3e5a4212-8b32-4654-8c69-19fe0dc2592d","pattern_type":"stix","pattern":"[process:command_line MATCHES '^evil']"},
		{"type":"indicator","id":"indicator--3e5a4212-8b32-4654-8c69-19fe0dc2592e","pattern_type":"yara","pattern":"rule lantern { condition: true }"},
		{"type":"observed-data","id":"observed-data--3e5a4212-8b32-4654-8c69-19fe0dc2592f","first_observed":"2026-11-01T00:00:00Z","last_observed":"2026-11-02T00:00:00Z",
			"object_refs":["file--1"]},
		{"type":"file","id":"file--1","name":"lantern.exe","hashes":{"MD5":"6f5902ac237024bdd0c176cb93063dc4"}},
		{"type":"malware","id":"malware--1","name":"Lantern","external_references":[{"source_name":"mitre-attack","external_id":"S9999"}]},
		{"type":"sighting","id":"sighting--7e5a4212-8b32-4654-8c69-19fe0dc2592c","sighting_of_ref":"indicator--3e5a4212-8b32-4654-8c69-19fe0dc2592e","last_seen":"2026-11-22T00:00:00Z"},
		{"type":"x-nobody-knows","id":"x-nobody-knows--1","name":"?"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range e.Attributes {
		got = append(got, fmt.Sprint(a.Type.Or(""), " ", a.Value.Or(""), " ", a.ToIDS.Or(false), " ", len(a.Sightings)))
	}
	want := []string{"filename lantern.exe false 0", "md5 6f5902ac237024bdd0c176cb93063dc4 false 0", "domain lantern.example true 0", "ip-dst 192.0.2.1 true 0",
		"ip-dst 192.0.2.2 true 0", "url http://lantern.example/it's true 0", "stix2-pattern [process:command_line MATCHES '^evil'] true 0", "yara rule lantern { condition: true } true 1"}
	slices.Sort(got[:2]) // what is in one observation has no order
	if !slices.Equal(got, want) {
		t.Errorf("attributes are\n%q, not\n%q", got, want)
	}
	if e.Info.Or("") != "Lantern" || e.Date.Or("") != "2026-11-20" || len(e.Reports) != 1 || len(e.Problems) != 1 {
		t.Errorf("event %q of %q, %d reports, problems %v", e.Info.Or(""), e.Date.Or(""), len(e.Reports), e.Problems)
	}
	var tags []string
	for _, tag := range e.Tags {
		tags = append(tags, tag.Name.Or(""))
	}
	if !slices.Equal(tags, []string{"tlp:green", `misp-galaxy:mitre-malware="Lantern - S9999"`}) {
		t.Errorf("tags %q", tags)
	}
	if first := e.Attributes[0].FirstSeen.Or(time.Time{}); first.Day() != 1 {
		t.Errorf("first seen %v", first)
	}
}

// TestRefuses says what is wrong with what is no STIX.
func TestRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                                     "ends in its middle",
		`<html>`:                               "no JSON of a bundle",
		`{"type":"bundle","objects":[{}]}`:     "object 1 of the bundle",
		`{"type":"indicator"}`:                 `its type is "indicator"`,
		`{"type":"bundle","objects":["text"]}`: "object 1 of the bundle",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		``:                                 "no XML element",
		`{}`:                               "no XML element",
		`<html></html>`:                    "there is <html>",
		`<STIX_Package><a></STIX_Package>`: "line 1: this is no XML",
		`<STIX_Package>`:                   "this is no XML",
		`<!DOCTYPE x [<!ENTITY a "b">]><STIX_Package>&a;</STIX_Package>`: "this is no XML",
		strings.Repeat("<a>", 300):                                       "deep",
	} {
		if _, err := Read1(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) || tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q: %v, not %q", text, err, want)
		}
	}
	for _, pattern := range []string{"", "[", "[a = 'b'", "[a:b = 'b'", "[a:b ~ 'c']", "[a:b = 'c] ", strings.Repeat("(", 100), "[a:b = 'c'] [d:e = 'f']", "[a:b IN ('c' 'd')]"} {
		if tests, err := Tests(pattern); err == nil {
			t.Errorf("%q is read as %v", pattern, tests)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"type":"bundle","objects":[{"type":"indicator","pattern":"[file:hashes.'SHA-256' = 'a' AND file:name IN ('b', 'c')]"}]}`)
	f.Add(`<STIX_Package><Observable><Object><Properties type="x"><Value>a</Value></Properties></Object></Observable></STIX_Package>`)
	f.Fuzz(func(t *testing.T, text string) {
		Read(strings.NewReader(text))
		Read1(strings.NewReader(text))
		Tests(text)
	})
}
