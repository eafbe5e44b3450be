package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"tocsin"
	"tocsin/access"
	"tocsin/codec"
	"tocsin/intake"
	"tocsin/store"
)

// importCmd reads lists into an exchange, each into one event.
type importCmd struct {
	server
	Format       string   `placeholder:"FORMAT" help:"How the files are written; guessed if not said. One of: ${formats_in}."`
	Columns      string   `placeholder:"NAMES" help:"A header for tables that have none, or one that misleads, as date,,type,value."`
	DryRun       bool     `help:"Show how each file would be read, with its first rows, and import nothing. It needs no exchange."`
	Type         string   `placeholder:"TYPE" help:"What the values are, as domain, where the format does not say; found out one by one if not said."`
	Event        string   `placeholder:"TEXT" help:"What the event is about. The same text of the same organisation is the same event. The file's name and the date if not said."`
	Collection   string   `placeholder:"NAME" help:"Collection to put the list into."`
	Tag          []string `sep:"none" placeholder:"TAG" help:"Tag for the event, as tlp:green; may be repeated."`
	Distribution string   `placeholder:"LEVEL" help:"How far it may travel: organisation, community, connected, everyone (or 0 to 3). Your organisation if not said."`
	Group        string   `placeholder:"NAME" help:"Sharing group among whose members it may travel."`
	Publish      bool     `help:"Publish the event once all of it is in."`
	Revive       bool     `help:"Bring back what was withdrawn from the event. It stays withdrawn if not said."`
	JSON         bool     `help:"Answer one JSON object for each file."`
	Data         string   `type:"path" placeholder:"DIR" help:"Import into the exchange in a folder that no server holds, instead of a running one."`
	storeFlag
	As    string   `placeholder:"ADDR" help:"With --data: whose word it is. The first site administrator's if not said."`
	Files []string `arg:"" name:"file" help:"Files to read, packed by gzip or not, or folders of MISP feeds; - is standard input."`
}

func (importCmd) Help() string {
	return `A bad line costs that line: it is shown with its number and the reason, and the rest is
taken. An import that was cut short goes on if it is called again.

How a file is written is guessed by what it shows. --dry-run says what was made out, with the
first rows as they would be taken.

What was withdrawn from an event, or said by its owner to be over, stays so when a list still
has it; it is counted, and --revive brings it back.

Examples:
  tocsin import --dry-run list.csv
  tocsin import --event "Phishing, week 12" --tag tlp:green --collection protect --publish list.txt
  zcat hosts.gz | tocsin import --format hosts --event "Hosts of today" -`
}

// A listResult is what became of one list.
type listResult struct {
	File         string      `json:"file"`
	Event        int64       `json:"event"`
	EventUUID    tocsin.UUID `json:"event_uuid"`
	Read         int64       `json:"read"`
	Written      int64       `json:"written"`
	Duplicates   int64       `json:"duplicates"`
	Withdrawn    int64       `json:"withdrawn,omitempty"`
	Revived      int64       `json:"revived,omitempty"`
	Guarded      int64       `json:"guarded,omitempty"`
	RefusedCount int64       `json:"refused_count"`
	Refused      []refusal   `json:"refused"` // the first of them
	Behind       []string    `json:"behind,omitempty"`
}

type refusal struct {
	Line int    `json:"line"`
	Text string `json:"text"`
	Why  string `json:"why"`
}

// An importer takes one list in.
type importer interface {
	list(ctx context.Context, in *input, tell func(listResult)) (listResult, error)
	Close() error
}

func (i *importCmd) Run(ctx context.Context, c *console) error {
	if i.DryRun {
		return i.preview(c)
	}
	level, err := distribution(i.Distribution)
	if err != nil {
		return err
	}
	to, err := i.open(ctx, level)
	if err != nil {
		return err
	}
	defer to.Close()
	var taken int64
	for _, name := range i.Files {
		r, err := i.file(ctx, c, to, name)
		if err != nil {
			return fmt.Errorf("%s: %w", shown(name), err)
		}
		taken += r.Written + r.Duplicates + r.Withdrawn
		if err := c.imported(r, i.JSON); err != nil {
			return err
		}
	}
	if taken == 0 {
		c.say("nothing was taken")
		return errSaid
	}
	return nil
}

