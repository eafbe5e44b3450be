package misp

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// shared is the folder of recordings and data that stands beside the repository.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	root := os.Getenv("TOCSIN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is absent", filepath.Join(append([]string{"../shared"}, parts...)...))
	}
	return path
}

// A recording is one call to a MISP and its answer.
type recording struct {
	Name    string
	As      string
	Request struct{ Method, Path string }

	Response struct {
		Status int
		Body   json.RawMessage
	}
}

// The recordings of answers that this package writes; the others among them
// are errors or messages.
var recorded = [][2]int{{47, 60}, {66, 90}, {112, 117}, {120, 120}, {123, 135}, {138, 140}, {151, 151}, {154, 195},
	{202, 202}, {223, 224}, {269, 270}, {280, 321}, {326, 365}, {401, 401}, {479, 487}, {491, 506}}

func inRecorded(n int) bool {
	return slices.ContainsFunc(recorded, func(r [2]int) bool { return r[0] <= n && n <= r[1] })
}

// unsaid are the members that the words cannot say, with the reason.
var unsaid = map[string]string{
	"SharingGroup.sync_user_id": "a group has no user of its own",
	"EventTag.id":               "a tag on an event has no number of its own",
	"Event.proposal_email_lock": "we send no mail for proposals that could be held back",
	"GalaxyCluster":             "clusters are reference data: whoever has them adds them",
}

// TestRecorded decodes what a MISP answered, makes words of it, writes them
// again and compares the JSON, member by member.
func TestRecorded(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "contract", "misp"), "[0-9]*.json"))
	compared, missed := 0, map[string]bool{}
	for _, file := range files {
		n, _ := strconv.Atoi(filepath.Base(file)[:3])
		if !inRecorded(n) {
			continue
		}
		var rec recording
		read(t, file, &rec)
		if rec.Response.Status != 200 || len(rec.Response.Body) == 0 || rec.Response.Body[0] == '"' {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			again, ok := rewrite(t, &rec)
			if !ok {
				t.Skip("holds no event, attribute or object, or only in part")
			}
			compared++
			for _, d := range diff(t, rec.Response.Body, again) {
				if path := d.unsaid(); path != "" {
					missed[path] = true
					continue
				}
				t.Error(d)
			}
		})
	}
	if compared < 100 {
		t.Errorf("compared %d recordings", compared)
	}
	t.Logf("compared %d recordings", compared)
	for path, why := range unsaid {
		if !missed[path] {
			t.Errorf("%s is said to be impossible (%s), but is not", path, why)
		}
	}
}

// TestGolden does the same for answers of our own making.
func TestGolden(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*.json"))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var rec recording
			read(t, file, &rec)
			again, ok := rewrite(t, &rec)
			if !ok {
				t.Fatal("nothing to compare")
			}
			for _, d := range diff(t, rec.Response.Body, again) {
				t.Error(d)
			}
		})
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A world says what ids stand for, as far as one answer does.
type world struct {
	orgs   map[int64]*tocsin.Organisation
	tags   map[int64]*tocsin.Tag
	groups map[int64]*tocsin.Group
	emails map[int64]string // whoever entered an event has its number here
}

func newWorld() *world {
	return &world{map[int64]*tocsin.Organisation{}, map[int64]*tocsin.Tag{}, map[int64]*tocsin.Group{}, map[int64]string{}}
}

func (w *world) Organisation(id int64) *tocsin.Organisation { return w.orgs[id] }
func (w *world) Tag(id int64) *tocsin.Tag                   { return w.tags[id] }
func (w *world) Group(id int64) *tocsin.Group               { return w.groups[id] }
func (w *world) Email(user int64) string                    { return w.emails[user] }

