package mispapi

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var golden = flag.Bool("golden", false, "with TestReplay: keep our answers to the recorded calls that agree")

const goldenFolder = "testdata/golden"

// TestGolden makes the calls again whose answers agreed with what was recorded of
// a MISP (or differ on purpose: see differs), and wants the answers that we gave
// then: each file is one call, in the form of a recording. So it is tested where the recordings are not that MISP's
// clients are answered as they expect.
//
// The reference data is a small library of ours. What was asked of MISP's own is
// not among the calls.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(goldenFolder, "*.json"))
	if len(files) == 0 {
		t.Fatal("there are no answers")
	}
	p := newReplay(t, (*replay).foundSmall)
	p.golden = true
	for _, file := range inOrder(files) {
		if diffs := p.call(number(file), load(t, file)); len(diffs) > 0 {
			t.Errorf("%s:\n\t%s", filepath.Base(file), strings.Join(first(diffs, 8), "\n\t"))
		}
	}
}

// foundSmall gives a world that replays answers of ours a small library of ours.
func (p *replay) foundSmall() {
	p.t.Helper()
	published, err := madeUp(context.Background())
	if err != nil {
		p.t.Fatal(err)
	}
	p.library(published, madeUp)
	p.meant("weather", "parcel", "ship", "sample", "example-names")
}

// keepGolden makes all calls in a world with a small library, and keeps the
// answers to those that agreed, or differ on purpose, in the form of recordings. A
// call whose status is another in that world asks for what is only in MISP's own
// library; it is left out, and all is begun anew, since it may have changed something.
func keepGolden(t *testing.T, files []string, agreed map[string]bool) {
	t.Helper()
	left := map[string]bool{}
	for again := true; again; {
		again = false
		p := newReplay(t, (*replay).foundSmall)
		os.RemoveAll(goldenFolder)
		if err := os.MkdirAll(goldenFolder, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			n, rec := number(file), load(t, file)
			if left[file] || derived[n] {
				continue
			}
			r := p.sent(rec)
			got := p.make(n, rec, r)
			p.differences(n, rec, got) // by which it learns what ids and uuids of theirs are ours
			if agreed[file] && got.status == rec.Response.Status || differs[n] != "" || undefined[n] != "" {
				p.keepCall(file, rec, r, got)
				continue
			}
			left[file], again = true, true
		}
	}
	for _, file := range files {
		if left[file] {
			t.Logf("not kept, for want of reference data: %s", filepath.Base(file))
		}
	}
}

// derived are calls whose answers hold ids that follow from uuids that were drawn.
var derived = map[int]bool{237: true, 238: true, 239: true, 240: true, 268: true}

// keepCall keeps one call and our answer to it.
func (p *replay) keepCall(file string, rec recording, r request, got reply) {
	p.t.Helper()
	headers := map[string]string{}
	for name := range rec.Response.Headers {
		if v := got.header.Get(name); v != "" && name != "Date" {
			headers[name] = strings.ReplaceAll(v, p.url, theirHost)
		}
	}
	theirs := func(s string) string { return strings.ReplaceAll(s, p.url, theirHost) }
	kind, body := "json", json.RawMessage(theirs(got.body))
	if !json.Valid(body) || rec.Response.Kind != "json" {
		kind = "text"
		body, _ = json.Marshal(theirs(got.body)) // a text always can be
	}
	sent := map[string]any{"method": r.method, "path": r.path, "headers": r.headers, "raw_body": theirs(p.ours(r.body))}
	b, err := json.MarshalIndent(map[string]any{"name": rec.Name, "as": rec.As, "request": sent,
		"response": map[string]any{"status": got.status, "headers": headers, "body_kind": kind, "body": body}}, "", " ")
	if err != nil {
		p.t.Fatalf("%s: %v", file, err)
	}
	if err := os.WriteFile(filepath.Join(goldenFolder, filepath.Base(file)), append(b, '\n'), 0o644); err != nil {
		p.t.Fatal(err)
	}
}
