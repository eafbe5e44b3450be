package store

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"tocsin"
	"tocsin/access"
)

// remarks is a query of remarks together with its viewer.
func remarks(k tocsin.Kind, db *DB, v access.Viewer, docs shelfView, q RemarkQuery) Scoped[RemarkQuery] {
	if k == tocsin.KindSighting && q.Orgs != nil && anonymous(v, docs) {
		// Who may not be told whose a sighting is must not find out by asking for them.
		q.Orgs = slices.DeleteFunc(slices.Clone(q.Orgs), func(org int64) bool { return org != v.Org() })
	}
	s := scope(View{db, v}, q)
	s.witness = witness(v, docs)
	return s
}

// anonymous reports whether v is not told whose the sightings of others are.
func anonymous(v access.Viewer, docs shelfView) bool {
	return !v.Administers() && setting(docs, tocsin.SightingAnonymous) == "true"
}

// said iterates over the remarks of R's kind that w's viewer may have and q asks for,
// all of one state of the store.
func said[R tocsin.Remark](ctx context.Context, w View, q RemarkQuery) iter.Seq2[R, error] {
	var zero R
	return read(ctx, w, func(r Reader) iter.Seq2[R, error] {
		return func(yield func(R, error) bool) {
			for b, err := range r.Remarks(ctx, zero.Kind(), remarks(zero.Kind(), w.db, w.v, w.db.dir, q)) {
				if err != nil {
					yield(zero, err)
					return
				}
				r, err := remark(zero.Kind(), b)
				if err != nil {
					yield(zero, fmt.Errorf("read a %s: %w", zero.Kind(), err))
					return
				}
				redact(w.db, w.v, w.db.dir, r)
				if !yield(r.(R), nil) {
					return
				}
			}
		}
	})
}

// References iterates over the visible references that match q. One whose object or
// other end the viewer may not see is not visible.
func (w View) References(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Reference, error] {
	return said[*tocsin.Reference](ctx, w, q)
}

// Sightings iterates over the visible sightings that match q. Whose they are may not
// be told: see [tocsin.SightingAnonymous].
func (w View) Sightings(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Sighting, error] {
	return said[*tocsin.Sighting](ctx, w, q)
}

// Proposals iterates over the visible proposals that match q.
func (w View) Proposals(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Proposal, error] {
	return said[*tocsin.Proposal](ctx, w, q)
}

// Reports iterates over the visible reports that match q.
func (w View) Reports(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Report, error] {
	return said[*tocsin.Report](ctx, w, q)
}

// Notes iterates over the visible notes that match q.
func (w View) Notes(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Note, error] {
	return said[*tocsin.Note](ctx, w, q)
}

// Opinions iterates over the visible opinions that match q.
func (w View) Opinions(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Opinion, error] {
	return said[*tocsin.Opinion](ctx, w, q)
}

// Relationships iterates over the visible relationships that match q.
func (w View) Relationships(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Relationship, error] {
	return said[*tocsin.Relationship](ctx, w, q)
}

// Clusters iterates over the visible clusters that match q, each with those of its
// relations that the viewer may have.
func (w View) Clusters(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Cluster, error] {
	return said[*tocsin.Cluster](ctx, w, q)
}

// Attachments iterates over the visible attachments that match q.
func (w View) Attachments(ctx context.Context, q RemarkQuery) iter.Seq2[*tocsin.Attachment, error] {
	return said[*tocsin.Attachment](ctx, w, q)
}

// CountRemarks answers how many remarks of a kind match q, leaving its limit aside.
func (w View) CountRemarks(ctx context.Context, k tocsin.Kind, q RemarkQuery) (n int64, err error) {
	err = w.db.read(ctx, func(r Reader) (err error) {
		n, err = r.CountRemarks(ctx, k, remarks(k, w.db, w.v, w.db.dir, q))
		return err
	})
	return n, err
}

// Sighted returns, of those events of which a peer brought sightings that the viewer
// may know of, when the last of them came.
func (w View) Sighted(ctx context.Context, events []int64) (map[int64]int64, error) {
	at := map[int64]int64{}
	rows := read(ctx, w, func(r Reader) iter.Seq2[Last, error] {
		return r.LastRemarks(ctx, tocsin.KindSighting, remarks(tocsin.KindSighting, w.db, w.v, w.db.dir, RemarkQuery{Events: events, To: tocsin.KindEvent}))
	})
	for l, err := range rows {
		if err != nil {
			return nil, err
		}
		at[l.Event] = l.Timestamp
	}
	return at, nil
}

// OneRemark returns the first remark that a read finds: the one with an id or uuid.
func OneRemark[R tocsin.Remark](rows iter.Seq2[R, error]) (R, error) {
	var zero R
	for r, err := range rows {
		return r, err
	}
	return zero, tocsin.Errorf(tocsin.NotFound, "no such %s", zero.Kind())
}

// redact takes out of a remark what the viewer may not have of it.
func redact(db *DB, v access.Viewer, docs shelfView, r tocsin.Remark) {
	h := r.Remarked()
	switch r := r.(type) {
	case *tocsin.Sighting:
		if h.Orgc != v.Org() && anonymous(v, docs) {
			h.Org, h.Orgc, h.User, r.Source = 0, 0, 0, ""
		}
	case *tocsin.Cluster:
		var seen []tocsin.ClusterRelation
		for _, rel := range r.Relations {
			if v.Sees(access.NewLabel(h.Org, rel.Distribution, rel.Group, 0, 0)) {
				seen = append(seen, rel)
			}
		}
		r.Relations = seen
	}
}

// Attached reports whether an attribute that w's viewer sees, withdrawn or not, holds
// the content of that sum.
func Attached(ctx context.Context, w View, sha256 string) (bool, error) {
	for a, err := range w.Attachments(ctx, RemarkQuery{Keys: []uint64{KeyOfSum(sha256)}, Deleted: Any}) {
		if err != nil {
			return false, err
		}
		if a.SHA256 == sha256 {
			return true, nil
		}
	}
	return false, nil
}
