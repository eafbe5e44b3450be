package indicator

import "testing"

func TestTypes(t *testing.T) {
	ids, names := map[uint16]bool{}, map[string]bool{}
	for _, typ := range Types() {
		if typ.ID == 0 || ids[typ.ID] || names[typ.Name] {
			t.Errorf("%d %q: number or name used twice", typ.ID, typ.Name)
		}
		ids[typ.ID], names[typ.Name] = true, true
		if a, _ := TypeByName(typ.Name); a != typ {
			t.Errorf("%q is not found by name", typ.Name)
		}
		if a, _ := TypeByID(typ.ID); a != typ {
			t.Errorf("%q is not found by number", typ.Name)
		}
		if c, ok := CategoryByName(typ.DefaultCategory); !ok || !typ.Allows(c) {
			t.Errorf("%q may not appear in its default category %q", typ.Name, typ.DefaultCategory)
		}
		if typ.parse == nil || typ.keys == nil {
			t.Errorf("%q has no form", typ.Name)
		}
	}
	if len(ids) != 194 {
		t.Errorf("%d types, want 194", len(ids))
	}
}

// Numbers are in databases: these may never change.
func TestNumbersAreForever(t *testing.T) {
	for name, id := range map[string]uint16{
		"md5": 1, "sha1": 2, "sha256": 3, "filename": 4, "ip-src": 9, "ip-dst": 10, "hostname": 11, "domain": 12, "domain|ip": 13,
		"email-src": 15, "url": 23, "AS": 33, "link": 60, "comment": 61, "text": 62, "other": 64, "uri": 89, "onion-address": 194,
	} {
		if typ, ok := TypeByName(name); !ok || typ.ID != id {
			t.Errorf("%s has number %d, want %d", name, typ.ID, id)
		}
	}
	for c, name := range map[Category]string{1: "Internal reference", 4: "Payload delivery", 8: "Network activity", 16: "Other", 0: "", 17: ""} {
		if c.String() != name {
			t.Errorf("category %d is %q, want %q", c, c, name)
		}
	}
}

func TestCorrelates(t *testing.T) {
	for name, want := range map[string]bool{"domain": true, "text": true, "size-in-bytes": true, "comment": false, "port": false, "boolean": false} {
		if typ, _ := TypeByName(name); typ.Correlates != want {
			t.Errorf("%s correlates: %v", name, !want)
		}
	}
}
