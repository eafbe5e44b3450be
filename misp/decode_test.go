package misp

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"tocsin"
)

const someUUID = "0f3a52c4-1c53-4c1f-8f3b-1f2f5a1d9e01"

// Every wrapping that a client, a feed or an export uses gives the same event.
func TestWrappings(t *testing.T) {
	const flat = `{"info":"x","uuid":"` + someUUID + `","Attribute":[{"type":"domain","value":"evil.example"}]}`
	want := must(DecodeEvent(strings.NewReader(flat), nil))(t)
	if want.Info.Or("") != "x" || len(want.Attributes) != 1 || want.Attributes[0].Value.Or("") != "evil.example" {
		t.Fatalf("%+v", want)
	}
	for _, wrapping := range []string{
		`{"Event":%s}`, `{"response":[{"Event":%s}]}`, `{"response":{"Event":%s}}`, `{"response":[%s]}`,
		`[%s]`, `[{"Event":%s}]`, `{"Event":[%s]}`, `{"request":{"Event":%s}}`, "\ufeff {\"Event\":%s}\r\n",
		`{"Event":%s,"errors":["none"]}`, `{"Event":{"0":%s}}`, `{"\u0045vent":%s}`,
	} {
		text := fmt.Sprintf(wrapping, flat)
		for name, from := range map[string]func() (*Event, error){
			"at once":    func() (*Event, error) { return DecodeEvent(strings.NewReader(text), nil) },
			"bit by bit": func() (*Event, error) { return DecodeEvent(iotest.OneByteReader(strings.NewReader(text)), nil) },
			"one of all": func() (e *Event, err error) {
				return e, errors.Join(DecodeEvents(strings.NewReader(text), func(x *Event) error { e = x; return nil }))
			},
		} {
			if e, err := from(); err != nil || !reflect.DeepEqual(e, want) {
				t.Errorf("%s, %s: %+v, %v", text, name, e, err)
			}
		}
	}
}

