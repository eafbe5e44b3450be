package codec_test

import (
	"archive/tar"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/codec"
)

// shared is the folder of data that the tests of a developer's machine share.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(cmp.Or(os.Getenv("TOCSIN_SHARED"), "../../shared"), "data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skip("no shared data here: " + name)
	}
	return path
}

func open(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := codec.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every list is guessed to be text, and each of its lines is a draft.
func TestSharedLists(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(shared(t, "lists"), "*.*"))
	if err != nil || len(paths) == 0 {
		t.Fatal(err)
	}
	for _, path := range paths {
		text := open(t, path)
		f, err := codec.Guess(path, text[:min(len(text), 4096)])
		if err != nil || f.Name != "text" {
			t.Errorf("%s: %s, %v", path, f.Name, err)
			continue
		}
		n := 0
		for _, err := range f.Read(bytes.NewReader(text), codec.Options{}) {
			if n++; err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		if want := bytes.Count(text, []byte{'\n'}); n < want || n > want+1 {
			t.Errorf("%s: %d drafts of %d lines", path, n, want)
		}
	}
}

// refusedValues are all of MISP's values that are refused, by file and number, and
// why they should be: a scheme without its colon, a file's name for a hash, and
// names that a scraper ran together.
var refusedValues = map[string]string{
	"201909_MissingLink__misp.json 34":                                "it is no URL",
	"misp_event_6b9afcad282516173c0ab8a6eb91e8b4.json 11":             "it wants 32 hexadecimal digits",
	"tests__reportlab_testfiles__long_event.json 125":                 "it is no URL", // paths
	"tests__reportlab_testfiles__long_event.json 126":                 "it is no URL",
	"static__img__blog__event-reports__misp.event-report-demo.json 1": "it is no URL", // names of malware
	"static__img__blog__event-reports__misp.event-report-demo.json 2": "it is no URL",
	"tests__reportlab_testfiles__to_delete2.json 128":                 "blocksize:hash:hash", // broken over lines
	"tweetfeed-25-days 1994":                                          "longer than 253", "tweetfeed-25-days 1995": "longer than 253",
	"tweetfeed-25-days 1998": "longer than 253", "tweetfeed-25-days 1999": "longer than 253",
	"tweetfeed-full.tar.gz 13991": "longer than 253", "tweetfeed-full.tar.gz 13992": "longer than 253",
	"tweetfeed-full.tar.gz 13995": "longer than 253", "tweetfeed-full.tar.gz 13996": "longer than 253",
}

// Every event that was exported whole is read: each of its attributes that is not
// withdrawn is a draft or refused by its number, as another reader of JSON finds
// them.
func TestSharedEvents(t *testing.T) {
	total := 0
	err := filepath.WalkDir(shared(t, "misp-events"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text := open(t, path)
		name := filepath.Base(path)
		f, err := codec.Guess(path, text[:min(len(text), 64<<10)])
		if err != nil || f.Name != "misp" {
			t.Errorf("%s: guessed %q, %v", name, f.Name, err)
		}
		if strings.Contains(path, "malformed") {
			if _, said := readAll(f.Read(bytes.NewReader(text), codec.Options{})); !strings.Contains(said, "error: invalid MISP JSON") {
				t.Errorf("%s: %.500s", name, said)
			}
			return nil
		}
		events, want := attributes(t, text)
		total += events
		got, refused := readings(t, f, text)
		for i := range got {
			got[i].line = 0
		}
		differ(t, got, want)
		check(t, name, refused)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total != 446 {
		t.Errorf("%d events", total)
	}
}

// A feed's folder and its tar are read alike, whatever stands in hashes.csv.
func TestSharedFeedFolders(t *testing.T) {
	f, err := codec.Reader("misp-feed")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name            string
		events, missing int
	}{
		{"chrome-mal-ids", 79, 0}, {"tweetfeed-25-days", 25, 0}, {"tweetfeed-full.tar.gz", 365, 0}, {"tweetfeed-earlier-changed-files.tar.gz", 6, 358},
	} {
		path := shared(t, "misp-feeds/"+c.name)
		var text []byte
		if strings.HasSuffix(path, ".gz") {
			text = open(t, path)
			if g, err := codec.Guess(path, text[:64<<10]); err != nil || g.Name != "misp-feed" {
				t.Errorf("%s: guessed %q, %v", c.name, g.Name, err)
			}
		} else {
			var b bytes.Buffer
			if err := codec.PackFeed(&b, os.DirFS(path)); err != nil {
				t.Fatal(err)
			}
			text = b.Bytes()
		}
		events, want := 0, []reading(nil)
		for r := tar.NewReader(bytes.NewReader(text)); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if base := filepath.Base(h.Name); filepath.Ext(base) == ".json" && base != "manifest.json" {
				file, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				n, some := attributes(t, file)
				events, want = events+n, append(want, some...)
			}
		}
		if events != c.events {
			t.Errorf("%s: %d events", c.name, events)
		}
		got, refused := readings(t, f, text)
		for i := range got {
			got[i].line = 0
		}
		differ(t, got, append(want, make([]reading, c.missing)...))
		check(t, c.name, refused)
	}
}

// attributes returns the number of events in a file of MISP's, and the values of
// their attributes that are not withdrawn, those of objects last.
func attributes(t *testing.T, text []byte) (events int, rs []reading) {
	t.Helper()
	type attribute struct {
		Value   any
		Deleted any
	}
	gone := func(v any) bool { return v == true || v == "1" || v == 1.0 || v == "true" }
	type event struct {
		Attribute []attribute
		Object    []struct {
			Deleted   any
			Attribute []attribute
		}
	}
	var walk func(json.RawMessage)
	walk = func(raw json.RawMessage) {
		var list []json.RawMessage
		var wrapped struct {
			Response json.RawMessage
			Event    *event
			event    // bare
		}
		if json.Unmarshal(raw, &list) == nil {
			for _, r := range list {
				walk(r)
			}
			return
		}
		if err := json.Unmarshal(raw, &wrapped); err != nil {
			t.Fatal(err)
		}
		if wrapped.Response != nil {
			walk(wrapped.Response)
			return
		}
		if wrapped.Event == nil {
			wrapped.Event = &wrapped.event
		}
		events++
		add := func(as []attribute, withdrawn bool) {
			for _, a := range as {
				if !withdrawn && !gone(a.Deleted) {
					rs = append(rs, reading{0, fmt.Sprint(a.Value)})
				}
			}
		}
		add(wrapped.Event.Attribute, false)
		for _, o := range wrapped.Event.Object {
			add(o.Attribute, gone(o.Deleted))
		}
	}
	walk(bytes.TrimPrefix(text, []byte("\ufeff")))
	return events, rs
}

// check holds the values of a file that are refused against those that should be.
func check(t *testing.T, name string, refused map[int]string) {
	t.Helper()
	for n, why := range refused {
		key := fmt.Sprintf("%s %d", name, n)
		if said, ok := refusedValues[key]; !ok || !strings.Contains(why, said) {
			t.Errorf("%s is refused: %s", key, why)
		}
	}
	for key, said := range refusedValues {
		var n int
		if i := strings.LastIndexByte(key, ' '); key[:i] == name {
			fmt.Sscan(key[i:], &n)
			if refused[n] == "" {
				t.Errorf("%s is not refused: %s", key, said)
			}
		}
	}
}
