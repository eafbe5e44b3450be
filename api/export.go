package api

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// export streams the claims that the viewer may read and that match the query.
// If it breaks off, the connection does: half an export never looks whole.
func (a *API) export(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "format", "type", "tag", "event", "org", "to_ids", "published", "guarded"); err != nil {
		return err
	}
	format := r.URL.Query().Get("format")
	if format == "" {
		format = "json"
	}
	out, err := a.Writer(format)
	if err != nil {
		return err
	}
	view := a.db.As(v)
	q, err := a.query(r, view)
	if err != nil {
		return err
	}
	if q.Guarded == nil && slices.Contains(blocking, format) {
		q.Guarded = new(false)
	}
	w.Header().Set("Content-Type", out.Media())
	q.Parts = out.Parts()
	return out.Write(w, a.rows(r.Context(), view, q))
}

// blocking are the formats that something acts on as it stands. They leave out
// what is guarded, unless it is asked for.
var blocking = []string{"adblock", "dnsmasq", "edl-domain", "edl-ip", "edl-url", "hosts", "nftables", "rpz", "unbound"}

// query reads a query off the parameters. Those named several times, or with
// commas, mean any of these.
func (a *API) query(r *http.Request, view store.View) (q store.Query, err error) {
	for _, name := range several(r, "type") {
		t, ok := indicator.TypeByName(name)
		if !ok {
			return q, tocsin.Errorf(tocsin.Invalid, "no indicator type %q", name)
		}
		q.Types = append(q.Types, t.ID)
	}
	for _, name := range several(r, "event") {
		e, err := a.event(r.Context(), view, name)
		if err != nil {
			return q, err
		}
		q.Events = append(q.Events, e.ID)
	}
	for _, name := range r.URL.Query()["org"] {
		o, err := find[*tocsin.Organisation](view, name)
		if err != nil {
			return q, err
		}
		q.Orgs = append(q.Orgs, o.ID)
	}
	if q.Tags, err = a.tagged(r, view); err != nil {
		return q, err
	}
	if q.ToIDS, err = yesNo(r, "to_ids"); err != nil {
		return q, err
	}
	if q.Guarded, err = yesNo(r, "guarded"); err != nil {
		return q, err
	}
	q.Published, err = yesNo(r, "published")
	return q, err
}

// event returns an event by id or uuid.
func (a *API) event(ctx context.Context, view store.View, name string) (*tocsin.Event, error) {
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		return view.Event(ctx, id)
	}
	u, err := tocsin.ParseUUID(name)
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "%q is neither an event's id nor its uuid", name)
	}
	return view.EventByUUID(ctx, u)
}

// tagged returns the sets of tags that hold one of those asked for: nil if no
// tag was asked for, empty if nothing carries it.
func (a *API) tagged(r *http.Request, view store.View) ([]tocsin.TagSet, error) {
	names := r.URL.Query()["tag"]
	if len(names) == 0 {
		return nil, nil
	}
	var ids []int64
	for _, name := range names {
		t, err := store.ByName[*tocsin.Tag](view, name)
		if err != nil {
			return nil, err
		}
		ids = append(ids, t.ID)
	}
	return a.db.TagSets().Matching(func(s tocsin.TagSet) bool {
		for _, id := range ids {
			if s.Has(id) {
				return true
			}
		}
		return false
	}), nil
}

func several(r *http.Request, name string) (values []string) {
	for _, v := range r.URL.Query()[name] {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" {
				values = append(values, part)
			}
		}
	}
	return values
}

func yesNo(r *http.Request, name string) (*bool, error) {
	text := r.URL.Query().Get(name)
	if text == "" {
		return nil, nil
	}
	b, err := strconv.ParseBool(text)
	if err != nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "%s is 1 or 0, not %q", name, text)
	}
	return &b, nil
}

// rows adds to each claim what its event says. Claims come in order of id, those
// of one import one after the other, so the events of the last ones are kept, and what
// was worked out for the last claim holds for the next if it is marked alike.
func (a *API) rows(ctx context.Context, view store.View, q store.Query) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		events := map[int64]*tocsin.Event{}
		var last Row
		var tags tocsin.TagSet
		var label access.LabelID
		for at, err := range store.Ahead(view.Attributes(ctx, q)) {
			if err != nil {
				yield(Row{}, err)
				return
			}
			e := events[at.Event]
			if e == nil {
				if e, err = view.Event(ctx, at.Event); tocsin.CodeOf(err) == tocsin.NotFound && err != nil {
					continue // it was withdrawn since the export began
				}
				if err != nil {
					yield(Row{}, err)
					return
				}
				if len(events) >= maxHeldEvents {
					clear(events)
				}
				events[at.Event] = e
			}
			if last.Event != e || tags != at.Tags || label != at.Label {
				last, tags, label = a.row(view, at, e), at.Tags, at.Label
			}
			last.Attribute = at
			if !yield(last, nil) {
				return
			}
		}
	}
}

const maxHeldEvents = 1024

func (a *API) row(view store.View, at *tocsin.Attribute, e *tocsin.Event) Row {
	r := Row{Attribute: at, Event: e, Org: orgName(view, e.Orgc), TLP: a.label(at, e).TLP}
	for t := range at.Tags.All() {
		if tag, err := store.One[*tocsin.Tag](view, t.Tag); err == nil {
			r.Tags = append(r.Tags, tag.Name)
		}
	}
	return r
}

// label is the label that holds for a claim: its own within its event's.
func (a *API) label(at *tocsin.Attribute, e *tocsin.Event) access.Label {
	return a.db.Labels().Label(at.Label).Within(a.db.Labels().Label(e.Label))
}