func TestAttributeWrappings(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"domain","value":"a.example"}`:                                           "a.example",
		`{"Attribute":{"type":"domain","value":"a.example"}}`:                             "a.example",
		`{"Attribute":{"value":"a.example"},"AttributeTag":[]}`:                           "a.example",
		`[{"value":"a.example"},{"value":"b.example"}]`:                                   "a.example b.example",
		`[{"Attribute":{"value":"a.example"}},{"value":"b.example"}]`:                     "a.example b.example",
		`{"Attribute":[{"value":"a.example"},{"value":"b.example"}],"errors":{"a":[[]]}}`: "a.example b.example",
		`{"response":{"Attribute":[{"value":"a.example","Event":{"id":1}}]}}`:             "a.example",
		`{"value":["a.example","b.example",3]}`:                                           "a.example b.example 3",
		`{"Attribute":{"0":{"value":"a.example"},"2":{"value":"b.example"}}}`:             "a.example b.example",
		`[{},{"value":"b.example"},null,7,{"value":"c.example"}]`:                         " b.example   c.example",
		`{"Event":{"info":"x"}}`:                                                          "error",
		`[]`:                                                                              "error",
		`{}`:                                                                              "error",
		`null`:                                                                            "error",
		`"a.example"`:                                                                     "error",
		`{"Attribute":[]}`:                                                                "error",
	} {
		var got []string
		err := DecodeAttributes(strings.NewReader(text), func(a *Attribute) error { got = append(got, a.Value.Or("")); return nil })
		if IsEmpty(err) {
			got = []string{"error"}
		} else if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

// Of several values, the first has the identity that the text gives.
func TestValueList(t *testing.T) {
	const text = `{"id":4,"uuid":"` + someUUID + `","type":"domain","value":["a.example","b.example"],"comment":"both"}`
	var got []Attribute
	keep := func(a *Attribute) error { got = append(got, *a); return nil }
	for _, read := range []func() error{
		func() error { return DecodeAttributes(strings.NewReader(text), keep) },
		func() error {
			_, err := DecodeEvent(strings.NewReader(`{"info":"x","Attribute":[`+text+`]}`), keep)
			return err
		},
		func() error {
			e, err := DecodeEvent(strings.NewReader(`{"info":"x","Attribute":[`+text+`]}`), nil)
			got = e.Attributes
			return err
		},
	} {
		got = nil
		if err := read(); err != nil {
			t.Fatal(err)
		}
		if len(got) != 2 || !got[0].UUID.Present() || !got[0].ID.Present() || got[1].UUID.Present() || got[1].ID.Present() ||
			got[0].Value.Or("") != "a.example" || got[1].Value.Or("") != "b.example" || got[1].Comment.Or("") != "both" {
			t.Errorf("%+v", got)
		}
	}
}

// What is absent, null, empty and zero, and what PHP takes for a number or a bool.
func TestFields(t *testing.T) {
	type a = Attribute
	at := time.Date(2024, 9, 1, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string]a{
		`{"to_ids":true}`:                      {ToIDS: Said(true)},
		`{"to_ids":"1"}`:                       {ToIDS: Said(true)},
		`{"to_ids":1}`:                         {ToIDS: Said(true)},
		`{"to_ids":0}`:                         {ToIDS: Said(false)},
		`{"to_ids":"0"}`:                       {ToIDS: Said(false)},
		`{"to_ids":""}`:                        {ToIDS: Said(false)},
		`{"to_ids":"false"}`:                   {ToIDS: Said(false)},
		`{"to_ids":null,"x":1}`:                {},
		`{"distribution":"5"}`:                 {Distribution: Said[int64](5)},
		`{"distribution":5}`:                   {Distribution: Said[int64](5)},
		`{"distribution":5.0}`:                 {Distribution: Said[int64](5)},
		`{"distribution":" 0 "}`:               {Distribution: Said[int64](0)},
		`{"distribution":""}`:                  {},
		`{"sharing_group_id":false}`:           {Group: Said[int64](0)},
		`{"timestamp":"1725148800"}`:           {Timestamp: Said[int64](1725148800)},
		`{"value":1234}`:                       {Value: Said("1234")},
		`{"value":true}`:                       {Value: Said("1")},
		`{"value":""}`:                         {Value: Said("")},
		`{"value":"a","value":"b"}`:            {Value: Said("b")},
		`{"value":"\u00e9\ud83d\ude00"}`:       {Value: Said("é😀")},
		`{"value":"\ud800x"}`:                  {Value: Said("\ufffdx")},
		"{\"value\":\"caf\xe9\"}":              {Value: Said("caf\ufffd")},
		"{\"value\":\"caf\xe9\\n\"}":           {Value: Said("caf\ufffd\n")},
		`{"comment":null,"id":3}`:              {ID: Said[int64](3)},
		`{"object_relation":null,"id":3}`:      {ID: Said[int64](3)},
		`{"first_seen":null}`:                  {FirstSeen: Said(time.Time{})},
		`{"last_seen":""}`:                     {LastSeen: Said(time.Time{})},
		`{"first_seen":1725148800}`:            {FirstSeen: Said(at)},
		`{"uuid":""}`:                          {},
		`{"Tag":[]}`:                           {Tags: []Tag{}},
		`{"Tag":{"name":"a"}}`:                 {Tags: []Tag{{Name: Said("a")}}},
		`{"Tag":"a"}`:                          {Tags: []Tag{{Name: Said("a")}}},
		`{"Tag":["a",{"name":"b","local":1}]}`: {Tags: []Tag{{Name: Said("a")}, {Name: Said("b"), Local: Said(true)}}},
		`{"AttributeTag":[{"id":9,"tag_id":4,"Tag":{"id":4,"name":"a"},"local":"1"}]}`:        {Tags: []Tag{{ID: Said[int64](4), Name: Said("a"), Local: Said(true)}}},
		`{"AttributeTag":[{"local":true,"relationship_type":"x","Tag":{"id":4,"name":"a"}}]}`: {Tags: []Tag{{ID: Said[int64](4), Name: Said("a"), Local: Said(true), Relationship: Said("x")}}},
		`{"SharingGroup":[],"RelatedAttribute":[{"x":[{}]}]}`:                                 {},
		`{"SharingGroup":{"uuid":"` + someUUID + `","SharingGroupOrg":[{"org_id":"2","extend":"1","Organisation":{"name":"B"}}]}}`: {SharingGroup: &SharingGroup{
			UUID: Said(uuidOf(someUUID)), Members: []Member{{OrgID: Said[int64](2), Extend: Said(true), Org: &Org{Name: Said("B")}}}}},
	} {
		var got a
		if err := DecodeAttributes(strings.NewReader(`[`+text+`]`), func(a *Attribute) error { got = *a; return nil }); err != nil && !IsEmpty(err) {
			t.Errorf("%s: %v", text, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, should be\n%+v", text, got, want)
		}
	}
}

func uuidOf(s string) tocsin.UUID {
	u, err := tocsin.ParseUUID(s)
	if err != nil {
		panic(err)
	}
	return u
}

// A field that cannot be read is its own record's affair.
func TestProblems(t *testing.T) {
	e, err := DecodeEvent(strings.NewReader(`{"Event":{"info":"x","distribution":"far","Attribute":[
		{"value":"a.example"},
		{"value":"b.example","to_ids":"maybe","uuid":"17","timestamp":[1],"first_seen":"soon","Tag":[{"name":{"a":1}}]},
		{"value":"c.example","distribution":true}],
		"Object":[{"template_version":"x","Attribute":[{"id":"x","Tag":7}]}]}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, ps := range [][]Problem{e.Problems, e.Attributes[0].Problems, e.Attributes[1].Problems, e.Attributes[2].Problems, e.Objects[0].Problems, e.Objects[0].Attributes[0].Problems} {
		for _, p := range ps {
			got = append(got, p.Error())
		}
		got = append(got, "")
	}
	want := `/Event/distribution: "far" is not a whole number


/Event/Attribute/1/to_ids: "maybe" is not true or false
/Event/Attribute/1/uuid: "17" is not a UUID
/Event/Attribute/1/timestamp: a list is not a whole number
/Event/Attribute/1/first_seen: "soon" is not a time such as 2024-09-01T00:00:00.000000+00:00
/Event/Attribute/1/Tag/0/name: an object is not a text

/Event/Attribute/2/distribution: "true" is not a whole number

/Event/Object/0/template_version: "x" is not a whole number

/Event/Object/0/Attribute/0/id: "x" is not a whole number
/Event/Object/0/Attribute/0/Tag: a number is not a list
`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got:\n%s", text)
	}
}

