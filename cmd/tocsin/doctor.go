package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tocsin"
	"tocsin/store/sqlite"
)

// doctorCmd looks for what is wrong.
type doctorCmd struct {
	server
	Data string `type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Also look at the folder of an exchange."`
	HTTP string `name:"http" env:"TOCSIN_HTTP" placeholder:"ADDR:PORT" help:"Also see whether HTTP could listen here."`
	DNS  string `name:"dns" env:"TOCSIN_DNS" placeholder:"ADDR:PORT" help:"Also see whether DNS could listen here."`
	JSON bool   `help:"Answer one JSON object a line."`
}

func (doctorCmd) Help() string {
	return `Each line says what was looked at and how it is; where something is wrong, the line after it
says how to mend it. The exit status is 1 if anything is. Nothing is changed.

Examples:
  tocsin doctor
  tocsin doctor --data /var/lib/tocsin --http 192.0.2.1:443 --dns 192.0.2.1:53`
}

// A finding is what the doctor found about one thing.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
	Mend  string `json:"mend,omitempty"`
}

func well(format string, args ...any) finding {
	return finding{OK: true, Found: fmt.Sprintf(format, args...)}
}

func ill(mend, format string, args ...any) finding {
	return finding{Found: fmt.Sprintf(format, args...), Mend: mend}
}

// A doctor reports findings as it comes to them.
type doctor struct {
	c      *console
	asJSON bool
	ill    int
	err    error
}

func (d *doctor) report(check string, f finding) {
	f.Check = check
	if !f.OK {
		d.ill++
	}
	if d.asJSON {
		d.err = errors.Join(d.err, d.c.json(f))
		return
	}
	state := "ok   "
	if !f.OK {
		state = "WRONG"
	}
	d.err = errors.Join(d.err, d.c.print("%s  %-12s %s", state, check, f.Found))
	if f.Mend != "" {
		d.err = errors.Join(d.err, d.c.print("       %-12s %s", "", f.Mend))
	}
}

func (d *doctorCmd) Run(ctx context.Context, c *console) error {
	r := &doctor{c: c, asJSON: d.JSON}
	if d.Data != "" {
		d.folder(ctx, r)
	}
	serves := d.running(ctx, r)
	if d.HTTP != "" {
		r.report("HTTP port", free("--http", d.HTTP, serves))
	}
	if d.DNS != "" {
		r.report("DNS port", free("--dns", d.DNS, serves))
	}
	if r.err != nil {
		return r.err
	}
	if r.ill > 0 {
		return errSaid
	}
	return nil
}

// little is how much free space is little, in octets: less, and one large import
// fills it.
const little = 1 << 30

func (d *doctorCmd) folder(ctx context.Context, r *doctor) {
	if _, err := os.Stat(d.Data); err != nil {
		r.report("folder", ill("found an exchange: tocsin init --data "+d.Data, "there is no folder %s", d.Data))
		return
	}
	probe, err := os.CreateTemp(d.Data, ".doctor.*")
	if err != nil {
		r.report("folder", ill(fmt.Sprintf("run as the user who owns it, or: chown -R %s %s", whoami(), d.Data), "%s is not writable: %s", d.Data, errors.Unwrap(err)))
		return
	}
	probe.Close()
	os.Remove(probe.Name())
	r.report("folder", well("%s is writable", d.Data))
	switch n, err := sqlite.FreeSpace(d.Data); {
	case err != nil:
	case n < little:
		r.report("disk", ill("make room, or move the folder: writes are refused when the disk is full", "%s MiB are free at %s", count(n>>20), d.Data))
	default:
		r.report("disk", well("%s MiB are free", count(n>>20)))
	}
	r.report("store", d.store(ctx))
}

func whoami() string {
	if name := os.Getenv("USER"); name != "" {
		return name
	}
	return fmt.Sprint(os.Getuid())
}

// store opens the store, which says by itself what is wrong with it.
func (d *doctorCmd) store(ctx context.Context) finding {
	if _, err := os.Stat(filepath.Join(d.Data, databaseFile)); err != nil {
		return ill("found one: tocsin init --data "+d.Data, "there is no exchange in %s", d.Data)
	}
	f, err := openFolder(ctx, d.Data)
	switch {
	case tocsin.CodeOf(err) == tocsin.Conflict && strings.Contains(err.Error(), "another tocsin"):
		return well("a server holds it, so it was not opened")
	case err != nil:
		return ill("start the version that wrote it last, or put a backup back", "%s", err)
	}
	defer f.Close()
	o := f.founded()
	if o == nil {
		return ill("found one: tocsin init --data "+d.Data, "the exchange is empty")
	}
	return well("exchange of %s, %s of the log", o.Name, plural(int64(f.DB.Head()), "line"))
}

