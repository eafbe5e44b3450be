package stix

import (
	"slices"
	"strconv"
	"strings"

	"tocsin"
	"tocsin/misp"
)

// An observable is a thing that was seen (STIX 2.1, section 6), in the making.
type observable struct {
	typ   string
	uuid  tocsin.UUID
	props []property
}

// A property is one of an observable's.
type property struct {
	name  string
	json  []byte   // its value, or
	refs  []string // what it points at, and
	isOne bool     // that it is one
	parts []string // of a mail: the names of the files that refs point at
}

func (o *observable) ref() string { return refTo(o.typ, o.uuid) }

func (o *observable) text(name, s string) { o.raw(name, string(misp.AppendText(nil, s))) }

// raw sets a property. What is said twice of it is kept under a name of MISP's own.
func (o *observable) raw(name, json string) {
	for i := range o.props {
		switch p := &o.props[i]; {
		case p.name == name && strings.HasPrefix(name, "x_misp_"):
			if p.json[0] != '[' {
				p.json = append(append([]byte{'['}, p.json...), ']')
			}
			p.json = append(append(append(p.json[:len(p.json)-1], ','), json...), ']')
			return
		case p.name == name:
			o.raw("x_misp_"+underscored(name), json)
			return
		}
	}
	o.props = append(o.props, property{name: name, json: []byte(json)})
}

// point adds what the observable points at. One that may point at one thing keeps the first.
func (o *observable) point(name string, one bool, ref string) {
	for i := range o.props {
		if p := &o.props[i]; p.name == name {
			if !one {
				p.refs = append(p.refs, ref)
			}
			return
		}
	}
	o.props = append(o.props, property{name: name, refs: []string{ref}, isOne: one})
}

// write appends the properties; called says what a reference is called here.
func (o *observable) write(w *Bundle, called func(string) string) {
	for _, p := range o.props {
		switch {
		case p.json != nil:
			w.name(p.name)
			w.b = append(w.b, p.json...)
		case p.parts != nil:
			w.name(p.name)
			w.b = append(w.b, '[')
			for i, part := range p.parts {
				if i > 0 {
					w.b = append(w.b, ',')
				}
				w.b = append(w.b, '{')
				w.text("body_raw_ref", called(p.refs[i]))
				w.text("content_disposition", "attachment; filename='"+part+"'")
				w.b = append(w.b, '}')
			}
			w.b = append(w.b, ']')
		case p.isOne:
			w.text(p.name, called(p.refs[0]))
		default:
			names := make([]string, len(p.refs))
			for i, r := range p.refs {
				names[i] = called(r)
			}
			w.list(p.name, names)
		}
	}
}

// observables are what facts are about, the first the main one; those that it points
// at follow.
func observables(id tocsin.UUID, facts []fact) []observable {
	main := observable{typ: facts[0].typ, uuid: id}
	var others []observable
	beside := func(typ, value string) string {
		o := observable{typ: typ, uuid: id}
		said := string(misp.AppendText(nil, value))
		for _, x := range others {
			if x.typ == typ && string(x.props[0].json) == said {
				return x.ref()
			}
		}
		if slices.ContainsFunc(others, func(x observable) bool { return x.typ == typ }) {
			o.uuid = derived(id.String(), typ, value)
		}
		o.text("value", value)
		others = append(others, o)
		return o.ref()
	}
	var hashes []string
	for i, f := range facts {
		if f.typ != main.typ { // a host with a port is a host, and traffic to it
			continue
		}
		switch {
		case strings.HasPrefix(f.path, "hashes."):
			if f.path == "hashes.TLSH" {
				f.value = strings.TrimPrefix(f.value, "T1") // which STIX knows only without
			}
			hashes = append(hashes, string(misp.AppendText(nil, f.path[len("hashes."):]))+":"+string(misp.AppendText(nil, f.value)))
		case strings.HasSuffix(f.path, "_ref.type"):
			main.point(strings.TrimSuffix(f.path, ".type"), true, beside(f.value, facts[i+1].value))
		case f.path == "src_ref.value" || f.path == "dst_ref.value":
		case f.path == "from_ref.value":
			main.point("from_ref", true, beside("email-addr", f.value))
		case f.path == "to_refs[*].value" || f.path == "cc_refs[*].value" || f.path == "bcc_refs[*].value":
			main.point(f.path[:len(f.path)-len("[*].value")], false, beside("email-addr", f.value))
		case f.path == "resolves_to_refs[*].value":
			typ := addressType(f.value)
			if typ == "" {
				typ = "domain-name"
			}
			main.point("resolves_to_refs", false, beside(typ, f.value))
		default:
			main.set(id, f, &others)
		}
	}
	if hashes != nil {
		main.raw("hashes", "{"+strings.Join(hashes, ",")+"}")
	}
	main.complete()
	return append([]observable{main}, others...)
}

