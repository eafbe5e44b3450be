package httpd

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate for 127.0.0.1 with that serial number.
func writeCertificate(t *testing.T, cert, key string, serial int64) {
	t.Helper()
	writeCertificateUntil(t, cert, key, serial, time.Now().Add(time.Hour))
}

func writeCertificateUntil(t *testing.T, cert, key string, serial int64, until time.Time) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "exchange.example"},
		NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
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

func TestTLS(t *testing.T) {
	w := newWorld(t, Options{})
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, 1)
	cert, err := LoadCertificate(certFile, keyFile, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.Serve(ctx, ln, cert) }()
	ask := func() (serial int64, proto string) {
		t.Helper()
		tr := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} // self-signed
		defer tr.CloseIdleConnections()
		resp, err := (&http.Client{Transport: tr}).Get("https://" + ln.Addr().String() + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		return resp.TLS.PeerCertificates[0].SerialNumber.Int64(), resp.Proto
	}
	again := func() {
		cert.mu.Lock()
		cert.checked = time.Time{}
		cert.mu.Unlock()
	}
	if n, proto := ask(); n != 1 || proto != "HTTP/2.0" {
		t.Errorf("certificate %d, %s", n, proto)
	}
	os.WriteFile(certFile, []byte("half a file"), 0o600)
	again()
	if n, _ := ask(); n != 1 {
		t.Errorf("with a broken file: certificate %d", n)
	}
	writeCertificate(t, certFile, keyFile, 2)
	again()
	if n, _ := ask(); n != 2 {
		t.Errorf("after renewal: certificate %d", n)
	}
	stop()
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

// TestCertificateEnds sees that a certificate that ends is spoken of in time, and
// that a new one is picked up without anybody connecting.
func TestCertificateEnds(t *testing.T) {
	const day = 24 * time.Hour
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for _, test := range []struct {
		left time.Duration
		want string
	}{
		{90 * day, ""},
		{22 * day, ""},
		{20 * day, "level=WARN msg=\"the TLS certificate ends soon"},
		{time.Hour, "level=WARN msg=\"the TLS certificate ends soon"},
		{-time.Hour, "level=ERROR msg=\"the TLS certificate has ended"},
	} {
		var log bytes.Buffer
		writeCertificateUntil(t, certFile, keyFile, 1, time.Now().Add(test.left))
		cert, err := LoadCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		if err := cert.Watch(ended); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		if said := log.String(); !strings.Contains(said, test.want) || (test.want == "") != (said == "") {
			t.Errorf("%v before its end: %q", test.left, said)
		}
		log.Reset()
		writeCertificateUntil(t, certFile, keyFile, 2, time.Now().Add(365*day))
		cert.checked = time.Time{} // it looks once a second
		cert.Watch(ended)
		if log.Len() > 0 || cert.Expires().Before(time.Now().Add(364*day)) {
			t.Errorf("after renewal: %v, %s", cert.Expires(), &log)
		}
	}
}
