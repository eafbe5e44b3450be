package backup

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tocsin"
)

var made = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func archive(t testing.TB) ([]byte, Manifest) {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, made)
	for name, text := range map[string]string{Database: strings.Repeat("database ", 1000)} {
		if err := w.File(name, int64(len(text)), func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.File(SealKey, 3, func(w io.Writer) error { _, err := io.WriteString(w, "key"); return err }); err != nil {
		t.Fatal(err)
	}
	m, err := w.Close(Manifest{Program: "devel", Schema: 3, Head: 42, HeadAt: made, Rows: map[string]int64{"log": 42}, Seal: &Seal{"12", true}})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), m
}

func TestReadWhatWasWritten(t *testing.T) {
	b, want := archive(t)
	files := map[string]*bytes.Buffer{}
	got, err := Read(bytes.NewReader(b), func(name string) (io.WriteCloser, error) {
		files[name] = &bytes.Buffer{}
		return discard{files[name]}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if len(files) != 2 || files[SealKey].String() != "key" || files[Database].Len() != 9000 {
		t.Errorf("%d files", len(files))
	}
}

// Wherever an archive is damaged or cut, it is refused, but for bits that mean
// nothing: gzip fills up octets with some.
func TestDamageIsRefused(t *testing.T) {
	b, want := archive(t)
	harmless := 0
	for i := range b {
		if i >= 4 && i < 10 {
			continue // gzip's header: a time, an operating system
		}
		bad := bytes.Clone(b)
		bad[i] ^= 0x10
		if got, err := Verify(bytes.NewReader(bad)); err == nil {
			if harmless++; !cmp.Equal(got, want) {
				t.Errorf("octet %d is another, and it is not noticed", i)
			}
		}
		if _, err := Verify(bytes.NewReader(b[:i])); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("cut to %d octets: %v", i, err)
		}
	}
	if harmless > 8 {
		t.Errorf("%d octets might be anything", harmless)
	}
	if _, err := Verify(bytes.NewReader(append(bytes.Clone(b), 0))); err == nil {
		t.Error("there is more, and it is not noticed")
	}
}

// An archive whose sums are right in themselves may still be none of ours.
func TestOthersArchives(t *testing.T) {
	database := File{Database, 1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"} // "x"
	whole := `{"format":1,"files":[{"name":"tocsin.db","size":1,"sha256":"` + database.SHA256 + `"}]}`
	for _, x := range []struct {
		name, why string
		entries   []string // name and text in turns
	}{
		{"good", "", []string{Database, "x", manifest, whole}},
		{"empty", "without a manifest", nil},
		{"no database", "it has no database", []string{manifest, `{"format":1}`}},
		{"a path", `should be no "../tocsin.db"`, []string{"../tocsin.db", "x", manifest, whole}},
		{"twice", `should be no "tocsin.db"`, []string{Database, "x", Database, "x", manifest, whole}},
		{"later", "a later Tocsin", []string{Database, "x", manifest, strings.Replace(whole, `:1`, `:3`, 1)}},
		{"earlier", "no format that there is", []string{Database, "x", manifest, `{}`}},
		{"sum", "tocsin.db has another sum", []string{Database, "y", manifest, whole}},
		{"missing", "tocsin.db is missing", []string{manifest, whole}},
		{"unlisted", "seal.key is not in the manifest", []string{Database, "x", SealKey, "k", manifest, whole}},
		{"no JSON", "manifest can't be read", []string{Database, "x", manifest, "manifest"}},
		{"attachment", "", []string{Database, "x", blobs + database.SHA256, "x", manifest, strings.Replace(whole, `{`, `{"blobs":{"count":1,"octets":1},`, 1)}},
		{"an attachment that is not", "has another sum", []string{Database, "x", blobs + database.SHA256, "y", manifest, whole}},
		{"an attachment too many", "it holds 1 attachments", []string{Database, "x", blobs + database.SHA256, "x", manifest, whole}},
		{"an attachment twice", "is there twice", []string{blobs + database.SHA256, "x", blobs + database.SHA256, "x", Database, "x", manifest, whole}},
		{"an attachment elsewhere", "should be no", []string{blobs + "../" + database.SHA256, "x", Database, "x", manifest, whole}},
		{"after", "follows its manifest", []string{Database, "x", manifest, whole, SealKey, "k"}},
	} {
		var b bytes.Buffer
		zip := gzip.NewWriter(&b)
		files := tar.NewWriter(zip)
		for i := 0; i < len(x.entries); i += 2 {
			files.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: x.entries[i], Size: int64(len(x.entries[i+1]))})
			io.WriteString(files, x.entries[i+1])
		}
		files.Close()
		zip.Close()
		_, err := Verify(&b)
		if x.why == "" && err != nil || x.why != "" && (err == nil || !strings.Contains(err.Error(), x.why)) {
			t.Errorf("%s: %v; want %q", x.name, err, x.why)
		}
	}
}

// A full disk is not the archive's fault.
func TestErrorsOfWritingAreTheirOwn(t *testing.T) {
	b, _ := archive(t)
	full := errors.New("no space left on device")
	_, err := Read(bytes.NewReader(b), func(string) (io.WriteCloser, error) { return discard{failing{full}}, nil })
	if !errors.Is(err, full) || strings.Contains(err.Error(), "damaged") {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzVerify(f *testing.F) {
	b, _ := archive(f)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte("SQLite format 3\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Verify(bytes.NewReader(b))
		if err == nil && (m.Format < 1 || m.Format > Format || len(m.Files) == 0) {
			t.Errorf("%+v", m)
		}
	})
}
