package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// withdrawCmd takes claims back.
type withdrawCmd struct {
	server
	Values []string `arg:"" name:"value" help:"Values to take back."`
}

func (withdrawCmd) Help() string {
	return `Takes back what your organisation claims about a value, in all of its events. Others may claim
it too; what they say stays. Resolvers stop blocking a name when its last claim is gone.

Example:
  tocsin withdraw harmless-after-all.example`
}

func (w *withdrawCmd) Run(ctx context.Context, c *console) error {
	api, err := w.client()
	if err != nil {
		return err
	}
	own, err := api.organisation(ctx)
	if err != nil {
		return err
	}
	missed := false
	for _, value := range w.Values {
		taken, others, err := api.withdraw(ctx, value, own)
		if err != nil {
			return err
		}
		missed = missed || taken == 0
		if err := c.print("%s: %s taken back, %s of others", value, plural(int64(taken), "claim"), count(int64(others))); err != nil {
			return err
		}
	}
	if missed {
		return errors.New("not every value was claimed by " + own)
	}
	return nil
}

// organisation is the name of the organisation of whoever asks.
func (c *client) organisation(ctx context.Context) (string, error) {
	var status struct{ Who string }
	if err := c.call(ctx, http.MethodGet, "/api/status", nil, nil, &status); err != nil {
		return "", err
	}
	var user struct {
		OrgName string `json:"org_name"`
	}
	err := c.call(ctx, http.MethodGet, path("api", "users", status.Who), nil, nil, &user)
	return user.OrgName, err
}

// An answer is one line of a lookup.
type answer struct {
	Value  string
	Found  bool
	Error  string
	Claims []struct {
		Attribute int64
		Org       string
	}
}

// lookup asks for one value.
func (c *client) lookup(ctx context.Context, value string) (a answer, err error) {
	line, err := json.Marshal(value)
	if err != nil {
		return a, err
	}
	resp, err := c.send(ctx, request{method: http.MethodPost, path: "/api/lookup", body: bytes.NewReader(append(line, '\n')), media: "text/plain"})
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	defer io.Copy(io.Discard, resp.Body)
	err = c.read(resp.Body, &a)
	if err == nil && a.Error != "" {
		err = fmt.Errorf("%q: %s", value, a.Error)
	}
	return a, err
}

// withdraw takes back what own claims about a value.
func (c *client) withdraw(ctx context.Context, value, own string) (taken, others int, err error) {
	a, err := c.lookup(ctx, value)
	if err != nil {
		return 0, 0, err
	}
	for _, claim := range a.Claims {
		if claim.Org != own {
			others++
			continue
		}
		if err := c.call(ctx, http.MethodPost, "/api/withdraw", nil, map[string]int64{"attribute": claim.Attribute}, nil); err != nil {
			return taken, others, err
		}
		taken++
	}
	return taken, others, nil
}
