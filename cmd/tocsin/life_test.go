package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/internal/lab"
	"tocsin/store"
)

// TestAShareBecomesABlock is what the exchange is for: one organisation shares a
// malicious domain, and a real resolver of another one stops answering it; the
// owner takes it back, in any of the ways there are, and it answers again.
func TestAShareBecomesABlock(t *testing.T) {
	for name, resolver := range map[string]func(*testing.T, *world, *lab.Root, int64) *lab.Resolver{
		"Unbound": unbound, "BIND": bind,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "telco", "provider")
			both, own := w.group("both", "telco", "provider"), w.group("own", "telco")
			c := w.collection(tocsin.Collection{Name: "drop", Zone: "rpz.example", HotZone: "hot.rpz.example"})
			w.settle()
			tag := map[string]any{"name": tocsin.CollectionTag("drop"), "local": true}
			put := func(event map[string]any) map[string]any {
				event["Tag"] = []any{tag}
				return event
			}
			// Known to be in the zone before the resolver starts, so that a name that
			// answers later answers because it is not blocked.
			w.share("telco", "canary.threat-lab.net", put(map[string]any{}))
			r := resolver(t, w, lab.StartRoot(t), c)
			r.WaitBlocked(t, "canary.threat-lab.net")

			undo := []struct {
				name   string
				shared map[string]any
				undo   func(event, domain string)
			}{
				{"withdraw", nil, func(event, domain string) {
					w.must("telco", "POST", "/attributes/delete/"+w.attribute("telco", domain), nil)
				}},
				{"narrow", nil, func(event, _ string) {
					w.must("telco", "POST", "/events/edit/"+event, map[string]any{"distribution": 0, "published": true})
				}},
				{"unpublish", nil, func(event, _ string) { w.must("telco", "POST", "/events/unpublish/"+event, nil) }},
				{"delete", nil, func(event, _ string) { w.must("telco", "DELETE", "/events/delete/"+event, nil) }},
				{"another-group", map[string]any{"distribution": 4, "sharing_group_id": both}, func(event, _ string) {
					w.must("telco", "POST", "/events/edit/"+event, map[string]any{"distribution": 4, "sharing_group_id": own, "published": true})
				}},
				{"tlp-red", nil, func(event, _ string) {
					uuid := w.must("telco", "GET", "/events/view/"+event, nil)["Event"].(map[string]any)["uuid"]
					w.must("telco", "POST", "/tags/attachTagToObject", map[string]any{"uuid": uuid, "tag": "tlp:red"})
				}},
				{"false-positive", nil, func(_, domain string) {
					w.must("telco", "POST", "/api/sightings", map[string]any{"value": domain, "type": "false-positive"})
				}},
				{"ends-in-time", nil, func(_, domain string) {
					soon := time.Now().Add(time.Second).Format(time.RFC3339)
					w.must("telco", "POST", "/api/sightings", map[string]any{"value": domain, "type": "ended", "at": soon})
				}},
				{"no-longer-to-ids", nil, func(event, domain string) {
					w.must("telco", "POST", "/attributes/edit/"+w.attribute("telco", domain), map[string]any{"to_ids": false})
					w.must("telco", "POST", "/events/publish/"+event, nil)
				}},
			}
			for _, u := range undo {
				t.Run(u.name, func(t *testing.T) {
					domain := u.name + ".threat-lab.net"
					if a, err := r.Lookup(t.Context(), domain); err != nil || !a.Honest() {
						t.Fatalf("before it is shared: %+v, %v", a, err)
					}
					shared := u.shared
					if shared == nil {
						shared = map[string]any{}
					}
					event := w.share("telco", domain, put(shared))
					blocked := r.WaitBlocked(t, domain)
					r.WaitBlocked(t, "www."+domain)
					u.undo(event, domain)
					again := r.WaitAnswers(t, domain)
					t.Logf("blocked after %v, answers again after %v", blocked, again)
					if a, err := r.Lookup(t.Context(), "canary.threat-lab.net"); err != nil || !a.Blocked() {
						t.Errorf("the canary is no longer blocked: %+v, %v", a, err)
					}
				})
			}
			t.Run("guarded", func(t *testing.T) { w.guarded(t, r, put) })
		})
	}
}

