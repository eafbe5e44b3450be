package portal

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// maxShared is how many values one form takes. Longer lists go to the API.
const maxShared = 10_000

// linesShown is how many lines a preview lists.
const linesShown = 100

// A sharing is what someone is about to share: a new event, or more for one.
type sharing struct {
	Event   *tocsin.Event // nil: a new one
	Info    string
	Values  string
	Comment string
	choice
	TLP         string
	TLPs        []string
	Collection  int64
	Collections []*tocsin.Collection
	Publish     bool
	MayPublish  bool
	Wrong       string

	// What a preview shows.
	Read, Bad         []line
	MoreRead, MoreBad int
	Names             int
	Sentences         []string
}

// A line is a line as it was read.
type line struct {
	Line           int
	Given          string
	Type, Defanged string
	ToIDS          bool
	Why            string
}

// tlps are the markings that can be chosen, as MISP tags.
var tlps = []string{"tlp:clear", "tlp:green", "tlp:amber", "tlp:amber+strict", "tlp:red"}

func (p *Portal) shareForm(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if !v.May(access.Add) {
		return tocsin.Errorf(tocsin.Forbidden, "your role does not let you add events")
	}
	s := p.sharing(v, access.Community, 0)
	s.Values = r.URL.Query().Get("values")
	s.Publish = s.MayPublish
	return p.showSharing(w, r, v, http.StatusOK, s)
}

// sharing is an empty form.
func (p *Portal) sharing(v access.Viewer, d access.Distribution, group int64) sharing {
	return sharing{choice: p.choice(v, d, group), TLPs: tlps, Collections: p.fedBy(v), MayPublish: v.May(access.Publish)}
}

// fedBy are the collections that v knows of and whose owners take the word of
// v's organisation.
func (p *Portal) fedBy(v access.Viewer) (cs []*tocsin.Collection) {
	if !v.May(access.Tag) {
		return nil
	}
	for c := range p.as(v).Collections() {
		if slices.Contains(c.Sources, v.Org()) {
			cs = append(cs, c)
		}
	}
	return cs
}

func (p *Portal) showSharing(w http.ResponseWriter, r *http.Request, v access.Viewer, status int, s sharing) error {
	return p.show(w, r, v, status, "share", frame{Title: "Share", Here: "/portal/share", Page: s})
}

// share reads the form. The first time it shows what it has read and what would
// happen; then it shares.
func (p *Portal) share(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	if !v.May(access.Add) {
		return tocsin.Errorf(tocsin.Forbidden, "your role does not let you add events")
	}
	d, group, err := chosen(r)
	if err != nil {
		return err
	}
	s := p.sharing(v, d, group)
	s.take(r)
	s.Info, s.TLP, s.Collection = strings.TrimSpace(r.PostFormValue("info")), r.PostFormValue("tlp"), natural(r.PostFormValue("collection"))
	s.Publish = r.PostFormValue("publish") == "yes" && s.MayPublish
	claims, wrong := s.claims()
	switch step := r.PostFormValue("step"); {
	case step == "edit":
		return p.showSharing(w, r, v, http.StatusOK, s)
	case s.Info == "":
		wrong = "Say in a line what it is about."
	case wrong == "" && len(s.Read) == 0:
		wrong = "Paste at least one value that can be read."
	}
	if wrong != "" {
		s.Wrong = wrong
		return p.showSharing(w, r, v, http.StatusBadRequest, s)
	}
	if r.PostFormValue("step") != "do" {
		s.Sentences = p.foresee(v, &s)
		return p.show(w, r, v, http.StatusOK, "check", frame{Title: "Share this?", Here: "/portal/share", Page: s})
	}
	draft := Draft{Info: s.Info, Distribution: d, Group: group, Publish: s.Publish, Claims: claims}
	if slices.Contains(tlps, s.TLP) {
		draft.Tags = append(draft.Tags, s.TLP)
	}
	if c := s.chosen(); c != nil {
		draft.Tags = append(draft.Tags, c.Tag())
	}
	got, err := p.Desk.Share(r.Context(), v, draft)
	if err != nil {
		return err
	}
	return see(w, r, got.path("shared"))
}

// path is where to see what became of claims.
func (g Receipt) path(done string) string {
	q := url.Values{"done": {done}, "n": {strconv.Itoa(g.Added)}}
	if g.Duplicates > 0 {
		q.Set("duplicates", strconv.Itoa(g.Duplicates))
	}
	if len(g.Refused) > 0 {
		q.Set("refused", strconv.Itoa(len(g.Refused)))
	}
	return eventPath(g.Event) + "?" + q.Encode()
}

