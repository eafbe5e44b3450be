package portal_test

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tocsin"
	"tocsin/access"
	"tocsin/portal"
	"tocsin/store"
)

func (a answer) is(t testing.TB, status int) answer {
	t.Helper()
	if a.status != status {
		t.Errorf("%s answers %d, want %d", a.path, a.status, status)
	}
	return a
}

func (a answer) has(t testing.TB, wants ...string) answer {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s (%d) lacks %q", a.path, a.status, want)
		}
	}
	return a
}

func (a answer) lacks(t testing.TB, unwanted ...string) answer {
	t.Helper()
	for _, un := range unwanted {
		if strings.Contains(a.body, un) {
			t.Errorf("%s (%d) has %q", a.path, a.status, un)
		}
	}
	return a
}

const tag = `tocsin:collection="phishing"`

// What must not be seen is nowhere in the HTML, and what is others' can't be
// changed: 404 where it can't be seen, 403 where it can.
func TestEachSeesTheirs(t *testing.T) {
	w := newWorld(t)
	own := w.share(t, "ada@cert.example", portal.Draft{Info: "Known to us alone", Distribution: access.OrgOnly, Tags: []string{"tlp:red", "secret-tag"}}, "own.example", "shared.example")
	group := w.share(t, "ada@cert.example", portal.Draft{Info: "Known to the task force", Distribution: access.Group, Group: w.group, Publish: true, Tags: []string{tag}}, "group.example", "shared.example")
	all := w.share(t, "ada@cert.example", portal.Draft{Info: "Known to all", Distribution: access.Community, Publish: true, Tags: []string{tag}}, "all.example", "shared.example")
	hidden := w.hide(t, all, "hidden.example")

	people := map[string]*person{}
	for _, email := range []string{"ada@cert.example", "tess@telco.example", "olaf@outsider.example"} {
		people[email] = w.signedIn(t, email)
	}
	marks := map[string][]string{ // what must be seen by whom
		"Known to us alone":       {"ada@cert.example"},
		"Known to the task force": {"ada@cert.example", "tess@telco.example"},
		"Known to all":            {"ada@cert.example", "tess@telco.example", "olaf@outsider.example"},
	}
	paths := []string{"/portal/", "/portal/events", "/portal/events?text=Known", "/portal/?q=shared.example"}
	for email, p := range people {
		for _, path := range paths {
			a := p.get(path).is(t, http.StatusOK)
			for mark, who := range marks {
				if may := contains(who, email); may {
					a.has(t, mark)
				} else {
					a.lacks(t, mark)
				}
			}
		}
		if email != "ada@cert.example" {
			p.get(eventPath(all)).is(t, http.StatusOK).lacks(t, "hidden[.]example", "Withdraw", "Publish…", "Delete…", "Add attributes").
				has(t, `<dd class="num">2</dd>`)
			p.get("/portal/?q=hidden.example").has(t, "nobody whom you can see claims it")
			p.get("/portal/?q=own.example").has(t, "nobody whom you can see claims it").lacks(t, "Known to us", "secret-tag")
		}
	}
	people["ada@cert.example"].get(eventPath(all)).has(t, "hidden[.]example", "Withdraw", `<dd class="num">3</dd>`)

	stranger, partner := people["olaf@outsider.example"], people["tess@telco.example"]
	forms := []string{"publish", "unpublish", "delete", "distribution", "attributes"}
	for _, form := range forms {
		fields := []string{"distribution", "1", "values", "x.example", "step", "do"}
		for event, want := range map[int64]int{own: 404, group: 404, all: 403} {
			stranger.post(eventPath(event)+"/"+form, fields...).is(t, want).lacks(t, "Known to")
			if form != "attributes" {
				stranger.get(eventPath(event)+"/"+form).is(t, want).lacks(t, "Known to")
			}
		}
		partner.post(eventPath(group)+"/"+form, fields...).is(t, http.StatusForbidden)
		partner.post(eventPath(own)+"/"+form, fields...).is(t, http.StatusNotFound)
	}
	for _, p := range []*person{stranger, partner} {
		p.get(withdrawPath(hidden)).is(t, http.StatusNotFound)
		p.post(withdrawPath(hidden)).is(t, http.StatusNotFound)
		p.get(withdrawPath(w.attribute(t, "all.example"))).is(t, http.StatusForbidden)
		p.post(withdrawPath(w.attribute(t, "all.example"))).is(t, http.StatusForbidden)
	}
	stranger.get(eventPath(own)).is(t, http.StatusNotFound)
	if a, b := bare(stranger.get(eventPath(own))), bare(stranger.get(eventPath(4711))); a != b {
		t.Errorf("what is not yours and what is not there look different:\n%s\n%s", a, b)
	}

	// Collections are for who owns or receives them.
	stranger.get("/portal/collections").is(t, http.StatusOK).lacks(t, "phishing", "phish.rpz.example")
	for _, path := range []string{"/portal/collections/1", "/portal/collections/1?name=all.example", "/portal/subscribers/1/config"} {
		stranger.get(path).is(t, http.StatusNotFound).lacks(t, "phish.rpz")
		partner.get(path).is(t, http.StatusOK)
	}
	partner.get("/portal/collections/1?name=www.all.example").has(t, "192.0.2.0/28", "hot.phish.rpz.example.", "4711", "up to date", "behind",
		"by all[.]example: the name and everything beneath it", "it carries the collection&#39;s tag", "Gets it", "north.key").lacks(t, "a secret of sixteen")
	partner.get("/portal/collections/1?name=own.example").has(t, "Not in", "nobody whom you can see claims it")
}

