package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

// serveCmd runs the exchange.
type serveCmd struct {
	Data string `required:"" type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Folder that the exchange is kept in." who:"whoever installs; it has no default, since everything is in it"`
	storeFlag
	HTTP    string `name:"http" env:"TOCSIN_HTTP" default:"127.0.0.1:8470" placeholder:"ADDR:PORT" help:"Where to answer HTTP. If not said, ${default}: this machine alone." unit:"an address and a port of this machine; port 0 is any that is free" who:"everyone whose members come from other machines"`
	DNS     string `name:"dns" env:"TOCSIN_DNS" default:"127.0.0.1:5470" placeholder:"ADDR:PORT" help:"Where resolvers fetch policy zones. If not said, ${default}." unit:"an address and a port of this machine, for UDP and TCP" who:"everyone whose resolvers run on other machines"`
	TLSCert string `name:"tls-cert" type:"path" env:"TOCSIN_TLS_CERT" placeholder:"FILE" help:"Certificate for HTTPS, as PEM; read again when it changes." who:"everyone without a proxy in front that speaks HTTPS"`
	TLSKey  string `name:"tls-key" type:"path" env:"TOCSIN_TLS_KEY" placeholder:"FILE" help:"Its key." who:"whoever sets tls-cert"`
	reachFlags
	ZMQ     string          `name:"zmq" env:"TOCSIN_ZMQ" placeholder:"ADDR:PORT" help:"Where programs subscribe over ZeroMQ to events as they are published, as with MISP's plugin, whose port is 50000. They see what the organisation sees that runs the exchange, and nobody asks who they are. Not at all if not said." unit:"an address and a port of this machine that only your own programs reach" who:"whoever runs programs that listened to a MISP this way"`
	Vocab   string          `name:"vocab" env:"TOCSIN_VOCAB" placeholder:"PLACE" help:"Where reference data is read from whenever somebody asks for what is new, as MISP's clients do: taxonomies, galaxies, object templates, warninglists, noticelists, decaying models as MISP's projects publish them. A folder, an archive (.tar.gz, .zip), or the http:// or https:// address of an archive. Nothing is fetched if not said." unit:"a folder or file of this machine, or an address" who:"whoever has clients that ask for updates, or uses tocsin vocab update"`
	SealKey string          `type:"path" env:"TOCSIN_SEAL_KEY" placeholder:"FILE" help:"The key file, without which secrets in the store (TSIG keys, …) can't be read. Nodes of one exchange have the same. seal.key in the folder, if not said; made at the first start." who:"whoever keeps keys elsewhere than data, or runs several nodes"`
	Blobs   string          `name:"blobs" env:"TOCSIN_BLOBS" placeholder:"PLACE" help:"Where attachments and samples are kept: a folder, which all nodes of one exchange share, or the URL of a bucket of an S3-compatible store (https://s3.example.org/BUCKET), whose access key is in TOCSIN_BLOBS_KEY and TOCSIN_BLOBS_SECRET. blobs in the folder, if not said." unit:"a folder, or a URL with the bucket in its path; TOCSIN_BLOBS_REGION if it is not us-east-1" who:"whoever runs several nodes, or keeps large files elsewhere than data"`
	Config  kong.ConfigFlag `type:"path" placeholder:"FILE" help:"Read flags from a file, one a line, as: http = 192.0.2.1:443. tocsin config --example prints one."`
	Demo    bool            `help:"Fill a new exchange with made-up organisations and names, to try things out." who:"nobody in earnest"`
}

// gcPercent is how much the heap may grow between collections.
const gcPercent = 40

func (serveCmd) Help() string {
	return `It listens on this machine alone unless told otherwise. Ctrl-C lets what is under way finish;
a second one ends it at once. Whatever was answered is on disk either way.

Examples:
  tocsin serve --data /var/lib/tocsin
  tocsin serve --data /var/lib/tocsin --http 192.0.2.1:443 --dns 192.0.2.1:53 --tls-cert cert.pem --tls-key key.pem
  tocsin serve --data /tmp/demo --demo
  tocsin serve --data /var/lib/tocsin --store postgres://tocsin@db.example.org/tocsin`
}

func (s *serveCmd) Run(ctx context.Context, c *console) error {
	if wrong := s.wrong(); len(wrong) > 0 {
		return misuse("tocsin serve --help", "%w", wrong[0].err)
	}
	if s.DNSTLS != "" && s.TLSCert == "" {
		return misuse("tocsin serve --help", "--dns-tls needs --tls-cert and --tls-key")
	}
	if _, err := s.reached(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(s.Data, databaseFile)); err != nil && !s.Demo && s.Store == "" {
		return fmt.Errorf("there is no exchange in %s; found one with `tocsin init --data %s`, or try --demo", s.Data, s.Data)
	}
	if os.Getenv("GOGC") == "" {
		// What lives long lies in mapped files and large slices without pointers.
		// Most of the heap is garbage of imports: rather collect it than hold it.
		debug.SetGCPercent(gcPercent)
	}
	x, err := start(ctx, s.config(c))
	if err != nil {
		return unlistened(err, map[string]string{s.HTTP: "--http", s.DNS: "--dns", s.DNSTLS: "--dns-tls", s.ZMQ: "--zmq"})
	}
	if s.Demo {
		err = newDemo(c, x, s).run(ctx)
	} else {
		c.say("Tocsin %s answers at %s, and resolvers fetch zones from %s. Ctrl-C ends it.", version(), s.address(x.HTTPAddr), x.DNSAddr)
	}
	super := supervised()
	if err == nil {
		super.tell("READY=1\nSTATUS=Answers at " + s.address(x.HTTPAddr) + "; resolvers fetch zones from " + x.DNSAddr)
		watched, end := context.WithCancel(ctx)
		x.running.Go(func() { super.watch(watched, x.alive) })
		err = x.Wait(ctx)
		end()
	}
	super.tell("STOPPING=1")
	c.say("ending; Ctrl-C once more ends it at once")
	return errors.Join(err, x.Close())
}

func (s *serveCmd) config(c *console) config {
	at, _ := s.reached() // it was asked before
	return config{
		DNSTLS: s.DNSTLS, ZMQ: s.ZMQ, Vocab: s.Vocab, URL: s.Public, DNSAt: at, Looks: looks{s.Refresh, s.HotRefresh},
		Data: s.Data, Store: s.Store, HTTP: s.HTTP, DNS: s.DNS, TLSCert: s.TLSCert, TLSKey: s.TLSKey, SealKey: s.SealKey, Blobs: s.Blobs, Version: version(),
		Log: slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: s.level()})),
	}
}

// level keeps a demo's terminal readable: nobody wants its requests between the
// lines that say what to do next.
func (s *serveCmd) level() slog.Level {
	if s.Demo {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// address is where a browser finds what answers at a host and port.
func (s *serveCmd) address(at string) string {
	if s.TLSCert != "" {
		return "https://" + at
	}
	return "http://" + at
}
