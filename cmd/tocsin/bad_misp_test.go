package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// What no list can bring in, the MISP face and lookup don't take either, and
// they say so in the same words.
func TestHostileNamesByMISP(t *testing.T) {
	w := newWorld(t, "telco", "provider")
	event := w.share("telco", "first.example", nil)
	for i, h := range hostile {
		status, said := w.raw("telco", "POST", "/attributes/add/"+event, map[string]any{"type": "domain", "value": h.text})
		if name, ok := strings.CutPrefix(h.domain, "= "); ok {
			if taken := strings.Contains(string(said), fmt.Sprintf("%q:%q", "value", name)); status != 200 && !strings.Contains(string(said), "already exists") || status == 200 && !taken {
				t.Errorf("%q: %d %.300s, want it taken as %s", h.text, status, said, name)
			}
		} else if why, _ := json.Marshal(h.domain); status != http.StatusForbidden || !strings.Contains(plainJSON(said), plainJSON(why[1:len(why)-1])) {
			t.Errorf("%q: %d %.300s, want %s", h.text, status, said, why)
		}
		if good := fmt.Sprint("good-", i, ".example"); w.must("telco", "POST", "/attributes/add/"+event, map[string]any{"type": "domain", "value": good}) == nil {
			t.Errorf("nothing after %q", h.text)
		}
	}
}

// plainJSON is JSON text with what one may escape or not in one spelling.
func plainJSON(b []byte) string {
	return strings.NewReplacer(`\/`, `/`, `\u003c`, `<`, `\u003e`, `>`, `\u0026`, `&`).Replace(string(b))
}

// TestBadJSONByMISP sends what is no event.
func TestBadJSONByMISP(t *testing.T) {
	w := newWorld(t, "telco")
	event := w.share("telco", "first.example", nil)
	for _, path := range []string{"/events/add", "/attributes/add/" + event, "/events/edit/" + event} {
		for name, body := range map[string]string{
			"empty": "", "binary": "\x7fELF\x00", "NUL": "\x00", "no JSON": "what is this", "cut off": `{"Event":{"info":"x","Attribute":[{"type":"domain","va`,
			"deep": strings.Repeat("[", 1_000_000), "deep event": `{"Event":` + strings.Repeat(`{"a":`, 1_000_000), "number": "1e999999", "null": "null", "list": "[]", "text": `"x"`,
			"gzip": packed(`{"Event":{"info":"x"}}`),
		} {
			status, said := w.raw("telco", "POST", path, body)
			var problem struct{ Message, Name string }
			if err := json.Unmarshal(said, &problem); err != nil || status < 400 || status >= 500 || problem.Message == "" && problem.Name == "" {
				t.Errorf("%s, %s: %d %.300s", path, name, status, said)
			}
			if len(said) > 1<<10 {
				t.Errorf("%s, %s: the answer is %d octets long", path, name, len(said))
			}
			w.must("telco", "GET", "/events/view/"+event, nil)
		}
	}
	w.share("telco", "last.example", nil)
}

// Each line of a lookup gets its own answer, whatever stands in it.
func TestHostileLookup(t *testing.T) {
	w := newWorld(t, "telco", "provider")
	w.share("telco", "evil.example", nil)
	w.settle()
	var lines []string
	for _, h := range hostile {
		lines = append(lines, h.text)
	}
	for _, v := range injections {
		b, _ := json.Marshal(v)
		lines = append(lines, string(b))
	}
	lines = append(lines, strings.Repeat("x", 500_000), "caf\xe9.example", "evil\x00.example", "{", `{"value":1}`, strings.Repeat(`{"value":`, 20_000), "\ufeffx.example", `{"value":"evil.example"}`)
	status, said := w.raw("provider", "POST", "/api/lookup", strings.Join(lines, "\n")+"\nevil.example\n")
	if status != http.StatusOK {
		t.Fatalf("%d %.300s", status, said)
	}
	var last struct {
		Value string
		Found bool
	}
	answers := bufio.NewScanner(strings.NewReader(string(said)))
	answers.Buffer(nil, 1<<20)
	n := 0
	for ; answers.Scan(); n++ {
		if err := json.Unmarshal(answers.Bytes(), &last); err != nil {
			t.Errorf("answer %d: %v: %.200s", n+1, err, answers.Text())
		}
	}
	if n != len(lines)+1 || last.Value != "evil.example" || !last.Found {
		t.Errorf("%d answers to %d lines; the last: %+v", n, len(lines)+1, last)
	}
}