// free reports whether a server could listen there. While one runs its ports are
// taken, as they should be.
func free(flag, addr string, serves bool) finding {
	l, err := net.Listen("tcp", addr)
	if err != nil && serves {
		return well("%s is taken, as it is while the exchange runs", addr)
	}
	if err != nil {
		return ill("", "%s", unlistened(err, map[string]string{addr: flag}))
	}
	l.Close()
	return well("%s is free", addr)
}

// maxSkew is how far two clocks may be apart before it matters: TSIG refuses
// what is signed five minutes off (RFC 8945, section 10).
const maxSkew = 2 * time.Minute

// slow is how far behind a follower may be without a word, in lines.
const slow = 10_000

// running looks at the running exchange, and reports whether there is one.
func (d *doctorCmd) running(ctx context.Context, r *doctor) (serves bool) {
	u, err := url.Parse(d.URL)
	if err != nil || u.Host == "" {
		r.report("server", ill("give its address with --url or TOCSIN_URL", "%q is no address", d.URL))
		return false
	}
	api := &client{base: strings.TrimRight(d.URL, "/"), key: d.Key, http: newHTTP()}
	var ready struct {
		NotReady []string `json:"not_ready"`
	}
	skew, err := api.ready(ctx, &ready)
	if err != nil {
		r.report("server", ill("start it: tocsin serve --data DIR", "%s", err))
		return false
	}
	if len(ready.NotReady) > 0 {
		r.report("server", ill("wait a moment; if it stays so, its log says why", "%s answers, but: %s", d.URL, strings.Join(ready.NotReady, "; ")))
	} else {
		r.report("server", well("%s answers and is ready", d.URL))
	}
	if skew.Abs() > maxSkew {
		r.report("clock", ill("have both machines keep time (chrony, systemd-timesyncd)", "this machine and the server are %s apart", skew.Abs().Round(time.Second)))
	} else {
		r.report("clock", well("this machine and the server agree"))
	}
	if d.Key == "" {
		r.report("key", ill("put an API key into TOCSIN_KEY", "nothing more can be asked without one"))
		return true
	}
	d.inside(ctx, r, api)
	return true
}

// ready asks how the server is, and how far its clock is from ours.
func (c *client) ready(ctx context.Context, out any) (skew time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, c.unreached(err)
	}
	defer resp.Body.Close()
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		skew = time.Since(at)
	}
	return skew, c.read(resp.Body, out)
}

// serverStatus is what the exchange says of itself.
type serverStatus struct {
	Version   string
	Who       string
	Head      int64
	Followers []struct {
		Name string
		Lag  int64
	}
	Collections []struct {
		Name        string
		Zone        string
		Subscribers []struct {
			Name              string
			Serial, Confirmed int64
		}
	}
}

// inside looks at what takes a key to see.
func (d *doctorCmd) inside(ctx context.Context, r *doctor, api *client) {
	var s serverStatus
	if err := api.call(ctx, http.MethodGet, "/api/status", nil, nil, &s); err != nil {
		r.report("key", ill("make another: tocsin key add", "%s", err))
		return
	}
	r.report("key", well("it is %s's", s.Who))
	if s.Version != version() {
		r.report("version", ill("use the same program for both", "the server is %s, this is %s", s.Version, version()))
	} else {
		r.report("version", well("%s", s.Version))
	}
	for _, f := range s.Followers {
		if f.Lag > slow {
			r.report(f.Name, ill("wait; if it does not shrink, the server's log says why", "%s behind", plural(f.Lag, "line")))
		} else {
			r.report(f.Name, well("has kept up with the log"))
		}
	}
	for _, c := range s.Collections {
		for _, sub := range c.Subscribers {
			r.report(sub.Name, confirmation(c.Name, sub.Serial, sub.Confirmed))
		}
	}
}

// confirmation says whether a subscriber holds what it should.
func confirmation(collection string, serial, confirmed int64) finding {
	switch {
	case confirmed == 0:
		return well("has not asked for %s since the server started", collection)
	case confirmed < serial:
		return ill("see whether it can reach the DNS port, and whether it is told of changes (--notify)",
			"holds serial %d of %s, which is at %d", confirmed, collection, serial)
	}
	return well("holds %s as it is", collection)
}
