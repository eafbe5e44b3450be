package export

import (
	"net/url"
	"strings"
)

var suricata = &dialect{name: "suricata", rules: map[string]func(*ruler, *Claim){
	"ip-dst": outgoing, "ip-dst|port": outgoing, "ip-src": incoming, "ip-src|port": incoming,
	"domain": named(suricataDomain), "hostname": named(suricataHost), "url": suricataURL, "user-agent": suricataAgent,
	"domain|ip": func(r *ruler, c *Claim) { named(suricataDomain)(r, c); both(r, c) },
	"email":     func(r *ruler, c *Claim) { mailFrom(r, c); mailTo(r, c) },
	"email-src": mailFrom, "email-dst": mailTo, "email-subject": mailSubject, "email-attachment": mailAttachment,
	"ja3-fingerprint-md5": suricataJA3, "snort": ownRule,
}}

var (
	anyDNS  = flow{"dns", "any", "any", "any", "any"}
	anyHTTP = flow{"http", home, "any", outside, "any"}
)

func suricataDomain(r *ruler, name string) {
	r.rule(anyDNS, "Domain "+name, `dns.query; content:"`+name+`"; nocase; pcre: "/(^|[^A-Za-z0-9-])`+pattern(name)+`$/i";`, "")
	r.rule(anyHTTP, "Outgoing HTTP Domain "+name, `flow:to_server,established; http.header; content: "Host|3a|"; nocase; http.header; content:"`+name+
		`"; fast_pattern; nocase; pcre: "/(^|[^A-Za-z0-9-])`+pattern(name)+`[^A-Za-z0-9-\.]/Hi";`, session)
}

func suricataHost(r *ruler, name string) {
	r.rule(anyDNS, "Hostname "+name, `dns.query; content:"`+name+`"; nocase; pcre: "/(^|[^A-Za-z0-9-\.])`+pattern(name)+`$/i";`, "")
	r.rule(anyHTTP, "Outgoing HTTP Hostname "+name, `flow:to_server,established; http.header; content: "Host|3a| `+name+
		`"; fast_pattern; nocase; pcre: "/(^|[^A-Za-z0-9-\.])`+pattern(name)+`[^A-Za-z0-9-\.]/Hi";`, session)
}

// suricataURL writes what can be seen of a URL: of http: host and path, of https:
// the name that is asked for in the handshake, of anything else the address.
func suricataURL(r *ruler, c *Claim) {
	u, err := url.Parse(c.Value.String())
	if err != nil || u.Hostname() == "" {
		r.rule(anyHTTP, "Outgoing URL: "+c.Value.String(), `flow:to_server,established; http.uri; content:"`+content(c.Value.String())+`"; fast_pattern; nocase;`, session)
		return
	}
	host, port, to := u.Hostname(), u.Port(), outside
	if port == "" {
		port = "any"
	}
	if isIP(host) {
		to = host
	}
	message := "Outgoing URL: " + c.Value.String()
	switch scheme := strings.ToLower(u.Scheme); {
	case scheme == "http":
		options := `flow:to_server,established; http.header; content:"` + content(host) + `"; nocase;`
		if path := u.RequestURI(); path != "" && path != "/" {
			options += ` http.uri; content:"` + content(path) + `"; fast_pattern; nocase;`
		}
		r.rule(flow{"http", home, "any", to, port}, message, options, session)
	case scheme == "https" && to == outside:
		r.rule(flow{"tls", home, "any", outside, port}, message,
			`flow:to_server,established; tls.sni; content:"`+content(host)+`"; nocase; pcre:"/^`+pattern(host)+`$/i";`, session)
	case (scheme == "https" || scheme == "ssh" || scheme == "ftp") && to != outside:
		layer := map[string]string{"https": "tls", "ssh": "ssh", "ftp": "ftp"}[scheme]
		r.rule(flow{"tcp", home, "any", to, port}, message, "flow:to_server; app-layer-protocol:"+layer+";", session)
	}
}

func suricataAgent(r *ruler, c *Claim) {
	r.rule(anyHTTP, "Outgoing User-Agent: "+c.Value.String(),
		`flow:to_server,established; http.user_agent; content:"`+content(c.Value.String())+`"; fast_pattern;`, session)
}

func suricataJA3(r *ruler, c *Claim) {
	r.rule(flow{"tls", home, "any", outside, "any"}, "JA3 Hash: "+c.Value.String(), `ja3.hash; content:"`+content(c.Value.String())+`"; fast_pattern;`, session)
}
