package portal

import (
	"fmt"
	"net/http"
	"strconv"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/store"
)

// An action changes an event as a whole. It is asked first and says what will
// happen; then it is done.
type action struct {
	path, ask, button string
	grave             bool   // can't be undone
	done, to          string // the word for what was done; where to go, if not back to the event
	becomes           func(tocsin.Event) *tocsin.Event
	words             func(*tocsin.Event) string
	do                func(*store.Tx, int64) error
}

var actions = []action{
	{
		path: "publish", ask: "Publish this event?", button: "Publish", done: "published",
		becomes: func(e tocsin.Event) *tocsin.Event { e.Published = true; return &e },
		words: func(*tocsin.Event) string {
			return "What is in it leaves the exchange, as far as its distribution and its markings allow: by policy zones and block lists at once."
		},
		do: func(tx *store.Tx, id int64) error { _, err := tx.Publish(id, true); return err },
	},
	{
		path: "unpublish", ask: "Unpublish this event?", button: "Unpublish", done: "unpublished",
		becomes: func(e tocsin.Event) *tocsin.Event { e.Published = false; return &e },
		words: func(*tocsin.Event) string {
			return "It stays visible to those who see it now, and leaves policy zones and block lists at once. You can publish it again."
		},
		do: func(tx *store.Tx, id int64) error { _, err := tx.Publish(id, false); return err },
	},
	{
		path: "delete", ask: "Delete this event for good?", button: "Delete for good", grave: true, done: "deleted", to: "/portal/events",
		becomes: func(tocsin.Event) *tocsin.Event { return nil },
		words: func(e *tocsin.Event) string {
			return fmt.Sprintf("It is deleted with all %s in it, and can't be brought back: its UUID is refused from then on. To take it back for a while, unpublish it.", count(e.Attributes, "attribute"))
		},
		do: func(tx *store.Tx, id int64) error { return tx.DeleteEvent(id) },
	},
}

// A question is a page that says what will happen and has a button to do it.
type question struct {
	Ask, Words, About string
	Value             string // the claim that it is about
	Sentences         []string
	Path, Button      string
	Back              string
	Grave             bool
	Hidden            []field
	Edit              bool // there is a form to go back to
}

// A field is an input that the next page takes along.
type field struct{ Name, Value string }

func (p *Portal) askAction(a action) httpd.Handler {
	return func(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
		e, err := p.changeable(r, v)
		if err != nil {
			return err
		}
		is := p.version(e)
		is.event = a.becomes(*e)
		f, err := p.effect(r.Context(), v, p.version(e), is, 0)
		if err != nil {
			return err
		}
		return p.ask(w, r, v, question{Ask: a.ask, Words: a.words(e), About: e.Info, Sentences: f.Sentences(),
			Path: r.URL.Path, Button: a.button, Back: eventPath(e.ID), Grave: a.grave})
	}
}

func (p *Portal) doAction(a action) httpd.Handler {
	return func(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
		n, err := id(r)
		if err != nil {
			return err
		}
		if _, err := p.db.Apply(r.Context(), v, func(tx *store.Tx) error { return a.do(tx, n) }); err != nil {
			return err
		}
		to := a.to
		if to == "" {
			to = eventPath(n)
		}
		return see(w, r, to+"?done="+a.done)
	}
}

// changeable returns the event of a path, if asking makes sense for v.
func (p *Portal) changeable(r *http.Request, v access.Viewer) (*tocsin.Event, error) {
	n, err := id(r)
	if err != nil {
		return nil, err
	}
	e, err := p.as(v).Event(r.Context(), n)
	if err != nil {
		return nil, err
	}
	if !mayChange(v, e) {
		return nil, tocsin.Errorf(tocsin.Forbidden, "event %d may be changed by its owner's organisation only", n)
	}
	return e, nil
}

func (p *Portal) ask(w http.ResponseWriter, r *http.Request, v access.Viewer, q question) error {
	return p.show(w, r, v, http.StatusOK, "ask", frame{Title: q.Ask, Here: "/portal/events", Page: q})
}

func eventPath(id int64) string { return "/portal/events/" + strconv.FormatInt(id, 10) }

type distributionPage struct {
	ID    int64
	Title string
	choice
}

// A choice is how far something is to travel, and what can be chosen.
type choice struct {
	Distribution access.Distribution
	Group        int64
	Reaches      []reach
	Groups       []*tocsin.Group
}

func (p *Portal) choice(v access.Viewer, d access.Distribution, group int64) choice {
	return choice{d, group, reaches[:access.Group], p.groups(v)}
}

