package store

import (
	"slices"
	"strconv"

	"tocsin"
	"tocsin/access"
)

// unblocked refuses an event that the instance's administrators keep out.
func (tx *Tx) unblocked(e *tocsin.Event) error {
	if b, ok := tx.docs.byUUID(tocsin.KindBlock, e.UUID).(*tocsin.Block); ok && b.Of == tocsin.KindEvent {
		return &BlockedError{b.Of, tocsin.Errorf(tocsin.Forbidden, "the event %s is on this exchange's blocklist", e.UUID)}
	}
	o, ok := tx.docs.get(tocsin.KindOrganisation, e.Orgc).(*tocsin.Organisation)
	if !ok {
		return nil
	}
	if b, ok := tx.docs.byUUID(tocsin.KindBlock, o.UUID).(*tocsin.Block); ok && b.Of == tocsin.KindOrganisation {
		return &BlockedError{b.Of, tocsin.Errorf(tocsin.Forbidden, "events of %s are kept out: it is on this exchange's blocklist", o.Name)}
	}
	return nil
}

// Lift lets the uuid of an event that was deleted for good be used again: a deletion
// keeps it out as a blocklist's entry does, and is taken off as one. What was in the
// event does not come back.
func (tx *Tx) Lift(event tocsin.UUID) error {
	if !tx.v.May(access.SiteAdmin) {
		return errMayNot("change the blocklists")
	}
	switch lifted, err := tx.w.LiftTombstone(tx.ctx, event); {
	case err != nil:
		return err
	case !lifted:
		return tocsin.Errorf(tocsin.NotFound, "no event %s was deleted", event)
	}
	id, err := tx.newID(tocsin.KindBlock, 1)
	if err != nil {
		return err
	}
	tx.line(tocsin.Line{Kind: tocsin.KindBlock, ID: id, Before: &tocsin.Block{ID: id, Of: tocsin.KindEvent, UUID: event, Created: tx.now}})
	return nil
}

// A BlockedError refuses an event that is kept out, or whose organisation is.
type BlockedError struct {
	Of  tocsin.Kind
	err error
}

func (e *BlockedError) Error() string { return e.err.Error() }
func (e *BlockedError) Unwrap() error { return e.err }

// soundSetting refuses a value that the setting can't have. One that nobody here knows
// is somebody else's: it may have any.
func (tx *Tx) soundSetting(s *tocsin.Setting) error {
	if s.Value == "" {
		return nil // back to what it is by itself
	}
	bad := func(want string) error {
		return tocsin.Errorf(tocsin.Invalid, "%s is %s, not %q", s.Name, want, s.Value)
	}
	switch s.Name {
	case tocsin.SightingPolicy:
		if !slices.Contains([]string{"0", "1", "2", "3"}, s.Value) {
			return bad("0 (event owner), 1 (who sighted something of the event), 2 (everyone) or 3 (event owner and host)")
		}
	case tocsin.EventDistribution:
		if !slices.Contains([]string{"0", "1", "2", "3"}, s.Value) {
			return bad("0 (the organisation's own), 1 (this community), 2 (connected communities) or 3 (all)")
		}
	case tocsin.AttachmentLimit:
		if n, err := strconv.ParseInt(s.Value, 10, 64); err != nil || n < 0 || n > tocsin.MostAttachment {
			return bad("a number of octets up to 67108864")
		}
	case tocsin.SightingAnonymous, tocsin.Delegation, tocsin.OpenRegistration, tocsin.PrivatePeers:
		if s.Value != "true" && s.Value != "false" {
			return bad("true or false")
		}
	case tocsin.DefaultRole:
		id, err := strconv.ParseInt(s.Value, 10, 64)
		if _, ok := role(tx.docs, id); err != nil || !ok {
			return bad("the id of a role")
		}
	case tocsin.HostOrganisation:
		id, err := strconv.ParseInt(s.Value, 10, 64)
		if err != nil || tx.docs.get(tocsin.KindOrganisation, id) == nil {
			return bad("the id of an organisation")
		}
	}
	return nil
}