// Bad JSON ends the reading and says where.
func TestErrors(t *testing.T) {
	deep := strings.Repeat(`[`, 1_000_000)
	objects := strings.Repeat(`{"Tag":`, 1_000_000)
	for _, test := range []struct{ text, want string }{
		{"", "invalid MISP JSON: line 1 (byte 0): there is nothing to read"},
		{" \n ", "there is nothing to read"},
		{"{\"Event\":{\n\"info\":\"x\",\n\"Attribute\":[{\"value\":\"a\"},\n{\"value\":\"b}", "invalid MISP JSON: line 4 (byte 59) at /Event/Attribute/1/value: the text ends too early"},
		{"{\"Event\":{\n\"info\": x\n}}", "invalid MISP JSON: line 2 (byte 19) at /Event/info: invalid character 'x' at start of value"},
		{"{\"Event\":{\"info\":\"a\"}}\n{\"Event\":{}}", "invalid MISP JSON: line 2 (byte 24): something follows after the end"},
		{`{"Event":{"info":"a"}}]`, "invalid MISP JSON: line 1 (byte 22): "},
		{`[{"info":"a"},{"info":"b"}]`, "there is a second event where one is expected"},
		{`{"foo":1}`, "nothing found"},
		{`{"Event":{}}`, "nothing found"},
		{`{"Event":{"foo":1}}`, "nothing found"},
		{`[]`, "nothing found"},
		{`7`, "nothing found"},
		{deep, "it is nested too deep"},
		{`{"Event":` + deep, "exceeded max depth"},
		{`{"Event":{"foo":` + deep, "exceeded max depth"},
		{`{"Event":{"info":` + deep, "exceeded max depth"},
		{`{"Event":{"Tag":` + deep, "exceeded max depth"},
		{`{"Event":{"Tag":` + objects, "exceeded max depth"},
		{`{"Event":{"Attribute":[` + objects, "exceeded max depth"},
		{`{"response":` + strings.Repeat(`{"response":`, 1_000_000), "it is nested too deep"},
	} {
		e, err := DecodeEvent(strings.NewReader(test.text), nil)
		if err == nil {
			t.Errorf("%.80s: read as %+v", test.text, e)
			continue
		}
		if !strings.Contains(err.Error(), test.want) || tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%.80s: %s: %.300v", test.text, tocsin.CodeOf(err), err)
		}
	}
	broken := errors.New("the line went dead")
	_, err := DecodeEvent(iotest.ErrReader(broken), nil)
	if !errors.Is(err, broken) || tocsin.CodeOf(err) != tocsin.Internal {
		t.Errorf("a reader's error: %v", err)
	}
	if _, err := DecodeEvent(strings.NewReader(`{"Attribute":[{"id":1},{"id":2}]}`), func(*Attribute) error { return broken }); err != broken {
		t.Errorf("each's error: %v", err)
	}
}

