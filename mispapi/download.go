package mispapi

import (
	"net/http"
	"strings"

	"tocsin"
)

// An alias is one of the calls by which MISP's clients fetched files before there
// was restSearch: its arguments are filters, by their place.
type alias struct {
	format string
	args   []string // the filter that each argument is; "" for one that means nothing here
	events bool
	says   string // what MISP says to use instead
}

// aliases are found by the path of their action.
var aliases = map[string]alias{
	"/attributes/text/download": {format: "text", args: []string{"type", "tags", "eventid", "allowNonIDS", "from", "to", "last", "enforceWarninglist", "allowNotPublished"},
		says: "Use /attributes/restSearch to export flat indicator lists."},
	"/attributes/rpz/download": {format: "rpz", args: []string{"tags", "eventid", "from", "to", "policy", "walled_garden", "ns", "email", "serial", "refresh", "retry", "expiry", "minimum_ttl", "ttl", "enforceWarninglist", "ns_alt"},
		says: "Use /attributes/restSearch to export RPZ rules."},
	"/attributes/bro/download": {format: "zeek", args: []string{"type", "tags", "eventid", "from", "to", "last", "enforceWarninglist"},
		says: "Use /attributes/restSearch to export Zeek intel files."},
	"/events/csv/download": {format: "csv", args: []string{"eventid", "ignore", "tags", "category", "type", "includeContext", "from", "to", "last", "headerless", "enforceWarninglist"}, events: true,
		says: "Use /events/restSearch to export in CSV format."},
	"/events/xml/download": {format: "xml", args: []string{"eventid", "withAttachments", "tags", "from", "to", "last"}, events: true,
		says: "Use /events/restSearch to export in XML format."},
	"/events/stix/download": {format: "stix-xml", args: []string{"eventid", "withAttachments", "tags", "from", "to", "last"}, events: true,
		says: "Use /events/restSearch to export in the various STIX formats."},
	"/events/stix2/download": {format: "stix2", args: []string{"eventid", "withAttachments", "tags", "from", "to", "last"}, events: true,
		says: "Use /events/restSearch to export in the various STIX formats."},
	"/events/downloadOpenIOCEvent": {format: "openioc", args: []string{"eventid"}, events: true,
		says: "Use /events/restSearch to export in OpenIOC format."},
}

// nidsArgs and hidsArgs follow /events/nids/{format}/download and
// /events/hids/{type}/download.
var (
	nidsArgs = []string{"eventid", "", "tags", "from", "to", "last", "type", "enforceWarninglist", "includeAllTags"}
	hidsArgs = []string{"tags", "from", "to", "last", "enforceWarninglist"}
)

// download answers one of the aliases.
func download(c *call) error { return c.download(aliases[c.act.path], c.args) }

// downloadRules answers /events/nids/{format}/download/….
func downloadRules(c *call) error {
	if c.arg(0) != "snort" && c.arg(0) != "suricata" || c.arg(1) != "download" {
		return c.no(http.StatusNotFound, tocsin.NotFound, "Invalid output format.")
	}
	return c.download(alias{format: c.arg(0), args: nidsArgs, events: true,
		says: "Use /events/restSearch to export in the various NIDS formats."}, c.args[2:])
}

// downloadHashes answers /events/hids/{type}/download/….
func downloadHashes(c *call) error {
	if c.arg(1) != "download" {
		return c.no(http.StatusNotFound, tocsin.NotFound, "Invalid output format.")
	}
	typ := c.arg(0)
	of := []any{typ, "filename|" + typ}
	if typ == "md5" {
		of = append(of, "malware-sample")
	}
	return c.downloadSaying(alias{format: "hashes", args: hidsArgs, says: "Use /attributes/restSearch to export hashes."}, c.args[2:], map[string]any{"type": of})
}

func (c *call) download(a alias, args []string) error { return c.downloadSaying(a, args, nil) }

// downloadSaying answers a search made of arguments, of what follows them in the
// query or a body, and of what the alias itself says.
func (c *call) downloadSaying(a alias, args []string, more map[string]any) error {
	said, err := c.filters()
	if err != nil {
		return err
	}
	for i, name := range a.args {
		if i < len(args) && name != "" && saysSomething(args[i]) {
			said[name] = one(args[i])
		}
	}
	for name, v := range more {
		said[name] = v
	}
	said["returnFormat"] = a.format
	switches(said, a.format)
	c.w.Header().Set("X-Deprecation-Warning", "WARNING: This functionality is deprecated and will be removed in the near future. "+a.says)
	if _, err := c.format(a.format); err != nil {
		return err
	}
	s := &search{c: c, said: said, format: a.format, overEvents: a.events}
	if err := s.read(); err != nil {
		return c.invalid(err)
	}
	if a.events {
		return s.answerEvents()
	}
	return s.answerAttributes()
}

// one reads an argument, which may be several: "1|3".
func one(arg string) any {
	if strings.Contains(arg, "|") {
		return piped(arg)
	}
	return arg
}

// saysSomething reports whether an argument does: those in front of one that does
// are filled with words that don't.
func saysSomething(arg string) bool {
	switch strings.ToLower(arg) {
	case "", "null", "false", "all", "0":
		return false
	}
	return true
}

// switches turns the switches of aliases into filters: what is not published or not
// marked to_ids comes only where the client says so.
func switches(said map[string]any, format string) {
	wide := truthy(said["allowNonIDS"]) || truthy(said["ignore"])
	if format == "csv" && !wide {
		said["to_ids"], said["published"] = "1", "1"
	}
	if wide {
		said["to_ids"] = []any{"0", "1"}
	}
	if truthy(said["allowNotPublished"]) || format == "csv" && wide {
		said["published"] = []any{"0", "1"}
	}
	for _, name := range []string{"allowNonIDS", "ignore", "allowNotPublished"} {
		delete(said, name)
	}
}
