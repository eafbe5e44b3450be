package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/indicator"
	"tocsin/portal"
	"tocsin/store"
)

// What is guarded says so, with a button for who may override that.
func TestGuarded(t *testing.T) {
	w := newWorld(t)
	w.JudgeBy(func(v indicator.Value) tocsin.Verdict {
		switch {
		case strings.HasPrefix(v.String(), "bank"):
			return tocsin.NewVerdict(tocsin.Deny, "household-names", v.String())
		case strings.HasPrefix(v.String(), "shop"):
			return tocsin.NewVerdict(tocsin.Warn, "household-names", v.String())
		case strings.HasPrefix(v.String(), "cloud"):
			return tocsin.NewVerdict(tocsin.Inform, "clouds", v.String())
		}
		return ""
	})
	w.write(t, access.System("test"), func(tx *store.Tx) error {
		return tx.PutGuardList(&tocsin.GuardList{Name: "household-names", Description: "Names that everybody knows.", Class: tocsin.Deny}, []byte{})
	})
	e := w.share(t, "tess@telco.example", portal.Draft{Info: "Ours", Distribution: access.Community, Publish: true},
		"bank.example", "shop.example", "cloud.example", "evil.example")
	bank, shop, cloud := w.attribute(t, "bank.example"), w.attribute(t, "shop.example"), w.attribute(t, "cloud.example")
	path := func(id int64, what string) string { return "/portal/attributes/" + itoa(id) + "/" + what }

	tess := w.signedIn(t, "tess@telco.example")
	tess.get(eventPath(e)).has(t, "Guarded: not blocked", "the list household-names denies", "warns of", "on the list clouds", path(bank, "override"), path(shop, "override")).
		lacks(t, path(cloud, "override"), path(bank, "uphold"))
	tess.get("/portal/?q=bank.example").has(t, "Guarded: not blocked")
	tess.get(path(bank, "override")).has(t, "Block it all the same?", "bank[.]example", "Names that everybody knows.")
	tess.post(path(bank, "override"), "reason", " ").is(t, http.StatusBadRequest).has(t, "Say why")
	tess.post(path(bank, "override"), "reason", "taken <over>").has(t, "It is blocked although it is guarded", "Blocked although guarded", "taken &lt;over&gt;", "tess@telco.example", path(bank, "uphold"))
	tess.get(path(bank, "uphold")).has(t, "Stop blocking it?", "taken &lt;over&gt;")
	tess.post(path(bank, "uphold")).has(t, "It is not blocked any more", path(bank, "override"))
	tess.get(path(cloud, "override")).is(t, http.StatusConflict)
	tess.get(path(bank, "uphold")).is(t, http.StatusConflict)

	// A publisher may do it where a list warns, a user nowhere.
	e = w.share(t, "ada@cert.example", portal.Draft{Info: "Theirs", Distribution: access.Community, Publish: true}, "bank2.example", "shop2.example")
	bank, shop = w.attribute(t, "bank2.example"), w.attribute(t, "shop2.example")
	ada := w.signedIn(t, "ada@cert.example")
	ada.get(eventPath(e)).has(t, path(shop, "override")).lacks(t, path(bank, "override"))
	ada.get(path(bank, "override")).is(t, http.StatusForbidden).has(t, "takes an administrator")
	ada.post(path(bank, "override"), "reason", "just so").is(t, http.StatusForbidden)
	ada.post(path(shop, "override"), "reason", "a front").has(t, "Blocked although guarded")
	tom := w.signedIn(t, "tom@cert.example")
	tom.get(eventPath(e)).has(t, "Guarded: not blocked", path(shop, "uphold")).lacks(t, path(bank, "override"))
	tom.post(path(bank, "override"), "reason", "just so").is(t, http.StatusForbidden)
	tess.get(eventPath(e)).lacks(t, path(shop, "uphold"), path(bank, "override"))
	tess.post(path(shop, "uphold")).is(t, http.StatusForbidden)
}
