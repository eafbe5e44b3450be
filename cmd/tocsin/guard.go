package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tocsin/vocab"
)

// guardCmd looks after what must not be blocked.
type guardCmd struct {
	Check    guardCheck    `cmd:"" help:"Say which lists guard a value."`
	Load     guardLoad     `cmd:"" help:"Load lists: MISP warninglists, top lists, or one name or address a line."`
	List     guardList     `cmd:"" help:"List the lists."`
	Show     guardShow     `cmd:"" help:"Show one list, or what is on it."`
	Class    guardClass    `cmd:"" help:"Change what it means to be on a list."`
	Remove   guardRemove   `cmd:"" help:"Remove a list that was loaded."`
	Assets   guardAssets   `cmd:"" help:"What your organisation runs itself."`
	Override guardOverride `cmd:"" help:"Have blocked what is guarded, and say why."`
	Uphold   guardUphold   `cmd:"" help:"Take an override back: the guards hold again."`
}

func (guardCmd) Help() string {
	return `Guard lists hold what should not be blocked however many claim it. Each has a class:

  deny    not blocked, unless an administrator of the claim's owner overrides it and says why
  warn    not blocked, unless a publisher of the claim's owner does
  inform  shown, and nothing else
  off     not asked

What is guarded is written down all the same, can be looked up, and says why.`
}

// A guard is a list as the API shows it.
type guard struct {
	Name, Title, Description, Class, Match, Source string
	Types                                          []string
	Version                                        int64
	Entries                                        int64
	Own                                            bool
	OrgName                                        string `json:"org_name"`
	LeftOut                                        int64  `json:"left_out"`
	Bad                                            []struct {
		Number    int64
		Text, Why string
	}
}

// guards are all lists, and how far claims have been judged by them.
type guards struct {
	Lists []guard
	Sweep struct {
		UpTo, Changed int64
		Done          bool
	}
}

type guardCheck struct {
	server
	Values []string `arg:"" name:"value" help:"Values, claimed or not."`
	Type   string   `placeholder:"TYPE" help:"Their MISP type, if it is not what they look like."`
	JSON   bool     `help:"Answer one JSON object a line."`
}

func (guardCheck) Help() string {
	return "Example:\n  tocsin guard check github.io 8.8.8.0/24"
}

func (g *guardCheck) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	for _, v := range g.Values {
		q := url.Values{"value": {v}}
		if g.Type != "" {
			q.Set("type", g.Type)
		}
		var f fields
		if err := api.call(ctx, http.MethodGet, "/api/check", q, nil, &f); err != nil {
			return err
		}
		if g.JSON {
			if err := c.json(f); err != nil {
				return err
			}
			continue
		}
		if err := c.hits(f); err != nil {
			return err
		}
	}
	return nil
}

func (c *console) hits(f fields) error {
	hits, _ := f["hits"].([]any)
	if len(hits) == 0 {
		return c.print("%s: nothing guards it", f["value"])
	}
	for _, h := range hits {
		h := h.(map[string]any)
		if err := c.print("%s: %s, by the list %s: it %s (%s)", f["value"], h["class"], h["list"], h["how"], h["entry"]); err != nil {
			return err
		}
	}
	return nil
}

type guardLoad struct {
	server
	From    []string `arg:"" name:"from" help:"Files, folders, or addresses that begin with http:// or https://."`
	Class   string   `enum:"deny,warn,inform,off," default:"" placeholder:"CLASS" help:"One of deny, warn, inform, off; if not said, what the list had before, or what is usual for its kind."`
	Name    string   `placeholder:"NAME" help:"What the list is called, if not like its file."`
	Private bool     `help:"Also fetch from addresses of private networks."`
	Wait    bool     `help:"Return when all claims that are there have been judged by the lists."`
}

func (guardLoad) Help() string {
	return `Reads MISP warninglists (JSON), lists with one name, address, range or hash a line, and top lists
with a rank before each name; packed with gzip or not. Of a folder it reads every list.json, or if
there is none every file. A list that comes again replaces the one of its name.

A name on a plain list or a top list guards itself, not what is beneath it; one that begins with a
dot guards both.

Examples:
  tocsin guard load misp-warninglists/lists
  tocsin guard load top-1m.csv.gz --class warn
  tocsin guard load https://lists.example/never-block.txt --class deny`
}

