package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin"
	"tocsin/blob"
)

// Attachments are kept in the folder, are in a backup, and come back with it.
func TestAttachmentsAreBackedUp(t *testing.T) {
	w := newWorld(t, "telco")
	w.keys["admin"] = w.admin("telco")
	w.must("telco", "POST", "/events/add", map[string]any{"info": "x", "distribution": 1,
		"Attribute": []any{map[string]any{"type": "attachment", "value": "a.txt", "data": "aGVsbG8="}}})
	sum := blob.SumOf([]byte("hello"))
	if b, err := os.ReadFile(blob.Path(filepath.Join(w.conf.Data, blobsDir), sum)); string(b) != "hello" {
		t.Fatalf("it is not in the folder: %q %v", b, err)
	}
	file := filepath.Join(t.TempDir(), "backup.tar.gz")
	if m := w.backUp(file); m.Blobs.Count != 1 || m.Blobs.Octets != 5 || !strings.Contains(summary(m), ", 1 attachment") {
		t.Errorf("%+v: %s", m.Blobs, summary(m))
	}
	must(t, w.Close())
	r := w.restored(file)
	if status, b := r.raw("telco", "GET", "/attributes/download/1", nil); status != 200 || string(b) != "hello" {
		t.Errorf("after a restore: %d %s", status, b)
	}
}

// Where attachments are kept is a folder, or a bucket with its key.
func TestPlaceOfAttachments(t *testing.T) {
	for _, c := range []struct{ said, key, want string }{
		{"", "", "*blob.Folder"}, {"/srv/blobs", "", "*blob.Folder"}, {"https://s3.example.org/tocsin", "key", "*blob.Bucket"},
		{"https://s3.example.org/tocsin", "", "error"}, {"https://s3.example.org", "key", "error"},
	} {
		t.Setenv("TOCSIN_BLOBS_KEY", c.key)
		t.Setenv("TOCSIN_BLOBS_SECRET", c.key)
		p, err := config{Data: t.TempDir(), Blobs: c.said}.place()
		got := fmt.Sprintf("%T", p)
		if err != nil {
			got = "error"
			if tocsin.CodeOf(err) != tocsin.Invalid {
				t.Errorf("%q: %v", c.said, err)
			}
		}
		if got != c.want {
			t.Errorf("%q: %s, not %s", c.said, got, c.want)
		}
	}
}
