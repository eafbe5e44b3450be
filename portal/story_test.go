package portal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"tocsin/access"
	"tocsin/internal/lab"
	"tocsin/portal"
)

// What an analyst does in a real browser, with scripts and without.
func TestStory(t *testing.T) {
	w := newWorld(t)
	w.share(t, "ada@cert.example", portal.Draft{Info: "Phishing against a bank", Distribution: access.Community, Publish: true, Tags: []string{tag}}, "evil.example")
	w.share(t, "ada@cert.example", portal.Draft{Info: "<script>document.title='broken'</script>", Distribution: access.Community}, "http://evil.example/\u202ecod.exe")
	browser := lab.Chromium(t)
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			b := browser.Tab(t)
			if !scripts {
				b.NoScripts()
			}
			story(t, w, b, scripts)
			for _, p := range b.Problems() {
				t.Errorf("the browser complains: %s", p)
			}
		})
	}
}

func story(t *testing.T, w *world, b *lab.Browser, scripts bool) {
	reads := func(selector, want string) {
		t.Helper()
		if got := b.Text(selector); !strings.Contains(got, want) {
			t.Errorf("%s says %q, which lacks %q", selector, got, want)
		}
	}
	b.Visit(w.url + "/")
	b.Type("#email", "tess@telco.example")
	b.Type("#password", password)
	b.Click("form button")

	paste(t, b, "#q", "hxxps[:]//EVIL[.]example/login")
	if scripts {
		paste(t, b, "#q", "\r") // Enter
	} else {
		b.Click("[data-ask] button")
	}
	reads("[data-page=lookup] .answer h2", "hxxps[:]//evil[.]example/login")
	reads(".answer table", "Phishing against a bank")
	reads(".answer .places", "Gets it")

	b.Visit(w.url + "/portal/events/2")
	reads("[data-page=event] h1", "<script>document.title='broken'</script>")

	b.Visit(w.url + "/portal/share")
	b.Type("#info", "Parcel smishing")
	paste(t, b, "#values", "parcel-fee[.]example")
	b.Click(`[data-page=share] [value="4-1"]`)
	b.Click("main form button")
	reads("[data-page=check] h1", "Share this?")
	reads(".sentences", "2 organisations of this exchange will see it")
	b.Click(`[name=step][value=do]`)
	reads("[data-page=event] .note", "Shared. 1 attribute.")
	reads("td .value", "parcel-fee[.]example")

	b.Click("td.act a")
	reads("[data-page=ask] h1", "Withdraw this attribute?")
	b.Click("main form button")
	reads("[data-page=event] .note", "Withdrawn.")
	reads(".empty", "no attributes in it")

	b.Click(".actions .grave")
	reads("[data-page=ask] h1", "Delete this event for good?")
	b.Click("main form button")
	reads("[data-page=events] .note", "Deleted for good.")
	b.Click(".who button")
	reads("[data-page=sign-in] .note", "You are signed out.")
}

// paste types into a field that is empty, which Type can't with a textarea.
func paste(t *testing.T, b *lab.Browser, selector, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 30*time.Second)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.SendKeys(chromedp.CSS(selector), text)); err != nil {
		t.Fatal(err)
	}
}
