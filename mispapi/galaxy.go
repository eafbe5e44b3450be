package mispapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
	"tocsin/vocab"
)

var noGalaxy = answer{http.StatusNotFound, "Invalid galaxy."}

// indexGalaxies answers with the galaxies, or with those whose name or description
// contains a text or that have it as their uuid: {"value": "…"}.
func indexGalaxies(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	sought := strings.ToLower(strings.TrimSpace(textOf(said["value"])))
	type row struct {
		Galaxy galaxyRow `json:"Galaxy"`
	}
	rows := []row{}
	for v := range c.view.Library().All(tocsin.Galaxies) {
		g := c.galaxyRow(v)
		if sought == "" || strings.Contains(strings.ToLower(g.Name), sought) || strings.Contains(strings.ToLower(g.Description), sought) || g.UUID.String() == sought {
			rows = append(rows, row{g})
		}
	}
	return c.reply(rows)
}

// galaxy returns the galaxy that a text names: by id, uuid or type.
func (c *call) galaxy(text string) (*tocsin.Vocabulary, error) {
	f, l := refOf(text), c.view.Library()
	switch {
	case f.id != 0:
		return l.Numbered(tocsin.Galaxies, f.id)
	case !f.uuid.IsZero():
		return l.ByUUID(tocsin.Galaxies, f.uuid)
	}
	return l.Named(tocsin.Galaxies, text)
}

// viewGalaxy answers with a galaxy and its clusters.
func viewGalaxy(c *call) error {
	v, err := c.galaxy(c.arg(0))
	if err != nil {
		return err
	}
	type row struct {
		clusterRow
		Elements []elementRow `json:"GalaxyElement"`
	}
	out, first := c.stream(mediaJSON), true
	out.b = appendJSON(append(out.b, `{"Galaxy":`...), c.galaxyRow(v))
	out.b = append(out.b, `,"GalaxyCluster":[`...)
	err = c.clustersOf(v, store.Live, func(cl *cluster) error {
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = appendJSON(out.b, row{c.row(cl), cl.elements()})
		return out.flush()
	})
	if err != nil {
		return err
	}
	out.b = append(out.b, `]}`...)
	return out.end()
}

