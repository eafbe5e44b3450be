package main

import (
	"context"
	"net/http"
)

// seeCmd says that a value was met.
type seeCmd struct {
	server
	Values []string `arg:"" name:"value" help:"Values that were met."`
	Type   string   `enum:"seen,false-positive,ended" default:"seen" help:"What of it: seen (it was there), false-positive (it was, and is harmless), ended (it is over)."`
	Source string   `placeholder:"TEXT" help:"Where, in a word or two."`
	JSON   bool     `help:"Answer one JSON object a line."`
}

func (seeCmd) Help() string {
	return `Adds a sighting of every claim on a value that you may see. What is seen again holds for longer. If
the claim is your organisation's own, a false positive takes it out of zones and lists at once; if it is
somebody else's, it holds half as long, and they are asked.

Example:
  tocsin see harmless-after-all.example --type false-positive --source "customer desk"`
}

func (s *seeCmd) Run(ctx context.Context, c *console) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	for _, value := range s.Values {
		var a struct {
			Value  string `json:"value"`
			Claims int64  `json:"claims"`
			Seq    int64  `json:"seq"`
		}
		in := map[string]any{"value": value, "type": s.Type, "source": s.Source}
		if err := api.call(ctx, http.MethodPost, "/api/sightings", nil, in, &a); err != nil {
			return err
		}
		if s.JSON {
			err = c.json(a)
		} else {
			err = c.print("%s: %s, of %s", a.Value, s.Type, plural(a.Claims, "claim"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
