package intake

import (
	"context"
	"errors"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A writing is one transaction that takes drafts in.
type writing struct {
	ctx      context.Context
	d        *Desk
	tx       *store.Tx
	tags     tagger
	keep     store.KeepPublished
	listed   bool       // they are of a list: what was withdrawn stays so
	revive   bool       // unless this is said
	exact    bool       // times are as they were said
	all      []TagDraft // what every attribute is tagged with, beside its own tags
	res      *Result
	tries    int
	renewing *reader // what is there already is renewed
}

func (d *Desk) writing(ctx context.Context, tx *store.Tx, res *Result) *writing {
	return &writing{ctx: ctx, d: d, tx: tx, tags: tagger{tx: tx}, res: res}
}

// time is when a record that was changed at one time is said to be changed: now, or
// as whoever speaks for another instance says.
func (w *writing) time(was, said int64) int64 {
	if w.exact && said != 0 {
		return said
	}
	return max(was, w.tx.Now().Unix(), said)
}

// attributes adds what was read to an event, and to one of its objects if
// object is not 0.
func (w *writing) attributes(event, object int64, r reading) error {
	w.res.Refused = append(w.res.Refused, r.refused...)
	as, from, err := w.tagged(r)
	if err != nil {
		return err
	}
	if object != 0 {
		for i := range as {
			as[i].Object = object
		}
	}
	return w.add(event, as, from)
}

// tagged returns what was read with its tags, without what can't have them.
func (w *writing) tagged(r reading) ([]tocsin.Attribute, []*Draft, error) {
	as, from := r.sound[:0], r.from[:0]
	for i, d := range r.from {
		a := r.sound[i]
		if len(d.Tags)+len(w.all) > 0 {
			set, err := w.tags.set(slices.Concat(d.Tags, w.all))
			if err != nil {
				if err := w.refused(d.Line, "Tag", d.Text, err); err != nil {
					return nil, nil, err
				}
				continue
			}
			a.Tags = set
		}
		as, from = append(as, a), append(from, d)
	}
	return as, from, nil
}

// refused makes an error that a person can act on a refusal, and returns others.
func (w *writing) refused(line int, field, text string, err error) error {
	if tocsin.CodeOf(err) == tocsin.Internal {
		return err
	}
	w.res.Refused = append(w.res.Refused, *refuse(line, field, text, err.Error()))
	return nil
}

// maxTries is how often a transaction looks for single uuids that are taken.
const maxTries = 1000

// add adds attributes to an event. The store refuses all of them if the uuid of
// one is taken. Then those of attributes that are there are refused at once; for
// what is left, such as uuids of the deleted, the rest is halved until found.
func (w *writing) add(event int64, as []tocsin.Attribute, from []*Draft) error {
	if len(as) == 0 {
		return nil
	}
	added, err := w.store(event, as)
	var taken *store.TakenError
	switch {
	case errors.As(err, &taken):
		w.tries++
		if w.tries == 1 {
			if as, from, err = w.free(event, as, from); err != nil {
				return err
			}
			return w.add(event, as, from)
		}
		if w.tries > maxTries {
			return tocsin.Errorf(tocsin.Conflict, "more than %d of the uuids are taken; leave uuids out to get new ones: %w", maxTries, err)
		}
		if len(as) == 1 {
			return w.refused(from[0].Line, "uuid", taken.UUID.String(), err)
		}
		half := len(as) / 2
		if err := w.add(event, as[:half], from[:half]); err != nil {
			return err
		}
		return w.add(event, as[half:], from[half:])
	case err != nil:
		return err
	}
	for _, i := range added.Duplicates {
		if w.renewing == nil {
			w.res.Duplicates = append(w.res.Duplicates, from[i].Line)
		} else if err := w.renewed(event, from[i]); err != nil {
			return err
		}
	}
	w.res.Withdrawn += len(added.Withdrawn)
	w.res.Revived += added.Revived
	if err := w.attachments(added, from); err != nil {
		return err
	}
	if w.res.Attributes == nil {
		w.res.Attributes = added.Added
	} else {
		w.res.Attributes = append(w.res.Attributes, added.Added...)
	}
	return nil
}

func (w *writing) store(event int64, as []tocsin.Attribute) (store.Addition, error) {
	if w.listed {
		return w.tx.ImportAttributes(event, as, w.keep, w.revive)
	}
	return w.tx.AddAttributes(event, as, w.keep)
}

// free refuses those of as whose uuids other attributes have.
func (w *writing) free(event int64, as []tocsin.Attribute, from []*Draft) ([]tocsin.Attribute, []*Draft, error) {
	holder := map[tocsin.UUID]tocsin.Attribute{}
	// Nobody is shown what is read here: a uuid is taken whoever may see it.
	view := w.d.DB.As(access.System("which uuids are taken"))
	for chunk := range slices.Chunk(as, 10_000) {
		us := make([]tocsin.UUID, 0, len(chunk))
		for i := range chunk {
			if !chunk[i].UUID.IsZero() {
				us = append(us, chunk[i].UUID)
			}
		}
		for a, err := range view.Attributes(w.ctx, store.Query{UUIDs: us, Deleted: store.Any}) {
			if err != nil {
				return nil, nil, err
			}
			holder[a.UUID] = a
		}
	}
	free, drafts := as[:0], from[:0]
	for i, a := range as {
		h, taken := holder[a.UUID]
		if taken && !(h.Event == event && h.Object == a.Object && h.Category == a.Category && h.Value == a.Value && !h.Deleted) {
			no := &store.TakenError{Index: i, UUID: a.UUID}
			w.res.Refused = append(w.res.Refused, *refuse(from[i].Line, "uuid", a.UUID.String(), no.Error()))
			continue
		}
		free, drafts = append(free, a), append(drafts, from[i])
	}
	return free, drafts, nil
}
