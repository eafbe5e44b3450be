package portal

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

const eventsShown = 25

type eventsPage struct {
	Text, Published string
	Org             int64
	Orgs            []*tocsin.Organisation
	Events          []eventRow
	Newer, Older    string // addresses of the pages beside, "" for none
	Narrowed, May   bool
}

type eventRow struct {
	ID         int64
	Date       string
	Info, Org  string
	Reach      reach
	TLP        tlp
	Tags       []string
	Attributes string
	Published  bool
}

// events lists the newest events. It reads one row more than it shows, to know
// whether there is a next page, and counts nothing.
func (p *Portal) events(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	in := r.URL.Query()
	pg := eventsPage{Text: strings.TrimSpace(in.Get("text")), Published: in.Get("published"), May: p.Desk != nil && v.May(access.Add)}
	pg.Org, _ = strconv.ParseInt(in.Get("org"), 10, 64)
	q := store.EventQuery{Newest: true, Info: pg.Text, Limit: eventsShown + 1, Offset: max(0, natural(in.Get("from")))}
	if pg.Org > 0 {
		q.Orgs = []int64{pg.Org}
	}
	switch pg.Published {
	case "yes":
		q.Published = new(true)
	case "no":
		q.Published = new(false)
	default:
		pg.Published = ""
	}
	pg.Narrowed = pg.Text != "" || pg.Org > 0 || pg.Published != ""
	for e, err := range p.as(v).Events(r.Context(), q) {
		if err != nil {
			return err
		}
		if len(pg.Events) == eventsShown {
			pg.Older = pageAt(in, q.Offset+eventsShown)
			break
		}
		row := p.eventRow(v, &e)
		if row.Attributes, err = p.attributeCount(r, v, &e); err != nil {
			return err
		}
		pg.Events = append(pg.Events, row)
	}
	if q.Offset > 0 {
		pg.Newer = pageAt(in, max(0, q.Offset-eventsShown))
	}
	for o := range p.as(v).Organisations() {
		pg.Orgs = append(pg.Orgs, o)
	}
	return p.show(w, r, v, http.StatusOK, "events", frame{Title: "Events", Here: "/portal/events", Page: pg})
}

// pageAt is the address of the same list from another row on.
func pageAt(in url.Values, from int64) string {
	out := url.Values{"from": {strconv.FormatInt(from, 10)}}
	for _, k := range []string{"text", "org", "published"} {
		if v := in.Get(k); v != "" {
			out.Set(k, v)
		}
	}
	return "/portal/events?" + out.Encode()
}

// natural reads a number of an address; what is none is 0.
func natural(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return max(0, n)
}

func (p *Portal) eventRow(v access.Viewer, e *tocsin.Event) eventRow {
	return eventRow{
		ID: e.ID, Date: e.Date, Info: e.Info, Org: p.orgName(v, e.Orgc), Reach: p.reachOf(v, e.Distribution, e.Group),
		TLP: tlpOf(p.db.Labels().Label(e.Label).TLP), Tags: p.tagNames(v, e.Tags), Published: e.Published,
	}
}

// maxCounted is up to how many attributes of others' events are counted.
const maxCounted = 1000

// attributeCount says how many attributes of e there are for v. The event's own
// number counts those that v may not see, too, so it is for the owner; others'
// large events are not counted, only called large.
func (p *Portal) attributeCount(r *http.Request, v access.Viewer, e *tocsin.Event) (string, error) {
	switch {
	case v.Owns(p.db.Labels().Label(e.Label)):
		return number(e.Attributes), nil
	case e.Attributes > maxCounted:
		return number(maxCounted) + "+", nil
	}
	n, err := p.as(v).CountAttributes(r.Context(), store.Query{Events: []int64{e.ID}})
	return number(n), err
}
