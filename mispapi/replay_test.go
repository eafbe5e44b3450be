package mispapi

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/blob"
)

// shared is the folder of recordings that stands beside the repository.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{sharedRoot()}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is absent", filepath.Join(append([]string{"../shared"}, parts...)...))
	}
	return path
}

func sharedRoot() string {
	if root := os.Getenv("TOCSIN_SHARED"); root != "" {
		return root
	}
	return filepath.Join("..", "..", "shared")
}

// A recording is one call to a MISP 2.5.1 and its answer.
type recording struct {
	Name, As string
	Request  struct {
		Method, Path string
		Headers      map[string]string
		Body         json.RawMessage
		RawBody      *string `json:"raw_body"`
	}
	Response struct {
		Status  int
		Headers map[string]string
		Kind    string `json:"body_kind"`
		Body    json.RawMessage
		// Beginning is what was recorded of a long body.
		Beginning string `json:"body_text"`
	}
}

// later are the calls to publish whose work MISP's background worker began only
// after the next call was answered: that one still shows the event unpublished.
// Ours publishes before it answers, so these two are made the other way round. A
// cluster's is the last of them.
var later = map[int]int{156: 157, 162: 163, 165: 166, 193: 194, 419: 420}

// inOrder puts the files of recordings in the order in which the calls took effect.
func inOrder(files []string) []string {
	files = slices.Clone(files)
	for i := 0; i+1 < len(files); i++ {
		if n, _ := strconv.Atoi(filepath.Base(files[i])[:3]); later[n] == n+1 {
			files[i], files[i+1] = files[i+1], files[i]
			i++
		}
	}
	return files
}

// TestReplay replays what was recorded of a MISP, in order, against a fresh
// server, and compares status, headers and bodies, ids and times mapped as they
// come back. What differs on purpose stands in differs_test.go with its reason.
func TestReplay(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "contract", "misp"), "[0-9]*.json"))
	files = inOrder(files[1:]) // the first is their index
	p := newReplay(t, (*replay).found)
	var agree, differ, unsettled int
	agreed := map[string]bool{}
	for _, file := range files {
		n := number(file)
		rec := load(t, file)
		if undefined[n] != "" {
			p.sensible(n, rec)
			unsettled++
			continue
		}
		diffs := p.call(n, rec)
		why, known := differs[n]
		switch {
		case known && len(diffs) == 0:
			t.Errorf("%s is said to differ (%s), but does not", filepath.Base(file), why)
		case known:
			differ++
		case len(diffs) > 0:
			t.Errorf("%s:\n\t%s", filepath.Base(file), strings.Join(first(diffs, 8), "\n\t"))
			differ++
		default:
			agree++
			agreed[file] = true
		}
	}
	if *golden {
		keepGolden(t, files, agreed)
	}
	t.Logf("%d answers agree with MISP 2.5.1, %d differ, as do %d members of answers; %d faults of MISP's have no answer to agree with", agree, differ, len(better), unsettled)
	for path, b := range better {
		if !p.met[path] {
			t.Errorf("%s is said to differ (%s), but does not", path, b.why)
		}
	}
}

// sensible makes a call that MISP answers with a fault of its own. Ours is none.
func (p *replay) sensible(n int, rec recording) {
	p.t.Helper()
	if rec.Response.Status != 500 {
		p.t.Errorf("%s is no fault of MISP's", rec.Name)
	}
	if got := p.make(n, rec, p.sent(rec)); got.status >= 500 {
		p.t.Errorf("%s: %d: %.300s", rec.Name, got.status, got.body)
	}
}

// number is that of a recording, by which its file's name begins.
func number(file string) int {
	n, _ := strconv.Atoi(filepath.Base(file)[:3])
	return n
}

func first(s []string, n int) []string { return s[:min(n, len(s))] }

