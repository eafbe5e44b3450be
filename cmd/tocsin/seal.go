package main

import (
	"context"

	"tocsin/seal"
)

type sealCmd struct {
	Show   sealShow   `cmd:"" help:"Show the key file and the ids of its keys."`
	Rotate sealRotate `cmd:"" help:"Draw a new key and seal every secret anew."`
}

func (sealCmd) Help() string {
	return `Secrets that have to be readable, such as TSIG keys, are sealed in the store. The key file, seal.key
in the folder unless --seal-key or TOCSIN_SEAL_KEY names another, is made at the first start. Keep a copy
of it apart from the data: without it the secrets are lost, and a backup without it tells nobody any.`
}

// sealShow says which key is in force, and nothing of it.
type sealShow struct {
	Data    string `required:"" type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Folder that the exchange is kept in."`
	SealKey string `type:"path" env:"TOCSIN_SEAL_KEY" placeholder:"FILE" help:"The key file."`
	JSON    bool   `help:"Answer as one JSON object."`
}

func (sealShow) Help() string {
	return `Shows nothing of the keys themselves.

Example:
  tocsin seal show --data /srv/tocsin`
}

func (s *sealShow) Run(_ context.Context, c *console) error {
	keys, err := seal.Open(config{Data: s.Data, SealKey: s.SealKey}.sealKey())
	if err != nil {
		return err
	}
	return c.record(fields{"file": keys.Path(), "keys": keys.IDs()}, s.JSON)
}

// sealRotate wants the exchange stopped: the store has to itself what it seals anew.
type sealRotate struct {
	Data    string `required:"" type:"path" env:"TOCSIN_DATA" placeholder:"DIR" help:"Folder that the exchange is kept in; no server may hold it."`
	SealKey string `type:"path" env:"TOCSIN_SEAL_KEY" placeholder:"FILE" help:"The key file."`
	storeFlag
}

func (sealRotate) Help() string {
	return `Stop the exchange first, on all nodes. Keep the old key file until the new one is copied.

Example:
  tocsin seal rotate --data /srv/tocsin`
}

func (s *sealRotate) Run(ctx context.Context, c *console) error {
	f, err := openSealed(ctx, config{Data: s.Data, Store: s.Store, SealKey: s.SealKey})
	if err != nil {
		return err
	}
	defer f.Close()
	// Whatever happens between these three, the key file opens all there is.
	if err := f.keys.Rotate(); err != nil {
		return err
	}
	if err := f.DB.Reseal(ctx); err != nil {
		return err
	}
	if err := f.keys.Forget(); err != nil {
		return err
	}
	c.print("every secret is sealed with the new key %s", f.keys.IDs()[0])
	c.say("Copy %s to where you keep the old one, and to the other nodes of the exchange.", f.keys.Path())
	return nil
}
