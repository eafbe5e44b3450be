// Package egress is the one guarded client for connections that go out to where
// somebody else says: peers, feeds. A user who names an address must not reach by us
// what they could not reach themselves: this machine, the operator's network, the
// addresses by which clouds tell machines their secrets.
//
// The package knows nothing of what is asked for.
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"tocsin"
)

// Options say what a client trusts and where it may go. The zero Options are good.
type Options struct {
	Private     bool   // addresses that are not public may be asked, too
	Insecure    bool   // the other side's certificate is not checked
	Authorities []byte // PEM: who signs the other side's certificate; none: whom the system trusts
	Certificate []byte // PEM: certificate and key to show
}

// Limits of one exchange.
const (
	patience = 20 * time.Second
	MaxBody  = 16 << 20 // octets of an answer
)

// A Client asks. It follows no redirect: that would be an address which nobody here named.
type Client struct{ http *http.Client }

// New returns a client, or what is wrong with the certificates.
func New(o Options) (*Client, error) {
	trust := &tls.Config{InsecureSkipVerify: o.Insecure, MinVersion: tls.VersionTLS12}
	if len(o.Authorities) > 0 {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(o.Authorities) {
			return nil, tocsin.Errorf(tocsin.Invalid, "there is no certificate in what the server's certificate is to be checked by")
		}
	}
	if len(o.Certificate) > 0 {
		pair, err := tls.X509KeyPair(o.Certificate, o.Certificate)
		if err != nil {
			return nil, tocsin.Errorf(tocsin.Invalid, "the client certificate can't be used: it takes a certificate and its key, in PEM").Because(err)
		}
		trust.Certificates = []tls.Certificate{pair}
	}
	dial := &net.Dialer{Timeout: patience / 2, Control: o.control}
	return &Client{&http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// No proxy of the environment: it would be asked for names that we then did not look at.
		Transport: &http.Transport{DialContext: dial.DialContext, TLSClientConfig: trust, DisableKeepAlives: true, ResponseHeaderTimeout: patience},
	}}, nil
}

// control looks at the address just before the connection is made, when the name has
// been resolved: a name can't be shown to us as one address and used as another.
func (o Options) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("no address %q: %w", address, err)
	}
	if !o.Private && !Public(to.Addr()) {
		return tocsin.Errorf(tocsin.Forbidden, "%s is not a public address; an administrator may allow those", to.Addr())
	}
	return nil
}

// notPublic are ranges that netip has no word for (IANA's special-purpose registries).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("3fff::/20"), netip.MustParsePrefix("5f00::/16"),
}

// Public reports whether a is an address of the public Internet.
func Public(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// CheckURL refuses what is no address of a web server.
func CheckURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		return tocsin.Errorf(tocsin.Invalid, "%q is not an address of a web server, as https://misp.example.org", text)
	}
	return nil
}

// Get asks for an address, and returns the status and at most MaxBody octets.
func (c *Client) Get(ctx context.Context, address string, header http.Header) (status int, body []byte, err error) {
	if err := CheckURL(address); err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, nil, err
	}
	r.Header = header
	resp, err := c.http.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("ask %s: %w", address, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, MaxBody+1))
	if len(body) > MaxBody {
		return 0, nil, tocsin.Errorf(tocsin.Invalid, "%s answers with more than %d octets", address, MaxBody)
	}
	return resp.StatusCode, body, err
}
