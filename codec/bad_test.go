package codec_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"tocsin"
	"tocsin/codec"
)

// Every reader of lines says the same of what is no text.
func TestBadText(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "error: the file is empty\nthe end\n"},
		{"binary", "\x7fELF\x00\x01", "error: the file is binary, not text\nthe end\n"},
		{"UTF-16", "\xff\xfee\x00v\x00", "error: the file is UTF-16; convert it to UTF-8 first\nthe end\n"},
		{"web page", "\ufeff\n<!DOCTYPE html>\n<html>", "error: the file is a web page or XML, not a list; does its address ask for a login, or has it moved?\nthe end\n"},
		{"XML", "<?xml version=\"1.0\"?>", "error: the file is a web page or XML, not a list; does its address ask for a login, or has it moved?\nthe end\n"},
		{"gzip twice", "\x1f\x8b\x08\x00\x00", "error: the file is binary, not text\nthe end\n"},
		{"byte order mark", "\ufeffevil.example", "1 ? \"evil.example\"\n"},
		{"only a mark", "\ufeff", ""},
		{"CRLF", "evil.example\r\n\r\nmore.example\r\n", "1 ? \"evil.example\"\n3 ? \"more.example\"\n"},
		{"bad UTF-8", "evil.example\ncaf\xe9.example\nmore.example", "1 ? \"evil.example\"\nerror: line 2: it is not valid UTF-8: convert the text first\n3 ? \"more.example\"\n"},
		{"long line", "evil.example\n" + long + "\nmore.example", "1 ? \"evil.example\"\nerror: line 2: it is longer than 65,536 octets\n3 ? \"more.example\"\n"},
		{"long last line", "evil.example\n" + long, "1 ? \"evil.example\"\nerror: line 2: it is longer than 65,536 octets\n"},
		{"one too long", strings.Repeat("x", codec.MaxLine+1) + "\nmore.example", "error: line 1: it is longer than 65,536 octets\n2 ? \"more.example\"\n"},
		{"longest line", strings.Repeat("x", codec.MaxLine) + "\r\n", fmt.Sprintf("1 ? %q\n", strings.Repeat("x", codec.MaxLine))},
	} {
		for _, name := range []string{"text", "csv", "edl-domain"} {
			f, _ := codec.Reader(name)
			if _, said := readAll(f.Read(strings.NewReader(c.in), codec.Options{})); said != c.want {
				t.Errorf("%s, %s: got %.300s", name, c.name, said)
			}
		}
	}
}

// A NUL far into a text costs its line.
func TestLateNUL(t *testing.T) {
	f, _ := codec.Reader("text")
	in := strings.Repeat("evil.example\n", 10_000) + "e\x00vil.example\nmore.example\n"
	ds, said := readAll(f.Read(strings.NewReader(in), codec.Options{}))
	if len(ds) != 10_001 || !strings.Contains(said, "error: line 10001: it holds a NUL character\n10002 ") {
		t.Errorf("%d drafts", len(ds))
	}
}

func TestLineErrorShowsItsBeginning(t *testing.T) {
	f, _ := codec.Reader("text")
	for in, want := range map[string]string{
		strings.Repeat("é", 100_000):       strings.Repeat("é", 40) + "…",
		"x" + strings.Repeat("é", 100_000): "x" + strings.Repeat("é", 39) + "…",
		"a\xffb":                           "a\ufffdb",
	} {
		for _, err := range f.Read(strings.NewReader(in), codec.Options{}) {
			if e, ok := errors.AsType[*codec.LineError](err); !ok || e.Text != want {
				t.Errorf("got %v, %q, want %q", err, e.Text, want)
			}
		}
	}
}

// endless yields n octets of a line that does not end.
type endless struct{ n int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), e.n)
	if e.n -= n; n == 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = 'x'
	}
	return n, nil
}

