package export

import (
	"encoding/hex"
	"strings"
)

var snort = &dialect{name: "snort", rules: map[string]func(*ruler, *Claim){
	"ip-dst": outgoing, "ip-dst|port": outgoing, "ip-src": incoming, "ip-src|port": incoming,
	"domain": named(snortDomain), "hostname": named(snortHost), "url": snortURL, "user-agent": snortAgent,
	"domain|ip": func(r *ruler, c *Claim) { named(snortDomain)(r, c); both(r, c) },
	"email":     func(r *ruler, c *Claim) { mailFrom(r, c); mailTo(r, c) },
	"email-src": mailFrom, "email-dst": mailTo, "email-subject": mailSubject, "email-attachment": mailAttachment,
	"snort": ownRule,
}}

// query is how a question of one name begins in a DNS message (RFC 1035, section 4.1.1).
const query = `content:"|01 00 00 01 00 00 00 00 00 01|"; depth:10; offset:2; content:"`

// wire is a name as it stands in a DNS message, its end included; of a host, what
// stands before it is no part of the name.
func wire(name string) string {
	var b strings.Builder
	for label := range strings.SplitSeq(name, ".") {
		b.WriteString("|" + strings.ToUpper(hex.EncodeToString([]byte{byte(len(label))})) + "|" + label)
	}
	return b.String() + "|00|"
}

var web = flow{"tcp", home, "any", outside, "$HTTP_PORTS"}

func snortDomain(r *ruler, name string) {
	asked := query + wire(name) + `"; fast_pattern; nocase;`
	r.rule(flow{"udp", "any", "any", "any", "53"}, "Domain: "+name, asked, "")
	r.rule(flow{"tcp", "any", "any", "any", "53"}, "Domain: "+name, asked+" flow:established;", "")
	r.rule(web, "Outgoing HTTP Domain: "+name, `flow:to_server,established; content: "Host|3a|"; nocase; http_header; content:"`+name+
		`"; fast_pattern; nocase; http_header; pcre: "/(^|[^A-Za-z0-9-])`+pattern(name)+`[^A-Za-z0-9-\.]/H";`, session)
}

func snortHost(r *ruler, name string) {
	asked := query + wire(name) + `"; fast_pattern; nocase;`
	r.rule(flow{"udp", "any", "any", "any", "53"}, "Hostname: "+name, asked, "")
	r.rule(flow{"tcp", "any", "any", "any", "53"}, "Hostname: "+name, asked+" flow:established;", "")
	r.rule(web, "Outgoing HTTP Hostname: "+name, `flow:to_server,established; content: "Host|3a| `+name+
		`"; fast_pattern; nocase; http_header; pcre: "/(^|[^A-Za-z0-9-\.])`+pattern(name)+`[^A-Za-z0-9-\.]/H";`, session)
}

func snortURL(r *ruler, c *Claim) {
	r.rule(web, "Outgoing HTTP URL: "+c.Value.String(), `flow:to_server,established; content:"`+content(c.Value.String())+`"; fast_pattern; nocase; http_uri;`, session)
}

func snortAgent(r *ruler, c *Claim) {
	r.rule(web, "Outgoing User-Agent: "+c.Value.String(), `flow:to_server,established; content:"`+content(c.Value.String())+`"; fast_pattern; http_header;`, session)
}
