package portal

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
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
	Left    int // lines beyond maxValues
	Events  bool
	May     bool // share
}

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
	pg := lookupPage{Query: q, Left: left, May: p.Desk != nil && v.May(access.Add)}
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

// find returns what v may see of who claims val, what contains it, and what
// mentions it: one more than is shown, if there is more.
func (p *Portal) find(ctx context.Context, v access.Viewer, val indicator.Value) (fs []found, err error) {
	keys := val.Keys()[:1]
	for _, n := range val.Facets().Names {
		keys = append(keys, n.MentionKey())
	}
	// What exactly was asked for comes first, however much there is of the rest.
	for _, ks := range [][]indicator.Key{keys[:1], append(keys[0].Parents(), keys[1:]...)} {
		for a, err := range p.as(v).Attributes(ctx, store.Query{Keys: append([]indicator.Key{}, ks...), Limit: maxClaims + 1}) {
			if err != nil {
				return nil, err
			}
			fs = append(fs, found{Attribute: a})
		}
	}
	events := map[int64]*tocsin.Event{}
	for i := range fs {
		e := events[fs[i].Event]
		if e == nil {
			if e, err = p.as(v).Event(ctx, fs[i].Event); tocsin.CodeOf(err) == tocsin.NotFound {
				continue // gone in between
			} else if err != nil {
				return nil, err
			}
			events[e.ID] = e
		}
		fs[i].event = e
	}
	kept := fs[:0]
	seen := map[int64]bool{}
	for _, f := range fs {
		if f.event != nil && !seen[f.ID] {
			seen[f.ID] = true
			kept = append(kept, f)
		}
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
	own := asked.Keys()[0]
	keys := claimed.Keys()
	for _, k := range keys {
		if k == own {
			return ""
		}
	}
	if strings.HasPrefix(string(keys[len(keys)-1]), "m:") {
		return "mentions it"
	}
	return "contains it"
}

// places says for each collection that v may know of whether val is in it, for
// whom, and why.
func (p *Portal) places(ctx context.Context, v access.Viewer, val indicator.Value, fs []found) (places []place, err error) {
	if p.Collections == nil || len(dnsNames(val)) == 0 {
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

// decides reports whether a claim of claimed can put asked into a zone: by the
// same name, or as a domain above it.
func decides(claimed, asked indicator.Value) bool {
	own := asked.Keys()[0]
	for _, n := range claimed.Facets().Names {
		if n.Key() == own {
			return true
		}
		if n.Kind == indicator.Domain {
			for _, k := range own.Parents() {
				if n.Key() == k {
					return true
				}
			}
		}
	}
	return false
}

// reaches says for each subscriber of c that v may know of whether it gets it,
// and why.
func (p *Portal) reaches(ctx context.Context, v access.Viewer, c *tocsin.Collection, val indicator.Value, fs []found) (rs []reached) {
	for s := range p.as(v).Subscribers() {
		if s.Collection != c.ID {
			continue
		}
		to := p.audience(s)
		r := reached{Name: s.Name, Org: p.orgName(v, s.Org)}
		for i := range fs {
			if !decides(fs[i].Value, val) || !p.Collections.Takes(ctx, c, &fs[i].Attribute, fs[i].event).Allowed {
				continue
			}
			d := p.leaves(to, &fs[i].Attribute, fs[i].event)
			if !r.Allowed {
				r.Allowed, r.Reason = d.Allowed, d.Reason
			}
		}
		rs = append(rs, r)
	}
	return rs
}

// audience is the viewer for whom a subscriber is served.
func (p *Portal) audience(s *tocsin.Subscriber) access.Viewer {
	return access.Organisation(s.Name, s.Org, p.db.GroupsOf(s.Org)...)
}

// leaves answers whether a claim may reach v by a zone.
func (p *Portal) leaves(v access.Viewer, a *tocsin.Attribute, e *tocsin.Event) access.Decision {
	return access.Decide(v, access.Zone, access.Record{Label: p.label(a, e), Published: e.Published})
}

func zoneNames(c *tocsin.Collection) (zs []string) {
	for _, z := range []string{c.HotZone, c.Zone} {
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
