package export

import (
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/indicator"
)

// YARA rules
//
// What is no rule itself becomes one: a text to be found, or a digest to be
// compared. What was shared as a rule follows as it is, if it declares rules that
// nothing before it declared and needs nothing but YARA itself.

// yaraRule is a rule in the making.
type yaraRule struct {
	name       string
	meta       []string // pairs
	strings    []byte
	conditions []string
	modules    []string
	claims     int
	event      *tocsin.Event
}

// maxClaims is how many claims of an event share a rule.
const maxClaims = 1000

// maxYARAText is how long a text in a rule may be: YARA's own limit is 8192 octets
// as they are written.
const maxYARAText = 2000

// yaraTexts are types whose values are looked for as texts.
var yaraTexts = map[string]bool{"ip-src": true, "ip-dst": true, "hostname": true, "domain": true, "email-src": true, "email-dst": true,
	"email-subject": true, "email-body": true, "url": true, "regkey": true, "pattern-in-file": true, "pattern-in-traffic": true, "pattern-in-memory": true,
	"cookie": true, "vulnerability": true, "text": true, "named pipe": true, "mutex": true, "btc": true, "xmr": true, "uri": true,
	"windows-scheduled-task": true, "windows-service-name": true, "windows-service-displayname": true, "email-dst-display-name": true,
	"email-src-display-name": true, "email-header": true, "email-reply-to": true, "email-x-mailer": true, "email-mime-boundary": true,
	"email-thread-index": true, "email-message-id": true, "github-username": true, "github-repository": true, "github-organisation": true,
	"mobile-application-id": true, "user-agent": true}

// yaraSides are composites of which sides are looked for: 0, 1, or both.
var yaraSides = map[string][]int{"domain|ip": {0, 1}, "regkey|value": {0, 1}, "ip-dst|port": {0}, "ip-src|port": {0}, "hostname|port": {0}}

// yaraDigests are what YARA can compute of a file.
var yaraDigests = map[string]string{"md5": "hash.md5(0, filesize)", "sha1": "hash.sha1(0, filesize)", "sha256": "hash.sha256(0, filesize)", "imphash": "pe.imphash()"}

// add takes a claim into the rule.
func (r *yaraRule) add(c *Claim) {
	r.claims++
	r.event = c.In
	typ := c.Value.TypeName()
	digest, isFile := strings.CutPrefix(typ, "filename|")
	switch {
	case yaraTexts[typ]:
		r.text(c.Value.String())
	case yaraSides[typ] != nil:
		for _, n := range yaraSides[typ] {
			r.text(c.side(n))
		}
	case typ == "hex":
		r.octets(c.Value.String())
	case yaraDigests[digest] != "":
		value := c.Value.String()
		if isFile {
			value = c.side(1)
		}
		module, _, _ := strings.Cut(yaraDigests[digest], ".")
		if !slices.Contains(r.modules, module) {
			r.modules = append(r.modules, module)
		}
		r.conditions = append(r.conditions, yaraDigests[digest]+" == "+string(appendYARAText(nil, value)))
	}
}

func (r *yaraRule) text(s string) {
	if s == "" || len(s) > maxYARAText {
		return
	}
	r.strings = append(r.strings, "\n\t\t$ = "...)
	if strings.ContainsAny(s, "\r\n") {
		r.strings = appendYARAPattern(r.strings, s)
	} else {
		r.strings = appendYARAText(r.strings, s)
	}
	r.strings = append(r.strings, " ascii wide"...)
}

func (r *yaraRule) octets(s string) {
	s = strings.Join(strings.Fields(s), "")
	if len(s) < 2 || len(s)%2 == 1 || len(s) > maxYARAText || strings.Trim(s, "0123456789abcdefABCDEF") != "" {
		return
	}
	r.strings = append(append(append(r.strings, "\n\t\t$ = { "...), s...), " }"...)
}

// appendYARAText appends a text in quotation marks.
func appendYARAText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\t':
			b = append(b, `\t`...)
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
		default:
			b = appendHex(append(b, `\x`...), c)
		}
	}
	return append(b, '"')
}

// appendYARAPattern appends a text of several lines as a regular expression, in
// which it does not matter how lines end.
func appendYARAPattern(b []byte, s string) []byte {
	s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
	b = append(b, '/')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\n':
			b = append(b, `(\x0D|\x0A\x0D|\x0A|\x1E)?`...)
		case strings.IndexByte(`\/.*+?()[]{}|^$`, c) >= 0:
			b = append(b, '\\', c)
		case c >= ' ' && c < 0x7f:
			b = append(b, c)
		default:
			b = appendHex(append(b, `\x`...), c)
		}
	}
	return append(b, '/')
}

func appendHex(b []byte, c byte) []byte {
	const digits = "0123456789ABCDEF"
	return append(b, digits[c>>4], digits[c&15])
}

// append appends the rule, unless nothing in it can be looked for.
func (r *yaraRule) append(b []byte) []byte {
	if len(r.strings) > 0 {
		r.conditions = append(r.conditions, "any of them")
	}
	if len(r.conditions) == 0 {
		return b
	}
	b = append(b, '\n')
	slices.Sort(r.modules)
	for i, m := range r.modules {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(append(append(b, `import "`...), m...), '"')
	}
	b = append(append(append(b, "\nrule "...), r.name...), " : generated\n{\n\tmeta:"...)
	for i := 0; i+1 < len(r.meta); i += 2 {
		b = append(append(append(b, "\n\t\t"...), r.meta[i]...), " = "...)
		b = appendYARAText(b, r.meta[i+1])
	}
	if len(r.strings) > 0 {
		b = append(append(b, "\n\tstrings:"...), r.strings...)
	}
	b = append(b, "\n\tcondition:"...)
	for i, c := range r.conditions {
		b = append(b, "\n\t\t"...)
		if i > 0 {
			b = append(b, "or "...)
		}
		b = append(b, c...)
	}
	return append(b, "\n}"...)
}