func load(t *testing.T, file string) (rec recording) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &rec)
	}
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// A replay is a world in which recordings happen again.
type replay struct {
	*world
	ids     map[string]map[string]string // by kind: theirs to ours
	uuids   map[string]string
	drawn   map[string]string // keys and their ends
	met     map[string]bool
	painted map[string]bool // colours that a client chose
	n       int             // the call at hand
	as      string          // who makes it
	limit   bool            // it had a limit
	golden  bool            // what is replayed are answers of ours
}

// newReplay is a fresh exchange as MISP's own: one organisation, in it one who
// administers everything, two feeds, and two organisations that are blocked. Everybody else is made by recordings. Reference gives it
// its reference data.
func newReplay(t *testing.T, reference func(*replay)) *replay {
	p := &replay{world: newWorld(t, time.Unix(1795437549, 0).UTC()), ids: map[string]map[string]string{}, uuids: map[string]string{}, drawn: map[string]string{}, met: map[string]bool{}, painted: map[string]bool{}}
	p.api.Instance = func() tocsin.UUID { return mustUUID("24f1a4f8-3098-41c3-bd60-5b543a4eeb90") }
	put(p.world, &tocsin.Organisation{Name: "ORGNAME", UUID: mustUUID("cb39716b-5a41-4767-aa53-583f61dc2120"), Description: "Automatically generated admin organisation",
		Type: "ADMIN", Local: true, Created: time.Date(2026, 11, 23, 12, 6, 40, 0, time.UTC)})
	for _, o := range [][2]string{{"58d38339-7b24-4386-b4b4-4c0f950d210f", "Setec Astrononomy"}, {"58d38326-eda8-443a-9fa8-4e12950d210f", "Acme Finance"}} {
		put(p.world, &tocsin.Block{Of: tocsin.KindOrganisation, UUID: mustUUID(o[0]), Org: o[1], Comment: "default example", Created: time.Date(2026, 11, 23, 12, 6, 2, 0, time.UTC)})
	}
	reference(p)
	for _, f := range [][3]string{{"CIRCL OSINT Feed", "CIRCL", "https://www.circl.lu/doc/misp/feed-osint"}, {"The Botvrij.eu Data", "Botvrij.eu", "https://www.botvrij.eu/data/feed-osint"}} {
		put(p.world, &tocsin.Feed{Name: f[0], Provider: f[1], URL: f[2], Format: "misp", Distribution: 3, Default: true})
	}
	u := put(p.world, &tocsin.User{Org: 1, Email: "admin@admin.test", Role: 1, ChangePassword: true, Created: p.now})
	p.key("admin", &tocsin.Key{User: u.ID})
	return p
}

// keep keeps the key that was made for somebody who asks later.
func (p *replay) keep(name, body string) {
	who, ok := strings.CutPrefix(name, "authkeys-add-")
	var made struct {
		AuthKey struct {
			Raw string `json:"authkey_raw"`
		}
	}
	if ok && json.Unmarshal([]byte(body), &made) == nil {
		p.keys[who] = made.AuthKey.Raw
	}
}

func mustUUID(s string) tocsin.UUID {
	u, err := tocsin.ParseUUID(s)
	if err != nil {
		panic(err)
	}
	return u
}

// lateness is how late it was when an answer was recorded: the last time in it. A
// world that is as late has changed last what was changed last.
func lateness(body []byte) (at time.Time) {
	for _, text := range timeText.FindAllString(string(body), -1) {
		if n, _ := strconv.ParseInt(text, 10, 64); n > at.Unix() {
			at = time.Unix(n, 0)
		}
	}
	return at
}

// call makes one call again and says how the answers differ.
func (p *replay) call(n int, rec recording) (diffs []string) {
	return p.differences(n, rec, p.make(n, rec, p.sent(rec)))
}

// A request is what is sent.
type request struct {
	method, path, body string
	headers            map[string]string
}

// sent is a recorded request with our ids in the place of theirs.
func (p *replay) sent(rec recording) request {
	r := request{rec.Request.Method, p.ours(rec.Request.Path), string(rec.Request.Body), rec.Request.Headers}
	if rec.Request.RawBody != nil {
		r.body = *rec.Request.RawBody
	}
	if r.body == "null" {
		r.body = ""
	}
	return r
}

