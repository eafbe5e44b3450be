package blob

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tocsin"

	"tocsin/internal/lab"
)

// Every place keeps content under its sum, once, and gives back what it was given.
func TestPlaces(t *testing.T) {
	places := map[string]Place{"folder": NewFolder(filepath.Join(t.TempDir(), "blobs")), "bucket": bucket(t)}
	for name, p := range places {
		t.Run(name, func(t *testing.T) { keeps(t, p) })
	}
}

func keeps(t *testing.T, p Place) {
	ctx := t.Context()
	count := func() (n int) {
		for info, err := range p.All(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			if info.Size != 5 {
				t.Errorf("%s has %d octets", info.Sum, info.Size)
			}
			n++
		}
		return n
	}
	if count() != 0 {
		t.Error("a new place holds something")
	}
	s, err := p.Put(ctx, []byte("hello"))
	if err != nil || s.String() != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" {
		t.Fatal(s, err)
	}
	if _, err := p.Put(ctx, []byte("hello")); err != nil || count() != 1 {
		t.Errorf("the same again: %v, and there are %d", err, count())
	}
	if b, err := p.Get(ctx, s); string(b) != "hello" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	if _, err := p.Get(ctx, SumOf([]byte("never"))); tocsin.CodeOf(err) != tocsin.NotFound {
		t.Errorf("what is not there: %v", err)
	}
	if err := p.Remove(ctx, s, time.Now().Add(-time.Hour)); err != nil || count() != 1 {
		t.Errorf("what was put just now is removed: %v", err)
	}
	n, err := Sweep(ctx, p, -time.Minute, func(Sum) (bool, error) { return true, nil })
	if n != 0 || err != nil || count() != 1 {
		t.Errorf("what is held is swept: %d %v", n, err)
	}
	if n, err = Sweep(ctx, p, -time.Minute, func(Sum) (bool, error) { return false, nil }); n != 1 || err != nil || count() != 0 {
		t.Errorf("what nobody holds stays: %d %v", n, err)
	}
	if err := p.Remove(ctx, s, time.Now()); err != nil {
		t.Errorf("what is gone: %v", err)
	}
}

