package mispapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

var noCluster = answer{http.StatusNotFound, "Invalid galaxy cluster."}

// indexClusters answers with the clusters of a galaxy: which ones "context" says (all,
// default, custom, org, orgc, deleted), with a text in them that "searchall" says.
func indexClusters(c *call) error {
	v, err := c.galaxy(c.arg(0))
	if err != nil {
		return err
	}
	said, err := c.filters()
	if err != nil {
		return err
	}
	context, deleted := cmp.Or(textOf(said["context"]), "all"), store.Live
	if context == "deleted" {
		deleted = store.Withdrawn
	}
	sought := strings.ToLower(strings.Trim(textOf(said["searchall"]), "%"))
	out, first := c.stream(mediaJSON), true
	out.b = append(out.b, '[')
	err = c.clustersOf(v, deleted, func(cl *cluster) error {
		if !c.inContext(cl, context) || sought != "" && !cl.contains(sought) {
			return nil
		}
		if !first {
			out.b = append(out.b, ',')
		}
		first = false
		out.b = append(appendJSON(append(out.b, `{"GalaxyCluster":`...), c.row(cl)), '}')
		return out.flush()
	})
	if err != nil {
		return err
	}
	out.b = append(out.b, ']')
	return out.end()
}

func (c *call) inContext(cl *cluster, context string) bool {
	switch context {
	case "default":
		return cl.published != nil
	case "custom", "deleted":
		return cl.published == nil
	case "org":
		return cl.published == nil && cl.Org == c.v.Org()
	case "orgc":
		return cl.published == nil && cl.Orgc == c.v.Org()
	}
	return true
}

// contains reports whether a cluster's value, description or synonyms hold a text,
// which is in lower case.
func (cl *cluster) contains(text string) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	return has(cl.Value) || has(cl.Description) || cl.UUID.String() == text ||
		slices.ContainsFunc(cl.Elements, func(e tocsin.Element) bool { return e.Key == "synonyms" && has(e.Value) })
}

// viewCluster answers with one cluster and all that is about it.
func viewCluster(c *call) error {
	cl, err := c.cluster(c.arg(0))
	if err != nil {
		return err
	}
	targeting := c.targeting(cl)
	return c.reply(map[string]any{"GalaxyCluster": struct {
		fullCluster
		Targeting []relationRow `json:"TargetingClusterRelation,omitempty"`
		Inbound   []any         `json:"RelationshipInbound"`
	}{c.fullCluster(cl), targeting, []any{}}})
}

// clusterSaid reads the one cluster of a body.
func (c *call) clusterSaid() (in *misp.Cluster, err error) {
	err = misp.DecodeClusters(c.r.Body, func(cl *misp.Cluster) error {
		if in != nil {
			return tocsin.Errorf(tocsin.Invalid, "there is a second cluster where one is expected")
		}
		in = cl
		return nil
	})
	if err != nil {
		return nil, c.undecoded(err, "No valid galaxy cluster data received.")
	}
	return in, nil
}

// addCluster adds a cluster of the viewer's own to a galaxy, or a fork of another one:
// /galaxy_clusters/add/7/forkUUID:….
func addCluster(c *call) error {
	v, err := c.galaxy(c.arg(0))
	if err != nil {
		return err
	}
	in, err := c.clusterSaid()
	if err != nil {
		return err
	}
	cl := in.Words(&misp.Galaxy{})
	cl.Galaxy, cl.Type, cl.Published, cl.Locked, cl.Deleted = v.UUID, v.Name, false, false, false
	cl.Group, cl.Version = groupMeant(c.view, in.Group, in.SharingGroup), c.db.Now().Unix()
	if text := c.named["forkUUID"]; text != "" {
		forked, err := c.cluster(text)
		if err != nil {
			return err
		}
		cl.Extends, cl.ExtendsVersion = forked.UUID, forked.Version
	}
	if err := c.change(func(tx *store.Tx) error { return store.AddRemark(tx, cl) }); err != nil {
		return c.notSaid("add GalaxyCluster", "/galaxy_clusters/add", "value", err)
	}
	return c.reply(map[string]any{"GalaxyCluster": c.fullCluster(c.owned(cl))})
}

// editCluster changes of an own cluster what the body names. As in MISP it is not
// published any more, until somebody looks at it again.
func editCluster(c *call) error {
	old, err := c.cluster(c.arg(0))
	if err != nil {
		return err
	}
	if old.published != nil {
		return c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, "Default galaxy cluster cannot be edited.")
	}
	in, err := c.clusterSaid()
	if err != nil {
		return err
	}
	cl, err := c.changeCluster(old.ID, func(cl *tocsin.Cluster) error {
		c.editWords(cl, in)
		cl.Published = false
		return nil
	})
	if err != nil {
		return c.notSaid("edit GalaxyCluster", "/galaxy_clusters/edit", "value", err)
	}
	return c.reply(map[string]any{"GalaxyCluster": c.fullCluster(c.owned(cl))})
}

