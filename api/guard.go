package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/store"
	"tocsin/vocab"
)

// Guards are the lists of what should not be blocked (package intake).
type Guards interface {
	// Hits returns the lists that guard a value, the strictest first.
	Hits(indicator.Value) []vocab.Hit
	Load(ctx context.Context, v access.Viewer, from string, r io.Reader, o intake.LoadOptions) (intake.Loaded, error)
	Reclass(ctx context.Context, v access.Viewer, name string, class tocsin.GuardClass) (*tocsin.GuardList, error)
	Remove(ctx context.Context, v access.Viewer, name string) error
	Entries(ctx context.Context, v access.Viewer, l *tocsin.GuardList) ([]string, error)
	// IsSwept reports whether all claims have been judged by the lists as they are.
	IsSwept() bool
	// Assets changes what an organisation says that it runs itself.
	Assets(ctx context.Context, v access.Viewer, org *tocsin.Organisation, add, remove []string) (*tocsin.GuardList, []string, error)
}

type guardShape struct {
	ID          int64             `json:"id"`
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Class       tocsin.GuardClass `json:"class"`
	Match       string            `json:"match"`
	Types       []string          `json:"types"`
	Version     int64             `json:"version"`
	Entries     int               `json:"entries"`
	Source      string            `json:"source"`
	Own         bool              `json:"own"`
	OrgName     string            `json:"org_name"`
	Changed     time.Time         `json:"changed"`
}

func guardOf(w store.View, l *tocsin.GuardList) guardShape {
	return guardShape{l.ID, l.Name, l.Title, l.Description, l.Class, l.Match, list(l.Types), l.Version, l.Entries, l.Source, l.Own, orgName(w, l.Org), l.Changed}
}

// guards lists the lists, and says how far all claims have been judged by them.
func (a *API) guards(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	view := a.db.As(v)
	s, err := view.GuardSweep(r.Context())
	if err != nil {
		return err
	}
	out := struct {
		Lists []guardShape `json:"lists"`
		Sweep struct {
			UpTo    int64 `json:"up_to"` // the attribute
			Changed int64 `json:"changed"`
			Done    bool  `json:"done"`
		} `json:"sweep"`
	}{Lists: []guardShape{}}
	out.Sweep.UpTo, out.Sweep.Changed, out.Sweep.Done = s.After, s.Changed, a.Guards.IsSwept()
	for l := range view.GuardLists() {
		out.Lists = append(out.Lists, guardOf(view, l))
	}
	return reply(w, http.StatusOK, out)
}

func (a *API) guard(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	view := a.db.As(v)
	l, err := find[*tocsin.GuardList](view, r.PathValue("name"))
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, guardOf(view, l))
}

