package mispapi

import (
	"net/http"
	"unicode/utf8"

	"tocsin"
)

// contactReporter takes a message for whoever reported an event. This exchange sends no
// mail yet: the message stands in the list of jobs, as one that failed, and whoever runs
// the exchange can pass it on. The answer says so beside MISP's sentence.
func contactReporter(c *call) error {
	e, err := c.event(c.arg(0))
	if err != nil {
		return err
	}
	said, err := c.told("Event")
	if err != nil {
		return err
	}
	text := textOf(said["message"])
	switch {
	case text == "":
		return c.no(http.StatusMethodNotAllowed, tocsin.Invalid, "You must specify a message.")
	case len(text) > maxContact || !utf8.ValidString(text):
		return c.unsaved("contact Event", "/events/contact/"+c.arg(0), map[string][]string{"message": {"it is a text of up to 4,000 octets"}}, nil)
	}
	c.jobs.note(job{kind: "contact_alert", input: "To whoever reported event " + itoa(e.ID) + ": " + text, org: c.v.Org(), message: mailIsNotSent, failed: true, at: c.db.Now()})
	return c.reply(sentAsMISP(c.r.URL.Path, c.arg(0)))
}

// maxContact is how long a message may be, in octets: all jobs are in memory.
const maxContact = 4000

const mailIsNotSent = "This exchange sends no mail yet: its administrators see the message in the list of jobs."
