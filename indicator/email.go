package indicator

import (
	"net/netip"
	"strings"
)

// E-mail addresses, and what is written like one
//
// The normal form is local@domain, lower case as MISP stores it. The local part
// is taken as it comes: what senders write there is often no valid address, and
// indicators are about what they write.

var (
	email   = form{parse: parseEmail, facets: emailFacets, keys: emailKeys}
	account = form{parse: parseEmail, facets: accountFacets, keys: emailKeys}
	jabber  = form{parse: parseJabber, facets: jabberFacets, keys: jabberKeys}
	soa     = form{parse: parseSOA, facets: emailFacets, keys: emailKeys}
	replyTo = form{parse: parseLine, facets: mailboxFacets, keys: mailboxKeys}
)

const (
	errEmail     = why("it is no e-mail address: it wants someone@evil.example")
	errLocalPart = why("the part before the \"@\" holds a space or a control character")
	errLiteral   = why("the brackets after the \"@\" hold no IP address")
	errJabber    = why("the resource after the \"/\" is empty or longer than 1,023 octets")
)

func parseEmail(s string) (string, error) {
	s = bare(s)
	if scheme, address, ok := strings.Cut(s, ":"); ok && strings.EqualFold(scheme, "mailto") {
		s, _, _ = strings.Cut(address, "?")
	}
	s = refang(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return "", errEmail
	}
	local, host := strings.ToLower(s[:at]), strings.Trim(s[at+1:], ".")
	if strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", errLocalPart
	}
	host, err := mailHost(host)
	return local + "@" + host, err
}

// mailHost reads a domain or an address literal (RFC 5321, section 4.1.3).
func mailHost(host string) (string, error) {
	if literal, ok := strings.CutPrefix(host, "["); ok {
		a, err := readLiteral(strings.TrimSuffix(literal, "]"))
		switch {
		case err != nil:
			return "", errLiteral
		case a.Is4():
			return "[" + a.String() + "]", nil
		}
		return "[ipv6:" + a.String() + "]", nil
	}
	host, err := asciiName(host)
	if err != nil {
		return "", err
	}
	if _, err := checkName(host); err != nil {
		return "", why("the part after the \"@\" is no domain: " + err.Error())
	}
	return host, nil
}

func readLiteral(s string) (netip.Addr, error) {
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	return readAddress(s)
}

// mailDomain is what stands after the "@" as a name, if it is one.
func mailDomain(s string) (Name, bool) {
	host := s[strings.LastIndexByte(s, '@')+1:]
	if literal, ok := strings.CutPrefix(host, "["); ok {
		a, err := readLiteral(strings.TrimSuffix(literal, "]"))
		return prefixName(a.String()), err == nil
	}
	return Name{Kind: Host, Text: host}, true
}

// emailFacets only mentions the domain: most belong to a mail provider.
func emailFacets(s string) Facets {
	f := Facets{Names: []Name{{Kind: Email, Text: s}}}
	if host, ok := mailDomain(s); ok {
		f.Mentions = []Name{host}
	}
	return f
}

func emailKeys(dst []Key, s string) []Key {
	dst = append(dst, Key("e:"+s))
	if host, ok := mailDomain(s); ok {
		dst = append(dst, host.MentionKey())
	}
	return dst
}

// parseJabber is an address that may name one of an account's connections after
// a "/" (RFC 7622, section 3.4), where the case matters.
func parseJabber(s string) (string, error) {
	address, resource, connected := strings.Cut(withoutScheme(bare(s), "xmpp"), "/")
	address, err := parseEmail(address)
	if err != nil || !connected {
		return address, err
	}
	if resource == "" || len(resource) > 1023 {
		return "", errJabber
	}
	return address + "/" + resource, oneLine(resource)
}

// An account on a server is no e-mail address, though it looks like one.
func accountFacets(s string) Facets { return Facets{Mentions: emailFacets(s).Mentions} }

// The account is what counts, whichever connection it used.
func jabberFacets(s string) Facets {
	account, _, _ := strings.Cut(s, "/")
	return accountFacets(account)
}

func jabberKeys(dst []Key, s string) []Key {
	account, _, _ := strings.Cut(s, "/")
	return emailKeys(dst, account)
}

// parseSOA also takes the responsible person's mailbox as a zone file has it,
// with a dot for the "@" (RFC 1035, section 8).
func parseSOA(s string) (string, error) {
	s = bare(s)
	if !strings.Contains(refang(s), "@") {
		for i := 1; i < len(s); i++ {
			if s[i] == '.' && s[i-1] != '\\' {
				return parseEmail(strings.ReplaceAll(s[:i], `\.`, ".") + "@" + s[i+1:])
			}
		}
	}
	return parseEmail(s)
}

// mailbox finds the address in a header that holds one: alone, or after the
// name that it is shown under.
func mailbox(s string) (string, bool) {
	if from := strings.LastIndexByte(s, '<'); from >= 0 {
		s = s[from:]
	}
	address, err := parseEmail(s)
	return address, err == nil
}

func mailboxFacets(s string) Facets {
	if address, ok := mailbox(s); ok {
		return emailFacets(address)
	}
	return Facets{}
}

func mailboxKeys(dst []Key, s string) []Key {
	if address, ok := mailbox(s); ok {
		return emailKeys(dst, address)
	}
	return textKeys(dst, s)
}