// Small text must not become large memory.
func TestLimits(t *testing.T) {
	crowd := strings.Repeat(`{},`, 20) + `{}`
	for _, text := range []string{
		`{"info":"x","Attribute":[` + crowd + `]}`,
		`{"info":"x","Tag":[` + crowd + `]}`,
		`{"info":"x","Object":[{"Attribute":[{"Sighting":[` + crowd + `]}]}]}`,
		`{"info":"x","Object":[{"ObjectReference":[` + crowd + `]}]}`,
		`{"info":"x","SharingGroup":{"SharingGroupOrg":[` + crowd + `]}}`,
		`{"info":"x","Attribute":[{"value":[` + strings.Repeat(`"",`, 20) + `""]}]}`,
	} {
		r := newReader(strings.NewReader(text))
		r.kept = maxKept - 10
		if r.event(new(Event), nil); r.err == nil || !strings.Contains(r.err.Error(), "more than 1048576 records") {
			t.Errorf("%.60s…: %v", text, r.err)
		}
	}
	tagged := strings.ReplaceAll(crowd, `{}`, `{"Tag":["a"]}`)
	r, n := newReader(strings.NewReader(`{"info":"x","Attribute":[`+tagged+`]}`)), 0
	r.kept = maxKept - 10
	if r.event(new(Event), func(*Attribute) error { n++; return nil }); r.err != nil || n != 21 {
		t.Errorf("handed on %d, %v", n, r.err)
	}
	e := must(DecodeEvent(strings.NewReader(`{`+strings.Repeat(`"id":[],`, 1000)+`"id":1}`), nil))(t)
	if len(e.Problems) != maxProblems {
		t.Errorf("%d problems", len(e.Problems))
	}
	p := must(DecodeEvent(strings.NewReader(`{"info":"x","id":"`+strings.Repeat("é", 100_000)+`"}`), nil))(t).Problems[0]
	if len(p.Found) > 100 {
		t.Errorf("%d octets of a bad field are told", len(p.Found))
	}
}

