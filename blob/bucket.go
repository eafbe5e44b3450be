package blob

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tocsin"
)

// A Bucket keeps blobs in a store that speaks S3's protocol, each as an object named
// by its sum behind a prefix. Requests are signed with Signature Version 4, and the
// bucket is named in the path, which every such store understands.
type Bucket struct {
	URL    string // of the bucket: https://s3.example.org/tocsin/blobs, the rest of the path is the prefix
	Region string // "us-east-1" if empty
	Key    string // the access key's id
	Secret tocsin.Secret
	Client *http.Client     // http.DefaultClient if nil
	Now    func() time.Time // time.Now if nil
}

var _ Place = (*Bucket)(nil)

// Check says what is wrong with the bucket's address, before it is asked.
func (b *Bucket) Check() error {
	u, err := url.Parse(b.URL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") == "" || u.RawQuery != "" || u.User != nil {
		return tocsin.Errorf(tocsin.Invalid, "%q is no bucket: it is its URL, such as https://s3.example.org/tocsin", b.URL)
	}
	if b.Key == "" || len(b.Secret.Clear()) == 0 {
		return tocsin.Errorf(tocsin.Invalid, "a bucket needs the id of an access key and its secret")
	}
	return nil
}

func (b *Bucket) Put(ctx context.Context, content []byte) (Sum, error) {
	s := SumOf(content)
	_, err := b.ask(ctx, http.MethodPut, s.String(), nil, content)
	return s, err
}

func (b *Bucket) Get(ctx context.Context, s Sum) ([]byte, error) {
	content, err := b.ask(ctx, http.MethodGet, s.String(), nil, nil)
	if tocsin.CodeOf(err) == tocsin.NotFound {
		return nil, missing(s)
	}
	if err != nil {
		return nil, err
	}
	return whole(s, content)
}

func (b *Bucket) Remove(ctx context.Context, s Sum, before time.Time) error {
	for info, err := range b.list(ctx, s.String()) {
		if err != nil {
			return err
		}
		if !info.Put.Before(before) {
			return nil
		}
		_, err = b.ask(ctx, http.MethodDelete, s.String(), nil, nil)
		return err
	}
	return nil
}

func (b *Bucket) All(ctx context.Context) iter.Seq2[Info, error] { return b.list(ctx, "") }

// list iterates over the objects whose names begin with name (ListObjectsV2).
func (b *Bucket) list(ctx context.Context, name string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		_, prefix := b.where()
		for next := ""; ; {
			q := url.Values{"list-type": {"2"}, "prefix": {prefix + name}}
			if next != "" {
				q.Set("continuation-token", next)
			}
			var page struct {
				Contents []struct {
					Key          string
					Size         int64
					LastModified time.Time
				}
				NextContinuationToken string
			}
			text, err := b.ask(ctx, http.MethodGet, "", q, nil)
			if err == nil {
				err = xml.Unmarshal(text, &page)
			}
			if err != nil {
				yield(Info{}, err)
				return
			}
			for _, o := range page.Contents {
				s, err := ParseSum(strings.TrimPrefix(o.Key, prefix))
				if err == nil && !yield(Info{s, o.Size, o.LastModified}, nil) {
					return
				}
			}
			if next = page.NextContinuationToken; next == "" {
				return
			}
		}
	}
}

// where are the bucket's own path and the prefix of names in it.
func (b *Bucket) where() (path, prefix string) {
	u, _ := url.Parse(b.URL)
	bucket, rest, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if rest != "" {
		rest += "/"
	}
	return "/" + bucket, rest
}

// maxAnswer is the longest answer that is read: an object, or a page of a list.
const maxAnswer = 2 * tocsin.MostAttachment

// ask sends one request about the object of that name, or about the bucket if it is
// empty, and returns the answer's body.
func (b *Bucket) ask(ctx context.Context, method, name string, q url.Values, body []byte) ([]byte, error) {
	u, err := url.Parse(b.URL)
	if err != nil {
		return nil, err
	}
	path, prefix := b.where()
	if u.Path = path; name != "" {
		u.Path += "/" + prefix + name
	}
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	b.sign(r, body)
	client := b.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the bucket: %w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read from the bucket: %w", err)
	case resp.StatusCode == http.StatusNotFound && name != "":
		return nil, tocsin.Errorf(tocsin.NotFound, "the bucket has no %s", name)
	case resp.StatusCode/100 != 2:
		return nil, fmt.Errorf("the bucket answers %s to %s: %.300s", resp.Status, method, text)
	case len(text) > maxAnswer:
		return nil, fmt.Errorf("the bucket's answer is longer than %d octets", maxAnswer)
	}
	return text, nil
}

// sign signs a request (AWS Signature Version 4, header form).
func (b *Bucket) sign(r *http.Request, body []byte) {
	now := time.Now
	if b.Now != nil {
		now = b.Now
	}
	region := b.Region
	if region == "" {
		region = "us-east-1"
	}
	at := now().UTC()
	stamp, day := at.Format("20060102T150405Z"), at.Format("20060102")
	r.Header.Set("X-Amz-Date", stamp)
	r.Header.Set("X-Amz-Content-Sha256", SumOf(body).String())
	names := []string{"host", "x-amz-content-sha256", "x-amz-date"}
	signed := strings.Join(names, ";")
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), canonicalQuery(r.URL),
		"host:" + r.URL.Host, "x-amz-content-sha256:" + r.Header.Get("X-Amz-Content-Sha256"), "x-amz-date:" + stamp, "", signed, r.Header.Get("X-Amz-Content-Sha256")}, "\n")
	scope := day + "/" + region + "/s3/aws4_request"
	text := "AWS4-HMAC-SHA256\n" + stamp + "\n" + scope + "\n" + SumOf([]byte(canonical)).String()
	key := append([]byte("AWS4"), b.Secret.Clear()...)
	for _, part := range []string{day, region, "s3", "aws4_request"} {
		key = mac(key, part)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s", b.Key, scope, signed, hex.EncodeToString(mac(key, text))))
}

// canonicalQuery is a query in order of its names, as [url.Values.Encode] has it, with
// spaces as the signature wants them.
func canonicalQuery(u *url.URL) string {
	parts := strings.Split(u.RawQuery, "&")
	slices.Sort(parts)
	return strings.Join(parts, "&")
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