// Who receives a collection sees its own side of it: neither other subscribers
// nor what they get.
func TestSubscribersAreApart(t *testing.T) {
	w := newWorld(t)
	w.share(t, "ada@cert.example", portal.Draft{Info: "Known to the task force", Distribution: access.Group, Group: w.group, Publish: true, Tags: []string{tag}}, "group.example")
	w.share(t, "ada@cert.example", portal.Draft{Info: "Known to all", Distribution: access.Community, Publish: true, Tags: []string{tag}}, "all.example")
	w.write(t, access.System("portal's test"), func(tx *store.Tx) error {
		return store.Put(tx, &tocsin.Subscriber{Name: "resolver-south", Collection: w.collection, Org: w.outsider,
			Action: "landing.example", Exclude: []string{"ours.example", "198.51.100.0/24"}})
	})
	guest, owner := w.signedIn(t, "olaf@outsider.example"), w.signedIn(t, "tess@telco.example")
	guest.get("/portal/collections").has(t, "phishing", "received")
	guest.get("/portal/collections/1").is(t, http.StatusOK).has(t, "resolver-south", "all[.]example",
		"answers that there is no such name", "sends clients to landing.example", "ours.example", "198.51.100.0/24").
		lacks(t, "resolver-north", "192.0.2.0/28", "north.key", "group[.]example")
	guest.get("/portal/collections/1?name=group.example").has(t, "Not in").lacks(t, "resolver-north", "task force")
	guest.get("/portal/?q=all.example").has(t, "resolver-south").lacks(t, "resolver-north")
	guest.get("/portal/subscribers/1/config").is(t, http.StatusNotFound)
	guest.get("/portal/subscribers/2/config").is(t, http.StatusOK)
	owner.get("/portal/collections/1").has(t, "resolver-north", "resolver-south", "group[.]example")
	owner.get("/portal/?q=group.example").has(t, "Gets it", "Does not get it", "the organisation is not a member")
}

