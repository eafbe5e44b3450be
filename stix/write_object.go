package stix

import (
	"slices"
	"strings"
	"time"

	"tocsin"
	"tocsin/misp"
)

// templates are the objects that STIX has words for: where each part goes, by its
// relation. A part of such an object that is not here becomes a property of MISP's own.
var templates = func() map[string]map[string]column {
	file := map[string]column{"filename": {"file", "name", false}, "size-in-bytes": {"file", "size", true}, "mimetype": {"file", "mime_type", false},
		"file-encoding": {"file", "name_enc", false}, "malware-sample": {"file", "name", false}, "attachment": {"file", "name", false}}
	certificate := map[string]column{"issuer": {"x509-certificate", "issuer", false}, "subject": {"x509-certificate", "subject", false},
		"serial-number": {"x509-certificate", "serial_number", false}, "version": {"x509-certificate", "version", false},
		"pubkey-info-algorithm": {"x509-certificate", "subject_public_key_algorithm", false},
		"signature_algorithm":   {"x509-certificate", "signature_algorithm", false}}
	for typ, name := range digests {
		file[typ] = column{"file", "hashes." + name, false}
	}
	for _, typ := range []string{"md5", "sha1", "sha256"} {
		certificate["x509-fingerprint-"+typ] = column{"x509-certificate", "hashes." + digests[typ], false}
	}
	const net = "network-traffic"
	return map[string]map[string]column{
		"file": file, "x509": certificate,
		"domain-ip": {"domain": {"domain-name", "value", false}, "ip": {"domain-name", "resolves_to_refs[*].value", false}},
		"ip-port": {"ip": {net, "dst", false}, "ip-dst": {net, "dst", false}, "ip-src": {net, "src", false}, "dst-port": {net, "dst_port", true},
			"src-port": {net, "src_port", true}},
		"network-connection": {"ip-src": {net, "src", false}, "ip-dst": {net, "dst", false}, "src-port": {net, "src_port", true}, "dst-port": {net, "dst_port", true}},
		"url":                {"url": {"url", "value", false}},
		"asn":                {"asn": {"autonomous-system", "number", true}, "description": {"autonomous-system", "name", false}},
		"mutex":              {"name": {"mutex", "name", false}},
		"registry-key":       {"key": {"windows-registry-key", "key", false}},
		"directory":          {"path": {"directory", "path", false}},
		"process": {"pid": {"process", "pid", true}, "command-line": {"process", "command_line", false},
			"current-directory": {"process", "cwd", false}},
		"user-account": {"user-id": {"user-account", "user_id", false}, "username": {"user-account", "account_login", false},
			"display-name": {"user-account", "display_name", false}},
		"email": {"from": {"email-message", "from_ref.value", false}, "to": {"email-message", "to_refs[*].value", false},
			"cc": {"email-message", "cc_refs[*].value", false}, "bcc": {"email-message", "bcc_refs[*].value", false},
			"subject": {"email-message", "subject", false}, "message-id": {"email-message", "message_id", false},
			"email-body": {"email-message", "body", false}, "reply-to": {"email-message", "additional_header_fields.reply_to", false},
			"attachment": {"email-message", "body_multipart[*].body_raw_ref.name", false}},
	}
}()

// assembled writes an object with its parts, as one indicator or one observation.
func (w *Bundle) assembled(o *Object) {
	acts := false
	for i := range o.Parts {
		acts = acts || o.Parts[i].ToIDS
	}
	labels := append([]string{`misp:name="` + o.Name + `"`, `misp:meta-category="` + o.MetaCategory + `"`}, toIDS(acts)...)
	f := frame{uuid: o.UUID, at: o.Timestamp, since: o.FirstSeen, until: o.LastSeen, comment: o.Comment, phase: o.MetaCategory}
	var tags []string
	for i := range o.Parts {
		f.until, f.since = later(f.until, o.Parts[i].LastSeen), earlier(f.since, o.Parts[i].FirstSeen)
		tags = append(tags, w.names.Tags(o.Parts[i].Tags)...)
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	f.marks = w.markings(tags)
	f.labels = append(labels, unmarked(tags)...)
	ref := ""
	switch {
	case acts && len(o.facts(true)) > 0:
		ref = w.indicator(&f, pattern(o.facts(true)), "stix")
	case !acts && stands(o.facts(false)):
		ref = w.observed(&f, observables(o.UUID, o.facts(false)))
	default:
		ref = w.customObject(&f, o)
	}
	w.clusters(o.UUID, ref, o.Timestamp, tags)
}

// facts are what the parts say, all or those to be acted on; none where STIX has no
// word for the object, or for what it is about.
func (o *Object) facts(acting bool) (facts []fact) {
	places := templates[o.Name]
	if places == nil {
		return nil
	}
	main := ""
	for i := range o.Parts {
		p := &o.Parts[i]
		if acting && !p.ToIDS || p.Deleted {
			continue
		}
		c, ok := places[p.Relation]
		if !ok {
			continue
		}
		main = c.typ
		facts = append(facts, c.facts(p)...)
	}
	if main == "" {
		return nil
	}
	for i := range o.Parts { // the rest, under names of MISP's own
		p := &o.Parts[i]
		if _, ok := places[p.Relation]; !ok && !p.Deleted && (!acting || p.ToIDS) {
			facts = append(facts, fact{main, "x_misp_" + underscored(p.Relation), p.Value.String(), false})
		}
	}
	return facts
}

func (c *column) facts(p *tocsin.Attribute) []fact {
	value, second := p.Value.Parts()
	switch {
	case c.path == "src" || c.path == "dst":
		return traffic(c.path, p.Value.String(), "")
	case second != "" && p.Value.TypeName() == "malware-sample":
		return []fact{{"file", "name", value, false}, {"file", "hashes.MD5", second, false}}
	case c.number && strings.Trim(strings.TrimPrefix(value, "AS"), "0123456789") != "":
		return nil
	case c.number:
		return []fact{{c.typ, c.path, strings.TrimPrefix(value, "AS"), true}}
	}
	return []fact{{c.typ, c.path, p.Value.String(), false}}
}

// underscored is a relation as the name of a property.
func underscored(s string) string {
	b := []byte(strings.ToLower(s))
	for i, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			b[i] = '_'
		}
	}
	if len(b) == 0 {
		return "part"
	}
	return string(b[:min(len(b), 200)])
}

func (w *Bundle) customObject(f *frame, o *Object) string {
	ref := w.object("x-misp-object", f.uuid)
	w.made(f.at, f.at)
	w.list("labels", f.labels)
	f.labels = nil
	w.name("x_misp_attributes")
	w.b = append(w.b, '[')
	for i := range o.Parts {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		p := &o.Parts[i]
		w.b = misp.AppendText(append(w.b, `{"type":`...), p.Value.TypeName())
		w.text("object_relation", p.Relation)
		w.text("value", p.Value.String())
		w.text("category", p.Category.String())
		w.flag("to_ids", p.ToIDS)
		w.text("uuid", p.UUID.String())
		w.said("comment", p.Comment)
		w.b = append(w.b, '}')
	}
	w.b = append(w.b, ']')
	w.said("x_misp_comment", o.Comment)
	w.text("x_misp_meta_category", o.MetaCategory)
	w.text("x_misp_name", o.Name)
	return w.finish(f, ref)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
