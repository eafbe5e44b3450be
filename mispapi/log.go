package mispapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/access"
	"tocsin/store"
)

// models are MISP's names of kinds of records.
var models = map[tocsin.Kind]string{
	tocsin.KindEvent: "Event", tocsin.KindAttribute: "Attribute", tocsin.KindObject: "MispObject", tocsin.KindOrganisation: "Organisation",
	tocsin.KindUser: "User", tocsin.KindKey: "AuthKey", tocsin.KindGroup: "SharingGroup", tocsin.KindTag: "Tag", tocsin.KindReference: "ObjectReference",
	tocsin.KindSighting: "Sighting", tocsin.KindProposal: "ShadowAttribute", tocsin.KindReport: "EventReport", tocsin.KindNote: "Note",
	tocsin.KindOpinion: "Opinion", tocsin.KindRelationship: "Relationship", tocsin.KindCluster: "GalaxyCluster", tocsin.KindTagCollection: "TagCollection",
	tocsin.KindRole: "Role", tocsin.KindFeed: "Feed", tocsin.KindPeer: "Server", tocsin.KindSetting: "Server", tocsin.KindUserSetting: "UserSetting",
	tocsin.KindRegistration: "Inbox", tocsin.KindAllowed: "Allowedlist", tocsin.KindGuardList: "Warninglist",
}

// A logEntry is a line of the log as MISP has it.
type logEntry struct {
	ID          int64  `json:"id"`
	Title       string `json:"title"`
	Created     string `json:"created"`
	Model       string `json:"model"`
	ModelID     int64  `json:"model_id"`
	Action      string `json:"action"`
	User        int64  `json:"user_id"`
	Change      string `json:"change"`
	Email       string `json:"email"`
	Org         string `json:"org"`
	Description string `json:"description"`
	IP          string `json:"ip"` // not kept in the log
}

// logEntry says a line in MISP's words.
func (c *call) logEntry(l *tocsin.Line) logEntry {
	e := logEntry{ID: int64(l.Seq), Created: dateTime(l.At), Model: models[l.Kind], ModelID: l.ID, User: l.By, Action: "edit", Email: "SYSTEM", Org: "SYSTEM"}
	if e.Model == "" {
		e.Model = l.Kind.String()
	}
	done := "edited"
	switch {
	case l.Before == nil:
		e.Action, done = "add", "added"
	case l.After == nil:
		e.Action, done = "delete", "deleted"
	}
	if was, is := published(l.Before), published(l.After); l.Before != nil && l.After != nil && was != is {
		e.Action, done = "publish", "published"
		if was {
			e.Action, done = "unpublish", "unpublished"
		}
	}
	if u, err := store.One[*tocsin.User](c.view, l.By); err == nil {
		e.Email, e.Org = u.Email, c.briefOrg(u.Org).Name
	} else if l.By != 0 {
		e.Email, e.Org = "", ""
	}
	of := l.After
	if of == nil {
		of = l.Before
	}
	e.Title = fmt.Sprintf("%s (%d)%s", e.Model, l.ID, titleOf(of))
	e.Change = changeOf(l.Before, l.After)
	e.Description = fmt.Sprintf("%s (%d) %s by User %q (%d).", e.Model, l.ID, done, e.Email, l.By)
	return e
}

func published(r tocsin.Record) bool {
	e, ok := r.(*tocsin.Event)
	return ok && e != nil && e.Published
}

func titleOf(r tocsin.Record) string {
	switch r := r.(type) {
	case *tocsin.Event:
		return ": " + r.Info
	case *tocsin.Attribute:
		return ": " + r.Value.String()
	case *tocsin.Key: // its name is its hash
		return ""
	case tocsin.Named:
		return ": " + r.RecordName()
	}
	return ""
}

// unsaid are members that no log tells: what proves who somebody is, and what only says
// that something changed.
var unsaid = []string{"password", "totp", "hash", "tsig", "key", "client_key", "headers", "modified", "created", "Seq", "Label", "Settled", "Tags", "Restricted", "Keys", "ID", "id"}

