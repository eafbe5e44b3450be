package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

const (
	attributesShown = 50
	objectsShown    = 25
	maxSearched     = 20_000 // attributes that one page looks through for a text
)

type eventPage struct {
	ID                int64
	Title             string
	UUID, Date        string
	Org, Holder       string // who created it, and who holds it here if that is another
	Reach             reach
	TLP               tlp
	Tags              []string
	Threat, Analysis  string
	Published         bool
	PublishedAt, Last moment
	Attributes        string
	Seen              []string // the organisations that see it
	SeenBy            int
	Exits             []exit
	MayChange         bool
	MayPublish        bool
	MayAdd            bool

	Filter  attributeFilter
	Claims  []shownClaim
	Next    string
	First   string
	Stopped bool // there was too much to look through
	Objects []shownObject
	MoreObj bool
	Types   []string
}

// An exit is a way out with whether the event may take it.
type exit struct {
	Name, Reason string
	Allowed      bool
}

type shownObject struct {
	ID                       int64
	Name, Category, Sentence string
}

// An attributeFilter is what narrows the list of attributes.
type attributeFilter struct {
	Type, Text string
	Withdrawn  bool
	Object     int64
	After      int64
}

func (f attributeFilter) Set() bool {
	return f.Type != "" || f.Text != "" || f.Withdrawn || f.Object != 0
}

// from is the address of the list from after an attribute on.
func (f attributeFilter) from(event, after int64) string {
	q := url.Values{}
	set := func(k, v string) {
		if v != "" && v != "0" {
			q.Set(k, v)
		}
	}
	set("type", f.Type)
	set("text", f.Text)
	if f.Withdrawn {
		q.Set("withdrawn", "yes")
	}
	set("object", strconv.FormatInt(f.Object, 10))
	set("after", strconv.FormatInt(after, 10))
	return fmt.Sprintf("/portal/events/%d?%s#attributes", event, q.Encode())
}

var (
	threats  = []string{"", "high", "medium", "low", "undefined"}
	analyses = []string{"initial", "ongoing", "complete"}
)

// word is the word of a number, or the number where there is none.
func word(words []string, n uint8) string {
	if int(n) < len(words) {
		return words[n]
	}
	return strconv.Itoa(int(n))
}

func (p *Portal) event(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	e, err := p.as(v).Event(r.Context(), n)
	if err != nil {
		return err
	}
	pg, err := p.eventHead(r, v, e)
	if err != nil {
		return err
	}
	in := r.URL.Query()
	pg.Filter = attributeFilter{in.Get("type"), strings.TrimSpace(in.Get("text")), in.Get("withdrawn") == "yes", natural(in.Get("object")), natural(in.Get("after"))}
	if err := p.attributes(r.Context(), v, e, &pg); err != nil {
		return err
	}
	if err := p.objects(r.Context(), v, e, &pg); err != nil {
		return err
	}
	return p.show(w, r, v, http.StatusOK, "event", frame{Title: e.Info, Here: "/portal/events", Done: added(in), Page: pg})
}

// added says what became of claims that were added just now.
func added(in url.Values) string {
	n, dup, bad := int(natural(in.Get("n"))), int(natural(in.Get("duplicates"))), int(natural(in.Get("refused")))
	if in.Get("done") != "added" && in.Get("done") != "shared" || n+dup+bad == 0 {
		return ""
	}
	s := fmt.Sprintf("%s %s.", dones[in.Get("done")], count(n, "attribute"))
	if dup > 0 {
		s += fmt.Sprintf(" %s held already.", number(dup))
	}
	if bad > 0 {
		s += fmt.Sprintf(" %s refused.", number(bad))
	}
	return s
}

