package api

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

type collectionShape struct {
	// read only
	ID      int64     `json:"id"`
	OrgName string    `json:"org_name"`
	Tag     string    `json:"tag"` // what puts a claim into it
	Created time.Time `json:"created"`

	Name    string `json:"name"`
	Org     ref    `json:"org"` // the owner: the viewer's, if not said
	Zone    string `json:"zone"`
	HotZone string `json:"hot_zone"`
	IPZone  string `json:"ip_zone"` // of addresses in answers
	NSZone  string `json:"ns_zone"` // of name servers
	Action  string `json:"action"`  // nxdomain, if not said
	Pass    bool   `json:"pass"`    // an allow list
	Filter  string `json:"filter"`
	Sources []ref  `json:"sources"` // whose word is enough to block
}

func (a *API) collections() kind[*tocsin.Collection, collectionShape] {
	return kind[*tocsin.Collection, collectionShape]{
		db: a.db, list: store.View.Collections, follower: "collection",
		show: func(w store.View, c *tocsin.Collection) collectionShape {
			out := collectionShape{ID: c.ID, OrgName: orgName(w, c.Org), Tag: c.Tag(), Created: c.Created, Name: c.Name, Org: ref{id: c.Org},
				Zone: c.Zone, HotZone: c.HotZone, IPZone: c.IPZone, NSZone: c.NSZone, Action: string(c.Action), Pass: c.Pass, Filter: c.Filter, Sources: []ref{}}
			for _, id := range c.Sources {
				out.Sources = append(out.Sources, ref{id: id})
			}
			return out
		},
		set: a.setCollection,
	}
}

func (a *API) setCollection(tx *store.Tx, old *tocsin.Collection, in *collectionShape) (*tocsin.Collection, once, error) {
	org, err := settle[*tocsin.Organisation](tx, in.Org)
	if err != nil {
		return nil, nil, err
	}
	c := &tocsin.Collection{Name: strings.TrimSpace(in.Name), Org: own(org, tx.Viewer()), Zone: in.Zone, HotZone: in.HotZone,
		IPZone: in.IPZone, NSZone: in.NSZone, Action: tocsin.Action(in.Action), Pass: in.Pass, Filter: in.Filter, Created: tx.Now(), Sources: []int64{}}
	if old != nil {
		c.ID, c.Created = old.ID, old.Created
		if in.Org == (ref{}) {
			c.Org = old.Org
		}
	}
	for _, s := range in.Sources {
		id, err := settle[*tocsin.Organisation](tx, s)
		switch {
		case err != nil:
			return nil, nil, err
		case id == 0:
			return nil, nil, tocsin.Errorf(tocsin.Invalid, "a source is an organisation's id or name")
		}
		c.Sources = append(c.Sources, id)
	}
	if strings.ContainsAny(c.Name, `/."`) {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "a collection's name has no slash, dot or quotation mark: it is part of addresses and of a tag")
	}
	if a.CheckCollection != nil {
		err = a.CheckCollection(c)
	}
	return c, once{}, err
}

type subscriberShape struct {
	// read only
	ID             int64     `json:"id"`
	CollectionName string    `json:"collection_name"`
	OrgName        string    `json:"org_name"`
	Created        time.Time `json:"created"`

	Name       string           `json:"name"`
	Collection ref              `json:"collection"`
	Also       []ref            `json:"also"`    // more collections that it receives, as an allow list
	Org        ref              `json:"org"`     // for whom it asks: the viewer's, if not said
	Action     string           `json:"action"`  // its own; that of each collection, if not said
	Exclude    []string         `json:"exclude"` // domains and networks that it does not act on
	Allow      []netip.Prefix   `json:"allow"`
	Notify     []netip.AddrPort `json:"notify"`
	TSIG       *tsigShape       `json:"tsig"`

	// Certificates are SHA-256 in hex, of a certificate or its public key.
	Certificates []string `json:"certificates"`

	// Feed says whether it has a secret address for zone files: "kept" or "". In a
	// request, "new" makes one, in place of one that it had, and "" takes it away.
	Feed string `json:"feed"`
}

// A tsigShape is a TSIG key without its secret. In a request, true asks for a new
// one, null for none; sending back what was shown keeps the old one.
type tsigShape struct {
	Name      string `json:"name"`
	Algorithm string `json:"algorithm"`
	fresh     bool
}

