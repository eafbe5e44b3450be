package stix

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"tocsin"
	"tocsin/indicator"
)

// values are what the claims of the trial event are, by type.
var values = map[string]string{
	"AS": "AS64500", "mac-address": "00:0a:95:9d:68:16", "domain": "evil.example", "hostname": "www.evil.example", "domain|ip": "evil.example|192.0.2.1",
	"url": `http://evil.example/a'b\c`, "uri": "http://evil.example/", "link": "https://report.example/", "email": "a@evil.example", "email-src": "b@evil.example",
	"email-dst": "c@evil.example", "email-subject": "it's \\ you", "email-body": "two\nlines", "email-message-id": "1@x", "email-header": "Received: x",
	"email-reply-to": "d@evil.example", "email-x-mailer": "m", "email-attachment": "a'b.exe", "filename": "évil.exe", "attachment": "note.txt",
	"malware-sample": "bad.exe|d41d8cd98f00b204e9800998ecf8427e", "mutex": "M", "regkey": `HKLM\Software\X`, "regkey|value": `HKLM\Software\X|1`,
	"ip-src": "192.0.2.1", "ip-dst": "2001:db8::1", "ip-dst|port": "192.0.2.2|8080", "ip-src|port": "2001:db8::2|53", "hostname|port": "h.evil.example|443",
	"user-agent": `Mozilla "x"`, "github-username": "someone", "vulnerability": "CVE-2024-0001", "campaign-name": "C", "text": "a \"text\"\x01", "yara": "rule x { condition: true }",
	"snort": "alert ip any any -> any any (sid:1;)", "sigma": "title: x", "size-in-bytes": "12", "stix2-pattern": "[domain-name:value = 'x.example']", "ip-src/range": "",
	"sha1": strings.Repeat("a", 40), "x509-fingerprint-sha256": strings.Repeat("b", 64), "ssdeep": "3:a:b", "tlsh": "T1" + strings.Repeat("C", 70), "btc": "x",
}

type trialNames struct{}

func (trialNames) Organisation(id int64) *tocsin.Organisation {
	if id == 0 {
		return nil
	}
	return &tocsin.Organisation{ID: id, Name: "Org", UUID: derived("org", digits(int(id)))}
}

func (trialNames) Tags(s tocsin.TagSet) (tags []string) {
	for at := range s.All() {
		tags = append(tags, []string{"tlp:amber+strict", `misp-galaxy:mitre-attack-pattern="Phishing - T1566"`, `misp-galaxy:ransomware="R"`, `misp-galaxy:own="x"`, "a:b=\"c\"",
			`misp-galaxy:threat-actor="T"`, "tlp:white"}[at.Tag%7])
	}
	return tags
}

func (trialNames) Cluster(tag string) *Cluster {
	if strings.Contains(tag, "threat-actor") {
		return &Cluster{UUID: derived("cluster"), Galaxy: "Threat Actor", Type: "threat-actor", Value: "T", Description: "d", Synonyms: []string{"U"}}
	}
	return nil
}

func seq[T any](ts []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, t := range ts {
			if !yield(t, nil) {
				return
			}
		}
	}
}

func claim(t *testing.T, typ, relation, text string, toIDS bool) tocsin.Attribute {
	t.Helper()
	of, ok := indicator.TypeByName(typ)
	if !ok {
		t.Fatalf("no type %s", typ)
	}
	v, err := indicator.Stored(of.ID, text)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := indicator.CategoryByName(of.DefaultCategory)
	return tocsin.Attribute{UUID: derived(typ, relation, text, toIDS2(toIDS)), Category: c, Value: v, ToIDS: toIDS, Timestamp: 1_700_000_000, Comment: "a <comment>", Relation: relation,
		FirstSeen: time.Unix(1_600_000_000, 123456000), LastSeen: time.Unix(1_600_000_100, 0), Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 7}, tocsin.Attached{Tag: 8}, tocsin.Attached{Tag: 9}, tocsin.Attached{Tag: 10}, tocsin.Attached{Tag: 11})}
}

func toIDS2(v bool) string {
	if v {
		return "to act on"
	}
	return ""
}

