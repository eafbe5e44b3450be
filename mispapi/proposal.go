package mispapi

import (
	"net/http"
	"strconv"
	"time"

	"tocsin"
	"tocsin/indicator"
	"tocsin/misp"
	"tocsin/store"
)

// Proposals, which MISP calls shadow attributes: what somebody who may see an event
// would change of it. Whoever owns the event accepts them or discards them.

// proposal returns the proposal that text names, done with or not.
func (c *call) proposal(text string) (*tocsin.Proposal, error) {
	return store.OneRemark(c.view.Proposals(c.r.Context(), store.RemarkQuery{IDs: []int64{refOf(text).id}, Deleted: store.Any}))
}

// proposalWords is a proposal as MISP answers it, with the members that a call has.
type proposalWords struct {
	ID        int64       `json:"id"`
	Old       int64       `json:"old_id"`
	Event     int64       `json:"event_id"`
	Type      string      `json:"type"`
	Category  string      `json:"category"`
	UUID      tocsin.UUID `json:"uuid"`
	ToIDS     bool        `json:"to_ids"`
	Comment   string      `json:"comment"`
	Org       *int64      `json:"org_id,omitempty"`
	EventOrg  *int64      `json:"event_org_id,omitempty"`
	Email     *string     `json:"email,omitempty"`
	Timestamp *int64      `json:"timestamp,omitempty"`
	FirstSeen *string     `json:"first_seen"`
	LastSeen  *string     `json:"last_seen"`
	Deleted   *bool       `json:"deleted,omitempty"`
	Delete    *bool       `json:"proposal_to_delete,omitempty"`
	Correlate *bool       `json:"disable_correlation,omitempty"`
	Value     string      `json:"value"`
	OrgUUID   tocsin.UUID `json:"org_uuid,omitzero"`
	OldUUID   tocsin.UUID `json:"old_uuid,omitzero"`
	EventUUID tocsin.UUID `json:"event_uuid,omitzero"`
	Proposer  *briefOrg   `json:"Org,omitempty"`
}

func wordsOf(p *tocsin.Proposal) proposalWords {
	w := proposalWords{ID: p.ID, Event: p.Event, Type: p.Type, Category: p.Category, UUID: p.Attribute, ToIDS: p.ToIDS, Comment: p.Comment,
		FirstSeen: seen(p.FirstSeen), LastSeen: seen(p.LastSeen), Value: p.Value}
	if p.About.Kind == tocsin.KindAttribute {
		w.Old = p.About.ID
	}
	return w
}

// seen is a time as MISP writes first_seen and last_seen; nil for none.
func seen(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	return new(at.UTC().Format("2006-01-02T15:04:05.000000-07:00"))
}

type wrappedProposal struct {
	Proposal proposalWords `json:"ShadowAttribute"`
}

// indexProposals answers with proposals: those of one event, or those about what the
// viewer's organisation holds; with all:1, as instances ask, all that it may see.
func indexProposals(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	q, err := proposalQuery(said, c.db.Now())
	if err != nil {
		return c.invalid(err)
	}
	if c.arg(0) != "" {
		e, err := c.event(c.arg(0))
		if err != nil {
			return err
		}
		q.Events = []int64{e.ID}
	}
	everyone := truthy(said["all"]) || c.arg(0) != ""
	limit, offset := q.Limit, q.Offset
	if !everyone { // what is left out is not counted
		q.Limit, q.Offset = 0, 0
	}
	out := c.stream(mediaJSON)
	out.b = append(out.b, '[')
	n := int64(0)
	for p, err := range c.view.Proposals(c.r.Context(), q) {
		if err != nil {
			return err
		}
		e := c.eventOf(&tocsin.Attribute{Event: p.Event})
		if e == nil {
			continue
		}
		if !everyone && !c.v.Administers() && e.Org != c.v.Org() {
			continue
		}
		if n++; !everyone && n <= offset {
			continue
		}
		if len(out.b) > 1 || out.begun {
			out.b = append(out.b, ',')
		}
		w := wordsOf(p)
		by := c.briefOrg(p.Orgc)
		w.Org, w.Timestamp, w.Deleted, w.Delete, w.Correlate = &p.Orgc, &p.Timestamp, &p.Deleted, &p.Delete, new(false)
		w.OrgUUID, w.EventUUID, w.Proposer = by.UUID, e.UUID, &by
		if w.Old != 0 {
			w.OldUUID = p.About.UUID
		}
		out.b = appendJSON(out.b, wrappedProposal{w})
		if err := out.flush(); err != nil {
			return err
		}
		if !everyone && limit > 0 && n == offset+limit {
			break
		}
	}
	out.b = append(out.b, ']')
	return out.end()
}

