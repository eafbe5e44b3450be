package portal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// A reach is how far a record travels, in a word, in a sentence, and as the
// class that colours it.
type reach struct {
	Class, Word, Sentence string
}

var reaches = [...]reach{
	access.OrgOnly:   {"org", "Organisation only", "Only the organisation that owns it sees it."},
	access.Community: {"community", "This community", "Every organisation on this exchange sees it. It goes no further."},
	access.Connected: {"connected", "Connected communities", "Every organisation on this exchange sees it, and those on exchanges directly connected to it."},
	access.Everyone:  {"all", "All communities", "Every organisation on this exchange sees it, and it may be passed on from exchange to exchange."},
	access.Group:     {"group", "Sharing group", "Only the members of one sharing group see it."},
	access.Inherit:   {"inherit", "As its event", "It travels as far as its event."},
}

// reachOf says how far a record travels. A sharing group is named to whoever
// may know of it.
func (p *Portal) reachOf(v access.Viewer, d access.Distribution, group int64) reach {
	if !d.Valid() {
		return reaches[access.OrgOnly]
	}
	r := reaches[d]
	if d == access.Group {
		if g, err := store.One[*tocsin.Group](p.as(v), group); err == nil {
			r.Word = g.Name
			r.Sentence = fmt.Sprintf("Only its sharing group sees it, which has %s.", count(len(g.Members), "member"))
		}
	}
	return r
}

// tlp is a marking as a chip; a record without one is treated as another.
type tlp struct {
	Class, Word string
	Assumed     bool
}

func tlpOf(t access.TLP) tlp {
	c := tlp{Word: t.String()}
	if t == access.Unmarked {
		c = tlp{Word: access.DefaultTLP.String(), Assumed: true}
	}
	c.Class = strings.NewReplacer("tlp:", "tlp-", "+", "-").Replace(strings.ToLower(c.Word))
	return c
}

// number groups digits by three.
func number[N int | int64 | uint32](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count says how many there are of a thing whose plural ends in s.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return number(n) + " " + thing + "s"
}

// sentence makes the message of an error one.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	s = string(unicode.ToUpper(r)) + s[n:]
	if strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

// moment is a time as pages show it; the zero moment is never.
type moment struct{ time.Time }

func seconds(s int64) moment {
	if s == 0 {
		return moment{}
	}
	return moment{time.Unix(s, 0)}
}

func (m moment) ISO() string  { return m.UTC().Format(time.RFC3339) }
func (m moment) Text() string { return m.UTC().Format("2006-01-02 15:04") + " UTC" }