// Files are for their owner alone, and what is no blob is nobody's business.
func TestFolderTouchesItsOwn(t *testing.T) {
	dir := t.TempDir()
	f := NewFolder(dir)
	s, err := f.Put(t.Context(), []byte("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(Path(dir, s)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	for _, name := range []string{"notes.txt", "2c/notes.txt", "2c/.new-1", "2c/" + strings.Repeat("a", 64)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := Sweep(t.Context(), f, -time.Minute, func(Sum) (bool, error) { return false, nil }); n != 1 || err != nil {
		t.Errorf("swept %d %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "notes.txt")); err != nil {
		t.Error(err)
	}
	if err := os.MkdirAll(filepath.Dir(Path(dir, s)), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(Path(dir, s), []byte("jello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := f.Get(t.Context(), s); err == nil || b != nil {
		t.Errorf("damaged content is given out: %q", b)
	}
}

// Signatures are those of the examples in the description of Signature Version 4 for S3.
func TestSignature(t *testing.T) {
	b := &Bucket{URL: "https://examplebucket.s3.amazonaws.com/", Key: "AKIAIOSFODNN7EXAMPLE", Secret: tocsin.NewSecret([]byte("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")),
		Now: func() time.Time { return time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC) }}
	for url, want := range map[string]string{
		"https://examplebucket.s3.amazonaws.com/?lifecycle=":          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
		"https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J": "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
	} {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		b.sign(r, nil)
		if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature="+want) {
			t.Errorf("%s: %s", url, got)
		}
	}
}

func TestBucketIsSaid(t *testing.T) {
	secret := tocsin.NewSecret([]byte("x"))
	for _, b := range []Bucket{{}, {URL: "s3.example.org/x", Key: "k", Secret: secret}, {URL: "https://s3.example.org", Key: "k", Secret: secret}, {URL: "https://s3.example.org/x", Key: "k"}, {URL: "https://s3.example.org/x?y", Key: "k", Secret: secret}} {
		if b.Check() == nil {
			t.Errorf("%s is taken", b.URL)
		}
	}
	if err := bucket(t).Check(); err != nil {
		t.Error(err)
	}
}

// bucket is a bucket in a server that keeps objects in memory, one a page.
func bucket(t *testing.T) *Bucket {
	var mu sync.Mutex
	objects := map[string][]byte{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/") {
			http.Error(w, "who?", http.StatusForbidden)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/some/")
		content, ok := objects[name]
		switch {
		case r.Method == http.MethodPut:
			b, _ := io.ReadAll(r.Body)
			objects[name] = b
		case r.Method == http.MethodDelete:
			delete(objects, name)
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Query().Get("list-type") == "2":
			fmt.Fprint(w, "<ListBucketResult>")
			for name, b := range objects {
				if strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
					fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>%s</LastModified></Contents>", name, len(b), time.Now().UTC().Format(time.RFC3339))
				}
			}
			fmt.Fprint(w, "</ListBucketResult>")
		case ok:
			w.Write(content)
		default:
			http.Error(w, "NoSuchKey", http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return &Bucket{URL: s.URL + "/some/prefix", Key: "key", Secret: tocsin.NewSecret([]byte("secret"))}
}

// A sample is locked away, and comes out as it went in.
func TestLock(t *testing.T) {
	for _, sample := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("drop"), 50_000)} {
		locked, err := Lock("drop per.exe", sample)
		if err != nil {
			t.Fatal(err)
		}
		name, got, err := Unlock(locked, 1<<20)
		if err != nil || name != "drop per.exe" || !bytes.Equal(got, sample) {
			t.Errorf("%q, %d octets, %v", name, len(got), err)
		}
		if len(sample) > 1 && bytes.Contains(locked, sample[:4]) {
			t.Error("it stands there in clear")
		}
	}
}

// theirs is a sample as MISP 2.5 locks it away, with the zip of Debian.
const theirs = "UEsDBAoACQAAAOdkd10tOwivGAAAAAwAAAAgABwANmY1OTAyYWMyMzcwMjRiZGQwYzE3NmNiOTMwNjNkYzRVVAkAA/IzBGvyMwRrdXgLAAEEIQAAAAQhAAAA7SF6Mx0UqM2qZ4ne9BkAULZ+RmFfK35bUEsHCC07CK8YAAAADAAAAFBLAwQKAAkAAADnZHddpcoFKRYAAAAKAAAALQAcADZmNTkwMmFjMjM3MDI0YmRkMGMxNzZjYjkzMDYzZGM0LmZpbGVuYW1lLnR4dFVUCQAD8jMEa/IzBGt1eAsAAQQhAAAABCEAAAB/TbVGKNpFVlVoOs4fZLceGmvYAHHLUEsHCKXKBSkWAAAACgAAAFBLAQIeAwoACQAAAOdkd10tOwivGAAAAAwAAAAgABgAAAAAAAEAAACkgQAAAAA2ZjU5MDJhYzIzNzAyNGJkZDBjMTc2Y2I5MzA2M2RjNFVUBQAD8jMEa3V4CwABBCEAAAAEIQAAAFBLAQIeAwoACQAAAOdkd12lygUpFgAAAAoAAAAtABgAAAAAAAEAAACkgYIAAAA2ZjU5MDJhYzIzNzAyNGJkZDBjMTc2Y2I5MzA2M2RjNC5maWxlbmFtZS50eHRVVAUAA/IzBGt1eAsAAQQhAAAABCEAAABQSwUGAAAAAAIAAgDZAAAADwEAAAAA"

func TestUnlocksTheirs(t *testing.T) {
	b, err := base64.StdEncoding.DecodeString(theirs)
	if err != nil {
		t.Fatal(err)
	}
	if name, sample, err := Unlock(b, 100); err != nil || name != "sample.bin" || string(sample) != "hello world\n" {
		t.Errorf("%q %q %v", name, sample, err)
	}
	for i := range b { // whatever is broken in it is refused, and breaks nothing
		broken := bytes.Clone(b)
		broken[i] ^= 0x55
		Unlock(broken, 100)
		Unlock(b[:i], 100)
	}
}

// Python reads what we lock away, as PyMISP does.
func TestOthersUnlockOurs(t *testing.T) {
	python := lab.Need(t, "python3")
	locked, err := Lock("a.exe", []byte("not really"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(file, locked, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    for n in z.namelist():
        print(n, z.open(n, pwd=b"infected").read().decode(), bool(z.getinfo(n).flag_bits & 1))`, file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), " not really True\n") || !strings.Contains(string(out), ".filename.txt a.exe True\n") {
		t.Errorf("%v: %s", err, out)
	}
}

// A bomb is refused while it is read, by its size or by its ratio.
func TestBombs(t *testing.T) {
	bomb := bomb(t)
	if _, _, err := Unlock(bomb, 1<<20); err == nil || !strings.Contains(err.Error(), "octets at most") {
		t.Errorf("by size: %v", err)
	}
	if _, _, err := Unlock(bomb, 1<<40); err == nil || !strings.Contains(err.Error(), "bomb") {
		t.Errorf("by ratio: %v", err)
	}
	var many bytes.Buffer
	w := zip.NewWriter(&many)
	for i := range 100 {
		w.Create(fmt.Sprint(i))
	}
	w.Close()
	if _, _, err := Unlock(many.Bytes(), 1<<20); err == nil {
		t.Error("a hundred files are taken for a sample")
	}
}

// bomb is a zip, locked as samples are, that holds a thousand times its size.
func bomb(t *testing.T) []byte {
	t.Helper()
	var packed bytes.Buffer
	content := make([]byte, 20<<20)
	deflate, _ := flate.NewWriter(&packed, flate.BestCompression)
	deflate.Write(content)
	deflate.Close()
	crc := crc32.ChecksumIEEE(content)
	k := newKeys(Password)
	body := append(make([]byte, lockHeader), packed.Bytes()...)
	body[lockHeader-1] = byte(crc >> 24)
	for i, b := range body {
		body[i] = k.encrypt(b)
	}
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	f, err := w.CreateRaw(&zip.FileHeader{Name: "x", Method: zip.Deflate, Flags: 1, CRC32: crc, CompressedSize64: uint64(len(body)), UncompressedSize64: uint64(len(content))})
	if err != nil {
		t.Fatal(err)
	}
	f.Write(body)
	w.Close()
	return out.Bytes()
}

func FuzzUnlock(f *testing.F) {
	b, _ := base64.StdEncoding.DecodeString(theirs)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, sample, err := Unlock(b, 1000); err == nil && len(sample) > 1000 {
			t.Error("it is larger than was asked for")
		}
	})
}

func FuzzPicture(f *testing.F) {
	f.Add([]byte("GIF89a"))
	f.Fuzz(func(t *testing.T, b []byte) { Picture(b, 10) })
}

// A picture that says it is huge is not looked into.
func TestHugePicture(t *testing.T) {
	gif := []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00")
	if _, err := Picture(gif, 100); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Error(err)
	}
}
