package mispapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/indicator"
	"tocsin/store"
)

// maxSighted is how many attributes one call may sight.
const maxSighted = 10_000

// addSighting says that the viewer's organisation met an attribute: the one in the
// path or in the body, or each that has one of the values. It answers with the
// last one that was added.
func addSighting(c *call) error {
	said, err := c.told("Sighting")
	if err != nil {
		return err
	}
	s, err := c.sightingSaid(said)
	if err != nil {
		return err
	}
	ids, err := c.sighted(said)
	if err != nil {
		return err
	}
	var last *tocsin.Sighting
	err = c.change(func(tx *store.Tx) error {
		for _, id := range ids {
			one := s
			one.About = tocsin.Link{Kind: tocsin.KindAttribute, ID: id}
			switch err := store.AddRemark(tx, &one); {
			case tocsin.CodeOf(err) == tocsin.NotFound && err != nil: // it was deleted since
			case err != nil:
				return err
			default:
				last = &one
			}
		}
		return nil
	})
	switch {
	case tocsin.CodeOf(err) == tocsin.Invalid && err != nil:
		return c.unsightable("type", err.Error())
	case err != nil:
		return err
	case last == nil:
		return nothingSighted(c)
	}
	return c.reply(map[string]any{"Sighting": sightingWords(last)})
}

// sightingSaid is the sighting that a body tells of, about nothing yet.
func (c *call) sightingSaid(said map[string]any) (s tocsin.Sighting, err error) {
	if text := textOf(said["type"]); text != "" {
		n, err := strconv.ParseUint(text, 10, 8)
		if err != nil {
			return s, c.unsightable("type", fmt.Sprintf("a sighting's type is 0 (seen), 1 (false positive), 2 (expiration) or 3 (confirmed), not %q", text))
		}
		s.Type = tocsin.SightingType(n)
	}
	s.Source = textOf(said["source"])
	when := strings.TrimSpace(textOf(said["timestamp"]))
	if when == "" {
		when = strings.TrimSpace(textOf(said["date_sighting"]))
	}
	if when == "" && textOf(said["date"]) != "" {
		when = strings.TrimSpace(textOf(said["date"]) + " " + textOf(said["time"]))
	}
	if when != "" {
		if s.At, err = moment("timestamp", when, c.db.Now()); err != nil {
			return s, c.unsightable("timestamp", err.Error())
		}
	}
	return s, nil
}

func (c *call) unsightable(field, why string) error {
	return c.unsaved("add Sighting", "/sightings/add", map[string][]string{field: {why}}, nil)
}

// sighted returns the attributes that are meant: by id or uuid, else by value.
func (c *call) sighted(said map[string]any) ([]int64, error) {
	name := c.arg(0)
	for _, field := range []string{"id", "uuid"} {
		if name == "" {
			name = textOf(said[field])
		}
	}
	if name != "" {
		a, err := c.attribute(name)
		if tocsin.CodeOf(err) == tocsin.NotFound && err != nil || err == nil && a.Deleted {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return []int64{a.ID}, nil
	}
	values, err := scalars("values", said["values"])
	if err != nil {
		return nil, c.unsightable("values", err.Error())
	}
	if one := strings.TrimSpace(textOf(said["value"])); one != "" {
		values = append(values, one)
	}
	return c.claimsOf(values)
}

// claimsOf returns the attributes with one of values that the viewer may see and
// that are not withdrawn.
func (c *call) claimsOf(values []string) (ids []int64, err error) {
	keys, forms := []indicator.Key{}, slices.Clone(values)
	composite := false
	for _, text := range values {
		ks, whole := indicator.KeysOf(text)
		keys, forms = append(keys, ks...), append(forms, whole...)
		composite = composite || len(whole) > 0
	}
	if len(keys) == 0 {
		return nil, nil
	}
	one := func(s string) bool {
		return slices.ContainsFunc(forms, func(f string) bool { return strings.EqualFold(f, s) })
	}
	for a, err := range c.view.Attributes(c.r.Context(), store.Query{Keys: keys, Limit: maxSighted + 1}) {
		if err != nil {
			return nil, err
		}
		if composite && !matches(one, &a) {
			continue // a composite's keys are those of its sides, which others have too
		}
		if ids = append(ids, a.ID); len(ids) > maxSighted {
			return nil, c.unsightable("value", fmt.Sprintf("more than %d attributes have these values; say which one is meant", maxSighted))
		}
	}
	return ids, nil
}

// deleteSighting takes a sighting back.
func deleteSighting(c *call) error {
	s, err := store.OneRemark(c.view.Sightings(c.r.Context(), remarked(c.arg(0))))
	if err != nil {
		return err
	}
	if err := c.change(func(tx *store.Tx) error { return tx.DeleteRemark(tocsin.KindSighting, s.ID) }); err != nil {
		return err
	}
	return c.done("Sighting successfully deleted.", c.r.URL.Path, c.arg(0))
}

// A sightingRow is a sighting as it stands by itself.
type sightingRow struct {
	ID        int64       `json:"id"`
	Attribute int64       `json:"attribute_id"`
	Event     int64       `json:"event_id"`
	Org       int64       `json:"org_id"`
	At        int64       `json:"date_sighting"`
	UUID      tocsin.UUID `json:"uuid"`
	Source    string      `json:"source"`
	Type      int64       `json:"type"`
}

func sightingWords(s *tocsin.Sighting) sightingRow {
	return sightingRow{s.ID, s.About.ID, s.Event, s.Orgc, s.At, s.UUID, s.Source, int64(s.Type)}
}

// What is answered where there is no such sighting, or nothing to be sighted.
var (
	noSighting = answer{http.StatusNotFound, "Invalid sighting."}
	noSighted  = answer{http.StatusNotFound, "Invalid object."}
)
