package main

import (
	"context"
	"net/http"
	"strconv"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

type userCmd struct {
	Add      userAdd         `cmd:"" help:"Add a user."`
	Password userPassword    `cmd:"" help:"Draw a new password for a user."`
	List     listOf[users]   `cmd:"" help:"List users."`
	Show     showOf[users]   `cmd:"" help:"Show one user."`
	Remove   removeOf[users] `cmd:"" help:"Remove a user."`
}

// userAdd adds a person.
type userAdd struct {
	server
	Org   string `placeholder:"NAME" help:"Their organisation. Your own if not said."`
	Email string `required:"" placeholder:"ADDR" help:"Their e-mail address, by which they sign in."`
	Role  string `default:"user" placeholder:"ROLE" help:"What they may do. One of: ${roles}. If not said, ${default}."`
	JSON  bool   `help:"Answer as one JSON object."`
}

func (userAdd) Help() string {
	return `The answer holds a password and an API key; both are shown once and kept nowhere.

Example:
  tocsin user add --org "Small Provider" --email ana@example.org --role publisher`
}

func (a *userAdd) Run(ctx context.Context, c *console) error {
	role, err := roleName(a.Role)
	if err != nil {
		return err
	}
	in := map[string]any{"email": a.Email, "role": role}
	if a.Org != "" {
		in["org"] = reference(a.Org)
	}
	f, err := a.add(ctx, users{}, in)
	if err != nil {
		return err
	}
	if err := c.record(f, a.JSON); err != nil || a.JSON {
		return err
	}
	c.say("\nPassword and key are shown this once.")
	return nil
}

// roleOf is the name of a role by its number.
func roleOf(number string) string {
	n, _ := strconv.ParseInt(number, 10, 64)
	if r, ok := access.RoleByID(n); ok {
		return roleSlug(r.Name)
	}
	return number
}

// userPassword replaces a password that somebody has lost.
type userPassword struct {
	server
	Email string `arg:"" help:"The user's e-mail address."`
	Data  string `type:"path" placeholder:"DIR" help:"Do it in a folder that no server holds, instead of at a running exchange: for when nobody can sign in any more."`
	storeFlag
}

func (userPassword) Help() string {
	return `Example:
  tocsin user password ana@example.org`
}

func (p *userPassword) Run(ctx context.Context, c *console) error {
	password := httpd.NewPassword()
	if err := p.set(ctx, password); err != nil {
		return err
	}
	c.say("The new password of %s, shown this once:", p.Email)
	return c.print("%s", password)
}

func (p *userPassword) set(ctx context.Context, password string) error {
	if p.Data == "" {
		api, err := p.client()
		if err != nil {
			return err
		}
		return api.call(ctx, http.MethodPatch, path("api", "users", p.Email), nil, map[string]any{"password": password}, nil)
	}
	f, err := openFolder(ctx, p.Data, p.Store)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.DB.Apply(ctx, all(), func(tx *store.Tx) error {
		old, err := store.Named[*tocsin.User](tx, p.Email)
		if err != nil {
			return err
		}
		u := *old
		u.Password = httpd.HashPassword(password)
		return store.Put(tx, &u)
	})
	return err
}
