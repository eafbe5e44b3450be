package mispapi

import (
	"cmp"
	"net/http"
	"slices"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A handover is the wish to hand an event over, which MISP calls a delegation.

type handoverWords struct {
	ID           int64  `json:"id"`
	Org          int64  `json:"org_id"`
	Requester    int64  `json:"requester_org_id"`
	Event        int64  `json:"event_id"`
	Message      string `json:"message"`
	Distribution int64  `json:"distribution"` // -1: the recipient decides
	Group        int64  `json:"sharing_group_id"`
}

func wordsOfHandover(h *tocsin.Handover) handoverWords {
	w := handoverWords{h.ID, h.Org, h.Requester, h.Event, h.Message, -1, h.Group}
	if h.Distribution != nil {
		w.Distribution = int64(*h.Distribution)
	}
	return w
}

// indexHandovers answers with the events that are to be handed over by the viewer's
// organisation, or to it.
func indexHandovers(c *call) error {
	rows := []any{}
	for _, h := range slices.SortedFunc(c.view.Delegations(), func(a, b *tocsin.Handover) int { return cmp.Compare(a.ID, b.ID) }) {
		row := map[string]any{"EventDelegation": wordsOfHandover(h), "Org": c.briefOrg(h.Org), "RequesterOrg": c.briefOrg(h.Requester)}
		if e, err := c.view.Event(c.r.Context(), h.Event); err == nil { // who is to have it may not see it yet
			row["Event"] = struct {
				ID   int64       `json:"id"`
				UUID tocsin.UUID `json:"uuid"`
				Info string      `json:"info"`
			}{e.ID, e.UUID, e.Info}
		}
		rows = append(rows, row)
	}
	return c.reply(rows)
}

// delegateEvent wishes that another organisation had an event.
func delegateEvent(c *call) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	if inner, ok := said["EventDelegation"].(map[string]any); ok {
		said = inner
	}
	e, err := c.event(cmp.Or(c.arg(0), textOf(said["event_id"])))
	if err != nil {
		return err
	}
	if c.db.Setting(tocsin.Delegation) != "true" {
		return c.no(http.StatusForbidden, tocsin.Forbidden, "Delegation is not enabled on this instance.")
	}
	org, err := small[*tocsin.Organisation](c.view, textOf(said["org_id"]))
	if err != nil {
		return c.missed(err, noOrganisation)
	}
	h := &tocsin.Handover{Event: e.ID, Org: org.ID, Requester: c.v.Org(), User: c.v.User(), Message: textOf(said["message"]), Created: c.db.Now()}
	no := func(why any) error {
		return c.unsaved("delegate Event", "/event_delegations/delegateEvent/"+itoa(e.ID), why, nil)
	}
	if d := textOf(said["distribution"]); d != "" && d != "-1" {
		n, ok := digit(d)
		if !ok || n > int64(access.Group) {
			return no(map[string][]string{"distribution": {distributions}})
		}
		h.Distribution, h.Group = new(access.Distribution(n)), refOf(textOf(said["sharing_group_id"])).id
	}
	if len(h.Message) > maxMessage {
		return no(map[string][]string{"message": {"it is longer than 65,535 octets"}})
	}
	err = c.change(func(tx *store.Tx) error { return store.Put(tx, h) })
	switch tocsin.CodeOf(err) {
	case tocsin.Invalid, tocsin.Conflict:
		return no(err.Error())
	}
	if err != nil {
		return err
	}
	return c.reply(map[string]any{"EventDelegation": wordsOfHandover(h)})
}

// maxMessage is how long a text may be that goes with a request, in octets.
const maxMessage = 1<<16 - 1

// digit reads one digit.
func digit(s string) (int64, bool) {
	if len(s) != 1 || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	return int64(s[0] - '0'), true
}

// handover returns the wish that the path names.
func (c *call) handover() (*tocsin.Handover, error) {
	return store.One[*tocsin.Handover](c.view, refOf(c.arg(0)).id)
}

// acceptHandover makes an event the viewer's organisation's.
func acceptHandover(c *call) error {
	h, err := c.handover()
	if err != nil {
		return err
	}
	if err := c.change(func(tx *store.Tx) error { _, err := tx.AcceptDelegation(h.ID); return err }); err != nil {
		return err
	}
	return c.done("Event ownership transferred.", c.r.URL.Path, h.Event)
}

// dropHandover drops the wish, as either of the two.
func dropHandover(c *call) error {
	h, err := c.handover()
	if err != nil {
		return err
	}
	if err := c.change(func(tx *store.Tx) error { return store.Remove[*tocsin.Handover](tx, h.ID) }); err != nil {
		return err
	}
	return c.done("Delegation request deleted.", c.r.URL.Path, h.ID)
}
