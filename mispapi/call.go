package mispapi

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/access"
	"tocsin/httpd"
	"tocsin/misp"
	"tocsin/store"
)

// A call is one request on its way to its answer.
type call struct {
	*API
	w    http.ResponseWriter
	r    *http.Request
	v    access.Viewer
	view store.View
	act  *action

	args  []string            // what follows the action in the path
	named map[string]string   // of it, what is written name:value
	lists map[string][]string // of that, what is written name[]:value, all of them

	held map[int64]*tocsin.Event // see eventOf

	galaxies map[tagged][]byte                 // see galaxiesOn
	ownLeads map[tocsin.UUID][]*tocsin.Cluster // see ownTargets

	allowed []*regexp.Regexp // see leaveOutAllowed

	allTags bool // those that are not exportable, too: includeAllTags

	sightings struct { // see sightingsIn
		event int64
		of    map[int64][]byte
	}
}

// serve makes a handler of an action: it reads the path, holds the call to the
// action's methods, and says errors in MISP's words.
func (a *API) serve(act *action, path string) httpd.Handler {
	return func(w http.ResponseWriter, r *http.Request, v access.Viewer) error {
		c := &call{API: a, w: w, r: r, v: v, view: a.db.As(v), act: act}
		c.readPath(path)
		a.presence.note(v.User(), a.db.Now())
		if err := c.admit(); err != nil {
			return err
		}
		if r.Method == http.MethodHead {
			c.w = headOnly{w}
			return onlyWhetherItIsThere(c.inWords(act.handle(c)))
		}
		if !wantsXML(r) || answersUploadsInJSON(act) {
			return c.inWords(act.handle(c))
		}
		x := &xmlAnswer{ResponseWriter: w}
		c.w = x
		if err := c.inWords(act.handle(c)); err != nil {
			return err
		}
		return x.close()
	}
}

// admit refuses the wrong method, and a role that may never do this.
func (c *call) admit() error {
	c.r = asGet(c.r)
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if !strings.Contains(" "+c.act.verbs+" ", " "+method+" ") {
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "This function is only accessible via POST requests.")
	}
	if c.act.needs != 0 && (c.writes() || c.act.closed) && !c.v.May(c.act.needs) {
		return c.no(http.StatusForbidden, tocsin.Forbidden, notPermitted)
	}
	return nil
}

// writes reports whether the request's method changes something.
func (c *call) writes() bool { return c.r.Method != http.MethodGet && c.r.Method != http.MethodHead }

// as runs another action's handler: /events/7 with PUT is /events/edit/7.
func (c *call) as(path string) error {
	for _, act := range c.actions() {
		if act.path == path {
			c.act = &act
			if err := c.admit(); err != nil {
				return err
			}
			return c.inWords(act.handle(c))
		}
	}
	return tocsin.Errorf(tocsin.Internal, "no action %s", path)
}

// readPath takes what follows the action's path apart. It is cut before it is unescaped,
// so that a tag's name may hold a slash.
func (c *call) readPath(path string) {
	c.named, c.lists = map[string]string{}, map[string][]string{}
	rest := strings.TrimSuffix(strings.TrimPrefix(c.r.URL.EscapedPath(), path), ".json")
	rest = strings.TrimSuffix(rest, ".xml")
	rest = strings.Trim(rest, "/")
	if rest == "" {
		return
	}
	for part := range strings.SplitSeq(rest, "/") {
		text, err := url.PathUnescape(part)
		if err != nil {
			text = part
		}
		name, value, ok := strings.Cut(text, ":")
		name, list := strings.CutSuffix(name, "[]")
		if ok && isWord(name) && !c.keepsColons(len(c.args)) {
			c.named[name] = value
			if list {
				c.lists[name] = append(c.lists[name], value)
			}
			continue
		}
		c.args = append(c.args, text)
	}
}

