package store

import (
	"context"
	"errors"
	"iter"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// An Engine keeps bytes. Package storetest holds what it must do.
//
// It knows nothing of rights. What it reads for people comes with a [Scoped]
// query, which only this package can make; what it reads by id in a [Writer] is
// for this package, which asks who before anything leaves it.
type Engine interface {
	// Use gives the engine what it needs to turn labels, tags and values into
	// numbers. It is called once, before anything but docs, Labels, TagSets, settings
	// and RewriteLines is touched.
	Use(Coder)
	// Write runs fn in a transaction of its own and commits it: when Write returns
	// nil, what fn wrote is synced to disk. An error of fn undoes all of it. At
	// most one Write runs at a time. Where a shared engine loses sight of a commit,
	// it finds out what became of it before it returns.
	Write(context.Context, func(Writer) error) error
	// Read runs fn on one consistent state of the store. Readers neither wait for
	// a writer nor hold one up.
	Read(context.Context, func(Reader) error) error
	// Close ends the engine. Everything acknowledged is on disk already.
	Close() error
}

// A Shared engine keeps a store that several nodes may have open, each with an
// engine of its own. A Write of one waits for that of another, so that lines,
// ids, labels and sets of tags are numbered for all of them alike.
type Shared interface {
	Engine
	// OnAway has fn called when the store is found to be away in the middle of a
	// Write, which then goes on trying for a while. It is called once, before Use.
	OnAway(fn func(error))
	// Turn tells where the store stands now, without waiting for a writer.
	Turn(context.Context) (Turn, error)
	// Lease gives holder the lease of that name for so long, by the store's clock,
	// unless another holds it, and reports whether holder has it. Who has it already
	// has it anew. Yield gives it back.
	Lease(ctx context.Context, name, holder string, ttl time.Duration) (bool, error)
	Yield(ctx context.Context, name, holder string) error
	// SignIn keeps what a node says of itself, and Nodes tells of all that did
	// since, in order of name.
	SignIn(context.Context, Node) error
	Nodes(ctx context.Context, since time.Duration) ([]Node, error)
}

// ErrAway is what errors of a shared engine wrap when it can't be reached. Such an
// error has a sentence for whoever asked.
var ErrAway = errors.New("the database can't be reached")

// A Turn is where the store stands, read in one breath.
type Turn struct {
	Head    tocsin.Seq     // the last line of the log, 0 if there is none
	Labels  access.LabelID // how many labels are interned
	TagSets uint32         // how many sets of tags
	Purged  tocsin.Seq     // rows of events deleted at or before this line may be gone
	At      time.Time      // by the store's own clock; zero if it has none
}

// A Node is one exchange of several on one store, as it says of itself.
type Node struct {
	ID      string // stays the same over restarts
	Name    string // of the machine
	Version string
	Place   tocsin.Seq    // how far its projections are on its disk
	Off     time.Duration // by how much its clock is ahead of the store's
	Seen    time.Time     // by the store's clock
}

// A Reader reads one state of the store.
type Reader interface {
	// Events iterates in order of id, and Attributes as the query asks.
	Events(context.Context, Scoped[EventQuery]) iter.Seq2[tocsin.Event, error]
	Attributes(context.Context, Scoped[Query]) iter.Seq2[tocsin.Attribute, error]
	Objects(context.Context, Scoped[ObjectQuery]) iter.Seq2[tocsin.Object, error]
	// CountEvents and CountAttributes answer how many the query would give,
	// without its limit.
	CountEvents(context.Context, Scoped[EventQuery]) (int64, error)
	CountAttributes(context.Context, Scoped[Query]) (int64, error)
	// Tally counts those same attributes by their type, their category or (TraitTag) the
	// number of their set of tags, and TallyEvents events by the number of theirs.
	Tally(context.Context, Trait, Scoped[Query]) (map[int64]int64, error)
	TallyEvents(context.Context, Scoped[EventQuery]) (map[int64]int64, error)
	// Crowds iterates over the keys that at least so many attributes which the query would
	// give have as their own, those of the most first, and no more than its limit.
	Crowds(ctx context.Context, q Scoped[Query], least int64) iter.Seq2[Crowd, error]
	// Remarks iterates over remarks of one kind, as the JSON that was put, in order of
	// id. A viewer may have one if
	//   - its own label is one that the viewer may read, and
	//   - its event, if it has one, is not hidden and has such a label, and
	//   - what About and To point at is there and has such labels: an attribute or an
	//     object its own, a remark its own and by the same rule what it is about, up to
	//     [MaxDepth] remarks one on another; and
	//   - of sightings, [Scoped.Witness] allows it.
	// To one who sees all only what is gone is not shown.
	Remarks(context.Context, tocsin.Kind, Scoped[RemarkQuery]) iter.Seq2[[]byte, error]
	CountRemarks(context.Context, tocsin.Kind, Scoped[RemarkQuery]) (int64, error)
	// LastRemarks iterates over the events that have remarks which the query would
	// give, its limit left aside, each with the greatest timestamp of them.
	LastRemarks(context.Context, tocsin.Kind, Scoped[RemarkQuery]) iter.Seq2[Last, error]

	// Turn is where the store stands.
	Turn(context.Context) (Turn, error)
	// Lines iterates over the log after a line, in order.
	Lines(ctx context.Context, after tocsin.Seq) iter.Seq2[LogLine, error]
	// AsOf iterates over attributes, those parts of them at least, as they were just
	// after line n: those of one event, of all events if event is 0, and of those only
	// first..last if last is not 0. Deleted ones are among them.
	AsOf(ctx context.Context, n tocsin.Seq, event, first, last int64, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error]

	// Spans iterates over attributes in any of spans as they were just after line
	// n, those that were deleted after it among them. It may give some more than once.
	Spans(ctx context.Context, n tocsin.Seq, spans []tocsin.Span, ps tocsin.Parts) iter.Seq2[tocsin.Attribute, error]

	// Docs iterates over the small records of every kind.
	Docs(context.Context) iter.Seq2[Doc, error]
	// Labels and TagSets return what was interned after an id, in order of id.
	Labels(ctx context.Context, after access.LabelID) ([]access.Label, error)
	TagSets(ctx context.Context, after uint32) ([]tocsin.TagSet, error)
	// Setting returns what was kept under name, or nil.
	Setting(ctx context.Context, name string) ([]byte, error)
	// Tombstone reports whether a record with that uuid was deleted for good.
	Tombstone(context.Context, tocsin.UUID) (bool, error)
	// RemarkUUID returns which remark has a uuid, the zero Link if none has, whatever
	// became of what it is about.
	RemarkUUID(context.Context, tocsin.UUID) (tocsin.Link, error)
}

// A Writer changes the store. Its reads see its own writes.
type Writer interface {
	Reader

	// Savepoint runs fn and undoes what it wrote if it returns an error.
	Savepoint(ctx context.Context, fn func() error) error
	// NextIDs hands out n ids of a kind, which are never handed out again, and
	// returns the first.
	NextIDs(ctx context.Context, k tocsin.Kind, n int64) (int64, error)

	Event(ctx context.Context, id int64) (*tocsin.Event, error) // nil: none
	EventByUUID(context.Context, tocsin.UUID) (*tocsin.Event, error)
	Attribute(ctx context.Context, id int64) (*tocsin.Attribute, error)
	AttributeByUUID(context.Context, tocsin.UUID) (*tocsin.Attribute, error)
	Object(ctx context.Context, id int64) (*tocsin.Object, error)
	ObjectByUUID(context.Context, tocsin.UUID) (*tocsin.Object, error)
	// TakenUUIDs returns which of us belong to attributes already.
	TakenUUIDs(context.Context, []tocsin.UUID) (map[tocsin.UUID]bool, error)
	// ReleaseUUIDs gives up those of us that events which were deleted for good, and
	// what was in them, still hold until they are purged. The rows get others.
	ReleaseUUIDs(ctx context.Context, us []tocsin.UUID) error
	// LiftTombstone lets the uuid of an event that was deleted for good be used again,
	// and reports whether there was one.
	LiftTombstone(ctx context.Context, u tocsin.UUID) (bool, error)
	// Siblings iterates over the attributes of an event, withdrawn or not, that have
	// one of keys as their own key.
	Siblings(ctx context.Context, event int64, keys []uint64) iter.Seq2[tocsin.Attribute, error]

	PutEvent(context.Context, *tocsin.Event) error // by id: inserts or replaces
	PutObject(context.Context, *tocsin.Object) error
	PutAttribute(context.Context, *tocsin.Attribute) error
	AddAttributes(context.Context, []tocsin.Attribute) error // all new
	PutRemarks(context.Context, []RemarkRow) error           // by kind and id: inserts or replaces
	// HideEvent makes an event and all that is in it invisible to every query but
	// AsOf.
	HideEvent(ctx context.Context, id int64) error
	RemoveObject(ctx context.Context, id int64) error
	RemoveAttribute(ctx context.Context, id int64) error
	RemoveRemark(ctx context.Context, k tocsin.Kind, id int64) error
	// PutTombstone remembers a record that was deleted for good. Purge finishes what
	// was buried at or before line n, the first first: it removes the rows that hang
	// on the record (of an event, its attributes, objects and remarks, and in the end
	// its own; of others, the remarks about it, and those about them), and takes the
	// images of all of these out of the log, whose lines stay. It does so by steps of
	// about limit rows and lines and returns how many it did; 0 is the end.
	PutTombstone(context.Context, Tombstone) error
	Purge(ctx context.Context, n tocsin.Seq, limit int) (int64, error)

	PutDoc(context.Context, Doc) error
	RemoveDoc(ctx context.Context, k tocsin.Kind, id int64) error
	PutSetting(ctx context.Context, name string, value []byte) error
	AppendLabels(ctx context.Context, from access.LabelID, ls []access.Label) error
	AppendTagSets(ctx context.Context, from uint32, ts []tocsin.TagSet) error
	AppendLines(context.Context, []LogLine) error
	// RewriteLines passes each image in the log of records of a kind through fn. It is
	// for secrets that are sealed anew.
	RewriteLines(ctx context.Context, k tocsin.Kind, fn func(image []byte) ([]byte, error)) error
}

// A LogLine is a line of the log as an engine keeps it. Before and After are
// JSON; a range line has neither.
type LogLine struct {
	Seq           tocsin.Seq
	At            time.Time
	By            int64
	Kind          tocsin.Kind
	ID            int64 // the record; of a range line, the event
	Event         int64 // events and what is in them: which event
	First, Last   int64 // range lines
	Scope         bool
	Label         access.LabelID // attribute lines: the event's label
	Before, After []byte
}

// A Tombstone stays of a record that was deleted for good, by line Seq. Its uuid is
// refused afterwards.
type Tombstone struct {
	Kind  tocsin.Kind
	ID    int64
	UUID  tocsin.UUID // zero: it had none
	Event int64       // in which it was; of an event, itself
	Label access.LabelID
	Seq   tocsin.Seq
	At    time.Time
}

// A Doc is a small record: an organisation, a user, a tag. Its name is unique
// within its kind where it is not empty.
type Doc struct {
	Kind tocsin.Kind
	ID   int64
	UUID tocsin.UUID
	Name string
	JSON []byte
}

// A Coder turns what the store holds in memory into the small numbers that an
// engine keeps, and back.
type Coder struct {
	Labels *access.Labels
	Tags   *TagSets
	Hasher indicator.Hasher
}

// Key is the number of an attribute's own key.
func (c Coder) Key(a *tocsin.Attribute) uint64 {
	var keys [2]indicator.Key
	return c.Hasher.Sum(a.Value.AppendKeys(keys[:0])[0])
}

// Keys are the numbers of an attribute's keys; the second is 0 if it has one.
func (c Coder) Keys(a *tocsin.Attribute) (own, other uint64) {
	var buf [2]indicator.Key
	keys := a.Value.AppendKeys(buf[:0])
	own = c.Hasher.Sum(keys[0])
	if len(keys) > 1 {
		other = c.Hasher.Sum(keys[1])
	}
	return own, other
}
