package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

func isAddress(from string) bool {
	return strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://")
}

// fetchTime is how long fetching a list may take.
const fetchTime = 2 * time.Minute

// fetchList fetches a list. Names that lead to private networks are refused where
// the connection is made, so that a redirect or a name that changes its address
// leads there no more than a name that always did. It is read up to most octets.
func fetchList(ctx context.Context, from string, private bool, most int64) (io.ReadCloser, error) {
	no := func(err error) error {
		if u, ok := err.(*url.Error); ok {
			err = u.Err
		}
		return fmt.Errorf("the list %s can't be fetched: %w", from, err)
	}
	dialer := &net.Dialer{Timeout: 20 * time.Second}
	if !private {
		dialer.Control = publicOnly
	}
	client := &http.Client{
		Timeout:   fetchTime,
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 20 * time.Second, ResponseHeaderTimeout: 30 * time.Second},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) >= 5 {
				return fmt.Errorf("it was sent on %d times", len(via))
			}
			return nil
		},
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, no(err)
	}
	r.Header.Set("User-Agent", "tocsin/"+version())
	resp, err := client.Do(r)
	if err != nil {
		return nil, no(err)
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, no(fmt.Errorf("the server answers %s", resp.Status))
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, most), resp.Body}, nil
}

// publicOnly refuses connections to addresses that are not on the Internet.
func publicOnly(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if a := at.Addr().Unmap(); !a.IsGlobalUnicast() || a.IsPrivate() {
		return fmt.Errorf("%s is an address of a private network; if that is where the list is, say --private", a)
	}
	return nil
}
