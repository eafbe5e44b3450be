package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

const (
	maxValues = 100 // answered at once
	maxClaims = 100 // listed for one value
	maxAsked  = 1500
)

type lookupPage struct {
	Query   string
	Answers []answer
	Rows    int  // of the field
	Left    int  // lines beyond maxValues
	May     bool // share
	Lately  []eventRow
}

// latelyShown is how many events stand below the empty field.
const latelyShown = 5

// An answer is what there is to say about one line.
type answer struct {
	Given    string
	Why      string // it is no value
	Type     string
	Defanged string
	Value    string
	Claims   []heldClaim
	More     bool
	Places   []place
}

// A heldClaim is a claim with what its event says.
type heldClaim struct {
	shownClaim
	Info, Org  string
	Reach      reach
	Published  bool
	PublishedA moment
	Relates    string // how the claim relates to what was asked, if it isn't the same
}

// A place is a collection with the reasons why what was asked for is in it or
// not.
type place struct {
	ID      int64
	Name    string
	Zones   []string
	In      bool
	Reason  string
	Reaches []reached
}

// A reached is what a subscriber gets of it.
type reached struct {
	Name, Org string
	Allowed   bool
	Reason    string
}

// lookup answers what was pasted. A short question goes into the address, so
// that the answer can be shown to a colleague and asked again.
func (p *Portal) lookup(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	q := strings.TrimSpace(r.FormValue("q"))
	if r.Method == http.MethodPost && len(q) <= maxAsked {
		return see(w, r, "/portal/?q="+url.QueryEscape(q))
	}
	lines, left := readLines(q, maxValues)
	pg := lookupPage{Query: q, Left: left, Rows: min(max(2, len(lines)), 8), May: p.Desk != nil && v.May(access.Add)}
	if len(lines) == 0 {
		var err error
		if pg.Lately, err = p.lately(r.Context(), v); err != nil {
			return err
		}
	}
	for _, line := range lines {
		a, err := p.answer(r.Context(), v, line)
		if err != nil {
			return err
		}
		pg.Answers = append(pg.Answers, a)
	}
	title := "Look up"
	if len(pg.Answers) == 1 && pg.Answers[0].Why == "" {
		title = brief(60, pg.Answers[0].Defanged)
	}
	return p.show(w, r, v, http.StatusOK, "lookup", frame{Title: title, Here: "/portal/", Page: pg})
}

// lately returns the newest events.
func (p *Portal) lately(ctx context.Context, v access.Viewer) (rows []eventRow, err error) {
	for e, err := range p.as(v).Events(ctx, store.EventQuery{Newest: true, Limit: latelyShown}) {
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.eventRow(v, &e))
	}
	return rows, nil
}

// readLines returns the lines of s that are not blank, each once, at most max
// of them, and how many are left.
func readLines(s string, max int) (lines []string, left int) {
	seen := map[string]bool{}
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || seen[line]:
		case len(lines) == max:
			left++
		default:
			seen[line] = true
			lines = append(lines, line)
		}
	}
	return lines, left
}

func (p *Portal) answer(ctx context.Context, v access.Viewer, line string) (answer, error) {
	a := answer{Given: line}
	val, err := indicator.Detect(line)
	if err != nil {
		a.Why = why(err)
		return a, nil
	}
	a.Type, a.Value, a.Defanged = val.TypeName(), val.String(), defang(val)
	found, err := p.find(ctx, v, val)
	if err != nil {
		return a, err
	}
	if a.More = len(found) > maxClaims; a.More {
		found = found[:maxClaims]
	}
	for _, f := range found {
		a.Claims = append(a.Claims, p.heldClaim(v, f, val))
	}
	a.Places, err = p.places(ctx, v, val, found)
	return a, err
}

// A found is an attribute with its event.
type found struct {
	tocsin.Attribute
	event *tocsin.Event
}

// find returns what v may see of who claims val, what contains it, names its
// host, and what mentions it: one more than is shown, if there is more.
func (p *Portal) find(ctx context.Context, v access.Viewer, val indicator.Value) (fs []found, err error) {
	// What exactly was asked for comes first, however much there is of the rest.
	for _, keys := range [][]indicator.Key{val.Keys()[:1], around(val)} {
		for a, err := range p.as(v).Attributes(ctx, store.Query{Keys: append([]indicator.Key{}, keys...), Limit: maxClaims + 1}) {
			if err != nil {
				return nil, err
			}
			fs = append(fs, found{Attribute: a})
		}
	}
	return p.withEvents(ctx, v, fs)
}

// around returns the keys of what has to do with val besides itself.
func around(val indicator.Value) (keys []indicator.Key) {
	f := val.Facets()
	for _, n := range f.Names {
		keys = append(keys, n.MentionKey())
	}
	for i, k := range subjects(val) {
		if i > 0 {
			keys = append(keys, k)
		}
		keys = append(keys, k.Parents()...)
	}
	return keys
}