// make makes a call, when it was as late as it was then.
func (p *replay) make(n int, rec recording, r request) reply {
	if n == firstLater {
		p.fillUp()
	}
	p.n, p.limit = n, strings.Contains(r.body, "limit") && strings.HasPrefix(r.path, "/attributes")
	for _, c := range colourText.FindAllString(r.body, -1) {
		p.painted[c] = true
	}
	if at := lateness(rec.Response.Body); n > 46 && at.After(p.now) { // the world begins with the first event
		p.sleep(at.Sub(p.now))
	}
	p.as = rec.As
	got := p.askSaying(rec.As, r.method, r.path, p.ours(r.body), r.headers)
	p.keep(rec.Name, got.body)
	return got
}

// differences says how an answer differs from the recorded one.
func (p *replay) differences(n int, rec recording, got reply) (diffs []string) {
	if got.status != rec.Response.Status {
		diffs = append(diffs, fmt.Sprintf("status %d, not %d: %.200s", got.status, rec.Response.Status, got.body))
	}
	for name, want := range rec.Response.Headers {
		if d := p.header(name, p.ours(want), got.header.Get(name)); d != "" {
			diffs = append(diffs, d)
		}
	}
	if rec.Response.Kind != "json" {
		var want string
		json.Unmarshal(rec.Response.Body, &want)
		return append(diffs, p.text(want, got.body)...)
	}
	if kind := references[n]; kind != "" {
		want := rec.Response.Beginning
		if want == "" {
			want = string(rec.Response.Body)
		}
		return append(diffs, p.reference(kind, want, got.body)...)
	}
	var want, have any
	if rec.Response.Body == nil {
		want = beginning(rec.Response.Beginning)
	} else if err := unmarshal(rec.Response.Body, &want); err != nil {
		p.t.Fatal(err)
	}
	if err := unmarshal([]byte(got.body), &have); err != nil {
		return append(diffs, fmt.Sprintf("no JSON: %.200s", got.body))
	}
	if n == 6 && !p.golden {
		if more := p.compare("", "", want, p.without(newerTypes, have)); len(more) > 0 {
			p.t.Errorf("%d: %s", n, strings.Join(first(more, 8), "\n\t"))
		}
		return append(diffs, "what is said otherwise on purpose")
	}
	if bundled[n] && !p.golden {
		if diffs = append(diffs, p.bundle(want, have)...); len(diffs) > 0 {
			p.t.Errorf("%d: %s", n, strings.Join(first(diffs, 8), "\n\t"))
		}
		return append(diffs, "what is said otherwise on purpose")
	}
	controller := strings.Split(strings.Trim(rec.Request.Path, "/"), "/")[0]
	return append(diffs, p.compare(map[string]string{"taxonomies": "Taxonomy", "warninglists": "Warninglist", "noticelists": "Noticelist", "objectTemplates": "ObjectTemplate", "events": "Event", "attributes": "Attribute", "objects": "Object", "tags": "Tag", "sightings": "Sighting",
		"eventBlocklists": "EventBlocklist", "orgBlocklists": "OrgBlocklist"}[controller], "", want, have)...)
}

