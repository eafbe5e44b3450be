package mispapi

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// TestDefaultFeeds takes the list of feeds that MISP's community publishes: all of them
// off, those that are here once, and no number of the instance that published it.
func TestDefaultFeeds(t *testing.T) {
	w := twoParties(t)
	w.user("site", "site@ours.example", 1, 1)
	if got := w.ask("site", "POST", "/feeds/loadDefaultFeeds", ``); got.status != 404 {
		t.Errorf("without a list: %d %s", got.status, got.body)
	}
	const feed = `{"Feed":{"name":"%s","provider":"P","url":"%s","enabled":true,"caching_enabled":true,"distribution":"%s","sharing_group_id":"1","tag_id":"77","event_id":"1","default":true,"source_format":"csv"}%s}`
	list := fmt.Sprintf("["+feed+","+feed+","+feed+","+feed+"]",
		"one", "https://feed.example/one", "3", `,"Tag":{"name":"osint:from=\"one\"","colour":"#102030"}`, "two", "https://feed.example/two", "4", "",
		"one again", "https://feed.example/one", "3", "", "no feed", "ftp://feed.example/", "3", "")
	w.api.DefaultFeeds = func(context.Context) ([]byte, error) { return []byte(list), nil }
	w.must(403, "ann", "POST", "/feeds/loadDefaultFeeds", ``)
	for range 2 { // again changes nothing
		w.must(200, "site", "POST", "/feeds/loadDefaultFeeds", ``)
	}
	got := w.must(200, "site", "GET", "/feeds/index", ``).body
	if strings.Count(got, `"url":"https://feed.example/`) != 2 || strings.Contains(got, "one again") || strings.Contains(got, "no feed") {
		t.Errorf("%s", got)
	}
	for _, no := range []string{`"enabled":true`, `"caching_enabled":true`, `"tag_id":77`, `"event_id":1,`, `"distribution":4`, `"sharing_group_id":1`} {
		if strings.Contains(got, no) {
			t.Errorf("%s: %s", no, got)
		}
	}
	if tags := w.must(200, "site", "GET", "/tags/index", ``).body; !strings.Contains(tags, `osint:from=\"one\"`) {
		t.Errorf("%s %s", tags, got)
	}
	w.api.DefaultFeeds = func(context.Context) ([]byte, error) { return []byte(`<html>`), nil }
	if got := w.ask("site", "POST", "/feeds/loadDefaultFeeds", ``); got.status/100 != 4 {
		t.Errorf("a web page: %d %s", got.status, got.body)
	}
}
