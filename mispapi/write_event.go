package mispapi

import (
	"errors"
	"io"
	"net/http"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
)

// addEvent adds an event with all that is in it.
func addEvent(c *call) error {
	if !c.writes() {
		return c.reply(addEventDescription)
	}
	d := c.drafter()
	e, err := misp.DecodeEvent(c.r.Body, d.each)
	if misp.IsEmpty(err) && c.shutOut() {
		return c.no(http.StatusForbidden, tocsin.Forbidden, orgBlocked)
	}
	if err != nil {
		return c.undecoded(err, "No valid event data received.")
	}
	return c.addDrafted(d, e)
}

// addDrafted adds an event whose attributes d holds already.
func (c *call) addDrafted(d *drafter, e *misp.Event) error {
	draft, err := c.draftEvent(d, e)
	if err != nil {
		return err
	}
	d.newcomers.New = draft.UUID
	if err := c.meet(d, &draft.Group); err != nil {
		return c.notAdded(err)
	}
	draft.Attributes, draft.Objects, draft.Remarks = d.attributes, d.objects, d.said()
	draft.Orgc = d.creator
	res, err := c.desk.AddEvent(c.r.Context(), c.v, draft)
	if err != nil {
		return c.notAdded(err)
	}
	return c.answerEvent(d, &res)
}

// draftEvent makes a draft of what was decoded.
func (c *call) draftEvent(d *drafter, e *misp.Event) (intake.EventDraft, error) {
	no := func(field, sentence string) (intake.EventDraft, error) {
		return intake.EventDraft{}, c.unsavedEvent("add Event", "/events/add", field, sentence)
	}
	if len(e.Problems) > 0 {
		p := e.Problems[0]
		return no(p.Field, p.Error())
	}
	out := intake.EventDraft{
		UUID: e.UUID.Or(tocsin.UUID{}), Info: e.Info.Or(""), Date: e.Date.Or(""), Threat: whole(e.Threat), Analysis: whole(e.Analysis),
		Group: d.group(e.Group, e.SharingGroup), Timestamp: e.Timestamp.Or(0), Locked: c.v.May(access.Sync) && e.Locked.Or(false),
		NoCorrelate: e.NoCorrelate.Or(false), Extends: e.Extends.Or(tocsin.UUID{}), Publish: unlessMayPublish(c.v, e.Published.Or(false)),
	}
	var ok bool
	if out.Distribution, ok = distribution(e.Distribution); !ok || out.Distribution != nil && *out.Distribution == access.Inherit {
		return no("distribution", distributions)
	}
	out.Distribution = c.sharesByDefault(out.Distribution)
	if out.Tags, ok = d.tags(withClusters(e.Tags, e.Galaxies)); !ok {
		return no("Tag", "a tag needs a name")
	}
	if c.v.May(access.Sync) {
		out.PublishedAt = e.PublishedAt.Or(0)
	}
	d.org(e.Orgc, &d.creator)
	d.besideEvent(e)
	for i := range e.Objects {
		if o, ok := d.object(&e.Objects[i], i); ok {
			d.objects = append(d.objects, o)
		}
	}
	return out, nil
}

// distributions is what MISP answers to a level that an event can't have.
const distributions = "Options : Your organisation only, This community only, Connected communities, All communities"

// undecoded says why a body is not what it should be.
func (c *call) undecoded(err error, empty string) error {
	if misp.IsEmpty(err) {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, empty)
	}
	// What is wrapped is the connection's error: too long, too late, broken off.
	if syntax, ok := err.(*tocsin.Error); ok {
		return c.because(http.StatusMethodNotAllowed, tocsin.Invalid, notJSON, syntax.Message)
	}
	return err
}

