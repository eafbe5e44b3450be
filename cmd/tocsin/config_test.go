package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The example says what happens without it, so that whoever copies it changes
// nothing; and each line that it only shows is one that there is.
func TestExampleSettingsAreTheDefaults(t *testing.T) {
	parser, err := newParser(t.Context(), newConsole(nil, os.Stdout, os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	text := exampleSettings(parser.Model)
	bare, err := parseServe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, text)
	with, err := parseServe(t.Context(), "--config="+file)
	if err != nil {
		t.Fatal(err)
	}
	with.Config = ""
	if *bare != *with {
		t.Errorf("the example changes something: %+v, not %+v", *with, *bare)
	}
	s, _, err := readSettings(strings.NewReader(strings.ReplaceAll(text, "\n#", "\n"))) // what is no setting then was a comment
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range serveFlags(parser.Model) {
		if _, ok := s[f.Name]; !ok {
			t.Errorf("--%s is not in the example", f.Name)
		}
		if f.Tag.Get("who") == "" {
			t.Errorf("--%s has no tag who: say there who would turn it, for the example", f.Name)
		}
	}
	if faults, err := checkSettings(t.Context(), parser.Model, file); err != nil || len(faults) > 0 {
		t.Errorf("the example is refused: %v, %v", faults, err)
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tocsin.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestCheckSettings(t *testing.T) {
	parser, err := newParser(t.Context(), newConsole(nil, os.Stdout, os.Stderr))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{
		"# nothing\n\nhttp = 192.0.2.1:443\ndns = [2001:db8::1]:53\ndemo = true": nil,
		"htpp = 192.0.2.1:443\nhttp 192.0.2.1:443":                               {"1: there is no flag --htpp", `2: "http 192.0.2.1:443" is not of the form`},
		"\nhttp = 192.0.2.1\ndns = 192.0.2.1:65536":                              {`2: --http: "192.0.2.1" is no address and port`, `3: --dns: "65536" is no port`},
		"demo = perhaps": {"1: --demo: "},
		"http = 192.0.2.1:443\nhttp = 192.0.2.1:444":               {"2: http stands on line 1 already"},
		"tls-cert = cert.pem":                                      {"1: --tls-cert and --tls-key go together"},
		"tls-cert = /nowhere/cert.pem\ntls-key = /nowhere/key.pem": {"1: --tls-cert and --tls-key: open /nowhere/cert.pem"},
	} {
		faults, err := checkSettings(t.Context(), parser.Model, write(t, text))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range faults {
			got = append(got, fmt.Sprintf("%d: %s", f.line, f.err))
		}
		ok := len(got) == len(want)
		for i := range want {
			ok = ok && strings.HasPrefix(got[i], want[i])
		}
		if !ok {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// The command line comes before the environment, and that before the file.
func TestPrecedenceOfSettings(t *testing.T) {
	file := write(t, "http = 192.0.2.3:80\ndns = 192.0.2.3:53\ntls-key = k\n")
	t.Setenv("TOCSIN_HTTP", "192.0.2.2:80")
	t.Setenv("TOCSIN_DNS", "192.0.2.2:53")
	got, err := parseServe(t.Context(), "--config="+file, "--http=192.0.2.1:80")
	if err != nil {
		t.Fatal(err)
	}
	if got.HTTP != "192.0.2.1:80" || got.DNS != "192.0.2.2:53" || filepath.Base(got.TLSKey) != "k" {
		t.Errorf("%+v", got)
	}
}
