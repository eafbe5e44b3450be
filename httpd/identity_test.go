package httpd

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"tocsin"
	"tocsin/access"
)

func TestWhoAsks(t *testing.T) {
	w := newWorld(t, Options{})
	disabled := put(t, w.db, &tocsin.User{Org: w.user.Org, Email: "gone@example.org", Role: 2, Disabled: true})
	looks := put(t, w.db, &tocsin.Role{Name: "looks at pages"}) // and may use no key
	keyless := put(t, w.db, &tocsin.User{Org: w.user.Org, Email: "norole@example.org", Role: looks.ID})
	ended := put(t, w.db, &tocsin.User{Org: w.user.Org, Email: "left@example.org", Role: 2, Expires: w.now})
	staying := put(t, w.db, &tocsin.User{Org: w.user.Org, Email: "leaves@example.org", Role: 2, Expires: w.now.Add(time.Second)})
	keys := map[string]string{
		"expired":      w.addKey(t, tocsin.Key{Expires: w.now}),
		"valid still":  w.addKey(t, tocsin.Key{Expires: w.now.Add(time.Second)}),
		"from here":    w.addKey(t, tocsin.Key{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}}),
		"elsewhere":    w.addKey(t, tocsin.Key{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}),
		"disabled":     w.addKey(t, tocsin.Key{User: disabled.ID}),
		"without role": w.addKey(t, tocsin.Key{User: keyless.ID}),
		"read-only":    w.addKey(t, tocsin.Key{ReadOnly: true}),
		"ended":        w.addKey(t, tocsin.Key{User: ended.ID}),
		"staying":      w.addKey(t, tocsin.Key{User: staying.ID}),
	}
	w.Handle("GET /who", whoami)
	w.Handle("POST /write", whoami)
	w.Handle("POST /ask", whoami, Asks)
	w.start(t)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("anyone:"+w.key))
	for _, c := range []struct {
		name, method, path, key string
		status                  int
	}{
		{"bare", "GET", "/who", w.key, 200},
		{"bearer", "GET", "/who", "Bearer " + w.key, 200},
		{"basic", "GET", "/who", basic, 200},
		{"none", "GET", "/who", "", 403},
		{"wrong", "GET", "/who", strings.Repeat("A", 40), 403},
		{"short", "GET", "/who", "abc", 403},
		{"the hash", "GET", "/who", HashKey(w.key), 403},
		{"expired", "GET", "/who", keys["expired"], 403},
		{"valid still", "GET", "/who", keys["valid still"], 200},
		{"from here", "GET", "/who", keys["from here"], 200},
		{"from elsewhere", "GET", "/who", keys["elsewhere"], 403},
		{"disabled user", "GET", "/who", keys["disabled"], 403},
		{"user whose time is over", "GET", "/who", keys["ended"], 403},
		{"user whose time is not over", "GET", "/who", keys["staying"], 200},
		{"role without keys", "GET", "/who", keys["without role"], 403},
		{"read-only reads", "GET", "/who", keys["read-only"], 200},
		{"read-only asks", "POST", "/ask", keys["read-only"], 200},
		{"read-only writes", "POST", "/write", keys["read-only"], 403},
		{"a key writes", "POST", "/write", w.key, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, c.method, w.url+c.path, "")
			if c.key != "" {
				r.Header.Set("Authorization", c.key)
			}
			status, body := do(t, r)
			if status != c.status {
				t.Errorf("status %d, want %d: %s", status, c.status, body)
			}
			if status == 200 && body != w.user.Email && body != staying.Email {
				t.Errorf("who: %q", body)
			}
		})
	}
	for _, k := range keys {
		if strings.Contains(w.log.String(), k) {
			t.Error("a key is in the log")
		}
	}
	if !strings.Contains(w.log.String(), `"who":"ann@example.org"`) {
		t.Error("the log does not say who")
	}
}

