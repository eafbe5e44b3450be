package store

import (
	"encoding/json"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// Before- and after-images stand in the log as JSON. What is interned stands as
// its number. Fields left out are zero, so an image is short.

type eventImage struct {
	ID           int64               `json:"id"`
	UUID         tocsin.UUID         `json:"uuid"`
	Org          int64               `json:"org"`
	Orgc         int64               `json:"orgc"`
	User         int64               `json:"user,omitempty"`
	Info         string              `json:"info"`
	Date         string              `json:"date"`
	Threat       uint8               `json:"threat,omitempty"`
	Analysis     uint8               `json:"analysis,omitempty"`
	Distribution access.Distribution `json:"distribution"`
	Group        int64               `json:"group,omitempty"`
	Published    bool                `json:"published,omitempty"`
	PublishedAt  int64               `json:"published_at,omitempty"`
	Timestamp    int64               `json:"timestamp"`
	Locked       bool                `json:"locked,omitempty"`
	NoCorrelate  bool                `json:"no_correlate,omitempty"`
	Extends      tocsin.UUID         `json:"extends,omitzero"`
	Tags         uint32              `json:"tags,omitempty"`
	Label        access.LabelID      `json:"label"`
	Seq          tocsin.Seq          `json:"seq"`
}

type attributeImage struct {
	ID           int64               `json:"id"`
	UUID         tocsin.UUID         `json:"uuid"`
	Event        int64               `json:"event"`
	Object       int64               `json:"object,omitempty"`
	Relation     string              `json:"relation,omitempty"`
	Category     indicator.Category  `json:"category"`
	Type         uint16              `json:"type"`
	Value        string              `json:"value"`
	Comment      string              `json:"comment,omitempty"`
	ToIDS        bool                `json:"to_ids,omitempty"`
	Deleted      bool                `json:"deleted,omitempty"`
	NoCorrelate  bool                `json:"no_correlate,omitempty"`
	Distribution access.Distribution `json:"distribution"`
	Group        int64               `json:"group,omitempty"`
	Timestamp    int64               `json:"timestamp"`
	FirstSeen    time.Time           `json:"first_seen,omitzero"`
	LastSeen     time.Time           `json:"last_seen,omitzero"`
	Seen         int64               `json:"seen,omitempty"`
	Ends         int64               `json:"ends,omitempty"`
	Tags         uint32              `json:"tags,omitempty"`
	Label        access.LabelID      `json:"label"`
	Seq          tocsin.Seq          `json:"seq"`
	Guard        tocsin.Verdict      `json:"guard,omitempty"`
	Override     string              `json:"override,omitempty"`
	OverriddenBy int64               `json:"overridden_by,omitempty"`
}

// encode returns the image of a record, nil for none.
func (db *DB) encode(r tocsin.Record) ([]byte, error) {
	switch r := r.(type) {
	case nil:
		return nil, nil
	case *tocsin.Event:
		return json.Marshal(eventImage{r.ID, r.UUID, r.Org, r.Orgc, r.User, r.Info, r.Date, r.Threat, r.Analysis,
			r.Distribution, r.Group, r.Published, r.PublishedAt, r.Timestamp, r.Locked, r.NoCorrelate, r.Extends,
			db.coder.Tags.ID(r.Tags), r.Label, r.Seq})
	case *tocsin.Attribute:
		return json.Marshal(attributeImage{r.ID, r.UUID, r.Event, r.Object, r.Relation, r.Category, r.Value.Type().ID,
			r.Value.String(), r.Comment, r.ToIDS, r.Deleted, r.NoCorrelate, r.Distribution, r.Group, r.Timestamp,
			r.FirstSeen, r.LastSeen, r.Seen, r.Ends, db.coder.Tags.ID(r.Tags), r.Label, r.Seq,
			r.Guard, r.Override, r.OverriddenBy})
	}
	return db.image(r)
}

// decode is the reverse of encode.
func (db *DB) decode(k tocsin.Kind, b []byte) (tocsin.Record, error) {
	if len(b) == 0 {
		return nil, nil
	}
	switch k {
	case tocsin.KindEvent:
		var i eventImage
		err := json.Unmarshal(b, &i)
		return &tocsin.Event{ID: i.ID, UUID: i.UUID, Org: i.Org, Orgc: i.Orgc, User: i.User, Info: i.Info, Date: i.Date,
			Threat: i.Threat, Analysis: i.Analysis, Distribution: i.Distribution, Group: i.Group, Published: i.Published,
			PublishedAt: i.PublishedAt, Timestamp: i.Timestamp, Locked: i.Locked, NoCorrelate: i.NoCorrelate,
			Extends: i.Extends, Tags: db.coder.Tags.Set(i.Tags), Label: i.Label, Seq: i.Seq}, err
	case tocsin.KindAttribute:
		a, err := db.coder.Attribute(b)
		return &a, err
	}
	// Of a kind that only a later version knows there is none: nobody here asks for it.
	r, _, err := db.record(k, b)
	return r, err
}

// Attribute reads the image of an attribute; engines need it to answer AsOf.
func (c Coder) Attribute(image []byte) (tocsin.Attribute, error) {
	var i attributeImage
	if err := json.Unmarshal(image, &i); err != nil {
		return tocsin.Attribute{}, err
	}
	if i.Seen == 0 { // an image of before there were lifetimes
		if i.Seen = i.Timestamp; !i.LastSeen.IsZero() {
			i.Seen = i.LastSeen.Unix()
		}
	}
	v, err := indicator.Stored(i.Type, i.Value)
	return tocsin.Attribute{ID: i.ID, UUID: i.UUID, Event: i.Event, Object: i.Object, Relation: i.Relation,
		Category: i.Category, Value: v, Comment: i.Comment, ToIDS: i.ToIDS, Deleted: i.Deleted, NoCorrelate: i.NoCorrelate,
		Distribution: i.Distribution, Group: i.Group, Timestamp: i.Timestamp, FirstSeen: i.FirstSeen, LastSeen: i.LastSeen, Seen: i.Seen, Ends: i.Ends,
		Tags: c.Tags.Set(i.Tags), Label: i.Label, Seq: i.Seq, Guard: i.Guard, Override: i.Override, OverriddenBy: i.OverriddenBy}, err
}
