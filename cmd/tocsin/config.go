package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// configCmd explains and checks the file of settings that serve reads.
type configCmd struct {
	Example bool   `help:"Print a file with every setting: what it means, its unit, its default, and who would turn it."`
	Check   string `type:"path" placeholder:"FILE" help:"Say what is wrong in a file, line by line."`
}

func (configCmd) Help() string {
	return `Flags of tocsin serve may stand on the command line, in the environment, or in a file that
--config names; what comes first in this list wins. There is no other way to configure.

Examples:
  tocsin config --example
  tocsin config --check /etc/tocsin/tocsin.conf`
}

func (g *configCmd) Run(ctx context.Context, c *console) error {
	if g.Example == (g.Check != "") {
		return misuse("tocsin config --help", "say --example, or --check with a file")
	}
	parser, err := newParser(ctx, c)
	if err != nil {
		return err
	}
	if g.Example {
		return c.print("%s", exampleSettings(parser.Model))
	}
	faults, err := checkSettings(ctx, parser.Model, g.Check)
	if err != nil {
		return err
	}
	for _, f := range faults {
		c.say("%s:%d: %s", g.Check, f.line, f.err)
	}
	if len(faults) > 0 {
		return errSaid
	}
	c.say("%s: good", g.Check)
	return nil
}

const settingsHead = `# Settings of tocsin serve, read with --config.
#
# One a line, name = value. Each is also a flag (--name) and most are an environment
# variable; a flag comes before the environment, and that before this file. What
# stands here is the default; lines with # before the name have none.
# "tocsin config --check FILE" says what is wrong in a file.
`

// exampleSettings is a file with every flag of serve.
func exampleSettings(app *kong.Application) string {
	var b strings.Builder
	b.WriteString(settingsHead)
	for _, f := range serveFlags(app) {
		b.WriteString("\n")
		b.WriteString(comment(f.Help))
		if unit := f.Tag.Get("unit"); unit != "" {
			b.WriteString(comment("Unit: " + unit + "."))
		}
		if who := f.Tag.Get("who"); who != "" {
			b.WriteString(comment("Who turns it: " + who + "."))
		}
		if len(f.Envs) > 0 {
			b.WriteString(comment("Environment: " + strings.Join(f.Envs, ", ") + "."))
		}
		switch {
		case f.IsBool():
			fmt.Fprintf(&b, "%s = %v\n", f.Name, f.Default == "true")
		case f.HasDefault:
			fmt.Fprintf(&b, "%s = %s\n", f.Name, f.Default)
		default:
			fmt.Fprintf(&b, "#%s = %s\n", f.Name, f.PlaceHolder)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

const commentWidth = 84

// comment is a text as lines of a comment.
func comment(text string) string {
	var b strings.Builder
	line := "#"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > commentWidth {
			b.WriteString(line + "\n")
			line = "#"
		}
		line += " " + word
	}
	return b.String() + line + "\n"
}

// checkSettings returns all that is wrong in a file, in order of its lines.
func checkSettings(ctx context.Context, app *kong.Application, file string) ([]fault, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, plainly(err)
	}
	defer f.Close()
	s, faults, err := readSettings(f)
	if err != nil {
		return nil, err
	}
	faults = append(faults, s.unknown(app)...)
	var good []string
	for _, flag := range serveFlags(app) {
		is, ok := s[flag.Name]
		if !ok || is.value == "" {
			continue
		}
		arg := "--" + flag.Name + "=" + is.value
		if _, err := parseServe(ctx, arg); err != nil {
			faults = append(faults, fault{is.line, err})
			continue
		}
		good = append(good, arg)
	}
	serve, err := parseServe(ctx, good...)
	if err != nil {
		return nil, err
	}
	for _, w := range append(serve.wrong(), serve.unusable()...) {
		faults = append(faults, fault{s[w.flag].line, w.err})
	}
	slices.SortStableFunc(faults, func(a, b fault) int { return a.line - b.line })
	return faults, nil
}

// parseServe parses a command line of serve.
func parseServe(ctx context.Context, args ...string) (*serveCmd, error) {
	cli := &commands{}
	parser, err := parserOf(ctx, newConsole(nil, io.Discard, io.Discard), cli)
	if err != nil {
		return nil, err
	}
	args = append([]string{"serve"}, args...)
	if !slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, "--data=") }) {
		args = append(args, "--data=.")
	}
	if _, err := parser.Parse(args); err != nil {
		return nil, err
	}
	return &cli.Serve, nil
}

// A wrong is what is wrong with the value of one flag.
type wrong struct {
	flag string
	err  error
}

// wrong says which values of flags make no sense.
func (s *serveCmd) wrong() (all []wrong) {
	for _, a := range []struct{ flag, value string }{{"http", s.HTTP}, {"dns", s.DNS}} {
		if err := checkAddress(a.value); err != nil {
			all = append(all, wrong{a.flag, fmt.Errorf("--%s: %w", a.flag, err)})
		}
	}
	for _, f := range []struct{ flag, value, other string }{{"tls-cert", s.TLSCert, s.TLSKey}, {"tls-key", s.TLSKey, s.TLSCert}} {
		if f.value != "" && f.other == "" {
			all = append(all, wrong{f.flag, errors.New("--tls-cert and --tls-key go together")})
		}
	}
	return all
}

// unusable says which values make sense, but not on this machine as it is.
func (s *serveCmd) unusable() (all []wrong) {
	if s.TLSCert != "" && s.TLSKey != "" {
		if _, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey); err != nil {
			all = append(all, wrong{"tls-cert", fmt.Errorf("--tls-cert and --tls-key: %w", err)})
		}
	}
	return all
}

// checkAddress refuses what can't be listened on whatever the machine.
func checkAddress(addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%q is no address and port, as 192.0.2.1:443 or [2001:db8::1]:443", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q is no port: it is a number up to 65535", port)
	} else if n == 0 && host == "" {
		return fmt.Errorf("%q says neither an address nor a port", addr)
	}
	return nil
}