// maxNotify is to how many places one subscriber has a NOTIFY sent. Each costs a
// socket until it answers, and may be a stranger's.
const maxNotify = 16

const tsigAlgorithm = "hmac-sha256"

// tsigSecrets are the algorithms, and the length of a secret for each: that of
// its hash (RFC 2104, section 3).
var tsigSecrets = map[string]int{"hmac-sha256": 32, "hmac-sha384": 48, "hmac-sha512": 64}

// maxCertificates is how many certificates a subscriber may show: its servers',
// and those that are to come after them.
const maxCertificates = 16

func (t *tsigShape) UnmarshalJSON(b []byte) error {
	if on, err := strconv.ParseBool(string(b)); err == nil {
		if !on {
			return tocsin.Errorf(tocsin.Invalid, `"tsig" is true for a new key, or null for none`)
		}
		t.fresh = true
		return nil
	}
	type plain tsigShape
	return decode(b, (*plain)(t))
}

func (a *API) subscribers() kind[*tocsin.Subscriber, subscriberShape] {
	return kind[*tocsin.Subscriber, subscriberShape]{
		db: a.db, list: store.View.Subscribers, show: showSubscriber, set: setSubscriber,
	}
}

func showSubscriber(w store.View, s *tocsin.Subscriber) subscriberShape {
	out := subscriberShape{ID: s.ID, OrgName: orgName(w, s.Org), Created: s.Created, Name: s.Name, Collection: ref{id: s.Collection},
		Org: ref{id: s.Org}, Also: []ref{}, Action: string(s.Action), Exclude: list(s.Exclude), Allow: list(s.Allow), Notify: list(s.Notify)}
	for _, id := range s.Also {
		out.Also = append(out.Also, ref{id: id})
	}
	if c, err := store.One[*tocsin.Collection](w, s.Collection); err == nil {
		out.CollectionName = c.Name
	}
	out.Certificates = append([]string{}, s.Certificates...)
	if s.Feed != "" {
		out.Feed = feedKept
	}
	if s.TSIG != nil {
		out.TSIG = &tsigShape{Name: s.TSIG.Name, Algorithm: s.TSIG.Algorithm}
	}
	return out
}

func setSubscriber(tx *store.Tx, old *tocsin.Subscriber, in *subscriberShape) (*tocsin.Subscriber, once, error) {
	org, err := settle[*tocsin.Organisation](tx, in.Org)
	if err != nil {
		return nil, nil, err
	}
	collection, err := settle[*tocsin.Collection](tx, in.Collection)
	if err != nil {
		return nil, nil, err
	}
	s := &tocsin.Subscriber{Name: strings.TrimSpace(in.Name), Collection: collection, Org: own(org, tx.Viewer()),
		Action: tocsin.Action(in.Action), Exclude: in.Exclude, Allow: unmapped(in.Allow), Notify: in.Notify, Created: tx.Now()}
	for _, also := range in.Also {
		id, err := settle[*tocsin.Collection](tx, also)
		switch {
		case err != nil:
			return nil, nil, err
		case id == 0:
			return nil, nil, tocsin.Errorf(tocsin.Invalid, "what a subscriber also receives is a collection's id or name")
		}
		s.Also = append(s.Also, id)
	}
	var had *tocsin.TSIG
	var feed string
	if old != nil {
		s.ID, s.Created, had, feed = old.ID, old.Created, old.TSIG, old.Feed
		if in.Org == (ref{}) {
			s.Org = old.Org
		}
		if s.Collection == 0 {
			s.Collection = old.Collection
		}
	}
	if s.Collection == 0 {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "a subscriber needs a collection")
	}
	if len(s.Notify) > maxNotify {
		return nil, nil, tocsin.Errorf(tocsin.Invalid, "a subscriber has at most %d places to notify, not %d", maxNotify, len(s.Notify))
	}
	if s.Certificates, err = pins(in.Certificates); err != nil {
		return nil, nil, err
	}
	shown := once{}
	if s.Feed, err = settleFeed(in.Feed, feed, shown); err != nil {
		return nil, nil, err
	}
	if s.TSIG, err = in.TSIG.settle(s.Name, had); err == nil && s.TSIG != nil && s.TSIG != had {
		shown["tsig"] = map[string]any{"name": s.TSIG.Name, "algorithm": s.TSIG.Algorithm, "secret": s.TSIG.Secret.Clear()}
	}
	return s, shown, err
}

