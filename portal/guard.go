package portal

import (
	"fmt"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A shownGuard is what guards an indicator, as pages show it.
type shownGuard struct {
	Class, List, Entry string
	Blocks             bool   // it is kept out of zones and lists
	Reason, By         string // why and by whom it is blocked all the same
	MayOverride        bool
	MayUphold          bool
}

// guardOf is what guards attribute a of event e, nil for nothing.
func (p *Portal) guardOf(v access.Viewer, a *tocsin.Attribute, e *tocsin.Event) *shownGuard {
	if a.Guard == "" {
		return nil
	}
	class := a.Guard.Class()
	g := &shownGuard{Class: class.String(), List: a.Guard.List(), Entry: a.Guard.Entry(), Blocks: a.Guarded(), Reason: a.Override}
	if u, err := store.One[*tocsin.User](p.as(v), a.OverriddenBy); err == nil {
		g.By = u.Email
	}
	may := mayChange(v, e) && !a.Deleted
	g.MayUphold = may && a.Override != ""
	g.MayOverride = may && a.Guarded() && v.May(access.Publish) && (class < tocsin.Deny || v.May(access.OrgAdmin))
	return g
}

// An overridePage asks why something should be blocked although it is guarded.
type overridePage struct {
	ID, Event        int64
	Title, Value     string
	Guard            *shownGuard
	Description      string // what the list is about
	Sentences        []string
	Reason, Mistaken string
}

// overridable returns the attribute of a path with its event and what guards it.
func (p *Portal) overridable(r *http.Request, v access.Viewer) (*tocsin.Attribute, *tocsin.Event, *shownGuard, error) {
	a, e, err := p.withdrawable(r, v)
	if err != nil {
		return nil, nil, nil, err
	}
	g := p.guardOf(v, a, e)
	if g == nil || g.Class == tocsin.Inform.String() {
		return nil, nil, nil, tocsin.Errorf(tocsin.Conflict, "nothing keeps attribute %d from being blocked", a.ID)
	}
	return a, e, g, nil
}

func (p *Portal) askOverride(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return p.overrideForm(w, r, v, http.StatusOK, "")
}

func (p *Portal) overrideForm(w http.ResponseWriter, r *http.Request, v access.Viewer, status int, mistaken string) error {
	a, e, g, err := p.overridable(r, v)
	if err != nil {
		return err
	}
	if !g.MayOverride {
		return tocsin.Errorf(tocsin.Forbidden, "what the list %s guards takes %s of its owner's organisation", g.List, map[string]string{
			"deny": "an administrator", "warn": "a publisher"}[g.Class])
	}
	pg := overridePage{ID: a.ID, Event: e.ID, Title: e.Info, Value: defang(a.Value), Guard: g, Reason: r.PostFormValue("reason"), Mistaken: mistaken}
	if l, err := store.ByName[*tocsin.GuardList](p.as(v), g.List); err == nil {
		pg.Description = l.Description
	}
	pg.Sentences = p.foreseeOverride(r, v, a, e)
	return p.show(w, r, v, status, "override", frame{Title: "Block it all the same", Here: "/portal/events", Page: pg})
}

// foreseeOverride says who will block what is overridden.
func (p *Portal) foreseeOverride(r *http.Request, v access.Viewer, a *tocsin.Attribute, e *tocsin.Event) []string {
	if p.Collections == nil {
		return nil
	}
	is := *a
	is.Override = "a reason"
	n := 0
	for _, au := range p.audiences(v) {
		if p.gets(r.Context(), au, &is, p.version(e)) {
			n++
		}
	}
	if n == 0 {
		return []string{"No subscriber that you can see is concerned."}
	}
	return []string{fmt.Sprintf("%s will block it.", count(n, "subscriber"))}
}

func (p *Portal) override(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	if strings.TrimSpace(r.PostFormValue("reason")) == "" {
		return p.overrideForm(w, r, v, http.StatusBadRequest, "Say why: others will read it, and wonder.")
	}
	return p.annotate(w, r, v, "overridden", func(tx *store.Tx, id int64) (*tocsin.Attribute, error) {
		return tx.Override(id, r.PostFormValue("reason"))
	})
}

func (p *Portal) askUphold(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	a, e, g, err := p.overridable(r, v)
	if err != nil {
		return err
	}
	if !g.MayUphold {
		return tocsin.Errorf(tocsin.Conflict, "attribute %d is not overridden", a.ID)
	}
	return p.ask(w, r, v, question{Ask: "Stop blocking it?", About: e.Info, Value: defang(a.Value),
		Words: fmt.Sprintf("The list %s guards it. It is blocked because of “%s”. Without that it leaves policy zones and block lists at once.", g.List, plain(brief(300, g.Reason))),
		Path:  r.URL.Path, Button: "Stop blocking it", Back: eventPath(e.ID)})
}

func (p *Portal) uphold(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	return p.annotate(w, r, v, "upheld", func(tx *store.Tx, id int64) (*tocsin.Attribute, error) { return tx.Uphold(id) })
}

func (p *Portal) annotate(w http.ResponseWriter, r *http.Request, v access.Viewer, done string, write func(*store.Tx, int64) (*tocsin.Attribute, error)) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	var event int64
	_, err = p.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		a, err := write(tx, n)
		if err == nil {
			event = a.Event
		}
		return err
	})
	if err != nil {
		return err
	}
	return see(w, r, eventPath(event)+"?done="+done)
}
