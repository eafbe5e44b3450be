package rpz

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// identity makes a certificate that vouches for itself.
func identity(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// startTLS serves over TLS until the test ends, and returns what clients need.
func startTLS(t testing.TB, s *Server) (netip.AddrPort, *tls.Config) {
	t.Helper()
	cert := identity(t, "ns.example")
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	udp, tcp := listen(t)
	udp.Close()
	done := make(chan bool)
	go func() {
		s.ServeTLS(t.Context(), tcp, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &cert, nil })
		close(done)
	}()
	t.Cleanup(func() { <-done })
	return tcp.Addr().(*net.TCPAddr).AddrPort(), &tls.Config{ServerName: "ns.example", RootCAs: roots, NextProtos: []string{"dot"}}
}

// TestTLS is a transfer over TLS (RFC 9103), as clients may begin it.
func TestTLS(t *testing.T) {
	b := newBook("rpz.example.", 7, many("evil", 5000)...)
	at, good := startTLS(t, localServer(b))
	for _, test := range []struct {
		name string
		edit func(*tls.Config)
		fine bool
	}{
		{"as it should be", func(*tls.Config) {}, true},
		{"without ALPN", func(c *tls.Config) { c.NextProtos = nil }, true}, // Unbound
		{"among others", func(c *tls.Config) { c.NextProtos = []string{"h2", "dot"} }, true},
		{"for another protocol", func(c *tls.Config) { c.NextProtos = []string{"h2"} }, false},
		{"TLS 1.2", func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			config := good.Clone()
			test.edit(config)
			c := tls.Client(dial(t, "127.0.0.1", at), config)
			if _, err := c.Write(pack(t, new(dns.Msg).SetAxfr("rpz.example."))); err != nil || !test.fine {
				if test.fine || err == nil {
					t.Errorf("%v", err)
				}
				return
			}
			if rrs := readRecords(t, c, 10_003); !slices.Equal(cnames(rrs), records(b.latest())) {
				t.Errorf("%d records", len(rrs))
			}
		})
	}
}

// TestCertificates sees who is who by certificate.
func TestCertificates(t *testing.T) {
	mine, other := identity(t, "a.example"), identity(t, "a.example")
	whole, key := pinsOf(mine.Leaf)
	ask := func(t *testing.T, sub Subscriber, certs ...tls.Certificate) (rcode int) {
		shelf := newShelf(newBook("rpz.example.", 7, "evil.example"))
		shelf.subs = []Subscriber{sub}
		at, config := startTLS(t, &Server{Zones: shelf, Keys: shelf})
		config.Certificates = certs
		c := tls.Client(dial(t, "127.0.0.1", at), config)
		conn := &dns.Conn{Conn: c}
		if err := conn.WriteMsg(new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA)); err != nil {
			t.Fatal(err)
		}
		m, err := conn.ReadMsg()
		if err != nil {
			t.Fatal(err)
		}
		return m.Rcode
	}
	here, there := netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("192.0.2.0/24")
	for _, test := range []struct {
		name  string
		sub   Subscriber
		shows []tls.Certificate
		fine  bool
	}{
		{"by its hash", Subscriber{Certificates: []string{whole}}, []tls.Certificate{mine}, true},
		{"by its key's", Subscriber{Certificates: []string{strings.Repeat("0", 64), key}}, []tls.Certificate{mine}, true},
		{"another", Subscriber{Certificates: []string{whole, key}}, []tls.Certificate{other}, false},
		{"none", Subscriber{Certificates: []string{whole, key}}, nil, false},
		{"none, and the empty hash is asked for", Subscriber{Certificates: []string{""}}, nil, false},
		{"from here", Subscriber{Certificates: []string{key}, From: []netip.Prefix{here}}, []tls.Certificate{mine}, true},
		{"not from here", Subscriber{Certificates: []string{key}, From: []netip.Prefix{there}}, []tls.Certificate{mine}, false},
		{"without the TSIG key that it has", Subscriber{Certificates: []string{key}, Key: "isp"}, []tls.Certificate{mine}, false},
		{"one that nobody asks for", Subscriber{From: []netip.Prefix{here}}, []tls.Certificate{other}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			if rcode := ask(t, test.sub, test.shows...); (rcode == dns.RcodeSuccess) != test.fine {
				t.Error(dns.RcodeToString[rcode])
			}
		})
	}
}

