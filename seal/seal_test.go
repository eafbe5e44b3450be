package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin"
)

func ring(t *testing.T) *Ring {
	t.Helper()
	r, err := Open(filepath.Join(t.TempDir(), "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Create(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsSealedOpensWhereItBelongs(t *testing.T) {
	r := ring(t)
	clear := []byte("a secret of some length")
	s, err := r.Seal(clear, "subscriber 1 tsig")
	if err != nil || !strings.HasPrefix(s, tocsin.SealedPrefix) || strings.Contains(s, "secret of") {
		t.Fatalf("%s, %v", s, err)
	}
	if got, err := r.Open(s, "subscriber 1 tsig"); err != nil || !bytes.Equal(got, clear) {
		t.Errorf("%q, %v", got, err)
	}
	if again, _ := r.Seal(clear, "subscriber 1 tsig"); again == s {
		t.Error("sealed twice it looks the same")
	}
	if _, err := r.Open(s, "subscriber 2 tsig"); err == nil {
		t.Error("it opens in another record")
	}
	for i := range s {
		b := []byte(s)
		b[i] ^= 1
		if _, err := r.Open(string(b), "subscriber 1 tsig"); err == nil {
			t.Errorf("it opens with octet %d changed", i)
		}
	}
}

func TestKeyFile(t *testing.T) {
	r := ring(t)
	info, err := os.Stat(r.Path())
	if err != nil || info.Size() != KeySize || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	if err := r.Create(); err == nil {
		t.Error("the key file was made over")
	}
	s, _ := r.Seal([]byte("x"), "y")
	again, err := Open(r.Path())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(s, "y"); err != nil || string(got) != "x" {
		t.Errorf("opened again: %q, %v", got, err)
	}
	other := ring(t)
	if _, err := other.Open(s, "y"); tocsin.CodeOf(err) != tocsin.Conflict || !strings.Contains(err.Error(), "--seal-key") {
		t.Errorf("with another key: %v", err)
	}
	for what, b := range map[string][]byte{"empty": {}, "short": make([]byte, 31), "long": make([]byte, 33), "very long": make([]byte, 32*17)} {
		file := filepath.Join(t.TempDir(), "k")
		os.WriteFile(file, b, 0o600)
		if _, err := Open(file); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	os.Chmod(r.Path(), 0o640)
	if _, err := Open(r.Path()); tocsin.CodeOf(err) != tocsin.Invalid || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
}

func TestRotate(t *testing.T) {
	r := ring(t)
	old, _ := r.Seal([]byte("x"), "y")
	if err := r.Rotate(); err != nil {
		t.Fatal(err)
	}
	fresh, _ := r.Seal([]byte("x"), "y")
	for _, s := range []string{old, fresh} {
		if got, err := r.Open(s, "y"); err != nil || string(got) != "x" {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := r.Forget(); err != nil {
		t.Fatal(err)
	}
	r, err := Open(r.Path())
	if err != nil || len(r.IDs()) != 1 {
		t.Fatalf("%v, %v", r, err)
	}
	if _, err := r.Open(old, "y"); err == nil {
		t.Error("a forgotten key opens")
	}
	if _, err := r.Open(fresh, "y"); err != nil {
		t.Error(err)
	}
}

func FuzzOpen(f *testing.F) {
	r, err := Open(filepath.Join(f.TempDir(), "k"))
	if err != nil || r.Create() != nil {
		f.Fatal(err)
	}
	s, _ := r.Seal([]byte("x"), "y")
	f.Add(s)
	f.Add("sealed:")
	f.Add("sealed:00000000:")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := r.Open(text, "y"); err == nil && text != s && strings.TrimPrefix(text, "sealed:") != strings.TrimPrefix(s, "sealed:") {
			t.Errorf("%q opens", text)
		}
	})
}