func (g *guardLoad) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	var files []string
	for _, from := range g.From {
		found, err := listFiles(from)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	if g.Name != "" && len(files) > 1 {
		return misuse("tocsin guard load --help", "--name names one list, and there are %d", len(files))
	}
	failed := 0
	for i, file := range files {
		l, err := g.load(ctx, api, file, i < len(files)-1)
		switch {
		case ctx.Err() != nil:
			return errors.New("interrupted")
		case err != nil:
			failed++
			c.say("%s", err)
		default:
			if err := c.print("%s: %s, %s", l.Name, listed(l.Entries), l.Class); err != nil {
				return err
			}
			if l.LeftOut > 0 {
				c.say("%s: %s left out; the first is number %d, %q: %s", l.Name, listed(l.LeftOut), l.Bad[0].Number, l.Bad[0].Text, l.Bad[0].Why)
			}
		}
	}
	if g.Wait {
		if err := api.swept(ctx); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %s could not be loaded", failed, plural(int64(len(files)), "list"))
	}
	return nil
}

// load sends one list to the exchange, which reads it.
func (g *guardLoad) load(ctx context.Context, api *client, from string, later bool) (l guard, err error) {
	var in io.ReadCloser
	if isAddress(from) {
		in, err = fetchList(ctx, from, g.Private, vocab.MaxOctets)
	} else {
		in, err = os.Open(from)
	}
	if err != nil {
		return l, err
	}
	defer in.Close()
	q := url.Values{"from": {from}}
	if later {
		q.Set("later", "1")
	}
	if g.Class != "" {
		q.Set("class", g.Class)
	}
	if g.Name != "" {
		q.Set("name", g.Name)
	}
	resp, err := api.send(ctx, request{method: http.MethodPost, path: "/api/guards", query: q, body: in, media: "application/octet-stream"})
	if err != nil {
		return l, err
	}
	defer resp.Body.Close()
	return l, api.read(resp.Body, &l)
}

func listed(n int64) string {
	if n == 1 {
		return "1 entry"
	}
	return count(n) + " entries"
}

// swept returns when all claims have been judged by the lists there are.
func (c *client) swept(ctx context.Context) error {
	for {
		var g guards
		if err := c.call(ctx, http.MethodGet, "/api/guards", nil, nil, &g); err != nil || g.Sweep.Done {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// listFiles returns the lists of a folder, or the file or address itself.
func listFiles(from string) ([]string, error) {
	if isAddress(from) {
		return []string{from}, nil
	}
	info, err := os.Stat(from)
	if err != nil {
		return nil, fmt.Errorf("there is no file or folder %s", from)
	}
	if !info.IsDir() {
		return []string{from}, nil
	}
	var lists, others []string
	err = filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || d.IsDir() || strings.HasPrefix(d.Name(), "."):
		case d.Name() == "list.json":
			lists = append(lists, path)
		default:
			others = append(others, path)
		}
		return err
	})
	if len(lists) == 0 {
		lists = others
	}
	if len(lists) == 0 && err == nil {
		err = fmt.Errorf("there is no list in %s", from)
	}
	return lists, err
}

type guardList struct {
	server
	JSON bool `help:"Answer as one JSON object."`
}

func (guardList) Help() string { return "Example:\n  tocsin guard list" }

func (g *guardList) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	if g.JSON {
		var f fields
		if err := api.call(ctx, http.MethodGet, "/api/guards", nil, nil, &f); err != nil {
			return err
		}
		return c.json(f)
	}
	var all guards
	if err := api.call(ctx, http.MethodGet, "/api/guards", nil, nil, &all); err != nil {
		return err
	}
	slices.SortStableFunc(all.Lists, func(a, b guard) int { return cmp.Compare(order[a.Class], order[b.Class]) })
	var rows [][]string
	for _, l := range all.Lists {
		rows = append(rows, []string{l.Name, l.Class, l.Match, count(l.Entries), cmp.Or(l.Title, l.Source)})
	}
	if err := c.table([]string{"NAME", "CLASS", "MATCH", "ENTRIES", "TITLE"}, rows); err != nil {
		return err
	}
	if !all.Sweep.Done {
		c.say("\nClaims that are there are being judged by these lists.")
	}
	return nil
}

var order = map[string]int{"deny": 0, "warn": 1, "inform": 2, "off": 3}

type guardShow struct {
	server
	Name    string `arg:"" help:"The list."`
	Entries bool   `help:"Write down what is on it."`
	JSON    bool   `help:"Answer as one JSON object."`
}

func (guardShow) Help() string { return "Example:\n  tocsin guard show dns-resolvers --entries" }

func (g *guardShow) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	if g.Entries {
		resp, err := api.send(ctx, request{method: http.MethodGet, path: path("api", "guards", g.Name, "entries")})
		if err != nil {
			return err
		}
		return c.copy(resp, "the list")
	}
	var f fields
	if err := api.call(ctx, http.MethodGet, path("api", "guards", g.Name), nil, nil, &f); err != nil {
		return err
	}
	return c.record(f, g.JSON)
}

type guardClass struct {
	server
	Name  string `arg:"" help:"The list."`
	Class string `arg:"" enum:"deny,warn,inform,off" help:"One of ${enum}."`
}

