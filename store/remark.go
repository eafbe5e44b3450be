package store

import (
	"encoding/binary"
	"encoding/json"
	"strconv"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// A RemarkRow is a remark as an engine keeps it: what it is found by, and the rest
// as JSON.
type RemarkRow struct {
	Kind      tocsin.Kind
	ID        int64
	UUID      tocsin.UUID // zero: none; no two remarks of any kind have the same
	Event     int64       // 0: in none
	About     tocsin.Link // kind and id; zero: it stands by itself, or what it is about is elsewhere
	To        tocsin.Link // likewise
	Orgc      int64
	Keys      [2]uint64 // 0: none
	Timestamp int64
	Deleted   bool
	Label     access.LabelID
	Seq       tocsin.Seq
	JSON      []byte
}

// MaxDepth is how many remarks may stand on one another: a note on a note on a
// report is as deep as it goes. An engine asks of each whether it may be seen.
const MaxDepth = 3

// A RemarkQuery narrows a read of remarks of one kind, as [Query] does.
type RemarkQuery struct {
	IDs      []int64
	UUIDs    []tocsin.UUID
	Events   []int64
	About    tocsin.Kind // with AboutIDs: the records that it is about
	AboutIDs []int64
	To       tocsin.Kind // what it points to is of this kind; 0: whatever
	Orgs     []int64     // who made it
	Keys     []uint64    // any of its keys is any of these: see [KeyOfUUID] and [DB.Hasher]
	Since    int64       // timestamp, seconds
	Until    int64
	Deleted  Deletion
	Newest   bool // highest id first
	After    int64
	Offset   int64
	Limit    int64
}

// A Last is when something was last said about what is in an event.
type Last struct{ Event, Timestamp int64 }

// KeyOfUUID is the number by which remarks are found that point at a record by its
// uuid. Two uuids may share one, so whoever asks looks at what was found.
func KeyOfUUID(u tocsin.UUID) uint64 { return binary.BigEndian.Uint64(u[8:]) }

// KeyOfSum is the number by which attachments are found that have a content, of its
// SHA-256 in hex; 0 for what is none. Two may share one, so whoever asks looks.
func KeyOfSum(sha256 string) uint64 {
	n, err := strconv.ParseUint(sha256[:min(16, len(sha256))], 16, 64)
	if err != nil {
		return 0
	}
	return n
}

// A Witness is which sightings a viewer may have, of those whose attribute it may
// see (MISP's setting Plugin.Sightings_policy): its own organisation's, those of
// the events that it holds, and what the instance's policy adds.
type Witness struct {
	All       bool  // every one
	Org       int64 // the viewer's own organisation's, and those of its events
	Host      int64 // those of this organisation; 0: none
	Reporters bool  // those of events of which Org sighted something that is still there
}

// MISP's sighting policies.
const (
	sightingsOwner = iota // the event's owner sees all, everyone else their own
	sightingsReporters
	sightingsEveryone
	sightingsHost
)

// witness works out which sightings v may have.
func witness(v access.Viewer, docs shelfView) Witness {
	w := Witness{All: v.Administers(), Org: v.Org()}
	policy, _ := strconv.Atoi(setting(docs, tocsin.SightingPolicy))
	switch policy {
	case sightingsReporters:
		w.Reporters = true
	case sightingsEveryone:
		w.All = true
	case sightingsHost:
		w.Host, _ = strconv.ParseInt(setting(docs, tocsin.HostOrganisation), 10, 64)
	}
	return w
}

// setting returns the value of a setting, "" if nobody decided it.
func setting(docs shelfView, name string) string {
	if s, ok := docs.named(tocsin.KindSetting, name).(*tocsin.Setting); ok {
		return s.Value
	}
	return ""
}

// row makes of a remark what an engine keeps.
func row(r tocsin.Remark, keys [2]uint64) (RemarkRow, error) {
	h := r.Remarked()
	b, err := json.Marshal(r)
	return RemarkRow{Kind: r.Kind(), ID: h.ID, UUID: h.UUID, Event: h.Event, About: here(h.About), To: here(h.To), Orgc: h.Orgc,
		Keys: keys, Timestamp: h.Timestamp, Deleted: h.Deleted, Label: h.Label, Seq: h.Seq, JSON: b}, err
}

// here is what an engine needs of a link; nothing if it points elsewhere.
func here(l tocsin.Link) tocsin.Link {
	if l.ID == 0 {
		return tocsin.Link{}
	}
	return l
}

// away is the key by which a remark is found that is about something elsewhere.
func away(l tocsin.Link) uint64 {
	if l.ID != 0 || l.UUID.IsZero() {
		return 0
	}
	return KeyOfUUID(l.UUID)
}

// remark reads what an engine kept.
func remark(k tocsin.Kind, b []byte) (tocsin.Remark, error) {
	r, _ := tocsin.NewRecord(k).(tocsin.Remark)
	return r, json.Unmarshal(b, r)
}

// valueKeys are the numbers of a value's keys.
func (c Coder) valueKeys(v indicator.Value) (keys [2]uint64) {
	keys[0], keys[1] = c.Keys(&tocsin.Attribute{Value: v})
	return keys
}
