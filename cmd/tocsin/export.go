package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
)

// exportCmd writes claims down.
type exportCmd struct {
	server
	Format    string   `default:"json" placeholder:"FORMAT" help:"One of: ${formats_out}. If not said, ${default}: one object a line."`
	Type      []string `placeholder:"TYPE" help:"Only these types, as domain,hostname."`
	Tag       []string `sep:"none" placeholder:"TAG" help:"Only claims with one of these tags; may be repeated."`
	Event     []string `placeholder:"ID" help:"Only these events, by number or uuid."`
	Org       []string `sep:"none" placeholder:"NAME" help:"Only what these organisations reported; may be repeated."`
	ToIDs     *bool    `name:"to-ids" negatable:"" help:"Only what is to be acted on; --no-to-ids for the rest."`
	Published *bool    `negatable:"" help:"Only what is published; --no-published for the rest."`
	Guarded   *bool    `negatable:"" help:"Only what a guard list keeps from being blocked; --no-guarded for the rest, which is what formats for devices have if neither is said."`
	Output    string   `short:"o" type:"path" placeholder:"FILE" help:"Write to a file, which appears when it is complete. Standard output if not said."`
}

func (exportCmd) Help() string {
	return `Everything that you may read and that matches. If the export breaks off, the exit status is 1
and the file that --output names is not touched.

Example:
  tocsin export --format csv --type domain,hostname --to-ids --published -o domains.csv`
}

func (x *exportCmd) Run(ctx context.Context, c *console) error {
	api, err := x.client()
	if err != nil {
		return err
	}
	resp, err := api.send(ctx, request{method: http.MethodGet, path: "/api/export", query: x.query()})
	if err != nil {
		return err
	}
	if x.Output == "" {
		return c.copy(resp, "the export")
	}
	return c.save(resp, x.Output)
}

func (x *exportCmd) query() url.Values {
	q := url.Values{"type": x.Type, "tag": x.Tag, "event": x.Event, "org": x.Org}
	q.Set("format", x.Format)
	if x.ToIDs != nil {
		q.Set("to_ids", fmt.Sprint(*x.ToIDs))
	}
	if x.Published != nil {
		q.Set("published", fmt.Sprint(*x.Published))
	}
	if x.Guarded != nil {
		q.Set("guarded", fmt.Sprint(*x.Guarded))
	}
	return q
}

// save writes an answer into a file, which is what it was until all is there.
func (c *console) save(resp *http.Response, name string) error {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	b := c.bar(filepath.Base(name), max(0, resp.ContentLength))
	w := &counted{w: f, tell: func(n int64) { b.at(n, count(n>>20)+" MiB") }}
	to := console{out: w, err: c.err}
	err = to.copy(resp, "the export")
	b.done()
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return err
}

// counted tells how much was written through it.
type counted struct {
	w    io.Writer
	n    int64
	tell func(int64)
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
