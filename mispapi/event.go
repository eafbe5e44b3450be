package mispapi

import (
	"net/http"

	"tocsin"
	"tocsin/misp"
	"tocsin/store"
)

// events answers /events and /events/{id}, where the method says what is meant.
func events(c *call) error {
	alone := len(c.args) == 0
	switch {
	case len(c.args) > 1 || !alone && refOf(c.arg(0)) == ref{}:
		return c.no(http.StatusNotFound, tocsin.NotFound, "Not Found")
	case alone && c.writes():
		return c.as("/events/add")
	case alone:
		return c.as("/events/index")
	case c.r.Method == http.MethodDelete:
		return c.as("/events/delete")
	case c.writes():
		return c.as("/events/edit")
	}
	return c.as("/events/view")
}

// viewEvent answers with one event and all of it that the viewer may see.
func viewEvent(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodHead {
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	said, err := c.filters()
	if err != nil {
		return err
	}
	deleted, err := viewDeletion(said["deleted"])
	if err != nil {
		return c.invalid(err)
	}
	o := eventOptions{deleted: deleted, inbound: true, unrelated: said["includeEventCorrelations"] != nil && !truthy(said["includeEventCorrelations"]),
		metadata: truthy(said["metadata"]), warned: said["includeWarninglistHits"] == nil || truthy(said["includeWarninglistHits"]), analysts: said["includeAnalystData"] == nil || truthy(said["includeAnalystData"]),
		extended: truthy(said["extended"]), unsighted: truthy(said["noSightings"]), galaxyless: truthy(said["excludeGalaxy"]),
		attached: said["includeAttachments"] == nil || truthy(said["includeAttachments"])}
	out := c.stream(mediaJSON)
	if err := c.appendEvent(out, e, o); err != nil {
		return err
	}
	return out.end()
}

// eventOptions are what a client may ask for of an event.
type eventOptions struct {
	deleted   store.Deletion
	inbound   bool // related events have a RelationshipInbound
	unrelated bool // no related events
	metadata  bool // no attributes and objects
	warned    bool // what lists guard says so
	guarded   *bool
	toIDs     *bool           // only attributes that are marked so
	without   []tocsin.TagSet // none that carry such tags
	analysts  bool            // notes, opinions and relationships
	attached  bool            // the content of attributes
	unsighted bool            // no sightings
	extended  bool            // with what is in events that extend it

	galaxyless bool // no galaxies: the clusters' tags are there all the same
}

// appendEvent streams an event. Attributes outside objects go out as they come;
// those in objects wait for their objects, which come behind.
func (c *call) appendEvent(out *stream, e *tocsin.Event, o eventOptions) error {
	x := misp.Beside{NoRelated: o.unrelated, Inbound: o.inbound, Metadata: o.metadata}
	var err error
	if !o.unrelated {
		if x.Related, err = c.related(e); err != nil {
			return err
		}
	}
	if o.extended {
		if x.Extending, err = c.extending(e); err != nil {
			return err
		}
	}
	in := append([]*tocsin.Event{e}, x.Extending...)
	said := &saidOf{}
	if !o.metadata {
		if said, err = c.saidIn(in, o); err != nil {
			return err
		}
	}
	if !o.galaxyless {
		x.Galaxies = c.galaxiesOn(e.Tags, false)
	}
	x.Proposals, x.Reports, x.Remarks = said.proposals[0], said.reports, said.on(tocsin.KindEvent, e.ID)
	enc := c.encoder()
	if enc.MailLocked, err = c.lockedMail(e); err != nil {
		return err
	}
	s := enc.Event(e, x)
	out.b = s.Head(out.b)
	if o.metadata {
		if err := out.flush(); err != nil {
			return err
		}
		out.b = s.Tail(out.b)
		return nil
	}
	ids := make([]int64, len(in))
	for i := range in {
		ids[i] = in[i].ID
	}
	parts := map[int64][]tocsin.Attribute{}
	for a, err := range c.attributes(c.r.Context(), store.Query{Events: ids, Deleted: o.deleted, Guarded: o.guarded, ToIDS: o.toIDs, NotTags: o.without}) {
		if err != nil {
			return err
		}
		if a.Object != 0 {
			parts[a.Object] = append(parts[a.Object], a)
			continue
		}
		m, err := c.more(&a, o, said)
		if err != nil {
			return err
		}
		out.b = s.Attribute(out.b, &a, m)
		if err := out.flush(); err != nil {
			return err
		}
	}
	for ob, err := range c.view.Objects(c.r.Context(), store.ObjectQuery{Events: ids, Deleted: o.deleted}) {
		if err != nil {
			return err
		}
		out.b = s.Object(out.b, &ob, said.references[ob.ID], said.on(tocsin.KindObject, ob.ID)...)
		for _, a := range parts[ob.ID] {
			m, err := c.more(&a, o, said)
			if err != nil {
				return err
			}
			out.b = s.Attribute(out.b, &a, m)
			if err := out.flush(); err != nil {
				return err
			}
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = s.Tail(out.b) // what comes beside it may yet be put in
	return nil
}

// more is what was asked for beside an attribute of an event.
func (c *call) more(a *tocsin.Attribute, o eventOptions, said *saidOf) (m misp.More, err error) {
	m.Proposals, m.Sightings, m.Remarks = said.proposals[a.ID], said.sightings[a.ID], said.on(tocsin.KindAttribute, a.ID)
	if !o.galaxyless {
		m.Galaxies = c.galaxiesOn(a.Tags, true)
	}
	if o.warned {
		m.Warnings = c.warnings(a)
	}
	if o.attached {
		m.Data, err = c.heldBy(a)
	}
	return m, err
}

// publishEvent lets an event leave.
func publishEvent(c *call) error {
	id, err := c.publish(true)
	if err != nil {
		return err
	}
	return c.done("Job queued", c.r.URL.Path, id)
}

// alertEvent lets an event leave, and has those told by mail who asked for it.
func alertEvent(c *call) error {
	id, err := c.publish(true)
	if err != nil {
		return err
	}
	return c.done("Job queued.", "/events/alert/"+c.arg(0), id)
}

// unpublishEvent takes it back.
func unpublishEvent(c *call) error {
	if _, err := c.publish(false); err != nil {
		return err
	}
	return c.done("Event unpublished.", c.r.URL.Path, c.arg(0))
}

func (c *call) publish(published bool) (int64, error) {
	e, err := c.event(c.arg(0))
	if err != nil {
		return 0, err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error {
		_, err := tx.Publish(e.ID, published)
		return err
	})
	return e.ID, err
}

// deleteEvent deletes an event for good. Whoever may not gets the answer of an
// event that is not there, as in MISP.
func deleteEvent(c *call) error {
	e, err := c.event(c.arg(0))
	if err == nil {
		_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.DeleteEvent(e.ID) })
	}
	switch tocsin.CodeOf(err) {
	case tocsin.NotFound, tocsin.Forbidden:
		return c.unsaved("delete Event", "/events/delete", "Event was not deleted.", nil)
	}
	if err != nil {
		return err
	}
	return c.done("Event deleted.", c.r.URL.Path, c.arg(0))
}

// description answers GET on a call that adds, as a script's help.
type description struct {
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Mandatory   []string `json:"mandatory_fields"`
	Optional    []string `json:"optional_fields"`
	URL         string   `json:"url"`
}

var addEventDescription = description{
	Name:        "/events/add API description",
	Description: "POST a MISP Event JSON to this API to create an Event. Contained objects can also be included (such as attributes, objects, tags, etc).",
	Mandatory:   []string{"info"},
	Optional: []string{"threat_level_id", "analysis", "distribution", "sharing_group_id", "uuid", "published", "timestamp", "date",
		"Attribute", "Object", "Shadow_Attribute", "EventTag"},
	URL: "/events/add",
}