// mostProposals is how many proposals are answered where nobody says how many.
const mostProposals = 10_000

// proposalQuery reads what a client asks for of proposals.
func proposalQuery(said map[string]any, now time.Time) (q store.RemarkQuery, err error) {
	if q.Deleted, err = deletion(said["deleted"]); err != nil {
		return q, err
	}
	at, err := spanOf("timestamp", said["timestamp"], now)
	if err != nil {
		return q, err
	}
	q.Since, q.Until = at.since, at.until
	limit, page := int64(mostProposals), int64(1)
	for name, to := range map[string]*int64{"limit": &limit, "page": &page} {
		if v, ok := said[name]; ok {
			if *to, err = strconv.ParseInt(textOf(v), 10, 64); err != nil || *to < 1 || *to > 1<<40 {
				return q, tocsin.Errorf(tocsin.Invalid, "%s is a number above 0, not %q", name, textOf(v))
			}
		}
	}
	q.Limit = min(limit, mostProposals)
	q.Offset = (page - 1) * q.Limit
	return q, nil
}

// viewProposal answers with one proposal.
func viewProposal(c *call) error {
	p, err := c.proposal(c.arg(0))
	if err != nil {
		return err
	}
	w := wordsOf(p)
	w.Org = &p.Orgc
	return c.reply(wrappedProposal{w})
}

// addProposal proposes an attribute for an event.
func addProposal(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	p, err := c.readProposal(nil)
	if err != nil {
		return err
	}
	p.About = tocsin.Link{Kind: tocsin.KindEvent, ID: e.ID}
	return c.propose(p, e, "/shadow_attributes/add")
}

// editProposal proposes that an attribute be changed. What is not said stays as it is.
func editProposal(c *call) error {
	a, err := c.attribute(c.arg(0))
	if err != nil {
		return err
	}
	e, err := c.view.Event(c.r.Context(), a.Event)
	if err != nil {
		return err
	}
	p, err := c.readProposal(a)
	if err != nil {
		return err
	}
	p.About = tocsin.Link{Kind: tocsin.KindAttribute, ID: a.ID}
	return c.propose(p, e, "/shadow_attributes/edit")
}

// readProposal reads the body: a proposal to change a, or to add an attribute.
func (c *call) readProposal(a *tocsin.Attribute) (*tocsin.Proposal, error) {
	in, err := misp.DecodeProposal(c.r.Body)
	if err != nil {
		return nil, c.undecoded(err, "No valid attribute data received.")
	}
	if len(in.Problems) > 0 {
		p := in.Problems[0]
		return nil, c.unsaved("add ShadowAttribute", "/shadow_attributes/add", map[string][]string{p.Field: {p.Error()}}, nil)
	}
	p := in.Words(tocsin.Link{})
	p.Timestamp, p.Deleted, p.Delete = 0, false, false
	if a == nil {
		if t, ok := indicator.TypeByName(p.Type); ok && !in.ToIDS.Present() {
			p.ToIDS = t.ToIDS
		}
		return p, nil
	}
	p.Comment, p.ToIDS = in.Comment.Or(a.Comment), in.ToIDS.Or(a.ToIDS)
	p.FirstSeen, p.LastSeen = in.FirstSeen.Or(a.FirstSeen), in.LastSeen.Or(a.LastSeen)
	return p, nil
}

// propose keeps a proposal and answers with it.
func (c *call) propose(p *tocsin.Proposal, e *tocsin.Event, url string) error {
	if err := c.keepProposal(p, url); err != nil {
		return err
	}
	w := wordsOf(p)
	w.EventOrg, w.Email, w.Deleted, w.Timestamp = &e.Org, new(c.v.Name()), &p.Deleted, &p.Timestamp
	return c.reply(wrappedProposal{w})
}

