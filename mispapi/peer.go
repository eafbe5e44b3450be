package mispapi

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/egress"
	"tocsin/httpd"
	"tocsin/store"
)

// Rules by which a new peer is asked for everything.
const (
	pullEverything = `{"tags":{"OR":[],"NOT":[]},"orgs":{"OR":[],"NOT":[]},"type_attributes":{"NOT":[]},"type_objects":{"NOT":[]},"url_params":""}`
	pushEverything = `{"tags":{"OR":[],"NOT":[]},"orgs":{"OR":[],"NOT":[]}}`
)

// peerWords is a peer as MISP has a server, without its key.
func peerWords(p *tocsin.Peer) map[string]any {
	return map[string]any{
		"id": p.ID, "name": p.Name, "url": p.URL, "org_id": p.Org, "push": p.Push, "pull": p.Pull, "push_sightings": p.PushSightings,
		"push_galaxy_clusters": p.PushClusters, "push_analyst_data": p.PushAnalyst, "pull_analyst_data": p.PullAnalyst, "pull_galaxy_clusters": p.PullClusters,
		"lastpulledid": nil, "lastpushedid": nil, "organization": nil, "remote_org_id": p.Remote, "publish_without_email": p.NoMail,
		"unpublish_event": p.Unpublish, "self_signed": p.Insecure, "pull_rules": cmp.Or(string(p.PullRules), pullEverything),
		"push_rules": cmp.Or(string(p.PushRules), pushEverything), "cert_file": nil, "client_cert_file": nil, "internal": p.Internal,
		"skip_proxy": p.SkipProxy, "remove_missing_tags": p.RemoveTags, "caching_enabled": p.Caching, "priority": p.Priority,
	}
}

// indexPeers answers with the peers.
func indexPeers(c *call) error {
	rows := []any{}
	for p := range c.view.Peers() {
		w := peerWords(p)
		w["cache_timestamp"] = false
		rows = append(rows, map[string]any{"Server": w, "Organisation": c.partyWords(p.Org), "RemoteOrg": c.partyWords(p.Remote), "User": []any{}})
	}
	return c.reply(c.page(rows))
}

// partyWords is an organisation as it stands beside a peer.
func (c *call) partyWords(id int64) any {
	o, err := store.One[*tocsin.Organisation](c.view, id)
	if err != nil {
		return []any{}
	}
	return map[string]any{"id": o.ID, "name": o.Name, "uuid": o.UUID, "nationality": o.Nationality, "sector": o.Sector, "type": o.Type}
}

// readPeer reads what may be said of a peer.
func (c *call) readPeer(f *form, p *tocsin.Peer) {
	f.text("name", &p.Name)
	f.text("url", &p.URL)
	p.URL = strings.TrimRight(p.URL, "/")
	f.number("remote_org_id", &p.Remote)
	f.number("priority", &p.Priority)
	for name, into := range map[string]*bool{"push": &p.Push, "pull": &p.Pull, "push_sightings": &p.PushSightings, "push_galaxy_clusters": &p.PushClusters,
		"pull_galaxy_clusters": &p.PullClusters, "push_analyst_data": &p.PushAnalyst, "pull_analyst_data": &p.PullAnalyst, "caching_enabled": &p.Caching,
		"internal": &p.Internal, "unpublish_event": &p.Unpublish, "publish_without_email": &p.NoMail, "remove_missing_tags": &p.RemoveTags,
		"skip_proxy": &p.SkipProxy, "self_signed": &p.Insecure} {
		f.flag(name, into)
	}
	f.rules("pull_rules", &p.PullRules)
	f.rules("push_rules", &p.PushRules)
	var key string
	if f.text("authkey", &key); key != "" {
		p.Key = tocsin.NewSecret([]byte(key))
		if len(key) != 40 {
			f.refuse("authkey", "An authkey is 40 characters.")
		}
	}
	if err := egress.CheckURL(p.URL); err != nil {
		f.refuse("url", err.Error())
	}
	if p.Name == "" {
		p.Name = p.URL
	}
	if _, err := store.One[*tocsin.Organisation](c.view, p.Remote); err != nil {
		f.refuse("remote_org_id", "Invalid organisation.")
	}
}

// rules reads rules, which clients send as JSON in a text.
func (f *form) rules(name string, into *json.RawMessage) {
	if !f.has(name) {
		return
	}
	raw := f.value(name)
	if raw[0] != '{' && raw[0] != '[' {
		f.refuse(name, "These are rules as JSON.")
		return
	}
	*into = raw
}

// addPeer adds a peer. Its key is sealed, and stands in this answer and that of an edit.
func addPeer(c *call) error {
	f, err := c.form("Server")
	if err != nil {
		return err
	}
	p := &tocsin.Peer{Org: c.v.Org(), Created: c.db.Now(), Priority: 1}
	for other := range c.view.Peers() {
		p.Priority = max(p.Priority, other.Priority+1)
	}
	c.readPeer(f, p)
	if p.Key.IsZero() {
		f.refuse("authkey", "Please enter a valid authentication key.")
	}
	return c.putPeer("add Server", f, p)
}

