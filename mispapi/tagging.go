package mispapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/store"
)

// A target is a record that tags are attached to.
type target struct {
	event     *tocsin.Event
	attribute *tocsin.Attribute // of that event; nil: the event itself
}

func (t target) String() string {
	if t.attribute != nil {
		return fmt.Sprintf("Attribute(%d)", t.attribute.ID)
	}
	return fmt.Sprintf("Event(%d)", t.event.ID)
}

func (t target) kind() string { s, _, _ := strings.Cut(t.String(), "("); return s }

func (t target) tags() tocsin.TagSet {
	if t.attribute != nil {
		return t.attribute.Tags
	}
	return t.event.Tags
}

// tag attaches and removes tags.
func (t target) tag(tx *store.Tx, add, remove []tocsin.Attached) error {
	if t.attribute != nil {
		_, err := tx.TagAttribute(t.attribute.ID, add, remove)
		return err
	}
	_, err := tx.TagEvent(t.event.ID, add, remove)
	return err
}

// target returns the event or attribute that a uuid names.
func (c *call) target(uuid string) (t target, err error) {
	if refOf(uuid).uuid.IsZero() {
		return t, tocsin.Errorf(tocsin.NotFound, "%q is no uuid", uuid)
	}
	if t.event, err = c.event(uuid); tocsin.CodeOf(err) != tocsin.NotFound || err == nil {
		return t, err
	}
	if t.attribute, err = c.attribute(uuid); err != nil {
		return t, err
	}
	t.event, err = c.view.Event(c.r.Context(), t.attribute.Event)
	return t, err
}

// A tagging is what attachTagToObject and removeTagFromObject are told, in a body
// or in the path: one or several records, one or several tags.
type tagging struct {
	UUIDs list `json:"uuid"`
	Tags  list `json:"tag"`
	Local text `json:"local"`
}

// A text is a string, or a number or a switch that a client sends in its place.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		return json.Unmarshal(b, (*string)(t))
	case '{', '[':
		return errNoText
	}
	*t = text(b)
	return nil
}

var errNoText = errors.New("there should be a text or a number")

// A list is one text, several with "||" between them, or a JSON list of such.
type list []string

func (l *list) UnmarshalJSON(b []byte) error {
	var many []text
	if b[0] != '[' {
		many = make([]text, 1)
		if err := json.Unmarshal(b, &many[0]); err != nil {
			return err
		}
	} else if err := json.Unmarshal(b, &many); err != nil {
		return err
	}
	for _, t := range many {
		for one := range strings.SplitSeq(string(t), "||") {
			if one = strings.TrimSpace(one); one != "" && one != "null" {
				*l = append(*l, one)
			}
		}
	}
	return nil
}

// maxTaggings is how many tags one call attaches or removes, record by record.
const maxTaggings = 1000

func (c *call) tagging() (t tagging, err error) {
	b, err := c.body()
	if err != nil {
		return t, err
	}
	if len(b) > 0 && string(b) != "[]" {
		if err := json.Unmarshal(b, &t); err != nil {
			return t, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
		}
	}
	if c.arg(0) != "" {
		t.UUIDs = list{c.arg(0)}
	}
	if c.arg(1) != "" {
		known, err := c.tagNamed(c.arg(1))
		if err != nil {
			return t, c.no(http.StatusMethodNotAllowed, tocsin.NotFound, "Invalid tag")
		}
		t.Tags = list{known.Name}
	}
	if t.Local == "" {
		t.Local = text(c.arg(2) + c.named["local"])
	}
	if len(t.UUIDs)*len(t.Tags) > maxTaggings {
		return t, c.no(http.StatusMethodNotAllowed, tocsin.Invalid, fmt.Sprintf("%d records and %d tags are too many for one call.", len(t.UUIDs), len(t.Tags)))
	}
	if len(t.UUIDs) == 0 {
		return t, tocsin.Errorf(tocsin.NotFound, "no record is named")
	}
	return t, nil
}

// tagNamed returns the tag that is called so, or has that number.
func (c *call) tagNamed(name string) (*tocsin.Tag, error) {
	if id := refOf(name).id; id != 0 {
		if t, err := store.One[*tocsin.Tag](c.view, id); err == nil {
			return t, nil
		}
	}
	return store.ByName[*tocsin.Tag](c.view, strings.TrimSpace(name))
}

