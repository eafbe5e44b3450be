package tocsin

import (
	"strings"
	"time"
)

// A GuardClass says what it means that an indicator is on a guard list.
type GuardClass uint8

const (
	Unguarded GuardClass = iota // a list of this class is turned off
	Inform                      // shown, and nothing else
	Warn                        // not blocked, unless a publisher of its owner says why it should be
	Deny                        // not blocked, unless its owner's organisation administrator says why it should be
)

var guardClasses = [...]string{"off", "inform", "warn", "deny"}

func (c GuardClass) String() string {
	if int(c) < len(guardClasses) {
		return guardClasses[c]
	}
	return "off"
}

// ParseGuardClass reads what String writes.
func ParseGuardClass(s string) (GuardClass, error) {
	for c, name := range guardClasses {
		if s == name {
			return GuardClass(c), nil
		}
	}
	return Unguarded, Errorf(Invalid, "no class %q; try one of [deny warn inform off]", s)
}

// MarshalText and UnmarshalText carry c through JSON.
func (c GuardClass) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c *GuardClass) UnmarshalText(b []byte) (err error) {
	*c, err = ParseGuardClass(string(b))
	return err
}

// A Verdict is what the guards said of an indicator when it was written, or when
// they last changed: the class, the list and the entry that was met, as in
// "deny top-sites example.org". The zero Verdict is that nothing guards it.
//
// It is kept with the claim, because what may be blocked follows from the log
// alone: a list that another node has not read yet must not make a difference.
type Verdict string

// NewVerdict returns the verdict of an entry of a list.
func NewVerdict(c GuardClass, list, entry string) Verdict {
	if c == Unguarded {
		return ""
	}
	return Verdict(c.String() + " " + list + " " + entry)
}

// Class is the class of the list, Unguarded for the zero Verdict.
func (v Verdict) Class() GuardClass {
	word, _, _ := strings.Cut(string(v), " ")
	c, err := ParseGuardClass(word)
	if err != nil {
		return Unguarded
	}
	return c
}

// List is the name of the list, and Entry what it holds of the indicator.
func (v Verdict) List() string {
	_, rest, _ := strings.Cut(string(v), " ")
	list, _, _ := strings.Cut(rest, " ")
	return list
}

func (v Verdict) Entry() string {
	_, rest, _ := strings.Cut(string(v), " ")
	_, entry, _ := strings.Cut(rest, " ")
	return entry
}

// Guarded reports whether a claim is kept out of whatever blocks: its indicator
// is guarded, and its owner has not said that it should be blocked all the same.
func (a *Attribute) Guarded() bool {
	return a.Guard != "" && a.Override == "" && a.Guard.Class() >= Warn
}

// A GuardList is a list of names, addresses and other values that should not be
// blocked. What is on it is kept beside it; there may be millions.
type GuardList struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"` // a word, as it stands in verdicts
	Title       string     `json:"title,omitempty"`
	Description string     `json:"description,omitempty"`
	Class       GuardClass `json:"class"`
	Usual       GuardClass `json:"usual,omitempty"`    // of one that is off: what it is when it is turned on
	Known       bool       `json:"known,omitempty"`    // that something is on it speaks neither for nor against it
	Custom      bool       `json:"custom,omitempty"`   // it was written here, and is nobody else's
	Match       string     `json:"match"`              // how entries are compared: see package vocab
	Declared    string     `json:"declared,omitempty"` // how its keeper would have them compared, where we do otherwise
	Types       []string   `json:"types,omitempty"`    // the MISP types that it is about; empty: all
	Version     int64      `json:"version"`            // as whoever keeps it counts
	Entries     int        `json:"entries"`
	Digest      string     `json:"digest"`           // SHA-256 of the entries, hexadecimal
	Source      string     `json:"source,omitempty"` // where it was read
	Own         bool       `json:"own,omitempty"`    // comes with the program, or is about the exchange itself
	Org         int64      `json:"org,omitempty"`    // these are this organisation's own assets
	Changed     time.Time  `json:"changed"`
}

func (*GuardList) Kind() Kind        { return KindGuardList }
func (l *GuardList) RecordID() int64 { return l.ID }

func (l *GuardList) SetRecordID(id int64) { l.ID = id }
func (l *GuardList) RecordName() string   { return l.Name }

// Turn returns the class that l has when it is turned on or off.
func (l *GuardList) Turn(on bool) GuardClass {
	switch {
	case !on:
		return Unguarded
	case l.Class != Unguarded:
		return l.Class
	case l.Usual != Unguarded:
		return l.Usual
	}
	return Inform
}
