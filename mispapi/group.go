package mispapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

// indexGroups answers with the sharing groups that the viewer may know of.
func indexGroups(c *call) error {
	rows := []any{}
	for _, g := range slices.SortedFunc(c.view.Groups(), func(a, b *tocsin.Group) int { return strings.Compare(a.Name, b.Name) }) {
		mine := c.v.SeesAll() || c.v.May(access.SharingGroup) && g.Org == c.v.Org()
		members := []any{}
		for i, m := range g.Named() {
			members = append(members, groupMember{int64(i + 1), g.ID, m.Org, m.Extend, c.briefOrg(m.Org)})
		}
		rows = append(rows, struct {
			Group    groupRow `json:"SharingGroup"`
			Maker    briefOrg `json:"Organisation"`
			Members  []any    `json:"SharingGroupOrg"`
			Servers  any      `json:"SharingGroupServer"`
			Editable bool     `json:"editable"`
			Delete   bool     `json:"deletable"`
		}{groupRow{g.ID, g.UUID, g.Name, g.Description, g.Releasability, false, !g.Inactive, g.Roaming, len(g.Members)},
			c.briefOrg(g.Org), members, c.groupServers(g), mine, mine})
	}
	return c.reply(map[string]any{"response": rows})
}

type groupRow struct {
	ID            int64       `json:"id"`
	UUID          tocsin.UUID `json:"uuid"`
	Name          string      `json:"name"`
	Description   string      `json:"description"`
	Releasability string      `json:"releasability"`
	Local         bool        `json:"local"`
	Active        bool        `json:"active"`
	Roaming       bool        `json:"roaming"`
	Orgs          int         `json:"org_count"`
}

type groupMember struct {
	ID     int64 `json:"id"`
	Group  int64 `json:"sharing_group_id"`
	Org    int64 `json:"org_id"`
	Extend bool  `json:"extend"`
	Member any   `json:"Organisation"`
}

// A briefOrg is an organisation as it stands in other records.
type briefOrg struct {
	ID   int64       `json:"id"`
	Name string      `json:"name"`
	UUID tocsin.UUID `json:"uuid"`
}

func (c *call) briefOrg(id int64) briefOrg {
	o, err := store.One[*tocsin.Organisation](c.view, id)
	if err != nil {
		return briefOrg{ID: id}
	}
	return briefOrg{o.ID, o.Name, o.UUID}
}

// viewGroup answers with one sharing group.
func viewGroup(c *call) error {
	g, err := small[*tocsin.Group](c.view, c.arg(0))
	if err != nil {
		return err
	}
	maker, _ := store.One[*tocsin.Organisation](c.view, g.Org)
	members := []any{}
	for i, m := range g.Named() {
		o, _ := store.One[*tocsin.Organisation](c.view, m.Org)
		members = append(members, groupMember{int64(i + 1), g.ID, m.Org, m.Extend, struct {
			briefOrg
			Local bool `json:"local"`
		}{c.briefOrg(m.Org), o != nil && o.Local}})
	}
	return c.reply(map[string]any{
		"SharingGroup": struct {
			groupWords
			SyncName string   `json:"sync_org_name"`
			Sync     briefOrg `json:"sync_org"`
		}{c.groupWords(g), c.briefOrg(g.Org).Name, c.briefOrg(g.Org)},
		"Organisation": c.organisation(maker), "SharingGroupOrg": members, "SharingGroupServer": c.groupServers(g),
	})
}

type groupWords struct {
	ID            int64       `json:"id"`
	Name          string      `json:"name"`
	Releasability string      `json:"releasability"`
	Description   string      `json:"description"`
	UUID          tocsin.UUID `json:"uuid"`
	MakerUUID     tocsin.UUID `json:"organisation_uuid"`
	Maker         int64       `json:"org_id"`
	SyncUser      int64       `json:"sync_user_id"`
	Active        bool        `json:"active"`
	Created       string      `json:"created"`
	Modified      string      `json:"modified"`
	Local         bool        `json:"local"`
	Roaming       bool        `json:"roaming"`
}

func (c *call) groupWords(g *tocsin.Group) groupWords {
	at := func(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.DateTime) }
	return groupWords{ID: g.ID, Name: g.Name, Releasability: g.Releasability, Description: g.Description, UUID: g.UUID,
		MakerUUID: c.briefOrg(g.Org).UUID, Maker: g.Org, SyncUser: g.User, Active: !g.Inactive, Created: at(g.Created), Modified: at(g.Modified),
		Roaming: g.Roaming}
}

// addGroup makes a sharing group of the viewer's organisation, with those members
// that the body names.
func addGroup(c *call) error {
	in, err := misp.DecodeSharingGroup(c.r.Body)
	if err != nil {
		return c.undecoded(err, "No valid sharing group data received.")
	}
	const url = "/sharing_groups/add"
	if len(in.Problems) > 0 {
		return c.unsaved("add SharingGroup", url, in.Problems[0].Error(), nil)
	}
	now := c.db.Now()
	g := &tocsin.Group{UUID: in.UUID.Or(tocsin.NewUUID(now)), Name: strings.TrimSpace(in.Name.Or("")), Releasability: in.Releasability.Or(""),
		Description: in.Description.Or(""), Org: c.v.Org(), User: c.v.User(), Created: now.Unix(), Modified: now.Unix(), Members: []tocsin.Member{},
		Inactive: !in.Active.Or(true), Roaming: in.Roaming.Or(len(in.Servers) == 0)}
	for _, s := range in.Servers {
		peer, err := c.serverMeant(itoa(s.ServerID.Or(0)))
		if err != nil {
			return c.unsaved("add SharingGroup", url, "Invalid Server.", nil)
		}
		g.Servers = append(g.Servers, tocsin.GroupServer{Peer: peer, AllOrgs: s.AllOrgs.Or(false)})
	}
	for _, m := range in.Members {
		id, err := c.memberMeant(&m)
		if err != nil {
			return c.unsaved("add SharingGroup", url, err.Error(), nil)
		}
		if !g.Has(id) {
			g.Members = append(g.Members, tocsin.Member{Org: id, Extend: m.Extend.Or(false)})
		}
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Put(tx, g) })
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict, tocsin.Invalid:
		return c.unsaved("add SharingGroup", url, map[string][]string{"name": {err.Error()}}, nil)
	}
	if err != nil {
		return err
	}
	c.view = c.db.As(c.v)
	return c.replyGroup(g)
}

