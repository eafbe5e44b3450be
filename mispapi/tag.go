package mispapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"tocsin"
	"tocsin/store"
)

// indexTags answers with all tags that the viewer may know of.
func indexTags(c *call) error {
	tags := slices.SortedFunc(c.view.Tags(), func(a, b *tocsin.Tag) int { return strings.Compare(a.Name, b.Name) })
	enc, out := c.encoder(), c.stream(mediaJSON)
	out.b = append(out.b, `{"Tag":[`...)
	for i, t := range tags {
		if i > 0 {
			out.b = append(out.b, ',')
		}
		out.b = enc.AppendTag(out.b, t)
		out.b = append(out.b[:len(out.b)-1], `,"favourite":false}`...)
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = append(out.b, `]}`...)
	return out.end()
}

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
// or in the path.
type tagging struct {
	UUID  text `json:"uuid"`
	Tag   text `json:"tag"`
	Local text `json:"local"`
}

// A text is a string, or a number that a client sends in its place.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	*t = text(b)
	return nil
}

func (c *call) tagging() (t tagging, err error) {
	b, err := c.body()
	if err != nil {
		return t, err
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &t); err != nil {
			return t, c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, err.Error())
		}
	}
	if c.arg(0) != "" {
		t.UUID = text(c.arg(0))
	}
	if c.arg(1) != "" {
		t.Tag = text(c.arg(1))
		if known, err := c.tagNamed(c.arg(1)); err == nil {
			t.Tag = text(known.Name)
		} else {
			return t, c.no(http.StatusMethodNotAllowed, tocsin.NotFound, "Invalid tag")
		}
	}
	if t.Local == "" {
		t.Local = text(c.arg(2))
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

func attachTag(c *call) error {
	what, err := c.tagging()
	if err != nil {
		return err
	}
	to, err := c.target(string(what.UUID))
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(what.Tag)) == "" {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "Invalid tag")
	}
	tag, local, err := c.attach(to, string(what.Tag), truthy(string(what.Local)))
	if err != nil {
		return err
	}
	const url = "/tags/attachTagToObject"
	if tag == nil {
		return c.done(fmt.Sprintf("%s already has the requested tag attached, no changes had to be made for tag %s.", to.kind(), what.Tag), url, nil)
	}
	return c.done(fmt.Sprintf("%s tag %s(%d) successfully attached to %s.", reach(local), tag.Name, tag.ID, to), url, nil)
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
		if !c.mayAttach(tag) {
			return c.no(http.StatusForbidden, tocsin.Forbidden, "Invalid Tag. This tag can only be set by a fixed organisation.")
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

// mayAttach reports whether a tag is for the viewer to attach.
func (c *call) mayAttach(t *tocsin.Tag) bool {
	return c.v.SeesAll() || (t.Org == 0 || t.Org == c.v.Org()) && (t.User == 0 || t.User == c.v.User())
}

func removeTag(c *call) error {
	what, err := c.tagging()
	if err != nil {
		return err
	}
	from, err := c.target(string(what.UUID))
	if err != nil {
		return err
	}
	tag, local, err := c.detach(from, string(what.Tag))
	if err != nil {
		return err
	}
	return c.done(fmt.Sprintf("%s tag %s (%d) successfully removed from %s.", reach(local), tag.Name, tag.ID, from), "/tags/removeTagFromObject", nil)
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

// eventTagging is the shape of the answers of events/addTag and events/removeTag,
// which are of status 200 whatever they say.
type eventTagging struct {
	Saved   bool   `json:"saved"`
	Success string `json:"success,omitempty"`
	Errors  string `json:"errors,omitempty"`
	Publish bool   `json:"check_publish,omitempty"`
}

// tagEvent attaches a tag that there is: /events/addTag/7/tlp:green.
func tagEvent(c *call) error {
	e, tag, err := c.eventAndTag()
	if err != nil || tag == nil {
		return err
	}
	if _, _, err := c.attach(target{event: e}, tag.Name, truthy(c.named["local"])); err != nil {
		return err
	}
	return c.reply(eventTagging{Saved: true, Success: "Tag(s) added.", Publish: true})
}

// untagEvent removes one: /events/removeTag/7/tlp:green.
func untagEvent(c *call) error {
	e, tag, err := c.eventAndTag()
	if err != nil || tag == nil {
		return err
	}
	if !e.Tags.Has(tag.ID) {
		return c.reply(eventTagging{Errors: "Invalid event - tag combination."})
	}
	if _, _, err := c.detach(target{event: e}, tag.Name); err != nil {
		return err
	}
	return c.reply(eventTagging{Saved: true, Success: "Tag removed.", Publish: true})
}

// eventAndTag reads /7/tlp:green. Where there is no such tag it has answered.
func (c *call) eventAndTag() (*tocsin.Event, *tocsin.Tag, error) {
	e, err := c.event(c.arg(0))
	if err != nil {
		return nil, nil, err
	}
	tag, err := c.tagNamed(c.arg(1))
	if err != nil {
		return nil, nil, c.reply(eventTagging{Errors: "Invalid Tag."})
	}
	return e, tag, nil
}
