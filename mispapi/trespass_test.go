package mispapi

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tocsin"
	"tocsin/httpd"
)

// A part is a record that a word in the tables of rights_test.go stands for. All but
// own are ann's organisation's.
type part struct {
	visible string // bob's organisation may see it and not change it; "" where it sees none
	hidden  string // it may not even see it; "" where it sees all
	absent  string // there is no such record
	site    bool   // it is the site administrators' alone, and no organisation's
	own     string // bob's own, of another event than the rest; "" for none
}

// castPeople says which records the words stand for. A new kind of record that calls
// name has its line here.
func (w *world) castPeople(ann *tocsin.User) {
	role := put(w, &tocsin.Role{Name: "a role of ours"})
	setting := put(w, &tocsin.UserSetting{User: ann.ID, Name: "homepage", Value: []byte(`"/events"`)})
	tag := put(w, &tocsin.Tag{Name: "of our own", Org: ann.Org})
	tags := put(w, &tocsin.TagCollection{Name: "the cast's", UUID: tocsin.NewUUID(w.now), Org: ann.Org})
	feed := put(w, &tocsin.Feed{Name: "a feed", Provider: "x", URL: "https://feed.example.org"})
	peer := put(w, &tocsin.Peer{Name: "a peer", URL: "https://misp.example.org", Remote: ann.Org, Key: tocsin.NewSecret([]byte("a key"))})
	asked := put(w, &tocsin.Registration{Email: "new@example.org"})
	allowed := put(w, &tocsin.Allowed{Pattern: "/harmless/"})
	k := &tocsin.Key{User: ann.ID}
	w.key("ann's other key", k)
	w.cast = map[string]part{
		"EVENT":     {visible: visible, hidden: hidden, absent: absent, own: bobsEvent},
		"ATTRIBUTE": {visible: inVisible, hidden: inHidden, absent: absent, own: inBobs},
		"OBJECT":    {visible: obVisible, hidden: obHidden, absent: absent, own: obBobs},
		"PICTURE":   {visible: pictureVisible, hidden: pictureHidden, absent: absent},
		"GROUP":     {visible: groupTwo, hidden: groupOurs, absent: absent},
		"REPORT":    {visible: reportVisible, hidden: reportHidden, absent: absent},
		"TAG":       {hidden: itoa(tag.ID), absent: "99999"},
		"TAGS":      {hidden: itoa(tags.ID), absent: "99999"},
		"ORG":       {visible: "1", absent: "99999"},
		"ROLE":      {visible: itoa(role.ID), absent: "99999"},
		"FEED":      {site: true, hidden: itoa(feed.ID), absent: "99999"},
		"PEER":      {site: true, hidden: itoa(peer.ID), absent: "99999"},
		"ASKED":     {site: true, hidden: itoa(asked.ID), absent: "99999"},
		"ALLOWED":   {visible: itoa(allowed.ID), absent: "99999"},
		"USER":      {hidden: itoa(ann.ID), absent: "99999"},
		"KEY":       {hidden: k.UUID.String(), absent: absent},
		"SETTING":   {hidden: itoa(setting.ID), absent: "99999"},
	}
	for event, picture := range map[string]string{visible: pictureVisible, hidden: pictureHidden} {
		w.must(200, "ann", "POST", "/attributes/add/"+event, `{"uuid":"`+picture+`","type":"attachment","value":"a.png","data":"`+onePixel+`"}`)
	}
	put(w, &tocsin.Setting{Name: tocsin.Delegation, Value: "true"})
	third := put(w, &tocsin.Organisation{Name: "Thirds", UUID: mustUUID("dddddddd-dddd-4ddd-8ddd-dddddddddddd"), Local: true})
	wish := put(w, &tocsin.Handover{Event: 1, Org: third.ID, Requester: ann.Org})
	kept := put(w, &tocsin.Block{Of: tocsin.KindEvent, UUID: tocsin.NewUUID(w.now)})
	nobody := put(w, &tocsin.Block{Of: tocsin.KindOrganisation, UUID: tocsin.NewUUID(w.now)})
	w.cast["HANDOVER"] = part{hidden: itoa(wish.ID), absent: "99999"}
	w.cast["KEPTOUT"] = part{hidden: kept.UUID.String(), absent: absent}
	w.cast["NOBODY"] = part{hidden: nobody.UUID.String(), absent: absent}
	refer := func(object, to string) string {
		return member(w.t, w.must(200, "ann", "POST", "/object_references/add/"+object, `{"referenced_uuid":"`+to+`","relationship_type":"drops"}`).body, "ObjectReference", "uuid")
	}
	propose := func(event string) string {
		return idOf(w.must(200, "ann", "POST", "/shadow_attributes/add/"+event, `{"type":"domain","value":"more.example.net"}`))
	}
	note := func(event string) string {
		return member(w.t, w.must(200, "ann", "POST", "/analyst_data/add/Note/"+event+"/Event", `{"note":"n","distribution":5}`).body, "Note", "uuid")
	}
	own := func(reach string) (uuid, relation string) {
		uuid = tocsin.NewUUID(w.now).String()
		w.must(200, "ann", "POST", "/galaxies/import", `{"GalaxyCluster":{"uuid":"`+uuid+`","type":"tool","value":"of ann's","distribution":`+reach+`}}`)
		got := w.must(200, "ann", "POST", "/galaxy_cluster_relations/add", `{"galaxy_cluster_uuid":"`+uuid+`","referenced_galaxy_cluster_uuid":"`+absent+`","referenced_galaxy_cluster_type":"uses","distribution":1}`)
		return uuid, member(w.t, got.body, "GalaxyClusterRelation", "id")
	}
	seen, of := own("1")
	unseen, ofUnseen := own("0")
	w.cast["CLUSTER"] = part{visible: seen, hidden: unseen, absent: absent}
	w.cast["RELATION"] = part{visible: of, hidden: ofUnseen, absent: "99999"}
	w.cast["NOTE"] = part{visible: note(visible), hidden: note(hidden), absent: absent}
	w.cast["REFERENCE"] = part{visible: refer(obVisible, inVisible), hidden: refer(obHidden, inHidden), absent: absent}
	w.cast["PROPOSAL"] = part{visible: propose(visible), hidden: propose(hidden), absent: "99999"}
	for event, report := range map[string]string{visible: reportVisible, hidden: reportHidden} {
		w.must(200, "ann", "POST", "/event_reports/add/"+event, `{"uuid":"`+report+`","name":"a report","content":"of what happened"}`)
	}
	w.must(200, "bob", "POST", "/events/add", `{"Event":{"uuid":"`+bobsEvent+`","info":"bob's","distribution":0,
		"Attribute":[{"uuid":"`+inBobs+`","type":"domain","value":"other.example.org"}],
		"Object":[{"uuid":"`+obBobs+`","name":"file","distribution":5,"Attribute":[{"type":"filename","object_relation":"filename","value":"other.exe"}]}]}}`)
}

