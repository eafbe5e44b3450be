package mispapi

import (
	"sync"

	"tocsin/access"
	"tocsin/indicator"
)

// spoken is the version of MISP whose answers ours are. PyMISP compares it with
// its own and warns its user of what an older server lacks.
const spoken = "2.5.1"

func version(c *call) error {
	return c.reply(map[string]any{"version": spoken, "pymisp_recommended_version": spoken, "perm_sync": c.v.May(access.Sync),
		"perm_sighting": c.v.May(access.Sighting), "perm_galaxy_editor": c.v.May(access.GalaxyEditor), "perm_analyst_data": c.v.May(access.Analyst),
		"uuid": c.uuidHere(), "tocsin_version": c.Version, "request_encoding": []string{"gzip"}, "filter_sightings": true})
}

func clientVersion(c *call) error { return c.reply(map[string]string{"version": spoken}) }

// describeTypes answers with the types and categories that there are.
func describeTypes(c *call) error { return c.send(typesJSON()) }

// typesJSON is the table of types as MISP describes it.
var typesJSON = sync.OnceValue(func() []byte {
	type defaults struct {
		Category string `json:"default_category"`
		ToIDS    int    `json:"to_ids"`
	}
	sane, names, of := map[string]defaults{}, []string{}, map[string][]string{}
	for _, t := range indicator.Types() {
		d := defaults{Category: t.DefaultCategory}
		if t.ToIDS {
			d.ToIDS = 1
		}
		sane[t.Name] = d
		names = append(names, t.Name)
		for _, c := range t.Categories {
			of[c] = append(of[c], t.Name)
		}
	}
	for c, names := range of {
		of[c] = asOffered(c, names)
	}
	return appendJSON(nil, map[string]any{"result": map[string]any{
		"sane_defaults": sane, "types": names, "categories": indicator.Categories(), "category_type_mappings": of}})
})
