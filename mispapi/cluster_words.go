package mispapi

import (
	"cmp"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
	"tocsin/vocab"
)

// Clusters of galaxies as MISP writes them: those that everybody has, and those that
// an organisation on some instance wrote.

// A cluster is one of either.
type cluster struct {
	*tocsin.Cluster
	galaxy    *tocsin.Vocabulary // nil: it is not here
	published *vocab.Cluster     // nil: somebody's own
}

func (cl *cluster) tag() string {
	if cl.published != nil {
		return cl.published.Tag()
	}
	return cl.Tag()
}

type galaxyRow struct {
	ID          int64       `json:"id"`
	UUID        tocsin.UUID `json:"uuid"`
	Name        string      `json:"name"`
	Type        string      `json:"type"`
	Description string      `json:"description"`
	Version     string      `json:"version"`
	Icon        string      `json:"icon"`
	Namespace   string      `json:"namespace"`
	Enabled     bool        `json:"enabled"`
	LocalOnly   bool        `json:"local_only"`
	Order       any         `json:"kill_chain_order,omitempty"`
}

// galaxyRow is a galaxy as it stands in answers. All are enabled: none can be turned
// off here.
func (c *call) galaxyRow(v *tocsin.Vocabulary) galaxyRow {
	if v == nil {
		return galaxyRow{}
	}
	r := galaxyRow{ID: v.Number, UUID: v.UUID, Name: cmp.Or(v.Title, v.Name), Type: v.Name, Description: v.Description, Version: itoa(v.Version),
		Namespace: v.Group, Enabled: true}
	if g, err := c.view.Library().Galaxy(c.r.Context(), v); err == nil {
		r.Icon = g.Icon
		if len(g.KillChain) > 0 {
			r.Order = g.KillChain
		}
	}
	return r
}

type clusterRow struct {
	ID             int64               `json:"id"`
	UUID           tocsin.UUID         `json:"uuid"`
	Collection     string              `json:"collection_uuid"`
	Type           string              `json:"type"`
	Value          string              `json:"value"`
	Tag            string              `json:"tag_name"`
	Description    string              `json:"description"`
	Galaxy         int64               `json:"galaxy_id"`
	Source         string              `json:"source"`
	Authors        []string            `json:"authors"`
	Version        int64               `json:"version"`
	Distribution   access.Distribution `json:"distribution"`
	Group          *int64              `json:"sharing_group_id"`
	Org            int64               `json:"org_id"`
	Orgc           int64               `json:"orgc_id"`
	Default        bool                `json:"default"`
	Locked         bool                `json:"locked"`
	Extends        any                 `json:"extends_uuid"`
	ExtendsVersion any                 `json:"extends_version"`
	Published      bool                `json:"published"`
	Deleted        bool                `json:"deleted"`
}

func (cl *cluster) row() clusterRow {
	r := clusterRow{ID: cl.ID, UUID: cl.UUID, Type: cl.Type, Value: cl.Value, Tag: cl.tag(), Description: cl.Description, Source: cl.Source, Authors: cl.Authors,
		Version: cl.Version, Distribution: cl.Distribution, Org: cl.Org, Orgc: cl.Orgc, Locked: cl.Locked, Published: cl.Published, Deleted: cl.Deleted}
	if r.Authors == nil {
		r.Authors = []string{}
	}
	if cl.galaxy != nil {
		r.Galaxy = cl.galaxy.Number
	}
	if cl.Distribution == access.Group {
		r.Group = &cl.Group
	}
	switch {
	case cl.published != nil:
		r.Default, r.Extends, r.ExtendsVersion = true, "", 0
		if !cl.published.Collection.IsZero() {
			r.Collection = cl.published.Collection.String()
		}
	case !cl.Extends.IsZero():
		r.Extends, r.ExtendsVersion = cl.Extends, cl.ExtendsVersion
	}
	return r
}

// row is a cluster as this client takes it.
func (c *call) row(cl *cluster) clusterRow {
	r := cl.row()
	r.Distribution = unsharedDefaults(c.r, &r)
	return r
}

type elementRow struct {
	ID      int64  `json:"id"`
	Cluster int64  `json:"galaxy_cluster_id"`
	Key     string `json:"key"`
	Value   string `json:"value"`
}

// elements are a cluster's, numbered by their place.
func (cl *cluster) elements() []elementRow {
	rows := []elementRow{}
	for i, e := range cl.Elements {
		rows = append(rows, elementRow{partID(cl.ID, int64(i+1)), cl.ID, e.Key, e.Value})
	}
	return rows
}

// partID numbers what is in a cluster: a relation keeps its number as long as its
// cluster has it.
func partID(cluster, part int64) int64 { return cluster<<16 | part }

