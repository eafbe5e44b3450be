package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// demoResolverCmd shows the real thing: Debian's Unbound with the configuration
// that the exchange prints for it.
type demoResolverCmd struct {
	server
	Collection string `default:"protect" placeholder:"NAME" help:"The collection that the resolver takes. If not said, ${default}, which is the demo's."`
	Once       bool   `help:"End when all is shown, instead of waiting for Ctrl-C."`
}

func (demoResolverCmd) Help() string {
	return `Starts Unbound in a temporary folder, on this machine alone. Beneath it is a small name server in
which every name has an address, so no question goes out to the Internet. The name that is
shown is made up for it, imported, and taken back.

Example:
  TOCSIN_KEY=… tocsin demo-resolver`
}

func (d *demoResolverCmd) Run(ctx context.Context, c *console) (err error) {
	api, err := d.client()
	if err != nil {
		return err
	}
	unbound, err := findUnbound()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tocsin-resolver-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	r := &showing{c: c, api: api, collection: d.Collection, dir: dir, unbound: unbound}
	defer func() { err = errors.Join(err, r.end()) }()
	if err := r.start(ctx); err != nil {
		return err
	}
	if err := r.show(ctx); err != nil || d.Once {
		return err
	}
	c.say("\nUnbound goes on at %s: dig @127.0.0.1 -p %d NAME. Ctrl-C ends it.", r.addr, r.addr.Port())
	select {
	case <-ctx.Done():
		return nil
	case <-r.ended:
		return errors.New("unbound ended by itself")
	}
}

// findUnbound also looks where Debian keeps daemons, which is not on everyone's PATH.
func findUnbound() (string, error) {
	for _, name := range []string{"unbound", "/usr/sbin/unbound", "/usr/local/sbin/unbound"} {
		if p, err := exec.LookPath(name); err == nil {
			return p, nil
		}
	}
	return "", errors.New("unbound is not installed; on Debian: apt-get install unbound")
}

// A showing is one run of a resolver that subscribes to a collection.
type showing struct {
	c          *console
	api        *client
	collection string
	dir        string
	unbound    string

	addr       netip.AddrPort // of the resolver
	subscriber string
	names      *dns.Server // beneath it
	process    *exec.Cmd
	ended      chan struct{}
}

// start makes a subscriber, and a resolver that is it.
func (r *showing) start(ctx context.Context) error {
	var err error
	if r.addr, err = freePort(); err != nil {
		return err
	}
	name := fmt.Sprintf("demo-resolver-%d", r.addr.Port())
	err = r.api.call(ctx, http.MethodPost, "/api/subscribers", nil, map[string]any{"name": name, "collection": r.collection,
		"allow": []string{"127.0.0.1/32"}, "notify": []netip.AddrPort{r.addr}}, nil)
	if err != nil {
		return err
	}
	r.subscriber = name
	text, err := r.config(ctx)
	if err != nil {
		return err
	}
	roots, err := r.serveNames()
	if err != nil {
		return err
	}
	file := filepath.Join(r.dir, "unbound.conf")
	base := fmt.Sprintf(resolverBase, r.dir, r.addr.Port(), strings.Replace(roots, ":", "@", 1))
	if err := os.WriteFile(file, []byte(base+text), 0o600); err != nil {
		return err
	}
	r.c.say("The exchange printed this for the resolver (tocsin subscriber config %s --for unbound):\n", name)
	for line := range strings.Lines(text) {
		if s := strings.TrimSpace(line); s != "" && !strings.HasPrefix(s, "#") {
			r.c.say("    %s", strings.TrimRight(line, "\n"))
		}
	}
	return r.run(file)
}

// resolverBase is all that Unbound needs to live in a folder, on loopback, with
// our own root.
const resolverBase = `server:
	directory: %[1]q
	chroot: ""
	username: ""
	pidfile: ""
	do-daemonize: no
	use-syslog: no
	logfile: "log"
	interface: 127.0.0.1
	port: %[2]d
	do-not-query-localhost: no
remote-control:
	control-enable: no
forward-zone:
	name: "."
	forward-addr: %[3]s
	forward-first: no

`

// freePort finds a port of loopback that is free for UDP and TCP.
func freePort() (netip.AddrPort, error) {
	udp, tcp, err := listenDNS("127.0.0.1:0")
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer udp.Close()
	defer tcp.Close()
	return tcp.Addr().(*net.TCPAddr).AddrPort(), nil
}

func (r *showing) config(ctx context.Context) (string, error) {
	resp, err := r.api.send(ctx, request{method: http.MethodGet, path: path("api", "subscribers", r.subscriber, "config"), query: url.Values{"for": {"unbound"}}})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var b strings.Builder
	err = (&console{out: &b}).copy(resp, "the configuration")
	return b.String(), err
}

// serveNames is the name server beneath the resolver: every name has the address
// 192.0.2.80 (RFC 5737), and nobody else is ever asked.
func (r *showing) serveNames() (string, error) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	answer := func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		if len(q.Question) == 1 && q.Question[0].Qtype == dns.TypeA {
			h := dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}
			m.Answer = []dns.RR{&dns.A{Hdr: h, A: net.IPv4(192, 0, 2, 80)}}
		} else {
			h := dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET}
			m.Ns = []dns.RR{&dns.SOA{Hdr: h, Ns: "ns.example.", Mbox: "hostmaster.example.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400}}
		}
		w.WriteMsg(m)
	}
	r.names = &dns.Server{PacketConn: udp, Handler: dns.HandlerFunc(answer)}
	go r.names.ActivateAndServe()
	return udp.LocalAddr().String(), nil
}

