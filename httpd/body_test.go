package httpd

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
)

// What a handler leaves unread of a request is not the next request: whoever
// shares the connection, as behind a reverse proxy, would get its answer.
func TestRestOfABodyIsNoRequest(t *testing.T) {
	w := newWorld(t, Options{})
	w.Handle("POST /stream", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		if err := http.NewResponseController(rw).EnableFullDuplex(); err != nil {
			return err
		}
		return tocsin.Errorf(tocsin.Invalid, "no need to read that")
	}, Streams)
	w.start(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	smuggled := strings.Repeat("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 100_000) + "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
	go fmt.Fprintf(conn, "POST /stream HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nContent-Length: %d\r\n\r\n%s", w.key, len(smuggled), smuggled)
	b, _ := io.ReadAll(conn) // the server may break the connection
	if n := strings.Count(string(b), "HTTP/1.1 "); n != 1 || !strings.Contains(string(b), "no need to read that") {
		t.Errorf("%d answers to one request: %.300s", n, b)
	}
}

// A stream that is refused before its end is told why, and what comes next on
// the client's side is answered.
func TestRefusedStream(t *testing.T) {
	w := newWorld(t, Options{})
	w.Handle("POST /stream", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		http.NewResponseController(rw).EnableFullDuplex()
		io.ReadFull(r.Body, make([]byte, 10))
		return tocsin.Errorf(tocsin.Invalid, "that is enough")
	}, Streams)
	w.Handle("POST /length", func(rw http.ResponseWriter, r *http.Request, _ access.Viewer) error {
		n, err := io.Copy(rw, r.Body)
		if err == nil {
			fmt.Fprint(rw, " ", n)
		}
		return err
	}, Streams)
	w.start(t)
	for i := range 200 {
		in := io.Reader(strings.NewReader(strings.Repeat("x", 10+i*i*20)))
		if i%2 == 1 {
			in = io.MultiReader(in) // of a length that is not known
		}
		r, _ := http.NewRequestWithContext(t.Context(), "POST", w.url+"/stream", in)
		r.Header.Set("Authorization", w.key)
		if status, body := do(t, r); status != 400 || !strings.Contains(body, "that is enough") {
			t.Fatalf("after %d octets: %d %s", 10+i*i*20, status, body)
		}
		if status, body := do(t, request(t, "POST", w.url+"/length", "hello", "Authorization", w.key)); status != 200 || body != "hello 5" {
			t.Fatalf("the next request after %d octets: %d %s", 10+i*i*20, status, body)
		}
	}
}
