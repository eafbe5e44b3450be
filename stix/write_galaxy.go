package stix

import (
	"strings"

	"tocsin"
)

// A Cluster is what a tag of a galaxy stands for, as far as it is known here.
type Cluster struct {
	UUID        tocsin.UUID
	Galaxy      string // its name
	Type        string // of the galaxy, as threat-actor
	Value       string
	Description string
	Synonyms    []string
	External    string // an id that others know it by, as T1059
}

// clusterTypes are what STIX calls what is in a galaxy, by its type.
var clusterTypes = map[string]string{
	"mitre-attack-pattern": "attack-pattern", "mitre-enterprise-attack-attack-pattern": "attack-pattern", "mitre-mobile-attack-attack-pattern": "attack-pattern",
	"mitre-pre-attack-attack-pattern": "attack-pattern", "mitre-ics-techniques": "attack-pattern", "atrm": "attack-pattern",
	"mitre-course-of-action": "course-of-action", "mitre-enterprise-attack-course-of-action": "course-of-action", "preventive-measure": "course-of-action",
	"mitre-intrusion-set": "intrusion-set", "mitre-enterprise-attack-intrusion-set": "intrusion-set", "mitre-ics-groups": "intrusion-set",
	"threat-actor": "threat-actor", "microsoft-activity-group": "threat-actor", "360net": "threat-actor",
	"mitre-malware": "malware", "mitre-enterprise-attack-malware": "malware", "mitre-mobile-attack-malware": "malware", "malpedia": "malware", "ransomware": "malware",
	"banker": "malware", "stealer": "malware", "backdoor": "malware", "botnet": "malware", "cryptominers": "malware", "android": "malware", "tds": "malware",
	"mitre-tool": "tool", "mitre-enterprise-attack-tool": "tool", "mitre-mobile-attack-tool": "tool", "tool": "tool", "rat": "tool", "exploit-kit": "tool",
	"branded-vulnerability": "vulnerability", "stix-2.1-campaign": "campaign",
}

// clusters writes what the galaxy tags of a record stand for. ref is what the record
// became, "" for the event itself, which then holds them.
func (w *Bundle) clusters(owner tocsin.UUID, ref string, at int64, tags []string) {
	for _, tag := range tags {
		if !strings.HasPrefix(tag, "misp-galaxy:") {
			continue
		}
		c := w.names.Cluster(tag)
		if c == nil {
			if c = clusterOf(tag); c == nil {
				continue
			}
		}
		to := w.cluster(c, at)
		if ref != "" {
			w.relate(derived(owner.String(), tag, c.UUID.String()), at, relationTo(ref, to), ref, to)
		}
	}
}

// clusterOf is what a tag says by itself of a cluster that is not here.
func clusterOf(tag string) *Cluster {
	typ, value, ok := strings.Cut(strings.TrimPrefix(tag, "misp-galaxy:"), `="`)
	if value = strings.TrimSuffix(value, `"`); !ok || value == "" {
		return nil
	}
	return &Cluster{UUID: derived(tag), Galaxy: typ, Type: typ, Value: value}
}

// relationTo is how a record is related to a cluster.
func relationTo(ref, to string) string {
	if strings.HasPrefix(ref, "indicator--") {
		switch typ, _, _ := strings.Cut(to, "--"); typ {
		case "attack-pattern", "campaign", "intrusion-set", "malware", "threat-actor", "tool":
			return "indicates"
		}
	}
	return "related-to"
}

func (w *Bundle) cluster(c *Cluster, at int64) string {
	typ, known := clusterTypes[c.Type]
	if !known {
		typ = "x-misp-galaxy-cluster"
	}
	ref := refTo(typ, c.UUID)
	w.note(ref)
	if !w.once(ref) {
		return ref
	}
	by := w.by
	w.by = ""
	w.object(typ, c.UUID)
	w.made(at, at)
	w.by = by
	name := c.Value
	if before, after, ok := strings.Cut(name, " - "); ok && known && isExternal(after) {
		name, c.External = before, after
	}
	switch {
	case !known:
		w.text("x_misp_name", c.Galaxy)
		w.text("x_misp_type", c.Type)
		w.text("x_misp_value", c.Value)
		w.said("x_misp_description", c.Description)
	default:
		w.text("name", name)
		w.said("description", c.Description)
	}
	if typ == "malware" && w.v == V21 {
		w.flag("is_family", true)
	}
	if typ == "malware" || typ == "threat-actor" || typ == "intrusion-set" || typ == "tool" && w.v == V21 {
		w.list("aliases", c.Synonyms)
	}
	w.list("labels", []string{`misp:galaxy-name="` + c.Galaxy + `"`, `misp:galaxy-type="` + c.Type + `"`})
	if c.External != "" && known {
		w.name("external_references")
		w.b = append(w.b, '[', '{')
		w.text("source_name", "mitre-attack")
		w.text("external_id", c.External)
		w.b = append(w.b, '}', ']')
	}
	w.end()
	return ref
}

// isExternal reports whether a text is an id of ATT&CK's, as T1059.001 or G0007.
func isExternal(s string) bool {
	return len(s) >= 5 && s[0] >= 'A' && s[0] <= 'Z' && strings.Trim(s[1:], "0123456789.") == ""
}

// note adds to what the event holds, once.
func (w *Bundle) note(ref string) {
	for _, r := range w.refs[max(0, len(w.refs)-64):] {
		if r == ref {
			return
		}
	}
	w.refs = append(w.refs, ref)
}

// relate writes a relationship.
func (w *Bundle) relate(id tocsin.UUID, at int64, how, from, to string) {
	ref := w.object("relationship", id)
	w.made(at, at)
	w.text("relationship_type", how)
	w.text("source_ref", from)
	w.text("target_ref", to)
	w.end()
	w.refs = append(w.refs, ref)
}