// clustersOf hands over the clusters of a galaxy: those that everybody has, then those
// of an organisation's own that the viewer may have.
func (c *call) clustersOf(v *tocsin.Vocabulary, deleted store.Deletion, each func(*cluster) error) error {
	g, err := c.view.Library().Galaxy(c.r.Context(), v)
	if err != nil {
		return err
	}
	if deleted != store.Withdrawn {
		for p, err := range g.Clusters() {
			if err == nil {
				err = each(&cluster{&p.Cluster, v, p})
			}
			if err != nil {
				return err
			}
		}
	}
	for own, err := range c.view.Clusters(c.r.Context(), store.RemarkQuery{Deleted: deleted}) {
		if err == nil && c.ofGalaxy(own, v) {
			err = each(&cluster{own, v, nil})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ofGalaxy reports whether an own cluster is of a galaxy.
func (c *call) ofGalaxy(own *tocsin.Cluster, v *tocsin.Vocabulary) bool {
	return own.Galaxy == v.UUID || own.Galaxy.IsZero() && strings.EqualFold(own.Type, v.Name)
}

// cluster returns the cluster that a text names: by id or uuid, deleted or not.
func (c *call) cluster(text string) (*cluster, error) {
	f, ctx := refOf(text), c.r.Context()
	if f.id != 0 && vocab.GalaxyOf(f.id) != 0 {
		v, p, err := c.view.Library().Cluster(ctx, f.id)
		if err != nil {
			return nil, err
		}
		return &cluster{&p.Cluster, v, p}, nil
	}
	own, err := store.OneRemark(c.view.Clusters(ctx, remarked(text)))
	if err == nil {
		return c.owned(own), nil
	}
	if tocsin.CodeOf(err) != tocsin.NotFound || f.uuid.IsZero() {
		return nil, err
	}
	v, p, err := c.view.Library().ClusterByUUID(ctx, f.uuid)
	if err != nil {
		return nil, err
	}
	return &cluster{&p.Cluster, v, p}, nil
}

// owned is an own cluster with its galaxy, if that is here.
func (c *call) owned(own *tocsin.Cluster) *cluster {
	l := c.view.Library()
	v, err := l.ByUUID(tocsin.Galaxies, own.Galaxy)
	if err != nil {
		v, _ = l.Named(tocsin.Galaxies, own.Type)
	}
	return &cluster{own, v, nil}
}

// tagged returns the cluster that a tag stands for.
func (c *call) tagged(name string) (*cluster, bool) {
	_, value, ok := vocab.ParseClusterTag(name)
	if !ok {
		return nil, false
	}
	if u, err := tocsin.ParseUUID(value); err == nil {
		own, err := store.OneRemark(c.view.Clusters(c.r.Context(), store.RemarkQuery{UUIDs: []tocsin.UUID{u}}))
		if err != nil {
			return nil, false
		}
		return c.owned(own), true
	}
	v, p, err := c.view.Library().ClusterTagged(c.r.Context(), name)
	if err != nil {
		return nil, false
	}
	return &cluster{&p.Cluster, v, p}, true
}

// attachCluster attaches clusters to an event or an attribute, as tags:
// /galaxies/attachCluster/7/event/local:0, {"Galaxy": {"target_id": 7}}.
func attachCluster(c *call) error {
	to, err := c.clusterTarget()
	if err != nil {
		return err
	}
	names, err := c.tagsOfClusters()
	if err != nil {
		return err
	}
	for _, name := range names {
		tag, _, err := c.attach(to, name, truthy(c.named["local"]))
		if err != nil {
			return err
		}
		if tag == nil {
			return c.reply(map[string]any{"saved": false, "errors": "Cluster already attached."})
		}
	}
	return c.reply(tagAnswer{Saved: true, Success: "Cluster attached.", Publish: true})
}

// clusterTarget is the record to which clusters are to be attached.
func (c *call) clusterTarget() (target, error) {
	switch c.arg(1) {
	case "attribute":
		return attributeTarget(c, c.arg(0))
	case "event":
		return eventTarget(c, c.arg(0))
	}
	return target{}, c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Invalid options.")
}

// tagsOfClusters are the tags of the clusters that a body names.
func (c *call) tagsOfClusters() (names []string, err error) {
	said, err := c.told("Galaxy")
	if err != nil {
		return nil, err
	}
	ids := said["target_id"]
	if ids == nil {
		ids = said["target_ids"]
	}
	if text, ok := ids.(string); ok && strings.HasPrefix(text, "[") { // several, as MISP's own pages send them
		var many []any
		if json.Unmarshal([]byte(text), &many) == nil {
			for i := range many {
				if f, ok := many[i].(float64); ok {
					many[i] = itoa(int64(f))
				}
			}
			ids = many
		}
	}
	wanted, err := scalars("target_id", ids)
	if err != nil || len(wanted) == 0 || len(wanted) > maxTaggings {
		return nil, c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "No valid cluster is named in target_id.")
	}
	for _, w := range wanted {
		cl, err := c.cluster(w)
		if err != nil {
			return nil, err
		}
		if cl.Deleted {
			return nil, tocsin.Errorf(tocsin.NotFound, "the cluster %d is deleted", cl.ID)
		}
		names = append(names, cl.tag())
	}
	return names, nil
}

// detachCluster takes a cluster off a record: /galaxy_clusters/detach/7/event/TAG.
func detachCluster(c *call) error {
	from, err := c.clusterTarget()
	if err != nil {
		return err
	}
	tag, err := c.tagNamed(c.arg(2))
	if err != nil || !isClusterTag(tag.Name) {
		return c.no(http.StatusMethodNotAllowed, tocsin.NotFound, "Invalid tag")
	}
	if _, _, err := c.detach(from, tag.Name); err != nil {
		return err
	}
	return c.done("Galaxy cluster successfully detached.", c.r.URL.Path, nil)
}

// A galaxyOn is a galaxy as it stands on a record, with the clusters that do.
type galaxyOn struct {
	galaxyRow
	Clusters []any `json:"GalaxyCluster"`
}

type clusterOn struct {
	clusterRow
	Relations []relationRow       `json:"GalaxyClusterRelation,omitempty"`
	By        any                 `json:"Org"`
	From      any                 `json:"Orgc"`
	Targeting []relationRow       `json:"TargetingClusterRelation,omitempty"`
	Meta      map[string][]string `json:"meta"`
	Tag       int64               `json:"tag_id"`
	EventTag  int64               `json:"event_tag_id,omitempty"`
	AttrTag   int64               `json:"attribute_tag_id,omitempty"`
	Local     bool                `json:"local"`
	Relation  bool                `json:"relationship_type"`
}

// galaxiesOn are the galaxies and clusters that the tags of a record stand for, as
// JSON; nil is none. Tags come in few combinations, so each is looked up once in a
// call.
func (c *call) galaxiesOn(tags tocsin.TagSet, attribute bool) []byte {
	key := tagged{tags, attribute}
	b, ok := c.galaxies[key]
	if !ok {
		if b = c.appendGalaxies(tags, attribute); c.galaxies == nil || len(c.galaxies) >= maxHeld {
			c.galaxies = map[tagged][]byte{}
		}
		c.galaxies[key] = b
	}
	return b
}

// A tagged is the tags of an attribute, or of an event.
type tagged struct {
	tags      tocsin.TagSet
	attribute bool
}

func (c *call) appendGalaxies(tags tocsin.TagSet, attribute bool) []byte {
	var on []*galaxyOn
	for at := range tags.All() {
		t, err := store.One[*tocsin.Tag](c.view, at.Tag)
		if err != nil || !isClusterTag(t.Name) || at.Local && !c.encoder().Own {
			continue
		}
		cl, ok := c.tagged(t.Name)
		if !ok {
			continue
		}
		// One that is not loaded here is what came with the cluster says it is.
		of := galaxyRow{UUID: cl.Cluster.Galaxy, Name: cl.Type, Type: cl.Type}
		if cl.galaxy != nil {
			of.ID, of.UUID, of.Type = cl.galaxy.Number, cl.galaxy.UUID, cl.galaxy.Name
		}
		i := slices.IndexFunc(on, func(g *galaxyOn) bool { return g.ID == of.ID && g.UUID == of.UUID && g.Type == of.Type })
		if i < 0 {
			if cl.galaxy != nil {
				of = c.galaxyRow(cl.galaxy)
			}
			i, on = len(on), append(on, &galaxyOn{galaxyRow: of})
		}
		row := clusterOn{clusterRow: c.row(cl), Relations: c.relations(cl), By: c.clusterOrg(cl, cl.Org), From: c.clusterOrg(cl, cl.Orgc), Targeting: c.targeting(cl),
			Meta: cl.meta(), Tag: t.ID, Local: at.Local}
		if attribute {
			row.AttrTag = t.ID
		} else {
			row.EventTag = t.ID
		}
		on[i].Clusters = append(on[i].Clusters, row)
	}
	if on == nil {
		return nil
	}
	return appendJSON(nil, on)
}

// A clusterIndexed is a cluster as it stands on an event in the index.
type clusterIndexed struct {
	clusterRow
	Of       galaxyRow           `json:"Galaxy"`
	Meta     map[string][]string `json:"meta"`
	Tag      int64               `json:"tag_id"`
	Local    bool                `json:"local"`
	Relation string              `json:"relationship_type"`
}

// withClusters puts the clusters of an event beside the event in b, which is one row of
// the index.
func (c *call) withClusters(b []byte, e *tocsin.Event) []byte {
	var on []clusterIndexed
	for at := range e.Tags.All() {
		t, err := store.One[*tocsin.Tag](c.view, at.Tag)
		if err != nil || !isClusterTag(t.Name) || at.Local && !c.encoder().Own {
			continue
		}
		if cl, ok := c.tagged(t.Name); ok && cl.galaxy != nil {
			on = append(on, clusterIndexed{c.row(cl), c.galaxyRow(cl.galaxy), cl.meta(), t.ID, at.Local, ""})
		}
	}
	if on == nil {
		return b
	}
	return append(appendJSON(append(b[:len(b)-1], `,"GalaxyCluster":`...), on), '}')
}