// guardEntries writes what is on a list, one entry a line.
func (a *API) guardEntries(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	l, err := find[*tocsin.GuardList](a.db.As(v), r.PathValue("name"))
	if err != nil {
		return err
	}
	es, err := a.Guards.Entries(r.Context(), v, l)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for _, e := range es {
		if _, err := io.WriteString(w, e+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// loadGuard reads a list from the body. "from" is the file or address that it was
// read from, after which it is called. Whoever sends many lists says of all but
// the last that they may be asked "later".
func (a *API) loadGuard(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "from", "name", "class", "later"); err != nil {
		return err
	}
	q := r.URL.Query()
	o := intake.LoadOptions{Name: q.Get("name"), Later: flag(r, "later")}
	if text := q.Get("class"); text != "" {
		c, err := tocsin.ParseGuardClass(text)
		if err != nil {
			return err
		}
		o.Class = &c
	}
	from := q.Get("from")
	if from == "" {
		from = o.Name
	}
	l, err := a.Guards.Load(r.Context(), v, from, http.MaxBytesReader(w, r.Body, vocab.MaxOctets), o)
	if err != nil {
		return err
	}
	const shown = 20
	return reply(w, http.StatusOK, struct {
		guardShape
		LeftOut int         `json:"left_out"`
		Bad     []vocab.Bad `json:"bad"` // the first of them
	}{guardOf(a.db.As(v), l.List), len(l.Bad), list(l.Bad[:min(shown, len(l.Bad))])})
}

func (a *API) patchGuard(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	var in struct {
		Class *tocsin.GuardClass `json:"class"`
	}
	b, err := body(r)
	if err != nil {
		return err
	}
	if err := decode(b, &in); err != nil {
		return err
	}
	if in.Class == nil {
		return tocsin.Errorf(tocsin.Invalid, `say which class it is to have: {"class": "warn"}`)
	}
	l, err := find[*tocsin.GuardList](a.db.As(v), r.PathValue("name"))
	if err == nil {
		l, err = a.Guards.Reclass(r.Context(), v, l.Name, *in.Class)
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, guardOf(a.db.As(v), l))
}

func (a *API) removeGuard(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	l, err := find[*tocsin.GuardList](a.db.As(v), r.PathValue("name"))
	if err == nil {
		err = a.Guards.Remove(r.Context(), v, l.Name)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// checkGuards says which lists guard a value, claimed or not.
func (a *API) checkGuards(w http.ResponseWriter, r *http.Request, _ access.Viewer) error {
	if err := known(r, "value", "type"); err != nil {
		return err
	}
	q := r.URL.Query()
	v, err := indicator.Detect(q.Get("value"))
	if q.Has("type") {
		v, err = indicator.Parse(q.Get("type"), q.Get("value"))
	}
	if err != nil {
		return tocsin.Errorf(tocsin.Invalid, "%w", err)
	}
	type hit struct {
		List        string            `json:"list"`
		Class       tocsin.GuardClass `json:"class"`
		Entry       string            `json:"entry"`
		How         string            `json:"how"`
		Description string            `json:"description"`
	}
	out := struct {
		Value string `json:"value"`
		Type  string `json:"type"`
		Hits  []hit  `json:"hits"`
	}{v.String(), v.TypeName(), []hit{}}
	for _, h := range a.Guards.Hits(v) {
		out.Hits = append(out.Hits, hit{h.List.Name, h.Class, h.Entry, h.How.String(), h.List.Description})
	}
	return reply(w, http.StatusOK, out)
}

func (a *API) assets(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return a.changeAssets(w, r, v, nil, nil)
}

// patchAssets adds to and removes from what an organisation says that it runs:
// {"add": ["provider.example"], "remove": []}.
func (a *API) patchAssets(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	var in struct{ Add, Remove []string }
	b, err := body(r)
	if err != nil {
		return err
	}
	if err := decode(b, &in); err != nil {
		return err
	}
	return a.changeAssets(w, r, v, in.Add, in.Remove)
}

func (a *API) changeAssets(w http.ResponseWriter, r *http.Request, v access.Viewer, add, remove []string) error {
	org, err := find[*tocsin.Organisation](a.db.As(v), r.PathValue("name"))
	if err != nil {
		return err
	}
	l, es, err := a.Guards.Assets(r.Context(), v, org, add, remove)
	if err != nil {
		return err
	}
	out := struct {
		Org    string            `json:"org"`
		List   string            `json:"list"`
		Class  tocsin.GuardClass `json:"class"`
		Assets []string          `json:"assets"`
	}{Org: org.Name, Assets: list(es)}
	if l != nil {
		out.List, out.Class = l.Name, l.Class
	}
	return reply(w, http.StatusOK, out)
}

// override has a claim blocked although it is guarded, and upheld takes that
// back: {"attribute": 7, "reason": "…"}.
func (a *API) override(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return a.annotate(w, r, v, func(tx *store.Tx, id int64, reason string) (*tocsin.Attribute, error) { return tx.Override(id, reason) })
}

func (a *API) uphold(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return a.annotate(w, r, v, func(tx *store.Tx, id int64, _ string) (*tocsin.Attribute, error) { return tx.Uphold(id) })
}

func (a *API) annotate(w http.ResponseWriter, r *http.Request, v access.Viewer, write func(*store.Tx, int64, string) (*tocsin.Attribute, error)) error {
	var in struct {
		Attribute int64  `json:"attribute"`
		Reason    string `json:"reason"`
	}
	b, err := body(r)
	if err != nil {
		return err
	}
	if err := decode(b, &in); err != nil {
		return err
	}
	if in.Attribute == 0 {
		return tocsin.Errorf(tocsin.Invalid, `say which claim: {"attribute": 7, "reason": "…"}; a lookup tells its number`)
	}
	var at *tocsin.Attribute
	seq, err := a.db.Apply(r.Context(), v, func(tx *store.Tx) (err error) {
		at, err = write(tx, in.Attribute, in.Reason)
		return err
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, map[string]any{"attribute": at.ID, "value": at.Value.String(), "guard": at.Guard, "override": at.Override, "seq": seq})
}
