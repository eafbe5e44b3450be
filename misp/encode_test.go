package misp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// What a text means survives, whatever is in it, and no text can end a script.
func TestText(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 `""`,
		`plain`:                            `"plain"`,
		`a"b\c/d`:                          `"a\"b\\c/d"`,
		"\x00\x01\b\f\n\r\t\x1f\x7f":       `"\u0000\u0001\u0008\u000c\n\r\t\u001f\u007f"`,
		`</script><!--`:                    `"\u003c/script>\u003c!--"`,
		"é日本😀":                             `"é日本😀"`,
		"\u2028\u2029\u202a":               `"\u2028\u2029` + "\u202a" + `"`,
		"a\xffb\xc3":                       "\"a\ufffdb\ufffd\"",
		"\xed\xa0\x80":                     "\"\ufffd\ufffd\ufffd\"", // a surrogate, which is no UTF-8
		"\ufffd":                           "\"\ufffd\"",
		strings.Repeat("x", 70) + "\xff\"": `"` + strings.Repeat("x", 70) + "\ufffd\\\"\"",
	} {
		got := string(appendText(nil, text))
		if got != want {
			t.Errorf("%q: %s, should be %s", text, got, want)
		}
		var back string
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Errorf("%q comes back as %q, %v", text, back, err)
		}
	}
}

// places is a small world for the tests below.
var places = &world{
	orgs: map[int64]*tocsin.Organisation{1: {ID: 1, UUID: uuidOf(someUUID), Name: "Example Telecom", Local: true}, 2: {ID: 2, Name: "Example CERT"}},
	tags: map[int64]*tocsin.Tag{
		1: {ID: 1, Name: "tlp:green", Colour: "#339900", Exportable: true},
		2: {ID: 2, Name: "ours", Exportable: true},
		3: {ID: 3, Name: "stays"},
		4: {ID: 4, Name: `misp-galaxy:threat-actor="Example Bear"`, Exportable: true},
		5: {ID: 5, Name: `misp-galaxy:threat-actor="` + someUUID + `"`, Exportable: true},
	},
	groups: map[int64]*tocsin.Group{7: {ID: 7, UUID: uuidOf(someUUID), Name: "operators", Org: 1, Members: []tocsin.Member{{Org: 2}}}},
	emails: map[int64]string{9: "analyst@telecom.example"},
}

func somewhere() *tocsin.Event {
	return &tocsin.Event{ID: 1, UUID: uuidOf(someUUID), Org: 1, Orgc: 1, User: 9, Info: "x", Distribution: access.Group, Group: 7,
		Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 1}, tocsin.Attached{Tag: 2, Local: true}, tocsin.Attached{Tag: 3}, tocsin.Attached{Tag: 99})}
}

// Who reads decides about the address of the creator and the sharing group;
// Own decides about tags that are to stay.
func TestReaders(t *testing.T) {
	for _, test := range []struct {
		who                string
		v                  access.Viewer
		own                bool
		email, group, tags bool
	}{
		{"nobody", access.Viewer{}, false, false, false, false},
		{"a colleague", access.NewViewer("", 3, 1, 0), true, true, false, true},
		{"a member", access.NewViewer("", 4, 2, 0, 7), true, false, true, true},
		{"a member's server", access.NewViewer("", 4, 2, 0, 7), false, false, true, false},
		{"a stranger", access.NewViewer("", 5, 3, 0, 6), true, false, false, true},
		{"an administrator", access.NewViewer("", 1, 4, access.Roles[0].Role), true, true, true, true},
	} {
		c := Encoder{Names: places, Viewer: test.v, Own: test.own, All: test.own}
		for form, text := range map[string][]byte{
			"view":  c.AppendEvent(nil, somewhere(), nil, nil, Beside{}),
			"index": c.AppendIndexRow(nil, somewhere(), 0),
		} {
			has := func(s string) bool { return bytes.Contains(text, []byte(s)) }
			if has("analyst@telecom.example") != (test.email && form == "view") || has("operators") != test.group || has(`"ours"`) != test.tags || has(`"stays"`) != test.tags || !has("tlp:green") {
				t.Errorf("%s, %s: %s", test.who, form, text)
			}
		}
	}
}

// The creator's organisation is told who entered an event, not the one that holds it here.
func TestCreatorAbroad(t *testing.T) {
	e := somewhere()
	e.Orgc = 2
	for org, told := range map[int64]bool{1: false, 2: true, 3: false} {
		c := Encoder{Names: places, Viewer: access.NewViewer("", 3, org, 0)}
		if text := c.AppendEvent(nil, e, nil, nil, Beside{}); bytes.Contains(text, []byte("event_creator_email")) != told {
			t.Errorf("organisation %d: %s", org, text)
		}
	}
}

