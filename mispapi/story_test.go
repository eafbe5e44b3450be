package mispapi

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin"
)

var update = flag.Bool("update", false, "write what is answered into the stories")

// TestStories runs the stories in testdata. A story is a list of calls, "> WHO
// METHOD PATH" with a body below, each followed by "< STATUS", the headers that
// matter, and the answer. "+ 10m" lets time pass. Uuids that were drawn are shown
// as UUID1, UUID2, … and the server as SERVER.
func TestStories(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*.story"))
	if len(files) == 0 {
		t.Fatal("there are no stories")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(text))
			if got == string(text) {
				return
			}
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, have := strings.Split(string(text), "\n"), strings.Split(got, "\n")
			for i := range have {
				if i >= len(want) || want[i] != have[i] {
					t.Fatalf("%s:%d: %s", file, i+1, have[i])
				}
			}
			t.Fatalf("%s: more is expected than comes", file)
		})
	}
}

// tell runs a story and returns it with the answers that came.
func tell(t *testing.T, story string) string {
	w := newWorld(t, noon)
	for i, name := range []string{"Telco", "Provider", "CERT"} {
		letter := string(rune('a' + i))
		uuid := regexp.MustCompile("x").ReplaceAllString("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", letter)
		put(w, &tocsin.Organisation{Name: name, UUID: mustUUID(uuid), Local: true, Created: noon})
	}
	w.user("root", "root@telco.example", 1, 1)
	w.user("telco", "ann@telco.example", 1, 2)
	w.user("provider", "bob@provider.example", 2, 4)
	w.user("cert", "eve@cert.example", 3, 3)
	var out strings.Builder
	var drawn drawnUUIDs
	drawn.known(story)
	lines := strings.Split(strings.TrimRight(story, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		switch {
		case strings.HasPrefix(line, "+ "):
			d, err := time.ParseDuration(line[2:])
			if err != nil {
				t.Fatal(err)
			}
			w.sleep(d)
			out.WriteString(line + "\n")
		case strings.HasPrefix(line, "> "):
			words := strings.Fields(line)
			out.WriteString(line + "\n")
			var body []string
			for i+1 < len(lines) && lines[i+1] != "" && !strings.HasPrefix(lines[i+1], "< ") {
				i++
				body = append(body, lines[i])
				out.WriteString(lines[i] + "\n")
			}
			for i+1 < len(lines) && lines[i+1] != "" { // the answer of last time
				i++
			}
			r := w.ask(words[1], words[2], words[3], drawn.back(strings.Join(body, "\n")))
			out.WriteString(strings.ReplaceAll(drawn.forth(show(r)), w.url, "SERVER"))
		default:
			out.WriteString(line + "\n")
		}
	}
	return out.String()
}

// show writes an answer down.
func show(r reply) string {
	var b strings.Builder
	fmt.Fprintf(&b, "< %d\n", r.status)
	for _, h := range []string{"X-Result-Count", "X-Ignored-Filters", "X-Related-Events", "Location"} {
		if v := r.header.Get(h); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", h, v)
		}
	}
	var indented bytes.Buffer
	body := strings.TrimRight(r.body, "\n")
	if json.Indent(&indented, []byte(body), "", " ") == nil {
		body = indented.String()
	}
	if body != "" {
		b.WriteString(body + "\n")
	}
	return b.String()
}

// drawnUUIDs gives names to uuids that the server drew.
type drawnUUIDs struct {
	given map[string]bool
	names []string // names[i] is the uuid called UUIDi+1
}

func (d *drawnUUIDs) known(story string) {
	d.given = map[string]bool{}
	for _, u := range uuidText.FindAllString(story, -1) {
		d.given[u] = true
	}
	for _, letter := range "abc" {
		d.given[regexp.MustCompile("x").ReplaceAllString("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx", string(letter))] = true
	}
}

func (d *drawnUUIDs) forth(s string) string {
	return uuidText.ReplaceAllStringFunc(s, func(u string) string {
		if d.given[u] {
			return u
		}
		for i, n := range d.names {
			if n == u {
				return fmt.Sprintf("UUID%d", i+1)
			}
		}
		d.names = append(d.names, u)
		return fmt.Sprintf("UUID%d", len(d.names))
	})
}

func (d *drawnUUIDs) back(s string) string {
	for i := len(d.names); i > 0; i-- {
		s = strings.ReplaceAll(s, fmt.Sprintf("UUID%d", i), d.names[i-1])
	}
	return s
}
