package rpz

import (
	"errors"
	"strings"
	"testing"
)

func TestDnsmasq(t *testing.T) {
	allow := newBook("allow.rpz.example.", 3, "fine.evil.example", ".both.example", "*.part.example")
	allow.terms.Action = Passthru
	hot := newBook("hot.rpz.example.", 5, ".new.example", ".both.example")
	base := newBook("rpz.example.", 7, ".evil.example", "host.example", "*.beneath.example", "deep.evil.example", ".part.example", ".new.example")
	var b strings.Builder
	if err := Dnsmasq(&b, allow.latest(), hot.latest(), base.latest()); err != nil {
		t.Fatal(err)
	}
	const want = `# Names that dnsmasq is to ask nobody for: allow.rpz.example. serial 3 hot.rpz.example. serial 5 rpz.example. serial 7
server=/both.example/#
server=/*.part.example/#
server=/fine.evil.example/#
server=/*.fine.evil.example/
server=/new.example/
server=/*.beneath.example/
server=/evil.example/
server=/deep.evil.example/
server=/host.example/
server=/*.host.example/#
server=/part.example/
# end of list, 9 names
`
	lines := func(s string) map[string]bool {
		all := map[string]bool{}
		for line := range strings.Lines(s) {
			all[line] = true
		}
		return all
	}
	got := lines(b.String())
	for line := range lines(want) {
		if !got[line] {
			t.Errorf("no line %q in\n%s", line, &b)
		}
		delete(got, line)
	}
	for line := range got {
		t.Errorf("line %q", line)
	}
	for _, room := range []full{0, 40} {
		if err := Dnsmasq(&room, base.latest()); !errors.Is(err, errFull) {
			t.Errorf("%v", err)
		}
	}
}

// TestDnsmasqHostile sees that no name can end a line or say something else.
func TestDnsmasqHostile(t *testing.T) {
	z := hostile().latest()
	var b strings.Builder
	if err := Dnsmasq(&b, z); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, ok := strings.CutPrefix(line, "server=/")
		name, more := strings.CutSuffix(name, "/")
		if !more {
			name, more = strings.CutSuffix(name, "/#")
		}
		if !ok || !more || strings.ContainsAny(name, "/#\"' \t,=\r\x00") {
			t.Errorf("line %q", line)
		}
	}
}
