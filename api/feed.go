package api

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/netip"

	"tocsin"
	"tocsin/httpd"
)

// A Feed is one file of what a subscriber receives, at one moment.
type Feed struct {
	Subscriber string
	Media      string
	Tag        string // equal files have equal tags
	Write      func(io.Writer) error
	Taken      func() // called when the subscriber has all of it
}

// feed answers those who know a subscriber's secret address: resolvers that
// fetch a file and can't say who they are in any other way. A wrong secret, a
// file that there is not and an address from which it is not for them look
// alike. Neither the log nor an error has the secret: they name the route.
func (a *API) feed(w http.ResponseWriter, r *http.Request, from netip.Addr) error {
	f, ok := a.Feed(r.PathValue("secret"), r.PathValue("file"), from)
	if !ok {
		return errNoFeed
	}
	httpd.Name(w, "subscriber "+f.Subscriber)
	tag := `"` + f.Tag + `"`
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Content-Type", f.Media)
	switch {
	case matches(r.Header.Get("If-None-Match"), tag):
		w.WriteHeader(http.StatusNotModified)
		f.Taken()
		return nil
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return nil
	}
	if err := f.Write(w); err != nil {
		return err
	}
	f.Taken()
	return nil
}

var errNoFeed = tocsin.Errorf(tocsin.NotFound, "there is no such file")

// HashFeed is what is kept of the secret in an address.
func HashFeed(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
