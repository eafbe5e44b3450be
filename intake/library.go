package intake

import (
	"context"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
	"tocsin/vocab"
)

// A Library takes reference data into an exchange.
type Library struct {
	DB *store.DB
}

// A Taken is what became of reference data.
type Taken struct {
	New, Newer, Same int
	Refused          []vocab.Refusal
	Seq              tocsin.Seq
}

// Take adds what is new, and puts what is newer in the place of what was there: all
// of it or nothing. Only the sorts named are taken, all if none is. What an instance
// decided of a vocabulary (whether it is enabled) stays, and so do numbers and the
// ids of clusters. One that its keeper gave a lower version than it had is left as it is.
func (l *Library) Take(ctx context.Context, v access.Viewer, p *vocab.Published, sorts ...tocsin.VocabularySort) (Taken, error) {
	t := Taken{Refused: p.Refused}
	if !v.May(access.SiteAdmin) { // the store asks again; this is before the ids of clusters are read
		return t, tocsin.Errorf(tocsin.Forbidden, "your role does not let you change the reference data that everyone shares")
	}
	var items []*vocab.Item
	for _, i := range p.Items {
		if len(sorts) > 0 && !slices.Contains(sorts, i.Record.Sort) {
			continue
		}
		switch old := l.old(v, i); {
		case old == nil:
			t.New++
		case old.Digest == i.Record.Digest || old.Version > i.Record.Version:
			t.Same++
			continue
		default:
			t.Newer++
			var err error
			if i, err = l.renumbered(ctx, v, i, old); err != nil {
				return t, err
			}
		}
		items = append(items, i)
	}
	if len(items) == 0 {
		return t, nil
	}
	seq, err := l.DB.Apply(ctx, v, func(tx *store.Tx) error {
		for _, i := range items {
			if err := put(tx, *i.Record, i.Body); err != nil {
				return err
			}
		}
		return nil
	})
	t.Seq = seq
	return t, err
}

// old returns the vocabulary that is there in i's place, or nil.
func (l *Library) old(v access.Viewer, i *vocab.Item) *tocsin.Vocabulary {
	old, err := store.ByName[*tocsin.Vocabulary](l.DB.As(v), i.Record.RecordName())
	if err != nil {
		return nil
	}
	return old
}

// renumbered returns i whose clusters have the ids that they had.
func (l *Library) renumbered(ctx context.Context, v access.Viewer, i *vocab.Item, old *tocsin.Vocabulary) (*vocab.Item, error) {
	if i.Record.Sort != tocsin.Galaxies {
		return i, nil
	}
	before, err := l.DB.As(v).Library().Body(ctx, old)
	if err != nil {
		return nil, err
	}
	i = new(*i)
	return i, i.KeepIDs(before)
}

// put writes a vocabulary in the place of the one that is called so. r is the
// caller's own.
func put(tx *store.Tx, r tocsin.Vocabulary, body []byte) error {
	old, err := store.Named[*tocsin.Vocabulary](tx, r.RecordName())
	switch {
	case err == nil:
		r.ID, r.Number = old.ID, old.Number
		r.Enabled, r.Required, r.Highlighted = old.Enabled, old.Required, old.Highlighted
	case tocsin.CodeOf(err) != tocsin.NotFound:
		return err
	}
	return tx.PutVocabulary(&r, body)
}
