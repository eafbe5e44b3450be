package portal

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

type collectionRow struct {
	ID          int64
	Name, Owner string
	Zones       []string
	Subscribers int
	Names       string
	Role        string // what it is to the viewer's organisation
}

func (p *Portal) collections(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	p.catchUp(r.Context())
	var rows []collectionRow
	for c := range p.as(v).Collections() {
		row := collectionRow{ID: c.ID, Name: c.Name, Owner: p.orgName(v, c.Org), Zones: zoneNames(c), Role: "received"}
		if c.Org == v.Org() {
			row.Role = "owned"
		}
		most := -1
		for s := range p.as(v).Subscribers() {
			if s.Receives(c.ID) {
				row.Subscribers++
				most = max(most, p.held(s.ID, c))
			}
		}
		if most >= 0 {
			row.Names = number(most)
		}
		rows = append(rows, row)
	}
	return p.show(w, r, v, http.StatusOK, "collections", frame{Title: "Collections", Here: "/portal/collections", Page: rows})
}

// held is how many names a subscriber is served, -1 if nobody can say. Hot and
// base zone share names for a while, so the larger of both is what can be said.
func (p *Portal) held(subscriber int64, c *tocsin.Collection) int {
	most := -1
	if p.Collections != nil {
		for _, z := range p.Collections.Zones(subscriber) {
			if !slices.Contains(c.Zones(), strings.ToLower(strings.TrimSuffix(z.Origin, "."))) {
				continue // of another collection
			}
			most = max(most, z.Names)
		}
	}
	return most
}