func (c *call) keepProposal(p *tocsin.Proposal, url string) error {
	_, err := c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return store.AddRemark(tx, p) })
	switch tocsin.CodeOf(err) {
	case tocsin.Invalid:
		return c.unsaved("add ShadowAttribute", url, map[string][]string{"value": {err.Error()}}, nil)
	case tocsin.Conflict, tocsin.Gone:
		return c.unsaved("add ShadowAttribute", url, err.Error(), nil)
	}
	return err
}

// deleteProposal proposes that an attribute be deleted. Nobody is told by mail, which
// MISP says in these words.
func deleteProposal(c *call) error {
	a, err := c.attribute(c.arg(0))
	if err != nil {
		return err
	}
	p := &tocsin.Proposal{Head: tocsin.Head{About: tocsin.Link{Kind: tocsin.KindAttribute, ID: a.ID}}, Delete: true}
	if err := c.keepProposal(p, "/shadow_attributes/delete"); err != nil {
		return err
	}
	return c.reply(struct {
		Saved   bool   `json:"saved"`
		Success string `json:"success"`
	}{true, "The proposal to delete the attribute has been saved but sending out the alert e-mails has failed for at least one recipient."})
}

// acceptProposal does what was proposed, as the owner of the event.
func acceptProposal(c *call) error {
	p, err := c.proposal(c.arg(0))
	if err == nil {
		_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { _, err := tx.Accept(p.ID); return err })
	}
	switch tocsin.CodeOf(err) {
	case tocsin.Invalid, tocsin.Conflict, tocsin.Gone:
		return c.because(http.StatusForbidden, tocsin.CodeOf(err), "Could not accept proposal.", err.Error())
	}
	if err != nil {
		return err
	}
	sentence := "Proposal accepted."
	switch {
	case p.Delete:
		sentence = "Proposal to delete accepted."
	case p.About.Kind == tocsin.KindAttribute:
		sentence = "Proposed change accepted."
	}
	return c.settled(sentence)
}

// discardProposal marks a proposal as done with.
func discardProposal(c *call) error {
	p, err := c.proposal(c.arg(0))
	if err != nil {
		return err
	}
	_, err = c.db.Apply(c.r.Context(), c.v, func(tx *store.Tx) error { return tx.Discard(p.ID) })
	if err != nil {
		return err
	}
	return c.settled("Proposal discarded.")
}

// settled answers that a proposal is done with; unlike elsewhere with a whole address.
func (c *call) settled(sentence string) error {
	return c.reply(message{Name: sentence, Message: sentence, URL: origin(c.r) + c.r.URL.Path})
}

// shadowsIn returns the open proposals about attributes of an event.
func (c *call) shadowsIn(e *tocsin.Event) (map[int64][]byte, error) {
	enc, out := c.encoder(), map[int64][]byte{}
	err := listed(c.view.Proposals(c.r.Context(), store.RemarkQuery{Events: []int64{e.ID}}), out, func(b []byte, p *tocsin.Proposal) ([]byte, int64) {
		of := int64(0)
		if p.About.Kind == tocsin.KindAttribute {
			of = p.About.ID
		}
		return enc.AppendProposal(b, p, e.UUID), of
	})
	return out, err
}

// lockedMail reports of events whether somebody proposed something since their owner
// last changed them: MISP then writes no further mail about proposals.
func (c *call) lockedMail(events ...*tocsin.Event) (map[int64]bool, error) {
	at, ids := map[int64]tocsin.Seq{}, make([]int64, len(events))
	for i, e := range events {
		at[e.ID], ids[i] = e.Seq, e.ID
	}
	locked := map[int64]bool{}
	for p, err := range c.view.Proposals(c.r.Context(), store.RemarkQuery{Events: ids, Deleted: store.Any}) {
		if err != nil {
			return nil, err
		}
		if p.Seq > at[p.Event] {
			at[p.Event], locked[p.Event] = p.Seq, !p.Deleted
		}
	}
	return locked, nil
}
