package httpd

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// Sessions end when nobody uses them, and in any case within a working day.
const (
	sessionIdle = 2 * time.Hour
	sessionLife = 12 * time.Hour
	maxSessions = 100_000
)

// sessions are of people who signed in with a browser. They live in memory: a
// restart signs everybody out. Of a token only the hash is kept.
type sessions struct {
	mu   sync.Mutex
	now  func() time.Time
	held map[[sha256.Size]byte]*session
}

type session struct {
	user     int64
	password string // as it was kept then: a new one ends the session
	since    time.Time
	used     time.Time
}

func (ss *sessions) start(now func() time.Time) {
	ss.now, ss.held = now, map[[sha256.Size]byte]*session{}
}

func (s *session) ended(now time.Time) bool {
	return now.Sub(s.used) > sessionIdle || now.Sub(s.since) > sessionLife
}

// begin opens a session and returns its token.
func (ss *sessions) begin(u *tocsin.User) (string, error) {
	raw := make([]byte, 32)
	rand.Read(raw)
	token := base64.RawURLEncoding.EncodeToString(raw)
	ss.mu.Lock()
	defer ss.mu.Unlock()
	now := ss.now()
	if len(ss.held) >= maxSessions {
		for k, s := range ss.held {
			if s.ended(now) {
				delete(ss.held, k)
			}
		}
	}
	if len(ss.held) >= maxSessions {
		return "", tocsin.Errorf(tocsin.Busy, "too many people are signed in; try again later")
	}
	ss.held[sha256.Sum256([]byte(token))] = &session{u.ID, u.Password, now, now}
	return token, nil
}

// find returns the session of a token and marks it as used.
func (ss *sessions) find(token string) (session, bool) {
	key := sha256.Sum256([]byte(token))
	ss.mu.Lock()
	defer ss.mu.Unlock()
	s, now := ss.held[key], ss.now()
	switch {
	case s == nil:
		return session{}, false
	case s.ended(now):
		delete(ss.held, key)
		return session{}, false
	}
	s.used = now
	return *s, true
}

func (ss *sessions) end(token string) {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	delete(ss.held, sha256.Sum256([]byte(token)))
}

// errSignIn is the same for an unknown person, a wrong password and a disabled user.
var errSignIn = tocsin.Errorf(tocsin.Forbidden, "no user has this e-mail address and password")

// decoy is a password that nobody has: checking against it makes an unknown
// person take as long as a known one.
var decoy = sync.OnceValue(func() string { return HashPassword(NewPassword()) })

// SignIn opens a session for whoever knows the password, and sets its cookie.
func (s *Server) SignIn(w http.ResponseWriter, r *http.Request, email, password string) (access.Viewer, error) {
	email = strings.TrimSpace(email)
	from, person := addressName(s.Address(r)), personName(email)
	if !s.doorman.admits(from, person) {
		return access.Viewer{}, errSlow
	}
	// There is no viewer yet. The one who asks later is whose password it is.
	u, err := store.ByName[*tocsin.User](s.db.As(access.System("httpd: a password is proof of who asks")), email)
	hash := decoy()
	if err == nil && u.Password != "" {
		hash = u.Password
	}
	if !CheckPassword(hash, password) || err != nil || u.Ended(s.now()) {
		return access.Viewer{}, s.doorman.wrong(errSignIn, from, person)
	}
	token, err := s.sessions.begin(u)
	if err != nil {
		return access.Viewer{}, err
	}
	if old, err := r.Cookie(s.cookieName(r)); err == nil {
		s.sessions.end(old.Value)
	}
	s.setCookie(w, r, token, 0)
	return s.db.ViewerFor(u), nil
}

// SignOut ends the session of a request, if there is one.
func (s *Server) SignOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(s.cookieName(r)); err == nil {
		s.sessions.end(c.Value)
	}
	s.setCookie(w, r, "", -1)
}

// sessionUser returns who a request's cookie was given to.
func (s *Server) sessionUser(r *http.Request) (*tocsin.User, error) {
	c, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return nil, ErrAnonymous
	}
	held, ok := s.sessions.find(c.Value)
	if !ok {
		return nil, ErrAnonymous
	}
	// There is no viewer yet. The one who asks later is who the session belongs to.
	u, err := store.One[*tocsin.User](s.db.As(access.System("httpd: a session is proof of who asks")), held.user)
	if err != nil || u.Ended(s.now()) || u.Password != held.password {
		s.sessions.end(c.Value)
		return nil, ErrAnonymous
	}
	return u, nil
}

// cookieName binds the cookie to this very host where that is possible
// (RFC 6265bis, section 4.1.3.2).
func (s *Server) cookieName(r *http.Request) string {
	if s.overTLS(r) {
		return "__Host-tocsin"
	}
	return "tocsin"
}

func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, token string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(r), Value: token, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.overTLS(r),
	})
}
