package stix

import (
	"cmp"
	"encoding/xml"
	"io"
	"strings"
	"time"

	"tocsin"
	"tocsin/misp"
)

// Bounds of a package of STIX 1.
const (
	maxElements = 2_000_000
	maxNesting  = 200
)

// Read1 makes an event of a package of STIX 1.x in XML. What CybOX describes
// within an indicator becomes attributes to act on, elsewhere others; what it
// describes and MISP has no type for is named in Problems.
func Read1(from io.Reader) (*misp.Event, error) {
	root, err := tree(from)
	if err != nil {
		return nil, err
	}
	if root.name != "STIX_Package" && root.name != "Package" {
		return nil, tocsin.Errorf(tocsin.Invalid, "a STIX_Package is expected; there is <%s>", first(root.name, 40))
	}
	r := &packageReader{event: new(misp.Event), tags: map[string]bool{}, seen: map[string]bool{}}
	r.head(root)
	r.walk(root, false, nil)
	if !r.event.Info.Present() {
		r.event.Info = misp.Said("STIX package")
	}
	return r.event, nil
}

// An element is one of a document, its name and those of its attributes without
// their space of names: prefixes differ by the program that wrote it.
type element struct {
	name  string
	kind  string // its xsi:type, as AddressObjectType
	attrs map[string]string
	text  string
	under []*element
}

const schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"

func (e *element) attr(name string) string { return e.attrs[name] }

// at returns the first element down a path of names, nil if there is none.
func (e *element) at(path ...string) *element {
	for _, name := range path {
		var next *element
		if e != nil {
			for _, u := range e.under {
				if u.name == name {
					next = u
					break
				}
			}
		}
		e = next
	}
	return e
}

// say is the text of an element, "" if there is none.
func (e *element) say(path ...string) string {
	if u := e.at(path...); u != nil {
		return strings.TrimSpace(u.text)
	}
	return ""
}

