package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof" // see TOCSIN_PPROF
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"tocsin/internal/lab"
)

// With asProgram in its environment the test program is tocsin itself. If
// TOCSIN_PPROF names an address as well, a server says there where its time and
// memory go: go tool pprof http://ADDR/debug/pprof/profile
const asProgram = "TOCSIN_TEST_PROGRAM"

func init() {
	if os.Getenv(asProgram) == "" {
		return
	}
	if addr := os.Getenv("TOCSIN_PPROF"); addr != "" && os.Args[1] == "serve" {
		go http.ListenAndServe(addr, nil)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// ourselves is the program itself: the test binary is also it, see init.
func ourselves(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	return cmd
}

// A child is an exchange that runs as a process of its own, so that its memory is
// its own, and its start is one.
type child struct {
	t         *testing.T
	dir       string
	env       []string // more of it: where the store is
	http, dns string
	key       string
	client    *http.Client
	cmd       *exec.Cmd
	process   *lab.Process
}

// found founds an exchange.
func found(t *testing.T, env ...string) *child {
	t.Helper()
	c := &child{t: t, dir: t.TempDir(), env: env, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}}}
	cmd := ourselves("init", "--data", c.dir, "--org", "telco", "--email", "analyst@telco.example", "--json")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.Output()
	var a account
	if err == nil {
		err = json.Unmarshal(out, &a)
	}
	if err != nil {
		t.Fatalf("init: %v: %s", err, out)
	}
	c.key = a.Key
	return c
}

// serving founds an exchange and has it serve the collection drop.
func serving(t *testing.T, env ...string) *child {
	t.Helper()
	c := found(t, env...)
	c.start()
	c.must("POST", "/api/collections", `{"name":"drop","zone":"rpz.example","sources":["telco"]}`)
	c.must("POST", "/api/subscribers", `{"name":"resolver","collection":"drop","allow":["127.0.0.0/8"]}`)
	return c
}

// start starts the exchange on its folder and returns when it is ready, and how
// many seconds that took.
func (c *child) start() float64 {
	c.t.Helper()
	c.http, c.dns = loopback(c.t), loopback(c.t)
	log, err := os.OpenFile(filepath.Join(c.dir, "tocsin.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		c.t.Fatal(err)
	}
	defer log.Close()
	c.cmd = ourselves("serve", "--data", c.dir, "--http", c.http, "--dns", c.dns)
	c.cmd.Env = append(c.cmd.Env, c.env...)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	return timed(func() {
		c.process = lab.Start(c.t, c.cmd)
		c.until(time.Hour, "be ready", func() bool {
			resp, err := c.client.Get("http://" + c.http + "/readyz")
			if err != nil {
				return false
			}
			resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	})
}

func loopback(t *testing.T) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(lab.Port(t))) }

// until waits for something that the exchange is to do.
func (c *child) until(patience time.Duration, what string, holds func() bool) {
	c.t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-again.C:
		case <-c.process.Done():
			c.t.Fatalf("the exchange ended before it would %s:\n%s", what, c.tail())
		case <-late:
			c.t.Fatalf("the exchange does not %s:\n%s", what, c.tail())
		}
	}
}

func (c *child) tail() []byte {
	b, _ := os.ReadFile(filepath.Join(c.dir, "tocsin.log"))
	return b[max(0, len(b)-2000):]
}

// stop ends the exchange as Ctrl-C does; kill as the kernel does.
func (c *child) stop() {
	c.process.Signal(os.Interrupt)
	<-c.process.Done()
}

func (c *child) kill() { c.process.Kill() }

// memory returns the megabytes that the process has now, and the most it had
// since rest.
func (c *child) memory() (now, peak float64) {
	c.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		c.t.Skip("memory is read from /proc")
	}
	for line := range strings.Lines(string(b)) {
		var kb float64
		switch name, rest, _ := strings.Cut(line, ":"); name {
		case "VmRSS":
			fmt.Sscan(rest, &kb)
			now = kb / 1e3 * 1.024
		case "VmHWM":
			fmt.Sscan(rest, &kb)
			peak = kb / 1e3 * 1.024
		}
	}
	return now, peak
}

// rest has the kernel forget the most memory that the process had (proc(5)).
func (c *child) rest() {
	c.t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", c.cmd.Process.Pid), []byte("5"), 0); err != nil {
		c.t.Fatal(err)
	}
}

// do asks the exchange and hands over the answer, which must be of success.
func (c *child) do(method, path string, body io.Reader, read func(io.Reader) error) error {
	r, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.http+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", c.key)
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("%s %s: %s %s", method, path, resp.Status, b)
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// must returns the answer, whole.
func (c *child) must(method, path, body string) (answer []byte) {
	c.t.Helper()
	err := c.do(method, path, strings.NewReader(body), func(r io.Reader) (err error) {
		answer, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return answer
}

// imports reads a list into the exchange and publishes it. The answer ends when
// its names are in lookup and in the zone, or after a minute.
func (c *child) imports(query string, list io.Reader) (written int) {
	c.t.Helper()
	var last []byte
	err := c.do("POST", "/api/import?publish=1&distribution=1&"+query, list, func(r io.Reader) error {
		b, err := io.ReadAll(r)
		lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
		last = lines[len(lines)-1]
		return err
	})
	var end struct {
		Result *struct {
			Written int
			Behind  []string
		}
	}
	if err == nil {
		err = json.Unmarshal(last, &end)
	}
	if err != nil || end.Result == nil {
		c.t.Fatalf("import: %v %.300s", err, last)
	}
	if len(end.Result.Behind) > 0 {
		c.t.Logf("still behind when the import answers: %s", end.Result.Behind)
	}
	return end.Result.Written
}

// holds reports whether a name is in lookup and in the zone.
func (c *child) holds(name string) bool {
	c.t.Helper()
	known := false
	err := c.do("POST", "/api/lookup", strings.NewReader(name+"\n"), func(r io.Reader) error {
		b, err := io.ReadAll(r)
		known = bytes.Contains(b, []byte(`"found":true`))
		return err
	})
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := dns.Exchange(new(dns.Msg).SetQuestion(name+".rpz.example.", dns.TypeCNAME), c.dns)
	if err != nil {
		c.t.Fatal(err)
	}
	return known && len(m.Answer) == 1
}

// arrives returns when a name is in lookup and in the zone.
func (c *child) arrives(name string) {
	c.t.Helper()
	c.until(time.Hour, "hold "+name, func() bool { return c.holds(name) })
}
