package egress

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"tocsin"
)

func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "192.168.0.1": false, "172.16.0.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "::": false, "fe80::1": false, "fc00::1": false, "::ffff:127.0.0.1": false,
		"224.0.0.1": false, "255.255.255.255": false, "192.0.2.1": false, "2001:db8::1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false,
		"::7f00:1": false, "::a9fe:a9fe": false, "fec0::1": false, "3fff::1": false, "5f00::1": false,
	} {
		if got := Public(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

// TestGuard asks a server on this machine, which takes leave, by its address and by
// a name that resolves to it.
func TestGuard(t *testing.T) {
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusFound)
		}
	}))
	t.Cleanup(s.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.URL, "http://"), ":")
	guarded, _ := New(Options{})
	for _, address := range []string{s.URL, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port} {
		if _, _, err := guarded.Get(t.Context(), address, nil); err == nil || asked > 0 {
			t.Errorf("%s: %v, asked %d times", address, err, asked)
		}
	}
	free, _ := New(Options{Private: true})
	if status, _, err := free.Get(t.Context(), s.URL, nil); status != 200 || err != nil {
		t.Errorf("with leave: %d %v", status, err)
	}
	if status, _, err := free.Get(t.Context(), s.URL+"/away", nil); status != 302 || err != nil {
		t.Errorf("a redirect is not followed: %d %v", status, err)
	}
	for _, address := range []string{"file:///etc/passwd", "gopher://example.org", "x", "", "http://", "http://user:password@example.org"} {
		if _, _, err := free.Get(t.Context(), address, nil); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%q: %v", address, err)
		}
	}
}

func TestCertificatesThatAreNone(t *testing.T) {
	for _, o := range []Options{{Authorities: []byte("x")}, {Certificate: []byte("x")}} {
		if _, err := New(o); tocsin.CodeOf(err) != tocsin.Invalid {
			t.Errorf("%v", err)
		}
	}
}
