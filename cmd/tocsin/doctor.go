package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alecthomas/kong"
)

// doctorCmd looks for what is wrong.
type doctorCmd struct {
	server
	Data string `type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Also look at the folder of an exchange."`
	storeFlag
	HTTP    string          `name:"http" env:"TOCSIN_HTTP" placeholder:"ADDR:PORT" help:"Also see whether HTTP could listen here."`
	DNS     string          `name:"dns" env:"TOCSIN_DNS" placeholder:"ADDR:PORT" help:"Also see whether DNS could listen here."`
	TLSCert string          `name:"tls-cert" type:"path" env:"TOCSIN_TLS_CERT" placeholder:"FILE" help:"Also look at the certificate for HTTPS."`
	TLSKey  string          `name:"tls-key" type:"path" env:"TOCSIN_TLS_KEY" placeholder:"FILE" help:"Its key."`
	Config  kong.ConfigFlag `type:"path" placeholder:"FILE" help:"Take these from the file that serve reads."`
	Deep    bool            `help:"Read the whole database and see whether it is damaged; only while no server holds the folder."`
	JSON    bool            `help:"Answer one JSON object a line."`
}

func (doctorCmd) Help() string {
	return `Each line says what was looked at and how it is; below it, where something is wrong, why that
matters and how to mend it. A note is worth knowing and may be as it should. The exit status
is 1 if anything is wrong. Nothing is changed. With a site administrator's key the server
also says what it knows of its receivers and of itself.

Examples:
  tocsin doctor
  tocsin doctor --config /etc/tocsin/tocsin.conf
  tocsin doctor --data /var/lib/tocsin --store postgres://tocsin@db.example.org/tocsin
  tocsin doctor --data /var/lib/tocsin --http 192.0.2.1:443 --dns 192.0.2.1:53`
}

// A finding is what the doctor found about one thing.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`             // it is as it should be, or may be
	Note  bool   `json:"note,omitempty"` // OK, but worth knowing
	Found string `json:"found"`
	Why   string `json:"why,omitempty"`
	Mend  string `json:"mend,omitempty"`
}

func well(format string, args ...any) finding {
	return finding{OK: true, Found: fmt.Sprintf(format, args...)}
}

func ill(mend, format string, args ...any) finding {
	return finding{Found: fmt.Sprintf(format, args...), Mend: mend}
}

func note(mend, format string, args ...any) finding {
	return finding{OK: true, Note: true, Found: fmt.Sprintf(format, args...), Mend: mend}
}

// because adds why it matters.
func (f finding) because(why string) finding {
	f.Why = why
	return f
}

// about says what was looked at.
func (f finding) about(check string) finding {
	f.Check = check
	return f
}

func (f finding) state() string {
	switch {
	case f.Note:
		return "note "
	case f.OK:
		return "ok   "
	}
	return "WRONG"
}

// A doctor reports findings as it comes to them.
type doctor struct {
	c      *console
	asJSON bool
	ill    int
	err    error
}

func (d *doctor) report(check string, found ...finding) {
	for _, f := range found {
		f.Check = cmp.Or(f.Check, check)
		if !f.OK {
			d.ill++
		}
		if d.asJSON {
			d.err = errors.Join(d.err, d.c.json(f))
			continue
		}
		d.err = errors.Join(d.err, d.c.print("%s  %-12s %s", f.state(), f.Check, f.Found))
		for _, more := range []string{f.Why, f.Mend} {
			if more != "" {
				d.err = errors.Join(d.err, d.c.print("       %-12s %s", "", more))
			}
		}
	}
}

func (d *doctorCmd) Run(ctx context.Context, c *console) error {
	r := &doctor{c: c, asJSON: d.JSON}
	now := time.Now()
	r.report("time", keepsTime(clockState()))
	if d.Data != "" {
		d.folder(ctx, r, now)
	}
	if d.Store != "" {
		r.report("database", d.database(ctx, now)...)
	}
	if d.TLSCert != "" {
		r.report("certificate", certificate(d.TLSCert, d.TLSKey, now, nil)...)
		r.report("certificate", private(d.TLSKey))
	}
	serves := d.running(ctx, r)
	for _, p := range []struct{ name, flag, addr, networks string }{{"HTTP port", "--http", d.HTTP, "tcp"}, {"DNS port", "--dns", d.DNS, "tcp udp"}} {
		if p.addr != "" {
			r.report(p.name, free(p.flag, p.addr, p.networks, serves))
		}
	}
	if r.err != nil {
		return r.err
	}
	if r.ill > 0 {
		return errSaid
	}
	return nil
}
