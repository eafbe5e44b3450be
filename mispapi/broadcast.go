package mispapi

import (
	"bytes"
	"context"
	"net/http"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A Bus carries messages to programs beside the exchange, as MISP's ZeroMQ plugin
// does (package peer).
type Bus interface {
	Publish(topic string, body []byte) error
}

// topicEvent is the topic under which MISP's plugin sends whole events.
const topicEvent = "misp_json"

// pushEvent sends an event to the bus, as whoever asks sees it, who is of the
// organisation that made it, or an administrator.
func pushEvent(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	if e.Orgc != c.v.Org() && !c.v.SeesAll() {
		return tocsin.Errorf(tocsin.Forbidden, "event %d is another organisation's to push", e.ID)
	}
	if c.Bus == nil {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "ZeroMQ is not set up here; an administrator starts the exchange with --zmq.")
	}
	doc, err := c.document(c.r.Context(), c.v, e)
	if err != nil {
		return err
	}
	if err := c.Bus.Publish(topicEvent, doc); err != nil {
		return err
	}
	return c.done("Event published to ZMQ", c.r.URL.Path, c.arg(0))
}

// document is an event as events/view shows it to v.
func (a *API) document(ctx context.Context, v access.Viewer, e *tocsin.Event) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/events/view/"+itoa(e.ID), nil)
	if err != nil {
		return nil, err
	}
	w := &draftAnswer{header: http.Header{}}
	c := &call{API: a, w: w, r: r, v: v, view: a.db.As(v), act: &action{path: "/events/view"}}
	out := c.stream(mediaJSON)
	if err := c.appendEvent(out, e, eventOptions{}); err != nil {
		return nil, err
	}
	err = out.end()
	return w.Bytes(), err
}

// A draftAnswer is an answer that goes nowhere yet.
type draftAnswer struct {
	bytes.Buffer
	header http.Header
}

func (d *draftAnswer) Header() http.Header { return d.header }
func (d *draftAnswer) WriteHeader(int)     {}

// A Broadcast follows the log and sends each event to a bus when it is published,
// as the organisation sees it whose programs listen there.
type Broadcast struct {
	api  *API
	bus  Bus
	view access.Viewer
	from tocsin.Seq // what was written up to here is no news
	at   tocsin.Seq
}

// NewBroadcast begins with what is written from now on: what was published
// before was news then.
func (a *API) NewBroadcast(bus Bus, v access.Viewer) *Broadcast {
	head := a.db.Head()
	return &Broadcast{api: a, bus: bus, view: v, from: head, at: head}
}

var _ store.Follower = (*Broadcast)(nil)

// Name is that of the follower.
func (b *Broadcast) Name() string { return "zmq" }

// Place is the last line that was looked at.
func (b *Broadcast) Place() tocsin.Seq { return b.at }

// Restart forgets its place; what is handed over again was news before.
func (b *Broadcast) Restart(context.Context) error {
	b.at, b.from = 0, b.api.db.Head()
	return nil
}

// Follow sends what was published. What can't be sent is gone: the bus is for those
// who listen now.
func (b *Broadcast) Follow(ctx context.Context, changes []tocsin.Change) error {
	reader := access.System("mispapi: was it published just now; the event is read as the organisation it is for")
	for i := range changes {
		b.at = changes[i].Seq
		if b.at <= b.from || changes[i].Kind != tocsin.KindEvent {
			continue
		}
		was, is := tocsin.Records[*tocsin.Event](&changes[i], reader)
		if is == nil || !is.Published || was != nil && was.Published && was.PublishedAt == is.PublishedAt {
			continue
		}
		e, err := b.api.db.As(b.view).Event(ctx, is.ID)
		if tocsin.CodeOf(err) == tocsin.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		doc, err := b.api.document(ctx, b.view, e)
		if err != nil {
			return err
		}
		if err := b.bus.Publish(topicEvent, doc); err != nil {
			return err
		}
	}
	return nil
}
