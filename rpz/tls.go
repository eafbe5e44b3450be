package rpz

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net"
	"time"
)

// ServeTLS answers connections over TLS (RFC 9103) until ctx ends, and returns
// when the last of them is closed. It closes l. Whoever connects shares the
// limits of those without TLS, and is counted before the handshake: a stranger
// who begins one and leaves it at that holds a connection, and no more.
//
// A client may show a certificate. No authority vouches for it and no date ends
// it: it is known by its hash, which its subscriber has told us.
func (s *Server) ServeTLS(ctx context.Context, l net.Listener, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) error {
	config := &tls.Config{
		GetCertificate: certificate,
		MinVersion:     tls.VersionTLS13, // RFC 9103, 8.1
		// RFC 9103, 8.1 wants "dot" selected, which BIND, NSD and kdig offer. A client
		// that offers only others is turned away; Unbound 1.17 offers none at all, and is
		// served.
		NextProtos: []string{"dot"},
		ClientAuth: tls.RequestClientCert,
	}
	return s.accept(ctx, l, func(c net.Conn) (net.Conn, Peer, error) {
		secure := tls.Server(c, config)
		// A deadline, not a context: when that ends, all connections are closed anyway.
		c.SetDeadline(time.Now().Add(or(s.Patience, patience)))
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, Peer{}, err
		}
		c.SetDeadline(time.Time{})
		who := Peer{}
		if shown := secure.ConnectionState().PeerCertificates; len(shown) > 0 {
			who.Certificate, who.PublicKey = pinsOf(shown[0])
		}
		return secure, who, nil
	})
}

// pinsOf returns the hashes that a certificate is known by.
func pinsOf(c *x509.Certificate) (certificate, publicKey string) {
	whole, key := sha256.Sum256(c.Raw), sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(whole[:]), hex.EncodeToString(key[:])
}
