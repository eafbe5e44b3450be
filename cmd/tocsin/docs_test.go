package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	command = regexp.MustCompile(`(?m)^\s*(?:\$ )?(?:bin/)?tocsin ([a-z].*)$`)
	target  = regexp.MustCompile(`(?m)^\s*(?:\$ )?make ([a-z-]+)`)
)

// Whoever follows a document types what stands in it. Each command in it must be
// one that there is, with flags that it has; the stories in testdata run them.
func TestDocumentedCommandsExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range documents(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllStringSubmatch(string(text), -1) {
			line, _, _ := strings.Cut(m[1], "  #")
			parser, err := newParser(context.Background(), newConsole(nil, &bytes.Buffer{}, &bytes.Buffer{}))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := parser.Parse(asArgs(line)); err != nil {
				t.Errorf("%s: tocsin %s: %v", name, line, err)
			}
		}
		for _, m := range target.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s: there is no make %s", name, m[1])
			}
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	docs, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(docs, "../../README.md", "../../CONTRIBUTING.md", "../../CHANGELOG.md")
}

// asArgs splits a command line as a shell does, as far as documents need it.
func asArgs(line string) (ws []string) {
	quoted := false
	for i, part := range strings.Split(line, `"`) {
		if quoted = i%2 == 1; quoted {
			ws = append(ws, part)
		} else {
			ws = append(ws, strings.Fields(part)...)
		}
	}
	return ws
}