// partOf is the other way.
func partOf(id int64) (cluster, part int64) { return id >> 16, id & (1<<16 - 1) }

// meta is a cluster's elements where it stands on a record.
func (cl *cluster) meta() map[string][]string {
	m := map[string][]string{}
	for _, e := range cl.Elements {
		m[e.Key] = append(m[e.Key], e.Value)
	}
	return m
}

type relationRow struct {
	ID           int64               `json:"id"`
	Cluster      int64               `json:"galaxy_cluster_id"`
	Other        int64               `json:"referenced_galaxy_cluster_id"`
	OtherUUID    tocsin.UUID         `json:"referenced_galaxy_cluster_uuid"`
	Type         string              `json:"referenced_galaxy_cluster_type"`
	UUID         tocsin.UUID         `json:"galaxy_cluster_uuid"`
	Distribution access.Distribution `json:"distribution"`
	Group        *int64              `json:"sharing_group_id"`
	Default      bool                `json:"default"`
	Tags         []relationTag       `json:"Tag,omitempty"`
}

type relationTag struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	Colour     string `json:"colour"`
	Exportable bool   `json:"exportable"`
	Org        int64  `json:"org_id"`
	User       int64  `json:"user_id"`
	Hidden     bool   `json:"hide_tag"`
	Number     *int64 `json:"numerical_value"`
	Galaxy     bool   `json:"is_galaxy"`
	Custom     bool   `json:"is_custom_galaxy"`
	LocalOnly  bool   `json:"local_only"`
}

// relations are how a cluster relates to others.
func (c *call) relations(cl *cluster) []relationRow {
	rows := []relationRow{}
	for i, r := range cl.Relations {
		rows = append(rows, c.relationRow(cl, &r, cmp.Or(r.ID, int64(i+1))))
	}
	return rows
}

func (c *call) relationRow(cl *cluster, r *tocsin.ClusterRelation, part int64) relationRow {
	row := relationRow{ID: partID(cl.ID, part), Cluster: cl.ID, OtherUUID: r.Other, Type: r.Type, UUID: cl.UUID, Distribution: r.Distribution, Default: cl.published != nil}
	if other, err := c.cluster(r.Other.String()); err == nil {
		row.Other = other.ID
	}
	if r.Distribution == access.Group {
		row.Group = new(r.Group)
	}
	for _, name := range r.Tags {
		row.Tags = append(row.Tags, c.relationTag(name))
	}
	return row
}

// relationTag is a tag that a relation names. It is there as a tag only where somebody
// has used it; else the taxonomy says how it looks.
func (c *call) relationTag(name string) relationTag {
	t := relationTag{Name: name, Exportable: true, Galaxy: isClusterTag(name)}
	if known, err := store.ByName[*tocsin.Tag](c.view, name); err == nil {
		t.ID, t.Colour, t.Exportable, t.Org, t.User, t.Hidden, t.LocalOnly = known.ID, known.Colour, known.Exportable, known.Org, known.User, known.Hidden, known.LocalOnly
	}
	if _, says, err := c.view.Library().TaxonomyTag(c.r.Context(), name); err == nil {
		t.Colour = cmp.Or(t.Colour, says.Term().Colour)
		if n := says.Term().Numerical; n != nil {
			t.Number = new(int64(*n))
		}
	}
	return t
}

// nobodysOrg is what MISP says of whoever wrote what everybody has.
var nobodysOrg = map[string]any{"id": "0", "name": "MISP", "date_created": "", "date_modified": "", "description": "Automatically generated MISP organisation",
	"type": "", "nationality": "Not specified", "sector": "", "created_by": "0", "uuid": "0", "contacts": "", "local": true, "restricted_to_domain": []any{}, "landingpage": nil}

func (c *call) clusterOrg(cl *cluster, id int64) any {
	if cl.published != nil {
		return nobodysOrg
	}
	return raw(c.encoder().AppendWholeOrg(nil, id))
}

// A fullCluster is a cluster with all that is about it.
type fullCluster struct {
	clusterRow
	Of        galaxyRow     `json:"Galaxy"`
	Elements  []elementRow  `json:"GalaxyElement"`
	Relations []relationRow `json:"GalaxyClusterRelation"`
	By        any           `json:"Org"`
	From      any           `json:"Orgc"`
}

func (c *call) fullCluster(cl *cluster) fullCluster {
	return fullCluster{c.row(cl), c.galaxyRow(cl.galaxy), cl.elements(), c.relations(cl), c.clusterOrg(cl, cl.Org), c.clusterOrg(cl, cl.Orgc)}
}
