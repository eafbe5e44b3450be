package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"tocsin/codec"
)

// lookupCmd asks who claims values.
type lookupCmd struct {
	server
	Parents  bool     `help:"Also find what contains the value: the domain above a name, the network around an address."`
	Mentions bool     `help:"Also find what only mentions the value: the host of a URL, the domain of an e-mail address."`
	Values   []string `arg:"" optional:"" name:"value" help:"Values to look up; without any, or with -, they are read from standard input, one a line."`
}

func (lookupCmd) Help() string {
	return `Answers one JSON object a line, in the order of the values:
  {"value":"evil.example","key":"d:evil.example","found":true,"claims":[…]}
Standard input may be packed by gzip, and may go on for ever: each answer comes at once.

Examples:
  tocsin lookup evil.example 192.0.2.7
  cut -d' ' -f5 queries.log | tocsin lookup | grep '"found":true'`
}

func (l *lookupCmd) Run(ctx context.Context, c *console) error {
	api, err := l.client()
	if err != nil {
		return err
	}
	values, err := l.values(c)
	if err != nil {
		return err
	}
	q := url.Values{}
	if l.Parents {
		q.Set("parents", "1")
	}
	if l.Mentions {
		q.Set("mentions", "1")
	}
	resp, err := api.send(ctx, request{method: http.MethodPost, path: "/api/lookup", query: q, body: values, media: "text/plain"})
	if errors.Is(err, io.EOF) {
		return nil // no values, no answers
	}
	if err != nil {
		return err
	}
	return c.copy(resp, "the answers")
}

// values are the lines to send: of arguments as JSON, so that nothing in one can
// make two of it.
func (l *lookupCmd) values(c *console) (io.Reader, error) {
	if len(l.Values) == 0 || len(l.Values) == 1 && l.Values[0] == "-" {
		if c.typed() {
			c.say("one value a line; Ctrl-D ends it")
			return io.NopCloser(c.in), nil
		}
		return codec.Open(c.in)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	for _, v := range l.Values {
		if err := e.Encode(v); err != nil {
			return nil, err
		}
	}
	return &b, nil
}

// copy writes an answer out. One that breaks off must not look complete.
func (c *console) copy(resp *http.Response, what string) error {
	defer resp.Body.Close()
	if _, err := io.Copy(c.out, resp.Body); err != nil {
		return fmt.Errorf("%s broke off before the end; what was written is not all of it (%w)", what, err)
	}
	return nil
}
