package codec_test

import (
	"bytes"
	"cmp"
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

// Every event that was exported whole is read without an error.
func TestSharedEvents(t *testing.T) {
	f, err := codec.Reader("misp")
	if err != nil {
		t.Fatal(err)
	}
	files, claims := 0, 0
	err = filepath.WalkDir(shared(t, "misp-events"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text := open(t, path)
		if g, err := codec.Guess(path, text[:min(len(text), 4096)]); err != nil || g.Name != "misp" {
			t.Errorf("%s: guessed %q, %v", path, g.Name, err)
		}
		files++
		ds, said := readAll(f.Read(bytes.NewReader(text), codec.Options{}))
		claims += len(ds)
		broken := strings.Contains(path, "malformed")
		if failed := strings.Contains(said, "error: "); failed != broken {
			t.Errorf("%s: %.500s", path, said)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 400 || claims < 10_000 {
		t.Errorf("%d claims in %d files", claims, files)
	}
	t.Logf("%d claims in %d files", claims, files)
}

func BenchmarkReadText(b *testing.B) {
	text := open(b, shared(b, "lists/domains-malicious-200k.txt.gz"))
	f, _ := codec.Reader("text")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, err := range f.Read(bytes.NewReader(text), codec.Options{}) {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
}
