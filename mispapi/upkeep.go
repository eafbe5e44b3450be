package mispapi

import (
	"net/http"

	"tocsin"
)

// What MISP's administrators ask of the machine. One program runs all of this exchange:
// there are no workers beside it to start and stop, and it does not replace itself.

// schemaVersion is told as the database's: the program opens none of another.
const schemaVersion = "1"

func schemaWords() map[string]any {
	return map[string]any{"dataSource": "Tocsin", "actual_db_version": schemaVersion, "expected_db_version": schemaVersion, "error": "",
		"checked_table_column": []any{}, "diagnostic": map[string]any{}, "diagnostic_index": map[string]any{}, "update_locked": false,
		"remaining_lock_time": 0, "update_fail_number_reached": false, "indexes": map[string]any{}}
}

func schemaDiagnostic(c *call) error { return c.reply(schemaWords()) }

func workers(c *call) error { return c.reply(map[string]any{}) }

func noWorkers(c *call) error {
	return c.done("There are no workers here: the program itself does what they would.", c.r.URL.Path, nil)
}

func noUpdate(c *call) error {
	return c.no(http.StatusForbidden, tocsin.Forbidden, "This exchange does not update itself: whoever runs it installs another version of the program.")
}
