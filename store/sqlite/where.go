package sqlite

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"tocsin"
)

// A where is a condition put together from parts that all must hold. Texts of
// parts are ours; what others say stands in args only.
type where struct {
	parts []string
	args  []any
}

func (w *where) and(part string, args ...any) {
	w.parts = append(w.parts, part)
	w.args = append(w.args, args...)
}

func (w *where) sql() string { return strings.Join(w.parts, " AND ") }

// in takes the numbers as one JSON argument, so that the statement is the same
// for any number of them.
func (w *where) in(column string, ids []int64) {
	w.and(column+" IN (SELECT value FROM json_each(?))", array(ids))
}

// fewKeys is how many keys are asked for one by one: for as many, to set up a list and
// to sort costs SQLite more than to look for them.
const fewKeys = 8

// inKeys narrows to attributes that have one of the keys.
func (w *where) inKeys(keys []int64) {
	if len(keys) == 0 || len(keys) > fewKeys {
		ids := array(keys)
		w.and(`a.id IN (SELECT id FROM attributes WHERE key1 IN (SELECT value FROM json_each(?))
			UNION SELECT id FROM attributes WHERE key2 <> 0 AND key2 IN (SELECT value FROM json_each(?)))`, ids, ids)
		return
	}
	args := make([]any, 0, 2*len(keys))
	for _, k := range slices.Concat(keys, keys) {
		args = append(args, k)
	}
	first := strings.Repeat(` UNION ALL SELECT id FROM attributes WHERE key1 = ?`, len(keys))
	second := strings.Repeat(` UNION ALL SELECT id FROM attributes WHERE key2 <> 0 AND key2 = ?`, len(keys))
	w.and(`a.id IN (`+strings.TrimPrefix(first, " UNION ALL ")+second+`)`, args...)
}

func (w *where) notIn(column string, ids []int64) {
	w.and(column+" NOT IN (SELECT value FROM json_each(?))", array(ids))
}

// inIDs narrows unless ids is nil.
func (w *where) inIDs(column string, ids []int64) {
	switch {
	case ids == nil:
	case len(ids) == 1:
		w.and(column+" = ?", ids[0])
	default:
		w.in(column, ids)
	}
}

func (w *where) inUUIDs(column string, us []tocsin.UUID) {
	switch {
	case us == nil:
	case len(us) == 1:
		w.and(column+" = ?", us[0][:])
	default:
		w.and(column+" IN (SELECT unhex(value) FROM json_each(?))", uuidArray(us))
	}
}

func (w *where) since(column string, since, until int64) {
	if since != 0 {
		w.and(column+" >= ?", since)
	}
	if until != 0 {
		w.and(column+" <= ?", until)
	}
}

// page returns the limit clause.
func (w *where) page(limit, offset int64) string {
	if limit == 0 && offset == 0 {
		return ""
	}
	if limit == 0 {
		limit = -1
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", limit, max(0, offset))
}

func array[T int64 | uint16 | uint8](ids []T) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, id)
	}
	b.WriteByte(']')
	return b.String()
}

func uuidArray(us []tocsin.UUID) string {
	ss := make([]string, len(us))
	for i, u := range us {
		ss[i] = hex.EncodeToString(u[:])
	}
	return texts(ss)
}

func texts(ss []string) string {
	b, _ := json.Marshal(ss) // strings always can be
	return string(b)
}

func likeEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
