package mispapi

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tocsin"
	"tocsin/indicator"
)

// realTexts calls f with every file of real MISP events, whole feeds included.
func realTexts(t *testing.T, f func(name string, text []byte)) {
	t.Helper()
	walk := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Base(path) == "manifest.json" {
			return err
		}
		if strings.HasSuffix(path, ".tar.gz") {
			return inArchive(path, f)
		}
		if !strings.HasSuffix(path, ".json") {
			return nil
		}
		text, err := os.ReadFile(path)
		f(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), text)
		return err
	}
	for _, folder := range []string{"misp-events", "misp-feeds"} {
		if err := filepath.WalkDir(shared(t, "data", folder), walk); err != nil {
			t.Fatal(err)
		}
	}
}

func inArchive(path string, f func(name string, text []byte)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	for archive := tar.NewReader(zip); ; {
		head, err := archive.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if name := filepath.Base(head.Name); strings.HasSuffix(name, ".json") && name != "manifest.json" {
			text, err := io.ReadAll(archive)
			if err != nil {
				return err
			}
			f(filepath.Base(path)+"/"+name, text)
		}
	}
}

// record is a record of MISP's JSON.
type record = map[string]any

// eventsIn returns the events in a text, however they are wrapped.
func eventsIn(v any) (out []record) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = append(out, eventsIn(x)...)
		}
	case record:
		for _, name := range []string{"response", "Event"} {
			if inner, ok := v[name]; ok {
				if e, ok := inner.(record); ok && name == "Event" {
					return []record{e}
				}
				return eventsIn(inner)
			}
		}
		out = append(out, v)
	}
	return out
}

// TestRealEventsTravel brings every real event that there is to one instance, from
// there to a second, and compares: what was there with what came, and what left the
// first with what left the second. What is lost is counted by its reason, and the
// reasons are few.
func TestRealEventsTravel(t *testing.T) {
	first, second := newWorld(t, noon), newWorld(t, noon)
	for _, w := range []*world{first, second} {
		twoOrgs(w)
	}
	seen, lost, events, attributes := map[string]bool{}, map[string]int{}, 0, 0
	realTexts(t, func(name string, text []byte) {
		if strings.Contains(name, "malformed") {
			r := first.ask("root", "POST", "/events/add", string(text))
			if r.status != 405 || !strings.Contains(r.body, "line 1 (byte ") {
				t.Errorf("%s: %d %s", name, r.status, r.body)
			}
			return
		}
		var v any
		if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, e := range eventsIn(v) {
			uuid, _ := e["uuid"].(string)
			if seen[strings.ToLower(uuid)] {
				continue // an older version of one that came before
			}
			seen[strings.ToLower(uuid)] = true
			events++
			attributes += travel(t, first, second, name, e, lost)
		}
	})
	t.Logf("%d events, %d attributes; not taken: %v", events, attributes, lost)
	if events < 880 {
		t.Errorf("%d events", events)
	}
	for why := range lost {
		if !slices.ContainsFunc(knownLosses, func(is *regexp.Regexp) bool { return is.MatchString(why) }) {
			t.Errorf("%d records are lost for a reason that is not documented: %s", lost[why], why)
		}
	}
}

// knownLosses are the reasons for which something of a real event is not taken.
var knownLosses = []*regexp.Regexp{
	regexp.MustCompile(`^value: (Checksum has an invalid length|IP address has an invalid)`),
	regexp.MustCompile(`^value: A similar attribute already exists`),
	regexp.MustCompile(`^value: it wants blocksize:hash:hash`),
	regexp.MustCompile(`^value: it is longer than 253 characters`),
	regexp.MustCompile(`^value: its host is no name: it is longer than 253 characters`),
	regexp.MustCompile(`^value: it is no URL: it wants a scheme`),
}

func twoOrgs(w *world) {
	o := put(w, &tocsin.Organisation{Name: "Our CERT", UUID: mustUUID("aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"), Local: true})
	w.user("root", "root@cert.example", o.ID, 1)
}