// memberMeant returns the organisation that a member is: by uuid, else by number.
func (c *call) memberMeant(m *misp.Member) (int64, error) {
	if m.Org != nil && m.Org.UUID.Present() {
		o, err := store.ByUUID[*tocsin.Organisation](c.view, m.Org.UUID.Or(tocsin.UUID{}))
		if err != nil {
			return 0, err
		}
		return o.ID, nil
	}
	o, err := store.One[*tocsin.Organisation](c.view, m.OrgID.Or(0))
	if err != nil {
		return 0, err
	}
	return o.ID, nil
}

// replyGroup answers with a group as sharing_groups/add and edit do.
func (c *call) replyGroup(g *tocsin.Group) error {
	members := []any{}
	for i, m := range g.Named() {
		members = append(members, groupMember{int64(i + 1), g.ID, m.Org, m.Extend, c.briefOrg(m.Org)})
	}
	return c.reply(map[string]any{"SharingGroup": c.groupWords(g), "SharingGroupOrg": members, "SharingGroupServer": c.groupServers(g),
		"Organisation": c.briefOrg(g.Org)})
}

// editGroup changes what the body names of a sharing group. Members come and go
// by addOrg and removeOrg.
func editGroup(c *call) error {
	in, err := misp.DecodeSharingGroup(c.r.Body)
	if err != nil {
		return c.undecoded(err, "No valid sharing group data received.")
	}
	if len(in.Problems) > 0 {
		return c.unsaved("edit SharingGroup", c.r.URL.Path, in.Problems[0].Error(), nil)
	}
	g, err := c.changeGroup(c.arg(0), func(g *tocsin.Group) error {
		g.Name = strings.TrimSpace(in.Name.Or(g.Name))
		g.Releasability = in.Releasability.Or(g.Releasability)
		g.Description = in.Description.Or(g.Description)
		g.Inactive, g.Roaming = !in.Active.Or(!g.Inactive), in.Roaming.Or(g.Roaming)
		return nil
	})
	if err != nil {
		return err
	}
	return c.replyGroup(g)
}

// changeGroup lets change alter a copy of a sharing group that the viewer knows.
func (c *call) changeGroup(name string, change func(*tocsin.Group) error) (*tocsin.Group, error) {
	found, err := small[*tocsin.Group](c.view, name)
	if err != nil {
		return nil, err
	}
	var g tocsin.Group
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		old, err := store.Get[*tocsin.Group](tx, found.ID)
		if err != nil {
			return err
		}
		g = *old
		g.Members, g.Servers = slices.Clone(old.Members), slices.Clone(old.Servers)
		if err := change(&g); err != nil {
			return err
		}
		g.Modified = tx.Now().Unix()
		return store.Put(tx, &g)
	})
	return &g, err
}

// A membership is what addOrg and removeOrg are told, in the path or in a body.
type membership struct {
	Group  text `json:"sg_id"`
	Org    text `json:"org_id"`
	Extend text `json:"extend"`
}

func (c *call) membership() (m membership, err error) {
	m = membership{text(c.arg(0)), text(c.arg(1)), text(c.arg(2))}
	b, err := c.body()
	if err != nil || len(b) == 0 {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	return m, nil
}

// addMember adds an organisation to a sharing group.
func addMember(c *call) error {
	return c.changeMembers("Organisation added to the sharing group.", "/sharing_groups/addOrg", func(g *tocsin.Group, org int64, extend bool) {
		if !g.Has(org) {
			g.Members = append(g.Members, tocsin.Member{Org: org, Extend: extend})
		}
	})
}

// removeMember takes an organisation out of a sharing group: it loses at once
// what it had by the group alone.
func removeMember(c *call) error {
	return c.changeMembers("Organisation removed from the sharing group.", "/sharing_groups/removeOrg", func(g *tocsin.Group, org int64, _ bool) {
		g.Members = slices.DeleteFunc(g.Members, func(m tocsin.Member) bool { return m.Org == org })
	})
}

func (c *call) changeMembers(sentence, url string, change func(g *tocsin.Group, org int64, extend bool)) error {
	m, err := c.membership()
	if err != nil {
		return err
	}
	o, err := small[*tocsin.Organisation](c.view, string(m.Org))
	if err != nil {
		return c.no(http.StatusMethodNotAllowed, tocsin.NotFound, "Invalid organisation")
	}
	_, err = c.changeGroup(string(m.Group), func(g *tocsin.Group) error {
		change(g, o.ID, truthy(string(m.Extend)))
		return nil
	})
	if err != nil {
		return err
	}
	return c.done(sentence, url, nil)
}
