package misp

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"tocsin/access"
)

// FuzzDecode reads anything. What it can read as an event it writes as words
// are written, and reads and writes that again: from then on nothing changes.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		`{"Event":{"info":"x","Attribute":[{"type":"domain","value":"evil.example","Tag":[{"name":"tlp:green"}],"first_seen":"2024-09-01"}]}}`,
		`{"response":[{"Event":{"uuid":"0f3a52c4-1c53-4c1f-8f3b-1f2f5a1d9e01","Object":[{"name":"file","Attribute":{"value":1}}]}}]}`,
		`[{"value":["a","b"],"to_ids":"1","distribution":"5"},{"Attribute":{"0":{"value":null}}}]`,
		`{"SharingGroup":{"name":"g","SharingGroupOrg":[{"org_id":1,"Organisation":{"name":"o"}}]}}`,
		"\ufeff{\"Event\":{\"info\":\"\\ud800\xff\",\"Tag\":\"a\"}}",
		`[[[[[[[[[[[[]]]]]]]]]]]]`,
	} {
		f.Add([]byte(text))
	}
	files, _ := filepath.Glob(filepath.Join("testdata", "*.json"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var rec recording
		if err := json.Unmarshal(text, &rec); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(rec.Response.Body))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		DecodeAttributes(bytes.NewReader(text), func(*Attribute) error { return nil })
		DecodeObject(bytes.NewReader(text))
		DecodeTag(bytes.NewReader(text))
		DecodeOrg(bytes.NewReader(text))
		DecodeReference(bytes.NewReader(text))
		DecodeSharingGroup(bytes.NewReader(text))
		n := 0
		streamed, streamErr := DecodeEvent(bytes.NewReader(text), func(*Attribute) error { n++; return nil })
		e, err := DecodeEvent(bytes.NewReader(text), nil)
		if (err == nil) != (streamErr == nil) {
			t.Fatalf("at once %v, streamed %v", err, streamErr)
		}
		if err != nil {
			return
		}
		if n != len(e.Attributes) || streamed.Info != e.Info {
			t.Fatalf("streamed %d attributes of %d", n, len(e.Attributes))
		}
		first := write(e)
		e, err = DecodeEvent(bytes.NewReader(first), nil)
		if err != nil {
			t.Fatalf("%v in what we wrote: %s", err, first)
		}
		if ps := problems(e); len(ps) > 0 {
			t.Fatalf("%v in what we wrote: %s", ps, first)
		}
		var a, b any
		second := write(e)
		if err := json.Unmarshal(first, &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(second, &b); err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("first\n%s\nsecond\n%s\n%v", first, second, err)
		}
	})
}

func write(e *Event) []byte {
	w := newWorld()
	w.kept(e)
	event, attributes, objects := w.words(e)
	c := Encoder{Names: w, Viewer: access.System("test"), Own: true}
	return c.AppendEvent(nil, event, attributes, objects, Beside{})
}