// travel takes one event from its text to first, and from there to second, and returns
// how many attributes came.
func travel(t *testing.T, first, second *world, name string, e record, lost map[string]int) int {
	t.Helper()
	body, _ := json.Marshal(record{"Event": e})
	added := first.ask("root", "POST", "/events/add", string(body))
	if added.status != 200 {
		t.Errorf("%s: %d %.500s", name, added.status, added.body)
		return 0
	}
	refused := refusals(t, added.body)
	for _, why := range refused {
		lost[why]++
	}
	var answer struct{ Event record }
	if err := json.Unmarshal([]byte(added.body), &answer); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	uuid := answer.Event["uuid"].(string)
	here := view(t, first, uuid)
	n := came(t, name, e, here, refused)
	out, _ := json.Marshal(record{"Event": here})
	if r := second.ask("root", "POST", "/events/add", string(out)); r.status != 200 || len(refusals(t, r.body)) > 0 {
		t.Errorf("%s: the second instance answers %d, refusing %v", name, r.status, refusals(t, r.body))
		return n
	}
	there := view(t, second, uuid)
	if a, b := settled(here), settled(there); a != b {
		t.Errorf("%s: it changed on the way from the first to the second:\n%s", name, firstDifference(a, b))
	}
	return n
}

func view(t *testing.T, w *world, uuid string) record {
	t.Helper()
	r := w.ask("root", "GET", "/events/view/"+uuid+"/deleted[]:0/deleted[]:1/includeEventCorrelations:0/includeAnalystData:1", "")
	var answer struct{ Event record }
	if err := json.Unmarshal([]byte(r.body), &answer); err != nil || r.status != 200 {
		t.Fatalf("view %s: %d %.300s", uuid, r.status, r.body)
	}
	return answer.Event
}

// refusals are what an answer says was not taken, by field, without the values.
func refusals(t *testing.T, body string) (out []string) {
	t.Helper()
	var answer struct{ Errors map[string]any }
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	for _, where := range slices.Sorted(maps.Keys(answer.Errors)) {
		fields, ok := answer.Errors[where].(record)
		if !ok {
			out = append(out, fmt.Sprint(where, ": ", answer.Errors[where]))
		}
		for _, field := range slices.Sorted(maps.Keys(fields)) {
			for _, why := range fields[field].([]any) {
				out = append(out, field+": "+fmt.Sprint(why))
			}
		}
	}
	return out
}

// parts are an event's attributes, those in objects among them, its objects, and what
// is said of them, by uuid where they have one.
func parts(e record) (attributes, objects, said []record) {
	attributes = recordsIn(e["Attribute"])
	objects = recordsIn(e["Object"])
	said = append(recordsIn(e["EventReport"]), recordsIn(e["ObjectReference"])...)
	said = append(said, recordsIn(e["ShadowAttribute"])...)
	for _, o := range objects {
		attributes = append(attributes, recordsIn(o["Attribute"])...)
		said = append(said, recordsIn(o["ObjectReference"])...)
	}
	for _, a := range attributes {
		said = append(append(said, recordsIn(a["Sighting"])...), recordsIn(a["ShadowAttribute"])...)
	}
	return attributes, objects, said
}

func recordsIn(v any) (out []record) {
	list, _ := v.([]any)
	for _, x := range list {
		if r, ok := x.(record); ok {
			out = append(out, r)
		}
	}
	return out
}

// came compares an event as it was sent with what the instance has of it.
func came(t *testing.T, name string, sent, here record, refused []string) int {
	t.Helper()
	as, os, said := parts(sent)
	asHere, osHere, saidHere := parts(here)
	if len(as)+len(os)+len(said) != len(asHere)+len(osHere)+len(saidHere)+len(refused) {
		t.Errorf("%s: %d attributes, %d objects and %d remarks came of %d, %d and %d, and %d are said to be refused: %v", name,
			len(asHere), len(osHere), len(saidHere), len(as), len(os), len(said), len(refused), first(refused, 20))
	}
	same(t, name, sent, here, "info", "date", "threat_level_id", "analysis", "timestamp", "published", "extends_uuid", "distribution", "disable_correlation", "locked")
	tags(t, name, sent, here)
	byUUID, saidBy := map[string]record{}, map[string]record{}
	for _, r := range slices.Concat(asHere, osHere) {
		byUUID[fmt.Sprint(r["uuid"])] = r
	}
	for _, r := range saidHere { // a proposal has the uuid of its attribute
		saidBy[fmt.Sprint(r["uuid"])] = r
	}
	missing := 0
	for _, a := range as {
		is, ok := byUUID[strings.ToLower(fmt.Sprint(a["uuid"]))]
		if !ok {
			if a["uuid"] != nil {
				missing++
			}
			continue
		}
		same(t, name, a, is, "type", "category", "comment", "to_ids", "timestamp", "deleted", "object_relation", "distribution", "first_seen", "last_seen", "data")
		if a["type"] == "malware-sample" { // its sum is that of its content, whatever was said
			continue
		}
		if want, err := indicator.Parse(fmt.Sprint(a["type"]), fmt.Sprint(a["value"])); err != nil || want.String() != is["value"] {
			t.Errorf("%s: %v is %q, not %q %v", name, a["uuid"], is["value"], a["value"], err)
		}
		tags(t, name, a, is)
	}
	if missing > len(refused) {
		t.Errorf("%s: %d attributes are missing, and %d records refused", name, missing, len(refused))
	}
	for _, o := range os {
		if is, ok := byUUID[strings.ToLower(fmt.Sprint(o["uuid"]))]; ok {
			same(t, name, o, is, "name", "meta-category", "description", "template_uuid", "template_version", "comment", "timestamp", "deleted", "distribution", "first_seen", "last_seen")
		}
	}
	for _, s := range said {
		if is, ok := saidBy[strings.ToLower(fmt.Sprint(s["uuid"]))]; ok {
			same(t, name, s, is, "relationship_type", "referenced_uuid", "comment", "timestamp", "date_sighting", "source", "type", "name", "content")
		}
	}
	return len(asHere)
}

