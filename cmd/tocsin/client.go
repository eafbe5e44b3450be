package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin"
)

// server is where a running exchange is and who asks. Commands that talk to one
// embed it.
type server struct {
	URL string `env:"TOCSIN_URL" default:"http://127.0.0.1:8470" placeholder:"ADDRESS" help:"Where the exchange is. If not said, ${default}."`
	Key string `env:"TOCSIN_KEY" placeholder:"KEY" help:"API key; other users of this machine can read it here, so better put it into the environment."`
}

// A client talks to a running exchange over its native API.
type client struct {
	base string
	key  string
	http *http.Client
}

func (s server) client() (*client, error) {
	u, err := url.Parse(s.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, misuse("tocsin --help", "%q is no address of an exchange; it begins with http:// or https:// (TOCSIN_URL or --url)", s.URL)
	}
	if strings.TrimSpace(s.Key) == "" {
		return nil, misuse("tocsin --help", "no API key: put it into TOCSIN_KEY; tocsin init showed the first one, and tocsin key add makes others")
	}
	return &client{base: strings.TrimRight(s.URL, "/"), key: strings.TrimSpace(s.Key), http: newHTTP()}, nil
}

func newHTTP() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.ResponseHeaderTimeout = 0           // an import answers when it has something to say
	t.ExpectContinueTimeout = time.Second // a refused key costs no upload
	t.ForceAttemptHTTP2 = true
	return &http.Client{Transport: t}
}

// A request is one call of the API.
type request struct {
	method, path string
	query        url.Values
	body         io.Reader
	media        string // of the body
}

// send sends a request and returns the answer if it is a good one.
func (c *client) send(ctx context.Context, r request) (*http.Response, error) {
	to := c.base + r.path
	if len(r.query) > 0 {
		to += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, to, r.body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.key)
	req.Header.Set("User-Agent", "tocsin/"+version())
	if r.media != "" {
		req.Header.Set("Content-Type", r.media)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreached(err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, c.refused(resp)
	}
	return resp, nil
}

// unreached says why there is no answer.
func (c *client) unreached(err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.As(err, &dns):
		return fmt.Errorf("there is no host %s (TOCSIN_URL or --url says where the exchange is)", dns.Name)
	case isRefused(err):
		return fmt.Errorf("no server answers at %s; is `tocsin serve` running? (TOCSIN_URL or --url says where)", c.base)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("ask %s: %w", c.base, err)
}

func isRefused(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// maxProblem is how much of an answer that is no answer is read.
const maxProblem = 1 << 16

// refused makes an error of an answer that says no.
func (c *client) refused(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxProblem))
	var p struct {
		Code    tocsin.Code
		Message string
	}
	if json.Unmarshal(b, &p) != nil || p.Message == "" {
		return fmt.Errorf("%s answers %s, not as an exchange does; is the address right? (TOCSIN_URL or --url)", c.base, resp.Status)
	}
	return tocsin.Errorf(p.Code, "%s", p.Message)
}

// call sends in as JSON, if it is not nil, and reads the answer into out.
func (c *client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	r := request{method: method, path: path, query: query}
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		r.body, r.media = bytes.NewReader(b), "application/json"
	}
	resp, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	return c.read(resp.Body, out)
}

func (c *client) read(body io.Reader, out any) error {
	if err := json.NewDecoder(body).Decode(out); err != nil {
		return fmt.Errorf("%s answers, but not as an exchange does; is the address right? (%w)", c.base, err)
	}
	return nil
}

// path joins parts of an address, whatever is in them.
func path(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}