// A read-only key of a site administrator must not be a way around.
func TestReadOnlyAdministratorChangesNothing(t *testing.T) {
	w := newWorld(t, Options{})
	admin := put(t, w.db, &tocsin.User{Org: w.user.Org, Email: "root@example.org", Role: 1})
	key := w.addKey(t, tocsin.Key{User: admin.ID, ReadOnly: true})
	w.Handle("DELETE /all", whoami)
	w.start(t)
	status, _ := do(t, request(t, "DELETE", w.url+"/all", "", "Authorization", key))
	if status != 403 {
		t.Errorf("status %d", status)
	}
}

func TestWrongKeysAreSlowed(t *testing.T) {
	w := newWorld(t, Options{})
	w.Handle("GET /who", whoami)
	w.start(t)
	for i := range guesses {
		if status, _ := w.get(t, "/who", "wrong"); status != 403 {
			t.Fatalf("guess %d: status %d", i, status)
		}
	}
	r := request(t, "GET", w.url+"/who", "", "Authorization", "wrong")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, Retry-After %q", resp.StatusCode, resp.Header.Get("Retry-After"))
	}
	if status, _ := w.get(t, "/who", w.key); status != 200 {
		t.Errorf("the right key is held up by wrong ones: %d", status)
	}
	w.sleep(regrowth)
	if status, _ := w.get(t, "/who", "wrong"); status != 403 {
		t.Errorf("after a while: status %d", status)
	}
}

func TestSession(t *testing.T) {
	w := newWorld(t, Options{})
	signIn := func(rw http.ResponseWriter, r *http.Request) error {
		_, err := w.SignIn(rw, r, r.FormValue("email"), r.FormValue("password"))
		return err
	}
	w.HandlePublic("POST /login", signIn)
	w.HandlePublic("POST /logout", func(rw http.ResponseWriter, r *http.Request) error { w.SignOut(rw, r); return nil })
	w.Handle("GET /who", whoami)
	w.Handle("POST /write", whoami)
	w.start(t)
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	post := func(path string, form url.Values, header ...string) int {
		t.Helper()
		r := request(t, "POST", w.url+path, form.Encode(), append(header, "Content-Type", "application/x-www-form-urlencoded")...)
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		for _, c := range resp.Cookies() {
			if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
				t.Errorf("cookie %v", c)
			}
		}
		return resp.StatusCode
	}
	who := func() int {
		t.Helper()
		resp, err := browser.Get(w.url + "/who")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	right := url.Values{"email": {"Ann@Example.ORG"}, "password": {password}}
	want := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: status %d, want %d", what, got, want)
		}
	}
	want("before", who(), 403)
	want("wrong password", post("/login", url.Values{"email": {"ann@example.org"}, "password": {"wrong horse battery"}}), 403)
	want("unknown person", post("/login", url.Values{"email": {"bob@example.org"}, "password": {password}}), 403)
	want("from another site", post("/login", right, "Sec-Fetch-Site", "cross-site"), 403)
	want("sign in", post("/login", right), 200)
	want("signed in", who(), 200)
	want("write", post("/write", nil, "Origin", w.url), 200)
	want("write from another site", post("/write", nil, "Sec-Fetch-Site", "cross-site"), 403)
	want("write by another origin", post("/write", nil, "Origin", "https://evil.example"), 403)

	w.sleep(sessionIdle + time.Second)
	want("after idling", who(), 403)
	want("again", post("/login", right), 200)
	for range 12 {
		w.sleep(sessionLife / 12)
		if who() != 200 {
			break
		}
	}
	w.sleep(time.Second)
	want("after a working day", who(), 403)

	want("once more", post("/login", right), 200)
	want("sign out", post("/logout", nil), 200)
	want("signed out", who(), 403)

	want("and once more", post("/login", right), 200)
	u := *w.user
	u.Disabled = true
	put(t, w.db, &u)
	want("disabled", who(), 403)
	want("disabled signs in", post("/login", right), 403)
}