func (p *Portal) eventHead(r *http.Request, v access.Viewer, e *tocsin.Event) (eventPage, error) {
	l := p.db.Labels().Label(e.Label)
	pg := eventPage{
		ID: e.ID, Title: e.Info, UUID: e.UUID.String(), Date: e.Date, Org: p.orgName(v, e.Orgc),
		Reach: p.reachOf(v, e.Distribution, e.Group), TLP: tlpOf(l.TLP), Tags: p.tagNames(v, e.Tags),
		Threat: word(threats, e.Threat), Analysis: word(analyses, e.Analysis),
		Published: e.Published, Last: seconds(e.Timestamp),
		MayChange: mayChange(v, e), MayPublish: mayChange(v, e) && v.May(access.Publish), Exits: p.exits(l, e.Published),
	}
	pg.MayAdd = pg.MayChange && p.Desk != nil
	if e.Published {
		pg.PublishedAt = seconds(e.PublishedAt)
	}
	if e.Org != e.Orgc {
		pg.Holder = p.orgName(v, e.Org)
	}
	pg.Seen, pg.SeenBy = p.seenBy(v, l)
	for _, t := range indicator.Types() {
		pg.Types = append(pg.Types, t.Name)
	}
	slices.SortFunc(pg.Types, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	var err error
	pg.Attributes, err = p.attributeCount(r, v, e)
	return pg, err
}

// exits says whether what is labelled l may be blocked by zone and by list. It
// is asked for the owner, so that what remains is what holds for everyone.
func (p *Portal) exits(l access.Label, published bool) (out []exit) {
	for _, x := range []access.Exit{access.Zone, access.List} {
		d := access.Decide(access.Organisation("owner", l.Owner), x, access.Record{Label: l, Published: published})
		e := exit{Name: map[access.Exit]string{access.Zone: "DNS policy zones", access.List: "block lists"}[x], Allowed: d.Allowed}
		if !d.Allowed {
			e.Reason = d.Reason
		}
		out = append(out, e)
	}
	return out
}

// maxNamed is how many organisations are named; more are counted.
const maxNamed = 12

// seenBy names the organisations of this exchange that see what is labelled l.
func (p *Portal) seenBy(v access.Viewer, l access.Label) (names []string, n int) {
	var groups []*tocsin.Group
	for _, id := range l.Groups {
		if g, err := store.One[*tocsin.Group](p.as(v), id); err == nil {
			groups = append(groups, g)
		}
	}
	for o := range p.as(v).Organisations() {
		var in []int64
		for _, g := range groups {
			if g.Has(o.ID) {
				in = append(in, g.ID)
			}
		}
		if !access.Organisation(o.Name, o.ID, in...).Sees(l) {
			continue
		}
		if n++; len(names) < maxNamed {
			names = append(names, o.Name)
		}
	}
	return names, n
}

// attributes fills in a page of the list. The types and objects are narrowed by
// the store; a text is looked for here, in so many rows and no more.
func (p *Portal) attributes(ctx context.Context, v access.Viewer, e *tocsin.Event, pg *eventPage) error {
	f := pg.Filter
	q := store.Query{Events: []int64{e.ID}, After: f.After, Limit: attributesShown + 1}
	if t, ok := indicator.TypeByName(f.Type); ok {
		q.Types = []uint16{t.ID}
	}
	if f.Object != 0 {
		q.Objects = []int64{f.Object}
	}
	if f.Withdrawn {
		q.Deleted = store.Withdrawn
	}
	if f.Text != "" {
		q.Limit = maxSearched
	}
	if f.After > 0 {
		pg.First = f.from(e.ID, 0)
	}
	text := needles(f.Text)
	var rows []tocsin.Attribute
	read := int64(0)
	for a, err := range p.as(v).Attributes(ctx, q) {
		if err != nil {
			return err
		}
		if len(rows) == attributesShown {
			pg.Next = f.from(e.ID, rows[len(rows)-1].ID)
			break
		}
		read++
		if text.in(&a) {
			rows = append(rows, a)
		}
		if read == maxSearched {
			pg.Stopped, pg.Next = true, f.from(e.ID, a.ID)
		}
	}
	for i := range rows {
		c := p.claim(v, &rows[i], e)
		var err error
		if c.Others, err = p.others(ctx, v, &rows[i]); err != nil {
			return err
		}
		pg.Claims = append(pg.Claims, c)
	}
	return p.nameObjects(ctx, v, rows, pg.Claims)
}

// A search is the spellings in which a text may stand in a value or a comment.
type search []string

func needles(s string) search {
	if s == "" {
		return nil
	}
	ns := search{strings.ToLower(s)}
	if v, err := indicator.Detect(s); err == nil && !strings.EqualFold(v.String(), s) {
		ns = append(ns, strings.ToLower(v.String()))
	}
	return ns
}

func (ns search) in(a *tocsin.Attribute) bool {
	for _, n := range ns {
		if strings.Contains(strings.ToLower(a.Value.String()), n) || strings.Contains(strings.ToLower(a.Comment), n) {
			return true
		}
	}
	return len(ns) == 0
}

// nameObjects says of claims in objects which they are part of.
func (p *Portal) nameObjects(ctx context.Context, v access.Viewer, rows []tocsin.Attribute, claims []shownClaim) error {
	var ids []int64
	for _, a := range rows {
		if a.Object != 0 && !slices.Contains(ids, a.Object) {
			ids = append(ids, a.Object)
		}
	}
	if ids == nil {
		return nil
	}
	names := map[int64]string{}
	for o, err := range p.as(v).Objects(ctx, store.ObjectQuery{IDs: ids, Deleted: store.Any}) {
		if err != nil {
			return err
		}
		names[o.ID] = o.Name
	}
	for i := range rows {
		claims[i].Object = names[rows[i].Object]
	}
	return nil
}

func (p *Portal) objects(ctx context.Context, v access.Viewer, e *tocsin.Event, pg *eventPage) error {
	for o, err := range p.as(v).Objects(ctx, store.ObjectQuery{Events: []int64{e.ID}}) {
		if err != nil {
			return err
		}
		if pg.MoreObj = len(pg.Objects) == objectsShown; pg.MoreObj {
			break
		}
		s := o.Comment
		if s == "" {
			s = o.Description
		}
		pg.Objects = append(pg.Objects, shownObject{o.ID, o.Name, o.MetaCategory, s})
	}
	return nil
}
