package tocsin

import (
	"fmt"
	"time"

	"tocsin/access"
)

// A Handover is the wish of an organisation to hand one of its events over to
// another one, which then shares it in its own name. The event is the other's when it
// accepts.
type Handover struct {
	ID           int64                `json:"id"`
	Event        int64                `json:"event"`
	Org          int64                `json:"org"`       // who is to have it
	Requester    int64                `json:"requester"` // whose it is
	User         int64                `json:"user,omitempty"`
	Message      string               `json:"message,omitempty"`
	Distribution *access.Distribution `json:"distribution,omitempty"` // how far it is to go; nil: the other one decides
	Group        int64                `json:"group,omitempty"`
	Created      time.Time            `json:"created"`
}

func (*Handover) Kind() Kind             { return KindDelegation }
func (d *Handover) RecordID() int64      { return d.ID }
func (d *Handover) SetRecordID(id int64) { d.ID = id }
func (d *Handover) RecordName() string   { return fmt.Sprintf("event %d", d.Event) }
