package mispapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

type groupServer struct {
	ID      int64 `json:"id"`
	Group   int64 `json:"sharing_group_id"`
	Server  int64 `json:"server_id"`
	AllOrgs bool  `json:"all_orgs"`
	Named   struct {
		ID   int64  `json:"id"`
		URL  string `json:"url"`
		Name string `json:"name"`
	} `json:"Server"`
}

// groupServers are the instances to which a sharing group may travel. Whoever may not
// know of a peer is told its number.
func (c *call) groupServers(g *tocsin.Group) []groupServer {
	out := []groupServer{}
	for i, s := range g.Servers {
		row := groupServer{ID: int64(i + 1), Group: g.ID, Server: s.Peer, AllOrgs: s.AllOrgs}
		row.Named.ID = s.Peer
		if p, err := store.One[*tocsin.Peer](c.view, s.Peer); err == nil {
			row.Named.Name, row.Named.URL = p.Name, p.URL
		} else if s.Peer == 0 {
			row.Named.Name, row.Named.URL = "Local instance", c.base()
		}
		out = append(out, row)
	}
	return out
}

// serverMeant returns the peer that a text names: by number, name or address.
func (c *call) serverMeant(text string) (int64, error) {
	f := refOf(text)
	for p := range c.view.Peers() {
		if p.ID == f.id || text != "" && (strings.EqualFold(p.Name, text) || p.URL == strings.TrimSuffix(text, "/")) {
			return p.ID, nil
		}
	}
	return 0, c.no(http.StatusMethodNotAllowed, tocsin.NotFound, "Invalid Server.")
}

// servership is what addServer and removeServer are told, in the path or in a body.
func (c *call) servership() (group, server string, all bool, err error) {
	in := struct {
		Group  text `json:"sg_id"`
		Server text `json:"server_id"`
		All    text `json:"all_orgs"`
	}{text(c.arg(0)), text(c.arg(1)), text(c.arg(2))}
	b, err := c.body()
	if err == nil && len(b) > 0 {
		if bad := json.Unmarshal(b, &in); bad != nil {
			err = c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, bad.Error())
		}
	}
	return string(in.Group), string(in.Server), truthy(string(in.All)), err
}

// addServer lets a sharing group travel to an instance.
func addServer(c *call) error {
	return c.changeServers("Server added to the sharing group.", "/sharing_groups/addServer", func(g *tocsin.Group, peer int64, all bool) {
		g.Servers = append(slices.DeleteFunc(g.Servers, isPeer(peer)), tocsin.GroupServer{Peer: peer, AllOrgs: all})
	})
}

// removeServer keeps it from there.
func removeServer(c *call) error {
	return c.changeServers("Server removed from the sharing group.", "/sharing_groups/removeServer", func(g *tocsin.Group, peer int64, _ bool) {
		g.Servers = slices.DeleteFunc(g.Servers, isPeer(peer))
	})
}

func isPeer(id int64) func(tocsin.GroupServer) bool {
	return func(s tocsin.GroupServer) bool { return s.Peer == id }
}

func (c *call) changeServers(sentence, url string, change func(g *tocsin.Group, peer int64, all bool)) error {
	group, server, all, err := c.servership()
	if err != nil {
		return err
	}
	if _, err := small[*tocsin.Group](c.view, group); err != nil {
		return err
	}
	peer, err := c.serverMeant(server)
	if err != nil {
		return err
	}
	_, err = c.changeGroup(group, func(g *tocsin.Group) error {
		change(g, peer, all)
		return nil
	})
	if err != nil {
		return err
	}
	return c.done(sentence, url, nil)
}

// deleteGroup removes a sharing group with which nothing is shared.
func deleteGroup(c *call) error {
	g, err := small[*tocsin.Group](c.view, cmp.Or(c.arg(0), c.named["id"]))
	if err == nil {
		err = c.change(func(tx *store.Tx) error { return store.Remove[*tocsin.Group](tx, g.ID) })
	}
	if tocsin.CodeOf(err) == tocsin.Conflict {
		return c.unsaved("delete SharingGroup", "/sharing_groups/delete/"+c.arg(0), "The sharing group could not be deleted.", c.arg(0))
	}
	if err != nil {
		return err
	}
	return c.done("SharingGroup deleted", "/sharing_groups/delete/"+c.arg(0), c.arg(0))
}
