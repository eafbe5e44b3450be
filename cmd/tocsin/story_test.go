package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"tocsin/internal/lab"
)

func TestMain(m *testing.M) {
	testscript.Main(served{m}, map[string]func(){"tocsin": main})
}

// served are tests that may use a database server, which ends with them.
type served struct{ *testing.M }

func (s served) Run() int { return lab.Main(s.M) }

// TestStories runs the stories in testdata: commands, files and the answers
// expected.
func TestStories(t *testing.T) { tell(t, "testdata") }

// TestResolverStories are those that need a real resolver.
func TestResolverStories(t *testing.T) {
	lab.Need(t, "unbound")
	tell(t, "testdata/resolver")
}

// tell runs the stories in a folder. Each has a folder and two free ports of its own.
func tell(t *testing.T, dir string) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			web, zones := lab.Port(t), lab.Port(t)
			for name, value := range map[string]string{
				"TOCSIN_HTTP": fmt.Sprintf("127.0.0.1:%d", web), "TOCSIN_DNS": fmt.Sprintf("127.0.0.1:%d", zones),
				"TOCSIN_URL": fmt.Sprintf("http://127.0.0.1:%d", web), "DNSPORT": fmt.Sprint(zones), "HOME": e.WorkDir} {
				e.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"ready": ready, "keep": keep, "appears": appears},
	})
}

// ready waits until the exchange at TOCSIN_URL is.
func ready(ts *testscript.TestScript, _ bool, _ []string) {
	await(ts, "a ready exchange at "+ts.Getenv("TOCSIN_URL"), func() bool {
		resp, err := http.Get(ts.Getenv("TOCSIN_URL") + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// appears waits until a text is in a file.
func appears(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: appears FILE TEXT")
	}
	await(ts, fmt.Sprintf("%q in %s", args[1], args[0]), func() bool {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		return err == nil && strings.Contains(string(b), args[1])
	})
}

// await looks until a thing is there. A minute is no measure of speed: it is when
// it will not come any more.
func await(ts *testscript.TestScript, what string, there func() bool) {
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for late := time.After(time.Minute); !there(); {
		select {
		case <-again.C:
		case <-late:
			ts.Fatalf("waited in vain for %s", what)
		}
	}
}

// keep puts a member of the JSON object that was just printed, or of one in it, as in
// tsig.secret, into the environment.
func keep(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: keep MEMBER VARIABLE")
	}
	var all map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &all))
	member := args[0]
	for outer, inner, ok := strings.Cut(member, "."); ok; outer, inner, ok = strings.Cut(member, ".") {
		all, _ = all[outer].(map[string]any)
		member = inner
	}
	value, ok := all[member]
	if !ok {
		ts.Fatalf("there is no %q in the answer", args[0])
	}
	ts.Setenv(args[1], fmt.Sprint(value))
}

// Every command has help with an example in it that can be parsed.
func TestHelp(t *testing.T) {
	k, err := newParser(t.Context(), newConsole(os.Stdin, os.Stdout, os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range k.Model.Leaves(false) {
		t.Run(n.FullPath(), func(t *testing.T) { exampleOf(t, n) })
	}
}

func exampleOf(t *testing.T, n *kong.Node) {
	if n.Help == "" {
		t.Error("no help")
	}
	_, examples, ok := strings.Cut(n.Detail, "Example")
	if !ok || !strings.Contains(examples, strings.TrimPrefix(n.Path(), " ")) {
		t.Errorf("no example in its help:\n%s", n.Detail)
	}
	for _, f := range n.Flags {
		if f.Help == "" && f.Name != "help" {
			t.Errorf("no help for --%s", f.Name)
		}
	}
}

func TestBar(t *testing.T) {
	for _, x := range []struct {
		done, total int64
		since       time.Duration
		want        string
	}{
		{50, 100, 10 * time.Second, "list ████████████░░░░░░░░░░░░  50%, 10s left, 7 values"},
		{0, 100, time.Second, "list ░░░░░░░░░░░░░░░░░░░░░░░░   0%, 7 values"},
		{7, 0, time.Second, "list, 7 values"},
	} {
		b := bar{what: "list", total: x.total}
		if got := b.line(x.done, x.since, "7 values"); got != x.want {
			t.Errorf("%d of %d: %q, want %q", x.done, x.total, got, x.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 200_000: "200,000", 1_234_567: "1,234,567", -1000: "-1,000"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) = %s, want %s", n, got, want)
		}
	}
}

// What is made up is the same each time, and nothing of it exists.
func TestMadeUp(t *testing.T) {
	var first, second []string
	for n := range madeUp(demoSeed, 5000) {
		first = append(first, n)
	}
	seen := map[string]bool{}
	for n := range madeUp(demoSeed, 5000) {
		second = append(second, n)
		if seen[n] || !strings.HasSuffix(n, ".example") || n == demoHarmless {
			t.Errorf("%s", n)
		}
		seen[n] = true
	}
	if len(first) != 5000 || strings.Join(first, " ") != strings.Join(second, " ") {
		t.Error("not the same names twice")
	}
}

func TestSettings(t *testing.T) {
	for text, want := range map[string]string{
		"http = 192.0.2.1:443\n# a remark\n\ntls-cert=\"/a b\"": "",
		"htpp = 192.0.2.1:443": "there is no flag --htpp",
		"http 192.0.2.1:443":   "not of the form name = value",
	} {
		k, err := newParser(t.Context(), newConsole(os.Stdin, os.Stdout, os.Stderr))
		if err != nil {
			t.Fatal(err)
		}
		r, err := settingsFile(strings.NewReader(text))
		if err == nil {
			err = r.Validate(k.Model)
		}
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
