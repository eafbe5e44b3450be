package main

import (
	"context"
	"fmt"
	"strings"

	"tocsin"
	"tocsin/store"
)

// initCmd founds an exchange.
type initCmd struct {
	Data string `required:"" type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Folder to keep the exchange in; it is made if there is none."`
	storeFlag
	Org   string `required:"" placeholder:"NAME" help:"Your organisation."`
	Email string `required:"" placeholder:"ADDR" help:"E-mail address of the first user, who administers everything."`
	JSON  bool   `help:"Answer as one JSON object."`
}

func (initCmd) Help() string {
	return `The password and the API key are shown once and kept nowhere.

Example:
  tocsin init --data /var/lib/tocsin --org "Example Telecom" --email you@example.org`
}

func (i *initCmd) Run(ctx context.Context, c *console) error {
	if strings.TrimSpace(i.Org) == "" {
		return misuse("tocsin init --help", "--org needs a name")
	}
	f, err := makeFolder(ctx, i.Data, i.Store)
	if err != nil {
		return err
	}
	defer f.Close()
	if o := f.founded(); o != nil {
		return fmt.Errorf("there is an exchange in %s already, founded by %s; start it with `tocsin serve --data %s`", i.where(), o.Name, i.Data)
	}
	var a account
	_, err = f.DB.Apply(ctx, all(), func(tx *store.Tx) error {
		o, err := addOrganisation(tx, tocsin.Organisation{Name: strings.TrimSpace(i.Org)})
		if err == nil {
			a, err = addUser(tx, o, i.Email, adminRole)
		}
		return err
	})
	if err != nil {
		return err
	}
	if i.JSON {
		return c.json(a)
	}
	c.print("organisation  %s\nlogin         %s\npassword      %s\nAPI key       %s", a.Org, a.Email, a.Password, a.Key)
	c.say("\nPassword and key are shown this once. Start the exchange with:\n  tocsin serve --data %s", i.Data)
	return nil
}

// where names what keeps the store; a database's URL may hold a password.
func (i *initCmd) where() string {
	if i.Store != "" {
		return "the database"
	}
	return i.Data
}
