package mispapi

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"tocsin"
	"tocsin/access"
)

var noRelation = answer{http.StatusNotFound, "Invalid cluster relation."}

// relationSaid reads what a body says of a relation, over one that is there.
func (c *call) relationSaid(r tocsin.ClusterRelation) (from string, out tocsin.ClusterRelation, err error) {
	said, err := c.told("GalaxyClusterRelation")
	if err != nil {
		return "", r, err
	}
	no := func(field, why string) error {
		return c.unsaved("add GalaxyClusterRelation", c.act.path, map[string][]string{field: {why}}, nil)
	}
	if text := cmp.Or(textOf(said["referenced_galaxy_cluster_uuid"]), textOf(said["target_uuid"])); text != "" {
		if r.Other = refOf(text).uuid; r.Other.IsZero() {
			return "", r, no("referenced_galaxy_cluster_uuid", "it is the uuid of a cluster")
		}
	}
	r.Type = cmp.Or(textOf(said["referenced_galaxy_cluster_type"]), textOf(said["type"]), r.Type)
	if text := textOf(said["distribution"]); text != "" {
		n, err := strconv.ParseUint(text, 10, 8)
		if err != nil || access.Distribution(n) >= access.Inherit {
			return "", r, no("distribution", "it is 0 to 4")
		}
		r.Distribution = access.Distribution(n)
	}
	if text := textOf(said["sharing_group_id"]); text != "" {
		r.Group = refOf(text).id
	}
	for _, name := range []string{"tags", "Tag"} {
		if tags, ok := said[name]; ok {
			r.Tags = tagNames(tags)
		}
	}
	switch {
	case r.Other.IsZero():
		return "", r, no("referenced_galaxy_cluster_uuid", "a relation needs the uuid of the cluster that it leads to")
	case r.Type == "":
		return "", r, no("referenced_galaxy_cluster_type", "a relation needs a type")
	}
	return cmp.Or(textOf(said["galaxy_cluster_uuid"]), textOf(said["source_uuid"])), r, nil
}

// tagNames are the names of tags in a list: texts, or records.
func tagNames(v any) (names []string) {
	list, _ := v.([]any)
	for _, t := range list {
		name := textOf(t)
		if m, ok := t.(map[string]any); ok {
			name = textOf(m["name"])
		}
		if name != "" && len(names) < maxClusterTags {
			names = append(names, name)
		}
	}
	return names
}

// maxClusterTags is how many tags a relation carries.
const maxClusterTags = 100

// addRelation says that an own cluster relates to another.
func addRelation(c *call) error {
	from, r, err := c.relationSaid(tocsin.ClusterRelation{Distribution: access.Community})
	if err != nil {
		return err
	}
	cl, err := c.cluster(cmp.Or(c.arg(0), from))
	if err != nil {
		return err
	}
	if cl.published != nil {
		return c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, "Default galaxy cluster cannot be edited.")
	}
	edited, err := c.changeCluster(cl.ID, func(cl *tocsin.Cluster) error {
		cl.Relations, cl.Version, cl.Published = append(cl.Relations, r), max(cl.Version+1, c.db.Now().Unix()), false
		return nil
	})
	if err != nil {
		return c.notSaid("add GalaxyClusterRelation", c.act.path, "referenced_galaxy_cluster_uuid", err)
	}
	at := &edited.Relations[len(edited.Relations)-1]
	return c.reply(map[string]any{"GalaxyClusterRelation": c.relationRow(c.owned(edited), at, at.ID)})
}

// relation returns the own cluster that has the relation in the path, and which it is.
func (c *call) relation() (*cluster, tocsin.ClusterRelation, error) {
	id, part := partOf(refOf(c.arg(0)).id)
	cl, err := c.cluster(itoa(id))
	if err != nil {
		return nil, tocsin.ClusterRelation{}, err
	}
	for i, r := range cl.Relations {
		if cmp.Or(r.ID, int64(i+1)) == part {
			return cl, r, nil
		}
	}
	return nil, tocsin.ClusterRelation{}, tocsin.Errorf(tocsin.NotFound, "no such relation")
}

// viewRelation answers with one relation.
func viewRelation(c *call) error {
	cl, r, err := c.relation()
	if err != nil {
		return err
	}
	_, part := partOf(refOf(c.arg(0)).id)
	return c.reply(map[string]any{"GalaxyClusterRelation": c.relationRow(cl, &r, part)})
}

// editRelation changes of a relation what the body names.
func editRelation(c *call) error {
	cl, old, err := c.relation()
	if err != nil {
		return err
	}
	_, r, err := c.relationSaid(old)
	if err != nil {
		return err
	}
	edited, err := c.changeRelations(cl, func(rs []tocsin.ClusterRelation, i int) []tocsin.ClusterRelation { rs[i] = r; return rs }, old.ID)
	if err != nil {
		return c.notSaid("edit GalaxyClusterRelation", c.act.path, "referenced_galaxy_cluster_uuid", err)
	}
	return c.reply(map[string]any{"GalaxyClusterRelation": c.relationRow(c.owned(edited), &r, r.ID)})
}

// deleteRelation takes a relation away.
func deleteRelation(c *call) error {
	cl, old, err := c.relation()
	if err != nil {
		return err
	}
	if _, err := c.changeRelations(cl, func(rs []tocsin.ClusterRelation, i int) []tocsin.ClusterRelation { return slices.Delete(rs, i, i+1) }, old.ID); err != nil {
		return err
	}
	return c.done("Galaxy cluster relation deleted.", "/galaxy_cluster_relations/delete/"+c.arg(0), c.arg(0))
}

func (c *call) changeRelations(cl *cluster, change func([]tocsin.ClusterRelation, int) []tocsin.ClusterRelation, id int64) (*tocsin.Cluster, error) {
	if cl.published != nil {
		return nil, c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, "Default galaxy cluster cannot be edited.")
	}
	return c.changeCluster(cl.ID, func(cl *tocsin.Cluster) error {
		i := slices.IndexFunc(cl.Relations, func(r tocsin.ClusterRelation) bool { return r.ID == id })
		if i < 0 {
			return tocsin.Errorf(tocsin.NotFound, "no such relation")
		}
		cl.Relations, cl.Version, cl.Published = change(cl.Relations, i), max(cl.Version+1, c.db.Now().Unix()), false
		return nil
	})
}
