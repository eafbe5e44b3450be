package main

import "context"

type lifetimeCmd struct {
	Add    lifetimeAdd         `cmd:"" help:"Say for how long claims hold."`
	List   listOf[lifetimes]   `cmd:"" help:"List for how long claims hold."`
	Show   showOf[lifetimes]   `cmd:"" help:"Show one lifetime."`
	Remove removeOf[lifetimes] `cmd:"" help:"Remove a lifetime: what it ended holds again."`
}

// lifetimeAdd says for how long claims hold after their indicator was last seen.
type lifetimeAdd struct {
	server
	Name string   `arg:"" help:"What it is called."`
	Days int64    `required:"" help:"Days after the indicator was last seen; 0 is for ever."`
	Type []string `placeholder:"TYPE" help:"MISP types that it is for; all if none is named."`
	Org  []string `sep:"none" placeholder:"ORG" help:"Organisation whose claims it is for; may be repeated; everyone's if none is named."`
	JSON bool     `help:"Answer as one JSON object."`
}

func (lifetimeAdd) Help() string {
	return `Without a lifetime claims hold for ever. What is over leaves zones and lists, can still be read, and
holds again when it is seen again. Of several lifetimes the one for a type and a source comes before
one for the source, that before one for the type, and that before one for everything.

Examples:
  tocsin lifetime add addresses --type ip-dst,ip-src --days 30
  tocsin lifetime add "what they say of pages" --org "Small Provider" --type url,domain --days 7`
}

func (a *lifetimeAdd) Run(ctx context.Context, c *console) error {
	f, err := a.add(ctx, lifetimes{}, map[string]any{"name": a.Name, "days": a.Days, "types": a.Type, "orgs": references(a.Org)})
	if err != nil {
		return err
	}
	return c.record(f, a.JSON)
}

type retentionCmd struct {
	Add    retentionAdd         `cmd:"" help:"Have events deleted for good when they are old."`
	List   listOf[retentions]   `cmd:"" help:"List for how long events are kept."`
	Show   showOf[retentions]   `cmd:"" help:"Show one retention."`
	Remove removeOf[retentions] `cmd:"" help:"Remove a retention; what it deleted stays deleted."`
}

// retentionAdd has events deleted when they have not been changed for so long.
type retentionAdd struct {
	server
	Name string   `arg:"" help:"What it is called."`
	Days int64    `required:"" help:"Days after the event was last changed."`
	Org  []string `sep:"none" placeholder:"ORG" help:"Organisation whose events it is for; may be repeated; everyone's if none is named."`
	JSON bool     `help:"Answer as one JSON object."`
}

func (retentionAdd) Help() string {
	return `Without a retention events are kept for ever. Deletion is for good, with all that is in the event.

Example:
  tocsin retention add "two years" --org "Small Provider" --days 730`
}

func (a *retentionAdd) Run(ctx context.Context, c *console) error {
	f, err := a.add(ctx, retentions{}, map[string]any{"name": a.Name, "days": a.Days, "orgs": references(a.Org)})
	if err != nil {
		return err
	}
	return c.record(f, a.JSON)
}
