package mispapi

import (
	"encoding/xml"
	"strings"
)

// How a search for sightings is written. MISP writes its numbers as text here.

type sightingFound struct {
	ID            int64            `json:"id,string" xml:"id"`
	Attribute     int64            `json:"attribute_id,string" xml:"attribute_id"`
	Event         int64            `json:"event_id,string" xml:"event_id"`
	Org           int64            `json:"org_id,string" xml:"org_id"`
	At            int64            `json:"date_sighting,string" xml:"date_sighting"`
	UUID          string           `json:"uuid" xml:"uuid"`
	Source        string           `json:"source" xml:"source"`
	Type          int64            `json:"type,string" xml:"type"`
	Value         string           `json:"value" xml:"value"`
	AttributeUUID string           `json:"attribute_uuid,omitempty" xml:"attribute_uuid,omitempty"`
	EventUUID     string           `json:"event_uuid,omitempty" xml:"event_uuid,omitempty"`
	OfAttribute   *sightedClaim    `json:"Attribute,omitempty" xml:"Attribute,omitempty"`
	OfEvent       *sightedEvent    `json:"Event,omitempty" xml:"Event,omitempty"`
	Organisation  *sightingsSource `json:"Organisation,omitempty" xml:"Organisation,omitempty"`
}

type sightedClaim struct {
	ID       int64  `json:"id,string" xml:"id"`
	UUID     string `json:"uuid" xml:"uuid"`
	Type     string `json:"type" xml:"type"`
	Category string `json:"category" xml:"category"`
	ToIDS    bool   `json:"to_ids" xml:"to_ids"`
	Value    string `json:"value" xml:"value"`
}

type sightedEvent struct {
	ID   int64  `json:"id,string" xml:"id"`
	UUID string `json:"uuid" xml:"uuid"`
	Orgc int64  `json:"orgc_id,string" xml:"orgc_id"`
	Org  int64  `json:"org_id,string" xml:"org_id"`
	Info string `json:"info" xml:"info"`
	Name struct {
		Name string `json:"name" xml:"name"`
	} `json:"Orgc" xml:"Orgc"`
}

type sightingsSource struct {
	ID   int64  `json:"id,string" xml:"id"`
	UUID string `json:"uuid" xml:"uuid"`
	Name string `json:"name" xml:"name"`
}

// words is what is written of a sighting, as far as it was asked for.
func (s *sightingSearch) words(f found) sightingFound {
	w := sightingFound{ID: f.ID, Attribute: f.About.ID, Event: f.Sighting.Event, Org: f.Orgc, At: f.At, UUID: f.UUID.String(), Source: f.Source,
		Type: int64(f.Type), Value: f.attribute.Value.String()}
	if s.uuids {
		w.AttributeUUID, w.EventUUID = f.attribute.UUID.String(), f.event.UUID.String()
	}
	if s.attribute {
		a := f.attribute
		w.OfAttribute = &sightedClaim{a.ID, a.UUID.String(), a.Value.TypeName(), a.Category.String(), a.ToIDS, a.Value.String()}
	}
	if s.event {
		e := f.event
		w.OfEvent = &sightedEvent{ID: e.ID, UUID: e.UUID.String(), Orgc: e.Orgc, Org: e.Org, Info: e.Info}
		w.OfEvent.Name.Name = s.c.briefOrg(e.Orgc).Name
	}
	if f.Orgc != 0 {
		o := s.c.briefOrg(f.Orgc)
		w.Organisation = &sightingsSource{o.ID, o.UUID.String(), o.Name}
	}
	return w
}

func (s *sightingSearch) writeJSON() error {
	return s.write(mediaJSON, `{"response":[`, `]}`, func(b []byte, f found, first bool) []byte {
		if !first {
			b = append(b, ',')
		}
		return append(appendJSON(append(b, `{"Sighting":`...), s.words(f)), '}')
	})
}

func (s *sightingSearch) writeXML() error {
	return s.write("application/xml; charset=UTF-8", xml.Header+"<response>\n", "</response>\n", func(b []byte, f found, _ bool) []byte {
		text, _ := xml.Marshal(struct {
			XMLName xml.Name `xml:"Sighting"`
			sightingFound
		}{sightingFound: s.words(f)}) // of our own making, so it always can be
		return append(append(b, text...), '\n')
	})
}

const sightingColumns = "id,attribute_id,event_id,org_id,date_sighting,uuid,source,type\n"

func (s *sightingSearch) writeCSV() error {
	return s.write("text/csv; charset=UTF-8", sightingColumns, "", func(b []byte, f found, _ bool) []byte {
		for _, n := range []int64{f.ID, f.About.ID, f.Sighting.Event, f.Orgc, f.At} {
			b = append(append(b, itoa(n)...), ',')
		}
		b = append(appendCell(append(appendCell(b, f.UUID.String()), ','), f.Source), ',')
		return append(append(b, itoa(int64(f.Type))...), '\n')
	})
}

// appendCell appends a text as a cell of MISP's CSV.
func appendCell(b []byte, text string) []byte {
	return append(append(append(b, '"'), strings.ReplaceAll(text, `"`, `""`)...), '"')
}

// write streams the rows between a head and a tail.
func (s *sightingSearch) write(media, head, tail string, row func([]byte, found, bool) []byte) error {
	out, first := s.c.stream(media), true
	out.b = append(out.b, head...)
	for f, err := range s.rows() {
		if err != nil {
			return err
		}
		out.b = row(out.b, f, first)
		first = false
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, tail...)
	return out.end()
}