// While the collections are behind, a page says that it can't say what a change
// does, instead of saying that it does nothing.
func TestLateCollections(t *testing.T) {
	w := newWorld(t)
	e := w.share(t, "tess@telco.example", portal.Draft{Info: "Ours", Distribution: access.Community, Publish: true, Tags: []string{tag}}, "a.example")
	p := w.signedIn(t, "tess@telco.example")
	p.get(eventPath(e)+"/delete").has(t, "1 subscriber will drop 1 name")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	follower := &laggard{begun: make(chan struct{})}
	go func() { ended <- w.Follow(ctx, follower) }()
	<-follower.begun
	p.get(eventPath(e)+"/delete").is(t, http.StatusOK).has(t, "still being put together").lacks(t, "No subscriber")
	p.get("/portal/collections/1").is(t, http.StatusOK).has(t, "still being put together")
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A laggard is a follower that never comes to the end of what it was handed.
type laggard struct{ begun chan struct{} }

func (l *laggard) Name() string                  { return "collection" }
func (l *laggard) Place() tocsin.Seq             { return 0 }
func (l *laggard) Restart(context.Context) error { return nil }
func (l *laggard) Follow(ctx context.Context, _ []tocsin.Change) error {
	close(l.begun)
	<-ctx.Done()
	return ctx.Err()
}

// hide adds a claim to an event of CERT that is for CERT alone.
func (w *world) hide(t *testing.T, event int64, name string) (id int64) {
	w.share(t, "ada@cert.example", portal.Draft{Info: "Known to us alone", Distribution: access.OrgOnly}, "unused.example")
	v := w.as(t, "ada@cert.example")
	if _, err := (desk{w.DB}).Add(t.Context(), v, event, []portal.Claim{{Text: name}}, true); err != nil {
		t.Fatal(err)
	}
	id = w.attribute(t, name)
	w.write(t, v, func(tx *store.Tx) error {
		if _, err := tx.EditAttribute(id, func(a *tocsin.Attribute) error { a.Distribution = access.OrgOnly; return nil }); err != nil {
			return err
		}
		_, err := tx.Publish(event, true)
		return err
	})
	return id
}

// attribute returns the first attribute with that value.
func (w *world) attribute(t testing.TB, value string) int64 {
	t.Helper()
	for a, err := range w.As(access.System("portal's test")).Attributes(t.Context(), store.Query{Deleted: store.Any}) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Value.String() == value {
			return a.ID
		}
	}
	t.Fatalf("no attribute %s", value)
	return 0
}

// deleted reports whether an attribute is withdrawn.
func (w *world) deleted(t testing.TB, id int64) bool {
	t.Helper()
	for a, err := range w.As(access.System("portal's test")).Attributes(t.Context(), store.Query{IDs: []int64{id}, Deleted: store.Any}) {
		if err != nil {
			t.Fatal(err)
		}
		return a.Deleted
	}
	t.Fatalf("no attribute %d", id)
	return false
}

