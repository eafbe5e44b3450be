package stix

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/internal/lab"
)

func packaged(t *testing.T, asJSON bool, es ...*Event) []byte {
	t.Helper()
	var out bytes.Buffer
	w := NewPackage(&out, asJSON, "1.2", "ORG & Co", "https://exchange.example", trialNames{}, time.Unix(1_700_000_000, 0))
	for _, e := range es {
		e.Date = "2024-10-01"
		if err := w.Event(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Each prefix that stands before an element, an attribute or a type is declared, and
// no id is there twice.
func TestPackagesAreXML(t *testing.T) {
	b := packaged(t, false, trialEvent(t, true))
	declared, ids := map[string]bool{}, map[string]bool{}
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		tok, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		s, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range s.Attr {
			if a.Name.Space == "xmlns" {
				declared[a.Name.Local] = true
			}
		}
		prefixes := []string{s.Name.Space}
		for _, a := range s.Attr {
			switch {
			case a.Name.Space == "xsi":
				prefix, _, _ := strings.Cut(a.Value, ":")
				prefixes = append(prefixes, prefix, "xsi")
			case a.Name.Local == "id":
				prefix, _, _ := strings.Cut(a.Value, ":")
				prefixes = append(prefixes, prefix)
				if ids[a.Value] {
					t.Errorf("%s is there twice", a.Value)
				}
				ids[a.Value] = true
			}
		}
		for _, p := range prefixes {
			if p != "" && !declared[p] {
				t.Errorf("%s is not declared in <%s:%s>", p, s.Name.Space, s.Name.Local)
			}
		}
	}
	if err := xml.Unmarshal(b, new(struct{})); err != nil {
		t.Error(err)
	}
	python := exec.Command(lab.Need(t, "python3"), "-c", "import sys, xml.etree.ElementTree as e; print(len(list(e.parse(sys.stdin).iter())))")
	python.Stdin = bytes.NewReader(b)
	if out, err := python.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func TestPackagesAreJSON(t *testing.T) {
	for _, es := range [][]*Event{nil, {trialEvent(t, true)}, {trialEvent(t, true), {Event: &tocsin.Event{UUID: derived("empty"), Orgc: 1, Info: "x", Date: "2024-10-01"}}}} {
		if b := packaged(t, true, es...); !json.Valid(b) {
			t.Errorf("%.3000s", b)
		}
		if b := packaged(t, false, es...); xml.Unmarshal(b, new(struct{})) != nil {
			t.Errorf("%.3000s", b)
		}
	}
}

// What is written as STIX 1 is read back by the reader of this package.
func TestPackagesAreRead(t *testing.T) {
	back, err := Read1(bytes.NewReader(packaged(t, false, trialEvent(t, true))))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, a := range back.Attributes {
		found[a.Type.Or("")+" "+a.Value.Or("")] = true
	}
	for _, typ := range []string{"domain", "hostname", "ip-src", "ip-dst", "url", "filename", "sha1", "regkey", "email-src", "email-subject", "mutex", "malware-sample"} {
		if !found[typ+" "+values[typ]] && !slices.Contains([]string{"malware-sample"}, typ) {
			t.Errorf("%s %q does not come back", typ, values[typ])
		}
	}
}

func TestAPackageThatFailsDoesNotEnd(t *testing.T) {
	gone := errors.New("gone")
	for _, asJSON := range []bool{true, false} {
		e := trialEvent(t, true)
		e.Objects = func(yield func(Object, error) bool) { yield(Object{}, gone) }
		var out bytes.Buffer
		w := NewPackage(&out, asJSON, "1.1.1", "ORG", "", trialNames{}, time.Unix(0, 0))
		if err := w.Event(e); !errors.Is(err, gone) || json.Valid(out.Bytes()) || xml.Unmarshal(out.Bytes(), new(struct{})) == nil {
			t.Errorf("%v, %d octets", err, out.Len())
		}
	}
}
