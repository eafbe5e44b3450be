package mispapi

import (
	"archive/zip"
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"image"
	"image/png"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/blob"
	"tocsin/store"
)

// onePixel is a picture of one pixel, in base64.
const onePixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGMQUDAAAACkAGE0Zn1yAAAAAElFTkSuQmCC"

// attached are a world with one user, and an event to attach to.
func attached(t *testing.T) *world {
	w := newWorld(t, noon)
	twoOrgs(w)
	w.must(200, "root", "POST", "/events/add", `{"Event":{"uuid":"`+visible+`","info":"x","distribution":1}}`)
	return w
}

// An attachment comes as base64, goes as base64 to who asks for it, and as it is to who
// downloads it: as octets, never as something to be shown.
func TestAttachmentsComeAndGo(t *testing.T) {
	w := attached(t)
	w.must(200, "root", "POST", "/attributes/add/1", `{"uuid":"`+inVisible+`","type":"attachment","value":"../evil.html","data":"PHNjcmlwdD4=\n"}`)
	for path, body := range map[string]string{"/events/view/1": "", "/attributes/view/1": "", "/attributes/restSearch": `{"withAttachments":1,"type":"attachment"}`, "/events/restSearch": `{"withAttachments":1}`} {
		if got := w.must(200, "root", map[bool]string{true: "POST", false: "GET"}[body != ""], path, body); !strings.Contains(got.body, `"data":"PHNjcmlwdD4="`) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := w.must(200, "root", "POST", "/attributes/restSearch", `{"type":"attachment"}`); strings.Contains(got.body, `"data"`) {
		t.Errorf("nobody asked for the data: %s", got.body)
	}
	got := w.must(200, "root", "GET", "/attributes/download/1", "")
	h := got.header
	if got.body != "<script>" || h.Get("Content-Type") != "application/octet-stream" || h.Get("Content-Disposition") != `attachment; filename=evil.html` ||
		h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("downloaded %q with %v", got.body, h)
	}
	w.must(200, "root", "POST", "/attributes/edit/1", `{"type":"attachment","value":"evil.html","data":"cGxhaW4="}`)
	if got := w.must(200, "root", "GET", "/attributes/download/1", ""); got.body != "plain" {
		t.Errorf("after an edit: %q", got.body)
	}
	w.must(200, "root", "POST", "/attributes/edit/1", `{"comment":"with nothing new"}`)
	if got := w.must(200, "root", "GET", "/attributes/download/1", ""); got.body != "plain" {
		t.Errorf("after an edit of a comment: %q", got.body)
	}
	w.must(200, "root", "POST", "/attributes/add_attachment/1", `{"filename":"b.bin","data":"AAE=","malware":true}`)
	if got := w.must(200, "root", "GET", "/attributes/view/2", ""); !strings.Contains(got.body, `"type":"malware-sample"`) || !strings.Contains(got.body, `"value":"b.bin|441077cc9e57554dd476bdfb8b8b8102"`) {
		t.Errorf("add_attachment: %s", got.body)
	}
}

// What can't be an attachment is refused by itself, with the reason.
func TestBadAttachments(t *testing.T) {
	w := attached(t)
	put(w, &tocsin.Setting{Name: tocsin.AttachmentLimit, Value: "100000"})
	bomb := base64.StdEncoding.EncodeToString(bombZip(t))
	large := base64.StdEncoding.EncodeToString(make([]byte, 100_001))
	for data, why := range map[string]string{"*": "not base64", "YQ": "not base64", large: "100000 octets at most", bomb: "octets at most"} {
		got := w.ask("root", "POST", "/attributes/add/1", `{"type":"malware-sample","value":"a","data":"`+data+`"}`)
		if got.status != 403 || !strings.Contains(got.body, why) {
			t.Errorf("%.10s: %d %s", data, got.status, got.body)
		}
	}
	if got := w.must(200, "root", "POST", "/attributes/add/1", `{"type":"domain","value":"a.example.org","data":"aGkK"}`); strings.Contains(got.body, `"data"`) {
		t.Errorf("a domain has data: %s", got.body)
	}
	if got := w.ask("root", "GET", "/attributes/download/1", ""); got.status != 404 {
		t.Errorf("a domain's attachment: %d %s", got.status, got.body)
	}
}

