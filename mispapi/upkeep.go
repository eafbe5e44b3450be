package mispapi

import (
	"net/http"

	"tocsin"
)

// What MISP's administrators ask of the machine. One program runs all of this exchange:
// there are no workers beside it to start and stop, and it does not replace itself.

func workers(c *call) error { return c.reply(map[string]any{}) }

func noWorkers(c *call) error {
	return c.done("There are no workers here: the program itself does what they would.", c.r.URL.Path, nil)
}

func noUpdate(c *call) error {
	return c.no(http.StatusForbidden, tocsin.Forbidden, "This exchange does not update itself: whoever runs it installs another version of the program.")
}