// trialEvent is an event with everything in it.
func trialEvent(t *testing.T, published bool) *Event {
	t.Helper()
	e := &tocsin.Event{ID: 1, UUID: derived("event"), Orgc: 1, Info: "it's an \"event\"", Timestamp: 1_700_000_000, Published: published,
		Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 12}, tocsin.Attached{Tag: 7}, tocsin.Attached{Tag: 11})}
	var as []tocsin.Attribute
	for _, typ := range slices.Sorted(maps.Keys(values)) {
		if values[typ] != "" {
			as = append(as, claim(t, typ, "", values[typ], true), claim(t, typ, "", values[typ], false))
		}
	}
	var objects []Object
	for _, name := range append(slices.Sorted(maps.Keys(templates)), "unheard-of") {
		for _, acts := range []bool{true, false} {
			o := Object{Object: &tocsin.Object{UUID: derived(name, toIDS2(acts)), Name: name, MetaCategory: "misc", Timestamp: 1_700_000_000, Comment: "c"}}
			for _, relation := range slices.Sorted(maps.Keys(templates[name])) {
				typ, text := relation, values[relation]
				switch {
				case templates[name][relation].number:
					typ, text = "counter", "12"
				case strings.HasPrefix(relation, "ip"):
					typ, text = "ip-dst", "192.0.2.7"
				case strings.HasPrefix(templates[name][relation].path, "hashes."):
					sizes := map[string]int{"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128, "sha3-256": 64, "sha3-512": 128, "tlsh": 70}
					typ, text = "text", strings.Repeat("a", max(8, sizes[strings.TrimPrefix(relation, "x509-fingerprint-")]))
				case text == "":
					typ, text = "text", "some "+relation
				}
				o.Parts = append(o.Parts, claim(t, typ, relation, text, acts))
			}
			o.Parts = append(o.Parts, claim(t, "text", "some-Other part", "x", acts), claim(t, "text", "some-Other part", "y", acts))
			for i := range o.Parts {
				o.Parts[i].UUID = derived(o.UUID.String(), digits(i))
			}
			objects = append(objects, o)
		}
	}
	head := func(word string, about, to tocsin.UUID) tocsin.Head {
		return tocsin.Head{UUID: derived(word), Orgc: 2, Timestamp: 1_700_000_000, About: tocsin.Link{UUID: about}, To: tocsin.Link{UUID: to}}
	}
	return &Event{Event: e, Attributes: seq(as), Objects: seq(objects),
		References: seq([]*tocsin.Reference{{Head: head("ref", objects[0].UUID, as[0].UUID), Relation: "Drops It"}, {Head: head("astray", objects[0].UUID, derived("nowhere"))}}),
		Sightings:  seq([]*tocsin.Sighting{{Head: head("seen", as[0].UUID, tocsin.UUID{}), At: 1_700_000_001, Source: "hp"}, {Head: head("fp", as[1].UUID, tocsin.UUID{}), Type: tocsin.FalsePositive, At: 1_700_000_001}}),
		Reports:    seq([]*tocsin.Report{{Head: head("report", tocsin.UUID{}, tocsin.UUID{}), Name: "R", Content: "# markdown"}}),
		Notes:      seq([]*tocsin.Note{{Head: head("note", e.UUID, tocsin.UUID{}), Note: "n", Authors: "me", Language: "en", Created: 1_700_000_000}}),
		Opinions:   seq([]*tocsin.Opinion{{Head: head("opinion", as[0].UUID, tocsin.UUID{}), Opinion: 80, Comment: "yes", Created: 1_700_000_000}}),
	}
}

func written(t *testing.T, v Version, es ...*Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewBundle(&out, v, trialNames{}, time.Unix(1_700_000_000, 0))
	for _, e := range es {
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func objectsIn(t *testing.T, bundle []byte) (objects []map[string]any) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(bundle))
	if err != nil {
		t.Fatalf("%v: %.300s", err, bundle)
	}
	for _, o := range v.(map[string]any)["objects"].([]any) {
		objects = append(objects, o.(map[string]any))
	}
	return objects
}

