package httpd

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// ErrAnonymous is what someone gets who has not said who they are. The portal's
// renderer sends them to sign in.
var ErrAnonymous = tocsin.Errorf(tocsin.Forbidden, "say who is asking: an API key goes into the Authorization header")

// errUnknown is the same for a wrong key, an expired one, one used from
// elsewhere, and a user who is disabled: none of them is told which.
var errUnknown = tocsin.Errorf(tocsin.Forbidden, "this API key is not valid here")

// An identity is who a request comes from.
type identity struct {
	viewer   access.Viewer
	readOnly bool
}

// identify finds out who asks: by the API key if there is one, else by session.
func (s *Server) identify(r *http.Request) (identity, error) {
	if key, ok := keyOf(r); ok {
		return s.byKey(r, key)
	}
	u, err := s.sessionUser(r)
	if err != nil {
		return identity{}, err
	}
	if err := s.sameOrigin(r); err != nil {
		return identity{}, err
	}
	return identity{viewer: s.db.ViewerFor(u)}, nil
}

// Who says who sent a request to a public route, which may be nobody: then the
// error is [ErrAnonymous].
func (s *Server) Who(r *http.Request) (access.Viewer, error) {
	id, err := s.identify(r)
	return id.viewer, err
}

// keyOf reads the API key off a request: bare, as MISP clients send it, as a
// bearer token (RFC 6750), or as the password of basic authentication, which is
// all that firewalls can send for a list.
func keyOf(r *http.Request) (string, bool) {
	h := strings.TrimSpace(r.Header.Get("Authorization"))
	if h == "" {
		return "", false
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password, true
	}
	if scheme, token, ok := strings.Cut(h, " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token), true
	}
	return h, true
}

// byKey asks for the hash of the key, never for the key: how long the search
// takes tells nothing of the keys there are.
func (s *Server) byKey(r *http.Request, clear string) (identity, error) {
	from := s.Address(r)
	k, u, ok := s.owner(HashKey(clear), from)
	if !ok {
		return identity{}, s.doorman.wrong(errUnknown, addressName(from))
	}
	v := s.db.ViewerFor(u)
	if !v.May(access.Auth) {
		return identity{}, tocsin.Errorf(tocsin.Forbidden, "your role does not let you use API keys")
	}
	if v = v.Under(k.Ceiling); k.ReadOnly {
		v = v.ReadOnly()
	}
	return identity{v, k.ReadOnly}, nil
}

// owner returns the key with that hash and its user, if both are in force for
// someone at that address.
func (s *Server) owner(hash string, from netip.Addr) (*tocsin.Key, *tocsin.User, bool) {
	// There is no viewer yet. The one who asks later is who the key belongs to.
	all := s.db.As(access.System("httpd: a key is proof of who asks"))
	k, err := store.ByName[*tocsin.Key](all, hash)
	if err != nil || k.Ended(s.now()) {
		return nil, nil, false
	}
	if len(k.Allow) > 0 && !slices.ContainsFunc(k.Allow, func(p netip.Prefix) bool { return p.Contains(from) }) {
		return nil, nil, false
	}
	u, err := store.One[*tocsin.User](all, k.User)
	return k, u, err == nil && !u.Ended(s.now())
}

// sameOrigin refuses what another site made a browser send (cross-site request
// forgery). A request with a key needs no such care: browsers don't add keys.
func (s *Server) sameOrigin(r *http.Request) error {
	if r.Header.Get("Authorization") != "" {
		return nil
	}
	if err := s.origin.Check(r); err != nil {
		return tocsin.Errorf(tocsin.Forbidden, "this request came from another site: %w", err)
	}
	return nil
}

// Address is where a request comes from. Behind a proxy that we trust it is the
// last address that the proxies did not add themselves.
func (s *Server) Address(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	from := peer.Addr().Unmap().WithZone("")
	if !s.trusts(from) {
		return from
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		a, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return from
		}
		from = a.Unmap().WithZone("")
		if !s.trusts(from) {
			return from
		}
	}
	return from
}

func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}

// overTLS reports whether the browser's own connection is encrypted.
func (s *Server) overTLS(r *http.Request) bool {
	if r.TLS != nil || s.secure {
		return true
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	return s.trusts(peer.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https"
}
