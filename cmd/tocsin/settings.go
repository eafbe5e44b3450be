package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// settings are flags that stand in a file, one a line, as in
//
//	http = 192.0.2.1:443
//	# who may read it is the operating system's business
//	tls-cert = /etc/tocsin/cert.pem
//
// A flag on the command line comes before one in the environment, and that
// before one in the file.
type settings map[string]setting

type setting struct {
	line  int
	value string
}

// settingsFile reads a file of settings for kong.
func settingsFile(r io.Reader) (kong.Resolver, error) {
	s := settings{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("line %d of the settings: %q is not of the form name = value", n, line)
		}
		s[strings.TrimSpace(name)] = setting{n, strings.Trim(strings.TrimSpace(value), `"`)}
	}
	return s, lines.Err()
}

// Validate refuses names that no flag has: a setting that is mistyped would
// otherwise be one that does nothing.
func (s settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	for _, node := range app.Node.Children {
		if node.Name == "serve" {
			for _, f := range node.Flags {
				known[f.Name] = true
			}
		}
	}
	for name, is := range s {
		if !known[name] {
			return fmt.Errorf("line %d of the settings: there is no flag --%s; see tocsin serve --help", is.line, name)
		}
	}
	return nil
}

// Resolve returns what the file says of a flag that nothing else says.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return nil, nil
		}
	}
	if is, ok := s[flag.Name]; ok {
		return is.value, nil
	}
	return nil, nil
}
