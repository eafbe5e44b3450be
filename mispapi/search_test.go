package mispapi

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/match"
	"tocsin/store"
)

// searchable is a world in which there is something to search for.
func searchable(t testing.TB) *world {
	w := twoParties(t) // "story" twice, one of them hidden from bob
	for _, e := range []string{
		`{"info":"Botnet on the move","distribution":1,"date":"2024-10-01","threat_level_id":1,"analysis":2,"Tag":[{"name":"type:botnet"}],"Attribute":[
			{"type":"domain","value":"one.example.net","to_ids":true,"comment":"first of many","first_seen":"2024-09-01","last_seen":"2024-09-03","Tag":[{"name":"role:c2"}]},
			{"type":"ip-dst","value":"192.0.2.7","to_ids":false,"Tag":[{"name":"role:victim"}]},
			{"type":"domain","value":"two.example.net","to_ids":true,"first_seen":"2024-10-01","last_seen":"2024-10-03"}],
		 "Object":[{"name":"url","distribution":5,"template_uuid":"60efb77b-40b5-4c46-871b-ed1ed999fce5","template_version":"9","Attribute":[
			{"type":"url","object_relation":"url","value":"http://one.example.net/a"},{"type":"text","object_relation":"fragment","value":"Fragment"}]}]}`,
		`{"uuid":"66666666-6666-4666-8666-666666666666","info":"Phishing","distribution":4,"sharing_group_id":2,"date":"2024-11-05","threat_level_id":3,"extends_uuid":"` + visible + `","Attribute":[
			{"type":"domain","value":"login.example.net","Tag":[{"name":"role:c2"}]},{"type":"email-src","value":"alice@example.net","comment":"botnet, too"}]}`,
	} {
		w.must(200, "ann", "POST", "/events/add", e)
	}
	return w
}

var (
	infoText = regexp.MustCompile(`"info":"([^"]*)"`)
	nameText = regexp.MustCompile(`"event_id":\d+,"name":"([^"]*)"`)
)