const (
	pictureVisible = "11111111-1111-4111-8111-ffffffffffff"
	pictureHidden  = "22222222-2222-4222-8222-ffffffffffff"
	reportVisible  = "11111111-1111-4111-8111-dddddddddddd"
	reportHidden   = "22222222-2222-4222-8222-dddddddddddd"

	bobsEvent = "55555555-5555-4555-8555-555555555555"
	inBobs    = "55555555-5555-4555-8555-aaaaaaaaaaaa"
	obBobs    = "55555555-5555-4555-8555-bbbbbbbbbbbb"
)

// words are those of the cast that stand in a text, in order, each once.
func (w *world) words(text string) (out []string) {
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return r < 'A' || r > 'Z' }) {
		if _, ok := w.cast[word]; ok && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// trespass asks as somebody, with records in the place of words. It is false where there
// is no such record of one of them.
func (w *world) trespass(as, path, body string, choose func(word string, p part) string) (reply, bool) {
	method, path, _ := strings.Cut(path, " ")
	var there, back []string
	for _, word := range w.words(path + " " + body) {
		id := choose(word, w.cast[word])
		if id == "" {
			return reply{}, false
		}
		there = append(there, word, id)
		back = append(back, "/"+id, "/ID", ":"+id, ":ID", `"`+id+`"`, `"ID"`, " "+id, " ID")
	}
	in := strings.NewReplacer(there...)
	r := w.ask(as, method, in.Replace(path), in.Replace(body))
	r.body = strings.NewReplacer(back...).Replace(r.body)
	return r, true
}

func isVisible(_ string, p part) string { return p.visible }
func isHidden(_ string, p part) string  { return p.hidden }
func isAbsent(_ string, p part) string  { return p.absent }
func isAnns(_ string, p part) string    { return cmp.Or(p.visible, p.hidden) }

func refused(r reply) bool { return r.status == 403 || r.status == 404 || r.status == 405 }

// TestWritesAreTheOwners asks every call that changes something for records that
// are not the caller's, and looks whether anything changed.
func TestWritesAreTheOwners(t *testing.T) {
	w := twoParties(t)
	for _, c := range writes {
		before := w.head()
		if got, ok := w.trespass("bob", c.path, c.body, isVisible); ok && !refused(got) {
			t.Errorf("%s: another organisation's record: %d %s", c.path, got.status, got.body)
		}
		if got, _ := w.trespass("reader", c.path, c.body, isAnns); !refused(got) {
			t.Errorf("%s: a role that only reads: %d %s", c.path, got.status, got.body)
		}
		if got, _ := w.trespass("ann's read-only key", c.path, c.body, isAnns); got.status != 403 || !strings.Contains(got.body, notPermitted) {
			t.Errorf("%s: a read-only key: %d %s", c.path, got.status, got.body)
		}
		if got, _ := w.trespass("", c.path, c.body, isAnns); got.status != 403 || !strings.Contains(got.body, notAuthenticated) {
			t.Errorf("%s: nobody: %d %s", c.path, got.status, got.body)
		}
		if a, ok := w.trespass("bob", c.path, c.body, isHidden); ok {
			b, _ := w.trespass("bob", c.path, c.body, isAbsent)
			if a.status != b.status || a.body != b.body || a.status < 400 {
				t.Errorf("%s: a hidden record is answered %d %s\n\tan absent one %d %s", c.path, a.status, a.body, b.status, b.body)
			}
		}
		if after := w.head(); after != before {
			t.Errorf("%s %s: %d lines were written", c.path, c.body, after-before)
		}
	}
	before := w.head()
	for _, c := range makes {
		for _, as := range []string{"reader", "ann's read-only key"} {
			if got, _ := w.trespass(as, "POST "+c.path, c.body, isAnns); got.status != 403 {
				t.Errorf("%s as %s: %d %s", c.path, as, got.status, got.body)
			}
		}
	}
	for path := range own {
		if got := w.ask("ann's read-only key", "POST", path, `{}`); got.status != 403 {
			t.Errorf("%s with a read-only key: %d %s", path, got.status, got.body)
		}
	}
	if after := w.head(); after != before {
		t.Errorf("%d lines were written", after-before)
	}
}

// TestWritesKeepToTheirParent asks calls that name several records for one of the
// caller's own and others of somebody else: who is let in by the one must not change the
// other.
func TestWritesKeepToTheirParent(t *testing.T) {
	w := twoParties(t)
	anns := func() (all string) {
		for _, path := range []string{"/events/view/" + visible, "/events/view/" + hidden} {
			all += w.must(200, "ann", "GET", path, "").body
		}
		return all
	}
	before := anns()
	for _, c := range writes {
		words := w.words(c.path + " " + c.body)
		for _, mine := range words {
			if len(words) < 2 || w.cast[mine].own == "" {
				continue
			}
			for _, other := range []func(string, part) string{isVisible, isHidden} {
				got, ok := w.trespass("bob", c.path, c.body, func(word string, p part) string {
					if word == mine {
						return p.own
					}
					return other(word, p)
				})
				if ok && anns() != before {
					t.Fatalf("%s %s, %s being the caller's own: %d %s\n\tit changed the others", c.path, c.body, mine, got.status, got.body)
				}
			}
		}
	}
}

// makes are calls that make something new, for which there is nothing to ask of others.
// A role that only reads is refused.
var makes = []struct{ path, body string }{
	{"/events/add", `{"info":"x"}`},
	{"/events/upload_stix/2", `{"type":"bundle","objects":[]}`},
	{"/event_blocklists/add", `{"uuids":["11111111-1111-4111-8111-eeeeeeeeeeee"]}`},
	{"/org_blocklists/add", `{"uuids":["11111111-1111-4111-8111-eeeeeeeeeeee"]}`},
	{"/analyst_data/pushAnalystData", `{"Note":{"uuid":"12345678-1234-4123-8123-123456789012","object_uuid":"` + visible + `","object_type":"Event","note":"n"}}`},
	{"/correlation_exclusions/add", `{"value":"x"}`},
	{"/correlation_exclusions/edit/1", `{"value":"x"}`},
	{"/correlation_exclusions/delete/1", ``},
	{"/correlation_exclusions/clean", ``},
	{"/decayingModel/add", `{"name":"x","parameters":{"lifetime":1,"decay_speed":1}}`},
	{"/decayingModel/edit/1", `{"name":"x"}`},
	{"/decayingModel/update", ``},
	{"/decayingModel/enable/1", ``},
	{"/decayingModel/disable/1", ``},
	{"/galaxy_clusters/add/1", `{"value":"x"}`},
	{"/galaxies/import", `{"GalaxyCluster":{"type":"tool","value":"x"}}`},
	{"/galaxies/pushCluster", `{"GalaxyCluster":{"type":"tool","value":"x"}}`},
	{"/sharing_groups/add", `{"name":"x"}`},
	{"/sharing_groups/edit/GROUP", `{"name":"x"}`},
	{"/sharing_groups/addOrg/GROUP/1", ``},
	{"/sharing_groups/delete/GROUP", ``},
	{"/sharing_groups/addServer/GROUP/1", ``},
	{"/sharing_groups/removeServer/GROUP/1", ``},
	{"/sharing_groups/removeOrg/GROUP/1", ``},
	{"/admin/organisations/add", `{"name":"x"}`},
	{"/admin/roles/add", `{"name":"x"}`},
	{"/feeds/add", `{"name":"x","provider":"x","url":"https://feed.example.org"}`},
	{"/feeds/loadDefaultFeeds", ``},
	{"/feeds/fetchFromAllFeeds", ``},
	{"/admin/allowedlists/add", `{"name":"/x/"}`},
	{"/servers/add", `{"name":"x","url":"https://misp.example.org"}`},
	{"/servers/import", `{"url":"https://misp.example.org"}`},
	{"/servers/serverSettingsEdit/MISP.live", `{"value":false}`},
	{"/admin/users/add", `{"email":"x@ours.example"}`},
}

// own are calls by which everybody changes what is theirs, with the reason.
var own = map[string]string{
	"/users/change_pw": "one's own password",
}

// TestEveryCallIsAsked holds the tables to the table of routes: what writes stands in
// one of the first three, and what names a record to read stands among the reads.
func TestEveryCallIsAsked(t *testing.T) {
	asked, read := map[string]bool{}, map[string]bool{}
	note := func(seen map[string]bool, path string) {
		for _, act := range (&API{}).actions() {
			if path == act.path || strings.HasPrefix(path, act.path+"/") {
				seen[act.path] = true
			}
		}
	}
	for _, c := range writes {
		_, path, _ := strings.Cut(c.path, " ")
		note(asked, path)
	}
	for _, c := range makes {
		note(asked, c.path)
	}
	for _, path := range tagWrites {
		note(asked, path)
	}
	for _, c := range speech {
		note(asked, c.path)
	}
	for _, r := range saying {
		for _, c := range r.writes {
			note(asked, c.path)
		}
	}
	for _, c := range shelfWrites {
		note(asked, c.path)
	}
	for _, path := range shelfReads {
		note(read, path)
	}
	for path := range maps.Keys(own) {
		note(asked, path)
	}
	for _, c := range reads {
		_, path, _ := strings.Cut(c.path, " ")
		note(read, path)
	}
	for _, act := range (&API{}).actions() {
		if act.changes() && !asked[act.path] {
			t.Errorf("no test asks %s for records of others: give it a row in writes, makes or own", act.path)
		}
		if !act.changes() && act.missing.status != 0 && !read[act.path] {
			t.Errorf("no test asks %s for a hidden record: give it a row in reads", act.path)
		}
	}
}

// changes reports whether an action may change something.
func (act *action) changes() bool {
	var rt httpd.Route
	for _, o := range act.opts {
		o(&rt)
	}
	return !rt.Asks && act.verbs != http.MethodGet
}

// reads are calls that read a record which they name.
var reads = []struct{ path, body string }{
	{"GET /attributes/download/PICTURE", ``}, {"GET /attributes/downloadAttachment/download/PICTURE", ``},
	{"GET /attributes/viewPicture/PICTURE", ``}, {"GET /attributes/viewPicture/PICTURE/1", ``},
	{"GET /events/view/EVENT", ``}, {"GET /events/EVENT", ``}, {"HEAD /events/view/EVENT", ``},
	{"GET /attributes/view/ATTRIBUTE", ``}, {"GET /objects/view/OBJECT", ``},
	{"POST /events/restSearch", `{"eventid":"EVENT"}`}, {"POST /events/restSearch", `{"uuid":"EVENT"}`},
	{"POST /attributes/restSearch", `{"eventid":"EVENT"}`}, {"POST /attributes/restSearch", `{"uuid":"ATTRIBUTE"}`},
	{"POST /objects/restSearch", `{"eventid":"EVENT"}`}, {"POST /objects/restSearch", `{"uuid":"OBJECT"}`}, {"POST /objects/restSearch", `{"uuid":"ATTRIBUTE"}`},
	{"POST /attributes/search", `{"eventid":"EVENT"}`}, {"POST /attributes/search", `{"uuid":"ATTRIBUTE"}`},
	{"POST /attributes/restSearch", `{"uuid":"EVENT"}`}, {"POST /events/index", `{"searcheventid":"EVENT"}`},
	{"POST /attributes/restSearch", `{"eventid":"EVENT","returnFormat":"csv"}`}, {"POST /attributes/restSearch", `{"eventid":"EVENT","returnFormat":"count"}`},
	{"GET /sharing_groups/view/GROUP", ``}, {"GET /object_references/view/REFERENCE", ``},
	{"GET /shadow_attributes/view/PROPOSAL", ``}, {"GET /shadow_attributes/EVENT", ``}, {"GET /shadow_attributes/index/EVENT", ``},
	{"GET /organisations/view/ORG", ``}, {"GET /roles/view/ROLE", ``},
	{"GET /users/view/USER", ``}, {"GET /admin/users/view/USER", ``}, {"GET /auth_keys/view/KEY", ``}, {"GET /auth_keys/index/USER", ``},
	{"GET /user_settings/view/SETTING", ``}, {"POST /user_settings/getSetting", `{"user_id":"USER","setting":"homepage"}`},
	{"GET /warninglists/view/LIST", ``}, {"GET /analyst_data/view/Note/NOTE", ``}, {"GET /analyst_data/getRelatedElement/Event/EVENT", ``},
	{"GET /galaxy_clusters/view/CLUSTER", ``}, {"GET /galaxy_cluster_relations/view/RELATION", ``},
	{"GET /correlation_exclusions/view/NONE", ``}, {"GET /decayingModel/view/NONE", ``}, {"GET /decayingModelMapping/viewAssociatedTypes/NONE", ``}, {"GET /galaxies/view/NONE", ``}, {"GET /galaxies/export/NONE", ``}, {"GET /galaxy_clusters/index/NONE", ``},
	{"GET /sightings/EVENT", ``}, {"GET /sightings/index/EVENT", ``}, {"GET /sightings/listSightings/ATTRIBUTE", ``},
	{"GET /event_reports/view/REPORT", ``}, {"GET /event_reports/EVENT", ``}, {"GET /event_reports/index/event_id:EVENT", ``},
	{"GET /tags/view/TAG", ``}, {"GET /tag_collections/view/TAGS", ``}, {"GET /communities/view/NONE", ``},
	{"GET /feeds/view/FEED", ``}, {"GET /feeds/previewIndex/FEED", ``}, {"POST /servers/testConnection/PEER", ``},
	{"POST /events/contact/EVENT", `{"message":"hello"}`},
	{"GET /allowedlists/view/ALLOWED", ``}, {"GET /logs/event_index/EVENT", ``},
	{"POST /sightings/filterSightingUuidsForPush/EVENT", `["11111111-1111-4111-8111-cccccccccccc"]`},
}

// TestReadsAreTheViewers asks every call that reads for a hidden record.
func TestReadsAreTheViewers(t *testing.T) {
	w := twoParties(t)
	for _, c := range reads {
		if a, ok := w.trespass("bob", c.path, c.body, isHidden); ok {
			b, _ := w.trespass("bob", c.path, c.body, isAbsent)
			if a.status != b.status || a.body != b.body {
				t.Errorf("%s %s: a hidden record is answered %d %s\n\tan absent one %d %s", c.path, c.body, a.status, a.body, b.status, b.body)
			}
		}
		if got, _ := w.trespass("", c.path, c.body, isAnns); got.status != 403 {
			t.Errorf("%s: nobody: %d %s", c.path, got.status, got.body)
		}
		a, seen := w.trespass("bob", c.path, c.body, isVisible)
		b, _ := w.trespass("ann", c.path, c.body, isAnns)
		if seen && len(w.words(c.path+c.body)) > 0 && !strings.Contains(c.path, "/logs/") && (a.status != 200 || len(a.body) < len(b.body)/2) {
			t.Errorf("%s %s: who may see: %d %s, %d %s", c.path, c.body, a.status, a.body, b.status, b.body)
		}
		if words := w.words(c.path + " " + c.body); len(words) > 0 && w.cast[words[0]].site && refused(b) {
			continue
		}
		if len(w.words(c.path+" "+c.body)) > 0 && b.status != 200 {
			t.Errorf("%s %s: whose it is: %d %s", c.path, c.body, b.status, b.body)
		}
	}
	for _, c := range []struct{ path, body string }{
		{"/attributes/restSearch", `{"value":"bad.example.org","includeCorrelations":1}`}, {"/attributes/restSearch", `{}`},
		{"/objects/restSearch", `{}`}, {"/objects/restSearch", `{"object_name":"file"}`}, {"/attributes/search", `{"value":"bad.example.org"}`}, {"/attributes/index", `{}`},
		{"/attributes/restSearch", `{"object_name":"file"}`}, {"/events/restSearch", `{"object_name":"file"}`}, {"/events/restSearch", `{"searchall":"%"}`},
		{"/attributes/restSearch", `{"searchall":"%"}`}, {"/attributes/restSearch", `{"value":"%bad%"}`}, {"/events/restSearch", `{}`}, {"/events/index", `{}`}, {"/events/restSearch", `{"value":"bad.example.org"}`},
	} {
		if got := w.must(200, "bob", "POST", c.path, c.body); strings.Contains(got.body, "22222222-") {
			t.Errorf("%s %s shows what is hidden: %s", c.path, c.body, got.body)
		}
	}
}
