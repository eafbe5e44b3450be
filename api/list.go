package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
)

// list streams a collection as the viewer's organisation receives it: what
// firewalls and proxies fetch. It carries a serial, and an ETag by which they
// need not fetch what they have (RFC 9110, section 13.1.2).
func (a *API) list(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	file := r.PathValue("file")
	name, format, _ := strings.Cut(file, ".")
	c, err := find[*tocsin.Collection](a.db.As(v), name)
	if err != nil {
		return tocsin.Errorf(tocsin.NotFound, "no collection %q", name)
	}
	l, err := a.listFor(r, c, v)
	if err != nil {
		return err
	}
	media, ok := l.Media(format)
	if !ok {
		return tocsin.Errorf(tocsin.NotFound, "no list %q; try one of [%[2]s.txt %[2]s.rpz %[2]s.json]", file, c.Name)
	}
	tag := etag(c, l, format)
	h := w.Header()
	if tag != "" {
		h.Set("ETag", tag)
	}
	h.Set("X-Tocsin-Serial", strconv.FormatInt(int64(l.Serial()), 10))
	h.Set("Content-Type", media)
	switch {
	case tag != "" && matches(r.Header.Get("If-None-Match"), tag):
		w.WriteHeader(http.StatusNotModified)
		return nil
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return l.Write(w, format)
}

// listFor returns the list of an audience: the organisation, not the person, so
// a site administrator gets what resolvers of theirs get and not everything; or
// with ?subscriber=NAME one of the organisation's own subscribers.
func (a *API) listFor(r *http.Request, c *tocsin.Collection, v access.Viewer) (List, error) {
	if err := known(r, "subscriber"); err != nil {
		return nil, err
	}
	name := r.URL.Query().Get("subscriber")
	if name == "" {
		return a.Lists.List(c, a.organisation(v.Name(), v.Org()))
	}
	s, err := find[*tocsin.Subscriber](a.db.As(v), name)
	if err != nil || s.Org != v.Org() || !s.Receives(c.ID) {
		return nil, tocsin.Errorf(tocsin.NotFound, "your organisation has no subscriber %q of %s", name, c.Name)
	}
	return a.Lists.Received(c, s)
}

// etag names the octets of a list, "" where its audience has no name. The
// audience is hashed: it says who else receives the same.
func etag(c *tocsin.Collection, l List, format string) string {
	if l.Audience() == "" {
		return ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s %d %s", c.ID, l.Audience(), l.Serial(), format))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matches compares weakly, as If-None-Match asks for: our own compression makes
// tags weak.
func matches(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimSpace(part)
		if part == "*" || strings.TrimPrefix(part, "W/") == tag {
			return true
		}
	}
	return false
}