// TestFilters asks for attributes by everything that they can be asked for by.
func TestFilters(t *testing.T) {
	w := searchable(t)
	w.must(200, "ann", "POST", "/events/publish/5", ``)
	w.api.Texts = match.NewTexts(w.db)
	for filter, want := range map[string]string{
		`{"tags":"role:c2"}`:                                                                    "one.example.net login.example.net",
		`{"tags":["role:%"],"type":"ip-dst"}`:                                                   "192.0.2.7",
		`{"tags":{"AND":["type:botnet","role:c2"]}}`:                                            "one.example.net",
		`{"tags":{"OR":["role:c2"],"NOT":["type:botnet"]}}`:                                     "login.example.net",
		`{"event_tags":"type:botnet","type":"domain"}`:                                          "one.example.net two.example.net",
		`{"event_tags":"role:c2"}`:                                                              "",
		`{"event_tags":{"NOT":["type:botnet","tlp:green"]}}`:                                    "login.example.net alice@example.net",
		`{"to_ids":"exclude","type":["ip-dst","domain"]}`:                                       "192.0.2.7",
		`{"comment":"first%"}`:                                                                  "one.example.net",
		`{"category":"Payload delivery","type":"email%"}`:                                       "alice@example.net",
		`{"object_relation":["url","!fragment"]}`:                                               "http://one.example.net/a",
		`{"object_name":"url","type":"url"}`:                                                    "http://one.example.net/a",
		`{"object_template_uuid":"60efb77b-40b5-4c46-871b-ed1ed999fce5","value":"Fragment"}`:    "Fragment",
		`{"object_template_version":9,"value":"Fragment"}`:                                      "Fragment",
		`{"first_seen":"2024-09-15"}`:                                                           "two.example.net",
		`{"first_seen":["2024-08-01","2024-09-15"]}`:                                            "one.example.net",
		`{"last_seen":"2024-09-15"}`:                                                            "one.example.net",
		`{"eventinfo":"%botnet%","type":"domain"}`:                                              "one.example.net two.example.net",
		`{"threat_level_id":3}`:                                                                 "login.example.net alice@example.net",
		`{"published":1}`:                                                                       "login.example.net alice@example.net",
		`{"publish_timestamp":"1h","type":"domain"}`:                                            "login.example.net",
		`{"publish_timestamp":["3d","2d"]}`:                                                     "",
		`{"from":"2024-10-01","to":"2024-10-31","type":"domain"}`:                               "one.example.net two.example.net",
		`{"date":["2024-11-01","2024-11-30"],"type":"domain"}`:                                  "login.example.net",
		`{"sharinggroup":2}`:                                                                    "login.example.net alice@example.net",
		`{"sharinggroup":{"NOT":[2]},"type":"ip-dst"}`:                                          "192.0.2.7",
		`{"org":"Ours","threat_level_id":3,"type":"domain"}`:                                    "login.example.net",
		`{"org":"!Ours"}`:                                                                       "",
		`{"orgc_id":1,"threat_level_id":3,"type":"domain"}`:                                     "login.example.net",
		`{"eventid":"5","type":"domain"}`:                                                       "login.example.net",
		`{"eventid":["!1","!2","!4"],"type":"domain"}`:                                          "login.example.net",
		`{"uuid":"66666666-6666-4666-8666-666666666666"}`:                                       "login.example.net alice@example.net",
		`{"uuid":["66666666-6666-4666-8666-666666666666","` + inVisible + `"],"type":"domain"}`: "bad.example.org login.example.net",
		`{"uuid":"!` + inVisible + `","eventid":1,"type":"domain"}`:                             "",
		`{"eventsExtendingUuid":"` + visible + `","type":"domain"}`:                             "login.example.net",
		`{"searchall":"%botnet%"}`:                                                              "one.example.net 192.0.2.7 two.example.net http://one.example.net/a Fragment alice@example.net",
		`{"searchall":"Fragment"}`:                                                              "Fragment",
		`{"quickFilter":"alice"}`:                                                               "alice@example.net",
		`{"sighted":1}`:                                                                         "",
		`{"sighted":0,"type":"ip-dst"}`:                                                         "192.0.2.7",
		`{"timestamp":"1h","type":"ip-dst"}`:                                                    "192.0.2.7",
		`{"attribute_timestamp":["2d","1d"]}`:                                                   "",
		`{"event_timestamp":"1h","type":"ip-dst"}`:                                              "192.0.2.7",
		`{"value":"%EXAMPLE.net","type":["domain","email-src"]}`:                                "one.example.net two.example.net login.example.net alice@example.net",
		`{"value":["%one%","Fragment"],"type":["domain","text"]}`:                               "one.example.net Fragment",
		`{"value":"%nothing like it%"}`:                                                         "",
		`{"value":["192.0.2.%","!192.0.2.8"]}`:                                                  "192.0.2.7",
		`{"value":"!192.0.2.7","type":"ip-dst"}`:                                                "192.0.2.7", // as MISP
		`{"value":["!192.0.2.7"],"type":"ip-dst"}`:                                              "",
		`{"order":"Attribute.value desc","type":"domain","eventid":[4,5]}`:                      "two.example.net one.example.net login.example.net",
		`{"order":["event_id desc","id asc"],"type":"domain","eventid":[4,5]}`:                  "login.example.net one.example.net two.example.net",
	} {
		body := strings.TrimSuffix(filter, "}") + `,"returnFormat":"csv","requested_attributes":["value"],"headerless":true}`
		got := w.must(200, "ann", "POST", "/attributes/restSearch", body)
		if have := strings.Join(strings.Fields(strings.ReplaceAll(got.body, `"`, "")), " "); have != want {
			t.Errorf("%s: %q, not %q", filter, have, want)
		}
	}
}

