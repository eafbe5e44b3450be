package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"tocsin"
)

// A where is a condition put together from parts that all must hold. Texts of
// parts are ours; what others say stands in args only.
type where struct {
	parts []string
	args  []any
}

// and adds a part, in which ? stands for each of args in turn.
func (w *where) and(part string, args ...any) {
	for _, a := range args {
		w.args = append(w.args, a)
		part = strings.Replace(part, "?", "$"+strconv.Itoa(len(w.args)), 1)
	}
	w.parts = append(w.parts, part)
}

// text adds a part about a text. Of one that can't be kept there is none.
func (w *where) text(part, s string) {
	if plain("", s) != nil {
		w.and("false")
		return
	}
	w.and(part, s)
}

func (w *where) sql() string { return strings.Join(w.parts, " AND ") }

func (w *where) in(column string, ids []int64) { w.and(column+" = ANY(?)", ids) }

func (w *where) notIn(column string, ids []int64) { w.and(column+" <> ALL(?)", ids) }

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
	if us != nil {
		w.and(column+" = ANY(?)", uuids(us))
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
func (w *where) page(limit, offset int64) (page string) {
	if limit != 0 {
		page = fmt.Sprintf(" LIMIT %d", max(0, limit))
	}
	if offset > 0 {
		page += fmt.Sprintf(" OFFSET %d", offset)
	}
	return page
}

func uuids(us []tocsin.UUID) [][16]byte {
	out := make([][16]byte, len(us))
	for i, u := range us {
		out[i] = u
	}
	return out
}

// signed turns hashes into what the database keeps them as.
func signed(keys []uint64) []int64 {
	ids := make([]int64, len(keys))
	for i, k := range keys {
		ids[i] = int64(k)
	}
	return ids
}

// sane are the texts that a text of the database can equal at all.
func sane(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, s := range texts {
		if plain("", s) == nil {
			out = append(out, s)
		}
	}
	return out
}

func likeEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