// After a few wrong passwords not even the right one is looked at, from anywhere.
func TestGuessingPasswordsIsSlowed(t *testing.T) {
	w := newWorld(t, Options{})
	try := func(password, from string) tocsin.Code {
		r := request(t, "POST", "http://exchange.example/login", "")
		r.RemoteAddr = from
		_, err := w.SignIn(&nowhere{http.Header{}}, r, " ANN@example.org", password)
		if err == nil {
			return ""
		}
		return tocsin.CodeOf(err)
	}
	for range guesses {
		if c := try("x", "192.0.2.1:1"); c != tocsin.Forbidden {
			t.Fatal(c)
		}
	}
	if c := try(password, "198.51.100.1:1"); c != tocsin.Busy {
		t.Errorf("from elsewhere: %q", c)
	}
}

type nowhere struct{ h http.Header }

func (n *nowhere) Header() http.Header         { return n.h }
func (n *nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n *nowhere) WriteHeader(int)             {}

func TestAddressBehindProxies(t *testing.T) {
	s := &Server{proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("192.0.2.0/24")}}
	for _, c := range []struct{ peer, forwarded, want string }{
		{"203.0.113.9:5", "198.51.100.1", "203.0.113.9"}, // a stranger's word
		{"127.0.0.1:5", "", "127.0.0.1"},
		{"127.0.0.1:5", "198.51.100.1", "198.51.100.1"},
		{"127.0.0.1:5", "10.1.1.1, 198.51.100.1, 192.0.2.7", "198.51.100.1"}, // the first was made up
		{"[::ffff:127.0.0.1]:5", "2001:db8::1", "2001:db8::1"},
		{"127.0.0.1:5", "nonsense", "127.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.Address(r); got.String() != c.want {
			t.Errorf("%s by way of %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}

func TestKeysAndPasswords(t *testing.T) {
	clear, hash, ends := NewKey()
	if len(clear) != 40 || hash != HashKey(clear) || ends != clear[:4]+clear[36:] {
		t.Errorf("%q %q %q", clear, hash, ends)
	}
	if again, _, _ := NewKey(); again == clear {
		t.Error("the same key twice")
	}
	h := passwordHash()
	misp, err := bcrypt.GenerateFromPassword([]byte("chosen in MISP"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		hash, password string
		want           bool
	}{
		{h, password, true},
		{h, password + "!", false},
		{h, "", false},
		{"", "", false},
		{strings.Replace(h, "m=19456", "m=4000000000", 1), password, false},
		{strings.Replace(h, "p=1", "p=0", 1), password, false},
		{"$argon2id$v=19$m=8,t=1,p=1$AAAA$", "", false},
		{string(misp), "chosen in MISP", true},
		{strings.Replace(string(misp), "$2a$", "$2y$", 1), "chosen in MISP", true}, // as PHP writes it
		{string(misp), "wrong", false},
	} {
		if got := CheckPassword(c.hash, c.password); got != c.want {
			t.Errorf("CheckPassword(%q, %q) = %v", c.hash, c.password, got)
		}
	}
}

// A key with a ceiling shows the same nothing by every read.
func TestKeyWithACeiling(t *testing.T) {
	w := newWorld(t, Options{})
	limited := w.addKey(t, tocsin.Key{Ceiling: access.Green})
	w.Handle("GET /sees", func(rw http.ResponseWriter, r *http.Request, v access.Viewer) error {
		fmt.Fprintf(rw, "%v %v", v.Sees(access.NewLabel(w.user.Org, access.OrgOnly, 0, access.Green, 0)), v.Sees(access.NewLabel(w.user.Org, access.OrgOnly, 0, access.Amber, 0)))
		return nil
	})
	w.start(t)
	for key, want := range map[string]string{w.key: "true true", limited: "true false"} {
		if status, got := w.get(t, "/sees", key); status != 200 || got != want {
			t.Errorf("%d %s, want %s", status, got, want)
		}
	}
}
