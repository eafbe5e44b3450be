package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"time"
)

// soon is how long before its end a certificate is a finding: whoever renews it
// by hand needs some days.
const soon = 14 * 24 * time.Hour

// readChain reads the certificates of a PEM file, the server's own first.
func readChain(file string) (chain []*x509.Certificate, err error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, plainly(err)
	}
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("%s: there is no certificate in it", file)
	}
	return chain, nil
}

// certificateEnds is when the first certificate of a chain ends that does.
func certificateEnds(file string) (end time.Time, err error) {
	if file == "" {
		return end, errors.ErrUnsupported
	}
	chain, err := readChain(file)
	for _, c := range chain {
		if end.IsZero() || c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end, err
}

// certificate looks at the files that HTTPS uses, as somebody who connects at
// that time will find them. The roots are the system's; nil.
func certificate(cert, key string, now time.Time, roots *x509.CertPool) []finding {
	const renew = "renew it; a new pair of files is taken up by itself, without a restart"
	chain, err := readChain(cert)
	if err != nil {
		return []finding{ill("give serve a PEM file with the certificate and those that lead to its root: --tls-cert", "%s", err)}
	}
	var found []finding
	if _, err := tls.LoadX509KeyPair(cert, key); err != nil {
		found = append(found, ill("give serve the key that the certificate was made for: --tls-key", "%s and %s do not go together: %s", cert, key, err).because("nobody can connect over HTTPS"))
	}
	for i, c := range chain {
		name := "the certificate"
		if i > 0 {
			name = fmt.Sprintf("the certificate of %s above it", c.Subject.CommonName)
		}
		switch left := c.NotAfter.Sub(now); {
		case now.Before(c.NotBefore):
			found = append(found, ill("set the clock, or wait", "%s is good only from %s", name, c.NotBefore.Format(time.DateTime)).because("clients refuse it until then"))
		case left <= 0:
			found = append(found, ill(renew, "%s ended on %s", name, c.NotAfter.Format(time.DateTime)).because("browsers and programs refuse to connect"))
		case left < soon:
			found = append(found, ill(renew, "%s ends in %s, on %s", name, plural(int64(left/(24*time.Hour)), "day"), c.NotAfter.Format(time.DateTime)).because("browsers and programs will refuse to connect"))
		}
	}
	if len(chain[0].DNSNames) == 0 && len(chain[0].IPAddresses) == 0 {
		found = append(found, ill("have one made with the server's name in it", "the certificate names no host").because("clients compare the name that they connect to with those in it"))
	}
	pool := x509.NewCertPool()
	for _, c := range chain[1:] {
		pool.AddCert(c)
	}
	_, err = chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: chain[0].NotBefore.Add(time.Minute)})
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		found = append(found, ill("put the certificates of the authorities in between into the same file, below it; of an authority of your own, tell your members",
			"the certificate leads to no root that this machine trusts").because("clients that trust no more than this machine refuse it"))
	}
	if len(found) == 0 {
		found = append(found, well("%s, until %s", firstName(chain[0]), chain[0].NotAfter.Format(time.DateOnly)))
	}
	return found
}

func firstName(c *x509.Certificate) string {
	if len(c.DNSNames) > 0 {
		return c.DNSNames[0]
	}
	return fmt.Sprint(c.IPAddresses[0])
}