func (w *world) event(t testing.TB, id int64) *tocsin.Event {
	t.Helper()
	e, err := w.As(access.System("portal's test")).Event(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func contains(list []string, s string) bool { return strings.Contains(strings.Join(list, "\n"), s) }

// bare is a page without the numbers that its address has.
func bare(a answer) string { return regexp.MustCompile(`[0-9]+`).ReplaceAllString(a.body, "N") }

// What a person does from sharing to deleting, without scripts.
func TestShareAndTakeBack(t *testing.T) {
	w := newWorld(t)
	p := w.signedIn(t, "tess@telco.example")
	form := []string{"info", "Parcel smishing", "values", "hxxp://parcel[.]example/x\nparcel[.]example\nnonsense here\n192[.]0[.]2[.]9\n", "comment", "from our spam trap",
		"distribution", "1", "tlp", "tlp:green", "collection", "1", "publish", "yes"}
	p.post("/portal/share", form...).is(t, http.StatusOK).has(t, "Share this?", "nonsense here", "it is neither", "hxxp[:]//parcel[.]example/x", "ip-dst",
		"3 organisations of this exchange will see it: ", "1 subscriber of phishing will block 1 name.", "Share and publish")
	if n, err := w.As(access.System("portal's test")).CountEvents(t.Context(), store.EventQuery{}); n != 0 || err != nil {
		t.Fatalf("the preview wrote %d events (%v)", n, err)
	}
	p.post("/portal/share", append(form, "step", "edit")...).is(t, http.StatusOK).has(t, "hxxp://parcel[.]example/x", `value="Parcel smishing"`)
	a := p.post("/portal/share", append(form, "step", "do")...).is(t, http.StatusOK).
		has(t, "Shared. 3 attributes.", "Parcel smishing", "TLP:GREEN", "from our spam trap", "May enter", "Unpublish…")
	if !strings.HasPrefix(a.path, "/portal/events/1?") {
		t.Fatalf("sharing leads to %s", a.path)
	}

	p.get("/portal/events/1/unpublish").has(t, "1 subscriber will drop 1 name")
	p.post("/portal/events/1/unpublish").is(t, http.StatusOK).has(t, "Unpublished. Subscribers drop", "Stays out of", "its event is not published")
	if w.event(t, 1).Published {
		t.Error("the event is still published")
	}
	p.get("/portal/events/1/publish").has(t, "1 subscriber will block 1 name")
	p.post("/portal/events/1/publish").has(t, "Published. Subscribers are told")

	add := []string{"values", "more.parcel[.]example\nparcel[.]example"}
	p.post("/portal/events/1/attributes", add...).has(t, "Add this?", "more[.]parcel[.]example", "The event stays published")
	p.post("/portal/events/1/attributes", append(add, "step", "do")...).has(t, "Added. 1 attribute. 1 held already.")
	if !w.event(t, 1).Published {
		t.Error("adding unpublished the event")
	}

	id := w.attribute(t, "parcel.example")
	p.get(withdrawPath(id)).has(t, "parcel[.]example", "1 subscriber will drop 1 name")
	p.post(withdrawPath(id)).has(t, "Withdrawn.").lacks(t, ">parcel[.]example<")
	if !w.deleted(t, id) || !w.event(t, 1).Published {
		t.Errorf("withdrawn is %v, published is %v", w.deleted(t, id), w.event(t, 1).Published)
	}
	p.get("/portal/events/1?withdrawn=yes").has(t, "parcel[.]example", "withdrawn")
	p.get("/portal/events/1?text=PARCEL%5B.%5Dexample%2Fx").lacks(t, "192[.]0[.]2[.]9")
	p.get("/portal/events/1?type=ip-dst").has(t, "192[.]0[.]2[.]9").lacks(t, "more[.]parcel")

	p.post("/portal/events/1/distribution", "distribution", "0").has(t, "Change the distribution?", "1 organisation of this exchange will see it: Telco")
	p.post("/portal/events/1/distribution", "distribution", "4-1", "step", "do").has(t, "The distribution is changed.", "Bank fraud task force")
	if e := w.event(t, 1); e.Distribution != access.Group || e.Group != w.group || !e.Published {
		t.Errorf("the event is %+v", e)
	}
	p.post("/portal/events/1/distribution", "distribution", "4-99", "step", "do").is(t, http.StatusBadRequest)
	p.post("/portal/events/1/distribution", "distribution", "5", "step", "do").is(t, http.StatusBadRequest)

	p.get("/portal/events/1/delete").has(t, "Delete this event for good?", "3 attributes", "1 subscriber will drop 1 name")
	p.post("/portal/events/1/delete").is(t, http.StatusOK).has(t, "Deleted for good.", "There are no events yet")
	p.get("/portal/events/1").is(t, http.StatusNotFound)
}

// A role that may not publish is told what its edit does to a published event.
func TestEditsWithoutPublishing(t *testing.T) {
	w := newWorld(t)
	e := w.share(t, "ada@cert.example", portal.Draft{Info: "Ours", Distribution: access.Community, Publish: true}, "a.example", "b.example")
	p := w.signedIn(t, "tom@cert.example")
	p.get("/portal/share").has(t, "Someone who may publish").lacks(t, `name="publish"`)
	p.get(eventPath(e)).lacks(t, "Unpublish…")
	p.get(withdrawPath(1)).has(t, "The rest of the event stays as it is.")
	p.post(withdrawPath(1)).is(t, http.StatusOK)
	if !w.event(t, e).Published {
		t.Error("taking one name back unpublished the event")
	}
	p.post(eventPath(e)+"/publish").is(t, http.StatusForbidden)

	reader := w.signedIn(t, "rita@cert.example")
	reader.get("/portal/events").lacks(t, "/portal/share")
	reader.get("/portal/share").is(t, http.StatusForbidden)
	reader.post("/portal/share", "info", "x", "values", "c.example", "distribution", "1", "step", "do").is(t, http.StatusForbidden)
	reader.get(eventPath(e)+"/delete").is(t, http.StatusForbidden)
	reader.post(eventPath(e)+"/delete").is(t, http.StatusForbidden)
	reader.post(withdrawPath(2)).is(t, http.StatusForbidden)
}

func TestLookup(t *testing.T) {
	w := newWorld(t)
	w.share(t, "ada@cert.example", portal.Draft{Info: "Phishing", Distribution: access.Community, Publish: true, Tags: []string{tag}}, "evil.example")
	w.share(t, "ada@cert.example", portal.Draft{Info: "A page", Distribution: access.Community}, "http://www.evil.example/login", "198.51.100.0/24")
	p := w.signedIn(t, "tess@telco.example")
	for q, want := range map[string][]string{
		"EVIL[.]example":                 {"domain", "evil[.]example", "Phishing", "1 claim", "Gets it"},
		"www.evil.example":               {"hostname", "2 claims", "contains it", "mentions it"},
		"deep.www.evil.example":          {"hostname", "contains it", "it carries the collection"},
		"hxxps://evil.example/other":     {"names its host", "Gets it"},
		"http://www.evil.example/login":  {"A page", "Phishing", "contains it"},
		"198.51.100.7":                   {"contains it", "A page", "Not published"},
		"someone[at]evil.example":        {"email", "Phishing"},
		"nobody.example":                 {"nobody whom you can see claims it", "share it"},
		"no value at all":                {"Not read"},
		"evil.example\n\nnobody.example": {"Phishing", "nobody[.]example"},
	} {
		a := p.post("/portal/", "q", q).is(t, http.StatusOK).has(t, want...)
		if !strings.HasPrefix(a.path, "/portal/?q=") {
			t.Errorf("%q is answered at %s, which can't be passed on", q, a.path)
		}
		wellFormed(t, a)
	}
	long := strings.Repeat("nobody.example.long.name.example\n", 60) + strings.Repeat("x", 1500) + ".example\nevil.example"
	p.post("/portal/", "q", long).is(t, http.StatusOK).has(t, "Phishing", "Not read")
	var many strings.Builder
	for i := range 130 {
		many.WriteString("host" + strings.Repeat("x", i%50) + string(rune('a'+i/50)) + ".example\n")
	}
	p.post("/portal/", "q", many.String()).has(t, "30 lines more")
}

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	p := w.anyone(t)
	p.get("/").is(t, http.StatusOK).has(t, "Sign in to Tocsin")
	a := p.get("/portal/events?text=x").is(t, http.StatusOK).has(t, `name="next" value="/portal/events?text=x"`)
	if !strings.HasPrefix(a.path, "/portal/sign-in?next=") {
		t.Errorf("whoever is not signed in is at %s", a.path)
	}
	wrong := bare(p.post("/portal/sign-in", "email", "x@cert.example", "password", "wrong password").is(t, http.StatusForbidden))
	unknown := bare(p.post("/portal/sign-in", "email", "x@cert.example", "password", password).is(t, http.StatusForbidden))
	known := strings.ReplaceAll(bare(p.post("/portal/sign-in", "email", "ada@cert.example", "password", "wrong password")), "ada@", "x@")
	if wrong != unknown || wrong != known {
		t.Error("wrong sign-ins are told apart")
	}
	for next, want := range map[string]string{
		"/portal/events":        "/portal/events",
		"https://evil.example/": "/portal/",
		"//evil.example/":       "/portal/",
		`/portal/\evil.example`: "/portal/",
		"/portal/sign-out":      "/portal/",
	} {
		if a := p.post("/portal/sign-in", "email", "ada@cert.example", "password", password, "next", next); a.path != want {
			t.Errorf("next=%q leads to %s", next, a.path)
		}
	}
	p.get("/portal/").has(t, "CERT", "ada@cert.example")
	p.post("/portal/sign-out").has(t, "You are signed out.")
	p.get("/portal/").has(t, "Sign in to Tocsin")
	slowed := w.anyone(t)
	for range 20 {
		a = slowed.post("/portal/sign-in", "email", "tom@cert.example", "password", "guess guess guess")
	}
	a.is(t, http.StatusServiceUnavailable).has(t, "Too many wrong attempts")
}

func TestAccount(t *testing.T) {
	w := newWorld(t)
	p := w.signedIn(t, "ada@cert.example")
	other := w.signedIn(t, "tess@telco.example")
	a := p.post("/portal/account/keys", "comment", "our firewall", "read_only", "yes").is(t, http.StatusCreated).has(t, "our firewall", "shown this once")
	key := regexp.MustCompile(`data-copy="([A-Za-z0-9]{40})"`).FindStringSubmatch(a.body)
	if key == nil {
		t.Fatal("the new key is not shown")
	}
	if a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("the page with the key may be kept: %s", a.header.Get("Cache-Control"))
	}
	p.get("/portal/account").has(t, "our firewall").lacks(t, key[1])
	byKey := func() int {
		r, _ := http.NewRequest("GET", w.url+"/portal/events", nil)
		r.Header.Set("Authorization", key[1])
		return (&person{t: t, http: &http.Client{}}).do(r, nil).status
	}
	if got := byKey(); got != http.StatusOK {
		t.Errorf("the key opens %d", got)
	}
	other.get("/portal/account").lacks(t, "our firewall")
	other.post("/portal/account/keys/1/remove").is(t, http.StatusNotFound)
	p.post("/portal/account/keys/1/remove").is(t, http.StatusOK).has(t, "The key is removed")
	if got := byKey(); got != http.StatusForbidden {
		t.Errorf("the removed key opens %d", got)
	}

	second := w.signedIn(t, "ada@cert.example")
	p.post("/portal/account/password", "old", password, "new", "short", "again", "short").is(t, http.StatusBadRequest).has(t, "at least 12 characters")
	p.post("/portal/account/password", "old", password, "new", "one long password", "again", "another long password").has(t, "differ")
	p.post("/portal/account/password", "old", "not the old one", "new", "one long password", "again", "one long password").has(t, "The old password is not right.")
	p.post("/portal/account/password", "old", password, "new", "one long password", "again", "one long password").has(t, "Your password is changed.")
	p.get("/portal/account").is(t, http.StatusOK).has(t, "ada@cert.example")
	second.get("/portal/account").has(t, "Sign in to Tocsin")
	w.anyone(t).post("/portal/sign-in", "email", "ada@cert.example", "password", password).is(t, http.StatusForbidden)
	w.anyone(t).post("/portal/sign-in", "email", "ada@cert.example", "password", "one long password").is(t, http.StatusOK)
}

// A form that another site's page sends in someone's name is refused.
func TestOtherSitesForms(t *testing.T) {
	w := newWorld(t)
	e := w.share(t, "ada@cert.example", portal.Draft{Info: "Ours", Distribution: access.Community, Publish: true}, "a.example")
	p := w.signedIn(t, "ada@cert.example")
	for _, path := range []string{eventPath(e) + "/delete", withdrawPath(1), "/portal/account/keys", "/portal/share", "/portal/sign-in", "/portal/sign-out"} {
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			r, _ := http.NewRequest("POST", w.url+path, strings.NewReader("step=do"))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(header[0], header[1])
			p.do(r, nil).is(t, http.StatusForbidden).has(t, "another site")
		}
	}
	if !w.event(t, e).Published {
		t.Error("the event is gone")
	}
	if got := p.get("/portal/").header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("with the policy %q browsers send our own forms with Origin: null", got)
	}
}

func itoa(n int64) string          { return strconv.FormatInt(n, 10) }
func eventPath(id int64) string    { return "/portal/events/" + itoa(id) }
func withdrawPath(id int64) string { return "/portal/attributes/" + itoa(id) + "/withdraw" }