// meant returns the names of the tags that a client names: of those of a collection
// ("collection_3"), each.
func (c *call) meant(names []string) (out []string) {
	for _, n := range names {
		if rest, ok := strings.CutPrefix(n, "collection_"); ok {
			if col, err := small[*tocsin.TagCollection](c.view, rest); err == nil {
				out = append(out, c.tagsIn(col)...)
				continue
			}
		}
		out = append(out, n)
	}
	return out
}

func attachTag(c *call) error {
	what, err := c.tagging()
	if err != nil {
		return err
	}
	targets, err := c.targets(what.UUIDs)
	if err != nil {
		return err
	}
	names := c.meant(what.Tags)
	if len(names) == 0 {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Invalid tag")
	}
	var done []string
	for _, to := range targets {
		for _, name := range names {
			tag, local, err := c.attach(to, name, truthy(string(what.Local)))
			switch {
			case err != nil:
				return err
			case tag == nil:
				done = append(done, fmt.Sprintf("%s already has the requested tag attached, no changes had to be made for tag %s.", to.kind(), name))
			default:
				done = append(done, fmt.Sprintf("%s tag %s(%d) successfully attached to %s.", reach(local), tag.Name, tag.ID, to))
			}
		}
	}
	return c.done(strings.Join(done, " "), "/tags/attachTagToObject", nil)
}

// targets are the records that uuids name; one that is not there is none of several.
func (c *call) targets(uuids []string) (ts []target, err error) {
	for _, u := range uuids {
		t, err := c.target(u)
		if err != nil {
			return nil, err
		}
		ts = append(ts, t)
	}
	return ts, nil
}

func reach(local bool) string {
	if local {
		return "Local"
	}
	return "Global"
}

// attach attaches a tag, which is made if the viewer may; nil says that it was there.
func (c *call) attach(to target, name string, local bool) (tag *tocsin.Tag, asLocal bool, err error) {
	if known, err := c.tagNamed(name); err == nil {
		name = known.Name
	}
	there := false
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		var err error
		if tag, err = tx.TagNamed(name, ""); err != nil {
			return err
		}
		if err := c.mayAttach(tag); err != nil {
			return err
		}
		at := tocsin.Attached{Tag: tag.ID, Local: local || tag.LocalOnly}
		asLocal = at.Local
		// Asking for what is there changes nothing, but whoever may not attach is told so.
		if there = to.tags().Has(tag.ID) && c.v.Owns(c.db.Labels().Label(to.event.Label)); there {
			return nil
		}
		return to.tag(tx, []tocsin.Attached{at}, nil)
	})
	if there {
		return nil, asLocal, err
	}
	return tag, asLocal, err
}

// mayAttach refuses a tag that is for another organisation or user to attach.
func (c *call) mayAttach(t *tocsin.Tag) error {
	who := ""
	switch {
	case c.v.SeesAll():
	case t.Org != 0 && t.Org != c.v.Org():
		who = "organisation"
	case t.User != 0 && t.User != c.v.User():
		who = "user"
	}
	if who == "" {
		return nil
	}
	return c.unsaved("attach tag to object", "/tags/attachTagToObject", "Invalid Tag. This tag can only be set by a fixed "+who+".", nil)
}

func removeTag(c *call) error {
	what, err := c.tagging()
	if err != nil {
		return err
	}
	targets, err := c.targets(what.UUIDs)
	if err != nil {
		return err
	}
	var done []string
	for _, from := range targets {
		for _, name := range c.meant(what.Tags) {
			tag, local, err := c.detach(from, name)
			if err != nil {
				return err
			}
			done = append(done, fmt.Sprintf("%s tag %s (%d) successfully removed from %s.", reach(local), tag.Name, tag.ID, from))
		}
	}
	if done == nil {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Invalid tag")
	}
	return c.done(strings.Join(done, " "), "/tags/removeTagFromObject", nil)
}

func (c *call) detach(from target, name string) (tag *tocsin.Tag, local bool, err error) {
	tag, err = c.tagNamed(name)
	if err != nil || !from.tags().Has(tag.ID) {
		return nil, false, c.no(http.StatusMethodNotAllowed, tocsin.NotFound, "Invalid tag")
	}
	for at := range from.tags().All() {
		if at.Tag == tag.ID {
			local = at.Local
		}
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		return from.tag(tx, nil, []tocsin.Attached{{Tag: tag.ID, Local: local}})
	})
	return tag, local, err
}

