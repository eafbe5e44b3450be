package mispapi

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"debug/pe"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/misp"
)

// maxFiles is how many samples one call may bring.
const maxFiles = 100

// uploadSample adds samples of malware to an event, or to a new one: each as a file
// object with the sample locked away and its sums. With "advanced" an executable of
// Windows has objects for itself and its sections, to which the file refers. It is
// what PyMISP's upload_sample called, and what scripts and connectors call still.
func uploadSample(c *call) error {
	said, err := c.told("")
	if err != nil {
		return err
	}
	files := said["files"]
	list, ok := files.([]any)
	if one, single := files.(map[string]any); single {
		list, ok = []any{one}, true
	}
	switch {
	case !ok || len(list) == 0:
		return c.no(http.StatusBadRequest, tocsin.Invalid, "No samples received, or samples not in the correct format.")
	case len(list) > maxFiles:
		return c.no(http.StatusBadRequest, tocsin.Invalid, fmt.Sprintf("At most %d samples can be uploaded at a time.", maxFiles))
	}
	u := &upload{c: c, d: c.drafter(), said: said}
	errs := []string{}
	for i, f := range list {
		if err := u.file(i, f); err != nil {
			errs = append(errs, err.Error())
		}
	}
	if u.d.failed != nil {
		return u.d.failed
	}
	if len(u.objects) == 0 {
		return c.unsaved("upload sample", "/events/upload_sample", errs, nil)
	}
	id, more, err := u.save(textOf(eventNamed(c.arg(0), said["event_id"])))
	if err != nil {
		return err
	}
	return c.uploaded(id, append(errs, more...))
}

// eventNamed is what the path says, or else what the body does.
func eventNamed(arg string, said any) any {
	if arg != "" && arg != "null" {
		return arg
	}
	return said
}

// uploaded answers as MISP does where all or some samples were taken.
func (c *call) uploaded(id int64, errs []string) error {
	sentence := "Success, saved all attributes."
	if len(errs) > 0 {
		sentence = "Partial success. Some of the files could not be saved."
	}
	return c.reply(struct {
		ID      int64    `json:"id"`
		Name    string   `json:"name"`
		Message string   `json:"message"`
		URL     string   `json:"url"`
		Errors  []string `json:"errors,omitempty"`
	}{id, map[bool]string{true: "Success", false: "Partial success"}[len(errs) == 0], sentence, "/events/view/" + itoa(id), errs})
}

// An upload is samples on their way into an event.
type upload struct {
	c       *call
	d       *drafter
	said    map[string]any
	objects []intake.ObjectDraft
	remarks []intake.RemarkDraft
}

// Templates of the objects that samples become (MISP's object templates).
var (
	fileTemplate    = objectTemplate{"file", "File object describing a file with meta-information", "688c46fb-5edb-40a3-8273-1af7923e2215", 25}
	peTemplate      = objectTemplate{"pe", "Object describing a Portable Executable", "cf7adecc-d4f0-4e88-9d90-f978ee151a07", 11}
	sectionTemplate = objectTemplate{"pe-section", "Object describing a section of a Portable Executable", "198a17d2-a135-4b25-9a32-5aa4e632014a", 3}
)

type objectTemplate struct {
	name, description, uuid string
	version                 int
}

// draft is an object of a template, as one that is known here if it is.
func (u *upload) draft(t objectTemplate) intake.ObjectDraft {
	id, _ := tocsin.ParseUUID(t.uuid)
	out := intake.ObjectDraft{Line: objectLine(len(u.objects), 0), UUID: tocsin.NewUUID(time.Now()), Name: t.name, MetaCategory: "file", Description: t.description,
		TemplateUUID: id, TemplateVersion: t.version, Comment: textOf(u.said["comment"]), Distribution: new(access.Inherit)}
	if is, err := u.c.view.Library().ByUUID(tocsin.ObjectTemplates, id); err == nil {
		out.TemplateVersion = int(is.Version)
	}
	return out
}

