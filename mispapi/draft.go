package mispapi

import (
	"fmt"
	"strconv"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
)

// A drafter turns MISP's records into drafts. What it can't is a refusal: a
// record with a field that could not be read is not taken without it, since what
// is absent may default to sharing more than was meant.
type drafter struct {
	c          *call // keeps what comes with attributes
	view       store.View
	attributes []intake.Draft
	objects    []intake.ObjectDraft
	edits      []intake.AttributeEdit // of attributes that the event may have
	known      []intake.ObjectEdit    // of objects that it has
	remarks    []intake.RemarkDraft
	references []intake.RemarkDraft
	seen       map[tocsin.UUID]bool // clusters that were taken
	creator    int64                // Orgc, where the viewer speaks for another instance
	newcomers  intake.Newcomers
	later      []func(intake.Met) // puts the numbers of newcomers where they are wanted
	failed     error              // why content could not be kept
	refused    []intake.Refusal
	dropped    map[string]string
	types      map[int]string // of refused drafts, by line
	n          int            // attributes outside objects that were met
}

// Lines say where a refused draft stood: attributes count from 1, those of the
// i'th object from (i+1)<<objectBits.
const objectBits = 32

func objectLine(i, attribute int) int { return (i+1)<<objectBits + attribute }

// place names a line as MISP names it in errors: attribute_2, object_0.
func place(line int) string {
	object, attribute := line>>objectBits-1, line&(1<<objectBits-1)-1
	switch {
	case line == 0:
		return ""
	case object < 0:
		return "attribute_" + strconv.Itoa(attribute)
	case attribute < 0:
		return "object_" + strconv.Itoa(object)
	}
	return fmt.Sprintf("object_%d_attribute_%d", object, attribute)
}

func (d *drafter) refuse(line int, typ, field, text, why string) {
	d.refused = append(d.refused, intake.Refusal{Line: line, Field: field, Text: text, Why: why})
	d.typed(line, typ)
}

func (d *drafter) typed(line int, typ string) {
	if d.types == nil {
		d.types = map[int]string{}
	}
	d.types[line] = typ
}

// maxAttributes is how many attributes one call may bring: they are in memory
// until all of them are written at once.
const maxAttributes = 500_000

// more counts an attribute that was met.
func (d *drafter) more() error {
	if d.n++; d.n > maxAttributes {
		return errMany
	}
	return nil
}

type manyError struct{ error }

func (e manyError) Unwrap() error { return e.error }

var errMany = manyError{tocsin.Errorf(tocsin.Invalid, "there are more than %d attributes in one call; send several, or a list of any length to /api/import", maxAttributes)}

// each takes an attribute outside objects; it is for [misp.DecodeEvent].
func (d *drafter) each(a *misp.Attribute) error {
	if err := d.more(); err != nil {
		return err
	}
	if draft, ok := d.attribute(a, d.n); ok {
		d.attributes = append(d.attributes, draft)
	}
	return nil
}

// attribute makes a draft of an attribute, or refuses it.
func (d *drafter) attribute(a *misp.Attribute, line int) (intake.Draft, bool) {
	typ := a.Type.Or("")
	no := func(field, text, why string) (intake.Draft, bool) {
		d.refuse(line, typ, field, text, why)
		return intake.Draft{}, false
	}
	switch {
	case len(a.Problems) > 0:
		p := a.Problems[0]
		return no(p.Field, p.Found, "it should be "+p.Want)
	case typ == "":
		return no("type", "", "there is no such type")
	}
	if d.trips(a, typ) {
		return no("warninglist", "", guarded)
	}
	content, value, err := d.content(a)
	if err != nil {
		return no("data", "", d.because(err))
	}
	out := intake.Draft{
		Line: line, Type: typ, Text: value.Or(""), Attachment: content, Category: a.Category.Or(""), Comment: a.Comment.Or(""),
		ToIDS: said(a.ToIDS), UUID: a.UUID.Or(tocsin.UUID{}), Timestamp: a.Timestamp.Or(0),
		FirstSeen: a.FirstSeen.Or(time.Time{}), LastSeen: a.LastSeen.Or(time.Time{}),
		Relation: a.Relation.Or(""), Deleted: a.Deleted.Or(false), NoCorrelate: a.NoCorrelate.Or(false),
	}
	var ok bool
	if out.Distribution, ok = distribution(a.Distribution); !ok {
		return no("distribution", strconv.FormatInt(a.Distribution.Or(0), 10), "it is 0 to 5")
	}
	out.Group = d.group(a.Group, a.SharingGroup)
	if out.Tags, ok = d.tags(withClusters(a.Tags, a.Galaxies)); !ok {
		return no("Tag", "", "a tag needs a name")
	}
	d.besideAttribute(a, line)
	out.UUID = a.UUID.Or(tocsin.UUID{})
	return out, true
}