func (p *Portal) distributionForm(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	e, err := p.changeable(r, v)
	if err != nil {
		return err
	}
	return p.show(w, r, v, http.StatusOK, "distribution", frame{Title: "Change the distribution", Here: "/portal/events",
		Page: distributionPage{e.ID, e.Info, p.choice(v, e.Distribution, e.Group)}})
}

// distribution says what the chosen distribution does, and does it if asked to.
func (p *Portal) distribution(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	d, group, err := chosen(r)
	if err != nil {
		return err
	}
	e, err := p.changeable(r, v)
	if err != nil {
		return err
	}
	if r.PostFormValue("step") == "do" {
		_, err := p.db.Apply(r.Context(), v, func(tx *store.Tx) error {
			_, err := tx.EditEvent(e.ID, func(e *tocsin.Event) error {
				e.Distribution, e.Group, e.Timestamp = d, group, tx.Now().Unix()
				return nil
			})
			return err
		})
		if err != nil {
			return err
		}
		return see(w, r, eventPath(e.ID)+"?done=distribution")
	}
	was := p.version(e)
	is := version{e, access.NewLabel(e.Org, d, group, was.label.TLP, was.label.PAP)}
	f, err := p.effect(r.Context(), v, was, is, 0)
	if err != nil {
		return err
	}
	to := p.reachOf(v, d, group)
	return p.ask(w, r, v, question{Ask: "Change the distribution?", About: e.Info,
		Words:     fmt.Sprintf("From “%s” to “%s”.", plain(p.reachOf(v, e.Distribution, e.Group).Word), plain(to.Word)),
		Sentences: append([]string{p.readers(v, is.label)}, f.Sentences()...),
		Path:      r.URL.Path, Button: "Change it", Back: eventPath(e.ID) + "/distribution",
		Hidden: []field{{"step", "do"}, {"distribution", r.PostFormValue("distribution")}}})
}

// chosen reads a distribution as forms send it: 0 to 3, or 4 with a sharing
// group after a hyphen.
func chosen(r *http.Request) (d access.Distribution, group int64, err error) {
	s := r.PostFormValue("distribution")
	if g, ok := cutPrefix(s, "4-"); ok {
		return access.Group, g, nil
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || access.Distribution(n) >= access.Group {
		return 0, 0, tocsin.Errorf(tocsin.Invalid, "choose how far it may travel")
	}
	return access.Distribution(n), 0, nil
}

func cutPrefix(s, prefix string) (int64, bool) {
	if len(s) <= len(prefix) || s[:len(prefix)] != prefix {
		return 0, false
	}
	n, err := strconv.ParseInt(s[len(prefix):], 10, 64)
	return n, err == nil && n > 0
}

// withdrawable returns the attribute of a path with its event.
func (p *Portal) withdrawable(r *http.Request, v access.Viewer) (*tocsin.Attribute, *tocsin.Event, error) {
	n, err := id(r)
	if err != nil {
		return nil, nil, err
	}
	for a, err := range p.as(v).Attributes(r.Context(), store.Query{IDs: []int64{n}}) {
		if err != nil {
			return nil, nil, err
		}
		e, err := p.as(v).Event(r.Context(), a.Event)
		if err != nil {
			return nil, nil, err
		}
		if !mayChange(v, e) {
			return nil, nil, tocsin.Errorf(tocsin.Forbidden, "event %d may be changed by its owner's organisation only", e.ID)
		}
		return &a, e, nil
	}
	return nil, nil, tocsin.Errorf(tocsin.NotFound, "no attribute %d", n)
}

// staysPublished reports whether a published event is published again right
// after an addition, which unpublishes it as in MISP. Otherwise adding one name
// would have every resolver drop all of them.
func staysPublished(v access.Viewer, e *tocsin.Event) bool {
	return e.Published && v.May(access.Publish)
}

func (p *Portal) askWithdraw(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	a, e, err := p.withdrawable(r, v)
	if err != nil {
		return err
	}
	was := p.version(e)
	words := "It stays in the event, marked as withdrawn, so that peers learn of it. The rest of the event stays as it is."
	f, err := p.effect(r.Context(), v, was, version{nil, was.label}, a.ID)
	if err != nil {
		return err
	}
	return p.ask(w, r, v, question{Ask: "Withdraw this attribute?", About: e.Info, Value: defang(a.Value), Words: words,
		Sentences: f.Sentences(), Path: r.URL.Path, Button: "Withdraw", Back: eventPath(e.ID)})
}

func (p *Portal) withdraw(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	var event int64
	_, err = p.db.Apply(r.Context(), v, func(tx *store.Tx) error {
		a, err := tx.Withdraw(n)
		if err == nil {
			event = a.Event
		}
		return err
	})
	if err != nil {
		return err
	}
	return see(w, r, eventPath(event)+"?done=withdrawn")
}
