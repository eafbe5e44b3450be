package lab_test

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tocsin/internal/lab"
)

const head = `<!doctype html><title>Lab</title><link rel=icon href="data:,">`

const form = head + `
<p id=who>nobody</p>
<form action=/greet><input name=name value=old><button>Go</button></form>
<script>document.querySelector("#who").textContent = "scripts run"</script>`

// site greets by name, and remembers visitors by a cookie.
func site(tb testing.TB) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(form))
	})
	mux.HandleFunc("GET /greet", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		w.Write([]byte(head + `<h1>Hello, ` + r.FormValue("name") + `</h1>`))
	})
	mux.HandleFunc("GET /cookie", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(head + `<h1>` + r.Header.Get("Cookie") + `</h1>`))
	})
	mux.HandleFunc("GET /strict", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "script-src 'self'")
		w.Write([]byte(form))
	})
	mux.HandleFunc("GET /away", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(head + `<h1>away</h1><img src="http://192.0.2.1/pixel"><img src="http://evil.example/pixel">
			<script>throw new Error("thrown by the page")</script>`))
	})
	s := httptest.NewServer(mux)
	tb.Cleanup(s.Close)
	return s.URL
}

func TestChromium(t *testing.T) {
	url := site(t)
	browser := lab.Chromium(t)

	t.Run("a person fills a form", func(t *testing.T) {
		b := browser.Tab(t)
		b.Visit(url)
		if got := b.Text("#who"); got != "scripts run" {
			t.Errorf("text is %q", got)
		}
		b.Type("[name=name]", "Ada & Grace")
		b.Click("button")
		if got := b.Text("h1"); got != "Hello, Ada & Grace" {
			t.Errorf("greeting is %q", got)
		}
		if got := b.URL(); got != url+"/greet?name=Ada+%26+Grace" {
			t.Errorf("address is %q", got)
		}
		if problems := b.Problems(); problems != nil {
			t.Errorf("problems: %q", problems)
		}
	})

	t.Run("tabs share no cookies", func(t *testing.T) {
		one, other := browser.Tab(t), browser.Tab(t)
		one.Visit(url + "/greet")
		one.Visit(url + "/cookie")
		other.Visit(url + "/cookie")
		if got, want := one.Text("body"), "seen=yes"; got != want {
			t.Errorf("the first tab has cookie %q, want %q", got, want)
		}
		if got := other.Text("body"); got != "" {
			t.Errorf("the other tab has cookie %q", got)
		}
	})

	t.Run("without scripts", func(t *testing.T) {
		b := browser.Tab(t)
		b.NoScripts()
		b.Visit(url)
		if got := b.Text("#who"); got != "nobody" {
			t.Errorf("text is %q: the script ran", got)
		}
		b.Type("[name=name]", "Ada")
		b.Click("button")
		if got := b.Text("h1"); got != "Hello, Ada" {
			t.Errorf("greeting is %q", got)
		}
	})

	t.Run("the content security policy's refusals are problems", func(t *testing.T) {
		b := browser.Tab(t)
		b.Visit(url + "/strict")
		if got := b.Text("#who"); got != "nobody" {
			t.Errorf("text is %q: the script ran", got)
		}
		if all := strings.Join(b.Problems(), "\n"); !strings.Contains(all, "Content Security Policy") {
			t.Errorf("problems: %q", all)
		}
	})

	t.Run("nothing beyond loopback is reached", func(t *testing.T) {
		b := browser.Tab(t)
		b.Visit(url + "/away")
		all := strings.Join(b.Problems(), "\n")
		for _, want := range []string{
			"ERR_PROXY_CONNECTION_FAILED http://192.0.2.1/pixel",
			"ERR_PROXY_CONNECTION_FAILED http://evil.example/pixel",
			"thrown by the page",
		} {
			if !strings.Contains(all, want) {
				t.Errorf("no problem says %q: %s", want, all)
			}
		}
	})

	t.Run("a screenshot of a telephone", func(t *testing.T) {
		b := browser.Tab(t)
		b.Size(390, 844)
		b.Visit(url)
		path := filepath.Join(t.TempDir(), "page.png")
		b.Screenshot(path)
		file, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.DecodeConfig(bytes.NewReader(file))
		if err != nil || picture.Width != 390 {
			t.Errorf("picture is %+v, %v", picture, err)
		}
	})
}
