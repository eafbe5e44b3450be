package misp

import (
	"tocsin"
	"tocsin/access"
)

// A Galaxy is a galaxy as it stands on a record, with those of its clusters that
// are on the record (MISP galaxy format). Each stands as a tag, too.
type Galaxy struct {
	UUID     Field[tocsin.UUID]
	Name     Field[string]
	Type     Field[string]
	Clusters []Cluster
}

// A Cluster is a cluster of a galaxy as a text has it.
type Cluster struct {
	UUID           Field[tocsin.UUID]
	Type           Field[string]
	Value          Field[string]
	Tag            Field[string] // tag_name
	Description    Field[string]
	Source         Field[string]
	Authors        []string
	Version        Field[int64]
	Distribution   Field[int64]
	Group          Field[int64]
	Default        Field[bool] // it comes with every instance
	Locked         Field[bool]
	Published      Field[bool]
	Deleted        Field[bool]
	Local          Field[bool] // the tag is
	Extends        Field[tocsin.UUID]
	ExtendsVersion Field[int64]
	SharingGroup   *SharingGroup
	Org            *Org
	Orgc           *Org
	Elements       []tocsin.Element
	Relations      []ClusterRelation
	Galaxy         *Galaxy // where it stands by itself
	HasElements    bool    // the text has a list of them, though it may be empty
	HasRelations   bool    // likewise
}

// A ClusterRelation says how a cluster relates to another.
type ClusterRelation struct {
	Other        Field[tocsin.UUID]
	Type         Field[string]
	Distribution Field[int64]
	Group        Field[int64]
	Tags         []Tag
}

// Own reports whether some instance's people wrote the cluster, which its tag says:
// it names the cluster by its UUID, since nobody else knows it.
func (c *Cluster) Own() bool { return !c.Default.Or(false) && isCustomGalaxy(c.Tag.Or("")) }

// galaxy reads a galaxy. What of it can't be read is not the record's problem, which
// has the tag as well; MISP itself says of some organisations that their uuid is 0.
func (r *reader) galaxy(g *Galaxy) {
	defer r.record(new([]Problem))()
	for r.open(); r.member(); {
		switch string(r.name) {
		case "uuid":
			r.uuid(&g.UUID)
		case "name":
			r.word(&g.Name)
		case "type":
			r.word(&g.Type)
		case "GalaxyCluster":
			many(r, &g.Clusters, (*reader).cluster)
		default:
			r.skip()
		}
	}
}

func (r *reader) cluster(c *Cluster) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "uuid":
			r.uuid(&c.UUID)
		case "type":
			r.word(&c.Type)
		case "value":
			r.text(&c.Value)
		case "tag_name":
			r.word(&c.Tag)
		case "description":
			r.text(&c.Description)
		case "source":
			r.text(&c.Source)
		case "authors":
			r.texts(&c.Authors)
		case "version":
			r.number(&c.Version)
		case "distribution":
			r.number(&c.Distribution)
		case "sharing_group_id":
			r.number(&c.Group)
		case "default":
			r.bool(&c.Default)
		case "locked":
			r.bool(&c.Locked)
		case "published":
			r.bool(&c.Published)
		case "deleted":
			r.bool(&c.Deleted)
		case "local":
			r.bool(&c.Local)
		case "extends_uuid":
			r.uuid(&c.Extends)
		case "extends_version":
			r.number(&c.ExtendsVersion)
		case "SharingGroup":
			c.SharingGroup = r.ownGroup()
		case "Org":
			c.Org = new(Org)
			r.org(c.Org)
		case "Orgc":
			c.Orgc = new(Org)
			r.org(c.Orgc)
		case "Galaxy":
			c.Galaxy = new(Galaxy)
			r.galaxy(c.Galaxy)
		case "GalaxyElement":
			c.HasElements = true
			many(r, &c.Elements, (*reader).element)
		case "meta":
			r.meta(c)
		case "GalaxyClusterRelation":
			c.HasRelations = true
			many(r, &c.Relations, (*reader).clusterRelation)
		default:
			r.skip()
		}
	}
}

// texts reads a list of texts.
func (r *reader) texts(list *[]string) {
	r.list(func() {
		var f Field[string]
		if r.text(&f); f.Present() && r.keep() {
			*list = append(*list, f.value)
		}
	})
}

func (r *reader) element(e *tocsin.Element) {
	var key, value Field[string]
	for r.open(); r.member(); {
		switch string(r.name) {
		case "key":
			r.word(&key)
		case "value":
			r.text(&value)
		default:
			r.skip()
		}
	}
	e.Key, e.Value = key.value, value.value
}

// meta reads what MISP says of a cluster's elements where the cluster stands on a
// record: {"synonyms": ["…"], "country": ["…"]}.
func (r *reader) meta(c *Cluster) {
	for r.open(); r.member(); {
		key := string(r.name)
		var values []string
		r.texts(&values)
		for _, v := range values {
			c.Elements = append(c.Elements, tocsin.Element{Key: key, Value: v})
		}
	}
}

func (r *reader) clusterRelation(l *ClusterRelation) {
	for r.open(); r.member(); {
		switch string(r.name) {
		case "referenced_galaxy_cluster_uuid":
			r.uuid(&l.Other)
		case "referenced_galaxy_cluster_type":
			r.word(&l.Type)
		case "distribution":
			r.number(&l.Distribution)
		case "sharing_group_id":
			r.number(&l.Group)
		case "Tag":
			many(r, &l.Tags, (*reader).tag)
		default:
			r.skip()
		}
	}
}

// Words returns the cluster that a text has, of a galaxy. Groups are as the sender
// numbers them.
func (c *Cluster) Words(g *Galaxy) *tocsin.Cluster {
	out := &tocsin.Cluster{
		Head:   tocsin.Head{UUID: c.UUID.Or(tocsin.UUID{}), Distribution: level(c.Distribution, access.OrgOnly), Group: c.Group.Or(0), Deleted: c.Deleted.Or(false)},
		Galaxy: g.UUID.Or(tocsin.UUID{}), Type: c.Type.Or(g.Type.Or("")), Value: c.Value.Or(""), Description: c.Description.Or(""), Source: c.Source.Or(""),
		Authors: c.Authors, Elements: c.Elements, Version: c.Version.Or(0), Extends: c.Extends.Or(tocsin.UUID{}), ExtendsVersion: c.ExtendsVersion.Or(0),
		Published: c.Published.Or(false), Locked: c.Locked.Or(false),
	}
	for i := range c.Relations {
		l := &c.Relations[i]
		if l.Other.Or(tocsin.UUID{}).IsZero() {
			continue
		}
		rel := tocsin.ClusterRelation{Other: l.Other.Or(tocsin.UUID{}), Type: l.Type.Or(""), Distribution: level(l.Distribution, access.OrgOnly), Group: l.Group.Or(0)}
		for j := range l.Tags {
			rel.Tags = append(rel.Tags, l.Tags[j].Name.Or(""))
		}
		out.Relations = append(out.Relations, rel)
	}
	return out
}