// learn looks for organisations, tags and groups in an answer.
func (w *world) learn(t *testing.T, name string, v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			w.learn(t, name, x)
		}
	case map[string]any:
		for k, x := range v {
			w.learn(t, k, x)
		}
		text, _ := json.Marshal(v)
		switch name {
		case "Org", "Orgc", "Organisation":
			o := must(DecodeOrg(bytes.NewReader(text)))(t)
			known := w.orgs[o.ID.Or(0)]
			w.orgs[o.ID.Or(0)] = &tocsin.Organisation{ID: o.ID.Or(0), UUID: o.UUID.Or(tocsin.UUID{}), Name: o.Name.Or(""), Local: o.Local.Or(known != nil && known.Local)}
		case "Tag":
			g := must(DecodeTag(bytes.NewReader(text)))(t)
			w.tags[g.ID.Or(0)] = &tocsin.Tag{ID: g.ID.Or(0), Name: g.Name.Or(""), Colour: g.Colour.Or(""), Exportable: g.Exportable.Or(true),
				Hidden: g.Hidden.Or(false), User: g.UserID.Or(0), LocalOnly: g.LocalOnly.Or(false)}
		case "SharingGroup":
			g := must(DecodeSharingGroup(bytes.NewReader(text)))(t)
			if _, ok := v["uuid"]; ok && (w.groups[g.ID.Or(0)] == nil || g.Members != nil) {
				w.groups[g.ID.Or(0)] = group(g, v)
			}
		}
		if email, ok := v["event_creator_email"].(string); ok {
			w.emails[int64(v["id"].(float64))] = email
		}
	}
}

