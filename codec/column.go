package codec

import (
	"strconv"
	"strings"
	"time"

	"tocsin"
	"tocsin/indicator"
)

// A Column is one column of a table, or one member of a JSON object: its name and
// what it is taken for.
type Column struct {
	Name string `json:"name,omitempty"` // in the header
	Role string `json:"role,omitempty"` // as MISP calls it; "": of no interest
	Type string `json:"type,omitempty"` // what its values are, if its name says so

	set func(*Draft, string) string // it returns what is wrong
}

const (
	roleValue = "value"
	roleType  = "type"
)

// columnNames are the names we know, MISP's and those of the feeds that many use.
var columnNames = func() map[string]Column {
	m := map[string]Column{}
	for role, names := range map[string]string{
		roleValue:         "value indicator ioc_value ioc observable artifact",
		roleType:          "type ioc_type indicator_type scope",
		"category":        "category",
		"comment":         "comment description reason malware_printable malware threat threat_type",
		"uuid":            "uuid",
		"to_ids":          "to_ids",
		"timestamp":       "date timestamp",
		"first_seen":      "first_seen first_seen_utc firstseen dateadded date_added submission_time",
		"last_seen":       "last_seen last_seen_utc lastseen last_online",
		"tags":            "tag tags attribute_tag",
		"object_relation": "object_relation",
	} {
		for n := range strings.FieldsSeq(names) {
			m[n] = Column{Role: role}
		}
	}
	for typ, names := range map[string]string{
		"url": "url uri", "domain": "domain domain_name fqdn", "hostname": "hostname host",
		"ip-dst": "dst_ip destination_ip ip ip_address ip_addr ipaddress address cidr ipv4 ipv6", "ip-src": "src_ip source_ip",
		"md5": "md5 md5_hash", "sha1": "sha1 sha1_hash", "sha256": "sha256 sha256_hash",
	} {
		for n := range strings.FieldsSeq(names) {
			m[n] = Column{Role: roleValue, Type: typ}
		}
	}
	return m
}()

// valueRank is which of several columns with values counts: what says that it is
// the value, then a URL before the address that it was seen at.
var valueRank = func() map[string]int {
	m := map[string]int{}
	for i, n := range strings.Fields(`value indicator ioc_value ioc observable artifact url uri domain domain_name fqdn hostname host
		dst_ip destination_ip ip ip_address ip_addr ipaddress address cidr ipv4 ipv6 src_ip source_ip
		sha256 sha256_hash sha1 sha1_hash md5 md5_hash`) {
		m[n] = i + 1
	}
	return m
}()

// columnName is a name as the tables above have it.
func columnName(s string) string {
	s = strings.ToLower(strings.Trim(s, " \t\"'#"))
	return underscores.Replace(s)
}

var underscores = strings.NewReplacer(" ", "_", "-", "_")

// columnNamed returns the column that a header's cell names.
func columnNamed(cell string) Column {
	name := columnName(cell)
	c := columnNames[name]
	c.Name = strings.Trim(cell, " \t#\"")
	c.take(c.Name)
	return c
}

// take settles what is done with a cell of a column of this name. Columns that are
// called just as MISP's are read as strictly.
func (c *Column) take(name string) {
	switch c.Role {
	case roleValue:
		c.set = setValue(c.Type)
	case roleType:
		c.set = func(d *Draft, s string) string { d.Type = ourType(s); return "" }
	case "category":
		c.set = func(d *Draft, s string) string { d.Category = s; return "" }
	case "comment":
		c.set = setComment
	case "uuid":
		c.set = setUUID
	case "to_ids":
		c.set = setToIDS
	case "timestamp":
		c.set = setTimestamp
	case "first_seen", "last_seen":
		first, strict := c.Role == "first_seen", name == c.Role
		c.set = func(d *Draft, s string) string {
			if first {
				return setTime(&d.FirstSeen, s, strict)
			}
			return setTime(&d.LastSeen, s, strict)
		}
	case "tags":
		c.set = setTags
	case "object_relation":
		c.set = func(d *Draft, s string) string { d.Relation = s; return "" }
	default:
		c.set = nil
	}
}