func (r *showing) run(file string) error {
	r.process = exec.Command(r.unconfined(), "-d", "-c", file)
	r.ended = make(chan struct{})
	if err := r.process.Start(); err != nil {
		r.process = nil
		return fmt.Errorf("start unbound: %w", err)
	}
	go func() {
		defer close(r.ended)
		r.process.Wait()
	}()
	return nil
}

// unconfined returns a copy of Unbound where AppArmor keeps the installed one out
// of our folder, as Debian does; the profile goes by the path.
func (r *showing) unconfined() string {
	enabled, _ := os.ReadFile("/sys/module/apparmor/parameters/enabled")
	if !strings.HasPrefix(string(enabled), "Y") {
		return r.unbound
	}
	program, err := os.ReadFile(r.unbound)
	copied := filepath.Join(r.dir, "unbound")
	if err != nil || os.WriteFile(copied, program, 0o700) != nil {
		return r.unbound
	}
	return copied
}

// end takes away what start made.
func (r *showing) end() error {
	if r.process != nil {
		r.process.Process.Signal(os.Interrupt)
		select {
		case <-r.ended:
		case <-time.After(5 * time.Second):
			r.process.Process.Kill()
			<-r.ended
		}
	}
	if r.names != nil {
		r.names.Shutdown()
	}
	if r.subscriber == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return r.api.call(ctx, http.MethodDelete, path("api", "subscribers", r.subscriber), nil, nil, nil)
}

// show lets one name be answered, blocked, and answered again.
func (r *showing) show(ctx context.Context) error {
	name := "lure-" + strings.ToLower(fmt.Sprintf("%x", time.Now().UnixMilli())) + ".example"
	own, err := r.api.organisation(ctx)
	if err != nil {
		return err
	}
	r.c.say("\nUnbound starts at %s and takes the zone over …", r.addr)
	listed, err := r.listed(ctx)
	if err != nil {
		return err
	}
	if _, err := r.until(ctx, name, false); err != nil {
		return err
	}
	if listed != "" {
		took, err := r.until(ctx, listed, true)
		if err != nil {
			return err
		}
		r.c.print("%-34s blocked: the zone is there, after %s", listed, took)
	}
	r.c.print("%-34s answered: nobody claims it", name)

	r.c.say("\n%s says that it is malicious (tocsin import) …", own)
	start := time.Now()
	if err := r.claim(ctx, name); err != nil {
		return err
	}
	if _, err := r.until(ctx, name, true); err != nil {
		return err
	}
	r.c.print("%-34s blocked, %s after the import began", name, time.Since(start).Round(time.Millisecond))

	r.c.say("\n%s takes it back (tocsin withdraw) …", own)
	start = time.Now()
	if _, _, err := r.api.withdraw(ctx, name, own); err != nil {
		return err
	}
	if _, err := r.until(ctx, name, false); err != nil {
		return err
	}
	return r.c.print("%-34s answered again, %s after the withdrawal began", name, time.Since(start).Round(time.Millisecond))
}

// listed is a name that the collection has, "" if it is empty. Whoever blocks it
// holds the zone.
func (r *showing) listed(ctx context.Context) (string, error) {
	resp, err := r.api.send(ctx, request{method: http.MethodGet, path: path("collections", r.collection+".txt")})
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err == io.EOF {
		err = nil
	}
	return strings.TrimSpace(line), err
}

// claim imports one name into an event for such names, and publishes it.
func (r *showing) claim(ctx context.Context, name string) error {
	i := remoteImport{r.api, url.Values{"name": {"Names that demo-resolver showed"}, "collection": {r.collection}, "publish": {"1"}}}
	in := &input{Reader: strings.NewReader(name + "\n"), Closer: io.NopCloser(nil), name: "-"}
	_, err := i.list(ctx, in, func(listResult) {})
	return err
}

// patience is how long the resolver may take: its first zone may be large.
const patience = time.Minute

// until asks the resolver for a name until it is blocked, or is not, and returns
// how long that took.
func (r *showing) until(ctx context.Context, name string, blocked bool) (time.Duration, error) {
	start := time.Now()
	for last := ""; ; {
		state, err := r.ask(ctx, name)
		switch {
		case err == nil && (state == dns.RcodeNameError) == blocked && (state == dns.RcodeSuccess) != blocked:
			return time.Since(start).Round(time.Millisecond), nil
		case err == nil:
			last = dns.RcodeToString[state]
		default:
			last = err.Error()
		}
		if time.Since(start) > patience {
			log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			return 0, fmt.Errorf("the resolver did not get there within %s (%s); its log:\n%s", patience, last, log)
		}
		select {
		case <-ctx.Done():
			return 0, errors.New("interrupted")
		case <-r.ended:
			log, _ := os.ReadFile(filepath.Join(r.dir, "log"))
			return 0, fmt.Errorf("unbound ended by itself; its log:\n%s", log)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// ask asks the resolver for the address of a name and returns how it answered.
func (r *showing) ask(ctx context.Context, name string) (int, error) {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), dns.TypeA)
	client := dns.Client{Timeout: 2 * time.Second}
	a, _, err := client.ExchangeContext(ctx, q, r.addr.String())
	if err != nil {
		return 0, err
	}
	return a.Rcode, nil
}
