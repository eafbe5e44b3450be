package main

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/blob"
	"tocsin/store"
)

// blobsDir is the folder of attachments in an exchange's folder.
const blobsDir = "blobs"

// blobsFolder is where attachments are kept if that is a folder.
func (c config) blobsFolder() string { return cmp.Or(c.Blobs, filepath.Join(c.Data, blobsDir)) }

// inBucket reports whether attachments are kept in a bucket.
func (c config) inBucket() bool {
	u, err := url.Parse(c.Blobs)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http")
}

// place is where attachments are kept.
func (c config) place() (blob.Place, error) {
	if !c.inBucket() {
		return blob.NewFolder(c.blobsFolder()), nil
	}
	b := &blob.Bucket{URL: c.Blobs, Region: os.Getenv("TOCSIN_BLOBS_REGION"), Key: os.Getenv("TOCSIN_BLOBS_KEY"),
		Secret: tocsin.NewSecret([]byte(os.Getenv("TOCSIN_BLOBS_SECRET")))}
	return b, b.Check()
}

// sweepEvery is how often attachments that nothing holds any more are removed.
const sweepEvery = 10 * time.Minute

// sweep removes content that nothing holds any more, now and then. Several nodes may
// do it: what is gone is gone.
func (x *exchange) sweep(ctx context.Context) error {
	all := x.DB.As(access.System("what content is still held; nobody is shown what is read"))
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(sweepEvery):
		}
		n, err := blob.Sweep(ctx, x.blobs, blob.Grace, func(s blob.Sum) (bool, error) { return store.Attached(ctx, all, s.String()) })
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			x.log.Warn("attachments that nothing holds were not removed", "err", err)
		case n > 0:
			x.log.Info("attachments that nothing holds were removed", "count", n)
		}
	}
}
