package api

import (
	"strings"

	"tocsin"
	"tocsin/store"
)

// A lifetime is for how long claims hold; see [tocsin.Lifetime].
type lifetime struct {
	ID       int64    `json:"id"`        // read only
	OrgNames []string `json:"org_names"` // read only

	Name  string   `json:"name"`
	Types []string `json:"types"`
	Orgs  []ref    `json:"orgs"`
	Days  int64    `json:"days"`
}

func (a *API) lifetimes() kind[*tocsin.Lifetime, lifetime] {
	return kind[*tocsin.Lifetime, lifetime]{
		db: a.db, list: store.View.Lifetimes,
		show: func(w store.View, l *tocsin.Lifetime) lifetime {
			refs, names := orgsOf(w, l.Orgs)
			return lifetime{ID: l.ID, OrgNames: names, Name: l.Name, Types: list(l.Types), Orgs: refs, Days: l.Days}
		},
		set: func(tx *store.Tx, old *tocsin.Lifetime, in *lifetime) (*tocsin.Lifetime, once, error) {
			orgs, err := settleAll(tx, in.Orgs)
			l := &tocsin.Lifetime{Name: strings.TrimSpace(in.Name), Types: in.Types, Orgs: orgs, Days: in.Days, Created: tx.Now()}
			if old != nil {
				l.ID, l.Created = old.ID, old.Created
			}
			return l, once{}, err
		},
	}
}

// A retention is for how long events are kept; see [tocsin.Retention].
type retention struct {
	ID       int64    `json:"id"`        // read only
	OrgNames []string `json:"org_names"` // read only

	Name string `json:"name"`
	Orgs []ref  `json:"orgs"`
	Days int64  `json:"days"`
}

func (a *API) retentions() kind[*tocsin.Retention, retention] {
	return kind[*tocsin.Retention, retention]{
		db: a.db, list: store.View.Retentions,
		show: func(w store.View, r *tocsin.Retention) retention {
			refs, names := orgsOf(w, r.Orgs)
			return retention{ID: r.ID, OrgNames: names, Name: r.Name, Orgs: refs, Days: r.Days}
		},
		set: func(tx *store.Tx, old *tocsin.Retention, in *retention) (*tocsin.Retention, once, error) {
			orgs, err := settleAll(tx, in.Orgs)
			r := &tocsin.Retention{Name: strings.TrimSpace(in.Name), Orgs: orgs, Days: in.Days, Created: tx.Now()}
			if old != nil {
				r.ID, r.Created = old.ID, old.Created
			}
			return r, once{}, err
		},
	}
}

func orgsOf(w store.View, ids []int64) (refs []ref, names []string) {
	refs, names = []ref{}, []string{}
	for _, id := range ids {
		refs, names = append(refs, ref{id: id}), append(names, orgName(w, id))
	}
	return refs, names
}

func settleAll(tx *store.Tx, refs []ref) (ids []int64, err error) {
	for _, r := range refs {
		id, err := settle[*tocsin.Organisation](tx, r)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
