package httpd

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
)

func TestErrorsAreRendered(t *testing.T) {
	w := newWorld(t, Options{})
	errs := map[string]error{
		"invalid":   tocsin.Errorf(tocsin.Invalid, "the value is odd"),
		"notfound":  tocsin.Errorf(tocsin.NotFound, "no event 7"),
		"forbidden": tocsin.Errorf(tocsin.Forbidden, "not yours"),
		"conflict":  tocsin.Errorf(tocsin.Conflict, "there is one"),
		"gone":      tocsin.Errorf(tocsin.Gone, "was deleted"),
		"busy":      tocsin.Errorf(tocsin.Busy, "later"),
		"wrapped":   fmt.Errorf("add event: %w", tocsin.Errorf(tocsin.Invalid, "the value is odd")),
		"internal":  errors.New("secret disk /dev/sda is on fire"),
	}
	w.Handle("GET /native/{name}", func(_ http.ResponseWriter, r *http.Request, _ access.Viewer) error { return errs[r.PathValue("name")] })
	w.Handle("GET /native/panic", func(http.ResponseWriter, *http.Request, access.Viewer) error { panic("secret") })
	w.Handle("GET /misp/{name}", func(_ http.ResponseWriter, r *http.Request, _ access.Viewer) error { return errs[r.PathValue("name")] })
	w.RenderErrors("/misp/", func(w http.ResponseWriter, r *http.Request, p Problem) {
		w.WriteHeader(p.Status)
		fmt.Fprintf(w, "misp: %s", p.Message)
	})
	w.start(t)
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/native/invalid", 400, `{"code":"invalid","message":"the value is odd"}`},
		{"/native/wrapped", 400, `{"code":"invalid","message":"the value is odd"}`},
		{"/native/notfound", 404, `no event 7`},
		{"/native/forbidden", 403, `not yours`},
		{"/native/conflict", 409, `there is one`},
		{"/native/gone", 410, `was deleted`},
		{"/native/busy", 503, `later`},
		{"/native/internal", 500, `{"code":"internal","message":"internal error, id `},
		{"/native/panic", 500, `internal error, id `},
		{"/misp/invalid", 400, `misp: the value is odd`},
		{"/nowhere", 404, `{"code":"not_found","message":"there is nothing at /nowhere"}`},
		{"/misp/", 404, `misp: there is nothing at /misp/`},
	} {
		status, body := w.get(t, c.path, w.key)
		if status != c.status || !strings.Contains(body, c.want) || strings.Contains(body, "secret") {
			t.Errorf("%s: %d %s", c.path, status, body)
		}
	}
	status, body := do(t, request(t, "DELETE", w.url+"/healthz", ""))
	if status != 405 || !strings.Contains(body, "try one of [GET, HEAD]") {
		t.Errorf("wrong method: %d %s", status, body)
	}
	if n := strings.Count(w.log.String(), "secret disk"); n != 1 {
		t.Errorf("the internal error is logged %d times", n)
	}
	for _, line := range strings.Split(strings.TrimSpace(w.log.String()), "\n") {
		if !strings.Contains(line, `"msg":"request","pattern":`) {
			t.Errorf("a line that is no request's: %s", line)
		}
	}
}

// A streamed answer that fails midway must not look finished.
func TestHalfAnAnswerIsBroken(t *testing.T) {
	w := newWorld(t, Options{})
	w.Handle("GET /half", func(rw http.ResponseWriter, _ *http.Request, _ access.Viewer) error {
		io.WriteString(rw, "one\n")
		http.NewResponseController(rw).Flush()
		return errors.New("the disk is gone")
	})
	w.start(t)
	for _, coding := range []string{"identity", "gzip"} {
		resp, err := http.DefaultClient.Do(request(t, "GET", w.url+"/half", "", "Authorization", w.key, "Accept-Encoding", coding))
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil {
			t.Errorf("%s: the answer looks whole", coding)
		}
	}
}