func TestSeen(t *testing.T) {
	for text, want := range map[string]string{
		"2024-09-01T00:00:00.000000+00:00":      "2024-09-01T00:00:00.000000+00:00",
		"2024-09-02T12:30:00.123456+02:00":      "2024-09-02T10:30:00.123456+00:00",
		"2024-09-02T12:30:00.123456789+0200":    "2024-09-02T10:30:00.123456+00:00",
		"2024-09-02T12:30:00Z":                  "2024-09-02T12:30:00.000000+00:00",
		"2024-09-02T12:30:00":                   "2024-09-02T12:30:00.000000+00:00",
		"2024-09-02 12:30:00.5":                 "2024-09-02T12:30:00.500000+00:00",
		"2024-09-02 12:30:00+01:00":             "2024-09-02T11:30:00.000000+00:00",
		"2024-09-02":                            "2024-09-02T00:00:00.000000+00:00",
		"1725148800":                            "2024-09-01T00:00:00.000000+00:00",
		"1725148800.25":                         "2024-09-01T00:00:00.250000+00:00",
		"1725148800250000":                      "2024-09-01T00:00:00.250000+00:00",
		"-86400":                                "1969-12-31T00:00:00.000000+00:00",
		"0001-01-01T00:00:00+00:00":             "", // our word for nothing
		"9999-12-31T23:59:59-01:00":             "",
		"9223372036854775807":                   "",
		"-9223372036854775808":                  "",
		"2024":                                  "",
		"1725148800.x":                          "",
		"1725148800.-1":                         "",
		"2024-13-01T00:00:00Z":                  "",
		"tomorrow":                              "",
		"2024-09-02T12:30:00.123456+02:00 junk": "",
	} {
		at, ok := parseSeen(text)
		if ok != (want != "") || ok && (at.Format(seenLayout) != want || at.Nanosecond()%1000 != 0) {
			t.Errorf("%s: %v %v", text, at, ok)
		}
	}
}

func TestDecodeOthers(t *testing.T) {
	o := must(DecodeObject(strings.NewReader(`{"Object":{"name":"domain-ip","meta-category":"network","template_uuid":"` + someUUID + `","template_version":"9",
		"Attribute":[{"object_relation":"domain","type":"domain","value":"evil.example"}],
		"ObjectReference":[{"referenced_uuid":"` + someUUID + `","relationship_type":"related-to"},{"source_uuid":null,"target_uuid":"` + someUUID + `","relation":"child-of"}]}}`)))(t)
	if len(o.Problems) > 0 || o.TemplateVersion.Or(0) != 9 || o.Attributes[0].Relation.Or("") != "domain" || len(o.References) != 2 || o.References[1].Relation.Or("") != "child-of" || !o.References[1].Referenced.Present() {
		t.Errorf("%+v", o)
	}
	g := must(DecodeTag(strings.NewReader(`{"Tag":{"name":"tlp:green","exportable":"maybe"}}`)))(t)
	if g.Name.Or("") != "tlp:green" || len(g.Problems) != 1 {
		t.Errorf("%+v", g)
	}
	sg := must(DecodeSharingGroup(strings.NewReader(`{"SharingGroupOrg":[{"org_id":2}],"Organisation":{"id":1},"SharingGroup":{"name":"x","releasability":"y"}}`)))(t)
	if sg.Name.Or("") != "x" || len(sg.Members) != 1 || sg.Org == nil {
		t.Errorf("%+v", sg)
	}
	org := must(DecodeOrg(strings.NewReader(`{"name":"Example CERT","contacts":null}`)))(t)
	if org.Name.Or("") != "Example CERT" || org.Contacts.Present() {
		t.Errorf("%+v", org)
	}
	for _, text := range []string{`{}`, `[]`, `{"x":1}`} {
		if _, err := DecodeTag(strings.NewReader(text)); !IsEmpty(err) {
			t.Errorf("%s: %v", text, err)
		}
	}
	e := must(DecodeEvent(bytes.NewReader([]byte(`{"Event":{"info":"x","EventReport":[{"name":"r","content":"# r"}],"ShadowAttribute":[{"value":"p.example","old_id":"3","Org":{"name":"B"}}],
		"Attribute":[{"value":"a.example","Sighting":[{"type":"1","date_sighting":"1725148800","Organisation":{"name":"B"}}]}]}}`)), nil))(t)
	if e.Reports[0].Content.Or("") != "# r" || e.Proposals[0].Old.Or(0) != 3 || e.Attributes[0].Sightings[0].At.Or(0) != 1725148800 {
		t.Errorf("%+v", e)
	}
}
