package misp

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
)

// What MISP answered of remarks, read as words and written again, says the same, but
// for what whoever asks the store adds: the other record, organisations in full, and
// whether the reader may change it.
func TestRecordedRemarks(t *testing.T) {
	dir := shared(t, "contract", "misp")
	w := newWorld()
	for _, c := range []struct {
		file, member string
		unsaid       []string
		write        func(c *Encoder, v map[string]any) []byte
	}{
		{"132-objectreferences-view", "ObjectReference", nil, func(c *Encoder, v map[string]any) []byte {
			f := of(t, v, (*reader).reference)
			r := f.Words(namedUUID(v, "source_uuid"))
			r.To = tocsin.Link{Kind: tocsin.KindAttribute, ID: intOf(v, "referenced_id"), UUID: r.To.UUID}
			r.ID, r.Event, r.About.ID = intOf(v, "id"), intOf(v, "event_id"), intOf(v, "object_id")
			return c.AppendReference(nil, r)
		}},
		{"357-sync-view", "Sighting", nil, func(c *Encoder, v map[string]any) []byte {
			s := of(t, v, (*reader).sighting).Words()
			s.ID, s.Event, s.Orgc, s.About = intOf(v, "id"), intOf(v, "event_id"), intOf(v, "org_id"), tocsin.Link{Kind: tocsin.KindAttribute, ID: intOf(v, "attribute_id"), UUID: namedUUID(v, "attribute_uuid")}
			return c.AppendSighting(nil, s)
		}},
		{"202-events-view-with-proposals", "ShadowAttribute", nil, func(c *Encoder, v map[string]any) []byte {
			p := of(t, v, (*reader).proposal).Words(tocsin.Link{Kind: tocsin.KindEvent, ID: 1})
			if old := intOf(v, "old_id"); old != 0 {
				p.About = tocsin.Link{Kind: tocsin.KindAttribute, ID: old}
			}
			p.ID, p.Event, p.Orgc = intOf(v, "id"), intOf(v, "event_id"), intOf(v, "org_id")
			return c.AppendProposal(nil, p, namedUUID(v, "event_uuid"))
		}},
		{"430-event_reports-index", "EventReport", nil, func(c *Encoder, v map[string]any) []byte {
			r := of(t, v, (*reader).report).Words(1)
			r.ID, r.Event = intOf(v, "id"), 1
			return c.AppendReport(nil, r)
		}},
		{"434-analyst_data-add-note", "Note", []string{"Org", "Orgc", "_canEdit"}, func(c *Encoder, v map[string]any) []byte {
			return c.AppendNote(nil, &tocsin.Note{Head: headOf(t, v), Authors: v["authors"].(string), Language: "en", Note: v["note"].(string), Created: timeOf(t, v)})
		}},
		{"435-analyst_data-add-opinion", "Opinion", []string{"Org", "Orgc", "_canEdit"}, func(c *Encoder, v map[string]any) []byte {
			return c.AppendOpinion(nil, &tocsin.Opinion{Head: headOf(t, v), Authors: v["authors"].(string), Opinion: uint8(intOf(v, "opinion")), Comment: v["comment"].(string), Created: timeOf(t, v)})
		}},
		{"436-analyst_data-add-relationship", "Relationship", []string{"Org", "Orgc", "_canEdit", "related_object"}, func(c *Encoder, v map[string]any) []byte {
			other := tocsin.Link{Kind: KindOf(v["related_object_type"].(string)), UUID: namedUUID(v, "related_object_uuid")}
			return c.AppendRelationship(nil, &tocsin.Relationship{Head: headOf(t, v), Authors: v["authors"].(string), Relation: v["relationship_type"].(string), Other: other, Created: timeOf(t, v)})
		}},
	} {
		var rec recording
		read(t, filepath.Join(dir, c.file+".json"), &rec)
		var body any
		if err := json.Unmarshal(rec.Response.Body, &body); err != nil {
			t.Fatal(err)
		}
		w.learn(t, "", body)
		found := members(body, c.member)
		if len(found) == 0 {
			t.Errorf("%s has no %s", c.file, c.member)
		}
		for _, v := range found {
			for _, side := range []string{"org_uuid", "orgc_uuid"} {
				if u := namedUUID(v, side); !u.IsZero() {
					w.orgs[1] = &tocsin.Organisation{ID: 1, UUID: u, Name: "ORGNAME", Local: true}
				}
			}
			var got map[string]any
			b := c.write(&Encoder{Names: w}, v)
			if err := json.Unmarshal(b, &got); err != nil {
				t.Fatalf("%s: %v: %s", c.file, err, b)
			}
			for _, k := range c.unsaid {
				delete(v, k)
				delete(got, k)
			}
			want, _ := json.Marshal(v)
			again, _ := json.Marshal(got)
			if string(want) != string(again) {
				t.Errorf("%s:\n got %s\nwant %s", c.file, again, want)
			}
		}
	}
}

// members returns the objects that stand, alone or in lists, under name in v.
func members(v any, name string) (found []map[string]any) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			found = append(found, members(e, name)...)
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if k != name {
				found = append(found, members(v[k], name)...)
				continue
			}
			list, ok := v[k].([]any)
			if !ok {
				list = []any{v[k]}
			}
			for _, e := range list {
				if m, ok := e.(map[string]any); ok {
					found = append(found, m)
				}
			}
		}
	}
	return found
}

func of[T any](t *testing.T, v map[string]any, read func(*reader, *T)) *T {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := decode(strings.NewReader(string(b)), "", read)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func intOf(v map[string]any, name string) int64 { n, _ := v[name].(float64); return int64(n) }

func namedUUID(v map[string]any, name string) tocsin.UUID {
	s, _ := v[name].(string)
	u, _ := tocsin.ParseUUID(s)
	return u
}

func timeOf(t *testing.T, v map[string]any) int64 {
	t.Helper()
	at, err := time.Parse(time.DateTime, v["created"].(string))
	if err != nil {
		t.Fatal(err)
	}
	return at.Unix()
}

func headOf(t *testing.T, v map[string]any) tocsin.Head {
	return tocsin.Head{ID: intOf(v, "id"), UUID: namedUUID(v, "uuid"), Org: 1, Orgc: 1, Distribution: access.Distribution(intOf(v, "distribution")), Timestamp: timeOf(t, v),
		About: tocsin.Link{Kind: KindOf(v["object_type"].(string)), UUID: namedUUID(v, "object_uuid")}}
}