func unmarshal(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

func (p *replay) header(name, want, have string) string {
	switch name {
	case "Date":
		return ""
	case "ETag":
		want, have = etag.ReplaceAllString(want, "a hash"), etag.ReplaceAllString(have, "a hash")
	case "X-Result-Count":
		if p.limit && !p.golden && want != have {
			p.met[name] = true
			return strings.Join(better[name].is(p, map[string]any{name: want}, map[string]any{name: have}), " ")
		}
	}
	if want != have {
		return fmt.Sprintf("%s: %q, not %q", name, have, want)
	}
	return ""
}

var (
	etag          = regexp.MustCompile(`"[0-9a-f]{40}"`)
	uuidText      = regexp.MustCompile(`[0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}`)
	numbered      = regexp.MustCompile(`\b(Attribute|Event|Object)\((\d+)\)`)
	tagNumber     = regexp.MustCompile(`( ?)\((\d+)\) successfully`)
	pathNumber    = regexp.MustCompile(`/(` + strings.Join(slices.Sorted(maps.Keys(kindsOf)), "|") + `)(/[A-Za-z]+)?/(\d+)\b`)
	clusterNumber = regexp.MustCompile(`"target_id": *(\d+)`)
	colourText    = regexp.MustCompile(`#[0-9a-f]{6}\b`)
	timeText      = regexp.MustCompile(`\b17954\d{5}\b`)
)

// kindsOf are the controllers in whose paths numbers are those of a kind.
var kindsOf = map[string]string{
	"auth_keys":         "AuthKey",
	"tags":              "Tag",
	"events":            "Event",
	"attributes":        "Attribute",
	"objects":           "Object",
	"sharing_groups":    "SharingGroup",
	"shadow_attributes": "ShadowAttribute",
	"eventBlocklists":   "EventBlocklist",
	"orgBlocklists":     "OrgBlocklist",
	"objectReferences":  "ObjectReference",
	"taxonomies":        "Taxonomy",
	"objectTemplates":   "ObjectTemplate",
	"warninglists":      "Warninglist",
	"noticelists":       "Noticelist",
	"object_references": "ObjectReference",
	"galaxies":          "Galaxy",
	"galaxy_clusters":   "GalaxyCluster",
}

// theirHost is where the recorded MISP was asked.
const theirHost = "http://127.0.0.1:8090"

// ours puts our ids, uuids and address in the place of theirs.
func (p *replay) ours(s string) string {
	s = strings.ReplaceAll(s, theirHost, p.url)
	s = uuidText.ReplaceAllStringFunc(s, func(u string) string {
		if o, ok := p.uuids[strings.ReplaceAll(u, "_", "-")]; ok {
			return strings.ReplaceAll(o, "-", u[8:9])
		}
		return u
	})
	s = strings.ReplaceAll(s, "http://127.0.0.1:8090", p.url)
	s = numbered.ReplaceAllStringFunc(s, func(m string) string {
		g := numbered.FindStringSubmatch(m)
		return g[1] + "(" + p.id(g[1], g[2]) + ")"
	})
	s = tagNumber.ReplaceAllStringFunc(s, func(m string) string {
		g := tagNumber.FindStringSubmatch(m)
		return g[1] + "(" + p.id("Tag", g[2]) + ") successfully"
	})
	s = clusterNumber.ReplaceAllStringFunc(s, func(m string) string {
		return `"target_id":` + p.id("GalaxyCluster", clusterNumber.FindStringSubmatch(m)[1])
	})
	return pathNumber.ReplaceAllStringFunc(s, func(m string) string {
		g := pathNumber.FindStringSubmatch(m)
		kind := kindsOf[g[1]]
		switch g[1] + g[2] {
		case "shadow_attributes/add", "shadow_attributes/index":
			kind = "Event"
		case "galaxies/attachCluster":
			kind = "Event"
		case "galaxy_clusters/index", "galaxy_clusters/add":
			kind = "Galaxy"
		case "shadow_attributes/edit", "shadow_attributes/delete":
			kind = "Attribute"
		}
		if g[1]+g[2] == "attributes/add" || g[1]+g[2] == "objects/add" || g[1]+g[2] == "objects/delete" && strings.HasPrefix(s, `"`) {
			kind = "Event"
		}
		if g[1]+g[2] == "auth_keys/add" || g[1]+g[2] == "auth_keys/index" {
			kind = "User"
		}
		return "/" + g[1] + g[2] + "/" + p.id(kind, g[3])
	})
}

func (p *replay) id(kind, theirs string) string {
	if o, ok := p.ids[kind][theirs]; ok {
		return o
	}
	return theirs
}

// blank takes the times out of a text.
func blank(s string) string { return timeText.ReplaceAllString(s, "TIME") }

// kinds of what an id-like member points at; "" for the record that it stands in.
var pointers = map[string]string{"id": "", "event_id": "Event", "attribute_id": "Attribute", "old_id": "Attribute", "referenced_id": "Attribute", "object_id": "Object", "tag_id": "Tag", "sharing_group_id": "SharingGroup",
	"warninglist_id": "Warninglist", "noticelist_id": "Noticelist", "object_template_id": "ObjectTemplate", "taxonomy_id": "Taxonomy",
	"galaxy_id": "Galaxy", "galaxy_cluster_id": "GalaxyCluster", "referenced_galaxy_cluster_id": "GalaxyCluster", "attribute_tag_id": "AttributeTag", "event_tag_id": "EventTag",
	"nids_sid": "a number that is drawn"}

// drawnMembers are members that are drawn for a record: theirs are not ours.
var drawnMembers = map[string]bool{"authkey": true, "authkey_raw": true, "authkey_start": true, "authkey_end": true, "process_id": true}

var times = map[string]bool{"timestamp": true, "publish_timestamp": true, "modified": true, "created": true, "date_created": true, "date_modified": true,
	"last_api_access": true, "last_pw_change": true, "date_sighting": true, "sighting_timestamp": true}

// compare says how have differs from want, below the member called name of a
// record of some kind.
func (p *replay) compare(kind, name string, want, have any) (diffs []string) {
	path := kind + "." + name
	switch w := want.(type) {
	case cutObject, cutList:
		return p.compareCut(kind, name, want, have)
	case map[string]any:
		h, ok := have.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, not an object", path, have)}
		}
		if singular[name] != "" {
			kind = singular[name]
		}
		if w["published"] == true && w["publish_timestamp"] == json.Number("0") {
			w["publish_timestamp"] = json.Number("1") // MISP's worker had not come to it: see later
		}
		w, h = grown(kind, p.ourNames(w), h)
		for k := range w {
			if _, ok := h[k]; !ok {
				diffs = append(diffs, fmt.Sprintf("%s.%s is missing (%v)", kind, k, w[k]))
				continue
			}
			if b, ok := better[kind+"."+k]; ok && !p.golden && fmt.Sprint(w[k]) != fmt.Sprint(h[k]) {
				p.met[kind+"."+k] = true
				diffs = append(diffs, b.is(p, w, h)...)
				continue
			}
			diffs = append(diffs, p.compare(kind, k, w[k], h[k])...)
		}
		for k := range h {
			if _, ok := w[k]; !ok && k == "errors" && !p.golden {
				p.met[k] = true
				continue
			}
			if _, ok := w[k]; !ok && k != "tocsin_version" { // our own, beside the one of MISP
				diffs = append(diffs, fmt.Sprintf("%s.%s is too much (%v)", kind, k, h[k]))
			}
		}
		return diffs
	case []any:
		h, ok := have.([]any)
		if !ok || len(h) != len(w) {
			return []string{fmt.Sprintf("%s has %d elements, not %d: %.300v\n\t\tnot %.300v", path, len(h), len(w), have, want)}
		}
		for i := range w {
			diffs = append(diffs, p.compare(kind, name, w[i], h[i])...)
		}
		return diffs
	case json.Number:
		return p.number(kind, name, w, have)
	case string:
		h, ok := have.(string)
		if ok && name == "data" && sameSample(w, h) {
			return nil
		}
		if ok && w == h && name == "uuid" {
			p.uuids[w] = h
		}
		if ok && name == "message" {
			p.learn(w, h)
		}
		if ok && (w == h || times[name] || uuidText.MatchString(name) || p.ours(w) == h || p.pointsAt(kind, name, w, h)) {
			return nil
		}
		if ok && (name == "uuid" || strings.HasSuffix(name, "_uuid")) && p.uuids[w] == "" && w != "" && h != "" {
			p.uuids[w] = h
			return nil
		}
		// MISP draws the colour of a tag that nobody gave one; it then stays.
		if ok && name == "colour" && kind == "Tag" && !p.painted[w] && p.uuids[w] == "" {
			p.uuids[w] = h
			return nil
		}
		if ok && name == "colour" && p.uuids[w] == h {
			return nil
		}
		if ok && drawnMembers[name] && len(w) == len(h) && p.drawn[w] == "" {
			p.drawn[w] = h
		}
		if ok && drawnMembers[name] && p.drawn[w] == h {
			return nil
		}
	default:
		if want == have {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is %v, not %v", path, have, want)}
}

// learn takes the one uuid in a sentence, if it was drawn for it, for the one in ours.
func (p *replay) learn(want, have string) {
	w, h := uuidText.FindAllString(want, -1), uuidText.FindAllString(have, -1)
	if len(w) == 1 && len(h) == 1 && p.uuids[w[0]] == "" {
		p.uuids[w[0]] = h[0]
	}
}

// pointsAt reports whether a member that is an id, written as text, means the same
// record in both worlds.
func (p *replay) pointsAt(kind, name, want, have string) bool {
	to, ok := pointers[name]
	if to == "" {
		to = kind
	}
	return ok && p.id(to, want) == have
}

// sameSample reports whether two texts are zips that hold the same sample, by the same
// name: each zip is made anew, with its own salt.
func sameSample(a, b string) bool {
	name, sample, err := unlocked(a)
	other, same, otherErr := unlocked(b)
	return err == nil && otherErr == nil && name == other && bytes.Equal(sample, same)
}

func unlocked(text string) (string, []byte, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", nil, err
	}
	return blob.Unlock(b, 1<<20)
}

// ourNames puts our uuids in the place of theirs where they are names of members.
func (p *replay) ourNames(w map[string]any) map[string]any {
	out := w
	for k, v := range w {
		if ours := p.ours(k); ours != k {
			out = maps.Clone(out)
			delete(out, k)
			out[ours] = v
		}
	}
	return out
}

// singular are the members whose name says of which kind the record in them is.
var singular = map[string]string{"Taxonomy": "Taxonomy", "Warninglist": "Warninglist", "WarninglistEntry": "WarninglistEntry", "WarninglistType": "WarninglistType",
	"Noticelist": "Noticelist", "NoticelistEntry": "NoticelistEntry", "ObjectTemplate": "ObjectTemplate", "ObjectTemplateElement": "ObjectTemplateElement",
	"Event": "Event", "Attribute": "Attribute", "Object": "Object", "Tag": "Tag", "EventTag": "EventTag", "AttributeTag": "AttributeTag",
	"SharingGroup": "SharingGroup", "SharingGroupOrg": "SharingGroupOrg", "Organisation": "Organisation", "Org": "Org", "Orgc": "Org",
	"RelatedAttribute": "Attribute", "ShadowAttribute": "ShadowAttribute", "ObjectReference": "ObjectReference", "User": "User", "Role": "Role", "AuthKey": "AuthKey", "Feed": "Feed", "Server": "Server", "UserSetting": "UserSetting", "sync_org": "Org",
	"Sighting": "Sighting", "EventReport": "EventReport", "Galaxy": "Galaxy", "GalaxyCluster": "GalaxyCluster", "GalaxyElement": "GalaxyElement",
	"GalaxyClusterRelation": "GalaxyClusterRelation", "TargetingClusterRelation": "GalaxyClusterRelation", "Note": "Note", "Opinion": "Opinion", "Relationship": "Relationship"}

func (p *replay) number(kind, name string, want json.Number, have any) []string {
	h, ok := have.(json.Number)
	if !ok {
		return []string{fmt.Sprintf("%s.%s is %v (%T), not the number %v", kind, name, have, have, want)}
	}
	if times[name] && (want == "0") == (h == "0") {
		return nil
	}
	to, isPointer := pointers[name]
	if to == "" {
		to = kind
	}
	if isPointer && want != "0" && h != "0" {
		known, ok := p.ids[to][want.String()]
		if !ok {
			if p.ids[to] == nil {
				p.ids[to] = map[string]string{}
			}
			p.ids[to][want.String()] = h.String()
			return nil
		}
		if known == h.String() {
			return nil
		}
	}
	if want != h {
		return []string{fmt.Sprintf("%s.%s is %v, not %v", kind, name, h, want)}
	}
	return nil
}
