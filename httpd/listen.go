package httpd

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// farewell is for how long requests under way may go on when we shut down.
const farewell = 10 * time.Second

// Serve answers connections of ln until ctx ends, then lets requests under way
// finish. With a certificate it speaks TLS, and HTTP/2 to those who can.
func (s *Server) Serve(ctx context.Context, ln net.Listener, cert *Certificate) error {
	srv := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug), // of strangers' broken handshakes
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 250},
	}
	ended := make(chan error, 1)
	go func() {
		if cert == nil {
			ended <- srv.Serve(ln)
			return
		}
		srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: cert.Get}
		ended <- srv.ServeTLS(ln, "", "")
	}()
	select {
	case err := <-ended:
		return fmt.Errorf("serve HTTP on %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		srv.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