// object makes a draft of an object. Attributes that can't be drafted are refused
// by themselves.
func (d *drafter) object(o *misp.Object, i int) (intake.ObjectDraft, bool) {
	line := objectLine(i, 0)
	if len(o.Problems) > 0 {
		p := o.Problems[0]
		d.refuse(line, "", p.Field, p.Found, "it should be "+p.Want)
		return intake.ObjectDraft{}, false
	}
	dist, ok := distribution(o.Distribution)
	if !ok {
		d.refuse(line, "", "distribution", strconv.FormatInt(o.Distribution.Or(0), 10), "it is 0 to 5")
		return intake.ObjectDraft{}, false
	}
	d.besideObject(o, line)
	out := intake.ObjectDraft{
		Line: line, UUID: o.UUID.Or(tocsin.UUID{}), Name: o.Name.Or(""), MetaCategory: o.MetaCategory.Or(""),
		Description: o.Description.Or(""), TemplateUUID: o.TemplateUUID.Or(tocsin.UUID{}), TemplateVersion: int(o.TemplateVersion.Or(0)),
		Comment: o.Comment.Or(""), Distribution: objectsStayHome(dist), Group: d.group(o.Group, o.SharingGroup),
		Timestamp: o.Timestamp.Or(0), FirstSeen: o.FirstSeen.Or(time.Time{}), LastSeen: o.LastSeen.Or(time.Time{}), Deleted: o.Deleted.Or(false),
	}
	for j := range o.Attributes {
		if draft, ok := d.attribute(&o.Attributes[j], objectLine(i, j+1)); ok {
			out.Attributes = append(out.Attributes, draft)
		}
	}
	return out, true
}

// drop remembers that something of the event is not kept, to say so.
func (d *drafter) drop(what, why string) {
	if d.dropped == nil {
		d.dropped = map[string]string{}
	}
	d.dropped[what] = why
}

// because is an error in words, for whoever sent what it is about. One that is nobody's
// fault ends the call.
func (d *drafter) because(err error) string {
	if tocsin.CodeOf(err) == tocsin.Internal && d.failed == nil {
		d.failed = err
	}
	return err.Error()
}

// tags makes drafts of tags. One that has no name is found by its number.
func (d *drafter) tags(ts []misp.Tag) ([]intake.TagDraft, bool) {
	var out []intake.TagDraft
	for i := range ts {
		t := &ts[i]
		name := t.Name.Or("")
		if name == "" {
			known, err := store.One[*tocsin.Tag](d.view, t.ID.Or(0))
			if err != nil {
				return nil, false
			}
			name = known.Name
		}
		out = append(out, intake.TagDraft{Name: name, Colour: t.Colour.Or(""), Local: t.Local.Or(false), Gone: t.Deleted.Or(false),
			Kept: !t.Exportable.Or(true), Hidden: t.Hidden.Or(false)})
	}
	return out, true
}

// distribution returns what was said of a distribution, nil if nothing was.
func distribution(f misp.Field[int64]) (*access.Distribution, bool) {
	n, ok := f.Get()
	switch {
	case !ok:
		return nil, true
	case n < 0 || n > int64(access.Inherit):
		return nil, false
	}
	return new(access.Distribution(n)), true
}

// said returns what a field says, nil if nothing.
func said[T comparable](f misp.Field[T]) *T {
	if v, ok := f.Get(); ok {
		return &v
	}
	return nil
}

// whole returns what a field says as an int, nil if nothing.
func whole(f misp.Field[int64]) *int {
	if v, ok := f.Get(); ok {
		return new(int(max(-1, min(v, 1<<30))))
	}
	return nil
}