// set files a fact that has a place of its own.
func (o *observable) set(id tocsin.UUID, f fact, others *[]observable) {
	text := string(misp.AppendText(nil, f.value))
	switch {
	case f.path == "received_lines":
		o.raw("received_lines", "["+text+"]")
	case f.path == "additional_header_fields.reply_to":
		o.raw("additional_header_fields", `{"Reply-To":`+text+`}`)
	case f.path == "additional_header_fields.x_mailer":
		o.raw("additional_header_fields", `{"X-Mailer":`+text+`}`)
	case f.path == "values.data":
		o.raw("values", `[{"data":`+text+`}]`)
	case f.path == "body_multipart[*].body_raw_ref.name":
		file := observable{typ: "file", uuid: id}
		if slices.ContainsFunc(*others, func(x observable) bool { return x.typ == "file" }) {
			file.uuid = derived(id.String(), "file", f.value)
		}
		file.text("name", f.value)
		*others = append(*others, file)
		o.attach(file.ref(), f.value)
	case f.path == "key":
		o.text("key", longHive(f.value))
	case f.path == "name_enc" && !isEncoding(f.value):
		o.text("x_misp_file_encoding", f.value)
	case strings.HasPrefix(f.path, "extensions.'http-request-ext'"):
		o.raw("extensions", `{"http-request-ext":{"request_method":"get","request_value":"/","request_header":{"User-Agent":[`+text+`]}}}`)
	case f.number:
		o.raw(f.path, f.value)
	default:
		o.text(f.path, f.value)
	}
}

// attach adds a file to a mail.
func (o *observable) attach(ref, name string) {
	for i := range o.props {
		if p := &o.props[i]; p.parts != nil {
			p.refs, p.parts = append(p.refs, ref), append(p.parts, name)
			return
		}
	}
	o.props = append(o.props, property{name: "body_multipart", refs: []string{ref}, parts: []string{name}})
}

// hives are the roots of the registry, which STIX wants in full.
var hives = map[string]string{"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER", "HKCR": "HKEY_CLASSES_ROOT", "HKU": "HKEY_USERS", "HKCC": "HKEY_CURRENT_CONFIG"}

func longHive(key string) string {
	root, rest, _ := strings.Cut(key, `\`)
	if long, ok := hives[strings.ToUpper(root)]; ok {
		return long + `\` + rest
	}
	return key
}

// isEncoding reports whether a text is the name of a set of characters.
func isEncoding(s string) bool {
	return len(s) > 1 && len(s) <= 250 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.+_:-") == ""
}

// complete adds what an observable of a type has to say.
func (o *observable) complete() {
	switch o.typ {
	case "email-message":
		multipart := slices.ContainsFunc(o.props, func(p property) bool { return p.name == "body_multipart" })
		for i := range o.props {
			if p := &o.props[i]; multipart && p.name == "body" { // such a mail's body is a part of it
				p.name = "x_misp_body"
			}
		}
		o.raw("is_multipart", strconv.FormatBool(multipart))
	case "network-traffic":
		if !slices.ContainsFunc(o.props, func(p property) bool { return p.name == "protocols" }) {
			o.raw("protocols", `["tcp"]`)
		}
	}
}
