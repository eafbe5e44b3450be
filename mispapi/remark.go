package mispapi

import (
	"bytes"
	"net/http"

	"tocsin"
	"tocsin/store"
)

// What the handlers of sightings, reports, analysts' remarks and clusters share.

// remarked is a query for the one remark that text names, by id or uuid, deleted
// or not. A text that names nothing matches nothing.
func remarked(text string) store.RemarkQuery {
	f := refOf(text)
	if f.uuid.IsZero() {
		return store.RemarkQuery{IDs: []int64{f.id}, Deleted: store.Any, Limit: 1}
	}
	return store.RemarkQuery{UUIDs: []tocsin.UUID{f.uuid}, Deleted: store.Any, Limit: 1}
}

// told reads the fields of one record from a body: bare, or under its name, or
// under "request". No body is no fields.
func (c *call) told(name string) (map[string]any, error) {
	b, err := c.body()
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 || listForObject(b) {
		return map[string]any{}, nil
	}
	said, err := decodeObject(b)
	if err != nil {
		return nil, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	for _, wrapping := range []string{"request", name} {
		if inner, ok := said[wrapping].(map[string]any); ok {
			said = inner
		}
	}
	return said, nil
}

// change is one write as whoever asks.
func (c *call) change(fn func(*store.Tx) error) error {
	_, err := c.db.Apply(c.r.Context(), c.v, fn)
	return err
}
