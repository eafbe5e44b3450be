package mispapi

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// Blocklists: events, and organisations, whose events are kept out. They are for the
// instance's administrators.

// blocks answers for one of the two blocklists.
type blocks struct {
	of   tocsin.Kind
	url  string // as answers name it
	wrap string
}

var (
	eventBlocks = blocks{tocsin.KindEvent, "/event_blocklists", "EventBlocklist"}
	orgBlocks   = blocks{tocsin.KindOrganisation, "/org_blocklists", "OrgBlocklist"}
)

// words is an entry as MISP answers it. How often it was met is not kept.
func (l blocks) words(b *tocsin.Block) any {
	created := b.Created.UTC().Format(time.DateTime)
	if l.of == tocsin.KindEvent {
		return struct {
			ID      int64       `json:"id"`
			UUID    tocsin.UUID `json:"event_uuid"`
			Created string      `json:"created"`
			Info    string      `json:"event_info"`
			Comment string      `json:"comment"`
			Orgc    string      `json:"event_orgc"`
		}{b.ID, b.UUID, created, b.Info, b.Comment, b.Org}
	}
	return struct {
		ID      int64       `json:"id"`
		UUID    tocsin.UUID `json:"org_uuid"`
		Created string      `json:"created"`
		Name    string      `json:"org_name"`
		Comment string      `json:"comment"`
		Met     struct {
			Amount bool `json:"blocked_amount"`
			Last   bool `json:"blocked_last_time"`
		} `json:"blocked_data"`
	}{ID: b.ID, UUID: b.UUID, Created: created, Name: b.Org, Comment: b.Comment}
}

// administers refuses a list that is for the instance's administrators.
func (c *call) administers() error {
	if !c.v.May(access.SiteAdmin) {
		return c.no(http.StatusForbidden, tocsin.Forbidden, notPermitted)
	}
	return nil
}

func (l blocks) index(c *call) error {
	if err := c.administers(); err != nil {
		return err
	}
	rows := []any{}
	for _, b := range slices.SortedFunc(c.view.Blocks(), func(a, b *tocsin.Block) int { return cmp.Compare(a.ID, b.ID) }) {
		if b.Of == l.of {
			rows = append(rows, l.words(b))
		}
	}
	return c.reply(rows)
}

// block returns the entry that the path names: by the uuid that is kept out, or by id.
func (l blocks) block(c *call) (*tocsin.Block, error) {
	f := refOf(c.arg(0))
	for b := range c.view.Blocks() {
		if b.Of == l.of && (b.ID == f.id || !f.uuid.IsZero() && b.UUID == f.uuid) {
			return b, nil
		}
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no blocklist entry %s", c.arg(0))
}

// said reads the body, bare or wrapped.
func (l blocks) said(c *call) (map[string]any, error) {
	said, err := c.filters()
	if err != nil {
		return nil, err
	}
	if inner, ok := said[l.wrap].(map[string]any); ok {
		return inner, nil
	}
	return said, nil
}

// fill takes into b what a body says of it.
func (l blocks) fill(b *tocsin.Block, said map[string]any) {
	for name, to := range map[string]*string{"comment": &b.Comment, "event_info": &b.Info, "event_orgc": &b.Org, "org_name": &b.Org} {
		if text, ok := said[name].(string); ok && strings.HasPrefix(name, "org") == (l.of == tocsin.KindOrganisation) || ok && name == "comment" {
			*to = text
		}
	}
}

// maxBlocks is how many uuids one call may name.
const maxBlocks = 10_000

// add keeps out the uuids of a list, or of the lines of a text. What is no uuid, or
// there already, is told as failed.
func (l blocks) add(c *call) error {
	said, err := l.said(c)
	if err != nil {
		return err
	}
	uuids, err := scalars("uuids", said["uuids"])
	if err != nil {
		return c.invalid(err)
	}
	uuids = strings.Fields(strings.Join(uuids, "\n"))
	switch {
	case len(uuids) == 0:
		return c.unsaved("add "+l.wrap, l.url+"/add", "No UUIDs were provided: uuids is a list of them.", nil)
	case len(uuids) > maxBlocks:
		return c.unsaved("add "+l.wrap, l.url+"/add", fmt.Sprintf("one call keeps out no more than %d", maxBlocks), nil)
	}
	var done, failed []string
	err = c.change(func(tx *store.Tx) error {
		done, failed = []string{}, []string{}
		for _, text := range uuids {
			u, err := tocsin.ParseUUID(text)
			if err == nil {
				b := &tocsin.Block{Of: l.of, UUID: u, Created: tx.Now()}
				l.fill(b, said)
				err = store.Put(tx, b)
			}
			switch code := tocsin.CodeOf(err); {
			case err == nil:
				done = append(done, text)
			case code == tocsin.Invalid || code == tocsin.Conflict:
				failed = append(failed, text)
			default:
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"result": map[string][]string{"successes": done, "fails": failed},
		"message": fmt.Sprintf("Done. Added %d new entries to the blocklist. %d entries could not be saved.", len(done), len(failed))})
}

func (l blocks) edit(c *call) error {
	old, err := l.block(c)
	if err != nil {
		return err
	}
	said, err := l.said(c)
	if err != nil {
		return err
	}
	b := *old
	l.fill(&b, said)
	if err := c.change(func(tx *store.Tx) error { return store.Put(tx, &b) }); err != nil {
		return err
	}
	return c.reply(map[string]any{l.wrap: l.words(&b)})
}

// remove takes an entry off: one that somebody added, or the one that stands for an
// event since it was deleted.
func (l blocks) remove(c *call) error {
	b, err := l.block(c)
	lift := func(tx *store.Tx) error { return store.Remove[*tocsin.Block](tx, b.ID) }
	if u := refOf(c.arg(0)).uuid; err != nil && l.of == tocsin.KindEvent && !u.IsZero() {
		lift, err = func(tx *store.Tx) error { return tx.Lift(u) }, nil
	}
	if err != nil {
		return err
	}
	if err := c.change(lift); err != nil {
		return err
	}
	return c.done("Blocklist entry removed", l.url+"/delete/"+c.arg(0), c.arg(0))
}
