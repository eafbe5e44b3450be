package codec_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"tocsin"
	"tocsin/access"
	"tocsin/codec"
	"tocsin/indicator"
)

var update = flag.Bool("update", false, "write what came out into testdata")

// TestFormats reads and writes the examples. A case of testdata/FORMAT.txtar is
// NAME.in, the drafts that are read from it, and what those are written as if
// the format can be written.
func TestFormats(t *testing.T) {
	for _, f := range codec.Formats() {
		path := filepath.Join("testdata", f.Name+".txtar")
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Errorf("a format wants examples: %v", err)
			continue
		}
		got := &txtar.Archive{Comment: ar.Comment}
		for _, in := range ar.Files {
			name, ok := strings.CutSuffix(in.Name, ".in")
			if !ok {
				continue
			}
			drafts, said := readAll(f.Read(packed(t, f, in.Data), codec.Options{}))
			got.Files = append(got.Files, in, txtar.File{Name: name + ".drafts", Data: []byte(said)})
			if f.List != nil {
				var out bytes.Buffer
				if err := f.List(&out, listOf(drafts)); err != nil {
					t.Errorf("%s %s: %v", f.Name, name, err)
				}
				got.Files = append(got.Files, txtar.File{Name: name + ".list", Data: out.Bytes()})
			}
			if f.Write != nil {
				var out bytes.Buffer
				if err := f.Write(&out, rows(drafts)); err != nil {
					t.Errorf("%s %s: %v", f.Name, name, err)
				}
				got.Files = append(got.Files, txtar.File{Name: name + ".out", Data: out.Bytes()})
			}
		}
		if *update {
			if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for i, want := range ar.Files {
			if i >= len(got.Files) || want.Name != got.Files[i].Name || !bytes.Equal(want.Data, got.Files[i].Data) {
				var have []byte
				if i < len(got.Files) {
					have = got.Files[i].Data
				}
				t.Errorf("%s: %s:\n got %s\nwant %s", path, want.Name, have, want.Data)
			}
		}
	}
}

// listOf is a collection of what drafts name.
func listOf(ds []codec.Draft) codec.List {
	l := codec.Named(rows(ds))
	l.Name, l.Serial = "protect", 4711
	claims := l.Items
	l.Items = func(kinds ...indicator.Kind) iter.Seq2[codec.Item, error] {
		return func(yield func(codec.Item, error) bool) {
			for i, err := range claims(kinds...) {
				i.Row = nil // of whoever claims it, a collection says nothing
				if !yield(i, err) {
					return
				}
			}
		}
	}
	return l
}