// file takes one file: {"filename": …, "data": base64}.
func (u *upload) file(i int, v any) error {
	f, _ := v.(map[string]any)
	name := textOf(f["filename"])
	if name == "" || textOf(f["data"]) == "" {
		return tocsin.Errorf(tocsin.Invalid, "file %d: a sample needs filename and data", i)
	}
	raw, err := u.c.decode(textOf(f["data"]))
	if err != nil {
		return fmt.Errorf("file %d (%.80s): %w", i, name, err)
	}
	a := misp.Attribute{Type: misp.Said("malware-sample"), Value: misp.Said(name), Encrypt: misp.Said(true)}
	locked, value, err := u.c.sample(raw, &a)
	if err != nil {
		return fmt.Errorf("file %d (%.80s): %w", i, name, err)
	}
	content, err := u.c.keepContent(locked)
	if err != nil {
		u.d.because(err)
		return fmt.Errorf("file %d (%.80s): %w", i, name, err)
	}
	o := u.draft(fileTemplate)
	u.add(&o, "malware-sample", "malware-sample", value.Or(""), content)
	u.add(&o, "filename", "filename", name, nil)
	u.sums(&o, raw)
	u.add(&o, "size-in-bytes", "size-in-bytes", strconv.Itoa(len(raw)), nil)
	u.objects = append(u.objects, o)
	if truthy(u.said["advanced"]) || truthy(u.said["advanced_extraction"]) {
		u.executable(o.UUID, raw)
	}
	return nil
}

// sums adds the sums and the entropy of some content.
func (u *upload) sums(o *intake.ObjectDraft, b []byte) {
	m, s1, s256, s512 := md5.Sum(b), sha1.Sum(b), sha256.Sum256(b), sha512.Sum512(b)
	for _, s := range []struct {
		typ string
		sum []byte
	}{{"md5", m[:]}, {"sha1", s1[:]}, {"sha256", s256[:]}, {"sha512", s512[:]}} {
		u.add(o, s.typ, s.typ, hex.EncodeToString(s.sum), nil)
	}
	u.add(o, "entropy", "float", strconv.FormatFloat(entropy(b), 'f', -1, 64), nil)
}

// entropy is how many bits an octet of b tells.
func entropy(b []byte) (bits float64) {
	var counts [256]int
	for _, c := range b {
		counts[c]++
	}
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(b))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}

// acted are the relations of an object that devices may act on.
var acted = map[string]bool{"malware-sample": true, "md5": true, "sha1": true, "sha256": true, "sha512": true}

// add adds an attribute to an object. What the call says of category and to_ids is for
// what identifies the sample; the rest only describes it.
func (u *upload) add(o *intake.ObjectDraft, relation, typ, value string, content *tocsin.Attachment) {
	a := intake.Draft{Line: o.Line + len(o.Attributes) + 1, Type: typ, Text: value, Relation: relation, Attachment: content,
		ToIDS: new(acted[relation] && (u.said["to_ids"] == nil || truthy(u.said["to_ids"]))), NoCorrelate: !acted[relation]}
	if relation == "malware-sample" {
		a.Category = textOf(u.said["category"])
	}
	o.Attributes = append(o.Attributes, a)
}

// maxSections is how many sections of an executable are told.
const maxSections = 96