// notAdded says why an event was not taken.
func (c *call) notAdded(err error) error {
	if there, ok := errors.AsType[*store.ExistsError](err); ok {
		c.w.Header().Set("Location", eventURL(c.r, there.ID))
		return c.no(http.StatusNotFound, tocsin.Conflict, "Event already exists, if you would like to edit it, use the url in the location header.")
	}
	if kept, ok := errors.AsType[*store.BlockedError](err); ok && kept.Of == tocsin.KindOrganisation {
		return c.no(http.StatusForbidden, tocsin.Forbidden, orgBlocked)
	} else if ok || tocsin.CodeOf(err) == tocsin.Gone {
		return c.no(http.StatusForbidden, tocsin.Gone, "Event blocked by event blocklist.")
	}
	return c.refusedEvent("add Event", "/events/add", err)
}

// refusedEvent says an error about an event's own fields.
func (c *call) refusedEvent(what, url string, err error) error {
	no, ok := errors.AsType[*intake.Refusal](err)
	switch {
	case ok && no.Field == "info" && no.Text == "":
		return c.unsavedEvent(what, url, "info", "valueNotEmpty")
	case ok:
		return c.unsavedEvent(what, url, no.Field, no.Why)
	}
	switch tocsin.CodeOf(err) {
	case tocsin.Invalid, tocsin.Conflict, tocsin.Gone:
		return c.unsavedEvent(what, url, "Event", err.Error())
	}
	return err
}

func (c *call) unsavedEvent(what, url, field, sentence string) error {
	return c.unsaved(what, url, map[string]any{"Event": map[string][]string{field: {sentence}}}, nil)
}

// eventURL is where an event is, as the client reached us.
func eventURL(r *http.Request, id int64) string {
	return origin(r) + "/events/" + itoa(id)
}

// origin is the beginning of our addresses, as the client reached us.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}

// answerEvent answers with an event that was just added, from what was written:
// nothing is read back. What was not taken of it is named beside it; MISP leaves
// it out in silence, and its clients pass over the member.
func (c *call) answerEvent(d *drafter, res *intake.Result) error {
	if metadata := truthy(c.named["metadata"]); metadata || len(d.remarks)+len(d.references) > 0 {
		return c.answerRead(d, res, metadata)
	}
	keys, whole := map[indicator.Key]bool{}, true
	for i := range res.Attributes {
		if whole = c.collectKeys(keys, &res.Attributes[i]); !whole {
			break
		}
	}
	related, err := c.relatedBy(res.Event, keys, whole)
	if err != nil {
		return err
	}
	s := c.encoder().Event(res.Event, misp.Beside{Galaxies: c.galaxiesOn(res.Event.Tags, false), Related: related})
	out := c.stream(mediaJSON)
	out.b = s.Head(out.b)
	parts := map[int64][]*tocsin.Attribute{}
	for i := range res.Attributes {
		a := &res.Attributes[i]
		if a.Object != 0 {
			parts[a.Object] = append(parts[a.Object], a)
			continue
		}
		out.b = s.Attribute(out.b, a, misp.More{Galaxies: c.galaxiesOn(a.Tags, true)})
		if err := out.flush(); err != nil {
			return err
		}
	}
	for i := range res.Objects {
		out.b = s.Object(out.b, &res.Objects[i], nil)
		for _, a := range parts[res.Objects[i].ID] {
			out.b = s.Attribute(out.b, a, misp.More{Galaxies: c.galaxiesOn(a.Tags, true)})
		}
		if err := out.flush(); err != nil {
			return err
		}
	}
	out.b = s.Tail(out.b)
	out.b = withErrors(out.b, errorsOf(d, res))
	return out.end()
}

