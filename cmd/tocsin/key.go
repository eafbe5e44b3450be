package main

import (
	"context"
	"net/netip"
	"time"

	"tocsin/access"
	"tocsin/store"
)

type keyCmd struct {
	Add    keyAdd            `cmd:"" help:"Add an API key."`
	List   listOf[apiKeys]   `cmd:"" help:"List API keys by their ends; the keys themselves are kept nowhere."`
	Show   showOf[apiKeys]   `cmd:"" help:"Show what is known of a key."`
	Remove removeOf[apiKeys] `cmd:"" help:"Remove a key: it does not work any more."`
}

// keyAdd lets a program act for a user.
type keyAdd struct {
	server
	User     string   `placeholder:"ADDR" help:"For whom the program acts. You, if not said."`
	Comment  string   `placeholder:"TEXT" help:"What it is for."`
	ReadOnly bool     `help:"It may read and change nothing."`
	Allow    []string `placeholder:"ADDR" help:"Address or network from which it may be used; may be repeated. Anywhere if not said."`
	TLP      string   `name:"tlp" placeholder:"LABEL" help:"The strictest TLP that it shows: clear, green, amber, amber+strict or red. What is not marked counts as green. No limit if not said."`
	Expires  string   `placeholder:"DATE" help:"The last day on which it works, as 2027-12-31. For ever if not said."`
	JSON     bool     `help:"Answer as one JSON object."`
	Data     string   `type:"path" placeholder:"DIR" help:"Make it in a folder that no server holds, instead of at a running exchange: for when the last key is lost. The first site administrator's unless --user says otherwise."`
	storeFlag
}

func (keyAdd) Help() string {
	return `The key is shown once and kept nowhere.

Example:
  tocsin key add --comment "resolver logs" --read-only --allow 192.0.2.0/24`
}

func (a *keyAdd) Run(ctx context.Context, c *console) error {
	if a.Data != "" {
		return a.inFolder(ctx, c)
	}
	in := map[string]any{"comment": a.Comment, "read_only": a.ReadOnly, "allow": []netip.Prefix{}}
	if a.TLP != "" {
		if _, ok := access.ParseTLP(a.TLP); !ok {
			return misuse("tocsin key add --help", "no TLP label %q; try one of [clear green amber amber+strict red]", a.TLP)
		}
		in["tlp"] = a.TLP
	}
	if a.User != "" {
		in["user"] = a.User
	}
	allow, err := prefixes("tocsin key add --help", a.Allow)
	if err != nil {
		return err
	}
	in["allow"] = allow
	if a.Expires != "" {
		day, err := time.ParseInLocation(time.DateOnly, a.Expires, time.Local)
		if err != nil {
			return misuse("tocsin key add --help", "%q is no date, as 2027-12-31", a.Expires)
		}
		in["expires"] = day.AddDate(0, 0, 1)
	}
	f, err := a.add(ctx, apiKeys{}, in)
	if err != nil {
		return err
	}
	return c.record(f, a.JSON)
}

// inFolder makes a key without asking a server.
func (a *keyAdd) inFolder(ctx context.Context, c *console) error {
	if a.ReadOnly || len(a.Allow) > 0 || a.Expires != "" || a.TLP != "" {
		return misuse("tocsin key add --help", "--data makes a plain key; its limits are set at a running exchange")
	}
	f, err := openFolder(ctx, a.Data, a.Store)
	if err != nil {
		return err
	}
	defer f.Close()
	u, err := f.user(a.User)
	if err != nil {
		return err
	}
	var key string
	_, err = f.DB.Apply(ctx, all(), func(tx *store.Tx) (err error) {
		key, err = addKey(tx, u.ID, a.Comment)
		return err
	})
	if err != nil {
		return err
	}
	return c.record(fields{"user_email": u.Email, "key": key}, a.JSON)
}