// tree reads a document. Entities of its own are not known, so nothing expands.
func tree(from io.Reader) (*element, error) {
	d := xml.NewDecoder(from)
	d.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		if l := strings.ToLower(label); l == "utf-8" || l == "us-ascii" {
			return in, nil
		}
		return nil, tocsin.Errorf(tocsin.Invalid, "the XML is in %s; UTF-8 is read", first(label, 20))
	}
	var open []*element
	for n := 0; ; {
		tok, err := d.Token()
		if err == io.EOF {
			return nil, tocsin.Errorf(tocsin.Invalid, "there is no XML element")
		}
		if err != nil {
			return nil, unreadXML(err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if n++; n > maxElements || len(open) >= maxNesting {
				return nil, tocsin.Errorf(tocsin.Invalid, "the XML has more than %d elements, or is more than %d deep", maxElements, maxNesting)
			}
			e := &element{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				if a.Name.Space == schemaInstance && a.Name.Local == "type" {
					_, e.kind, _ = strings.Cut(a.Value, ":")
					continue
				}
				e.attrs[a.Name.Local] = a.Value
			}
			if len(open) > 0 {
				last := open[len(open)-1]
				last.under = append(last.under, e)
			}
			open = append(open, e)
		case xml.EndElement:
			if len(open) == 1 {
				return open[0], nil
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 {
				open[len(open)-1].text += string(t)
			}
		}
	}
}

func unreadXML(err error) error {
	if syntax, ok := err.(*xml.SyntaxError); ok {
		return tocsin.Errorf(tocsin.Invalid, "line %d: this is no XML: %s", syntax.Line, syntax.Msg)
	}
	if err == io.ErrUnexpectedEOF {
		return tocsin.Errorf(tocsin.Invalid, "the XML ends in its middle")
	}
	return err
}

// A packageReader makes an event of a package.
type packageReader struct {
	event *misp.Event
	tags  map[string]bool
	seen  map[string]bool // observables that stand in two places are one
}

// head takes the title, the date and the marking from the package, or from the
// one inside it that MISP writes.
func (r *packageReader) head(root *element) {
	inner := cmp.Or(root.at("Related_Packages", "Related_Package", "Package"), root)
	incident := inner.at("Incidents", "Incident")
	title := cmp.Or(incident.say("Title"), inner.say("STIX_Header", "Title"), root.say("STIX_Header", "Title"))
	if title != "" {
		r.event.Info = misp.Said(title)
	}
	if u := uuidAtEnd(cmp.Or(inner, root).attr("id")); !u.IsZero() {
		r.event.UUID = misp.Said(u)
	}
	for _, text := range []string{incident.say("Time", "Incident_Discovery"), inner.attr("timestamp"), root.attr("timestamp")} {
		if len(text) < len(time.DateOnly) {
			continue
		}
		if t, err := time.Parse(time.DateOnly, text[:len(time.DateOnly)]); err == nil {
			r.event.Date = misp.Said(t.Format(time.DateOnly))
			break
		}
	}
	if text := cmp.Or(inner.say("STIX_Header", "Description"), root.say("STIX_Header", "Description")); text != "" {
		r.event.Reports = append(r.event.Reports, misp.Report{UUID: misp.Said(derived(root.attr("id"), "description")),
			Name: misp.Said(cmp.Or(title, "Description")), Content: misp.Said(text)})
	}
}

// uuidAtEnd returns the uuid by which an id of STIX 1 ends, as in
// example:Package-fbe98511-c726-4550-bb2f-46752f4e47c7.
func uuidAtEnd(id string) tocsin.UUID {
	u, _ := tocsin.ParseUUID(id[max(0, len(id)-36):])
	return u
}

// walk looks for what CybOX describes. Within is the innermost element with an id
// and a description of its own.
func (r *packageReader) walk(e *element, toIDS bool, within *element) {
	switch e.name {
	case "Indicator":
		toIDS, within = true, e
	case "Observable":
		within = cmp.Or(within, e)
	case "Marking_Structure":
		if c := strings.ToLower(e.attr("color")); c != "" {
			r.tag("tlp:" + c)
		} else if text := e.say("Statement"); strings.HasPrefix(strings.ToLower(text), "tlp:") || strings.Contains(text, "=") {
			r.tag(text)
		}
	case "Properties":
		r.properties(e, toIDS, within)
		return
	case "Vulnerability":
		if cve := e.say("CVE_ID"); cve != "" {
			r.add("vulnerability", cve, false, e)
		}
	}
	for _, u := range e.under {
		r.walk(u, toIDS, within)
	}
}

func (r *packageReader) tag(name string) {
	if name == "tlp:" || r.tags[name] {
		return
	}
	r.tags[name] = true
	r.event.Tags = append(r.event.Tags, misp.Tag{Name: misp.Said(name)})
}

// properties takes what one CybOX object says (CybOX 2.1).
func (r *packageReader) properties(e *element, toIDS bool, within *element) {
	took := false
	put := func(typ string, values ...string) {
		for _, v := range values {
			for one := range strings.SplitSeq(v, "##comma##") {
				if one = strings.TrimSpace(one); one != "" {
					took = true
					r.add(typ, one, toIDS, within)
				}
			}
		}
	}
	switch strings.TrimSuffix(e.kind, "Type") {
	case "AddressObject":
		put(address(e), e.say("Address_Value"))
	case "DomainNameObject":
		put("domain", e.say("Value"))
	case "HostnameObject":
		put("hostname", e.say("Hostname_Value"))
	case "URIObject", "LinkObject":
		typ := "url"
		if e.attr("type") == "Domain Name" {
			typ = "domain"
		}
		put(typ, e.say("Value"))
	case "FileObject", "WindowsExecutableFileObject", "WinExecutableFileObject", "ArtifactObject":
		put("filename", e.say("File_Name"))
		if size := e.say("Size_In_Bytes"); size != "" {
			put("size-in-bytes", size)
		}
		for _, h := range hashesUnder(e) {
			put(h[0], h[1])
		}
	case "MutexObject":
		put("mutex", e.say("Name"))
	case "PipeObject":
		put("named pipe", e.say("Name"))
	case "PortObject":
		put("port", e.say("Port_Value"))
	case "SocketAddressObject":
		put(address(e.at("IP_Address")), e.say("IP_Address", "Address_Value"))
		put("hostname", e.say("Hostname", "Hostname_Value"))
		put("port", e.say("Port", "Port_Value"))
	case "EmailMessageObject":
		put("email-src", e.say("Header", "From", "Address_Value"))
		put("email-subject", e.say("Header", "Subject"))
		put("email-message-id", e.say("Header", "Message_ID"))
		put("email-reply-to", e.say("Header", "Reply_To", "Address_Value"))
		put("email-x-mailer", e.say("Header", "X_Mailer"))
		if to := e.at("Header", "To"); to != nil {
			for _, one := range to.under {
				put("email-dst", one.say("Address_Value"))
			}
		}
	case "WindowsRegistryKeyObject", "WinRegistryKeyObject":
		key := e.say("Key")
		if hive := e.say("Hive"); hive != "" && key != "" {
			key = hive + `\` + key
		}
		if data := e.say("Values", "Value", "Data"); data != "" && key != "" {
			put("regkey|value", key+"|"+data)
		} else {
			put("regkey", key)
		}
	case "HTTPSessionObject":
		request := e.at("HTTP_Request_Response", "HTTP_Client_Request")
		put("user-agent", request.say("HTTP_Request_Header", "Parsed_Header", "User_Agent"))
		put("http-method", request.say("HTTP_Request_Line", "HTTP_Method"))
	case "ASObject":
		put("AS", spelled("AS", e.say("Number")))
	case "X509CertificateObject":
		for _, h := range hashesUnder(e) {
			put("x509-fingerprint-"+h[0], h[1])
		}
	case "NetworkConnectionObject", "ObservableCompositionObject", "ProcessObject", "WhoisObject":
		for _, u := range e.under { // they are made of others
			r.inner(u, toIDS, within)
		}
		return
	}
	if !took {
		r.event.Problems = append(r.event.Problems, misp.Problem{Where: "/" + cmp.Or(e.attr("id"), e.kind), Field: e.kind, Want: "a sort of object that an attribute can hold"})
	}
}

// inner looks for objects that stand inside one whose parts have no type of their own.
func (r *packageReader) inner(e *element, toIDS bool, within *element) {
	switch e.name {
	case "IP_Address":
		r.add(address(e), e.say("Address_Value"), toIDS, within)
	case "Hostname":
		r.add("hostname", e.say("Hostname_Value"), toIDS, within)
	case "Port":
		r.add("port", e.say("Port_Value"), toIDS, within)
	default:
		for _, u := range e.under {
			r.inner(u, toIDS, within)
		}
	}
}

// address is the MISP type of an address, which says what it is and whose.
func address(e *element) string {
	if e == nil {
		return "ip-dst"
	}
	switch e.attr("category") {
	case "e-mail":
		if e.attr("is_source") == "true" {
			return "email-src"
		}
		return "email-dst"
	case "mac":
		return "mac-address"
	case "asn":
		return "AS"
	}
	if e.attr("is_source") == "true" {
		return "ip-src"
	}
	return "ip-dst"
}

// hashesUnder are the checksums that an object has, type and value.
func hashesUnder(e *element) (out [][2]string) {
	list := e.at("Hashes")
	if list == nil {
		list = e.at("Certificate_Signature")
	}
	if list == nil {
		return nil
	}
	for _, h := range list.under {
		typ := hashes[strings.NewReplacer("-", "", "/", "", "_", "").Replace(strings.ToLower(h.say("Type")))]
		value := cmp.Or(h.say("Simple_Hash_Value"), h.say("Fuzzy_Hash_Value"))
		if typ == "" {
			typ = map[int]string{32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}[len(value)]
		}
		if typ != "" && value != "" {
			out = append(out, [2]string{typ, value})
		}
	}
	return out
}

// add puts an attribute into the event.
func (r *packageReader) add(typ, value string, toIDS bool, within *element) {
	if value == "" || r.seen[typ+"\x00"+value] {
		return
	}
	r.seen[typ+"\x00"+value] = true
	a := misp.Attribute{Type: misp.Said(typ), Value: misp.Said(value), ToIDS: misp.Said(toIDS)}
	if within != nil {
		if u := uuidAtEnd(within.attr("id")); !u.IsZero() {
			a.UUID = misp.Said(derived(within.attr("id"), typ, value))
		}
		if text := within.say("Description"); text != "" {
			a.Comment = misp.Said(text)
		}
	}
	r.event.Attributes = append(r.event.Attributes, a)
}
