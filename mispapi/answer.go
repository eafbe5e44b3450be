package mispapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"tocsin"
	"tocsin/httpd"
)

// Sentences that clients match on.
const (
	notAuthenticated = "Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header."
	notPermitted     = "You do not have permission to use this functionality."
	notYours         = "You do not have permission to do that."
	notAuthorised    = "You are not authorised to do that."
	notOurTags       = "Cannot alter the tags of this data, only the organisation that has created the data (orgc) can modify global tags."
	notJSON          = "Invalid JSON input. Make sure that the JSON input is a correctly formatted JSON string. This request has been blocked to avoid an unfiltered request."
	orgBlocked       = "Event blocked by organisation blocklist."
	similarExists    = "A similar attribute already exists for this event."
)

// An answer is a status and a sentence.
type answer struct {
	status   int
	sentence string
}

// What MISP answers where there is nothing: the status differs by the call.
var (
	noEvent          = answer{http.StatusNotFound, "Invalid event"}
	noAttribute      = answer{http.StatusMethodNotAllowed, "Invalid attribute"}
	noAttributeThere = answer{http.StatusNotFound, "Invalid attribute"}
	noBlock          = answer{http.StatusNotFound, "Invalid blocklist entry."}
	noHandover       = answer{http.StatusNotFound, "Invalid delegation request."}
	noReference      = answer{http.StatusNotFound, "Invalid object reference."}
	noReferenced     = answer{http.StatusNotFound, "Invalid target."}
	noProposal       = answer{http.StatusNotFound, "Invalid proposal."}
	notToAccept      = answer{http.StatusMethodNotAllowed, "Proposal not found or you are not authorised to accept it."}
	notToDiscard     = answer{http.StatusMethodNotAllowed, "Proposal not found or you are not authorised to discard it."}
	noObject         = answer{http.StatusNotFound, "Invalid object."}
	noTarget         = answer{http.StatusNotFound, "Invalid Target."}
	noTag            = answer{http.StatusNotFound, "Invalid tag"}
	noTagCollection  = answer{http.StatusNotFound, "Invalid tag collection."}
	noGroup          = answer{http.StatusMethodNotAllowed, "Sharing group doesn&#039;t exist or you do not have permission to access it."}
	noOrganisation   = answer{http.StatusNotFound, "Invalid organisation"}
	noList           = answer{http.StatusNotFound, "Invalid Warninglist."}
	noUser           = answer{http.StatusNotFound, "Invalid user"}
	noRole           = answer{http.StatusNotFound, "Invalid role"}
	noFeed           = answer{http.StatusNotFound, "Invalid feed."}
	noServer         = answer{http.StatusNotFound, "Invalid server"}
	noRegistration   = answer{http.StatusNotFound, "Invalid registration"}
	noAllowed        = answer{http.StatusNotFound, "Invalid allowedlist"}
	noKey            = answer{http.StatusNotFound, "Invalid auth key"}
	noUserSetting    = answer{http.StatusNotFound, "Invalid user setting"}
)

// A refusal is an answer that says no, with MISP's status and body.
type refusal struct {
	status int
	body   any
	err    *tocsin.Error // for the log line
}

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

// A message is the shape of most of MISP's refusals.
type message struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	URL     string `json:"url"`
	Errors  any    `json:"errors,omitempty"`
}

// no refuses with a sentence.
func (c *call) no(status int, code tocsin.Code, sentence string) error {
	return &refusal{status, message{sentence, sentence, c.r.URL.Path, nil}, tocsin.Errorf(code, "%s", sentence)}
}

// because is no with what we have to say beside MISP's sentence.
func (c *call) because(status int, code tocsin.Code, sentence, why string) error {
	return &refusal{status, message{sentence, sentence, c.r.URL.Path, why}, tocsin.Errorf(code, "%s: %s", sentence, why)}
}

// An unsaved answer is the shape of a refusal to keep something.
type unsaved struct {
	Saved   bool   `json:"saved"`
	Name    string `json:"name"`
	Message string `json:"message"`
	URL     string `json:"url"`
	Errors  any    `json:"errors"`
	ID      any    `json:"id,omitempty"`
}

// noAction is the answer of a path that names nothing.
func noAction(c *call) error { return c.no(http.StatusNotFound, tocsin.NotFound, "Not Found") }

// unsaved refuses to do something ("add Attribute"), saying what was wrong with it.
func (c *call) unsaved(what, url string, errors, id any) error {
	name := "Could not " + what
	text, _ := json.Marshal(errors) // maps of strings always can be
	return &refusal{http.StatusForbidden, unsaved{false, name, name, url, errors, id}, tocsin.Errorf(tocsin.Invalid, "%s: %s", name, text)}
}

// done answers that something was done. The type of id differs by the call.
func (c *call) done(sentence, url string, id any) error {
	return c.reply(struct {
		Saved   bool   `json:"saved"`
		Success bool   `json:"success"`
		Name    string `json:"name"`
		Message string `json:"message"`
		URL     string `json:"url"`
		ID      any    `json:"id,omitempty"`
	}{true, true, sentence, sentence, url, id})
}

// inWords says an error of the store in the words of the action.
func (c *call) inWords(err error) error {
	if _, ok := errors.AsType[*refusal](err); ok || err == nil {
		return err
	}
	switch tocsin.CodeOf(err) {
	case tocsin.NotFound:
		if c.act.missing.status != 0 {
			return c.no(c.act.missing.status, tocsin.NotFound, c.act.missing.sentence)
		}
	case tocsin.Forbidden:
		if c.act.others != "" {
			return c.no(http.StatusForbidden, tocsin.Forbidden, c.act.others)
		}
		return c.no(http.StatusForbidden, tocsin.Forbidden, notYours)
	}
	return err
}

const mediaJSON = "application/json; charset=UTF-8"

// reply answers with v as JSON.
func (c *call) reply(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.send(b)
}

// send answers with JSON that is written already.
func (c *call) send(b []byte) error {
	c.w.Header().Set("Content-Type", mediaJSON)
	_, err := c.w.Write(b)
	return err
}

// renderError is the [httpd.ErrorRenderer] of MISP's paths.
func renderError(w http.ResponseWriter, r *http.Request, p httpd.Problem) {
	var body any
	if no, ok := errors.AsType[*refusal](p.Err); ok {
		p.Status, body = no.status, no.body
	} else {
		body = inGeneral(r, &p)
	}
	w.Header().Set("Content-Type", mediaJSON)
	if r.Method == http.MethodHead {
		w = headOnly{w}
	}
	if wantsXML(r) {
		x := &xmlAnswer{ResponseWriter: w}
		defer x.close()
		w = x
	}
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(body)
}

// inGeneral says an error that no action had words for.
func inGeneral(r *http.Request, p *httpd.Problem) message {
	m := message{p.Message, p.Message, r.URL.Path, nil}
	switch {
	case p.Code == tocsin.Internal:
		m.Name = "An Internal Error Has Occurred."
	case p.Code == tocsin.NotFound:
		m.Name, m.Message = "Not Found", "Not Found"
	case p.Code == tocsin.Forbidden && isReadOnly(p):
		m.Name, m.Message, m.Errors = notPermitted, notPermitted, p.Message
	case p.Code == tocsin.Forbidden: // the front refused whoever asks: actions say it themselves
		m.Name, m.Message = notAuthenticated, notAuthenticated
	}
	return m
}

// isReadOnly tells a read-only key from one that is not known.
func isReadOnly(p *httpd.Problem) bool { return strings.Contains(p.Message, "read-only") }
