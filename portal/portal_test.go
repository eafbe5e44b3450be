package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin/access"
	"tocsin/portal"
)

func (a answer) has(t *testing.T, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s (%d) lacks %q", a.path, a.status, want)
		}
	}
}

func (a answer) lacks(t *testing.T, unwanted ...string) {
	t.Helper()
	for _, un := range unwanted {
		if strings.Contains(a.body, un) {
			t.Errorf("%s (%d) has %q", a.path, a.status, un)
		}
	}
}

func TestSmoke(t *testing.T) {
	w := newWorld(t)
	w.share(t, "ada@cert.example", portal.Draft{Info: "Phishing against a bank", Distribution: access.Community, Publish: true,
		Tags: []string{`tocsin:collection="phishing"`}}, "evil.example", "http://login.evil.example/x", "192.0.2.66")
	p := w.signedIn(t, "ada@cert.example")
	for _, path := range []string{"/portal/", "/portal/?q=evil.example", "/portal/events", "/portal/events/1", "/portal/events/1/publish", "/portal/events/1/delete",
		"/portal/events/1/distribution", "/portal/attributes/1/withdraw", "/portal/share", "/portal/collections", "/portal/account"} {
		if a := p.get(path); a.status != http.StatusOK {
			t.Errorf("%s: %d\n%s", path, a.status, a.body)
		}
	}
	p = w.signedIn(t, "tess@telco.example")
	for _, path := range []string{"/portal/collections", "/portal/collections/1", "/portal/collections/1?name=evil.example", "/portal/subscribers/1/config"} {
		if a := p.get(path); a.status != http.StatusOK {
			t.Errorf("%s: %d\n%s", path, a.status, a.body)
		}
	}
}
