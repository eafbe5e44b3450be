package stix

import (
	"bytes"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
)

// TestGrounds writes what an indicator is based on beside it: the address stands before
// its indicator, the bundle is sound, and read back it is one attribute to act on.
func TestGrounds(t *testing.T) {
	v, err := indicator.Parse("ip-src", "192.0.2.7")
	if err != nil {
		t.Fatal(err)
	}
	a := tocsin.Attribute{UUID: derived("grounds"), Value: v, ToIDS: true, Distribution: access.Inherit, Timestamp: 1}
	var b bytes.Buffer
	w := NewBundle(&b, V21, trialNames{}, time.Unix(1, 0))
	w.Grounds = true
	if err := w.Attribute(&a); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	objects, of := objectsIn(t, b.Bytes()), schemas(t)
	seen := map[any]bool{}
	for _, o := range objects {
		s := of[o["type"].(string)]
		if s == nil {
			s = of["core"]
		}
		if err := s.Validate(o); err != nil || seen[o["id"]] {
			t.Errorf("%v: %v", o, err)
		}
		seen[o["id"]] = true
	}
	n := len(objects)
	if n < 5 || objects[n-2]["value"] != "192.0.2.7" || objects[n-1]["pattern"] != "[network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:src_ref.value = '192.0.2.7']" {
		t.Errorf("%s", b.Bytes())
	}
	back, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil || len(back.Attributes) != 1 || !back.Attributes[0].ToIDS.Or(false) || back.Attributes[0].UUID.Or(tocsin.UUID{}) != a.UUID {
		t.Errorf("read back: %+v, %v", back, err)
	}
}
