package mispapi

import (
	"context"
	"iter"
	"regexp"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

func allowedWords(a *tocsin.Allowed) map[string]any {
	return map[string]any{"id": a.ID, "name": a.Pattern}
}

// indexAllowed answers with what is left out of searches and exports.
func indexAllowed(c *call) error {
	rows := []any{}
	for a := range c.view.Allowed() {
		rows = append(rows, map[string]any{"Allowedlist": allowedWords(a)})
	}
	return c.reply(c.page(rows))
}

func viewAllowed(c *call) error {
	a, err := store.One[*tocsin.Allowed](c.view, refOf(c.arg(0)).id)
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"Allowedlist": allowedWords(a)})
}

// addAllowed adds an expression, between slashes as in Perl.
func addAllowed(c *call) error { return c.putAllowed(&tocsin.Allowed{Created: c.db.Now()}) }

func editAllowed(c *call) error {
	old, err := store.One[*tocsin.Allowed](c.view, refOf(c.arg(0)).id)
	if err != nil {
		return err
	}
	a := *old
	return c.putAllowed(&a)
}

func (c *call) putAllowed(a *tocsin.Allowed) error {
	f, err := c.form("Allowedlist")
	if err != nil {
		return err
	}
	f.text("name", &a.Pattern)
	if _, err := pattern(a.Pattern); err != nil {
		f.refuse("name", "Name has to be in the form of /regexp/: "+err.Error())
	}
	if err := c.keep("save Allowedlist", f, "name", "There is such an entry already.", func(tx *store.Tx) error { return store.Put(tx, a) }); err != nil {
		return err
	}
	return c.reply(map[string]any{"Allowedlist": allowedWords(a)})
}

func deleteAllowed(c *call) error {
	id := refOf(c.arg(0)).id
	if _, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.Remove[*tocsin.Allowed](tx, id) }); err != nil {
		return err
	}
	return c.done("Allowedlist deleted.", c.r.URL.Path, c.arg(0))
}

// leaveOutAllowed has searches and exports leave out what an expression allows, as
// MISP does. Whoever looks at one event is shown all of it, as are peers.
func (c *call) leaveOutAllowed() {
	for a := range c.view.Allowed() {
		if p, err := pattern(a.Pattern); err == nil {
			c.allowed = append(c.allowed, p)
		}
	}
}

// attributes iterates over what a query finds, but for what is left out.
func (c *call) attributes(ctx context.Context, q store.Query) iter.Seq2[tocsin.Attribute, error] {
	return c.notAllowed(c.view.Attributes(ctx, q))
}

func (c *call) notAllowed(found iter.Seq2[tocsin.Attribute, error]) iter.Seq2[tocsin.Attribute, error] {
	if len(c.allowed) == 0 {
		return found
	}
	return func(yield func(tocsin.Attribute, error) bool) {
		for a, err := range found {
			if err == nil && c.allows(a.Value.String()) {
				continue
			}
			if !yield(a, err) {
				return
			}
		}
	}
}

func (c *call) allows(value string) bool {
	return slices.ContainsFunc(c.allowed, func(p *regexp.Regexp) bool { return p.MatchString(value) })
}

// pattern reads /expression/options. Expressions take time in proportion to what they
// look at (RE2), whoever wrote them.
func pattern(text string) (*regexp.Regexp, error) {
	end := strings.LastIndex(text, "/")
	if !strings.HasPrefix(text, "/") || end == 0 || len(text) > 1000 || strings.Trim(text[end+1:], "imsu") != "" {
		return nil, tocsin.Errorf(tocsin.Invalid, "an expression stands between slashes, and is at most 1000 characters long")
	}
	options := strings.ReplaceAll(text[end+1:], "u", "")
	if options != "" {
		options = "(?" + options + ")"
	}
	return regexp.Compile(options + text[1:end])
}