// settle returns the key that a request asks for.
func (t *tsigShape) settle(name string, had *tocsin.TSIG) (*tocsin.TSIG, error) {
	if t == nil {
		return nil, nil
	}
	if !t.fresh && had != nil && t.Name == had.Name && t.Algorithm == had.Algorithm {
		return had, nil
	}
	k := &tocsin.TSIG{Name: t.Name, Algorithm: t.Algorithm}
	if k.Name == "" {
		k.Name = strings.ReplaceAll(strings.ToLower(name), " ", "-")
	}
	k.Algorithm = cmp.Or(k.Algorithm, tsigAlgorithm)
	size, ok := tsigSecrets[k.Algorithm]
	if !ok {
		return nil, tocsin.Errorf(tocsin.Invalid, "no algorithm %q; try one of %v", k.Algorithm, slices.Sorted(maps.Keys(tsigSecrets)))
	}
	secret := make([]byte, size)
	rand.Read(secret)
	k.Secret = tocsin.NewSecret(secret)
	return k, nil
}

// unmapped returns networks with those of IPv4 that are written in IPv6
// (::ffff:192.0.2.0/120) as what they are, since that is how questions come.
func unmapped(nets []netip.Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(nets))
	for i, n := range nets {
		if a := n.Addr(); a.Is4In6() && n.Bits() >= 96 {
			n = netip.PrefixFrom(a.Unmap(), n.Bits()-96)
		}
		out[i] = n
	}
	return out
}

// pins reads hashes of certificates, as openssl and others write them.
func pins(in []string) (out []string, err error) {
	if len(in) > maxCertificates {
		return nil, tocsin.Errorf(tocsin.Invalid, "a subscriber shows one of at most %d certificates, not %d", maxCertificates, len(in))
	}
	for _, text := range in {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), ":", ""))
		if err != nil || len(b) != sha256.Size {
			return nil, tocsin.Errorf(tocsin.Invalid, "%q is no SHA-256 of a certificate: 64 hex digits, with or without colons", text)
		}
		out = append(out, hex.EncodeToString(b))
	}
	return out, nil
}

// settleFeed returns what is kept of the secret that a request asks for. The
// secret is drawn from 130 bits, so a plain hash is as good as a slow one.
func settleFeed(asked, had string, shown once) (string, error) {
	switch asked {
	case "":
		return "", nil
	case feedKept:
		return had, nil
	case "new":
		secret := rand.Text()
		shown["feed_secret"] = secret
		return HashFeed(secret), nil
	}
	return "", tocsin.Errorf(tocsin.Invalid, `"feed" is "new" for a new secret address, %q, or "" for none`, feedKept)
}

const feedKept = "kept"

// merge returns shape with what is shown once, as one JSON object.
func merge(shape any, shown once) (map[string]any, error) {
	b, err := json.Marshal(shape)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&out); err != nil {
		return nil, err
	}
	maps.Copy(out, shown)
	return out, nil
}

// subscriberConfig writes what a subscriber adds to a resolver's configuration.
// The secret is in it, so it is for those who administer the organisation that
// asks, or the collection.
func (a *API) subscriberConfig(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
	if err := known(r, "for", "trial", "tls"); err != nil {
		return err
	}
	ask := ConfigFor{Resolver: r.URL.Query().Get("for")}
	for name, to := range map[string]*bool{"trial": &ask.Trial, "tls": &ask.TLS} {
		switch said, err := yesNo(r, name); {
		case err != nil:
			return err
		case said != nil:
			*to = *said
		}
	}
	view := a.db.As(v)
	s, err := find[*tocsin.Subscriber](view, r.PathValue("name"))
	if err != nil {
		return err
	}
	if !v.May(access.OrgAdmin) {
		return tocsin.Errorf(tocsin.Forbidden, "the configuration holds a secret: it is for administrators of your organisation")
	}
	if v.Ceiling() != access.Unmarked { // the secret opens all that the subscriber receives
		return errCeiling(v)
	}
	c, err := store.One[*tocsin.Collection](view, s.Collection)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := a.Config(&text, ask, s, c); err != nil {
		return tocsin.Errorf(tocsin.Invalid, "%w", err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(text.Bytes())
	return err
}
