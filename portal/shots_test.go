package portal_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"tocsin/access"
	"tocsin/internal/lab"
	"tocsin/portal"
)

// TestScreenshots takes pictures of every page into the folder that
// TOCSIN_SCREENSHOTS names, for people to look at.
func TestScreenshots(t *testing.T) {
	dir := os.Getenv("TOCSIN_SCREENSHOTS")
	if dir == "" {
		t.Skip("TOCSIN_SCREENSHOTS names no folder")
	}
	w := newWorld(t)
	w.share(t, "ada@cert.example", portal.Draft{Info: "Smishing wave that imitates a parcel service", Distribution: access.Everyone, Publish: true, Tags: []string{"tlp:clear", tag}},
		"parcel-fee.example", "track.parcel-fee.example", "https://parcel-fee.example/pay?id=7", "198.51.100.23")
	w.share(t, "tess@telco.example", portal.Draft{Info: "Internal: suspected SIM box fraud", Distribution: access.OrgOnly, Tags: []string{"tlp:red"}}, "203.0.113.9")
	w.share(t, "ada@cert.example", portal.Draft{Info: "Bank fraud under investigation", Distribution: access.Group, Group: w.group, Publish: true, Tags: []string{"tlp:amber", tag, "phishing", "bank"}},
		"bank-update.example", "secure.bank-update.example")
	w.share(t, "ada@cert.example", portal.Draft{Info: "Credential phishing against customers of a bank", Distribution: access.Community, Publish: true, Tags: []string{"tlp:green", tag, "phishing"}},
		"login-bank.example", "www.login-bank.example", "bank-update.example", "http://login-bank.example/verify/account.php", "192.0.2.66", "2001:db8::bad:1", "d41d8cd98f00b204e9800998ecf8427e", "collector@login-bank.example")
	w.share(t, "tess@telco.example", portal.Draft{Info: "Command and control of a loader, seen in flow data", Distribution: access.Connected, Tags: []string{"malware"}}, "198.51.100.77", "c2.loader.example")
	w.share(t, "tess@telco.example", portal.Draft{Info: "Hostile \u202etxet\u202c <script>alert(1)</script> " + strings.Repeat("W", 300), Distribution: access.Community, Tags: []string{"<b>tag</b>\u200b\u200b"}},
		"http://evil.example/"+strings.Repeat("long/", 120), "http://evil.example/\u202efdp.exe", "xn--80ak6aa92e.example")

	browser := lab.Chromium(t)
	for _, look := range []struct {
		name          string
		width, height int
		scheme        string
	}{{"desktop-light", 1280, 800, "light"}, {"desktop-dark", 1280, 800, "dark"}, {"phone-light", 390, 844, "light"}, {"phone-dark", 390, 844, "dark"}} {
		b := browser.Tab(t)
		b.Size(look.width, look.height)
		if _, err := chromedp.Run(b.Context(), func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: look.scheme}}})
			return chromedp.Void{}, err
		}); err != nil {
			t.Fatal(err)
		}
		shot := func(name, path string) {
			b.Visit(w.url + path)
			b.Text("h1")
			b.Screenshot(filepath.Join(dir, look.name+"-"+name+".png"))
		}
		shot("sign-in", "/portal/sign-in")
		b.Type("#email", "tess@telco.example")
		b.Type("#password", password)
		b.Click("button.main")
		b.Text("#q")
		shot("home", "/portal/")
		shot("lookup", "/portal/?q=hxxps%3A%2F%2Fbank-update%5B.%5Dexample%2Fx%0Abank-update%5B.%5Dexample%0Anot+a+value%0Aunknown.example")
		shot("events", "/portal/events")
		shot("event-other", "/portal/events/4")
		shot("event-own", "/portal/events/5")
		shot("ask", "/portal/events/5/publish")
		shot("distribution", "/portal/events/5/distribution")
		shot("share", "/portal/share")
		shot("collections", "/portal/collections")
		shot("collection", "/portal/collections/1?name=www.bank-update.example")
		shot("config", "/portal/subscribers/1/config")
		shot("account", "/portal/account")
		shot("missing", "/portal/events/99")
		shot("hostile", "/portal/events/6")
		b.Visit(w.url + "/portal/share?values=parcel%5B.%5Dexample%0Anonsense%20line%0A198.51.100.7")
		b.Type("[data-page=share] #info", "Parcel smishing")
		b.Click("main form button")
		b.Text("[data-page=check] h1")
		b.Screenshot(filepath.Join(dir, look.name+"-check.png"))
	}
}
