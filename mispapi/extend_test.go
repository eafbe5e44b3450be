package mispapi

import (
	"strings"
	"testing"
)

// TestExtended shows an event with what extends it, as far as the viewer may see it.
func TestExtended(t *testing.T) {
	w := twoParties(t)
	const of = `"extends_uuid":"` + visible + `","Attribute":[{"type":"domain","value":"`
	w.must(200, "ann", "POST", "/events/add", `{"info":"seen","distribution":1,`+of+`ext.example.net"}],"EventReport":[{"name":"more","content":"x"}]}`)
	w.must(200, "ann", "POST", "/events/add", `{"info":"unseen","distribution":0,`+of+`secret.example.net"}]}`)
	w.must(200, "bob", "POST", "/shadow_attributes/add/"+visible, `{"type":"domain","value":"proposed.example.net"}`)
	for who, want := range map[string]string{"bob": "ext proposed", "ann": "ext secret proposed"} {
		for _, ask := range [][2]string{{"GET", "/events/view/" + visible + "/extended:1"}, {"POST", "/events/view/" + visible}} {
			body := map[string]string{"POST": `{"extended":true}`}[ask[0]]
			got := w.must(200, who, ask[0], ask[1], body).body
			var has []string
			for _, name := range []string{"ext", "secret", "proposed"} {
				if strings.Contains(got, `"value":"`+name+`.example.net"`) {
					has = append(has, name)
				}
			}
			if s := strings.Join(has, " "); s != want || strings.Contains(got, "unseen") != (who == "ann") || !strings.Contains(got, `"name":"more"`) {
				t.Errorf("%s %s: %q, not %q: %s", who, ask, s, want, got)
			}
			if _, err := decodeObject([]byte(got)); err != nil {
				t.Errorf("%v: %s", err, got)
			}
		}
	}
	if got := w.must(200, "ann", "GET", "/events/view/"+visible, "").body; strings.Contains(got, "extensionEvents") || strings.Contains(got, "ext.example.net") {
		t.Errorf("nobody asked: %s", got)
	}
}
