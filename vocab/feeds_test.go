package vocab

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"
)

// The list of feeds is found in a folder and in an archive, by either of its names.
func TestFeedsAt(t *testing.T) {
	const text = `[{"Feed":{"name":"x"}}]`
	for _, name := range []string{"misp-default-feeds.json", "feed-metadata/defaults.json"} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if b, err := FeedsAt(dir); string(b) != text {
			t.Errorf("%s: %s %v", name, b, err)
		}
		packed := filepath.Join(dir, "packed.zip")
		out, err := os.Create(packed)
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(out)
		in, err := z.Create("MISP-2.5/app/files/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		out.Close()
		if b, err := FeedsAt(packed); string(b) != text {
			t.Errorf("%s in an archive: %s %v", name, b, err)
		}
	}
	for _, place := range []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")} {
		if b, err := FeedsAt(place); err == nil {
			t.Errorf("%s: %s", place, b)
		}
	}
}
