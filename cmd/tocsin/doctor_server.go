package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tocsin"
)

// maxSkew is how far two clocks may be apart before it matters: TSIG refuses
// what is signed five minutes off (RFC 8945, section 10).
const maxSkew = 2 * time.Minute

// slow is how far behind a follower may be without a word, in lines.
const slow = 10_000

// running looks at the running exchange, and reports whether there is one.
func (d *doctorCmd) running(ctx context.Context, r *doctor) (serves bool) {
	u, err := url.Parse(d.URL)
	if err != nil || u.Host == "" {
		r.report("server", ill("give its address with --url or TOCSIN_URL", "%q is no address", d.URL))
		return false
	}
	api := &client{base: strings.TrimRight(d.URL, "/"), key: d.Key, http: newHTTP()}
	var ready struct {
		NotReady []string `json:"not_ready"`
	}
	skew, err := api.ready(ctx, &ready)
	if err != nil {
		r.report("server", ill("start it: tocsin serve --data DIR", "%s", err))
		return false
	}
	if len(ready.NotReady) > 0 {
		r.report("server", ill("wait a moment; if it stays so, its log says why", "%s answers, but: %s", d.URL, strings.Join(ready.NotReady, "; ")).
			because("until then it may answer that names are unknown which are not"))
	} else {
		r.report("server", well("%s answers and is ready", d.URL))
	}
	r.report("clock", apart(skew))
	if d.Key == "" {
		r.report("key", ill("put an API key into TOCSIN_KEY", "nothing more can be asked without one"))
		return true
	}
	d.inside(ctx, r, api)
	return true
}

func apart(skew time.Duration) finding {
	if skew.Abs() > maxSkew {
		return ill("have both machines keep time (chrony, systemd-timesyncd)", "this machine and the server are %s apart", skew.Abs().Round(time.Second)).
			because("TSIG fails when two clocks are five minutes apart (RFC 8945)")
	}
	return well("this machine and the server agree")
}

// ready asks how the server is, and how far its clock is from ours.
func (c *client) ready(ctx context.Context, out any) (skew time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, c.unreached(err)
	}
	defer resp.Body.Close()
	if at, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		skew = time.Since(at)
	}
	return skew, c.read(resp.Body, out)
}

// serverStatus is what the exchange says of itself.
type serverStatus struct {
	Version   string
	Who       string
	Head      int64
	Followers []struct {
		Name string
		Lag  int64
	}
	Collections []struct {
		Name        string
		Zone        string
		Subscribers []struct {
			Name              string
			Serial, Confirmed int64
		}
	}
}

// inside looks at what takes a key to see.
func (d *doctorCmd) inside(ctx context.Context, r *doctor, api *client) {
	var s serverStatus
	if err := api.call(ctx, http.MethodGet, "/api/status", nil, nil, &s); err != nil {
		r.report("key", ill("make another: tocsin key add", "%s", err))
		return
	}
	r.report("key", well("it is %s's", s.Who))
	r.report("version", sameVersion(s.Version, version()))
	for _, f := range s.Followers {
		if f.Lag > slow {
			r.report(f.Name, ill("wait; if it does not shrink, the server's log says why", "%s behind", plural(f.Lag, "line")).
				because("lookups and zones do not hold what was shared last"))
		} else {
			r.report(f.Name, well("has kept up with the log"))
		}
	}
	if d.own(ctx, r, api) {
		return
	}
	for _, c := range s.Collections {
		for _, sub := range c.Subscribers {
			r.report(sub.Name, confirmation(c.Name, sub.Serial, sub.Confirmed))
		}
	}
}

// own reports what the server finds by itself, and whether we may know.
func (d *doctorCmd) own(ctx context.Context, r *doctor, api *client) bool {
	resp, err := api.send(ctx, request{method: http.MethodGet, path: "/api/findings"})
	switch {
	case tocsin.CodeOf(err) == tocsin.Forbidden:
		r.report("key", note("use a site administrator's", "with this key the server does not say how it is itself"))
		return false
	case tocsin.CodeOf(err) == tocsin.NotFound:
		return false // an earlier version
	case err != nil:
		r.report("server", ill("its log says why", "%s", err))
		return false
	}
	defer resp.Body.Close()
	for all := json.NewDecoder(resp.Body); all.More(); {
		var f finding
		if err := all.Decode(&f); err != nil {
			r.report("server", ill("its log says why", "its findings broke off: %s", err))
			return false
		}
		r.report("server", f)
	}
	return true
}

func sameVersion(theirs, ours string) finding {
	if theirs != ours {
		return ill("use the same program for both; after an upgrade: systemctl restart tocsin", "the server is %s, this is %s", theirs, ours).
			because("what one says the other may not understand")
	}
	return well("%s", ours)
}

// confirmation says whether a subscriber holds what it should, by what anyone
// may know who may know of it.
func confirmation(collection string, serial, confirmed int64) finding {
	switch {
	case confirmed == 0:
		return well("has not asked for %s since the server started", collection)
	case confirmed < serial:
		return ill("see whether it can reach the DNS port, and whether it is told of changes (--notify)",
			"holds serial %d of %s, which is at %d", confirmed, collection, serial)
	}
	return well("holds %s as it is", collection)
}