// A tagAnswer is the shape of the answers of events/addTag, attributes/addTag and
// their like, which are of status 200 whatever they say.
type tagAnswer struct {
	Saved   bool   `json:"saved"`
	Success string `json:"success,omitempty"`
	Errors  string `json:"errors,omitempty"`
	Publish bool   `json:"check_publish,omitempty"`
}

// tagEvent attaches tags that there are: /events/addTag/7/tlp:green, or {"tag": …}.
func tagEvent(c *call) error { return c.tagRecord(eventTarget) }

// untagEvent removes them: /events/removeTag/7/tlp:green.
func untagEvent(c *call) error { return c.untagRecord(eventTarget, "event") }

// tagAttribute attaches tags that there are: /attributes/addTag/12/5.
func tagAttribute(c *call) error { return c.tagRecord(attributeTarget) }

// untagAttribute removes them.
func untagAttribute(c *call) error { return c.untagRecord(attributeTarget, "attribute") }

func eventTarget(c *call, text string) (t target, err error) {
	t.event, err = c.event(text)
	return t, err
}

func attributeTarget(c *call, text string) (t target, err error) {
	if t.attribute, err = c.attribute(text); err != nil {
		return t, err
	}
	t.event, err = c.view.Event(c.r.Context(), t.attribute.Event)
	return t, err
}

func (c *call) tagRecord(of func(*call, string) (target, error)) error {
	to, names, local, err := c.recordAndTags(of)
	if err != nil {
		return err
	}
	tags, ok := c.tagsNamed(names)
	if !ok {
		return c.reply(tagAnswer{Errors: "Invalid Tag."})
	}
	for _, tag := range tags {
		if _, _, err := c.attach(to, tag.Name, local); err != nil {
			return err
		}
	}
	return c.reply(tagAnswer{Saved: true, Success: "Tag(s) added.", Publish: true})
}

func (c *call) untagRecord(of func(*call, string) (target, error), kind string) error {
	from, names, _, err := c.recordAndTags(of)
	if err != nil {
		return err
	}
	tags, ok := c.tagsNamed(names)
	if !ok {
		return c.reply(tagAnswer{Errors: "Invalid Tag."})
	}
	for _, tag := range tags {
		if !from.tags().Has(tag.ID) {
			return c.reply(tagAnswer{Errors: "Invalid " + kind + " - tag combination."})
		}
		if _, _, err := c.detach(from, tag.Name); err != nil {
			return err
		}
	}
	return c.reply(tagAnswer{Saved: true, Success: "Tag removed.", Publish: true})
}

// recordAndTags reads /7/tlp:green, or /7 and {"tag": "tlp:green"}.
func (c *call) recordAndTags(of func(*call, string) (target, error)) (t target, names []string, local bool, err error) {
	var d struct {
		Event     text `json:"event"`
		Attribute text `json:"attribute"`
		Tag       list `json:"tag"`
		Local     text `json:"local"`
	}
	b, err := c.body()
	if err != nil {
		return t, nil, false, err
	}
	if len(b) > 0 && string(b) != "[]" {
		if err := json.Unmarshal(b, &d); err != nil {
			return t, nil, false, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
		}
	}
	if c.arg(1) != "" {
		d.Tag = list{c.arg(1)}
	}
	id := c.arg(0)
	if id == "" {
		id = string(d.Event + d.Attribute)
	}
	t, err = of(c, id)
	if err == nil && len(d.Tag) == 0 {
		err = c.no(http.StatusNotFound, tocsin.NotFound, "Invalid tag")
	}
	if len(d.Tag) > maxTaggings {
		err = c.no(http.StatusMethodNotAllowed, tocsin.Invalid, fmt.Sprintf("%d tags are too many for one call.", len(d.Tag)))
	}
	return t, d.Tag, truthy(c.named["local"]) || truthy(string(d.Local)), err
}

// tagsNamed returns the tags that are meant, or that one of them is not there.
func (c *call) tagsNamed(names []string) (tags []*tocsin.Tag, ok bool) {
	for _, n := range c.meant(names) {
		t, err := c.tagNamed(n)
		if err != nil {
			return nil, false
		}
		tags = append(tags, t)
	}
	return tags, len(tags) > 0
}