func (i *importCmd) open(ctx context.Context, level *access.Distribution) (importer, error) {
	if i.Data == "" {
		api, err := i.client()
		return &remoteImport{api, i.query(level)}, err
	}
	return i.openFolder(ctx, level)
}

// file takes one file in, with a bar.
func (i *importCmd) file(ctx context.Context, c *console, to importer, name string) (listResult, error) {
	in, err := c.open(name)
	if err != nil {
		return listResult{}, err
	}
	defer in.Close()
	in.tell(c, i.Format, codec.Options{Type: i.Type, Columns: i.Columns})
	b := c.bar(shown(name), in.size)
	defer b.done()
	r, err := to.list(ctx, in, func(r listResult) { b.at(in.read.Load(), plural(r.Read, "value")) })
	r.File = shown(name)
	return r, err
}

// imported says what became of a list.
func (c *console) imported(r listResult, asJSON bool) error {
	if asJSON {
		if r.Refused == nil {
			r.Refused = []refusal{}
		}
		return c.json(r)
	}
	for _, no := range r.Refused {
		c.say("%s line %d: %q: %s", r.File, no.Line, no.Text, no.Why)
	}
	if more := r.RefusedCount - int64(len(r.Refused)); more > 0 {
		c.say("%s: and %s more refused", r.File, count(more))
	}
	if r.Withdrawn > 0 {
		c.say("%s: %s; --revive brings back what was taken back", r.File, stayWithdrawn(r.Withdrawn))
	}
	if r.Revived > 0 {
		c.say("%s: %s of those written had been withdrawn", r.File, count(r.Revived))
	}
	if r.Guarded > 0 {
		c.say("%s: %s not to be blocked, says a guard list; tocsin export --guarded shows which, and tocsin why the reason", r.File, count(r.Guarded))
	}
	for _, name := range r.Behind {
		c.say("%s is still catching up; `tocsin doctor` says how far it is", name)
	}
	return c.print("%s: %s read, %s written, %s, %s refused; event %d", r.File,
		count(r.Read), count(r.Written), plural(r.Duplicates, "duplicate"), count(r.RefusedCount), r.Event)
}

func stayWithdrawn(n int64) string {
	if n == 1 {
		return "1 stays withdrawn"
	}
	return count(n) + " stay withdrawn"
}

var distributions = map[string]access.Distribution{
	"organisation": access.OrgOnly, "community": access.Community, "connected": access.Connected, "everyone": access.Everyone,
	"0": access.OrgOnly, "1": access.Community, "2": access.Connected, "3": access.Everyone,
}

func distribution(text string) (*access.Distribution, error) {
	if text == "" {
		return nil, nil
	}
	d, ok := distributions[text]
	if !ok {
		return nil, misuse("tocsin import --help",
			"no distribution %q; try one of [organisation community connected everyone], or --group for a sharing group", text)
	}
	return &d, nil
}

// An input is a file or standard input. It counts what was read of it.
type input struct {
	io.Reader
	io.Closer
	name string
	size int64 // 0: nobody knows
	read atomic.Int64
}

func (in *input) Read(p []byte) (int, error) {
	n, err := in.Reader.Read(p)
	in.read.Add(int64(n))
	return n, err
}

// open opens a file, or standard input if it is called "-".
func (c *console) open(name string) (*input, error) {
	if name == "-" {
		if c.typed() {
			c.say("reading from the terminal; Ctrl-D ends it")
		}
		return &input{Reader: c.in, Closer: io.NopCloser(nil), name: name}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	in := &input{Reader: f, Closer: f, name: name}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return openFeed(name)
	} else if err == nil && info.Mode().IsRegular() {
		in.size = info.Size()
	}
	return in, nil
}

// shown is the name of a file for people.
func shown(name string) string {
	if name == "-" {
		return "standard input"
	}
	return filepath.Base(name)
}

// A remoteImport hands lists to a running exchange.
type remoteImport struct {
	*client
	query url.Values
}

