package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A badList is a list with something wrong in it.
type badList struct {
	name  string
	query string // of the import
	list  func() io.Reader
	says  string   // what the sender is told
	keeps []string // what is taken all the same
	most  uint64   // octets that may be allocated meanwhile; 0: 24 MiB
}

func text(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }

// among puts lines among good ones.
func among(lines ...string) func() io.Reader {
	return text("before.example\n" + strings.Join(lines, "\n") + "\nafter.example\n")
}

var around = []string{"before.example", "after.example"}

// packed is a text as gzip.
func packed(s string) string {
	var b strings.Builder
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func zipped(s string) func() io.Reader { return text(packed(s)) }

// cut is a list without its last octets.
func cut(list func() io.Reader, n int) func() io.Reader {
	b, _ := io.ReadAll(list())
	return text(string(b[:len(b)-n]))
}

// A repeated is a text again and again, without holding it.
type repeated struct {
	text string
	left int // octets
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) && r.left > 0 {
		m := copy(p[n:min(len(p), n+r.left)], r.text[r.at:])
		r.at = (r.at + m) % len(r.text)
		n, r.left = n+m, r.left-m
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// bomb is gzip of a text again and again.
func bomb(text string) func() io.Reader {
	return func() io.Reader {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		io.Copy(z, &repeated{text: text, left: 64 << 20})
		z.Close()
		return &b
	}
}

// long is a line of a hundred megabytes among good ones.
func long() io.Reader {
	return io.MultiReader(strings.NewReader("before.example\n"), &repeated{text: "x", left: 100_000_000}, strings.NewReader("\nafter.example\n"))
}

const (
	tooLong  = `"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…": it is longer than 65,536 octets`
	boom     = "invalid: the gzip file unpacks to more than 200 times its size, which no list does\n"
	breaks   = "invalid: the gzip file breaks off; fetch it again: unexpected EOF\n"
	isBinary = "invalid: the file is binary, not text\n"
	values   = `{\"value\":{\"value\":{\"value\":{\"value\":{\"value\":{\"value\":{\"value\":{\"value\":{\"value\"…`
	noObject = "it is not a JSON object with type and value"
)

var badLists = []badList{
	{name: "empty", list: text(""), says: "invalid: the file is empty\n"},
	{name: "empty gzip", list: zipped(""), says: "invalid: the file is empty\n"},
	{name: "blank", list: text("\n \r\n\n"), says: "invalid: the list holds no values\n"},
	{name: "comments", list: text("# nothing\n# at all\n"), says: "invalid: the list holds no values\n"},
	{name: "binary", list: text("\x7fELF\x02\x01\x01\x00\x00\x00"), says: isBinary},
	{name: "NUL", list: among("evil\x00.example"), says: isBinary},
	{name: "late NUL", list: among(strings.Repeat("# a comment that nobody reads\n", 5000), "evil\x00.example"),
		says: "line 5003: \"evil\\x00.example\": it holds a NUL character\n", keeps: around},
	{name: "Latin-1", list: among("caf\xe9.example"),
		says: "line 2: \"caf\ufffd.example\": it is not valid UTF-8: convert the text first\n", keeps: around},
	{name: "UTF-16", list: text("\xff\xfeb\x00e\x00"), says: "invalid: the file is UTF-16; convert it to UTF-8 first\n"},
	{name: "byte order mark", list: text("\ufeffbefore.example\nafter.example\n"), keeps: around},
	{name: "CRLF", list: text("before.example\r\n\r\nafter.example\r\n"), keeps: around},
	{name: "CR", list: text("before.example\rafter.example\r"),
		says: "invalid: line 1 can't be taken: \"before.example\\rafter.example\": it holds a line break: is it several values?\n"},
	{name: "no value", list: text("what is this\nand that\n"), says: "invalid: none of 2 lines can be taken; the first is line 1: \"what is this\": " + nothing + "\n"},

	{name: "100 MB line", list: long, says: "line 2: " + tooLong + "\n", keeps: around},
	{name: "100 MB line of CSV", query: "format=csv&type=domain", list: long, says: "line 2: " + tooLong + "\n", keeps: around},
	{name: "110 MB of one JSON text", most: 640 << 20, says: "invalid: invalid MISP JSON: a single value is longer than 96 MiB\n", list: func() io.Reader {
		return io.MultiReader(strings.NewReader(`{"Event":{"info":"`), &repeated{text: "x", left: 110_000_000}, strings.NewReader(`","Attribute":[]}}`))
	}},
	{name: "100 MB line of hosts", query: "format=hosts", list: long, says: "invalid: none of 3 lines can be taken; the first is line 1: \"before.example\": " +
		"it does not begin with an address such as 0.0.0.0; is the file a plain list?\n"},

	{name: "gzip cut off", list: cut(zipped("before.example\n"), 6), says: breaks},
	{name: "gzip cut in its head", list: text("\x1f\x8b\x08"), says: breaks},
	{name: "no gzip", list: text("\x1f\x8bnot gzip at all"), says: "invalid: the gzip file is damaged; fetch it again: gzip: invalid header\n"},
	{name: "gzip in gzip", list: zipped(packed("before.example\n")), says: isBinary},
	{name: "bomb of one line", list: bomb("x"), says: boom},
	{name: "bomb of names", list: bomb("before.example # " + strings.Repeat("x", 1000) + "\n"), says: boom, most: 128 << 20}, // drafts, a batch at a time
	{name: "bomb of blank lines", list: bomb("\n"), says: boom},
	{name: "bomb of NUL", list: bomb("\x00"), says: isBinary},
	{name: "bomb of JSON", list: bomb(`[[{}],`), says: "invalid: the JSON is deeper than 64 levels\n"},

	{name: "web page", list: text("<!DOCTYPE html>\n<html><body>Sign in"), says: "invalid: the file is a web page or XML, not a list; does its address ask for a login, or has it moved?\n"},
	{name: "deep", list: text(strings.Repeat("[", 1_000_000)), says: "invalid: the JSON is deeper than 64 levels\n"},
	{name: "deep event", list: text(`{"Event":` + strings.Repeat(`{"a":`, 1_000_000)),
		says: "invalid: invalid MISP JSON: line 1 (byte 50004) at /Event" + strings.Repeat("/a", 47) + "…: exceeded max depth\n"},
	{name: "deep lines", query: "format=json",
		list: text(`{"value":"before.example"}` + "\n" + strings.Repeat(`{"value":`, 7000) + "\n" + strings.Repeat(`{"value":`, 1_000_000) + "\n" + `{"value":"after.example"}`),
		says: `line 2: "` + values + `": ` + noObject + "\n" + `line 3: "` + values + `": it is longer than 65,536 octets` + "\n", keeps: around},
	{name: "JSON cut off", list: text(`{"Event":{"info":"x","Attribute":[{"type":"domain","value":"before.example"},{"type":"domain","va`),
		says: "invalid: invalid MISP JSON: line 1 (byte 93) at /Event/Attribute/1: the text ends too early\n"},
	{name: "JSON line by line, escaped", query: "format=json", keeps: around,
		list: text(`{"value":"before.example"}` + "\n" + `{"type":"domain","value":"evil.example\n$INCLUDE /etc/passwd"}` + "\n" + `{"type":"domain","value":"evil\u0000.example"}` + "\n" + `{"value":"after.example"}`),
		says: `line 2: "evil.example\n$INCLUDE /etc/passwd": it holds a line break: is it several values?` + "\n" + `line 3: "evil\x00.example": it holds a NUL character` + "\n"},
	{name: "quoted line break", query: "format=csv&type=domain", keeps: around, list: among("\"evil.example\n$INCLUDE /etc/passwd\""),
		says: `line 2: "evil.example\n$INCLUDE /etc/passwd": it holds a line break: is it several values?` + "\n"},

	{name: "no format", query: "format=pdf", list: text("before.example\n"), says: "invalid: no format \"pdf\" to read; try one of [adblock csv dnsmasq edl-domain edl-ip edl-url hosts json misp misp-feed nftables rpz text unbound zeek]\n"},
	{name: "no type", query: "type=domian", list: text("before.example\n"), says: "invalid: line 1 can't be taken: \"domian\": there is no such type\n"},
}

func TestBadLists(t *testing.T) { throughBothDoors(t, badLists) }

// throughBothDoors sends lists with something wrong in them to a running
// exchange and to one that no server holds.
func throughBothDoors(t *testing.T, lists []badList) {
	for _, d := range []struct {
		name string
		door
		fine, failed int
	}{
		{"serve", &front{newWorld(t, "telco"), "telco"}, http.StatusOK, http.StatusBadRequest},
		{"offline", newBack(t), exitOK, exitFailed},
	} {
		t.Run(d.name, func(t *testing.T) {
			for _, b := range lists {
				t.Run(b.name, func(t *testing.T) {
					status := d.fine
					if len(b.keeps) == 0 {
						status = d.failed
					}
					b.send(t, d.door, status)
					good := badList{name: "after " + b.name, list: text("before.example\nafter.example\n"), keeps: around}
					good.send(t, d.door, d.fine)
				})
			}
		})
	}
}

// send sends the list and looks at what its sender is told, what is kept of it,
// and what it takes to read it.
func (b *badList) send(t *testing.T, d door, status int) {
	t.Helper()
	query, err := url.ParseQuery(b.query)
	if err != nil {
		t.Fatal(err)
	}
	query.Set("name", b.name)
	list := b.list()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o := d.take(t, query, list)
	runtime.ReadMemStats(&after)
	if o.said != b.says {
		t.Errorf("%s: it says\n%s\nwant\n%s", b.name, o.said, b.says)
	}
	if o.status != status {
		t.Errorf("%s: status %d, want %d", b.name, o.status, status)
	}
	if kept := d.values(t, o.event); !slices.Equal(kept, b.keeps) || o.written != int64(len(kept)) {
		t.Errorf("%s: it keeps %q and says that it wrote %d; want %q", b.name, kept, o.written, b.keeps)
	}
	// All that was ever allocated, not what is held: a number that no collector moves.
	if took := after.TotalAlloc - before.TotalAlloc; took > cmp.Or(b.most, 24<<20) {
		t.Errorf("%s: it took %d MiB", b.name, took>>20)
	}
}
