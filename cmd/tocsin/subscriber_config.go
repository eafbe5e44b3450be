package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// subscriberConfig prints configuration for a resolver.
type subscriberConfig struct {
	server
	Name    string `arg:"" help:"The subscriber."`
	For     string `required:"" enum:"${resolvers}" placeholder:"RESOLVER" help:"One of: ${enum}. BIND wants lines in two places: bind-options inside its options, bind beside them."`
	Trial   bool   `help:"Log what would be stopped, and stop nothing."`
	TLS     bool   `name:"tls" help:"Transfer over TLS (BIND, Unbound, NSD)."`
	NewFeed bool   `help:"For resolvers that fetch files: make a new secret address; one that the subscriber had ends."`
	Feed    string `env:"TOCSIN_FEED_SECRET" placeholder:"SECRET" help:"The same, with the secret that tocsin subscriber feed showed."`
}

func (subscriberConfig) Help() string {
	return `The lines may hold a secret: keep them where only the resolver can read them.

Examples:
  tocsin subscriber config resolver-1 --for unbound > /etc/unbound/unbound.conf.d/tocsin.conf
  tocsin subscriber config resolver-2 --for bind --trial > /etc/bind/tocsin.conf
  tocsin subscriber config resolver-3 --for knot-resolver --new-feed`
}

func (s *subscriberConfig) Run(ctx context.Context, c *console) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	if s.NewFeed {
		if s.Feed, err = api.newFeed(ctx, s.Name); err != nil {
			return err
		}
	}
	query := url.Values{"for": {s.For}}
	if s.Trial {
		query.Set("trial", "1")
	}
	if s.TLS {
		query.Set("tls", "1")
	}
	resp, err := api.send(ctx, request{method: http.MethodGet, path: path("api", "subscribers", s.Name, "config"), query: query})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	text := string(b)
	if strings.Contains(text, hiddenSecret) && s.Feed == "" {
		return misuse("tocsin subscriber config --help",
			"the secret in the address of %s's files was shown once and is not kept: put it into TOCSIN_FEED_SECRET, or make a new one with --new-feed", s.Name)
	}
	return c.print("%s", strings.TrimSuffix(strings.ReplaceAll(text, hiddenSecret, s.Feed), "\n"))
}

// subscriberFeed makes a secret address for files.
type subscriberFeed struct {
	server
	Name   string `arg:"" help:"The subscriber."`
	Revoke bool   `help:"Make none: only end the one that it has."`
	JSON   bool   `help:"Answer as one JSON object."`
}

func (subscriberFeed) Help() string {
	return `Whoever knows the address gets the subscriber's zones as files, from where the subscriber is allowed
to ask. The secret in it is shown once; only its hash is kept.

Examples:
  tocsin subscriber feed resolver-3
  tocsin subscriber feed resolver-3 --revoke`
}

func (s *subscriberFeed) Run(ctx context.Context, c *console) error {
	api, err := s.client()
	if err != nil {
		return err
	}
	if s.Revoke {
		return api.call(ctx, http.MethodPatch, path("api", "subscribers", s.Name), nil, map[string]any{"feed": ""}, nil)
	}
	secret, err := api.newFeed(ctx, s.Name)
	if err != nil {
		return err
	}
	if s.JSON {
		return c.json(map[string]string{"feed_secret": secret})
	}
	c.say("This secret is shown once. For the configuration:\n  TOCSIN_FEED_SECRET=… tocsin subscriber config %s --for knot-resolver", s.Name)
	return c.print("%s", secret)
}

// newFeed makes a new secret address for a subscriber's files.
func (c *client) newFeed(ctx context.Context, subscriber string) (string, error) {
	var made struct {
		Secret string `json:"feed_secret"`
	}
	err := c.call(ctx, http.MethodPatch, path("api", "subscribers", subscriber), nil, map[string]any{"feed": "new"}, &made)
	return made.Secret, err
}

// pins returns hashes of certificates, of files those of their public keys: a
// certificate that is renewed for the same key has the same.
func pins(given []string) ([]string, error) {
	hashes := []string{}
	for _, text := range given {
		b, err := os.ReadFile(text)
		if os.IsNotExist(err) {
			hashes = append(hashes, text)
			continue
		}
		if err != nil {
			return nil, err
		}
		block, _ := pem.Decode(b)
		if block == nil || block.Type != "CERTIFICATE" {
			return nil, misuse("tocsin subscriber add --help", "%s does not begin with a certificate in PEM", text)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, misuse("tocsin subscriber add --help", "%s: %w", text, err)
		}
		sum := sha256.Sum256(cert.RawSubjectPublicKeyInfo)
		hashes = append(hashes, hex.EncodeToString(sum[:]))
	}
	return hashes, nil
}
