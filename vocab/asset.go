package vocab

import (
	"fmt"
	"slices"
	"strings"

	"tocsin"
	"tocsin/indicator"
)

// Assets is the list of what an organisation says that it runs itself. Others
// must not be kept from blocking by whoever says so, so it only informs; a site
// administrator who has looked at it has it warn, or deny.
func Assets(org *tocsin.Organisation, values []string) (*List, error) {
	l := &List{Name: AssetsName(org), Title: "Assets of " + org.Name, Match: Exact, Class: tocsin.Inform,
		Description: "What " + org.Name + " says that it runs itself: its names with all beneath them, and its addresses."}
	for _, v := range values {
		e, err := asset(v)
		if err != nil {
			return nil, tocsin.Errorf(tocsin.Invalid, "%q can't be an asset: %w", clip(v), err)
		}
		l.Entries = append(l.Entries, e)
	}
	slices.Sort(l.Entries)
	l.Entries = slices.Compact(l.Entries)
	return l, nil
}

// AssetsName is what the list of an organisation's assets is called. Two names of
// organisations may make the same word, so its number is in it.
func AssetsName(org *tocsin.Organisation) string {
	return strings.TrimSuffix(fmt.Sprintf("assets-%d-%s", org.ID, Word(org.Name)), "-")
}

// asset reads a domain, an address or a range that somebody says to run. It has
// to be what could be an indicator, too: so nobody takes a public suffix or half
// of the Internet for theirs.
func asset(text string) (string, error) {
	text = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(text), "*"), ".")
	if v, err := indicator.Parse("ip-dst", text); err == nil {
		p, err := readPrefix(v.String())
		return p.String(), err
	}
	v, err := indicator.Parse("domain", text)
	if err != nil {
		if p, ok := err.(*indicator.ParseError); ok {
			return "", fmt.Errorf("it is neither a domain nor an address or range: %s", p.Why)
		}
		return "", err
	}
	return "." + v.String(), nil
}
