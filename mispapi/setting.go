package mispapi

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tocsin"
)

// A serverSetting is a setting by the name that MISP's administrators know.
type serverSetting struct {
	name  string
	ours  string // the setting that it is here; "" if it is kept, and does nothing
	kind  string // boolean, numeric or string
	usual string // what it is if nobody decided
	means string
}

const keptOnly = "This exchange keeps it for clients that ask, and does nothing by it."

// serverSettings are those that mean something here, and those that clients ask for.
var serverSettings = []serverSetting{
	{"MISP.baseurl", "", "string", "", "Where clients reach this exchange. It is what the client used, or what the program was started with."},
	{"MISP.uuid", "", "string", "", "The uuid by which peers know this exchange. It is drawn when the exchange is founded."},
	{"MISP.live", "", "boolean", "true", keptOnly},
	{"MISP.host_org_id", tocsin.HostOrganisation, "numeric", "", "The organisation that runs this exchange."},
	{"MISP.default_event_distribution", tocsin.EventDistribution, "numeric", "1", "How far an event goes of which nobody says it."},
	{"MISP.delegation", tocsin.Delegation, "boolean", "false", "Whether events may be handed over to another organisation."},
	{"MISP.max_correlations_per_event", "", "numeric", "5000", keptOnly},
	{"Plugin.Sightings_policy", tocsin.SightingPolicy, "numeric", "0", "Whose sightings one is told of: 0 the event's owner, 1 who sighted something of the event, 2 everyone, 3 the event's owner and the host."},
	{"Plugin.Sightings_anonymise", tocsin.SightingAnonymous, "boolean", "false", "Whether nobody is told whose a sighting is."},
	{"Security.allow_self_registration", tocsin.OpenRegistration, "boolean", "false", "Whether anybody may ask to become a user."},
	{"Tocsin.allow_private_peers", tocsin.PrivatePeers, "boolean", "false", "Whether connections may be made to addresses that are not public: peers and feeds in one's own network."},
	{"Tocsin.default_role", tocsin.DefaultRole, "numeric", "3", "The role of a new user of whom nobody says another."},
	{"debug", "", "numeric", "0", keptOnly},
}

// isSettingName tells what may be the name of a setting of MISP's from what is a slip.
var isSettingName = regexp.MustCompile(`^(MISP|Security|Plugin|GnuPG|SMIME|Proxy|Session|SecureAuth|SimpleBackgroundJobs|LinOTPAuth|LdapAuth|OidcAuth|ApacheSecureAuth)\.[A-Za-z0-9_.]{1,100}$`)

// settingNamed returns the setting of that name. One that MISP may have is kept as it
// is set, which the answer says.
func settingNamed(name string) (serverSetting, bool) {
	if i := slices.IndexFunc(serverSettings, func(s serverSetting) bool { return s.name == name }); i >= 0 {
		return serverSettings[i], true
	}
	return serverSetting{name: name, kind: "string", means: keptOnly}, isSettingName.MatchString(name)
}

// key is the name under which the store keeps it.
func (s *serverSetting) key() string {
	if s.ours != "" {
		return s.ours
	}
	return s.name
}

// value is what it is by now, in the shape of its kind.
func (c *call) settingValue(s *serverSetting) any {
	text := c.db.Setting(s.key())
	switch {
	case s.name == "MISP.baseurl":
		return c.base()
	case s.name == "MISP.uuid":
		return c.uuidHere()
	case text == "":
		text = s.usual
	}
	switch s.kind {
	case "boolean":
		return text == "true"
	case "numeric":
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n
		}
		return nil
	}
	return text
}

func (c *call) settingWords(s *serverSetting) map[string]any {
	w := map[string]any{"level": 2, "description": s.means, "value": c.settingValue(s), "errorMessage": "", "test": nil, "type": s.kind, "null": true, "name": s.name}
	if s.means != keptOnly {
		w["level"] = 0
	}
	return w
}

// getSetting answers with one setting of the instance.
func getSetting(c *call) error {
	s, ok := settingNamed(c.arg(0))
	if !ok {
		return c.no(http.StatusNotFound, tocsin.NotFound, "Setting "+c.arg(0)+" is invalid.")
	}
	return c.reply(c.settingWords(&s))
}

// allSettings answers with all settings, and with what MISP diagnoses beside as far as
// there is something to say.
func allSettings(c *call) error {
	final := []any{}
	for _, s := range serverSettings {
		w := c.settingWords(&s)
		w["setting"] = s.name
		w["tab"], _, _ = strings.Cut(s.name, ".")
		final = append(final, w)
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="MISP.report.json"`)
	return c.reply(map[string]any{
		"version":       map[string]any{"current": "v" + spoken, "newest": nil, "upToDate": "error", "tocsin": c.Version},
		"phpSettings":   map[string]any{},
		"gpgStatus":     "not configured",
		"proxyStatus":   "not configured (so not tested)",
		"zmqStatus":     1,
		"moduleStatus":  map[string]any{},
		"writeableDirs": map[string]any{}, "writeableFiles": map[string]any{}, "readableFiles": map[string]any{},
		"dbDiagnostics": map[string]any{}, "dbSchemaDiagnostics": c.schemaWords(), "extensions": map[string]any{},
		"workers": map[string]any{}, "finalSettings": final,
	})
}

// editSetting decides a setting.
func editSetting(c *call) error {
	s, ok := settingNamed(c.arg(0))
	if !ok {
		return c.no(http.StatusNotFound, tocsin.NotFound, "Setting "+c.arg(0)+" is invalid.")
	}
	f, err := c.form("Server")
	if err != nil {
		return err
	}
	var value string
	f.text("value", &value)
	switch s.kind {
	case "boolean":
		value = strconv.FormatBool(truthy(f.members["value"]))
	case "numeric":
		if _, err := strconv.ParseInt(value, 10, 64); err != nil && value != "" {
			f.refuse("value", "This is a number.")
		}
	}
	if s.name == "MISP.baseurl" || s.name == "MISP.uuid" {
		f.refuse("value", s.means+" It is not changed by this call.")
	}
	if f.sound() {
		if err = c.decide(s.key(), value); tocsin.CodeOf(err) == tocsin.Invalid && err != nil {
			f.refuse("value", err.Error())
			err = nil
		}
	}
	if err != nil {
		return err
	}
	if !f.sound() {
		return c.unsavedForm("edit "+s.name, f, nil)
	}
	return c.done("Field updated", c.r.URL.Path, nil)
}

// uuidHere is the uuid by which peers know this exchange.
func (c *call) uuidHere() string {
	instance := c.instance()
	if instance.IsZero() {
		return ""
	}
	return instance.String()
}

// instance is the uuid by which peers know this exchange.
func (a *API) instance() tocsin.UUID {
	if a.Instance == nil {
		return tocsin.UUID{}
	}
	return a.Instance()
}
