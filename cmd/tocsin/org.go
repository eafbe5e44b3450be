package main

import "context"

type orgCmd struct {
	Add    orgAdd                  `cmd:"" help:"Add an organisation."`
	List   listOf[organisations]   `cmd:"" help:"List organisations."`
	Show   showOf[organisations]   `cmd:"" help:"Show one organisation."`
	Remove removeOf[organisations] `cmd:"" help:"Remove an organisation."`
}

// orgAdd adds an organisation to the exchange.
type orgAdd struct {
	server
	Name        string `arg:"" help:"What it is called."`
	UUID        string `name:"uuid" placeholder:"UUID" help:"Its identity between exchanges, if it has one already."`
	Sector      string `placeholder:"TEXT" help:"Such as telecoms, police, finance."`
	Nationality string `placeholder:"TEXT" help:"Its country."`
	Contacts    string `placeholder:"TEXT" help:"How to reach it."`
	JSON        bool   `help:"Answer as one JSON object."`
}

func (orgAdd) Help() string {
	return `Example:
  tocsin org add "Small Provider" --sector telecoms`
}

func (a *orgAdd) Run(ctx context.Context, c *console) error {
	in := map[string]any{"name": a.Name, "sector": a.Sector, "nationality": a.Nationality, "contacts": a.Contacts, "local": true}
	if a.UUID != "" {
		in["uuid"] = a.UUID
	}
	f, err := a.add(ctx, organisations{}, in)
	if err != nil {
		return err
	}
	if err := c.record(f, a.JSON); err != nil || a.JSON {
		return err
	}
	c.say("\nNext, its first user:\n  tocsin user add --org %q --email somebody@example.org --role org-admin", a.Name)
	return nil
}
