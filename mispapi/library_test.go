package mispapi

import (
	"strings"
	"testing"
)

// A MISP client enables taxonomies, writes templates and warninglists of its own, and
// is told where something makes no sense; without a place to read from an update says
// so, and changes nothing.
func TestLibraryStory(t *testing.T) {
	w := twoParties(t)
	w.user("site", "site@ours.example", 1, 1)
	p, err := madeUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.library(p, nil)
	for _, c := range []struct {
		status     int
		path, body string
		says       string
	}{
		{409, "POST /taxonomies/update", ``, "--vocab"},
		{200, "POST /taxonomies/enable/weather", ``, "Taxonomy enabled"},
		{403, "POST /taxonomies/enable/99", ``, `"errors":"Invalid taxonomy."`},
		{200, "POST /taxonomies/addTag", `{"Tag":{"taxonomy_id":2,"name":"weather:storm"}}`, "has been saved"},
		{200, "GET /taxonomies/view/2", ``, `"tag":"weather:storm","expanded":"A storm","description":"Stay inside.","colour":"#102030","existing_tag":{"Tag":{"id":`},
		{200, "GET /taxonomies/index/value:storm", ``, `"total_count":3,"current_count":2}`}, // and the one on a relation of a cluster
		{200, "POST /taxonomies/disable/2", ``, "Taxonomy disabled"},
		{200, "GET /taxonomies/index/enabled:1", ``, `[]`},
		{403, "POST /taxonomies/import", `{"namespace":"x","predicates":[{"value":"a"},{"value":"a"}]}`, `the predicate \"a\" twice`},
		{403, "POST /taxonomies/import", `<html>`, "web page"},

		{403, "POST /objectTemplates/add", `{"name":"mine","attributes":{"a":{"misp-attribute":"text"}},"required":["b"]}`, `requires \"b\"`},
		{200, "POST /objectTemplates/add", `{"name":"mine","meta-category":"misc","description":"d","attributes":{"a":{"misp-attribute":"text","multiple":true}}}`, `"fixed":false`},
		{200, "POST /objectTemplates/edit/2", `{"ObjectTemplate":{"description":"better"}}`, `"description":"better","version":2`},
		{403, "POST /objectTemplates/edit/1", `{"description":"hijacked"}`, "published by others"},
		{200, "POST /objectTemplates/activate", `{"ObjectTemplate":{"data":1}}`, "Template disabled."},
		{200, "GET /objectTemplates/index", ``, `"name":"mine"`},
		{200, "POST /objectTemplates/possibleObjectTemplates", `{"attributeTypes":["text","text"]}`, `"name":"mine"`},
		{404, "GET /objectTemplates/getRaw/absent", ``, "Template not found"},

		{403, "POST /warninglists/add", `{"name":"ours","description":"d","type":"cidr","entries":"not an address"}`, "neither an address nor a range"},
		{403, "POST /warninglists/add", `{"name":"ours","description":"d","type":"fruit","entries":"x"}`, "Options: cidr, hostname"},
		{200, "POST /warninglists/add", `{"name":"ours","description":"d","type":"hostname","entries":"quiet.example # a remark\nother.example","enabled":true}`, `"enabled":true,"default":false`},
		{403, "POST /warninglists/add", `{"name":"ours","description":"d","type":"hostname","entries":"a.example"}`, "already exists"},
		{200, "POST /warninglists/checkValue", `["deep.quiet.example"]`, `"matched":"quiet.example"`},
		{200, "POST /warninglists/toggleEnable", `{"name":"ours","enabled":0}`, "1 warninglist(s) disabled"},
		{200, "POST /warninglists/checkValue", `["deep.quiet.example"]`, `[]`},
		{200, "POST /warninglists/toggleEnable", `{"name":["nothing"]}`, "not found"},
		{200, "POST /warninglists/toggleEnable", `{"name":"dns%"}`, "not found"}, // ours is not one of MISP's
		{200, "POST /warninglists/toggleEnable", `{"name":"dns resolvers"}`, "1 warninglist(s) disabled"},
		{404, "POST /warninglists/edit/1", `{"description":"hijacked"}`, "Invalid Warninglist."},
		{302, "POST /noticelists/enableNoticelist/1/1", ``, ""},
		{200, "GET /noticelists/view/1", ``, `"enabled":true`},
	} {
		method, path, _ := strings.Cut(c.path, " ")
		if got := w.ask("site", method, path, c.body); got.status != c.status || !strings.Contains(got.body, c.says) {
			t.Errorf("%s %s: %d %.500s\n\twant %d and %s", c.path, c.body, got.status, got.body, c.status, c.says)
		}
	}
}