func TestTagsLeftOut(t *testing.T) {
	c := Encoder{Names: places}
	a := &tocsin.Attribute{Tags: tocsin.NewTagSet(tocsin.Attached{Tag: 2, Local: true})}
	for f := Bare; f <= FoundInObject; f++ {
		if text := c.AppendAttribute(nil, a, f, More{}); !json.Valid(text) || bytes.Contains(text, []byte("ours")) || bytes.Contains(text, []byte(`"Tag"`)) {
			t.Errorf("form %d: %s", f, text)
		}
	}
	found := c.AppendFound(nil, a, somewhere(), nil, More{Inherited: tocsin.NewTagSet(tocsin.Attached{Tag: 3}, tocsin.Attached{Tag: 1}, tocsin.Attached{Tag: 2})})
	if !json.Valid(found) || bytes.Contains(found, []byte("stays")) || !bytes.Contains(found, []byte(`"tlp:green","colour":"#339900","numerical_value":null,"inherited":1}]`)) {
		t.Errorf("%s", found)
	}
	for id, want := range map[int64]string{1: `"is_galaxy":false,"is_custom_galaxy":false`, 4: `"is_galaxy":true,"is_custom_galaxy":false`, 5: `"is_galaxy":true,"is_custom_galaxy":true`} {
		if text := c.AppendTag(nil, places.tags[id]); !bytes.Contains(text, []byte(want)) {
			t.Errorf("%s", text)
		}
	}
}

// An event in pieces, the buffer emptied after each, is the event at once.
func TestStream(t *testing.T) {
	e, attributes, objects := crowd(100)
	c := Encoder{Names: places, Viewer: access.System("test"), Own: true}
	want := c.AppendEvent(nil, e, attributes, objects, Beside{})

	var out bytes.Buffer
	var b []byte
	most := 0
	send := func(piece []byte) { most = max(most, len(piece)); out.Write(piece); b = piece[:0] }
	s := c.Event(e, Beside{})
	send(s.Head(b))
	for i := range attributes {
		if attributes[i].Object == 0 {
			send(s.Attribute(b, &attributes[i], More{}))
		}
	}
	for i := range objects {
		send(s.Object(b, &objects[i], nil))
		for j := range attributes {
			if attributes[j].Object == objects[i].ID {
				send(s.Attribute(b, &attributes[j], More{}))
			}
		}
	}
	send(s.Tail(b))
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("in pieces\n%s\nat once\n%s", out.Bytes(), want)
	}
	if most > 2000 {
		t.Errorf("a piece has %d octets", most)
	}
	back := must(DecodeEvent(bytes.NewReader(want), nil))(t)
	if len(back.Attributes) != 80 || len(back.Objects) != 3 || len(back.Objects[0].Attributes) != 10 || len(back.Objects[2].Attributes) != 0 {
		t.Errorf("read back: %d attributes, %d objects", len(back.Attributes), len(back.Objects))
	}
}

// What is not known must not break an answer, nor the zero of anything.
func TestZero(t *testing.T) {
	c := Encoder{Names: &world{}}
	for _, text := range [][]byte{
		c.AppendEvent(nil, new(tocsin.Event), make([]tocsin.Attribute, 2), make([]tocsin.Object, 2), Beside{Related: []*tocsin.Event{{}, {}}, Inbound: true}),
		c.AppendEvent(nil, new(tocsin.Event), nil, nil, Beside{Metadata: true, NoRelated: true}),
		c.AppendIndexRow(nil, new(tocsin.Event), 0),
		c.AppendMinimalRow(nil, new(tocsin.Event), 0),
		c.AppendFound(nil, new(tocsin.Attribute), new(tocsin.Event), nil, More{}),
		c.AppendRelated(nil, new(tocsin.Attribute), new(tocsin.Event)),
		c.AppendObject(nil, new(tocsin.Object), new(tocsin.Event), make([]tocsin.Attribute, 2), InObject),
		c.AppendGroupAnswer(nil, &tocsin.Group{Members: make([]tocsin.Member, 2)}),
		c.AppendTag(nil, new(tocsin.Tag)),
	} {
		if !json.Valid(text) {
			t.Errorf("%s", text)
		}
	}
}

// crowd is an event of n attributes; of the last two tenths each is in an
// object, and a third object is empty.
func crowd(n int) (*tocsin.Event, []tocsin.Attribute, []tocsin.Object) {
	attributes := make([]tocsin.Attribute, n)
	for i := range attributes {
		value, err := indicator.Parse("domain", fmt.Sprintf("bad-%d.example.org", i))
		if err != nil {
			panic(err)
		}
		attributes[i] = tocsin.Attribute{ID: int64(i + 1), UUID: uuidOf(someUUID), Event: 1, Category: indicator.NetworkActivity, Value: value, ToIDS: true,
			Distribution: access.Inherit, Timestamp: 1725148800}
		if object := i/(n/10) - 7; object > 0 {
			attributes[i].Object = int64(object)
		}
	}
	return somewhere(), attributes, []tocsin.Object{{ID: 1}, {ID: 2}, {ID: 3}}
}