func TestBodies(t *testing.T) {
	w := newWorld(t, Options{})
	length := func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		n, err := io.Copy(io.Discard, r.Body)
		if err == nil {
			fmt.Fprint(rw, n)
		}
		return err
	}
	w.Handle("POST /short", length, MaxBody(1000))
	w.Handle("POST /stream", length, Streams)
	w.start(t)
	zipped := func(n int) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(make([]byte, n))
		z.Close()
		return b.String()
	}
	for _, c := range []struct {
		name, path, body, coding string
		status                   int
		want                     string
	}{
		{"fits", "/short", strings.Repeat("x", 1000), "", 200, "1000"},
		{"too long", "/short", strings.Repeat("x", 1001), "", 413, "longer than 1000 octets"},
		{"gzip fits", "/short", zipped(1000), "gzip", 200, "1000"},
		{"gzip grows too long", "/short", zipped(100_000), "gzip", 413, "longer than 1000 octets"},
		{"stream", "/stream", strings.Repeat("x", 3<<20), "", 200, "3145728"},
		{"gzip stream", "/stream", zipped(10 << 20), "gzip", 200, "10485760"},
		{"gzip bomb", "/stream", zipped(50 << 20), "gzip", 400, "unpacks to more than 200 times its size"},
		{"not gzip", "/stream", "hello", "gzip", 400, "says that it is gzip"},
		{"cut off", "/stream", zipped(1 << 20)[:500], "gzip", 400, "the gzip file breaks off"},
		{"cut off", "/short", zipped(1000)[:20], "gzip", 400, "says that it is gzip"},
		{"unknown coding", "/stream", "x", "zstd", 415, "try one of [gzip identity]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, "POST", w.url+c.path, c.body, "Authorization", w.key)
			if c.coding != "" {
				r.Header.Set("Content-Encoding", c.coding)
			}
			if status, body := do(t, r); status != c.status || !strings.Contains(body, c.want) {
				t.Errorf("%d %s", status, body)
			}
		})
	}
	// Without a length, the limit shows only while reading.
	pr, pw := io.Pipe()
	go func() { pw.Write(make([]byte, 5000)); pw.Close() }()
	r, _ := http.NewRequest("POST", w.url+"/short", pr)
	r.Header.Set("Authorization", w.key)
	if status, _ := do(t, r); status != 413 {
		t.Errorf("chunked: %d", status)
	}
}

func TestCompression(t *testing.T) {
	w := newWorld(t, Options{})
	long := strings.Repeat("evil.example\n", 1000)
	w.Handle("GET /long", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		rw.Header().Set("Content-Type", "text/plain")
		rw.Header().Set("ETag", `"abc"`)
		_, err := io.WriteString(rw, long)
		return err
	})
	w.Handle("GET /short", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		rw.Header().Set("Content-Type", "text/plain")
		_, err := io.WriteString(rw, "short")
		return err
	})
	w.start(t)
	for _, c := range []struct {
		path, accept, coding, etag string
	}{
		{"/long", "gzip", "gzip", `W/"abc"`},
		{"/long", "br;q=1.0, gzip;q=0.5", "gzip", `W/"abc"`},
		{"/long", "gzip;q=0", "", `"abc"`},
		{"/long", "identity", "", `"abc"`},
		{"/short", "gzip", "", ""},
	} {
		resp, err := http.DefaultClient.Do(request(t, "GET", w.url+c.path, "", "Authorization", w.key, "Accept-Encoding", c.accept))
		if err != nil {
			t.Fatal(err)
		}
		if resp.Header.Get("Content-Encoding") != c.coding || resp.Header.Get("ETag") != c.etag || resp.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s %q: %v", c.path, c.accept, resp.Header)
		}
		in := io.Reader(resp.Body)
		if c.coding == "gzip" {
			if in, err = gzip.NewReader(resp.Body); err != nil {
				t.Fatal(err)
			}
		}
		b, err := io.ReadAll(in)
		resp.Body.Close()
		if err != nil || c.path == "/long" && string(b) != long {
			t.Errorf("%s %q: %d octets, %v", c.path, c.accept, len(b), err)
		}
	}
}

