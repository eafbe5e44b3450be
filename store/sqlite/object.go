package sqlite

import (
	"context"
	"iter"

	"tocsin"
	"tocsin/store"
)

const objectColumns = `o.id, o.uuid, o.event, o.name, o.meta_category, o.description, o.template_uuid, o.template_version, o.comment,
	o.distribution, o.sgroup, o.timestamp, o.first_seen, o.last_seen, o.deleted, o.label, o.seq`

func (t *tx) scanObject(s scanner, o *tocsin.Object) error {
	var uuid, template []byte
	var firstSeen, lastSeen int64
	err := s.Scan(&o.ID, &uuid, &o.Event, &o.Name, &o.MetaCategory, &o.Description, &template, &o.TemplateVersion, &o.Comment,
		&o.Distribution, &o.Group, &o.Timestamp, &firstSeen, &lastSeen, &o.Deleted, &o.Label, &o.Seq)
	copy(o.UUID[:], uuid)
	copy(o.TemplateUUID[:], template)
	o.FirstSeen, o.LastSeen = fromMicros(firstSeen), fromMicros(lastSeen)
	return err
}

const objectFrom = ` FROM objects o JOIN events e ON e.id = o.event WHERE e.hidden = 0`

// Object implements [store.Writer].
func (t *tx) Object(ctx context.Context, id int64) (*tocsin.Object, error) {
	return first(rows(ctx, t, t.scanObject, `SELECT `+objectColumns+` FROM objects o WHERE o.id = ?`, id))
}

// ObjectByUUID implements [store.Writer].
func (t *tx) ObjectByUUID(ctx context.Context, u tocsin.UUID) (*tocsin.Object, error) {
	return first(rows(ctx, t, t.scanObject, `SELECT `+objectColumns+` FROM objects o WHERE o.uuid = ?`, u[:]))
}

// PutObject implements [store.Writer].
func (t *tx) PutObject(ctx context.Context, o *tocsin.Object) error {
	_, err := t.exec(ctx, `INSERT OR REPLACE INTO objects (id, uuid, event, name, meta_category, description, template_uuid,
			template_version, comment, distribution, sgroup, timestamp, first_seen, last_seen, deleted, label, seq)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID, o.UUID[:], o.Event, o.Name, o.MetaCategory, o.Description, nullUUID(o.TemplateUUID), o.TemplateVersion, o.Comment,
		o.Distribution, o.Group, o.Timestamp, micros(o.FirstSeen), micros(o.LastSeen), o.Deleted, o.Label, o.Seq)
	return err
}

// RemoveObject implements [store.Writer].
func (t *tx) RemoveObject(ctx context.Context, id int64) error {
	_, err := t.exec(ctx, `DELETE FROM objects WHERE id = ?`, id)
	return err
}

// Objects implements [store.Reader].
func (t *tx) Objects(ctx context.Context, s store.Scoped[store.ObjectQuery]) iter.Seq2[tocsin.Object, error] {
	w := &where{}
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
	query := `SELECT ` + objectColumns + objectFrom
	if len(w.parts) > 0 {
		query += " AND " + w.sql()
	}
	return rows(ctx, t, t.scanObject, query+` ORDER BY o.id`, w.args...)
}
