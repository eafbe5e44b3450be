package portal_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/store"
)

// hostile is what strangers write where a page might not expect it. Each holds
// the word canary, by which it is found.
var hostile = []string{
	`<script>canary()</script>`,
	`"><img src=x onerror=canary()>`,
	`'-canary()-'`,
	`</textarea><svg onload=canary()>`,
	`</title><script>canary()</script>`,
	`</option></select><script>canary()</script>`,
	`javascript:canary()`,
	`{{canary}} ${canary} <%= canary %>`,
	`" autofocus onfocus="canary()`,
	`<!--<canary>`,
	`&lt;canary&gt;&#x3c;script&#x3e;`,
	"canary\u202eelpmaxe.live\u202c",
	"canary\u200b\u200b\u200bzero\u00adwidth\ufeff",
	"canary\x1b[31mred\x07",
	"canary\u2028line\u2029end",
	"canary\U000e0041\U000e0042tags",
	"canary" + strings.Repeat("W", 5000),
	"canary" + strings.Repeat("\u0301", 300),
	"\u2067canary\u2069 \u115f\u3164",
}

// fill puts a text wherever a text can be kept, and returns the event.
func (w *world) fill(t *testing.T, text string) (event int64) {
	t.Helper()
	name := strings.ToValidUTF8(text, "")
	short := name
	if len(short) > 200 {
		short = strings.ToValidUTF8(short[:200], "")
	}
	v, err := indicator.Parse("text", text)
	if err != nil {
		t.Fatal(err)
	}
	sys := access.System("portal's test")
	w.write(t, sys, func(tx *store.Tx) error {
		o := &tocsin.Organisation{Name: short, UUID: tocsin.NewUUID(tx.Now()), Local: true}
		if err := store.Put(tx, o); err != nil {
			return err
		}
		if err := store.Put(tx, &tocsin.User{Email: short, Org: o.ID, Role: 2, Password: hashed, Created: tx.Now()}); err != nil {
			return err
		}
		g := &tocsin.Group{Name: short, Org: o.ID, Members: []tocsin.Member{{Org: o.ID}}}
		if err := store.Put(tx, g); err != nil {
			return err
		}
		c := &tocsin.Collection{Name: short, Org: o.ID, Zone: short, Filter: short, Sources: []int64{o.ID}}
		if err := store.Put(tx, c); err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Subscriber{Name: short, Collection: c.ID, Org: o.ID, TSIG: &tocsin.TSIG{Name: short, Algorithm: short, Secret: tocsin.NewSecret([]byte(short))}})
	})
	me := w.as(t, short)
	w.write(t, me, func(tx *store.Tx) error {
		mark, err := tx.TagNamed(oneLine(short), "") // the store takes no control characters here
		if err != nil {
			return err
		}
		groups := w.GroupsOf(me.Org())
		e := tocsin.Event{Info: text, Date: "2026-01-01", Threat: 1, Distribution: access.Group, Group: groups[0], Published: true,
			Tags: tocsin.NewTagSet(tocsin.Attached{Tag: mark.ID})}
		if err := tx.AddEvent(&e); err != nil {
			return err
		}
		event = e.ID
		o := &tocsin.Object{Name: text, MetaCategory: text, Description: text, Comment: text, Distribution: access.Inherit}
		a := tocsin.Attribute{Value: v, Category: indicator.Other, Comment: text, Relation: text, ToIDS: true, Distribution: access.Group, Group: groups[0],
			Tags: tocsin.NewTagSet(tocsin.Attached{Tag: mark.ID})}
		b := a
		b.Comment = "alone"
		if _, err := tx.AddObject(e.ID, o, []tocsin.Attribute{a}); err != nil {
			return err
		}
		if _, err := tx.AddAttributes(e.ID, []tocsin.Attribute{b}, true); err != nil {
			return err
		}
		if _, err := tx.Publish(e.ID, true); err != nil {
			return err
		}
		return store.Put(tx, &tocsin.Key{UUID: tocsin.NewUUID(tx.Now()), User: me.User(), Hash: short, Ends: short, Comment: text, Created: tx.Now()})
	})
	return event
}

