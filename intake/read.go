package intake

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A reading is what drafts turned out to say.
type reading struct {
	sound   []tocsin.Attribute
	from    []*Draft // sound[i] is what from[i] says
	refused []Refusal
}

// A reader reads drafts of one viewer.
type reader struct {
	groups func() map[int64]bool // the sharing groups that the viewer may name
}

func (d *Desk) reader(v access.Viewer) reader {
	return reader{sync.OnceValue(func() map[int64]bool {
		ids := map[int64]bool{}
		for g := range d.DB.As(v).Groups() {
			ids[g.ID] = true
		}
		return ids
	})}
}

// alone is how many drafts are worth a goroutine.
const alone = 2048

// read reads drafts in order, on all cores if they are many.
func (r reader) read(drafts []Draft) reading {
	n := min(runtime.GOMAXPROCS(0), 1+len(drafts)/alone)
	if n == 1 {
		return r.run(drafts, 0)
	}
	parts := make([]reading, n)
	var wg sync.WaitGroup
	for i := range parts {
		lo, hi := i*len(drafts)/n, (i+1)*len(drafts)/n
		wg.Go(func() { parts[i] = r.run(drafts[lo:hi], lo) })
	}
	wg.Wait()
	all := reading{sound: make([]tocsin.Attribute, 0, len(drafts)), from: make([]*Draft, 0, len(drafts))}
	for _, p := range parts {
		all.sound = append(all.sound, p.sound...)
		all.from = append(all.from, p.from...)
		all.refused = append(all.refused, p.refused...)
	}
	return all
}

// run reads drafts, the first of which is the first'th of its list.
func (r reader) run(drafts []Draft, first int) reading {
	out := reading{sound: make([]tocsin.Attribute, 0, len(drafts)), from: make([]*Draft, 0, len(drafts))}
	for i := range drafts {
		d := &drafts[i]
		if d.Line == 0 {
			d.Line = first + i + 1
		}
		a, no := r.draft(d)
		if no != nil {
			out.refused = append(out.refused, *no)
			continue
		}
		out.sound = append(out.sound, a)
		out.from = append(out.from, d)
	}
	return out
}

// draft reads one draft, but for its tags' ids, which are for the transaction.
func (r reader) draft(d *Draft) (tocsin.Attribute, *Refusal) {
	v, no := value(d.Line, d.Type, d.Text)
	if no != nil {
		return tocsin.Attribute{}, no
	}
	a := tocsin.Attribute{
		UUID: d.UUID, Value: v, ToIDS: v.Type().ToIDS, Deleted: d.Deleted, NoCorrelate: d.NoCorrelate,
		Distribution: access.Inherit, Timestamp: max(0, d.Timestamp), Relation: d.Relation, Comment: d.Comment,
	}
	if a.Category, no = category(d.Line, v.Type(), d.Category); no != nil {
		return a, no
	}
	if d.ToIDS != nil {
		a.ToIDS = *d.ToIDS
	}
	if d.Distribution != nil {
		a.Distribution, a.Group = *d.Distribution, d.Group
	}
	a.FirstSeen, a.LastSeen = d.FirstSeen, d.LastSeen
	if no := r.check(d.Line, &a, nil); no != nil {
		return a, no
	}
	for _, t := range d.Tags {
		if why := badTag(t); why != "" {
			return a, refuse(d.Line, "Tag", t.Name, why)
		}
	}
	return a, nil
}

// value reads text as a value of the named type, or of the type it looks like.
func value(line int, typ, text string) (v indicator.Value, no *Refusal) {
	var err error
	switch typ {
	case "":
		v, err = indicator.Detect(text)
	default:
		t, ok := indicator.TypeByName(typ)
		if !ok {
			return v, refuse(line, "type", typ, "there is no such type")
		}
		v, err = t.Parse(text)
	}
	if err == nil {
		return v, nil
	}
	why := err.Error()
	if p, ok := errors.AsType[*indicator.ParseError](err); ok {
		why = p.Why
	}
	return v, refuse(line, "value", text, why)
}

// defaults are the types' default categories, by the types' numbers.
var defaults = func() (cs []indicator.Category) {
	for _, t := range indicator.Types() {
		for len(cs) <= int(t.ID) {
			cs = append(cs, 0)
		}
		cs[t.ID], _ = indicator.CategoryByName(t.DefaultCategory)
	}
	return cs
}()

// category returns the category of that name, or what the type stands in
// unless somebody says otherwise.
func category(line int, t *indicator.Type, name string) (indicator.Category, *Refusal) {
	if name == "" {
		return defaults[t.ID], nil
	}
	c, ok := indicator.CategoryByName(name)
	switch {
	case !ok:
		return 0, refuse(line, "category", name, "there is no such category")
	case !t.Allows(c): // MISP blames the type
		return 0, refuse(line, "type", t.Name, fmt.Sprintf("it does not go with category %q; try one of %s", name, strings.Join(t.Categories, ", ")))
	}
	return c, nil
}

// maxComment is what a MISP column holds, in octets.
const maxComment = 1<<16 - 1

// check refuses what the store or a peer could not keep. The distribution that an
// attribute had already may stay.
func (r reader) check(line int, a, was *tocsin.Attribute) *Refusal {
	if why := badText(a.Comment); why != "" {
		return refuse(line, "comment", a.Comment, why)
	}
	if why := badText(a.Relation); why != "" {
		return refuse(line, "object_relation", a.Relation, why)
	}
	if was == nil || a.Distribution != was.Distribution || a.Group != was.Group {
		if why := r.badDistribution(a.Distribution, a.Group, access.Inherit); why != "" {
			return refuse(line, "distribution", "", why)
		}
	}
	if why := badPeriod(a.FirstSeen, a.LastSeen); why != "" {
		return refuse(line, "last_seen", "", why)
	}
	return nil
}

// badText says why a text that goes with a record can't be kept, or "".
func badText(s string) string {
	switch {
	case s == "":
		return ""
	case !utf8.ValidString(s):
		return "it is not valid UTF-8: convert the text first"
	case strings.IndexByte(s, 0) >= 0:
		return "it holds a NUL character"
	case len(s) > maxComment:
		return "it is longer than 65,535 octets"
	}
	return ""
}

// badDistribution says why a record can't have that distribution, or "".
func (r reader) badDistribution(d access.Distribution, group int64, highest access.Distribution) string {
	switch {
	case d > highest:
		return fmt.Sprintf("distribution is 0 to %d, not %d", highest, d)
	case d == access.Group && !r.groups()[group]:
		return fmt.Sprintf("no sharing group %d; distribution 4 needs one that your organisation is a member of", group)
	}
	return ""
}

func badPeriod(first, last time.Time) string {
	if !first.IsZero() && !last.IsZero() && last.Before(first) {
		return "it is before first_seen"
	}
	return ""
}