// schemas are those that OASIS publishes for STIX 2.1, by the type that they are for.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	root := shared(t, "data", "stix", "oasis-json-schemas")
	c, ids := jsonschema.NewCompiler(), map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			return err
		}
		id := v.(map[string]any)["$id"].(string)
		ids[strings.TrimSuffix(filepath.Base(path), ".json")] = id
		return c.AddResource(id, v)
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*jsonschema.Schema{}
	for typ, id := range ids {
		if out[typ], err = c.Compile(id); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestBundlesHoldOASISSchemas(t *testing.T) {
	of := schemas(t)
	for _, e := range []*Event{trialEvent(t, true), trialEvent(t, false), {Event: &tocsin.Event{UUID: derived("empty"), Orgc: 1, Info: "x", Timestamp: 1}}} {
		bundle := written(t, V21, e)
		met := map[string]bool{}
		for _, o := range objectsIn(t, bundle) {
			typ := o["type"].(string)
			s := of[typ]
			if s == nil {
				s = of["core"]
			}
			met[typ] = true
			if err := s.Validate(o); err != nil {
				t.Errorf("%v\n%v", err, o)
			}
		}
		t.Log(slices.Sorted(maps.Keys(met)))
	}
}

// Each reference is to something that is there, and nothing is there twice.
func TestBundlesHoldTogether(t *testing.T) {
	for _, v := range []Version{V21, V20} {
		bundle := written(t, v, trialEvent(t, true))
		if v == V20 && bytes.Contains(bundle, []byte(`"2.1"`)) {
			t.Error("2.0 says 2.1")
		}
		ids := map[string]bool{}
		objects := objectsIn(t, bundle)
		for _, o := range objects {
			id := o["id"].(string)
			if ids[id] {
				t.Errorf("%s is there twice", id)
			}
			ids[id] = true
		}
		var check func(name string, v any)
		check = func(name string, x any) {
			switch x := x.(type) {
			case map[string]any:
				if name == "objects" { // 2.0's own, by number
					return
				}
				for n, v := range x {
					check(n, v)
				}
			case []any:
				for _, v := range x {
					check(name, v)
				}
			case string:
				if (strings.HasSuffix(name, "_ref") || strings.HasSuffix(name, "_refs")) && !ids[x] {
					t.Errorf("version %d: %s points at %s, which is not there", v, name, x)
				}
			}
		}
		for _, o := range objects {
			check("", o)
		}
		if v == V20 {
			holds20(t, objects)
		}
	}
}

// holds20 holds observations of 2.0 to what the specification says of them, since
// OASIS's schemas here are those of 2.1 (STIX 2.0, part 2, section 2.8; part 3).
func holds20(t *testing.T, objects []map[string]any) {
	t.Helper()
	for _, o := range objects {
		if o["spec_version"] != nil {
			t.Errorf("%v has a version", o["id"])
		}
		switch o["type"] {
		case "observed-data":
			in, ok := o["objects"].(map[string]any)
			if !ok || in["0"] == nil {
				t.Errorf("%v holds nothing", o["id"])
			}
			for _, x := range in {
				for name, v := range x.(map[string]any) {
					if s, ok := v.(string); ok && strings.HasSuffix(name, "_ref") && in[s] == nil {
						t.Errorf("%v: %s points at %s", o["id"], name, s)
					}
				}
			}
		case "indicator", "malware", "tool", "threat-actor", "report":
			if l, _ := o["labels"].([]any); len(l) == 0 {
				t.Errorf("%v has no labels", o["id"])
			}
		case "grouping", "note", "opinion":
			t.Errorf("2.0 knows no %v", o["type"])
		}
	}
}

// What is written is read back as what it was, by the reader of this package.
func TestWrittenIsRead(t *testing.T) {
	for _, v := range []Version{V21, V20} {
		back, err := Read(bytes.NewReader(written(t, v, trialEvent(t, true))))
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		for _, a := range back.Attributes {
			found[a.Type.Or("")+" "+a.Value.Or("")] = true
		}
		for typ, text := range values {
			switch {
			case text == "" || slices.Contains([]string{"uri", "link", "hostname", "attachment", "email-dst", "hostname|port", "regkey|value", "user-agent", "stix2-pattern"}, typ):
			case !found[typ+" "+text]:
				t.Errorf("version %d: %s %q does not come back", v, typ, text)
			}
		}
		if back.Info.Or("") != "it's an \"event\"" {
			t.Errorf("the event is called %q", back.Info.Or(""))
		}
	}
}

func TestABundleThatFailsDoesNotEnd(t *testing.T) {
	gone := errors.New("gone")
	e := trialEvent(t, true)
	e.Objects = func(yield func(Object, error) bool) { yield(Object{}, gone) }
	var out bytes.Buffer
	w := NewBundle(&out, V21, trialNames{}, time.Unix(0, 0))
	if err := w.Event(e); !errors.Is(err, gone) || json.Valid(out.Bytes()) {
		t.Errorf("%v, %d octets", err, out.Len())
	}
}
