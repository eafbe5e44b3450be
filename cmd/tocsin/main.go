// Command tocsin is the exchange in one program: the server, and the tools that
// talk to it.
//
// Results go to standard output, everything for people to standard error. The
// exit status is 0 if it went well, 1 if it did not, and 2 if the command line
// was wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"tocsin/codec"
	"tocsin/rpz"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// What a program that calls us can tell apart.
const (
	exitOK = iota
	exitFailed
	exitUsage
	exitNothingNew // of tocsin fetch
)

// commands is the command line on one page.
type commands struct {
	Init  initCmd  `cmd:"" group:"server" help:"Found an exchange in a folder: its first organisation, user and API key."`
	Serve serveCmd `cmd:"" group:"server" help:"Run the exchange."`

	Import   importCmd   `cmd:"" group:"data" help:"Read lists into the exchange."`
	Export   exportCmd   `cmd:"" group:"data" help:"Write claims down in a format."`
	Fetch    fetchCmd    `cmd:"" group:"data" help:"Keep a file as the exchange has it, for a resolver or firewall that reads files."`
	Lookup   lookupCmd   `cmd:"" group:"data" help:"Ask who claims a value: one, or millions."`
	Withdraw withdrawCmd `cmd:"" group:"data" help:"Take back what your organisation claims."`
	See      seeCmd      `cmd:"" group:"data" help:"Say that a value was met, or was harmless."`
	Why      whyCmd      `cmd:"" group:"data" help:"Say why somebody gets a value, or does not."`

	Guard guardCmd `cmd:"" group:"data" help:"What must not be blocked, and why."`
	Vocab vocabCmd `cmd:"" group:"data" help:"Taxonomies, galaxies, object templates and other reference data."`

	Collection collectionCmd `cmd:"" group:"parties" help:"Named selections that subscribers act on."`
	Subscriber subscriberCmd `cmd:"" group:"parties" help:"Resolvers and other programs that receive a collection."`
	Org        orgCmd        `cmd:"" group:"parties" help:"Organisations."`
	User       userCmd       `cmd:"" group:"parties" help:"People, and the roles they have."`
	Key        keyCmd        `cmd:"" group:"parties" help:"API keys, by which programs act for people."`
	Group      groupCmd      `cmd:"" group:"parties" help:"Sharing groups."`

	Lifetime  lifetimeCmd  `cmd:"" group:"time" help:"For how long claims hold."`
	Retention retentionCmd `cmd:"" group:"time" help:"For how long events are kept."`

	Config       configCmd       `cmd:"" group:"care" help:"Explain the settings of serve, or check a file of them."`
	Backup       backupCmd       `cmd:"" group:"care" help:"Write an exchange into one archive, while it runs."`
	Restore      restoreCmd      `cmd:"" group:"care" help:"Make an exchange of an archive."`
	Verify       verifyCmd       `cmd:"" group:"care" help:"Look whether an archive is whole."`
	Migrate      migrateCmd      `cmd:"" group:"care" help:"Move an exchange to another store."`
	Doctor       doctorCmd       `cmd:"" group:"care" help:"Look for what is wrong, and say how to mend it."`
	Seal         sealCmd         `cmd:"" group:"care" help:"The key file, without which secrets in the store can't be read."`
	DemoResolver demoResolverCmd `cmd:"" group:"care" help:"Show a real resolver that blocks, and stops blocking, with the demo."`
	Man          manCmd          `cmd:"" hidden:"" help:"Print the manual page."`
	Version      versionCmd      `cmd:"" group:"care" help:"Say which version this is."`
}

var headings = kong.Groups{
	"server":  "The server:",
	"data":    "Claims:",
	"parties": "Who takes part:",
	"time":    "Time:",
	"care":    "Looking after it:",
}

const about = `The open exchange for malicious domains and other indicators: share one, and every entitled
resolver blocks it within a second; take it back, and it is gone.

Commands that talk to a running exchange find it by TOCSIN_URL (or --url) and say who asks by
TOCSIN_KEY (or --key).

Example:
  tocsin serve --data /tmp/demo --demo`

// run is the program. Tests start it, too.
func run(args []string, in io.Reader, out, err io.Writer) int {
	c := newConsole(in, out, err)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal finds nobody listening and ends the program at once.
	context.AfterFunc(ctx, stop)
	return c.exit(c.run(ctx, args))
}

// helped is how kong ends after --help.
type helped struct{}

func (c *console) run(ctx context.Context, args []string) error {
	defer func() {
		if p := recover(); p != nil && p != any(helped{}) {
			panic(p)
		}
	}()
	parser, err := newParser(ctx, c)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		return usage(err)
	}
	return k.Run()
}

func newParser(ctx context.Context, c *console) (*kong.Kong, error) {
	return parserOf(ctx, c, &commands{})
}

// parserOf returns a parser that fills in what it finds in a command line.
func parserOf(ctx context.Context, c *console, to *commands) (*kong.Kong, error) {
	return kong.New(to,
		kong.Name("tocsin"),
		kong.Description(about),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 100}),
		headings,
		kong.Vars{"formats_in": formats(func(f codec.Format) bool { return f.Read != nil }),
			"formats_out": formats(func(f codec.Format) bool { return f.Write != nil }),
			"resolvers":   strings.Join(rpz.Resolvers(), ","),
			"roles":       strings.Join(roleNames(), ", ")},
		kong.Writers(c.out, c.err),
		kong.Exit(func(int) { panic(helped{}) }),
		kong.Configuration(settingsFile),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(c),
	)
}

// formats lists the formats that can do something.
func formats(can func(codec.Format) bool) string {
	var names []string
	for _, f := range codec.Formats() {
		if can(f) {
			names = append(names, f.Name)
		}
	}
	return strings.Join(names, ", ")
}

// A usageError is a command line that makes no sense.
type usageError struct {
	err  error
	help string // the command that explains it
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usage makes of kong's error one that says where the help is.
func usage(err error) error {
	help := "tocsin --help"
	if p, ok := errors.AsType[*kong.ParseError](err); ok && len(p.Context.Path) > 0 {
		for _, at := range p.Context.Path {
			if n := at.Node(); n != nil {
				help = n.FullPath() + " --help"
			}
		}
	}
	return &usageError{err, help}
}

// misuse is a usageError that a command finds by itself.
func misuse(help, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), help}
}

// errSaid ends a command that has said already what is wrong.
var errSaid = errors.New("it was said already")

// exit says what went wrong and returns the exit status.
func (c *console) exit(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errNothingNew) {
		return exitNothingNew
	}
	if u, ok := errors.AsType[*usageError](err); ok {
		c.say("tocsin: %s\nTry: %s", u, u.help)
		return exitUsage
	}
	if !errors.Is(err, errSaid) {
		c.say("tocsin: %s", err)
	}
	return exitFailed
}
