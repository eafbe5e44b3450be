package codec

import (
	"archive/tar"
	"fmt"
	"io"
	"strings"
	"testing"

	"tocsin"
)

// Millions of empty files are very little when they are packed. What is kept of
// each is bounded, and so is what is kept of the manifest.
func TestFeedFlood(t *testing.T) {
	for name, write := range map[string]func(*tar.Writer) error{
		"files": func(w *tar.Writer) error {
			for i := range maxFiles + 1 {
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: fmt.Sprintf("%d.json", i)}); err != nil {
					return err
				}
			}
			return w.Close()
		},
		"manifest": func(w *tar.Writer) error {
			var b strings.Builder
			for i := range maxFiles + 1 {
				fmt.Fprintf(&b, `,"%d":{}`, i)
			}
			text := "{" + b.String()[1:] + "}"
			if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "manifest.json", Size: int64(len(text))}); err != nil {
				return err
			}
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			return w.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := io.Pipe()
			go func() { w.CloseWithError(write(tar.NewWriter(w))) }()
			var last error
			for _, err := range readFeed(r, Options{}) {
				last = err
			}
			r.Close()
			if tocsin.CodeOf(last) != tocsin.Invalid || !strings.Contains(fmt.Sprint(last), "too much for one import") {
				t.Errorf("%v", last)
			}
		})
	}
}
