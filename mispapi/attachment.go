package mispapi

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"tocsin"
	"tocsin/blob"
	"tocsin/misp"
	"tocsin/store"
)

// Content of attributes, in and out. It comes and goes as base64 in data, and as it is
// from /attributes/download. It is kept where [API.Blobs] is before the attribute is
// written; what no attribute then holds is swept.

// drafter makes drafts of what a call brings.
func (c *call) drafter() *drafter { return &drafter{view: c.view, c: c} }

// keeps reports whether attributes of a type have content.
func keeps(typ string) bool { return typ == "attachment" || typ == "malware-sample" }

// content takes the content of an attribute in, and returns what the attribute holds
// and what its value is: of a sample that follows from its content. An attribute of
// another type has none, whatever is sent along, as in MISP.
func (d *drafter) content(a *misp.Attribute) (*tocsin.Attachment, misp.Field[string], error) {
	text := a.Data.Or("")
	if text == "" || a.Type.Present() && !keeps(a.Type.Or("")) {
		return nil, a.Value, nil
	}
	if d.c == nil {
		return nil, a.Value, tocsin.Errorf(tocsin.Invalid, "attachments are not kept here; send the attribute without its data")
	}
	if !a.Type.Present() {
		return nil, a.Value, tocsin.Errorf(tocsin.Invalid, "say the type with it: attachment or malware-sample")
	}
	b, err := d.c.decode(text)
	if err != nil {
		return nil, a.Value, err
	}
	value := a.Value
	if a.Type.Or("") == "malware-sample" {
		if b, value, err = d.c.sample(b, a); err != nil {
			return nil, a.Value, err
		}
	}
	is, err := d.c.keepContent(b)
	return is, value, err
}

// attachmentLimit is how large one attachment may be.
func (c *call) attachmentLimit() int64 {
	n, err := strconv.ParseInt(c.db.Setting(tocsin.AttachmentLimit), 10, 64)
	if err != nil || n < 0 || n > tocsin.MostAttachment {
		return tocsin.DefaultAttachment
	}
	return n
}

