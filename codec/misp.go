package codec

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"

	"tocsin/access"
	"tocsin/misp"
)

func init() {
	register(Format{Name: "misp", Media: "application/json", Extensions: []string{".json"},
		Describe: "events as MISP exports them, of which the claims are taken",
		Looks:    looksLikeEvent, Read: readMISP})
}

// looksLikeEvent tells MISP's events and attributes from other JSON.
func looksLikeEvent(h head) bool {
	if !strings.HasPrefix(h.line, "{") && !strings.HasPrefix(h.line, "[") {
		return false
	}
	for _, member := range []string{`"Event"`, `"Attribute"`, `"response"`, `"Orgc"`, `"event_id"`, `"threat_level_id"`} {
		if bytes.Contains(h.text, []byte(member)) {
			return true
		}
	}
	return false
}

// readMISP reads the claims of MISP events, as a list that someone makes an event
// of their own from; whoever wants the events themselves takes package misp.
// So uuids stay behind: they belong to the claims of that other event. What an
// event's tags say, TLP above all, holds for each of its claims, and what a claim
// says of its own distribution still narrows it. Withdrawn claims are no claims.
func readMISP(r io.Reader, _ Options) iter.Seq2[Draft, error] {
	return func(yield func(Draft, error) bool) {
		m := mispReader{yield: yield}
		if err := misp.DecodeEvents(r, m.event); err != nil && !errors.Is(err, errStopped) {
			yield(Draft{Line: m.n + 1}, err)
		}
	}
}

// errStopped ends the reading because nobody wants more.
var errStopped = errors.New("stopped")

// A mispReader counts attributes, as there are no lines to number.
type mispReader struct {
	n      int
	within string // the file that is read, where there are several
	yield  func(Draft, error) bool
}

// lineError says why attribute n is lost.
func (m *mispReader) lineError(text, why string) *LineError {
	if m.within != "" {
		why = m.within + ": " + why
	}
	return &LineError{m.n, beginning([]byte(text)), why}
}

func (m *mispReader) event(e *misp.Event) error {
	if len(e.Problems) > 0 {
		return m.lose(e.Info.Or(""), e.Problems[0])
	}
	tags := mispTags(nil, e.Tags)
	for i := range e.Attributes {
		if err := m.attribute(&e.Attributes[i], tags, inherit); err != nil {
			return err
		}
	}
	for i := range e.Objects {
		o := &e.Objects[i]
		if len(o.Problems) > 0 {
			if err := m.lose(o.Name.Or(""), o.Problems[0]); err != nil {
				return err
			}
			continue
		}
		within := o.Distribution.Or(inherit)
		for j := range o.Attributes {
			a := &o.Attributes[j]
			if o.Deleted.Or(false) {
				a.Deleted = misp.Said(true)
			}
			if err := m.attribute(a, tags, within); err != nil {
				return err
			}
		}
	}
	return nil
}

// lose says that an event or object is lost with all that is in it.
func (m *mispReader) lose(what string, p misp.Problem) error {
	m.n++
	if !m.yield(Draft{Line: m.n}, m.lineError(what, p.Error())) {
		return errStopped
	}
	return nil
}

const inherit = int64(access.Inherit)

// attribute yields one attribute with the tags of its event, within the
// distribution of its object.
func (m *mispReader) attribute(a *misp.Attribute, tags []TagDraft, within int64) error {
	m.n++
	d, err := Draft{Line: m.n}, error(nil)
	switch value := a.Value.Or(""); {
	case a.Deleted.Or(false):
		return nil
	case len(a.Problems) > 0:
		err = m.lineError(value, a.Problems[0].Error())
	case value == "":
		err = m.lineError("", "it has no value")
	default:
		d = Draft{
			Line: m.n, Type: a.Type.Or(""), Text: value, Category: a.Category.Or(""), Comment: a.Comment.Or(""), Tags: mispTags(tags, a.Tags),
			Timestamp: a.Timestamp.Or(0), FirstSeen: a.FirstSeen.Or(d.FirstSeen), LastSeen: a.LastSeen.Or(d.LastSeen),
			NoCorrelate:  a.NoCorrelate.Or(false),
			Distribution: narrower(a.Distribution.Or(inherit), within),
		}
		if ids, said := a.ToIDS.Get(); said {
			d.ToIDS = &ids
		}
	}
	if !m.yield(d, err) {
		return errStopped
	}
	return nil
}

// narrower is the narrower of two distributions that stand on a record, nil if
// neither narrows anything. A sharing group is one of that other instance, which
// nobody here is a member of.
func narrower(ds ...int64) *access.Distribution {
	narrowest := access.Inherit
	for _, d := range ds {
		switch {
		case d < 0 || d > inherit || d == int64(access.Group):
			narrowest = access.OrgOnly
		default:
			narrowest = min(narrowest, access.Distribution(d))
		}
	}
	if narrowest == access.Inherit {
		return nil
	}
	return &narrowest
}

// mispTags returns tags with those of ts that are for others than the instance
// that attached them. A marking holds wherever it was meant for.
func mispTags(tags []TagDraft, ts []misp.Tag) []TagDraft {
	tags = tags[:len(tags):len(tags)]
	for _, t := range ts {
		name := strings.TrimSpace(t.Name.Or(""))
		tlp, pap := access.Marking(name)
		if name != "" && (!t.Local.Or(false) || tlp != access.Unmarked || pap != access.PAPUnmarked) {
			tags = append(tags, TagDraft{Name: name, Colour: t.Colour.Or("")})
		}
	}
	return tags
}