// bombZip is a zip, locked as samples are, that holds more than is taken.
func bombZip(t *testing.T) []byte {
	t.Helper()
	b, err := blob.Lock("bomb", make([]byte, 1_000_000))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A sample is settled from its content: what comes open is locked away, and what comes
// locked stays as it came.
func TestSamplesAreSettled(t *testing.T) {
	w := attached(t)
	locked, err := blob.Lock("dropper.exe", []byte("not really"))
	if err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte("not really"))
	value := `"value":"dropper.exe|` + hex.EncodeToString(sum[:]) + `"`
	for i, body := range []string{
		`{"type":"malware-sample","value":"dropper.exe","encrypt":true,"data":"` + base64.StdEncoding.EncodeToString([]byte("not really")) + `"}`,
		`{"type":"malware-sample","category":"Artifacts dropped","value":"dropper.exe|00000000000000000000000000000000","data":"` + base64.StdEncoding.EncodeToString(locked) + `"}`,
		`{"type":"malware-sample","category":"Payload installation","value":"dropper.exe","data":"` + base64.StdEncoding.EncodeToString([]byte("not really")) + `"}`,
	} {
		got := w.must(200, "root", "POST", "/attributes/add/1", body)
		if !strings.Contains(got.body, value) {
			t.Errorf("%d: %s", i, got.body)
		}
		down := w.must(200, "root", "GET", "/attributes/download/"+itoa(int64(i+1)), "")
		name, sample, err := blob.Unlock([]byte(down.body), 1000)
		if err != nil || name != "dropper.exe" || string(sample) != "not really" || strings.Contains(down.body, "not really") {
			t.Errorf("%d: %q %q %v", i, name, sample, err)
		}
		if i == 1 && down.body != string(locked) {
			t.Error("what came locked was changed")
		}
		if z, err := zip.NewReader(strings.NewReader(down.body), int64(len(down.body))); err != nil || z.File[0].Flags&1 == 0 {
			t.Errorf("%d: it is not locked: %v", i, err)
		}
	}
}

