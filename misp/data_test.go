package misp

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// eventFiles calls f with every file of real MISP events, whole feeds included.
func eventFiles(t *testing.T, f func(name string, text []byte)) {
	walk := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(path) == "manifest.json" {
			return err
		}
		switch {
		case strings.HasSuffix(path, ".json"):
			text, err := os.ReadFile(path)
			f(path, text)
			return err
		case strings.HasSuffix(path, ".tar.gz"):
			return eachInTar(path, f)
		}
		return nil
	}
	for _, folder := range []string{"misp-events", "misp-feeds"} {
		if err := filepath.WalkDir(shared(t, "data", folder), walk); err != nil {
			t.Fatal(err)
		}
	}
}

func eachInTar(path string, f func(name string, text []byte)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(zip); ; {
		head, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if name := filepath.Base(head.Name); strings.HasSuffix(name, ".json") && name != "manifest.json" {
			text, err := io.ReadAll(archive)
			if err != nil {
				return err
			}
			f(path+":"+name, text)
		}
	}
}

// TestRealEvents reads every real event that there is, and every broken one
// with an error that says where. It counts what was read with another decoder,
// and writes it again: nothing is lost on the way.
func TestRealEvents(t *testing.T) {
	files, events, attributes := 0, 0, 0
	eventFiles(t, func(name string, text []byte) {
		if strings.Contains(name, "malformed") {
			if _, err := DecodeEvent(bytes.NewReader(text), nil); err == nil || !strings.Contains(err.Error(), "line 1 (byte ") {
				t.Errorf("%s: %v", name, err)
			}
			return
		}
		var plain any
		if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &plain); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files++
		counted, n := count(plain), 0
		err := DecodeEvents(bytes.NewReader(text), func(e *Event) error {
			events++
			n += len(e.Attributes)
			for _, o := range e.Objects {
				n += len(o.Attributes)
			}
			if ps := problems(e); len(ps) > 0 {
				t.Errorf("%s: %v", name, ps)
			}
			again(t, name, e)
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n != counted {
			t.Errorf("%s: %d attributes of %d", name, n, counted)
		}
		attributes += n
	})
	if events < 880 {
		t.Errorf("%d events", events)
	}
	t.Logf("%d files, %d events, %d attributes", files, events, attributes)
}

// count counts the attributes in an event and its objects.
func count(v any) (n int) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			n += count(x)
		}
	case map[string]any:
		for _, name := range []string{"response", "Event", "Object"} {
			n += count(v[name])
		}
		n += len(elements(v["Attribute"]))
	}
	return n
}

func problems(e *Event) []Problem {
	ps := e.Problems
	for _, a := range e.Attributes {
		ps = append(ps, a.Problems...)
	}
	for _, o := range e.Objects {
		ps = append(ps, o.Problems...)
		for _, a := range o.Attributes {
			ps = append(ps, a.Problems...)
		}
	}
	return ps
}

// again makes words of e, writes them, reads that, and compares what must survive.
func again(t *testing.T, name string, e *Event) {
	w := newWorld()
	first := w.kept(e)
	event, attributes, objects := w.words(e)
	c := Encoder{Names: w, Viewer: access.System("test"), Own: true}
	text := c.AppendEvent(nil, event, attributes, objects, Beside{})
	e2, err := DecodeEvent(bytes.NewReader(text), nil)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if second := w.kept(e2); !reflect.DeepEqual(first, second) {
		t.Errorf("%s: round trip\n%+v\n%+v", name, first, second)
	}
}

// What of a text must survive, in comparable form.
type (
	keptEvent struct {
		UUID, Info, Date      string
		Timestamp, At         int64
		Published             bool
		Tags                  []string
		Attributes            []keptAttribute
		Objects               []keptObject
		Threat, Analysis, Far int64
	}
	keptAttribute struct {
		UUID, Relation, Type, Category, Value, Comment, First, Last string
		ToIDS, Deleted                                              bool
		Timestamp                                                   int64
		Tags                                                        []string
	}
	keptObject struct {
		UUID, Name, Meta, Description, Template, Comment string
		Version, Timestamp                               int64
		Attributes                                       []keptAttribute
	}
)

