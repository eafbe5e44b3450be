package main

import (
	"bufio"
	"errors"
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
// before one in the file. An empty value is the flag's default.
type settings map[string]setting

type setting struct {
	line  int
	value string
}

// A fault is what is wrong with one line of a file of settings.
type fault struct {
	line int
	err  error
}

func (f fault) Error() string { return fmt.Sprintf("line %d of the settings: %s", f.line, f.err) }

// readSettings reads a file of settings, with all that is wrong in how it is
// written.
func readSettings(r io.Reader) (s settings, faults []fault, err error) {
	s = settings{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			faults = append(faults, fault{n, fmt.Errorf("%q is not of the form name = value", line)})
			continue
		}
		name = strings.TrimSpace(name)
		if was, twice := s[name]; twice {
			faults = append(faults, fault{n, fmt.Errorf("%s stands on line %d already", name, was.line)})
			continue
		}
		s[name] = setting{n, strings.Trim(strings.TrimSpace(value), `"`)}
	}
	return s, faults, lines.Err()
}

// settingsFile reads a file of settings for kong.
func settingsFile(r io.Reader) (kong.Resolver, error) {
	s, faults, err := readSettings(r)
	for _, f := range faults {
		err = errors.Join(err, f)
	}
	return s, err
}

// Validate refuses names that no flag has: a setting that is mistyped would
// otherwise be one that does nothing.
func (s settings) Validate(app *kong.Application) (err error) {
	for _, f := range s.unknown(app) {
		err = errors.Join(err, f)
	}
	return err
}

func (s settings) unknown(app *kong.Application) (faults []fault) {
	known := map[string]bool{}
	for _, f := range serveFlags(app) {
		known[f.Name] = true
	}
	for name, is := range s {
		if !known[name] {
			faults = append(faults, fault{is.line, fmt.Errorf("there is no flag --%s; see tocsin serve --help", name)})
		}
	}
	return faults
}

// serveFlags are the flags that a file of settings can hold, in order.
func serveFlags(app *kong.Application) (flags []*kong.Flag) {
	for _, node := range app.Node.Children {
		if node.Name != "serve" {
			continue
		}
		for _, f := range node.Flags {
			if f.Name != "help" && f.Name != "config" {
				flags = append(flags, f)
			}
		}
	}
	return flags
}

// Resolve returns what the file says of a flag that nothing else says.
func (s settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, ok := os.LookupEnv(env); ok {
			return nil, nil
		}
	}
	if is, ok := s[flag.Name]; ok && is.value != "" {
		return is.value, nil
	}
	return nil, nil
}
