package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	slashed "path"
	"strings"

	"tocsin"
	"tocsin/vocab"
)

// vocabCmd looks after the reference data that everyone shares.
type vocabCmd struct {
	List    vocabList    `cmd:"" help:"List what there is."`
	Update  vocabUpdate  `cmd:"" help:"Read what is new."`
	Enable  vocabEnable  `cmd:"" help:"Offer the tags of a taxonomy, a template or a noticelist to those who enter data."`
	Disable vocabDisable `cmd:"" help:"Do so no longer."`
}

func (vocabCmd) Help() string {
	return `Taxonomies, galaxies and their clusters, object templates, noticelists and decaying models as MISP's
projects publish them. Some taxonomies and the object templates that are used most come with the
program; what is read takes their place. Warninglists are guard lists: see tocsin guard.`
}

type vocabulary struct {
	Sort, Name, Title string
	Version, Parts    int64
	Enabled, Own      bool
}

type vocabList struct {
	server
	Sort string `arg:"" optional:"" help:"Only of this sort: taxonomy, galaxy, object-template, relations, noticelist, decaying-model."`
	JSON bool   `help:"Answer as one JSON object."`
}

func (vocabList) Help() string { return "Example:\n  tocsin vocab list taxonomy" }

func (g *vocabList) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	q := url.Values{}
	if g.Sort != "" {
		q.Set("sort", g.Sort)
	}
	if g.JSON {
		var f fields
		if err := api.call(ctx, http.MethodGet, "/api/vocabularies", q, nil, &f); err != nil {
			return err
		}
		return c.json(f)
	}
	var all struct{ Vocabularies []vocabulary }
	if err := api.call(ctx, http.MethodGet, "/api/vocabularies", q, nil, &all); err != nil {
		return err
	}
	var rows [][]string
	for _, v := range all.Vocabularies {
		rows = append(rows, []string{v.Sort, v.Name, fmt.Sprint(v.Version), count(v.Parts), yesNo(v.Enabled), v.Title})
	}
	return c.table([]string{"SORT", "NAME", "VERSION", "PARTS", "ENABLED", "TITLE"}, rows)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

type vocabUpdate struct {
	server
	From    string `placeholder:"PLACE" help:"A folder, an archive (.tar.gz, .zip), or an address of one that begins with http:// or https://. If not said, the place that tocsin serve was given by --vocab."`
	Sort    string `placeholder:"SORT" help:"Only what is of this sort: taxonomy, galaxy, object-template, relations, noticelist, decaying-model, warninglist."`
	Private bool   `help:"Also fetch from addresses of private networks."`
}

func (vocabUpdate) Help() string {
	return `What is there with the same content stays as it is; what was decided of it (whether it is enabled)
stays in any case. A file that makes no sense is refused by itself. Warninglists that are new are off
until somebody turns them on.

Examples:
  tocsin vocab update
  tocsin vocab update --from misp-taxonomies
  tocsin vocab update --from https://github.com/MISP/misp-galaxy/archive/refs/heads/main.tar.gz`
}

func (g *vocabUpdate) Run(ctx context.Context, c *console) error {
	api, err := g.client()
	if err != nil {
		return err
	}
	q := url.Values{}
	if g.Sort != "" {
		q.Set("sort", g.Sort)
	}
	r := request{method: http.MethodPost, path: "/api/vocabularies/update", query: q}
	if g.From != "" {
		b, err := inOneFile(ctx, g.From, g.Private)
		if err != nil {
			return err
		}
		q.Set("from", slashed.Base(strings.TrimRight(g.From, "/")))
		r.path, r.body, r.media = "/api/vocabularies", bytes.NewReader(b), "application/octet-stream"
	}
	resp, err := api.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var t struct {
		New, Newer, Same int64
		Refused          []struct{ File, Why string }
	}
	if err := api.read(resp.Body, &t); err != nil {
		return err
	}
	for _, f := range t.Refused {
		c.say("%s: refused: %s", f.File, f.Why)
	}
	return c.print("%s new, %s newer, %s as they were", count(t.New), count(t.Newer), count(t.Same))
}