func TestTooManyRequests(t *testing.T) {
	w := newWorld(t, Options{MaxRequests: 2}) // one of them for one address
	inside, leave := make(chan bool), make(chan bool)
	w.HandlePublic("GET /other", func(http.ResponseWriter, *http.Request) error { return nil })
	w.HandlePublic("GET /wait", func(http.ResponseWriter, *http.Request) error { inside <- true; <-leave; return nil })
	w.start(t)
	done := make(chan bool)
	go func() {
		defer close(done)
		if resp, err := http.Get(w.url + "/wait"); err == nil {
			resp.Body.Close()
		}
	}()
	<-inside
	if status, body := w.get(t, "/other", ""); status != 503 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := w.get(t, "/healthz", ""); status != 200 {
		t.Errorf("whether we are well: %d %s", status, body)
	}
	if leave, ok := w.enter(netip.MustParseAddr("192.0.2.1")); !ok {
		t.Error("one address has taken the places of all")
	} else {
		leave()
	}
	close(leave)
	<-done
	if status, _ := w.get(t, "/other", ""); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

// A client that stops sending is let go, and one that keeps sending slowly is not.
func TestDeadlinesRenewWhileBytesFlow(t *testing.T) {
	ctl := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	b := &body{in: io.NopCloser(strings.NewReader("xyz")), ctl: http.NewResponseController(ctl), idle: time.Minute}
	buf := make([]byte, 1)
	for range 3 {
		b.renewed = time.Now().Add(-2 * time.Second)
		if _, err := b.Read(buf); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Read(buf); err != io.EOF {
		t.Fatal(err)
	}
	if ctl.set != 3 || ctl.cleared != 1 {
		t.Errorf("set %d times, cleared %d times", ctl.set, ctl.cleared)
	}
}

type deadlines struct {
	*httptest.ResponseRecorder
	set, cleared int
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	if at.IsZero() {
		d.cleared++
	} else {
		d.set++
	}
	return nil
}

// A slow client is cut off by a real connection's deadline.
func TestSlowClientIsCutOff(t *testing.T) {
	w := newWorld(t, Options{})
	got := make(chan error, 1)
	w.Handle("POST /stream", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		http.NewResponseController(rw).SetReadDeadline(time.Now()) // as if the minute were over
		r.Body.(*body).renewed = time.Now()
		_, err := io.Copy(io.Discard, r.Body)
		got <- err
		return err
	}, Streams)
	w.start(t)
	pr, pw := io.Pipe()
	defer pw.Close()
	r, _ := http.NewRequest("POST", w.url+"/stream", pr)
	r.Header.Set("Authorization", w.key)
	go pw.Write([]byte("x"))
	resp, err := http.DefaultClient.Do(r)
	if err == nil {
		resp.Body.Close()
	}
	if err := <-got; err == nil || !strings.Contains(err.Error(), "did not arrive in time") {
		t.Errorf("%v", err)
	}
}

func TestHeaders(t *testing.T) {
	w := newWorld(t, Options{})
	w.start(t)
	resp, err := http.Get(w.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for name, want := range map[string]string{
		"Content-Security-Policy": "frame-ancestors 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if !strings.Contains(resp.Header.Get(name), want) {
			t.Errorf("%s: %q", name, resp.Header.Get(name))
		}
	}
	if strings.Contains(resp.Header.Get("Content-Security-Policy"), "unsafe") {
		t.Error("inline things are allowed")
	}
}

func TestHealth(t *testing.T) {
	w := newWorld(t, Options{})
	w.start(t)
	if status, body := w.get(t, "/readyz", ""); status != 200 || !strings.Contains(body, `"ready":true`) {
		t.Errorf("%d %s", status, body)
	}
	w.Ready("zones", func(context.Context) error { return errors.New("not loaded yet") })
	w.sleep(2 * time.Second)
	if status, body := w.get(t, "/readyz", ""); status != 503 || !strings.Contains(body, "zones: not loaded yet") {
		t.Errorf("%d %s", status, body)
	}
	w.db.Close()
	w.sleep(2 * time.Second)
	if status, body := w.get(t, "/readyz", ""); status != 503 || !strings.Contains(body, "takes no writes") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := w.get(t, "/healthz", ""); status != 200 {
		t.Errorf("the process is alive: %d", status)
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t, Options{})
	w.Gauge("tocsin_match_entries", "Entries.", func() float64 { return 42 })
	admin := put(t, w.db, &tocsin.User{Org: w.user.Org, Email: "root@example.org", Role: 1})
	key := w.addKey(t, tocsin.Key{User: admin.ID, ReadOnly: true})
	w.start(t)
	w.get(t, "/healthz", "")
	if status, _ := w.get(t, "/metrics", w.key); status != 403 {
		t.Errorf("a member: %d", status)
	}
	status, body := w.get(t, "/metrics", key)
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for _, want := range []string{
		`tocsin_http_requests_total{pattern="GET /healthz",status="200"} 1`, "tocsin_match_entries 42",
		fmt.Sprintf("tocsin_log_head %d", w.db.Head()),
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

// Full duplex: the answer to the first line arrives before the second is sent.
func TestFullDuplex(t *testing.T) {
	w := newWorld(t, Options{})
	w.Handle("POST /echo", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		ctl := http.NewResponseController(rw)
		if err := ctl.EnableFullDuplex(); err != nil {
			return err
		}
		rw.Header().Set("Content-Type", "application/x-ndjson")
		for s := bufio.NewScanner(r.Body); s.Scan(); {
			fmt.Fprintln(rw, s.Text())
			if err := ctl.Flush(); err != nil {
				return err
			}
		}
		return nil
	}, Streams)
	w.start(t)
	for _, coding := range []string{"", "gzip"} {
		pr, pw := io.Pipe()
		r, _ := http.NewRequest("POST", w.url+"/echo", pr)
		r.Header.Set("Authorization", w.key)
		if coding == "" {
			r.Header.Set("Accept-Encoding", "identity")
		}
		go fmt.Fprintln(pw, "one")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(resp.Body)
		for _, next := range []string{"two", "three", ""} {
			line, err := lines.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if next == "" && line != "three\n" {
				t.Errorf("%q", line)
			}
			if next != "" {
				go fmt.Fprintln(pw, next)
			}
		}
		pw.Close()
		resp.Body.Close()
	}
}
