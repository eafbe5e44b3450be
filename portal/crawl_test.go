package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tocsin/access"
	"tocsin/portal"
)

// A page is HTML as a browser reads it.
type page struct{ root *html.Node }

func parse(t testing.TB, a answer) page {
	t.Helper()
	root, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatalf("%s: %v", a.path, err)
	}
	return page{root}
}

// all returns the elements of these names.
func (p page) all(names ...atom.Atom) (ns []*html.Node) {
	for n := range p.root.Descendants() {
		if n.Type == html.ElementNode && slices.Contains(names, n.DataAtom) {
			ns = append(ns, n)
		}
	}
	return ns
}

func attr(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

// wellFormed checks what browsers would silently mend: each element that needs
// an end has one, in order, and ids are unique.
func wellFormed(t testing.TB, a answer) {
	t.Helper()
	void := map[string]bool{"br": true, "hr": true, "img": true, "input": true, "link": true, "meta": true}
	var open []string
	ids := map[string]bool{}
	z := html.NewTokenizer(strings.NewReader(a.body))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				t.Errorf("%s: %v is not closed", a.path, open)
			}
			return
		case html.StartTagToken:
			tok := z.Token()
			for _, at := range tok.Attr {
				if at.Key == "style" || strings.HasPrefix(at.Key, "on") {
					t.Errorf("%s: <%s> has an attribute %s", a.path, tok.Data, at.Key)
				}
				if at.Key == "id" && ids[at.Val] {
					t.Errorf("%s: two elements have the id %q", a.path, at.Val)
				}
				if at.Key == "id" {
					ids[at.Val] = true
				}
			}
			if !void[tok.Data] {
				open = append(open, tok.Data)
			}
		case html.EndTagToken:
			name := z.Token().Data
			if len(open) == 0 || open[len(open)-1] != name {
				t.Errorf("%s: </%s> within %v", a.path, name, open)
				return
			}
			open = open[:len(open)-1]
		}
	}
}

// accessible checks what a machine can of WCAG 2.2: names of fields, buttons and
// pictures, headings in order, scopes of table heads, landmarks.
func accessible(t testing.TB, a answer) {
	t.Helper()
	p := parse(t, a)
	labelled := map[string]bool{}
	for _, l := range p.all(atom.Label) {
		if id, ok := attr(l, "for"); ok {
			labelled[id] = true
		}
	}
	for _, n := range p.all(atom.Input, atom.Select, atom.Textarea) {
		typ, _ := attr(n, "type")
		_, hidden := attr(n, "hidden")
		id, _ := attr(n, "id")
		if typ != "hidden" && !hidden && !labelled[id] && !within(n, atom.Label) {
			name, _ := attr(n, "name")
			t.Errorf("%s: the field %q has no label", a.path, name)
		}
	}
	for _, n := range p.all(atom.Img) {
		if _, ok := attr(n, "alt"); !ok {
			t.Errorf("%s: a picture has no alt", a.path)
		}
	}
	for _, n := range p.all(atom.A, atom.Button) {
		if strings.TrimSpace(textOf(n)) == "" {
			t.Errorf("%s: a link or button says nothing", a.path)
		}
	}
	for _, n := range p.all(atom.Th) {
		if s, _ := attr(n, "scope"); s == "" {
			t.Errorf("%s: a table head has no scope", a.path)
		}
	}
	last, h1 := 0, 0
	for _, n := range p.all(atom.H1, atom.H2, atom.H3, atom.H4) {
		level := int(n.Data[1] - '0')
		if level > last+1 {
			t.Errorf("%s: <%s> %q follows <h%d>", a.path, n.Data, textOf(n), last)
		}
		if last = level; level == 1 {
			h1++
		}
	}
	if h1 != 1 || len(p.all(atom.Main)) != 1 || len(p.all(atom.Title)) != 1 {
		t.Errorf("%s: a page has one h1, one main and one title", a.path)
	}
}

