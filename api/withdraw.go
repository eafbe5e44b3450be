package api

import (
	"net/http"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// withdraw takes back one claim: {"attribute": 7}. The rest of its event stays as
// it is.
func (a *API) withdraw(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	var in struct {
		Attribute int64 `json:"attribute"`
	}
	b, err := body(r)
	if err != nil {
		return err
	}
	if err := decode(b, &in); err != nil {
		return err
	}
	if in.Attribute == 0 {
		return tocsin.Errorf(tocsin.Invalid, `say which claim: {"attribute": 7}; a lookup tells its number`)
	}
	seq, err := a.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		_, err := tx.Withdraw(in.Attribute)
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"attribute": in.Attribute, "seq": seq})
}
