package httpd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// farewell is for how long requests under way may go on when we shut down.
const farewell = 10 * time.Second

// Serve answers connections of ln until ctx ends, then lets requests under way
// finish. With a certificate it speaks TLS, and HTTP/2 to those who can.
func (s *Server) Serve(ctx context.Context, ln net.Listener, cert *Certificate) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // of strangers' broken handshakes
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 250},
	}
	ended := make(chan error, 1)
	go func() {
		if cert == nil {
			ended <- srv.Serve(ln)
			return
		}
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.Get}
		ended <- srv.ServeTLS(ln, "", "")
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		srv.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// A Certificate is a pair of PEM files, read again when they change: whoever
// renews them has to tell nobody.
type Certificate struct {
	cert, key string
	log       *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	stamp   [2]stamp
	checked time.Time
}

type stamp struct {
	at   time.Time
	size int64
}

// LoadCertificate reads the files.
func LoadCertificate(cert, key string, log *slog.Logger) (*Certificate, error) {
	c := &Certificate{cert: cert, key: key, log: log}
	now, err := c.stamps()
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if err := c.load(now); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Certificate) load(s [2]stamp) error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	c.pair, c.stamp = &pair, s
	return nil
}

func (c *Certificate) stamps() (s [2]stamp, err error) {
	for i, name := range []string{c.cert, c.key} {
		info, err := os.Stat(name)
		if err != nil {
			return s, err
		}
		s[i] = stamp{info.ModTime(), info.Size()}
	}
	return s, nil
}

// Get returns the certificate for a handshake. New files that don't fit together
// yet are tried again; until they do, the old ones serve.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= time.Second {
		c.checked = now
		c.refresh()
	}
	return c.pair, nil
}

// Host is the name that the certificate is for: the first, or else its first
// address; "" if it has neither.
func (c *Certificate) Host() string {
	leaf := c.leaf()
	switch {
	case len(leaf.DNSNames) > 0:
		return leaf.DNSNames[0]
	case len(leaf.IPAddresses) > 0:
		return leaf.IPAddresses[0].String()
	}
	return ""
}

// leaf is the certificate itself, which package tls has parsed.
func (c *Certificate) leaf() *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pair.Leaf
}

func (c *Certificate) refresh() {
	s, err := c.stamps()
	if err == nil && s == c.stamp {
		return
	}
	if err == nil {
		err = c.load(s)
	}
	if err != nil {
		c.log.Warn("the new certificate can't be used; the old one goes on serving", "err", err)
	}
}
