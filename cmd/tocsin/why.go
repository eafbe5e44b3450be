package main

import (
	"context"
	"net/http"
	"net/url"
)

// whyCmd explains who gets a value.
type whyCmd struct {
	server
	Value string `arg:"" help:"The value in question."`
	For   string `required:"" placeholder:"WHOM" help:"A subscriber, an organisation, or a user's e-mail address."`
	JSON  bool   `help:"Answer as one JSON object."`
}

func (whyCmd) Help() string {
	return `For each claim on the value it says by which ways it reaches them, by which it does not, and
why. The answer comes from the rules by which it is decided, not from a description of them.

Example:
  tocsin why evil.example --for resolver-1`
}

// whyAnswer is what the exchange says.
type whyAnswer struct {
	Value  string     `json:"value"`
	Key    string     `json:"key"`
	For    string     `json:"for"`
	Claims []whyClaim `json:"claims"`
}

type whyClaim struct {
	Attribute int64    `json:"attribute"`
	Event     int64    `json:"event"`
	EventUUID string   `json:"event_uuid"`
	Type      string   `json:"type"`
	Org       string   `json:"org"`
	ToIDS     bool     `json:"to_ids"`
	Published bool     `json:"published"`
	TLP       string   `json:"tlp"`
	Ways      []whyWay `json:"ways"`
}

type whyWay struct {
	Exit       string `json:"exit"`
	Collection string `json:"collection,omitempty"`
	Allowed    bool   `json:"allowed"`
	Reason     string `json:"reason"`
}

func (w *whyCmd) Run(ctx context.Context, c *console) error {
	api, err := w.client()
	if err != nil {
		return err
	}
	var a whyAnswer
	if err := api.call(ctx, http.MethodGet, "/api/why", url.Values{"value": {w.Value}, "for": {w.For}}, nil, &a); err != nil {
		return err
	}
	if w.JSON {
		return c.json(a)
	}
	if len(a.Claims) == 0 {
		return c.print("nobody whom you may see claims %s, so it does not reach %s", a.Value, a.For)
	}
	for i, claim := range a.Claims {
		if i > 0 {
			c.print("")
		}
		if err := c.explain(a, claim); err != nil {
			return err
		}
	}
	return nil
}

// explain shows one claim and its ways.
func (c *console) explain(a whyAnswer, claim whyClaim) error {
	state := "published"
	if !claim.Published {
		state = "not published"
	}
	if err := c.print("%s %s, by %s in event %d (%s, %s), towards %s:", claim.Type, a.Value, claim.Org, claim.Event, state, claim.TLP, a.For); err != nil {
		return err
	}
	var rows [][]string
	for _, w := range claim.Ways {
		answer := "no"
		if w.Allowed {
			answer = "yes"
		}
		exit := w.Exit
		if w.Collection != "" {
			exit += " " + w.Collection
		}
		rows = append(rows, []string{exit, answer, w.Reason})
	}
	return c.table([]string{"WAY", "REACHES", "WHY"}, rows)
}
