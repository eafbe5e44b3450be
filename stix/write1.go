package stix

import (
	"io"
	"strings"
	"time"

	"tocsin"
)

// A Package is a package of STIX 1.1.1 or 1.2 on its way out, as XML or as JSON: a
// package for each event, with an incident in which everything is related.
type Package struct {
	names   Names
	out     io.Writer
	b       []byte
	json    bool
	version string
	space   string // before each id: the organisation that runs this instance
	host    string
	first   bool
	now     time.Time
}

// NewPackage begins a package. Version is "1.1.1" or "1.2".
func NewPackage(out io.Writer, json bool, version, host, base string, names Names, now time.Time) *Package {
	w := &Package{names: names, out: out, json: json, version: version, space: idSpace(host), host: host, first: true, now: now}
	id := w.id("STIXPackage", ID(tocsin.NewUUID(now)))
	at := now.UTC().Format("2006-01-02T15:04:05.000000")
	if json {
		w.b = append(w.b, `{"id":`...)
		w.b = appendQuoted(w.b, id)
		w.b = append(w.b, `,"version":"`+version+`",`...)
		w.header()
		w.b = append(w.b, `,"timestamp":"`+at+`","related_packages":{"related_packages":[`...)
		return w
	}
	w.b = append(w.b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<stix:STIX_Package"...)
	for _, ns := range namespaces {
		w.b = appendAttr(w.b, "xmlns:"+ns[0], ns[1])
	}
	if base == "" {
		base = "https://misp-project.org"
	}
	w.b = appendAttr(w.b, "xmlns:"+w.space, base)
	w.b = appendAttr(w.b, "id", id)
	w.b = append(w.b, ` version="`+version+`" timestamp="`+at+`">`...)
	w.header()
	w.b = append(w.b, "<stix:Related_Packages>"...)
	return w
}

// Close ends the package: without it, neither XML nor JSON is whole.
func (w *Package) Close() error {
	switch {
	case w.json:
		w.b = append(w.b, "]}}"...)
	case w.first: // an empty list of packages is none
		w.b = []byte(strings.TrimSuffix(string(w.b), "<stix:Related_Packages>") + "</stix:STIX_Package>\n")
	default:
		w.b = append(w.b, "</stix:Related_Packages></stix:STIX_Package>\n"...)
	}
	return w.flush()
}

func (w *Package) flush() error {
	_, err := w.out.Write(w.b)
	w.b = w.b[:0]
	return err
}

func (w *Package) spill() error {
	if len(w.b) < piece {
		return nil
	}
	return w.flush()
}

// idSpace is an organisation's name as a prefix in XML.
func idSpace(name string) string {
	s := strings.Map(func(c rune) rune {
		if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' {
			return c
		}
		return -1
	}, strings.ReplaceAll(name, " ", "_"))
	if s == "" || s[0] >= '0' && s[0] <= '9' || strings.HasPrefix(strings.ToLower(s), "xml") {
		return "MISP"
	}
	for _, ns := range namespaces {
		if ns[0] == s {
			return "MISP"
		}
	}
	return s
}

func (w *Package) id(word string, u tocsin.UUID) string {
	return w.space + ":" + strings.ReplaceAll(word, " ", "") + "-" + u.String()
}

// header says what packages of MISP are, and in JSON which CybOX this is.
func (w *Package) header() {
	title := "Export from " + w.host + "'s MISP"
	n := el("stix:STIX_Header", "stix_header", words("stix:Title", "title", title),
		words("stix:Package_Intent", "", "Threat Report").typed("stixVocabs:PackageIntentVocab-1.0"))
	if !w.json {
		w.b = n.appendXML(w.b)
		return
	}
	w.b = append(w.b, `"stix_header":{"package_intent":[{"value":"Threat Report","xsi:type":"stixVocabs:PackageIntentVocab-1.0"}],"title":`...)
	w.b = append(appendQuoted(w.b, title), `},"observables":{"cybox_major_version":"2","cybox_minor_version":"1","cybox_update_version":"0"}`...)
}

func stamp(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02T15:04:05-07:00") }

// Event writes an event. What is in it is read once for each part of the incident, so
// that none of it has to be kept.
func (w *Package) Event(e *Event) error {
	by := ""
	if o := w.names.Organisation(e.Orgc); o != nil {
		by = o.Name
	}
	i := &incident{Package: w, e: e, by: by, tags: w.names.Tags(e.Tags)}
	if w.json {
		return i.writeJSON()
	}
	return i.writeXML()
}

// namespaces are those of STIX 1.2 and CybOX 2.1.
var namespaces = [][2]string{
	{"stix", "http://stix.mitre.org/stix-1"}, {"stixCommon", "http://stix.mitre.org/common-1"}, {"stixVocabs", "http://stix.mitre.org/default_vocabularies-1"},
	{"incident", "http://stix.mitre.org/Incident-1"}, {"indicator", "http://stix.mitre.org/Indicator-2"}, {"ttp", "http://stix.mitre.org/TTP-1"},
	{"et", "http://stix.mitre.org/ExploitTarget-1"},
	{"cybox", "http://cybox.mitre.org/cybox-2"}, {"cyboxCommon", "http://cybox.mitre.org/common-2"}, {"cyboxVocabs", "http://cybox.mitre.org/default_vocabularies-2"},
	{"ASObj", "http://cybox.mitre.org/objects#ASObject-1"}, {"AddressObj", "http://cybox.mitre.org/objects#AddressObject-2"},
	{"CustomObj", "http://cybox.mitre.org/objects#CustomObject-1"}, {"DomainNameObj", "http://cybox.mitre.org/objects#DomainNameObject-1"},
	{"EmailMessageObj", "http://cybox.mitre.org/objects#EmailMessageObject-2"}, {"FileObj", "http://cybox.mitre.org/objects#FileObject-2"},
	{"HostnameObj", "http://cybox.mitre.org/objects#HostnameObject-1"}, {"MutexObj", "http://cybox.mitre.org/objects#MutexObject-2"},
	{"PipeObj", "http://cybox.mitre.org/objects#PipeObject-2"}, {"PortObj", "http://cybox.mitre.org/objects#PortObject-2"},
	{"SocketAddressObj", "http://cybox.mitre.org/objects#SocketAddressObject-1"}, {"SystemObj", "http://cybox.mitre.org/objects#SystemObject-2"},
	{"URIObj", "http://cybox.mitre.org/objects#URIObject-2"}, {"WinRegistryKeyObj", "http://cybox.mitre.org/objects#WinRegistryKeyObject-2"},
	{"marking", "http://data-marking.mitre.org/Marking-1"}, {"simpleMarking", "http://data-marking.mitre.org/extensions/MarkingStructure#Simple-1"},
	{"tlpMarking", "http://data-marking.mitre.org/extensions/MarkingStructure#TLP-1"}, {"xsi", "http://www.w3.org/2001/XMLSchema-instance"},
}