// decode reads base64, whatever white space is in it.
func (c *call) decode(text string) ([]byte, error) {
	limit := c.attachmentLimit()
	if int64(base64.StdEncoding.DecodedLen(len(text))) > limit+limit/8+64 {
		return nil, blob.TooLarge(limit)
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	b, err := base64.StdEncoding.DecodeString(text)
	switch {
	case err != nil:
		return nil, tocsin.Errorf(tocsin.Invalid, "it is not base64 (RFC 4648, section 4)")
	case int64(len(b)) > limit:
		return nil, blob.TooLarge(limit)
	}
	return b, nil
}

// sample settles a sample of malware: its value is its name and the MD5 of what is in
// the zip, and what comes without a zip is put into one.
func (c *call) sample(b []byte, a *misp.Attribute) ([]byte, misp.Field[string], error) {
	name, _, _ := cutLast(a.Value.Or(""))
	raw := b
	if !a.Encrypt.Or(false) {
		called, content, err := blob.Unlock(b, c.attachmentLimit())
		switch {
		case err == nil:
			if raw = content; name == "" {
				name = called
			}
			return b, misp.Said(sampleValue(name, raw)), nil
		case !errors.Is(err, blob.ErrNoZip):
			return nil, a.Value, err
		}
	}
	if name == "" {
		return nil, a.Value, tocsin.Errorf(tocsin.Invalid, "a sample needs the name of its file as its value")
	}
	locked, err := blob.Lock(name, raw)
	return locked, misp.Said(sampleValue(name, raw)), err
}

func sampleValue(name string, raw []byte) string {
	sum := md5.Sum(raw)
	return name + "|" + hex.EncodeToString(sum[:])
}

// cutLast cuts a composite value into the name of a file and the rest.
func cutLast(value string) (name, rest string, ok bool) {
	if i := strings.LastIndexByte(value, '|'); i >= 0 {
		return value[:i], value[i+1:], true
	}
	return value, "", false
}

// keepContent puts content where it is kept.
func (c *call) keepContent(b []byte) (*tocsin.Attachment, error) {
	if c.Blobs == nil {
		return nil, tocsin.Errorf(tocsin.Invalid, "attachments are not kept on this exchange; send the attribute without its data")
	}
	s, err := c.Blobs.Put(c.r.Context(), b)
	if err != nil {
		return nil, err
	}
	return &tocsin.Attachment{SHA256: s.String(), Size: int64(len(b))}, nil
}

// heldBy returns the content of an attribute that the viewer may have, nil if it has
// none. Content that is lost is none.
func (c *call) heldBy(a *tocsin.Attribute) ([]byte, error) {
	if c.Blobs == nil || !keeps(a.Value.TypeName()) {
		return nil, nil
	}
	q := store.RemarkQuery{About: tocsin.KindAttribute, AboutIDs: []int64{a.ID}, Limit: 1}
	for is, err := range c.view.Attachments(c.r.Context(), q) {
		if err != nil {
			return nil, err
		}
		s, err := blob.ParseSum(is.SHA256)
		if err != nil {
			return nil, err
		}
		b, err := c.Blobs.Get(c.r.Context(), s)
		if tocsin.CodeOf(err) == tocsin.NotFound {
			return nil, nil
		}
		return b, err
	}
	return nil, nil
}

// downloadAttribute answers with the content of an attribute as it is, for a file:
// nothing that looks at it is told that it is anything but octets.
func downloadAttribute(c *call) error {
	a, b, err := c.contentOf(c.arg(0))
	if err != nil {
		return err
	}
	name, hash, _ := cutLast(a.Value.String())
	if a.Value.TypeName() == "malware-sample" {
		name = hash + ".zip"
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": plainName(name)}))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	_, err = c.w.Write(b)
	return err
}

// plainName is the last part of a name, without what could mean something to whoever
// keeps the file.
func plainName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if name = strings.TrimLeft(name, "."); name == "" {
		return "attachment"
	}
	return name
}

// contentOf returns an attribute that text names, and its content.
func (c *call) contentOf(text string) (*tocsin.Attribute, []byte, error) {
	a, err := c.attribute(text)
	if err != nil {
		return nil, nil, err
	}
	b, err := c.heldBy(a)
	if err == nil && b == nil {
		err = c.no(http.StatusNotFound, tocsin.NotFound, "Attachment not found.")
	}
	return a, b, err
}

// How large pictures are shown, in pixels.
const (
	thumbnail = 200
	fullSize  = 2000
)

// viewPicture answers with a picture made anew of an attached one: /attributes/viewPicture/7,
// and /attributes/viewPicture/7/1 for a small one.
func viewPicture(c *call) error {
	a, b, err := c.contentOf(c.arg(0))
	if err != nil {
		return err
	}
	if a.Value.TypeName() != "attachment" {
		return c.no(http.StatusNotFound, tocsin.NotFound, "Attachment is not a picture.")
	}
	side := fullSize
	if truthy(c.arg(1)) {
		side = thumbnail
	}
	picture, err := blob.Picture(b, side)
	if err != nil {
		return c.because(http.StatusNotFound, tocsin.Invalid, "Attachment is not a picture.", err.Error())
	}
	h := c.w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	_, err = c.w.Write(picture)
	return err
}

// addAttachment adds an attribute with its content, as JSON: {"filename": …, "data": …},
// with malware: true for a sample. What else an attribute has may be said, too.
func addAttachment(c *call) error {
	said, err := c.told("Attribute")
	if err != nil {
		return err
	}
	a := map[string]any{}
	for name, v := range said {
		a[name] = v
	}
	if a["value"] == nil {
		a["value"] = said["filename"]
	}
	a["type"] = "attachment"
	if truthy(said["malware"]) {
		a["type"], a["encrypt"] = "malware-sample", true
	}
	if textOf(a["data"]) == "" {
		return c.unsaved("add Attribute", "/attributes/add_attachment", map[string][]string{"data": {"An attachment needs data, as base64."}}, nil)
	}
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	return c.addDraftsOf(e, bytes.NewReader(appendJSON(nil, a)))
}