// TestThousandUnfinished opens a thousand connections that never finish what
// they begin, of each sort, and sees that a subscriber is served meanwhile, that
// one address has no more than its share, and that all are gone in the end.
func TestThousandUnfinished(t *testing.T) {
	b := newBook("rpz.example.", 7, many("evil", 5000)...)
	hello := func() []byte { // of a handshake that is begun
		var sent bytes.Buffer
		tls.Client(recorder{&sent}, &tls.Config{ServerName: "ns.example"}).Handshake()
		return sent.Bytes()
	}()
	for _, sort := range []struct {
		name  string
		tls   bool
		begin []byte
	}{
		{"nothing", false, nil},
		{"half a question", false, []byte{0, 40, 1, 2, 3}},
		{"no handshake", true, nil},
		{"half a hello", true, hello[:len(hello)/2]},
		{"half a handshake", true, hello},
		{"no TLS at all", true, []byte("GET / HTTP/1.1\r\n\r\n")},
	} {
		t.Run(sort.name, func(t *testing.T) {
			s := localServer(b)
			s.Conns, s.ConnsEach, s.Patience = 400, 40, time.Second
			s.Zones.(*shelf).subs[0].From = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
			at, config := startTLS(t, s)
			if !sort.tls {
				at = start(t, s)
			}
			var idle []net.Conn
			for i := range 1000 {
				// Twenty addresses, so that many have had their share before the end.
				c := dial(t, fmt.Sprintf("127.0.1.%d", 1+i%20), at)
				c.Write(sort.begin)
				idle = append(idle, c)
			}
			honest := dial(t, "127.0.0.1", at)
			if sort.tls {
				honest = tls.Client(honest, config)
			}
			honest.Write(pack(t, new(dns.Msg).SetAxfr("rpz.example.")))
			if rrs := readRecords(t, honest, 10_003); len(rrs) != 10_003 {
				t.Errorf("%d records", len(rrs))
			}
			s.conns.mu.Lock()
			open := s.conns.open
			s.conns.mu.Unlock()
			// Those that were closed to make room count until they have left.
			if open > 2*s.Conns {
				t.Errorf("%d are open", open)
			}
			honest.Close()
			var wg sync.WaitGroup
			for _, c := range idle {
				wg.Go(func() { closed(t, c) })
			}
			wg.Wait()
		})
	}
}

// recorder takes what a client says first, and answers nothing.
type recorder struct{ said *bytes.Buffer }

func (r recorder) Write(b []byte) (int, error)      { return r.said.Write(b) }
func (recorder) Read([]byte) (int, error)           { return 0, io.EOF }
func (recorder) Close() error                       { return nil }
func (recorder) LocalAddr() net.Addr                { return nil }
func (recorder) RemoteAddr() net.Addr               { return nil }
func (recorder) SetDeadline(time.Time) error        { return nil }
func (recorder) SetReadDeadline(t time.Time) error  { return nil }
func (recorder) SetWriteDeadline(t time.Time) error { return nil }

// TestComplaints sees that the log says in words what is wrong on the other
// side, and does not say it a thousand times.
func TestComplaints(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		name string
		edit func(*Key, *dns.Msg)
		at   time.Duration // of the other side's clock
		want string
	}{
		{"another algorithm", func(k *Key, _ *dns.Msg) { k.Algorithm = "hmac-sha512" }, 0, "BADKEY: it is signed with hmac-sha512, and the key is for hmac-sha256"},
		{"MD5", func(k *Key, _ *dns.Msg) { k.Algorithm = "hmac-sha1" }, 0, "BADKEY: it is signed with hmac-sha1, and the key is for hmac-sha256"},
		{"a key of another", func(k *Key, _ *dns.Msg) { k.Name = "stranger" }, 0, "BADKEY: no subscriber has a key of that name"},
		{"another secret", func(k *Key, _ *dns.Msg) { k.Secret = []byte("guessed") }, 0, "BADSIG"},
		{"a clock that is fast", nil, time.Hour, "BADTIME: its clock and ours are 1h0m0s apart; at most 5m0s is allowed"},
		{"a clock that is slow", nil, -24 * time.Hour, "BADTIME: its clock and ours are 24h0m0s apart"},
		{"ahead of us", func(_ *Key, m *dns.Msg) { m.SetIxfr("rpz.example.", 9, ".", ".") }, 0, "theirs=9 ours=7"},
		{"as it should be", func(_ *Key, m *dns.Msg) { m.SetIxfr("rpz.example.", 7, ".", ".") }, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			shelf := newShelf(newBook("rpz.example.", 7, "evil.example"))
			key := shelf.admit("hmac-sha256")
			s := &Server{Zones: shelf, Keys: shelf, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}
			m := new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA)
			if test.edit != nil {
				test.edit(&key, m)
			}
			m.SetTsig(key.Name+".", key.Algorithm+".", 300, now.Add(test.at).Unix())
			wire, _, err := dns.TsigGenerate(m, key.secret64(), "", false)
			if err != nil {
				t.Fatal(err)
			}
			for range 1000 {
				if _, err := raw(s, wire, true); err != nil {
					t.Fatal(err)
				}
			}
			said := log.String()
			if !strings.Contains(said, test.want) || strings.Count(said, "\n") != min(len(test.want), 1) {
				t.Errorf("want %q: %s", test.want, said)
			}
			now = now.Add(complainEvery)
		})
	}
}

func TestComplaintsAreFew(t *testing.T) {
	var cs complaints
	now := time.Now()
	said := 0
	for i := range 10_000 {
		if cs.due(complaint{neighbourhood(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)}), 53)), "tsig"}, now) {
			said++
		}
	}
	if said != maxComplaints {
		t.Errorf("said %d", said)
	}
	if !cs.due(complaint{what: "tsig"}, now.Add(complainEvery)) {
		t.Error("said nothing ever after")
	}
}
