package tocsin

import (
	"slices"
	"time"
)

// A Lifetime says for how long claims hold after their indicator was last seen.
// A phishing page is gone in days, and its address serves somebody else; the
// hash of a file means the same for ever. What is over leaves zones and lists,
// and stays where it can be read.
//
// Of several that apply to a claim the one that says most about it decides: one
// for its type and source before one for its source, that before one for its
// type, and that before one for everything; of two alike, the shorter.
type Lifetime struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Types   []string  `json:"types,omitempty"` // MISP types; empty: all
	Orgs    []int64   `json:"orgs,omitempty"`  // who created the event; empty: anyone
	Days    int64     `json:"days"`            // 0: for ever
	Created time.Time `json:"created"`
}

// A Clock is how far time has come for the log: what falls due up to At is over.
// There is one. Its lines say which claims fell due with them, so that reading
// them later needs no clock.
type Clock struct {
	ID  int64  `json:"id"`
	At  int64  `json:"at"` // seconds since 1970
	Due []Span `json:"due,omitempty"`
}

// A Span is claims by when their indicator was last seen: after After and up to
// UpTo, in seconds since 1970. With Ends set it is those whose owner said when
// they end, by that time.
type Span struct {
	Types []uint16 `json:"types,omitempty"` // by number; nil: all
	Ends  bool     `json:"ends,omitempty"`
	After int64    `json:"after"`
	UpTo  int64    `json:"up_to"`
}

// A Retention says what is deleted for good when it is old.
type Retention struct {
	ID      int64     `json:"id"`
	Name    string    `json:"name"`
	Orgs    []int64   `json:"orgs,omitempty"` // whose events; empty: everyone's
	Days    int64     `json:"days"`           // since the event was last changed
	Created time.Time `json:"created"`
}

// Has reports whether an attribute is in the span.
func (s Span) Has(a *Attribute) bool {
	at := a.Seen
	if s.Ends {
		if at = a.Ends; at == 0 {
			return false
		}
	}
	return s.After < at && at <= s.UpTo && (s.Types == nil || slices.Contains(s.Types, a.Value.Type().ID))
}

func (*Lifetime) Kind() Kind  { return KindLifetime }
func (*Clock) Kind() Kind     { return KindClock }
func (*Retention) Kind() Kind { return KindRetention }

func (l *Lifetime) RecordID() int64  { return l.ID }
func (c *Clock) RecordID() int64     { return c.ID }
func (r *Retention) RecordID() int64 { return r.ID }

func (l *Lifetime) SetRecordID(id int64)  { l.ID = id }
func (c *Clock) SetRecordID(id int64)     { c.ID = id }
func (r *Retention) SetRecordID(id int64) { r.ID = id }

func (l *Lifetime) RecordName() string  { return l.Name }
func (c *Clock) RecordName() string     { return "clock" } // there is one
func (r *Retention) RecordName() string { return r.Name }

const day = 24 * 60 * 60

// Lifetimes are those in force, at one line of the log.
type Lifetimes []*Lifetime

// Of returns for how many seconds claims of a type and an organisation hold, 0
// for ever.
func (ls Lifetimes) Of(typ string, orgc int64) int64 {
	best, days := -1, int64(0)
	for _, l := range ls {
		rank := 0
		if len(l.Orgs) > 0 {
			if !slices.Contains(l.Orgs, orgc) {
				continue
			}
			rank += 2
		}
		if len(l.Types) > 0 {
			if !slices.Contains(l.Types, typ) {
				continue
			}
			rank++
		}
		if rank > best || rank == best && l.Days != 0 && (days == 0 || l.Days < days) {
			best, days = rank, l.Days
		}
	}
	return days * day
}

// Until returns when a claim by an organisation is over, in seconds since 1970,
// and why; 0 if never.
func (ls Lifetimes) Until(a *Attribute, orgc int64) (at int64, why string) {
	if l := ls.Of(a.Value.TypeName(), orgc); l != 0 {
		at, why = a.Seen+l, "its indicator has not been seen for as long as such claims hold"
	}
	if a.Ends != 0 && (at == 0 || a.Ends < at) {
		at, why = a.Ends, "its owner says that it has ended"
	}
	return at, why
}

// Over reports whether a claim by an organisation is over at a time, in seconds
// since 1970.
func (ls Lifetimes) Over(a *Attribute, orgc, now int64) bool {
	at, _ := ls.Until(a, orgc)
	return at != 0 && at <= now
}