// changeOf says member by member how a record came to differ.
func changeOf(before, after tocsin.Record) string {
	was, is := membersOf(before), membersOf(after)
	if after == nil {
		return ""
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(is)) {
		if !slices.Contains(unsaid, name) && was[name] != is[name] {
			out = append(out, fmt.Sprintf("%s (%s) => (%s)", name, was[name], is[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if _, still := is[name]; !still && !slices.Contains(unsaid, name) {
			out = append(out, fmt.Sprintf("%s (%s) => ()", name, was[name]))
		}
	}
	return strings.Join(out, ", ")
}

func membersOf(r tocsin.Record) map[string]string {
	out := map[string]string{}
	if r == nil {
		return out
	}
	var raw map[string]json.RawMessage
	b, err := json.Marshal(r)
	if err != nil || json.Unmarshal(b, &raw) != nil {
		return out
	}
	for name, v := range raw {
		text := string(v)
		if m, ok := members[name]; ok {
			name = m
		}
		if s := ""; json.Unmarshal(v, &s) == nil {
			text = s
		}
		switch text {
		case "true":
			text = "1"
		case "false":
			text = "0"
		case "null":
			text = ""
		}
		out[name] = text
	}
	return out
}

// members are MISP's names of members that are called otherwise here.
var members = map[string]string{
	"Info": "info", "Date": "date", "Threat": "threat_level_id", "Analysis": "analysis", "Distribution": "distribution", "Group": "sharing_group_id",
	"Org": "org_id", "Orgc": "orgc_id", "User": "user_id", "UUID": "uuid", "Published": "published", "PublishedAt": "publish_timestamp",
	"Timestamp": "timestamp", "Locked": "locked", "NoCorrelate": "disable_correlation", "Extends": "extends_uuid", "Attributes": "attribute_count",
	"Event": "event_id", "Object": "object_id", "Relation": "object_relation", "Value": "value", "Type": "type", "Category": "category",
	"Comment": "comment", "ToIDS": "to_ids", "Deleted": "deleted", "Name": "name", "org": "org_id", "role": "role_id",
}

// A logFilter is what admin/logs/index is asked for.
type logFilter struct {
	is          map[string][]string
	from, until time.Time
	limit, page int
}

var logMembers = []string{"id", "title", "model", "model_id", "action", "user_id", "change", "email", "org", "description", "ip"}

func (c *call) logFilter() (q logFilter, err error) {
	f, err := c.form("Log")
	if err != nil {
		return q, err
	}
	for name, v := range c.named {
		f.members[name] = v
	}
	q.is = map[string][]string{}
	for _, name := range logMembers {
		if f.has(name) {
			f.texts(name, new([]string))
			var want []string
			if list, ok := f.members[name].([]any); ok {
				for _, v := range list {
					want = append(want, strings.ToLower(textOf(v)))
				}
			} else {
				want = []string{strings.ToLower(textOf(f.members[name]))}
			}
			q.is[name] = want
		}
	}
	if list, ok := f.members["created"].([]any); ok && len(list) == 2 {
		f.members["from"], f.members["to"] = list[0], list[1]
		f.time("from", &q.from)
		f.time("to", &q.until)
		if q.until.Before(q.from) {
			q.from, q.until = q.until, q.from
		}
	} else {
		f.moment("created", &q.from, c.db.Now())
	}
	var limit, page int64
	f.number("limit", &limit)
	f.number("page", &page)
	if !f.sound() {
		return q, c.unsavedForm("search Log", f, nil)
	}
	q.limit, q.page = int(min(limit, maxLogEntries)), int(min(page, 1<<30))
	return q, nil
}

// moment reads a time, or how long ago it was ("5d", "30m").
func (f *form) moment(name string, into *time.Time, now time.Time) {
	text := textOf(f.members[name])
	if len(text) > 1 {
		if n, err := strconv.ParseInt(text[:len(text)-1], 10, 32); err == nil && n >= 0 {
			if unit, ok := map[byte]time.Duration{'d': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second}[text[len(text)-1]]; ok {
				*into = now.Add(-time.Duration(n) * unit)
				return
			}
		}
	}
	if t, err := time.Parse("2006-01-02T15:04:05.999999", text); err == nil {
		*into = t
		return
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 1<<40 {
		*into = time.Unix(int64(n), 0).UTC() // PyMISP 2.5 sends a fraction
		return
	}
	f.time(name, into)
}

// maxLogEntries is how many entries one answer holds.
const maxLogEntries = 10_000

func (q *logFilter) takes(e *logEntry) bool {
	have := map[string]string{"id": itoa(e.ID), "title": e.Title, "model": e.Model, "model_id": itoa(e.ModelID), "action": e.Action, "user_id": itoa(e.User),
		"change": e.Change, "email": e.Email, "org": e.Org, "description": e.Description, "ip": e.IP}
	for name, want := range q.is {
		if !slices.ContainsFunc(want, func(w string) bool { return matchesLike(strings.ToLower(have[name]), w) }) {
			return false
		}
	}
	return true
}

// matchesLike compares with % at either end standing for anything.
func matchesLike(s, pattern string) bool {
	head, begins := strings.CutPrefix(pattern, "%")
	tail, ends := strings.CutSuffix(head, "%")
	switch {
	case begins && ends:
		return strings.Contains(s, tail)
	case begins:
		return strings.HasSuffix(s, head)
	case ends:
		return strings.HasPrefix(s, tail)
	}
	return s == pattern
}

// indexLogs answers with who changed what.
func indexLogs(c *call) error {
	q, err := c.logFilter()
	if err != nil {
		return err
	}
	newest := newestFirst(&q)
	var found []logEntry
	skip := 0
	if !newest && q.limit > 0 {
		skip = max(q.page-1, 0) * q.limit
	}
	for l, err := range c.view.Lines(c.r.Context(), 0) {
		if err != nil {
			return err
		}
		if l.At.Before(q.from) || !q.until.IsZero() && l.At.After(q.until) {
			continue
		}
		e := c.logEntry(&l)
		if !q.takes(&e) {
			continue
		}
		if skip > 0 {
			skip--
			continue
		}
		if found = append(found, e); !newest && len(found) == cmpLimit(q.limit) {
			break
		}
		if keep := max(q.page, 1) * cmpLimit(q.limit); newest && len(found) > 2*keep {
			found = slices.Clone(found[len(found)-keep:])
		}
	}
	if newest {
		slices.Reverse(found)
		from := min((q.page-1)*q.limit, len(found))
		found = found[from:min(from+q.limit, len(found))]
	}
	rows := make([]any, len(found))
	for i, e := range found {
		rows[i] = map[string]any{"Log": e}
	}
	return c.reply(rows)
}

func cmpLimit(limit int) int {
	if limit <= 0 {
		return maxLogEntries
	}
	return limit
}

// logOfEvent answers with the entries about one event that the viewer may see.
func logOfEvent(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	if !c.v.May(access.Audit) {
		return c.no(http.StatusForbidden, tocsin.Forbidden, notPermitted)
	}
	found := []logEntry{}
	for l, err := range c.view.Lines(c.r.Context(), 0) {
		if err != nil {
			return err
		}
		if l.Kind == tocsin.KindEvent && l.ID == e.ID && len(found) < maxLogEntries {
			found = append(found, c.logEntry(&l))
		}
	}
	return c.reply(map[string]any{"Log": found})
}