// executable adds what an executable of Windows says of itself, if it is one. Nothing
// of it is run; what it says of its sizes is not believed.
func (u *upload) executable(file tocsin.UUID, raw []byte) {
	f, err := pe.NewFile(bytes.NewReader(raw))
	if err != nil {
		return
	}
	o := u.draft(peTemplate)
	u.add(&o, "number-sections", "counter", strconv.Itoa(len(f.Sections)), nil)
	u.add(&o, "compilation-timestamp", "datetime", time.Unix(int64(f.TimeDateStamp), 0).UTC().Format(time.RFC3339), nil)
	switch h := f.OptionalHeader.(type) {
	case *pe.OptionalHeader32:
		u.add(&o, "entrypoint-address", "text", strconv.FormatUint(uint64(h.AddressOfEntryPoint), 10), nil)
	case *pe.OptionalHeader64:
		u.add(&o, "entrypoint-address", "text", strconv.FormatUint(uint64(h.AddressOfEntryPoint), 10), nil)
	}
	u.add(&o, "type", "text", kindOfPE(f), nil)
	u.objects = append(u.objects, o)
	u.refer(file, o.UUID, "includes", "PE indicators")
	for i, s := range f.Sections[:min(maxSections, len(f.Sections))] {
		from, to := int64(s.Offset), int64(s.Offset)+int64(s.Size)
		if from < 0 || to > int64(len(raw)) || from >= to {
			continue
		}
		part := raw[from:to]
		so := u.draft(sectionTemplate)
		if s.Name != "" {
			u.add(&so, "name", "text", s.Name, nil)
		}
		u.sums(&so, part)
		u.add(&so, "size-in-bytes", "size-in-bytes", strconv.Itoa(len(part)), nil)
		u.objects = append(u.objects, so)
		u.refer(o.UUID, so.UUID, "includes", fmt.Sprintf("Section %d of PE", i))
	}
}

func kindOfPE(f *pe.File) string {
	if f.Characteristics&pe.IMAGE_FILE_DLL != 0 {
		return "dll"
	}
	return "exe"
}

func (u *upload) refer(from, to tocsin.UUID, relation, comment string) {
	u.remarks = append(u.remarks, intake.RemarkDraft{What: "ObjectReference", Remark: &tocsin.Reference{Relation: relation, Comment: comment,
		Head: tocsin.Head{About: tocsin.Link{Kind: tocsin.KindObject, UUID: from}, To: tocsin.Link{Kind: tocsin.KindObject, UUID: to}}}})
}

// save writes the samples to the event that is named, or to a new one, and says what
// was refused.
func (u *upload) save(event string) (id int64, errs []string, err error) {
	var res intake.Result
	if refOf(event) != (ref{}) {
		e, err := u.c.event(event)
		if err != nil {
			return 0, nil, err
		}
		if res, err = u.c.desk.EditEvent(u.c.r.Context(), u.c.v, e.ID, intake.EventEdit{Objects: u.objects, Remarks: u.remarks}); err != nil {
			return 0, nil, err
		}
	} else if res, err = u.newEvent(); err != nil {
		return 0, nil, err
	}
	for _, r := range res.Refused {
		errs = append(errs, r.Error())
	}
	return res.Event.ID, errs, nil
}

func (u *upload) newEvent() (intake.Result, error) {
	draft := intake.EventDraft{Info: textOf(u.said["info"]), Threat: spelled(u.said["threat_level_id"]), Analysis: spelled(u.said["analysis"]), Objects: u.objects, Remarks: u.remarks}
	if draft.Info == "" {
		draft.Info = "Samples of malware"
	}
	if n := spelled(u.said["distribution"]); n != nil {
		if *n < 0 || *n > int(access.Group) {
			return intake.Result{}, u.c.unsavedEvent("upload sample", "/events/upload_sample", "distribution", distributions)
		}
		draft.Distribution = new(access.Distribution(*n))
		if group := spelled(u.said["sharing_group_id"]); group != nil {
			draft.Group = int64(*group)
		}
	}
	draft.Distribution = u.c.sharesByDefault(draft.Distribution)
	res, err := u.c.desk.AddEvent(u.c.r.Context(), u.c.v, draft)
	if err != nil {
		return res, u.c.notAdded(err)
	}
	return res, nil
}

// spelled reads a number that a client wrote as one or as text, nil if it is none.
func spelled(v any) *int {
	n, err := strconv.Atoi(textOf(v))
	if err != nil {
		return nil
	}
	return &n
}
