package api

import (
	"net/http"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// why says of each claim on a value whether it reaches someone (a subscriber, an
// organisation, or a user), by which way, and why or why not. Whoever asks is
// told only of claims that they see themselves.
func (a *API) why(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "value", "for"); err != nil {
		return err
	}
	value, err := indicator.Detect(r.URL.Query().Get("value"))
	if err != nil {
		return tocsin.Errorf(tocsin.Invalid, "%w", err)
	}
	view := a.db.As(v)
	to, err := a.recipient(view, r.URL.Query().Get("for"))
	if err != nil {
		return err
	}
	answer := whyShape{Value: value.String(), Key: value.Keys()[0], For: to.name, Claims: []whyClaim{}}
	for row, err := range a.rows(r.Context(), view, store.Query{Keys: []indicator.Key{answer.Key}, Limit: maxClaims}) {
		if err != nil {
			return err
		}
		answer.Claims = append(answer.Claims, a.explain(r, to, row))
	}
	return reply(w, http.StatusOK, answer)
}

type whyShape struct {
	Value  string        `json:"value"`
	Key    indicator.Key `json:"key"`
	For    string        `json:"for"`
	Claims []whyClaim    `json:"claims"`
}

type whyClaim struct {
	Attribute int64       `json:"attribute"`
	Event     int64       `json:"event"`
	EventUUID tocsin.UUID `json:"event_uuid"`
	Type      string      `json:"type"`
	Org       string      `json:"org"`
	ToIDS     bool        `json:"to_ids"`
	Published bool        `json:"published"`
	TLP       string      `json:"tlp"`
	Ways      []way       `json:"ways"`
}

// A way is one by which a claim could reach someone.
type way struct {
	Exit       string `json:"exit"`
	Collection string `json:"collection,omitempty"`
	Allowed    bool   `json:"allowed"`
	Reason     string `json:"reason"`
}

// A recipient is whom it is asked about, with the collections that it receives.
type recipient struct {
	name        string
	viewer      access.Viewer
	collections []*tocsin.Collection
	subscriber  *tocsin.Subscriber // nil: an organisation or a user
}

// excludes turns a decision down where a subscriber does not want what it would
// receive.
func (r recipient) excludes(v indicator.Value, d access.Decision) access.Decision {
	if r.subscriber == nil || !d.Allowed {
		return d
	}
	if by, ok := r.subscriber.Excludes(v); ok {
		return access.Decision{Reason: "excluded by this subscriber, which does not act on " + by}
	}
	return d
}

// recipient finds a subscriber, an organisation or a user whom the asker knows.
func (a *API) recipient(view store.View, name string) (recipient, error) {
	if name == "" {
		return recipient{}, tocsin.Errorf(tocsin.Invalid, `say for whom: "for" is a subscriber, an organisation or an e-mail address`)
	}
	if s, err := store.ByName[*tocsin.Subscriber](view, name); err == nil {
		to := recipient{name: s.Name, viewer: a.organisation(s.Name, s.Org), subscriber: s}
		for _, id := range s.Collections() {
			c, err := store.One[*tocsin.Collection](view, id)
			if err != nil {
				return recipient{}, err
			}
			to.collections = append(to.collections, c)
		}
		return to, nil
	}
	if o, err := store.ByName[*tocsin.Organisation](view, name); err == nil {
		return recipient{o.Name, a.organisation(o.Name, o.ID), a.received(view, o.ID), nil}, nil
	}
	if u, err := store.ByName[*tocsin.User](view, name); err == nil {
		return recipient{u.Email, a.db.ViewerFor(u), a.received(view, u.Org), nil}, nil
	}
	return recipient{}, tocsin.Errorf(tocsin.NotFound, "no subscriber, organisation or user %q", name)
}

func (a *API) organisation(name string, org int64) access.Viewer {
	return access.Organisation(name, org, a.db.GroupsOf(org)...)
}

// received returns the collections that an organisation subscribes to, of those
// that the asker knows.
func (a *API) received(view store.View, org int64) (cs []*tocsin.Collection) {
	seen := map[int64]bool{}
	for s := range view.Subscribers() {
		for _, id := range s.Collections() {
			if s.Org != org || seen[id] {
				continue
			}
			seen[id] = true
			if c, err := store.One[*tocsin.Collection](view, id); err == nil {
				cs = append(cs, c)
			}
		}
	}
	return cs
}

// outward are the ways on which no collection has a say.
var outward = []access.Exit{access.Read, access.Feed, access.Push, access.Mail, access.Public}

func (a *API) explain(r *http.Request, to recipient, row Row) whyClaim {
	at, e := row.Attribute, row.Event
	rec := access.Record{Label: a.label(at, e), Published: e.Published}
	c := whyClaim{at.ID, e.ID, e.UUID, at.Value.TypeName(), row.Org, at.ToIDS, e.Published, row.TLP.String(), nil}
	for _, x := range outward {
		d := access.Decide(to.viewer, x, rec)
		c.Ways = append(c.Ways, way{x.String(), "", d.Allowed, d.Reason})
	}
	for _, x := range []access.Exit{access.Zone, access.List} {
		if len(to.collections) == 0 {
			d := access.Decide(to.viewer, x, rec)
			if d.Allowed {
				d = access.Decision{Reason: "it might, but no collection is subscribed to"}
			}
			c.Ways = append(c.Ways, way{x.String(), "", d.Allowed, d.Reason})
		}
		for _, col := range to.collections {
			owner := access.Organisation("collection's owner", col.Org, a.db.GroupsOf(col.Org)...)
			d := access.Decide(to.viewer.Through(owner), x, rec)
			if d.Allowed {
				d = to.excludes(at.Value, a.taken(r, col, at, e, d))
			}
			c.Ways = append(c.Ways, way{x.String(), col.Name, d.Allowed, d.Reason})
		}
	}
	return c
}

// taken answers for a claim that may leave whether the collection takes it.
func (a *API) taken(r *http.Request, c *tocsin.Collection, at *tocsin.Attribute, e *tocsin.Event, may access.Decision) access.Decision {
	if a.Takes == nil {
		return may
	}
	d := a.Takes(r.Context(), c, at, e)
	if d.Allowed {
		d.Reason = may.Reason + "; " + d.Reason
	}
	return d
}