// TestFiltersOfEvents asks for events, and for objects.
func TestFiltersOfEvents(t *testing.T) {
	w := searchable(t)
	for filter, want := range map[string]string{
		`{"tags":"role:c2"}`:                                             "Botnet on the move, Phishing",
		`{"event_tags":"type:botnet"}`:                                   "Botnet on the move",
		`{"searchall":"%botnet%"}`:                                       "Botnet on the move, Phishing",
		`{"quickFilter":"phish"}`:                                        "Phishing",
		`{"eventsExtendingUuid":["` + visible + `"]}`:                    "Phishing",
		`{"sharinggroup":[2]}`:                                           "Phishing",
		`{"object_name":"url"}`:                                          "Botnet on the move",
		`{"threat_level_id":[1,3],"order":"Event.info desc"}`:            "Phishing, Botnet on the move",
		`{"threat_level_id":[1,3],"order":"id desc","limit":1,"page":2}`: "Botnet on the move",
	} {
		got := w.must(200, "ann", "POST", "/events/restSearch", strings.TrimSuffix(filter, "}")+`,"metadata":1,"includeEventCorrelations":0}`)
		if have := all(infoText, got.body); have != want {
			t.Errorf("%s: %q, not %q", filter, have, want)
		}
	}
	for filter, want := range map[string]string{
		`{"object_name":"url"}`:                                    "url",
		`{"object_name":["!url"],"eventid":4}`:                     "",
		`{"value":"Fragment"}`:                                     "url",
		`{"object_relation":"filename"}`:                           "file, file",
		`{"tags":"tlp:green"}`:                                     "file, file",
		`{"event_tags":"type:botnet"}`:                             "url",
		`{"uuid":"` + obVisible + `"}`:                             "file",
		`{"eventid":[1,4],"order":"name desc"}`:                    "url, file",
		`{"eventid":[1,4],"order":"name desc","limit":1,"page":2}`: "file",
		`{"org":"Theirs"}`:                                         "",
		`{}`:                                                       "file, file, url",
	} {
		got := w.must(200, "ann", "POST", "/objects/restSearch", filter)
		if have := all(nameText, got.body); have != want {
			t.Errorf("objects %s: %q, not %q: %s", filter, have, want, got.body)
		}
	}
	// Of an event that is found, attributes with tags that were excluded, or not for detection, stay away.
	got := w.must(200, "ann", "POST", "/events/restSearch", `{"tags":{"OR":["type:botnet"],"NOT":["role:victim"]}}`)
	if strings.Contains(got.body, "192.0.2.7") || !strings.Contains(got.body, "two.example.net") {
		t.Errorf("an event with what was excluded: %s", got.body)
	}
	got = w.must(200, "ann", "POST", "/events/restSearch", `{"eventid":4,"to_ids":1}`)
	if strings.Contains(got.body, "192.0.2.7") || !strings.Contains(got.body, "two.example.net") {
		t.Errorf("an event with what is not for detection: %s", got.body)
	}
	if got := w.must(200, "ann", "POST", "/objects/restSearch", `{"returnFormat":"count"}`); got.body != "3" || got.header.Get("X-Result-Count") != "3" {
		t.Errorf("a count of objects: %s", got.body)
	}
}

func all(re *regexp.Regexp, body string) string {
	var out []string
	for _, m := range re.FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return strings.Join(out, ", ")
}

// TestIndexFilters asks the index of events in all its spellings.
func TestIndexFilters(t *testing.T) {
	w := searchable(t)
	for filter, want := range map[string]string{
		`{"searcheventinfo":"botnet"}`:                                   "Botnet on the move",
		`{"eventinfo":"botnet|phishing"}`:                                "Botnet on the move, Phishing",
		`{"eventinfo":"!story"}`:                                         "Botnet on the move, Phishing",
		`{"searchtag":"type:botnet|none"}`:                               "Botnet on the move",
		`{"searchTag":"!tlp:green"}`:                                     "Botnet on the move, Phishing",
		`{"attribute":"two.example.net"}`:                                "Botnet on the move",
		`{"searchall":"%alice%"}`:                                        "Phishing",
		`{"searchthreatlevel":"1|3"}`:                                    "Botnet on the move, Phishing",
		`{"analysis":2}`:                                                 "Botnet on the move",
		`{"sharinggroup":"2"}`:                                           "Phishing",
		`{"searchDatefrom":"2024-10-01","searchDateuntil":"2024-12-01"}`: "Botnet on the move, Phishing",
		`{"email":"ann@","sharinggroup":"2"}`:                            "Phishing",
		`{"email":"!ann@"}`:                                              "",
		`{"hasproposal":1}`:                                              "story, story",
		`{"hasproposal":0,"sharinggroup":"2"}`:                           "Phishing",
		`{"eventid":"4|5","sort":"info","direction":"desc"}`:             "Phishing, Botnet on the move",
		`{"eventid":"4|5","sort":"Orgc.name","limit":1,"page":2}`:        "Phishing",
		`{"sort":"info","desc":false,"limit":1}`:                         "Botnet on the move",
	} {
		if have := all(infoText, w.must(200, "ann", "POST", "/events/index", filter).body); have != want {
			t.Errorf("%s: %q, not %q", filter, have, want)
		}
	}
	for _, path := range []string{"/events/index/searcheventinfo:botnet", "/events/index?eventinfo=botnet", "/events/index.json?searcheventinfo=botnet", "/events/index/searchtag:type:botnet"} {
		if have := all(infoText, w.must(200, "ann", "GET", path, ``).body); have != "Botnet on the move" {
			t.Errorf("%s: %q", path, have)
		}
	}
	got := w.must(200, "ann", "POST", "/events/index", `{"minimal":1,"published":0}`)
	if tag := got.header.Get("ETag"); !etag.MatchString(tag) {
		t.Errorf("ETag: %q", tag)
	}
	w.must(200, "ann", "POST", "/events/publish/4", ``)
	if again := w.must(200, "ann", "POST", "/events/index", `{"minimal":1,"published":0}`); again.header.Get("ETag") == got.header.Get("ETag") {
		t.Error("another list has the same ETag")
	}
}

