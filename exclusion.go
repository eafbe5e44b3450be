package tocsin

import "time"

// KindExclusion is that of values that are left out of correlations.
const KindExclusion Kind = 75

// An Exclusion leaves a value out of correlations, whoever claims it. "%" at either
// end stands for any text.
type Exclusion struct {
	ID      int64     `json:"id"`
	Value   string    `json:"value"`
	Comment string    `json:"comment,omitempty"`
	Created time.Time `json:"created"`
}

func (*Exclusion) Kind() Kind             { return KindExclusion }
func (x *Exclusion) RecordID() int64      { return x.ID }
func (x *Exclusion) SetRecordID(id int64) { x.ID = id }
func (x *Exclusion) RecordName() string   { return x.Value }
