package tocsin

// Parts are some of what an attribute has. Who reads millions of them and looks at
// little of each says at what: SQLite takes a tenth of a microsecond for each column.
type Parts uint8

const (
	PartValue Parts = 1 << iota // id, event, value, to_ids, deleted, not to be correlated: always there
	PartUUID
	PartCategory
	PartPlace // object, relation, comment
	PartMarks // tags and label
	PartTimes // timestamp, first and last seen
	PartHolds // until when it holds, and what guards it
	PartRest  // with whom it is shared, its line of the log, by whom a guard is overridden
)

// Has reports whether p is among the parts. The zero Parts are all of them.
func (ps Parts) Has(p Parts) bool { return ps == 0 || p == PartValue || ps&p != 0 }