func (guardClass) Help() string { return "Example:\n  tocsin guard class banks deny" }

func (g *guardClass) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	var l guard
	if err := api.call(ctx, http.MethodPatch, path("api", "guards", g.Name), nil, map[string]string{"class": g.Class}, &l); err != nil {
		return err
	}
	return c.print("%s: %s, %s", l.Name, listed(l.Entries), l.Class)
}

type guardRemove struct {
	server
	Name string `arg:"" help:"The list."`
}

func (guardRemove) Help() string {
	return "Lists that come with the program can't be removed, but turned off: tocsin guard class NAME off\n\nExample:\n  tocsin guard remove tranco10k"
}

func (g *guardRemove) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	if err := api.call(ctx, http.MethodDelete, path("api", "guards", g.Name), nil, nil, nil); err != nil {
		return err
	}
	c.say("removed: guard list %s", g.Name)
	return nil
}

type guardAssets struct {
	server
	Org    string   `arg:"" optional:"" help:"The organisation; your own if not said."`
	Add    []string `placeholder:"VALUE" help:"A domain, with all beneath it, an address or a range; may be repeated."`
	Remove []string `placeholder:"VALUE" help:"What it does not run any more; may be repeated."`
	JSON   bool     `help:"Answer as one JSON object."`
}

func (guardAssets) Help() string {
	return `Members' administrators say here what they run. Whoever claims it is told so. It is kept from being
blocked when an administrator of the exchange has looked at the list and has it warn or deny
(tocsin guard class): otherwise one member could keep the others from blocking whatever it likes.

Examples:
  tocsin guard assets
  tocsin guard assets --add provider.example --add 192.0.2.0/24`
}

func (g *guardAssets) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	if g.Org == "" {
		if g.Org, err = api.organisation(ctx); err != nil {
			return err
		}
	}
	method, in := http.MethodGet, any(nil)
	if len(g.Add)+len(g.Remove) > 0 {
		method, in = http.MethodPatch, map[string][]string{"add": g.Add, "remove": g.Remove}
	}
	var f fields
	if err := api.call(ctx, method, path("api", "assets", g.Org), nil, in, &f); err != nil {
		return err
	}
	if g.JSON {
		return c.json(f)
	}
	assets, _ := f["assets"].([]any)
	for _, a := range assets {
		if err := c.print("%s", strings.TrimPrefix(fmt.Sprint(a), ".")); err != nil {
			return err
		}
	}
	if len(assets) == 0 {
		c.say("%s has not said what it runs.", f["org"])
	}
	return nil
}

type guardOverride struct {
	server
	Values []string `arg:"" name:"value" help:"Values that your organisation claims."`
	Reason string   `required:"" placeholder:"TEXT" help:"Why they should be blocked although they are guarded. Others read it."`
}

func (guardOverride) Help() string {
	return `Has what your organisation claims about a value blocked although a list guards it. What a list
warns of takes a publisher, what a list denies an administrator of your organisation. The log of
the exchange keeps who said what, and when; tocsin guard uphold takes it back.

Example:
  tocsin guard override taken-over.example --reason "domain was bought by the attackers, CERT case 4711"`
}

func (g *guardOverride) Run(ctx context.Context, c *console) error {
	return annotate(ctx, c, g.server, g.Values, "/api/override", g.Reason)
}

type guardUphold struct {
	server
	Values []string `arg:"" name:"value" help:"Values that your organisation had blocked."`
}

func (guardUphold) Help() string { return "Example:\n  tocsin guard uphold taken-over.example" }

func (g *guardUphold) Run(ctx context.Context, c *console) error {
	return annotate(ctx, c, g.server, g.Values, "/api/uphold", "")
}

// annotate says something of all claims of one's own about values.
func annotate(ctx context.Context, c *console, s server, values []string, to, reason string) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	own, err := api.organisation(ctx)
	if err != nil {
		return err
	}
	for _, v := range values {
		a, err := api.lookup(ctx, v)
		if err != nil {
			return err
		}
		said := 0
		for _, claim := range a.Claims {
			if claim.Org != own {
				continue
			}
			in := map[string]any{"attribute": claim.Attribute}
			if reason != "" {
				in["reason"] = reason
			}
			var out struct{ Guard, Override string }
			if err := api.call(ctx, http.MethodPost, to, nil, in, &out); err != nil {
				return fmt.Errorf("%s: %w", v, err)
			}
			said++
			state := "guarded (" + out.Guard + ")"
			if out.Override != "" {
				state = "blocked although guarded (" + out.Guard + "): " + out.Override
			}
			if err := c.print("%s: %s", v, state); err != nil {
				return err
			}
		}
		if said == 0 {
			return fmt.Errorf("%s does not claim %s", own, v)
		}
	}
	return nil
}