func TestHugeLineTakesConstantMemory(t *testing.T) {
	for _, f := range codec.Formats() {
		if f.Name == "misp" || f.Name == "misp-feed" { // no lines
			continue
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, said := readAll(f.Read(&endless{100 << 20}, codec.Options{}))
		runtime.ReadMemStats(&after)
		if said != "error: line 1: it is longer than 65,536 octets\n" {
			t.Errorf("%s: %s", f.Name, said)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 2<<20 {
			t.Errorf("%s: a line of 100 MiB took %d KiB", f.Name, n>>10)
		}
	}
}

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(text)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestOpen(t *testing.T) {
	for _, text := range []string{"", "x", "evil.example\n"} {
		for _, in := range [][]byte{[]byte(text), zipped(t, []byte(text)), append(zipped(t, []byte(text)), zipped(t, nil)...)} {
			r, err := codec.Open(bytes.NewReader(in))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != text {
				t.Errorf("got %q, %v; want %q", got, err, text)
			}
		}
	}
}

// No half line comes out of a stream that breaks off: half a name is another name.
func TestTruncatedGzip(t *testing.T) {
	var text []byte
	for i := range 20_000 {
		text = fmt.Appendf(text, "%x.evil.example\n", rand.Uint64()|uint64(i))
	}
	whole := map[string]bool{}
	for l := range strings.Lines(string(text)) {
		whole[strings.TrimSpace(l)] = true
	}
	packed := zipped(t, text)
	f, _ := codec.Reader("text")
	for _, n := range []int{3, 11, 100, len(packed) / 2, len(packed) - 9, len(packed) - 1} {
		r, err := codec.Open(bytes.NewReader(packed[:n]))
		if err == nil {
			for d, e := range f.Read(r, codec.Options{}) {
				if err = e; e == nil && !whole[d.Text] {
					t.Fatalf("cut at %d: %q comes out", n, d.Text)
				}
			}
		}
		if err == nil || tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), "the gzip file") {
			t.Errorf("cut at %d: got %v", n, err)
		}
	}
	packed[len(packed)/2] ^= 0x55
	r, err := codec.Open(bytes.NewReader(packed))
	if err == nil {
		_, err = io.ReadAll(r)
	}
	if err == nil || !strings.Contains(err.Error(), "the gzip file") {
		t.Errorf("damaged: got %v", err)
	}
}

func TestGzipBomb(t *testing.T) {
	bomb := zipped(t, make([]byte, 64<<20))
	limit := codec.Limit{Bytes: 1 << 30, Ratio: 200, Grace: 1 << 20}
	for _, c := range []struct {
		limit codec.Limit
		says  string
	}{
		{limit, "more than 200 times its size"},
		{codec.Limit{Bytes: 32 << 20, Ratio: 1 << 20}, "more than 32 MiB"},
	} {
		r, err := c.limit.Open(bytes.NewReader(bomb))
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, r)
		if err == nil || tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), c.says) || n > 33<<20 {
			t.Errorf("after %d octets: got %v, want %q", n, err, c.says)
		}
		if _, again := r.Read(make([]byte, 1)); again != err {
			t.Errorf("then %v", again)
		}
	}
	r, err := limit.Open(bytes.NewReader(zipped(t, make([]byte, 1<<20))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Errorf("within the grace: %v", err)
	}
}

// Lines that each open a quote, and close and open it again when they are read
// as a part of a record, would be read a thousand times over.
func TestQuotesAllOver(t *testing.T) {
	f, _ := codec.Reader("csv")
	in := "value,comment,more\n" + strings.Repeat("x\",,\"\n", 1<<20)
	var last error
	n := 0
	for _, err := range f.Read(strings.NewReader(in), codec.Options{}) {
		last, n = err, n+1
	}
	if n > 1000 || last == nil || !strings.Contains(last.Error(), "it is no CSV") {
		t.Errorf("after %d lines: %v", n, last)
	}
}

func TestDeepJSON(t *testing.T) {
	for _, name := range []string{"misp", "json"} {
		for _, in := range []string{strings.Repeat("[", 1_000_000), `{"Event":` + strings.Repeat(`{"a":`, 1_000_000)} {
			f, _ := codec.Reader(name)
			ds, said := readAll(f.Read(strings.NewReader(in), codec.Options{}))
			if len(ds) != 0 || !strings.HasPrefix(said, "error: ") || strings.Count(said, "\n") > 2 {
				t.Errorf("%s: %.300s", name, said)
			}
		}
	}
}
