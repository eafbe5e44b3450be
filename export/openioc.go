package export

import "tocsin"

// A term is what OpenIOC 1.0 calls a value of some sort, in Mandiant's dictionary.
type term struct{ document, search, content string }

// openIOC is what one value or both sides of a composite are called. Their
// names are those that MISP's readers of the format know.
var openIOC = map[string][]term{
	"md5": {{"FileItem", "FileItem/Md5sum", "md5"}}, "sha1": {{"FileItem", "FileItem/Sha1sum", "sha1"}}, "sha256": {{"FileItem", "FileItem/Sha256sum", "sha256"}},
	"filename": {fileName}, "attachment": {fileName},
	"ip-src":   {{"PortItem", "PortItem/remoteIP", "IP"}},
	"ip-dst":   {{"RouteEntryItem", "RouteEntryItem/Destination", "IP"}},
	"hostname": {{"RouteEntryItem", "RouteEntryItem/Destination", "string"}},
	"domain":   {domainName}, "url": {{"UrlHistoryItem", "UrlHistoryItem/URL", "string"}},
	"email-src": {{"Email", "Email/From", "string"}}, "email-dst": {{"Email", "Email/To", "string"}}, "email-subject": {{"Email", "Email/Subject", "string"}},
	"email-attachment": {{"Email", "Email/Attachment/Name", "string"}}, "user-agent": {{"Network", "Network/UserAgent", "string"}},
	"regkey": {registryKey}, "snort": {{"Snort", "Snort/Snort", "string"}}, "link": {{"URL", "UrlHistoryItem/URL", "md5"}},
	"regkey|value":    {registryKey, {"Network", "RegistryItem/Value", "string"}},
	"filename|md5":    {fileName, {"FileItem", "FileItem/Md5sum", "md5"}},
	"malware-sample":  {fileName, {"FileItem", "FileItem/Md5sum", "md5"}},
	"filename|sha1":   {fileName, {"FileItem", "FileItem/Sha1sum", "sha1"}},
	"filename|sha256": {fileName, {"FileItem", "FileItem/Sha256sum", "sha256"}},
	"domain|ip":       {domainName, {"PortItem", "PortItem/remoteIP", "IP"}},
}

var (
	fileName    = term{"FileItem", "FileItem/FileName", "string"}
	domainName  = term{"Network", "Network/DNS", "string"}
	registryKey = term{"Network", "RegistryItem/KeyPath", "string"}
)

// tellingCategories are those whose claims are to be looked for.
var tellingCategories = map[string]bool{"Payload delivery": true, "Artifacts dropped": true, "Payload installation": true,
	"Persistence mechanism": true, "Network activity": true}

// writeOpenIOC writes one indicator of compromise (OpenIOC 1.0) that holds if any
// of the claims does.
func writeOpenIOC(w *Writer, a *Answer) error {
	at := a.Now.UTC().Format("2006-01-02T15:04:05")
	w.add(`<?xml version="1.0" encoding="utf-8"?>
<ioc xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema" id="`, tocsin.NewUUID(a.Now).String(),
		`" last-modified="`, at, `" xmlns="http://schemas.mandiant.com/2010/ioc">
  <short_description>Filtered indicator list</short_description>
  <description>Filtered indicator list</description>
  <keywords />
  <authored_by>`)
	w.B = appendXML(w.B, a.Asks)
	w.add(`</authored_by>
  <authored_date>`, at, `</authored_date>
  <links />
  <definition>
    <Indicator operator="OR" id="`, tocsin.NewUUID(a.Now).String(), "\">\n")
	err := a.each(w, nil, func(c *Claim) {
		if c.ToIDS && tellingCategories[c.Category.String()] {
			w.appendTerms(c)
		}
	})
	if err != nil {
		return err
	}
	w.add("    </Indicator>\n  </definition>\n</ioc>\n")
	return w.End()
}

func (w *Writer) appendTerms(c *Claim) {
	terms, id := openIOC[c.Value.TypeName()], c.UUID.String()
	v1, v2 := c.Value.Parts()
	switch len(terms) {
	case 1:
		w.appendTerm("      ", id, &terms[0], c.Value.String())
	case 2:
		w.add(`      <Indicator operator="AND" id="`, id, "\">\n")
		w.appendTerm("        ", id, &terms[0], v1)
		w.appendTerm("        ", id, &terms[1], v2)
		w.add("      </Indicator>\n")
	}
}

func (w *Writer) appendTerm(indent, id string, t *term, value string) {
	w.add(indent, `<IndicatorItem id="`, id, "\" condition=\"is\">\n", indent, `  <Context document="`, t.document, `" search="`, t.search, "\" type=\"mir\" />\n",
		indent, `  <Content type="`, t.content, `">`)
	w.B = appendXML(w.B, value)
	w.add("</Content>\n", indent, "</IndicatorItem>\n")
}
