package httpd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"tocsin/access"
	"tocsin/store"
)

// maxLag is how many lines a follower may be behind while we still call
// ourselves ready: what a second of a large import leaves.
const maxLag = 10_000

// health remembers the last answer for a moment, since anyone may ask and
// asking costs a write.
type health struct {
	mu     sync.Mutex
	at     time.Time
	faults []string
	checks []check
}

type check struct {
	name string
	test func(context.Context) error
}

// Ready adds a condition of /readyz: test says in words what is missing. It is
// shown to anyone, so it names no record.
func (s *Server) Ready(name string, test func(context.Context) error) {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	s.health.checks = append(s.health.checks, check{name, test})
}

// healthz says that the process answers. Whether it should get work is [readyz]'s.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := w.Write([]byte("ok\n"))
	return err
}

func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	faults := s.faults(r.Context())
	w.Header().Set("Content-Type", "application/json")
	if len(faults) > 0 {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	return json.NewEncoder(w).Encode(map[string]any{"ready": len(faults) == 0, "not_ready": faults})
}

func (s *Server) faults(ctx context.Context) []string {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	if s.now().Sub(s.health.at) < time.Second {
		return s.health.faults
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	faults := []string{}
	if err := s.writable(ctx); err != nil {
		faults = append(faults, "the store takes no writes")
	}
	faults = append(faults, s.laggards()...)
	for _, c := range s.health.checks {
		if err := c.test(ctx); err != nil {
			faults = append(faults, fmt.Sprintf("%s: %s", c.name, err))
		}
	}
	s.health.at, s.health.faults = s.now(), faults
	return faults
}

// writable makes an empty write. Nobody asks later: there is nothing to see.
func (s *Server) writable(ctx context.Context) error {
	done := make(chan error, 1)
	go func() {
		_, err := s.db.Apply(ctx, access.System("httpd: is the store writable?"), func(*store.Tx) error { return nil })
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) laggards() (faults []string) {
	head, places := s.db.Head(), s.db.Places()
	for _, name := range slices.Sorted(maps.Keys(places)) {
		if lag := head - places[name]; lag > maxLag {
			faults = append(faults, fmt.Sprintf("%s is %d lines behind", name, lag))
		}
	}
	return faults
}