// origin is where the client asked, as it wrote it: https://misp.example.
func (c *call) origin() string {
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

func isWord(s string) bool {
	for _, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return s != ""
}

// arg returns the i'th argument, "" if there is none.
func (c *call) arg(i int) string {
	if i < len(c.args) {
		return c.args[i]
	}
	return ""
}

// A ref is how a path or a body names a record: by id or by uuid.
type ref struct {
	id   int64
	uuid tocsin.UUID
}

// refOf reads a reference; one that is neither names nothing, which is not found
// like anything else that is not there.
func refOf(text string) (f ref) {
	text = strings.TrimSpace(text)
	if id, err := strconv.ParseInt(text, 10, 64); err == nil && id > 0 {
		f.id = id
	} else if u, err := tocsin.ParseUUID(text); err == nil {
		f.uuid = u
	}
	return f
}

// event returns the event that text names, as the viewer sees it.
func (c *call) event(text string) (*tocsin.Event, error) {
	f := refOf(text)
	if f.uuid.IsZero() {
		return c.view.Event(c.r.Context(), f.id)
	}
	return c.view.EventByUUID(c.r.Context(), f.uuid)
}

// attribute returns the attribute that text names, withdrawn or not.
func (c *call) attribute(text string) (*tocsin.Attribute, error) {
	f := refOf(text)
	q := store.Query{IDs: []int64{f.id}, Deleted: store.Any}
	if !f.uuid.IsZero() {
		q.IDs, q.UUIDs = nil, []tocsin.UUID{f.uuid}
	}
	for a, err := range c.view.Attributes(c.r.Context(), q) {
		return &a, err
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no attribute %s", text)
}

// object returns the object that text names, withdrawn or not.
func (c *call) object(text string) (*tocsin.Object, error) {
	f := refOf(text)
	q := store.ObjectQuery{IDs: []int64{f.id}, Deleted: store.Any}
	if !f.uuid.IsZero() {
		q.IDs, q.UUIDs = nil, []tocsin.UUID{f.uuid}
	}
	for o, err := range c.view.Objects(c.r.Context(), q) {
		return &o, err
	}
	return nil, tocsin.Errorf(tocsin.NotFound, "no object %s", text)
}

// small returns the small record that text names, as a view sees it.
func small[R tocsin.Record](w store.View, text string) (R, error) {
	f := refOf(text)
	if f.uuid.IsZero() {
		return store.One[R](w, f.id)
	}
	return store.ByUUID[R](w, f.uuid)
}

// encoder writes records for whoever asks. Local tags are this instance's own
// remarks: its people see them, and an instance that pulls does not.
func (c *call) encoder() *misp.Encoder {
	return &misp.Encoder{Names: names{c.view, c.db}, Viewer: c.v, Own: c.v.SeesAll() || !c.v.May(access.Sync), MayEdit: c.mayEdit, All: c.allTags}
}

// names says what ids in records stand for, as one viewer may know it.
type names struct {
	store.View
	db *store.DB
}

func (n names) Organisation(id int64) *tocsin.Organisation {
	return oneOrNil[tocsin.Organisation, *tocsin.Organisation](n.View, id)
}
func (n names) Tag(id int64) *tocsin.Tag { return oneOrNil[tocsin.Tag, *tocsin.Tag](n.View, id) }
func (n names) Group(id int64) *tocsin.Group {
	return oneOrNil[tocsin.Group, *tocsin.Group](n.View, id)
}

// Email is asked by the encoder for colleagues of whoever entered an event, who
// may know it as in MISP although they may not read the user's record.
func (n names) Email(user int64) string {
	u, err := store.One[*tocsin.User](n.db.As(access.System("mispapi: event_creator_email is for the creator's colleagues")), user)
	if err != nil {
		return ""
	}
	return u.Email
}

func oneOrNil[T any, R interface {
	*T
	tocsin.Record
}](w store.View, id int64) R {
	r, err := store.One[R](w, id)
	if err != nil {
		return nil
	}
	return r
}

// forGood reports whether a call to delete asks for more than to withdraw: a second
// argument, or {"hard": 1}.
func (c *call) forGood() (bool, error) {
	said, err := c.filters()
	hard, _ := strconv.ParseBool(c.arg(1))
	return hard || truthy(said["hard"]), err
}
