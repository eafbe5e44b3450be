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
