package vocab

import (
	"regexp"

	"tocsin"
)

// What a list is good for depends on what it is about, which its maker does not
// say. Three questions settle it:
//
//   - Would blocking what is on it hurt many, whoever claims what? Then deny:
//     root servers, resolvers, revocation lists, update servers, private networks.
//   - Is what is on it mostly used by the innocent? Then warn: larger top lists,
//     banks, universities.
//   - Is it about where something is hosted, or what looks at it? Then inform.
//     That an address is in a cloud, or a name with a dynamic DNS provider, speaks
//     neither for nor against it.
var usuals = []struct {
	names *regexp.Regexp
	class tocsin.GuardClass
	match string // "": as the list says
}{
	// Top lists are about the names on them. Some of MISP's say that they are
	// about hosts beneath as well, but beneath the most popular names anybody can
	// put up anything.
	{named(`(benign-)?(top-)?(alexa|cisco|cloudflare|majestic|moz|tranco|umbrella|google-chrome-crux)[-_]?(top|million|1m|[0-9]).*`), tocsin.Warn, Exact},
	{named(`(benign-)?(top-)?alexa`), tocsin.Warn, Exact},

	{named(`rfc[0-9]+|multicast|ipv6-linklocal|tlds|second-level-tlds|public-dns-(v4|v6|hostname)|crl-(hostname|ip)|mozilla-.*`), tocsin.Deny, ""},
	{named(`empty-hashes|common-ioc-false-positive|captive-portals|microsoft-win10-connection-endpoints|windows-binary-hashes`), tocsin.Deny, ""},
	{named(`bank-website|university_domains|covid.*|dax30|ti-falsepositives|google|microsoft|microsoft-office365|nioc-filehash|eicar.com`), tocsin.Warn, ""},
	{named(`google-gmail-sending-ips|smtp-(sending|receiving)-ips|common-contact-emails|microsoft-attack-simulator`), tocsin.Warn, ""},
	{named(`dynamic-dns|url-shortener|link-in-bio|lots-project|parking-domain.*|whats-my-ip|findip-host|public-ipfs-gateways`), tocsin.Inform, ""},
	{named(`security-provider-blogpost|automated-malware-analysis|umbrella-blockpage.*|sinkholes|digitalside|disposable-email`), tocsin.Inform, ""},
}

func named(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// shortList is how many names a top list may have for all of them to be household
// words.
const shortList = 10_001 // some count their own head

// usual settles what a list is good for, unless somebody says otherwise.
func (l *List) usual() {
	for _, u := range usuals {
		if !u.names.MatchString(l.Name) {
			continue
		}
		l.Class = u.class
		if u.match != "" && l.Match != u.match {
			l.Match, l.Declared = u.match, l.Match
		}
		if u.match == Exact && len(l.Entries) <= shortList {
			l.Class = tocsin.Deny
		}
		return
	}
	switch l.Match {
	case Exact, Beneath:
		l.Class = tocsin.Warn
	default:
		l.Class = tocsin.Inform
	}
}