func group(g *SharingGroup, v map[string]any) *tocsin.Group {
	out := &tocsin.Group{Roaming: g.Roaming.Or(false), ID: g.ID.Or(0), UUID: g.UUID.Or(tocsin.UUID{}), Name: g.Name.Or(""), Releasability: g.Releasability.Or(""),
		Description: g.Description.Or(""), Org: g.OrgID.Or(0)}
	for name, at := range map[string]*int64{"created": &out.Created, "modified": &out.Modified} {
		if s, ok := v[name].(string); ok {
			when, _ := time.Parse(time.DateTime, s)
			*at = when.Unix()
		}
	}
	for _, m := range g.Members {
		out.Members = append(out.Members, tocsin.Member{Org: m.OrgID.Or(0), Extend: m.Extend.Or(false)})
	}
	return out
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func viewer(as string) access.Viewer {
	switch {
	case as == "admin":
		return access.NewViewer(as, 1, 1, access.Roles[0].Role)
	case strings.HasSuffix(as, "_b"):
		return access.NewViewer(as, 2, 2, 0, 1)
	case as == "user_c":
		return access.NewViewer(as, 3, 3, 0)
	}
	return access.NewViewer(as, 4, 1, 0)
}

// A rewriter writes an answer again.
type rewriter struct {
	*testing.T
	Encoder
	view bool
}

func rewrite(t *testing.T, rec *recording) ([]byte, bool) {
	var v any
	if err := json.Unmarshal(rec.Response.Body, &v); err != nil {
		t.Fatal(err)
	}
	w := newWorld()
	w.learn(t, "", v)
	r := &rewriter{T: t, Encoder: Encoder{Names: w, Viewer: viewer(rec.As), Own: !strings.Contains(rec.Request.Path, "excludeLocalTags")},
		view: strings.HasPrefix(rec.Request.Path, "/events/view")}
	switch v := v.(type) {
	case []any: // an index
		if len(v) == 0 {
			return nil, false
		}
		if _, ok := v[0].(map[string]any); !ok {
			return nil, false
		}
		return r.list(nil, v), true
	case map[string]any:
		if g, ok := v["SharingGroup"].(map[string]any); ok {
			return r.AppendGroupAnswer(nil, group(must(DecodeSharingGroup(bytes.NewReader(rec.Response.Body)))(t), g)), true
		}
		return r.answer(v)
	}
	return nil, false
}

func (r *rewriter) answer(v map[string]any) ([]byte, bool) {
	var b []byte
	switch {
	case v["response"] != nil:
		b = append(b, `{"response":`...)
		if in, ok := v["response"].(map[string]any); ok {
			b, ok = append(r.list(append(b, `{"Attribute":`...), in["Attribute"].([]any)), '}'), true
		} else {
			b = r.list(b, v["response"].([]any))
		}
		return append(b, '}'), true
	case v["Object"] != nil:
		b = r.object(append(b, `{"Object":`...), v["Object"].(map[string]any))
		if e, ok := v["Event"]; ok {
			b = r.AppendEventBrief(append(b, `,"Event":`...), r.words(e))
		}
		return append(b, '}'), true
	case v["Event"] != nil:
		return r.event(b, v["Event"].(map[string]any)), true
	case v["Attribute"] != nil:
		if as, ok := v["Attribute"].([]any); ok {
			b = r.list(append(b, `{"Attribute":`...), as)
		} else {
			b = r.attribute(append(b, `{"Attribute":`...), v["Attribute"].(map[string]any))
		}
		for _, beside := range []string{"AttributeTag", "errors"} { // the caller's
			if x, ok := v[beside]; ok {
				b = append(append(append(b, `,"`+beside+`"`...), ':'), raw(x)...)
			}
		}
		return append(b, '}'), true
	}
	return nil, false
}

func raw(v any) []byte { b, _ := json.Marshal(v); return b }

func (r *rewriter) list(b []byte, vs []any) []byte {
	b = append(b, '[')
	for i, v := range vs {
		if i > 0 {
			b = append(b, ',')
		}
		m := v.(map[string]any)
		switch {
		case m["Event"] != nil && m["value"] == nil:
			b = r.event(b, m["Event"].(map[string]any))
		case m["Object"] != nil && m["value"] == nil:
			b = append(r.object(append(b, `{"Object":`...), m["Object"].(map[string]any)), '}')
		case m["orgc_uuid"] != nil:
			e := r.words(v)
			e.Orgc = -1
			u, _ := tocsin.ParseUUID(m["orgc_uuid"].(string))
			r.Names.(*world).orgs[-1] = &tocsin.Organisation{UUID: u}
			b = r.AppendMinimalRow(b, e, int64(m["sighting_timestamp"].(float64)))
		case m["EventTag"] != nil:
			b = r.AppendIndexRow(b, r.words(v), int64(m["sighting_timestamp"].(float64)))
		default:
			b = r.attribute(b, m)
		}
	}
	return append(b, ']')
}

func (r *rewriter) words(v any) *tocsin.Event {
	e := must(DecodeEvent(bytes.NewReader(raw(map[string]any{"Event": v})), nil))(r.T)
	if len(e.Problems) > 0 {
		r.Fatal(e.Problems)
	}
	count, _ := v.(map[string]any)["attribute_count"].(float64)
	return &tocsin.Event{ID: e.ID.Or(0), User: e.ID.Or(0), UUID: e.UUID.Or(tocsin.UUID{}), Org: e.OrgID.Or(0), Orgc: e.OrgcID.Or(0), Info: e.Info.Or(""),
		Date: e.Date.Or(""), Threat: uint8(e.Threat.Or(0)), Analysis: uint8(e.Analysis.Or(0)), Distribution: access.Distribution(e.Distribution.Or(0)),
		Group: e.Group.Or(0), Published: e.Published.Or(false), PublishedAt: e.PublishedAt.Or(0), Timestamp: e.Timestamp.Or(0),
		Locked: e.Locked.Or(false), NoCorrelate: e.NoCorrelate.Or(false), Extends: e.Extends.Or(tocsin.UUID{}), Tags: tagSet(e.Tags), Attributes: int(count)}
}

func tagSet(tags []Tag) tocsin.TagSet {
	var as []tocsin.Attached
	for _, t := range tags {
		as = append(as, tocsin.Attached{Tag: t.ID.Or(0), Local: t.Local.Or(false)})
	}
	return tocsin.NewTagSet(as...)
}

func (r *rewriter) event(b []byte, v map[string]any) []byte {
	_, parts := v["Attribute"]
	_, related := v["RelatedEvent"]
	x := Beside{NoRelated: !related, Metadata: !parts, Proposals: raw(v["ShadowAttribute"]), Inbound: r.view}
	for _, e := range elements(v["RelatedEvent"]) {
		x.Related = append(x.Related, r.words(e.(map[string]any)["Event"]))
	}
	s := r.Event(r.words(v), x)
	b = s.Head(b)
	for _, a := range elements(v["Attribute"]) {
		b = s.Attribute(b, r.claim(a.(map[string]any)), more(r.T, a.(map[string]any)))
	}
	for _, o := range elements(v["Object"]) {
		b = s.Object(b, r.thing(o.(map[string]any)), nil)
		for _, a := range elements(o.(map[string]any)["Attribute"]) {
			b = s.Attribute(b, r.claim(a.(map[string]any)), more(r.T, a.(map[string]any)))
		}
	}
	return s.Tail(b)
}

func elements(v any) []any { l, _ := v.([]any); return l }

func more(t *testing.T, v map[string]any) (m More) {
	for name, to := range map[string]*[]byte{"ShadowAttribute": &m.Proposals, "Sighting": &m.Sightings, "RelatedAttribute": &m.Related, "warnings": &m.Warnings} {
		if x, ok := v[name]; ok {
			*to = raw(x)
		}
	}
	if s, ok := v["data"].(string); ok {
		m.Data = must(base64.StdEncoding.DecodeString(s))(t)
	}
	if s, ok := v["event_uuid"].(string); ok {
		m.EventUUID = must(tocsin.ParseUUID(s))(t)
	}
	return m
}

func (r *rewriter) attribute(b []byte, v map[string]any) []byte {
	a, m := r.claim(v), more(r.T, v)
	switch {
	case v["Event"] != nil:
		var o *tocsin.Object
		if v["Object"] != nil {
			o = r.thing(v["Object"].(map[string]any))
		}
		own := a.Tags
		for at := range own.All() {
			for _, tag := range elements(v["Tag"]) {
				if tag := tag.(map[string]any); tag["inherited"] != nil && int64(tag["id"].(float64)) == at.Tag {
					a.Tags, m.Inherited = a.Tags.Without(at.Tag), m.Inherited.With(at)
				}
			}
		}
		if rs := elements(v["RelatedAttribute"]); len(rs) > 0 {
			m.Related = []byte{'['}
			for i, x := range rs {
				if i > 0 {
					m.Related = append(m.Related, ',')
				}
				x := x.(map[string]any)
				m.Related = r.AppendRelated(m.Related, r.claim(x), r.words(x["Event"]))
			}
			m.Related = append(m.Related, ']')
		}
		return r.AppendFound(b, a, r.words(v["Event"]), o, m)
	case v["AttributeTag"] != nil:
		return r.AppendAttribute(b, a, InObject, m)
	case v["value1"] != nil:
		return r.AppendAttribute(b, a, Split, m)
	}
	return r.AppendAttribute(b, a, Bare, m)
}

func (r *rewriter) claim(v map[string]any) *tocsin.Attribute {
	var a Attribute
	text := raw(v)
	if err := DecodeAttributes(bytes.NewReader(text), func(x *Attribute) error { a = *x; return nil }); err != nil || len(a.Problems) > 0 {
		r.Fatal(err, a.Problems)
	}
	value, err := indicator.Parse(a.Type.Or(""), a.Value.Or(""))
	if err != nil {
		r.Fatal(err)
	}
	category, _ := indicator.CategoryByName(a.Category.Or(""))
	return &tocsin.Attribute{ID: a.ID.Or(0), UUID: a.UUID.Or(tocsin.UUID{}), Event: a.Event.Or(0), Object: a.Object.Or(0), Relation: a.Relation.Or(""),
		Category: category, Value: value, Comment: a.Comment.Or(""), ToIDS: a.ToIDS.Or(false), Deleted: a.Deleted.Or(false),
		NoCorrelate: a.NoCorrelate.Or(false), Distribution: access.Distribution(a.Distribution.Or(0)), Group: a.Group.Or(0), Timestamp: a.Timestamp.Or(0),
		FirstSeen: a.FirstSeen.Or(time.Time{}), LastSeen: a.LastSeen.Or(time.Time{}), Tags: tagSet(a.Tags)}
}

func (r *rewriter) thing(v map[string]any) *tocsin.Object {
	o := must(DecodeObject(bytes.NewReader(raw(v))))(r.T)
	if len(o.Problems) > 0 {
		r.Fatal(o.Problems)
	}
	return &tocsin.Object{ID: o.ID.Or(0), UUID: o.UUID.Or(tocsin.UUID{}), Event: o.Event.Or(0), Name: o.Name.Or(""), MetaCategory: o.MetaCategory.Or(""),
		Description: o.Description.Or(""), TemplateUUID: o.TemplateUUID.Or(tocsin.UUID{}), TemplateVersion: int(o.TemplateVersion.Or(0)),
		Comment: o.Comment.Or(""), Distribution: access.Distribution(o.Distribution.Or(0)), Group: o.Group.Or(0), Timestamp: o.Timestamp.Or(0),
		FirstSeen: o.FirstSeen.Or(time.Time{}), LastSeen: o.LastSeen.Or(time.Time{}), Deleted: o.Deleted.Or(false)}
}

func (r *rewriter) object(b []byte, v map[string]any) []byte {
	var e *tocsin.Event
	if v["Event"] != nil {
		e = r.words(v["Event"])
	}
	var as []tocsin.Attribute
	f := Split
	for _, a := range elements(v["Attribute"]) {
		as = append(as, *r.claim(a.(map[string]any)))
		if a.(map[string]any)["AttributeTag"] != nil {
			f = InObject
		}
	}
	return r.AppendObject(b, r.thing(v), e, as, f)
}

// A difference is one place where two texts differ.
type difference struct {
	path      string
	want, got any
}

func (d difference) String() string {
	return fmt.Sprintf("%s: recorded %v, ours %v", d.path, d.want, d.got)
}

var number = regexp.MustCompile(`\[\d+\]`)

func (d difference) unsaid() string {
	path := number.ReplaceAllString(d.path, "")
	for _, p := range slices.Sorted(maps.Keys(unsaid)) {
		if strings.HasSuffix(path, "."+p) {
			return p
		}
	}
	return ""
}

// absent is a member that is not there, which null is.
type absent struct{}

func diff(t *testing.T, want, got []byte) []difference {
	t.Helper()
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &g); err != nil || !jsontext.Value(got).IsValid() { // no name twice
		t.Fatalf("%v in %s", err, got)
	}
	return compare("", w, g, nil)
}

func compare(path string, want, got any, ds []difference) []difference {
	w, isObject := want.(map[string]any)
	g, ok := got.(map[string]any)
	if isObject && ok {
		keys := maps.Clone(w)
		maps.Copy(keys, g)
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			ds = compare(path+"."+k, member(w, k), member(g, k), ds)
		}
		return ds
	}
	wl, isList := want.([]any)
	gl, ok := got.([]any)
	if isList && ok && len(wl) == len(gl) {
		for i := range wl {
			ds = compare(fmt.Sprintf("%s[%d]", path, i), wl[i], gl[i], ds)
		}
		return ds
	}
	if !reflect.DeepEqual(want, got) {
		ds = append(ds, difference{path, want, got})
	}
	return ds
}

func member(m map[string]any, k string) any {
	if v, ok := m[k]; ok {
		return v
	}
	return absent{}
}
