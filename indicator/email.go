package indicator

import "strings"

// email is an address of the form local@domain, lower case as MISP stores it.
// The local part is taken as it comes: what senders write there is often no
// valid address, and indicators are about what they write.
var email = form{parse: parseEmail, facets: emailFacets, keys: emailKeys}

const (
	errEmail     = why("it is no e-mail address: it wants someone@evil.example")
	errLocalPart = why("the part before the \"@\" holds a space or a control character")
)

func parseEmail(s string) (string, error) {
	s = refang(bare(s))
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return "", errEmail
	}
	local, host := strings.ToLower(s[:at]), strings.Trim(s[at+1:], ".")
	if strings.ContainsFunc(local, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", errLocalPart
	}
	host, err := asciiName(host)
	if err != nil {
		return "", err
	}
	if _, err := checkName(host); err != nil {
		return "", why("the part after the \"@\" is no domain: " + err.Error())
	}
	return local + "@" + host, nil
}

func emailDomain(s string) string { return s[strings.LastIndexByte(s, '@')+1:] }

// emailFacets only mentions the domain: most belong to a mail provider.
func emailFacets(s string) Facets {
	return Facets{
		Names:    []Name{{Kind: Email, Text: s}},
		Mentions: []Name{{Kind: Host, Text: emailDomain(s)}},
	}
}

func emailKeys(dst []Key, s string) []Key {
	return append(dst, Key("e:"+s), Key("m:"+emailDomain(s)))
}