// same compares members that a sender named, however it spelt numbers, times and truth.
func same(t *testing.T, name string, sent, here record, members ...string) {
	t.Helper()
	for _, m := range members {
		want, ok := sent[m]
		if a, b := plainly(want), plainly(here[m]); ok && want != nil && want != "" && a != b {
			t.Errorf("%s: %v: %s is %q, not %q", name, sent["uuid"], m, b, a)
		}
	}
}

func plainly(v any) string {
	s := fmt.Sprint(v)
	switch v := v.(type) {
	case bool:
		return map[bool]string{true: "1", false: "0"}[v]
	case float64:
		return fmt.Sprintf("%.0f", v)
	case nil:
		return ""
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at.UTC().Format(time.RFC3339Nano)
	}
	return strings.TrimSpace(s)
}

// tags wants each tag that a record was sent with.
func tags(t *testing.T, name string, sent, here record) {
	t.Helper()
	has := map[string]bool{}
	for _, tag := range recordsIn(here["Tag"]) {
		has[strings.ToLower(fmt.Sprint(tag["name"]))] = true
	}
	for _, tag := range recordsIn(sent["Tag"]) {
		if n := strings.ToLower(strings.TrimSpace(fmt.Sprint(tag["name"]))); !has[n] {
			t.Errorf("%s: %v: the tag %q is missing", name, sent["uuid"], n)
		}
	}
	for _, g := range recordsIn(sent["Galaxy"]) {
		for _, c := range recordsIn(g["GalaxyCluster"]) {
			if n := strings.ToLower(fmt.Sprint(c["tag_name"])); !has[n] {
				t.Errorf("%s: %v: the cluster %q is missing", name, sent["uuid"], n)
			}
		}
	}
}

// settled writes a record in one way, without what each instance has of its own: its
// numbers, who holds the event, and when it was published here.
func settled(v any) string {
	b, _ := json.MarshalIndent(withoutOwn(v), "", " ")
	return string(b)
}

var ownMembers = map[string]bool{"id": true, "event_id": true, "object_id": true, "attribute_id": true, "org_id": true, "orgc_id": true, "tag_id": true,
	"old_id": true, "referenced_id": true, "publish_timestamp": true, "Org": true, "org_uuid": true, "sharing_group_id": true, "user_id": true, "galaxy_id": true, "proposal_email_lock": true}

func withoutOwn(v any) any {
	switch v := v.(type) {
	case record:
		out := record{}
		for k, x := range v {
			if !ownMembers[k] {
				out[k] = withoutOwn(x)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = withoutOwn(v[i])
		}
		slices.SortStableFunc(out, func(a, b any) int { return strings.Compare(keyOf(a), keyOf(b)) })
		return out
	}
	return v
}

func keyOf(v any) string {
	r, _ := v.(record)
	return fmt.Sprint(r["uuid"], r["name"], r["value"])
}

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range as {
		if i >= len(bs) || as[i] != bs[i] {
			return fmt.Sprintf("line %d: %s\n\tnot %s", i+1, strings.Join(bs[min(i, len(bs)):min(i+4, len(bs))], " "), strings.Join(as[i:min(i+4, len(as))], " "))
		}
	}
	return "more comes than was"
}