// catchUp lets the collections see what was written before they were asked for,
// but waits no longer than a person would. It reports whether they have.
func (p *Portal) catchUp(ctx context.Context) bool {
	if _, follows := p.db.Places()["collection"]; !follows {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return p.db.Await(ctx, "collection", p.db.Head()) == nil
}

type collectionPage struct {
	ID          int64
	Name, Owner string
	Zones       []string
	Sources     []string
	Filter      string
	Tag         string
	Does        string // what its zones do
	Subscribers []subscriberRow
	Asked       string
	Answer      *nameAnswer
	Sample      []sampled
	MoreNames   bool
	Served      bool
	Late        bool // it is still being put together
}

type subscriberRow struct {
	ID            int64
	Name, Org     string
	Allow, Notify []string
	Key           string
	Does          string // if not what the collection does
	Exclude       []string
	More          int // exclusions that are not shown
	Zones         []Zone
	Confirmed     []confirmed
	Configs       bool
}

type confirmed struct {
	Confirmation
	When   moment
	Behind bool
}

type sampled struct {
	Shown, Defanged, Means string
}

func (p *Portal) collection(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	c, err := store.One[*tocsin.Collection](p.as(v), n)
	if err != nil {
		return err
	}
	late := !p.catchUp(r.Context())
	pg := collectionPage{Late: late, ID: c.ID, Name: c.Name, Owner: p.orgName(v, c.Org), Zones: zoneNames(c), Filter: c.Filter, Tag: c.Tag(), Does: does(c.ActionFor("")),
		Served: p.Collections != nil, Asked: strings.TrimSpace(r.URL.Query().Get("name"))}
	for _, o := range c.Sources {
		pg.Sources = append(pg.Sources, p.orgName(v, o))
	}
	for s := range p.as(v).Subscribers() {
		if s.Receives(c.ID) {
			row := p.subscriber(v, s)
			if own := c.ActionFor(s.Action); own != c.ActionFor("") {
				row.Does = does(own)
			}
			pg.Subscribers = append(pg.Subscribers, row)
		}
	}
	if p.Collections != nil {
		p.sample(v, c, &pg)
		if pg.Asked != "" {
			if pg.Answer, err = p.nameAnswer(r.Context(), v, c, pg.Asked); err != nil {
				return err
			}
		}
	}
	return p.show(w, r, v, http.StatusOK, "collection", frame{Title: c.Name, Here: "/portal/collections", Page: pg})
}

func (p *Portal) subscriber(v access.Viewer, s *tocsin.Subscriber) subscriberRow {
	row := subscriberRow{ID: s.ID, Name: s.Name, Org: p.orgName(v, s.Org), Configs: p.Config != nil,
		Exclude: s.Exclude[:min(len(s.Exclude), sampleSize)], More: max(0, len(s.Exclude)-sampleSize)}
	for _, a := range s.Allow {
		row.Allow = append(row.Allow, a.String())
	}
	for _, a := range s.Notify {
		row.Notify = append(row.Notify, a.String())
	}
	if s.TSIG != nil {
		row.Key = s.TSIG.Name
	}
	now := map[string]uint32{}
	if p.Collections != nil {
		row.Zones = p.Collections.Zones(s.ID)
		for _, z := range row.Zones {
			now[z.Origin] = z.Serial
		}
	}
	if p.Confirmed != nil {
		for _, c := range p.Confirmed(s) {
			sn, known := now[c.Origin]
			row.Confirmed = append(row.Confirmed, confirmed{c, moment{c.At}, known && sn != c.Serial})
		}
	}
	return row
}

// does says what a zone does about what it holds.
func does(a tocsin.Action) string {
	switch a {
	case tocsin.NXDomain:
		return "answers that there is no such name"
	case tocsin.NoData:
		return "answers that the name has no such records"
	case tocsin.Drop:
		return "does not answer"
	case tocsin.TCPOnly:
		return "has clients ask again over TCP"
	case tocsin.Passthru:
		return "lets through, whatever later zones say"
	}
	return "sends clients to " + string(a)
}

// sampleSize is how many names are shown of a collection.
const sampleSize = 20

func (p *Portal) sample(v access.Viewer, c *tocsin.Collection, pg *collectionPage) {
	for n := range p.Collections.Names(c.ID, v) {
		if pg.MoreNames = len(pg.Sample) == sampleSize; pg.MoreNames {
			return
		}
		shown := dots.Replace(strings.TrimSuffix(n.Text, "."))
		pg.Sample = append(pg.Sample, sampled{shown, shown, means(n)})
	}
}

// means says what a zone acts on by a name, or by an address.
func means(n Name) string {
	switch {
	case n.Address:
		return "answers that hold it"
	case n.Exact && n.Beneath:
		return "the name and everything beneath it"
	case n.Beneath:
		return "everything beneath it"
	}
	return "the name alone"
}

// A nameAnswer says whether a name is in a collection, and why.
type nameAnswer struct {
	Given, Why string // it is no name
	Defanged   string
	In         bool
	Means      string
	Place      place
	Claims     []heldClaim
}

func (p *Portal) nameAnswer(ctx context.Context, v access.Viewer, c *tocsin.Collection, asked string) (*nameAnswer, error) {
	a := &nameAnswer{Given: asked}
	val, err := indicator.Detect(asked)
	if err != nil {
		a.Why = why(err)
		return a, nil
	}
	a.Defanged = defang(val)
	names := dnsNames(val)
	if len(names) == 0 {
		a.Why = "policy zones hold the names of domains and hosts; this is a value of type " + val.TypeName()
		return a, nil
	}
	if held, ok := p.holds(v, c, val); ok {
		a.In, a.Means = true, means(held)
		if held.Text != "" && strings.TrimSuffix(held.Text, ".") != names[0] {
			a.Means = "by " + dots.Replace(strings.TrimSuffix(held.Text, ".")) + ": " + a.Means
		}
	}
	fs, err := p.find(ctx, v, val)
	if err != nil {
		return nil, err
	}
	places, err := p.places(ctx, v, val, fs)
	for _, pl := range places {
		if pl.ID == c.ID {
			a.Place = pl
		}
	}
	for _, f := range fs {
		if len(a.Claims) < sampleSize && decides(f.Value, val) {
			a.Claims = append(a.Claims, p.heldClaim(v, f, val))
		}
	}
	return a, err
}

// holds returns the name of a collection that acts on val: itself, or a domain
// above it with everything beneath.
func (p *Portal) holds(v access.Viewer, c *tocsin.Collection, val indicator.Value) (Name, bool) {
	own := val.Keys()[0]
	if n, ok := p.Collections.Holds(c.ID, v, string(own[2:])); ok && n.Exact {
		return n, true
	}
	for _, k := range own.Parents() {
		if n, ok := p.Collections.Holds(c.ID, v, string(k[2:])); ok && n.Beneath {
			return n, true
		}
	}
	return Name{}, false
}

type configPage struct {
	ID               int64
	Name, Collection string
	Resolver         string
	Resolvers        []string
	Text             string
	Back             int64
}

// config shows the lines that a resolver needs. They may hold the subscriber's
// secret, so nothing on the way may keep them.
func (p *Portal) config(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	n, err := id(r)
	if err != nil {
		return err
	}
	s, err := store.One[*tocsin.Subscriber](p.as(v), n)
	if err != nil {
		return err
	}
	if s.TSIG != nil && !v.May(access.OrgAdmin) {
		return tocsin.Errorf(tocsin.Forbidden, "the configuration holds a secret: it is for administrators of your organisation")
	}
	if v.Ceiling() != access.Unmarked {
		return tocsin.Errorf(tocsin.Forbidden, "the key that you use is shown no more than %s; the configuration opens all that the subscriber receives", v.Ceiling())
	}
	c, err := store.One[*tocsin.Collection](p.as(v), s.Collection)
	if err != nil {
		return err
	}
	pg := configPage{ID: s.ID, Name: s.Name, Collection: c.Name, Resolver: r.URL.Query().Get("resolver"), Resolvers: p.Resolvers, Back: c.ID}
	if pg.Resolver == "" && len(p.Resolvers) > 0 {
		pg.Resolver = p.Resolvers[0]
	}
	var b bytes.Buffer
	if err := p.Config(&b, pg.Resolver, s, c); err != nil {
		return err
	}
	pg.Text = snippet(b.String())
	w.Header().Set("Cache-Control", "no-store")
	return p.show(w, r, v, http.StatusOK, "config", frame{Title: "Configuration for " + s.Name, Here: "/portal/collections", Page: pg})
}