// editPeer changes what the body names of a peer.
func editPeer(c *call) error {
	f, err := c.form("Server")
	if err != nil {
		return err
	}
	old, err := store.One[*tocsin.Peer](c.view, refOf(c.arg(0)).id)
	if err != nil {
		return err
	}
	p := *old
	c.readPeer(f, &p)
	if p.URL != old.URL && !f.has("authkey") {
		// Else whoever edits could have the key sent to an address of their own.
		f.refuse("authkey", "A new address takes the key anew.")
	}
	return c.putPeer("edit Server", f, &p)
}

func (c *call) putPeer(what string, f *form, p *tocsin.Peer) error {
	if err := c.keep(what, f, "name", "A server with this name already exists.", func(tx *store.Tx) error { return store.Put(tx, p) }); err != nil {
		return err
	}
	w := peerWords(p)
	w["authkey"] = string(p.Key.Clear())
	return c.reply(map[string]any{"Server": w})
}

// deletePeer removes a peer.
func deletePeer(c *call) error {
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Peer](tx, refOf(c.arg(0)).id) }); err != nil {
		return err
	}
	return peerDeleted(c)
}

// What testConnection says came of it, by MISP's numbers.
const (
	peerAnswers     = 1
	peerUnreachable = 2
	peerTalksOdd    = 3
	peerRefusesKey  = 4
	peerNoSync      = 7
)

// testPeer asks a peer who it is, with our key for it.
func testPeer(c *call) error {
	p, err := store.One[*tocsin.Peer](c.view, refOf(c.arg(0)).id)
	if err != nil {
		return err
	}
	client, err := c.client(egress.Options{Insecure: p.Insecure, Authorities: []byte(p.Certificate), Certificate: p.ClientKey.Clear()})
	if err != nil {
		return err
	}
	header := http.Header{"Authorization": {string(p.Key.Clear())}, "Accept": {"application/json"}}
	status, body, err := client.Get(c.r.Context(), p.URL+"/servers/getVersion", header)
	out := map[string]any{"client_certificate": nil}
	var remote struct {
		Version string
		UUID    string
		Sync    bool `json:"perm_sync"`
		Sight   bool `json:"perm_sighting"`
	}
	switch {
	case err != nil:
		out["status"] = peerUnreachable
	case status == http.StatusFound || status == http.StatusUnauthorized || status == http.StatusForbidden:
		out["status"] = peerRefusesKey
	case json.Unmarshal(body, &remote) != nil || remote.Version == "":
		out["status"] = peerTalksOdd
	case !remote.Sync:
		out["status"] = peerNoSync
	default:
		out["status"], out["local_version"], out["version"] = peerAnswers, spoken, remote.Version
		out["mismatch"], out["uuid"], out["perm_sync"], out["perm_sighting"] = remote.Version != spoken, remote.UUID, remote.Sync, remote.Sight
	}
	return c.reply(out)
}

// client is the one by which this exchange asks others.
func (c *call) client(o egress.Options) (*egress.Client, error) {
	o.Private = c.db.Setting(tocsin.PrivatePeers) == "true"
	return egress.New(o)
}

func instanceUUID(c *call) error { return c.reply(map[string]string{"uuid": c.uuidHere()}) }

// createSync answers with what another instance needs to have this one as a peer: a new
// key of whoever asks is in it.
func createSync(c *call) error {
	if c.r.Header.Get("Authorization") == "" {
		// It is asked by GET, and a browser can be made to send that by any page.
		return c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, "This is for programs, with a key.")
	}
	now := c.db.Now()
	k := &tocsin.Key{User: c.v.User(), Created: now, UUID: tocsin.NewUUID(now), Comment: "for a peer, by servers/createSync"}
	var clear string
	clear, k.Hash, k.Ends = httpd.NewKey()
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Put(tx, k) }); err != nil {
		return err
	}
	host := c.hostOrganisation()
	return c.reply(map[string]any{"Server": map[string]any{"url": c.base(), "uuid": c.uuidHere(), "authkey": clear,
		"Organisation": map[string]any{"name": host.Name, "uuid": host.UUID}}})
}

// hostOrganisation is who runs this exchange: who was said to, or who founded it.
func (c *call) hostOrganisation() *tocsin.Organisation {
	o, err := small[*tocsin.Organisation](c.view, cmp.Or(c.db.Setting(tocsin.HostOrganisation), "1"))
	if err != nil {
		return &tocsin.Organisation{}
	}
	return o
}

// importPeer adds a peer from what its createSync answered.
func importPeer(c *call) error {
	f, err := c.form("Server")
	if err != nil {
		return err
	}
	p := &tocsin.Peer{Org: c.v.Org(), Created: c.db.Now(), Priority: 1}
	remote, _ := f.members["Organisation"].(map[string]any)
	if u, err := tocsin.ParseUUID(textOf(remote["uuid"])); err == nil {
		if o, err := store.ByUUID[*tocsin.Organisation](c.view, u); err == nil {
			p.Remote = o.ID
		} else if name := textOf(remote["name"]); name != "" && len(name) < 256 {
			o := &tocsin.Organisation{Name: name, UUID: u, Created: c.db.Now(), CreatedBy: c.v.User()}
			if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Put(tx, o) }); err != nil {
				return err
			}
			p.Remote = o.ID
		}
	}
	c.readPeer(f, p)
	if p.Key.IsZero() {
		f.refuse("authkey", "Please enter a valid authentication key.")
	}
	return c.putPeer("import Server", f, p)
}
