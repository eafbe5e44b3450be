package main

import "context"

type groupCmd struct {
	Add    groupAdd                `cmd:"" help:"Add a sharing group."`
	List   listOf[sharingGroups]   `cmd:"" help:"List sharing groups."`
	Show   showOf[sharingGroups]   `cmd:"" help:"Show one sharing group."`
	Remove removeOf[sharingGroups] `cmd:"" help:"Remove a sharing group."`
}

// groupAdd adds a group of organisations among which records may travel.
type groupAdd struct {
	server
	Name          string   `arg:"" help:"What it is called."`
	Member        []string `required:"" sep:"none" placeholder:"ORG" help:"Organisation in the group; may be repeated. Yours is in it only if you say so."`
	Releasability string   `placeholder:"TEXT" help:"To whom members may hand on what they get."`
	Description   string   `placeholder:"TEXT" help:"What the group is for."`
	JSON          bool     `help:"Answer as one JSON object."`
}

func (groupAdd) Help() string {
	return `Example:
  tocsin group add "Operation Lantern" --member "Example Telecom" --member "Cybercrime Unit"`
}

func (a *groupAdd) Run(ctx context.Context, c *console) error {
	members := []any{}
	for _, org := range a.Member {
		members = append(members, map[string]any{"org": reference(org)})
	}
	f, err := a.add(ctx, sharingGroups{}, map[string]any{
		"name": a.Name, "members": members, "releasability": a.Releasability, "description": a.Description})
	if err != nil {
		return err
	}
	return c.record(f, a.JSON)
}