// A picture is shown only after it was made anew.
func TestPicturesAreMadeAnew(t *testing.T) {
	w := attached(t)
	var wide bytes.Buffer
	if err := png.Encode(&wide, image.NewGray(image.Rect(0, 0, 1000, 500))); err != nil {
		t.Fatal(err)
	}
	wide.WriteString("<script>alert(1)</script>")
	add := func(name string, b []byte) {
		body, _ := json.Marshal(record{"type": "attachment", "value": name, "data": base64.StdEncoding.EncodeToString(b)})
		w.must(200, "root", "POST", "/attributes/add/1", string(body))
	}
	add("wide.png", wide.Bytes())
	add("page.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`))
	got := w.must(200, "root", "GET", "/attributes/viewPicture/1/1", "")
	c, kind, err := image.DecodeConfig(strings.NewReader(got.body))
	if err != nil || kind != "png" || c.Width != 200 || c.Height != 100 || got.header.Get("Content-Type") != "image/png" || strings.Contains(got.body, "script") {
		t.Errorf("%v %s %v %v", c, kind, err, got.header)
	}
	if got := w.ask("root", "GET", "/attributes/viewPicture/2", ""); got.status != 404 || strings.Contains(got.body, "<svg") {
		t.Errorf("an SVG: %d %s", got.status, got.body)
	}
}

// What was deleted for good is swept, and what another attribute holds stays.
func TestDeletedContentIsSwept(t *testing.T) {
	w := attached(t)
	for _, name := range []string{"a", "b"} {
		w.must(200, "root", "POST", "/attributes/add/1", `{"type":"attachment","value":"`+name+`","data":"c2FtZQ=="}`)
	}
	w.must(200, "root", "POST", "/attributes/add/1", `{"type":"attachment","value":"c","data":"b3RoZXI="}`)
	sweep := func() (left int) {
		if _, err := blob.Sweep(t.Context(), w.blobs, 0, func(s blob.Sum) (bool, error) {
			return store.Attached(t.Context(), w.db.As(access.System("test")), s.String())
		}); err != nil {
			t.Fatal(err)
		}
		for range w.blobs.All(t.Context()) {
			left++
		}
		return left
	}
	if n := sweep(); n != 2 {
		t.Errorf("%d of 2 blobs are there before anything was deleted", n)
	}
	w.must(200, "root", "POST", "/attributes/delete/3", "")
	if n := sweep(); n != 2 {
		t.Errorf("%d blobs are left; what is withdrawn may be restored", n)
	}
	w.must(200, "root", "POST", "/attributes/delete/1/1", "")
	w.must(200, "root", "POST", "/attributes/delete/3/1", "")
	if n := sweep(); n != 1 {
		t.Errorf("%d blobs are left; another attribute holds one", n)
	}
	w.must(200, "root", "POST", "/events/delete/1", "")
	if n := sweep(); n != 0 {
		t.Errorf("%d blobs are left of an event that was deleted", n)
	}
}

// upload_sample makes file objects of samples: of one, of several, in a new event or in
// one that is there; of an executable with what it says of itself.
func TestUploadSample(t *testing.T) {
	w := attached(t)
	data := base64.StdEncoding.EncodeToString([]byte("not really"))
	program := base64.StdEncoding.EncodeToString(executable())
	got := w.must(200, "root", "POST", "/events/upload_sample/1", `{"request":{"files":[{"filename":"a.exe","data":"`+data+`"}],"category":"Artifacts dropped","comment":"from a mail"}}`)
	if !strings.Contains(got.body, `"message":"Success, saved all attributes."`) || !strings.Contains(got.body, `"id":1`) {
		t.Errorf("%s", got.body)
	}
	e := view(t, w, visible)
	file := recordsIn(e["Object"])[0]
	if as := recordsIn(file["Attribute"]); file["name"] != "file" || file["comment"] != "from a mail" || len(as) != 8 || as[0]["category"] != "Artifacts dropped" || as[0]["data"] == nil {
		t.Errorf("%v", file)
	}
	got = w.must(200, "root", "POST", "/events/upload_sample", `{"files":[{"filename":"a.exe","data":"`+program+`"},{"filename":"b.exe","data":"`+data+`"}],"advanced":1,"info":"two","distribution":0}`)
	if !strings.Contains(got.body, `"id":2`) {
		t.Errorf("%s", got.body)
	}
	var answer struct{ Event record }
	if err := json.Unmarshal([]byte(w.must(200, "root", "GET", "/events/view/2", "").body), &answer); err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for _, o := range recordsIn(answer.Event["Object"]) {
		names[o["name"].(string)] += 1 + 100*len(recordsIn(o["ObjectReference"]))
	}
	if names["file"] != 102 || names["pe"] != 101 || names["pe-section"] != 1 {
		t.Errorf("%v", names)
	}
	for _, body := range []string{`{}`, `{"files":[]}`, `{"files":"x"}`, `{"files":[{"filename":"a"}]}`, `{"files":[{"filename":"a","data":"*"}]}`, `{"files":[7]}`} {
		if got := w.ask("root", "POST", "/events/upload_sample/1", body); got.status < 400 || got.status >= 500 {
			t.Errorf("%s: %d %s", body, got.status, got.body)
		}
	}
	if got := w.must(200, "root", "POST", "/events/upload_sample/1", `{"files":[{"filename":"c","data":"Yw=="},{"filename":"d","data":"*"}]}`); !strings.Contains(got.body, "Partial") {
		t.Errorf("one that is bad: %s", got.body)
	}
}

// executable is a program for Windows that does nothing, with one section.
func executable() []byte {
	b := make([]byte, 0x400)
	copy(b, "MZ")
	b[0x3c] = 0x40
	copy(b[0x40:], "PE\x00\x00\x4c\x01\x01\x00") // i386, one section
	b[0x54], b[0x56], b[0x57] = 0xe0, 0x02, 0x01 // size of the optional header, executable
	copy(b[0x58:], "\x0b\x01")
	b[0x58+92] = 16 // data directories
	section := b[0x58+0xe0:]
	copy(section, ".text")
	section[17], section[21] = 2, 2 // 512 octets, at 512
	return b
}