func within(n *html.Node, name atom.Atom) bool {
	for p := range n.Ancestors() {
		if p.DataAtom == name {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// A crawl visits every page that can be reached by links, and asks for each form
// whether there is a route for it.
type crawl struct {
	t    *testing.T
	p    *person
	seen map[string]bool
	todo []string
	// forms are the actions found, with the method.
	forms map[string]string
}

func (c *crawl) run(start string) {
	c.todo = []string{start}
	for len(c.todo) > 0 {
		path := c.todo[0]
		c.todo = c.todo[1:]
		a := c.p.get(path)
		if a.status != http.StatusOK {
			c.t.Errorf("a link leads to %s, which answers %d", path, a.status)
			continue
		}
		if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
			continue
		}
		wellFormed(c.t, a)
		accessible(c.t, a)
		c.links(a)
	}
}

func (c *crawl) links(a answer) {
	base, _ := url.Parse(a.path)
	p := parse(c.t, a)
	for _, n := range p.all(atom.A, atom.Link, atom.Script, atom.Img, atom.Form) {
		for _, key := range []string{"href", "src", "action"} {
			ref, ok := attr(n, key)
			if !ok {
				continue
			}
			u, err := base.Parse(ref)
			if err != nil || u.Host != "" || u.Scheme != "" {
				c.t.Errorf("%s: %q leads elsewhere (%v)", a.path, ref, err)
				continue
			}
			if u.Fragment != "" && u.Path == base.Path && u.RawQuery == base.RawQuery && !hasID(p, u.Fragment) {
				c.t.Errorf("%s: there is no #%s", a.path, u.Fragment)
			}
			if method, _ := attr(n, "method"); n.DataAtom == atom.Form && method == "post" {
				c.forms[u.Path] = "POST"
				continue
			}
			u.Fragment = ""
			if !c.seen[u.String()] {
				c.seen[u.String()] = true
				c.todo = append(c.todo, u.String())
			}
		}
	}
}

func hasID(p page, id string) bool {
	for n := range p.root.Descendants() {
		if v, ok := attr(n, "id"); ok && v == id {
			return true
		}
	}
	return false
}

// Every link and form of every page leads somewhere, for whoever sees it.
func TestNothingIsDead(t *testing.T) {
	w := newWorld(t)
	tag := `tocsin:collection="phishing"`
	for i := range 60 {
		w.share(t, "ada@cert.example", portal.Draft{Info: fmt.Sprintf("Event %d", i), Distribution: access.Community, Publish: i%2 == 0, Tags: []string{tag}},
			fmt.Sprintf("evil%d.example", i), "common.example", "http://login.common.example/x")
	}
	many := make([]string, 120)
	for i := range many {
		many[i] = fmt.Sprintf("host%d.many.example", i)
	}
	w.share(t, "tess@telco.example", portal.Draft{Info: "Many", Distribution: access.Group, Group: w.group, Publish: true, Tags: []string{tag, "tlp:amber"}}, many...)
	for _, email := range []string{"ada@cert.example", "rita@cert.example", "tess@telco.example", "olaf@outsider.example", ""} {
		t.Run("as "+email, func(t *testing.T) {
			c := &crawl{t: t, p: w.anyone(t), seen: map[string]bool{}, forms: map[string]string{}}
			if email != "" {
				c.p = w.signedIn(t, email)
				c.p.post("/portal/account/keys", "comment", "crawler")
			}
			c.run("/portal/")
			for path := range c.forms {
				// Without its fields a form is refused or asks back; what matters is that
				// something other than "no route" answers. Signing out comes last.
				if path == "/portal/sign-out" || strings.HasSuffix(path, "/delete") {
					continue
				}
				if a := c.p.post(path); a.status == http.StatusNotFound && !strings.Contains(path, "/keys/") || a.status == http.StatusMethodNotAllowed || a.status >= 500 {
					t.Errorf("a form leads to %s, which answers %d", path, a.status)
				}
			}
			t.Logf("%d pages, %d forms", len(c.seen), len(c.forms))
			if min := map[bool]int{true: 20, false: 3}[email != ""]; len(c.seen) < min {
				t.Errorf("only %d pages were found", len(c.seen))
			}
		})
	}
}