// editWords writes over a cluster what a text says.
func (c *call) editWords(cl *tocsin.Cluster, in *misp.Cluster) {
	said := in.Words(&misp.Galaxy{})
	cl.Value, cl.Description, cl.Source = in.Value.Or(cl.Value), in.Description.Or(cl.Description), in.Source.Or(cl.Source)
	cl.Authors, cl.Version = authorsSaid(in), max(cl.Version+1, c.db.Now().Unix())
	if in.Distribution.Present() {
		cl.Distribution = said.Distribution
	}
	if in.Group.Present() || in.SharingGroup != nil {
		cl.Group = groupMeant(c.view, in.Group, in.SharingGroup)
	}
	if in.Extends.Present() {
		cl.Extends, cl.ExtendsVersion = said.Extends, said.ExtendsVersion
	}
	if in.HasElements {
		cl.Elements = said.Elements
	}
	if in.HasRelations {
		cl.Relations = keepNumbers(cl.Relations, said.Relations)
	}
}

// keepNumbers gives relations that were there the number that they had.
func keepNumbers(old, now []tocsin.ClusterRelation) []tocsin.ClusterRelation {
	for i := range now {
		j := slices.IndexFunc(old, func(r tocsin.ClusterRelation) bool {
			return r.Other == now[i].Other && r.Type == now[i].Type && !slices.ContainsFunc(now, func(n tocsin.ClusterRelation) bool { return n.ID == r.ID })
		})
		if j >= 0 {
			now[i].ID = old[j].ID
		}
	}
	return now
}

func (c *call) changeCluster(id int64, change func(*tocsin.Cluster) error) (cl *tocsin.Cluster, err error) {
	err = c.change(func(tx *store.Tx) (err error) {
		cl, err = store.EditRemark(tx, id, change)
		return err
	})
	return cl, err
}

// own returns the own cluster that the path names; what everybody has is nobody's
// to change.
func (c *call) own(sentence string) (*cluster, error) {
	cl, err := c.cluster(c.arg(0))
	if err == nil && cl.published != nil {
		return nil, c.no(http.StatusMethodNotAllowed, tocsin.Forbidden, sentence)
	}
	return cl, err
}

// publishCluster lets an own cluster go on to peers. It is done at once.
func publishCluster(c *call) error {
	cl, err := c.turnCluster(true)
	if err != nil {
		return err
	}
	return c.queued(cl)
}

// unpublishCluster keeps it from them.
func unpublishCluster(c *call) error {
	cl, err := c.turnCluster(false)
	if err != nil {
		return err
	}
	return c.done("Galaxy cluster unpublished.", c.r.URL.Path, cl.ID)
}

func (c *call) turnCluster(published bool) (*cluster, error) {
	cl, err := c.own("Default galaxy cluster cannot be published.")
	if err != nil {
		return nil, err
	}
	_, err = c.changeCluster(cl.ID, func(cl *tocsin.Cluster) error { cl.Published = published; return nil })
	return cl, err
}

// deleteCluster withdraws an own cluster, so that peers learn of it, or deletes it
// for good with {"hard": 1}.
func deleteCluster(c *call) error {
	cl, err := c.own("Default galaxy cluster cannot be deleted.")
	if err != nil {
		return err
	}
	said, err := c.told("GalaxyCluster")
	if err != nil {
		return err
	}
	how := "soft"
	if truthy(c.arg(1)) || truthy(said["hard"]) {
		how = "hard"
		err = c.change(func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindCluster, cl.ID) })
	} else {
		_, err = c.changeCluster(cl.ID, func(cl *tocsin.Cluster) error { cl.Deleted, cl.Published = true, false; return nil })
	}
	if err != nil {
		return err
	}
	return c.done("Galaxy cluster successfuly "+how+" deleted.", "/galaxy_clusters/delete/"+itoa(cl.ID), cl.ID)
}

// restoreCluster takes a withdrawal back.
func restoreCluster(c *call) error {
	cl, err := c.own("Default galaxy cluster cannot be restored.")
	if err != nil {
		return err
	}
	if _, err := c.changeCluster(cl.ID, func(cl *tocsin.Cluster) error { cl.Deleted = false; return nil }); err != nil {
		return err
	}
	return c.done("Galaxy cluster successfuly restored.", "/galaxy_clusters/restore/"+itoa(cl.ID), cl.ID)
}

// pushing is what it takes to bring clusters of others.
const pushing = access.Sync | access.GalaxyEditor