// inOneFile returns what is at a place as one file that the exchange reads.
func inOneFile(ctx context.Context, from string, private bool) ([]byte, error) {
	if isAddress(from) {
		return fetched(ctx, from, private)
	}
	info, err := os.Stat(from)
	if err != nil {
		return nil, fmt.Errorf("there is no file or folder %s", from)
	}
	if !info.IsDir() {
		return os.ReadFile(from)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	err = vocab.EachFile(os.DirFS(from), func(name string, text []byte) error {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			return err
		}
		_, err := w.Write(text)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil { // before what they wrote is taken
		return nil, err
	}
	return b.Bytes(), nil
}

func fetched(ctx context.Context, from string, private bool) ([]byte, error) {
	in, err := fetchList(ctx, from, private, vocab.MaxArchive+1)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(in)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s can't be read to its end: %w", from, err)
	case len(b) > vocab.MaxArchive:
		return nil, fmt.Errorf("what is at %s is larger than %d MB", from, vocab.MaxArchive>>20)
	}
	return b, nil
}

// placeAt returns the place that is called so, nil for none. Who starts the exchange
// names it, so it may be in a private network.
func placeAt(name string, private bool) vocab.Place {
	switch {
	case name == "":
		return nil
	case !isAddress(name):
		return vocab.At(name)
	}
	return func(ctx context.Context, sorts ...tocsin.VocabularySort) (*vocab.Published, error) {
		b, err := fetched(ctx, name, private)
		if err != nil {
			return nil, tocsin.Errorf(tocsin.Busy, "the reference data can't be fetched: %w", err)
		}
		return vocab.ReadFile(ctx, slashed.Base(name), b, sorts...)
	}
}

// feedsAt returns what reads the list of feeds at the place that is called so, nil for
// none.
func feedsAt(name string, private bool) func(context.Context) ([]byte, error) {
	switch {
	case name == "":
		return nil
	case !isAddress(name):
		return func(context.Context) ([]byte, error) { return vocab.FeedsAt(name) }
	}
	return func(ctx context.Context) ([]byte, error) {
		b, err := fetched(ctx, name, private)
		if err != nil {
			return nil, tocsin.Errorf(tocsin.Busy, "the list of feeds can't be fetched: %w", err)
		}
		return vocab.FeedsIn(name, b)
	}
}

type vocabEnable struct {
	server
	Sort string `arg:"" help:"taxonomy, object-template, noticelist, …"`
	Name string `arg:"" help:"What it is called."`
}

func (vocabEnable) Help() string { return "Example:\n  tocsin vocab enable taxonomy tlp" }

func (g *vocabEnable) Run(ctx context.Context, c *console) error {
	return setVocabulary(ctx, c, &g.server, g.Sort, g.Name, true)
}

type vocabDisable struct {
	server
	Sort string `arg:"" help:"taxonomy, object-template, noticelist, …"`
	Name string `arg:"" help:"What it is called."`
}

func (vocabDisable) Help() string { return "Example:\n  tocsin vocab disable object-template phishing" }

func (g *vocabDisable) Run(ctx context.Context, c *console) error {
	return setVocabulary(ctx, c, &g.server, g.Sort, g.Name, false)
}

func setVocabulary(ctx context.Context, c *console, s *server, sort, name string, enabled bool) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	var v vocabulary
	at := "/api/vocabularies/" + url.PathEscape(sort) + "/" + url.PathEscape(name)
	if err := api.call(ctx, http.MethodPatch, at, nil, map[string]bool{"enabled": enabled}, &v); err != nil {
		return err
	}
	word := "disabled"
	if v.Enabled {
		word = "enabled"
	}
	return c.print("%s %s: %s", v.Sort, v.Name, word)
}
