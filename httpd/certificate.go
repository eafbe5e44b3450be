package httpd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

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

// Expires is when the certificate ends.
func (c *Certificate) Expires() time.Time { return c.leaf().NotAfter }

// soon is how long before its end a certificate should have been renewed: those
// who renew by themselves do so a month before, so that by now nobody does.
const soon = 21 * 24 * time.Hour

// Watch says once a day that the certificate is about to end, until ctx ends. It
// looks for new files also when nobody connects.
func (c *Certificate) Watch(ctx context.Context) error {
	daily := time.NewTicker(24 * time.Hour)
	defer daily.Stop()
	for {
		c.Get(nil)
		c.warn(time.Now())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-daily.C:
		}
	}
}

func (c *Certificate) warn(now time.Time) {
	switch left := c.Expires().Sub(now); {
	case left <= 0:
		c.log.Error("the TLS certificate has ended: browsers and resolvers turn away; put a new one in its place", "file", c.cert, "ended", c.Expires())
	case left < soon:
		c.log.Warn("the TLS certificate ends soon; put a new one in its place, it is read without a restart", "file", c.cert,
			"ends", c.Expires(), "days", int(left.Hours()/24))
	}
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
