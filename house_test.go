package tocsin_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The rooms of the house, from the ground up: a package imports only what
// stands above it in this list. See docs/architecture.md.
var house = []string{
	"tocsin/indicator",
	"tocsin/access",
	"tocsin",
	"tocsin/egress",
	"tocsin/seal",
	"tocsin/vocab",
	"tocsin/misp",
	"tocsin/stix",
	"tocsin/codec",
	"tocsin/blob",
	"tocsin/export",
	"tocsin/store",
	"tocsin/store/sqlite",
	"tocsin/store/postgres",
	"tocsin/backup",
	"tocsin/intake",
	"tocsin/clock",
	"tocsin/match",
	"tocsin/collection",
	"tocsin/peer",
	"tocsin/httpd",
	"tocsin/mispapi",
	"tocsin/rpz",
	"tocsin/api",
	"tocsin/portal",
	"tocsin/cmd/tocsin",
}

// Rooms of one sort do not import each other.
var sorts = map[string][]string{
	"faces":     {"tocsin/mispapi", "tocsin/rpz", "tocsin/api", "tocsin/portal"},
	"followers": {"tocsin/match", "tocsin/collection"},
	"engines":   {"tocsin/store/sqlite", "tocsin/store/postgres"},
}

// tests holds packages that only tests use.
var tests = []string{"tocsin/store/storetest", "tocsin/internal/lab"}

func TestDependenciesPointAtTheValues(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); dec.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		seen[p.ImportPath] = true
		if slices.Contains(tests, p.ImportPath) {
			continue
		}
		level := slices.Index(house, p.ImportPath)
		if level < 0 {
			t.Errorf("%s has no place in the house: add it to the list where it belongs", p.ImportPath)
			continue
		}
		for _, i := range p.Imports {
			if !strings.HasPrefix(i, "tocsin") {
				continue
			}
			if slices.Contains(tests, i) {
				t.Errorf("%s imports %s, which is for tests", p.ImportPath, i)
			} else if slices.Index(house, i) >= level {
				t.Errorf("%s imports %s, which does not stand above it", p.ImportPath, i)
			}
			for sort, rooms := range sorts {
				if slices.Contains(rooms, p.ImportPath) && slices.Contains(rooms, i) {
					t.Errorf("%s imports %s: %s don't import each other", p.ImportPath, i, sort)
				}
			}
		}
	}
	for _, room := range house {
		if !seen[room] {
			t.Errorf("%s is in the list and not in the house", room)
		}
	}
}
