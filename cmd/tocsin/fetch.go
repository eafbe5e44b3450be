package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// fetchCmd keeps a file as an exchange has it, for programs that read files:
// Knot Resolver, dnsmasq, whatever reads lists.
type fetchCmd struct {
	From    string        `arg:"" name:"url" help:"The file's address, or its name beneath TOCSIN_FEED."`
	File    string        `arg:"" type:"path" help:"Where to keep it."`
	Feed    string        `env:"TOCSIN_FEED" placeholder:"URL" help:"The secret address of a subscriber's files; other users of this machine can read it here, so better put it into the environment."`
	Key     string        `env:"TOCSIN_KEY" placeholder:"KEY" help:"API key, for addresses that are not secret; the same holds."`
	Timeout time.Duration `default:"5m" help:"How long it may take. If not said, ${default}."`
	Limit   int64         `default:"1024" placeholder:"MIB" help:"How large the file may be. If not said, ${default} MiB."`
}

func (fetchCmd) Help() string {
	return `The file is replaced in one go, when all of it has arrived; whatever goes wrong, the old one stays.
What has not changed is not sent again: FILE.etag remembers what the exchange calls the file.

Status: 0 there is a new file, 3 there is nothing new, 1 it did not work, 2 the command line makes no sense.

Examples:
  TOCSIN_FEED=https://exchange.example/feeds/… tocsin fetch rpz.example.rpz /var/lib/tocsin-fetch/rpz.example.rpz
  tocsin fetch https://exchange.example/collections/protect.txt protect.txt && systemctl reload squid`
}

// errNothingNew ends a fetch that left the file as it was, since it is right.
var errNothingNew = errors.New("nothing new")

func (f *fetchCmd) Run(ctx context.Context, _ *console) error {
	from, err := f.address()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, f.Timeout)
	defer cancel()
	resp, err := f.ask(ctx, from)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotModified:
		return errNothingNew
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s answers %s; the file is as it was", from.Host, resp.Status)
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return fmt.Errorf("%s answers with a page for people, as a proxy or a sign-in does; the file is as it was", from.Host)
	}
	return f.keep(resp)
}

// address is where the file is. It may be a secret, so errors name the host only.
func (f *fetchCmd) address() (*url.URL, error) {
	text := f.From
	if !strings.Contains(text, "://") && f.Feed != "" {
		text = strings.TrimRight(f.Feed, "/") + "/" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, misuse("tocsin fetch --help", "the address begins with http:// or https://, or is a name beneath the address in TOCSIN_FEED")
	}
	return u, nil
}

func (f *fetchCmd) ask(ctx context.Context, from *url.URL) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "tocsin/"+version())
	if f.Key != "" {
		req.Header.Set("Authorization", f.Key)
	}
	if tag, err := os.ReadFile(f.tagFile()); err == nil {
		if _, err := os.Stat(f.File); err == nil {
			req.Header.Set("If-None-Match", string(tag))
		}
	}
	resp, err := newHTTP().Do(req)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("fetch from %s: %w", from.Host, e.Err)
	}
	return resp, err
}

func (f *fetchCmd) tagFile() string { return f.File + ".etag" }

// keep puts what comes in the file's place, when it is there to the end.
func (f *fetchCmd) keep(resp *http.Response) error {
	tmp, err := os.CreateTemp(filepath.Dir(f.File), "."+filepath.Base(f.File)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // it is gone if all went well
	defer tmp.Close()
	limit := f.Limit << 20
	last := &lastLine{}
	n, err := io.Copy(io.MultiWriter(tmp, last), io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return fmt.Errorf("the file came in part only (%w); the old one stays", err)
	case n > limit:
		return fmt.Errorf("the file is larger than %d MiB (--limit); the old one stays", f.Limit)
	}
	if err := complete(resp.Request.URL.Path, last.String()); err != nil {
		return err
	}
	// Readable by the resolver, if it runs as the user or in the group that fetches.
	if err := errors.Join(tmp.Chmod(0o640), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	// First the old tag goes: an old tag beside a new file would hide changes, a
	// missing one costs a transfer.
	os.Remove(f.tagFile())
	if err := os.Rename(tmp.Name(), f.File); err != nil {
		return err
	}
	if tag := resp.Header.Get("ETag"); tag != "" {
		return os.WriteFile(f.tagFile(), []byte(tag), 0o640)
	}
	return nil
}

// endings are how files end that say so themselves, by the end of their names.
var endings = map[string]string{".rpz": "; end of zone,", ".dnsmasq": "# end of list,"}

// complete refuses a file that should end with a certain line and does not, as
// when a proxy on the way made a short answer look like a whole one.
func complete(path, last string) error {
	if ending := endings[filepath.Ext(path)]; !strings.HasPrefix(last, ending) {
		return fmt.Errorf("the file has no last line %q, so it was cut short; the old one stays", ending+" …")
	}
	return nil
}

// lastLine keeps the end of what is written to it.
type lastLine struct{ end []byte }

// maxLine is more than the last lines of our files have.
const maxLine = 200

func (l *lastLine) Write(b []byte) (int, error) {
	l.end = append(l.end, b[max(0, len(b)-maxLine):]...)
	l.end = l.end[max(0, len(l.end)-maxLine):]
	return len(b), nil
}

// String returns the last line, "" if it does not end.
func (l *lastLine) String() string {
	whole, ended := bytes.CutSuffix(l.end, []byte("\n"))
	if !ended {
		return ""
	}
	return string(whole[bytes.LastIndexByte(whole, '\n')+1:])
}