// packed is an example as its format wants it: the files of a feed stand in one
// another, each behind a line ">> NAME".
func packed(t *testing.T, f codec.Format, data []byte) io.Reader {
	t.Helper()
	if f.Name != "misp-feed" {
		return bytes.NewReader(data)
	}
	folder := fstest.MapFS{}
	for part := range strings.SplitSeq(string(data), ">> ") {
		if name, text, ok := strings.Cut(part, "\n"); ok {
			folder[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	var b bytes.Buffer
	if err := codec.PackFeed(&b, folder); err != nil {
		t.Fatal(err)
	}
	return &b
}

// readAll reads drafts until the end and puts them into words.
func readAll(source iter.Seq2[codec.Draft, error]) (ds []codec.Draft, said string) {
	var b strings.Builder
	for d, err := range source {
		if err != nil {
			fmt.Fprintf(&b, "error: %v\n", err)
			if line, ok := errors.AsType[*codec.LineError](err); !ok || line.Number < 1 {
				b.WriteString("the end\n")
			}
			continue
		}
		ds = append(ds, d)
		fmt.Fprintf(&b, "%d %s %q", d.Line, cmp.Or(d.Type, "?"), d.Text)
		for _, f := range []struct {
			name  string
			value any
			zero  bool
		}{
			{"category", d.Category, d.Category == ""}, {"comment", d.Comment, d.Comment == ""}, {"relation", d.Relation, d.Relation == ""},
			{"uuid", d.UUID, d.UUID.IsZero()}, {"timestamp", d.Timestamp, d.Timestamp == 0}, {"deleted", d.Deleted, !d.Deleted},
			{"tags", tagWords(d.Tags), len(d.Tags) == 0}, {"first", d.FirstSeen.Format(time.RFC3339), d.FirstSeen.IsZero()}, {"last", d.LastSeen.Format(time.RFC3339), d.LastSeen.IsZero()},
		} {
			if !f.zero {
				fmt.Fprintf(&b, " %s=%q", f.name, fmt.Sprint(f.value))
			}
		}
		if d.ToIDS != nil {
			fmt.Fprintf(&b, " to_ids=%v", *d.ToIDS)
		}
		if d.Distribution != nil {
			fmt.Fprintf(&b, " distribution=%d", *d.Distribution)
		}
		b.WriteByte('\n')
	}
	return ds, b.String()
}

// rows makes rows of those drafts that hold a value.
func rows(ds []codec.Draft) iter.Seq2[codec.Row, error] {
	return func(yield func(codec.Row, error) bool) {
		for _, d := range ds {
			var v indicator.Value
			var err error
			if d.Type == "" {
				v, err = indicator.Detect(d.Text)
			} else {
				v, err = indicator.Parse(d.Type, d.Text)
			}
			if err != nil {
				continue
			}
			c, _ := indicator.CategoryByName(cmp.Or(d.Category, v.Type().DefaultCategory))
			a := &tocsin.Attribute{Event: 1, Value: v, Category: c, Comment: d.Comment, UUID: d.UUID, Timestamp: d.Timestamp,
				Relation: d.Relation, ToIDS: d.ToIDS == nil || *d.ToIDS, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen}
			r := codec.Row{Attribute: a, Event: &tocsin.Event{ID: 1, Info: "an event"}, Org: "Ours"}
			for _, t := range d.Tags {
				r.Tags = append(r.Tags, t.Name)
			}
			r.TLP, _ = access.Markings(r.Tags)
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestLookup(t *testing.T) {
	_, err := codec.Writer("pdf")
	if err == nil || tocsin.CodeOf(err) != tocsin.Invalid || err.Error() != `no format "pdf" to write; try one of [adblock csv dnsmasq edl-domain edl-ip edl-url hosts json nftables rpz text unbound zeek]` {
		t.Errorf("got %v", err)
	}
	if _, err = codec.Writer("misp"); err == nil {
		t.Error("misp can be written")
	}
	for ending, want := range map[string]string{"txt": "text", "text": "text", "rpz": "rpz", "nft": "nftables", "intel": "zeek", "json": "json"} {
		if f, err := codec.Lister(ending); err != nil || f.Name != want {
			t.Errorf("a list called .%s is %q, %v; want %q", ending, f.Name, err, want)
		}
	}
	if _, err = codec.Lister("pdf"); err == nil || !strings.Contains(err.Error(), "edl-ip") {
		t.Errorf("got %v", err)
	}
	if f, err := codec.Reader("hosts"); err != nil || f.Name != "hosts" {
		t.Errorf("got %v", err)
	}
}

func TestGuess(t *testing.T) {
	for _, c := range []struct{ name, head, want string }{
		{"list.txt", "evil.example\n", "text"},
		{"list.txt.gz", "# a list\nevil.example\n", "text"},
		{"", "hxxp://evil.example/a,b\n", "text"},
		{"hosts.txt", "# hosts\n\n0.0.0.0 evil.example\n", "hosts"},
		{"", "127.0.0.1\tlocalhost\n", "hosts"},
		{"list.txt", "192.0.2.1\n", "text"},
		{"list.CSV", "evil.example\n", "csv"},
		{"list.txt", "\ufefftype,value,comment\n", "csv"},
		{"list.txt", "uuid;value\n", "csv"},
		{"event.json", `{"Event": {"info": "x"}}`, "misp"},
		{"", "[{\"Event\": {}}]", "misp"},
		{"", `{"type":"domain","value":"evil.example"}`, "json"},
		{"", "{\n \"response\": [{\"Event\": {}}]}", "misp"},
		{"", "[{\"indicator\": \"evil.example\"}]", "json"},
		{"", "[\n  \"evil.example\"\n]", "json"},
		{"list.txt", "# list\naddress=/evil.example/#\n", "dnsmasq"},
		{"list.txt", "server=/evil.example/\n", "dnsmasq"},
		{"list.txt", "# list\nserver:\n local-zone: x refuse\n", "unbound"},
		{"list.txt", "local-zone: \"evil.example.\" always_null\n", "unbound"},
		{"list.txt", "! Title: x\n||evil.example^\n", "adblock"},
		{"list.txt", "[Adblock Plus 2.0]\n", "adblock"},
		{"list.txt", "; zone\n$TTL 300\n@ SOA a. b. (\n", "rpz"},
		{"list.txt", "evil.example CNAME .\n", "rpz"},
		{"list.zone", "evil.example\n", "rpz"},
		{"list.txt", "#fields\tindicator\tindicator_type\n192.0.2.1\tIntel::ADDR\n", "zeek"},
		{"list.txt", "#!/usr/sbin/nft -f\ntable inet filter {\n", "nftables"},
		{"list.txt", "add element inet filter bad { 192.0.2.1 }\n", "nftables"},
		{"list.txt", "192.0.2.1\t10\n192.0.2.2\t9\n", "csv"},
		{"list.txt", "192.0.2.0/24 ; SBL1\n198.51.100.0/24 ; SBL2\n", "csv"},
		{"list.txt", "http://evil.example/a,b\nhttp://evil.example/c,d\n", "text"},
		{"list.txt", "192.0.2.1 # why, and when\n192.0.2.2 # why\n", "text"},
	} {
		f, err := codec.Guess(c.name, []byte(c.head))
		if err != nil || f.Name != c.want {
			t.Errorf("%s %q: got %q, %v; want %q", c.name, c.head, f.Name, err, c.want)
		}
	}
	for head, says := range map[string]string{
		"": "the file is empty", "a\x00b": "binary", "\xff\xfee\x00": "UTF-16", "\x1f\x8b\x08": "binary", "%PDF-1.7\x00": "binary", "<html><body>": "web page",
	} {
		if _, err := codec.Guess("x", []byte(head)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: got %v, want %q", head, err, says)
		}
	}
}

// some is a draft for each format to write.
var some = []codec.Draft{{Text: "evil.example"}, {Text: "192.0.2.1"}, {Text: "http://evil.example/x"}}

var errBroken = errors.New("broken off")

// What fails midway must not look finished.
func TestWriteFailsMidway(t *testing.T) {
	for _, f := range codec.Formats() {
		if f.Write == nil {
			continue
		}
		var out strings.Builder
		err := f.Write(&out, func(yield func(codec.Row, error) bool) {
			for r := range rows(some) {
				if !yield(r, nil) {
					return
				}
			}
			yield(codec.Row{}, errBroken)
		})
		if !errors.Is(err, errBroken) {
			t.Errorf("%s: got %v", f.Name, err)
		}
		if strings.Contains(out.String(), "end of") || f.Name == "nftables" && strings.HasSuffix(out.String(), "}\n}\n") {
			t.Errorf("%s looks finished:\n%s", f.Name, out.String())
		}
		if err := f.Write(failing{}, rows(some)); !errors.Is(err, errBroken) {
			t.Errorf("%s, full disk: got %v", f.Name, err)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errBroken }

// A format for blocking takes what is to be acted on, and each name once.
func TestNamed(t *testing.T) {
	no := false
	drafts := []codec.Draft{{Text: "evil.example"}, {Type: "hostname", Text: "evil.example"}, {Text: "evil.example", Comment: "again"},
		{Text: "harmless.example", ToIDS: &no}, {Text: "http://mentioned.example/x"}, {Type: "domain|ip", Text: "both.example|192.0.2.1"}}
	f, err := codec.Writer("unbound")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := f.Write(&out, rows(drafts)); err != nil {
		t.Fatal(err)
	}
	want := `server:
local-zone: "evil.example." always_nxdomain
local-data: "evil.example. A 0.0.0.0"
local-zone: "both.example." always_nxdomain
# end of list, entries: 3
`
	if out.String() != want {
		t.Errorf("got\n%s", out.String())
	}
}

// tagWords are tags as a person would write them down.
func tagWords(tags []codec.TagDraft) (out []string) {
	for _, t := range tags {
		out = append(out, strings.TrimSpace(t.Name+" "+t.Colour))
	}
	return out
}