func (s *sharing) take(r *http.Request) {
	s.Values, s.Comment = r.PostFormValue("values"), strings.TrimSpace(r.PostFormValue("comment"))
}

// chosen is the collection that was chosen, nil for none.
func (s *sharing) chosen() *tocsin.Collection {
	for _, c := range s.Collections {
		if c.ID == s.Collection {
			return c
		}
	}
	return nil
}

// claims reads the values, a line each, and lists what they are.
func (s *sharing) claims() (cs []Claim, wrong string) {
	n, names := 0, map[string]bool{}
	for text := range strings.Lines(s.Values) {
		n++
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if len(cs) == maxShared {
			return nil, fmt.Sprintf("More than %s values: send lists as long as that to the API.", number(maxShared))
		}
		l := line{Line: n, Given: brief(200, text)}
		v, err := indicator.Detect(text)
		if err != nil {
			l.Why = why(err)
			keep(&s.Bad, &s.MoreBad, l)
			continue
		}
		l.Type, l.Defanged, l.ToIDS = v.TypeName(), defang(v), v.Type().ToIDS
		keep(&s.Read, &s.MoreRead, l)
		for _, name := range dnsNames(v) {
			names[name] = names[name] || l.ToIDS
		}
		cs = append(cs, Claim{Line: n, Text: text, Type: v.TypeName(), Comment: s.Comment})
	}
	s.Names = len(names)
	return cs, ""
}

// keep lists l, or counts it where the list is long enough.
func keep(list *[]line, more *int, l line) {
	if len(*list) < linesShown {
		*list = append(*list, l)
	} else {
		*more++
	}
}

// foresee says who will see what is about to be shared, and who will act on it.
func (p *Portal) foresee(v access.Viewer, s *sharing) []string {
	t, _ := access.Marking(s.TLP)
	l := access.NewLabel(v.Org(), s.Distribution, s.Group, t, access.PAPUnmarked)
	out := []string{p.readers(v, l)}
	c := s.chosen()
	switch {
	case c == nil && len(s.Collections) > 0:
		return append(out, "It is not put into a collection, so resolvers block it only where a collection's filter takes it in.")
	case c == nil:
		return out
	}
	var gets, all int
	var reason string
	for _, au := range p.audiences(v) {
		if au.collection.ID != c.ID {
			continue
		}
		all++
		d := access.Decide(au.viewer, access.Zone, access.Record{Label: l, Published: s.Publish})
		if d.Allowed {
			gets++
		} else {
			reason = d.Reason
		}
	}
	if gets > 0 {
		out = append(out, fmt.Sprintf("%s of %s will block %s.", count(gets, "subscriber"), plain(c.Name), count(s.Names, "name")))
	}
	if gets < all {
		out = append(out, fmt.Sprintf("%s of %s will not get it: %s.", count(all-gets, "subscriber"), plain(c.Name), reason))
	}
	return out
}

// addAttributes adds values to an event: first it shows what it has read, then
// it adds.
func (p *Portal) addAttributes(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := readForm(r); err != nil {
		return err
	}
	e, err := p.changeable(r, v)
	if err != nil {
		return err
	}
	s := sharing{Event: e}
	s.take(r)
	claims, wrong := s.claims()
	if wrong == "" && len(claims) == 0 && len(s.Bad) == 0 {
		wrong = "paste at least one value"
	}
	if wrong != "" {
		return tocsin.Errorf(tocsin.Invalid, "%s", wrong)
	}
	if r.PostFormValue("step") != "do" {
		s.Sentences = []string{p.readers(v, p.db.Labels().Label(e.Label))}
		switch {
		case staysPublished(v, e):
			s.Sentences = append(s.Sentences, "The event stays published, so this leaves at once.")
		case e.Published:
			s.Sentences = append(s.Sentences, "Since your role does not let you publish, the whole event is unpublished until someone publishes it again.")
		}
		return p.show(w, r, v, http.StatusOK, "check", frame{Title: "Add this?", Here: "/portal/events", Page: s})
	}
	got, err := p.Desk.Add(r.Context(), v, e.ID, claims, staysPublished(v, e))
	if err != nil {
		return err
	}
	got.Event = e.ID
	return see(w, r, got.path("added"))
}