// guarded is the life of a name that a list guards: it is shared and not blocked,
// its owner overrides that and it is, and takes it back. Then the list goes, and
// nothing stands in the way any more.
func (w *world) guarded(t *testing.T, r *lab.Resolver, put func(map[string]any) map[string]any) {
	const domain = "popular.threat-lab.net"
	admin := access.System("a test administers lists")
	if _, err := w.Guards.Load(t.Context(), admin, "popular.txt", strings.NewReader(domain+"\n"), intake.LoadOptions{}); err != nil {
		t.Fatal(err)
	}
	w.share("telco", domain, put(map[string]any{}))
	// What is shared after it is blocked, so it would be, too.
	w.share("telco", "beneath.popular.threat-lab.net", put(map[string]any{}))
	r.WaitBlocked(t, "beneath.popular.threat-lab.net")
	if a, err := r.Lookup(t.Context(), domain); err != nil || !a.Honest() {
		t.Fatalf("a guarded name is blocked: %+v, %v", a, err)
	}
	id, err := strconv.Atoi(w.attribute("telco", domain))
	if err != nil {
		t.Fatal(err)
	}
	w.must("telco", "POST", "/api/override", map[string]any{"attribute": id, "reason": "bought by the attackers"})
	r.WaitBlocked(t, domain)
	w.must("telco", "POST", "/api/uphold", map[string]any{"attribute": id})
	r.WaitAnswers(t, domain)
	if err := w.Guards.Remove(t.Context(), admin, "popular"); err != nil {
		t.Fatal(err)
	}
	r.WaitBlocked(t, domain)
}

// attribute finds the id of the attribute with a value.
func (w *world) attribute(org, value string) string {
	w.t.Helper()
	out := w.must(org, "POST", "/attributes/restSearch", map[string]any{"value": value})
	as := out["response"].(map[string]any)["Attribute"].([]any)
	if len(as) != 1 {
		w.t.Fatalf("%d attributes with value %s", len(as), value)
	}
	return fmt.Sprint(as[0].(map[string]any)["id"])
}

// unbound starts Unbound with the configuration that the exchange prints for a
// subscriber of its own.
func unbound(t *testing.T, w *world, root *lab.Root, collection int64) *lab.Resolver {
	w.subscribe("unbound", "provider", collection)
	w.settle()
	r := lab.StartUnbound(t, root, w.snippet("unbound", "unbound"))
	w.notify("unbound", r.Addr())
	return r
}

func bind(t *testing.T, w *world, root *lab.Root, collection int64) *lab.Resolver {
	w.subscribe("bind", "provider", collection)
	w.settle()
	r := lab.StartBIND(t, root, lab.Config{Options: w.snippet("bind", "bind-options"), Zones: w.snippet("bind", "bind")})
	w.notify("bind", r.Addr())
	return r
}

// subscribe makes a subscriber unless there is one of that name.
func (w *world) subscribe(name, org string, collection int64) {
	if _, err := store.ByName[*tocsin.Subscriber](w.DB.As(registrar), name); err != nil {
		w.subscriber(name, org, collection)
	}
}

// snippet is the configuration for a subscriber's resolver, as printed.
func (w *world) snippet(subscriber, resolver string) string {
	w.t.Helper()
	status, text := w.raw("telco", "GET", "/api/subscribers/"+subscriber+"/config?for="+resolver, nil)
	if status != 200 || len(text) == 0 {
		w.t.Fatalf("configuration for %s: %d %s", resolver, status, text)
	}
	return string(text)
}

// notify says where a subscriber's resolver listens, as its operator does once
// it runs.
func (w *world) notify(name, addr string) {
	w.t.Helper()
	at := netip.MustParseAddrPort(addr)
	w.write(func(tx *store.Tx) error {
		s, err := store.Named[*tocsin.Subscriber](tx, name)
		if err != nil {
			return err
		}
		s = new(*s)
		s.Notify = []netip.AddrPort{at}
		return store.Put(tx, s)
	})
	w.settle()
}