// oneLine is a text without control characters.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// harmless checks that nothing of a hostile text became an element, an
// attribute that acts, or an invisible character.
func harmless(t *testing.T, a answer) {
	t.Helper()
	wellFormed(t, a)
	p := parse(t, a)
	for n := range p.root.Descendants() {
		switch n.Type {
		case html.CommentNode:
			t.Errorf("%s: a comment %q", a.path, n.Data)
		case html.TextNode:
			if i := strings.IndexFunc(n.Data, invisible); i >= 0 && !within(n, atom.Textarea) {
				t.Errorf("%s: U+%04X is in a text", a.path, []rune(n.Data[i:])[0])
			}
		case html.ElementNode:
			if n.Data == "script" && n.FirstChild != nil || slices.Contains([]string{"svg", "canary", "iframe", "object", "embed"}, n.Data) {
				t.Errorf("%s: an element <%s>", a.path, n.Data)
			}
			for _, at := range n.Attr {
				dangerous := strings.HasPrefix(at.Key, "on") || at.Key == "style" || at.Key == "srcdoc" ||
					slices.Contains([]string{"href", "src", "action", "formaction"}, at.Key) && !strings.HasPrefix(at.Val, "/portal/") && !strings.HasPrefix(at.Val, "#")
				if dangerous {
					t.Errorf("%s: <%s %s=%q>", a.path, n.Data, at.Key, at.Val)
				}
			}
		}
	}
}

func invisible(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 ||
		r == 0xfeff || r == 0xad || r >= 0xe0000 && r <= 0xe007f || r == 0x115f || r == 0x3164
}

func TestHostileTexts(t *testing.T) {
	for i, text := range hostile {
		t.Run(itoa(int64(i)), func(t *testing.T) {
			w := newWorld(t)
			event := w.fill(t, text)
			short := text
			if len(short) > 200 {
				short = strings.ToValidUTF8(short[:200], "")
			}
			p := w.anyone(t)
			if a := p.post("/portal/sign-in", "email", short, "password", password); a.status != http.StatusOK {
				t.Fatalf("sign in: %d", a.status)
			}
			c := &crawl{t: t, p: p, seen: map[string]bool{}, forms: map[string]string{}}
			c.todo = []string{"/portal/", "/portal/?q=" + url.QueryEscape(text), "/portal/events?text=" + url.QueryEscape(text),
				eventPath(event) + "?text=" + url.QueryEscape(text) + "&type=" + url.QueryEscape(text), "/portal/share?values=" + url.QueryEscape(text),
				"/portal/collections/2?name=" + url.QueryEscape(text)}
			seen := 0
			for len(c.todo) > 0 {
				path := c.todo[0]
				c.todo = c.todo[1:]
				a := p.get(path).is(t, http.StatusOK)
				if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
					continue
				}
				if strings.Contains(a.body, "canary") {
					seen++
				}
				harmless(t, a)
				c.links(a)
			}
			if seen < 10 {
				t.Errorf("the text is on %d pages only", seen)
			}
			for _, a := range []answer{
				p.post("/portal/share", "info", text, "values", text+"\nevil.example", "comment", text, "tlp", text, "collection", text, "distribution", "0"),
				p.post("/portal/share", "info", "", "values", text, "comment", text, "distribution", "0"),
				p.post("/portal/share", "info", text, "values", text, "distribution", text),
				p.post("/portal/", "q", text+"\n"+strings.Repeat("x", 2000)),
				p.post(eventPath(event)+"/attributes", "values", text, "comment", text),
				p.post(eventPath(event)+"/distribution", "distribution", "0"),
				p.get("/portal/" + url.PathEscape(text)),
				p.get("/portal/sign-in?next=" + url.QueryEscape("/portal/"+text)),
				w.anyone(t).post("/portal/sign-in", "email", text, "password", "wrong", "next", text),
				p.get("/portal/subscribers/2/config?resolver=" + url.QueryEscape(text)),
			} {
				harmless(t, a)
			}
		})
	}
}