// subjects are the keys of what is asked about: the value, and the hosts and
// addresses in it, since who blocks those blocks it.
func subjects(val indicator.Value) []indicator.Key {
	keys := val.Keys()[:1]
	for _, n := range val.Facets().Mentions {
		if k := n.Key(); k != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// withEvents adds their events to claims and leaves out what comes twice.
func (p *Portal) withEvents(ctx context.Context, v access.Viewer, fs []found) (kept []found, err error) {
	events, seen := map[int64]*tocsin.Event{}, map[int64]bool{}
	for _, f := range fs {
		if seen[f.ID] {
			continue
		}
		seen[f.ID] = true
		e := events[f.Event]
		if e == nil {
			if e, err = p.as(v).Event(ctx, f.Event); tocsin.CodeOf(err) == tocsin.NotFound {
				continue // gone in between
			} else if err != nil {
				return nil, err
			}
			events[e.ID] = e
		}
		f.event = e
		kept = append(kept, f)
	}
	return kept, nil
}

func (p *Portal) heldClaim(v access.Viewer, f found, asked indicator.Value) heldClaim {
	e := f.event
	l := p.label(&f.Attribute, e)
	h := heldClaim{
		shownClaim: p.claim(v, &f.Attribute, e), Info: e.Info, Org: p.orgName(v, e.Orgc),
		Reach: p.reachOf(v, e.Distribution, e.Group), Published: e.Published, Relates: relates(f.Value, asked),
	}
	h.TLP = tlpOf(l.TLP)
	h.Tags = append(p.tagNames(v, e.Tags), h.Tags...)
	if f.Distribution != access.Inherit {
		h.Reach = p.reachOf(v, f.Distribution, f.Group)
	}
	return h
}

// relates says how a claimed value relates to what was asked for.
func relates(claimed, asked indicator.Value) string {
	about, keys := subjects(asked), claimed.Keys()
	if slices.Contains(keys, about[0]) {
		return ""
	}
	for _, n := range claimed.Facets().Names {
		switch k := n.Key(); {
		case k == about[0]:
			return "names it"
		case slices.Contains(about, k):
			return "names its host"
		case slices.ContainsFunc(about, func(a indicator.Key) bool { return slices.Contains(a.Parents(), k) }):
			return "contains it"
		}
	}
	return "mentions it"
}

// places says for each collection that v may know of whether val is in it, for
// whom, and why.
func (p *Portal) places(ctx context.Context, v access.Viewer, val indicator.Value, fs []found) (places []place, err error) {
	if p.Collections == nil || !hasHost(val) {
		return nil, nil
	}
	for c := range p.as(v).Collections() {
		pl := place{ID: c.ID, Name: c.Name, Zones: zoneNames(c), Reason: "nobody whom you can see claims it"}
		for i := range fs {
			if !decides(fs[i].Value, val) {
				continue
			}
			d := p.Collections.Takes(ctx, c, &fs[i].Attribute, fs[i].event)
			if !pl.In {
				pl.In, pl.Reason = d.Allowed, d.Reason
			}
		}
		if pl.In {
			pl.Reaches = p.reaches(ctx, v, c, val, fs)
		}
		places = append(places, pl)
	}
	return places, nil
}

// hasHost reports whether val is, or mentions, something that a zone may hold.
func hasHost(val indicator.Value) bool {
	return slices.ContainsFunc(subjects(val), func(k indicator.Key) bool { return strings.HasPrefix(string(k), "d:") })
}

// decides reports whether a claim of claimed can put asked into a zone: by the
// same name, or as a domain above it.
func decides(claimed, asked indicator.Value) bool {
	for _, n := range claimed.Facets().Names {
		if n.Kind != indicator.Domain && n.Kind != indicator.Host {
			continue
		}
		for _, k := range subjects(asked) {
			if n.Key() == k || n.Kind == indicator.Domain && slices.Contains(k.Parents(), n.Key()) {
				return true
			}
		}
	}
	return false
}

// reaches says for each subscriber of c that v may know of whether it gets it,
// and why.
func (p *Portal) reaches(ctx context.Context, v access.Viewer, c *tocsin.Collection, val indicator.Value, fs []found) (rs []reached) {
	for s := range p.as(v).Subscribers() {
		if !s.Receives(c.ID) {
			continue
		}
		to := p.audience(s, c)
		r := reached{Name: s.Name, Org: p.orgName(v, s.Org)}
		for i := range fs {
			if !decides(fs[i].Value, val) || !p.Collections.Takes(ctx, c, &fs[i].Attribute, fs[i].event).Allowed {
				continue
			}
			d := p.leaves(to, &fs[i].Attribute, fs[i].event)
			if by, ok := s.Excludes(fs[i].Value); ok && d.Allowed {
				d = access.Decision{Reason: "excluded by this subscriber, which does not act on " + by}
			}
			if !r.Allowed {
				r.Allowed, r.Reason = d.Allowed, d.Reason
			}
		}
		rs = append(rs, r)
	}
	return rs
}

// audience is the viewer for whom a subscriber is served.
func (p *Portal) audience(s *tocsin.Subscriber, c *tocsin.Collection) access.Viewer {
	owner := access.Organisation("collection's owner", c.Org, p.db.GroupsOf(c.Org)...)
	return access.Organisation(s.Name, s.Org, p.db.GroupsOf(s.Org)...).Through(owner)
}

// leaves answers whether a claim may reach v by a zone.
func (p *Portal) leaves(v access.Viewer, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
	return access.Decide(v, access.Zone, access.Record{Label: p.label(a, e), Published: e.Published})
}

func zoneNames(c *tocsin.Collection) (zs []string) {
	for _, z := range []string{c.HotZone, c.Zone, c.IPZone, c.NSZone} {
		if z != "" {
			zs = append(zs, z)
		}
	}
	return zs
}

// why is the reason in a parse error, without the text that it repeats.
func why(err error) string {
	if pe, ok := err.(*indicator.ParseError); ok {
		return pe.Why
	}
	return fmt.Sprint(err)
}
