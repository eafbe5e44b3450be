package mispapi

import (
	"cmp"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"tocsin"
	"tocsin/access"
	"tocsin/intake"
	"tocsin/misp"
	"tocsin/store"
	"tocsin/vocab"
)

// What clients expect though one would not guess it, a function each.

// spellings are the ways to write a path: MISP 2.5 takes sharing_groups for
// sharingGroups and back, and PyMISP 2.5 uses both of them, and of others.
func spellings(path string) []string {
	word, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if rest != "" {
		rest = "/" + rest
	}
	var snake, camel strings.Builder
	up := false
	for _, c := range word {
		switch {
		case c == '_':
			snake.WriteRune(c)
			up = true
			continue
		case up:
			snake.WriteRune(c)
			camel.WriteRune(unicode.ToUpper(c))
		case unicode.IsUpper(c):
			snake.WriteString("_" + string(unicode.ToLower(c)))
			camel.WriteRune(c)
		default:
			snake.WriteRune(c)
			camel.WriteRune(c)
		}
		up = false
	}
	if snake.String() == camel.String() {
		return []string{path}
	}
	return []string{"/" + snake.String() + rest, "/" + camel.String() + rest}
}

// keepsColons reports whether the i'th argument may hold a colon of its own: the
// names of tags do ("tlp:green"), and MISP 2.5, which reads name:value there, then
// finds no tag.
func (c *call) keepsColons(i int) bool {
	switch c.act.path {
	case "/events/addTag", "/events/removeTag", "/tags/attachTagToObject", "/tags/removeTagFromObject", "/tag_collections/addTag", "/tag_collections/removeTag":
		return i == 1
	case "/tags/search", "/tags/view":
		return i == 0
	}
	return false
}

// objectsStayHome is MISP 2.5's default for an object whose distribution nobody
// said: the organisation's own. PyMISP 2.5 always says it (5, as the event).
func objectsStayHome(d *access.Distribution) *access.Distribution {
	if d == nil {
		return new(access.OrgOnly)
	}
	return d
}

// unlessMayPublish is how MISP 2.5 takes "published" from someone whose role does
// not let them publish: the event is kept, and not published.
func unlessMayPublish(v access.Viewer, published bool) bool {
	return published && v.May(access.Publish)
}

// sharesByDefault is how far an event goes whose distribution nobody said: as MISP 2.5
// has it this community, unless the instance's administrators decided otherwise.
func (c *call) sharesByDefault(d *access.Distribution) *access.Distribution {
	if d != nil {
		return d
	}
	n, err := strconv.Atoi(cmp.Or(c.db.Setting(tocsin.EventDistribution), "1"))
	if err != nil || n < 0 || n >= int(access.Group) {
		return nil // shares nothing
	}
	return new(access.Distribution(n))
}

// marksAll is how MISP 2.5 takes the attributes of objects/add that say nothing of
// to_ids: it marks all of them, even a size in bytes. Nothing is blocked by that: what
// a value names is asked of its type.
func marksAll(o *intake.ObjectDraft) {
	for i := range o.Attributes {
		if o.Attributes[i].ToIDS == nil {
			o.Attributes[i].ToIDS = new(true)
		}
	}
}

// groupMeant returns the sharing group that a record names, 0 for none that the
// viewer knows. An instance that pushes numbers groups its own way and sends the
// group along: its uuid says which is meant. PyMISP 2.5 sends the group along
// that it fetched, even when a script has set sharing_group_id to another: then
// the two disagree, and the number is ours.
func groupMeant(view store.View, number misp.Field[int64], along *misp.SharingGroup) int64 {
	id := number.Or(0)
	if along == nil || along.UUID.Or(tocsin.UUID{}).IsZero() {
		return id
	}
	if number.Present() && along.ID.Present() && along.ID.Or(0) != id {
		return id
	}
	g, err := store.ByUUID[*tocsin.Group](view, along.UUID.Or(tocsin.UUID{}))
	if err != nil {
		return 0
	}
	return g.ID
}

// truthy reads a switch as PHP reads what clients send: true, 1, "1", "true".
func truthy(v any) bool {
	switch strings.ToLower(strings.TrimSpace(textOf(v))) {
	case "", "0", "false", "null", "no":
		return false
	}
	return true
}

// suffix is what MISP 2.5 says in X-Response-Format, with which the name of a file
// ends: of events as text it says "text", of attributes "txt".
func (s *search) suffix(f format) string {
	if f.Name == "text" && s.overEvents {
		return f.Name
	}
	return f.Suffix
}

// asRange writes an address on a list of ranges as a range, as MISP 2.5 does.
func asRange(h vocab.Hit) string {
	if a, err := netip.ParseAddr(h.Entry); err == nil && h.List.Match == vocab.Range {
		return netip.PrefixFrom(a, a.BitLen()).String()
	}
	return h.Entry
}

