package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

type storeTx = store.Tx

// nothing is an index that holds nothing.
type nothing struct{}

func (nothing) Look(*access.Sight) Look { return nothing{} }
func (nothing) FindMax(_ indicator.Key, dst []Claim, _ int) ([]Claim, bool) {
	return dst, false
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		in   string
		want []string
	}{
		{"", nil},
		{"a", []string{"a"}},
		{"a\nb\n", []string{"a", "b"}},
		{"\ufeffa\r\n \n\n\tb \n", []string{"a", "b"}},
		{long + "\nb\n", []string{"long", "b"}},
		{"a\n" + long, []string{"a", "long"}},
		{"a\n" + long + "\n\nb", []string{"a", "long", "b"}},
		{strings.Repeat("y", 80) + "\nb", []string{strings.Repeat("y", 80), "b"}},
	} {
		for name, in := range map[string]io.Reader{
			"at once": strings.NewReader(c.in), "by octets": iotest.OneByteReader(strings.NewReader(c.in)),
			"with its end": iotest.DataErrReader(strings.NewReader(c.in)),
		} {
			var got []string
			l := newLines(in, 16, 90)
			for {
				line, err := l.next(func() error { return nil })
				if err == io.EOF {
					break
				}
				if err == errLongLine {
					line = []byte("long")
				} else if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(line))
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%q %s: %q, want %q", c.in, name, got, c.want)
			}
		}
	}
}

// A stream that breaks has no last line.
func TestBrokenStream(t *testing.T) {
	broken := errors.New("broken")
	l := newLines(io.MultiReader(strings.NewReader("a\nhal"), iotest.ErrReader(broken)), 16, 90)
	if line, err := l.next(func() error { return nil }); string(line) != "a" || err != nil {
		t.Errorf("%q %v", line, err)
	}
	if line, err := l.next(func() error { return nil }); err != broken {
		t.Errorf("%q %v", line, err)
	}
}

// Whatever comes in, each line that is not blank gets one line of JSON that
// names the value as it was given, and the short way to a key is no other way.
func FuzzLookup(f *testing.F) {
	for _, s := range []string{"evil.example", `"a.b"`, `{"value":"a.b"}`, `{"value":"\ud800"}`, "\xff\xfe", "\"\xff.example\"", `{"value":1}`, "bad.exe",
		"co.uk", "a..b", "cve-2024-1.example", "xn--a.example", "1.2.3.4", "as123.example", "{", `"`, "a.b\nc.d\r\n\n", "hkey_x.example",
		strings.Repeat("a.", 130) + "example", "a.ck", "\x00", `{"value":"a.b","value":"c.d"}`, "d41d8cd98f00b204e9800998ecf8427.e"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		ask := &asker{look: nothing{}, endings: &endings{}, mentions: true, parents: true}
		var out bytes.Buffer
		if err := ask.all(bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		lines := 0
		for line := range bytes.Lines(in) {
			line = trim(bytes.TrimSuffix(line, []byte("\n")))
			if len(line) == 0 {
				continue
			}
			lines++
			text, _, err := readValue(line)
			if err != nil {
				continue
			}
			if fast := (&endings{}).plainName(text); fast {
				v, err := indicator.Detect(string(text))
				switch {
				case err != nil && !strings.Contains(err.Error(), "is a public suffix"):
					t.Errorf("%q is taken for a name: %v", text, err)
				case err == nil && string(v.Keys()[0]) != "d:"+string(text):
					t.Errorf("%q is taken for a name: it is %s", text, v.Keys()[0])
				}
			}
		}
		answers := bytes.Split(bytes.TrimSuffix(out.Bytes(), []byte("\n")), []byte("\n"))
		if out.Len() == 0 {
			answers = nil
		}
		if len(answers) != lines {
			t.Errorf("%d answers to %d lines: %q", len(answers), lines, out.Bytes())
		}
		for _, a := range answers {
			var answer struct {
				Value *string
				Found *bool
			}
			if err := json.Unmarshal(a, &answer); err != nil || !utf8.Valid(a) || answer.Value == nil || answer.Found == nil {
				t.Errorf("%v: %q", err, a)
			}
		}
	})
}
