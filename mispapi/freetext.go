package mispapi

import (
	"net/http"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/misp"
)

// A found value is one that a text names, as events/freeTextImport answers it.
type foundValue struct {
	Comment      *bool             `json:"comment,omitempty"`
	Value        string            `json:"value"`
	Original     string            `json:"original_value"`
	ToIDS        int               `json:"to_ids"`
	Type         string            `json:"type,omitempty"`
	Category     string            `json:"category,omitempty"`
	Distribution *int64            `json:"distribution,omitempty"`
	Event        int64             `json:"event_id,omitempty"`
	DefaultType  string            `json:"default_type,omitempty"`
	Types        map[string]string `json:"types,omitempty"`
}

// maxFreeText is how long a text may be that is looked through, in octets.
const maxFreeText = 16 << 20

// importText adds the indicators that a text names to an event, and answers with them.
// Those that a list guards are added without being marked to act on, or not at all, if
// the client asks for that ("adhereToWarninglists": "soft", or true). With
// returnMetaAttributes nothing is added: the answer says what each might be.
func importText(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	said, err := c.filters()
	if err != nil {
		return err
	}
	for _, wrap := range []string{"Attribute", "MispAttribute"} {
		if inner, ok := said[wrap].(map[string]any); ok {
			said = inner
		}
	}
	body, _ := said["value"].(string)
	if body == "" || len(body) > maxFreeText {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "No text was provided, or it is longer than 16 MB: value is the text.")
	}
	dist, ok := digit(textOf(said["distribution"]))
	if !ok {
		dist = int64(access.Inherit)
	}
	if dist > int64(access.Inherit) || dist == int64(access.Group) && refOf(textOf(said["sharing_group_id"])).id == 0 {
		return c.unsaved("add Attribute", "/events/freeTextImport", map[string][]string{"distribution": {"it is 0 to 5, and 4 needs a sharing_group_id"}}, nil)
	}
	meta := truthy(said["returnMetaAttributes"]) || truthy(said["return_meta_attributes"])
	adheres := said["adhereToWarninglists"]
	rows, drafts := []foundValue{}, []intake.Draft{}
	for word, v := range indicator.Extract(body) {
		if len(rows) == maxAttributes {
			return errMany
		}
		acts := v.Type().ToIDS
		guarded := c.Guards != nil && len(c.Guards.Hits(v)) > 0
		if guarded && truthy(adheres) {
			acts = false
		}
		row := foundValue{Value: v.String(), Original: word}
		if acts {
			row.ToIDS = 1
		}
		if v.Type().Name != "ip-dst" { // MISP 2.5 has no comment of addresses
			row.Comment = new(false)
		}
		if meta {
			row.DefaultType, row.Types = v.TypeName(), mightBe(v)
			rows = append(rows, row)
			continue
		}
		row.Type, row.Category, row.Distribution, row.Event = v.TypeName(), v.Type().DefaultCategory, &dist, e.ID
		rows = append(rows, row)
		if guarded && truthy(adheres) && textOf(adheres) != "soft" {
			continue
		}
		drafts = append(drafts, intake.Draft{Line: len(rows), Type: row.Type, Text: row.Value, ToIDS: &acts,
			Distribution: new(access.Distribution(dist)), Group: groupMeant(c.view, misp.Said(refOf(textOf(said["sharing_group_id"])).id), nil)})
	}
	if !meta {
		if _, err := c.desk.AddAttributes(c.r.Context(), c.v, e.ID, drafts); err != nil {
			return err
		}
	}
	return c.reply(rows)
}

// alternatives are types that a value may have instead of the one that it looks like.
var alternatives = map[string][]string{
	"ip-dst":        {"ip-dst", "ip-src"},
	"ip-dst|port":   {"ip-dst|port", "ip-src|port"},
	"domain":        {"domain", "hostname", "url", "filename"},
	"hostname":      {"hostname", "domain", "url", "filename"},
	"url":           {"url", "link"},
	"email":         {"email", "email-src", "email-dst", "target-email", "whois-registrant-email"},
	"vulnerability": {"vulnerability"},
}

// mightBe are the types that a value may have, as MISP answers them: each by its name.
func mightBe(v indicator.Value) map[string]string {
	types := map[string]string{v.TypeName(): v.TypeName()}
	for _, t := range alternatives[v.TypeName()] {
		types[t] = t
	}
	return types
}
