package api

import (
	"context"
	"iter"
	"net/http"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// A kind is a sort of small record R as the API shows it: as a W, which has no
// secrets, and whose settable fields are those of a request.
type kind[R tocsin.Record, W any] struct {
	db   *store.DB
	list func(store.View) iter.Seq[R]
	// ready does what takes time, before the write: all other writers wait for that.
	// It may be nil.
	ready func(in *W, fresh bool) error
	// show writes a record down for a reader.
	show func(store.View, R) W
	// set makes what a request says into a record: a new one where old is nil.
	// What it returns beside it is shown once and never again.
	set func(tx *store.Tx, old R, in *W) (R, once, error)
	// follower has to have taken a change in before it is answered: changes that are
	// much work for it then come one after the other. It may be "".
	follower string
	// then writes what belongs to a new record.
	then func(tx *store.Tx, r R) (once, error)
}

// once is what is shown in the answer to the request that made it, and kept
// nowhere: a password, a key.
type once map[string]any

// resource puts the six routes of a kind on s. Whether the viewer may is asked by
// the store, of what was there and of what is to be.
func resource[R tocsin.Record, W any](s *httpd.Server, name string, k kind[R, W]) {
	s.Handle("GET /api/"+name, k.index)
	s.Handle("POST /api/"+name, k.add)
	s.Handle("GET /api/"+name+"/{name}", k.get)
	s.Handle("PUT /api/"+name+"/{name}", k.put)
	s.Handle("PATCH /api/"+name+"/{name}", k.patch)
	s.Handle("DELETE /api/"+name+"/{name}", k.remove)
}

func (k kind[R, W]) index(w http.ResponseWriter, _ *http.Request, v access.Viewer) error {
	view := k.db.As(v)
	all := []W{}
	for r := range k.list(view) {
		all = append(all, k.show(view, r))
	}
	return reply(w, http.StatusOK, all)
}

func (k kind[R, W]) get(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	view := k.db.As(v)
	rec, err := find[R](view, r.PathValue("name"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, k.show(view, rec))
}

func (k kind[R, W]) add(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	b, err := body(r)
	if err != nil {
		return err
	}
	in := new(W)
	if err := k.read(b, in, true); err != nil {
		return err
	}
	var made R
	var shown once
	seq, err := k.db.Apply(r.Context(), v, func(tx *store.Tx) (err error) {
		var none R
		if made, shown, err = k.set(tx, none, in); err != nil {
			return err
		}
		if err = store.Put(tx, made); err != nil || k.then == nil {
			return err
		}
		more, err := k.then(tx, made)
		for name, v := range more {
			shown[name] = v
		}
		return err
	})
	if err != nil {
		return err
	}
	k.await(r.Context(), seq)
	return k.answer(w, http.StatusCreated, v, made.RecordID(), shown)
}

// put replaces all that can be set; patch only what is said.
func (k kind[R, W]) put(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return k.change(w, r, v, func(store.View, R) W { var empty W; return empty })
}

func (k kind[R, W]) patch(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return k.change(w, r, v, k.show)
}

func (k kind[R, W]) change(w http.ResponseWriter, r *http.Request, v access.Viewer, from func(store.View, R) W) error {
	b, err := body(r)
	if err != nil {
		return err
	}
	view := k.db.As(v)
	old, err := find[R](view, r.PathValue("name"))
	if err != nil {
		return err
	}
	in := from(view, old)
	if err := k.read(b, &in, false); err != nil {
		return err
	}
	var shown once
	seq, err := k.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		// Records are replaced, never changed, so the same one is the same still.
		if now, err := store.Get[R](tx, old.RecordID()); err != nil {
			return err
		} else if any(now) != any(old) {
			return tocsin.Errorf(tocsin.Conflict, "someone else changed it at the same time; look at it and try again")
		}
		changed, once, err := k.set(tx, old, &in)
		if err != nil {
			return err
		}
		shown = once
		return store.Put(tx, changed)
	})
	if err != nil {
		return err
	}
	k.await(r.Context(), seq)
	return k.answer(w, http.StatusOK, v, old.RecordID(), shown)
}

func (k kind[R, W]) read(b []byte, in *W, fresh bool) error {
	if err := decode(b, in); err != nil || k.ready == nil {
		return err
	}
	return k.ready(in, fresh)
}

func (k kind[R, W]) remove(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	found, err := find[R](k.db.As(v), r.PathValue("name"))
	if err != nil {
		return err
	}
	_, err = k.db.Apply(r.Context(), v, func(tx *store.Tx) error { return store.Remove[R](tx, found.RecordID()) })
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// await waits for a change to be taken in, but not for ever: it is made anyway.
func (k kind[R, W]) await(ctx context.Context, seq tocsin.Seq) {
	if _, ok := k.db.Places()[k.follower]; !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	k.db.Await(ctx, k.follower, seq)
}

// answer shows the record as it is now, with what is shown once.
func (k kind[R, W]) answer(w http.ResponseWriter, status int, v access.Viewer, id int64, shown once) error {
	view := k.db.As(v)
	rec, err := store.One[R](view, id)
	if err != nil {
		return err
	}
	out, err := merge(k.show(view, rec), shown)
	if err != nil {
		return err
	}
	return reply(w, status, out)
}