func (w *world) kept(e *Event) keptEvent {
	k := keptEvent{UUID: e.UUID.Or(tocsin.UUID{}).String(), Info: e.Info.Or(""), Date: e.Date.Or(""), Timestamp: e.Timestamp.Or(0), At: e.PublishedAt.Or(0),
		Published: e.Published.Or(false), Tags: w.tagNames(e.Tags), Threat: e.Threat.Or(0), Analysis: e.Analysis.Or(0), Far: e.Distribution.Or(0)}
	for _, a := range e.Attributes {
		k.Attributes = append(k.Attributes, w.keptAttribute(a))
	}
	for _, o := range e.Objects {
		ko := keptObject{UUID: o.UUID.Or(tocsin.UUID{}).String(), Name: o.Name.Or(""), Meta: o.MetaCategory.Or(""), Description: o.Description.Or(""),
			Template: o.TemplateUUID.Or(tocsin.UUID{}).String(), Comment: o.Comment.Or(""), Version: o.TemplateVersion.Or(0), Timestamp: o.Timestamp.Or(0)}
		for _, a := range o.Attributes {
			ko.Attributes = append(ko.Attributes, w.keptAttribute(a))
		}
		k.Objects = append(k.Objects, ko)
	}
	return k
}

func (w *world) keptAttribute(a Attribute) keptAttribute {
	k := keptAttribute{UUID: a.UUID.Or(tocsin.UUID{}).String(), Relation: a.Relation.Or(""), Type: a.Type.Or(""), Category: a.Category.Or(""), Value: a.Value.Or(""),
		Comment: a.Comment.Or(""), ToIDS: a.ToIDS.Or(false), Deleted: a.Deleted.Or(false), Timestamp: a.Timestamp.Or(0), Tags: w.tagNames(a.Tags)}
	if at, ok := a.FirstSeen.Get(); ok && !at.IsZero() {
		k.First = at.Format(seenLayout)
	}
	if at, ok := a.LastSeen.Get(); ok && !at.IsZero() {
		k.Last = at.Format(seenLayout)
	}
	if _, ok := indicator.CategoryByName(k.Category); !ok {
		k.Category = "" // left to the type
	}
	return k
}

// tagNames numbers tags as they come, so that a set of them keeps their order.
func (w *world) tagNames(tags []Tag) (names []string) {
	for i := range tags {
		id := int64(0)
		for _, t := range w.tags {
			if t.Name == tags[i].Name.Or("") {
				id = t.ID
			}
		}
		if id == 0 {
			id = int64(len(w.tags) + 1)
			w.tags[id] = &tocsin.Tag{ID: id, Name: tags[i].Name.Or(""), Exportable: true}
		}
		tags[i].ID = Said(id)
	}
	for at := range tagSet(tags).All() {
		names = append(names, w.tags[at.Tag].Name)
	}
	return names
}

// words is how a caller makes words of a text, without any judgement.
func (w *world) words(e *Event) (*tocsin.Event, []tocsin.Attribute, []tocsin.Object) {
	event := &tocsin.Event{UUID: e.UUID.Or(tocsin.UUID{}), Info: e.Info.Or(""), Date: e.Date.Or(""), Timestamp: e.Timestamp.Or(0), PublishedAt: e.PublishedAt.Or(0),
		Published: e.Published.Or(false), Tags: tagSet(e.Tags), Threat: uint8(e.Threat.Or(0)), Analysis: uint8(e.Analysis.Or(0)), Distribution: access.Distribution(e.Distribution.Or(0))}
	var attributes []tocsin.Attribute
	var objects []tocsin.Object
	for _, a := range e.Attributes {
		attributes = append(attributes, claimOf(a, 0))
	}
	for i, o := range e.Objects {
		objects = append(objects, tocsin.Object{ID: int64(i + 1), UUID: o.UUID.Or(tocsin.UUID{}), Name: o.Name.Or(""), MetaCategory: o.MetaCategory.Or(""), Description: o.Description.Or(""),
			TemplateUUID: o.TemplateUUID.Or(tocsin.UUID{}), TemplateVersion: int(o.TemplateVersion.Or(0)), Comment: o.Comment.Or(""), Timestamp: o.Timestamp.Or(0)})
		for _, a := range o.Attributes {
			attributes = append(attributes, claimOf(a, int64(i+1)))
		}
	}
	return event, attributes, objects
}

func claimOf(a Attribute, object int64) tocsin.Attribute {
	out := tocsin.Attribute{UUID: a.UUID.Or(tocsin.UUID{}), Object: object, Relation: a.Relation.Or(""), Comment: a.Comment.Or(""), ToIDS: a.ToIDS.Or(false),
		Deleted: a.Deleted.Or(false), Timestamp: a.Timestamp.Or(0), Tags: tagSet(a.Tags)}
	out.FirstSeen, _ = a.FirstSeen.Get()
	out.LastSeen, _ = a.LastSeen.Get()
	out.Category, _ = indicator.CategoryByName(a.Category.Or(""))
	if t, ok := indicator.TypeByName(a.Type.Or("")); ok {
		out.Value, _ = indicator.Stored(t.ID, a.Value.Or("")) // as the text has it, not normalised
	}
	return out
}