// editEvent changes of an event what the body names. Attributes are edited where
// the event has them by uuid, and added else.
func editEvent(c *call) error {
	old, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	d := c.drafter()
	e, err := misp.DecodeEvent(c.r.Body, func(a *misp.Attribute) error {
		if err := d.more(); err != nil {
			return err
		}
		if ed, ok := d.edit(a, d.n); ok {
			d.edits = append(d.edits, ed)
		}
		return nil
	})
	if err != nil {
		return c.undecoded(err, "No valid event data received.")
	}
	edit, err := c.draftEdit(d, e, old)
	if err != nil {
		return err
	}
	if err := c.sortObjects(d, e, old); err != nil {
		return err
	}
	d.newcomers.Event = old.ID
	if err := c.meet(d, edit.Group); err != nil {
		return c.notEdited(err, old)
	}
	edit.Attributes, edit.Objects, edit.Known, edit.Remarks = d.edits, d.objects, d.known, d.said()
	res, err := c.desk.EditEvent(c.r.Context(), c.v, old.ID, edit)
	if err != nil {
		return c.notEdited(err, old)
	}
	return c.answerRead(d, &res, truthy(c.named["metadata"]))
}

// answerRead answers with an event as it is read after it was written; with its head
// alone if the client, an instance that pushes, wants no more.
func (c *call) answerRead(d *drafter, res *intake.Result, metadata bool) error {
	out := c.stream(mediaJSON)
	if err := c.appendEvent(out, res.Event, eventOptions{metadata: metadata}); err != nil {
		return err
	}
	out.b = withErrors(out.b, errorsOf(d, res))
	return out.end()
}

func (c *call) notEdited(err error, e *tocsin.Event) error {
	if errors.Is(err, intake.ErrOlder) {
		return c.unsaved("edit Event", "/events/edit/"+itoa(e.ID), "Event could not be saved: Event in the request not newer than the local copy.", e.ID)
	}
	if tocsin.CodeOf(err) == tocsin.Forbidden && c.v.May(access.Sync) {
		return c.unsaved("edit Event", "/events/edit/"+itoa(e.ID), notCreators, e.ID)
	}
	return c.refusedEvent("edit Event", "/events/edit/"+itoa(e.ID), err)
}

// notCreators is what MISP tells an instance that pushes an event that is not its own.
const notCreators = "Event could not be saved: The user used to edit the event is not authorised to do so. This can be caused by the user not being of the same organisation as the original creator of the event whilst also not being a site administrator."

// draftEdit makes an edit of what was decoded, its parts left aside.
func (c *call) draftEdit(d *drafter, e *misp.Event, old *tocsin.Event) (intake.EventEdit, error) {
	no := func(field, sentence string) (intake.EventEdit, error) {
		return intake.EventEdit{}, c.unsavedEvent("edit Event", "/events/edit/"+itoa(old.ID), field, sentence)
	}
	if len(e.Problems) > 0 {
		p := e.Problems[0]
		return no(p.Field, p.Error())
	}
	out := intake.EventEdit{
		Info: said(e.Info), Date: said(e.Date), Threat: whole(e.Threat), Analysis: whole(e.Analysis), Timestamp: e.Timestamp.Or(0),
		NoCorrelate: said(e.NoCorrelate), Extends: said(e.Extends), Exact: c.v.May(access.Sync),
	}
	if p, ok := e.Published.Get(); ok {
		out.Publish = new(unlessMayPublish(c.v, p))
	}
	var ok bool
	if out.Distribution, ok = distribution(e.Distribution); !ok || out.Distribution != nil && *out.Distribution == access.Inherit {
		return no("distribution", distributions)
	}
	if e.Group.Present() || e.SharingGroup != nil {
		out.Group = new(d.group(e.Group, e.SharingGroup))
	}
	if out.Tags, ok = d.tags(e.Tags); !ok {
		return no("Tag", "a tag needs a name")
	}
	d.besideEvent(e)
	return out, nil
}

// withErrors puts errors beside the record in b, which is one JSON object.
func withErrors(b []byte, errs map[string]any) []byte {
	if errs == nil {
		return b
	}
	b = append(b[:len(b)-1], `,"errors":`...)
	return append(appendJSON(b, errs), '}')
}

// body reads a whole body.
func (c *call) body() ([]byte, error) { return io.ReadAll(c.r.Body) }
