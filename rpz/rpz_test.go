package rpz

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// book is a zone with a history, as plain as can be: every version is kept.
type book struct {
	origin string
	terms  Terms

	mu       sync.Mutex
	versions []map[string]Trigger
	serials  []uint32
}

func newBook(origin string, serial uint32, names ...string) *book {
	b := &book{origin: origin}
	b.write(serial, names...)
	return b
}

// write adds a version that holds names: "a.example" exactly, "*.a.example"
// beneath, ".a.example" both.
func (b *book) write(serial uint32, names ...string) {
	version := map[string]Trigger{}
	for _, n := range names {
		name, t := entry(n)
		version[string(name)] |= t
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.versions = append(b.versions, version)
	b.serials = append(b.serials, serial)
}

func entry(n string) ([]byte, Trigger) {
	t := Exact
	if rest, ok := strings.CutPrefix(n, "*."); ok {
		n, t = rest, Beneath
	} else if rest, ok := strings.CutPrefix(n, "."); ok {
		n, t = rest, Exact|Beneath
	}
	name, ok := appendName(nil, n)
	if !ok {
		panic("no name: " + n)
	}
	return name[:len(name)-1], t
}

func (b *book) latest() *page {
	b.mu.Lock()
	defer b.mu.Unlock()
	return &page{b, len(b.versions) - 1, b.terms}
}

// page is one version of a book.
type page struct {
	*book
	n     int
	terms Terms
}

func (p *page) names() map[string]Trigger {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.versions[p.n]
}

func (p *page) Origin() string          { return p.origin }
func (p *page) Terms() Terms            { return p.terms }
func (p *page) Len() int                { return len(p.names()) }
func (p *page) Has(name []byte) Trigger { return p.names()[string(name)] }

func (p *page) Serial() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.serials[p.n]
}

func (p *page) Names(yield func([]byte, Trigger) bool) {
	names := p.names()
	for _, n := range slices.Sorted(maps.Keys(names)) {
		if !yield([]byte(n), names[n]) {
			return
		}
	}
}

func (p *page) Since(serial uint32) ([]Delta, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.serials[:p.n], serial)
	if i < 0 {
		return nil, false
	}
	var ds []Delta
	for ; i < p.n; i++ {
		d := Delta{From: p.serials[i], To: p.serials[i+1]}
		d.Removed = without(p.versions[i], p.versions[i+1])
		d.Added = without(p.versions[i+1], p.versions[i])
		ds = append(ds, d)
	}
	return ds, true
}

// without returns what a holds and b doesn't.
func without(a, b map[string]Trigger) (es []Entry) {
	for n, t := range a {
		if t &^= b[n]; t != 0 {
			es = append(es, Entry{[]byte(n), t})
		}
	}
	slices.SortFunc(es, func(a, b Entry) int { return bytes.Compare(a.Name, b.Name) })
	return es
}

// shelf is Zones and Keys for tests: every zone is for every subscriber.
type shelf struct {
	subs  []Subscriber
	zones map[string]func() Zone
	keys  map[string]Key
}

func newShelf(books ...*book) *shelf {
	s := &shelf{zones: map[string]func() Zone{}, keys: map[string]Key{}}
	for _, b := range books {
		s.zones[b.origin] = func() Zone { return b.latest() }
	}
	return s
}

func (s *shelf) Zone(origin string, who Peer) (Zone, Subscriber, bool) {
	zone, ok := s.zones[origin]
	if !ok {
		return nil, Subscriber{}, false
	}
	for _, sub := range s.subs {
		if sub.Admits(who) {
			return zone(), sub, true
		}
	}
	return nil, Subscriber{}, false
}

func (s *shelf) Key(name string) (Key, bool) {
	k, ok := s.keys[name]
	return k, ok
}

// admit lets in whoever holds a key made for the purpose, which it returns.
func (s *shelf) admit(algorithm string) Key {
	k := Key{Name: "isp-" + algorithm[5:], Algorithm: algorithm, Secret: bytes.Repeat([]byte("k"), 32)}
	s.keys[k.Name] = k
	s.subs = append(s.subs, Subscriber{Name: k.Name, Key: k.Name})
	return k
}

func (k Key) secret64() string { return base64.StdEncoding.EncodeToString(k.Secret) }

// admitLocal lets in this machine, without a key.
func (s *shelf) admitLocal() {
	s.subs = append(s.subs, Subscriber{Name: "local", From: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
}

// start serves over UDP and TCP on one loopback port until the test ends.
func start(t testing.TB, s *Server) netip.AddrPort {
	t.Helper()
	ctx := t.Context()
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait) // after the context has ended
	udp, tcp := listen(t)
	wg.Go(func() { s.ServeUDP(ctx, udp) })
	wg.Go(func() { s.ServeTCP(ctx, tcp) })
	return tcp.Addr().(*net.TCPAddr).AddrPort()
}

// listen finds a port that is free for both.
func listen(t testing.TB) (*net.UDPConn, net.Listener) {
	t.Helper()
	for range 20 {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IP{127, 0, 0, 1}, Port: tcp.Addr().(*net.TCPAddr).Port})
		if err == nil {
			return udp, tcp
		}
		tcp.Close()
	}
	t.Fatal("no free port")
	return nil, nil
}

// program finds another DNS program that the test needs.
func program(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && !strings.Contains(name, "/") {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err == nil {
		return path
	}
	if os.Getenv("REQUIRE_ALL") != "" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// records is what a transfer should hold, as "owner CNAME target" lines.
func records(z Zone) []string {
	var rs []string
	z.Names(func(name []byte, t Trigger) bool {
		owner := string(appendText(nil, name)) + z.Origin()
		target := cmp.Or(z.Terms().Action, NXDomain)
		if t&Exact != 0 {
			rs = append(rs, fmt.Sprintf("%s CNAME %s", owner, target))
		}
		if t&Beneath != 0 {
			rs = append(rs, fmt.Sprintf("*.%s CNAME %s", owner, target))
		}
		return true
	})
	slices.Sort(rs)
	return rs
}

// cnames is what a transfer did hold.
func cnames(rrs []dns.RR) []string {
	var rs []string
	for _, rr := range rrs {
		if c, ok := rr.(*dns.CNAME); ok {
			rs = append(rs, fmt.Sprintf("%s CNAME %s", c.Hdr.Name, c.Target))
		}
	}
	slices.Sort(rs)
	return rs
}

func many(prefix string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(".%s%d.example", prefix, i)
	}
	return names
}

// within fails the test when the thing never comes.
func within[T any](t testing.TB, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("it did not come")
		panic("unreachable")
	}
}
