package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"tocsin"
	"tocsin/internal/lab"
	"tocsin/store"
)

// exchangeName is what certificates of exchanges under test are for.
const exchangeName = "exchange.example"

// certificate writes a certificate that vouches for itself, and its key.
func newCertificate(t testing.TB, name string, until time.Time) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cert, key, name, until)
	return cert, key
}

func writeCertificate(t testing.TB, cert, key, name string, until time.Time) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newSecureWorld starts an exchange that speaks TLS on both faces.
func newSecureWorld(t *testing.T, orgs ...string) *world {
	t.Helper()
	c := config{DNSTLS: "127.0.0.1:0", Looks: looks{time.Second, time.Second}}
	c.TLSCert, c.TLSKey = newCertificate(t, exchangeName, time.Now().Add(90*24*time.Hour))
	return newWorldWith(t, c, orgs...)
}

// TestTransferOverTLS has real secondaries transfer over TLS, with what the
// exchange prints for them; only who vouches for its certificate is put in.
func TestTransferOverTLS(t *testing.T) {
	for _, rig := range []rig{
		{name: "BIND", for_: "bind", tsig: "hmac-sha256", start: startBIND},
		{name: "BIND unheard", for_: "bind", deaf: true, start: startBIND},
		{name: "Unbound", for_: "unbound", start: startUnbound},
		{name: "Unbound unheard", for_: "unbound", deaf: true, start: startUnbound},
		{name: "Unbound by URL", for_: "unbound-url", feed: true, deaf: true, start: func(t *testing.T, root *lab.Root, printed func(string) string) *lab.Server {
			return &lab.StartUnbound(t, root, printed("unbound-url")).Server
		}},
	} {
		t.Run(rig.name, func(t *testing.T) {
			t.Parallel()
			w := newSecureWorld(t, "telco", "provider")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
			w.settle()
			tag := map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}}
			w.share("telco", "canary.threat-lab.net", tag)
			root := lab.StartRoot(t)
			root.Local(exchangeName)
			query := "&tls=1"
			if rig.feed {
				query = "" // HTTPS it is
			}
			r := rig.run(t, w, root, c, query)
			r.WaitBlocked(t, "canary.threat-lab.net")
			const name = "evil.threat-lab.net"
			r.WaitAnswers(t, name)
			w.share("telco", name, tag)
			blocked := r.WaitBlocked(t, "www."+name)
			w.must("telco", "POST", "/attributes/delete/"+w.attribute("telco", name), nil)
			answers := r.WaitAnswers(t, "www."+name)
			t.Logf("blocked after %v, answers again after %v", blocked, answers)
			w.confirms(rig.for_)
		})
	}
	t.Run("NSD", func(t *testing.T) {
		t.Parallel()
		w := newSecureWorld(t, "telco", "provider")
		c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
		w.settle()
		s := rig{for_: "nsd", tsig: "hmac-sha256", start: startNSD}.run(t, w, nil, c, "&tls=1")
		w.share("telco", "evil.example", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
		s.Wait(t, "evil.example.hot.rpz.example", "hold", func(a lab.Answer) bool { return a.Rcode == dns.RcodeSuccess && len(a.Msg.Answer) == 1 })
	})
}

// kdig transfers a zone over TLS and returns what it prints.
func (w *world) kdig(args ...string) string {
	w.t.Helper()
	at := netip.MustParseAddrPort(w.DNSTLSAddr)
	out, _ := exec.Command(lab.Need(w.t, "kdig"), append([]string{"@127.0.0.1", "-p", fmt.Sprint(at.Port()),
		"+tls-ca=" + w.conf.TLSCert, "+tls-hostname=" + exchangeName, "+time=5", "+retry=0"}, args...)...).CombinedOutput()
	return string(out)
}

// TestCertificateSaysWho gives a subscriber a certificate: who shows it may
// transfer, from anywhere; who shows another, none, or asks in the clear may not.
func TestCertificateSaysWho(t *testing.T) {
	w := newSecureWorld(t, "telco", "provider")
	c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example"})
	cert, key := newCertificate(t, "resolver.example", time.Now().Add(-time.Hour)) // no date ends it
	other, otherKey := newCertificate(t, "resolver.example", time.Now().Add(time.Hour))
	hashes, err := pins([]string{cert})
	if err != nil {
		t.Fatal(err)
	}
	s := &tocsin.Subscriber{Name: "resolver", Org: w.orgs["provider"], Collection: c}
	w.write(func(tx *store.Tx) error { return store.Put(tx, s) })
	w.must("telco", "PATCH", "/api/subscribers/resolver", map[string]any{"certificates": hashes})
	w.share("telco", "evil.example", map[string]any{"Tag": []any{map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}}})
	w.settle()
	for _, x := range []struct {
		who  string
		args []string
		gets bool
	}{
		{"its certificate", []string{"+tls-certfile=" + cert, "+tls-keyfile=" + key}, true},
		{"another's", []string{"+tls-certfile=" + other, "+tls-keyfile=" + otherKey}, false},
		{"none", nil, false},
	} {
		out := w.kdig(append(x.args, "+tls", "rpz.example", "AXFR")...)
		if got := strings.Contains(out, "*.evil.example.rpz.example."); got != x.gets {
			t.Errorf("%s: %v\n%s", x.who, got, out)
		}
	}
	m, err := dns.Exchange(new(dns.Msg).SetQuestion("rpz.example.", dns.TypeSOA), w.DNSAddr)
	if err != nil || m.Rcode != dns.RcodeRefused {
		t.Errorf("in the clear: %v, %v", m, err)
	}
	for _, bad := range []string{"", "abc", strings.Repeat("zz", 32)} {
		if status, out := w.call("telco", "PATCH", "/api/subscribers/resolver", map[string]any{"certificates": []string{bad}}); status != 400 {
			t.Errorf("%q: %d %v", bad, status, out)
		}
	}
}

// TestCertificateIsRenewed puts new files in place of the old, first ones that are
// of no use: transfers go on with the old certificate, and then with the new one,
// without a restart.
func TestCertificateIsRenewed(t *testing.T) {
	log := &ledger{}
	c := config{DNSTLS: "127.0.0.1:0", Log: slog.New(slog.NewTextHandler(log, nil))}
	c.TLSCert, c.TLSKey = newCertificate(t, exchangeName, time.Now().Add(90*24*time.Hour))
	w := newWorldWith(t, c, "telco")
	shown := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", w.DNSTLSAddr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"dot"}}) // which one it is, is asked
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	old := shown()
	if err := os.WriteFile(w.conf.TLSCert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(log.String(), "the old one goes on serving") { // it looks once a second
		if shown() != old {
			t.Fatal("with a broken file another certificate is shown")
		}
	}
	writeCertificate(t, w.conf.TLSCert, w.conf.TLSKey, exchangeName, time.Now().Add(time.Hour))
	for end := time.Now().Add(20 * time.Second); shown() == old; {
		if time.Now().After(end) {
			t.Fatal("the old certificate is shown still")
		}
		<-time.After(10 * time.Millisecond)
	}
}