// TestUnsoundSearches are refused, each with a sentence.
func TestUnsoundSearches(t *testing.T) {
	w := searchable(t)
	for _, path := range []string{"/attributes/restSearch", "/events/restSearch", "/objects/restSearch", "/events/index", "/attributes/search"} {
		for _, body := range []string{`{"limit":-1}`, `{"limit":"abc"}`, `{"page":1000000000000000000}`, `{"limit":1e400}`, `{"limit":{"a":1}}`, `{"order":"nothing desc","sort":"nothing"}`,
			`{"order":"id; DROP TABLE events","sort":"id; DROP TABLE events"}`, `{"order":"id sideways","sort":"id","direction":"sideways"}`, `{"nonsense":1}`, `{"eventid":{"XOR":[1]}}`,
			`{"timestamp":["1d","2d","3d"]}`, `{"published":"perhaps"}`, fmt.Sprintf(`{"eventid":[%s1]}`, strings.Repeat("1,", maxTerms)),
			fmt.Sprintf(`{"eventinfo":[%s"%%"]}`, strings.Repeat(`"%a%",`, maxPatterns)), `{`, `[1]`, `"x"`} {
			if got := w.ask("ann", "POST", path, body); got.status < 400 || got.status > 499 || !strings.Contains(got.body, `"message"`) {
				t.Errorf("%s %.60s: %d %.200s", path, body, got.status, got.body)
			}
		}
	}
}

// TestPagesHoldStill reads pages while others write: nothing comes twice, and what
// was there when the first was read comes.
func TestPagesHoldStill(t *testing.T) {
	w := searchable(t)
	seen := map[string]int{}
	for page := 1; page < 20; page++ {
		got := w.must(200, "ann", "POST", "/attributes/restSearch", fmt.Sprintf(`{"limit":2,"page":%d}`, page))
		for _, u := range regexp.MustCompile(`"uuid":"([^"]*)","timestamp"`).FindAllStringSubmatch(got.body, -1) {
			seen[u[1]]++
		}
		w.sleep(time.Minute)
		w.must(200, "ann", "POST", "/attributes/add/1", fmt.Sprintf(`{"type":"domain","value":"page-%d.example.org"}`, page))
	}
	for u, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", u, n)
		}
	}
	if len(seen) < 11 {
		t.Errorf("%d came of 11 and more", len(seen))
	}
}

// TestClusterFilter narrows by what clusters of galaxies say.
func TestClusterFilter(t *testing.T) {
	w := searchable(t)
	c := &tocsin.Cluster{Type: "threat-actor", Value: "Example Bear", Elements: []tocsin.Element{{Key: "country", Value: "XX"}}}
	c.UUID = mustUUID("77777777-7777-4777-8777-777777777777")
	c.Distribution = access.Community
	if _, err := w.db.Apply(t.Context(), access.System("test"), func(tx *store.Tx) error { return store.AddRemark(tx, c) }); err != nil {
		t.Fatal(err)
	}
	w.must(200, "ann", "POST", "/tags/attachTagToObject", `{"uuid":"66666666-6666-4666-8666-666666666666","tag":"misp-galaxy:threat-actor=\"77777777-7777-4777-8777-777777777777\""}`)
	for filter, want := range map[string]string{`{"galaxy.country":"XX"}`: "Phishing", `{"galaxy.country":"YY"}`: "", `{"galaxy.motive":"XX"}`: ""} {
		if have := all(infoText, w.must(200, "ann", "POST", "/events/restSearch", filter).body); !strings.HasPrefix(have, want) || want == "" && have != "" {
			t.Errorf("%s: %q, not %q", filter, have, want)
		}
	}
}
