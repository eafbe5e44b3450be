package export_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Neither Suricata nor Snort is in Debian 12, so rules are held by a reader of their
// grammar (Suricata user guide, "Rules Format"), stricter than theirs: it is not a
// proof that the real programs load them.

// A netRule is a rule taken apart.
type netRule struct {
	header  []string
	options []option
}

type option struct{ name, value string }

func (r netRule) all(name string) (values []string) {
	for _, o := range r.options {
		if o.name == name {
			values = append(values, o.value)
		}
	}
	return values
}

var (
	protocols = []string{"ip", "tcp", "udp", "dns", "http", "tls"}
	bare      = map[string]*regexp.Regexp{
		"nocase": nil, "fast_pattern": nil, "http_header": nil, "http_uri": nil, "http.header": nil, "http.uri": nil, "http.user_agent": nil,
		"dns.query": nil, "tls.sni": nil, "ja3.hash": nil,
		"sid": regexp.MustCompile(`^[1-9][0-9]*$`), "rev": regexp.MustCompile(`^[1-9][0-9]*$`), "priority": regexp.MustCompile(`^[1-4]$`),
		"classtype": regexp.MustCompile(`^[a-z-]+$`), "reference": regexp.MustCompile(`^url,https://exchange\.example/events/view/[0-9]+$`),
		"flow": regexp.MustCompile(`^(to_server|established)(,(to_server|established))?$`), "tag": regexp.MustCompile(`^session,600,seconds$`),
		"depth": regexp.MustCompile(`^[0-9]+$`), "offset": regexp.MustCompile(`^[0-9]+$`), "within": regexp.MustCompile(`^[0-9]+$`),
		"app-layer-protocol": regexp.MustCompile(`^[a-z]+$`),
	}
	texts   = []string{"msg", "content", "pcre"}
	message = regexp.MustCompile(`^[ !#-:<-\[\]-~]*$`) // no quotation mark, semicolon or backslash
	octets  = regexp.MustCompile(`^([ !#-9<-\[\]-{}~]|\|[0-9A-Fa-f]{2}( [0-9A-Fa-f]{2})*\|)+$`)
)

// readRule reads one rule.
func readRule(line string) (r netRule, err error) {
	head, rest, ok := strings.Cut(strings.TrimSuffix(line, " "), " (")
	if r.header = strings.Split(head, " "); !ok || len(r.header) != 7 || !strings.HasSuffix(rest, ";)") {
		return r, fmt.Errorf("no header and options")
	}
	if err := r.holdsHeader(); err != nil {
		return r, err
	}
	rest = strings.TrimSuffix(rest, ")")
	for rest = strings.TrimLeft(rest, " "); rest != ""; rest = strings.TrimLeft(rest, " ") {
		end, quoted := 0, false
		for end < len(rest) && (quoted || rest[end] != ';') {
			if rest[end] == '\\' && quoted {
				end++
			} else if rest[end] == '"' {
				quoted = !quoted
			}
			end++
		}
		if end >= len(rest) {
			return r, fmt.Errorf("an option without its end: %q", rest)
		}
		name, value, _ := strings.Cut(rest[:end], ":")
		o := option{name, strings.TrimPrefix(value, " ")}
		if err := o.holds(); err != nil {
			return r, err
		}
		r.options, rest = append(r.options, o), rest[end+1:]
	}
	return r, nil
}

func (r *netRule) holdsHeader() error {
	h := r.header
	if h[0] != "alert" || !slices.Contains(protocols, h[1]) || h[4] != "->" {
		return fmt.Errorf("header %q", h)
	}
	for _, a := range []string{h[2], h[5]} {
		_, err := netip.ParseAddr(a)
		_, wrong := netip.ParsePrefix(a)
		if err != nil && wrong != nil && !slices.Contains([]string{"any", "$HOME_NET", "$EXTERNAL_NET", "$SMTP_SERVERS"}, a) {
			return fmt.Errorf("address %q", a)
		}
	}
	for _, p := range []string{h[3], h[6]} {
		if _, err := strconv.ParseUint(p, 10, 16); err != nil && p != "any" && p != "$HTTP_PORTS" {
			return fmt.Errorf("port %q", p)
		}
	}
	return nil
}

func (o option) holds() error {
	if form, ok := bare[o.name]; ok {
		if form == nil && o.value == "" || form != nil && form.MatchString(o.value) {
			return nil
		}
		return fmt.Errorf("%s: %q", o.name, o.value)
	}
	if !slices.Contains(texts, o.name) || len(o.value) < 2 || o.value[0] != '"' || o.value[len(o.value)-1] != '"' {
		return fmt.Errorf("option %q: %q", o.name, o.value)
	}
	inner := o.value[1 : len(o.value)-1]
	switch o.name {
	case "msg":
		if !message.MatchString(inner) {
			return fmt.Errorf("message %q", inner)
		}
	case "content":
		if !octets.MatchString(inner) {
			return fmt.Errorf("content %q", inner)
		}
	case "pcre":
		if !strings.HasPrefix(inner, "/") || strings.ContainsAny(inner, `";`) {
			return fmt.Errorf("pattern %q", inner)
		}
		if _, err := regexp.Compile(inner[1:strings.LastIndexByte(inner, '/')]); err != nil {
			return err
		}
	}
	return nil
}

func TestRulesOfSensorsHoldTheirGrammar(t *testing.T) {
	for _, name := range []string{"suricata", "snort"} {
		seen, own := map[string]bool{}, 0
		for line := range strings.Lines(write(t, name, answer(t, false))) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, "#") {
				continue
			}
			r, err := readRule(line)
			if strings.Contains(line, "rev:2") || strings.Contains(line, "no number") { // somebody's own
				own++
				if !strings.Contains(line, "sid:4000") || strings.Contains(line, `"; sid:7;`) {
					t.Errorf("%s: a shared rule keeps its number: %s", name, line)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v in\n%s", name, err, line)
				continue
			}
			for _, o := range []string{"msg", "sid", "rev", "classtype", "priority", "reference"} {
				if len(r.all(o)) != 1 {
					t.Errorf("%s: %d %s in\n%s", name, len(r.all(o)), o, line)
				}
			}
			if sid := r.all("sid")[0]; seen[sid] {
				t.Errorf("%s: two rules have number %s", name, sid)
			} else {
				seen[sid] = true
			}
		}
		if own != 2 || len(seen) < 20 {
			t.Errorf("%s: %d rules, %d shared ones", name, len(seen), own)
		}
	}
}

func TestContentIsWhatWasClaimed(t *testing.T) {
	text := write(t, "suricata", answer(t, false))
	for _, want := range []string{
		`content:"Mozilla|22 3B| sid|3A|1|3B| content|3A 22 7C|41|7C 5C|"`,
		`http.uri; content:"/a?b=|22|x|22 3B|c=|7C|d|7C 5C|e"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
}
