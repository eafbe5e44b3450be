package postgres

import (
	"context"
	"iter"

	"tocsin"
	"tocsin/store"
)

const objectColumns = `o.id, o.uuid, o.event, o.name, o.meta_category, o.description, o.template_uuid, o.template_version, o.comment,
	o.distribution, o.sgroup, o.timestamp, o.first_seen, o.last_seen, o.deleted, o.label, o.seq`

func (t *tx) scanObject(s scanner, o *tocsin.Object) error {
	var template *[16]byte
	var firstSeen, lastSeen, deleted int64
	err := s.Scan(&o.ID, (*[16]byte)(&o.UUID), &o.Event, &o.Name, &o.MetaCategory, &o.Description, &template, &o.TemplateVersion, &o.Comment,
		&o.Distribution, &o.Group, &o.Timestamp, &firstSeen, &lastSeen, &deleted, &o.Label, &o.Seq)
	o.TemplateUUID, o.Deleted = scanned(template), deleted != 0
	o.FirstSeen, o.LastSeen = fromMicros(firstSeen), fromMicros(lastSeen)
	return err
}

// Object implements [store.Writer].
func (t *tx) Object(ctx context.Context, id int64) (*tocsin.Object, error) {
	return first(ctx, t, t.scanObject, `SELECT `+objectColumns+` FROM objects o WHERE o.id = $1`, id)
}

// ObjectByUUID implements [store.Writer].
func (t *tx) ObjectByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Object, error) {
	return first(ctx, t, t.scanObject, `SELECT `+objectColumns+` FROM objects o WHERE o.uuid = $1`, [16]byte(u))
}

// PutObject implements [store.Writer].
func (t *tx) PutObject(ctx context.Context, o *tocsin.Object) error {
	if err := plain("object", o.Name, o.MetaCategory, o.Description, o.Comment); err != nil {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO objects (id, uuid, event, name, meta_category, description, template_uuid,
			template_version, comment, distribution, sgroup, timestamp, first_seen, last_seen, deleted, label, seq)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
		ON CONFLICT (id) DO UPDATE SET event = excluded.event, name = excluded.name, meta_category = excluded.meta_category,
			description = excluded.description, template_uuid = excluded.template_uuid, template_version = excluded.template_version,
			comment = excluded.comment, distribution = excluded.distribution, sgroup = excluded.sgroup, timestamp = excluded.timestamp,
			first_seen = excluded.first_seen, last_seen = excluded.last_seen, deleted = excluded.deleted, label = excluded.label,
			seq = excluded.seq`,
		o.ID, [16]byte(o.UUID), o.Event, o.Name, o.MetaCategory, o.Description, maybe(o.TemplateUUID), int64(o.TemplateVersion), o.Comment,
		int64(o.Distribution), o.Group, o.Timestamp, micros(o.FirstSeen), micros(o.LastSeen), number(o.Deleted), int64(o.Label), int64(o.Seq))
	return err
}

// RemoveObject implements [store.Writer].
func (t *tx) RemoveObject(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM objects WHERE id = $1`, id)
	return err
}

// Objects implements [store.Reader].
func (t *tx) Objects(ctx context.Context, s store.Scoped[store.ObjectQuery]) iter.Seq2[tocsin.Object, error] {
	w := &where{}
	w.and("e.hidden = 0")
	if !s.All() {
		labels := ints(s.Labels())
		w.in("o.label", labels)
		w.in("e.label", labels)
	}
	w.inIDs("o.id", s.Query.IDs)
	w.inUUIDs("o.uuid", s.Query.UUIDs)
	w.inIDs("o.event", s.Query.Events)
	switch s.Query.Deleted {
	case store.Live:
		w.and("o.deleted = 0")
	case store.Withdrawn:
		w.and("o.deleted = 1")
	}
	return rows(ctx, t, t.scanObject, `SELECT `+objectColumns+` FROM objects o JOIN events e ON e.id = o.event WHERE `+w.sql()+` ORDER BY o.id`, w.args...)
}
