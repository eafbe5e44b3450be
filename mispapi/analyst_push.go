package mispapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/misp"
	"tocsin/store"
)

// What a peer asks and brings when analysts' remarks are exchanged.

// minimalAnalyst answers which remarks there are and when they last changed, by
// kind: a peer finds out what it lacks. Of nothing at all it answers [].
func minimalAnalyst(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	var q store.RemarkQuery
	if v := said["orgc_name"]; !nothing(v) {
		if err := c.ofOrgs(&q, v); err != nil {
			return c.invalid(err)
		}
	}
	all := map[string]map[string]string{}
	for _, k := range analystKinds {
		of := map[string]string{}
		err := c.remarksOf(c.r.Context(), k, q, func(r tocsin.Remark) error {
			of[r.Remarked().UUID.String()] = clockTime(r.Remarked().Timestamp)
			return nil
		})
		if err != nil {
			return err
		}
		if len(of) > 0 {
			all[misp.ObjectType(k)] = of
		}
	}
	if len(all) == 0 {
		return c.reply([]any{})
	}
	return c.reply(all)
}

// wantedAnalyst answers which of the remarks in the body are new here, or newer
// than what is here.
func wantedAnalyst(c *call) error {
	b, err := c.body()
	if err != nil {
		return err
	}
	offered := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &offered); err != nil && !listForObject(bytes.TrimSpace(b)) {
		return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
	}
	out := map[string]any{}
	for _, k := range analystKinds {
		name := misp.ObjectType(k)
		of := map[string]string{}
		if raw := offered[name]; len(raw) > 0 && raw[0] != '[' {
			if err := json.Unmarshal(raw, &of); err != nil || len(of) > maxUUIDs {
				return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, fmt.Sprintf("%s: there should be at most %d uuids, each with a time", name, maxUUIDs))
			}
		}
		if err := c.dropKnown(k, of); err != nil {
			return err
		}
		if out[name] = of; len(of) == 0 {
			out[name] = []any{}
		}
	}
	return c.reply(out)
}

// dropKnown takes out of what is offered what is here already: as new, or made here.
func (c *call) dropKnown(k tocsin.Kind, offered map[string]string) error {
	q := store.RemarkQuery{UUIDs: []tocsin.UUID{}, Deleted: store.Any}
	for text := range offered {
		u, err := tocsin.ParseUUID(text)
		if err != nil {
			delete(offered, text)
			continue
		}
		q.UUIDs = append(q.UUIDs, u)
	}
	return c.remarksOf(c.r.Context(), k, q, func(r tocsin.Remark) error {
		name := r.Remarked().UUID.String()
		if !isLocked(r) || misp.ParseTime(offered[name]) <= r.Remarked().Timestamp {
			delete(offered, name)
		}
		return nil
	})
}

// isLocked reports whether a remark came from another instance.
func isLocked(r tocsin.Remark) bool {
	switch r := r.(type) {
	case *tocsin.Note:
		return r.Locked
	case *tocsin.Opinion:
		return r.Locked
	case *tocsin.Relationship:
		return r.Locked
	}
	return false
}

// pushAnalyst takes in what a peer pushes. What was made here is not changed by
// others, and what is older than what is here is passed over.
func pushAnalyst(c *call) error {
	b, err := c.body()
	if err != nil {
		return err
	}
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] != '[' {
		b = slices.Concat([]byte("["), b, []byte("]"))
	}
	var records []map[string]json.RawMessage
	if err := json.Unmarshal(b, &records); err != nil || len(records) > maxUUIDs {
		return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, `there should be {"Note": {…}}, or a list of such`)
	}
	var imported, ignored, failed int
	for _, record := range records {
		for _, k := range analystKinds {
			raw, ok := record[misp.ObjectType(k)]
			if !ok {
				continue
			}
			switch taken, err := c.takeAnalyst(k, raw); {
			case err == nil && taken:
				imported++
			case err == nil:
				ignored++
			case tocsin.CodeOf(err) == tocsin.Internal:
				return err
			default:
				failed++
			}
		}
	}
	return c.done(fmt.Sprintf("Analyst Data imported. %d imported, %d ignored, %d failed. ", imported, ignored, failed), "/analyst_data/pushAnalystData", nil)
}

// takeAnalyst takes in one remark that a peer brings.
func (c *call) takeAnalyst(k tocsin.Kind, raw []byte) (taken bool, err error) {
	in, err := misp.DecodeRemark(bytes.NewReader(raw), k)
	if err != nil {
		return false, tocsin.Errorf(tocsin.Invalid, "%s", err)
	}
	about := tocsin.Link{Kind: misp.KindOf(in.OfType.Or("")), UUID: in.Of.Or(tocsin.UUID{})}
	orgc := orgOr(in.Orgc, in.OrgcUUID)
	if orgc != nil && c.orgByUUID(orgc) == 0 {
		return false, tocsin.Errorf(tocsin.Invalid, "the organisation that wrote it is not known here")
	}
	var old tocsin.Remark
	q := store.RemarkQuery{UUIDs: []tocsin.UUID{in.UUID.Or(tocsin.UUID{})}, Deleted: store.Any}
	if err := c.remarksOf(c.r.Context(), k, q, func(r tocsin.Remark) error { old = r; return nil }); err != nil {
		return false, err
	}
	if old != nil && (!isLocked(old) || misp.ParseTime(in.Modified.Or("")) <= old.Remarked().Timestamp) {
		return false, nil
	}
	err = c.change(func(tx *store.Tx) (err error) {
		if old != nil {
			_, err = c.editRemark(tx, old, in)
			return err
		}
		in.Locked = misp.Said(true)
		_, err = c.addWithThoseOn(tx, in, about)
		return err
	})
	switch tocsin.CodeOf(err) {
	case tocsin.Conflict, tocsin.Gone:
		if err != nil {
			return false, nil
		}
	}
	return err == nil, err
}

// syncing is what it takes to bring analysts' remarks of others.
const syncing = access.Sync | access.Analyst