// underscored is a UUID as it can stand in the name of a rule.
func underscored(u tocsin.UUID) string { return strings.ReplaceAll(u.String(), "-", "_") }

// entitle names a rule and says whence it is.
func (r *yaraRule) entitle(last *Claim, part int, whole bool) {
	info := r.event.Info
	if len(info) > maxYARAText {
		info = info[:maxYARAText]
	}
	r.meta = []string{"MISP_EVENT_INFO", info, "MISP_EVENT_UUID", r.event.UUID.String(), "MISP_ORIGIN", "Automatically generated from non-Yara attribute(s)"}
	if r.name = "MISP_ATTRIBUTE_" + underscored(last.UUID); !whole {
		r.meta = append(r.meta, "MISP_UUID", last.UUID.String()+" ("+last.Value.TypeName()+")")
	} else if r.claims > 1 {
		r.name = "MISP_EVENT_" + underscored(r.event.UUID) + "_PART" + strconv.Itoa(part)
	}
}

// generated hands over one rule after the other: of each claim one, or of the
// claims of an event that are not in objects one for a thousand.
func (a *Answer) generated(yield func(rule []byte) error) error {
	var r yaraRule
	var last Claim
	part := 0
	end := func() error {
		if r.claims == 0 {
			return nil
		}
		part++
		r.entitle(&last, part, a.Whole)
		rule := r.append(nil)
		if r = (yaraRule{}); rule == nil {
			return nil
		}
		return yield(rule)
	}
	for c, err := range a.Claims() {
		if err != nil {
			return err
		}
		if c.Value.TypeName() == "yara" || a.Whole && c.Attribute.Object != 0 {
			continue
		}
		if r.claims >= maxClaims || r.claims > 0 && (!a.Whole || r.event.ID != c.Event) {
			if err := end(); err != nil {
				return err
			}
		}
		if last.Attribute != nil && last.Event != c.Event {
			part = 0
		}
		r.add(&c)
		one := *c.Attribute // it is good until the next one is asked for
		last = Claim{Attribute: &one, In: c.In}
	}
	return end()
}

// shared hands over the rules that were shared as such, and why others are left out.
func (a *Answer) shared(yield func(rule, why string) error) error {
	declared := map[string]bool{}
	for c, err := range a.Claims("yara") {
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(c.Value.String(), "\x00", "")
		if err := yield(text, admitYARA(text, declared)); err != nil {
			return err
		}
	}
	return nil
}

// yaraModules are those that every YARA has.
var yaraModules = []string{"console", "dotnet", "elf", "hash", "macho", "math", "pe", "string", "time"}

// maxDeclared bounds how many names are remembered.
const maxDeclared = 1 << 17

// admitYARA says why a text would keep the whole file from being loaded; "": it
// would not, as far as one can tell without YARA.
func admitYARA(text string, declared map[string]bool) (why string) {
	names, modules, err := indicator.YARADeclares(text)
	if err != nil {
		return err.Error()
	}
	for _, m := range modules {
		if !slices.Contains(yaraModules, m) {
			return "it needs " + strconv.Quote(m)
		}
	}
	for _, n := range names {
		if declared[n] || len(declared) >= maxDeclared {
			return "another rule is called " + n
		}
	}
	for _, n := range names {
		declared[n] = true
	}
	return ""
}

// writeYARA writes rules that can be loaded as one file.
func writeYARA(w *Writer, a *Answer) error {
	w.add("// ===================================== GENERATED ====================================\n")
	first := true
	separate := func() {
		if !first {
			w.add("\n\n")
		}
		first = false
	}
	if err := a.generated(func(rule []byte) error {
		separate()
		w.B = append(w.B, rule...)
		return w.Flush()
	}); err != nil {
		return err
	}
	w.add("\n// =====================================   AS-IS  ====================================\n")
	first = true
	if err := a.shared(func(rule, why string) error {
		if why != "" {
			return nil
		}
		separate()
		w.add(rule)
		return w.Flush()
	}); err != nil {
		return err
	}
	if !first {
		w.add("\n")
	}
	return w.End()
}

// writeYARAJSON writes the same as JSON, and marks what can't be loaded.
func writeYARAJSON(w *Writer, a *Answer) error {
	w.add(`{"generated":[`)
	first := true
	put := func(rule, comment string, valid bool) error {
		if !first {
			w.add(",")
		}
		first = false
		w.B = appendJSON(append(w.B, `{"value":`...), rule)
		w.B = appendJSON(append(w.B, `,"comment":`...), comment)
		w.B = append(strconv.AppendBool(append(w.B, `,"valid":`...), valid), '}')
		return w.Flush()
	}
	if err := a.generated(func(rule []byte) error { return put(string(rule), "Generated. ", true) }); err != nil {
		return err
	}
	w.add(`],"as-is":[`)
	first = true
	if err := a.shared(func(rule, why string) error {
		if why == "" {
			return put(rule, "Loaded from source. ", true)
		}
		return put(rule, "Broken yara attribute. Could not parse or repair: "+why, false)
	}); err != nil {
		return err
	}
	w.add("]}")
	return w.End()
}
