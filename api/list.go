package api

import (
	"bytes"
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
	if err := known(r, "part", "most", "subscriber"); err != nil {
		return err
	}
	part, most, err := partOf(r)
	if err != nil {
		return err
	}
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
	media, err := l.Media(format)
	if err != nil {
		return tocsin.Errorf(tocsin.NotFound, "there is no %q: %w", file, err)
	}
	tag := etag(c, l, fmt.Sprint(format, part))
	fresh := tag != "" && matches(r.Header.Get("If-None-Match"), tag)
	if most > 0 && !fresh {
		if err := fits(l, format, part, most); err != nil {
			return err
		}
	}
	h := w.Header()
	if tag != "" {
		h.Set("ETag", tag)
	}
	h.Set("X-Tocsin-Serial", strconv.FormatInt(int64(l.Serial()), 10))
	h.Set("Content-Type", media)
	switch {
	case fresh:
		w.WriteHeader(http.StatusNotModified)
		return nil
	case r.Method == http.MethodHead:
		w.WriteHeader(http.StatusOK)
		return nil
	}
	return l.Write(w, format, part)
}

// maxParts bounds into how many parts a list can be cut.
const maxParts = 1000

// partOf reads part=2/8 and most=5000 off the query.
func partOf(r *http.Request) (p Part, most int, err error) {
	q := r.URL.Query()
	if text := q.Get("part"); text != "" {
		n, of, _ := strings.Cut(text, "/")
		p.N, _ = strconv.Atoi(n)
		p.Of, _ = strconv.Atoi(of)
		if p.N < 1 || p.Of > maxParts || p.N > p.Of {
			return p, 0, tocsin.Errorf(tocsin.Invalid, "no part %q; the second of eight is part=2/8", text)
		}
	}
	if text := q.Get("most"); text != "" {
		if most, err = strconv.Atoi(text); err != nil || most < 1 {
			return p, 0, tocsin.Errorf(tocsin.Invalid, "most is a number of lines, not %q", text)
		}
	}
	return p, most, nil
}

// fits refuses a list that is longer than its reader takes: firewalls cut such a
// list without a word.
func fits(l List, format string, part Part, most int) error {
	var n lineCount
	if err := l.Write(&n, format, part); err != nil {
		return err
	}
	if int(n) <= most {
		return nil
	}
	parts := max(1, part.Of) * (int(n)/most + 1)
	parts += parts/10 + 1 // they are not quite equal
	return tocsin.Errorf(tocsin.Conflict, "the list has %d lines and may have %d: fetch it in parts, part=1/%[3]d to part=%[3]d/%[3]d", int(n), most, parts)
}

type lineCount int

func (n *lineCount) Write(p []byte) (int, error) {
	*n += lineCount(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}

// listFor returns the list of an audience: the organisation, not the person, so
// a site administrator gets what resolvers of theirs get and not everything; or
// with ?subscriber=NAME one of the organisation's own subscribers.
func (a *API) listFor(r *http.Request, c *tocsin.Collection, v access.Viewer) (List, error) {
	name := r.URL.Query().Get("subscriber")
	if name == "" {
		return a.Lists.List(c, a.organisation(v.Name(), v.Org()).Under(v.Ceiling()))
	}
	s, err := find[*tocsin.Subscriber](a.db.As(v), name)
	if err != nil || s.Org != v.Org() || !s.Receives(c.ID) {
		return nil, tocsin.Errorf(tocsin.NotFound, "your organisation has no subscriber %q of %s", name, c.Name)
	}
	if v.Ceiling() != access.Unmarked {
		return nil, errCeiling(v)
	}
	return a.Lists.Received(c, s)
}

func errCeiling(v access.Viewer) error {
	return tocsin.Errorf(tocsin.Forbidden, "the key that you use is shown no more than %s; what a subscriber receives takes a key without a ceiling", v.Ceiling())
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