// oursLast puts the lists that come with Tocsin behind those that MISP has, too:
// PyMISP 2.5's test_warninglists reads the first hit, and MISP has no others.
func oursLast(hits []vocab.Hit) []vocab.Hit {
	slices.SortStableFunc(hits, func(a, b vocab.Hit) int {
		if a.List.Own != b.List.Own {
			if a.List.Own {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.List.ID, b.List.ID)
	})
	return hits
}

// domainsOf returns the domains that an organisation's users are held to. Where there
// are none MISP 2.5 says null, and once the organisation was edited an empty list.
func domainsOf(o *tocsin.Organisation) []string {
	if len(o.Domains) == 0 && !o.Modified.IsZero() {
		return []string{}
	}
	return o.Domains
}

// ofInvited is a text of a user that MISP 2.5 leaves null for the one who came with
// it, and that is empty for those whom somebody added.
func ofInvited(u *tocsin.User, text string) *string {
	if text == "" && u.InvitedBy == 0 {
		return nil
	}
	return &text
}

// sinceInvited is when a user was added; MISP 2.5 does not know it of the one who came
// with it.
func sinceInvited(u *tocsin.User) any {
	if u.InvitedBy == 0 {
		return nil
	}
	return unixOrNull(u.Created)
}

// emptyList writes an empty object as an empty list, as PHP does.
func emptyList[V any](m map[string]V) any {
	if len(m) == 0 {
		return []any{}
	}
	return m
}

// asGet makes OPTIONS a GET, which is how MISP 2.5 answers it to whoever sends a key.
// What browsers ask before they let a page of another site in has none, and is refused.
func asGet(r *http.Request) *http.Request {
	if r.Method != http.MethodOptions {
		return r
	}
	r = r.Clone(r.Context())
	r.Method = http.MethodGet
	return r
}

// peerDeleted answers servers/delete, where MISP 2.5.1 takes its own sentence for the id.
func peerDeleted(c *call) error {
	const sentence = "Server deleted"
	return c.done(sentence, "/servers/delete/"+sentence, sentence)
}

// editedFeed is a feed as feeds/edit shows it: MISP 2.5 writes two numbers as texts, and
// the rules that its form sends along.
func editedFeed(w map[string]any) map[string]any {
	w["id"], w["sharing_group_id"] = itoa(w["id"].(int64)), itoa(w["sharing_group_id"].(int64))
	if w["rules"] == nil {
		w["rules"] = `{"tags":{"OR":[],"NOT":[]},"orgs":{"OR":[],"NOT":[]},"url_params":""}`
	}
	return w
}

// answersUploadsInJSON is what PyMISP 2.5 wants of an upload: it sends XML, asks for
// XML, and reads JSON.
func answersUploadsInJSON(act *action) bool { return act.path == "/events/upload_stix" }

// newestFirst reports whether entries of the log are wanted from the newest on: who asks
// for a page of them is, as PyMISP 2.5.34 has it; without a page MISP 2.5.1 begins with
// the oldest.
func newestFirst(q *logFilter) bool { return q.page > 0 && q.limit > 0 }

// listNamed reports whether names, in lower case, mean a list. A pattern means those that
// MISP 2.5 has: a script that says "%dns resolv%" knows nothing of the lists that come
// with this program and keep what must never be blocked. They are named in full.
func listNamed(names []string, l *tocsin.GuardList) bool {
	called := strings.ToLower(title(l))
	if l.Own {
		return slices.Contains(names, called)
	}
	return len(names) > 0 && anyLike(names)(called)
}

// sentAsMISP is what MISP 2.5 answers once a message to a reporter is queued, whether or
// not a mail ever leaves; PyMISP 2.5.34 knows that sentence only. What became of it is
// said beside.
func sentAsMISP(url, event string) any {
	const sentence = "Email sent to the reporter."
	return struct {
		message
		Delivered bool   `json:"delivered"`
		Reason    string `json:"reason"`
	}{message{sentence, sentence, url, event}, false, mailIsNotSent}
}

// eitherSlash is a pattern for event infos in MISP 2.5's index, whose backslashes are
// doubled: its database takes the first of two for an escape (MISP issue 6616), and
// PyMISP's users have learned to write them so. As it stands it is looked for too.
func eitherSlash(patterns []string) []string {
	out := slices.Clone(patterns)
	for _, p := range patterns {
		if strings.Contains(p, `\\`) {
			out = append(out, strings.ReplaceAll(p, `\\`, `\`))
		}
	}
	return out
}

// headOnly answers HEAD, of which MISP 2.5 says that it has HTML for a body.
type headOnly struct{ http.ResponseWriter }

func (w headOnly) WriteHeader(status int) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.ResponseWriter.WriteHeader(status)
}

func (w headOnly) Write(b []byte) (int, error) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	return w.ResponseWriter.Write(b)
}

// onlyWhetherItIsThere says 404 to HEAD of what is not there, even where MISP 2.5 says
// 405 to GET: PyMISP 2.5's attribute_exists takes anything else for a fault.
func onlyWhetherItIsThere(err error) error {
	if no, ok := errors.AsType[*refusal](err); ok && tocsin.CodeOf(err) == tocsin.NotFound {
		no.status = http.StatusNotFound
	}
	return err
}

// queued is how MISP 2.5 tells that a cluster is being published: by the job that does
// it. Here it is published already, and so is the job among those that are done.
func (c *call) queued(cl *cluster) error {
	j := c.jobs.note(job{kind: "publish_galaxy_clusters", input: "Cluster ID: " + itoa(cl.ID), org: c.v.Org(), message: "Galaxy cluster published.", at: c.db.Now()})
	return c.reply(map[string]string{"message": "Publish job queued. Job ID: " + j.uuid.String()})
}