func (i *importCmd) query(level *access.Distribution) url.Values {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("format", i.Format)
	set("type", i.Type)
	set("columns", i.Columns)
	set("collection", i.Collection)
	set("group", i.Group)
	set("event", i.Event)
	q["tag"] = i.Tag
	if level != nil {
		set("distribution", fmt.Sprint(uint8(*level)))
	}
	if i.Publish {
		set("publish", "1")
	}
	if i.Revive {
		set("revive", "1")
	}
	return q
}

func (r *remoteImport) Close() error { return nil }

// list sends a list and reads the answer while it does.
func (r *remoteImport) list(ctx context.Context, in *input, tell func(listResult)) (listResult, error) {
	q := url.Values{}
	for name, values := range r.query {
		q[name] = values
	}
	if !q.Has("name") {
		q.Set("name", shown(in.name))
	}
	resp, err := r.send(ctx, request{method: http.MethodPost, path: "/api/import", query: q, body: in, media: "text/plain"})
	if err != nil {
		return listResult{}, err
	}
	defer resp.Body.Close()
	lines := json.NewDecoder(bufio.NewReader(resp.Body))
	for {
		var line struct {
			Progress *struct{ Read, Written, Duplicates int64 }
			Result   *listResult
			Error    *tocsin.Error
		}
		switch err := lines.Decode(&line); {
		case err != nil && ctx.Err() != nil:
			return listResult{}, errCut
		case err != nil:
			return listResult{}, fmt.Errorf("%w (%w)", errCut, err)
		case line.Error != nil:
			return listResult{}, line.Error
		case line.Result != nil:
			return *line.Result, nil
		case line.Progress != nil:
			tell(listResult{Read: line.Progress.Read, Written: line.Progress.Written, Duplicates: line.Progress.Duplicates})
		}
	}
}

var errCut = errors.New("the import was cut short; call it again and it goes on")

// A folderImport takes lists in without a server.
type folderImport struct {
	*folder
	viewer  access.Viewer
	options intake.ImportOptions
	format  string
	reading codec.Options
	event   string
}

func (i *importCmd) openFolder(ctx context.Context, level *access.Distribution) (importer, error) {
	f, err := openFolder(ctx, i.Data, i.Store)
	if err != nil {
		return nil, err
	}
	to := &folderImport{folder: f, format: i.Format, reading: codec.Options{Type: i.Type, Columns: i.Columns}, event: i.Event}
	to.options = intake.ImportOptions{Distribution: level, Collection: i.Collection, Publish: i.Publish, Revive: i.Revive}
	for _, t := range i.Tag {
		to.options.Tags = append(to.options.Tags, intake.TagDraft{Name: t})
	}
	if to.viewer, err = f.viewer(i.As); err == nil && i.Group != "" {
		err = to.among(i.Group)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return to, nil
}

// among sets the sharing group.
func (t *folderImport) among(group string) error {
	g, err := store.ByName[*tocsin.Group](t.DB.As(t.viewer), group)
	if err != nil {
		return err
	}
	level := access.Group
	t.options.Group, t.options.Distribution = g.ID, &level
	return nil
}

func (t *folderImport) list(ctx context.Context, in *input, tell func(listResult)) (listResult, error) {
	source, err := codec.Begin(shown(in.name), t.format, in, t.reading)
	if err != nil {
		return listResult{}, err
	}
	o := t.options
	o.Name, o.Event = shown(in.name), t.event
	p, err := t.Desk.Import(ctx, t.viewer, o, source.Drafts, func(p intake.Progress) { tell(resultOf(p)) })
	if err != nil {
		return listResult{}, err
	}
	r := resultOf(p)
	if e, err := t.DB.As(t.viewer).Event(ctx, p.Event); err == nil {
		r.EventUUID = e.UUID
	}
	return r, nil
}

func resultOf(p intake.Progress) listResult {
	r := listResult{Event: p.Event, Read: p.Read, Written: p.Written, Duplicates: p.Duplicates, RefusedCount: p.Refused,
		Withdrawn: p.Withdrawn, Revived: p.Revived, Guarded: p.Guarded}
	for _, no := range p.Refusals {
		r.Refused = append(r.Refused, refusal{no.Line, no.Text, no.Why})
	}
	return r
}
