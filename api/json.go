package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// reply writes v as JSON.
func reply(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(b, '\n'))
	return err
}

// decode reads JSON over v and refuses members that v has not: a name that is
// misspelt would else be settled by silence.
func decode(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil && len(bytes.TrimSpace(b[d.InputOffset():])) > 0 {
		return tocsin.Errorf(tocsin.Invalid, "there is something after the JSON object")
	}
	return unreadable(err)
}

// unreadable says in the sender's words why JSON was not taken.
func unreadable(err error) error {
	if err == nil || tocsin.CodeOf(err) != tocsin.Internal {
		return err
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return tocsin.Errorf(tocsin.Invalid, "%q can't be a %s", e.Field, e.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return tocsin.Errorf(tocsin.Invalid, "there is no field %s", name)
	}
	if errors.Is(err, io.EOF) {
		return tocsin.Errorf(tocsin.Invalid, "the request has no JSON in it")
	}
	return tocsin.Errorf(tocsin.Invalid, "the request is not JSON as expected: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// readAll reads a request's body.
func readAll(r *http.Request) (*bytes.Reader, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	return bytes.NewReader(b), nil
}

func body(r *http.Request) ([]byte, error) {
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	return b, nil
}

func noPath(r *http.Request) error {
	return tocsin.Errorf(tocsin.NotFound, "there is nothing for %s at %s", r.Method, r.URL.Path)
}

// flag reads a switch of the query: ?publish=1, or ?publish alone.
func flag(r *http.Request, name string) bool {
	q := r.URL.Query()
	on, err := strconv.ParseBool(q.Get(name))
	return q.Has(name) && (q.Get(name) == "" || err == nil && on)
}

// known refuses parameters of the query that do nothing.
func known(r *http.Request, names ...string) error {
	for name := range r.URL.Query() {
		found := false
		for _, n := range names {
			found = found || n == name
		}
		if !found {
			return tocsin.Errorf(tocsin.Invalid, "there is no parameter %q; try one of %v", name, names)
		}
	}
	return nil
}

// A ref points at a small record: by id, as a number, or by name.
type ref struct {
	id   int64
	name string
}

func (f ref) MarshalJSON() ([]byte, error) { return strconv.AppendInt(nil, f.id, 10), nil }

func (f *ref) UnmarshalJSON(b []byte) error {
	*f = ref{}
	if b[0] == '"' {
		return json.Unmarshal(b, &f.name)
	}
	if err := json.Unmarshal(b, &f.id); err != nil {
		return tocsin.Errorf(tocsin.Invalid, "%s is neither an id nor a name", b)
	}
	return nil
}

// find returns a small record by id or by name as the viewer of w sees it.
func find[R tocsin.Record](w store.View, name string) (R, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		if r, err := store.One[R](w, id); err == nil {
			return r, nil
		}
	}
	if u, err := tocsin.ParseUUID(name); err == nil {
		if r, err := store.ByUUID[R](w, u); err == nil {
			return r, nil
		}
	}
	return store.ByName[R](w, name)
}

// settle returns the id that f points at, as the writer sees it. Nothing said is 0.
func settle[R tocsin.Record](tx *store.Tx, f ref) (int64, error) {
	switch {
	case f.name != "":
		r, err := store.Named[R](tx, f.name)
		if err != nil {
			return 0, err
		}
		return r.RecordID(), nil
	case f.id != 0:
		_, err := store.Get[R](tx, f.id)
		return f.id, err
	}
	return 0, nil
}

// own is the viewer's organisation where a record doesn't say whose it is.
func own(id int64, v access.Viewer) int64 {
	if id == 0 {
		return v.Org()
	}
	return id
}
