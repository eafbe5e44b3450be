package match

import (
	"bytes"
	"context"
	"slices"
	"sort"
	"strings"
	"sync"

	"tocsin"
	"tocsin/store"
)

// Texts finds the attributes whose value contains a text, whatever its case: it holds
// all values one behind the other, and goes through them. It is read from the store
// when somebody asks for the first time, and before each answer told what was written
// since, so that it need not follow when nobody asks.
//
// It answers with candidates. Some may be gone, changed, or hidden from whoever asks,
// who therefore asks the store for them.
type Texts struct {
	db *store.DB

	mu    sync.RWMutex
	seq   tocsin.Seq // the last line that it knows of
	read  bool
	full  bool    // there is more than it may hold
	ids   []int64 // whose value ends at ends[i]
	ends  []int
	buf   []byte  // values in lower case, each with a 0 behind it
	long  []int64 // of values that are too long to be held: always candidates
	again int     // how many were filed that may be there already
}

const (
	maxHeldText  = 4 << 10   // octets of one value
	maxHeldTexts = 512 << 20 // of all
)

// NewTexts returns the texts of a store.
func NewTexts(db *store.DB) *Texts { return &Texts{db: db} }

// Containing returns the attributes that a value like one of patterns may be found in,
// in which "%" stands for any text, in order of id. It is false where that would be
// more than limit, or can't be told from texts.
func (t *Texts) Containing(ctx context.Context, patterns []string, limit int) (ids []int64, ok bool, err error) {
	parts := make([]string, len(patterns))
	for i, p := range patterns {
		if parts[i] = longest(p); parts[i] == "" {
			return nil, false, nil
		}
	}
	if err := t.catchUp(ctx); err != nil {
		return nil, false, err
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	if t.full {
		return nil, false, nil
	}
	ids = append(ids, t.long...)
	for _, p := range parts {
		if ids = t.find(ids, []byte(p), limit); len(ids) > limit {
			return nil, false, nil
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), true, nil
}

// longest returns the longest text between the wildcards of a pattern.
func longest(pattern string) (part string) {
	for p := range strings.SplitSeq(strings.ToLower(pattern), "%") {
		if len(p) > len(part) && !strings.Contains(p, "\x00") {
			part = p
		}
	}
	return part
}

// find appends the attributes whose value contains part.
func (t *Texts) find(ids []int64, part []byte, limit int) []int64 {
	for from := 0; from < len(t.buf); {
		i := bytes.Index(t.buf[from:], part)
		if i < 0 {
			break
		}
		at := sort.SearchInts(t.ends, from+i+1) // the first value that ends behind it
		if at == len(t.ends) {
			break
		}
		if ids = append(ids, t.ids[at]); len(ids) > limit {
			break
		}
		from = t.ends[at]
	}
	return ids
}

// catchUp takes in what was written since it was last asked.
func (t *Texts) catchUp(ctx context.Context) error {
	t.mu.RLock()
	current := t.read && t.seq == t.db.Head()
	t.mu.RUnlock()
	if current {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.read || t.again > len(t.ids)/2+100 {
		return t.readAll(ctx)
	}
	for head := t.db.Head(); t.seq < head; {
		lines, whole, err := t.db.Since(ctx, t.seq)
		if err != nil {
			return err
		}
		if !whole {
			return t.readAll(ctx)
		}
		for i := range lines {
			if err := t.take(ctx, &lines[i]); err != nil {
				return err
			}
			t.seq = lines[i].Seq
		}
		if len(lines) == 0 {
			return nil
		}
	}
	return nil
}

// readAll reads every value anew. What is written meanwhile is taken in twice, which
// does no harm.
func (t *Texts) readAll(ctx context.Context) error {
	t.ids, t.ends, t.buf, t.long, t.again, t.full, t.read = nil, nil, nil, nil, 0, false, false
	seq := t.db.Head()
	for a, err := range t.db.As(viewer).Attributes(ctx, store.Query{Deleted: store.Any}) {
		if err != nil {
			return err
		}
		t.add(&a)
	}
	t.seq, t.read = seq, true
	return nil
}

func (t *Texts) take(ctx context.Context, c *tocsin.Change) error {
	switch {
	case c.IsRange():
		run, err := c.Run(ctx, viewer, tocsin.PartValue)
		if err != nil {
			return err
		}
		for i := range run {
			t.add(&run[i])
		}
	case c.Kind == tocsin.KindAttribute:
		before, after := tocsin.Records[*tocsin.Attribute](c, viewer)
		if after == nil || before != nil && before.Value == after.Value {
			return nil
		}
		if before != nil {
			t.again++
		}
		t.add(after)
	}
	return nil
}

func (t *Texts) add(a *tocsin.Attribute) {
	text := strings.ToLower(a.Value.String())
	switch {
	case t.full:
		return
	case len(t.buf)+len(text) > maxHeldTexts:
		t.full, t.ids, t.ends, t.buf = true, nil, nil, nil
		return
	case len(text) > maxHeldText || strings.Contains(text, "\x00"):
		t.long = append(t.long, a.ID)
		return
	}
	t.buf = append(append(t.buf, text...), 0)
	t.ids, t.ends = append(t.ids, a.ID), append(t.ends, len(t.buf))
}