// setValue is for a column of values, of one type or ("") of whatever another
// column says.
func setValue(typ string) func(*Draft, string) string {
	return func(d *Draft, s string) string {
		d.Text = rearm(s)
		if typ != "" {
			d.Type = typ
		}
		return ""
	}
}

// unsaid are the words for nothing that stand in other people's tables.
func unsaid(s string) bool {
	switch s {
	case "", "-", "None", "none", "null", "NULL", "n/a", "N/A":
		return true
	}
	return false
}

func setComment(d *Draft, s string) string {
	s = rearm(s)
	switch {
	case d.Comment == "":
		d.Comment = s
	case !unsaid(s):
		d.Comment += "; " + s
	}
	return ""
}

func setUUID(d *Draft, s string) string {
	if s == "" {
		return ""
	}
	var err error
	if d.UUID, err = tocsin.ParseUUID(s); err != nil {
		return err.Error()
	}
	return ""
}

func setToIDS(d *Draft, s string) string {
	if s == "" {
		return ""
	}
	ids, err := strconv.ParseBool(strings.ToLower(s))
	if err != nil {
		return "to_ids is 1 or 0, not " + strconv.Quote(beginning([]byte(s)))
	}
	d.ToIDS = &ids
	return ""
}

// setTimestamp takes MISP's seconds; other people's dates are no identity.
func setTimestamp(d *Draft, s string) string {
	d.Timestamp, _ = strconv.ParseInt(s, 10, 64)
	return ""
}

// setTime reads a time. Only MISP's own columns are strict about it.
func setTime(t *time.Time, s string, strict bool) string {
	if unsaid(s) {
		return ""
	}
	var err error
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05Z07:00"} {
		if *t, err = time.Parse(layout, s); err == nil {
			return ""
		}
	}
	if *t = (time.Time{}); !strict {
		return ""
	}
	return strconv.Quote(beginning([]byte(s))) + " is no time such as 2024-01-02T03:04:05Z"
}

// setTags reads names with commas between them, as MISP writes them.
func setTags(d *Draft, s string) string {
	for name := range strings.SplitSeq(s, ",") {
		if name = strings.TrimSpace(name); !unsaid(name) {
			d.Tags = append(d.Tags, TagDraft{Name: name})
		}
	}
	return ""
}

// theirTypes are other people's names of types; "": it is told by the value.
var theirTypes = map[string]string{
	"ip": "ip-dst", "ipv4": "ip-dst", "ipv6": "ip-dst", "ipv4-addr": "ip-dst", "ipv6-addr": "ip-dst", "ip address": "ip-dst",
	"cidr": "ip-dst", "range": "ip-dst", "ip:port": "ip-dst|port", "ip|port": "ip-dst|port",
	"uri": "url", "fqdn": "domain", "domain-name": "domain", "host": "hostname",
	"filehash-md5": "md5", "md5_hash": "md5", "filehash-sha1": "sha1", "sha1_hash": "sha1", "sha-1": "sha1",
	"filehash-sha256": "sha256", "sha256_hash": "sha256", "sha-256": "sha256", "cve": "vulnerability", "email-addr": "email",
	"filepath": "filename", "file": "filename", "hash": "",
}

// ourType returns our name of a type, or the name as it is if nobody knows it.
func ourType(s string) string {
	if _, ok := indicator.TypeByName(s); ok {
		return s
	}
	lower := strings.ToLower(s)
	if t, ok := theirTypes[lower]; ok {
		return t
	}
	if _, ok := indicator.TypeByName(lower); ok {
		return lower
	}
	return s
}

func isType(s string) bool {
	if _, ok := theirTypes[strings.ToLower(s)]; ok {
		return true
	}
	_, ok := indicator.TypeByName(ourType(s))
	return ok
}
