package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A Browser is one tab of a Chromium with an empty profile. It reaches
// loopback and nothing else: pages under test carry live malicious names, and
// no mistake in a page may fetch one.
//
// Its methods act on the first element that a CSS selector finds, wait until
// that element is there, and fail the test otherwise.
type Browser struct {
	tb  testing.TB
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

// nowhere is a proxy that does not exist. Requests that don't go to loopback
// go there, addresses and DNS prefetches included.
const nowhere = "http://127.0.0.1:9"

// Chromium starts a browser that lives as long as the test.
func Chromium(tb testing.TB) *Browser {
	tb.Helper()
	ctx, stop := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(Need(tb, "chromium")),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.ProxyServer(nowhere),
		chromedp.WindowSize(1280, 800),
	)...)
	tb.Cleanup(stop)
	return open(tb, ctx)
}

// Tab opens another tab of the same browser, without the cookies of this one:
// a second person, or a subtest. It lives as long as the test that it is given.
func (b *Browser) Tab(tb testing.TB) *Browser {
	tb.Helper()
	return open(tb, b.ctx, chromedp.WithNewBrowserContext())
}

func open(tb testing.TB, parent context.Context, opts ...chromedp.ContextOption) *Browser {
	tb.Helper()
	b := &Browser{tb: tb}
	var end context.CancelFunc
	b.ctx, end = chromedp.NewContext(parent, append(opts, chromedp.WithListener(b.listen))...)
	tb.Cleanup(end)
	tb.Cleanup(func() {
		if tb.Failed() {
			b.report()
		}
	})
	// The first use starts the browser and must not have a deadline: the
	// browser would end with it.
	if err := chromedp.Do(b.ctx); err != nil {
		tb.Fatalf("open a tab of chromium: %v", err)
	}
	return b
}

// Context is for chromedp's actions that have no method here.
func (b *Browser) Context() context.Context { return b.ctx }

// Visit loads a page.
func (b *Browser) Visit(url string) {
	b.tb.Helper()
	b.do("visit "+url, chromedp.Navigate(url))
}

// Text returns the visible text of an element.
func (b *Browser) Text(selector string) string {
	b.tb.Helper()
	return run(b, "read "+selector, chromedp.Text(chromedp.CSS(selector)))
}

// Click clicks an element. It does not wait for what the click leads to: ask
// for the element that should come next.
func (b *Browser) Click(selector string) {
	b.tb.Helper()
	b.do("click "+selector, chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// Type empties an input and types text into it, key by key.
func (b *Browser) Type(selector, text string) {
	b.tb.Helper()
	css := chromedp.CSS(selector)
	b.do("type into "+selector, chromedp.Clear(css), chromedp.SendKeys(css, text))
}

// URL returns the address of the page.
func (b *Browser) URL() string {
	b.tb.Helper()
	return run(b, "read the address", chromedp.Location())
}

// Screenshot writes the whole page as a PNG file.
func (b *Browser) Screenshot(path string) {
	b.tb.Helper()
	png := run(b, "take a screenshot", chromedp.FullScreenshot(100))
	if err := os.WriteFile(path, png, 0o644); err != nil {
		b.tb.Fatal(err)
	}
}

// Size sets the size of the window, as on a telephone.
func (b *Browser) Size(width, height int) {
	b.tb.Helper()
	b.do("resize", chromedp.EmulateViewport(int64(width), int64(height)))
}

// NoScripts turns JavaScript off for pages visited from now on.
func (b *Browser) NoScripts() {
	b.tb.Helper()
	b.do("turn scripts off", func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled,
			emulation.SetScriptExecutionDisabledParams{Value: true})
		return chromedp.Void{}, err
	})
}

// Problems returns what pages have complained of so far: uncaught exceptions,
// refusals of the content security policy, resources that did not load.
func (b *Browser) Problems() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.problems...)
}

func (b *Browser) listen(event any) {
	var problem string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		problem = e.ExceptionDetails.Text
		if ex := e.ExceptionDetails.Exception; ex != nil {
			problem += " " + ex.Description
		}
	case *cdplog.EventEntryAdded:
		if e.Entry.Level != cdplog.EntryLevelError {
			return
		}
		problem = strings.TrimSpace(e.Entry.Text + " " + e.Entry.URL)
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, problem)
}

// report tells a failed test's reader where the browser stood.
func (b *Browser) report() {
	ctx, cancel := context.WithTimeout(b.ctx, patience/10)
	defer cancel()
	url, _ := chromedp.Run(ctx, chromedp.Location())
	text, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("body")))
	b.tb.Logf("the browser was at %s, which said\n%s\nproblems: %q", url, text, b.Problems())
}

func (b *Browser) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.tb.Helper()
	run(b, what, chromedp.Steps(steps...))
}

func run[T any](b *Browser, what string, a chromedp.Action[T]) T {
	b.tb.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		b.tb.Fatal(fmt.Errorf("%s: %w", what, err))
	}
	return v
}
